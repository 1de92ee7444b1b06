//! What officers ask of alerts and of both sides' declarations, and what they want done with them. Only the running node answers: what it
//! thinks depends on all that it has seen.

use serde::{Deserialize, Serialize};

use super::alert::{AlertAct, AlertFilter};
use super::reconcile::ReconcileFilter;
use crate::encoding::ids::{MemberCode, RecordId};

/// What an officer asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfficerRequest {
    /// Cases of alerts.
    AlertList(AlertFilter),
    /// One case.
    AlertShow {
        /// The consignment, or the record that belongs to none.
        case: RecordId,
    },
    /// What an officer does with a case.
    AlertAct {
        /// The case.
        case: RecordId,
        /// What.
        act: AlertAct,
        /// The officer.
        by: String,
        /// A word on it; the reason of an override.
        note: String,
    },
    /// What was raised since the alert of this number.
    AlertsSince {
        /// The number of the last one known; 0 for all that are remembered.
        number: u64,
    },
    /// How far both sides agree, and where they do not.
    Reconcile(ReconcileFilter),
    /// Both sides' totals.
    ReconcileTotals {
        /// Only of this month.
        month: Option<String>,
        /// Only with this country.
        partner: Option<MemberCode>,
    },
    /// Announcements that arrivals may belong to which nobody announced.
    ReconcileLinks,
    /// What an officer decides on such a link.
    ReconcileDecide {
        /// The arrival.
        arrival: RecordId,
        /// The announcement.
        announced: RecordId,
        /// Whether they belong together.
        holds: bool,
        /// The officer.
        by: String,
        /// Why.
        reason: String,
    },
}

//! A country's published policy (G03): how long it takes to answer, on which days it works, what its silence means, and
//! what differences it bears with.
//!
//! Every term is optional; what is not said has the default of whoever reckons with it. A policy is known by the id of
//! its record, which a notification cites, so that a later policy never moves an old clock.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::Findings;
use super::date::Date;
use super::declared::Declared;
use super::finding::Fault;
use super::parts::OtherMembers;
use super::quantity::{Mass, Ppm};
use super::substances::SubstanceList;
use super::words::{Counting, Silence, TransitConsent, Weekday};

/// The longest term of a policy, in days.
pub const MAX_TERM_DAYS: u16 = 366;
/// The longest time to answer a request to stop, in hours.
pub const MAX_STOP_HOURS: u16 = 720;

/// The terms of a policy.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Days that the country takes to answer a notification, the day of the notification not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_days: Option<u16>,
    /// Which days count for an answer: `working` or `calendar`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_counting: Option<Declared<Counting>>,
    /// Days by which a question may put the answer off, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_days: Option<u16>,
    /// The days on which the country works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
    /// What no answer means: `consent` or `refusal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<Declared<Silence>>,
    /// Whether goods that only pass through need a consent: `required` or `not-required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit: Option<Declared<TransitConsent>>,
    /// Hours to answer a request to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_hours: Option<u16>,
    /// Differences between shipped and received that the country bears with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerances: Option<Tolerances>,
    /// Losses of pure substance that it never bears with, whatever their share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub floors: Vec<Limit>,
    /// Masses from which a transaction is watched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Limit>,
    /// Days after the expected arrival until goods are overdue, by mode of transport.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grace: Vec<Grace>,
    /// Days that a voyage takes if nobody said when it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voyage_days: Option<u16>,
    /// Days after the import until the end use should be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_use_days: Option<u16>,
    /// Days after which a proposed closure holds if nobody disputes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closure_days: Option<u16>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// When a country works.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calendar {
    /// The days of each week that are free: `saturday`, `sunday`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weekend: Vec<Declared<Weekday>>,
    /// Further days that are free.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Date>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// What difference is borne with, by the sort of cargo.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tolerances {
    /// Packed and counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packaged: Option<Tolerance>,
    /// Loose solids, by draft survey or weighbridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_solid: Option<Tolerance>,
    /// Liquids in tanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_liquid: Option<Tolerance>,
    /// Concentrations, as an absolute difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concentration: Option<Tolerance>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// Up to the first share a difference is usual, up to the second it is to be looked at, above it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// Usual up to here, in parts per million.
    pub green_ppm: Ppm,
    /// To be looked at up to here.
    pub amber_ppm: Ppm,
}

/// A mass of one substance from which something else holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Code of the substance.
    pub substance: String,
    /// Grams of the pure substance.
    pub pure_mass_g: Mass,
}

/// The grace of one mode of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grace {
    /// Mode, UN/ECE Recommendation 19: 1 sea, 2 rail, 3 road, 4 air.
    pub mode: u8,
    /// Days.
    pub days: u16,
}

/// Checks the terms of a policy, and puts its days into order.
pub(super) fn check_terms(terms: &mut Terms, findings: &mut Findings) {
    let days: [(&str, Option<u16>, bool); 5] = [
        ("reply_days", terms.reply_days, true),
        ("extension_days", terms.extension_days, false),
        ("voyage_days", terms.voyage_days, true),
        ("end_use_days", terms.end_use_days, true),
        ("closure_days", terms.closure_days, true),
    ];
    for (name, value, at_least_one) in days {
        if value.is_some_and(|days| days > MAX_TERM_DAYS || (at_least_one && days == 0)) {
            findings.doubt(format!("terms/{name}"), Fault::NotOneOf("the terms of at most 366 days"));
        }
    }
    if terms.stop_hours.is_some_and(|hours| hours == 0 || hours > MAX_STOP_HOURS) {
        findings.doubt("terms/stop_hours", Fault::NotOneOf("1 to 720 hours"));
    }
    if let Some(calendar) = &mut terms.calendar {
        calendar.holidays.sort();
        calendar.holidays.dedup();
        calendar.weekend.sort();
        calendar.weekend.dedup();
        if calendar.weekend.len() >= Weekday::ALL.len() {
            findings.error("terms/calendar/weekend", Fault::NotOneOf("the weekends that leave a day to work on"));
        }
    }
    check_tolerances(terms, findings);
    check_limits("floors", &terms.floors, findings);
    check_limits("thresholds", &terms.thresholds, findings);
    let mut modes = BTreeSet::new();
    for (at, grace) in terms.grace.iter().enumerate() {
        if grace.mode > 9 || !modes.insert(grace.mode) {
            findings.doubt(
                format!("terms/grace/{at}/mode"),
                Fault::NotOneOf("0 to 9 (UN/ECE Recommendation 19), each once"),
            );
        }
        if grace.days > MAX_TERM_DAYS {
            findings.doubt(format!("terms/grace/{at}/days"), Fault::NotOneOf("the terms of at most 366 days"));
        }
    }
}

fn check_tolerances(terms: &Terms, findings: &mut Findings) {
    let Some(tolerances) = &terms.tolerances else { return };
    let all = [
        ("packaged", tolerances.packaged),
        ("bulk_solid", tolerances.bulk_solid),
        ("bulk_liquid", tolerances.bulk_liquid),
        ("concentration", tolerances.concentration),
    ];
    for (name, tolerance) in all {
        if tolerance.is_some_and(|tolerance| tolerance.green_ppm > tolerance.amber_ppm) {
            findings.doubt(
                format!("terms/tolerances/{name}"),
                Fault::NotOneOf("the pairs whose green is not above their amber"),
            );
        }
    }
}

fn check_limits(name: &str, limits: &[Limit], findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (at, Limit { substance, .. }) in limits.iter().enumerate() {
        let path = format!("terms/{name}/{at}/substance");
        if SubstanceList::current().get(substance).is_none() {
            findings.doubt(path, Fault::UnknownSubstance(substance.clone()));
        } else if !seen.insert(substance) {
            findings.doubt(path, Fault::NotOneOf("the substances that are not limited yet"));
        }
    }
}

super::parts::closed_debug!(Terms, Calendar, Tolerances, Limit);

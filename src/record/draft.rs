//! What comes from outside, before it is checked. Its JSON form is what `submit` takes and what importers make.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::date::{Date, Window};
use super::declared::Declared;
use super::identifier::{Country, Mrn, Ucr};
use super::kind::Kind;
use super::parts::{Change, Conveyance, Goods, Party, Place, SealedContainer, Shipment, Value};
use super::quantity::Mass;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;

/// The fields of a record, each under the name it has in JSON, in the sealed body and on the screen.
///
/// Which of them a kind needs is in [`Kind`]; who may read each is in [`super::content`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draft {
    // Summary: what every reader of the record needs.
    /// What the record says; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// When the record was made. Set at the check if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<UnixTime>,
    /// When what it tells took place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<UnixTime>,
    /// The notification that opened the consignment. Absent on that notification itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consignment: Option<RecordId>,
    /// The record that this one answers, amends or follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<RecordId>,
    /// The records it acknowledges.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acknowledges: Vec<RecordId>,
    /// How far an acknowledged record got: `delivered` to a node or `opened` by an officer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Records known to the author that matter to this one, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<RecordId>,
    /// Members the record is addressed to, besides those that its route names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<MemberCode>,
    /// Country that the goods leave from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_country: Option<Declared<Country>>,
    /// Country that they are meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Declared<Country>>,
    /// Version of the substance list that the codes are of. Set at the check if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substance_list: Option<String>,
    /// The substances of all goods lines, sorted. Derived at the check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub substances: Vec<String>,
    /// Month of the dispatch, or of the event: `2013-09`. Derived at the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,

    // Transport: what a transit country needs as well.
    /// Mode at the border, UN/ECE Recommendation 19: 1 sea, 2 rail, 3 road, 4 air, 5 mail, 6 multimodal, 7 fixed, 8 inland water.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u8>,
    /// Ship, truck, train or aircraft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conveyance: Option<Conveyance>,
    /// Who carries the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Party>,
    /// Places or countries on the way, in order, first and last included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub itinerary: Vec<Place>,
    /// Customs office or port where the goods leave the exporting country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_of_exit: Option<Place>,
    /// Where they enter the importing country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_of_entry: Option<Place>,
    /// Where they are loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loading: Option<Place>,
    /// Where they are unloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unloading: Option<Place>,
    /// Where the event took place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// When the goods are to leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<Window>,
    /// When they are to arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Window>,
    /// Containers with their seals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<SealedContainer>,
    /// Seals that belong to no container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seals: Vec<String>,
    /// Movement reference number of the customs declaration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mrn: Option<Declared<Mrn>>,
    /// Bill of lading, waybill or consignment note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill_of_lading: Option<String>,
    /// Partial shipment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
    /// State on arrival, UN/ECE Recommendation 24: 1 arrived, 107 anomaly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,

    // Trade: what the pair needs.
    /// Unique consignment reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ucr: Option<Declared<Ucr>>,
    /// The declarant's own reference for the declaration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lrn: Option<String>,
    /// The goods, 1 to 99 lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<Goods>,
    /// What the goods are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_use: Option<String>,
    /// Licences and permits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licences: Vec<String>,
    /// Day by which an answer is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_by: Option<Date>,
    /// The receiver's policy that the clocks are reckoned by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Reference in PEN Online, for the substances that are drug precursors too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pen_online_ref: Option<String>,
    /// Conditions of a consent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Largest net mass that is consented to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_net_mass_g: Option<Mass>,
    /// Last day on which the consent or warning holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Import permit that the consent refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_permit: Option<String>,
    /// `registered`, `licensed` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consignee_status: Option<String>,
    /// Reason by code, for statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// `routine`, `urgent` or `immediate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    /// What the addressee is asked to do: `do-not-load`, `hold`, `inspect`, `return`, or in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_action: Option<String>,
    /// How goods were released: `free-circulation`, `warehouse`, `free-zone`, `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Changes of an amendment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Kind of control: `documentary`, `x-ray`, `physical`, `sample`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_type: Option<String>,
    /// Result of a control: `no-result`, `irregularity`, `seizure`, `not-found`, `not-arrived`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Customs office that acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// Anything else worth saying to both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remarks: Option<String>,
    /// SHA-256 of the document line that the record was imported from: the same line is never logged twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_digest: Option<Digest>,

    // Parties.
    /// Who sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exporter: Option<Party>,
    /// Who receives the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consignee: Option<Party>,
    /// Who buys, if another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importer: Option<Party>,
    /// Who declares to customs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declarant: Option<Party>,

    // Price.
    /// Values of the goods lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,

    // Intelligence: for the addressees alone.
    /// The reason in words. In an amendment or cancellation it belongs to the trade fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a warning is about, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The profile of a shipment to control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// How it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection_method: Option<String>,
    /// How it was hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concealment: Option<String>,
    /// How many persons were involved. Counts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persons: Option<u32>,

    // Person: for the author alone.
    /// Names and details of persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_details: Option<String>,
}

impl Draft {
    /// The acknowledgement that a node makes by itself: the bodies of these records of `author` have arrived here.
    ///
    /// One goes out per batch of bodies, at most [`super::MAX_ENTRIES`] of them, and never for an acknowledgement.
    pub fn delivered(author: MemberCode, acknowledges: Vec<RecordId>) -> Self {
        Self {
            kind: Some(Kind::Acknowledgement),
            level: Some("delivered".to_owned()),
            to: vec![author],
            acknowledges,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("kind", &self.kind).finish_non_exhaustive()
    }
}

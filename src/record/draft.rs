//! What comes from outside, before it is checked. Its JSON form is what `submit` takes and what importers make.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::date::{Date, Window};
use super::declared::Declared;
use super::identifier::{Country, Mrn, Ucr};
use super::kind::Kind;
use super::parts::{Attachment, Change, Conveyance, Goods, Party, Place, SealedContainer, Shipment, Value};
use super::policy::Terms;
use super::quantity::Mass;
use super::words::{
    Cause, ClosingState, ConsigneeStatus, ControlResult, ControlType, Decision, DiversionKind, IncidentKind, Level,
    ReasonCode, Release, RequestedAction, StopReply, Urgency, Verification,
};
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
    pub level: Option<Declared<Level>>,
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
    /// Country that they go to instead (a diversion).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_destination: Option<Declared<Country>>,
    /// Whether the diversion is `authorised` or was `observed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diversion: Option<Declared<DiversionKind>>,
    /// The export decision: `released`, `refused`, `released-without-reply`, `released-over-objection`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Declared<Decision>>,
    /// The joint operation: the record that opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<RecordId>,
    /// Members that a grant lets read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new_readers: Vec<MemberCode>,
    /// Compartments that they may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compartments: Vec<String>,
    /// Version of the substance list that the codes are of. Set at the check if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substance_list: Option<String>,
    /// The substances of all goods lines, sorted. Derived at the check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub substances: Vec<String>,
    /// Month of the dispatch, or of the event: `2013-09`. Derived at the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// The terms of a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// The code list: `substances`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_id: Option<String>,
    /// Its version: `pgs-2026-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_version: Option<String>,
    /// First day on which the policy or list holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Date>,
    /// SHA-256 of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_digest: Option<Digest>,
    /// Entries of the author's audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_entries: Option<u64>,
    /// The digest of the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_head: Option<Digest>,
    /// Records of the author whose bodies are to be erased everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub erases: Vec<RecordId>,
    /// Records whose bodies are not at the author any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<RecordId>,
    /// Records whose bodies the author keeps in spite of an order, because its law holds it to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<RecordId>,

    // Transport: what a transit country needs as well.
    /// Mode at the border, UN/ECE Recommendation 19: 1 sea, 2 rail, 3 road, 4 air, 5 mail, 6 multimodal, 7 fixed, 8 inland water.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u8>,
    /// Ship, truck, train or aircraft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conveyance: Option<Conveyance>,
    /// The ship or truck that they left, in a transshipment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former_conveyance: Option<Conveyance>,
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
    /// Whether the seals were whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seals_intact: Option<bool>,
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
    /// When the goods were last seen, at `place`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<UnixTime>,

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
    /// Questions that an answer depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<String>,
    /// Day to which the questions put the answer off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extend_reply_by: Option<Date>,
    /// Responses to the questions, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<String>,
    /// Documents that are kept outside, each by its digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The policies of the receivers that the clocks are reckoned by: each the record of its country.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<RecordId>,
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
    pub consignee_status: Option<Declared<ConsigneeStatus>>,
    /// Reason by code, for statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<Declared<ReasonCode>>,
    /// The law that a decision or a seizure rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// `routine`, `urgent` or `immediate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Declared<Urgency>>,
    /// What the addressee is asked to do: `do-not-load`, `hold`, `inspect`, `return`, `report`, or `other` with remarks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_action: Option<Declared<RequestedAction>>,
    /// What became of a request to stop: `held`, `already-left` or `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reply: Option<Declared<StopReply>>,
    /// How goods were released: `free-circulation`, `warehouse`, `free-zone`, `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Declared<Release>>,
    /// Why two declarations differ. With a correction `goods` are what was really there, with a loss what was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Declared<Cause>>,
    /// Whether the note is the importing country's last word, so that the difference is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles: Option<bool>,
    /// What an end-use verification found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Declared<Verification>>,
    /// How it was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What of the goods is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_stock_g: Option<Mass>,
    /// How the consignment ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing_state: Option<Declared<ClosingState>>,
    /// Changes of an amendment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Kind of control: `documentary`, `x-ray`, `physical`, `sample`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_type: Option<Declared<ControlType>>,
    /// Result of a control: `no-result`, `irregularity`, `seizure`, `not-found`, `not-arrived`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Declared<ControlResult>>,
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
    /// What was done about a warning or request, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_taken: Option<String>,
    /// What happened: `theft`, `disappearance`, `diversion`, `suspicious-transaction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<Declared<IncidentKind>>,
    /// When it was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<UnixTime>,
    /// When it was reported to the authority: within 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<UnixTime>,
    /// Name of a joint operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// The days of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Window>,
    /// Members that are asked to take part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberCode>,
    /// Templates that the operation uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// What is said to those who take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,

    // Person: for the author alone.
    /// Names and details of persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_details: Option<String>,
}

impl Draft {
    /// What was wrong with the JSON of a draft, without the list of the hundred fields that there are.
    #[must_use]
    pub fn json_fault(error: &serde_json::Error) -> String {
        let text = error.to_string();
        let Some((fault, list)) = text.split_once(", expected one of `kind`") else { return text };
        let place = list.rsplit_once(" at line ").map_or_else(String::new, |(_, place)| format!(" at line {place}"));
        format!("{fault}; docs/import.md lists the fields of a record{place}")
    }

    /// Whether it belongs to nothing that is known: an arrival or import of which nobody has said that it was coming.
    #[must_use]
    pub fn opens_unannounced(&self) -> bool {
        matches!(self.kind, Some(Kind::Arrival | Kind::ImportConfirmation))
            && self.answers.is_none()
            && self.consignment.is_none()
    }

    /// Whether a consignment begins with it: a notification, or what arrived unannounced.
    #[must_use]
    pub fn opens_consignment(&self) -> bool {
        self.kind == Some(Kind::ExportNotification) || self.opens_unannounced()
    }

    /// What a reader's node tells the author of records by itself: which bodies are not there any more, and which are held. `order` is the
    /// order that it answers; none where the reader's own law made it erase.
    pub fn erasure_receipt(
        author: MemberCode,
        order: Option<RecordId>,
        erased: Vec<RecordId>,
        held: Vec<RecordId>,
    ) -> Self {
        Self { kind: Some(Kind::ErasureReceipt), to: vec![author], answers: order, erased, held, ..Self::default() }
    }

    /// The acknowledgement that a node makes by itself: the bodies of these records of `author` have arrived here.
    ///
    /// One goes out per batch of bodies, at most [`super::MAX_ENTRIES`] of them, and never for an acknowledgement.
    pub fn delivered(author: MemberCode, acknowledges: Vec<RecordId>) -> Self {
        Self {
            kind: Some(Kind::Acknowledgement),
            level: Some(Declared::Valid(Level::Delivered)),
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

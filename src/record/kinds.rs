//! The table of the kinds of record: code, name, and the fields that each needs.
//!
//! What the exporting country says reaches the destination and the countries of the itinerary; an answer reaches the
//! members in `to`. So every kind requires a field that names a reader, except those that are for all members.

use super::kind::Kind;

/// What is to be known of one kind.
pub(super) struct Form {
    /// The kind.
    pub(super) kind: Kind,
    /// Its code in the table of events of the domain.
    pub(super) code: &'static str,
    /// Its name in records.
    pub(super) name: &'static str,
    /// Whether it is about suspicion, so that its reason is for those it is addressed to and nobody else.
    pub(super) confidential: bool,
    /// Fields without which it says nothing, or reaches nobody.
    pub(super) required: &'static [&'static str],
    /// Fields whose absence is worth a warning.
    pub(super) wanted: &'static [&'static str],
}

const fn open(kind: Kind, code: &'static str, name: &'static str, required: &'static [&'static str]) -> Form {
    Form { kind, code, name, confidential: false, required, wanted: &[] }
}

const fn confidential(kind: Kind, code: &'static str, name: &'static str, required: &'static [&'static str]) -> Form {
    Form { kind, code, name, confidential: true, required, wanted: &[] }
}

impl Form {
    const fn wanting(mut self, wanted: &'static [&'static str]) -> Self {
        self.wanted = wanted;
        self
    }
}

/// The form of a kind; `None` for one that this version does not know.
pub(super) fn form(kind: &Kind) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.kind == *kind)
}

/// Every kind that records can have. E01 (a draft) stays at home, E12 (expiry) is derived, G01 and G02 are charter and
/// manifests.
#[rustfmt::skip]
pub(super) static FORMS: [Form; 40] = [
    // Trade.
    open(Kind::ExportNotification, "E02", "export-notification", &["export_country", "destination", "ucr", "goods", "exporter", "consignee"])
        .wanting(&["importer", "end_use", "point_of_exit", "point_of_entry", "itinerary", "mode", "dispatch", "arrival", "licences", "reply_by"]),
    open(Kind::Acknowledgement, "E03", "acknowledgement", &["to", "acknowledges", "level"]),
    open(Kind::InfoRequest, "E04", "info-request", &["to", "answers", "questions"]),
    open(Kind::InfoResponse, "E05", "info-response", &["destination", "answers", "responses"]),
    open(Kind::NoObjection, "E06", "no-objection", &["to", "answers"])
        .wanting(&["valid_until", "consignee_status"]),
    confidential(Kind::Objection, "E07", "objection", &["to", "answers", "reason_code"]),
    confidential(Kind::StopRequest, "E08", "stop-request", &["to", "answers", "reason", "requested_action"])
        .wanting(&["urgency"]),
    open(Kind::ExportDecision, "E09", "export-decision", &["destination", "answers", "decision", "legal_basis"]),
    open(Kind::Amendment, "E10", "amendment", &["destination", "answers", "changes", "reason"]),
    open(Kind::Cancellation, "E11", "cancellation", &["destination", "answers", "reason"]),
    open(Kind::Departure, "E13", "departure", &["destination", "answers", "goods"])
        .wanting(&["happened_at", "conveyance", "bill_of_lading", "point_of_exit", "arrival"]),
    open(Kind::TransitEntry, "E14", "transit-entry", &["to", "answers", "place"])
        .wanting(&["happened_at", "mrn", "seals_intact"]),
    open(Kind::TransitExit, "E15", "transit-exit", &["to", "answers", "place"])
        .wanting(&["happened_at", "seals_intact"]),
    open(Kind::Transshipment, "E16", "transshipment", &["to", "answers", "conveyance"])
        .wanting(&["happened_at", "place", "former_conveyance"]),
    confidential(Kind::Diversion, "E17", "diversion", &["to", "answers", "diversion", "new_destination", "reason"])
        .wanting(&["happened_at", "place"]),
    // What comes without a word from the exporting country answers nothing: `rules.rs`.
    open(Kind::Arrival, "E18", "arrival", &["to"])
        .wanting(&["happened_at", "place"]),
    open(Kind::ImportConfirmation, "E19", "import-confirmation", &["to", "goods"])
        .wanting(&["happened_at", "mrn", "release"]),
    open(Kind::DiscrepancyNote, "E20", "discrepancy-note", &["to", "answers", "cause"])
        .wanting(&["goods", "remarks"]),
    confidential(Kind::EndUseVerification, "E21", "end-use-verification", &["to", "answers", "verification"])
        .wanting(&["happened_at", "method"]),
    open(Kind::Closure, "E22", "closure", &["to", "answers", "closing_state"]),
    confidential(Kind::Reopening, "E23", "reopening", &["to", "answers", "reason"])
        .wanting(&["attachments"]),
    // Alerts.
    open(Kind::OverdueInquiry, "A01", "overdue-inquiry", &["to", "answers"])
        .wanting(&["place", "last_seen_at"]),
    confidential(Kind::Missing, "A02", "missing", &["to", "answers"])
        .wanting(&["goods", "place", "last_seen_at", "carrier", "reason"]),
    confidential(Kind::Warning, "A03", "warning", &["to", "subject", "requested_action"])
        .wanting(&["urgency", "valid_until", "reason"]),
    confidential(Kind::Feedback, "A04", "feedback", &["to", "answers", "result"])
        .wanting(&["happened_at", "control_type"]),
    confidential(Kind::StopAnswer, "A05", "stop-answer", &["to", "answers", "stop_reply"]),
    confidential(Kind::Seizure, "A06", "seizure", &["to", "goods", "happened_at"])
        .wanting(&["place", "office"]),
    confidential(Kind::Incident, "A07", "incident", &["to", "incident", "detected_at", "reported_at"])
        .wanting(&["place", "goods", "reason"]),
    confidential(Kind::Withdrawal, "A08", "withdrawal", &["to", "answers", "reason"]),
    // Joint operations.
    confidential(Kind::OperationOpening, "J01", "operation-opening", &["members", "operation_name", "period"])
        .wanting(&["substances"]),
    confidential(Kind::OperationInvitation, "J02", "operation-invitation", &["members", "operation"])
        .wanting(&["to", "operation_name"]),
    confidential(Kind::OperationMessage, "J03", "operation-message", &["to", "operation", "message"]),
    confidential(Kind::OperationJoining, "J04", "operation-joining", &["to", "operation"]),
    confidential(Kind::OperationClosing, "J05", "operation-closing", &["to", "operation"]),
    // Rules of a country and of the federation.
    open(Kind::Policy, "G03", "policy", &["terms"])
        .wanting(&["effective_from"]),
    open(Kind::CodeList, "G04", "code-list", &["list_id", "list_version", "effective_from", "content_digest"]),
    open(Kind::AudienceGrant, "G05", "audience-grant", &["consignment", "new_readers", "compartments", "reason"]),
    open(Kind::AuditAnchor, "G07", "audit-anchor", &["audit_entries", "audit_head"]),
    open(Kind::Erasure, "G08", "erasure", &["erases", "legal_basis"]),
    open(Kind::ErasureReceipt, "G09", "erasure-receipt", &["to"])
        .wanting(&["answers"]),
];

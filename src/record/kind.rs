//! The kinds of record, and which fields each of them needs.

use std::fmt;

/// What a record says. The set is open: a kind of a later version is carried untouched and shown by its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// E02: the exporting country announces an export; opens a consignment.
    ExportNotification,
    /// E03: a notification (or many) arrived at a node, or was opened by an officer.
    Acknowledgement,
    /// E06: the importing or a transit country has no objection.
    NoObjection,
    /// E07: it objects.
    Objection,
    /// E08: it asks to stop the consignment.
    StopRequest,
    /// E10: the exporting country changes what it announced.
    Amendment,
    /// E11: it will not take place.
    Cancellation,
    /// E13: goods left.
    Departure,
    /// E18: they arrived.
    Arrival,
    /// E19: they were imported, in this quantity.
    ImportConfirmation,
    /// A03: CENcomm's warning: control this.
    Warning,
    /// A04: CENcomm's feedback: what was done about a warning.
    Feedback,
    /// A06: CENcomm's seizure.
    Seizure,
    /// A kind that this version does not know, by the name it came with.
    Other(String),
}

/// Every known kind with the code of the domain's event table and the name used in records.
const KINDS: [(Kind, &str, &str); 13] = [
    (Kind::ExportNotification, "E02", "export-notification"),
    (Kind::Acknowledgement, "E03", "acknowledgement"),
    (Kind::NoObjection, "E06", "no-objection"),
    (Kind::Objection, "E07", "objection"),
    (Kind::StopRequest, "E08", "stop-request"),
    (Kind::Amendment, "E10", "amendment"),
    (Kind::Cancellation, "E11", "cancellation"),
    (Kind::Departure, "E13", "departure"),
    (Kind::Arrival, "E18", "arrival"),
    (Kind::ImportConfirmation, "E19", "import-confirmation"),
    (Kind::Warning, "A03", "warning"),
    (Kind::Feedback, "A04", "feedback"),
    (Kind::Seizure, "A06", "seizure"),
];

impl Kind {
    /// Reads a name (`export-notification`) or a code (`E02`). Anything else is a kind of its own.
    pub fn read(text: &str) -> Self {
        KINDS
            .iter()
            .find(|(_, code, name)| *code == text || *name == text)
            .map_or_else(|| Self::Other(text.to_owned()), |(kind, _, _)| kind.clone())
    }

    /// The name in records: `export-notification`.
    pub fn name(&self) -> &str {
        if let Self::Other(name) = self {
            return name;
        }
        KINDS.iter().find(|(kind, _, _)| kind == self).map_or("", |(_, _, name)| name)
    }

    /// The code in the event table: `E02`. `None` for an unknown kind.
    pub fn code(&self) -> Option<&'static str> {
        KINDS.iter().find(|(kind, _, _)| kind == self).map(|(_, code, _)| *code)
    }

    /// Every known kind.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        KINDS.iter().map(|(kind, _, _)| kind)
    }

    /// Whether this version knows it.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Whether it is about suspicion, so that its free text is for those it is addressed to and nobody else.
    pub fn is_confidential(&self) -> bool {
        matches!(self, Self::Objection | Self::StopRequest | Self::Warning | Self::Feedback | Self::Seizure)
    }

    /// Fields without which it says nothing, or reaches nobody: what the exporting country says goes to the destination and
    /// the countries of the itinerary, and an answer to the members in `to`.
    pub(super) fn required(&self) -> &'static [&'static str] {
        match self {
            Self::ExportNotification => &["export_country", "destination", "ucr", "goods", "exporter", "consignee"],
            Self::Acknowledgement => &["to", "acknowledges", "level"],
            Self::NoObjection | Self::Arrival => &["to", "answers"],
            Self::Objection => &["to", "answers", "reason_code"],
            Self::StopRequest => &["to", "answers", "reason", "requested_action"],
            Self::Amendment => &["destination", "answers", "changes", "reason"],
            Self::Cancellation => &["destination", "answers", "reason"],
            Self::Departure => &["destination", "answers", "goods"],
            Self::ImportConfirmation => &["to", "answers", "goods"],
            Self::Warning => &["to", "subject", "requested_action"],
            Self::Feedback => &["to", "answers", "result"],
            Self::Seizure => &["to", "goods", "happened_at"],
            Self::Other(_) => &[],
        }
    }

    /// Fields whose absence is worth a warning.
    pub(super) fn wanted(&self) -> &'static [&'static str] {
        match self {
            Self::ExportNotification => &[
                "importer",
                "end_use",
                "point_of_exit",
                "point_of_entry",
                "itinerary",
                "mode",
                "dispatch",
                "arrival",
                "licences",
                "reply_by",
            ],
            Self::NoObjection => &["valid_until", "consignee_status"],
            Self::StopRequest => &["urgency"],
            Self::Departure => &["happened_at", "conveyance", "bill_of_lading", "point_of_exit", "arrival"],
            Self::Arrival => &["happened_at", "place"],
            Self::ImportConfirmation => &["happened_at", "mrn", "release"],
            Self::Warning => &["urgency", "valid_until", "reason"],
            Self::Feedback => &["happened_at", "control_type"],
            Self::Seizure => &["place", "office"],
            Self::Acknowledgement | Self::Objection | Self::Amendment | Self::Cancellation | Self::Other(_) => &[],
        }
    }
}

impl fmt::Debug for Kind {
    /// Without the name of an unknown kind, which is whatever stood in a sealed body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().unwrap_or("Other(..)"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_by_name_and_by_code() {
        for kind in Kind::all() {
            assert_eq!(&Kind::read(kind.name()), kind);
            assert_eq!(&Kind::read(kind.code().expect("a known kind has a code")), kind);
        }
        assert_eq!(Kind::read("G05").name(), "G05");
        assert_eq!(Kind::read("G05").code(), None);
    }
}

//! The kinds of record. Which fields each of them needs is in `kinds.rs`.

use std::fmt;

use super::kinds::{FORMS, form};

/// What a record says. The set is open: a kind of a later version is carried untouched and shown by its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// E02: the exporting country announces an export; opens a consignment.
    ExportNotification,
    /// E03: a notification (or many) arrived at a node, or was opened by an officer.
    Acknowledgement,
    /// E04: the importing or a transit country asks something before it answers.
    InfoRequest,
    /// E05: the exporting country answers a question.
    InfoResponse,
    /// E06: the importing or a transit country has no objection.
    NoObjection,
    /// E07: it objects.
    Objection,
    /// E08: it asks to stop the consignment.
    StopRequest,
    /// E09: the exporting country decides whether the goods may leave.
    ExportDecision,
    /// E10: the exporting country changes what it announced.
    Amendment,
    /// E11: it will not take place.
    Cancellation,
    /// E13: goods left.
    Departure,
    /// E14: they came into a transit country.
    TransitEntry,
    /// E15: they left it.
    TransitExit,
    /// E16: they changed ship, truck or container.
    Transshipment,
    /// E17: they go to another country than announced.
    Diversion,
    /// E18: they arrived.
    Arrival,
    /// E19: they were imported, in this quantity.
    ImportConfirmation,
    /// E20: why two declarations differ.
    DiscrepancyNote,
    /// E21: whether the goods are used as was said.
    EndUseVerification,
    /// E22: the importing country proposes to close the consignment, or the exporting country agrees.
    Closure,
    /// E23: it is not closed after all.
    Reopening,
    /// A01: where are the goods?
    OverdueInquiry,
    /// A02: an officer declares them missing.
    Missing,
    /// A03: CENcomm's warning: control this.
    Warning,
    /// A04: CENcomm's feedback: what was done about a warning.
    Feedback,
    /// A05: what became of a request to stop.
    StopAnswer,
    /// A06: CENcomm's seizure.
    Seizure,
    /// A07: a theft, disappearance, diversion or suspicious transaction.
    Incident,
    /// A08: the author takes an alert back. It stays, and is marked.
    Withdrawal,
    /// J01: a joint operation begins.
    OperationOpening,
    /// J02: members are asked to join it.
    OperationInvitation,
    /// J03: a message to those who take part.
    OperationMessage,
    /// J04: a member takes part.
    OperationJoining,
    /// J05: it ends; what was said can still be read.
    OperationClosing,
    /// G03: how a country answers, reckons and tolerates; for all members.
    Policy,
    /// G04: a new version of a code list; for all members.
    CodeList,
    /// G05: a new reader of what the author said of a consignment.
    AudienceGrant,
    /// G07: how many entries the author's audit log has, and the digest of the last; for all members.
    AuditAnchor,
    /// G08: the author orders that the bodies of records of its own be erased everywhere; for all members.
    Erasure,
    /// G09: what has become of bodies at a reader: erased, or held.
    ErasureReceipt,
    /// A kind that this version does not know, by the name it came with.
    Other(String),
}

impl Kind {
    /// Reads a name (`export-notification`) or a code (`E02`). Anything else is a kind of its own.
    pub fn read(text: &str) -> Self {
        FORMS
            .iter()
            .find(|form| form.code == text || form.name == text)
            .map_or_else(|| Self::Other(text.to_owned()), |form| form.kind.clone())
    }

    /// The name in records: `export-notification`.
    pub fn name(&self) -> &str {
        if let Self::Other(name) = self {
            return name;
        }
        form(self).map_or("", |form| form.name)
    }

    /// The code in the event table: `E02`. `None` for an unknown kind.
    pub fn code(&self) -> Option<&'static str> {
        form(self).map(|form| form.code)
    }

    /// Every known kind.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FORMS.iter().map(|form| &form.kind)
    }

    /// Whether this version knows it.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Whether it is about suspicion, so that its reason is for those it is addressed to and nobody else.
    pub fn is_confidential(&self) -> bool {
        form(self).is_some_and(|form| form.confidential)
    }

    /// Whether every member reads it: a country's policy and the versions of the code lists are no secret among members, and an anchor is there
    /// to be witnessed; an order to erase reaches whoever holds a body, by whatever way it came there.
    pub fn is_for_all_members(&self) -> bool {
        matches!(self, Self::Policy | Self::CodeList | Self::AuditAnchor | Self::Erasure)
    }

    /// Whether its own body can be erased. What says that others were erased stays as long as the log.
    pub fn can_be_erased(&self) -> bool {
        !matches!(self, Self::Erasure | Self::ErasureReceipt)
    }

    /// Fields without which it says nothing, or reaches nobody.
    pub(super) fn required(&self) -> &'static [&'static str] {
        form(self).map_or(&[], |form| form.required)
    }

    /// Fields whose absence is worth a warning.
    pub(super) fn wanted(&self) -> &'static [&'static str] {
        form(self).map_or(&[], |form| form.wanted)
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
        assert_eq!(Kind::read("E99").name(), "E99");
        assert_eq!(Kind::read("E99").code(), None);
    }

    #[test]
    fn codes_and_names_are_unique() {
        let names: std::collections::BTreeSet<&str> =
            Kind::all().flat_map(|kind| [kind.name(), kind.code().unwrap_or_default()]).collect();
        assert_eq!(names.len(), 2 * Kind::all().count());
    }

    /// Run with `--nocapture` after a change to get the rows.
    #[test]
    fn the_documentation_has_a_row_for_every_kind() {
        let documentation = include_str!("../../docs/import.md");
        let fields = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
        let rows: Vec<String> = Kind::all()
            .map(|kind| {
                let code = kind.code().unwrap_or_default();
                format!("| `{kind}` ({code}) | {} | {} |", fields(kind.required()), fields(kind.wanted()))
            })
            .collect();
        rows.iter().for_each(|row| println!("{row}"));
        for row in rows {
            assert!(documentation.contains(&row), "docs/import.md lacks {row}");
        }
    }
}

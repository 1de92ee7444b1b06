//! Joint operations: who opened one, who was asked and takes part, and what they said to each other.
//!
//! A fold of its own beside that of the consignments, by the same rules: every record is kept, one whose author may not say it changes
//! nothing and has its reason, and the same records give the same state in whatever order they came. After the closing all of it
//! can still be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value as Json, json};

use super::order::causal;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, PartialRecord, Window};

/// Why a record of an operation changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unlawful {
    /// Only who takes part may speak, and ask others in.
    #[error("its author does not take part in the operation")]
    NotTakingPart,
    /// Only who was asked may join.
    #[error("its author was not asked to join")]
    NotInvited,
    /// Only who opened it may close it.
    #[error("its author did not open the operation")]
    NotTheOpener,
    /// Nothing follows a closing.
    #[error("the operation was closed")]
    AfterClosing,
    /// The record that it names opens no operation.
    #[error("the record that it names opens no operation")]
    NoOperation,
}

/// What is known of one joint operation.
#[derive(Clone, PartialEq, Eq)]
pub struct Operation {
    /// The record that opened it.
    pub id: RecordId,
    /// Whether that record is held and opens an operation. A member who was asked later knows it from the invitation alone.
    pub held: bool,
    /// Its name, from the opening, else from an invitation.
    pub name: Option<String>,
    /// The days of the operation.
    pub period: Option<Window>,
    /// The substances it is about, by code.
    pub substances: Vec<String>,
    /// The templates that it uses.
    pub templates: Vec<String>,
    /// Who was asked to take part.
    pub invited: BTreeSet<MemberCode>,
    /// Who has joined. The opener takes part without joining.
    pub joined: BTreeSet<MemberCode>,
    /// The record that closed it.
    pub closed_by: Option<RecordId>,
    /// What was said, in causal order.
    pub messages: Vec<Message>,
    /// Every record of it, in causal order.
    pub timeline: Vec<Entry>,
}

/// Something said to those who take part.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The record.
    pub id: RecordId,
    /// When it was made, as its author says.
    pub issued_at: UnixTime,
    /// What it says; none if it is not for this node.
    pub text: Option<String>,
}

/// One record in the life of an operation.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub id: RecordId,
    /// What it says.
    pub kind: Kind,
    /// When it was made, as its author says.
    pub issued_at: UnixTime,
    /// Why it changes nothing, if that is so.
    pub unlawful: Option<Unlawful>,
}

/// Every operation that the records tell of, by the record that opened it. Other records are passed over.
pub fn operations(records: impl IntoIterator<Item = (RecordId, PartialRecord)>) -> BTreeMap<RecordId, Operation> {
    let records: BTreeMap<RecordId, PartialRecord> =
        records.into_iter().filter(|(_, record)| record.kind().is_some_and(is_of_operation)).collect();
    let mut operations: BTreeMap<RecordId, Operation> = BTreeMap::new();
    for id in causal(&records.iter().map(|(id, record)| (*id, record)).collect()) {
        let declared = records[&id].declared();
        let (Some(kind), Some(issued_at)) = (&declared.kind, declared.issued_at) else { continue };
        let opens = *kind == Kind::OperationOpening;
        let Some(about) = (if opens { Some(id) } else { declared.operation }) else { continue };
        let operation = operations.entry(about).or_insert_with(|| Operation::new(about));
        // An opening belongs to itself; a record that names another kind of record names no operation.
        let names_other = records.get(&about).is_some_and(|named| named.kind() != Some(&Kind::OperationOpening));
        let judged =
            if names_other { Err(Unlawful::NoOperation) } else { operation.take(id, kind, declared, issued_at) };
        operation.timeline.push(Entry { id, kind: kind.clone(), issued_at, unlawful: judged.err() });
    }
    operations
}

/// Whether a kind belongs to joint operations.
#[must_use]
pub fn is_of_operation(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::OperationOpening
            | Kind::OperationInvitation
            | Kind::OperationMessage
            | Kind::OperationJoining
            | Kind::OperationClosing
    )
}

impl Operation {
    fn new(id: RecordId) -> Self {
        Self {
            id,
            held: false,
            name: None,
            period: None,
            substances: Vec::new(),
            templates: Vec::new(),
            invited: BTreeSet::new(),
            joined: BTreeSet::new(),
            closed_by: None,
            messages: Vec::new(),
            timeline: Vec::new(),
        }
    }

    /// Who opened it: the author of its first record.
    #[must_use]
    pub fn opener(&self) -> MemberCode {
        self.id.log.member
    }

    /// Who reads what is said in it: the opener and everybody who was asked.
    #[must_use]
    pub fn circle(&self) -> BTreeSet<MemberCode> {
        self.invited.iter().copied().chain([self.opener()]).collect()
    }

    /// Takes a record in, or says why it changes nothing.
    fn take(&mut self, id: RecordId, kind: &Kind, declared: &Draft, issued_at: UnixTime) -> Result<(), Unlawful> {
        let by = id.log.member;
        if *kind == Kind::OperationOpening {
            self.held = true;
            self.name.clone_from(&declared.operation_name);
            self.period = declared.period;
            self.substances.clone_from(&declared.substances);
            self.templates.clone_from(&declared.templates);
            self.invited.extend(declared.members.iter().filter(|member| **member != by));
            return Ok(());
        }
        if self.closed_by.is_some() {
            return Err(Unlawful::AfterClosing);
        }
        if *kind == Kind::OperationInvitation {
            // Without the opening nobody can tell here who may invite, and the invitation is all there is.
            self.guard(!self.held || self.takes_part(by), Unlawful::NotTakingPart)?;
            self.name = self.name.take().or_else(|| declared.operation_name.clone());
            // Whom the invitation is told to is in it already: who was asked later knows them from here.
            let circle = declared.members.iter().chain(&declared.to).chain([&by]);
            let opener = self.opener();
            self.invited.extend(circle.filter(|member| **member != opener));
        } else if *kind == Kind::OperationJoining {
            self.guard(by == self.opener() || self.invited.contains(&by), Unlawful::NotInvited)?;
            self.joined.extend(Some(by).filter(|by| *by != self.opener()));
        } else if *kind == Kind::OperationMessage {
            self.guard(self.takes_part(by), Unlawful::NotTakingPart)?;
            self.messages.push(Message { id, issued_at, text: declared.message.clone() });
        } else {
            self.guard(by == self.opener(), Unlawful::NotTheOpener)?;
            self.closed_by = Some(id);
        }
        Ok(())
    }

    fn guard(&self, is_lawful: bool, unlawful: Unlawful) -> Result<(), Unlawful> {
        if is_lawful { Ok(()) } else { Err(unlawful) }
    }

    /// The opener, and who has joined. Without the opening, the joinings before one's own invitation are not here either, and who is known
    /// to have been asked is believed to have joined.
    fn takes_part(&self, member: MemberCode) -> bool {
        member == self.opener() || self.joined.contains(&member) || (!self.held && self.invited.contains(&member))
    }

    /// The operation as JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let messages: Vec<Json> = self.messages.iter().map(Message::to_json).collect();
        let timeline: Vec<Json> = self.timeline.iter().map(Entry::to_json).collect();
        json!({
            "operation": self.id,
            "name": self.name,
            "state": if self.closed_by.is_some() { "CLOSED" } else { "OPEN" },
            "opened_by": self.opener(),
            "opening_held": self.held,
            "period": self.period,
            "substances": self.substances,
            "templates": self.templates,
            "invited": self.invited,
            "joined": self.joined,
            "closed_by": self.closed_by,
            "messages": messages,
            "timeline": timeline,
        })
    }
}

impl Message {
    fn to_json(&self) -> Json {
        json!({ "id": self.id, "from": self.id.log.member, "issued_at": self.issued_at, "message": self.text })
    }
}

impl Entry {
    fn to_json(&self) -> Json {
        let mut entry = json!({ "id": self.id, "kind": self.kind.name(), "issued_at": self.issued_at });
        if let Some(reason) = self.unlawful {
            entry["illegal"] = json!(reason.to_string());
        }
        entry
    }
}

/// Shows no content: what sealed records say must not reach a log through a debug print.
macro_rules! only_id {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.id).finish_non_exhaustive()
            }
        }
    )*};
}

only_id!(Operation, Message, Entry);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Context, Strictness};

    type Records = Vec<(RecordId, PartialRecord)>;

    const OPENING: &str = r#"{"kind": "J01", "members": ["TR", "MZ"], "operation_name": "Sample Harvest",
        "period": {"earliest": "2013-10-01", "latest": "2013-10-14"}, "substances": ["ammonium-nitrate"]}"#;

    fn id(text: &str) -> RecordId {
        text.parse().expect("an id")
    }

    fn member(text: &str) -> MemberCode {
        text.parse().expect("a member")
    }

    fn record(name: &str, at: i64, text: &str) -> (RecordId, PartialRecord) {
        let draft: Draft = serde_json::from_str(text).expect("a draft");
        let now = UnixTime::from_seconds(1_379_900_000 + at).expect("in range");
        let author = Some(id(name).log.member);
        let context = Context { strictness: Strictness::Own, author, now, foreign_exports: false };
        (id(name), PartialRecord::from(&draft.check(&context).expect("a sound draft").record))
    }

    fn said(name: &str, at: i64, kind: &str, more: &str) -> (RecordId, PartialRecord) {
        record(name, at, &format!(r#"{{"kind": "{kind}", "to": ["GE", "TR", "MZ"], "operation": "GE-1" {more}}}"#))
    }

    fn joining(name: &str, at: i64) -> (RecordId, PartialRecord) {
        said(name, at, "J04", "")
    }

    fn message(name: &str, at: i64, text: &str) -> (RecordId, PartialRecord) {
        said(name, at, "J03", &format!(r#", "message": "{text}""#))
    }

    fn invitation(name: &str, at: i64, who: &str) -> (RecordId, PartialRecord) {
        let more = format!(r#", "members": ["{who}"], "operation_name": "Sample Harvest""#);
        record(name, at, &format!(r#"{{"kind": "J02", "to": ["TR", "MZ"], "operation": "GE-1" {more}}}"#))
    }

    fn life() -> Records {
        vec![
            record("GE-1", 0, OPENING),
            joining("TR-1", 10),
            message("TR-2", 20, "We look at Samsun."),
            invitation("TR-3", 30, "LB"),
            joining("LB-1", 40),
            message("GE-2", 50, "Two trucks left Poti."),
            message("LB-2", 60, "None came to Beirut."),
            said("GE-3", 70, "J05", ""),
        ]
    }

    fn one(records: Records) -> Operation {
        let mut all = operations(records);
        let operation = all.remove(&id("GE-1")).expect("the operation");
        assert!(all.is_empty(), "{all:?}");
        operation
    }

    fn unlawful(operation: &Operation) -> Vec<(String, Unlawful)> {
        operation.timeline.iter().filter_map(|entry| Some((entry.id.to_string(), entry.unlawful?))).collect()
    }

    fn spoken(operation: &Operation) -> Vec<String> {
        operation.messages.iter().map(|message| message.id.to_string()).collect()
    }

    #[test]
    fn an_operation_is_opened_joined_spoken_in_and_closed() {
        let operation = one(life());
        assert_eq!(unlawful(&operation), []);
        assert_eq!(operation.opener(), member("GE"));
        assert_eq!(operation.invited, ["LB", "MZ", "TR"].map(member).into());
        assert_eq!(operation.joined, ["LB", "TR"].map(member).into());
        assert_eq!(operation.circle().len(), 4);
        assert_eq!(spoken(&operation), ["TR-2", "GE-2", "LB-2"]);
        assert_eq!(operation.closed_by, Some(id("GE-3")));
        let json = operation.to_json();
        assert_eq!((&json["state"], &json["name"]), (&json!("CLOSED"), &json!("Sample Harvest")));
        assert_eq!(json["messages"][1]["message"], "Two trucks left Poti.");
    }

    #[test]
    fn what_follows_the_closing_is_kept_and_changes_nothing() {
        let before = one(life());
        let late = [
            message("TR-4", 80, "One more."),
            joining("MZ-1", 81),
            invitation("GE-4", 82, "AM"),
            said("GE-5", 83, "J05", ""),
        ];
        let operation = one(life().into_iter().chain(late).collect());
        let expected = ["TR-4", "MZ-1", "GE-4", "GE-5"].map(|name| (name.to_owned(), Unlawful::AfterClosing));
        assert_eq!(unlawful(&operation), expected);
        assert_eq!(
            (&operation.messages, &operation.joined, &operation.invited),
            (&before.messages, &before.joined, &before.invited)
        );
        assert_eq!(operation.closed_by, before.closed_by);
    }

    #[test]
    fn each_step_has_those_who_may_take_it() {
        let operation = one(vec![
            record("GE-1", 0, OPENING),
            message("TR-1", 10, "Asked, and not joined."),
            message("AM-1", 11, "Not asked."),
            joining("AM-2", 12),
            invitation("TR-2", 13, "AM"),
            joining("TR-3", 14),
            said("TR-4", 15, "J05", ""),
            message("TR-5", 16, "Joined."),
        ]);
        let expected = [
            ("TR-1", Unlawful::NotTakingPart),
            ("AM-1", Unlawful::NotTakingPart),
            ("AM-2", Unlawful::NotInvited),
            ("TR-2", Unlawful::NotTakingPart),
            ("TR-4", Unlawful::NotTheOpener),
        ];
        assert_eq!(unlawful(&operation), expected.map(|(name, why)| (name.to_owned(), why)));
        assert_eq!((spoken(&operation), operation.closed_by), (vec!["TR-5".to_owned()], None));
    }

    #[test]
    fn who_was_asked_later_knows_the_operation_from_the_invitation() {
        let seen = ["TR-3", "LB-1", "GE-2", "LB-2", "GE-3"].map(id);
        let operation = one(life().into_iter().filter(|(id, _)| seen.contains(id)).collect());
        assert!(!operation.held);
        assert_eq!((operation.name.as_deref(), unlawful(&operation)), (Some("Sample Harvest"), vec![]));
        assert_eq!(operation.circle(), ["GE", "LB", "MZ", "TR"].map(member).into());
        assert_eq!(
            (spoken(&operation), operation.closed_by),
            (vec!["GE-2".to_owned(), "LB-2".to_owned()], Some(id("GE-3")))
        );
    }

    #[test]
    fn a_record_that_opens_nothing_is_no_operation() {
        let records = vec![record("GE-1", 0, OPENING), joining("TR-1", 10), {
            record("TR-2", 20, r#"{"kind": "J03", "to": ["GE"], "operation": "TR-1", "message": "Here?"}"#)
        }];
        let all = operations(records);
        assert_eq!(unlawful(&all[&id("TR-1")]), [("TR-2".to_owned(), Unlawful::NoOperation)]);
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn a_closing_comes_before_what_was_issued_at_the_same_second_by_a_lower_log() {
        // Neither names the other: the time decides, then the id.
        let records = vec![
            record("GE-1", 0, OPENING),
            joining("TR-1", 10),
            said("GE-2", 20, "J05", ""),
            message("TR-2", 20, "Late?"),
        ];
        assert_eq!(unlawful(&one(records)), [("TR-2".to_owned(), Unlawful::AfterClosing)]);
    }

    /// One of many steps by one of four members; the position in the log is given out afterwards.
    fn step() -> impl Strategy<Value = (usize, usize, i64, bool)> {
        (0_usize..4, 0_usize..4, 0_i64..100, any::<bool>())
    }

    fn built(steps: &[(usize, usize, i64, bool)]) -> Records {
        let members = ["AM", "GE", "MZ", "TR"];
        let mut next = BTreeMap::from([("AM", 1), ("GE", 2), ("MZ", 1), ("TR", 1)]);
        let mut records = vec![record("GE-1", 0, OPENING)];
        for (who, what, at, names) in steps {
            let position = next.get_mut(members[*who]).expect("a member");
            let name = format!("{}-{position}", members[*who]);
            *position += 1;
            let parents = records
                .last()
                .filter(|_| *names)
                .map_or_else(String::new, |(id, _)| format!(r#", "parents": ["{id}"]"#));
            records.push(match what {
                0 => said(&name, *at, "J04", &parents),
                1 => said(&name, *at, "J03", &format!(r#", "message": "m"{parents}"#)),
                2 => said(&name, *at, "J02", &format!(r#", "members": ["AM"]{parents}"#)),
                _ => said(&name, *at, "J05", &parents),
            });
        }
        records
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_order_of_arrival_does_not_matter(steps in proptest::collection::vec(step(), 0..24), seed in any::<u64>()) {
            let records = built(&steps);
            let mut shuffled = records.clone();
            let mut state = seed | 1;
            for at in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                shuffled.swap(at, usize::try_from(state >> 33).expect("31 bits") % (at + 1));
            }
            prop_assert_eq!(operations(records), operations(shuffled));
        }

        #[test]
        fn nothing_lawful_is_said_by_a_stranger_or_after_the_closing(steps in proptest::collection::vec(step(), 0..24)) {
            let operation = one(built(&steps));
            prop_assert!(operation.joined.is_subset(&operation.invited));
            let closed = operation.timeline.iter().position(|entry| Some(entry.id) == operation.closed_by);
            for (at, entry) in operation.timeline.iter().enumerate() {
                let by = entry.id.log.member;
                if entry.unlawful.is_none() {
                    prop_assert!(closed.is_none_or(|closed| at <= closed), "{} after the closing", entry.id);
                    prop_assert!(operation.circle().contains(&by), "{} is of a stranger", entry.id);
                }
            }
            prop_assert_eq!(operation.timeline.len(), steps.len() + 1, "every record is kept");
            let messages = operation.timeline.iter().filter(|entry| entry.kind == Kind::OperationMessage && entry.unlawful.is_none());
            prop_assert_eq!(messages.count(), operation.messages.len());
        }
    }
}

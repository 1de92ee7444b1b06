//! What one version of a charter changes against another, in words for those who are to sign it.

use std::fmt;

use super::{Charter, Member, MemberKind, MemberStatus, Quorum};
use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::identity::key::PublicKey;

/// One thing that a new version changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A member leaves for good.
    Removed {
        /// Which.
        member: MemberCode,
    },
    /// A member is suspended.
    Suspended {
        /// Which.
        member: MemberCode,
    },
    /// A member gets another root.
    Root {
        /// Which.
        member: MemberCode,
        /// The root until now.
        was: PublicKey,
        /// The root from now on.
        is: PublicKey,
        /// The digest of the root that will follow that.
        next: Digest,
    },
    /// A member's next root is another, and its root is not: never allowed.
    NextRoot {
        /// Which.
        member: MemberCode,
    },
    /// How many must sign.
    Quorum {
        /// The rule until now, and how many countries it asks for today.
        was: (Quorum, u64),
        /// The rule from now on, and how many countries it will ask for.
        is: (Quorum, u64),
        /// How many active countries there will be.
        countries: u64,
    },
    /// A new member.
    Admitted {
        /// Which.
        member: MemberCode,
        /// Its name.
        name: String,
        /// What it is.
        kind: MemberKind,
        /// Its root.
        root: PublicKey,
    },
    /// A suspended member takes part again.
    Readmitted {
        /// Which.
        member: MemberCode,
    },
    /// An entry that is not there any more, or came back after a removal, or changed its kind: never allowed.
    Forbidden {
        /// Which.
        member: MemberCode,
    },
    /// Whether a member may keep other members' bodies.
    Custodian {
        /// Which.
        member: MemberCode,
        /// From now on.
        is: bool,
    },
    /// A member's own quota.
    Quota {
        /// Which.
        member: MemberCode,
        /// Until now, if it had one.
        was: Option<u64>,
        /// From now on, if it has one.
        is: Option<u64>,
    },
    /// A limit that holds for all.
    Parameter {
        /// Which, in words.
        name: &'static str,
        /// Until now.
        was: u64,
        /// From now on.
        is: u64,
    },
    /// A member's name, or with no member that of the federation.
    Name {
        /// Which.
        member: Option<MemberCode>,
        /// Until now.
        was: String,
        /// From now on.
        is: String,
    },
}

/// How much a change asks of those who sign it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Takes a voice or a key away, or makes it easier to do so.
    Grave,
    /// Gives a voice.
    Weighty,
    /// Limits and names.
    Light,
}

/// What `after` changes against `before`, the gravest first.
#[must_use]
pub fn changes(before: &Charter, after: &Charter) -> Vec<Change> {
    let mut changes = Vec::new();
    for (code, is) in after.members() {
        match before.member(*code) {
            Some(was) => of_member(*code, was, is, &mut changes),
            None => {
                changes.push(Change::Admitted { member: *code, name: is.name.clone(), kind: is.kind, root: is.root })
            }
        }
    }
    let missing = before.members().keys().filter(|code| after.member(**code).is_none());
    changes.extend(missing.map(|code| Change::Forbidden { member: *code }));
    let needed = |charter: &Charter| charter.quorum().needed(charter.active_countries().count() as u64);
    if before.quorum() != after.quorum() || needed(before) != needed(after) {
        changes.push(Change::Quorum {
            was: (before.quorum(), needed(before)),
            is: (after.quorum(), needed(after)),
            countries: after.active_countries().count() as u64,
        });
    }
    let (was, is) = (before.parameters(), after.parameters());
    let parameters = [
        ("bytes in a statement", was.statement_bytes_max, is.statement_bytes_max),
        ("bytes in a body", was.body_bytes_max, is.body_bytes_max),
        ("tags in a statement", was.tags_max, is.tags_max),
        ("logs of a member", was.logs_per_member, is.logs_per_member),
        ("statements of a member per day", was.statements_per_day, is.statements_per_day),
        ("seconds in an epoch", was.epoch_seconds, is.epoch_seconds),
    ];
    let changed = parameters.into_iter().filter(|(_, was, is)| was != is);
    changes.extend(changed.map(|(name, was, is)| Change::Parameter { name, was, is }));
    if before.name() != after.name() {
        changes.push(Change::Name { member: None, was: before.name().to_owned(), is: after.name().to_owned() });
    }
    changes.sort_by_key(Change::weight);
    changes
}

fn of_member(member: MemberCode, was: &Member, is: &Member, changes: &mut Vec<Change>) {
    if was.kind != is.kind {
        changes.push(Change::Forbidden { member });
    }
    match (was.status, is.status) {
        (MemberStatus::Removed, MemberStatus::Active | MemberStatus::Suspended) => {
            changes.push(Change::Forbidden { member });
        }
        (MemberStatus::Active | MemberStatus::Suspended, MemberStatus::Removed) => {
            changes.push(Change::Removed { member });
        }
        (MemberStatus::Active, MemberStatus::Suspended) => changes.push(Change::Suspended { member }),
        (MemberStatus::Suspended, MemberStatus::Active) => changes.push(Change::Readmitted { member }),
        (MemberStatus::Active, MemberStatus::Active)
        | (MemberStatus::Suspended, MemberStatus::Suspended)
        | (MemberStatus::Removed, MemberStatus::Removed) => {}
    }
    if was.root != is.root {
        changes.push(Change::Root { member, was: was.root, is: is.root, next: is.next_root });
    } else if was.next_root != is.next_root {
        changes.push(Change::NextRoot { member });
    }
    if was.custodian != is.custodian {
        changes.push(Change::Custodian { member, is: is.custodian });
    }
    if was.statements_per_day != is.statements_per_day {
        changes.push(Change::Quota { member, was: was.statements_per_day, is: is.statements_per_day });
    }
    if was.name != is.name {
        changes.push(Change::Name { member: Some(member), was: was.name.clone(), is: is.name.clone() });
    }
}

impl Change {
    /// How much it asks of those who sign it.
    #[must_use]
    pub fn weight(&self) -> Weight {
        match self {
            Self::Removed { .. }
            | Self::Suspended { .. }
            | Self::Root { .. }
            | Self::NextRoot { .. }
            | Self::Forbidden { .. } => Weight::Grave,
            Self::Quorum { was: (was, _), is: (is, _), .. } => {
                // Fewer of a hundred than before.
                let lower = is.numerator * was.denominator < was.numerator * is.denominator;
                if lower { Weight::Grave } else { Weight::Weighty }
            }
            Self::Admitted { .. } | Self::Readmitted { .. } => Weight::Weighty,
            Self::Custodian { .. } | Self::Quota { .. } | Self::Parameter { .. } | Self::Name { .. } => Weight::Light,
        }
    }

    /// Its word for machines.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Removed { .. } => "removed",
            Self::Suspended { .. } => "suspended",
            Self::Root { .. } => "root",
            Self::NextRoot { .. } => "next-root",
            Self::Quorum { .. } => "quorum",
            Self::Admitted { .. } => "admitted",
            Self::Readmitted { .. } => "readmitted",
            Self::Forbidden { .. } => "forbidden",
            Self::Custodian { .. } => "custodian",
            Self::Quota { .. } => "quota",
            Self::Parameter { .. } => "parameter",
            Self::Name { .. } => "name",
        }
    }

    /// Whose entry it is about; `None` for what holds for all.
    #[must_use]
    pub fn member(&self) -> Option<MemberCode> {
        match self {
            Self::Removed { member }
            | Self::Suspended { member }
            | Self::Root { member, .. }
            | Self::NextRoot { member }
            | Self::Admitted { member, .. }
            | Self::Readmitted { member }
            | Self::Forbidden { member }
            | Self::Custodian { member, .. }
            | Self::Quota { member, .. } => Some(*member),
            Self::Name { member, .. } => *member,
            Self::Quorum { .. } | Self::Parameter { .. } => None,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed { member } => write!(
                f,
                "{member} is removed for good: cut off, without a vote; its history stands, its code is never used again"
            ),
            Self::Suspended { member } => {
                write!(
                    f,
                    "{member} is suspended: cut off and without a vote until it is readmitted; its history stands"
                )
            }
            Self::Root { member, was, is, next } => write!(
                f,
                "the root of {member} changes from {} to {}, which was announced; its next root is announced as {}",
                start(&was.digest()),
                start(&is.digest()),
                start(next)
            ),
            Self::NextRoot { member } => {
                write!(f, "the next root of {member} changes without its root: no node takes such a charter up")
            }
            Self::Quorum { was: (was, needed_before), is: (is, needed_now), countries } => {
                if was != is {
                    let (now, before) = (is, was);
                    write!(
                        f,
                        "the quorum is more than {} of {} of the countries instead of more than {} of {}; ",
                        now.numerator, now.denominator, before.numerator, before.denominator
                    )?;
                }
                write!(
                    f,
                    "the next version will need {needed_now} of {countries} countries; until now {needed_before} were needed"
                )
            }
            Self::Admitted { member, name, kind, root } => {
                let (kind, root) = (kind.as_str(), start(&root.digest()));
                write!(
                    f,
                    "{member}, {name}, is admitted as a new {kind} with root {root}: compare it with {member} by telephone"
                )
            }
            Self::Readmitted { member } => write!(f, "{member} is readmitted: it connects and votes again"),
            Self::Forbidden { member } => {
                write!(f, "the entry of {member} is gone, back, or of another kind: no node takes such a charter up")
            }
            Self::Custodian { member, is: true } => write!(f, "{member} may keep other members' bodies for them"),
            Self::Custodian { member, is: false } => write!(f, "{member} may not keep other members' bodies any more"),
            Self::Quota { member, was, is } => {
                let told = |quota: &Option<u64>| quota.map_or("as for all".to_owned(), |count| count.to_string());
                write!(f, "{member} may log per day: {} instead of {}", told(is), told(was))
            }
            Self::Parameter { name, was, is } => write!(f, "{name}: at most {is} instead of {was}"),
            Self::Name { member: Some(member), was, is } => write!(f, "{member} is named {is:?} instead of {was:?}"),
            Self::Name { member: None, was, is } => write!(f, "the federation is named {is:?} instead of {was:?}"),
        }
    }
}

/// The first 16 bytes, in groups that can be read aloud.
fn start(digest: &Digest) -> String {
    let text = digest.to_string();
    (0..32).step_by(4).filter_map(|at| text.get(at..at + 4)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::charter::CharterDraft;
    use crate::identity::fixture::{at, charter, code, key, member};

    fn told(change: impl FnOnce(&mut CharterDraft)) -> Vec<&'static str> {
        let before = charter(&["GE", "MZ", "TR", "W1"]).check().unwrap();
        let mut draft = before.next_draft(at(10));
        change(&mut draft);
        changes(&before, &draft.check().unwrap()).iter().map(Change::word).collect()
    }

    #[test]
    fn nothing_is_told_of_a_version_that_changes_nothing() {
        assert_eq!(told(|_| {}), Vec::<&str>::new());
    }

    #[test]
    fn the_gravest_comes_first() {
        let all = told(|draft| {
            draft.name = "Another".to_owned();
            draft.parameters.tags_max = 64;
            draft.members.insert(code("LB"), member("LB"));
            draft.members.get_mut(&code("TR")).unwrap().status = MemberStatus::Removed;
            draft.members.get_mut(&code("MZ")).unwrap().custodian = true;
            draft.members.get_mut(&code("W1")).unwrap().statements_per_day = Some(5);
            let root = &mut draft.members.get_mut(&code("GE")).unwrap();
            (root.root, root.next_root) = (key("GE", "next").public(), key("GE", "after").public().digest());
            draft.quorum = Quorum { numerator: 1, denominator: 2 };
        });
        assert_eq!(
            all,
            ["root", "removed", "quorum", "admitted", "custodian", "quota", "parameter", "name"],
            "a lower quorum is grave"
        );
    }

    #[test]
    fn a_higher_quorum_is_no_danger_and_a_key_announced_by_others_is() {
        assert_eq!(told(|draft| draft.quorum = Quorum { numerator: 3, denominator: 4 }), ["quorum"]);
        let next = told(|draft| {
            draft.members.get_mut(&code("TR")).unwrap().next_root = key("GE", "own").public().digest();
        });
        assert_eq!(next, ["next-root"]);
        // One country less: the same rule asks for fewer.
        let suspended = told(|draft| draft.members.get_mut(&code("TR")).unwrap().status = MemberStatus::Suspended);
        assert_eq!(suspended, ["suspended", "quorum"]);
    }

    #[test]
    fn only_a_lower_quorum_is_grave() {
        let two_thirds = Quorum { numerator: 2, denominator: 3 };
        for (is, weight) in [((1, 2), Weight::Grave), ((3, 5), Weight::Grave), ((3, 4), Weight::Weighty)] {
            let is = Quorum { numerator: is.0, denominator: is.1 };
            let changed = |was, is| Change::Quorum { was: (was, 3), is: (is, 3), countries: 4 }.weight();
            assert_eq!(changed(two_thirds, is), weight, "{is:?}");
            assert_eq!(changed(two_thirds, two_thirds), Weight::Weighty, "the same rule for more countries");
            assert_eq!(changed(is, two_thirds) == Weight::Grave, weight != Weight::Grave, "back again");
        }
    }

    #[test]
    fn who_signs_is_told_whose_entry_changes_and_from_what_to_what() {
        let before = charter(&["GE", "MZ", "TR"]).check().unwrap();
        let mut draft = before.next_draft(at(10));
        let entry = draft.members.get_mut(&code("GE")).unwrap();
        (entry.root, entry.next_root) = (key("GE", "next").public(), key("GE", "after").public().digest());
        draft.members.insert(code("LB"), member("LB"));
        draft.quorum = Quorum { numerator: 3, denominator: 4 };
        draft.parameters.tags_max = 64;
        let found = changes(&before, &draft.check().unwrap());
        let of: Vec<Option<MemberCode>> = found.iter().map(Change::member).collect();
        assert_eq!(of, [Some(code("GE")), Some(code("LB")), None, None]);
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        // A fingerprint as it is read aloud: the first 16 bytes, four digits at a time.
        let aloud = |digest: Digest| {
            let digits: Vec<char> = digest.to_string().chars().take(32).collect();
            digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
        };
        let roots = ["root", "next"].map(|root| aloud(key("GE", root).public().digest()));
        let next = aloud(key("GE", "after").public().digest());
        assert_eq!(
            texts[0],
            format!(
                "the root of GE changes from {} to {}, which was announced; its next root is announced as {next}",
                roots[0], roots[1]
            )
        );
        assert_eq!(
            texts[2],
            "the quorum is more than 3 of 4 of the countries instead of more than 2 of 3; the next version will need 4 of 4 countries; until now 3 were needed"
        );
        assert!(texts[1].contains(&format!("with root {}:", aloud(member("LB").root.digest()))), "{}", texts[1]);
        let same = Quorum { numerator: 2, denominator: 3 };
        let grown = Change::Quorum { was: (same, 3), is: (same, 4), countries: 5 }.to_string();
        assert_eq!(grown, "the next version will need 4 of 5 countries; until now 3 were needed");
    }
}

//! Who somebody is, as far as a machine can tell: numbers of users, and the system's own list of their names.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;

use serde::{Deserialize, Serialize};

use crate::node::ask::Caller;
use crate::node::config::{Approvals, UserName};

/// The lists of the system are some kilobytes long; more is not read.
const LIST_MAX: u64 = 4 << 20;

/// A person, by the users that the kernel names: whoever shares one of the numbers may be the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    /// The user it is taken for: who logged in, or, where the kernel does not know that, the user of the process.
    pub(super) uid: u32,
    /// The user of the process, if that is another, and not one under which several work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) also: Option<u32>,
}

/// The system's lists of users and groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    users: String,
    groups: String,
}

impl Person {
    /// Who asks; `None` where the kernel told nothing. `own` is the user of the node, under which several may work, as under root.
    pub(super) fn of(by: Caller, own: u32) -> Option<Self> {
        let uid = by.uid?;
        let Some(login) = by.login_uid else { return Some(Self { uid, also: None }) };
        let shared = uid == own || uid == 0;
        Some(Self { uid: login, also: Some(uid).filter(|uid| !shared && *uid != login) })
    }

    /// Whether both may be one person.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        self.numbers().any(|number| other.numbers().any(|others| others == number))
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        [Some(self.uid), self.also].into_iter().flatten()
    }
}

impl Directory {
    /// As the machine has them now; empty where there are none.
    pub(super) fn read() -> Self {
        let read = |path: &str| {
            let mut text = String::new();
            // A machine without a list has numbers alone.
            File::open(path).and_then(|file| file.take(LIST_MAX).read_to_string(&mut text)).map(|_| text)
        };
        Self { users: read("/etc/passwd").unwrap_or_default(), groups: read("/etc/group").unwrap_or_default() }
    }

    /// A list of users, in the form of the system.
    #[cfg(test)]
    pub(super) fn of(users: &str) -> Self {
        Self { users: users.to_owned(), groups: String::new() }
    }

    /// The name of a user, or the number.
    pub(super) fn name(&self, uid: u32) -> String {
        let user = self.users().find(|user| user.uid == uid);
        user.map_or_else(|| uid.to_string(), |user| user.name.to_owned())
    }

    /// Whether this person may agree.
    pub(super) fn may(&self, person: &Person, approvals: &Approvals) -> bool {
        self.approvers(approvals).contains(&person.uid)
    }

    /// All who may agree, by number. A name that the system does not know is nobody's.
    pub(super) fn approvers(&self, approvals: &Approvals) -> BTreeSet<u32> {
        let number = |name: &str| self.users().find(|user| user.name == name).map(|user| user.uid);
        let listed = approvals.users.iter().filter_map(|user| match user {
            UserName::Name(name) => number(name),
            UserName::Number(uid) => Some(*uid),
        });
        let mut all: BTreeSet<u32> = listed.collect();
        if let Some((gid, members)) = approvals.group.as_deref().and_then(|name| self.group(name)) {
            all.extend(members.split(',').filter_map(|name| number(name.trim())));
            all.extend(self.users().filter(|user| user.gid == gid).map(|user| user.uid));
        }
        all
    }

    fn users(&self) -> impl Iterator<Item = User<'_>> {
        self.users.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, uid) = (fields.next()?, fields.nth(1)?.parse().ok()?);
            Some(User { name, uid, gid: fields.next()?.parse().ok()? })
        })
    }

    fn group(&self, wanted: &str) -> Option<(u32, &str)> {
        self.groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let gid = fields.nth(1)?.parse().ok()?;
            (name == wanted).then(|| (gid, fields.next().unwrap_or_default()))
        })
    }
}

struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
}

/// The number of a user of the system, and of the group that is first of all the user's.
#[must_use]
pub fn user_numbers(name: &str) -> Option<(u32, u32)> {
    Directory::read().users().find(|user| user.name == name).map(|user| (user.uid, user.gid))
}

/// The number of a group of the system.
#[must_use]
pub fn group_number(name: &str) -> Option<u32> {
    Directory::read().group(name).map(|(gid, _)| gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 990;

    fn caller(uid: u32, login_uid: Option<u32>) -> Caller {
        Caller { uid: Some(uid), login_uid, pid: Some(1) }
    }

    fn person(uid: u32, login_uid: Option<u32>) -> Person {
        Person::of(caller(uid, login_uid), OWN).unwrap()
    }

    #[test]
    fn whoever_shares_a_number_may_be_the_same_person() {
        let anna = person(1001, Some(1001));
        assert!(anna.may_be(&person(1001, None)) && anna.may_be(&person(OWN, Some(1001))));
        assert!(anna.may_be(&person(0, Some(1001))), "root is whoever logged in");
        assert!(!anna.may_be(&person(1002, Some(1002))) && !anna.may_be(&person(OWN, Some(1002))));
        // Anna who became Ben is both: neither can complete what the other began.
        let both = person(1002, Some(1001));
        assert!(both.may_be(&anna) && both.may_be(&person(1002, Some(1002))));
        // Where nobody tells who logged in, the user of the node is one person however often it comes.
        assert!(person(OWN, None).may_be(&person(OWN, None)) && person(0, None).may_be(&person(0, None)));
        assert_eq!(Person::of(Caller::default(), OWN), None);
    }

    #[test]
    fn names_and_groups_are_those_of_the_system() {
        let directory = Directory {
            users: "root:x:0:0:root:/root:/bin/sh\nanna:x:1001:100::/:/bin/sh\nben:x:1002:200::/:/bin/sh\nbad line\nchris:x:1003:100::/:"
                .to_owned(),
            groups: "wheel:x:10:\nsigners:x:200:anna, nobody-knows\nempty:x:300".to_owned(),
        };
        assert_eq!((directory.name(1001), directory.name(7)), ("anna".to_owned(), "7".to_owned()));
        let numbers = |users: &[&str], group: Option<&str>| {
            let users = users.iter().map(|user| user.parse().unwrap()).collect();
            let approvals = Approvals { users, group: group.map(str::to_owned), ..Approvals::default() };
            directory.approvers(&approvals).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(numbers(&["chris", "4711", "unknown"], None), [1003, 4711]);
        // Ben's first group is that group.
        assert_eq!(numbers(&[], Some("signers")), [1001, 1002]);
        assert!(numbers(&[], Some("empty")).is_empty() && numbers(&[], Some("no-group")).is_empty());
    }
}

//! What needs a second person, and who that may be.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::str::FromStr;

use super::layers::Layers;

/// A desk, not a ministry.
const USERS_MAX: usize = 100;

/// What needs a second person. By default nothing does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvals {
    /// Whether a charter, a manifest or the closing of a log is published only so.
    pub charters: bool,
    /// Whether records are logged only so.
    pub records: bool,
    /// Whether a member is kept away only so.
    pub bans: bool,
    /// Whether bodies are erased only so, and holds released.
    pub erasures: bool,
    /// Who may agree, one by one.
    pub users: BTreeSet<UserName>,
    /// The group whose members may agree.
    pub group: Option<String>,
    /// How many persons it takes, the one who asks included; two at least.
    pub persons: u32,
    /// After how many days it is dropped.
    pub days: u32,
}

/// A user of the system, by name or by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserName {
    /// By the name in the system's list of users.
    Name(String),
    /// By the number.
    Number(u32),
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            charters: false,
            records: false,
            bans: false,
            erasures: false,
            users: BTreeSet::new(),
            group: None,
            persons: 2,
            days: 7,
        }
    }
}

impl FromStr for UserName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number))
    }
}

impl Approvals {
    /// Whether anything needs a second person.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.charters || self.records || self.bans || self.erasures
    }

    /// What is in force, in words for the audit log.
    #[must_use]
    pub fn text(&self) -> String {
        if !self.is_on() {
            return "nothing needs a second person".to_owned();
        }
        let what =
            [(self.charters, "charters"), (self.records, "records"), (self.bans, "bans"), (self.erasures, "erasures")];
        let what = what.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect::<Vec<_>>().join(", ");
        let users = self.users.iter().map(|user| match user {
            UserName::Name(name) => name.clone(),
            UserName::Number(number) => number.to_string(),
        });
        let group = self.group.iter().map(|group| format!("group {group}"));
        let who = users.chain(group).collect::<Vec<_>>().join(" ");
        format!("{what} need {} persons, of {who}, within {} days", self.persons, self.days)
    }
}

pub(super) fn check(layers: &mut Layers<'_>) -> Option<Approvals> {
    let charters = layers.bool("approvals.charters");
    let records = layers.bool("approvals.records");
    let bans = layers.bool("approvals.bans");
    let erasures = layers.bool("approvals.erasures");
    let users = layers.parsed_list::<UserName>("approvals.users");
    let group = layers.text("approvals.group");
    let persons = layers.number("approvals.persons");
    let days = layers.number("approvals.days");
    let approvals = Approvals {
        charters: charters?,
        records: records?,
        bans: bans?,
        erasures: erasures?,
        users: users?.into_iter().collect(),
        group,
        persons: persons?,
        days: days?,
    };
    let Approvals { users, group, persons, .. } = &approvals;
    if users.len() > USERS_MAX {
        layers.fault("approvals.users", format!("has at most {USERS_MAX} users; name a group"));
    }
    // Who asks need not be one of them.
    let enough = group.is_some() || users.len() as u64 >= u64::from(*persons) - 1;
    if approvals.is_on() && !enough {
        let option = match (approvals.charters, approvals.records, approvals.bans) {
            (true, ..) => "approvals.charters",
            (false, true, _) => "approvals.records",
            (false, false, true) => "approvals.bans",
            (false, false, false) => "approvals.erasures",
        };
        let few = "needs `approvals.users` or `approvals.group`: too few could agree";
        layers.fault(option, few.to_owned());
    }
    Some(approvals)
}

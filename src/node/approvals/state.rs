//! What waits and what became of it, as plain data: no file, clock, or list of users. Each step gives what is to be kept, and counts once it was put in.
//!
//! ```text
//! ask ─▶ waiting ─agree─▶ waiting ─agree─▶ running ─▶ done | failed | unknown
//!            └─ reject ─▶ rejected | withdrawn      └─ expire ─▶ expired
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::person::Person;
use crate::encoding::hash::Digest;
use crate::encoding::time::UnixTime;

/// Requests that may wait at a time: more than a desk decides in a week.
pub(super) const WAITING_MAX: usize = 64;
/// Requests of one person that may wait, so that nobody keeps the others out.
pub(super) const WAITING_OF_ONE_MAX: usize = 24;
/// Bytes of all requests that wait: several charter files, or a large import.
pub(super) const WAITING_BYTES_MAX: u64 = 64 << 20;
/// What was decided is remembered so often; the audit log has all of it.
pub(super) const CLOSED_MAX: usize = 500;
/// Bytes of a reason.
pub(super) const REASON_MAX: usize = 1_000;

/// Something that needs a second person, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    /// In the order in which they were asked; the first is 1.
    pub(super) number: u64,
    /// SHA-256 of exactly what is asked.
    pub(super) digest: Digest,
    /// The word of the audit log for it.
    pub(super) act: String,
    /// What it is, in words that hold nothing of a record.
    pub(super) about: String,
    /// How long what is asked is, in bytes.
    pub(super) bytes: u64,
    /// Who asks, and when.
    pub(super) asked: Word,
    /// When it is dropped.
    pub(super) until: UnixTime,
    /// Who has agreed, in that order.
    pub(super) agreed: Vec<Word>,
    /// Where it stands.
    pub(super) stands: Stands,
}

/// What somebody has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Word {
    /// Who.
    pub(super) by: Person,
    /// The name that the system had for that user then.
    pub(super) name: String,
    /// When.
    pub(super) at: UnixTime,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stands {
    /// For somebody to agree.
    Waiting,
    /// Enough have agreed, and it is being carried out.
    Running,
    /// It is over.
    Closed {
        /// How it ended.
        how: How,
        /// Who ended it; none where nobody did.
        by: Option<Word>,
        /// When.
        at: UnixTime,
        /// What came of it, or why.
        note: String,
    },
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum How {
    /// It was carried out.
    Done,
    /// It was to be carried out, and could not be.
    Failed,
    /// Somebody who might have agreed said no.
    Rejected,
    /// Who asked took it back.
    Withdrawn,
    /// Nobody agreed in time.
    Expired,
    /// The node ended while it was carried out.
    Unknown,
}

/// Who may agree, and how many persons it takes.
#[derive(Clone, Copy)]
pub(super) struct Rule<'a> {
    /// Persons, the one who asks included.
    pub(super) persons: u32,
    /// Whether this user may agree.
    pub(super) may: &'a dyn Fn(&Person) -> bool,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It waits from now on.
    New(Item),
    /// Exactly that waits already.
    Again(Item),
}

/// What came of agreeing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Agreed {
    /// Others are still needed.
    More(Item),
    /// It is to be carried out now.
    Enough(Item),
}

/// Why a step is none that may be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("nothing with the id {0} waits or is remembered")]
    Nothing(Digest),
    #[error("it is over: {}", .0.word())]
    Over(How),
    #[error("it is being carried out just now")]
    Running,
    #[error("its time is up")]
    Late,
    #[error("you have asked for it yourself; somebody else must look at it and agree")]
    Author,
    #[error("you are the same person as {0}, who has agreed already; somebody else must agree too")]
    Twice(String),
    #[error("{0} is not among those who may agree: `approvals` in the config of the node")]
    NotAmong(String),
    #[error("a reason has 1 to {REASON_MAX} bytes")]
    Reason,
    #[error("{WAITING_MAX} requests wait for a second person already; decide on some first")]
    Full,
    #[error(
        "{WAITING_OF_ONE_MAX} requests of yours wait for a second person already; withdraw some, or have them decided on"
    )]
    FullOfOne,
    #[error(
        "requests of {WAITING_BYTES_MAX} bytes together may wait for a second person, and there is no room for this one"
    )]
    FullOfBytes,
}

/// What is asked for, before it has a place.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// See [`Item::digest`].
    pub(super) digest: Digest,
    /// See [`Item::act`].
    pub(super) act: &'static str,
    /// See [`Item::about`].
    pub(super) about: String,
    /// See [`Item::bytes`].
    pub(super) bytes: u64,
    /// See [`Item::until`].
    pub(super) until: UnixTime,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    items: BTreeMap<u64, Item>,
    last: u64,
}

impl State {
    /// What was kept.
    pub(super) fn of(items: Vec<Item>) -> Self {
        let mut state = Self::default();
        items.into_iter().for_each(|item| drop(state.put(item)));
        state
    }

    /// All, in the order in which they were asked for.
    pub(super) fn items(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.items.values()
    }

    /// Those that are not over.
    pub(super) fn open(&self) -> impl Iterator<Item = &Item> {
        self.items().filter(|item| !item.is_closed())
    }

    /// The one of this number.
    pub(super) fn numbered(&self, number: u64) -> Option<&Item> {
        self.items.get(&number)
    }

    /// What is known of exactly this: the open one, else the one that was asked for last.
    pub(super) fn get(&self, digest: &Digest) -> Result<&Item, Refusal> {
        let open = self.open().find(|item| item.digest == *digest);
        open.or_else(|| self.items().rev().find(|item| item.digest == *digest)).ok_or(Refusal::Nothing(*digest))
    }

    /// Somebody asks for something that needs a second person.
    pub(super) fn ask(&self, wish: Wish, by: Word) -> Result<Asked, Refusal> {
        if let Some(item) = self.open().find(|item| item.digest == wish.digest) {
            return Ok(Asked::Again(item.clone()));
        }
        let of_one = self.open().filter(|item| item.asked.by.may_be(&by.by)).count();
        let bytes: u64 = self.open().map(|item| item.bytes).sum();
        if self.open().count() >= WAITING_MAX {
            return Err(Refusal::Full);
        } else if of_one >= WAITING_OF_ONE_MAX {
            return Err(Refusal::FullOfOne);
        } else if bytes.saturating_add(wish.bytes) > WAITING_BYTES_MAX {
            return Err(Refusal::FullOfBytes);
        }
        Ok(Asked::New(Item {
            number: self.last + 1,
            digest: wish.digest,
            act: wish.act.to_owned(),
            about: wish.about,
            bytes: wish.bytes,
            asked: by,
            until: wish.until,
            agreed: Vec::new(),
            stands: Stands::Waiting,
        }))
    }

    /// Somebody agrees to exactly this.
    pub(super) fn agree(&self, digest: &Digest, by: Word, rule: Rule<'_>) -> Result<Agreed, Refusal> {
        let mut item = self.waiting(digest)?.clone();
        if by.at >= item.until {
            return Err(Refusal::Late);
        }
        if item.asked.by.may_be(&by.by) {
            return Err(Refusal::Author);
        }
        if !(rule.may)(&by.by) {
            return Err(Refusal::NotAmong(by.name));
        }
        // The words of those who may not agree any more count no more, and stand in nobody's way.
        item.agreed.retain(|word| (rule.may)(&word.by));
        match item.agreed.iter().find(|other| other.by.may_be(&by.by)) {
            // Fewer are needed than when they agreed.
            Some(_) if item.missing(rule) == 0 => {}
            Some(other) => return Err(Refusal::Twice(other.name.clone())),
            None => item.agreed.push(by),
        }
        Ok(if item.missing(rule) == 0 {
            item.stands = Stands::Running;
            Agreed::Enough(item)
        } else {
            Agreed::More(item)
        })
    }

    /// Somebody says no, or who asked takes it back.
    pub(super) fn reject(&self, digest: &Digest, by: Word, reason: &str, rule: Rule<'_>) -> Result<Item, Refusal> {
        let mut item = self.waiting(digest)?.clone();
        let how = match item.asked.by.may_be(&by.by) {
            true => How::Withdrawn,
            false if (rule.may)(&by.by) => How::Rejected,
            false => return Err(Refusal::NotAmong(by.name)),
        };
        if reason.trim().is_empty() || reason.len() > REASON_MAX {
            return Err(Refusal::Reason);
        }
        item.stands = Stands::Closed { how, at: by.at, by: Some(by), note: reason.trim().to_owned() };
        Ok(item)
    }

    /// Those whose time is up, each as it is to be kept.
    pub(super) fn late(&self, now: UnixTime) -> Vec<Item> {
        let late = self.open().filter(|item| item.stands == Stands::Waiting && now >= item.until);
        late.map(|item| item.closed(How::Expired, now, "nobody agreed in time".to_owned())).collect()
    }

    /// Keeps a step in mind. Gives the numbers of those that are forgotten for it: the oldest that are over.
    pub(super) fn put(&mut self, item: Item) -> Vec<u64> {
        self.last = self.last.max(item.number);
        self.items.insert(item.number, item);
        let closed: Vec<u64> = self.items().filter(|item| item.is_closed()).map(|item| item.number).collect();
        let forgotten = closed[..closed.len().saturating_sub(CLOSED_MAX)].to_vec();
        forgotten.iter().for_each(|number| drop(self.items.remove(number)));
        forgotten
    }

    fn waiting(&self, digest: &Digest) -> Result<&Item, Refusal> {
        let item = self.get(digest)?;
        match &item.stands {
            Stands::Waiting => Ok(item),
            Stands::Running => Err(Refusal::Running),
            Stands::Closed { how, .. } => Err(Refusal::Over(*how)),
        }
    }
}

impl Item {
    /// Whether it is over.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.stands, Stands::Closed { .. })
    }

    /// How many persons must still agree. Who has agreed and may not any more is not counted.
    pub(super) fn missing(&self, rule: Rule<'_>) -> u32 {
        let agreed = self.agreed.iter().filter(|word| (rule.may)(&word.by)).count();
        // Who asks is one of them, and is never enough.
        rule.persons.max(2).saturating_sub(1).saturating_sub(u32::try_from(agreed).unwrap_or(u32::MAX))
    }

    /// The same, and it is over.
    pub(super) fn closed(&self, how: How, at: UnixTime, note: String) -> Self {
        Self { stands: Stands::Closed { how, by: None, at, note }, ..self.clone() }
    }
}

impl How {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }
}

//! Which consignment a record is about, by what the records name; it does not depend on the order in which they came.
//!
//! A notification is about itself, and so is an arrival of which nobody said that it was coming. Any other record is about the consignment that it names; without a name, about that of the record
//! which it answers. An acknowledgement is about as many as it acknowledges. One more record costs as much as it brings along, whatever is
//! held already.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::RecordId;
use crate::record::{Draft, Kind};

/// What a record names.
#[derive(Clone, PartialEq, Eq)]
enum Names {
    /// Nothing: it opens a consignment.
    Itself,
    /// A consignment, a record that it answers, or both.
    Others { consignment: Option<RecordId>, answers: Option<RecordId> },
    /// Records whose arrival it acknowledges.
    Acknowledged(Vec<RecordId>),
}

struct Member {
    names: Names,
    /// The consignment that it is about; none for an acknowledgement, and while that is not known.
    home: Option<RecordId>,
}

/// The records of every consignment.
#[derive(Default)]
pub(super) struct Membership {
    members: BTreeMap<RecordId, Member>,
    /// Who answers or acknowledges a record.
    followers: BTreeMap<RecordId, BTreeSet<RecordId>>,
    groups: BTreeMap<RecordId, BTreeSet<RecordId>>,
}

impl Membership {
    /// Takes a record in; one that is here already stays as it is. Gives the consignments of which something is new: those that it joins, and those of records that have
    /// waited for it.
    pub(super) fn take(&mut self, id: RecordId, declared: &Draft) -> BTreeSet<RecordId> {
        let mut touched = BTreeSet::new();
        // Without these two nobody can say what the record does, nor when.
        let (Some(kind), Some(_)) = (&declared.kind, declared.issued_at) else { return touched };
        if self.members.contains_key(&id) {
            return self.consignments_of(id);
        }
        let names = if declared.opens_consignment() {
            Names::Itself
        } else if *kind == Kind::Acknowledgement {
            Names::Acknowledged(declared.acknowledges.clone())
        } else {
            Names::Others { consignment: declared.consignment, answers: declared.answers }
        };
        match &names {
            Names::Itself => {}
            Names::Others { answers, .. } => {
                if let Some(answered) = answers {
                    self.followers.entry(*answered).or_default().insert(id);
                }
            }
            Names::Acknowledged(acknowledged) => {
                for named in acknowledged {
                    self.followers.entry(*named).or_default().insert(id);
                    if let Some(home) = self.home(*named) {
                        self.join(home, id, &mut touched);
                    }
                }
            }
        }
        let home = match &names {
            Names::Itself => Some(id),
            Names::Others { consignment: Some(named), .. } => Some(*named),
            Names::Others { consignment: None, answers } => answers.and_then(|answered| self.home(answered)),
            Names::Acknowledged(_) => None,
        };
        self.members.insert(id, Member { names, home: None });
        let mut arrived = vec![(id, home)];
        while let Some((id, Some(home))) = arrived.pop() {
            if let Some(member) = self.members.get_mut(&id) {
                member.home = Some(home);
            }
            self.join(home, id, &mut touched);
            for follower in self.followers.get(&id).cloned().unwrap_or_default() {
                match self.members.get(&follower) {
                    Some(Member { names: Names::Acknowledged(_), .. }) => self.join(home, follower, &mut touched),
                    // It may contradict what it names now.
                    Some(Member { home: Some(other), .. }) => drop(touched.insert(*other)),
                    Some(Member { home: None, .. }) => arrived.push((follower, Some(home))),
                    None => {}
                }
            }
        }
        touched
    }

    /// Forgets a record, and with it what others know only through it. Gives the consignments of which something is new.
    pub(super) fn remove(&mut self, id: RecordId) -> BTreeSet<RecordId> {
        let mut touched = self.consignments_of(id);
        let Some(Member { names, home }) = self.members.remove(&id) else { return BTreeSet::new() };
        let named = match names {
            Names::Itself => Vec::new(),
            Names::Others { answers, .. } => answers.into_iter().collect(),
            Names::Acknowledged(acknowledged) => acknowledged,
        };
        for named in named {
            if let Some(followers) = self.followers.get_mut(&named) {
                followers.remove(&id);
            }
        }
        touched.iter().for_each(|consignment| self.leave(*consignment, id));
        let (mut left, mut acknowledging) = (vec![(id, home)], Vec::new());
        while let Some((id, Some(home))) = left.pop() {
            self.leave(home, id);
            touched.insert(home);
            for follower in self.followers.get(&id).cloned().unwrap_or_default() {
                match self.members.get_mut(&follower) {
                    Some(Member { names: Names::Acknowledged(_), .. }) => acknowledging.push((follower, home)),
                    Some(Member { names: Names::Others { consignment: None, .. }, home }) => {
                        left.push((follower, home.take()));
                    }
                    Some(Member { home, .. }) => touched.extend(*home),
                    None => {}
                }
            }
        }
        for (follower, home) in acknowledging {
            if !self.consignments_of(follower).contains(&home) {
                self.leave(home, follower);
            }
        }
        touched
    }

    /// The records about a consignment.
    pub(super) fn records(&self, consignment: RecordId) -> impl Iterator<Item = RecordId> {
        self.groups.get(&consignment).into_iter().flatten().copied()
    }

    /// Every consignment that a record is about.
    pub(super) fn consignments(&self) -> impl Iterator<Item = RecordId> {
        self.groups.keys().copied()
    }

    /// The consignments that a record is about: at most one, but for acknowledgements.
    pub(super) fn consignments_of(&self, id: RecordId) -> BTreeSet<RecordId> {
        match self.members.get(&id) {
            Some(Member { names: Names::Acknowledged(acknowledged), .. }) => {
                acknowledged.iter().filter_map(|named| self.home(*named)).collect()
            }
            Some(Member { home, .. }) => home.iter().copied().collect(),
            None => BTreeSet::new(),
        }
    }

    /// Whether the record names one consignment and answers a record of another.
    pub(super) fn contradicts_itself(&self, id: RecordId) -> bool {
        let Some(Member { names: Names::Others { consignment: Some(named), answers: Some(answered) }, .. }) =
            self.members.get(&id)
        else {
            return false;
        };
        self.home(*answered).is_some_and(|home| home != *named)
    }

    fn home(&self, id: RecordId) -> Option<RecordId> {
        self.members.get(&id)?.home
    }

    fn leave(&mut self, consignment: RecordId, id: RecordId) {
        if let Some(group) = self.groups.get_mut(&consignment) {
            group.remove(&id);
            if group.is_empty() {
                self.groups.remove(&consignment);
            }
        }
    }

    fn join(&mut self, consignment: RecordId, id: RecordId, touched: &mut BTreeSet<RecordId>) {
        self.groups.entry(consignment).or_default().insert(id);
        touched.insert(consignment);
    }
}

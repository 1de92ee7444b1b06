//! The frontier: size and root of every log, as one node holds them, and the one root over all of it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::encoding::cbor::{self, CborError, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::encoding::merkle;

/// One log's place in a frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontierEntry {
    /// The log.
    pub log: LogId,
    /// How many of its statements are held; never 0.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// The logs that a node holds, in order. Logs without a statement are not in it, so that equal knowledge gives equal frontiers.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    logs: BTreeMap<LogId, (u64, Digest)>,
    /// The root over them, once it was asked for.
    root: OnceLock<Digest>,
}

impl PartialEq for Frontier {
    fn eq(&self, other: &Self) -> bool {
        self.logs == other.logs
    }
}

impl Eq for Frontier {}

impl FrontierEntry {
    /// As it is hashed and sent: log, size, root.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Array(vec![self.log.into(), self.size.into(), self.root.into()])
    }

    /// Reads what [`Self::to_value`] gave.
    ///
    /// # Errors
    /// [`CborError`] if it is not that, or the size is 0.
    pub fn from_value(value: Value) -> Result<Self, CborError> {
        const SHAPE: CborError = CborError::Shape { object: "frontier entry" };
        let parts = value.as_array().ok_or(SHAPE)?;
        let [log, size, root] = parts else { return Err(SHAPE) };
        Ok(Self {
            log: log.as_text().and_then(|text| text.parse().ok()).ok_or(SHAPE)?,
            size: size.as_u64().filter(|size| *size > 0).ok_or(SHAPE)?,
            root: Digest(root.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?),
        })
    }
}

impl Frontier {
    /// Whether entries are in the one order that a list of them has: by log, each once.
    #[must_use]
    pub fn is_ordered(entries: &[FrontierEntry]) -> bool {
        entries.is_sorted_by(|a, b| a.log < b.log)
    }

    /// Sets a log's place; a size of 0 takes it out.
    pub fn set(&mut self, log: LogId, size: u64, root: Digest) {
        self.root.take();
        if size == 0 {
            self.logs.remove(&log);
        } else {
            self.logs.insert(log, (size, root));
        }
    }

    /// A log's size and root.
    #[must_use]
    pub fn get(&self, log: &LogId) -> Option<(u64, Digest)> {
        self.logs.get(log).copied()
    }

    /// The entries in order.
    pub fn entries(&self) -> impl Iterator<Item = FrontierEntry> {
        self.logs.iter().map(|(log, (size, root))| FrontierEntry { log: *log, size: *size, root: *root })
    }

    /// How many logs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.logs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// The RFC 6962 root over the entries: what a frontier cosignature signs.
    #[must_use]
    pub fn root(&self) -> Digest {
        *self.root.get_or_init(|| {
            let leaf = |entry: FrontierEntry| merkle::leaf_hash(&cbor::encode(&entry.to_value()));
            merkle::root(&self.entries().map(leaf).collect::<Vec<_>>())
        })
    }

    /// The entries that are not the same in `earlier`.
    #[must_use]
    pub fn changed_since(&self, earlier: &Self) -> Vec<FrontierEntry> {
        self.entries().filter(|entry| earlier.get(&entry.log) != Some((entry.size, entry.root))).collect()
    }
}

impl FromIterator<FrontierEntry> for Frontier {
    fn from_iter<I: IntoIterator<Item = FrontierEntry>>(entries: I) -> Self {
        let mut frontier = Self::default();
        entries.into_iter().for_each(|entry| frontier.set(entry.log, entry.size, entry.root));
        frontier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(log: &str, size: u64) -> FrontierEntry {
        FrontierEntry { log: log.parse().unwrap(), size, root: Digest([size as u8; 32]) }
    }

    #[test]
    fn equal_knowledge_gives_equal_roots_in_whatever_order_it_came() {
        let one: Frontier = [entry("GE", 3), entry("TR", 5)].into_iter().collect();
        let mut other: Frontier = [entry("TR", 5), entry("GE", 2), entry("GE", 3)].into_iter().collect();
        other.set("MZ".parse().unwrap(), 0, Digest::ZERO);
        assert_eq!(one.root(), other.root());
        assert_eq!(other.changed_since(&[entry("GE", 3)].into_iter().collect()), [entry("TR", 5)]);
        let more: Frontier = [entry("GE", 3), entry("TR", 6)].into_iter().collect();
        assert_ne!(one.root(), more.root());
    }

    #[test]
    fn entries_come_back_and_none_is_of_size_0() {
        assert_eq!(FrontierEntry::from_value(entry("GE.2", 1).to_value()), Ok(entry("GE.2", 1)));
        let refused = FrontierEntry::from_value(entry("GE", 0).to_value());
        assert_eq!(refused, Err(CborError::Shape { object: "frontier entry" }));
    }

    #[test]
    fn a_list_is_in_the_order_of_its_logs_each_once() {
        for (logs, expected) in
            [(vec![], true), (vec!["GE", "GE.2", "TR"], true), (vec!["TR", "GE"], false), (vec!["GE", "GE"], false)]
        {
            let entries: Vec<FrontierEntry> = logs.iter().map(|log| entry(log, 1)).collect();
            assert_eq!(Frontier::is_ordered(&entries), expected, "{logs:?}");
        }
    }

    #[test]
    fn a_frontier_is_as_long_as_its_logs_are_many() {
        let mut frontier = Frontier::default();
        assert!(frontier.is_empty());
        frontier.set("GE".parse().unwrap(), 3, Digest::ZERO);
        assert_eq!((frontier.len(), frontier.is_empty()), (1, false));
        frontier.set("GE".parse().unwrap(), 0, Digest::ZERO);
        assert!(frontier.is_empty());
    }
}

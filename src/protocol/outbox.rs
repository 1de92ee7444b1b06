//! What waits to leave the node: at once, or after the data that it rests on is durable.

use super::effect::{Effect, Event};

/// Collects effects, and holds those back that rest on staged data until the world says `Flushed`.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    now: Vec<Effect>,
    staged: Vec<Effect>,
    flushing: Option<Vec<Effect>>,
    dirty: bool,
    next_id: u64,
}

impl Outbox {
    /// An effect that rests on nothing that could be lost.
    pub(super) fn push(&mut self, effect: Effect) {
        self.now.push(effect);
    }

    /// An effect that may leave only when everything staged so far is durable.
    pub(super) fn push_durable(&mut self, effect: Effect) {
        self.staged.push(effect);
        self.dirty = true;
    }

    /// An effect that rests on what is staged, if anything is: it leaves with the flush that covers that, or at once.
    pub(super) fn push_settled(&mut self, effect: Effect) {
        match &mut self.flushing {
            _ if self.dirty => self.staged.push(effect),
            Some(flushing) => flushing.push(effect),
            None => self.now.push(effect),
        }
    }

    /// An event, at once.
    pub(super) fn event(&mut self, event: Event) {
        self.push(Effect::Event(event));
    }

    /// Something was staged, so a flush is wanted even if no effect waits for it.
    pub(super) fn touch(&mut self) {
        self.dirty = true;
    }

    /// A number that no effect of this node has had.
    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The world has made durable what was staged when `Flush` was given.
    pub(super) fn flushed(&mut self) {
        self.now.extend(self.flushing.take().unwrap_or_default());
    }

    /// Everything that may leave now. While one flush is under way, what is staged since then waits for the next: that is the
    /// group commit.
    pub(super) fn take(&mut self) -> Vec<Effect> {
        if self.dirty && self.flushing.is_none() {
            self.flushing = Some(std::mem::take(&mut self.staged));
            self.dirty = false;
            self.now.push(Effect::Flush);
        }
        std::mem::take(&mut self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publications(effects: &[Effect]) -> usize {
        effects.iter().filter(|effect| matches!(effect, Effect::Gossip(_))).count()
    }

    #[test]
    fn what_rests_on_staged_data_leaves_after_its_own_flush_only() {
        let mut out = Outbox::default();
        out.push_durable(Effect::Gossip(vec![1]));
        let first = out.take();
        assert!(matches!(first[..], [Effect::Flush]));
        // Staged while the first flush is under way: belongs to the next.
        out.push_durable(Effect::Gossip(vec![2]));
        assert!(out.take().is_empty());
        out.flushed();
        let second = out.take();
        assert_eq!(publications(&second), 1);
        assert!(matches!(second[..], [Effect::Gossip(_), Effect::Flush]));
        out.flushed();
        assert_eq!(publications(&out.take()), 1);
    }
}

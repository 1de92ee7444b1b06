//! A node begins where its store ends: what is held in memory is read back, nothing is believed that was not durable.

use std::collections::BTreeMap;

use crate::encoding::ids::RecordId;
use crate::encoding::merkle::CompactTree;
use crate::identity::Federation;
use crate::ledger::{Frontier, Key, KeyKind, LogNodes, Mark, MarkKind, Store, StoreError};

use super::audit::read_audit_mark;
use super::author::Author;
use super::custody::Custody;
use super::erasure::Erasing;
use super::governance;
use super::heal::Heal;
use super::inbox::{Attempt, Delivery, Inbox};
use super::kept::Kept;
use super::lanes::Lanes;
use super::outbox::Outbox;
use super::peers::Peers;
use super::state::{AuditState, LogState};
use super::view::View;
use super::witness::{Witness, decode_cosignature};
use super::{Myself, Node, Now, Settings};

impl<S: Store> Node<S> {
    /// A node over what its store holds. `federation` is the one that the operator's charter file gives; if the store holds news of the same
    /// federation, they are taken up.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or is damaged.
    pub fn load(store: S, federation: Federation, me: Myself, settings: Settings) -> Result<Self, StoreError> {
        let (federation, splits) = governance::load(&store, federation)?;
        let mut node = Self {
            me,
            settings,
            federation,
            splits,
            store,
            logs: BTreeMap::new(),
            frontier: Frontier::default(),
            kept: Kept::default(),
            author: Author::new(),
            inbox: Inbox::default(),
            lanes: Lanes::default(),
            custody: Custody::default(),
            witness: Witness::default(),
            peers: Peers::default(),
            heal: Heal::default(),
            erasing: Erasing::default(),
            room: true,
            shed: super::Shed::default(),
            out: Outbox::default(),
        };
        for log in node.store.logs() {
            let state = load_log(&node.view(), log)?;
            node.logs.insert(log, state);
        }
        for key in node.store.keys(KeyKind::Fork)? {
            // A proof about a log of which nothing is held.
            if let Key::Fork(log, _) = key
                && !node.logs.contains_key(&log)
            {
                node.logs.insert(log, load_log(&node.view(), log)?);
            }
        }
        for log in node.logs.keys().copied().collect::<Vec<_>>() {
            node.note_frontier(log);
        }
        node.keep_what_was_found()?;
        node.load_author()?;
        node.load_inbox()?;
        node.load_lanes()?;
        node.load_cosignatures()?;
        Ok(node)
    }

    fn load_author(&mut self) -> Result<(), StoreError> {
        let log = self.me.log;
        let Some(state) = self.logs.get(&log) else { return Ok(()) };
        let size = state.tree.size();
        self.author.last_time = state.complete.as_ref().map_or(state.audit.last_time, |(_, root)| root.issued_at);
        if let Some(last) = size.checked_sub(1)
            && let Some(statement) = self.view().statement(RecordId { log, position: last })?
        {
            self.author.last_time = self.author.last_time.max(statement.issued_at);
            self.author.lanes = self.view().own_lanes(RecordId { log, position: statement.lanes })?;
        }
        let mut intended = size;
        while self.store.has(&Key::Intent(RecordId { log, position: intended }))? {
            intended += 1;
        }
        // Records that a crash interrupted, and all of them if the marks were lost.
        let searched_all = self.view().scan(&log)?.done == size;
        let nothing_to_learn = searched_all && intended == size;
        self.inbox.relearn_below = if nothing_to_learn { 0 } else { intended };
        Ok(())
    }

    fn load_inbox(&mut self) -> Result<(), StoreError> {
        self.erasing.known = !self.store.keys(KeyKind::Erased)?.is_empty();
        self.inbox.has_grants = !self.store.marks(MarkKind::Granted, None, 1)?.is_empty();
        let mut after: Option<Mark> = None;
        loop {
            let page = self.store.marks(MarkKind::Inbox, after.as_ref(), 1024)?;
            for (mark, value) in &page {
                let Mark::Inbox(id) = mark else { continue };
                match Delivery::from_bytes(value) {
                    Delivery::Wanted => {
                        self.inbox.wanted.insert(*id, Attempt::new());
                    }
                    Delivery::Opened => {
                        self.inbox.acknowledge.entry(id.log.member).or_default().push(*id);
                        self.inbox.acknowledge_since = Some(Now(0));
                    }
                    Delivery::TakingUp { acknowledge } => {
                        self.inbox.grants.insert(*id, acknowledge);
                    }
                    Delivery::Ordered => {
                        self.erasing.orders.insert(*id);
                    }
                    Delivery::Forgotten => self.erasing.forgotten(*id),
                    Delivery::Unreadable => {}
                }
            }
            after = page.last().map(|(mark, _)| *mark);
            if page.len() < 1024 {
                return Ok(());
            }
        }
    }

    fn load_cosignatures(&mut self) -> Result<(), StoreError> {
        for key in self.store.keys(KeyKind::FrontierCosignature)? {
            let Key::FrontierCosignature(member) = key else { continue };
            let Some(frame) = self.store.get(&key)? else { continue };
            let Some((signed, frontier)) = decode_cosignature(&frame.bytes) else { continue };
            let Ok(root) = signed.verify(&self.federation) else { continue };
            if root.root != frontier.root() {
                continue;
            }
            if member == self.me.member {
                self.witness.newest = Some((signed, frontier));
            } else {
                let peer = self.peers.entry(member);
                (peer.frontier, peer.cosignature) = (frontier, Some((signed, root)));
            }
        }
        Ok(())
    }
}

fn load_log<S: Store>(view: &View<'_, S>, log: crate::encoding::ids::LogId) -> Result<LogState, StoreError> {
    let nodes = LogNodes { store: view.store(), log };
    let size = view.store().size(&log);
    let mut state = LogState::empty();
    state.tree = CompactTree::load(&nodes, size)?;
    state.target = size;
    state.complete = view.checkpoint(log)?.and_then(|signed| {
        let root = signed.verify(view.federation()).ok()?;
        let (_, signed_size) = root.claim.log_and_size()?;
        (signed_size <= size).then_some((signed, root))
    });
    let (audited, last_time) =
        view.store().marked(&Mark::Audited(log))?.map_or((0, Default::default()), |bytes| read_audit_mark(&bytes));
    // A mark beyond what is held is of a store that lost its tail: audit again.
    if audited <= size {
        state.audit = AuditState { tree: CompactTree::load(&nodes, audited)?, last_time, batch: None };
        let scan = view.scan(&log)?;
        state.scan = if scan.done <= audited { scan } else { Default::default() };
    }
    state.fork = view.fork(log)?;
    Ok(state)
}

/// The federation with the charter versions and manifests that came from peers since the operator's file was written.
///
/// # Errors
/// [`StoreError`] if storage failed or is damaged.
pub fn current_federation<S: Store>(store: &S, federation: Federation) -> Result<Federation, StoreError> {
    Ok(governance::load(store, federation)?.0)
}

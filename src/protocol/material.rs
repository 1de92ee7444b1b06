//! What evidence about a record is made from, out of the store.

use crate::encoding::hash::sha256;
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::evidence::lane::NOTIFIED_FIELDS;
use crate::evidence::{
    Equivocation, FILE_BYTES_MAX, FrontierCosignature, Inclusion, LaneEvidence, Material, Notified, OpenedCompartment,
    SignedTwice,
};
use crate::identity::{CharterSplit, Federation};
use crate::ledger::{ForkProof, Key, KeyKind, SignedRoot, Statement, Store, StoreError};
use crate::seal::{LaneKey, LanesBody, SlotProof};

use super::view::View;

/// A statement of a lane, as it is held.
type Listed = (RecordId, Vec<u8>);

/// A proof that something was signed twice, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptProof {
    /// What.
    pub what: SignedTwice,
    /// The proof.
    pub proof: Equivocation,
    /// Since when this node keeps it.
    pub since: UnixTime,
}

/// Why there is nothing to make evidence from.
#[derive(Debug, thiserror::Error)]
pub enum NoMaterial {
    /// No such statement is held.
    #[error("no statement {0} is held here")]
    NoStatement(RecordId),
    /// No checkpoint over the statement is held yet.
    #[error("no checkpoint over {0} is held yet; try again when its log has synchronised")]
    NoCheckpoint(RecordId),
    /// Nothing was shown of that lane.
    #[error(
        "the author of {0} has not shown what it addressed to this node under these lanes; `shieldwall lane list` says which did"
    )]
    NoLane(RecordId),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store> View<'_, S> {
    /// Everything that is held about a record, for [`crate::evidence::export`].
    ///
    /// # Errors
    /// [`NoMaterial`].
    pub fn material(&self, id: RecordId) -> Result<Material, NoMaterial> {
        let statement = self.store().get(&Key::Statement(id))?.ok_or(NoMaterial::NoStatement(id))?.bytes;
        let checkpoint = self.checkpoint(id.log)?;
        let checkpoint = match checkpoint {
            Some(signed) => self.under(id, signed)?,
            None => None,
        };
        let mut cosignatures = Vec::new();
        for signed in self.receipts(id.log)? {
            cosignatures.extend(self.under(id, signed)?);
        }
        let mut frontiers = Vec::new();
        for (_, root, frontier) in self.cosignatures()? {
            let Some((size, _)) = frontier.get(&id.log) else { continue };
            if let Some(path) = self.inclusion(id, size)? {
                frontiers.push(FrontierCosignature { root, entries: frontier.entries().collect(), path });
            }
        }
        Ok(Material {
            id,
            statement,
            federation: self.federation().clone(),
            checkpoint: checkpoint.ok_or(NoMaterial::NoCheckpoint(id))?,
            cosignatures,
            frontiers,
            head: self.head(id)?,
            opened: self.opened(id)?,
            lane: None,
        })
    }

    /// What is held about this node's lane of a `lanes` statement, as its author has shown it last: the material about the last statement under that
    /// checkpoint, of whose body nothing is shown. With `notified`, what each statement of the lane says of its kind and consignment.
    ///
    /// # Errors
    /// [`NoMaterial`].
    pub fn lane_material(&self, lanes: RecordId, notified: bool) -> Result<Material, NoMaterial> {
        let nothing = || NoMaterial::NoLane(lanes);
        let proof = self.lane_proof(lanes)?.ok_or_else(nothing)?;
        let key = self.lane(lanes)?.ok_or_else(nothing)?;
        let (Some(statement), Some(slot)) =
            (self.store().get(&Key::Statement(lanes))?, self.store().get(&Key::Slot(lanes))?)
        else {
            return Err(nothing());
        };
        let size = proof.checkpoint.claim().ok().and_then(|root| root.claim.log_and_size()).map_or(0, |(_, size)| size);
        let last = RecordId { log: lanes.log, position: size.checked_sub(1).ok_or_else(nothing)? };
        let path = |id| self.inclusion(id, size)?.ok_or_else(nothing);
        let (lanes_path, last_path) = (path(lanes)?, path(last)?);
        let listed = self.listed(lanes, &key, size)?;
        let notified = match &listed {
            Some(listed) if notified => {
                Some(listed.iter().map(|(id, _)| self.notified(*id)).collect::<Result<_, _>>()?)
            }
            Some(_) | None => None,
        };
        let statements = listed.map(|listed| listed.into_iter().map(|(_, bytes)| bytes).collect());
        let (lanes, slot) = (statement.bytes, slot.bytes);
        let lane = LaneEvidence { proof, lanes, lanes_path, slot, last_path, statements, notified };
        Ok(Material { head: None, opened: Vec::new(), lane: Some(lane), ..self.material(last)? })
    }

    /// The statements of a lane among the first `size` of its log; `None` if they are too many for a file.
    fn listed(&self, lanes: RecordId, key: &LaneKey, size: u64) -> Result<Option<Vec<Listed>>, StoreError> {
        const PAGE: usize = 1024;
        let (mut listed, mut bytes_in_all, mut from) = (Vec::new(), 0, lanes.position + 1);
        while from < size {
            let count = usize::try_from(size - from).unwrap_or(PAGE).min(PAGE);
            let page = self.store().statements(&lanes.log, from, count, usize::MAX)?;
            if page.is_empty() {
                return Err(StoreError::Missing { what: format!("statement {}-{from}", lanes.log) });
            }
            for bytes in page {
                let id = RecordId { log: lanes.log, position: from };
                from += 1;
                let Ok((statement, _)) = Statement::read(&bytes) else { continue };
                if statement.lanes == lanes.position && statement.tags.contains(&key.tag(&id).0) {
                    bytes_in_all += bytes.len();
                    listed.push((id, bytes));
                }
            }
            // What each of them notifies takes about as much again.
            if bytes_in_all > FILE_BYTES_MAX / 4 {
                return Ok(None);
            }
        }
        Ok(Some(listed))
    }

    /// All that is proved to be signed twice, with the proofs: logs, then the charter, then manifests.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn equivocations(&self) -> Result<Vec<KeptProof>, StoreError> {
        type Read = fn(Vec<u8>, &Federation) -> Option<Equivocation>;
        let forms: [(KeyKind, Read); 3] = [
            (KeyKind::Fork, |bytes, _| ForkProof::decode(&bytes).ok().map(Box::new).map(Equivocation::Log)),
            (KeyKind::CharterSplit, |bytes, federation| {
                let split = CharterSplit::verify(&bytes, federation.chain()).ok();
                split.as_ref().map(Equivocation::of_charters)
            }),
            (KeyKind::ManifestSplit, |bytes, _| Some(Equivocation::Manifests(bytes))),
        ];
        let (store, federation) = (self.store(), self.federation());
        let mut all = Vec::new();
        for (kind, read) in forms {
            for key in store.keys(kind)? {
                let Some(frame) = store.get(&key)? else { continue };
                let proof = read(frame.bytes, federation);
                let proved = proof.and_then(|proof| proof.proves(federation).map(|what| (what, proof)));
                all.extend(proved.map(|(what, proof)| KeptProof { what, proof, since: frame.at }));
            }
        }
        Ok(all)
    }

    /// What a record says of its kind and consignment, as far as this node can open it.
    fn notified(&self, id: RecordId) -> Result<Notified, StoreError> {
        let (Some(body), Some(parts)) = (self.body(id)?, self.parts(id)?) else { return Ok(Notified::default()) };
        let fields = parts
            .open
            .iter()
            .flat_map(|(_, _, content, _)| NOTIFIED_FIELDS.iter().filter_map(|name| content.field_proof(name)));
        Ok(Notified { head: body.head, fields: fields.collect() })
    }

    /// A signed root of the record's log, with the way to it from the record; `None` if it is not under that root.
    fn under(&self, id: RecordId, root: SignedRoot) -> Result<Option<Inclusion>, StoreError> {
        let Some((_, size)) = root.claim().ok().and_then(|root| root.claim.log_and_size()) else { return Ok(None) };
        Ok(self.inclusion(id, size)?.map(|path| Inclusion { root, path }))
    }

    /// What the statement signs the digest of, if it is held.
    fn head(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(head) = self.body_head(id)? {
            return Ok(Some(head));
        }
        let lanes = self.store().get(&Key::Lanes(id))?;
        let lanes = lanes.and_then(|frame| LanesBody::decode(&frame.bytes).ok()).map(|body| body.head().encode());
        let slot = self.store().get(&Key::Slot(id))?;
        let slot = slot.and_then(|frame| SlotProof::decode(&frame.bytes).ok()).map(|proof| proof.head.encode());
        let bound = self.statement(id)?.map(|statement| statement.digest);
        Ok([lanes, slot].into_iter().flatten().find(|head| bound == Some(sha256(head))))
    }

    /// The compartments that this node can open, with what is needed to disclose them. The keys of a grant are not among them.
    fn opened(&self, id: RecordId) -> Result<Vec<OpenedCompartment>, StoreError> {
        let (Some(body), Some(parts)) = (self.body(id)?, self.parts(id)?) else { return Ok(Vec::new()) };
        let disclosed = |(index, head, content, key): super::view::Part| OpenedCompartment {
            label: head.label,
            content,
            sealed: body.compartments.get(index).map(|bytes| (bytes.clone(), key)),
        };
        Ok(parts.open.into_iter().map(disclosed).collect())
    }
}

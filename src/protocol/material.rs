//! What evidence about a record is made from, out of the store.

use crate::encoding::ids::RecordId;
use crate::evidence::{FrontierCosignature, Inclusion, Material, OpenedCompartment};
use crate::ledger::{Key, SignedRoot, Store, StoreError};
use crate::seal::{LanesBody, SlotProof};

use super::view::View;

/// Why there is nothing to make evidence from.
#[derive(Debug, thiserror::Error)]
pub enum NoMaterial {
    /// No such statement is held.
    #[error("no statement {0} is held here")]
    NoStatement(RecordId),
    /// No checkpoint over the statement is held yet.
    #[error("no checkpoint over {0} is held yet; try again when its log has synchronised")]
    NoCheckpoint(RecordId),
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
        })
    }

    /// A signed root of the record's log, with the way to it from the record; `None` if it is not under that root.
    fn under(&self, id: RecordId, root: SignedRoot) -> Result<Option<Inclusion>, StoreError> {
        let Some((_, size)) = root.claim().ok().and_then(|root| root.claim.log_and_size()) else { return Ok(None) };
        Ok(self.inclusion(id, size)?.map(|path| Inclusion { root, path }))
    }

    /// What the statement signs the digest of, if it is held.
    fn head(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(frame) = self.store().get(&Key::Head(id))? {
            return Ok(Some(frame.bytes));
        }
        if let Some(frame) = self.store().get(&Key::Lanes(id))? {
            return Ok(LanesBody::decode(&frame.bytes).ok().map(|body| body.head().encode()));
        }
        let slot = self.store().get(&Key::Slot(id))?;
        Ok(slot.and_then(|frame| SlotProof::decode(&frame.bytes).ok()).map(|proof| proof.head.encode()))
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

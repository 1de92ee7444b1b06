//! The right edge of one log: what it takes to add a leaf and to know which stored Merkle nodes become complete with it.

use crate::encoding::hash::Digest;
use crate::encoding::merkle::complete_root;

/// Nodes are stored at the levels that are multiples of this: one for every 64 of the stored level below. Fewer would save
/// little, and would make each proof read more rows.
pub(crate) const STEP: u32 = 6;

const FAN: u64 = 1 << STEP;

/// The size of a log, and for each stored level the nodes that have no parent yet: at most 63.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    size: u64,
    open: Vec<Vec<Digest>>,
}

impl Edge {
    /// The edge of a log of `size` leaves; `nodes` gives the stored nodes of a level in a range of indexes.
    pub(crate) fn load<E>(
        size: u64,
        mut nodes: impl FnMut(u32, u64, u64) -> Result<Vec<Digest>, E>,
    ) -> Result<Self, E> {
        let mut edge = Self { size, open: Vec::new() };
        let (mut level, mut count) = (0, size);
        while count > 0 {
            edge.open.push(nodes(level, count - count % FAN, count)?);
            level += STEP;
            count /= FAN;
        }
        Ok(edge)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, and gives each stored node that is complete with it: level, index, hash.
    pub(crate) fn push(&mut self, leaf: Digest, mut complete: impl FnMut(u32, u64, Digest)) {
        self.size += 1;
        let (mut level, mut count, mut hash) = (0_usize, self.size, leaf);
        loop {
            if self.open.len() == level {
                self.open.push(Vec::new());
            }
            let open = &mut self.open[level];
            open.push(hash);
            if !count.is_multiple_of(FAN) {
                return;
            }
            hash = complete_root(open);
            open.clear();
            level += 1;
            count /= FAN;
            complete(STEP * u32::try_from(level).expect("a u64 has ten stored levels"), count - 1, hash);
        }
    }
}

//! What a reader can show of its own lane: how many statements its author has addressed to it, and which, by the author's own checkpoint.

use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::RecordId;
use crate::identity::Federation;
use crate::seal::{Blind, LaneOpening, LanePath};

use super::{Claim, Root, RootFault, SignedRoot};

/// A lane at one size of its log, with the way from it to what the author signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneProof {
    /// The `lanes` statement of the lane.
    pub lanes: RecordId,
    /// What its reader holds of it.
    pub opening: LaneOpening,
    /// The author's checkpoint.
    pub checkpoint: SignedRoot,
    /// The way from the lane's leaf to the checkpoint's commitments.
    pub path: LanePath,
}

/// Why a lane is not proved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaneFault {
    /// The checkpoint is not one of the log's owner.
    #[error(transparent)]
    Root(#[from] RootFault),
    /// It is of another log, or ends before the lane begins.
    #[error("the checkpoint is not over the statements of {0}")]
    Checkpoint(RecordId),
    /// The author committed to another list than the one that is shown.
    #[error("the author's checkpoint commits to another list of statements for this lane")]
    Differs,
}

impl LaneProof {
    /// Checks the author's signature, and that it commits to just this list.
    ///
    /// # Errors
    /// [`LaneFault`], naming what is wrong.
    pub fn verify(&self, federation: &Federation) -> Result<Root, LaneFault> {
        let root = self.checkpoint.verify(federation)?;
        let Claim::Checkpoint { log, size, commitments } = root.claim else {
            return Err(LaneFault::Checkpoint(self.lanes));
        };
        if log != self.lanes.log || size <= self.lanes.position {
            return Err(LaneFault::Checkpoint(self.lanes));
        }
        if self.path.leads_to(&self.opening) != Some(commitments) {
            return Err(LaneFault::Differs);
        }
        Ok(root)
    }

    /// The proof as it is kept: 1 `lanes` statement, 2 blind, 3 number, 4 root, 5 checkpoint, 6 path.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let map = Map::new()
            .with(1, self.lanes)
            .with(2, self.opening.blind.0)
            .with(3, self.opening.count)
            .with(4, self.opening.root)
            .with(5, self.checkpoint.to_value())
            .with(6, self.path.to_value());
        cbor::encode(&Value::Map(map))
    }

    /// Reads what [`Self::encode`] writes. Nothing is verified.
    ///
    /// # Errors
    /// [`CborError`] if it is not that.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "proof of a lane")?;
        let lanes = fields.parse(1)?;
        let opening =
            LaneOpening { blind: Blind(fields.array(2)?), count: fields.u64(3)?, root: Digest(fields.array(4)?) };
        let checkpoint = SignedRoot::from_value(fields.value(5)?)?;
        let path = LanePath::from_value(fields.value(6)?).map_err(|_| fields.bad(6))?;
        fields.end()?;
        Ok(Self { lanes, opening, checkpoint, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hash::sha256;
    use crate::encoding::ids::{FederationId, LogId, MemberCode};
    use crate::identity::fixture;
    use crate::seal::{Commitments, LaneList, LaneSecret};

    /// Of Georgia's checkpoint over nine statements: Turkey's lane with two of them.
    fn proof(federation: FederationId) -> LaneProof {
        let secret = LaneSecret::from_bytes([4; 32]);
        let log: LogId = "GE".parse().unwrap();
        let mut list = LaneList::default();
        list.push(sha256(b"one"));
        list.push(sha256(b"two"));
        let members: [MemberCode; 3] = ["GE", "TR", "W1"].map(|code| code.parse().unwrap());
        let blinds = members.map(|member| secret.lane_key(member).blind(log, 9));
        let opening = list.opening(blinds[1]);
        let leaves =
            Commitments::of([LaneList::default().opening(blinds[0]), opening, LaneList::default().opening(blinds[2])]);
        let key = fixture::key("GE", "log");
        let root = Root {
            claim: Claim::Checkpoint { log, size: 9, commitments: leaves.root() },
            root: sha256(b"root"),
            by: log.member,
            kid: key.public().kid(),
            issued_at: fixture::at(5),
            federation,
        };
        let checkpoint = root.signed(key.sign(&root.to_be_signed()));
        LaneProof { lanes: "GE-3".parse().unwrap(), opening, checkpoint, path: leaves.path(1).unwrap() }
    }

    #[test]
    fn a_lane_is_proved_by_its_authors_checkpoint() {
        let federation = fixture::federation(&["GE", "TR", "W1"]);
        let good = proof(federation.id());
        assert_eq!(good.verify(&federation).unwrap().issued_at, fixture::at(5));
        assert_eq!(LaneProof::decode(&good.encode()), Ok(good.clone()));
        let fewer = LaneProof { opening: LaneOpening { count: 1, ..good.opening }, ..good.clone() };
        assert_eq!(fewer.verify(&federation), Err(LaneFault::Differs));
        let elsewhere = LaneProof { path: LanePath { index: 0, ..good.path.clone() }, ..good.clone() };
        assert_eq!(elsewhere.verify(&federation), Err(LaneFault::Differs));
        let later = LaneProof { lanes: "GE-9".parse().unwrap(), ..good.clone() };
        assert_eq!(later.verify(&federation), Err(LaneFault::Checkpoint(later.lanes)));
        let of_another = LaneProof { lanes: "TR-3".parse().unwrap(), ..good };
        assert_eq!(of_another.verify(&federation), Err(LaneFault::Checkpoint(of_another.lanes)));
        let foreign = proof(FederationId(sha256(b"another")));
        assert_eq!(foreign.verify(&federation), Err(LaneFault::Root(RootFault::Federation)));
    }

    #[test]
    fn a_changed_byte_proves_nothing() {
        let federation = fixture::federation(&["GE", "TR", "W1"]);
        let bytes = proof(federation.id()).encode();
        let good = LaneProof::decode(&bytes).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            if let Ok(read) = LaneProof::decode(&changed) {
                // Where the lane begins is not signed with it: the `lanes` statement itself says that.
                let is_only_the_place = LaneProof { lanes: good.lanes, ..read.clone() } == good;
                assert!(is_only_the_place || read.verify(&federation).is_err(), "byte {at}");
            }
        }
    }
}

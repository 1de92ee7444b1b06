//! Faults put in on purpose: each breaks one promise, and a simulator that does not find it checks nothing.

use std::fmt;

use crate::encoding::ids::MemberCode;
use crate::encoding::random::Randomness;
use crate::protocol::message::{Gossip, Request, Response};
use crate::protocol::{Effect, Input};

use super::World;
use super::medium::{Harm, Medium};

/// A fault put in on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plant {
    /// I1: a stored statement changes and nobody looks at its checksum.
    UnseenRot,
    /// I2: proofs of equivocation never reach one member.
    ProofWithheld,
    /// I3: a flush that says that it is durable and is not.
    EmptyFlush,
    /// I4: a statement in the middle of a log is gone.
    Hole,
    /// I5: one member never hears of what another logs.
    DeafToOne,
    /// I6: a record goes to a country that it is not for.
    WrongReader,
    /// I7: what was audited is forgotten when a node is stopped in good order.
    ForgetfulEnd,
    /// I8: the signer signs whatever it is asked to.
    NoGuard,
    /// I8: a machine is put back to a snapshot, guard and all, where nobody can warn it.
    NoEcho,
    /// I10: questions are taken in and never answered.
    NoAnswers,
    /// I11: what an honest member says is changed on its way, unseen.
    ChangedOnTheWay,
    /// I12: bodies never reach one of their readers.
    BodiesLost,
    /// I13: a signature is not good while this machine's clock is wrong.
    ClockDecides,
    /// I14: a node starts over an older state of its disk.
    OldState,
    /// I16: what an honest author shows of a lane leads elsewhere.
    OtherList,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::UnseenRot,
        Self::ProofWithheld,
        Self::EmptyFlush,
        Self::Hole,
        Self::DeafToOne,
        Self::WrongReader,
        Self::ForgetfulEnd,
        Self::NoGuard,
        Self::NoEcho,
        Self::NoAnswers,
        Self::ChangedOnTheWay,
        Self::BodiesLost,
        Self::ClockDecides,
        Self::OldState,
        Self::OtherList,
    ];

    /// The invariant that it breaks.
    #[must_use]
    pub fn invariant(self) -> &'static str {
        match self {
            Self::UnseenRot => "I1",
            Self::ProofWithheld => "I2",
            Self::EmptyFlush => "I3",
            Self::Hole => "I4",
            Self::DeafToOne => "I5",
            Self::WrongReader => "I6",
            Self::ForgetfulEnd => "I7",
            Self::NoGuard | Self::NoEcho => "I8",
            Self::NoAnswers => "I10",
            Self::ChangedOnTheWay => "I11",
            Self::BodiesLost => "I12",
            Self::ClockDecides => "I13",
            Self::OldState => "I14",
            Self::OtherList => "I16",
        }
    }
}

impl fmt::Display for Plant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl<M: Medium> World<M> {
    /// The member that a plant which strikes only one strikes: the last honest one.
    pub(super) fn victim(&self) -> Option<MemberCode> {
        self.machines.keys().rev().copied().find(|member| self.watchman.trusts(*member))
    }

    /// The member whose log the victim does not hear of: the first honest one.
    fn unheard(&self) -> Option<MemberCode> {
        self.machines.keys().copied().find(|member| self.watchman.trusts(*member))
    }

    /// Whether a planted fault makes an effect vanish.
    pub(super) fn vanishes(&self, code: MemberCode, effect: &Effect) -> bool {
        self.plant == Some(Plant::NoAnswers) && matches!(effect, Effect::Respond { .. }) && self.victim() == Some(code)
    }

    /// Whether a planted fault loses a request or an answer on its way, as a network may.
    pub(super) fn loses_body(&self, bytes: &[u8]) -> bool {
        self.plant == Some(Plant::BodiesLost)
            && (matches!(Response::decode(bytes), Ok(Response::Body(_)))
                || matches!(Request::decode(bytes), Ok(Request::Push { .. })))
    }

    /// Whether a planted fault keeps an input from a member.
    pub(super) fn is_kept_from(&self, code: MemberCode, input: &Input) -> bool {
        if self.plant.is_none() || self.victim() != Some(code) {
            return false;
        }
        if self.plant == Some(Plant::ProofWithheld) {
            return matches!(input, Input::Gossip { bytes, .. } if matches!(Gossip::decode(bytes), Ok(Gossip::Fork(_))));
        }
        if self.plant != Some(Plant::DeafToOne) {
            return false;
        }
        let checkpoint = match input {
            Input::Gossip { bytes, .. } => match Gossip::decode(bytes) {
                Ok(Gossip::News { checkpoint, .. }) => checkpoint,
                Ok(Gossip::Cosigned { .. } | Gossip::Fork(_)) | Err(_) => return false,
            },
            Input::Response { bytes, .. } => {
                let Ok(Response::Chunk { checkpoint, .. }) = Response::decode(bytes) else { return false };
                checkpoint
            }
            Input::Tick
            | Input::Connected { .. }
            | Input::Disconnected { .. }
            | Input::Request { .. }
            | Input::Failed { .. }
            | Input::Submit { .. }
            | Input::Publish { .. }
            | Input::Keep { .. }
            | Input::Signed { .. }
            | Input::NotSigned { .. }
            | Input::Checked { .. }
            | Input::Flushed
            | Input::CollectReceipts
            | Input::Room(_)
            | Input::Ending => return false,
        };
        checkpoint.claim().is_ok_and(|root| Some(root.by) == self.unheard())
    }

    /// What a planted fault makes of gossip on its way.
    pub(super) fn change_on_the_way(&mut self, code: MemberCode, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        if self.plant == Some(Plant::ChangedOnTheWay) && self.watchman.trusts(code) && self.random.below(4) == 0 {
            let at = self.random.below(u32::try_from(bytes.len()).unwrap_or(u32::MAX)) as usize;
            bytes[at] ^= 1;
        }
        bytes
    }

    /// What a planted fault makes of the path of a lane on its way.
    pub(super) fn change_path(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.plant != Some(Plant::OtherList) {
            return bytes;
        }
        match Response::decode(&bytes) {
            Ok(Response::LanePath { checkpoint, mut path }) => {
                path.path.iter_mut().for_each(|hash| hash.0[0] ^= 1);
                Response::LanePath { checkpoint, path }.encode()
            }
            _ => bytes,
        }
    }

    /// What a planted fault does while a member's node is down.
    pub(super) fn plant_while_down(&mut self, code: MemberCode, in_order: bool) {
        let harm = match self.plant {
            Some(Plant::UnseenRot) => Harm::UnseenRot,
            Some(Plant::Hole) => Harm::UnseenHole,
            Some(Plant::ForgetfulEnd) if in_order => Harm::LostIndex,
            Some(Plant::OldState) => Harm::UnseenCut,
            Some(
                Plant::ProofWithheld
                | Plant::EmptyFlush
                | Plant::DeafToOne
                | Plant::WrongReader
                | Plant::ForgetfulEnd
                | Plant::NoGuard
                | Plant::NoEcho
                | Plant::NoAnswers
                | Plant::ChangedOnTheWay
                | Plant::BodiesLost
                | Plant::ClockDecides
                | Plant::OtherList,
            )
            | None => return,
        };
        let mut random = Randomness::new(self.random.array());
        self.machine(code).medium.hurt(harm, &mut random);
    }
}

//! What nodes say to each other: gossip, requests and responses, as deterministic CBOR.
//!
//! Every message is an array that begins with its number. Numbers are never reused. `docs/protocol.md` lists them.

use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::ledger::{ForkProof, Frontier, FrontierEntry, SignedRoot};
use crate::seal::LanePath;

use super::limits;

/// What is gossiped to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gossip {
    /// A log's newest checkpoint, with the newest statements under it.
    News {
        /// The owner's signature over size and root.
        checkpoint: SignedRoot,
        /// The position of the first statement that is carried.
        from: u64,
        /// The statements from there to the checkpoint's size; none if they would not fit.
        statements: Vec<Vec<u8>>,
    },
    /// A member's frontier cosignature.
    Cosigned {
        /// The member's signature over the frontier's root.
        cosignature: SignedRoot,
        /// The logs whose size or root changed since its last one.
        changed: Vec<FrontierEntry>,
    },
    /// A proof that a log's owner signed two histories.
    Fork(ForkProof),
}

/// What a node asks of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Compares what both hold. Sent on connect and periodically.
    Hello {
        /// Digest of the charter chain and manifests that the sender holds.
        published: Digest,
        /// Root of the sender's frontier.
        frontier: Digest,
    },
    /// Asks for the charter chain and manifests.
    Published {
        /// From which byte of the file on.
        from: u64,
    },
    /// Asks for the statements of a log from a position on.
    Range {
        /// The log.
        log: LogId,
        /// The first position wanted.
        from: u64,
    },
    /// Asks for the body of a record, showing a ticket behind one of its tags.
    Body {
        /// The record.
        id: RecordId,
        /// The ticket.
        ticket: [u8; 32],
    },
    /// Hands over the body of a record to one of its readers.
    Push {
        /// The record.
        id: RecordId,
        /// Its body.
        body: WireBody,
    },
    /// Asks for the sender's own slot of a `lanes` statement.
    Slot {
        /// The `lanes` statement.
        id: RecordId,
    },
    /// Asks for a receipt-form cosignature of a log.
    Cosign {
        /// The log.
        log: LogId,
        /// The smallest size of use to the sender.
        size: u64,
    },
    /// Asks for a member's newest frontier cosignature, with the full list behind it: of that member, or of whoever holds it.
    Frontier {
        /// The member that cosigned.
        of: MemberCode,
    },
    /// Asks for the proofs that one version of the charter, or of a manifest, was signed twice.
    Splits,
    /// Asks the author of a log for the way from the asker's own lane to what a checkpoint commits to.
    LanePath {
        /// The `lanes` statement of the lane.
        lanes: RecordId,
        /// The size that the checkpoint is of.
        size: u64,
    },
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Answer to [`Request::Hello`].
    Hello {
        /// As in the request.
        published: Digest,
        /// Root of the answerer's frontier.
        frontier: Digest,
        /// The frontier itself, if it differs from the asker's.
        entries: Vec<FrontierEntry>,
    },
    /// Answer to [`Request::Published`]: a part of the charter file, which with many members is longer than one message.
    Published {
        /// Bytes of the whole file.
        size: u64,
        /// Where in it the part begins.
        from: u64,
        /// The part.
        part: Vec<u8>,
    },
    /// Answer to [`Request::Range`].
    Chunk {
        /// The owner's newest signature over size and root.
        checkpoint: SignedRoot,
        /// Position of the first statement.
        from: u64,
        /// The statements.
        statements: Vec<Vec<u8>>,
        /// The proof that the tree after these statements is a beginning of the checkpoint's tree.
        consistency: Vec<Digest>,
    },
    /// Answer to [`Request::Body`].
    Body(WireBody),
    /// Answer to [`Request::Slot`]: the slot and its proof, as `seal` encodes them.
    Slot(Vec<u8>),
    /// Answer to [`Request::Cosign`].
    Cosignature(SignedRoot),
    /// Answer to [`Request::Frontier`].
    Frontier {
        /// The signature over the frontier's root.
        cosignature: SignedRoot,
        /// The whole list.
        entries: Vec<FrontierEntry>,
    },
    /// Answer to [`Request::Splits`]: the proof about the charter, or nothing, then those about manifests.
    Splits {
        /// About the charter; empty if there is none.
        charter: Vec<u8>,
        /// About manifests, as many as fit.
        manifests: Vec<Vec<u8>>,
    },
    /// Answer to [`Request::LanePath`].
    LanePath {
        /// The checkpoint of the size asked for.
        checkpoint: SignedRoot,
        /// The way to its commitments.
        path: LanePath,
    },
    /// Answer to [`Request::Push`]: it has arrived and is durable, or is not wanted.
    Done,
    /// What was asked for is not here, or not for the asker.
    Nothing,
}

/// A body as it travels: its head and its sealed compartments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireBody {
    /// The encoded head.
    pub head: Vec<u8>,
    /// The compartments in the head's order; empty where the sender does not hold one.
    pub compartments: Vec<Vec<u8>>,
}

impl Gossip {
    /// The bytes to be sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&match self {
            Self::News { checkpoint, from, statements } => {
                numbered(1, [checkpoint.to_value(), Value::from(*from), byte_strings(statements)])
            }
            Self::Cosigned { cosignature, changed } => numbered(2, [cosignature.to_value(), entries_value(changed)]),
            Self::Fork(proof) => numbered(3, [proof.encode().as_slice().into()]),
        })
    }

    /// Reads received bytes.
    ///
    /// # Errors
    /// [`CborError`] if they are no gossip message in deterministic form.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let (number, mut parts) = split(bytes, "gossip message")?;
        let message = match number {
            1 => Self::News {
                checkpoint: SignedRoot::from_value(parts.value(0)?)?,
                from: parts.u64(1)?,
                statements: byte_strings_of(&parts.items(2)?)?,
            },
            2 => Self::Cosigned {
                cosignature: SignedRoot::from_value(parts.value(0)?)?,
                changed: entries_of(parts.items(1)?)?,
            },
            3 => Self::Fork(ForkProof::decode(&parts.bytes(0)?).map_err(|_| parts.bad("proof"))?),
            _ => return Err(parts.bad("number")),
        };
        parts.end()?;
        Ok(message)
    }
}

impl Request {
    /// The bytes to be sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&match self {
            Self::Hello { published, frontier } => numbered(1, [published.into(), frontier.into()]),
            Self::Published { from } => numbered(2, [(*from).into()]),
            Self::Range { log, from } => numbered(3, [(*log).into(), (*from).into()]),
            Self::Body { id, ticket } => numbered(4, [(*id).into(), ticket.into()]),
            Self::Push { id, body } => numbered(5, [(*id).into(), body.to_value()]),
            Self::Slot { id } => numbered(6, [(*id).into()]),
            Self::Cosign { log, size } => numbered(7, [(*log).into(), (*size).into()]),
            Self::Frontier { of } => numbered(8, [(*of).into()]),
            Self::Splits => numbered(11, []),
            Self::LanePath { lanes, size } => numbered(12, [(*lanes).into(), (*size).into()]),
        })
    }

    /// Reads received bytes.
    ///
    /// # Errors
    /// [`CborError`] if they are no request in deterministic form.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let (number, mut parts) = split(bytes, "request")?;
        let request = match number {
            1 => Self::Hello { published: Digest(parts.array(0)?), frontier: Digest(parts.array(1)?) },
            2 => Self::Published { from: parts.u64(0)? },
            3 => Self::Range { log: parts.parse(0)?, from: parts.u64(1)? },
            4 => Self::Body { id: parts.parse(0)?, ticket: parts.array(1)? },
            5 => Self::Push { id: parts.parse(0)?, body: WireBody::from_value(parts.value(1)?)? },
            6 => Self::Slot { id: parts.parse(0)? },
            7 => Self::Cosign { log: parts.parse(0)?, size: parts.u64(1)? },
            8 => Self::Frontier { of: parts.parse(0)? },
            11 => Self::Splits,
            12 => Self::LanePath { lanes: parts.parse(0)?, size: parts.u64(1)? },
            _ => return Err(parts.bad("number")),
        };
        parts.end()?;
        Ok(request)
    }
}

impl Response {
    /// The bytes to be sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&match self {
            Self::Hello { published, frontier, entries } => {
                numbered(1, [published.into(), frontier.into(), entries_value(entries)])
            }
            Self::Published { size, from, part } => {
                numbered(2, [(*size).into(), (*from).into(), part.as_slice().into()])
            }
            Self::Chunk { checkpoint, from, statements, consistency } => numbered(
                3,
                [
                    checkpoint.to_value(),
                    (*from).into(),
                    byte_strings(statements),
                    Value::Array(consistency.iter().map(Value::from).collect()),
                ],
            ),
            Self::Body(body) => numbered(4, [body.to_value()]),
            Self::Slot(slot) => numbered(6, [slot.as_slice().into()]),
            Self::Cosignature(cosignature) => numbered(7, [cosignature.to_value()]),
            Self::Frontier { cosignature, entries } => numbered(8, [cosignature.to_value(), entries_value(entries)]),
            Self::Splits { charter, manifests } => numbered(11, [charter.as_slice().into(), byte_strings(manifests)]),
            Self::LanePath { checkpoint, path } => numbered(12, [checkpoint.to_value(), path.to_value()]),
            Self::Done => numbered(9, []),
            Self::Nothing => numbered(10, []),
        })
    }

    /// Reads received bytes.
    ///
    /// # Errors
    /// [`CborError`] if they are no response in deterministic form.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let (number, mut parts) = split(bytes, "response")?;
        let response = match number {
            1 => Self::Hello {
                published: Digest(parts.array(0)?),
                frontier: Digest(parts.array(1)?),
                entries: entries_of(parts.items(2)?)?,
            },
            2 => Self::Published { size: parts.u64(0)?, from: parts.u64(1)?, part: parts.bytes(2)? },
            3 => Self::Chunk {
                checkpoint: SignedRoot::from_value(parts.value(0)?)?,
                from: parts.u64(1)?,
                statements: byte_strings_of(&parts.items(2)?)?,
                consistency: digests_of(&parts.items(3)?)?,
            },
            4 => Self::Body(WireBody::from_value(parts.value(0)?)?),
            6 => Self::Slot(parts.bytes(0)?),
            7 => Self::Cosignature(SignedRoot::from_value(parts.value(0)?)?),
            8 => Self::Frontier {
                cosignature: SignedRoot::from_value(parts.value(0)?)?,
                entries: entries_of(parts.items(1)?)?,
            },
            11 => Self::Splits { charter: parts.bytes(0)?, manifests: byte_strings_of(&parts.items(1)?)? },
            12 => Self::LanePath {
                checkpoint: SignedRoot::from_value(parts.value(0)?)?,
                path: LanePath::from_value(parts.value(1)?).map_err(|_| parts.bad("path of a lane"))?,
            },
            9 => Self::Done,
            10 => Self::Nothing,
            _ => return Err(parts.bad("number")),
        };
        parts.end()?;
        Ok(response)
    }
}

impl WireBody {
    /// Its size on the wire, without framing.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.head.len() + self.compartments.iter().map(Vec::len).sum::<usize>()
    }

    fn to_value(&self) -> Value {
        Value::from(vec![self.head.as_slice().into(), byte_strings(&self.compartments)])
    }

    fn from_value(value: Value) -> Result<Self, CborError> {
        let mut parts = array_fields(value, "body")?;
        let body = Self { head: parts.bytes(0)?, compartments: byte_strings_of(&parts.items(1)?)? };
        parts.end()?;
        Ok(body)
    }
}

const fn shape(object: &'static str) -> CborError {
    CborError::Shape { object }
}

fn numbered<const N: usize>(number: u64, parts: [Value; N]) -> Value {
    let mut items = vec![Value::from(number)];
    items.extend(parts);
    Value::Array(items)
}

/// The number at the head of a message, and the rest by index, so that [`Fields`] can read an array too.
fn split(bytes: &[u8], object: &'static str) -> Result<(u64, Fields), CborError> {
    let Value::Array(items) = cbor::decode(bytes)? else { return Err(shape(object)) };
    let mut items = items.into_iter();
    let number = items.next().and_then(|item| item.as_u64()).ok_or(shape(object))?;
    Ok((number, indexed(items, object)))
}

fn array_fields(value: Value, object: &'static str) -> Result<Fields, CborError> {
    if let Value::Array(items) = value { Ok(indexed(items.into_iter(), object)) } else { Err(shape(object)) }
}

fn indexed(items: impl Iterator<Item = Value>, object: &'static str) -> Fields {
    Fields::of_map((0_u64..).zip(items).collect::<Map>(), object)
}

fn byte_strings(strings: &[Vec<u8>]) -> Value {
    Value::Array(strings.iter().map(|bytes| Value::from(bytes.as_slice())).collect())
}

fn byte_strings_of(items: &[Value]) -> Result<Vec<Vec<u8>>, CborError> {
    items.iter().map(|item| item.as_bytes().map(<[u8]>::to_vec).ok_or(shape("list of byte strings"))).collect()
}

fn digests_of(items: &[Value]) -> Result<Vec<Digest>, CborError> {
    items
        .iter()
        .map(|item| item.as_bytes().and_then(|bytes| bytes.try_into().ok()).map(Digest).ok_or(shape("list of digests")))
        .collect()
}

fn entries_value(entries: &[FrontierEntry]) -> Value {
    Value::Array(entries.iter().map(FrontierEntry::to_value).collect())
}

fn entries_of(items: Vec<Value>) -> Result<Vec<FrontierEntry>, CborError> {
    if items.len() > limits::FRONTIER_LOGS_MAX {
        return Err(shape("frontier"));
    }
    let entries: Vec<FrontierEntry> = items.into_iter().map(FrontierEntry::from_value).collect::<Result<_, _>>()?;
    if !Frontier::is_ordered(&entries) {
        return Err(shape("frontier"));
    }
    Ok(entries)
}

/// The member that a request or response is about, for logs: never a peer's free text.
#[must_use]
pub fn subject(request: &Request) -> Option<MemberCode> {
    match request {
        Request::Range { log, .. } | Request::Cosign { log, .. } => Some(log.member),
        Request::Body { id, .. }
        | Request::Push { id, .. }
        | Request::Slot { id }
        | Request::LanePath { lanes: id, .. } => Some(id.log.member),
        Request::Hello { .. } | Request::Published { .. } | Request::Frontier { .. } | Request::Splits => None,
    }
}

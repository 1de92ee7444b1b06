//! One frame as bytes, and the search for frames in a segment.
//!
//! ```text
//! length u32 · segment u32 · offset u32 · group u32 · received u64 · key length u8 · key · content · CRC32C u32
//! ```
//! Numbers are big-endian. The length counts everything, itself and the checksum included. The checksum begins with the
//! segment's salt, which nobody outside knows: no content can be made that looks like a frame.
//!
//! `group` is where, in this segment, the group begins that the frame was written with. A group is written only after the one
//! before is on the disk; so a frame that is found proves that all before its group was there, and a hole before it is damage,
//! not a write that a crash tore.

use std::ops::Range;

use super::segment::Family;
use crate::encoding::time::UnixTime;
use crate::ledger::{Frame, Key};

/// The longest frame: beyond any charter, and within one read.
pub(crate) const MAX: usize = 64 << 20;

const CHECKSUM: usize = 4;
const FIXED: usize = 4 + 4 + 4 + 4 + 8 + 1;
const SHORTEST: usize = FIXED + 1 + CHECKSUM;

/// Where a frame lies in its family's segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
}

/// The segment that a frame is in, as far as its checksum binds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) family: Family,
    pub(crate) segment: u32,
    pub(crate) salt: u32,
}

/// A frame that is whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) key: Key,
    pub(crate) at: UnixTime,
    pub(crate) content: &'a [u8],
    pub(crate) offset: u32,
    pub(crate) length: u32,
    pub(crate) group: u32,
    pub(crate) checksum: u32,
}

/// What a stretch of a segment holds.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) frames: Vec<Parsed<'a>>,
    /// Stretches that are no frames, in order.
    pub(crate) holes: Vec<Range<u32>>,
}

/// Appends the frame that will lie at `offset`; returns its length and checksum.
pub(crate) fn write(bytes: &mut Vec<u8>, context: Context, offset: u32, group: u32, frame: &Frame) -> (u32, u32) {
    let start = bytes.len();
    let key = frame.key.to_bytes();
    let length = u32::try_from(length(frame)).expect("frames are checked against MAX before");
    bytes.extend(length.to_be_bytes());
    bytes.extend(context.segment.to_be_bytes());
    bytes.extend(offset.to_be_bytes());
    bytes.extend(group.to_be_bytes());
    bytes.extend(frame.at.seconds().to_be_bytes());
    bytes.push(u8::try_from(key.len()).expect("a key is a few bytes long"));
    bytes.extend(&key);
    bytes.extend(&frame.bytes);
    let checksum = checksum(context, &bytes[start..]);
    bytes.extend(checksum.to_be_bytes());
    (length, checksum)
}

/// The length of a frame's bytes.
pub(crate) fn length(frame: &Frame) -> usize {
    FIXED + frame.key.to_bytes().len() + frame.bytes.len() + CHECKSUM
}

/// Reads the frame at the start of `bytes`, which may go on behind it; the error says what is wrong.
pub(crate) fn read(bytes: &[u8], context: Context, offset: u32) -> Result<Parsed<'_>, &'static str> {
    let (length, own_segment, own_offset) = (number(bytes, 0), number(bytes, 4), number(bytes, 8));
    if own_segment != Some(context.segment) || own_offset != Some(offset) {
        return Err("a frame is not where it says that it is");
    }
    let length = length.ok_or("a frame is cut short")?;
    let whole = bytes.get(..length as usize).filter(|whole| whole.len() >= SHORTEST);
    let (covered, stored) = whole.and_then(|whole| whole.split_last_chunk()).ok_or("a frame is cut short")?;
    let stored = u32::from_be_bytes(*stored);
    if checksum(context, covered) != stored {
        return Err("a frame's checksum is wrong");
    }
    parts(covered, context.family, length, stored).ok_or("a frame has an unknown form")
}

/// All frames of `bytes`, which begin at `start` of the segment.
pub(crate) fn scan(bytes: &[u8], context: Context, start: u32) -> Found<'_> {
    let mut found = Found::default();
    let mut at = 0_usize;
    let place = |at: usize| start + u32::try_from(at).expect("a segment is shorter than 4 GiB");
    while at < bytes.len() {
        if let Ok(frame) = read(&bytes[at..], context, place(at)) {
            at += frame.length as usize;
            found.frames.push(frame);
        } else {
            let next = (at + 1..bytes.len()).find(|next| read(&bytes[*next..], context, place(*next)).is_ok());
            let end = next.unwrap_or(bytes.len());
            found.holes.push(place(at)..place(end));
            at = end;
        }
    }
    found
}

/// What a damaged frame at the start of `bytes` says of itself: its length and key. Not to be believed, only to be told.
pub(crate) fn claim(bytes: &[u8], context: Context, offset: u32) -> Option<(u32, Key)> {
    let key = bytes.get(FIXED..FIXED + usize::from(*bytes.get(FIXED - 1)?)).and_then(Key::from_bytes);
    let key = key.filter(|key| Family::of(key) == context.family)?;
    let is_place = |bytes: &[u8], offset| {
        number(bytes, 4) == Some(context.segment) && number(bytes, 8) == Some(offset) && bytes.len() >= SHORTEST
    };
    let rest = u32::try_from(bytes.len()).ok()?;
    let length = number(bytes, 0)?;
    // A length is good if it ends where something else begins.
    let is_length = length as usize >= SHORTEST
        && bytes.get(length as usize..).is_some_and(|next| next.is_empty() || is_place(next, offset + length));
    let length = if is_length { length } else { rest };
    (is_length || is_place(bytes, offset)).then_some((length, key))
}

fn parts(covered: &[u8], family: Family, length: u32, checksum: u32) -> Option<Parsed<'_>> {
    let (fixed, rest) = covered.split_at_checked(FIXED)?;
    let at = u64::from_be_bytes(*fixed[16..].first_chunk()?);
    let (key, content) = rest.split_at_checked(usize::from(fixed[FIXED - 1]))?;
    let key = Key::from_bytes(key).filter(|key| Family::of(key) == family)?;
    Some(Parsed {
        key,
        at: UnixTime::from_seconds(i64::try_from(at).ok()?).ok()?,
        content,
        offset: number(fixed, 8)?,
        length,
        group: number(fixed, 12)?,
        checksum,
    })
}

fn checksum(context: Context, covered: &[u8]) -> u32 {
    crc32c::crc32c_append(context.salt, covered)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTEXT: Context = Context { family: Family::Statements, segment: 3, salt: 0x1234_5678 };

    fn frame(content: &[u8]) -> Frame {
        Frame {
            key: Key::Checkpoint("GE".parse().unwrap()),
            at: UnixTime::from_seconds(1_000).unwrap(),
            bytes: content.to_vec(),
        }
    }

    proptest! {
        #[test]
        fn frames_survive_the_round_trip_and_no_changed_bit_does(content in any::<Vec<u8>>(), offset in 0..1_000_u32, bit in any::<usize>()) {
            let mut bytes = Vec::new();
            let frame = frame(&content);
            let (length, checksum) = write(&mut bytes, CONTEXT, offset, 64, &frame);
            prop_assert_eq!(length as usize, bytes.len());
            let parsed = read(&bytes, CONTEXT, offset).unwrap();
            prop_assert_eq!((parsed.key, parsed.at, parsed.content), (frame.key, frame.at, &content[..]));
            prop_assert_eq!((parsed.offset, parsed.length, parsed.group, parsed.checksum), (offset, length, 64, checksum));
            prop_assert!(read(&bytes, CONTEXT, offset + 1).is_err());
            let elsewhere = [
                Context { segment: 4, ..CONTEXT },
                Context { family: Family::Bodies, ..CONTEXT },
                Context { salt: 0, ..CONTEXT },
            ];
            prop_assert!(elsewhere.iter().all(|other| read(&bytes, *other, offset).is_err()));
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(read(&bytes, CONTEXT, offset).is_err());
        }
    }

    #[test]
    fn a_frame_inside_a_damaged_frame_is_not_believed() {
        // Somebody guesses the place at which a record will lie, and hides a frame in it, but cannot guess the salt.
        let guessed = Context { salt: 0, ..CONTEXT };
        let mut inner = Vec::new();
        write(&mut inner, guessed, 64 + 30, 64, &frame(b"forged"));
        let mut bytes = Vec::new();
        write(&mut bytes, CONTEXT, 64, 64, &frame(&inner));
        assert_eq!(&bytes[30..30 + inner.len()], &inner[..], "the guess is right");
        bytes[3] ^= 1;
        let found = scan(&bytes, CONTEXT, 64);
        assert!(found.frames.is_empty());
        let all = 64..64 + u32::try_from(bytes.len()).unwrap();
        assert_eq!(found.holes, std::slice::from_ref(&all));
    }

    #[test]
    fn the_scan_goes_on_behind_a_hole() {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for number in 0..5_u8 {
            starts.push(u32::try_from(bytes.len()).unwrap());
            let offset = starts[usize::from(number)];
            write(&mut bytes, CONTEXT, offset, 0, &frame(&[number; 40]));
        }
        bytes[starts[1] as usize + 30] ^= 1;
        bytes[starts[2] as usize] ^= 1;
        let found = scan(&bytes, CONTEXT, 0);
        let hole = starts[1]..starts[3];
        assert_eq!(found.holes, std::slice::from_ref(&hole));
        assert_eq!(found.frames.iter().map(|frame| frame.offset).collect::<Vec<_>>(), [0, starts[3], starts[4]]);
    }
}

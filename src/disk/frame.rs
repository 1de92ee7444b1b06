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
//!
//! A frame that was *erased* is as long as before and says so by the highest bit of the key length; its content is zeros. Head and key
//! stay, so that the scan goes on behind it, and nobody takes the place for damage.

use std::ops::Range;

use super::segment::Family;
use crate::encoding::time::UnixTime;
use crate::ledger::{Frame, Key};

/// The longest frame: beyond any charter, and within one read.
pub(crate) const MAX: usize = 64 << 20;

/// The bit of the key length that says that the content was erased.
const ERASED: u8 = 0x80;

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
    /// Zeros if it was erased.
    pub(crate) content: &'a [u8],
    pub(crate) erased: bool,
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

/// The erased frame for the place of `bytes`, which lie at `offset` and may be damaged: with their head as far as it makes sense, and zeros
/// for content. `None` if the key does not fit.
pub(crate) fn erased(bytes: &[u8], context: Context, offset: u32, key: &Key) -> Option<Vec<u8>> {
    let key = key.to_bytes();
    if bytes.len() < FIXED + key.len() + CHECKSUM {
        return None;
    }
    let mut blank = Vec::with_capacity(bytes.len());
    blank.extend(u32::try_from(bytes.len()).ok()?.to_be_bytes());
    blank.extend(context.segment.to_be_bytes());
    blank.extend(offset.to_be_bytes());
    // A group begins at or before its frames, and the time is one that can be read, or else they are not what was written.
    let group = number(bytes, 12).filter(|group| *group <= offset).unwrap_or(offset);
    blank.extend(group.to_be_bytes());
    let at = bytes[16..].first_chunk().map(|at| u64::from_be_bytes(*at)).filter(|at| time(*at).is_some());
    blank.extend(at.unwrap_or(0).to_be_bytes());
    blank.push(u8::try_from(key.len()).ok()? | ERASED);
    blank.extend(&key);
    blank.resize(bytes.len() - CHECKSUM, 0);
    blank.extend(checksum(context, &blank).to_be_bytes());
    Some(blank)
}

/// Where in a stretch that is no whole frame a frame says of itself that it begins: the stretch cut there, each piece with the key that its
/// frame claims. What comes before the first claims nothing.
pub(crate) fn pieces(bytes: &[u8], context: Context, start: u32) -> Vec<(Range<u32>, Option<Key>)> {
    let place = |at: usize| start + u32::try_from(at).expect("a segment is shorter than 4 GiB");
    let is_place =
        |at: &usize| number(bytes, at + 4) == Some(context.segment) && number(bytes, at + 8) == Some(place(*at));
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let next = (at + 1..bytes.len()).find(is_place).unwrap_or(bytes.len());
        let key = is_place(&at).then(|| key_in(&bytes[at..], context.family)).flatten();
        // A frame goes as far as it says, whatever its content says.
        let length = number(bytes, at).map_or(0, |length| length as usize);
        let is_length = key.is_some() && (SHORTEST..=bytes.len() - at).contains(&length);
        let end = if is_length { at + length } else { next };
        pieces.push((place(at)..place(end), key));
        at = end;
    }
    pieces
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
    let key = key_in(bytes, context.family)?;
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
    let at = time(u64::from_be_bytes(*fixed[16..].first_chunk()?))?;
    let (key, content) = rest.split_at_checked(usize::from(fixed[FIXED - 1] & !ERASED))?;
    let key = Key::from_bytes(key).filter(|key| Family::of(key) == family)?;
    Some(Parsed {
        key,
        at,
        content,
        erased: fixed[FIXED - 1] & ERASED != 0,
        offset: number(fixed, 8)?,
        length,
        group: number(fixed, 12)?,
        checksum,
    })
}

/// The key that a frame at the start of `bytes` claims, whole or not.
fn key_in(bytes: &[u8], family: Family) -> Option<Key> {
    let length = usize::from(*bytes.get(FIXED - 1)? & !ERASED);
    let key = bytes.get(FIXED..FIXED + length).and_then(Key::from_bytes)?;
    Some(key).filter(|key| Family::of(key) == family)
}

fn time(seconds: u64) -> Option<UnixTime> {
    UnixTime::from_seconds(i64::try_from(seconds).ok()?).ok()
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
            prop_assert!(!parsed.erased);
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

    proptest! {
        #[test]
        fn an_erased_frame_has_the_length_and_key_of_before_and_no_byte_of_the_content(content in prop::collection::vec(1..=u8::MAX, 8..200), offset in 64..1_000_u32) {
            let context = Context { family: Family::Bodies, ..CONTEXT };
            let frame = Frame { key: Key::Head("GE-7".parse().unwrap()), ..frame(&content) };
            let mut bytes = Vec::new();
            write(&mut bytes, context, offset, 64, &frame);
            let blank = erased(&bytes, context, offset, &frame.key).unwrap();
            prop_assert_eq!(blank.len(), bytes.len());
            let parsed = read(&blank, context, offset).unwrap();
            prop_assert!(parsed.erased && parsed.content.iter().all(|byte| *byte == 0));
            prop_assert_eq!((parsed.key, parsed.at, parsed.group), (frame.key, frame.at, 64));
            // Erased twice is erased once; and torn anywhere in between, the place says what it was.
            prop_assert_eq!(erased(&blank, context, offset, &frame.key), Some(blank.clone()));
            for cut in 0..=bytes.len() {
                let torn = [&blank[..cut], &bytes[cut..]].concat();
                let all = offset..offset + u32::try_from(bytes.len()).unwrap();
                prop_assert_eq!(pieces(&torn, context, offset), [(all, Some(frame.key))]);
                prop_assert_eq!(erased(&torn, context, offset, &frame.key), Some(blank.clone()));
            }
        }
    }

    #[test]
    fn a_hole_is_cut_where_frames_say_that_they_begin() {
        let context = Context { family: Family::Bodies, ..CONTEXT };
        let (mut bytes, mut starts, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..3_u8 {
            starts.push(64 + u32::try_from(bytes.len()).unwrap());
            keys.push(Key::Compartment("GE-7".parse().unwrap(), number));
            let frame = Frame { key: keys[usize::from(number)], ..frame(&[9; 50]) };
            write(&mut bytes, context, starts[usize::from(number)], 64, &frame);
        }
        let end = 64 + u32::try_from(bytes.len()).unwrap();
        // The head of the first is gone, of the second the content.
        bytes[6] ^= 1;
        bytes[(starts[1] - 64) as usize + 60] ^= 1;
        let expected = [(64..starts[1], None), (starts[1]..starts[2], Some(keys[1])), (starts[2]..end, Some(keys[2]))];
        assert_eq!(pieces(&bytes, context, 64), expected);
        // What looks like a frame in the content of another begins none.
        let inner = (starts[1] - 64) as usize + 60;
        let (segment, offset) = (context.segment.to_be_bytes(), (64 + u32::try_from(inner).unwrap()).to_be_bytes());
        bytes[inner + 4..inner + 12].copy_from_slice(&[segment, offset].concat());
        assert_eq!(pieces(&bytes, context, 64), expected);
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

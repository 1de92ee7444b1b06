//! The walk over index and segments, and what its findings mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::super::files::{Access, FileSystem};
use super::super::frame::{self, Context, Parsed, Place};
use super::super::index::{STATE, View};
use super::super::open::{self, IndexKind, OpenError, Report};
use super::super::scrub;
use super::super::segment::{Family, HEADER, Header, Segments};
use super::{Checked, FAULTS_MAX, Fault, Heals, healing};
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::merkle;
use crate::ledger::{Key, StoreError};

/// A family and a place in it.
type Spot = (usize, Place);

/// What was seen so far.
pub(in super::super) struct Walk<'a> {
    segments: [Arc<Segments>; 2],
    numbers: [Vec<u32>; 2],
    /// How far the index has seen, if it is to be believed.
    known: [Place; 2],
    is_indexed: bool,
    /// Frames that count by the index and are not whole, with their length.
    lost: BTreeMap<Spot, (Key, u32, String)>,
    /// Stretches that are no whole frame.
    pieces: Vec<(Spot, Piece)>,
    /// Positions of each log that are held, as begin and end of stretches.
    held: BTreeMap<LogId, BTreeMap<u64, u64>>,
    /// Bodies that were erased.
    erased: BTreeSet<RecordId>,
    /// Whole frames of bodies that were erased.
    left: Vec<(Spot, Key, u32)>,
    /// Whole frames of statements that others at the same position came before.
    again: Vec<(Spot, RecordId, Digest)>,
    checked: Checked,
    /// Whether more was found than is kept in memory.
    is_cut: bool,
    total: u64,
    done: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

/// A stretch that is no whole frame.
#[derive(Debug)]
struct Piece {
    length: u32,
    /// What it was, by the index or by what is left of it.
    key: Option<Key>,
    is_sure: bool,
    what: String,
}

/// What other frames tell about the key of a damaged one.
#[derive(Debug, Default)]
struct Others {
    newest: BTreeMap<Key, Spot>,
    /// Of statements: the first, with its leaf hash.
    first: BTreeMap<Key, (Spot, Digest)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        fs: &Arc<dyn FileSystem>,
        dir: &Path,
        progress: &'a mut dyn FnMut(u64, u64),
    ) -> Result<Self, OpenError> {
        let segments = Family::ALL.map(|family| Arc::new(Segments::new(Arc::clone(fs), dir, family, Access::Read)));
        let mut report = Report::default();
        let numbers = [
            open::present(&segments[0], Access::Read, &mut report)?,
            open::present(&segments[1], Access::Read, &mut report)?,
        ];
        let mut checked = Checked::default();
        for cut in report.cut {
            checked.add(torn(
                cut.file,
                cut.offset,
                cut.bytes,
                "a crash came between making the segment and its header",
            ));
        }
        for damage in report.damage {
            let advice = "peers that hold what was in it give it back once the node runs".to_owned();
            checked.add(unknown(damage.file, damage.offset, 0, damage.what, advice));
        }
        let mut total = 0;
        for (segments, numbers) in segments.iter().zip(&numbers) {
            for number in numbers {
                total += segments.inspect(*number)?.0;
            }
        }
        Ok(Self {
            segments,
            numbers,
            known: Default::default(),
            is_indexed: false,
            lost: BTreeMap::new(),
            pieces: Vec::new(),
            held: BTreeMap::new(),
            erased: BTreeSet::new(),
            left: Vec::new(),
            again: Vec::new(),
            checked,
            is_cut: false,
            total,
            done: 0,
            progress,
        })
    }

    /// The statements of a log that are held without a gap.
    pub(super) fn size(&self, log: &LogId) -> u64 {
        self.held.get(log).and_then(|held| held.get(&0)).copied().unwrap_or(0)
    }

    /// Reads the index, and through it every frame that counts.
    pub(super) fn index(&mut self, kind: &IndexKind) {
        let (index, state) = match open::found(kind) {
            None => return,
            Some(Err(error)) => return self.spoilt_index(&error.to_string()),
            Some(Ok((index, state, _))) => (index, state),
        };
        self.known = state.seen.map(|seen| seen.next);
        self.is_indexed = true;
        self.total *= 2;
        for (segments, seen) in self.segments.iter().zip(state.seen) {
            if let Some(what) = open::differs(segments, seen) {
                // The rows are true of an earlier moment: they tell what has gone since.
                self.checked.add(fault_of_index(&what));
            }
        }
        let mut count = 0;
        let view = View::new(index, state.sum);
        let end = [crate::ledger::KeyKind::END];
        for row in view.index.range(&[STATE[0] + 1], &end) {
            let (key, value) = match row {
                Ok(row) => row,
                Err(error) => return self.spoilt_index(&error.to_string()),
            };
            for (key, row) in scrub::frames(&key, &value) {
                count += 1;
                let family = Family::of(&key) as usize;
                if let Some(what) = scrub::examine(&self.segments[family], &key, row) {
                    if self.lost.len() < FAULTS_MAX {
                        self.lost.insert((family, row.place), (key, row.length, what));
                    } else {
                        self.is_cut = true;
                        self.checked.more += 1;
                    }
                }
                self.advance(row.length.into());
            }
        }
        self.checked.indexed = Some(count);
    }

    fn spoilt_index(&mut self, what: &str) {
        self.is_indexed = false;
        self.known = Default::default();
        self.lost.clear();
        self.checked.add(fault_of_index(what));
    }

    /// Reads all segments.
    pub(super) fn segments(&mut self) -> Result<(), OpenError> {
        for family in [0, 1] {
            let segments = Arc::clone(&self.segments[family]);
            let mut end = Place::default();
            for number in self.numbers[family].clone() {
                let (length, header) = segments.inspect(number)?;
                self.checked.segments += 1;
                self.checked.bytes += length;
                match header {
                    Header::Good { salt } => self.spoilt_copy(&segments, number, salt)?,
                    Header::OtherVersion(found) => {
                        return Err(OpenError::OtherVersion { file: segments.name(number), found });
                    }
                    Header::Damaged => {
                        let what = "the header and its copy are damaged; nothing in it can be read".to_owned();
                        let advice = "peers that hold what was in it give it back once the node runs".to_owned();
                        self.checked.add(unknown(segments.name(number), 0, length, what, advice));
                        self.advance(length);
                        end = Place { segment: number, offset: HEADER };
                        continue;
                    }
                }
                match self.segment(family, &segments, number) {
                    Ok(offset) => end = Place { segment: number, offset },
                    Err(StoreError::Io { source, .. }) => {
                        let what = format!("it cannot be read: {source}");
                        let advice =
                            "look at the disk first; what stays lost, peers give back once the node runs".to_owned();
                        self.checked.add(unknown(segments.name(number), 0, length, what, advice));
                        self.is_cut = true;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            let known = self.known[family];
            if known > end && !self.is_cut {
                let what = format!("all up to byte {} of {} was there", known.offset, segments.name(known.segment));
                let advice = "peers that hold what was there give it back once the node runs".to_owned();
                let file = segments.name(end.segment.max(1));
                self.checked.add(unknown(file, end.offset.into(), 0, what, advice));
            }
        }
        Ok(())
    }

    fn spoilt_copy(&mut self, segments: &Segments, number: u32, salt: u32) -> Result<(), StoreError> {
        if let Some(offset) = segments.spoilt_copy(number, salt)? {
            self.checked.add(Fault {
                file: segments.name(number),
                offset: offset.into(),
                bytes: u64::from(HEADER) / 2,
                frame: None,
                is_sure: true,
                what: "one of the two copies of the header is damaged".to_owned(),
                heals: Heals::Unneeded,
                advice: "the other copy is enough; look at the disk".to_owned(),
                is_harmless: true,
            });
        }
        Ok(())
    }

    /// Reads one segment; gives where it ends, without a torn end.
    fn segment(&mut self, family: usize, segments: &Segments, number: u32) -> Result<u32, StoreError> {
        let (bytes, context) = open::stretch(segments, number, HEADER)?;
        let is_last = self.numbers[family].last() == Some(&number);
        let mut found = frame::scan(&bytes, context, HEADER);
        let mut end = HEADER + u32::try_from(bytes.len()).expect("a segment is shorter than 4 GiB");
        if is_last && let Some(cut) = open::torn(&found, self.known[family], number) {
            let what = "a crash tore the end; it was never acknowledged";
            self.checked.add(torn(segments.name(number), cut.into(), (end - cut).into(), what));
            found.holes.retain(|hole| hole.start < cut);
            found.frames.retain(|frame| frame.offset < cut);
            end = cut;
        }
        for hole in found.holes {
            self.hole(family, &bytes, context, hole.start, hole.end);
        }
        for frame in &found.frames {
            self.checked.frames += 1;
            self.hold(family, number, frame);
        }
        self.advance(u64::from(HEADER) + bytes.len() as u64);
        Ok(end)
    }

    /// Takes note of a statement that is whole, and of what should not be there any more.
    fn hold(&mut self, family: usize, number: u32, frame: &Parsed<'_>) {
        if let Key::Erased(id) = frame.key {
            self.erased.insert(id);
        }
        if !frame.erased && frame.key.body_of().is_some_and(|id| self.erased.contains(&id)) {
            let spot = (family, Place { segment: number, offset: frame.offset });
            if self.left.len() < FAULTS_MAX {
                self.left.push((spot, frame.key, frame.length));
            } else {
                self.checked.more += 1;
            }
        }
        let Key::Statement(id) = frame.key else { return };
        if !insert(self.held.entry(id.log).or_default(), id.position) {
            let spot = (family, Place { segment: number, offset: frame.offset });
            if self.again.len() < FAULTS_MAX {
                self.again.push((spot, id, merkle::leaf_hash(frame.content)));
            } else {
                self.is_cut = true;
            }
        }
    }

    /// Splits a stretch that is no whole frame into what it was: by the index, else by what is left.
    fn hole(&mut self, family: usize, bytes: &[u8], context: Context, start: u32, end: u32) {
        let mut at = start;
        while at < end {
            let place = Place { segment: context.segment, offset: at };
            let rest = &bytes[(at - HEADER) as usize..(end - HEADER) as usize];
            let piece = if let Some((key, length, what)) = self.lost.remove(&(family, place)) {
                let length = length.min(end - at).max(1);
                let what = what.rsplit(": ").next().unwrap_or(&what).to_owned();
                Piece { length, key: Some(key), is_sure: true, what }
            } else {
                let next = self.lost.range((family, place)..).next().map(|((of, place), _)| (*of, *place));
                let next = next.filter(|(of, place)| *of == family && place.segment == context.segment);
                let most = next.map_or(end, |(_, place)| place.offset.min(end)) - at;
                let claim = frame::claim(rest, context, at).map(|(length, key)| (length.min(most), key));
                let what = frame::read(rest, context, at).err().unwrap_or("a frame is damaged").to_owned();
                match claim {
                    Some((length, key)) => Piece { length, key: Some(key), is_sure: false, what },
                    None => Piece { length: most, key: None, is_sure: false, what },
                }
            };
            at += piece.length;
            if self.pieces.len() < FAULTS_MAX {
                self.pieces.push(((family, place), piece));
            } else {
                self.is_cut = true;
                self.checked.more += 1;
            }
        }
    }

    /// Says of everything found what it means.
    pub(super) fn classify(&mut self) -> Checked {
        let others = self.others();
        let mut named = BTreeSet::new();
        let mut faults = Vec::new();
        for (spot, piece) in std::mem::take(&mut self.pieces) {
            named.extend(piece.key);
            faults.push((spot, self.judge(&others, spot, piece)));
        }
        for (spot, key, length) in std::mem::take(&mut self.left) {
            let what = "it was erased, and is still there".to_owned();
            faults.push((spot, self.judge(&others, spot, Piece { length, key: Some(key), is_sure: true, what })));
        }
        for ((family, place), (key, length, what)) in std::mem::take(&mut self.lost) {
            if key.body_of().is_some_and(|id| self.erased.contains(&id)) {
                // The index is of an earlier moment.
                continue;
            }
            // In a file that is gone or ends before, or whole and another than the index says.
            named.insert(key);
            let what = what.rsplit(": ").next().unwrap_or(&what).to_owned();
            let piece = Piece { length, key: Some(key), is_sure: true, what };
            faults.push(((family, place), self.counts(key, (family, place), piece)));
        }
        for (spot, id, leaf) in std::mem::take(&mut self.again) {
            let key = Key::Statement(id);
            if others.first.get(&key).is_some_and(|(first, held)| *first != spot && *held != leaf) {
                let fault = Fault {
                    is_harmless: false,
                    heals: Heals::Unneeded,
                    advice: "the first counts; report this, it is a fault of the program or of memory".to_owned(),
                    ..self.counts(
                        key,
                        spot,
                        Piece {
                            length: 0,
                            key: Some(key),
                            is_sure: true,
                            what: format!("another {key} than the first"),
                        },
                    )
                };
                faults.push((spot, fault));
            }
        }
        faults.sort_by_key(|(spot, _)| *spot);
        faults.into_iter().for_each(|(_, fault)| self.checked.add(fault));
        self.gaps(&named);
        std::mem::take(&mut self.checked)
    }

    /// What a stretch that is no whole frame means.
    fn judge(&self, others: &Others, spot: Spot, piece: Piece) -> Fault {
        let (family, place) = spot;
        let (file, offset) = (self.segments[family].name(place.segment), u64::from(place.offset));
        let fault = |heals, advice: &str, is_harmless| Fault {
            file: file.clone(),
            offset,
            bytes: piece.length.into(),
            frame: piece.key,
            is_sure: piece.is_sure,
            what: piece.what.clone(),
            heals,
            advice: advice.to_owned(),
            is_harmless,
        };
        if piece.key.and_then(|key| key.body_of()).is_some_and(|id| self.erased.contains(&id)) {
            return fault(Heals::Itself, "a crash came in between; the next start erases what is left", false);
        }
        if !piece.is_sure && self.is_indexed && !self.is_cut && place < self.known[family] {
            let advice = "nobody needs it: the index points to newer frames, or to one that was put back";
            return fault(Heals::Unneeded, advice, true);
        }
        let Some(key) = piece.key else {
            let advice = "peers give back what is missing of logs and bodies once the node runs";
            return fault(Heals::Peer, advice, false);
        };
        if piece.is_sure {
            return self.counts(key, spot, piece);
        }
        let newest = others.newest.get(&key);
        let is_older = newest.is_some_and(|newest| matches!(key, Key::Statement(_)) || *newest > spot);
        if is_older {
            let advice = "nobody needs it if it is what it says: another frame of that name is whole";
            return fault(Heals::Unneeded, advice, false);
        }
        self.counts(key, spot, piece)
    }

    /// A frame that counts and is lost.
    fn counts(&self, key: Key, (family, place): Spot, piece: Piece) -> Fault {
        let is_signed = matches!(key, Key::Intent(id) if self.holds(id));
        let (heals, advice) = healing(&key, is_signed);
        Fault {
            file: self.segments[family].name(place.segment),
            offset: place.offset.into(),
            bytes: piece.length.into(),
            frame: Some(key),
            is_sure: piece.is_sure,
            what: piece.what,
            heals,
            advice: advice.to_owned(),
            is_harmless: false,
        }
    }

    fn holds(&self, id: RecordId) -> bool {
        let before = self.held.get(&id.log).and_then(|held| held.range(..=id.position).next_back());
        before.is_some_and(|(_, end)| *end > id.position)
    }

    /// Statements that are missing and that no fault names so far.
    fn gaps(&mut self, named: &BTreeSet<Key>) {
        let mut missing = Vec::new();
        for (log, held) in &self.held {
            let mut next = 0;
            for (start, end) in held {
                for position in (next..*start).take(FAULTS_MAX) {
                    let id = RecordId::new(*log, position);
                    if missing.len() < FAULTS_MAX && !named.contains(&Key::Statement(id)) {
                        missing.push(id);
                    }
                }
                next = *end;
            }
        }
        for id in missing {
            let what = format!("statement {id} is missing; those behind it are there");
            let (_, advice) = healing(&Key::Statement(id), false);
            let fault = unknown("segments".to_owned(), 0, 0, what, advice.to_owned());
            self.checked.add(Fault { frame: Some(Key::Statement(id)), is_sure: true, ..fault });
        }
    }

    /// Other frames under the keys of damaged ones; reads the segments once more if there are such.
    fn others(&mut self) -> Others {
        let mut others = Others::default();
        let claimed = self.pieces.iter().filter(|(_, piece)| !piece.is_sure).filter_map(|(_, piece)| piece.key);
        let again = self.again.iter().map(|(_, id, _)| Key::Statement(*id));
        let wanted: BTreeSet<Key> = claimed.chain(again).collect();
        if wanted.is_empty() {
            return others;
        }
        for (family, segments) in self.segments.iter().enumerate() {
            for number in &self.numbers[family] {
                // What cannot be read was told before.
                let Ok((bytes, context)) = open::stretch(segments, *number, HEADER) else { continue };
                for frame in frame::scan(&bytes, context, HEADER).frames {
                    if frame.erased || !wanted.contains(&frame.key) {
                        continue;
                    }
                    let spot = (family, Place { segment: *number, offset: frame.offset });
                    others.newest.insert(frame.key, spot);
                    if matches!(frame.key, Key::Statement(_)) {
                        others.first.entry(frame.key).or_insert_with(|| (spot, merkle::leaf_hash(frame.content)));
                    }
                }
            }
        }
        others
    }

    fn advance(&mut self, bytes: u64) {
        self.done = (self.done + bytes).min(self.total);
        (self.progress)(self.done, self.total);
    }
}

/// Adds a position to stretches of positions; whether it was not there.
fn insert(held: &mut BTreeMap<u64, u64>, position: u64) -> bool {
    let before = held.range(..=position).next_back().map(|(start, end)| (*start, *end));
    if before.is_some_and(|(_, end)| end > position) {
        return false;
    }
    let start = before.filter(|(_, end)| *end == position).map_or(position, |(start, _)| start);
    let end = held.remove(&(position + 1)).unwrap_or(position + 1);
    held.insert(start, end);
    true
}

fn torn(file: String, offset: u64, bytes: u64, what: &str) -> Fault {
    let (what, advice) = (what.to_owned(), "the next start cuts it off".to_owned());
    Fault { file, offset, bytes, frame: None, is_sure: true, what, heals: Heals::Itself, advice, is_harmless: true }
}

fn unknown(file: String, offset: u64, bytes: u64, what: String, advice: String) -> Fault {
    Fault { file, offset, bytes, frame: None, is_sure: false, what, heals: Heals::Peer, advice, is_harmless: false }
}

fn fault_of_index(what: &str) -> Fault {
    let advice = "the next start builds it anew from the segments, and audits the logs anew".to_owned();
    let (file, what) = ("index".to_owned(), what.to_owned());
    Fault {
        file,
        offset: 0,
        bytes: 0,
        frame: None,
        is_sure: true,
        what,
        heals: Heals::Itself,
        advice,
        is_harmless: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_grow_together() {
        let mut held = BTreeMap::new();
        for position in [0, 1, 5, 3, 4] {
            assert!(insert(&mut held, position));
        }
        assert_eq!(held, BTreeMap::from([(0, 2), (3, 6)]));
        assert!(!insert(&mut held, 4) && !insert(&mut held, 0));
        assert!(insert(&mut held, 2));
        assert_eq!(held, BTreeMap::from([(0, 6)]));
    }
}

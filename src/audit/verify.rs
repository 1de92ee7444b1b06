//! The check of an audit log: line by line, then against what was anchored.
//!
//! What the chain shows by itself: a line that was edited, taken out, put in, doubled or moved. Who edits a line and all behind it, or cuts
//! off the end, leaves a chain that holds; that shows at the next anchor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::{Link, NotAnEntry};
use crate::encoding::hash::Digest;
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;

/// Faults that are listed; more are only counted. The first is what matters.
pub const FAULTS_MAX: usize = 100;

/// What a node has said in its own log of its audit log: so many entries, the last with this digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The record that says it.
    pub record: RecordId,
    /// When it was made, as its author says.
    pub at: UnixTime,
    /// Entries until then.
    pub entries: u64,
    /// The digest of the last of them.
    pub head: Digest,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as the caller calls it.
    pub file: String,
    /// The line; the first is 1.
    pub line: u64,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where; none for what only an anchor shows.
    pub place: Option<Place>,
    /// The entry that stands there, or should.
    pub entry: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no entry, or its digest is that of another text.
    Altered(NotAnEntry),
    /// Its digest is its own, but the line behind it was written after another one.
    Replaced,
    /// The entries from this one to `last` are not here: another one stands here.
    Missing {
        /// The last that is missing.
        last: u64,
    },
    /// An entry stands here that was before: it is doubled, or was moved.
    OutOfPlace {
        /// The entry that should stand here.
        expected: u64,
    },
    /// The node itself found its log damaged before this line, and says so.
    Resumed,
    /// The first entry says that there was one before.
    NoBeginning,
    /// The entries from this one to the last that this anchor counts are others than were anchored.
    NotAsAnchored(Anchor),
    /// The log ends before what this anchor counts.
    CutOff(Anchor),
}

/// How an anchor stands to the entries at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The entry that it names is the one at hand.
    Holds,
    /// Another entry is at hand under that number, or none although there are later ones.
    Broken,
    /// The entries at hand end before it.
    Beyond,
    /// The entries at hand begin after it.
    Before,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number of the first entry at hand; none if there is none.
    pub first: Option<u64>,
    /// The number of the last one.
    pub last: Option<u64>,
    /// The digest of the last one.
    pub head: Option<Digest>,
    /// Lines read.
    pub lines: u64,
    /// What is not as it was written, in the order of the lines; what anchors show comes last.
    pub faults: Vec<Fault>,
    /// Faults beyond [`FAULTS_MAX`].
    pub more: u64,
    /// A last line without its end: a crash tore it, or it is being written. Harmless by itself.
    pub torn: Option<Place>,
    /// The anchors, in the order in which they were given.
    pub anchors: Vec<(Anchor, Standing)>,
    /// The last anchor up to which every entry at hand is as it was written.
    pub holds_to: Option<Anchor>,
}

/// Checks lines, one after the other.
#[derive(Debug)]
pub struct Verifier {
    file: String,
    line: u64,
    lines: u64,
    first: Option<u64>,
    /// The number that the next line should have.
    next: Option<u64>,
    last: Option<Last>,
    /// The last line does not fit to the one before it: which of the two was altered, the next line tells.
    doubt: Option<Doubt>,
    torn: Option<Place>,
    faults: Vec<Fault>,
    more: u64,
    anchors: Vec<(Anchor, Standing)>,
    by_entry: BTreeMap<u64, Vec<usize>>,
}

/// The last line that stands at its place. `digest` is none if the line cannot be believed.
#[derive(Clone, Debug)]
struct Last {
    place: Place,
    number: u64,
    digest: Option<Digest>,
}

#[derive(Debug)]
struct Doubt {
    before: Last,
    this: Last,
}

impl Verifier {
    /// Checks against these anchors as well.
    #[must_use]
    pub fn new(anchors: Vec<Anchor>) -> Self {
        let mut by_entry: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (at, anchor) in anchors.iter().enumerate() {
            by_entry.entry(anchor.entries).or_default().push(at);
        }
        Self {
            file: String::new(),
            line: 0,
            lines: 0,
            first: None,
            next: None,
            last: None,
            doubt: None,
            torn: None,
            faults: Vec::new(),
            more: 0,
            anchors: anchors.into_iter().map(|anchor| (anchor, Standing::Beyond)).collect(),
            by_entry,
        }
    }

    /// What comes now is in this file.
    pub fn file(&mut self, name: impl Into<String>) {
        self.flush_torn();
        self.file = name.into();
        self.line = 0;
    }

    /// The next line, without its end.
    pub fn line(&mut self, line: &[u8]) {
        self.line += 1;
        self.lines += 1;
        let place = Place { file: self.file.clone(), line: self.line };
        match Link::read(line) {
            Ok(link) => self.take(place, &link),
            Err(error) => self.unreadable(place, error),
        }
    }

    /// The next line is passed over: it lies before what is to be checked.
    pub fn pass(&mut self) {
        self.line += 1;
    }

    /// What stands behind the end of the last line of a file, if anything does.
    pub fn rest(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.torn = Some(Place { file: self.file.clone(), line: self.line + 1 });
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.settle(None);
        let last = self.last.as_ref().map(|last| last.number);
        self.judge_anchors(last);
        // The first fault that a line shows ends what is as it was written.
        let bad = self.faults.iter().map(|fault| fault.entry).min().unwrap_or(u64::MAX);
        let holding = self.anchors.iter().filter(|(_, standing)| *standing == Standing::Holds);
        let holds_to = holding.map(|(anchor, _)| *anchor).filter(|anchor| anchor.entries < bad);
        let holds_to = holds_to.max_by_key(|anchor| anchor.entries);
        Report {
            first: self.first,
            last,
            head: self.last.and_then(|last| last.digest),
            lines: self.lines,
            faults: self.faults,
            more: self.more,
            torn: self.torn,
            anchors: self.anchors,
            holds_to,
        }
    }

    fn take(&mut self, place: Place, link: &Link) {
        let this = Last { place, number: link.number, digest: Some(link.digest) };
        self.settle(Some(link));
        let Some(expected) = self.next else {
            if link.number == 1 && link.previous != Digest::ZERO {
                self.fault(Some(this.place.clone()), 1, Flaw::NoBeginning);
            }
            self.first.get_or_insert(link.number);
            return self.accept(this);
        };
        if link.number < expected {
            return self.fault(Some(this.place), link.number, Flaw::OutOfPlace { expected });
        }
        if link.number > expected {
            let flaw = Flaw::Missing { last: link.number - 1 };
            self.fault(Some(this.place.clone()), expected, flaw);
        }
        if link.resumes {
            self.fault(Some(this.place.clone()), link.number, Flaw::Resumed);
        } else if link.number == expected
            && let Some(before) = self.last.take()
            && before.digest.is_some_and(|digest| digest != link.previous)
        {
            self.doubt = Some(Doubt { before, this: this.clone() });
        }
        self.accept(this);
    }

    /// The line stands where it belongs.
    fn accept(&mut self, this: Last) {
        for at in self.by_entry.get(&this.number).into_iter().flatten() {
            let (anchor, standing) = &mut self.anchors[*at];
            *standing = if this.digest == Some(anchor.head) { Standing::Holds } else { Standing::Broken };
        }
        self.next = this.number.checked_add(1);
        self.last = Some(this);
    }

    fn unreadable(&mut self, place: Place, error: NotAnEntry) {
        self.settle(None);
        let number = self.next.unwrap_or(1);
        self.first.get_or_insert(number);
        self.fault(Some(place.clone()), number, Flaw::Altered(error));
        self.accept(Last { place, number, digest: None });
    }

    /// Two lines that do not fit together: if the line behind them fits to the second, the first was altered; else the second.
    fn settle(&mut self, next: Option<&Link>) {
        let Some(Doubt { before, this }) = self.doubt.take() else { return };
        let second_fits = next.is_none_or(|next| Some(next.previous) == this.digest);
        let altered = if second_fits { before } else { this };
        self.fault(Some(altered.place), altered.number, Flaw::Replaced);
    }

    /// An unfinished line that is not the last of all is a damaged one.
    fn flush_torn(&mut self) {
        if let Some(place) = self.torn.take() {
            self.lines += 1;
            self.unreadable(place, NotAnEntry::Form);
        }
    }

    fn judge_anchors(&mut self, last: Option<u64>) {
        let mut holds_to = 0;
        let mut broken = Vec::new();
        let (first, last) = (self.first.unwrap_or(1), last.unwrap_or(0));
        let mut order: Vec<usize> = (0..self.anchors.len()).collect();
        order.sort_by_key(|at| (self.anchors[*at].0.entries, *at));
        for at in order {
            let (anchor, standing) = &mut self.anchors[at];
            if *standing == Standing::Beyond && anchor.entries < first {
                *standing = Standing::Before;
            } else if *standing == Standing::Beyond && anchor.entries <= last {
                *standing = Standing::Broken;
            }
            match *standing {
                Standing::Holds => holds_to = anchor.entries,
                Standing::Broken => broken.push((holds_to.max(first - 1) + 1, Flaw::NotAsAnchored(*anchor))),
                Standing::Beyond => broken.push((last + 1, Flaw::CutOff(*anchor))),
                Standing::Before => {}
            }
        }
        for (entry, flaw) in broken {
            self.fault(None, entry, flaw);
        }
    }

    fn fault(&mut self, place: Option<Place>, entry: u64, flaw: Flaw) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { place, entry, flaw });
        } else {
            self.more += 1;
        }
    }
}

impl Report {
    /// Whether every entry at hand is as it was written, as far as that can be seen, and no anchor says otherwise.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Act, Entry, Outcome};
    use super::*;

    /// A log of so many entries, line by line without the ends.
    fn log(entries: u64) -> Vec<Vec<u8>> {
        let mut previous = Digest::ZERO;
        let line = |number| {
            let act = Act::of_node("record-show", Outcome::Done).note(format!("note {number}"));
            let (line, digest) = act.at(number, UnixTime::ZERO.plus(number as i64), previous).line();
            previous = digest;
            line.trim_ascii_end().to_vec()
        };
        (1..=entries).map(line).collect()
    }

    /// The same line with another note, and a digest that fits.
    fn forged(line: &[u8]) -> Vec<u8> {
        let entry = Entry { note: Some("nothing".to_owned()), ..Entry::read(line).unwrap() };
        entry.line().0.trim_ascii_end().to_vec()
    }

    /// The log from `at` on written anew, with another entry there.
    fn rewritten(lines: &[Vec<u8>], at: usize) -> Vec<Vec<u8>> {
        let mut lines = lines.to_vec();
        lines[at] = forged(&lines[at]);
        for at in at + 1..lines.len() {
            let previous = Link::read(&lines[at - 1]).unwrap().digest;
            let entry = Entry { previous, ..Entry::read(&lines[at]).unwrap() };
            lines[at] = entry.line().0.trim_ascii_end().to_vec();
        }
        lines
    }

    fn anchor(lines: &[Vec<u8>], entries: u64) -> Anchor {
        let head = Link::read(&lines[entries as usize - 1]).unwrap().digest;
        Anchor { record: format!("GE-{entries}").parse().unwrap(), at: UnixTime::ZERO, entries, head }
    }

    fn check(lines: &[Vec<u8>], anchors: &[Anchor]) -> Report {
        let mut verifier = Verifier::new(anchors.to_vec());
        verifier.file("a");
        lines.iter().for_each(|line| verifier.line(line));
        verifier.finish()
    }

    /// What is found first: the line, the entry and what is wrong with it.
    fn first(lines: &[Vec<u8>], anchors: &[Anchor]) -> (Option<u64>, u64, Flaw) {
        let report = check(lines, anchors);
        let fault = report.faults.first().expect("a fault");
        (fault.place.as_ref().map(|place| place.line), fault.entry, fault.flaw.clone())
    }

    #[test]
    fn a_log_as_it_was_written_is_whole() {
        for entries in 0..20 {
            let lines = log(entries);
            let anchors: Vec<Anchor> = (1..=entries).map(|entries| anchor(&lines, entries)).collect();
            let report = check(&lines, &anchors);
            assert!(report.is_whole(), "{:?}", report.faults);
            let numbers = (entries > 0).then_some((1, entries));
            assert_eq!(report.first.zip(report.last), numbers);
            assert_eq!(report.holds_to, anchors.last().copied());
            assert_eq!(report.head, anchors.last().map(|anchor| anchor.head));
        }
    }

    #[test]
    fn every_edited_line_is_named() {
        let lines = log(12);
        for at in 0..12 {
            let number = at as u64 + 1;
            for byte in 0..lines[at].len() {
                let mut edited = lines.clone();
                edited[at][byte] ^= 1;
                let (line, entry, flaw) = first(&edited, &[]);
                assert!(matches!(flaw, Flaw::Altered(_)), "{flaw:?}");
                assert_eq!((line, entry), (Some(number), number), "byte {byte}");
                assert_eq!(check(&edited, &[]).faults.len(), 1);
            }
        }
    }

    #[test]
    fn a_line_that_was_edited_with_its_digest_is_named() {
        let lines = log(12);
        for at in 0..11 {
            let mut edited = lines.clone();
            edited[at] = forged(&edited[at]);
            assert_eq!(first(&edited, &[]), (Some(at as u64 + 1), at as u64 + 1, Flaw::Replaced));
            assert_eq!(check(&edited, &[]).faults.len(), 1);
        }
        // The last one has nothing behind it: the anchor tells.
        let mut edited = lines.clone();
        edited[11] = forged(&edited[11]);
        assert!(check(&edited, &[]).is_whole());
        let last = anchor(&lines, 12);
        assert_eq!(first(&edited, &[last]), (None, 1, Flaw::NotAsAnchored(last)));
        assert_eq!(first(&edited, &[anchor(&lines, 11), last]), (None, 12, Flaw::NotAsAnchored(last)));
    }

    /// Whoever mends the link of the next line as well is found at that line: the one behind it does not fit.
    #[test]
    fn an_edit_that_goes_on_for_some_lines_is_found_where_it_ends() {
        let lines = log(12);
        for (at, until) in (0..11).flat_map(|at| (at..11).map(move |until| (at, until))) {
            let mut edited = rewritten(&lines, at);
            edited[until + 1..].clone_from_slice(&lines[until + 1..]);
            assert_eq!(first(&edited, &[]), (Some(until as u64 + 1), until as u64 + 1, Flaw::Replaced));
        }
    }

    #[test]
    fn every_missing_line_is_named() {
        let lines = log(12);
        for (from, to) in (1..12).flat_map(|from| (from + 1..12).map(move |to| (from, to))) {
            let mut cut = lines.clone();
            cut.drain(from..to);
            let number = from as u64 + 1;
            assert_eq!(first(&cut, &[]), (Some(number), number, Flaw::Missing { last: to as u64 }));
            assert_eq!(check(&cut, &[]).faults.len(), 1);
        }
        // Without its beginning a log holds, and says where it begins.
        let report = check(&lines[5..], &[anchor(&lines, 3), anchor(&lines, 9)]);
        assert_eq!((report.is_whole(), report.first, report.last), (true, Some(6), Some(12)));
        assert_eq!(
            report.anchors.iter().map(|(_, standing)| *standing).collect::<Vec<_>>(),
            [Standing::Before, Standing::Holds]
        );
    }

    #[test]
    fn every_doubled_line_is_named() {
        let lines = log(12);
        for (at, to) in (0..12).flat_map(|at| (at + 1..=12).map(move |to| (at, to))) {
            let mut doubled = lines.clone();
            doubled.insert(to, lines[at].clone());
            let (line, entry, flaw) = first(&doubled, &[]);
            assert_eq!((line, entry), (Some(to as u64 + 1), at as u64 + 1));
            assert_eq!(flaw, Flaw::OutOfPlace { expected: to as u64 + 1 });
            assert_eq!(check(&doubled, &[]).faults.len(), 1);
        }
    }

    #[test]
    fn every_pair_of_swapped_lines_is_named() {
        let lines = log(12);
        for (a, b) in (0..12).flat_map(|a| (a + 1..12).map(move |b| (a, b))) {
            let mut swapped = lines.clone();
            swapped.swap(a, b);
            let (line, entry, _) = first(&swapped, &[]);
            if a == 0 {
                // Where the log begins is not known to the chain: the second line shows it.
                assert!(line <= Some(b as u64 + 1) && !check(&swapped, &[]).is_whole());
            } else {
                assert_eq!((line, entry), (Some(a as u64 + 1), a as u64 + 1));
            }
        }
    }

    #[test]
    fn an_end_that_is_cut_off_shows_at_the_anchor() {
        let lines = log(12);
        let anchors = [3, 7, 10].map(|entries| anchor(&lines, entries));
        for kept in 0..12_usize {
            let report = check(&lines[..kept], &anchors);
            let lost = anchors.iter().filter(|anchor| anchor.entries > kept as u64).count();
            assert_eq!(report.faults.len(), lost, "{kept} kept");
            assert_eq!(report.holds_to, anchors.iter().rfind(|anchor| anchor.entries <= kept as u64).copied());
            if let Some(fault) = report.faults.first() {
                assert_eq!((fault.entry, &fault.place), (kept as u64 + 1, &None));
                assert!(matches!(fault.flaw, Flaw::CutOff(_)));
            }
        }
    }

    /// A log that was written anew from some line on holds by itself; each anchor says between which entries it was altered.
    #[test]
    fn a_rewritten_log_shows_at_the_next_anchor() {
        let lines = log(12);
        let anchors = [3, 7, 10].map(|entries| anchor(&lines, entries));
        for at in 0..12 {
            let altered = rewritten(&lines, at);
            assert!(check(&altered, &[]).is_whole());
            let report = check(&altered, &anchors);
            let held = anchors.iter().rfind(|anchor| anchor.entries <= at as u64).copied();
            let broken = anchors.iter().find(|anchor| anchor.entries > at as u64).copied();
            assert_eq!(report.holds_to, held);
            let first = report.faults.first().map(|fault| (fault.entry, fault.flaw.clone()));
            let expected = broken.map(|broken| (held.map_or(0, |held| held.entries) + 1, Flaw::NotAsAnchored(broken)));
            assert_eq!(first, expected);
        }
    }

    #[test]
    fn what_a_node_says_of_its_own_damage_is_told_again() {
        let mut lines = log(5);
        lines[3] = b"rot".to_vec();
        let head = Link::read(&lines[4]).unwrap().digest;
        let resumed = Act::of_node(Act::RESUMED, Outcome::Done).at(6, UnixTime::ZERO, head).line().0;
        lines.push(resumed.trim_ascii_end().to_vec());
        let faults: Vec<(u64, Flaw)> =
            check(&lines, &[]).faults.into_iter().map(|fault| (fault.entry, fault.flaw)).collect();
        assert_eq!(faults, [(4, Flaw::Altered(NotAnEntry::Form)), (6, Flaw::Resumed)]);
    }

    #[test]
    fn a_torn_end_is_harmless_at_the_end_alone() {
        let lines = log(3);
        let mut verifier = Verifier::new(Vec::new());
        verifier.file("a");
        lines[..2].iter().for_each(|line| verifier.line(line));
        verifier.rest(&lines[2][..9]);
        let report = verifier.finish();
        assert!(report.is_whole());
        assert_eq!(report.torn, Some(Place { file: "a".to_owned(), line: 3 }));

        let mut verifier = Verifier::new(Vec::new());
        verifier.file("a");
        lines[..2].iter().for_each(|line| verifier.line(line));
        verifier.rest(&lines[2][..9]);
        verifier.file("b");
        let report = verifier.finish();
        assert_eq!(report.torn, None);
        let place = Place { file: "a".to_owned(), line: 3 };
        assert_eq!(report.faults, [Fault { place: Some(place), entry: 3, flaw: Flaw::Altered(NotAnEntry::Form) }]);
    }

    #[test]
    fn lines_go_on_from_file_to_file() {
        let lines = log(6);
        let mut verifier = Verifier::new(Vec::new());
        for (name, part) in [("a", &lines[..2]), ("b", &lines[2..3]), ("c", &lines[4..])] {
            verifier.file(name);
            part.iter().for_each(|line| verifier.line(line));
            verifier.rest(b"");
        }
        let place = Place { file: "c".to_owned(), line: 1 };
        let missing = Fault { place: Some(place), entry: 4, flaw: Flaw::Missing { last: 4 } };
        assert_eq!(verifier.finish().faults, [missing]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is done to the lines, unless it leaves a beginning of them: it is found, and not behind the first line that differs.
        #[test]
        fn nothing_that_is_done_to_lines_is_passed_over(
            entries in 2..15_u64, edits in prop::collection::vec((0..4_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
        ) {
            let lines = log(entries);
            let mut altered = lines.clone();
            for (edit, a, b) in edits {
                if altered.is_empty() {
                    break;
                }
                let (a, b) = (a.index(altered.len()), b.index(altered.len()));
                match edit {
                    0 => drop(altered.remove(a)),
                    1 => altered.swap(a, b),
                    2 => { let line = altered[a].clone(); altered.insert(b, line) }
                    _ => altered[a] = b"{}".to_vec(),
                }
            }
            let differs = lines.iter().zip(&altered).position(|(a, b)| a != b);
            let anchors = [anchor(&lines, entries)];
            let report = check(&altered, &anchors);
            // Without its beginning a log holds.
            prop_assert_eq!(report.is_whole(), !altered.is_empty() && lines.ends_with(&altered));
            let at = report.faults.iter().filter_map(|fault| fault.place.as_ref()).map(|place| place.line).min();
            if let (Some(differs), Some(at)) = (differs, at) && differs > 0 {
                prop_assert_eq!(at, differs as u64 + 1);
            }
            // Huge or few, the list is bounded.
            prop_assert!(report.faults.len() <= FAULTS_MAX);
        }
    }
}

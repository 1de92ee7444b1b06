//! One line of the audit log.
//!
//! A line is a JSON object of one line, and its last member is `digest`: SHA-256 over the bytes of the line before `,"digest":`. The member
//! before it is `previous`, the digest of the line before. So the form of the rest may grow, and every tool that can hash can check it.

use serde::{Deserialize, Serialize};

use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;

/// The longest line, its end included: an entry of the longest texts and the most ids is a fifth of it.
pub const LINE_MAX: usize = 16 << 10;
/// Ids in one entry; of more, how many more there are.
pub const IDS_MAX: usize = 100;
/// Characters of a text in an entry.
pub const TEXT_MAX: usize = 200;

/// What stands between the signed part of a line and its digest.
const MARK: &[u8] = br#","digest":""#;
/// What stands behind the digest.
const END: &[u8] = br#""}"#;
/// Digits of a digest.
const DIGITS: usize = 64;

/// One entry: who did what, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the log; the first is 1.
    pub number: u64,
    /// When it was written, by the clock of the machine.
    pub at: UnixTime,
    /// What was done or asked for, by a fixed list of words such as `record-show`.
    pub act: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The user who asked, as the kernel told; absent for what the node does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The user who logged in to the machine and became that user, where the kernel keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// The process that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// The officer, as the asker says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// The entry that says that this was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// What it was about, or what was shown: at most [`IDS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<RecordId>,
    /// How many more it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
    /// What else is to be known, in words of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The digest of the line before; zeros for the first.
    pub previous: Digest,
}

/// An entry that has no place in the log yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// See [`Entry::act`].
    pub act: &'static str,
    /// See [`Entry::outcome`].
    pub outcome: Outcome,
    /// See [`Entry::uid`].
    pub uid: Option<u32>,
    /// See [`Entry::login_uid`].
    pub login_uid: Option<u32>,
    /// See [`Entry::pid`].
    pub pid: Option<i32>,
    /// See [`Entry::officer`]; cut at [`TEXT_MAX`].
    pub officer: Option<String>,
    /// See [`Entry::of`].
    pub of: Option<u64>,
    /// See [`Entry::ids`]; those beyond [`IDS_MAX`] are counted.
    pub ids: Vec<RecordId>,
    /// How many more, besides those in `ids`.
    pub more: u64,
    /// See [`Entry::note`]; cut at [`TEXT_MAX`].
    pub note: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Asked for; a later entry says what came of it, unless the node ended before.
    Asked,
    /// Done, and the answer given.
    Done,
    /// Not done yet: it waits for a second person.
    Waiting,
    /// Not done: the asker was told why.
    Refused,
    /// Not done, or not known: the node failed or ended.
    Failed,
}

/// What chains one line to the next; all that a check needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number of the entry.
    pub number: u64,
    /// The digest of the line before.
    pub previous: Digest,
    /// The digest of this line.
    pub digest: Digest,
    /// Whether the node says that it found its log damaged and began again.
    pub resumes: bool,
}

/// Why bytes are no line of an audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEntry {
    /// It has another form.
    #[error("this is no entry")]
    Form,
    /// Its digest is that of another text.
    #[error("its digest does not fit its text")]
    Digest,
}

impl Act {
    /// The act of an entry by which a node begins again after damage. What it follows cannot be told from the files any more.
    pub const RESUMED: &'static str = "log-resumed";

    /// Something that the node does by itself.
    #[must_use]
    pub fn of_node(act: &'static str, outcome: Outcome) -> Self {
        Self {
            act,
            outcome,
            uid: None,
            login_uid: None,
            pid: None,
            officer: None,
            of: None,
            ids: Vec::new(),
            more: 0,
            note: None,
        }
    }

    /// With a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The entry at its place.
    #[must_use]
    pub fn at(self, number: u64, at: UnixTime, previous: Digest) -> Entry {
        let mut ids = self.ids;
        let more = self.more + ids.len().saturating_sub(IDS_MAX) as u64;
        ids.truncate(IDS_MAX);
        Entry {
            number,
            at,
            act: self.act.to_owned(),
            outcome: self.outcome,
            uid: self.uid,
            login_uid: self.login_uid,
            pid: self.pid,
            officer: self.officer.map(|officer| bounded(&officer)),
            of: self.of,
            ids,
            more: (more > 0).then_some(more),
            note: self.note.map(|note| bounded(&note)),
            previous,
        }
    }
}

impl Entry {
    /// The bytes of its line, the line's end included, and its digest.
    #[must_use]
    pub fn line(&self) -> (Vec<u8>, Digest) {
        // Numbers, texts and lists of a struct always have a JSON form, and it ends with the brace that is taken off here.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.pop();
        let digest = sha256(&line);
        line.extend(MARK);
        line.extend(digest.to_string().as_bytes());
        line.extend(END);
        line.push(b'\n');
        (line, digest)
    }

    /// Reads a line without its end.
    ///
    /// # Errors
    /// [`NotAnEntry`].
    pub fn read(line: &[u8]) -> Result<Self, NotAnEntry> {
        Link::read(line)?;
        serde_json::from_slice(line).map_err(|_| NotAnEntry::Form)
    }
}

/// The members that chain lines; others may come and go.
#[derive(Deserialize)]
struct Chained {
    number: u64,
    act: String,
    previous: Digest,
}

impl Link {
    /// Reads a line without its end.
    ///
    /// # Errors
    /// [`NotAnEntry`].
    pub fn read(line: &[u8]) -> Result<Self, NotAnEntry> {
        if line.len() >= LINE_MAX {
            return Err(NotAnEntry::Form);
        }
        let rest = line.strip_suffix(END).ok_or(NotAnEntry::Form)?;
        let (rest, digits) = rest.split_at_checked(rest.len().saturating_sub(DIGITS)).ok_or(NotAnEntry::Form)?;
        let text = rest.strip_suffix(MARK).ok_or(NotAnEntry::Form)?;
        let digest: Digest =
            std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or(NotAnEntry::Form)?;
        let chained: Chained = serde_json::from_slice(line).map_err(|_| NotAnEntry::Form)?;
        if sha256(text) != digest {
            return Err(NotAnEntry::Digest);
        }
        let resumes = chained.act == Act::RESUMED;
        Ok(Self { number: chained.number, previous: chained.previous, digest, resumes })
    }
}

/// A text that fits into an entry.
#[must_use]
pub fn bounded(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn act() -> Act {
        Act {
            uid: Some(1000),
            login_uid: Some(1001),
            pid: Some(4242),
            officer: Some("N. Officer".to_owned()),
            ids: vec!["FR-1042".parse().unwrap(), "GE.2-17".parse().unwrap()],
            note: Some("with content keys".to_owned()),
            ..Act::of_node("evidence", Outcome::Done)
        }
    }

    fn time() -> UnixTime {
        "2026-11-22T09:14:02Z".parse().unwrap()
    }

    #[test]
    fn the_bytes_of_a_line_are_these() {
        let (line, digest) = act().at(7, time(), sha256(b"the line before")).line();
        let expected = concat!(
            r#"{"number":7,"at":"2026-11-22T09:14:02Z","act":"evidence","outcome":"done","uid":1000,"login_uid":1001,"#,
            r#""pid":4242,"officer":"N. Officer","ids":["FR-1042","GE.2-17"],"note":"with content keys","#,
            r#""previous":"39045f39d3b751ed412a081efab9551e2329831dddf2b7444ce5586de13d5886","#,
            r#""digest":"9a957ef463a80e03001bfda74db948d596bc115f3c3b7aa31c933440b5e5b6a9"}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(line).unwrap(), expected);
        assert_eq!(digest.to_string().len(), 64);
    }

    #[test]
    fn the_shortest_line_says_only_what_there_is() {
        let (line, _) = Act::of_node("node-started", Outcome::Done).at(1, time(), Digest::ZERO).line();
        let line = String::from_utf8(line).unwrap();
        let begin = r#"{"number":1,"at":"2026-11-22T09:14:02Z","act":"node-started","outcome":"done","previous":"0000"#;
        assert!(line.starts_with(begin), "{line}");
    }

    #[test]
    fn what_is_too_long_is_cut_and_counted() {
        let many = Act { ids: (0..150).map(|at| format!("GE-{at}").parse().unwrap()).collect(), more: 7, ..act() };
        let long = Act { officer: Some("ö".repeat(10_000)), note: Some("\u{1}".repeat(10_000)), ..many };
        let entry = long.at(u64::MAX, UnixTime::MAX, Digest([0xff; 32]));
        assert_eq!((entry.ids.len(), entry.more), (IDS_MAX, Some(57)));
        let (line, _) = entry.line();
        assert!(line.len() < LINE_MAX / 2, "{}", line.len());
        assert_eq!(Entry::read(line.trim_ascii_end()), Ok(entry));
    }

    /// What a later version adds is no reason to doubt a line.
    #[test]
    fn members_of_a_later_version_are_passed_over() {
        let text = br#"{"number":3,"colour":"blue","act":"x","at":"2026-11-22T09:14:02Z","outcome":"done","previous":"0000000000000000000000000000000000000000000000000000000000000000""#;
        let line = [text.as_slice(), MARK, sha256(text).to_string().as_bytes(), END].concat();
        assert_eq!(Entry::read(&line).unwrap().number, 3);
    }

    #[test]
    fn no_changed_bit_is_passed_over() {
        let (line, digest) = act().at(7, time(), Digest::ZERO).line();
        let line = line.trim_ascii_end();
        assert_eq!(Link::read(line).unwrap(), Link { number: 7, previous: Digest::ZERO, digest, resumes: false });
        for bit in 0..line.len() * 8 {
            let mut other = line.to_vec();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(Link::read(&other).is_err(), "bit {bit}");
        }
        for length in 0..line.len() {
            assert!(Link::read(&line[..length]).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn an_entry_is_read_as_it_was_written(
            number in any::<u64>(), seconds in 0..=UnixTime::MAX.seconds(), uid in any::<Option<u32>>(), pid in any::<Option<i32>>(),
            officer in any::<Option<String>>(), note in any::<Option<String>>(), of in any::<Option<u64>>(), more in 0..1000_u64,
            previous in any::<[u8; 32]>(),
        ) {
            let act = Act { uid, pid, officer, note, of, more, ..act() };
            let entry = act.at(number, UnixTime::from_seconds(seconds).unwrap(), Digest(previous));
            let (line, digest) = entry.line();
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert!(line.iter().all(|byte| *byte >= 0x20 || *byte == b'\n'));
            let line = line.trim_ascii_end();
            prop_assert_eq!(Link::read(line).unwrap().digest, digest);
            prop_assert_eq!(Entry::read(line), Ok(entry));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            prop_assert!(Entry::read(&bytes).is_err());
        }
    }
}

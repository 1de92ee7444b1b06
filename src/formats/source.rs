//! A document as text, and places in it as people count them.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::Serialize;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::xml::Element;
use super::{ImportError, NotScheduled, Reason};

/// A place in a document: line and column, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

impl Position {
    /// Where every document begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// The text of a document.
pub(super) struct Text<'a> {
    /// Without a byte order mark.
    pub(super) text: Cow<'a, str>,
    /// Whether it was read as Windows-1252 because it is not UTF-8.
    pub(super) is_windows_1252: bool,
}

/// A document being read.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// Byte offset of the start of every line.
    lines: Vec<usize>,
    /// How many characters begin before every [`STEP`]th byte: a document may be one line of 32 MiB, and a place in it must
    /// not cost a walk through all of it.
    characters: Vec<usize>,
}

/// Distance of the marks in [`Source::characters`], in bytes.
const STEP: usize = 4_096;

/// The text of `bytes`: by byte order mark, else by what an XML declaration says, else UTF-8, else Windows-1252, which is
/// what spreadsheets of older offices write.
pub(super) fn decode(bytes: &[u8]) -> Result<Text<'_>, (Position, Reason)> {
    let marked = Encoding::for_bom(bytes);
    let body = marked.map_or(bytes, |(_, length)| bytes.get(length..).unwrap_or_default());
    let is_xml = body.trim_ascii_start().starts_with(b"<");
    let declared = if is_xml { declared_encoding(body)? } else { None };
    let encoding = marked.map(|(encoding, _)| encoding).or(declared).unwrap_or(UTF_8);
    let windows = encoding == UTF_8 && !is_xml && std::str::from_utf8(body).is_err();
    let encoding = if windows { WINDOWS_1252 } else { encoding };
    // The declared name of a 16-bit encoding cannot be true of a declaration that was read byte by byte.
    let encoding = if marked.is_none() && [UTF_16BE, UTF_16LE].contains(&encoding) { UTF_8 } else { encoding };
    let (text, had_errors) = encoding.decode_without_bom_handling(body);
    if had_errors {
        let valid = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
        let prefix = String::from_utf8_lossy(body.get(..valid).unwrap_or_default());
        return Err((position_after(&prefix), Reason::NotText { encoding: encoding.name() }));
    }
    if let Some(at) = text.find('\0') {
        return Err((position_after(&text[..at]), Reason::NotText { encoding: encoding.name() }));
    }
    Ok(Text { text, is_windows_1252: windows })
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a Text<'a>) -> Self {
        let text = text.text.as_ref();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut characters = vec![0];
        for chunk in text.as_bytes().chunks(STEP) {
            characters.push(characters.last().copied().unwrap_or(0) + count_starts(chunk));
        }
        Self { file, text, lines, characters }
    }

    /// How many characters begin before a byte offset.
    fn characters_before(&self, offset: usize) -> usize {
        let mark = offset / STEP;
        let rest = self.text.as_bytes().get(mark * STEP..offset).unwrap_or_default();
        self.characters.get(mark).copied().unwrap_or(0) + count_starts(rest)
    }

    /// The place of a byte offset.
    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        Position {
            line: whole(line),
            column: whole(self.characters_before(offset) - self.characters_before(start) + 1),
        }
    }

    /// The byte offset of a line and a column counted in bytes, both from 1, as JSON parsers report them.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        start + column.saturating_sub(1)
    }

    /// The text of an element, its tags included.
    pub(super) fn slice(&self, element: &Element) -> &'a str {
        self.text.get(element.start..element.end).unwrap_or_default()
    }

    pub(super) fn error(&self, offset: usize, reason: Reason) -> ImportError {
        ImportError::new(self.file, self.position(offset), reason)
    }

    pub(super) fn not_scheduled(&self, offset: usize, commodity: &str) -> NotScheduled {
        NotScheduled { file: self.file.to_owned(), line: self.position(offset).line, commodity: commodity.to_owned() }
    }
}

/// A value of a document: runs of white space and line breaks become one space, and the form is normalised, so that what
/// looks the same is the same. Nothing else is changed.
pub(super) fn tidy(value: &str) -> String {
    let spaced = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_nfc(&spaced) { spaced } else { spaced.nfc().collect() }
}

/// An EORI number is a country and 1 to 15 letters or digits; documents do not say which register an identifier is of.
pub(super) fn scheme(id: &str) -> &'static str {
    let (country, number) = id.split_at_checked(2).unwrap_or(("", ""));
    let eori = country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=15).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if eori { "EORI" } else { "national" }
}

/// The encoding that an XML declaration names.
fn declared_encoding(body: &[u8]) -> Result<Option<&'static Encoding>, (Position, Reason)> {
    let head = String::from_utf8_lossy(body.get(..body.len().min(256)).unwrap_or_default()).into_owned();
    let Some(declaration) =
        head.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map(|(all, _)| all)
    else {
        return Ok(None);
    };
    let Some((_, value)) = declaration.split_once("encoding") else { return Ok(None) };
    let label = value.trim_start().trim_start_matches('=').trim_start().trim_start_matches(['"', '\'']);
    let label = label.split(['"', '\'']).next().unwrap_or_default();
    Encoding::for_label(label.as_bytes()).map(Some).ok_or((Position::START, Reason::UnknownEncoding(label.to_owned())))
}

/// The bytes that begin a character in UTF-8.
fn count_starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

fn position_after(prefix: &str) -> Position {
    let line = prefix.matches('\n').count() + 1;
    let column = prefix.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Position { line: whole(line), column: whole(column) }
}

fn whole(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> (String, bool) {
        let text = decode(bytes).map_err(|(position, reason)| format!("{position:?} {reason}")).expect("text");
        (text.text.into_owned(), text.is_windows_1252)
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(text("ucr;é".as_bytes()), ("ucr;é".into(), false));
        assert_eq!(text(b"\xef\xbb\xbfucr"), ("ucr".into(), false));
        assert_eq!(text(b"ucr;\xe9\x80"), ("ucr;é€".into(), true));
        assert_eq!(text(b"\xff\xfeu\0c\0"), ("uc".into(), false));
        assert_eq!(
            text(b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>").0,
            "<?xml version='1.0' encoding='iso-8859-1'?><a>é</a>"
        );
    }

    #[test]
    fn what_is_not_text_is_refused_with_its_place() {
        assert_eq!(
            decode(b"<a>\n  \xe9</a>").err().map(|(position, _)| position),
            Some(Position { line: 2, column: 3 })
        );
        assert_eq!(decode(b"a\nb\0").err().map(|(position, _)| position), Some(Position { line: 2, column: 2 }));
        assert!(decode(b"<?xml version='1.0' encoding='x-none'?><a/>").is_err());
    }

    #[test]
    fn places_are_counted_from_one_in_characters() {
        let text = Text { text: "é1\r\nзд\n".into(), is_windows_1252: false };
        let source = Source::new("f", &text);
        let at = |offset| (source.position(offset).line, source.position(offset).column);
        let long = Text { text: "é".repeat(5_000).into(), is_windows_1252: false };
        assert_eq!(Source::new("f", &long).position(9_000).column, 4_501);
        assert_eq!([at(0), at(2), at(5), at(7), at(10), at(99)], [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 1)]);
    }
}

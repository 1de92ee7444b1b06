//! Text from outside on paper: nothing invisible, nothing dropped in silence, nothing that runs over.

use unicode_normalization::UnicodeNormalization as _;

use super::font::Face;

/// Characters of one text that are looked at. What is beyond is counted.
const LOOKED_AT: usize = 4_000;

/// The text with every character that the font cannot show, or that shows nothing by itself, as `⟨U+202E⟩`. The brackets themselves are
/// shown so as well, so that nobody can write a replacement.
pub(super) fn visible(text: &str, face: &Face) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.nfc() {
        let is_seen = face.glyph(letter).is_some_and(|glyph| glyph.advance > 0.0);
        if letter != '⟨' && letter != '⟩' && !letter.is_control() && is_seen {
            shown.push(letter);
        } else {
            shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(letter)));
        }
    }
    shown
}

/// The text in at most `lines` lines of a width in points, broken at spaces where there are any. What does not fit is cut, and how much that
/// was is said. Never empty.
pub(super) fn wrap(text: &str, face: &Face, size: f32, width: f32, lines: usize) -> Vec<String> {
    let whole = text.chars().count();
    let head: String = text.chars().take(LOOKED_AT).collect();
    let letters: Vec<char> = visible(&head, face).chars().collect();
    let beyond = whole - head.chars().count();
    let mut rows = Vec::new();
    let mut rest = &letters[..];
    while rows.len() + 1 < lines && !rest.is_empty() {
        let row = fitting(rest, face, size, width);
        if row.len() == rest.len() && beyond > 0 {
            break;
        }
        rest = &rest[row.len()..];
        rows.push(row.iter().collect::<String>().trim_end().to_owned());
    }
    if !rest.is_empty() || rows.is_empty() {
        rows.push(last(rest, beyond, face, size, width));
    }
    rows
}

/// The last line, cut if it must be.
fn last(rest: &[char], beyond: usize, face: &Face, size: f32, width: f32) -> String {
    let line: String = rest.iter().collect();
    if beyond == 0 && face.width(&line, size) <= width {
        return line;
    }
    let mut used = 0.0;
    let fits = rest.iter().take_while(|letter| {
        used += face.glyph(**letter).map_or(0.0, |glyph| glyph.advance * size);
        used <= width
    });
    let mut kept = fits.count();
    loop {
        let mark = format!("… [{} characters more]", rest.len() - kept + beyond);
        let line: String = rest[..kept].iter().chain(&mark.chars().collect::<Vec<_>>()).collect();
        if kept == 0 || face.width(&line, size) <= width {
            return line;
        }
        kept -= 1;
    }
}

/// As much as fits on a line: up to the last space in it, or to its end. At least one letter.
fn fitting<'a>(letters: &'a [char], face: &Face, size: f32, width: f32) -> &'a [char] {
    let mut used = 0.0;
    let mut space = None;
    for (at, letter) in letters.iter().enumerate() {
        used += face.glyph(*letter).map_or(0.0, |glyph| glyph.advance * size);
        if *letter == ' ' {
            // A space at the end takes no room.
            space = Some(at + 1);
        } else if used > width && at > 0 {
            return &letters[..space.unwrap_or(at)];
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::certificate::font::{Fonts, Style};

    fn check(text: &str, expected: &str) {
        let fonts = Fonts::load().unwrap();
        assert_eq!(visible(text, fonts.face(Style::Book)), expected);
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        check("Fábrica Ελλάς Україна", "Fábrica Ελλάς Україна");
        check("a\u{202e}b", "a⟨U+202E⟩b");
        check("a\0\n\t\u{7f}\u{85}", "a⟨U+0000⟩⟨U+000A⟩⟨U+0009⟩⟨U+007F⟩⟨U+0085⟩");
        check("a\u{200b}\u{ad}\u{2066}\u{feff}", "a⟨U+200B⟩⟨U+00AD⟩⟨U+2066⟩⟨U+FEFF⟩");
        check("海关 الجمارك", "⟨U+6D77⟩⟨U+5173⟩ ⟨U+0627⟩⟨U+0644⟩⟨U+062C⟩⟨U+0645⟩⟨U+0627⟩⟨U+0631⟩⟨U+0643⟩");
        check("e\u{301}", "é");
        check("x\u{301}\u{20dd}", "x⟨U+0301⟩⟨U+20DD⟩");
        check("⟨U+0041⟩", "⟨U+27E8⟩U+0041⟨U+27E9⟩");
        check("\u{e000}\u{10ffff}😀", "⟨U+E000⟩⟨U+10FFFF⟩⟨U+1F600⟩");
    }

    #[test]
    fn every_line_fits_and_what_is_cut_is_counted() {
        let fonts = Fonts::load().unwrap();
        let face = fonts.face(Style::Book);
        let words = "Customs of a country with a long name ".repeat(40);
        let one_word = "W".repeat(100_000);
        let hidden = "\u{202e}".repeat(3_000);
        for text in ["", " ", "short", &words, &one_word, &hidden] {
            for lines in 1..4 {
                let rows = wrap(text, face, 9.0, 200.0, lines);
                assert!((1..=lines).contains(&rows.len()), "{} rows", rows.len());
                assert!(rows.iter().all(|row| face.width(row, 9.0) <= 200.0), "{rows:?}");
            }
        }
        assert_eq!(wrap("short", face, 9.0, 200.0, 3), ["short"]);
        let rows = wrap(&one_word, face, 9.0, 200.0, 2);
        let kept: usize = rows.iter().map(|row| row.matches('W').count()).sum();
        assert!(rows[1].ends_with(&format!("… [{} characters more]", 100_000 - kept)), "{rows:?}");
        let rows = wrap("one two three four five six seven eight nine ten eleven twelve", face, 9.0, 100.0, 9);
        assert!(rows.len() > 2 && rows.iter().all(|row| !row.starts_with(' ') && !row.ends_with(' ')), "{rows:?}");
        assert_eq!(rows.join(" "), "one two three four five six seven eight nine ten eleven twelve");
    }
}

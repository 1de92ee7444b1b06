//! Where everything stands on the page.
//!
//! What stands above and below is bounded in lines; the fields of the record get the lines that are left between them. So there is always
//! one page, whatever a folder says.

use super::font::{Fonts, Style};
use super::text::wrap;
use super::words::{self, Row, Words};
use crate::cli::qr;
use crate::cli::report::Failure;
use crate::cli::show::counted;

/// A4 in points.
pub(super) const WIDTH: f32 = 595.276;
pub(super) const HEIGHT: f32 = 841.89;
const LEFT: f32 = 56.7;
const RIGHT: f32 = WIDTH - 56.7;
/// Above the footer.
const BOTTOM: f32 = 786.0;
/// The side of the code, 40 mm: its modules are as large as a printer in an office and a telephone need them.
const CODE: f32 = 113.4;
const TABLE: f32 = RIGHT - CODE - 16.0;
const LABELS: f32 = 66.0;
const SIZE: f32 = 8.8;
const LEADING: f32 = 11.0;
/// Digests: 64 digits in one line of the table.
const SMALL: f32 = 6.8;

/// Lines that these sections may have.
const PROVED_LINES: usize = 17;
const NOT_PROVED_LINES: usize = 11;
/// What the first may have more where no field is shown.
const LINES_OF_FIELDS: usize = 3;
/// Lines of what is said about the goods. Any other field has one.
const GOODS_LINES: usize = 3;
/// Lines of one sentence.
const SENTENCE_LINES: usize = 3;

/// What is drawn: positions in points from the upper left corner.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) lines: Vec<Line>,
    /// From left to right at a height.
    pub(super) rules: Vec<(f32, f32, f32)>,
    pub(super) code: Code,
}

/// A line of text. `y` is that of its base.
pub(super) struct Line {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) style: Style,
    pub(super) text: String,
}

/// The QR code.
#[derive(Default)]
pub(super) struct Code {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) side: f32,
    /// Row by row, dark ones true.
    pub(super) modules: Vec<Vec<bool>>,
}

/// Puts everything in its place.
pub(super) fn lay_out(words: &Words, fonts: &Fonts) -> Result<Sheet, Failure> {
    let mut pen = Pen { sheet: Sheet::default(), fonts, y: 0.0 };
    pen.head(words);
    pen.code(qr::modules(&words.code)?);
    words.rows.iter().for_each(|row| pen.row(row));
    pen.y += 2.0;
    // The last sections are laid out first, to know how much room they leave.
    let mut below = Pen { sheet: Sheet::default(), fonts, y: 0.0 };
    below.not_proved(words);
    below.how_to_verify(words);
    pen.proved(words);
    let room = BOTTOM - below.y - pen.y;
    pen.content(words, room);
    pen.append(below.sheet);
    pen.foot(words);
    Ok(pen.sheet)
}

struct Pen<'a> {
    sheet: Sheet,
    fonts: &'a Fonts,
    /// Down to where the page is written.
    y: f32,
}

impl Pen<'_> {
    fn head(&mut self, words: &Words) {
        self.y = 52.0;
        self.block(LEFT, RIGHT - LEFT, Style::Book, SIZE, &words.federation, 1);
        self.y = 76.0;
        self.put(LEFT, 21.0, Style::Bold, "Certificate of evidence");
        self.y = 94.0;
        self.block(LEFT, RIGHT - LEFT, Style::Book, 11.0, &words.title, 1);
        self.y = 102.0;
        self.rule(LEFT, RIGHT);
        self.y += 16.0;
    }

    fn code(&mut self, modules: Vec<Vec<bool>>) {
        let (x, y, before) = (RIGHT - CODE, self.y - 6.0, self.y);
        self.sheet.code = Code { x, y, side: CODE, modules };
        self.y = y + CODE + 11.0;
        let caption = "To compare with a member's ledger: federation, record, leaf, size and root of the log.";
        self.small_block(x, CODE, caption, 4);
        self.y = before;
    }

    fn proved(&mut self, words: &Words) {
        self.heading("What the attached evidence proves");
        let lines = if words.fields.is_empty() { PROVED_LINES + LINES_OF_FIELDS } else { PROVED_LINES };
        self.sentences(&words.proved, lines, |number| format!("{number}."));
    }

    /// The fields of the record, as many as there is room for, and what is withheld.
    fn content(&mut self, words: &Words, room: f32) {
        let end = self.y + room;
        self.heading("What the record says, as far as it is opened");
        let count = words.fields.len();
        // Two lines for what is withheld, and one for what is left out.
        let free = ((end - self.y - 2.0) / LEADING).floor().max(0.0) as usize;
        let (indent, face) = (110.0, self.fonts.face(Style::Book));
        let width = RIGHT - LEFT - indent;
        let allowed = |name: &str| if name == words::GOODS { GOODS_LINES } else { 1 };
        let taken = words.fields.iter().scan(0, |sum, (name, value)| {
            *sum += wrap(value, face, SIZE, width, allowed(name)).len();
            Some(*sum)
        });
        let taken: Vec<usize> = taken.take_while(|lines| lines + 2 <= free).collect();
        let all = taken.len() == count;
        let rows = if all { count } else { taken.iter().filter(|lines| **lines + 3 <= free).count() };
        for (name, value) in words.fields.iter().take(rows) {
            let before = self.y;
            self.block(LEFT, indent - 6.0, Style::Bold, SIZE, name, 1);
            self.y = before;
            self.block(LEFT + indent, width, Style::Book, SIZE, value, allowed(name));
        }
        if rows < count {
            let more = counted((count - rows) as u64, "more field");
            let more = format!("And {more}, in body.json, one of the attached files.");
            self.block(LEFT, RIGHT - LEFT, Style::Book, SIZE, &more, 1);
        }
        self.block(LEFT, RIGHT - LEFT, Style::Book, SIZE, &words.withheld, 2);
        self.y += 2.0;
    }

    fn not_proved(&mut self, words: &Words) {
        self.heading("What it does not prove");
        self.sentences(&words.not_proved, NOT_PROVED_LINES, |_| "–".to_owned());
    }

    fn how_to_verify(&mut self, words: &Words) {
        self.heading("How to verify");
        let steps = [
            format!(
                "This page is not signed. What counts are the {} files attached to it, which are the whole folder of evidence.",
                words.files.0
            ),
            "Take the charter of the federation from a source that you trust, never from this document. The digest of its version is above; \
             a later version of it will do as well. With the files in a folder, run the program of the federation:"
                .to_owned(),
        ];
        for step in steps {
            self.block(LEFT, RIGHT - LEFT, Style::Book, SIZE, &step, 2);
        }
        self.y += 1.0;
        for command in [
            "mkdir evidence && pdfdetach -saveall -o evidence CERTIFICATE.pdf",
            "shieldwall evidence verify evidence --charter CHARTER.cose",
        ] {
            self.put(LEFT + 12.0, 8.0, Style::Mono, command);
            self.y += LEADING;
        }
    }

    fn foot(&mut self, words: &Words) {
        self.y = 794.0;
        self.rule(LEFT, RIGHT);
        self.y = 805.0;
        let (files, bytes) = words.files;
        let foot = format!("{files} files with {bytes} bytes are attached. The same evidence gives the same document.");
        self.put(LEFT, 7.5, Style::Book, &foot);
        let page = "Page 1 of 1";
        let width = self.fonts.face(Style::Book).width(page, 7.5);
        self.put(RIGHT - width, 7.5, Style::Book, page);
    }

    fn heading(&mut self, text: &str) {
        self.y += 7.0;
        self.put(LEFT, 10.2, Style::Bold, text);
        self.y += 13.0;
    }

    /// A row of the table beside the code.
    fn row(&mut self, row: &Row) {
        self.put(LEFT, SIZE, Style::Bold, row.label);
        let size = if row.style == Style::Mono { SMALL } else { SIZE };
        self.block(LEFT + LABELS, TABLE - LEFT - LABELS, row.style, size, &row.text, row.lines);
        self.y += 0.8;
    }

    /// Sentences with a mark before each, in at most so many lines in all. How many are left out is said.
    fn sentences(&mut self, sentences: &[String], lines: usize, mark: impl Fn(usize) -> String) {
        let (indent, width) = (14.0, RIGHT - LEFT - 14.0);
        let count = sentences.len();
        let mut left = lines;
        for (index, sentence) in sentences.iter().enumerate() {
            let is_last = index + 1 == count;
            // One line is kept to say how many more there are.
            let allowed = if is_last { left } else { left.saturating_sub(1) }.min(SENTENCE_LINES);
            if allowed == 0 {
                let more = format!("And {} more, in README.md, one of the attached files.", count - index);
                self.block(LEFT + indent, width, Style::Book, SIZE, &more, 1);
                return;
            }
            self.put(LEFT, SIZE, Style::Book, &mark(index + 1));
            left -= self.block(LEFT + indent, width, Style::Book, SIZE, sentence, allowed);
        }
    }

    /// Text from outside in at most so many lines; gives how many it took.
    fn block(&mut self, x: f32, width: f32, style: Style, size: f32, text: &str, lines: usize) -> usize {
        let rows = wrap(text, self.fonts.face(style), size, width, lines);
        let count = rows.len();
        for row in rows {
            self.put(x, size, style, &row);
            self.y += LEADING;
        }
        count
    }

    fn small_block(&mut self, x: f32, width: f32, text: &str, lines: usize) {
        for row in wrap(text, self.fonts.face(Style::Book), SMALL, width, lines) {
            self.put(x, SMALL, Style::Book, &row);
            self.y += 8.2;
        }
    }

    fn put(&mut self, x: f32, size: f32, style: Style, text: &str) {
        if !text.is_empty() {
            self.sheet.lines.push(Line { x, y: self.y, size, style, text: text.to_owned() });
        }
    }

    fn rule(&mut self, from: f32, to: f32) {
        self.sheet.rules.push((from, to, self.y));
    }

    /// Adds what was laid out from the top of an empty page.
    fn append(&mut self, below: Sheet) {
        let down = self.y;
        self.sheet.lines.extend(below.lines.into_iter().map(|line| Line { y: line.y + down, ..line }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(fields: usize) -> Words {
        let long = "Ẃ\u{202e}W ".repeat(3_000);
        let row = |style, lines| Row { label: "Federation", style, text: long.clone(), lines };
        let lines = [2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1];
        Words {
            federation: long.clone(),
            title: long.clone(),
            rows: lines.into_iter().map(|lines| row(Style::Book, lines)).collect(),
            proved: vec![long.clone(); 40],
            fields: vec![(long.clone(), long.clone()); fields],
            withheld: long.clone(),
            not_proved: vec![long.clone(); 300],
            files: (2_000, usize::MAX),
            code: "SHIELDWALL:1:RECORD:".to_owned() + &"F".repeat(240),
        }
    }

    #[test]
    fn the_longest_of_everything_stays_on_the_page_and_nothing_overlaps() {
        let fonts = Fonts::load().unwrap();
        for fields in [0, 1, 8, 1_000] {
            let sheet = lay_out(&worst(fields), &fonts).unwrap();
            let mut base = 0.0;
            for line in &sheet.lines {
                let width = fonts.face(line.style).width(&line.text, line.size);
                assert!(line.x >= LEFT && line.x + width <= RIGHT + 0.1, "{fields}: {}", line.text);
                let is_footer = line.y > BOTTOM + 4.0;
                assert!(!is_footer || line.size == 7.5, "{fields}: {} at {}", line.text, line.y);
                // Beside the code, its caption is drawn before the table.
                if line.size != SMALL && line.x < RIGHT - CODE {
                    assert!(line.y >= base, "{fields}: {} at {} after {base}", line.text, line.y);
                    base = line.y;
                }
            }
            for said in ["How to verify", "Page 1 of 1", "in README.md", "shieldwall evidence verify"] {
                assert!(sheet.lines.iter().any(|line| line.text.contains(said)), "{fields}: {said}");
            }
            let left_out = sheet.lines.iter().any(|line| line.text.contains("in body.json"));
            assert_eq!(left_out, fields > 1, "beside the longest of everything is room for one");
        }
    }

    #[test]
    fn goods_have_three_lines() {
        let fonts = Fonts::load().unwrap();
        for (name, lines) in [(words::GOODS, 3), ("end use", 1)] {
            let fields = vec![(name.to_owned(), "x ".repeat(5_000)), ("last".to_owned(), "y".to_owned())];
            let words = Words { proved: Vec::new(), not_proved: Vec::new(), fields, ..worst(0) };
            let sheet = lay_out(&words, &fonts).unwrap();
            assert_eq!(sheet.lines.iter().filter(|line| line.text.starts_with("x x")).count(), lines, "{name}");
            assert!(sheet.lines.iter().any(|line| line.text == "last"), "{name}");
        }
    }

    #[test]
    fn the_fields_get_the_room_that_is_left() {
        let fonts = Fonts::load().unwrap();
        let field = |number: usize| (format!("field {number}"), "x".to_owned());
        let shown = |fields: usize| {
            let words = Words {
                rows: Vec::new(),
                proved: vec!["one".to_owned(); 6],
                fields: (0..fields).map(field).collect(),
                withheld: "Nothing is withheld.".to_owned(),
                not_proved: vec!["truth".to_owned(); 4],
                title: "title".to_owned(),
                ..worst(0)
            };
            let sheet = lay_out(&words, &fonts).unwrap();
            let count = sheet.lines.iter().filter(|line| line.text.starts_with("field ")).count();
            let more = format!("And {} more fields, in body.json, one of the attached files.", fields - count);
            assert_eq!(sheet.lines.iter().any(|line| line.text == more), fields > count);
            count
        };
        let most = shown(1_000);
        assert!(most >= 20, "{most}");
        assert_eq!(shown(5), 5);
        assert_eq!(shown(most + 1), most + 1, "where nothing is left out, nothing need say so");
        assert_eq!(shown(most + 2), most);
    }
}

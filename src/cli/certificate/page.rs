//! Where everything stands on the page.
//!
//! What stands above and below is bounded in lines; the fields of the record get the lines that are left between them. So there is always
//! one page, whatever a folder says.

use super::font::{Fonts, Style};
use super::text::wrap;
use super::words;
use crate::cli::qr;
use crate::cli::report::Failure;
use crate::evidence::{Bundle, Report, Summary};

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
pub(super) fn lay_out(summary: &Summary, report: &Report, bundle: &Bundle, fonts: &Fonts) -> Result<Sheet, Failure> {
    let mut pen = Pen { sheet: Sheet::default(), fonts, y: 0.0 };
    pen.head(summary);
    pen.code(summary)?;
    pen.table(summary);
    pen.proved(summary, report);
    // The last sections are laid out first, to know how much room they leave.
    let mut below = Pen { sheet: Sheet::default(), fonts, y: 0.0 };
    below.not_proved(report);
    below.how_to_verify(bundle);
    let room = BOTTOM - below.y - pen.y;
    pen.content(summary, room);
    pen.append(below.sheet);
    pen.foot(bundle);
    Ok(pen.sheet)
}

struct Pen<'a> {
    sheet: Sheet,
    fonts: &'a Fonts,
    /// Down to where the page is written.
    y: f32,
}

impl Pen<'_> {
    fn head(&mut self, summary: &Summary) {
        self.y = 52.0;
        let federation = summary.federation.charter().name().to_owned();
        self.block(LEFT, RIGHT - LEFT, Style::Book, SIZE, &federation, 1);
        self.y = 76.0;
        self.put(LEFT, 21.0, Style::Bold, "Certificate of evidence");
        let id = summary.statement.id;
        let title = format!("for the record {id} of {}", words::named(summary, id.log.member));
        self.y = 94.0;
        self.block(LEFT, RIGHT - LEFT, Style::Book, 11.0, &title, 1);
        self.y = 102.0;
        self.rule(LEFT, RIGHT);
        self.y += 16.0;
    }

    fn code(&mut self, summary: &Summary) -> Result<(), Failure> {
        let (statement, checkpoint) = (&summary.statement, &summary.checkpoint);
        let text = qr::of_record(&statement.federation, statement.id, &summary.leaf, checkpoint.size, &checkpoint.root);
        let modules = qr::modules(&text)?;
        let (x, y) = (RIGHT - CODE, self.y - 6.0);
        self.sheet.code = Code { x, y, side: CODE, modules };
        let before = self.y;
        self.y = y + CODE + 11.0;
        let caption = "To compare with a member's ledger: federation, record, leaf, size and root of the log.";
        self.small_block(x, CODE, caption, 4);
        self.y = before;
        Ok(())
    }

    fn table(&mut self, summary: &Summary) {
        let (statement, charter) = (&summary.statement, summary.federation.charter());
        let author = statement.id.log.member;
        let newest = summary.federation.chain().newest().digest();
        self.row("Federation", Style::Book, charter.name(), 2);
        self.row("", Style::Mono, &statement.federation.to_string(), 1);
        self.row(
            "Charter",
            Style::Book,
            &format!("version {} of {}; its digest:", charter.version(), charter.issued_at()),
            1,
        );
        self.row("", Style::Mono, &newest.to_string(), 1);
        self.row("Record", Style::Bold, &statement.id.to_string(), 1);
        self.row("Author", Style::Book, &words::named(summary, author), 2);
        self.row("Kind", Style::Book, &words::kind(summary), 1);
        self.row("Dated", Style::Book, &format!("{}, by its author", statement.issued_at), 1);
        self.row(
            "Leaf",
            Style::Book,
            &format!("position {} of the log {}, counted from 0:", statement.id.position, statement.id.log),
            1,
        );
        self.row("", Style::Mono, &summary.leaf.to_string(), 1);
        let checkpoint = &summary.checkpoint;
        self.row("Log", Style::Book, &format!("{} statements on {}; their root:", checkpoint.size, checkpoint.at), 1);
        self.row("", Style::Mono, &checkpoint.root.to_string(), 1);
        self.y += 2.0;
    }

    fn proved(&mut self, summary: &Summary, report: &Report) {
        self.heading("What the attached evidence proves");
        self.sentences(words::proved(summary, report), PROVED_LINES, |number| format!("{number}."));
    }

    /// The fields of the record, as many as there is room for, and what is withheld.
    fn content(&mut self, summary: &Summary, room: f32) {
        let end = self.y + room;
        self.heading("What the record says, as far as it is opened");
        let fields = words::fields(summary);
        // Two lines for what is withheld, one for what is left out.
        let free = ((end - self.y) / LEADING).floor().max(0.0);
        let rows = (0..fields.len()).take_while(|row| (row + 4) as f32 <= free).count();
        let indent = 110.0;
        for (name, value) in fields.iter().take(rows) {
            let before = self.y;
            self.block(LEFT, indent - 6.0, Style::Bold, SIZE, name, 1);
            self.y = before;
            self.block(LEFT + indent, RIGHT - LEFT - indent, Style::Book, SIZE, value, 1);
        }
        if rows < fields.len() {
            let more =
                format!("{} more fields are opened in body.json, one of the attached files.", fields.len() - rows);
            self.block(LEFT, RIGHT - LEFT, Style::Book, SIZE, &more, 1);
        }
        self.block(LEFT, RIGHT - LEFT, Style::Book, SIZE, &words::withheld(summary), 2);
        self.y += 2.0;
    }

    fn not_proved(&mut self, report: &Report) {
        self.heading("What it does not prove");
        self.sentences(words::not_proved(report), NOT_PROVED_LINES, |_| "–".to_owned());
    }

    fn how_to_verify(&mut self, bundle: &Bundle) {
        self.heading("How to verify");
        let steps = [
            format!(
                "This page is not signed. What counts are the {} files attached to it, which are the whole folder of evidence.",
                bundle.len()
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

    fn foot(&mut self, bundle: &Bundle) {
        self.y = 794.0;
        self.rule(LEFT, RIGHT);
        self.y = 805.0;
        let bytes: usize = bundle.values().map(Vec::len).sum();
        let foot = format!(
            "{} files with {bytes} bytes are attached. The same evidence gives the same document.",
            bundle.len()
        );
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
    fn row(&mut self, label: &str, style: Style, text: &str, lines: usize) {
        self.put(LEFT, SIZE, Style::Bold, label);
        let size = if style == Style::Mono { SMALL } else { SIZE };
        self.block(LEFT + LABELS, TABLE - LEFT - LABELS, style, size, text, lines);
        self.y += 0.8;
    }

    /// Sentences with a mark before each, in at most so many lines in all. How many are left out is said.
    fn sentences(&mut self, sentences: Vec<String>, lines: usize, mark: impl Fn(usize) -> String) {
        let (indent, width) = (14.0, RIGHT - LEFT - 14.0);
        let count = sentences.len();
        let mut left = lines;
        for (index, sentence) in sentences.into_iter().enumerate() {
            let is_last = index + 1 == count;
            // One line is kept to say how many more there are.
            let allowed = if is_last { left } else { left.saturating_sub(1) }.min(SENTENCE_LINES);
            if allowed == 0 {
                let more = format!("And {} more, in README.md, one of the attached files.", count - index);
                self.block(LEFT + indent, width, Style::Book, SIZE, &more, 1);
                return;
            }
            self.put(LEFT, SIZE, Style::Book, &mark(index + 1));
            left -= self.block(LEFT + indent, width, Style::Book, SIZE, &sentence, allowed);
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

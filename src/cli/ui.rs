//! What a person or a script sees: results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::report::Failure;
use crate::encoding::ids::MemberCode;
use crate::node::ask::Progress;

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Not at all.
    Never,
}

/// Work that is done sooner than this shows no progress.
const PROGRESS_AFTER: Duration = Duration::from_millis(400);

/// The one bar of this process, as there is one terminal. It draws nothing where stderr is none.
static BAR: LazyLock<ProgressBar> = LazyLock::new(|| {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
});

/// How a command talks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ui {
    /// Results as JSON.
    pub json: bool,
    /// Errors and results only.
    pub quiet: bool,
    /// Details too.
    pub verbose: u8,
    /// Whether stderr is coloured.
    pub color: bool,
}

impl Ui {
    /// Decides once how this command talks.
    #[must_use]
    pub fn new(json: bool, quiet: bool, verbose: u8, color: Color) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => io::stderr().is_terminal() && wants_color(|name| std::env::var_os(name).is_some()),
        };
        // From here on it counts how long the work takes.
        LazyLock::force(&BAR);
        Self { json, quiet, verbose, color }
    }

    /// The result: `text` for people, `value` for machines.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub fn result(&self, value: &impl Serialize, text: impl Display) -> Result<(), Failure> {
        if self.json { self.line(&serde_json::to_string(value)?) } else { self.line(&plain(&text.to_string())) }
    }

    /// One line of result, or several.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        if !text.is_empty() {
            out.write_all(text.trim_end().as_bytes())?;
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    /// Something worth knowing, for people.
    pub fn say(&self, text: impl Display) {
        if !self.quiet {
            self.talk(&plain(&text.to_string()));
        }
    }

    /// What happened at a member: when, the member in colour, what.
    pub fn say_of(&self, when: impl Display, member: MemberCode, what: impl Display) {
        if !self.quiet {
            let member = self.paint(member.as_str(), "36");
            self.talk(&format!("{when}  {member}  {}", plain(&what.to_string())));
        }
    }

    /// Something worth a second look.
    pub fn warn(&self, text: impl Display) {
        self.talk(&format!("{} {}", self.paint("warning:", "33"), plain(&text.to_string())));
    }

    /// Something that only a curious person wants to know.
    pub fn detail(&self, text: impl Display) {
        if self.verbose > 0 {
            self.talk(&plain(&text.to_string()));
        }
    }

    /// Something that must be said although nobody wants to hear more than results and errors.
    pub fn notice(&self, text: &str) {
        self.talk(&plain(text));
    }

    /// An error, with its causes and hint.
    pub fn error(&self, text: &str) {
        self.talk(&format!("{} {}", self.paint("error:", "31"), plain(text)));
    }

    /// How far something is: a bar on a terminal, once it takes long; nothing elsewhere.
    pub fn progress(&self, news: &Progress) {
        if self.quiet || self.json || BAR.elapsed() < PROGRESS_AFTER {
            return;
        }
        BAR.set_message(news.what.clone());
        BAR.set_position(news.done);
        match news.total {
            Some(total) if news.done >= total => BAR.finish_and_clear(),
            Some(total) => BAR.set_length(total),
            None => BAR.tick(),
        }
    }

    fn talk(&self, text: &str) {
        BAR.suspend(|| drop(writeln!(io::stderr().lock(), "{text}")));
    }

    /// Colours what goes to stderr, if that is wanted; `code` is an SGR colour.
    fn paint(&self, text: &str, code: &str) -> String {
        if self.color { format!("\x1b[1;{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A table for people: columns two blanks apart, no lines, nothing at the end of a row.
#[must_use]
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut all = vec![head.map(str::to_owned).to_vec()];
    all.extend(rows.into_iter().map(Vec::from));
    aligned(&all, |_| false)
}

/// Rows of cells as text, each column as wide as its widest cell. What is `numeric` ends where the column ends.
#[must_use]
pub fn aligned(rows: &[Vec<String>], numeric: impl Fn(usize) -> bool) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let width = |column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if numeric(column) { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A bar of eighths of a character, `width` characters for the whole.
#[must_use]
pub fn bar(part: u128, whole: u128, width: u32) -> String {
    // So many bits less that the product fits.
    let less = 40_u32.saturating_sub(whole.leading_zeros());
    let eighths = ((part.min(whole) >> less) * 8 * u128::from(width)).checked_div(whole >> less).unwrap_or(0);
    let eighths = usize::try_from(eighths).unwrap_or(0);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    // What is there at all shows.
    let rest = if part > 0 && eighths == 0 { "▏" } else { rest };
    format!("{}{rest}", "█".repeat(eighths / 8))
}

/// What others wrote stays text: characters that would move the cursor, colour the screen or turn the direction of
/// reading are shown as what they are.
#[must_use]
pub fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && (c.is_control() || turns(c)) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The conventions of <https://no-color.org> and `CLICOLOR_FORCE` do not apply to a dumb terminal.
fn wants_color(is_set: impl Fn(&str) -> bool) -> bool {
    !is_set("NO_COLOR") && std::env::var("TERM").map_or(true, |term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_move_the_cursor() {
        assert_eq!(plain("Türkiye\nOK"), "Türkiye\nOK");
        assert_eq!(plain("a\u{1b}[2J\r\u{9b}b\u{202e}c"), "a\\u{1b}[2J\\r\\u{9b}b\\u{202e}c");
    }

    #[test]
    fn tables_are_plain_text() {
        let rows = [["GE".to_owned(), "1".to_owned()], ["TR".to_owned(), "1000".to_owned()]];
        assert_eq!(table(["LOG", "SIZE"], rows), "LOG  SIZE\nGE   1\nTR   1000");
        let rows = [["LOG", "SIZE"], ["GE", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows, |column| column == 1), "LOG  SIZE\nGE      1");
    }

    #[test]
    fn bars_are_as_long_as_their_part() {
        assert_eq!(
            [bar(0, 8, 4), bar(1, 8, 4), bar(3, 16, 4), bar(8, 8, 4), bar(9, 8, 4)],
            ["", "▌", "▊", "████", "████"]
        );
        assert_eq!([bar(1, 1_000_000, 4), bar(0, 0, 4), bar(u128::MAX, u128::MAX, 4)], ["▏", "", "████"]);
    }
}

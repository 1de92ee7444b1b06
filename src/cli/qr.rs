//! QR codes: what they say, and how they look on a terminal.
//!
//! The texts use the 45 characters of the alphanumeric mode alone (capitals, digits, `-.:`), in which a code is smallest. Their form is in
//! `docs/evidence.md`.

use qrcode::{Color, EcLevel, QrCode};

use super::report::Failure;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{FederationId, RecordId};

/// Light modules that a code has on each side on a terminal. Two are enough for the readers of telephones; the standard's four hardly fit.
const QUIET_ON_TERMINAL: usize = 2;

/// The frontier, for another node's `ledger --compare`.
pub(super) fn of_ledger(frontier: &Digest) -> String {
    format!("{LEDGER}{frontier}").to_uppercase()
}

/// A record in a log, for paper: federation, record, its leaf, and a size of the log with its root.
pub(super) fn of_record(
    federation: &FederationId,
    record: RecordId,
    leaf: &Digest,
    size: u64,
    root: &Digest,
) -> String {
    format!("{RECORD}{federation}:{record}:{leaf}:{size}:{root}").to_uppercase()
}

const LEDGER: &str = "SHIELDWALL:1:LEDGER:";
const RECORD: &str = "SHIELDWALL:1:RECORD:";

/// The frontier in such a text; `None` if it is something else.
pub(super) fn read_ledger(text: &str) -> Option<Digest> {
    text.trim().to_uppercase().strip_prefix(LEDGER)?.to_lowercase().parse().ok()
}

/// Whether it is the text of a certificate.
pub(super) fn is_of_record(text: &str) -> bool {
    text.trim().to_uppercase().starts_with(RECORD)
}

/// The modules of a code, row by row, without a margin. With a seventh of them damaged it can still be read.
///
/// # Errors
/// If the text is too long for a code.
pub(super) fn modules(text: &str) -> Result<Vec<Vec<bool>>, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| Failure::from(anyhow::Error::msg(error.to_string())).context("cannot draw a QR code"))?;
    let dark: Vec<bool> = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
    Ok(dark.chunks(code.width()).map(<[bool]>::to_vec).collect())
}

/// A code in half blocks, two rows of modules in one line. Light is drawn and dark is left out, as most terminals are dark; where they
/// are not, the code is inverted, which most readers take as well.
pub(super) fn on_terminal(modules: &[Vec<bool>]) -> String {
    let side = modules.len() + 2 * QUIET_ON_TERMINAL;
    let is_light = |row: usize, column: usize| {
        let at = |index: usize| index.checked_sub(QUIET_ON_TERMINAL);
        let dark = at(row).zip(at(column)).and_then(|(row, column)| modules.get(row)?.get(column));
        row < side && !dark.is_some_and(|dark| *dark)
    };
    let lines = (0..side).step_by(2).map(|row| {
        let halves = (0..side).map(|column| match (is_light(row, column), is_light(row + 1, column)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        });
        halves.collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::encoding::hash::sha256;
    use crate::encoding::ids::LogId;

    /// What a reader sees that knows nothing of us. `is_dark` tells the colour of a pixel.
    pub(in crate::cli) fn scan(width: usize, height: usize, is_dark: impl Fn(usize, usize) -> bool) -> Vec<String> {
        let shade = |x, y| if is_dark(x, y) { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
        image.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
    }

    #[test]
    fn a_reader_sees_the_text_on_the_terminal() {
        let text = of_ledger(&sha256(b"frontier"));
        let drawn = on_terminal(&modules(&text).unwrap());
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        // Dark as most terminals are: what is not drawn is dark. Beyond the code everything is light here, as a reader wants a margin.
        const PIXELS: usize = 4;
        const MARGIN: usize = 8;
        let side = (lines[0].len() + 2 * MARGIN) * PIXELS;
        let is_dark = |x: usize, y: usize| {
            let inside = |at: usize| (at / PIXELS).checked_sub(MARGIN);
            let Some((row, column)) = inside(y).zip(inside(x)) else { return false };
            match lines.get(row / 2).and_then(|line| line.get(column)) {
                Some('█') | None => false,
                Some('▀') => row % 2 == 1,
                Some('▄') => row % 2 == 0,
                Some(_) => true,
            }
        };
        assert_eq!(scan(side, side, is_dark), [text]);
        assert!(drawn.chars().all(|letter| " ▀▄█\n".contains(letter)), "no colours");
        assert!(
            lines[0].len() <= 80 && lines.len() <= 24,
            "it fits on a terminal: {} by {}",
            lines[0].len(),
            lines.len()
        );
    }

    #[test]
    fn only_a_frontiers_text_is_a_frontier() {
        let digest = sha256(b"frontier");
        let text = of_ledger(&digest);
        assert_eq!(read_ledger(&text), Some(digest));
        assert_eq!(read_ledger(&format!(" {}\n", text.to_lowercase())), Some(digest));
        let record = RecordId::new(LogId::first("GE".parse().unwrap()), 7);
        let federation = FederationId(digest);
        let paper = of_record(&federation, record, &digest, 9, &digest);
        assert!(is_of_record(&paper) && read_ledger(&paper).is_none());
        for other in ["", "SHIELDWALL:1:LEDGER:", &text[..text.len() - 1], &format!("{text}0"), &digest.to_string()] {
            assert_eq!(read_ledger(other), None, "{other}");
        }
    }

    #[test]
    fn texts_are_in_the_characters_of_the_small_mode() {
        let digest = sha256(b"x");
        let mut log = LogId::first("GE".parse().unwrap());
        log.ordinal = 12;
        let paper = of_record(&FederationId(digest), RecordId::new(log, u64::MAX), &digest, u64::MAX, &digest);
        for text in [of_ledger(&digest), paper] {
            let small =
                |letter: char| letter.is_ascii_digit() || letter.is_ascii_uppercase() || " $%*+-./:".contains(letter);
            assert!(text.chars().all(small), "{text}");
            assert!(modules(&text).unwrap().len() <= 69, "{text}");
        }
    }
}

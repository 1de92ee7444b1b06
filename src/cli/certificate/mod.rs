//! The certificate: one page of paper about a folder of evidence, with the whole folder in it (PDF/A-3).
//!
//! ```text
//! Summary + Report ─words─▶ sentences ─page─▶ lines, rules and a code at their places ─write─▶ bytes
//! ```
//! It is made of evidence that holds, and shows no more than that opens. Everything from outside passes through [`text`]: what cannot be
//! shown is replaced visibly, what is too long is cut visibly, and the page stays one page. The same evidence gives the same bytes.
//!
//! Start with [`make`].

mod font;
mod page;
mod text;
mod words;
mod write;

use super::report::Failure;
use crate::evidence::{Bundle, Report, Summary};

/// The bytes of the PDF file.
///
/// # Errors
/// If the library refuses what it is given: a fault of ours.
pub(super) fn make(summary: &Summary, report: &Report, bundle: &Bundle) -> Result<Vec<u8>, Failure> {
    let fonts = font::Fonts::load()?;
    let sheet = page::lay_out(&words::words(summary, report, bundle), &fonts)?;
    write::pdf(&sheet, summary, bundle, &fonts)
}

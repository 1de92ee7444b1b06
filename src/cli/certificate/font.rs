//! The three fonts that every certificate carries, and how wide their letters are.

use std::collections::BTreeMap;

use krilla::text::Font;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

use crate::cli::report::{Exit, Failure};

/// DejaVu Sans Condensed and DejaVu Sans Mono, cut to the letters of Latin, Greek and Cyrillic. Licence: `fonts/LICENSE`.
const BOOK: &[u8] = include_bytes!("fonts/DejaVuSansCondensed.ttf");
const BOLD: &[u8] = include_bytes!("fonts/DejaVuSansCondensed-Bold.ttf");
const MONO: &[u8] = include_bytes!("fonts/DejaVuSansMono.ttf");

/// Which of the fonts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// For reading.
    Book,
    /// For headings.
    Bold,
    /// For digests and commands: ASCII alone.
    Mono,
}

/// All of them.
pub(super) struct Fonts {
    book: Face,
    bold: Face,
    mono: Face,
}

/// One font.
pub(super) struct Face {
    /// As the library for PDF takes it.
    pub(super) font: Font,
    glyphs: BTreeMap<char, Glyph>,
}

/// The picture of a character.
#[derive(Clone, Copy)]
pub(super) struct Glyph {
    /// Its number in the font.
    pub(super) id: u32,
    /// How far it takes the pen, in parts of the size.
    pub(super) advance: f32,
}

impl Fonts {
    /// Reads the fonts that are part of the program.
    pub(super) fn load() -> Result<Self, Failure> {
        Ok(Self { book: Face::read(BOOK)?, bold: Face::read(BOLD)?, mono: Face::read(MONO)? })
    }

    pub(super) fn face(&self, style: Style) -> &Face {
        match style {
            Style::Book => &self.book,
            Style::Bold => &self.bold,
            Style::Mono => &self.mono,
        }
    }
}

impl Face {
    fn read(data: &'static [u8]) -> Result<Self, Failure> {
        let broken = || Failure::new(Exit::Failure, "a font of the program cannot be read");
        let reference = FontRef::new(data).map_err(|_| broken())?;
        let font = Font::new(data.into(), 0).ok_or_else(broken)?;
        let metrics = reference.glyph_metrics(Size::unscaled(), LocationRef::default());
        let per_em = font.units_per_em();
        let glyphs = reference.charmap().mappings().filter_map(|(code, id)| {
            let advance = metrics.advance_width(id)? / per_em;
            Some((char::from_u32(code)?, Glyph { id: id.to_u32(), advance }))
        });
        Ok(Self { glyphs: glyphs.collect(), font })
    }

    /// `None` if the font has no picture of it.
    pub(super) fn glyph(&self, letter: char) -> Option<Glyph> {
        self.glyphs.get(&letter).copied()
    }

    /// How wide a text is in points. Only letters of the font count.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().filter_map(|letter| self.glyph(letter)).map(|glyph| glyph.advance * size).sum()
    }
}

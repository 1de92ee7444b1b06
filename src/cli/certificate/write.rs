//! The page and its attachments as PDF/A-3, at the level U: every letter says which character it is.

use jiff::Timestamp;
use jiff::tz::Offset;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};

use super::font::Fonts;
use super::page::{Code, HEIGHT, Line, Sheet, WIDTH};
use crate::cli::report::{Exit, Failure};
use crate::encoding::time::UnixTime;
use crate::evidence::layout::{Place, flat};
use crate::evidence::{Bundle, Summary};

/// Writes the document. The library holds it against the rules of PDF/A-3 and gives nothing that breaks them.
pub(super) fn pdf(sheet: &Sheet, summary: &Summary, bundle: &Bundle, fonts: &Fonts) -> Result<Vec<u8>, Failure> {
    let refused = |what: String| Failure::new(Exit::Failure, format!("the certificate cannot be written: {what}"));
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_U)
        .finish()
        .map_err(|error| refused(format!("{error:?}")))?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let date = date(summary.newest);
    document.set_metadata(metadata(summary, date));
    for (path, bytes) in bundle {
        let place: Place = path.parse().map_err(|_| refused(format!("{path} is not a file of evidence")))?;
        let file = EmbeddedFile {
            path: flat(path),
            mime_type: MimeType::new(mime(place)),
            description: Some(description(place)),
            association_kind: AssociationKind::Source,
            data: bytes.clone().into(),
            modification_date: Some(date),
            compress: Some(true),
            location: None,
        };
        document.embed_file(file).ok_or_else(|| refused(format!("{path} is there twice")))?;
    }
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| refused("no page".to_owned()))?;
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    sheet.lines.iter().for_each(|line| write(&mut surface, line, fonts));
    for (from, to, y) in &sheet.rules {
        fill(&mut surface, Rect::from_ltrb(*from, *y, *to, *y + 0.8));
    }
    draw(&mut surface, &sheet.code);
    surface.finish();
    page.finish();
    document.finish().map_err(|error| refused(format!("{error:?}")))
}

fn metadata(summary: &Summary, date: DateTime) -> Metadata {
    let id = summary.statement.id;
    Metadata::new()
        .title(format!("Certificate of evidence: record {id}"))
        .description(format!(
            "What the attached files prove of the record {id} in the federation {}",
            summary.federation.id()
        ))
        .creator("shieldwall evidence certificate".to_owned())
        .language("en".to_owned())
        .creation_date(date)
}

fn write(surface: &mut Surface<'_>, line: &Line, fonts: &Fonts) {
    let face = fonts.face(line.style);
    let glyphs: Vec<KrillaGlyph> = line
        .text
        .char_indices()
        .filter_map(|(at, letter)| {
            let glyph = face.glyph(letter)?;
            let range = at..at + letter.len_utf8();
            Some(KrillaGlyph::new(GlyphId::new(glyph.id), glyph.advance, 0.0, 0.0, 0.0, range, None))
        })
        .collect();
    surface.draw_glyphs(Point::from_xy(line.x, line.y), &glyphs, face.font.clone(), &line.text, line.size, false);
}

/// Black on the paper: neighbours in a row are drawn as one, so that no light shines between them.
fn draw(surface: &mut Surface<'_>, code: &Code) {
    let module = code.side / code.modules.len() as f32;
    let mut path = PathBuilder::new();
    for (y, row) in code.modules.iter().enumerate() {
        let mut x = 0;
        while x < row.len() {
            let run = row[x..].iter().take_while(|dark| **dark).count();
            if run > 0 {
                let rect = Rect::from_xywh(
                    code.x + x as f32 * module,
                    code.y + y as f32 * module,
                    run as f32 * module,
                    module,
                );
                rect.into_iter().for_each(|rect| path.push_rect(rect));
            }
            x += run.max(1);
        }
    }
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

fn fill(surface: &mut Surface<'_>, rect: Option<Rect>) {
    let mut path = PathBuilder::new();
    rect.into_iter().for_each(|rect| path.push_rect(rect));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

fn date(time: UnixTime) -> DateTime {
    let timestamp = Timestamp::from_second(time.seconds()).unwrap_or_default();
    let time = Offset::UTC.to_datetime(timestamp);
    let small = |part: i8| part.unsigned_abs();
    DateTime::new(time.year().unsigned_abs())
        .month(small(time.month()))
        .day(small(time.day()))
        .hour(small(time.hour()))
        .minute(small(time.minute()))
        .second(small(time.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn mime(place: Place) -> &'static str {
    match place {
        Place::Readme => "text/markdown",
        Place::Charter
        | Place::Manifest(_)
        | Place::Statement
        | Place::Transparent
        | Place::Receipt(_)
        | Place::Sealed(_)
        | Place::Direct(_)
        | Place::Signed(_) => "application/cose",
        Place::Cosignature(_) | Place::Head | Place::Fields(_) | Place::Lane | Place::Equivocation => {
            "application/cbor"
        }
        Place::Key(_) => "application/x-pem-file",
        Place::Leaf | Place::ContentKey(_) => "text/plain",
        Place::Body => "application/json",
    }
}

fn description(place: Place) -> String {
    match place {
        Place::Readme => "What the files are and how to check them with other tools".to_owned(),
        Place::Charter => "The members and their root keys".to_owned(),
        Place::Manifest(member) => format!("The keys of {member}"),
        Place::Statement => "The signed statement".to_owned(),
        Place::Transparent => "The statement with all receipts".to_owned(),
        Place::Leaf => "The statement in hexadecimal".to_owned(),
        Place::Receipt(member) => format!("What {member} signed about the log"),
        Place::Key(member) => format!("The key that the signature of {member} verifies with"),
        Place::Cosignature(member) => format!("What {member} signed about all logs"),
        Place::Head => "What the statement binds".to_owned(),
        Place::Fields(_) => "Fields of a compartment with their proofs".to_owned(),
        Place::Sealed(_) => "A compartment as it was sealed".to_owned(),
        Place::ContentKey(_) => "The key of a compartment".to_owned(),
        Place::Direct(_) => "A compartment for whoever has its key".to_owned(),
        Place::Body => "The opened fields for reading".to_owned(),
        Place::Lane => "What was addressed to one member".to_owned(),
        Place::Equivocation => "The proof that something was signed twice".to_owned(),
        Place::Signed(_) => "One of those that were signed".to_owned(),
    }
}

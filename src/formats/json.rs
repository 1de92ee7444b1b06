//! Drafts in JSON: one object, or an array of them. The form is that of [`Draft`]; `docs/import.md` has an example.

use super::source::Source;
use super::{Import, Imported, Reason};
use crate::encoding::hash::sha256_of;
use crate::record::Draft;

/// The most drafts in one document.
const MAX_DRAFTS: usize = 100_000;

/// Reads the drafts of a document.
pub(super) fn read(source: &Source<'_>) -> Import {
    let mut import = Import::default();
    let value = match serde_json::from_str::<serde_json::Value>(source.text) {
        Ok(value) => value,
        Err(error) => {
            import.errors.push(source.error(place(source, 0, &error), reason(&error)));
            return import;
        }
    };
    let (items, spans) = if let serde_json::Value::Array(items) = value {
        (items, item_spans(source.text))
    } else {
        (vec![value], vec![(0, source.text.len())])
    };
    if items.len() > MAX_DRAFTS {
        import.errors.push(source.error(0, Reason::TooMany { what: "drafts", limit: MAX_DRAFTS }));
        return import;
    }
    for (item, (start, end)) in items.iter().zip(spans) {
        let text = source.text.get(start..end).unwrap_or_default();
        match serde_json::from_str::<Draft>(text) {
            Ok(mut draft) => {
                // Without white space and with sorted members: the same draft, however it is laid out.
                let canonical = item.to_string();
                draft.source_digest.get_or_insert_with(|| sha256_of(&[b"shieldwall json 1\0", canonical.as_bytes()]));
                let start = start + (text.len() - text.trim_start().len());
                import.records.push(Imported {
                    file: source.file.to_owned(),
                    position: source.position(start),
                    goods_positions: Vec::new(),
                    draft: Box::new(draft),
                    notes: Vec::new(),
                });
            }
            Err(error) => import.errors.push(source.error(place(source, start, &error), reason(&error))),
        }
    }
    import
}

/// The message without its own place, which is relative to the item.
fn reason(error: &serde_json::Error) -> Reason {
    let text = Draft::json_fault(error);
    Reason::Json(text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned()))
}

/// The byte offset of an error in an item that begins at `start`.
fn place(source: &Source<'_>, start: usize, error: &serde_json::Error) -> usize {
    let first = source.position(start).line;
    let line = usize::try_from(first).unwrap_or(1) + error.line().saturating_sub(1);
    if error.line() <= 1 { start + error.column().saturating_sub(1) } else { source.offset(line, error.column()) }
}

/// Where each item of a top-level array lies. The text is known to be valid JSON, so brackets and quotes are all it takes.
fn item_spans(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let (mut depth, mut start, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                }
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    spans.push((start, at));
                }
            }
            b',' if depth == 1 => {
                spans.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::super::source::Text;
    use super::*;

    fn read_text(text: &str) -> Import {
        let text = Text { text: text.into(), is_windows_1252: false };
        read(&Source::new("f.json", &text))
    }

    #[test]
    fn one_draft_or_many() {
        assert_eq!(read_text(r#" {"kind": "E02"}"#).records.len(), 1);
        let many = read_text("[{\"ucr\": \"a,]\\\"{\"},\n {\"ucr\": \"b\"}]");
        let lines: Vec<_> = many.records.iter().map(|record| (record.position.line, record.position.column)).collect();
        assert_eq!(lines, [(1, 2), (2, 2)]);
        assert_eq!(read_text("[]").records.len(), 0);
    }

    #[test]
    fn every_faulty_draft_is_told_with_its_place() {
        let import = read_text("[{\"ucr\": 5},\n {\"ucr\": \"b\"}, {\"nonsense\": 1},\n\n{\"mode\":\n  \"x\"}]");
        let errors: Vec<String> = import.errors.iter().map(ToString::to_string).collect();
        assert_eq!(import.records.len(), 1);
        assert_eq!(errors.len(), 3);
        assert!(errors[0].starts_with("f.json:1:") && errors[0].contains("expected a string"), "{errors:?}");
        assert!(errors[1].starts_with("f.json:2:") && errors[1].contains("nonsense"), "{errors:?}");
        assert!(errors[2].starts_with("f.json:5:"), "{errors:?}");
        assert!(read_text("[{").errors[0].to_string().contains("EOF"));
    }

    #[test]
    fn layout_does_not_change_the_digest() {
        let digest = |text| read_text(text).records[0].draft.source_digest;
        assert_eq!(digest(r#"{"ucr":"a","kind":"E02"}"#), digest("[ {\"kind\": \"E02\",\n \"ucr\": \"a\"} ]"));
        assert_ne!(digest(r#"{"ucr":"a"}"#), digest(r#"{"ucr":"b"}"#));
    }
}

//! Documents of others, the config, and lines on the socket.

use std::path::Path;

use shieldwall::encoding::time::UnixTime;
use shieldwall::formats::{Batch, Report, read};
use shieldwall::node::ask;
use shieldwall::node::config::{Config, Sources};
use shieldwall::record::{Context, Record, Strictness};

use super::{shown, silent, told, tried};

fn context(strictness: Strictness) -> Context {
    let now = UnixTime::from_seconds(1_795_000_000).expect("a moment in 2026");
    Context { strictness, author: Some("GE".parse().expect("a member code")), now, foreign_exports: false }
}

fn document(bytes: &[u8]) {
    let import = read("document", bytes);
    silent(&import.records);
    silent(&import.errors);
    for error in &import.errors {
        told(error);
        assert!(error.position.line > 0 && error.position.column > 0, "places are counted from 1");
    }
    for record in &import.records {
        assert!(record.position.line > 0);
    }
    for strictness in [Strictness::Imported, Strictness::Own] {
        let mut batch = Batch::default();
        batch.take(import.clone(), &context(strictness));
        tried(serde_json::to_string(&Report::of(&batch)).expect("a report has a JSON form"));
        for checked in &batch.records {
            silent(&checked.record);
            tried(checked.record.to_json());
            // What was checked is read again by its readers as the same record.
            let again = Record::from_content(checked.record.content());
            assert!(again.is_ok_and(|again| again.to_json() == checked.record.to_json()), "it comes back as another");
        }
    }
}

/// Makes sure that the first sign of a document is one by which its format is known.
fn begun(bytes: &[u8], by: &[u8], with: u8) -> Vec<u8> {
    let (mark, width) = match bytes {
        [0xef, 0xbb, 0xbf, ..] => (&bytes[..3], 1),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => (&bytes[..2], 2),
        _ => (&bytes[..0], 1),
    };
    let text = &bytes[mark.len()..];
    // The half of a unit that holds a letter; the other is zero.
    let half = usize::from(mark.first() == Some(&0xfe));
    let units = text.chunks_exact(width);
    let mut letters = units.map(|unit| if width == 1 { unit[0] } else { unit[half] * u8::from(unit[1 - half] == 0) });
    let known = letters.find(|letter| !letter.is_ascii_whitespace()).is_some_and(|first| by.contains(&first));
    let sign = if width == 1 {
        vec![with]
    } else if half == 1 {
        vec![0, with]
    } else {
        vec![with, 0]
    };
    [mark, if known { &[] } else { &sign }, text].concat()
}

/// A table, whatever it is.
pub fn csv(bytes: &[u8]) {
    document(bytes);
}

/// XML.
pub fn xml(bytes: &[u8]) {
    document(&begun(bytes, b"<", b'<'));
}

/// JSON.
pub fn json(bytes: &[u8]) {
    document(&begun(bytes, b"[{", b'{'));
}

/// The config of a node.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Config::parse(Path::new("/config/node.toml"), text, &Sources::default()) {
        Ok((config, settings)) => {
            shown(&config);
            shown(&settings);
            assert!(!config.listen.is_empty() && config.socket.as_os_str().len() <= 103);
        }
        Err(error) => told(&error),
    }
}

/// A command's request or a node's line on the socket.
pub fn api(bytes: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<ask::Request>(bytes) {
        silent(&request);
        let again = serde_json::to_vec(&request).expect("a request has a JSON form");
        assert_eq!(serde_json::from_slice::<ask::Request>(&again).ok(), Some(request), "it comes back as another");
    }
    if let Ok(line) = serde_json::from_slice::<ask::Line>(bytes) {
        shown(&line);
    }
}

//! Golden bytes of everything on disk: `tests/vectors/disk.json`. A changed vector needs a new format version, or a migration.

use std::fs;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{DIR, Path, RecordId, frame};
use crate::disk::fault::FaultFs;
use crate::disk::files::Access;
use crate::disk::frame::{self as frames_of_disk, Context, write};
use crate::disk::guard;
use crate::disk::segment::{Family, Segments};
use crate::encoding::hash::sha256;
use crate::ledger::{Key, Mark};

#[test]
fn what_is_on_disk_keeps_its_bytes() {
    let id: RecordId = "GE.2-17".parse().unwrap();
    let member = "TR".parse().unwrap();
    let keys = [
        ("published", Key::Published),
        ("statement", Key::Statement(id)),
        ("checkpoint", Key::Checkpoint(id.log)),
        ("cosignature", Key::Cosignature(id.log, member)),
        ("frontier-cosignature", Key::FrontierCosignature(member)),
        ("fork", Key::Fork(id.log, 3)),
        ("intent", Key::Intent(id)),
        ("head", Key::Head(id)),
        ("compartment", Key::Compartment(id, 4)),
        ("lanes", Key::Lanes(id)),
        ("slot", Key::Slot(id)),
        ("charter-split", Key::CharterSplit),
        ("manifest-split", Key::ManifestSplit(member)),
        ("commitments", Key::Commitments(id)),
        ("lane-proof", Key::LaneProof(id)),
        ("erased", Key::Erased(id)),
        ("hold", Key::Hold(id)),
    ];
    let frames: Map<String, Value> = keys
        .into_iter()
        .map(|(name, key)| {
            let context = Context { family: Family::of(&key), segment: 5, salt: 0x0102_0304 };
            let mut bytes = Vec::new();
            write(&mut bytes, context, 640, 64, &frame(key, b"content"));
            (name.to_owned(), hex(&bytes))
        })
        .collect();
    let erased = {
        let key = Key::Head(id);
        let context = Context { family: Family::of(&key), segment: 5, salt: 0x0102_0304 };
        let mut bytes = Vec::new();
        write(&mut bytes, context, 640, 64, &frame(key, b"content"));
        hex(&frames_of_disk::erased(&bytes, context, 640, &key).unwrap())
    };
    let marks = [
        ("audited", Mark::Audited(id.log)),
        ("flag", Mark::Flag(id)),
        ("inbox", Mark::Inbox(id)),
        ("source", Mark::Source(sha256(b"line"))),
        ("scanned", Mark::Scanned(id.log)),
        ("granted", Mark::Granted(id)),
        ("lists", Mark::Lists(id)),
        ("lane", Mark::Lane(id)),
        ("covered", Mark::Covered(id)),
    ];
    let marks: Map<String, Value> =
        marks.into_iter().map(|(name, mark)| (name.to_owned(), hex(&mark.to_bytes()))).collect();
    let header = |family| {
        let segments = Segments::new(Arc::new(FaultFs::default()), Path::new(DIR), family, Access::Read);
        hex(&segments.header_bytes(5, 0x0102_0304))
    };
    let made = json!({
        "segment_header_statements": header(Family::of(&Key::Statement(id))),
        "segment_header_bodies": header(Family::of(&Key::Head(id))),
        "frames": frames,
        "erased_head": erased,
        "marks": marks,
        "guard_header": hex(&guard::header(id.log, &sha256(b"machine and directory"))),
        "guard_frame": hex(&guard::frame(17, &sha256(b"to be signed"))),
    });
    let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/disk.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "what older versions wrote must stay readable");
}

fn hex(bytes: &[u8]) -> Value {
    Value::String(data_encoding::HEXLOWER.encode(bytes))
}

//! Faults of form: what breaks the one deterministic encoding, made from any good object.

use shieldwall::encoding::cbor::{self, Map, Value};

use super::{Case, case, repeated};

/// Where one item lies in the bytes of another.
#[derive(Clone, Copy)]
struct Item {
    start: usize,
    /// Where its content begins, behind its head.
    content: usize,
    end: usize,
    major: u8,
    argument: u64,
    depth: usize,
}

/// Every item of `bytes`, which is good CBOR, in the order of their beginnings.
fn items(bytes: &[u8]) -> Vec<Item> {
    let mut found = Vec::new();
    walk(bytes, 0, 0, &mut found);
    found.sort_by_key(|item| item.start);
    found
}

fn walk(bytes: &[u8], start: usize, depth: usize, found: &mut Vec<Item>) -> usize {
    let (major, low) = (bytes[start] >> 5, bytes[start] & 31);
    let width = match low {
        0..=23 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        _ => 8,
    };
    let content = start + 1 + width;
    let argument = if width == 0 {
        low.into()
    } else {
        bytes[start + 1..content].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let length = usize::try_from(argument).unwrap();
    let mut end = content;
    match major {
        2 | 3 => end += length,
        4 | 5 => {
            for _ in 0..length * usize::from(major - 3) {
                end = walk(bytes, end, depth + 1, found);
            }
        }
        6 => end = walk(bytes, end, depth + 1, found),
        _ => {}
    }
    found.push(Item { start, content, end, major, argument, depth });
    end
}

fn with(bytes: &[u8], from: usize, to: usize, new: &[u8]) -> Vec<u8> {
    [&bytes[..from], new, &bytes[to..]].concat()
}

/// The head of an item, one size longer than needed.
fn wide(item: &Item) -> Vec<u8> {
    let top = item.major << 5;
    let argument = item.argument;
    match argument {
        0..=23 => vec![top | 24, u8::try_from(argument).unwrap()],
        24..=255 => [&[top | 25], &u16::try_from(argument).unwrap().to_be_bytes()[..]].concat(),
        256..=65_535 => [&[top | 26], &u32::try_from(argument).unwrap().to_be_bytes()[..]].concat(),
        _ => [&[top | 27], &argument.to_be_bytes()[..]].concat(),
    }
}

fn name(major: u8) -> &'static str {
    ["number", "negative number", "byte string", "text", "array", "map", "tag", "simple value"][usize::from(major)]
}

/// One of each fault for the first item of every type, and for one deep inside.
pub(super) fn faults(bytes: &[u8]) -> Vec<Case> {
    let all = items(bytes);
    let mut cases = Vec::new();
    let deepest = all.iter().copied().max_by_key(|item| item.depth);
    let firsts = (0..=6).filter_map(|major| all.iter().copied().find(|item| item.major == major));
    for item in firsts {
        let kind = name(item.major);
        if item.major != 7 {
            cases.push(case(
                format!("{kind} head longer than needed"),
                with(bytes, item.start, item.content, &wide(&item)),
            ));
        }
        if (2..=5).contains(&item.major) {
            let huge = [&[item.major << 5 | 27][..], &[0xff; 8]].concat();
            cases.push(case(format!("{kind} of 2^64-1"), with(bytes, item.start, item.content, &huge)));
            let long = [&[item.major << 5 | 26][..], &[0x7f, 0xff, 0xff, 0xff]].concat();
            cases.push(case(format!("{kind} of 2^31-1"), with(bytes, item.start, item.content, &long)));
            let inside = match item.major {
                2 | 3 => bytes[item.start..item.end].to_vec(),
                _ => bytes[item.content..item.end].to_vec(),
            };
            let open = [&[item.major << 5 | 31][..], &inside, &[0xff]].concat();
            cases.push(case(format!("{kind} of indefinite length"), with(bytes, item.start, item.end, &open)));
        }
        if item.major == 3 && item.content < item.end {
            cases.push(case("text that is not UTF-8", with(bytes, item.content, item.content + 1, &[0xff])));
        }
        cases.push(case(format!("cut off within a {kind}"), &bytes[..item.content.max(item.end - 1)]));
    }
    if let Some(item) = deepest {
        let instead = |new: &[u8]| with(bytes, item.start, item.end, new);
        cases.push(case("a float of 16 bits", instead(&[0xf9, 0x3c, 0x00])));
        cases.push(case("a float of 64 bits", instead(&[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0])));
        cases.push(case("undefined", instead(&[0xf7])));
        cases.push(case("an unassigned simple value", instead(&[0xe0])));
        cases.push(case("a reserved head", instead(&[0x1c])));
        cases.push(case("a break without a beginning", instead(&[0xff])));
        cases.push(case("a tag around a field", instead(&[&[0xc0][..], &bytes[item.start..item.end]].concat())));
        cases.push(case("nested too deep", instead(&[&[0x81; 40][..], &[0]].concat())));
        let (before, after) = (&bytes[..item.start], &bytes[item.end..]);
        cases.push(repeated("a depth bomb", &[(before, 1), (&[0x81], 60_000), (&[0], 1), (after, 1)]));
    }
    if let Some(map) = all.iter().find(|item| item.major == 5 && item.argument >= 2 && item.argument < 23) {
        cases.extend(map_faults(bytes, &all, map));
    }
    cases.push(case("a byte behind the end", [bytes, &[0]].concat()));
    cases.push(case("twice in a row", [bytes, bytes].concat()));
    cases.push(case("nothing", []));
    cases.push(case("another object", [0xa0]));
    cases
}

/// Keys twice, and keys out of order.
fn map_faults(bytes: &[u8], all: &[Item], map: &Item) -> Vec<Case> {
    let inner: Vec<&Item> = all
        .iter()
        .filter(|item| item.depth == map.depth + 1 && item.start >= map.content && item.end <= map.end)
        .collect();
    let (one, two) = (&bytes[inner[0].start..inner[1].end], &bytes[inner[2].start..inner[3].end]);
    let head = [0xa0 | u8::try_from(map.argument + 1).unwrap()];
    let double = [&bytes[..map.start], &head, one, &bytes[map.content..]].concat();
    let swapped = with(bytes, inner[0].start, inner[3].end, &[two, one].concat());
    vec![case("a key twice", double), case("keys out of order", swapped)]
}

/// Faults of a map's entries: each missing, each of another type, and one too many.
pub(super) fn entries(map: &Map) -> Vec<(String, Map)> {
    let mut made = Vec::new();
    for (key, value) in map.iter() {
        let shown = shown(key);
        let mut without = map.clone();
        without.remove(key);
        made.push((format!("{shown} is missing"), without));
        let other = if *value == Value::Null { Value::from(1) } else { Value::Null };
        made.push((format!("{shown} is of another type"), map.clone().with(key.clone(), other)));
    }
    made.push(("a field that is not known".to_owned(), map.clone().with(9_999, 1)));
    made
}

pub(super) fn shown(key: &Value) -> String {
    match key {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// The map that these bytes are.
pub(super) fn map_of(bytes: &[u8]) -> Map {
    match cbor::decode(bytes) {
        Ok(Value::Map(map)) => map,
        other => panic!("not a map: {other:?}"),
    }
}

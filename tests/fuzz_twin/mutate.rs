//! What becomes of bytes on a bad day, or in bad hands.

use shieldwall::encoding::random::Randomness;

/// Bytes of noise at most: what is longer is refused at its beginning all the same.
const NOISE_MAX: u32 = 300;

/// Any bytes; half of them begin as CBOR containers do.
pub(super) fn noise(random: &mut Randomness) -> Vec<u8> {
    let length = random.below(NOISE_MAX);
    let mut bytes: Vec<u8> = (0..length).map(|_| byte(random)).collect();
    if random.below(2) == 0
        && let Some(first) = bytes.first_mut()
    {
        *first = [0x81, 0x83, 0x84, 0xa2, 0xd2, 0xd8, 0x9f, 0xbf][below(random, 8)];
    }
    bytes
}

/// One of the seeds after one to four changes.
pub(super) fn mutated(seeds: &[(String, Vec<u8>)], random: &mut Randomness) -> Vec<u8> {
    let Some((_, seed)) = seeds.get(below(random, seeds.len())) else { return Vec::new() };
    let mut bytes = seed.clone();
    for _ in 0..=random.below(3) {
        change(&mut bytes, seeds, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[(String, Vec<u8>)], random: &mut Randomness) {
    let at = below(random, bytes.len());
    let length = below(random, 48).min(bytes.len() - at.min(bytes.len()));
    match random.below(8) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = byte(random),
        2 => bytes.truncate(at),
        // Once more what stands there: repeated keys, entries and rows.
        3 => {
            let part = bytes[at..at + length].to_vec();
            bytes.splice(at..at, part);
        }
        4 => drop(bytes.drain(at..at + length)),
        // A piece of another.
        5 => {
            let other = &seeds[below(random, seeds.len())].1;
            let from = below(random, other.len());
            let to = (from + below(random, 64)).min(other.len());
            bytes.splice(at..at + length, other[from..to].iter().copied());
        }
        // Numbers and lengths at the edges of what they can be.
        6 if !bytes.is_empty() => {
            let major = bytes[at] & 0xe0;
            let edge: &[u8] = [
                &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
                &[0x1a, 0xff, 0xff, 0xff, 0xff],
                &[0x1b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                &[0x19, 0xff, 0xff],
                &[0x18, 0x18],
                &[0x18, 0x17],
                &[0x1f],
                &[0x00],
            ][below(random, 8)];
            let mut edge = edge.to_vec();
            edge[0] |= major;
            bytes.splice(at..=at, edge);
        }
        // Signs that documents trip over.
        _ => {
            let sign = [
                "\u{feff}",
                "\0",
                "\u{202e}",
                "\u{200b}",
                "\"",
                "'",
                "\n",
                ";",
                ",",
                "<",
                "&x;",
                "]]>",
                "{",
                "=1+1",
                "-",
                "9999999999999999999999",
                "1e309",
                "NaN",
                "\\ud800",
                "<!DOCTYPE a>",
                "/",
                "..",
                "\t",
                "é",
                "[[",
                "#",
            ];
            let sign = sign[below(random, sign.len())];
            bytes.splice(at..at, sign.bytes());
        }
    }
}

fn byte(random: &mut Randomness) -> u8 {
    random.array::<1>()[0]
}

fn below(random: &mut Randomness, bound: usize) -> usize {
    let bound = u32::try_from(bound).unwrap_or(u32::MAX).max(1);
    usize::try_from(random.below(bound)).unwrap_or(0)
}

//! How values look on a person's screen.

use crate::encoding::hash::Digest;
use crate::identity::PublicKey;

/// The first 16 bytes of a key's digest, in groups that can be read aloud.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    groups(&key.digest())
}

/// The first 16 bytes of a digest, in groups of four digits.
pub(super) fn groups(digest: &Digest) -> String {
    let text = digest.to_string();
    let groups: Vec<&str> = (0..32).step_by(4).filter_map(|at| text.get(at..at + 4)).collect();
    groups.join(" ")
}

/// `1 record`, `2 records`.
pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Grams, in groups of three digits: `2 750 000 000 g`.
pub(super) fn mass(grams: u64) -> String {
    let digits = grams.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    format!("{text} g")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hash::sha256;

    #[test]
    fn values_are_easy_to_read() {
        assert_eq!(groups(&sha256(b"")), "e3b0 c442 98fc 1c14 9afb f4c8 996f b924");
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(0, "record"), "0 records");
        assert_eq!(mass(2_750_000_000), "2 750 000 000 g");
        assert_eq!(mass(7), "7 g");
    }
}

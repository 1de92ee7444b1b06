//! How values look on a person's screen.

use serde_json::Value;

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

/// A field with its value as an outline: lists with dashes, what belongs together under its name.
pub(super) fn outline(name: &str, value: &Value) -> String {
    let mut text = String::new();
    write_outline(&mut text, 0, &format!("{name}: "), value);
    text
}

fn write_outline(text: &mut String, depth: usize, start: &str, value: &Value) {
    let margin = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            *text += &format!("{margin}{}\n", start.trim_end());
            for (name, value) in fields {
                write_outline(text, depth + 1, &format!("{name}: "), value);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            *text += &format!("{margin}{}\n", start.trim_end());
            for item in items {
                write_outline(text, depth + 1, "- ", item);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            *text += &format!("{margin}{start}{}\n", items.join(", "));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            *text += &format!("{margin}{start}{}\n", scalar(value));
        }
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
        let goods = serde_json::json!([{ "substance": "urea", "net_mass_g": 1000, "packages": [{ "count": 2 }] }]);
        let expected =
            "goods:\n  -\n    net_mass_g: 1000\n    packages:\n      -\n        count: 2\n    substance: urea\n";
        assert_eq!(outline("goods", &goods), expected);
        assert_eq!(outline("to", &serde_json::json!(["TR", "MZ"])), "to: TR, MZ\n");
    }
}

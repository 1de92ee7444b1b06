//! What text may be in a record: normalised, visible, bounded.

use unicode_normalization::is_nfc;

/// The longest line of text: a name, an address, a reference. In characters.
pub const MAX_LINE: usize = 512;
/// The longest free text: a reason, a profile. In characters.
pub const MAX_FREE_TEXT: usize = 8_192;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum TextFault {
    /// Two texts that look the same must be the same bytes.
    #[error("the text is not in Unicode normalization form C")]
    NotNormalised,
    /// A character that changes how the others are shown, or that is not shown at all: it can make a name read as another.
    #[error("the text holds the invisible or control character U+{0:04X}")]
    Invisible(u32),
    /// Longer than what a form field takes.
    #[error("the text has {length} characters and at most {limit} are allowed")]
    TooLong {
        /// How many characters there are.
        length: usize,
        /// How many are allowed.
        limit: usize,
    },
}

/// The first fault of `text`, a length being worse than an invisible character and that worse than the form.
#[must_use]
pub fn fault(text: &str, limit: usize) -> Option<TextFault> {
    let length = text.chars().count();
    if length > limit {
        return Some(TextFault::TooLong { length, limit });
    }
    let line_breaks = limit == MAX_FREE_TEXT;
    if let Some(character) =
        text.chars().find(|character| invisible(*character) && !(line_breaks && *character == '\n'))
    {
        return Some(TextFault::Invisible(character.into()));
    }
    (!is_nfc(text)).then_some(TextFault::NotNormalised)
}

/// Control characters, zero-width characters, bidirectional overrides and isolates, tags, and the byte order mark.
fn invisible(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0x00ad | 0x034f | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_pass() {
        for name in ["შპს აზოტი", "Gübre Sanayi A.Ş.", "شركة الأسمدة", "Fábrica de Explosivos", "肥料公司"]
        {
            assert_eq!(fault(name, MAX_LINE), None, "{name}");
        }
    }

    #[test]
    fn what_deceives_the_eye_does_not() {
        assert_eq!(fault("a\u{202e}b", MAX_LINE), Some(TextFault::Invisible(0x202e)));
        assert_eq!(fault("a\u{200b}b", MAX_LINE), Some(TextFault::Invisible(0x200b)));
        assert_eq!(fault("a\nb", MAX_LINE), Some(TextFault::Invisible(0x0a)));
        assert_eq!(fault("a\nb", MAX_FREE_TEXT), None);
        assert_eq!(fault("Fa\u{301}brica", MAX_LINE), Some(TextFault::NotNormalised));
        assert_eq!(fault(&"x".repeat(513), MAX_LINE), Some(TextFault::TooLong { length: 513, limit: 512 }));
    }
}

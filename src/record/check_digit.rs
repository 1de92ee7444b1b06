//! The check digit that freight containers (ISO 6346 annex A) and customs movement reference numbers share.

/// The value of one character: digits count themselves, letters go up from 10 and skip the multiples of 11
/// (A = 10, B = 12, … L = 23, … V = 34, … Z = 38). `None` for anything but `0-9` and `A-Z`.
fn value(character: u8) -> Option<u32> {
    match character {
        b'0'..=b'9' => Some(u32::from(character - b'0')),
        b'A'..=b'Z' => {
            let place = u32::from(character - b'A');
            // One multiple of 11 (11, 22, 33) is skipped for each ten letters after A.
            Some(10 + place + place.div_ceil(10))
        }
        _ => None,
    }
}

/// The check digit over `text`: the sum of value(cᵢ) · 2ⁱ, modulo 11, modulo 10.
///
/// `None` if a character is not `0-9A-Z`, or if the text is longer than 32 characters (so that the sum cannot overflow).
pub(super) fn check_digit(text: &str) -> Option<u8> {
    if text.len() > 32 {
        return None;
    }
    let mut sum: u64 = 0;
    for (place, character) in text.bytes().enumerate() {
        sum += u64::from(value(character)?) << place;
    }
    u8::try_from(sum % 11 % 10).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_skip_the_multiples_of_eleven() {
        let values: Vec<u32> = b"ABKLUVZ".iter().filter_map(|c| value(*c)).collect();
        assert_eq!(values, [10, 12, 21, 23, 32, 34, 38]);
    }

    #[test]
    fn a_container_and_a_movement_reference() {
        // The example of ISO 6346 itself, and a published movement reference number.
        assert_eq!(check_digit("CSQU305438"), Some(3));
        assert_eq!(check_digit("06DE586600006143E"), Some(1));
        assert_eq!(check_digit("CSQU-305438"), None);
    }
}

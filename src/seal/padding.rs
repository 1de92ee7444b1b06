//! How much padding brings a sealed compartment to a given length.
//!
//! Lengths in CBOR have heads of 1, 2, 3 or 5 bytes, so a byte more of padding can make the whole two or three bytes longer and
//! skip a length. A second string of padding takes up what the first one skips; where the ciphertext's own head
//! grows, a length cannot be had at all, and the caller takes a larger one.

/// Bytes that the authentication tag adds to the plaintext.
pub(super) const TAG_BYTES: usize = 16;

/// What determines a sealed compartment's length, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Everything but the ciphertext and its head.
    pub(super) around: usize,
    /// The plaintext with both strings of padding empty.
    pub(super) plaintext: usize,
}

impl Shape {
    /// The length without padding.
    pub(super) fn least(self) -> usize {
        let ciphertext = self.plaintext + TAG_BYTES;
        self.around + head(ciphertext) + ciphertext
    }

    /// The two lengths of padding that make the whole exactly `target` bytes long, if there are such.
    pub(super) fn fit(self, target: usize) -> Option<(usize, usize)> {
        let ciphertext = with_head(target.checked_sub(self.around)?)?;
        let padding = ciphertext.checked_sub(TAG_BYTES)?.checked_sub(self.plaintext)?;
        (0..3).find_map(|second| {
            // The heads of empty strings, one byte each, are part of the plaintext already.
            let first = with_head(padding.checked_sub(second)? + 1)?;
            Some((first, second))
        })
    }
}

/// The length of a byte string that, with its head, takes exactly `total` bytes.
fn with_head(total: usize) -> Option<usize> {
    [1, 2, 3, 5].into_iter().filter_map(|bytes| total.checked_sub(bytes)).find(|length| length + head(*length) == total)
}

/// Bytes in the head of a string of so many bytes (RFC 8949 §3).
fn head(length: usize) -> usize {
    match length {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_hit_but_those_where_the_ciphertexts_head_grows() {
        for plaintext in [10, 200, 222, 300] {
            let shape = Shape { around: 90, plaintext };
            for target in shape.least()..70_000 {
                match shape.fit(target) {
                    Some((first, second)) => {
                        let ciphertext = plaintext + first + head(first) - 1 + second + TAG_BYTES;
                        assert_eq!(shape.around + head(ciphertext) + ciphertext, target);
                    }
                    None => assert!([90 + 258, 90 + 65_539, 90 + 65_540].contains(&target), "{plaintext} {target}"),
                }
            }
            assert_eq!(shape.fit(shape.least()), Some((0, 0)));
            assert_eq!(shape.fit(shape.least() - 1), None);
        }
    }
}

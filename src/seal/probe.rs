//! Doors to the decoders that stand behind a decryption, for fuzzing: from outside only whoever holds a key reaches them.

use super::SealError;
use super::compartment::Encrypted;
use super::fields::Opened;
use crate::encoding::random::Randomness;

/// Reads a sealed compartment (`COSE_Encrypt`) and writes it again.
///
/// # Errors
/// [`SealError`] if it is none.
pub fn recode_compartment(bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    Ok(Encrypted::decode(bytes)?.encode())
}

/// Reads what is inside a compartment. Gives also its bytes anew, without padding.
///
/// # Errors
/// [`SealError`] if it is no compartment's content.
pub fn read_plaintext(bytes: &[u8]) -> Result<(Opened, Vec<u8>), SealError> {
    let opened = Opened::from_plaintext(bytes)?;
    let again = opened.to_plaintext((0, 0)).to_vec();
    Ok((opened, again))
}

/// What a compartment of these fields holds before it is encrypted.
///
/// # Errors
/// [`SealError`] if it cannot be sealed.
pub fn plaintext(
    compartment: &str,
    fields: &std::collections::BTreeMap<String, crate::encoding::cbor::Value>,
    padding: (usize, usize),
) -> Result<Vec<u8>, SealError> {
    Ok(Opened::salted(compartment, fields, &mut Randomness::new([7; 32]))?.to_plaintext(padding).to_vec())
}

//! Ed25519 keys and the one rule by which signatures are checked.

use std::fmt;

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::encoding::cbor::Value;
use crate::encoding::hash::{Digest, Kid, sha256};

/// `SubjectPublicKeyInfo` of an Ed25519 key up to the key itself (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why bytes are not a key that may stand in a charter or manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No point of the curve, or not the one encoding of its point.
    #[error("not the canonical encoding of an Ed25519 public key")]
    NotCanonical,
    /// A point of small order, for which signatures can be made without a secret.
    #[error("a weak Ed25519 public key")]
    Weak,
    /// Not an X-Wing encapsulation key: of another length, or with coefficients out of range.
    #[error("not an X-Wing public key")]
    NotXWing,
}

/// A signature that does not verify strictly under the key it must come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// An Ed25519 public key that has been checked: canonical, and not of small order.
#[derive(Clone, Copy)]
pub struct PublicKey(VerifyingKey);

/// An Ed25519 secret key together with its public key, so that no signature is ever made for another one
/// (RUSTSEC-2022-0093). Erased from memory when dropped.
pub struct SecretKey(SigningKey);

impl PublicKey {
    /// The key with this encoding (RFC 8032 §5.1.2).
    ///
    /// # Errors
    /// [`KeyError`] unless decompressing and compressing again gives the same bytes and the point is not of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        #[cfg(feature = "simulate")]
        if let Some(key) = super::known::key(bytes) {
            return Ok(Self(key));
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotCanonical)?;
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        #[cfg(feature = "simulate")]
        super::known::note_key(&key);
        Ok(Self(key))
    }

    /// The key's encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key's id in protected headers.
    #[must_use]
    pub fn kid(&self) -> Kid {
        Kid::of(self.as_bytes())
    }

    /// SHA-256 of the key; a charter announces a member's next root by it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(self.as_bytes())
    }

    /// Checks a signature by `verify_strict`, the only rule used in Shieldwall: batch and cofactored verification accept
    /// signatures that single verification refuses, and two honest nodes must never disagree.
    ///
    /// # Errors
    /// [`BadSignature`] if it does not verify.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        #[cfg(feature = "simulate")]
        if super::known::holds(self.as_bytes(), message, signature) {
            return Ok(());
        }
        self.0.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| BadSignature)?;
        #[cfg(feature = "simulate")]
        super::known::note(self.as_bytes(), message, signature);
        Ok(())
    }

    /// `SubjectPublicKeyInfo` as PEM, as `openssl pkey -pubin` reads it (RFC 8410, RFC 7468).
    #[must_use]
    pub fn to_pem(&self) -> String {
        let der = [&SPKI_PREFIX[..], self.as_bytes()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&der))
    }
}

impl SecretKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for writing a key file.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message`. Ed25519 is deterministic: the same message gives the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.0.sign(message).to_bytes();
        #[cfg(feature = "simulate")]
        super::known::note(self.public().as_bytes(), message, &signature);
        signature
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.kid())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey([redacted])")
    }
}

impl From<&PublicKey> for Value {
    fn from(key: &PublicKey) -> Self {
        Self::from(key.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_verifies_and_refuses_a_flipped_bit() {
        let secret = SecretKey::from_seed(&[7; 32]);
        let mut signature = secret.sign(b"message");
        assert_eq!(secret.public().verify(b"message", &signature), Ok(()));
        assert_eq!(secret.public().verify(b"another", &signature), Err(BadSignature));
        signature[40] ^= 1;
        assert_eq!(secret.public().verify(b"message", &signature), Err(BadSignature));
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(KeyError::Weak));
        // The identity again, as y = p + 1.
        let mut second = [0xff; 32];
        second[0] = 0xee;
        second[31] = 0x7f;
        assert_eq!(PublicKey::from_bytes(&second), Err(KeyError::NotCanonical));
        // y = 2 is the height of no point.
        let mut none = [0; 32];
        none[0] = 2;
        assert_eq!(PublicKey::from_bytes(&none), Err(KeyError::NotCanonical));
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = SecretKey::from_seed(&[7; 32]);
        assert_eq!(secret.seed(), &[7; 32], "but written to a key file");
        assert_eq!(format!("{secret:?}"), "SecretKey([redacted])");
        assert_eq!(format!("{:?}", secret.public()), format!("PublicKey({})", secret.public().kid()));
    }

    #[test]
    fn pem_is_what_openssl_writes() {
        // `openssl pkey -pubout` of the first key in RFC 8032 §7.1.
        let seed = data_encoding::HEXLOWER
            .decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
        let secret = SecretKey::from_seed(seed.as_slice().try_into().unwrap());
        assert_eq!(
            secret.public().to_pem(),
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"
        );
    }
}

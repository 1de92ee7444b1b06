//! The keys to which lanes are sealed: X-Wing, a hybrid of ML-KEM-768 and X25519, so that what is recorded today stays
//! closed to the computers of tomorrow.

use std::fmt;

use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use zeroize::Zeroizing;

use super::key::KeyError;
use crate::encoding::cbor::Value;
use crate::encoding::hash::Kid;

/// An X-Wing encapsulation key whose coefficients have been checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealPublicKey(Box<[u8; Self::LENGTH]>);

/// An X-Wing decapsulation key in its seed form. Erased from memory when dropped.
pub struct SealSecretKey(Zeroizing<[u8; 32]>);

impl SealPublicKey {
    /// Bytes in an encapsulation key.
    pub const LENGTH: usize = 1216;

    /// The key with this encoding (draft-connolly-cfrg-xwing-kem).
    ///
    /// # Errors
    /// [`KeyError::NotXWing`] for another length or coefficients that are not reduced.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = <XWing as hpke::Kem>::PublicKey::from_bytes(bytes).map_err(|_| KeyError::NotXWing)?;
        if key.to_bytes().as_slice() != bytes {
            return Err(KeyError::NotXWing);
        }
        Ok(Self(Box::new(bytes.try_into().map_err(|_| KeyError::NotXWing)?)))
    }

    /// The key's encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> Kid {
        Kid::of(self.as_bytes())
    }
}

impl SealSecretKey {
    /// The key of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    /// The seed, for writing a key file and for opening.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public half. Costs a key generation: keep it if it is needed again.
    #[must_use]
    pub fn public(&self) -> SealPublicKey {
        let secret = <XWing as hpke::Kem>::PrivateKey::from_bytes(self.seed()).expect("every 32 bytes are a seed");
        let bytes = XWing::sk_to_pk(&secret).to_bytes();
        SealPublicKey(Box::new(bytes.as_slice().try_into().expect("an encapsulation key has 1216 bytes")))
    }
}

impl fmt::Debug for SealPublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SealPublicKey({})", self.kid())
    }
}

impl fmt::Debug for SealSecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealSecretKey([redacted])")
    }
}

impl From<&SealPublicKey> for Value {
    fn from(key: &SealPublicKey) -> Self {
        Self::from(key.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_with_reduced_coefficients_are_accepted() {
        let public = SealSecretKey::from_seed(&[7; 32]).public();
        assert_eq!(SealPublicKey::from_bytes(public.as_bytes()), Ok(public.clone()));
        assert_eq!(SealPublicKey::from_bytes(&public.as_bytes()[1..]), Err(KeyError::NotXWing));
        let mut bytes = *public.as_bytes();
        bytes[..2].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(SealPublicKey::from_bytes(&bytes), Err(KeyError::NotXWing));
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = SealSecretKey::from_seed(&[7; 32]);
        assert_eq!(format!("{secret:?}"), "SealSecretKey([redacted])");
        assert_eq!(format!("{:?}", secret.public()), format!("SealPublicKey({})", secret.public().kid()));
    }
}

//! Transport keys and the PeerIds derived from them.
//!
//! Only PeerIds of Ed25519 keys exist in a federation. Such a PeerId *is* the key: an identity multihash over the
//! protobuf (key type 1, 32 bytes) of the libp2p peer-ids specification, so both directions are exact.

use std::fmt;
use std::str::FromStr;

use libp2p::PeerId;
use libp2p::identity::Keypair;
use zeroize::Zeroizing;

use super::NetworkError;

/// Multihash "identity", 36 bytes; protobuf field 1 (type) = Ed25519, field 2 (data) = 32 bytes.
const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A peer's raw Ed25519 public key. It is the peer's identity in the transport and signs nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportKey(pub [u8; 32]);

impl TransportKey {
    /// The public half of a transport secret (an Ed25519 seed).
    pub fn of_secret(secret: &[u8; 32]) -> Self {
        TransportKey(ed25519_dalek::SigningKey::from_bytes(secret).verifying_key().to_bytes())
    }
}

/// Shows the PeerId, as an operator knows it from other libp2p tools (`12D3Koo…`).
impl fmt::Display for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        peer_id(self).fmt(f)
    }
}

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        peer_id(self).fmt(f)
    }
}

/// Reads a PeerId in base58 (`12D3Koo…`).
impl FromStr for TransportKey {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let bad = || NetworkError::BadPeerId(text.to_owned());
        let key = key(&text.parse().map_err(|_| bad())?).ok_or_else(bad)?;
        check(&key).map_err(|_| bad())?;
        Ok(key)
    }
}

/// The PeerId of a key.
pub(super) fn peer_id(key: &TransportKey) -> PeerId {
    let mut bytes = [0; PREFIX.len() + 32];
    bytes[..PREFIX.len()].copy_from_slice(&PREFIX);
    bytes[PREFIX.len()..].copy_from_slice(&key.0);
    PeerId::from_bytes(&bytes).expect("an identity multihash of 36 bytes is always a PeerId")
}

/// The key of a PeerId, if it is one of an Ed25519 key.
pub(super) fn key(peer_id: &PeerId) -> Option<TransportKey> {
    let bytes = peer_id.to_bytes();
    let key = bytes.strip_prefix(&PREFIX)?;
    Some(TransportKey(key.try_into().ok()?))
}

/// Refuses what is not a point on the curve and what has small order: for such a key anybody can make a signature that
/// the transport's (non-strict) check accepts.
pub(super) fn check(key: &TransportKey) -> Result<(), NetworkError> {
    match ed25519_dalek::VerifyingKey::from_bytes(&key.0) {
        Ok(point) if !point.is_weak() => Ok(()),
        Ok(_) | Err(_) => Err(NetworkError::BadKey(key.to_string())),
    }
}

/// This node's identity in the transport.
pub(super) fn keypair(secret: &Zeroizing<[u8; 32]>) -> Result<Keypair, NetworkError> {
    let mut secret = secret.clone();
    Keypair::ed25519_from_bytes(secret.as_mut_slice())
        .map_err(|error| NetworkError::Setup { part: "the transport key", reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_peer_id_are_the_same_thing() {
        let secret = Zeroizing::new([7; 32]);
        let theirs = keypair(&secret).unwrap().public().to_peer_id();
        let ours = TransportKey::of_secret(&secret);
        assert_eq!(peer_id(&ours), theirs);
        assert_eq!(key(&theirs), Some(ours));
        assert_eq!(ours.to_string().parse::<TransportKey>().unwrap(), ours);
        assert!(ours.to_string().starts_with("12D3Koo"));
    }

    #[test]
    fn other_peer_ids_are_refused() {
        // The SHA-256 PeerId of an RSA key.
        let rsa = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        assert_eq!(key(&rsa.parse().unwrap()), None);
        assert!(rsa.parse::<TransportKey>().is_err());
    }

    #[test]
    fn weak_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(check(&TransportKey(identity)).is_err());
        assert!(check(&TransportKey([0; 32])).is_err());
        assert!(check(&TransportKey::of_secret(&[1; 32])).is_ok());
    }
}

//! The bytes of a key file: PKCS#8 (RFC 5958) in PEM, encrypted with PBES2 (RFC 8018): scrypt (RFC 7914), AES-256-CBC.

use std::fmt;

use pkcs8::der::Decode as _;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2;
use pkcs8::pkcs5::scrypt::Params;
use pkcs8::{AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use super::Passphrase;

/// The 32 secret bytes that a key is made from. They are wiped when dropped and never shown.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

/// The kinds of key that a file can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 8410: signs. The file holds the seed in an inner OCTET STRING.
    Ed25519,
    /// draft-connolly-cfrg-xwing-kem: opens what was sealed. The file holds the 32-byte seed itself.
    XWing,
}

/// How much one guess of the passphrase costs. scrypt takes N = 2¹⁴ and r = 8 (16 MiB), the most that `openssl` opens
/// without being told to allow more, and makes up for it with p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// p = 4, about 0.2 s: for the keys that a node opens at each start.
    Online,
    /// p = 16, about 0.8 s: for keys that are used a few times a year.
    Offline,
}

/// Why a PEM text gives no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// It is not a PKCS#8 PEM file, or not of the form its algorithm asks for.
    #[error("not a PKCS#8 PEM file with a 32-byte key")]
    Form,
    /// It holds another kind of key.
    #[error("a key of kind {found}, where {} was expected", .wanted.oid())]
    OtherAlgorithm {
        /// The object identifier in the file.
        found: ObjectIdentifier,
        /// What was expected.
        wanted: Algorithm,
    },
    /// The passphrase does not open it.
    #[error("wrong passphrase, or a damaged file")]
    WrongPassphrase,
    /// Encryption failed: the operating system gave no randomness.
    #[error("cannot encrypt")]
    Encrypt,
}

const PLAIN_LABEL: &str = "PRIVATE KEY";
const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// RFC 8410 §7: the private key is an OCTET STRING of 32 bytes inside the outer one.
const INNER_OCTET_STRING: [u8; 2] = [0x04, 0x20];

impl Seed {
    /// A key's seed, from where it was drawn or derived.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Draws a seed from the operating system.
    ///
    /// # Errors
    /// [`PemError::Encrypt`] if it gives no randomness.
    pub fn random() -> Result<Self, PemError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| PemError::Encrypt)?;
        Ok(Self(bytes))
    }

    /// The secret bytes, for the type that makes the key of them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed([redacted])")
    }
}

impl Algorithm {
    /// The object identifier in the file.
    #[must_use]
    pub fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Ed25519 => ObjectIdentifier::new_unwrap("1.3.101.112"),
            Self::XWing => ObjectIdentifier::new_unwrap("1.3.6.1.4.1.62253.25722"),
        }
    }
}

impl Cost {
    fn params(self) -> Params {
        let parallel = match self {
            Self::Online => 4,
            Self::Offline => 16,
        };
        Params::new(14, 8, parallel).expect("constants within the bounds of scrypt")
    }
}

/// Whether a PEM text says of itself that it is encrypted.
#[must_use]
pub fn is_encrypted(pem: &str) -> bool {
    pem.contains(ENCRYPTED_LABEL)
}

/// An unencrypted key file.
///
/// # Errors
/// None in practice: the encoding of 32 bytes has no bound to break.
pub fn encode_plain(algorithm: Algorithm, seed: &Seed) -> Result<Zeroizing<String>, PemError> {
    to_pem(&document(algorithm, seed)?, PLAIN_LABEL)
}

/// A key file encrypted under `passphrase`.
///
/// # Errors
/// [`PemError::Encrypt`] if the operating system gives no randomness.
pub fn encode_encrypted(
    algorithm: Algorithm,
    seed: &Seed,
    passphrase: &Passphrase,
    cost: Cost,
) -> Result<Zeroizing<String>, PemError> {
    let mut salt = [0; 16];
    let mut iv = [0; 16];
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut iv)).map_err(|_| PemError::Encrypt)?;
    let scheme =
        pbes2::Parameters::generate_scrypt_aes256cbc(cost.params(), &salt, iv).map_err(|_| PemError::Encrypt)?;
    let plain = document(algorithm, seed)?;
    let encrypted_data = scheme.encrypt(passphrase.as_bytes(), plain.as_bytes()).map_err(|_| PemError::Encrypt)?;
    let data = OctetStringRef::new(&encrypted_data).map_err(|_| PemError::Encrypt)?;
    let info = EncryptedPrivateKeyInfoRef { encryption_algorithm: scheme.into(), encrypted_data: data };
    let document = SecretDocument::try_from(&info).map_err(|_| PemError::Encrypt)?;
    to_pem(&document, ENCRYPTED_LABEL)
}

/// The key in an unencrypted file.
///
/// # Errors
/// [`PemError::Form`] or [`PemError::OtherAlgorithm`].
pub fn decode_plain(algorithm: Algorithm, pem: &str) -> Result<Seed, PemError> {
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| PemError::Form)?;
    if label != PLAIN_LABEL {
        return Err(PemError::Form);
    }
    seed_in(algorithm, &document)
}

/// The key in an encrypted file.
///
/// # Errors
/// [`PemError::WrongPassphrase`] if what comes out is no key at all, else as [`decode_plain`].
pub fn decode_encrypted(algorithm: Algorithm, pem: &str, passphrase: &Passphrase) -> Result<Seed, PemError> {
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| PemError::Form)?;
    if label != ENCRYPTED_LABEL {
        return Err(PemError::Form);
    }
    let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| PemError::Form)?;
    let plain = info.decrypt(passphrase.as_bytes()).map_err(|_| PemError::WrongPassphrase)?;
    // With a wrong passphrase the padding comes out right once in 256 times; then the content is noise.
    seed_in(algorithm, &plain).map_err(|error| if error == PemError::Form { PemError::WrongPassphrase } else { error })
}

/// Whether an encrypted file has the form of one; what is in it, only the passphrase tells.
///
/// # Errors
/// [`PemError::Form`].
pub fn inspect_encrypted(pem: &str) -> Result<(), PemError> {
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| PemError::Form)?;
    if label != ENCRYPTED_LABEL {
        return Err(PemError::Form);
    }
    let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| PemError::Form)?;
    // Whole blocks of AES, and no other way of encryption than this program's.
    let blocks = info.encrypted_data.as_bytes().len();
    let is_known = info.encryption_algorithm.pbes2().is_some_and(|scheme| scheme.kdf.scrypt().is_some());
    if is_known && blocks > 0 && blocks.is_multiple_of(16) { Ok(()) } else { Err(PemError::Form) }
}

fn document(algorithm: Algorithm, seed: &Seed) -> Result<SecretDocument, PemError> {
    let mut key = Zeroizing::new(Vec::with_capacity(34));
    if algorithm == Algorithm::Ed25519 {
        key.extend_from_slice(&INNER_OCTET_STRING);
    }
    key.extend_from_slice(seed.expose());
    let key = OctetStringRef::new(&key).map_err(|_| PemError::Form)?;
    let identifier = AlgorithmIdentifierRef { oid: algorithm.oid(), parameters: None };
    SecretDocument::try_from(PrivateKeyInfoRef::new(identifier, key)).map_err(|_| PemError::Form)
}

fn seed_in(algorithm: Algorithm, document: &SecretDocument) -> Result<Seed, PemError> {
    let info = PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| PemError::Form)?;
    if info.algorithm.oid != algorithm.oid() {
        return Err(PemError::OtherAlgorithm { found: info.algorithm.oid, wanted: algorithm });
    }
    let key = info.private_key.as_bytes();
    let key = match algorithm {
        Algorithm::Ed25519 => key.strip_prefix(&INNER_OCTET_STRING).ok_or(PemError::Form)?,
        Algorithm::XWing => key,
    };
    key.try_into().map(Seed::new).map_err(|_| PemError::Form)
}

fn to_pem(document: &SecretDocument, label: &'static str) -> Result<Zeroizing<String>, PemError> {
    document.to_pem(label, LineEnding::LF).map_err(|_| PemError::Form)
}

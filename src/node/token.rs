//! A log key in a hardware security module, through PKCS#11 (OASIS, v2.40 and 3.0): it is drawn in the token, never leaves it, and signs there.
//!
//! Only the key of a log lives in a token. The transport key cannot: libp2p needs it in memory. The mechanism is `CKM_EDDSA` without
//! parameters, which is pure Ed25519 (RFC 8032); some modules accept parameters for other variants and ignore them, so none are given.
//! Every signature is verified before it is handed on: a token that answers something else must not spoil a log.

use std::path::PathBuf;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use super::config::Hsm;
use super::keys::KeyName;
use super::private::{self, PrivateError};
use crate::identity::PublicKey;

/// The name of the curve as PKCS#11 v3.0 §2.3.10 has it: a DER PrintableString `edwards25519`.
const EDWARDS25519: [u8; 14] = *b"\x13\x0cedwards25519";
/// A DER octet string of 32 bytes, which a public key is given as.
const OCTETS_32: [u8; 2] = [0x04, 0x20];

/// Why a key in a token cannot be made or used. No text holds a PIN.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The module cannot be loaded, or does not begin.
    #[error("cannot use the PKCS#11 module {}", .module.display())]
    Module {
        /// The module's file.
        module: PathBuf,
        /// What it says.
        #[source]
        source: Pkcs11Error,
    },
    /// No token has the label.
    #[error("no token `{label}` at {}; there are {there}", .module.display())]
    NoToken {
        /// The label that was looked for.
        label: String,
        /// The module's file.
        module: PathBuf,
        /// The labels that were found.
        there: String,
    },
    /// The file with the PIN is missing or not private.
    #[error("cannot read the PIN of the token")]
    Pin(#[from] PrivateError),
    /// The PIN is not the token's.
    #[error("the PIN does not open the token `{0}`")]
    WrongPin(String),
    /// The token does not sign with Ed25519.
    #[error("the token `{0}` has no CKM_EDDSA: it cannot sign with Ed25519")]
    NoEddsa(String),
    /// There is such a key already.
    #[error("the token holds a key `{0}` already; a key is drawn once and never replaced")]
    Exists(KeyName),
    /// There is no such key, or more than one.
    #[error("the token holds {count} keys `{name}`, where one is needed")]
    Count {
        /// The key's name, which is its label in the token.
        name: KeyName,
        /// How many there are.
        count: usize,
    },
    /// The token gave no usable public key.
    #[error("the token's public key `{0}` is not one of Ed25519")]
    PublicKey(KeyName),
    /// What the token signed does not verify.
    #[error("the token's signature does not verify under `{0}`; nothing of it was used")]
    Signature(KeyName),
    /// The token refuses, or is away.
    #[error("the token refuses to {doing}")]
    Refused {
        /// What was to be done.
        doing: &'static str,
        /// What it says.
        #[source]
        source: Pkcs11Error,
    },
}

/// A token that is logged in to.
#[derive(Debug)]
pub struct Token {
    hsm: Hsm,
    session: Session,
}

/// A key in a token. It can be moved to another thread, and used by one at a time.
#[derive(Debug)]
pub struct TokenKey {
    token: Token,
    name: KeyName,
    key: ObjectHandle,
    public: PublicKey,
}

impl Token {
    /// Loads the module, finds the token by its label, and logs in with the PIN of the file.
    ///
    /// # Errors
    /// [`TokenError`] for a module, token or PIN that does not do.
    pub fn open(hsm: &Hsm) -> Result<Self, TokenError> {
        let module = |source| TokenError::Module { module: hsm.module.clone(), source };
        let context = Pkcs11::new(&hsm.module).map_err(module)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // A module is begun once for a process; whoever comes second finds it so.
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(source) => return Err(module(source)),
        }
        let mut there = Vec::new();
        let mut found = None;
        for slot in context.get_slots_with_initialized_token().map_err(module)? {
            let label = context.get_token_info(slot).map_err(module)?.label().trim_end().to_owned();
            if label == hsm.token {
                found = found.or(Some(slot));
            }
            there.push(label);
        }
        let Some(slot) = found else {
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(TokenError::NoToken { label: hsm.token.clone(), module: hsm.module.clone(), there });
        };
        if !context.get_mechanism_list(slot).map_err(module)?.contains(&MechanismType::EDDSA) {
            return Err(TokenError::NoEddsa(hsm.token.clone()));
        }
        let session = context.open_rw_session(slot).map_err(refused("open a session"))?;
        let pin = AuthPin::new(private::first_line(&hsm.pin_file)?.as_str().into());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(Pkcs11Error::Pkcs11(RvError::PinIncorrect, _)) => return Err(TokenError::WrongPin(hsm.token.clone())),
            Err(source) => return Err(TokenError::Refused { doing: "log in", source }),
        }
        Ok(Self { hsm: hsm.clone(), session })
    }

    /// Draws a key pair in the token: sensitive, never to be extracted, for signing alone. Its label is the key's name.
    ///
    /// # Errors
    /// [`TokenError::Exists`] if a key of this name is there; else what the token says.
    pub fn draw(self, name: KeyName) -> Result<TokenKey, TokenError> {
        if !self.find(ObjectClass::PRIVATE_KEY, name)?.is_empty() {
            return Err(TokenError::Exists(name));
        }
        let named = |attributes: &[Attribute]| {
            let label = name.to_string().into_bytes();
            let own = [Attribute::Token(true), Attribute::Label(label.clone()), Attribute::Id(label)];
            [&own, attributes].concat()
        };
        let public =
            named(&[Attribute::Private(false), Attribute::Verify(true), Attribute::EcParams(EDWARDS25519.to_vec())]);
        let private = named(&[
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Decrypt(false),
            Attribute::Unwrap(false),
            Attribute::Derive(false),
        ]);
        self.session
            .generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private)
            .map_err(refused("draw a key"))?;
        self.key(name)
    }

    /// The key of a name, tried once.
    ///
    /// # Errors
    /// [`TokenError`] if there is none, or it does not sign as its public key says.
    pub fn key(self, name: KeyName) -> Result<TokenKey, TokenError> {
        let found = self.find(ObjectClass::PRIVATE_KEY, name)?;
        let [key] = found[..] else { return Err(TokenError::Count { name, count: found.len() }) };
        let [object] = self.find(ObjectClass::PUBLIC_KEY, name)?[..] else { return Err(TokenError::PublicKey(name)) };
        let point = self
            .session
            .get_attributes(object, &[AttributeType::EcPoint])
            .map_err(refused("give its public key"))?
            .into_iter()
            .find_map(|attribute| if let Attribute::EcPoint(point) = attribute { Some(point) } else { None });
        let public = point.as_deref().and_then(public_key).ok_or(TokenError::PublicKey(name))?;
        let mut key = TokenKey { token: self, name, key, public };
        key.sign_once(b"Shieldwall tries the key of a log; this is no statement")?;
        Ok(key)
    }

    fn find(&self, class: ObjectClass, name: KeyName) -> Result<Vec<ObjectHandle>, TokenError> {
        let template = [
            Attribute::Class(class),
            Attribute::KeyType(KeyType::EC_EDWARDS),
            Attribute::Label(name.to_string().into_bytes()),
        ];
        self.session.find_objects(&template).map_err(refused("look for a key"))
    }
}

impl TokenKey {
    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a message. A session that was lost, as by a restart of the module, is opened again once.
    ///
    /// # Errors
    /// [`TokenError`] if the token refuses, is away, or answers what does not verify.
    pub fn sign(&mut self, message: &[u8]) -> Result<[u8; 64], TokenError> {
        match self.sign_once(message) {
            Err(TokenError::Refused { .. }) => {
                let again = Token::open(&self.token.hsm)?.key(self.name)?;
                if again.public != self.public {
                    return Err(TokenError::PublicKey(self.name));
                }
                *self = again;
                self.sign_once(message)
            }
            done => done,
        }
    }

    fn sign_once(&mut self, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signature = self.token.session.sign(&mechanism, self.key, message).map_err(refused("sign"))?;
        let signature = <[u8; 64]>::try_from(signature).map_err(|_| TokenError::Signature(self.name))?;
        self.public.verify(message, &signature).map_err(|_| TokenError::Signature(self.name))?;
        Ok(signature)
    }
}

/// What a public key's point is: 32 bytes, in a DER octet string or, as some modules have it, bare.
fn public_key(point: &[u8]) -> Option<PublicKey> {
    let bare = point.strip_prefix(&OCTETS_32).filter(|rest| rest.len() == 32).unwrap_or(point);
    PublicKey::from_bytes(bare.try_into().ok()?).ok()
}

fn refused(doing: &'static str) -> impl FnOnce(Pkcs11Error) -> TokenError {
    move |source| TokenError::Refused { doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_in_two_forms() {
        let key = crate::identity::SecretKey::from_seed(&[7; 32]).public();
        let bare = key.as_bytes().to_vec();
        let wrapped = [&OCTETS_32[..], &bare].concat();
        assert_eq!(public_key(&bare), Some(key));
        assert_eq!(public_key(&wrapped), Some(key));
        for wrong in [&bare[1..], &wrapped[..33], &[0x04; 35][..], &[][..]] {
            assert_eq!(public_key(wrong), None, "{wrong:?}");
        }
    }
}

//! Signatures on which Ed25519 libraries disagree (Chalkias, Garillot, Nikolaenko: "Taming the many EdDSAs", 2020), made
//! here by curve arithmetic, with what Shieldwall says of each: a key must be canonical and not weak, a signature must pass
//! `verify_strict`.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use serde_json::json;
use sha2::{Digest as _, Sha512};
use shieldwall::identity::{KeyError, PublicKey};

use super::{check, hex, key, seed};

/// A signature and what is said of it.
struct Case {
    what: &'static str,
    public: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
    verdict: &'static str,
}

const ACCEPTED: &str = "accepted";
const REFUSED: &str = "refused";
const WEAK: &str = "key refused: weak";
const NOT_CANONICAL: &str = "key refused: not canonical";

#[test]
fn what_libraries_disagree_about_is_decided() {
    let cases = cases();
    for case in &cases {
        let said = match PublicKey::from_bytes(&case.public) {
            Err(KeyError::Weak) => WEAK,
            Err(_) => NOT_CANONICAL,
            Ok(key) if key.verify(&case.message, &case.signature).is_ok() => ACCEPTED,
            Ok(_) => REFUSED,
        };
        assert_eq!(said, case.verdict, "{}", case.what);
    }
    let listed: Vec<_> = cases
        .iter()
        .map(|case| {
            json!({
                "what": case.what,
                "public": hex(case.public),
                "message": hex(&case.message),
                "signature": hex(case.signature),
                "verdict": case.verdict,
            })
        })
        .collect();
    check("ed25519.json", &json!(listed));
}

fn cases() -> Vec<Case> {
    let torsion = EIGHT_TORSION[1];
    let (a, r) = (scalar("a"), scalar("r"));
    let mixed = a * B + torsion;
    let identity = EdwardsPoint::default().compress().0;

    vec![
        honest("an honest signature", ACCEPTED, |_, _| {}),
        honest("another message", REFUSED, |message, _| message.push(0)),
        honest("S + L", REFUSED, |_, signature| add_order(signature, 1)),
        honest("S + 8 L", REFUSED, |_, signature| add_order(signature, 8)),
        honest("S with its highest bits set", REFUSED, |_, signature| signature[63] |= 0xe0),
        // Without the cofactor the equation S·B = R + h·A must hold exactly; with it, only up to small order.
        found("small-order A and R", WEAK, torsion, |h| (h * torsion == torsion).then_some((-torsion, Scalar::ZERO))),
        found("small-order A", WEAK, torsion, |h| (h * torsion == torsion).then_some((r * B - torsion, r))),
        found("small-order R", REFUSED, mixed, |h| (h * torsion == torsion).then_some((-torsion, h * a))),
        found("mixed-order A and R, the equation holds", ACCEPTED, mixed, |h| {
            (h * torsion == torsion).then_some((r * B - torsion, r + h * a))
        }),
        found("mixed-order A and R, the equation holds up to small order", REFUSED, mixed, |h| {
            (h * torsion != torsion).then_some((r * B - torsion, r + h * a))
        }),
        found("mixed-order A, the equation holds up to small order", REFUSED, mixed, |h| {
            (h * torsion != EdwardsPoint::default()).then_some((r * B, r + h * a))
        }),
        bytes("R = identity in its canonical form", REFUSED, (a * B).compress().0, identity, |h| h * a),
        bytes("R = identity as y = p + 1", REFUSED, (a * B).compress().0, second_identity(), |h| h * a),
        bytes("R = identity with a sign", REFUSED, (a * B).compress().0, with_sign(identity), |h| h * a),
        bytes("A = identity in its canonical form", WEAK, identity, (r * B).compress().0, |_| r),
        bytes("A = identity as y = p + 1", NOT_CANONICAL, second_identity(), (r * B).compress().0, |_| r),
        bytes("A = identity with a sign", NOT_CANONICAL, with_sign(identity), (r * B).compress().0, |_| r),
        bytes("A is no point", NOT_CANONICAL, no_point(), (r * B).compress().0, |_| r),
        bytes("R is no point", REFUSED, (a * B).compress().0, no_point(), |h| h * a),
    ]
}

/// An honest signature, changed.
fn honest(what: &'static str, verdict: &'static str, change: impl Fn(&mut Vec<u8>, &mut [u8; 64])) -> Case {
    let key = key("ed25519", "honest");
    let mut message = b"vector".to_vec();
    let mut signature = key.sign(&message);
    change(&mut message, &mut signature);
    Case { what, public: *key.public().as_bytes(), message, signature, verdict }
}

/// Tries messages until the challenge `h` is one for which `sign` gives the `R` and `S` that are wanted. `R` must not
/// depend on more of `h` than the condition fixes.
fn found(
    what: &'static str,
    verdict: &'static str,
    public: EdwardsPoint,
    sign: impl Fn(Scalar) -> Option<(EdwardsPoint, Scalar)>,
) -> Case {
    let public = public.compress().0;
    for counter in 0_u32.. {
        let message = counter.to_be_bytes().to_vec();
        // The points that `sign` gives are the same for every h, so any h tells which R to hash.
        let Some((commitment, _)) = (0_u64..64).find_map(|h| sign(Scalar::from(h))) else { continue };
        let commitment = commitment.compress().0;
        if let Some((_, s)) = sign(challenge(&commitment, &public, &message)) {
            return Case { what, public, message, signature: join(commitment, s), verdict };
        }
    }
    unreachable!("one message in eight will do")
}

/// A signature with given encodings of `A` and `R`.
fn bytes(
    what: &'static str,
    verdict: &'static str,
    public: [u8; 32],
    commitment: [u8; 32],
    s: impl Fn(Scalar) -> Scalar,
) -> Case {
    let message = b"vector".to_vec();
    let s = s(challenge(&commitment, &public, &message));
    Case { what, public, message, signature: join(commitment, s), verdict }
}

fn challenge(commitment: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(commitment).chain_update(public).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn join(commitment: [u8; 32], s: Scalar) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&commitment);
    signature[32..].copy_from_slice(s.as_bytes());
    signature
}

fn scalar(purpose: &str) -> Scalar {
    Scalar::from_bytes_mod_order(seed("ed25519", purpose))
}

/// Adds a multiple of the group's order to S.
fn add_order(signature: &mut [u8; 64], times: u16) {
    let minus_one = (-Scalar::ONE).to_bytes();
    let mut carry = times;
    for (byte, order) in signature[32..].iter_mut().zip(minus_one) {
        let sum = u16::from(*byte) + u16::from(order) * times + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
}

/// The identity, y = 1, written as y = p + 1.
fn second_identity() -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xee;
    bytes[31] = 0x7f;
    bytes
}

fn with_sign(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

/// y = 2 is the height of no point.
fn no_point() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    assert_eq!(CompressedEdwardsY(bytes).decompress(), None);
    bytes
}

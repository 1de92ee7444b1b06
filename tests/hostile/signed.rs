//! Faults of what is signed: labels, with a good signature over the faulty header; and signatures over a good one.

use shieldwall::encoding::cbor::{self, Map, Value};
use shieldwall::encoding::cose::{Sign1, label};
use shieldwall::identity::SecretKey;

use super::bytes::{entries, shown};
use super::{Case, case};

/// The order of the group of Ed25519, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Encodings of points of small order, or that are none of a point; as keys they would let anybody sign.
pub(super) const BAD_POINTS: [(&str, &str); 16] = [
    ("order 1", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("order 1 with a sign", "0100000000000000000000000000000000000000000000000000000000000080"),
    ("order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order 2 with a sign", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("order 4, the other", "0000000000000000000000000000000000000000000000000000000000000080"),
    ("order 8, first", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("order 8, second", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    ("order 8, third", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("order 8, fourth", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    ("y = p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p with a sign", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p + 1 with a sign", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("y = 2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("no point of the curve", "0200000000000000000000000000000000000000000000000000000000000000"),
];

/// A label with a value that it must not have.
pub(super) type Wrong = (&'static str, i64, Value);

/// The object anew with another header, signed over it. `over` is what is signed where the payload is detached.
pub(super) fn sign(object: &Sign1, protected: Map, over: &[u8], key: &SecretKey) -> Sign1 {
    let payload = object.payload.clone().unwrap_or_else(|| over.to_vec());
    let signature = key.sign(&Sign1::to_be_signed(&protected, &payload));
    Sign1 { protected, signature, ..object.clone() }
}

/// Faults of labels and of the claims within, and other values that are not good either.
pub(super) fn labels(
    object: &Sign1,
    over: &[u8],
    key: &SecretKey,
    wrong: &[Wrong],
    wrap: impl Fn(Sign1) -> Vec<u8>,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for (rule, map) in entries(&object.protected) {
        cases.push(case(format!("label {rule}"), wrap(sign(object, map, over, key))));
    }
    let claims = object.protected.get(&Value::from(label::CWT_CLAIMS)).and_then(Value::as_map).unwrap();
    for (rule, map) in entries(claims) {
        let protected = object.protected.clone().with(label::CWT_CLAIMS, map);
        cases.push(case(format!("claim {rule}"), wrap(sign(object, protected, over, key))));
    }
    let claim = |number: i32, value: Value| {
        let claims = claims.clone().with(number, value);
        sign(object, object.protected.clone().with(label::CWT_CLAIMS, claims), over, key)
    };
    for (rule, number, value) in [
        ("issuer without its prefix", 1, Value::from("GE")),
        ("issuer of another scheme", 1, Value::from("urn:other:member:GE")),
        ("issuer that is no member code", 1, Value::from("urn:shieldwall:member:ge")),
        ("issuer that is another member", 1, Value::from("urn:shieldwall:member:LB")),
        ("subject with a space behind", 2, Value::from("GE-1 ")),
        ("subject that is another", 2, Value::from("LB-9")),
        ("a time before 1970", 6, Value::from(-1)),
        ("a time beyond 9999", 6, Value::from(400_000_000_000_i64)),
        ("a time of 2^64-1", 6, Value::from(u64::MAX)),
    ] {
        cases.push(case(rule, wrap(claim(number, value))));
    }
    for (rule, number, value) in wrong {
        let protected = object.protected.clone().with(*number, value.clone());
        cases.push(case(*rule, wrap(sign(object, protected, over, key))));
    }
    for (rule, number, value) in [
        ("algorithm ES256", label::ALG, Value::from(-7)),
        ("no algorithm at all", label::ALG, Value::from(0)),
        ("a key id of 17 bytes", label::KID, Value::from(vec![1; 17])),
        ("a key id of another key", label::KID, Value::from(vec![1; 16])),
        ("the type of another object", label::TYP, Value::from("application/vnd.shieldwall.erasure+cose")),
        ("the type in capitals", label::TYP, Value::from("APPLICATION/VND.SHIELDWALL.STATEMENT+COSE")),
        ("another federation", label::FEDERATION, Value::from([7; 32])),
        ("no federation", label::FEDERATION, Value::from([0; 32])),
        ("a federation of 33 bytes", label::FEDERATION, Value::from(vec![7; 33])),
        ("critical labels", 2, Value::from(vec![Value::from(1)])),
    ] {
        let protected = object.protected.clone().with(number, value);
        cases.push(case(rule, wrap(sign(object, protected, over, key))));
    }
    let label = object.protected.iter().next().map(|(key, _)| shown(key)).unwrap_or_default();
    let mut moved = object.clone();
    moved.unprotected = Map::new().with(1, -8);
    cases.push(case(format!("label {label} unprotected"), wrap(moved)));
    let mut payload = object.clone();
    payload.payload = if object.payload.is_some() { None } else { Some(over.to_vec()) };
    cases.push(case("the payload where it should not be, or not where it should", wrap(payload)));
    cases
}

/// Signatures that must not hold.
pub(super) fn signatures(object: &Sign1, over: &[u8], wrap: impl Fn(Sign1) -> Vec<u8>) -> Vec<Case> {
    let good = object.signature;
    let with = |rule: &str, signature: [u8; 64]| case(rule, wrap(Sign1 { signature, ..object.clone() }));
    let mut cases = vec![with("signature of zeros", [0; 64]), with("signature of ones", [0xff; 64])];
    for (rule, at, bit) in
        [("first bit of R", 0, 1), ("sign of R", 31, 0x80), ("first bit of S", 32, 1), ("top bit of S", 63, 0x80)]
    {
        let mut changed = good;
        changed[at] ^= bit;
        cases.push(with(&format!("{rule} flipped"), changed));
    }
    // The same signature modulo the group's order: another encoding of what is valid.
    let mut more = good;
    let mut carry = 0_u16;
    for (byte, order) in more[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    cases.push(with("S + L", more));
    for (rule, point) in &BAD_POINTS[..14] {
        let mut changed = good;
        changed[..32].copy_from_slice(&data_encoding::HEXLOWER.decode(point.as_bytes()).unwrap());
        cases.push(with(&format!("R is a point of {rule}"), changed));
    }
    let stranger = SecretKey::from_seed(&[0x55; 32]);
    let payload = object.payload.clone().unwrap_or_else(|| over.to_vec());
    cases.push(with("signed by a stranger", stranger.sign(&Sign1::to_be_signed(&object.protected, &payload))));
    cases.push(with("signed as bare bytes", stranger.sign(&payload)));
    cases
}

/// Faults of form in the protected header's own bytes, which the signature covers but the outer form does not.
pub(super) fn header_bytes(value: &Value, place: usize) -> Vec<Case> {
    let Value::Tag(tag, inner) = value else { panic!("an envelope has a tag") };
    let parts = inner.as_array().unwrap();
    let header = parts[place].as_bytes().unwrap();
    super::bytes::faults(header)
        .into_iter()
        .map(|fault| {
            let mut parts = parts.to_vec();
            parts[place] = Value::from(fault.input.whole());
            (fault, cbor::encode(&Value::Tag(*tag, Box::new(Value::from(parts)))))
        })
        // What would be megabytes of a header is tried on the object itself.
        .filter(|(fault, _)| !fault.rule.contains("bomb"))
        .map(|(fault, bytes)| case(format!("in the protected header: {}", fault.rule), bytes))
        .collect()
}

//! Deterministic CBOR (RFC 8949 §4.2) over a small value tree.
//!
//! Decoders at large are lenient: they take indefinite lengths, integers longer than needed, unsorted or repeated keys and
//! trailing bytes, so that several byte strings mean one value. A ledger cannot afford that. [`decode`] therefore reads
//! with `minicbor`, then encodes again and refuses whatever is not the same bytes.

use std::cmp::Ordering;

use minicbor::data::{Int, Type};
use minicbor::{Decoder, Encoder};

/// Nesting beyond this is refused. The deepest object of ours, an evidence file, has eight levels.
pub const DEPTH_MAX: usize = 16;

/// A CBOR data item of the subset that Shieldwall signs: no floats, no undefined, no simple values but `true`, `false` and `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer of major type 0 or 1: −2⁶⁴ ..= 2⁶⁴−1. Values outside cannot be encoded and never come from [`decode`].
    Int(i128),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// A map, kept in the order of its encoded keys.
    Map(Map),
    /// A tagged item.
    Tag(u64, Box<Value>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// Why bytes are not one deterministic CBOR item of our subset, or not of the shape asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Not CBOR at all, or cut short.
    #[error("malformed CBOR at byte {at}")]
    Malformed {
        /// Offset at which reading stopped.
        at: usize,
    },
    /// Valid CBOR, but not the one deterministic encoding, or followed by more bytes.
    #[error("CBOR is not in its deterministic form")]
    NotDeterministic,
    /// A float, an indefinite length, `undefined` or another item outside the subset.
    #[error("CBOR item of a type that is not used here, at byte {at}")]
    Unsupported {
        /// Offset of the item.
        at: usize,
    },
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("CBOR nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// A field is missing, or not of its type, or out of its bounds.
    #[error("{object}: field {field} is missing or not of its type")]
    Field {
        /// What was being read.
        object: &'static str,
        /// The field's key, as text.
        field: String,
    },
    /// A field that this object does not have.
    #[error("{object}: unexpected field {field}")]
    UnexpectedField {
        /// What was being read.
        object: &'static str,
        /// The field's key, as text.
        field: String,
    },
    /// The whole item is of another type than the object is made of.
    #[error("{object}: not of the expected shape")]
    Shape {
        /// What was being read.
        object: &'static str,
    },
}

/// Encodes `value` in its deterministic form.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(128));
    write(value, &mut encoder);
    encoder.into_writer()
}

/// Decodes exactly one item and refuses everything that [`encode`] would not have written.
///
/// # Errors
/// [`CborError`] for malformed, non-deterministic, too deep or unsupported input, and for trailing bytes.
pub fn decode(bytes: &[u8]) -> Result<Value, CborError> {
    let mut decoder = Decoder::new(bytes);
    let value = read(&mut decoder, 0)?;
    if decoder.position() != bytes.len() || encode(&value) != bytes {
        return Err(CborError::NotDeterministic);
    }
    Ok(value)
}

fn write(value: &Value, encoder: &mut Encoder<Vec<u8>>) {
    // A Vec never fails to take bytes, and `Int` values are bounded by construction.
    const TO_VEC: &str = "writing to a Vec cannot fail";
    match value {
        Value::Int(number) => {
            let number = Int::try_from(*number).expect("integers are within ±2^64 by construction");
            encoder.int(number).expect(TO_VEC);
        }
        Value::Bytes(bytes) => {
            encoder.bytes(bytes).expect(TO_VEC);
        }
        Value::Text(text) => {
            encoder.str(text).expect(TO_VEC);
        }
        Value::Array(items) => {
            encoder.array(items.len() as u64).expect(TO_VEC);
            items.iter().for_each(|item| write(item, encoder));
        }
        Value::Map(map) => {
            encoder.map(map.len() as u64).expect(TO_VEC);
            for (key, value) in map.iter() {
                write(key, encoder);
                write(value, encoder);
            }
        }
        Value::Tag(tag, value) => {
            encoder.tag(minicbor::data::Tag::new(*tag)).expect(TO_VEC);
            write(value, encoder);
        }
        Value::Bool(bit) => {
            encoder.bool(*bit).expect(TO_VEC);
        }
        Value::Null => {
            encoder.null().expect(TO_VEC);
        }
    }
}

fn read(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, CborError> {
    if depth > DEPTH_MAX {
        return Err(CborError::TooDeep);
    }
    let at = decoder.position();
    let malformed = |_| CborError::Malformed { at };
    Ok(match decoder.datatype().map_err(malformed)? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            Value::Int(decoder.int().map_err(malformed)?.into())
        }
        Type::Bytes => Value::Bytes(decoder.bytes().map_err(malformed)?.to_vec()),
        Type::String => Value::Text(decoder.str().map_err(malformed)?.to_owned()),
        Type::Array => {
            let length = decoder.array().map_err(malformed)?.ok_or(CborError::Unsupported { at })?;
            let mut items = Vec::with_capacity(plausible(length, decoder));
            for _ in 0..length {
                items.push(read(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::Map => {
            let length = decoder.map().map_err(malformed)?.ok_or(CborError::Unsupported { at })?;
            let mut entries: Vec<(Value, Value)> = Vec::with_capacity(plausible(length, decoder));
            for _ in 0..length {
                let key = read(decoder, depth + 1)?;
                let value = read(decoder, depth + 1)?;
                if entries.last().is_some_and(|(last, _)| key_order(last, &key) != Ordering::Less) {
                    return Err(CborError::NotDeterministic);
                }
                entries.push((key, value));
            }
            Value::Map(Map(entries))
        }
        Type::Tag => {
            let tag = decoder.tag().map_err(malformed)?.as_u64();
            Value::Tag(tag, Box::new(read(decoder, depth + 1)?))
        }
        Type::Bool => Value::Bool(decoder.bool().map_err(malformed)?),
        Type::Null => {
            decoder.null().map_err(malformed)?;
            Value::Null
        }
        Type::BytesIndef
        | Type::StringIndef
        | Type::ArrayIndef
        | Type::MapIndef
        | Type::F16
        | Type::F32
        | Type::F64
        | Type::Undefined
        | Type::Simple
        | Type::Break
        | Type::Unknown(_) => return Err(CborError::Unsupported { at }),
    })
}

/// How many items to make room for: a claimed length is not believed beyond the bytes that are left.
fn plausible(length: u64, decoder: &Decoder<'_>) -> usize {
    let left = decoder.input().len() - decoder.position();
    usize::try_from(length).unwrap_or(usize::MAX).min(left).min(1024)
}

/// Order of two map keys by their encoded bytes (RFC 8949 §4.2.1), without encoding the usual kinds of key.
fn key_order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) if *a >= 0 && *b >= 0 => a.cmp(b),
        (Value::Int(a), Value::Int(b)) if *a < 0 && *b < 0 => b.cmp(a),
        (Value::Text(a), Value::Text(b)) => a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes())),
        _ => encode(a).cmp(&encode(b)),
    }
}

/// A CBOR map in deterministic order, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map(Vec<(Value, Value)>);

impl Map {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `value` under `key`; a value that was there is replaced.
    pub fn insert(&mut self, key: impl Into<Value>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.0.binary_search_by(|(held, _)| key_order(held, &key)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// The map with `value` under `key`, for building in one expression.
    #[must_use]
    pub fn with(mut self, key: impl Into<Value>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        let at = self.0.binary_search_by(|(held, _)| key_order(held, key)).ok()?;
        Some(&self.0[at].1)
    }

    /// Takes the value under `key` out of the map.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let at = self.0.binary_search_by(|(held, _)| key_order(held, key)).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Keys and values in deterministic order.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Value {
    /// The integer, if it is one within 0 ..= 2⁶⁴−1.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Int(number) = self { u64::try_from(*number).ok() } else { None }
    }

    /// The integer, if it is one within the range of `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self { i64::try_from(*number).ok() } else { None }
    }

    /// The byte string, if it is one.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The array's items, if it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(bit) = self { Some(*bit) } else { None }
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value {
    fn from(bit: bool) -> Self {
        Self::Bool(bit)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// Reads the fields of one object out of a map, and at the end insists that nothing else was in it.
///
/// ```
/// use shieldwall::encoding::cbor::{Fields, Map, Value};
/// let value = Value::Map(Map::new().with(1, "GE").with(2, 7_u64));
/// let mut fields = Fields::of(value, "example").unwrap();
/// assert_eq!(fields.text(1).unwrap(), "GE");
/// assert_eq!(fields.u64(2).unwrap(), 7);
/// fields.end().unwrap();
/// ```
#[derive(Debug)]
pub struct Fields {
    object: &'static str,
    map: Map,
}

impl Fields {
    /// Starts reading `value`, which must be a map; `object` names it in errors.
    ///
    /// # Errors
    /// [`CborError::Shape`] if it is not a map.
    pub fn of(value: Value, object: &'static str) -> Result<Self, CborError> {
        if let Value::Map(map) = value { Ok(Self { object, map }) } else { Err(CborError::Shape { object }) }
    }

    /// Starts reading a map.
    #[must_use]
    pub fn of_map(map: Map, object: &'static str) -> Self {
        Self { object, map }
    }

    /// The error for a field that is there but out of its bounds, for checks made by the caller.
    pub fn bad(&self, key: impl Into<Value>) -> CborError {
        CborError::Field { object: self.object, field: key_text(&key.into()) }
    }

    /// Takes any value.
    ///
    /// # Errors
    /// [`CborError::Field`] if it is missing; likewise for every typed reader below, also when the type is another.
    pub fn value(&mut self, key: impl Into<Value>) -> Result<Value, CborError> {
        let key = key.into();
        self.map.remove(&key).ok_or_else(|| self.bad(key))
    }

    /// Takes any value, if it is there.
    pub fn opt_value(&mut self, key: impl Into<Value>) -> Option<Value> {
        self.map.remove(&key.into())
    }

    /// Takes an unsigned integer.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn u64(&mut self, key: impl Into<Value>) -> Result<u64, CborError> {
        self.typed(key, |value| value.as_u64())
    }

    /// Takes a signed integer.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn i64(&mut self, key: impl Into<Value>) -> Result<i64, CborError> {
        self.typed(key, |value| value.as_i64())
    }

    /// Takes a truth value.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn bool(&mut self, key: impl Into<Value>) -> Result<bool, CborError> {
        self.typed(key, |value| value.as_bool())
    }

    /// Takes a text.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn text(&mut self, key: impl Into<Value>) -> Result<String, CborError> {
        self.typed(key, |value| if let Value::Text(text) = value { Some(std::mem::take(text)) } else { None })
    }

    /// Takes a byte string.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn bytes(&mut self, key: impl Into<Value>) -> Result<Vec<u8>, CborError> {
        self.typed(key, |value| if let Value::Bytes(bytes) = value { Some(std::mem::take(bytes)) } else { None })
    }

    /// Takes a byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn array<const N: usize>(&mut self, key: impl Into<Value>) -> Result<[u8; N], CborError> {
        self.typed(key, |value| value.as_bytes().and_then(|bytes| bytes.try_into().ok()))
    }

    /// Takes an array of items.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn items(&mut self, key: impl Into<Value>) -> Result<Vec<Value>, CborError> {
        self.typed(key, |value| if let Value::Array(items) = value { Some(std::mem::take(items)) } else { None })
    }

    /// Takes a map.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn map(&mut self, key: impl Into<Value>) -> Result<Map, CborError> {
        self.typed(key, |value| if let Value::Map(map) = value { Some(std::mem::take(map)) } else { None })
    }

    /// Takes a text and parses it.
    ///
    /// # Errors
    /// As [`Self::value`], also when the text does not parse.
    pub fn parse<T: std::str::FromStr>(&mut self, key: impl Into<Value>) -> Result<T, CborError> {
        self.typed(key, |value| value.as_text().and_then(|text| text.parse().ok()))
    }

    /// Whether a field is (still) there.
    #[must_use]
    pub fn has(&self, key: impl Into<Value>) -> bool {
        self.map.get(&key.into()).is_some()
    }

    /// What has not been taken yet.
    #[must_use]
    pub fn rest(self) -> Map {
        self.map
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`CborError::UnexpectedField`] if something was not taken.
    pub fn end(self) -> Result<(), CborError> {
        match self.map.iter().next() {
            None => Ok(()),
            Some((key, _)) => Err(CborError::UnexpectedField { object: self.object, field: key_text(key) }),
        }
    }

    fn typed<T>(&mut self, key: impl Into<Value>, take: impl FnOnce(&mut Value) -> Option<T>) -> Result<T, CborError> {
        let key = key.into();
        let mut value = self.value(key.clone())?;
        take(&mut value).ok_or_else(|| self.bad(key))
    }
}

/// A key as an error names it. Only integers and short texts are keys of ours; anything else is a stranger's.
fn key_text(key: &Value) -> String {
    match key {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.chars().take(40).collect(),
        Value::Bytes(_) | Value::Array(_) | Value::Map(_) | Value::Tag(..) | Value::Bool(_) | Value::Null => {
            "of an unusual type".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn encodes_the_examples_of_rfc_8949_appendix_a() {
        for (value, bytes) in [
            (Value::Int(0), "00"),
            (Value::Int(23), "17"),
            (Value::Int(24), "1818"),
            (Value::Int(1_000_000_000_000), "1b000000e8d4a51000"),
            (Value::Int(18_446_744_073_709_551_615), "1bffffffffffffffff"),
            (Value::Int(-18_446_744_073_709_551_616), "3bffffffffffffffff"),
            (Value::Int(-1), "20"),
            (Value::Bool(false), "f4"),
            (Value::Null, "f6"),
            (Value::from([1, 2, 3, 4]), "4401020304"),
            (Value::from("\u{6c34}"), "63e6b0b4"),
            (Value::from(vec![Value::Int(1), Value::from(vec![Value::Int(2), Value::Int(3)])]), "8201820203"),
            (Value::Map(Map::new().with("b", vec![Value::Int(2)]).with("a", 1_u64)), "a261610161628102"),
        ] {
            assert_eq!(encode(&value), hex(bytes), "{value:?}");
            assert_eq!(decode(&hex(bytes)), Ok(value));
        }
    }

    #[test]
    fn refuses_every_other_encoding_of_a_value() {
        for (why, bytes) in [
            ("integer longer than needed", "1800"),
            ("length longer than needed", "580101"),
            ("indefinite bytes", "5f4101ff"),
            ("indefinite text", "7f6161ff"),
            ("indefinite array", "9f01ff"),
            ("indefinite map", "bf0101ff"),
            ("float", "f93c00"),
            ("undefined", "f7"),
            ("simple value", "f0"),
            ("unsorted keys", "a202010101"),
            ("repeated key", "a201010102"),
            ("trailing byte", "0000"),
            ("cut short", "4401"),
            ("empty", ""),
            ("text that is not UTF-8", "61ff"),
            ("huge claimed length", "9bffffffffffffffff"),
        ] {
            assert!(decode(&hex(bytes)).is_err(), "{why} was accepted");
        }
    }

    #[test]
    fn refuses_what_is_nested_too_deep() {
        assert_eq!(decode(&vec![0x81; 2_000_000]), Err(CborError::TooDeep));
    }

    #[test]
    fn keys_are_ordered_by_their_encoded_bytes() {
        let map: Map = [Value::from("a"), Value::Int(-1), Value::Int(100), Value::Int(10), Value::from("zz")]
            .into_iter()
            .map(|key| (key, Value::Null))
            .collect();
        let keys: Vec<Vec<u8>> = map.iter().map(|(key, _)| encode(key)).collect();
        assert!(keys.is_sorted());
        assert_eq!(decode(&encode(&Value::Map(map.clone()))), Ok(Value::Map(map)));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<Vec<u8>>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((inner.clone(), inner.clone()), 0..8)
                    .prop_map(|entries| Value::Map(entries.into_iter().collect())),
                (any::<u64>(), inner).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
            ]
        })
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(value in any_value()) {
            prop_assert_eq!(decode(&encode(&value)), Ok(value));
        }

        #[test]
        fn what_decodes_has_one_encoding(bytes in any::<Vec<u8>>()) {
            if let Ok(value) = decode(&bytes) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }
}

//! What is inside a compartment: salted fields, of which a court can be shown one.
//!
//! Each field is a leaf of a Merkle tree whose root the body head holds. The salt keeps the leaves of the fields that are not
//! shown from being guessed. After opening, the fields must give the signed root, so that two readers, even if they
//! decrypt with different keys, can never be shown different contents.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use super::{SealError, digests};
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::Digest;
use crate::encoding::merkle;
use crate::encoding::random::Randomness;

/// Fields in one compartment.
pub const FIELDS_MAX: usize = 1024;
/// Bytes in the name of a compartment or field.
pub const NAME_BYTES_MAX: usize = 64;

/// One field with its salt.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// 16 random bytes, drawn for this field alone.
    pub salt: [u8; 16],
    /// The field's name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// An opened compartment whose fields gave the signed root.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    compartment: String,
    fields: Vec<Field>,
}

/// One field with the proof that it is in a compartment of a signed body.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldProof {
    /// The compartment's name.
    pub compartment: String,
    /// The field.
    pub field: Field,
    /// Its place among the fields.
    pub index: u64,
    /// How many fields there are.
    pub size: u64,
    /// The hashes beside its way to the root.
    pub path: Vec<Digest>,
}

impl Opened {
    /// Salts the fields of a compartment that is to be sealed. What could not be read back, such as values nested too deep, is
    /// refused.
    pub(super) fn salted(
        compartment: &str,
        fields: &BTreeMap<String, Value>,
        random: &mut Randomness,
    ) -> Result<Self, SealError> {
        let fields = fields
            .iter()
            .map(|(name, value)| Field { salt: random.array(), name: name.clone(), value: value.clone() })
            .collect();
        let salted = Self { compartment: compartment.to_owned(), fields };
        Self::from_plaintext(&salted.to_plaintext((0, 0)))?;
        Ok(salted)
    }

    /// The compartment's name.
    #[must_use]
    pub fn compartment(&self) -> &str {
        &self.compartment
    }

    /// The fields in the order of their names.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The fields without their salts.
    #[must_use]
    pub fn content(&self) -> BTreeMap<String, Value> {
        self.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect()
    }

    /// One field with its proof.
    #[must_use]
    pub fn field_proof(&self, name: &str) -> Option<FieldProof> {
        let at = self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()?;
        Some(FieldProof {
            compartment: self.compartment.clone(),
            field: self.fields[at].clone(),
            index: at as u64,
            size: self.fields.len() as u64,
            path: merkle::inclusion_proof(&self.leaves(), at as u64),
        })
    }

    /// The Merkle root over the salted fields.
    #[must_use]
    pub fn root(&self) -> Digest {
        merkle::root(&self.leaves())
    }

    /// What is encrypted, with so many bytes of padding in two strings.
    pub(super) fn to_plaintext(&self, padding: (usize, usize)) -> Zeroizing<Vec<u8>> {
        let fields = self
            .fields
            .iter()
            .map(|field| {
                Value::from(vec![Value::from(field.salt), Value::from(field.name.as_str()), field.value.clone()])
            })
            .collect::<Vec<_>>();
        let padding = vec![Value::Bytes(vec![0; padding.0]), Value::Bytes(vec![0; padding.1])];
        let map = Map::new().with(1, self.compartment.as_str()).with(2, fields).with(3, padding);
        Zeroizing::new(cbor::encode(&Value::Map(map)))
    }

    /// Reads what was encrypted. Whether it is what was signed is told by [`Self::root`].
    pub(super) fn from_plaintext(plaintext: &[u8]) -> Result<Self, SealError> {
        // The codec's own error could name a key that stands in the plaintext, which must not show anywhere.
        let (compartment, listed, padding) =
            read_plaintext(plaintext).map_err(|_| CborError::Shape { object: "compartment" })?;
        let is_padding = |item: &Value| item.as_bytes().is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
        if padding.len() != 2 || !padding.iter().all(is_padding) {
            return Err(SealError::Bounds { what: "padding" });
        }
        if !is_name(&compartment) || !listed.iter().all(|field| is_name(&field.name)) {
            return Err(SealError::Bounds { what: "name of a compartment or field" });
        }
        let in_order = listed.is_sorted_by(|a, b| a.name < b.name);
        if !in_order || listed.is_empty() || listed.len() > FIELDS_MAX {
            return Err(SealError::Bounds { what: "order or number of fields" });
        }
        Ok(Self { compartment, fields: listed })
    }

    fn leaves(&self) -> Vec<Digest> {
        self.fields.iter().map(|field| leaf(&self.compartment, field)).collect()
    }
}

impl FieldProof {
    /// Checks the proof against the root that a body head holds for the compartment.
    ///
    /// # Errors
    /// [`SealError::NotTheSigned`] if the path does not lead from the field to the root.
    pub fn verify(&self, fields_root: &Digest) -> Result<(), SealError> {
        let leaf = leaf(&self.compartment, &self.field);
        if merkle::verify_inclusion(&leaf, self.index, self.size, &self.path, fields_root) {
            Ok(())
        } else {
            Err(SealError::NotTheSigned { what: "field" })
        }
    }

    /// The proof as it is handed over.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let path = self.path.iter().map(Value::from).collect::<Vec<_>>();
        let map = Map::new()
            .with(1, self.compartment.as_str())
            .with(2, self.field.salt)
            .with(3, self.field.name.as_str())
            .with(4, self.field.value.clone())
            .with(5, self.index)
            .with(6, self.size)
            .with(7, path);
        cbor::encode(&Value::Map(map))
    }

    /// Reads what [`Self::encode`] writes. Nothing is verified.
    ///
    /// # Errors
    /// [`SealError::Form`] if it is not the form of such a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "proof of a field")?;
        let compartment = fields.text(1)?;
        let field = Field { salt: fields.array(2)?, name: fields.text(3)?, value: fields.value(4)? };
        let (index, size) = (fields.u64(5)?, fields.u64(6)?);
        let path = digests(fields.items(7)?).ok_or_else(|| fields.bad(7))?;
        fields.end()?;
        if !is_name(&compartment) || !is_name(&field.name) {
            return Err(SealError::Bounds { what: "name of a compartment or field" });
        }
        Ok(Self { compartment, field, index, size, path })
    }
}

/// Bytes of a leaf: `[salt, "compartment/name", value]`. The compartment stands in every leaf, so that a field shown alone
/// says where it was.
#[must_use]
pub fn leaf_bytes(compartment: &str, field: &Field) -> Vec<u8> {
    let path = format!("{compartment}/{}", field.name);
    cbor::encode(&Value::from(vec![Value::from(field.salt), Value::from(path), field.value.clone()]))
}

fn leaf(compartment: &str, field: &Field) -> Digest {
    merkle::leaf_hash(&leaf_bytes(compartment, field))
}

fn read_plaintext(plaintext: &[u8]) -> Result<(String, Vec<Field>, Vec<Value>), CborError> {
    let mut fields = Fields::of(cbor::decode(plaintext)?, "compartment")?;
    let compartment = fields.text(1)?;
    let listed = fields.items(2)?.into_iter().map(read_field).collect::<Result<Vec<_>, _>>()?;
    let padding = fields.items(3)?;
    fields.end()?;
    Ok((compartment, listed, padding))
}

fn read_field(item: Value) -> Result<Field, CborError> {
    const SHAPE: CborError = CborError::Shape { object: "field" };
    let Value::Array(parts) = item else { return Err(SHAPE) };
    let [salt, name, value] = <[Value; 3]>::try_from(parts).map_err(|_| SHAPE)?;
    let salt = salt.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?;
    let Value::Text(name) = name else { return Err(SHAPE) };
    Ok(Field { salt, name, value })
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
}

impl fmt::Debug for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Field([redacted])")
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Opened([redacted])")
    }
}

impl fmt::Debug for FieldProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FieldProof([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: SealError = SealError::Bounds { what: "name of a compartment or field" };
    const NUMBER: SealError = SealError::Bounds { what: "order or number of fields" };

    fn opened(compartment: &str, names: &[&str]) -> Opened {
        let field = |name: &&str| Field { salt: [1; 16], name: (*name).to_owned(), value: Value::Null };
        Opened { compartment: compartment.to_owned(), fields: names.iter().map(field).collect() }
    }

    /// What reading such a compartment back gives, if it is refused.
    fn refusal(opened: &Opened) -> Option<SealError> {
        let read = Opened::from_plaintext(&opened.to_plaintext((0, 0)));
        assert!(read.as_ref().is_ok_and(|read| read == opened) || read.is_err());
        read.err()
    }

    #[test]
    fn the_same_fields_salted_twice_have_no_hash_in_common() {
        let fields = BTreeMap::from([("consignee".to_owned(), Value::from("Synthetic Mining Supplies"))]);
        let [one, other] = [1, 2]
            .map(|seed| Opened::salted("parties", &fields, &mut Randomness::new([seed; 32])).expect("sound fields"));
        assert_eq!(one.content(), other.content());
        assert_ne!(one.root(), other.root(), "who guesses the name has no hash to hold it against");
        assert_ne!(leaf_bytes("parties", &one.fields()[0]), leaf_bytes("parties", &other.fields()[0]));
    }

    #[test]
    fn fields_have_names_in_ascending_order_each_once() {
        assert_eq!(refusal(&opened("trade", &["a", "b"])), None);
        for names in [&[][..], &["b", "a"], &["a", "a"]] {
            assert_eq!(refusal(&opened("trade", names)), Some(NUMBER));
        }
        assert_eq!(refusal(&opened("", &["a"])), Some(NAMES));
        assert_eq!(refusal(&opened("trade", &[""])), Some(NAMES));
    }

    #[test]
    fn a_compartment_has_1024_fields_at_most() {
        for (count, refused) in [(FIELDS_MAX, false), (FIELDS_MAX + 1, true)] {
            let names: Vec<String> = (0..count).map(|number| format!("{number:04}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(refusal(&opened("trade", &names)), refused.then_some(NUMBER));
        }
    }

    #[test]
    fn padding_is_two_strings_of_zeros() {
        let padded = |strings: &[&[u8]]| {
            let fields = vec![Value::from(vec![Value::from([1; 16]), Value::from("a"), Value::Null])];
            let padding: Vec<Value> = strings.iter().map(|bytes| Value::from(*bytes)).collect();
            let map = Map::new().with(1, "trade").with(2, fields).with(3, padding);
            Opened::from_plaintext(&cbor::encode(&Value::Map(map))).err()
        };
        assert_eq!(padded(&[&[], &[0, 0]]), None);
        for strings in [&[&[0][..]][..], &[&[], &[], &[]], &[&[0, 1], &[]], &[&[], &[1]]] {
            assert_eq!(padded(strings), Some(SealError::Bounds { what: "padding" }));
        }
    }

    #[test]
    fn a_proof_is_read_with_good_names_and_a_path_no_higher_than_a_tree() {
        let proof = |compartment: &str, name: &str, path: usize| FieldProof {
            compartment: compartment.to_owned(),
            field: opened(compartment, &[name]).fields.remove(0),
            index: 0,
            size: 1,
            path: vec![Digest::ZERO; path],
        };
        let read = |proof: FieldProof| FieldProof::decode(&proof.encode()).err();
        assert_eq!(read(proof("trade", "a", 64)), None);
        assert!(read(proof("trade", "a", 65)).is_some());
        assert_eq!(read(proof("", "a", 1)), Some(NAMES));
        assert_eq!(read(proof("trade", "a/b", 1)), Some(NAMES));
    }

    #[test]
    fn contents_are_not_shown() {
        let opened = opened("trade", &["a"]);
        assert_eq!(format!("{opened:?}"), "Opened([redacted])");
        assert_eq!(format!("{:?}", opened.fields()), "[Field([redacted])]");
        assert_eq!(format!("{:?}", opened.field_proof("a")), "Some(FieldProof([redacted]))");
    }
}

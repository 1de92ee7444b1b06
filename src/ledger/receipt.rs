//! Receipts (RFC 9942): a checkpoint or cosignature with the proof that one statement is under its root.

use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::cose::{Sign1, label};
use crate::encoding::hash::Digest;
use crate::encoding::merkle;

use super::signed_root::SignedRoot;

/// Inclusion proofs within the proofs of RFC 9162's tree (RFC 9942 §5.2).
const INCLUSION: i64 = -1;

/// A receipt for one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    object: Sign1,
    size: u64,
    index: u64,
    path: Vec<Digest>,
}

/// Why a receipt proves nothing about a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// Not a receipt of this form.
    #[error("not a well-formed receipt: {0}")]
    Form(#[from] CborError),
    /// The proof is for another size than the one that is signed, or its path is not one for this size and index.
    #[error("the inclusion proof does not fit the signed tree size")]
    Proof,
}

impl Receipt {
    /// Adds an inclusion proof to a signature over a log's root. Exported at size 2 and more, where the path is not empty.
    #[must_use]
    pub fn new(root: &SignedRoot, size: u64, index: u64, path: Vec<Digest>) -> Self {
        Self { object: root.object().clone(), size, index, path }
    }

    /// The receipt as a `COSE_Sign1` with its proof in the unprotected header.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let path: Vec<Value> = self.path.iter().map(Value::from).collect();
        let proof = cbor::encode(&Value::Array(vec![self.size.into(), self.index.into(), path.into()]));
        let proofs = Map::new().with(INCLUSION, vec![Value::Bytes(proof)]);
        Sign1 { unprotected: Map::new().with(label::VDP, proofs), ..self.object.clone() }.encode()
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// [`ReceiptFault::Form`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptFault> {
        const SHAPE: CborError = CborError::Shape { object: "receipt" };
        let mut object = Sign1::decode(bytes)?;
        let mut unprotected = Fields::of_map(std::mem::take(&mut object.unprotected), "receipt");
        let mut proofs = Fields::of_map(unprotected.map(label::VDP)?, "receipt proofs");
        unprotected.end()?;
        let inclusion = proofs.items(INCLUSION)?;
        proofs.end()?;
        let [proof] = inclusion.as_slice() else { return Err(SHAPE.into()) };
        let proof = cbor::decode(proof.as_bytes().ok_or(SHAPE)?)?;
        let [size, index, path] = proof.as_array().ok_or(SHAPE)? else { return Err(SHAPE.into()) };
        let path = path
            .as_array()
            .ok_or(SHAPE)?
            .iter()
            .map(|hash| hash.as_bytes().and_then(|bytes| bytes.try_into().ok()).map(Digest))
            .collect::<Option<Vec<_>>>()
            .ok_or(SHAPE)?;
        if object.payload.is_some() {
            return Err(SHAPE.into());
        }
        Ok(Self { object, size: size.as_u64().ok_or(SHAPE)?, index: index.as_u64().ok_or(SHAPE)?, path })
    }

    /// The signed root that the proof leads to from a statement. Its signature is still to be checked.
    ///
    /// # Errors
    /// [`ReceiptFault::Proof`] if the path is none for this size, or another size is signed.
    pub fn signed_root(&self, statement: &[u8]) -> Result<SignedRoot, ReceiptFault> {
        let leaf = merkle::leaf_hash(statement);
        let root = merkle::root_from_inclusion(&leaf, self.index, self.size, &self.path).ok_or(ReceiptFault::Proof)?;
        let signed = SignedRoot::new(self.object.clone(), root);
        let claimed = signed.claim().ok().and_then(|root| root.claim.log_and_size());
        if claimed.map(|(_, size)| size) == Some(self.size) { Ok(signed) } else { Err(ReceiptFault::Proof) }
    }

    /// The position that it says the statement has.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The tree size that it is for.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::ids::{FederationId, LogId};
    use crate::encoding::time::UnixTime;
    use crate::identity::SecretKey;
    use crate::ledger::{Claim, Root};

    #[test]
    fn a_receipt_proves_its_statement_and_no_other() {
        let key = SecretKey::from_seed(&[7; 32]);
        let statements: Vec<Vec<u8>> = (0..5_u8).map(|number| vec![number; 40]).collect();
        let leaves: Vec<Digest> = statements.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        let log = LogId::first("GE".parse().unwrap());
        let root = Root {
            claim: Claim::Cosignature { log, size: 5 },
            root: merkle::root(&leaves),
            by: "TR".parse().unwrap(),
            kid: key.public().kid(),
            issued_at: UnixTime::ZERO,
            federation: FederationId::NONE,
        };
        let signed = root.signed(key.sign(&root.to_be_signed()));
        for (index, statement) in statements.iter().enumerate() {
            let path = merkle::inclusion_proof(&leaves, index as u64);
            let bytes = Receipt::new(&signed, 5, index as u64, path).encode();
            let receipt = Receipt::decode(&bytes).unwrap();
            assert_eq!(receipt.encode(), bytes);
            assert_eq!((receipt.size(), receipt.index()), (5, index as u64));
            let unprotected = Sign1::decode(&bytes).unwrap().unprotected;
            let proofs = unprotected.get(&Value::from(396)).and_then(Value::as_map).unwrap();
            assert!(proofs.get(&Value::from(-1)).is_some(), "RFC 9942 has inclusion proofs under -1");
            let proved = |statement: &[u8]| {
                receipt.signed_root(statement).is_ok_and(|root| root.verify_by(&key.public()).is_ok())
            };
            assert!(proved(statement));
            assert!(!proved(b"another statement"));
        }
        // The same path under another size: the signed size decides.
        let path = merkle::inclusion_proof(&leaves[..4], 0);
        let receipt = Receipt::new(&signed, 4, 0, path);
        assert_eq!(receipt.signed_root(&statements[0]), Err(ReceiptFault::Proof));
    }
}

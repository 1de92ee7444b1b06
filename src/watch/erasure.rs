//! What members say in their logs of erasures: orders, and what has become of the bodies at their readers.

use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::record::{Kind, PartialRecord};

/// An order to erase (G08).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// When its author says that it was made.
    pub at: UnixTime,
    /// The records whose bodies are to go.
    pub erases: Vec<RecordId>,
    /// By what law.
    pub legal_basis: String,
    /// Why, in words, if it says so.
    pub reason: Option<String>,
}

/// What a reader says of bodies (G09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// When its author says that it was made.
    pub at: UnixTime,
    /// The order that it answers; none where its author's own law made it erase.
    pub order: Option<RecordId>,
    /// What is not there any more.
    pub erased: Vec<RecordId>,
    /// What is held all the same.
    pub held: Vec<RecordId>,
}

/// The order in a record, if it is one.
pub(super) fn order(record: &PartialRecord) -> Option<Order> {
    let declared = record.declared();
    (record.kind() == Some(&Kind::Erasure)).then(|| {
        Some(Order {
            at: declared.issued_at?,
            erases: declared.erases.clone(),
            legal_basis: declared.legal_basis.clone().unwrap_or_default(),
            reason: declared.reason.clone(),
        })
    })?
}

/// The receipt in a record, if it is one.
pub(super) fn receipt(record: &PartialRecord) -> Option<Receipt> {
    let declared = record.declared();
    (record.kind() == Some(&Kind::ErasureReceipt)).then(|| {
        Some(Receipt {
            at: declared.issued_at?,
            order: declared.answers,
            erased: declared.erased.clone(),
            held: declared.held.clone(),
        })
    })?
}

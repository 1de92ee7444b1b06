//! What a check found, and where. The same fact refuses an own entry and is a warning on an imported document.

use std::fmt;

use super::identifier::Malformed;
use super::quantity::QuantityError;
use super::text::TextFault;

/// A fact about one field. It shows values of the document that was checked, so it is for the person who brought that
/// document: never for a log, and never made from a record of somebody else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The field, as a path without its leading slash: `goods/0/net_mass_g`.
    pub field: String,
    /// What is wrong.
    pub fault: Fault,
}

impl Finding {
    pub(super) fn new(field: impl Into<String>, fault: Fault) -> Self {
        Self { field: field.into(), fault }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.fault)
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finding(..)")
    }
}

/// What can be wrong with a field.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// Not there, or empty.
    #[error("missing")]
    Missing,
    /// Not an identifier of its type.
    #[error("{}: {why}", shown(.value))]
    Doubtful {
        /// As declared.
        value: String,
        /// Why not.
        why: Malformed,
    },
    /// A text that may not stand in a record.
    #[error(transparent)]
    Text(#[from] TextFault),
    /// An amount that is none.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// A field that this version does not know.
    #[error("not a field of this kind of object")]
    UnknownField,
    /// A kind that this version cannot check.
    #[error("{} is not a kind of record that can be submitted", shown(.0))]
    UnknownKind(String),
    /// A version of the substance list that this program does not have.
    #[error("version {} of the substance list is not known here", shown(.0))]
    UnknownList(String),
    /// A code that the substance list does not have.
    #[error("{} is not on the substance list", shown(.0))]
    UnknownSubstance(String),
    /// Substance and subheading do not belong together.
    #[error("{substance} is not usually declared under {hs6}")]
    UnusualSubheading {
        /// Code of the substance.
        substance: String,
        /// The subheading declared.
        hs6: String,
    },
    /// A CAS or UN number of another substance.
    #[error("{} is not a number of {substance}", shown(.value))]
    OtherSubstance {
        /// Code of the substance.
        substance: String,
        /// The number declared.
        value: String,
    },
    /// The grams given and the grams computed from the declared quantity differ.
    #[error("{given} g were given, but the declared quantity is {computed} g")]
    MassesDiffer {
        /// As given.
        given: u64,
        /// As computed.
        computed: u64,
    },
    /// The net mass is above the gross mass.
    #[error("the net mass is above the gross mass")]
    NetAboveGross,
    /// A mass of nothing.
    #[error("a mass of zero")]
    Zero,
    /// The goods leave from another country than the author's.
    #[error("the goods leave from {declared}, and only {author}'s own exports can be notified here")]
    NotOwnExport {
        /// Who would sign.
        author: String,
        /// Where the goods leave from.
        declared: String,
    },
    /// A window that ends before it begins, or says nothing.
    #[error("the window is empty or ends before it begins")]
    UnsoundWindow,
    /// A number with a fraction where only whole numbers are signed.
    #[error("a number with a fraction; give it as text or in smaller units")]
    Fraction,
    /// More entries than a record takes.
    #[error("{count} entries, and at most {limit} are allowed")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The same number twice.
    #[error("line {0} is there twice")]
    DuplicateLine(u32),
    /// A derived field that says something else than what it is derived from.
    #[error("derived from other fields, and they say something else")]
    NotAsDerived,
    /// A report that was made before there was anything to report.
    #[error("lies before the detection")]
    BeforeTheFact,
    /// An incident that was reported too late.
    #[error("more than 24 hours after the detection")]
    ReportedLate,
    /// A grant, which is for ever.
    #[error("who has been let in has read: what is granted cannot be taken back")]
    Irrevocable,
    /// An order to erase.
    #[error("what is erased cannot be had back from anybody")]
    Final,
    /// A grant of what names persons.
    #[error("names persons, and what is granted cannot be taken back")]
    PersonalData,
    /// An arrival that belongs to nothing known, and nothing by which it could be found.
    #[error("missing, and there is no UCR, MRN, bill of lading, container or seal by which to find what it belongs to")]
    NoReference,
    /// The country that goods came from is not addressed.
    #[error("does not name {0}, where the goods come from: it does not learn that they came")]
    DoesNotLearn(String),
    /// A code that is not one of the few allowed.
    #[error("not one of {0}")]
    NotOneOf(&'static str),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fault(..)")
    }
}

/// A declared value for a message: quoted, control characters escaped, cut after 48 characters.
pub(super) fn shown(value: &str) -> String {
    let cut: String = value.chars().take(48).flat_map(char::escape_debug).collect();
    let dots = if value.chars().count() > 48 { "…" } else { "" };
    format!("\"{cut}{dots}\"")
}

//! The indicators by their codes.

use std::fmt;
use std::str::FromStr;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $about:literal,)*) => {
        /// An indicator: R01 to R21.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// The code: `R04`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => stringify!($code),)*
                }
            }

            /// What it looks for, in a few words.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$code => $about,)*
                }
            }
        }
    };
}

codes! {
    /// More than the importer usually receives.
    R01 = "quantity above what is usual",
    /// A consignee that nobody knows yet.
    R02 = "first-time consignee",
    /// An exporter and importer, or a carrier, that nobody knows yet.
    R03 = "first-time pair or carrier",
    /// Many just below a threshold in place of one above it.
    R04 = "structuring below a threshold",
    /// What identifies the goods does not fit together.
    R05 = "codes of the goods contradict each other",
    /// A route through a country at risk, or one that makes no sense.
    R06 = "high-risk or illogical route",
    /// A consignee without registration or licence.
    R07 = "consignee not registered or licensed",
    /// A forwarder, free zone or postal box at the end of the way.
    R08 = "final destination is no premises",
    /// A price far from the usual.
    R09 = "unusual price",
    /// Packages that fit neither mode nor quantity.
    R10 = "unusual packaging",
    /// It should be here.
    R11 = "overdue arrival",
    /// What came is not what left.
    R12 = "quantity discrepancy at arrival",
    /// Nobody has looked at the end use.
    R13 = "end use not verified",
    /// The announcement changes again and again.
    R14 = "repeated amendment",
    /// It left without an answer.
    R15 = "departed without a reply",
    /// One container, seal or bill in two consignments; or a seal that changed.
    R16 = "container, seal or bill used twice",
    /// Seen where nobody announced it.
    R17 = "route not as announced",
    /// A trade or a month that does not go with the goods.
    R18 = "sector or season does not fit",
    /// The two countries often disagree.
    R19 = "pair with many discrepancies",
    /// A party that is watched, or had to do with an incident.
    R20 = "party watched or in an incident",
    /// Somebody asked to stop another consignment of a party.
    R21 = "stop request for the same party",
}

/// A text that is no code of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an indicator is R01 to R21")]
pub struct BadCode;

impl FromStr for Code {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        Self::ALL.iter().find(|code| code.name() == text).copied().ok_or(BadCode)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

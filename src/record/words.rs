//! Closed sets of words: what a field may say where a machine has to understand it.
//!
//! A word stands in a record as text, inside a [`Declared`](super::Declared): on own entry an unknown one is refused with the
//! list of the known ones, in a document or record of somebody else it is kept as it is and found doubtful.

use std::fmt;
use std::str::FromStr;

use super::identifier::Malformed;

/// A set of words as an enum that reads, writes and lists them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident {
        $(#[$about:meta])* $variant:ident = $word:literal,
        $($(#[$about_more:meta])* $more:ident = $word_more:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $(#[$about])* $variant,
            $($(#[$about_more])* $more,)*
        }

        impl $name {
            /// All of them, in the order of their meaning.
            pub const ALL: &'static [Self] = &[Self::$variant, $(Self::$more),*];
            /// All words, for a message.
            pub const LIST: &'static str = concat!($word, $(", ", $word_more),*);

            /// The word in records.
            pub fn as_str(&self) -> &'static str {
                match self {
                    Self::$variant => $word,
                    $(Self::$more => $word_more,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::ALL.iter().find(|word| word.as_str() == text).copied().ok_or(Malformed::NotOneOf(Self::LIST))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        // What a sealed record says must not reach a log through a debug print.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

words!(
    /// How far an acknowledged record got (E03).
    Level {
        /// It arrived at a node, which says so by itself.
        Delivered = "delivered",
        /// An officer opened it.
        Opened = "opened",
    }
);
words!(
    /// What the importing country knows of the consignee (E06).
    ConsigneeStatus {
        /// Registered as an end user.
        Registered = "registered",
        /// Licensed for the substance.
        Licensed = "licensed",
        /// Neither.
        Unknown = "unknown",
    }
);
words!(
    /// Why a country objects (E07).
    ReasonCode {
        /// The importer is neither registered nor licensed.
        ImporterNotLicensed = "importer-not-licensed",
        /// Nobody knows the importer at its address.
        ImporterUnknown = "importer-unknown",
        /// The importer says that it ordered nothing.
        ImporterDeniesOrder = "importer-denies-order",
        /// More than it needs, or than its quota.
        QuantityExceedsNeed = "quantity-exceeds-need",
        /// There is no import permit.
        NoImportPermit = "no-import-permit",
        /// The substance may not be imported.
        SubstanceProhibited = "substance-prohibited",
        /// An investigation is under way.
        InvestigationPending = "investigation-pending",
        /// Another reason, in words.
        Other = "other",
    }
);
words!(
    /// How soon something has to be done (E08, A03).
    Urgency {
        /// In the order of work.
        Routine = "routine",
        /// Today.
        Urgent = "urgent",
        /// Now.
        Immediate = "immediate",
    }
);
words!(
    /// What a member is asked to do (E08, A03).
    RequestedAction {
        /// Keep the goods off the ship or truck.
        DoNotLoad = "do-not-load",
        /// Hold them where they are.
        Hold = "hold",
        /// Look into them.
        Inspect = "inspect",
        /// Send them back.
        Return = "return",
        /// Tell what is known of them.
        Report = "report",
        /// Something else, in the remarks.
        Other = "other",
    }
);
words!(
    /// The exporting country's own decision (E09).
    Decision {
        /// The export may leave, with the consent of those who were asked.
        Released = "released",
        /// It may not.
        Refused = "refused",
        /// It may leave although nobody answered by the day that the receiver's policy gives.
        ReleasedWithoutReply = "released-without-reply",
        /// It may leave against an objection.
        ReleasedOverObjection = "released-over-objection",
    }
);
words!(
    /// Whether a diversion was meant (E17).
    DiversionKind {
        /// Agreed to.
        Authorised = "authorised",
        /// Noticed.
        Observed = "observed",
    }
);
words!(
    /// How goods were released on import (E19).
    Release {
        /// For use in the country.
        FreeCirculation = "free-circulation",
        /// Into a customs warehouse.
        Warehouse = "warehouse",
        /// Into a free zone.
        FreeZone = "free-zone",
        /// Not at all.
        Refused = "refused",
    }
);
words!(
    /// Why two declarations differ (E20).
    Cause {
        /// One side wrote another unit.
        Units = "units",
        /// The concentrations differ.
        Concentration = "concentration",
        /// Water was gained or lost.
        Moisture = "moisture",
        /// The goods came in more parts than were declared.
        Split = "split",
        /// Part of them was not loaded.
        NotLoaded = "not-loaded",
        /// They were declared as something else.
        MisDeclared = "mis-declared",
        /// They were stolen.
        Theft = "theft",
        /// They were lost at sea.
        LossAtSea = "loss-at-sea",
        /// A typing error.
        Typo = "typo",
        /// Nobody knows.
        Unexplained = "unexplained",
    }
);
words!(
    /// What an end-use verification found (E21).
    Verification {
        /// The goods are used as was said.
        Verified = "verified",
        /// The premises were inspected, and the use is not proved yet.
        PremisesInspected = "premises-inspected",
        /// Nobody knows the user.
        UserUnknown = "user-unknown",
        /// The goods are not there.
        NotFound = "not-found",
        /// They went elsewhere.
        Diverted = "diverted",
        /// Under way.
        Pending = "pending",
    }
);
words!(
    /// How a consignment ends (E22).
    ClosingState {
        /// Both sides agree on what left and what arrived.
        Reconciled = "reconciled",
        /// They do not, and nothing more is expected.
        Discrepant = "discrepant",
        /// The goods were seized.
        Seized = "seized",
        /// They went back.
        Returned = "returned",
        /// They went elsewhere.
        Diverted = "diverted",
        /// They are lost.
        Lost = "lost",
    }
);
words!(
    /// How a control was made (A04).
    ControlType {
        /// On paper.
        Documentary = "documentary",
        /// By X-ray.
        XRay = "x-ray",
        /// By opening and looking.
        Physical = "physical",
        /// By a sample.
        Sample = "sample",
    }
);
words!(
    /// What a control found (A04).
    ControlResult {
        /// Nothing.
        NoResult = "no-result",
        /// Something is not as declared.
        Irregularity = "irregularity",
        /// Goods were seized.
        Seizure = "seizure",
        /// What was looked for was not found.
        NotFound = "not-found",
        /// It has not arrived.
        NotArrived = "not-arrived",
    }
);
words!(
    /// What became of a request to stop (A05).
    StopReply {
        /// The goods are held.
        Held = "held",
        /// They had left.
        AlreadyLeft = "already-left",
        /// The request is refused, for a reason.
        Refused = "refused",
    }
);
words!(
    /// What happened to goods (A07).
    IncidentKind {
        /// They were stolen.
        Theft = "theft",
        /// They disappeared.
        Disappearance = "disappearance",
        /// They went elsewhere.
        Diversion = "diversion",
        /// Somebody wants them in a way that makes no sense.
        SuspiciousTransaction = "suspicious-transaction",
    }
);
words!(
    /// A day of the week.
    Weekday {
        /// The first day by ISO 8601.
        Monday = "monday",
        /// The second.
        Tuesday = "tuesday",
        /// The third.
        Wednesday = "wednesday",
        /// The fourth.
        Thursday = "thursday",
        /// The fifth.
        Friday = "friday",
        /// The sixth.
        Saturday = "saturday",
        /// The seventh.
        Sunday = "sunday",
    }
);
words!(
    /// Which days a term counts (G03).
    Counting {
        /// Days that are neither of the weekend nor holidays.
        Working = "working",
        /// Every day.
        Calendar = "calendar",
    }
);
words!(
    /// What it means that a country did not answer in time (G03).
    Silence {
        /// The export may be released.
        Consent = "consent",
        /// It may not.
        Refusal = "refusal",
    }
);
words!(
    /// Whether goods may pass through without being asked for (G03).
    TransitConsent {
        /// They may: a notification is enough.
        NotRequired = "not-required",
        /// Only with a consent.
        Required = "required",
    }
);

#[cfg(test)]
mod tests {
    use super::super::Declared;
    use super::*;

    #[test]
    fn words_are_read_written_and_listed() {
        for decision in Decision::ALL {
            assert_eq!(decision.as_str().parse(), Ok(*decision));
            assert!(Decision::LIST.contains(decision.as_str()));
        }
        assert_eq!("perhaps".parse::<Silence>().expect_err("unknown").to_string(), "not one of consent, refusal");
        let kept = Declared::<Decision>::read("released-by-mistake");
        assert_eq!((kept.as_str(), kept.valid()), ("released-by-mistake", None));
        assert_eq!(format!("{:?}", Decision::Refused), "Decision(..)");
    }
}

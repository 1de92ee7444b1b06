//! Where every gram of an announcement went: sums that always add up, beside the net mass for the pure substance.
//!
//! ```text
//! notified + excess = cancelled + not shipped + in transit + received + explained + seized + unexplained
//! ```
//!
//! `excess` is what more left or came than was said; in an orderly consignment it is nothing. Sums are 128 bits wide, so that no number
//! of records makes one of them stop.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value as Json, json};

use crate::record::{Goods, Mass, Packages};

/// The name under which goods stand that name no substance.
pub(super) const UNSPECIFIED: &str = "unspecified";

/// Grams of one substance, counted twice: as goods, and as the pure substance in them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) net: u128,
    pub(super) pure: u128,
    /// Whether a line did not state its concentration, so that it was taken for pure.
    pub(super) assumed: bool,
    /// Whether a line states a quantity that is no mass here, such as litres without a density; it counts as nothing.
    pub(super) unread: bool,
    /// How they are packed.
    pub(super) packed: Packed,
}

/// How goods are packed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Packed {
    /// Nothing is said.
    #[default]
    Unsaid,
    /// In bulk.
    Loose,
    /// Packages of one type, UN/ECE Recommendation 21, if that is said: how many.
    Counted(Option<[u8; 2]>, u64),
    /// Packages of several types.
    Mixed,
}

/// Amounts by substance.
pub(super) type Amounts = BTreeMap<String, Amount>;

/// What one shipment did with one substance, in one of the two ways to count.
#[derive(Clone, Copy, Default)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Share {
    /// What left; none if no departure is known.
    pub(super) shipped: Option<u128>,
    pub(super) received: u128,
    /// What was lost, as both sides say; `u128::MAX` for all that is missing.
    pub(super) lost: u128,
    /// What the importing country seized: at its border, or of what it had received.
    pub(super) seized_at_home: u128,
    /// What others seized.
    pub(super) seized_elsewhere: u128,
    /// Whether more may still come.
    pub(super) open: bool,
}

/// Where the grams of one substance went.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Announced, in the present version.
    pub notified: u128,
    /// What more left than was announced, or came than had left.
    pub excess: u128,
    /// Called off.
    pub cancelled: u128,
    /// Not left yet.
    pub not_shipped: u128,
    /// On its way, or believed to be.
    pub in_transit: u128,
    /// Received by the importing country.
    pub received: u128,
    /// Lost, as both sides say or the importing country settled.
    pub explained: u128,
    /// Seized.
    pub seized: u128,
    /// Gone, and nobody says where.
    pub unexplained: u128,
}

/// The balance of one substance.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// In grams of goods.
    pub net: Sums,
    /// In grams of the pure substance. A line without a concentration counts as pure.
    pub pure: Sums,
}

impl Sums {
    /// Whether both sides of the balance are the same. Always so.
    pub fn adds_up(&self) -> bool {
        let right = [
            self.cancelled,
            self.not_shipped,
            self.in_transit,
            self.received,
            self.explained,
            self.seized,
            self.unexplained,
        ];
        self.notified + self.excess == right.iter().sum::<u128>()
    }

    /// Adds up the shares of all shipments. `loose` was seized before anything left.
    pub(super) fn of(notified: u128, cancelled: bool, loose: u128, shares: &[Share]) -> Self {
        let mut sums = Self { notified, seized: loose, ..Self::default() };
        let mut shipped = loose;
        for share in shares {
            let seized = share.seized_at_home + share.seized_elsewhere;
            // What left without a word is known by what came of it.
            let left = share.shipped.unwrap_or(share.received + seized);
            let above = (share.received + seized).saturating_sub(left);
            // Received and then seized: the same goods.
            let twice = above.min(share.seized_at_home).min(share.received);
            let received = share.received - twice;
            let rest = left.saturating_sub(received + seized);
            let explained = share.lost.min(rest);
            sums.received += received;
            sums.seized += seized;
            sums.explained += explained;
            *(if share.open { &mut sums.in_transit } else { &mut sums.unexplained }) += rest - explained;
            sums.excess += (received + seized).saturating_sub(left);
            shipped += left;
        }
        sums.excess += shipped.saturating_sub(notified);
        *(if cancelled { &mut sums.cancelled } else { &mut sums.not_shipped }) = notified.saturating_sub(shipped);
        sums
    }

    fn to_json(self) -> Json {
        json!({
            "notified_g": grams(self.notified), "excess_g": grams(self.excess), "cancelled_g": grams(self.cancelled),
            "not_shipped_g": grams(self.not_shipped), "in_transit_g": grams(self.in_transit),
            "received_g": grams(self.received), "explained_g": grams(self.explained), "seized_g": grams(self.seized),
            "unexplained_g": grams(self.unexplained),
        })
    }
}

impl Balance {
    /// The balance as JSON; whole grams.
    pub(super) fn to_json(self) -> Json {
        json!({ "net": self.net.to_json(), "pure": self.pure.to_json() })
    }
}

/// A sum as a number, or as text if it is beyond what JSON numbers hold.
fn grams(sum: u128) -> Json {
    u64::try_from(sum).map_or_else(|_| Json::String(sum.to_string()), Json::from)
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.net += other.net;
        self.pure += other.pure;
        self.assumed |= other.assumed;
        self.unread |= other.unread;
        self.packed = self.packed.with(other.packed);
    }
}

/// Codes of UN/ECE Recommendation 21 for goods that nobody packed: bulk of all sorts, tanks, unpacked.
const LOOSE: [&str; 11] = ["VG", "VI", "VL", "VO", "VQ", "VR", "VS", "VY", "TK", "TY", "NE"];

impl Packed {
    fn of(packages: &Packages) -> Self {
        let kind = packages.kind.as_deref().map(str::trim);
        if kind.is_some_and(|kind| LOOSE.contains(&kind)) {
            return Self::Loose;
        }
        Self::Counted(kind.and_then(|kind| kind.as_bytes().try_into().ok()), packages.count)
    }

    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unsaid, packed) | (packed, Self::Unsaid) => packed,
            (Self::Loose, Self::Loose) => Self::Loose,
            (Self::Counted(one, count), Self::Counted(other, more)) if one == other => {
                Self::Counted(one, count.saturating_add(more))
            }
            (Self::Loose | Self::Counted(..) | Self::Mixed, Self::Loose | Self::Counted(..) | Self::Mixed) => {
                Self::Mixed
            }
        }
    }
}

/// The amounts in lines of goods. A line whose grams are not stated is converted, if it can be.
pub(super) fn amounts(goods: &[Goods]) -> Amounts {
    let mut amounts = Amounts::new();
    for line in goods {
        let converted = || line.net.as_ref().and_then(|net| net.mass(line.density_g_per_l).ok());
        let net = line.net_mass_g.or_else(converted);
        let pure = net.map(|net| line.concentration_ppm.map_or(net, |share| net.pure(share)));
        let substance = line.substance.clone().unwrap_or_else(|| UNSPECIFIED.to_owned());
        let of = |mass: Option<Mass>| mass.map_or(0, |mass| u128::from(mass.grams()));
        let amount = Amount {
            net: of(net),
            pure: of(pure),
            assumed: line.concentration_ppm.is_none(),
            unread: net.is_none(),
            packed: line.packages.iter().map(Packed::of).fold(Packed::Unsaid, Packed::with),
        };
        amounts.entry(substance).or_default().add(amount);
    }
    amounts
}

/// Adds the one to the other.
pub(super) fn add(sums: &mut Amounts, more: &Amounts) {
    for (substance, amount) in more {
        sums.entry(substance.clone()).or_default().add(*amount);
    }
}

impl fmt::Debug for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sums { .. }")
    }
}

impl fmt::Debug for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Balance { .. }")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share() -> impl Strategy<Value = Share> {
        let grams = || prop_oneof![Just(0), 0_u128..20, any::<u64>().prop_map(u128::from)];
        let lost = prop_oneof![Just(0), Just(u128::MAX), 0_u128..20];
        (prop::option::of(grams()), grams(), lost, grams(), grams(), any::<bool>()).prop_map(
            |(shipped, received, lost, seized_at_home, seized_elsewhere, open)| Share {
                shipped,
                received,
                lost,
                seized_at_home,
                seized_elsewhere,
                open,
            },
        )
    }

    proptest! {
        #[test]
        fn every_gram_is_somewhere(
            notified in any::<u64>(), cancelled in any::<bool>(), loose in any::<u64>(), shares in prop::collection::vec(share(), 0..6),
        ) {
            let sums = Sums::of(notified.into(), cancelled, loose.into(), &shares);
            prop_assert!(sums.adds_up());
        }

        #[test]
        fn nothing_is_in_excess_of_an_orderly_consignment(left in 0_u64..1000, came in 0_u64..1000, open in any::<bool>()) {
            let (left, came) = (u128::from(left), u128::from(came.min(left)));
            let share = Share { shipped: Some(left), received: came, open, ..Share::default() };
            let sums = Sums::of(1_000, false, 0, &[share]);
            prop_assert_eq!((sums.excess, sums.not_shipped), (0, 1_000 - left));
            prop_assert_eq!(if open { sums.in_transit } else { sums.unexplained }, left - came);
        }
    }
}

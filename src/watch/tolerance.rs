//! What difference between shipped and received is borne with: shares by the sort of cargo, floors, packages that are counted.
//!
//! | cargo | green | amber | red |
//! |---|---|---|---|
//! | packed and counted | no package and 0.5 % | 2 % | more, or a package missing |
//! | loose solids | 0.5 % | 1.5 % | more |
//! | loose liquids | 0.5 % | 1 % | more |
//! | concentration, absolute | 1 % | 3 % | more |
//!
//! Beside that, the loss of 100 kg of the pure substance is red whatever its share. These are the usual terms; the importing country's
//! policy that the announcement cites says others. Whole numbers only, so that both sides come to the same.

use std::fmt;

use super::balance::{Amount, Packed};
use crate::record::{State as Matter, SubstanceList, Terms, Tolerance};

const PARTS: u128 = 1_000_000;
/// Grams of pure substance whose loss is red. Of liquids it is 100 litres, taken for as many kilograms: their density is not always told.
const FLOOR_G: u64 = 100_000;

/// How a difference, or everything about a consignment, is judged. The order is that of concern. The word is shown always, a colour only
/// beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Usual: scales and moisture explain it.
    #[default]
    Green,
    /// To be looked at.
    Amber,
    /// Wrong.
    Red,
}

impl Band {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Green, Self::Amber, Self::Red];

    /// The name: `amber`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How goods are carried, which decides how exactly they can be measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cargo {
    Packaged,
    LooseSolid,
    LooseLiquid,
}

/// What one difference comes to, seen from each side.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Net mass, by its share.
    pub(super) net: Band,
    /// Concentration; none unless both sides state it.
    pub(super) concentration: Option<Band>,
    /// Packages; none unless both sides count packages of one type.
    pub(super) packages: Option<Band>,
    /// Red if so much of the pure substance is gone that no share excuses it.
    pub(super) floor: Band,
}

impl Judgement {
    /// The worst of it.
    pub(super) fn band(self) -> Band {
        let stated = [self.concentration, self.packages].into_iter().flatten();
        stated.fold(self.net.max(self.floor), Band::max)
    }
}

/// Judges what left and what came of one substance.
pub(super) fn judge(substance: &str, shipped: Amount, received: Amount, terms: Option<&Terms>) -> Judgement {
    let tolerance = tolerance(Cargo::of(substance, shipped, received), terms);
    let concentration = ppm(shipped).zip(ppm(received)).map(|(left, came)| {
        let stated = terms.and_then(|terms| terms.tolerances.as_ref()?.concentration.as_ref()).map(shares);
        within(left.abs_diff(came), stated.unwrap_or((10_000, 30_000)), 1)
    });
    Judgement {
        net: within(shipped.net.abs_diff(received.net) * PARTS, tolerance, shipped.net),
        concentration,
        packages: packages(shipped.packed, received.packed),
        floor: if pure_loss(shipped, received) >= floor(substance, terms).max(1) { Band::Red } else { Band::Green },
    }
}

/// Whether more is there than was allowed, beyond what is borne with.
pub(super) fn exceeds(substance: &str, amount: Amount, allowed: Amount, terms: Option<&Terms>) -> bool {
    let (green, _) = tolerance(Cargo::of(substance, amount, allowed), terms);
    amount.net.saturating_sub(allowed.net) * PARTS > allowed.net * green
}

/// Grams of the pure substance that are gone. A concentration that one side alone states is taken for the other's too.
pub(super) fn pure_loss(shipped: Amount, received: Amount) -> u128 {
    let loss = shipped.net.saturating_sub(received.net);
    match (ppm(shipped), ppm(received)) {
        (Some(_), Some(_)) | (None, None) => shipped.pure.saturating_sub(received.pure),
        (Some(share), None) | (None, Some(share)) => loss * share / PARTS,
    }
}

/// The concentration in parts per million; none if it was not stated, or of nothing.
pub(super) fn ppm(amount: Amount) -> Option<u128> {
    (!amount.assumed).then(|| (amount.pure * PARTS + amount.net / 2).checked_div(amount.net)).flatten()
}

/// The loss of pure substance, in grams, from which it is red whatever its share.
pub(super) fn floor(substance: &str, terms: Option<&Terms>) -> u128 {
    let stated = terms.iter().flat_map(|terms| &terms.floors).find(|limit| limit.substance == substance);
    stated.map_or(FLOOR_G, |limit| limit.pure_mass_g.grams()).into()
}

fn within(difference: u128, (green, amber): (u128, u128), whole: u128) -> Band {
    if difference <= green * whole {
        Band::Green
    } else if difference <= amber * whole {
        Band::Amber
    } else {
        Band::Red
    }
}

fn shares(tolerance: &Tolerance) -> (u128, u128) {
    (tolerance.green_ppm.get().into(), tolerance.amber_ppm.get().into())
}

/// Green and amber shares, in parts per million.
fn tolerance(cargo: Cargo, terms: Option<&Terms>) -> (u128, u128) {
    let tolerances = terms.and_then(|terms| terms.tolerances.as_ref());
    let (stated, usual) = match cargo {
        Cargo::Packaged => (tolerances.and_then(|all| all.packaged), (5_000, 20_000)),
        Cargo::LooseSolid => (tolerances.and_then(|all| all.bulk_solid), (5_000, 15_000)),
        Cargo::LooseLiquid => (tolerances.and_then(|all| all.bulk_liquid), (5_000, 10_000)),
    };
    stated.as_ref().map_or(usual, shares)
}

/// A missing package is wrong; one too many is to be looked at.
fn packages(shipped: Packed, received: Packed) -> Option<Band> {
    let (Packed::Counted(one, left), Packed::Counted(other, came)) = (shipped, received) else { return None };
    let same_type = one.zip(other).is_none_or(|(one, other)| one == other);
    same_type.then_some(match left.cmp(&came) {
        std::cmp::Ordering::Equal => Band::Green,
        std::cmp::Ordering::Less => Band::Amber,
        std::cmp::Ordering::Greater => Band::Red,
    })
}

impl Cargo {
    /// As the departure says; if it says nothing of packages, as the import says.
    fn of(substance: &str, shipped: Amount, received: Amount) -> Self {
        let packed = if shipped.packed == Packed::Unsaid { received.packed } else { shipped.packed };
        let liquid = || SubstanceList::current().get(substance).is_some_and(|known| known.state == Matter::Liquid);
        match packed {
            Packed::Counted(..) | Packed::Mixed => Self::Packaged,
            Packed::Loose | Packed::Unsaid if liquid() => Self::LooseLiquid,
            Packed::Loose | Packed::Unsaid => Self::LooseSolid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Goods, Mass, Ppm};
    use crate::watch::balance::amounts;

    /// So many kilograms, with a concentration in percent and packages.
    fn amount(kilograms: u64, percent: Option<u32>, packages: &[(&str, u64)]) -> Amount {
        let line = Goods {
            substance: Some("x".to_owned()),
            net_mass_g: Mass::from_grams(kilograms * 1_000).ok(),
            concentration_ppm: percent.and_then(|percent| Ppm::try_from(percent * 10_000).ok()),
            packages: packages
                .iter()
                .map(|(kind, count)| crate::record::Packages {
                    kind: Some((*kind).to_owned()),
                    count: *count,
                    ..Default::default()
                })
                .collect(),
            ..Goods::default()
        };
        amounts(&[line])["x"]
    }

    fn net(substance: &str, left: u64, came: u64, kind: &str) -> Band {
        let of = |kilograms| amount(kilograms, None, &[(kind, 9)]);
        judge(substance, of(left), of(came), None).net
    }

    #[test]
    fn shares_depend_on_the_cargo() {
        for (kind, substance, amber) in [("BG", "urea", 2_000), ("VR", "urea", 1_500), ("VL", "acetone", 1_000)] {
            assert_eq!(net(substance, 100_000, 99_500, kind), Band::Green, "{kind}");
            assert_eq!(net(substance, 100_000, 100_501, kind), Band::Amber, "{kind}");
            assert_eq!(net(substance, 100_000, 100_000 - amber, kind), Band::Amber, "{kind}");
            assert_eq!(net(substance, 100_000, 100_001 + amber, kind), Band::Red, "{kind}");
        }
        assert_eq!(net("urea", 0, 1, "BG"), Band::Red);
        assert_eq!(net("urea", 0, 0, "BG"), Band::Green);
    }

    #[test]
    fn a_large_loss_is_red_whatever_its_share() {
        let loss =
            |left, came, percent| judge("urea", amount(left, percent, &[]), amount(came, percent, &[]), None).floor;
        assert_eq!((loss(1_000_000, 999_901, None), loss(1_000_000, 999_900, None)), (Band::Green, Band::Red));
        assert_eq!(loss(1_000_000, 1_001_000, None), Band::Green, "more than left is no loss");
        assert_eq!((loss(100_000, 99_001, Some(10)), loss(100_000, 99_000, Some(10))), (Band::Green, Band::Red));
        // One side alone states the concentration.
        let half_told = judge("urea", amount(100_000, Some(10), &[]), amount(99_001, None, &[]), None);
        assert_eq!((half_told.floor, half_told.concentration), (Band::Green, None));
    }

    #[test]
    fn concentrations_are_compared_absolutely() {
        let of = |left, came| judge("x", amount(10, Some(left), &[]), amount(10, Some(came), &[]), None).concentration;
        assert_eq!(of(35, 34), Some(Band::Green));
        assert_eq!(of(35, 38), Some(Band::Amber));
        assert_eq!(of(35, 31), Some(Band::Red));
        assert_eq!(judge("x", amount(10, None, &[]), amount(10, Some(7), &[]), None).concentration, None);
    }

    #[test]
    fn a_missing_package_is_red() {
        let of = |left: &[(&str, u64)], came: &[(&str, u64)]| {
            judge("x", amount(10, None, left), amount(10, None, came), None).packages
        };
        assert_eq!(of(&[("BG", 400)], &[("BG", 400)]), Some(Band::Green));
        assert_eq!(of(&[("BG", 400)], &[("BG", 399)]), Some(Band::Red));
        assert_eq!(of(&[("BG", 400)], &[("BG", 401)]), Some(Band::Amber));
        assert_eq!(of(&[("BG", 100), ("BG", 300)], &[("BG", 400)]), Some(Band::Green));
        assert_eq!(of(&[("BG", 400)], &[("43", 20)]), None, "repacked");
        assert_eq!(of(&[("BG", 400), ("DR", 1)], &[("BG", 400)]), None, "more than one type");
        assert_eq!(of(&[("VR", 1)], &[("VR", 2)]), None, "loose goods are not counted");
        assert_eq!(of(&[], &[("BG", 400)]), None);
    }

    #[test]
    fn a_policy_says_otherwise() {
        let terms: Terms = serde_json::from_value(serde_json::json!({
            "tolerances": {"bulk_solid": {"green_ppm": 20_000, "amber_ppm": 50_000},
                "concentration": {"green_ppm": 0, "amber_ppm": 0}},
            "floors": [{"substance": "urea", "pure_mass_g": 5_000_000}],
        }))
        .expect("terms");
        let judged = judge("urea", amount(100_000, Some(35), &[]), amount(98_000, Some(36), &[]), Some(&terms));
        assert_eq!((judged.net, judged.floor, judged.concentration), (Band::Green, Band::Green, Some(Band::Red)));
        let liquid = judge("acetone", amount(100_000, None, &[]), amount(98_000, None, &[]), Some(&terms));
        assert_eq!((liquid.net, liquid.floor), (Band::Red, Band::Red), "what it does not say is as usual");
        assert!(!exceeds("urea", amount(102_000, None, &[]), amount(100_000, None, &[]), Some(&terms)));
        assert!(exceeds("urea", amount(102_000, None, &[]), amount(100_000, None, &[]), None));
    }
}

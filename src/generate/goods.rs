//! Quantities as they are declared, and the errors of scales.

use crate::encoding::random::Randomness;
use crate::record::{Declared, Goods, Mass, Packages, Ppm, Quantity, Substance, SubstanceList};

use super::tables::Lot;

/// The standard error of a weighing, in parts per million.
const SCALE_PPM: i64 = 3_000;

/// One line of goods of so many grams, declared in a unit as a scale shows them. Packages are counted, and no scale is asked.
pub(super) fn line(lot: &Lot, grams: u64, shown: u64, unit: &str, ppm: Option<u32>) -> Goods {
    let substance = SubstanceList::current().get(lot.substance);
    let bulk = grams >= 100_000_000 && lot.density.is_none();
    let packages = Packages {
        kind: Some(if bulk { "VR" } else { lot.package.0 }.to_owned()),
        count: if bulk { 1 } else { grams.div_ceil(lot.package.1 * 1_000).max(1) },
        ..Packages::default()
    };
    Goods {
        line: Some(1),
        substance: Some(lot.substance.to_owned()),
        cas: substance.map(|substance| Declared::Valid(substance.cas.clone())),
        hs6: substance.and_then(|substance| substance.hs6.first()).map(|hs6| Declared::Valid(hs6.clone())),
        un_number: substance.and_then(|substance| un(substance, ppm)).map(Declared::Valid),
        description: substance.map(|substance| substance.name.clone()),
        concentration_ppm: ppm.and_then(|ppm| Ppm::try_from(ppm).ok()),
        density_g_per_l: lot.density.filter(|_| unit == "LTR"),
        net: Some(Quantity { value: amount(shown, unit, lot.density), unit: unit.to_owned() }),
        packages: vec![packages],
        ..Goods::default()
    }
}

/// The UN number of a solution depends on its strength.
fn un(substance: &Substance, ppm: Option<u32>) -> Option<crate::record::UnNumber> {
    let weak = substance.code == "hydrogen-peroxide" && ppm.is_some_and(|ppm| ppm < 200_000);
    let number = if weak { substance.un.iter().find(|un| un.as_str() == "2984") } else { substance.un.first() };
    number.cloned()
}

/// So many grams in a unit, with three digits after the point.
fn amount(grams: u64, unit: &str, density: Option<u32>) -> String {
    let thousandths = match unit {
        "TNE" => grams / 1_000,
        "LTR" => grams.saturating_mul(1_000) / u64::from(density.unwrap_or(1_000)),
        _ => grams,
    };
    let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}").trim_end_matches('0').to_owned() }
}

/// The grams that a line comes to, as every node computes them.
pub(super) fn grams(goods: &Goods) -> u64 {
    let mass = goods.net.as_ref().and_then(|net| net.mass(goods.density_g_per_l).ok());
    mass.map_or(0, Mass::grams)
}

/// A lot between its bounds, as many per factor of two, in whole packages.
pub(super) fn lot_size(lot: &Lot, random: &mut Randomness) -> u64 {
    let (low, high) = lot.kilograms;
    let doublings = (high / low).max(1).ilog2();
    let base = low << random.below(doublings + 1);
    let kilograms = random.between(base, (base * 2).min(high));
    let package = lot.package.1.min(low);
    (kilograms / package).max(1) * package * 1_000
}

/// What a scale shows of so many grams: a normal error, as the sum of twelve even ones.
pub(super) fn weighed(grams: u64, random: &mut Randomness) -> u64 {
    let twelve: i64 = (0..12).map(|_| i64::from(random.below(1_001))).sum();
    let ppm = (twelve - 6_000) * SCALE_PPM / 1_000;
    let off = i128::from(grams) * i128::from(ppm) / 1_000_000;
    u64::try_from(i128::from(grams) + off).unwrap_or(grams)
}

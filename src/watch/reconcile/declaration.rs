//! What one side declares of one substance, brought into grams.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::words::shown;
use crate::record::{Decimal, Goods, Mass, QuantityError, closed_debug};
use crate::watch::balance::{Amount, Packed, UNSPECIFIED, amounts};
use crate::watch::tolerance::ppm;

/// What one side declares of one substance.
#[derive(Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Net grams; none if a quantity is no mass.
    pub net_g: Option<u128>,
    /// Grams of the pure substance; a line without a concentration counts as pure.
    pub pure_g: Option<u128>,
    /// Concentration in parts per million, if every line states one.
    pub concentration_ppm: Option<u128>,
    /// How many packages, if they are of one type and counted.
    pub packages: Option<u64>,
    /// Subheadings.
    pub hs6: BTreeSet<String>,
    /// The quantities as they were declared: `25 TNE`.
    pub quantities: Vec<String>,
    pub(super) amount: Amount,
    /// The sum of the declared numbers in millionths, with their unit, if all are in one.
    pub(super) number: Option<(u128, String)>,
    pub(in crate::watch) notes: Vec<String>,
}

closed_debug!(Declaration);

/// Declarations by substance.
pub(in crate::watch) type Declarations = BTreeMap<String, Declaration>;

/// Both sides' declarations. A volume whose density one side does not state is taken with the other's.
pub(in crate::watch) fn declarations(left: &[Goods], came: &[Goods]) -> (Declarations, Declarations) {
    (of_side(left, came), of_side(came, left))
}

fn of_side(goods: &[Goods], other: &[Goods]) -> Declarations {
    let mut lines: BTreeMap<String, (Vec<Goods>, Vec<String>)> = BTreeMap::new();
    for line in goods {
        let substance = line.substance.clone().unwrap_or_else(|| UNSPECIFIED.to_owned());
        let (density, note) = density(line, other);
        let (lines, notes) = lines.entry(substance).or_default();
        lines.push(Goods { density_g_per_l: density, ..line.clone() });
        notes.extend(note);
    }
    lines.into_iter().map(|(substance, (lines, notes))| (substance, declaration(&lines, notes))).collect()
}

/// The density of a line: its own, else that of the other side's line of the substance.
fn density(line: &Goods, other: &[Goods]) -> (Option<u32>, Option<String>) {
    if !lacks_density(line) {
        return (line.density_g_per_l, None);
    }
    let theirs = || other.iter().filter(|their| their.substance == line.substance);
    if let Some(density) = theirs().find_map(|their| their.density_g_per_l) {
        return (
            Some(density),
            Some(format!("a volume without a density: that of the other side, {density} g/l, was taken")),
        );
    }
    if theirs().next().is_some() && theirs().all(lacks_density) {
        let note = "neither side states a density: the volumes are compared, each litre as a kilogram";
        return (Some(1_000), Some(note.to_owned()));
    }
    (None, Some("a volume, and neither side states a density: it cannot be compared with a mass".to_owned()))
}

fn lacks_density(line: &Goods) -> bool {
    line.net_mass_g.is_none()
        && line.net.as_ref().is_some_and(|net| net.mass(line.density_g_per_l) == Err(QuantityError::NeedsDensity))
}

fn declaration(lines: &[Goods], notes: Vec<String>) -> Declaration {
    let amount = amounts(lines).into_values().next().unwrap_or_default();
    let read = |grams: u128| (!amount.unread).then_some(grams);
    Declaration {
        net_g: read(amount.net),
        pure_g: read(amount.pure),
        concentration_ppm: ppm(amount),
        packages: if let Packed::Counted(_, count) = amount.packed { Some(count) } else { None },
        hs6: lines.iter().filter_map(|line| Some(line.hs6.as_ref()?.as_str().to_owned())).collect(),
        quantities: lines.iter().filter_map(quantity).collect(),
        amount,
        number: number(lines),
        notes,
    }
}

fn quantity(line: &Goods) -> Option<String> {
    let declared = line.net.as_ref().map(|net| format!("{} {}", net.value, net.unit));
    declared.or_else(|| line.net_mass_g.map(|mass| shown(mass.grams().into())))
}

/// The declared numbers added up, in millionths of their unit. Grams where nothing but grams is said.
fn number(lines: &[Goods]) -> Option<(u128, String)> {
    let mut sum: Option<(u128, String)> = None;
    for line in lines {
        let (number, unit) = match &line.net {
            Some(net) => (net.value.parse::<Decimal>().ok()?.scaled(6)?.into(), net.unit.clone()),
            None => (u128::from(line.net_mass_g.map(Mass::grams)?) * 1_000_000, "GRM".to_owned()),
        };
        sum = match sum {
            None => Some((number, unit)),
            Some((so_far, same)) if same == unit => Some((so_far + number, unit)),
            Some(_) => return None,
        };
    }
    sum
}

impl Declaration {
    /// The quantities in words: `25 TNE`, or `10 TNE + 15 TNE`.
    #[must_use]
    pub fn words(&self) -> String {
        if self.quantities.is_empty() { "nothing".to_owned() } else { self.quantities.join(" + ") }
    }

    pub(super) fn to_json(&self) -> Json {
        let number = |sum: u128| u64::try_from(sum).map_or_else(|_| Json::String(sum.to_string()), Json::from);
        json!({
            "net_g": self.net_g.map(number),
            "pure_g": self.pure_g.map(number),
            "concentration_ppm": self.concentration_ppm.map(number),
            "packages": self.packages,
            "hs6": self.hs6,
            "quantities": self.quantities,
        })
    }
}

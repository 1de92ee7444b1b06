//! R01 and R04: more than usual, and many times just below a threshold.

use std::collections::BTreeMap;

use super::View;
use super::assessment::Look;
use super::contribution::{Quantity, quantities, receiver, substance};
use super::number::{ln_micro, median_doubled};
use super::party::{self, Role, parties};
use super::policy::Threshold;
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::record::Mass;

const DAY_S: i64 = 86_400;
/// The whole of a threshold, in parts per million.
const WHOLE_PPM: u64 = 1_000_000;
/// A twelfth of a year.
const MONTH_S: i64 = 365 * DAY_S / 12;

/// R01: far above what the importer was sent of the substance before, by a robust z of the logarithms; without enough of that, far above
/// what the country was sent.
pub(super) fn unusual(view: &View<'_>, look: &mut Look) {
    let settings = &view.scene.policy.r01;
    let at = view.notified_at();
    let since = at.plus(-i64::from(settings.months) * MONTH_S);
    let receivers = parties(&view.announced).filter(|(role, _)| matches!(role, Role::Consignee | Role::Importer));
    let receivers = receivers.flat_map(|(_, who)| party::party(who)).collect();
    let countries = &view.scene.dossier.consignment.countries;
    for (code, amount) in quantities(&view.announced.goods) {
        let key = substance(&code);
        let own = view.scene.history.received_before(&receivers, key, since, (at, view.id));
        let traded = || {
            let pair = countries.exporting.zip(countries.importing);
            pair.map(|pair| view.scene.history.traded_before(pair, key, since, (at, view.id))).unwrap_or_default()
        };
        let Some((now, unit)) = amount.measure() else {
            look.wants(format!("the mass or volume of {code}"));
            continue;
        };
        let of =
            |amounts: &[Quantity]| -> Vec<u64> { amounts.iter().filter_map(|amount| amount.in_unit(unit)).collect() };
        let enough = |amounts: &Vec<u64>| amounts.len() >= settings.least as usize;
        let (amounts, whose) = match Some(of(&own)).filter(enough) {
            Some(amounts) => (amounts, "what this importer was sent before"),
            None => match Some(of(&traded())).filter(enough) {
                Some(amounts) => (amounts, "what this country was sent by the exporting country before"),
                None => {
                    look.wants(format!("{} earlier consignments of {code}", settings.least));
                    continue;
                }
            },
        };
        if let Some((z_milli, median)) = robust_z(now, &amounts, settings.least_spread_ppm)
            && z_milli > i64::from(settings.z_milli)
        {
            look.hit(format!("Far more {code} than usual, held against {whose}."));
            look.fact("amount", unit.shown(now)).fact("usual amount", unit.shown(median));
            look.fact("consignments compared", amounts.len());
            look.fact("robust z", format!("{}.{:03}", z_milli / 1_000, z_milli % 1_000));
        }
    }
}

/// By how many robust standard deviations, in thousandths, the logarithm of `now` is above the median of the others, and that median.
fn robust_z(now: u64, amounts: &[u64], least_spread_ppm: u32) -> Option<(i64, u64)> {
    let mut logarithms: Vec<i64> = amounts.iter().filter_map(|amount| ln_micro(*amount)).collect();
    let median = median_doubled(&mut logarithms)?;
    let mut apart: Vec<i64> = logarithms.iter().map(|ln| (ln * 2 - median).abs()).collect();
    // Doubled twice.
    let spread = (median_doubled(&mut apart)? / 2).max(i64::from(least_spread_ppm) * 2);
    let above = ln_micro(now)? * 2 - median;
    let z_milli = i128::from(above) * 1_000 * 10_000 / (i128::from(spread.max(1)) * 14_826);
    let mut sorted = amounts.to_vec();
    sorted.sort_unstable();
    Some((i64::try_from(z_milli).unwrap_or(i64::MAX), sorted.get(sorted.len() / 2).copied()?))
}

/// The measure in which amounts are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    PureGrams,
    Millilitres,
}

impl Unit {
    fn shown(self, amount: u64) -> String {
        match self {
            Self::PureGrams => Mass::from_grams(amount).map_or_else(|_| format!("{amount} g"), |mass| mass.to_string()),
            Self::Millilitres if amount >= 1_000 && amount.is_multiple_of(1_000) => format!("{} L", amount / 1_000),
            Self::Millilitres => format!("{amount} mL"),
        }
    }
}

impl Quantity {
    fn measure(&self) -> Option<(u64, Unit)> {
        let grams = self.pure_g.map(|grams| (grams, Unit::PureGrams));
        grams.or(self.volume_ml.map(|volume| (volume, Unit::Millilitres))).filter(|(amount, _)| *amount > 0)
    }

    fn in_unit(&self, unit: Unit) -> Option<u64> {
        match unit {
            Unit::PureGrams => self.pure_g,
            Unit::Millilitres => self.volume_ml,
        }
    }

    /// The amount with the threshold that it is held against, in the first measure that both have.
    fn against(&self, threshold: Threshold) -> Option<(u64, u64, Unit)> {
        let by = |amount: Option<u64>, limit: Option<u64>, unit| Some((amount?, limit?, unit));
        by(self.volume_ml, threshold.volume_ml, Unit::Millilitres)
            .or_else(|| by(self.pure_g, threshold.pure_mass_g, Unit::PureGrams))
    }
}

/// R04: several notifications to one receiver, address or telephone within some days, each a little below a threshold and together above it.
pub(super) fn structuring(view: &View<'_>, look: &mut Look) {
    let settings = &view.scene.policy.r04;
    let Some(receiver) = receiver(&view.announced) else {
        look.wants("the consignee");
        return;
    };
    let mut keys = party::party(receiver);
    keys.extend(party::whereabouts(receiver));
    let at = (view.notified_at(), view.id);
    let window_s = i64::from(settings.days) * DAY_S;
    for (code, own) in quantities(&view.announced.goods) {
        let Some(threshold) = threshold(view, &code) else {
            look.wants(format!("a threshold for {code}"));
            continue;
        };
        let Some((amount, limit, unit)) = own.against(threshold) else {
            look.wants(format!("the amount of {code} in the measure of its threshold"));
            continue;
        };
        let just_below = |share: &u64| (u64::from(settings.from_percent) * 10_000..=WHOLE_PPM).contains(share);
        let own = share_ppm(amount, limit);
        if !just_below(&own) {
            continue;
        }
        let near = keys.iter().flat_map(|key| view.scene.history.near(*key, substance(&code), at, window_s));
        // One may be declared by mass and the next by volume: what counts is the share of the threshold.
        let shares = near.filter_map(|(at, quantity)| {
            let (amount, limit, _) = quantity.against(threshold)?;
            Some((at, share_ppm(amount, limit)))
        });
        let mut suspect: BTreeMap<(UnixTime, RecordId), u64> = shares.filter(|(_, share)| just_below(share)).collect();
        suspect.insert(at, own);
        let Some((count, sum)) = densest(&suspect, at, window_s) else { continue };
        if count >= settings.notifications as usize && sum > WHOLE_PPM {
            look.hit(format!(
                "{count} notifications of {code} to one consignee, address or telephone within {} days stay just below the threshold, \
                 and are above it together.",
                settings.days
            ));
            look.fact("threshold", unit.shown(limit)).fact("this consignment", unit.shown(amount));
            look.fact("notifications", count).fact("together, in percent of the threshold", sum / 10_000);
        }
    }
}

fn share_ppm(amount: u64, limit: u64) -> u64 {
    let share = (u128::from(amount) * u128::from(WHOLE_PPM)).checked_div(u128::from(limit));
    share.and_then(|share| u64::try_from(share).ok()).unwrap_or(u64::MAX)
}

/// The most that lies in a window of this length with `at` in it: how many, and how much.
fn densest(all: &BTreeMap<(UnixTime, RecordId), u64>, at: (UnixTime, RecordId), window_s: i64) -> Option<(usize, u64)> {
    let starts = all.keys().filter(|start| at.0.since(start.0) <= window_s && **start <= at);
    let windows = starts.map(|start| {
        let inside = all.range(start..).take_while(|((time, _), _)| time.since(start.0) <= window_s);
        inside.fold((0, 0_u64), |(count, sum), (_, share)| (count + 1, sum.saturating_add(*share)))
    });
    windows.max()
}

/// The threshold of a substance: that of the importing country's policy, else our own.
fn threshold(view: &View<'_>, code: &str) -> Option<Threshold> {
    let stated = view.scene.terms.iter().flat_map(|terms| &terms.thresholds).find(|limit| limit.substance == code);
    let own = view.scene.policy.r04.thresholds.get(code).copied();
    match stated {
        Some(stated) => Some(Threshold { pure_mass_g: Some(stated.pure_mass_g.grams()), volume_ml: None }),
        None => own.filter(|own| own.pure_mass_g.is_some() || own.volume_ml.is_some()),
    }
}

impl View<'_> {
    pub(super) fn notified_at(&self) -> UnixTime {
        self.scene.dossier.notification().and_then(|draft| draft.issued_at).unwrap_or(UnixTime::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robust_z_is_that_of_the_formula() {
        // ln 2 apart on both sides: the median of the distances is ln 2, and eight times as much is three of them above.
        let amounts = [500, 500, 1_000, 2_000, 2_000];
        let (z, median) = robust_z(8_000, &amounts, 0).expect("amounts");
        assert_eq!(median, 1_000);
        assert!((2_022..=2_024).contains(&z), "3 / 1.4826 = 2.023, not {z}");
        let (same, _) = robust_z(1_000, &amounts, 0).expect("amounts");
        assert_eq!(same, 0);
        let (gram_more, _) = robust_z(25_001, &[25_000; 9], 50_000).expect("amounts");
        assert!(gram_more < 100, "what never varied varies a little: {gram_more}");
        assert_eq!(robust_z(1, &[], 0), None);
    }

    #[test]
    fn amounts_are_shown_in_their_unit() {
        assert_eq!(Unit::Millilitres.shown(95_000), "95 L");
        assert_eq!(
            (Unit::Millilitres.shown(1_500), Unit::PureGrams.shown(25_000_000)),
            ("1500 mL".into(), "25 t".into())
        );
    }
}

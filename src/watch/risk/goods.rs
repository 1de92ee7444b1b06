//! R05, R09 and R10: the goods as they are described, priced and packed.

use super::View;
use super::assessment::Look;
use super::contribution::{prices, year};
use super::party::{folded, says};
use crate::record::{Declared, Goods, Mass, Measure, State, Substance, SubstanceList, UnitCode};

/// R05: substance, subheading, CAS and UN number, concentration, unit and description do not go together.
pub(super) fn contradiction(view: &View<'_>, look: &mut Look) {
    let list = match view.announced.substance_list.as_deref() {
        None => Some(SubstanceList::current()),
        Some(version) => SubstanceList::version(version),
    };
    let Some(list) = list else {
        look.wants("the version of the substance list that the notification names");
        return;
    };
    if view.announced.goods.is_empty() {
        look.wants("the lines of goods");
    }
    for (line, goods) in numbered(&view.announced.goods) {
        let Some(substance) = goods.substance.as_deref().and_then(|code| list.get(code)) else {
            look.wants(format!("a substance of the list in line {line}"));
            continue;
        };
        codes(line, goods, substance, look);
        strength(view, line, goods, look);
        let unit = goods.net.as_ref().and_then(|net| net.unit.parse::<UnitCode>().ok());
        if let Some(unit) = unit.filter(|unit| matches!(unit.measure(), Measure::Volume(_)))
            && substance.state == State::Solid
        {
            look.hit(format!("Line {line} measures a solid, {}, by volume.", substance.code))
                .fact("unit", unit.as_str());
        }
        if let Some(other) = goods.description.as_deref().and_then(|text| described(text, substance, list)) {
            look.hit(format!("Line {line} declares {} and describes {}.", substance.code, other.code));
            look.fact("description", goods.description.as_deref().unwrap_or_default());
        }
    }
}

fn numbered(goods: &[Goods]) -> impl Iterator<Item = (u32, &Goods)> {
    (1..).zip(goods).map(|(number, goods)| (goods.line.unwrap_or(number), goods))
}

fn codes(line: u32, goods: &Goods, substance: &Substance, look: &mut Look) {
    let code = &substance.code;
    if let Some(hs6) = goods.hs6.as_ref().filter(|hs6| hs6.valid().is_none_or(|hs6| !substance.hs6.contains(hs6))) {
        look.hit(format!("Line {line} declares {code} under a subheading that it does not belong to."))
            .fact("hs6", hs6);
    }
    if let Some(cas) = goods.cas.as_ref().filter(|cas| cas.valid() != Some(&substance.cas)) {
        look.hit(format!("Line {line} gives a CAS number that is not that of {code}.")).fact("cas", cas);
    }
    if let Some(un) = goods.un_number.as_ref().filter(|un| un.valid().is_none_or(|un| !substance.un.contains(un))) {
        look.hit(format!("Line {line} gives a UN number that {code} does not travel under.")).fact("un_number", un);
    }
}

/// The concentration that is declared against the one that goes with the UN number.
fn strength(view: &View<'_>, line: u32, goods: &Goods, look: &mut Look) {
    let un = goods.un_number.as_ref().and_then(Declared::valid);
    let Some(span) = un.and_then(|un| view.scene.policy.r05.concentrations.get(un.as_str())) else { return };
    let Some(ppm) = goods.concentration_ppm.map(crate::record::Ppm::get) else {
        look.wants(format!("the concentration in line {line}"));
        return;
    };
    if !(span.from_ppm..=span.to_ppm).contains(&ppm) {
        look.hit(format!("Line {line} declares a concentration that its UN number is not for."));
        look.fact("concentration", percent(ppm)).fact("un_number", un.map_or("", |un| un.as_str()));
        look.fact("usual", format!("{} to {}", percent(span.from_ppm), percent(span.to_ppm)));
    }
}

fn percent(ppm: u32) -> String {
    if ppm.is_multiple_of(10_000) {
        format!("{} %", ppm / 10_000)
    } else {
        format!("{}.{:04} %", ppm / 10_000, ppm % 10_000)
    }
}

/// The substance that a description names, if it is another one: by the longest name in it, because one name may hold another.
fn described<'a>(text: &str, own: &Substance, list: &'a SubstanceList) -> Option<&'a Substance> {
    let named = list.substances.iter().filter(|substance| says(text, &substance.name));
    let longest = named.max_by_key(|substance| (folded(&substance.name).len(), &substance.code))?;
    (longest.code != own.code && !says(text, &own.name)).then_some(longest)
}

/// R09: a price for a tonne that lies outside of what we ourselves declared for the subheading in the year.
pub(super) fn price(view: &View<'_>, look: &mut Look) {
    let settings = &view.scene.policy.r09;
    let declared = prices(&view.announced);
    let Some(year) = view.announced.issued_at.and_then(year).filter(|_| !declared.is_empty()) else {
        look.wants("the value and mass of a line");
        return;
    };
    for price in declared {
        let mut own = view.scene.history.prices(price.key(&year), view.id);
        if own.len() < settings.least as usize {
            look.wants(format!("{} own declarations of {} in {} of {year}", settings.least, price.hs6, price.currency));
            continue;
        }
        own.sort_unstable();
        // The nearest rank: the smallest that so many percent are not above.
        let rank = |percent: u32| (own.len() * percent as usize).div_ceil(100).clamp(1, own.len()) - 1;
        let (low, high) = (own[rank(settings.low_percent)], own[rank(settings.high_percent)]);
        if (low..=high).contains(&price.per_tonne) {
            continue;
        }
        let side = if price.per_tonne < low { "cheaper" } else { "dearer" };
        look.hit(format!("Goods of {} are far {side} than what we declared in {year}.", price.hs6));
        look.fact("price for a tonne, in minor units", format!("{} {}", price.per_tonne, price.currency));
        look.fact("usual", format!("{low} to {high}")).fact("declarations compared", own.len());
    }
}

/// R10: many small packages for a mass that nobody packs so, or goods in bulk where nothing in bulk is carried.
pub(super) fn packaging(view: &View<'_>, look: &mut Look) {
    let settings = &view.scene.policy.r10;
    let mode = view.scene.dossier.events(&crate::record::Kind::Departure).find_map(|(_, departure)| departure.mode);
    let mode = mode.or(view.announced.mode);
    for (line, goods) in numbered(&view.announced.goods) {
        if goods.packages.is_empty() {
            look.wants(format!("the packages in line {line}"));
            continue;
        }
        let kind = |code: &String| goods.packages.iter().any(|package| package.kind.as_ref() == Some(code));
        let bulk = settings.bulk.iter().find(|code| kind(code));
        if let (Some(code), Some(mode)) = (bulk, mode.filter(|mode| settings.no_bulk_modes.contains(mode))) {
            look.hit(format!("Line {line} goes in bulk by air or mail.")).fact("package", code).fact("mode", mode);
        }
        let converted = || goods.net.as_ref().and_then(|net| net.mass(goods.density_g_per_l).ok());
        let Some(mass) = goods.net_mass_g.or_else(converted).map(Mass::grams) else {
            look.wants(format!("the mass in line {line}"));
            continue;
        };
        let count = goods.packages.iter().fold(0_u64, |sum, package| sum.saturating_add(package.count));
        let each = mass.checked_div(count);
        if let Some(each) =
            each.filter(|each| bulk.is_none() && *each <= settings.small_g && mass >= settings.small_from_g)
        {
            look.hit(format!("Line {line} is large and packed very small."));
            look.fact("packages", count).fact("grams in each", each).fact("grams together", mass);
        }
    }
}

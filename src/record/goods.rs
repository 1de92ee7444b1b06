//! The checks of goods lines: masses in whole grams, and whether substance, subheading and numbers belong together.

use std::collections::BTreeSet;

use super::check::{Findings, MAX_GOODS};
use super::draft::Draft;
use super::finding::Fault;
use super::kind::Kind;
use super::parts::Goods;
use super::quantity::{Mass, Quantity, QuantityError};
use super::{Declared, Hs6, Substance, SubstanceList};

/// Checks the goods of a draft and fills in line numbers, subheadings and grams.
pub(super) fn check_goods(draft: &mut Draft, kind: &Kind, findings: &mut Findings) {
    if draft.goods.len() > MAX_GOODS {
        findings.error("goods", Fault::TooMany { count: draft.goods.len(), limit: MAX_GOODS });
        return;
    }
    let list = match &draft.substance_list {
        None => Some(SubstanceList::current()),
        Some(version) => {
            let list = SubstanceList::version(version);
            if list.is_none() {
                findings.doubt("substance_list", Fault::UnknownList(version.clone()));
            }
            list
        }
    };
    let mut lines = BTreeSet::new();
    for (at, goods) in draft.goods.iter_mut().enumerate() {
        let path = format!("goods/{at}");
        let line = *goods.line.get_or_insert(u32::try_from(at + 1).unwrap_or(u32::MAX));
        if !lines.insert(line) {
            findings.error(format!("{path}/line"), Fault::DuplicateLine(line));
        }
        check_masses(goods, &path, kind, findings);
        check_substance(goods, &path, kind, list, findings);
    }
}

fn check_masses(goods: &mut Goods, path: &str, kind: &Kind, findings: &mut Findings) {
    let density = goods.density_g_per_l;
    settle(&goods.net, &mut goods.net_mass_g, density, &format!("{path}/net"), findings);
    settle(&goods.gross, &mut goods.gross_mass_g, density, &format!("{path}/gross"), findings);
    let counted = matches!(kind, Kind::ExportNotification | Kind::Departure | Kind::ImportConfirmation);
    match goods.net_mass_g {
        None if counted && goods.net.is_none() => findings.error(format!("{path}/net_mass_g"), Fault::Missing),
        None if goods.net.is_none() => findings.warning(format!("{path}/net_mass_g"), Fault::Missing),
        // Nothing at all may well arrive; it cannot be announced.
        Some(mass) if mass.grams() == 0 && *kind == Kind::ExportNotification => {
            findings.error(format!("{path}/net_mass_g"), Fault::Zero);
        }
        Some(_) | None => {}
    }
    if goods.gross_mass_g.is_some_and(|gross| goods.net_mass_g.is_some_and(|net| net > gross)) {
        findings.warning(format!("{path}/net_mass_g"), Fault::NetAboveGross);
    }
}

/// Brings a declared quantity and its grams together.
fn settle(
    declared: &Option<Quantity>,
    grams: &mut Option<Mass>,
    density: Option<u32>,
    path: &str,
    findings: &mut Findings,
) {
    let Some(quantity) = declared else { return };
    match (quantity.mass(density), *grams) {
        (Ok(computed), Some(given)) if given != computed => {
            findings.error(path, Fault::MassesDiffer { given: given.grams(), computed: computed.grams() });
        }
        (Ok(computed), _) => *grams = Some(computed),
        // The mass is given, so that a volume without a density takes nothing away.
        (Err(QuantityError::NeedsDensity | QuantityError::NotAMass), Some(_)) => {}
        (Err(fault), _) => findings.error(path, fault.into()),
    }
}

fn check_substance(goods: &mut Goods, path: &str, kind: &Kind, list: Option<&SubstanceList>, findings: &mut Findings) {
    if let Some(code) = &goods.national_code {
        match Hs6::of_national(code) {
            Ok(hs6) if goods.hs6.is_none() => goods.hs6 = Some(Declared::Valid(hs6)),
            Ok(_) => {}
            Err(why) => findings.doubt(format!("{path}/national_code"), Fault::Doubtful { value: code.clone(), why }),
        }
    }
    let Some(code) = &goods.substance else {
        if matches!(kind, Kind::ExportNotification) {
            findings.error(format!("{path}/substance"), Fault::Missing);
        }
        return;
    };
    // A list that came after this program cannot be looked up; the code is carried as it is.
    let Some(list) = list else { return };
    match list.get(code) {
        None => findings.doubt(format!("{path}/substance"), Fault::UnknownSubstance(code.clone())),
        Some(substance) => check_identity(goods, substance, path, findings),
    }
}

/// Whether the numbers are those of the substance. Never an error: mixtures and national practice differ.
fn check_identity(goods: &Goods, substance: &Substance, path: &str, findings: &mut Findings) {
    let code = || substance.code.clone();
    match goods.hs6.as_ref() {
        None => findings.warning(format!("{path}/hs6"), Fault::Missing),
        Some(declared) => {
            if let Some(hs6) = declared.valid().filter(|hs6| !substance.hs6.contains(hs6)) {
                findings.warning(
                    format!("{path}/hs6"),
                    Fault::UnusualSubheading { substance: code(), hs6: hs6.to_string() },
                );
            }
        }
    }
    if let Some(cas) = goods.cas.as_ref().and_then(Declared::valid).filter(|cas| **cas != substance.cas) {
        findings.warning(format!("{path}/cas"), Fault::OtherSubstance { substance: code(), value: cas.to_string() });
    }
    if let Some(un) = goods.un_number.as_ref().and_then(Declared::valid).filter(|un| !substance.un.contains(un)) {
        findings
            .warning(format!("{path}/un_number"), Fault::OtherSubstance { substance: code(), value: un.to_string() });
    }
    if substance.concentration && goods.concentration_ppm.is_none() {
        findings.warning(format!("{path}/concentration_ppm"), Fault::Missing);
    }
}

//! Amendments: the announced fields with changes applied, and whether a change is material.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::balance::amounts;
use super::consignment::Countries;
use super::tolerance::exceeds;
use crate::encoding::ids::MemberCode;
use crate::record::content::compartment_of;
use crate::record::{Change, Compartment, Draft, Kind, Place, Terms};

/// The announcement with changes applied; `None` if one of them does not fit. After the departure only the transport can be changed.
#[must_use]
pub fn amended(announced: &Draft, changes: &[Change], after_departure: bool) -> Option<Draft> {
    let mut json = serde_json::to_value(announced).ok()?;
    if !changes.iter().all(|change| may_change(&change.path, after_departure)) {
        return None;
    }
    forget_stale_masses(&mut json, changes);
    changes.iter().try_for_each(|change| apply(&mut json, change))?;
    serde_json::from_value(json).ok()
}

/// Whether consent to `old` says nothing about `new`: another destination, route, substance or party, or more goods than is
/// borne with.
pub(super) fn is_material(old: &Draft, new: &Draft, exporting: MemberCode, terms: Option<&Terms>) -> bool {
    let parties = |draft: &Draft| (draft.exporter.clone(), draft.consignee.clone(), draft.importer.clone());
    let (before, after) = (amounts(&old.goods), amounts(&new.goods));
    let allowed = |substance: &String| before.get(substance).copied().unwrap_or_default();
    let more = after.iter().any(|(substance, amount)| exceeds(substance, *amount, allowed(substance), terms));
    countries(old, exporting) != countries(new, exporting)
        || parties(old) != parties(new)
        || !before.keys().eq(after.keys())
        || more
}

/// The countries that an announcement names.
pub(super) fn countries(announced: &Draft, exporting: MemberCode) -> Countries {
    let importing = announced.destination.as_ref().and_then(|country| country.as_str().parse().ok());
    let leaving = announced.export_country.as_ref().and_then(|country| country.as_str().parse().ok());
    let ends = [Some(exporting), leaving, importing];
    let on_the_way = announced.itinerary.iter().filter_map(Place::country);
    let transit = on_the_way.filter_map(|country| country.as_str().parse().ok());
    Countries {
        exporting: Some(exporting),
        importing,
        transit: transit.filter(|member| !ends.contains(&Some(*member))).collect(),
        diverted_to: BTreeSet::new(),
    }
}

/// The countries that an arrival names which nobody announced; `importing` is its author.
pub(super) fn countries_of_arrival(arrival: &Draft, importing: MemberCode) -> Countries {
    let exporting = arrival.export_country.as_ref().and_then(|country| country.as_str().parse().ok());
    let ends = [exporting, Some(importing)];
    let on_the_way = arrival.itinerary.iter().filter_map(Place::country);
    let transit = on_the_way.filter_map(|country| country.as_str().parse().ok());
    Countries {
        exporting,
        importing: Some(importing),
        transit: transit.filter(|member| !ends.contains(&Some(*member))).collect(),
        diverted_to: BTreeSet::new(),
    }
}

/// Whether an amendment may touch the field. What identifies the announcement stays; after departure only the transport moves.
fn may_change(path: &str, after_departure: bool) -> bool {
    let field = path.strip_prefix('/').and_then(|path| path.split('/').next()).unwrap_or_default();
    let compartment = compartment_of(&Kind::ExportNotification, field);
    if compartment == Some(Compartment::TRANSPORT) {
        return true;
    }
    let describes = [Compartment::TRADE, Compartment::PARTIES, Compartment::PRICE];
    !after_departure && (field == "destination" || compartment.is_some_and(|name| describes.contains(&name)))
}

/// Declared amounts and grams say the same twice: who changes one of them means the other too.
fn forget_stale_masses(json: &mut Json, changes: &[Change]) {
    let lines = json.get_mut("goods").and_then(Json::as_array_mut).into_iter().flatten().enumerate();
    for (at, line) in lines {
        let Some(members) = line.as_object_mut() else { continue };
        let grams = format!("/goods/{at}/net_mass_g");
        let amount = [format!("/goods/{at}/net"), format!("/goods/{at}/net/"), format!("/goods/{at}/density_g_per_l")];
        let new_grams = changes.iter().any(|change| change.path == grams);
        let new_amount = changes
            .iter()
            .any(|change| change.path == amount[0] || change.path.starts_with(&amount[1]) || change.path == amount[2]);
        if new_amount && !new_grams {
            members.remove("net_mass_g");
        } else if new_grams && !new_amount {
            members.remove("net");
        }
    }
}

/// Applies one change: a JSON pointer (RFC 6901) whose last step may be new in an object, or the next place of a list.
fn apply(json: &mut Json, change: &Change) -> Option<()> {
    let (parent, last) = change.path.rsplit_once('/')?;
    let parent = json.pointer_mut(parent)?;
    if let Some(members) = parent.as_object_mut() {
        let name = last.replace("~1", "/").replace("~0", "~");
        if change.value.is_null() {
            members.remove(&name)?;
        } else {
            members.insert(name, change.value.clone());
        }
    } else {
        let items = parent.as_array_mut()?;
        let at: usize = last.parse().ok()?;
        if change.value.is_null() {
            (at < items.len()).then(|| items.remove(at))?;
        } else if at < items.len() {
            items[at] = change.value.clone();
        } else if at == items.len() {
            items.push(change.value.clone());
        } else {
            return None;
        }
    }
    Some(())
}

//! R02, R03, R07, R08, R18, R20 and R21: who takes part.

use std::collections::BTreeSet;

use super::View;
use super::assessment::Look;
use super::contribution::{Trouble, quantities, receiver};
use super::lists::Registration;
use super::party::{self, Key, Role, folded, parties, says};
use crate::record::{Declared, Draft, Kind, Party, Release};

impl View<'_> {
    /// The parties that the announcement and the departures name.
    fn everybody(&self) -> Vec<(Role, &Party)> {
        let departures = self.scene.dossier.events(&Kind::Departure).map(|(_, declared)| declared);
        let declared: Vec<&Draft> = departures.chain([&self.announced]).collect();
        declared.into_iter().flat_map(parties).collect()
    }

    fn keys_of(&self, roles: &[Role]) -> BTreeSet<Key> {
        let some = self.everybody().into_iter().filter(|(role, _)| roles.contains(role));
        some.flat_map(|(_, who)| party::party(who)).collect()
    }

    /// The codes of the substances that are announced.
    fn substances(&self) -> BTreeSet<String> {
        let of_lines = quantities(&self.announced.goods).into_keys();
        of_lines.chain(self.announced.substances.iter().cloned()).collect()
    }
}

/// What a node that has seen nothing come to its end cannot tell: everybody would be new to it.
const ENDED: &str = "another consignment that came to a good end";

/// R02: no consignment to this receiver came to a good end yet.
pub(super) fn first_consignee(view: &View<'_>, look: &mut Look) {
    let receivers = view.keys_of(&[Role::Consignee, Role::Importer]);
    let Some(receiver) = receiver(&view.announced).filter(|_| !receivers.is_empty()) else {
        look.wants("the consignee");
        return;
    };
    if !view.scene.history.knows_any(view.id) {
        look.wants(ENDED);
    } else if !view.scene.history.knows_receiver(&receivers, view.id) {
        look.hit("No consignment to this consignee has come to a good end yet.").fact("consignee", receiver.label());
    }
}

/// R03: no consignment of this exporter to this receiver did, or none by this carrier.
pub(super) fn first_pair_or_carrier(view: &View<'_>, look: &mut Look) {
    let history = view.scene.history;
    let known = history.knows_any(view.id);
    let (exporters, receivers) = (view.keys_of(&[Role::Exporter]), view.keys_of(&[Role::Consignee, Role::Importer]));
    if exporters.is_empty() || receivers.is_empty() {
        look.wants("exporter and consignee");
    } else if !known {
        look.wants(ENDED);
    } else if !history.knows_pair(&exporters, &receivers, view.id) {
        look.hit("No consignment of this exporter to this consignee has come to a good end yet.");
        view.name(&[Role::Exporter, Role::Consignee], look);
    }
    let carriers = view.keys_of(&[Role::Carrier]);
    if known && !carriers.is_empty() && !history.knows_carrier(&carriers, view.id) {
        look.hit("No consignment with this carrier has come to a good end yet.");
        view.name(&[Role::Carrier], look);
    }
}

impl View<'_> {
    /// Adds who has these roles to the facts.
    fn name(&self, roles: &[Role], look: &mut Look) {
        for (role, who) in self.everybody().into_iter().filter(|(role, _)| roles.contains(role)) {
            look.fact(role.name(), who.label());
        }
    }
}

/// R07: our own register does not have the consignee, or no licence that holds today. For the importing country alone.
pub(super) fn unlicensed(view: &View<'_>, look: &mut Look) {
    let countries = &view.scene.dossier.consignment.countries;
    let own = view.scene.own;
    if countries.importing != Some(own) && !countries.diverted_to.contains(&own) {
        return;
    }
    let keys = view.keys_of(&[Role::Consignee]);
    let Some(today) = view.today else { return };
    if keys.is_empty() {
        look.wants("the consignee");
        return;
    }
    for substance in view.substances() {
        let Some(found) = view.scene.lists.licence(&keys, &substance, today) else {
            look.wants("the register of end users");
            return;
        };
        let words = match found {
            Registration::Holds => continue,
            Registration::NotRegistered => "The consignee is not a registered end user.".to_owned(),
            Registration::NotForThis => format!("The consignee has no licence for {substance}."),
            Registration::EndedOn(last) => format!("The consignee's licence for {substance} ended on {last}."),
        };
        look.hit(words);
        view.name(&[Role::Consignee], look);
    }
}

/// R08: the goods end at a forwarder, in a free zone, or in a postal box.
pub(super) fn no_premises(view: &View<'_>, look: &mut Look) {
    let settings = &view.scene.policy.r08;
    if let Some(receiver) = receiver(&view.announced) {
        let said = |words: &[String], text: &Option<String>| {
            let text = text.as_deref()?;
            words.iter().find(|word| says(text, word)).map(|_| text.to_owned())
        };
        let forwards = [&receiver.sector, &receiver.name].into_iter().find_map(|text| said(&settings.forwarders, text));
        if let Some(text) = forwards {
            look.hit("The final consignee only forwards goods.").fact("consignee", text);
        }
        if let Some(text) = said(&settings.boxes, &receiver.address) {
            look.hit("The final destination is a postal box.").fact("address", text);
        }
        if let Some(text) = said(&settings.free_zones, &receiver.address) {
            look.hit("The final destination lies in a free zone.").fact("address", text);
        }
        if receiver.address.is_none() {
            look.wants("the address of the consignee");
        }
    } else {
        look.wants("the consignee");
    }
    let released = |declared: &Draft| declared.release == Some(Declared::Valid(Release::FreeZone));
    for (event, _) in view.scene.dossier.events(&Kind::ImportConfirmation).filter(|(_, declared)| released(declared)) {
        look.hit("The goods were released into a free zone.").fact("import", event.id);
    }
}

/// R18: a line of business that has no use for the goods, or a month in which nobody needs them.
pub(super) fn unfitting_sector(view: &View<'_>, look: &mut Look) {
    let fitting = &view.scene.policy.r18.sectors;
    let sector = receiver(&view.announced).and_then(|who| who.sector.as_deref());
    for substance in view.substances() {
        if let Some(patterns) = fitting.get(&substance) {
            match sector {
                None => look.wants("the sector of the consignee"),
                Some(sector) if !patterns.iter().any(|pattern| fits(sector, pattern)) => {
                    look.hit(format!("The consignee's sector has no known use for {substance}."))
                        .fact("sector", sector);
                }
                Some(_) => {}
            }
        }
        let seasons = view.scene.lists.seasons.as_ref().and_then(|seasons| seasons.get(&substance));
        let imports = view.scene.dossier.consignment.countries.importing == Some(view.scene.own);
        let expected = view.announced.arrival.and_then(|window| window.latest.or(window.earliest));
        if let (Some(months), Some(day), true) = (seasons, expected, imports)
            && let Some(month) = day.month().rsplit_once('-').and_then(|(_, month)| month.parse::<u8>().ok())
            && !months.contains(&month)
        {
            look.hit(format!("It arrives outside of the season of {substance}.")).fact("expected", day);
        }
    }
}

/// Whether a sector has a pattern in it; with `^` before the pattern, whether it begins so.
fn fits(sector: &str, pattern: &str) -> bool {
    let sector = folded(sector);
    match pattern.strip_prefix('^') {
        Some(start) => sector.starts_with(&folded(start)),
        None => sector.contains(&folded(pattern)),
    }
}

/// R20: a party on our watch list, or that another incident or seizure had to do with.
pub(super) fn watched(view: &View<'_>, look: &mut Look) {
    for (role, who) in view.everybody() {
        match view.scene.lists.watched(&party::party(who)) {
            None => look.wants("the watch list"),
            Some(None) => {}
            Some(Some(reason)) => {
                look.hit(format!("The {} is on the watch list.", role.name()));
                look.fact(role.name(), who.label()).fact("reason", reason);
            }
        }
    }
    for (trouble, words) in [
        (Trouble::Incident, "had to do with an earlier incident"),
        (Trouble::Seizure, "had to do with an earlier seizure"),
    ] {
        view.earlier(trouble, words, look);
    }
}

/// R21: a country asked to stop another consignment of a party.
pub(super) fn stopped(view: &View<'_>, look: &mut Look) {
    view.earlier(Trouble::Stop, "has another consignment that a country asked to stop", look);
}

impl View<'_> {
    fn earlier(&self, trouble: Trouble, words: &str, look: &mut Look) {
        for (role, who) in self.everybody() {
            if let Some(other) = self.scene.history.trouble(trouble, &party::party(who), self.id) {
                look.hit(format!("The {} {words}.", role.name()));
                look.fact(role.name(), who.label()).fact("other consignment", other);
            }
        }
    }
}

//! R06, R16 and R17: where the goods go, and in what.

use std::collections::{BTreeMap, BTreeSet};

use super::View;
use super::assessment::Look;
use super::contribution::{references, under_way};
use super::number::distance_m;
use super::party::folded;
use crate::record::{Country, Declared, Draft, Kind, Place, Unlocode};
use crate::watch::{Event, Illegal};

/// Between places nearer than this, in metres, any road is a detour.
const NEAR_M: u64 = 100_000;
/// Mode of transport by sea.
const SEA: u8 = 1;

/// R06: through a country at risk, by a long detour, or by sea through a place without a port.
pub(super) fn illogical(view: &View<'_>, look: &mut Look) {
    if view.announced.itinerary.is_empty() {
        look.wants("the itinerary");
        return;
    }
    let countries = &view.scene.dossier.consignment.countries;
    match &view.scene.lists.high_risk_countries {
        None => look.wants("the list of high-risk countries"),
        Some(risky) => {
            let on_the_way = countries.transit.iter().chain(&countries.diverted_to);
            for country in on_the_way.filter(|code| risky.iter().any(|risk| risk.as_str() == code.as_str())) {
                look.hit("The goods pass through a high-risk country.").fact("country", country);
            }
        }
    }
    let Some(places) = &view.scene.lists.places else {
        look.wants("the list of ports and places");
        return;
    };
    let code = |place: &Place| place.unlocode.as_ref().and_then(Declared::valid).cloned();
    let stops: Vec<Unlocode> = view.announced.itinerary.iter().filter_map(code).collect();
    if view.announced.mode == Some(SEA) {
        for stop in &stops {
            match places.get(stop).and_then(super::KnownPlace::is_port) {
                None => look.wants(format!("the functions of {stop}")),
                Some(true) => {}
                Some(false) => drop(look.hit("A place on the way by sea has no port.").fact("place", stop)),
            }
        }
    }
    let positions: Option<Vec<_>> =
        stops.iter().map(|stop| places.get(stop).and_then(|place| place.position)).collect();
    let Some(positions) = positions.filter(|found| found.len() == view.announced.itinerary.len()) else {
        look.wants("the positions of all places of the itinerary");
        return;
    };
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else { return };
    let straight = distance_m(*first, *last);
    let along: u64 = positions.windows(2).map(|pair| distance_m(pair[0], pair[1])).sum();
    let percent = u128::from(along) * 100 / u128::from(straight.max(1));
    if straight >= NEAR_M && percent > u128::from(view.scene.policy.r06.detour_percent) {
        look.hit("The route is a long detour.").fact("route in km", along / 1_000);
        look.fact("straight way in km", straight / 1_000).fact("percent of the straight way", percent);
    }
}

/// R16: a container, seal or bill of goods under way that other goods under way have too, or a seal that became another.
pub(super) fn used_twice(view: &View<'_>, look: &mut Look) {
    let dossier = &view.scene.dossier;
    if under_way(view.scene.standing.state) {
        let own = references(dossier);
        if own.is_empty() {
            look.wants("containers, seals or a bill of lading");
        }
        let others: BTreeSet<_> =
            own.iter().filter_map(|reference| view.scene.history.shares(reference, view.id)).collect();
        for other in others {
            look.hit("Another consignment under way has the same container, seal or bill of lading.");
            look.fact("other consignment", other);
        }
    }
    // Who opens a container on the way says so, by a record.
    let opened = [Kind::TransitEntry, Kind::TransitExit, Kind::Transshipment];
    if opened.iter().any(|kind| dossier.events(kind).next().is_some()) {
        return;
    }
    let left = seals(dossier.events(&Kind::Departure).map(|(_, declared)| declared));
    let came = seals(
        dossier.events(&Kind::Arrival).chain(dossier.events(&Kind::ImportConfirmation)).map(|(_, declared)| declared),
    );
    for (container, seals) in &came {
        let Some(before) = left.get(container).filter(|before| !before.is_empty() && !seals.is_empty()) else {
            continue;
        };
        if before.is_disjoint(seals) {
            look.hit("The seal of a container changed, and nobody says that it was opened on the way.");
            look.fact("container", container);
            look.fact("sealed with", before.iter().cloned().collect::<Vec<_>>().join(" "));
            look.fact("arrived with", seals.iter().cloned().collect::<Vec<_>>().join(" "));
        }
    }
}

fn seals<'a>(declared: impl Iterator<Item = &'a Draft>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for container in declared.flat_map(|declared| &declared.containers) {
        let seals = container.seals.iter().map(|seal| folded(seal).replace(' ', ""));
        found.entry(container.number.as_str().to_owned()).or_default().extend(seals);
    }
    found
}

/// R17: seen in a country that no itinerary named, or sent by another way than announced.
pub(super) fn unplanned(view: &View<'_>, look: &mut Look) {
    let dossier = &view.scene.dossier;
    let countries = &dossier.consignment.countries;
    let announced = &view.announced.itinerary;
    let mut planned: BTreeSet<String> = announced.iter().filter_map(Place::country).map(text).collect();
    let parties = [countries.exporting, countries.importing].into_iter().flatten();
    planned.extend(
        parties
            .chain(countries.transit.iter().copied())
            .chain(countries.diverted_to.iter().copied())
            .map(|code| code.to_string()),
    );
    // The word of a country that was not announced changes no state; here it is what is looked for.
    let counts = |event: &&Event| {
        event.withdrawn_by.is_none()
            && matches!(event.illegal, None | Some(Illegal::NotAParty))
            && matches!(event.kind, Kind::TransitEntry | Kind::TransitExit | Kind::Transshipment)
    };
    for event in dossier.consignment.timeline.iter().filter(counts) {
        let place = dossier.declared(event.id).and_then(|declared| declared.place.as_ref());
        let seen = place.and_then(Place::country).map_or_else(|| event.id.log.member.to_string(), text);
        if announced.is_empty() {
            look.wants("the itinerary");
        } else if !planned.contains(&seen) {
            look.hit("The goods were seen in a country that was not announced.");
            look.fact("country", &seen).fact("record", event.id);
        }
    }
    for (event, departure) in dossier.events(&Kind::Departure) {
        let other =
            departure.itinerary.iter().filter_map(Place::country).map(text).find(|code| !planned.contains(code));
        if let Some(country) = other.filter(|_| !announced.is_empty()) {
            look.hit("The goods left by a route that was not announced.")
                .fact("country", country)
                .fact("record", event.id);
        }
    }
}

fn text(country: Country) -> String {
    country.as_str().to_owned()
}

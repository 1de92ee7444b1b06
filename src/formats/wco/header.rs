//! What a declaration says about a notification besides its goods: parties, route, means of transport, references.

use std::collections::BTreeMap;

use crate::encoding::time::UnixTime;
use crate::formats::Note;
use crate::formats::source::scheme;
use crate::formats::xml::Element;
use crate::record::{
    Conveyance, Date, Declared, Draft, Kind, MAX_ENTRIES, Party, PartyId, Place, SealedContainer, Window,
};

/// One more entry than a list of a record takes, so that its check refuses the list and nothing longer is ever built.
const BEYOND: usize = MAX_ENTRIES + 1;

/// Everything of a notification but its goods.
pub(super) fn header<'a>(
    declaration: &'a Element,
    item: &'a Element,
    consignee: Option<&'a Element>,
    destination: Option<&str>,
    lodged_in: Option<&str>,
) -> (Draft, Vec<Note>) {
    let mut notes = Vec::new();
    let shipment = declaration.child("GoodsShipment").unwrap_or(declaration);
    let levels = [item, shipment, declaration];
    let consignments: Vec<&Element> =
        [shipment, declaration].iter().filter_map(|level| level.child("Consignment")).collect();
    let party = |name| levels.iter().find_map(|level| level.child(name)).map(party);
    let place = |name| consignments.iter().find_map(|level| level.child(name)).and_then(location);
    let itinerary = itinerary(&consignments);

    let stated = levels.iter().find_map(|level| level.text_at(&["ExportCountry", "ID"]));
    let export_country = stated.map(ToOwned::to_owned).or_else(|| {
        let assumed = lodged_in.map(ToOwned::to_owned)?;
        notes.push(Note::ExportCountryAssumed(assumed.clone()));
        Some(assumed)
    });
    let date_time = |paths: &[&[&str]], levels: &[&'a Element]| {
        let found = paths.iter().find_map(|path| levels.iter().find_map(|level| level.at(path)));
        found.map(|element| element.child("DateTimeString").unwrap_or(element))
    };
    let dispatch = date_time(
        &[
            &["ExitDateTime"],
            &["DepartureTransportMeans", "DepartureDateTime"],
            &["BorderTransportMeans", "DepartureDateTime"],
        ],
        &[&[shipment, declaration], consignments.as_slice()].concat(),
    );
    let arrival = date_time(
        &[&["UnloadingLocation", "ArrivalDateTime"], &["ArrivalTransportMeans", "ArrivalDateTime"]],
        &consignments,
    );
    let lodged = date_time(&[&["AcceptanceDateTime"], &["IssueDateTime"]], &[declaration]);
    let from =
        |element: Option<&Element>| element.and_then(day).map(|day| Window { earliest: Some(day), latest: None });

    let draft = Draft {
        kind: Some(Kind::ExportNotification),
        happened_at: lodged.and_then(moment),
        export_country: export_country.map(Declared::read),
        destination: destination.map(Declared::read),
        mode: mode(declaration, &mut notes),
        conveyance: conveyance(declaration, &consignments),
        carrier: consignments
            .iter()
            .find_map(|level| level.child("Carrier"))
            .map(self::party)
            .filter(Party::is_identified),
        itinerary,
        point_of_exit: declaration.text_at(&["ExitOffice", "ID"]).map(office),
        point_of_entry: shipment.text_at(&["EntryOffice", "ID"]).map(office).or_else(|| place("UnloadingLocation")),
        loading: place("LoadingLocation").or_else(|| place("GoodsLocation")),
        unloading: place("UnloadingLocation"),
        dispatch: from(dispatch),
        arrival: from(arrival),
        containers: containers(&consignments),
        seals: loose_seals(&consignments),
        mrn: declaration.text_at(&["ID"]).map(Declared::read),
        bill_of_lading: consignments
            .iter()
            .find_map(|level| level.text_at(&["TransportContractDocument", "ID"]))
            .map(Into::into),
        ucr: ucr(&levels).map(Declared::read),
        lrn: declaration.text_at(&["FunctionalReferenceID"]).map(Into::into),
        licences: licences(&levels),
        exporter: party("Exporter"),
        consignee: consignee.map(self::party),
        importer: party("Importer").or_else(|| party("Buyer")),
        declarant: party("Declarant"),
        ..Draft::default()
    };
    (draft, notes)
}

/// The consignment reference: the previous document of type DCR, else the model's own element.
fn ucr<'a>(levels: &[&'a Element]) -> Option<&'a str> {
    let previous = levels.iter().flat_map(|level| level.all("PreviousDocument"));
    let declared = previous
        .filter(|document| document.text_at(&["TypeCode"]) == Some("DCR"))
        .find_map(|document| document.text_at(&["ID"]));
    declared.or_else(|| levels.iter().find_map(|level| level.text_at(&["UCR", "TraderAssignedReferenceID"])))
}

fn licences(levels: &[&Element]) -> Vec<String> {
    let documents = levels.iter().flat_map(|level| level.all("AdditionalDocument"));
    let licences = documents.filter(|document| matches!(document.text_at(&["CategoryCode"]), Some("X" | "E")));
    licences.filter_map(|document| document.text_at(&["ID"])).map(Into::into).take(BEYOND).collect()
}

fn party(element: &Element) -> Party {
    let address = element.child("Address");
    let parts = ["Line", "CityName", "PostcodeID"]
        .into_iter()
        .filter_map(|part| address.and_then(|address| address.text_at(&[part])));
    let parts: Vec<&str> = parts.collect();
    let id = element.text_at(&["ID"]).map(|id| PartyId {
        scheme: scheme(id).into(),
        value: id.into(),
        other: BTreeMap::new(),
    });
    Party {
        name: element.text_at(&["Name"]).map(Into::into),
        ids: id.into_iter().collect(),
        address: (!parts.is_empty()).then(|| parts.join(", ")),
        country: address.and_then(|address| address.text_at(&["CountryCode"])).map(Declared::read),
        ..Party::default()
    }
}

/// The countries on the way, in the order of their numbers.
fn itinerary(consignments: &[&Element]) -> Vec<Place> {
    let mut stops: Vec<(u32, Place)> = Vec::new();
    for stop in consignments.iter().flat_map(|consignment| consignment.all("Itinerary")).take(BEYOND) {
        let number = stop.text_at(&["SequenceNumeric"]).and_then(|number| number.parse().ok()).unwrap_or(u32::MAX);
        let place = Place {
            unlocode: stop.text_at(&["ID"]).map(Declared::read),
            country: stop.text_at(&["RoutingCountryCode"]).map(Declared::read),
            ..Place::default()
        };
        if place != Place::default() {
            stops.push((number, place));
        }
    }
    stops.sort_by_key(|(number, _)| *number);
    // Some systems give the route at both levels.
    stops.dedup();
    stops.into_iter().map(|(_, place)| place).collect()
}

/// A customs office: its code begins with the country.
fn office(code: &str) -> Place {
    let country = code.get(..2).map(Declared::read).filter(|country| country.valid().is_some());
    Place { office: Some(code.to_owned()), country, ..Place::default() }
}

fn location(element: &Element) -> Option<Place> {
    let place = Place {
        unlocode: element.text_at(&["ID"]).map(Declared::read),
        country: element
            .text_at(&["Address", "CountryCode"])
            .or_else(|| element.text_at(&["CountryCode"]))
            .map(Declared::read),
        name: element.text_at(&["Name"]).map(Into::into),
        ..Place::default()
    };
    (place != Place::default()).then_some(place)
}

/// Means of transport: the one that crosses the border, completed by the one at departure. Identification type 10 is an
/// IMO ship number, 11 the name of a ship.
fn conveyance(declaration: &Element, consignments: &[&Element]) -> Option<Conveyance> {
    let border = declaration.child("BorderTransportMeans").into_iter();
    let departure = consignments.iter().filter_map(|level| level.child("DepartureTransportMeans"));
    let mut conveyance = Conveyance::default();
    for means in border.chain(departure) {
        let id = means.text_at(&["ID"]);
        if means.text_at(&["IdentificationTypeCode"]) == Some("10") {
            let number = id.map(|id| if id.starts_with("IMO") { id.to_owned() } else { format!("IMO{id}") });
            conveyance.imo = conveyance.imo.or(number.map(Declared::read));
        } else {
            conveyance.name = conveyance.name.or(id.map(Into::into));
        }
        conveyance.name = conveyance.name.or(means.text_at(&["Name"]).map(Into::into));
        let nationality = means.text_at(&["RegistrationNationalityCode"]);
        conveyance.nationality = conveyance.nationality.or(nationality.map(Declared::read));
    }
    (conveyance != Conveyance::default()).then_some(conveyance)
}

fn mode(declaration: &Element, notes: &mut Vec<Note>) -> Option<u8> {
    let value = declaration.text_at(&["BorderTransportMeans", "ModeCode"])?;
    let mode = value.parse().ok();
    if mode.is_none() {
        notes.push(Note::LeftOut { field: "mode", value: value.to_owned() });
    }
    mode
}

fn containers(consignments: &[&Element]) -> Vec<SealedContainer> {
    let equipment = consignments.iter().flat_map(|consignment| consignment.all("TransportEquipment"));
    let containers = equipment.filter_map(|equipment| {
        let number = Declared::read(equipment.text_at(&["ID"])?);
        Some(SealedContainer { number, seals: seals(equipment), other: BTreeMap::new() })
    });
    containers.take(BEYOND).collect()
}

fn loose_seals(consignments: &[&Element]) -> Vec<String> {
    let equipment = consignments.iter().flat_map(|consignment| consignment.all("TransportEquipment"));
    equipment.filter(|equipment| equipment.text_at(&["ID"]).is_none()).flat_map(seals).take(BEYOND).collect()
}

fn seals(equipment: &Element) -> Vec<String> {
    equipment.all("Seal").filter_map(|seal| seal.text_at(&["ID"])).map(Into::into).take(BEYOND).collect()
}

/// The day of a date in format 102 (`20130923`) or one that begins so, such as 304 with time and zone.
fn day(element: &Element) -> Option<Date> {
    let text = element.text()?;
    let (year, month, day) = (text.get(..4)?, text.get(4..6)?, text.get(6..8)?);
    format!("{year}-{month}-{day}").parse().ok()
}

/// The second of a time in format 304 (`20130923081500Z`, or with a zone: `+04`); the first of its day in format 102.
fn moment(element: &Element) -> Option<UnixTime> {
    let text = element.text()?;
    let day = day(element)?;
    let Some((hour, minute, second)) =
        text.get(8..10).zip(text.get(10..12)).zip(text.get(12..14)).map(|((h, m), s)| (h, m, s))
    else {
        return day.start();
    };
    let zone = match text.get(14..)? {
        "" | "Z" => "Z".to_owned(),
        zone if zone.len() == 3 => format!("{zone}:00"),
        zone => zone.to_owned(),
    };
    format!("{day}T{hour}:{minute}:{second}{zone}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::source::{Source, Text};
    use crate::formats::xml;

    #[test]
    fn times_keep_their_zone() {
        let shown = |text: &str| {
            let text = Text { text: format!("<t>{text}</t>").into(), is_windows_1252: false };
            let element = xml::parse(&Source::new("f", &text)).expect("well-formed");
            (day(&element).map(|day| day.to_string()), moment(&element).map(|time| time.to_string()))
        };
        let both = |day: &str, time: &str| (Some(day.to_owned()), Some(time.to_owned()));
        assert_eq!(shown("20130923"), both("2013-09-23", "2013-09-23T00:00:00Z"));
        assert_eq!(shown("20130923081500Z"), both("2013-09-23", "2013-09-23T08:15:00Z"));
        assert_eq!(shown("20240118150645+01"), both("2024-01-18", "2024-01-18T14:06:45Z"));
        assert_eq!(shown("20130931"), (None, None));
        assert_eq!(shown("soon"), (None, None));
    }
}

//! Export declarations of the WCO Data Model (3.x) in XML, as national declaration systems emit them.
//!
//! Names are those of the model, whatever the namespace. A declaration gives one notification for each pair of consignee
//! and destination, with its scheduled goods lines; `docs/import.md` has the mapping.

use std::collections::BTreeMap;

use super::source::{Source, scheme};
use super::xml::{self, Element};
use super::{Import, ImportError, Imported, Note, Position, Reason};
use crate::encoding::hash::sha256_of;
use crate::record::{
    Conveyance, Date, Decimal, Declared, Draft, Goods, Hs6, Kind, Money, Packages, Party, PartyId, Place, Quantity,
    SealedContainer, Substance, SubstanceList, UnitCode, Value, Window,
};

/// The most goods lines in a declaration; the model allows 999.
const MAX_LINES: usize = 999;

/// Reads every declaration of a document.
pub(super) fn read(source: &Source<'_>) -> Import {
    let refused = |error: ImportError| Import { errors: vec![error], ..Import::default() };
    let root = match xml::parse(source) {
        Ok(root) => root,
        Err(error) => return refused(error),
    };
    // Customs systems answer in the same vocabulary, with the declaration inside.
    let response =
        [Some(&root), root.child("Response")].into_iter().flatten().find(|element| element.name.contains("Response"));
    if let Some(response) = response {
        return refused(source.error(response.start, Reason::Response(response.name.clone())));
    }
    let declarations: Vec<&Element> =
        if root.name == "Declaration" { vec![&root] } else { root.all("Declaration").collect() };
    if declarations.is_empty() {
        return refused(source.error(root.start, Reason::NotADeclaration(root.name.clone())));
    }
    let lodged_in = root.text_at(&["ResponsibleCountryCode"]);
    let mut import = Import::default();
    for declaration in declarations {
        read_declaration(source, declaration, lodged_in, &mut import);
    }
    import
}

/// The scheduled goods of one consignee in one country.
struct Group<'a> {
    item: &'a Element,
    draft: Draft,
    notes: Vec<Note>,
    positions: Vec<Position>,
}

fn read_declaration(source: &Source<'_>, declaration: &Element, lodged_in: Option<&str>, import: &mut Import) {
    if let Some(kind) = declaration.text_at(&["TypeCode"]).filter(|kind| kind.starts_with("IM")) {
        import.errors.push(source.error(declaration.start, Reason::NotAnExport(kind.to_owned())));
        return;
    }
    let shipment = declaration.child("GoodsShipment");
    let items: Vec<&Element> = shipment.iter().flat_map(|shipment| shipment.all("GovernmentAgencyGoodsItem")).collect();
    if items.len() > MAX_LINES {
        let reason = Reason::TooMany { what: "goods lines", limit: MAX_LINES };
        import.errors.push(source.error(declaration.start, reason));
        return;
    }
    let errors_before = import.errors.len();
    let mut groups: BTreeMap<(String, String), Group<'_>> = BTreeMap::new();
    for (at, item) in items.into_iter().enumerate() {
        let commodity = commodity_code(item);
        let substance = SubstanceList::current().by_commodity(&commodity);
        let Some(substance) = substance else {
            import.not_scheduled.push(source.not_scheduled(item.start, &commodity));
            continue;
        };
        let consignee =
            [Some(item), shipment, Some(declaration)].into_iter().flatten().find_map(|level| level.child("Consignee"));
        let destination = [Some(item), shipment]
            .into_iter()
            .flatten()
            .find_map(|level| level.text_at(&["Destination", "CountryCode"]));
        let key = (
            consignee.map(|party| source.text[party.start..party.end].to_owned()).unwrap_or_default(),
            destination.unwrap_or_default().to_owned(),
        );
        let group = groups.entry(key).or_insert_with(|| {
            let (draft, notes) = header(declaration, item, consignee, destination, lodged_in);
            Group { item, draft, notes, positions: Vec::new() }
        });
        match goods_line(source, item, at, &commodity, substance, &mut group.notes) {
            Ok((goods, value)) => {
                group.draft.values.extend(value);
                group.draft.goods.push(goods);
                group.positions.push(source.position(item.start));
            }
            Err(error) => import.errors.push(error),
        }
    }
    // A notification without one of its lines would tell less than what leaves the country.
    if import.errors.len() > errors_before {
        return;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| group.item.start);
    for ((consignee, destination), mut group) in groups {
        let document = &source.text.as_bytes()[declaration.start..declaration.end];
        let parts = [b"shieldwall wco 1\0", document, b"\0", consignee.as_bytes(), b"\0", destination.as_bytes()];
        group.draft.source_digest = Some(sha256_of(&parts));
        import.records.push(Imported {
            file: source.file.to_owned(),
            position: source.position(declaration.start),
            goods_positions: group.positions,
            draft: group.draft,
            notes: group.notes,
        });
    }
}

/// The commodity code of a goods line: six to ten digits, which some systems give in parts (6 or 8 digits, then 2 and 2).
fn commodity_code(item: &Element) -> String {
    let classifications = item.child("Commodity").into_iter().flat_map(|commodity| commodity.all("Classification"));
    let codes: Vec<String> = classifications
        .filter_map(|classification| classification.text_at(&["ID"]))
        .map(|code| code.chars().filter(|character| !matches!(character, '.' | ' ')).collect())
        .filter(|code: &String| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    let Some(main) = codes.iter().position(|code| (6..=10).contains(&code.len())) else { return String::new() };
    let mut code = codes[main].clone();
    for part in codes.iter().skip(main + 1).filter(|part| part.len() == 2) {
        if code.len() + part.len() <= 10 {
            code.push_str(part);
        }
    }
    code
}

/// Everything of a notification but its goods.
fn header(
    declaration: &Element,
    item: &Element,
    consignee: Option<&Element>,
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
    let day = |paths: &[&[&str]], levels: &[&Element]| {
        let found = paths.iter().find_map(|path| levels.iter().find_map(|level| level.at(path)));
        found.and_then(|element| moment(element.child("DateTimeString").unwrap_or(element)))
    };
    let dispatch = day(
        &[
            &["ExitDateTime"],
            &["DepartureTransportMeans", "DepartureDateTime"],
            &["BorderTransportMeans", "DepartureDateTime"],
        ],
        &[&[shipment, declaration], consignments.as_slice()].concat(),
    );
    let arrival =
        day(&[&["UnloadingLocation", "ArrivalDateTime"], &["ArrivalTransportMeans", "ArrivalDateTime"]], &consignments);
    let lodged = day(&[&["AcceptanceDateTime"], &["IssueDateTime"]], &[declaration]);

    let draft = Draft {
        kind: Some(Kind::ExportNotification),
        happened_at: lodged.and_then(Date::start),
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
        dispatch: dispatch.map(|day| Window { earliest: Some(day), latest: None }),
        arrival: arrival.map(|day| Window { earliest: Some(day), latest: None }),
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
    licences.filter_map(|document| document.text_at(&["ID"])).map(Into::into).collect()
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
    for stop in consignments.iter().flat_map(|consignment| consignment.all("Itinerary")) {
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
    containers.collect()
}

fn loose_seals(consignments: &[&Element]) -> Vec<String> {
    let equipment = consignments.iter().flat_map(|consignment| consignment.all("TransportEquipment"));
    equipment.filter(|equipment| equipment.text_at(&["ID"]).is_none()).flat_map(seals).collect()
}

fn seals(equipment: &Element) -> Vec<String> {
    equipment.all("Seal").filter_map(|seal| seal.text_at(&["ID"])).map(Into::into).collect()
}

/// The day of a date in format 102 (`20130923`) or one that begins so, such as 304 with time and zone.
fn moment(element: &Element) -> Option<Date> {
    let text = element.text()?;
    if let Some(date) = text.get(..10).and_then(|date| date.parse().ok()) {
        return Some(date);
    }
    let (year, month, day) = (text.get(..4)?, text.get(4..6)?, text.get(6..8)?);
    format!("{year}-{month}-{day}").parse().ok()
}

fn goods_line(
    source: &Source<'_>,
    item: &Element,
    at: usize,
    commodity: &str,
    substance: &Substance,
    notes: &mut Vec<Note>,
) -> Result<(Goods, Option<Value>), ImportError> {
    let number = item.text_at(&["SequenceNumeric"]).and_then(|number| number.parse().ok());
    let line = number.unwrap_or_else(|| u32::try_from(at + 1).unwrap_or(u32::MAX));
    let goods_element = item.child("Commodity").unwrap_or(item);
    let net = quantity(source, goods_element, "NetNetWeightMeasure", "net mass")?;
    let Some(net) = net else {
        return Err(source.error(item.start, Reason::NoMass { line, substance: substance.code.clone() }));
    };
    let hs6 = Hs6::of_national(commodity).ok();
    if let Some(hs6) = hs6.as_ref().filter(|hs6| substance.hs6_shared.contains(hs6)) {
        notes.push(Note::SubstanceAssumed { hs6: hs6.to_string(), substance: substance.code.clone() });
    }
    let goods = Goods {
        line: Some(line),
        substance: Some(substance.code.clone()),
        hs6: hs6.map(Into::into),
        national_code: Some(commodity.to_owned()),
        un_number: goods_element.text_at(&["DangerousGoods", "UNDGID"]).map(Declared::read),
        description: goods_element.text_at(&["Description"]).map(Into::into),
        net: Some(net),
        gross: quantity(source, goods_element, "GrossMassMeasure", "gross mass")?,
        packages: item.all("Packaging").filter_map(|packaging| packages(packaging, notes)).collect(),
        ..Goods::default()
    };
    Ok((goods, value(item, line, notes)))
}

/// A mass with its unit. The model's default is the kilogram; what follows a `#` qualifies the unit and does not change it.
fn quantity(
    source: &Source<'_>,
    goods: &Element,
    name: &str,
    field: &'static str,
) -> Result<Option<Quantity>, ImportError> {
    let Some(measure) = goods.at(&["GoodsMeasure", name]) else { return Ok(None) };
    let Some(value) = measure.text() else { return Ok(None) };
    let unit = measure.attribute("unitCode").unwrap_or(UnitCode::KILOGRAM.as_str());
    let unit = unit.split('#').next().unwrap_or_default();
    let quantity = Quantity { value: value.to_owned(), unit: unit.to_owned() };
    quantity.mass(None).map_err(|why| {
        let value = format!("{value} {unit}");
        source.error(measure.start, Reason::Quantity { field, value, why })
    })?;
    Ok(Some(quantity))
}

fn packages(packaging: &Element, notes: &mut Vec<Note>) -> Option<Packages> {
    let value = packaging.text_at(&["QuantityQuantity"])?;
    let Some(count) = value.parse::<Decimal>().ok().and_then(|count| count.scaled(0)) else {
        notes.push(Note::LeftOut { field: "packages", value: value.to_owned() });
        return None;
    };
    let kind = packaging.text_at(&["TypeCode"]).map(Into::into);
    Some(Packages {
        kind,
        count,
        marks: packaging.text_at(&["MarksNumbersID"]).map(Into::into),
        other: BTreeMap::new(),
    })
}

/// The statistical value in minor units of its currency.
fn value(item: &Element, line: u32, notes: &mut Vec<Note>) -> Option<Value> {
    let amount = item.child("StatisticalValueAmount")?;
    let (text, currency) = (amount.text()?, Declared::<crate::record::Currency>::read(amount.attribute("currencyID")?));
    let places = currency.valid().and_then(crate::record::Currency::exponent).unwrap_or(2);
    let minor =
        text.parse::<Decimal>().ok().and_then(|value| value.scaled(places)).and_then(|minor| i64::try_from(minor).ok());
    let Some(minor) = minor else {
        notes.push(Note::LeftOut { field: "value", value: format!("{text} {currency}") });
        return None;
    };
    Some(Value { line: Some(line), amount: Money { minor, currency } })
}

//! Export declarations of the WCO Data Model (3.x) in XML, as national declaration systems emit them.
//!
//! Names are those of the model, whatever the namespace. A declaration gives one notification for each pair of consignee
//! and destination, with its scheduled goods lines; `docs/import.md` has the mapping.
//!
//! Start reading at `read_declaration`; `header.rs` and `goods.rs` map the elements.

mod goods;
mod header;

use std::collections::BTreeMap;

use self::goods::goods_line;
use self::header::header;
use super::source::Source;
use super::xml::{self, Element};
use super::{Import, ImportError, Imported, Note, Position, Reason};
use crate::encoding::hash::{sha256, sha256_of};
use crate::record::{Draft, SubstanceList};

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
    /// Whether one of its lines has an error.
    spoiled: bool,
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
    let mut groups: BTreeMap<(&str, &str), Group<'_>> = BTreeMap::new();
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
        let key = (consignee.map_or("", |party| source.slice(party)), destination.unwrap_or_default());
        let group = groups.entry(key).or_insert_with(|| {
            let (draft, notes) = header(declaration, item, consignee, destination, lodged_in);
            Group { item, draft, notes, positions: Vec::new(), spoiled: false }
        });
        match goods_line(source, item, at, &commodity, substance, &mut group.notes) {
            Ok((goods, value)) => {
                group.draft.values.extend(value);
                group.draft.goods.push(goods);
                group.positions.push(source.position(item.start));
            }
            Err(error) => {
                group.spoiled = true;
                import.errors.push(error);
            }
        }
    }
    // A notification without one of its lines would tell less than what leaves the country.
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, group)| !group.spoiled).collect();
    groups.sort_by_key(|(_, group)| group.item.start);
    let document = sha256(source.slice(declaration).as_bytes());
    for ((consignee, destination), mut group) in groups {
        let parts = [b"shieldwall wco 1\0", document.0.as_slice(), consignee.as_bytes(), b"\0", destination.as_bytes()];
        group.draft.source_digest = Some(sha256_of(&parts));
        import.records.push(Imported {
            file: source.file.to_owned(),
            position: source.position(declaration.start),
            goods_positions: group.positions,
            draft: Box::new(group.draft),
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

//! The columns of a table, as documented in `docs/import.md`.

/// A column by the name in the header line.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name; in a header line case, spaces and hyphens do not matter.
    pub name: &'static str,
    /// Whether it is about one line of goods; the others are about the whole notification.
    pub of_goods: bool,
    /// Whether the header line must have it.
    pub required: bool,
    /// What stands in it.
    pub about: &'static str,
}

const fn header(name: &'static str, about: &'static str) -> Column {
    Column { name, of_goods: false, required: false, about }
}

const fn goods(name: &'static str, about: &'static str) -> Column {
    Column { name, of_goods: true, required: false, about }
}

const fn required(column: Column) -> Column {
    Column { required: true, ..column }
}

/// Every column that is read, in the order of the documentation.
pub const COLUMNS: [Column; 52] = [
    required(header("ucr", "unique consignment reference")),
    header("lrn", "the declarant's own reference"),
    header("mrn", "movement reference number"),
    header("export_country", "ISO 3166 code; the node's own country if empty"),
    required(header("destination", "ISO 3166 code of the country of destination")),
    header("exporter_name", "name of the exporter; this or exporter_id"),
    header("exporter_id", "EORI or national identifier of the exporter"),
    header("exporter_address", "address in one line"),
    header("exporter_country", "ISO 3166 code"),
    header("consignee_name", "name of the consignee; this or consignee_id"),
    header("consignee_id", "EORI or national identifier of the consignee"),
    header("consignee_address", "address in one line"),
    header("consignee_country", "ISO 3166 code"),
    header("importer_name", "name of the importer, if another"),
    header("importer_id", "identifier of the importer"),
    header("importer_address", "address in one line"),
    header("importer_country", "ISO 3166 code"),
    header("carrier_name", "name of the carrier"),
    header("end_use", "what the goods are for"),
    header("mode", "mode at the border, UN/ECE Rec 19: 1 sea, 2 rail, 3 road, 4 air"),
    header("conveyance", "name of the ship, plate of the truck, flight number"),
    header("imo", "IMO ship number"),
    header("nationality", "ISO 3166 code of flag or registration"),
    header("point_of_exit", "UN/LOCODE where the goods leave"),
    header("point_of_entry", "UN/LOCODE where they enter the country of destination"),
    header("itinerary", "ISO 3166 codes or UN/LOCODEs in order, with spaces between"),
    header("dispatch_earliest", "day, 2013-09-23"),
    header("dispatch_latest", "day"),
    header("arrival_earliest", "day"),
    header("arrival_latest", "day"),
    header("bill_of_lading", "number of the transport document"),
    header("licence", "licences or permits, with spaces between"),
    header("reply_by", "day by which an answer is asked for"),
    header("pen_online_ref", "reference in PEN Online"),
    header("remarks", "anything else"),
    goods("line", "number of the goods line; counted from 1 if empty"),
    goods("substance", "code of the substance list, ammonium-nitrate; this or commodity_code"),
    goods("commodity_code", "6 to 10 digits; dots and spaces do not matter"),
    goods("cas", "CAS number"),
    goods("un_number", "UN number, four digits"),
    goods("description", "in the words of the declaration"),
    required(goods("net_mass", "number in the unit beside it")),
    required(goods("net_unit", "UN/ECE Rec 20: KGM kilogram, TNE tonne, GRM gram, LTR litre")),
    goods("gross_mass", "number in the unit beside it"),
    goods("gross_unit", "as net_unit"),
    goods("concentration_percent", "by weight, up to four decimals"),
    goods("density_g_per_l", "grams per litre, for masses given by volume"),
    goods("packages", "number of packages"),
    goods("package_type", "UN/ECE Rec 21: BG bag, DR drum"),
    goods("container", "container number"),
    goods("seal", "seals of the container, with spaces between"),
    goods("value", "amount and ISO 4217 code, 1200.50 EUR"),
];

/// The column that a cell of the header line names.
pub(super) fn find(cell: &str) -> Option<&'static Column> {
    let folded = |byte: u8| if matches!(byte, b' ' | b'-') { b'_' } else { byte.to_ascii_lowercase() };
    let cell = cell.trim().as_bytes();
    let is_meant = |column: &&Column| {
        column.name.len() == cell.len() && column.name.bytes().eq(cell.iter().map(|byte| folded(*byte)))
    };
    COLUMNS.iter().find(is_meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_forgiving() {
        for column in COLUMNS {
            assert_eq!(COLUMNS.iter().filter(|other| other.name == column.name).count(), 1, "{}", column.name);
        }
        assert_eq!(find(" Net Mass ").map(|column| column.name), Some("net_mass"));
        assert!(find("net mas").is_none());
    }

    #[test]
    fn the_documentation_names_every_column() {
        let documentation = include_str!("../../../docs/import.md");
        for column in COLUMNS {
            assert!(documentation.contains(&format!("| `{}` |", column.name)), "docs/import.md lacks {}", column.name);
        }
    }
}

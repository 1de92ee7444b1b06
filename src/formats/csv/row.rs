//! One row: a line of goods, and what it says about its notification.

use std::collections::BTreeMap;

use super::columns::COLUMNS;
use super::numbers::DecimalSign;
use super::table::{Line, Table};
use crate::formats::source::scheme;
use crate::formats::{ImportError, Imported, Note, Position, Reason};
use crate::record::{
    Conveyance, Currency, Date, Decimal, Declared, Draft, Goods, Hs6, Kind, Money, Packages, Party, PartyId, Place,
    Ppm, Quantity, QuantityError, SealedContainer, Substance, SubstanceList, Value, Window,
};

/// A row of a table.
pub(super) struct Row<'a> {
    table: &'a Table<'a>,
    line: Line,
}

/// What a row turned out to be.
pub(super) enum Outcome {
    /// Goods on the substance list.
    Goods(Box<GoodsRow>),
    /// Other goods, by their commodity code.
    NotScheduled(String),
}

/// A line of goods and what belongs to it.
pub(super) struct GoodsRow {
    pub(super) goods: Goods,
    pub(super) container: Option<SealedContainer>,
    pub(super) value: Option<Value>,
    pub(super) notes: Vec<Note>,
}

impl<'a> Row<'a> {
    pub(super) fn new(table: &'a Table<'a>, line: Line) -> Self {
        Self { table, line }
    }

    pub(super) fn start(&self) -> usize {
        self.line.start()
    }

    pub(super) fn position(&self) -> Position {
        self.table.position(&self.line)
    }

    /// What rows of one notification have in common: every cell that is not about goods.
    pub(super) fn key(&self) -> String {
        let cells = COLUMNS.iter().filter(|column| !column.of_goods);
        cells.map(|column| self.cell(column.name).unwrap_or_default()).collect::<Vec<_>>().join("\u{1f}")
    }

    /// The row in a form that does not depend on the order of the columns.
    pub(super) fn canonical(&self) -> String {
        let cells = COLUMNS.iter().filter_map(|column| Some((column.name, self.cell(column.name)?)));
        cells.map(|(name, cell)| format!("{name}={cell}\u{1f}")).chain(["\u{1e}".to_owned()]).collect()
    }

    /// Decides whether the goods are scheduled and reads them. The cells of the notification are read too, so that their
    /// faults are told for this row.
    pub(super) fn read(&self) -> Result<Outcome, ImportError> {
        let commodity = self.commodity()?;
        let substance = match (self.cell("substance"), &commodity) {
            (Some(code), _) => SubstanceList::current().get(code).ok_or_else(|| {
                let value = code.to_owned();
                self.error("substance", Reason::Cell { field: "substance", value, wanted: "on the substance list" })
            })?,
            (None, Some(commodity)) => match SubstanceList::current().by_commodity(commodity) {
                Some(substance) => substance,
                None => return Ok(Outcome::NotScheduled(commodity.clone())),
            },
            (None, None) => return Err(self.error("commodity_code", Reason::NoCommodity)),
        };
        self.header()?;
        self.goods(substance, commodity).map(|goods| Outcome::Goods(Box::new(goods)))
    }

    /// The notification that this row begins. Its cells have been read before, so nothing can fail any more.
    pub(super) fn begin(&self) -> Imported {
        Imported {
            file: self.table.file().to_owned(),
            position: self.position(),
            goods_positions: Vec::new(),
            draft: Box::new(self.header().unwrap_or_default()),
            notes: Vec::new(),
        }
    }

    fn header(&self) -> Result<Draft, ImportError> {
        let text = |column| self.cell(column).map(ToOwned::to_owned);
        let many = |column| self.cell(column).map(words).unwrap_or_default();
        let conveyance = Conveyance {
            name: text("conveyance"),
            imo: self
                .cell("imo")
                .map(|imo| Declared::read(if imo.starts_with("IMO") { imo.to_owned() } else { format!("IMO{imo}") })),
            nationality: text("nationality").map(Declared::read),
            ..Conveyance::default()
        };
        Ok(Draft {
            kind: Some(Kind::ExportNotification),
            export_country: text("export_country").map(Declared::read),
            destination: text("destination").map(Declared::read),
            mode: self.parsed("mode", "a mode of transport, 0 to 9")?,
            conveyance: (conveyance != Conveyance::default()).then_some(conveyance),
            carrier: text("carrier_name").map(|name| Party { name: Some(name), ..Party::default() }),
            itinerary: many("itinerary").into_iter().map(stop).collect(),
            point_of_exit: text("point_of_exit").map(stop),
            point_of_entry: text("point_of_entry").map(stop),
            dispatch: self.window("dispatch_earliest", "dispatch_latest")?,
            arrival: self.window("arrival_earliest", "arrival_latest")?,
            mrn: text("mrn").map(Declared::read),
            bill_of_lading: text("bill_of_lading"),
            ucr: text("ucr").map(Declared::read),
            lrn: text("lrn"),
            end_use: text("end_use"),
            licences: many("licence"),
            reply_by: self.day("reply_by")?,
            pen_online_ref: text("pen_online_ref"),
            remarks: text("remarks"),
            exporter: self.party(["exporter_name", "exporter_id", "exporter_address", "exporter_country"]),
            consignee: self.party(["consignee_name", "consignee_id", "consignee_address", "consignee_country"]),
            importer: self.party(["importer_name", "importer_id", "importer_address", "importer_country"]),
            ..Draft::default()
        })
    }

    fn goods(&self, substance: &Substance, commodity: Option<String>) -> Result<GoodsRow, ImportError> {
        let mut notes = Vec::new();
        let line: Option<u32> = self.parsed("line", "a whole number")?;
        let density = self.parsed("density_g_per_l", "a whole number of grams per litre")?;
        let Some(net) = self.quantity("net_mass", "net_unit", density, &mut notes)? else {
            let reason = Reason::NoMass { line: line.unwrap_or(1), substance: substance.code.clone() };
            return Err(self.error("net_mass", reason));
        };
        let hs6 = commodity.as_deref().and_then(|code| Hs6::of_national(code).ok());
        let assumed = hs6.as_ref().filter(|hs6| self.cell("substance").is_none() && substance.hs6_shared.contains(hs6));
        if let Some(hs6) = assumed {
            notes.push(Note::SubstanceAssumed { hs6: hs6.to_string(), substance: substance.code.clone() });
        }
        let kind = self.cell("package_type").map(ToOwned::to_owned);
        let packages =
            self.parsed("packages", "a whole number")?.map(|count| Packages { kind, count, ..Packages::default() });
        let goods = Goods {
            line,
            substance: Some(substance.code.clone()),
            cas: self.cell("cas").map(Declared::read),
            hs6: hs6.map(Into::into),
            national_code: commodity,
            un_number: self.cell("un_number").map(|number| Declared::read(number.trim_start_matches("UN").trim())),
            description: self.cell("description").map(Into::into),
            concentration_ppm: self.concentration(&mut notes)?,
            density_g_per_l: density,
            net: Some(net),
            gross: self.quantity("gross_mass", "gross_unit", density, &mut notes)?,
            packages: packages.into_iter().collect(),
            ..Goods::default()
        };
        let container = self.cell("container").map(|number| SealedContainer {
            number: Declared::read(number),
            seals: self.cell("seal").map(words).unwrap_or_default(),
            other: BTreeMap::new(),
        });
        Ok(GoodsRow { goods, container, value: self.value()?, notes })
    }

    fn commodity(&self) -> Result<Option<String>, ImportError> {
        let Some(cell) = self.cell("commodity_code") else { return Ok(None) };
        let code: String = cell.chars().filter(|character| !matches!(character, '.' | ' ')).collect();
        match Hs6::of_national(&code) {
            Ok(_) => Ok(Some(code)),
            Err(why) => {
                let reason = Reason::Identifier { field: "commodity_code", value: cell.to_owned(), why };
                Err(self.error("commodity_code", reason))
            }
        }
    }

    fn quantity(
        &self,
        column: &'static str,
        unit: &'static str,
        density: Option<u32>,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Quantity>, ImportError> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        let Some(unit) = self.cell(unit) else { return Err(self.error(unit, Reason::NoUnit(column))) };
        let quantity = Quantity { value: self.number(column, cell, notes)?, unit: unit.to_ascii_uppercase() };
        match quantity.mass(density) {
            Ok(_) => Ok(Some(quantity)),
            Err(why) => {
                let reason = Reason::Quantity { field: column, value: format!("{cell} {unit}"), why };
                Err(self.error(column, reason))
            }
        }
    }

    fn number(&self, column: &'static str, cell: &str, notes: &mut Vec<Note>) -> Result<String, ImportError> {
        match self.table.decimal().read(cell) {
            Ok(number) => {
                if number.three_decimals {
                    let comma = self.table.decimal() == DecimalSign::Comma;
                    notes.push(Note::ThreeDecimals { field: column, value: cell.to_owned(), comma });
                }
                Ok(number.text)
            }
            Err(why) => Err(self.error(column, Reason::Quantity { field: column, value: cell.to_owned(), why })),
        }
    }

    /// Percent with up to four decimals, so that it is a whole number of parts per million.
    fn concentration(&self, notes: &mut Vec<Note>) -> Result<Option<Ppm>, ImportError> {
        const COLUMN: &str = "concentration_percent";
        let Some(cell) = self.cell(COLUMN) else { return Ok(None) };
        let number = self.number(COLUMN, cell.trim_end_matches('%').trim_end(), notes)?;
        let ppm = number
            .parse::<Decimal>()
            .ok()
            .and_then(|percent| percent.scaled(4))
            .and_then(|ppm| u32::try_from(ppm).ok());
        let ppm = ppm.and_then(|ppm| Ppm::try_from(ppm).ok());
        ppm.map(Some).ok_or_else(|| self.unlike(COLUMN, cell, "a percentage from 0 to 100 with at most four decimals"))
    }

    /// An amount and a currency with a space between.
    fn value(&self) -> Result<Option<Value>, ImportError> {
        let Some(cell) = self.cell("value") else { return Ok(None) };
        let unlike = || self.unlike("value", cell, "an amount and a currency, such as 1200.50 EUR");
        let (amount, currency) = cell.rsplit_once(' ').ok_or_else(unlike)?;
        let currency: Currency = currency.parse().map_err(|_| unlike())?;
        let number = self.table.decimal().read(amount).map_err(|_: QuantityError| unlike())?;
        let places = currency.exponent().unwrap_or(2);
        let minor = number.text.parse::<Decimal>().ok().and_then(|amount| amount.scaled(places));
        let minor = minor.and_then(|minor| i64::try_from(minor).ok()).ok_or_else(unlike)?;
        Ok(Some(Value { line: None, amount: Money { minor, currency: currency.into() } }))
    }

    fn party(&self, [name, id, address, country]: [&str; 4]) -> Option<Party> {
        let id =
            self.cell(id).map(|id| PartyId { scheme: scheme(id).into(), value: id.into(), other: BTreeMap::new() });
        let party = Party {
            name: self.cell(name).map(Into::into),
            ids: id.into_iter().collect(),
            address: self.cell(address).map(Into::into),
            country: self.cell(country).map(Declared::read),
            ..Party::default()
        };
        (party != Party::default()).then_some(party)
    }

    fn window(&self, earliest: &'static str, latest: &'static str) -> Result<Option<Window>, ImportError> {
        let window = Window { earliest: self.day(earliest)?, latest: self.day(latest)? };
        Ok((window != Window::default()).then_some(window))
    }

    fn day(&self, column: &'static str) -> Result<Option<Date>, ImportError> {
        self.parsed(column, "a day of the form 2013-09-23")
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        column: &'static str,
        wanted: &'static str,
    ) -> Result<Option<T>, ImportError> {
        self.cell(column).map(|cell| cell.parse().map_err(|_| self.unlike(column, cell, wanted))).transpose()
    }

    fn unlike(&self, column: &'static str, cell: &str, wanted: &'static str) -> ImportError {
        self.error(column, Reason::Cell { field: column, value: cell.to_owned(), wanted })
    }

    fn cell(&self, column: &str) -> Option<&str> {
        self.table.cell(&self.line, column)
    }

    fn error(&self, column: &str, reason: Reason) -> ImportError {
        self.table.error(&self.line, column, reason)
    }
}

/// A stop on the way: two letters are a country, anything else should be a UN/LOCODE.
fn stop(text: String) -> Place {
    if text.len() == 2 {
        Place::in_country(Declared::read(text))
    } else {
        Place { unlocode: Some(Declared::read(text)), ..Place::default() }
    }
}

fn words(cell: &str) -> Vec<String> {
    cell.split_whitespace().map(ToOwned::to_owned).collect()
}

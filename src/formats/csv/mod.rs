//! Tables: one header line, one row per line of goods. What offices have, and what two thirds of all reports come from.
//!
//! Delimiter and decimal sign are found out, never the unit of a mass. Rows that agree in every column that is not about
//! goods are the goods lines of one notification. It never evaluates a cell.
//!
//! Start reading at [`COLUMNS`], then `row.rs`.

mod columns;
mod numbers;
mod row;
mod table;

use std::collections::BTreeMap;

pub use columns::{COLUMNS, Column};

use self::row::{GoodsRow, Outcome, Row};
use self::table::Table;
use super::source::Source;
use super::{Import, Imported, Note};
use crate::encoding::hash::sha256_of;
use crate::record::SealedContainer;

/// Reads the rows of a table.
pub(super) fn read(source: &Source<'_>) -> Import {
    let mut import = Import::default();
    let (table, lines) = match Table::open(source) {
        Ok(opened) => opened,
        Err(error) => {
            import.errors.push(error);
            return import;
        }
    };
    let mut notifications = Notifications::default();
    for line in lines {
        let row = match line {
            Ok(line) => Row::new(&table, line),
            Err(error) => {
                import.errors.push(error);
                continue;
            }
        };
        match row.read() {
            Ok(Outcome::Goods(goods)) => notifications.add(&row, *goods),
            Ok(Outcome::NotScheduled(commodity)) => {
                import.not_scheduled.push(source.not_scheduled(row.start(), &commodity))
            }
            Err(error) => {
                import.errors.push(error);
                notifications.spoil(&row);
            }
        }
    }
    import.records = notifications.finish();
    if let Some(first) = import.records.first_mut() {
        first.notes.extend(table.unknown_columns().map(Note::UnknownColumn));
    }
    import
}

/// The notifications that rows add up to, in the order of their first rows.
#[derive(Default)]
struct Notifications {
    by_key: BTreeMap<String, usize>,
    all: Vec<Pending>,
}

/// A notification whose rows are still coming.
#[derive(Default)]
struct Pending {
    imported: Option<Imported>,
    /// The rows in one form, for the digest.
    rows: String,
    spoiled: bool,
}

impl Notifications {
    fn pending(&mut self, row: &Row<'_>) -> &mut Pending {
        let at = *self.by_key.entry(row.key()).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push(Pending::default());
        }
        &mut self.all[at]
    }

    fn add(&mut self, row: &Row<'_>, goods: GoodsRow) {
        let pending = self.pending(row);
        pending.rows.push_str(&row.canonical());
        let imported = pending.imported.get_or_insert_with(|| row.begin());
        let line = u32::try_from(imported.draft.goods.len() + 1).unwrap_or(u32::MAX);
        let line = goods.goods.line.unwrap_or(line);
        imported.draft.goods.push(crate::record::Goods { line: Some(line), ..goods.goods });
        imported.draft.values.extend(goods.value.map(|value| crate::record::Value { line: Some(line), ..value }));
        goods.container.into_iter().for_each(|container| add_container(&mut imported.draft.containers, container));
        imported.goods_positions.push(row.position());
        imported.notes.extend(goods.notes);
    }

    /// A notification without one of its lines would tell less than what leaves the country.
    fn spoil(&mut self, row: &Row<'_>) {
        self.pending(row).spoiled = true;
    }

    fn finish(self) -> Vec<Imported> {
        let whole = self.all.into_iter().filter(|pending| !pending.spoiled);
        let finished = whole.filter_map(|Pending { imported, rows, .. }| {
            let mut imported = imported?;
            imported.draft.source_digest = Some(sha256_of(&[b"shieldwall csv 1\0", rows.as_bytes()]));
            Some(imported)
        });
        finished.collect()
    }
}

/// A container that several rows name is one container, with the seals of all.
fn add_container(containers: &mut Vec<SealedContainer>, container: SealedContainer) {
    match containers.iter_mut().find(|known| known.number == container.number) {
        Some(known) => {
            let new = container.seals.into_iter().filter(|seal| !known.seals.contains(seal)).collect::<Vec<_>>();
            known.seals.extend(new);
        }
        None => containers.push(container),
    }
}

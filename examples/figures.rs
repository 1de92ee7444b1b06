//! How long figures take: kept up to date one consignment at a time, asked for, made into a table for observers, and written to files.
//!
//! ```text
//! cargo run --release --locked --example figures -- --consignments 100000
//! ```
//!
//! The consignments are generated; the figures are those of one country's node, which here is told of every one of them. Records are made
//! in memory, as an open body would give them: opening bodies is not part of what is measured.

#![allow(clippy::print_stdout, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "a measurement needs the time")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use shieldwall::encoding::ids::{LogId, MemberCode, RecordId};
use shieldwall::encoding::time::UnixTime;
use shieldwall::formats::export::{Cell, Column, Format, Holds, Style, Table, statistics_table, write};
use shieldwall::generate::{Generator, Life, Plan};
use shieldwall::record::{Context, Date, PartialRecord, Strictness};
use shieldwall::watch::statistics::{Contribution, Dimension, Query, Rule, Statistics};
use shieldwall::watch::{Dossier, Records, consignments};

/// Measures the figures of generated consignments
#[derive(Parser, Debug)]
struct Args {
    /// How many consignments
    #[arg(long, default_value_t = 10_000)]
    consignments: u32,
    /// How many countries trade, 3 to 24; more of them, smaller groups
    #[arg(long, default_value_t = 12)]
    countries: usize,
    /// All chance comes from this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let from = UnixTime::from_seconds(1_767_225_600)?;
    let plan = Plan { seed: args.seed, countries: args.countries, consignments: args.consignments, from, days: 365 };
    let generator = Generator::new(plan);
    let me = generator.countries().next().ok_or("no country trades")?;
    let mut figures = Figures::new(me);
    for life in generator {
        figures.take(&life)?;
    }
    println!("{} consignments, {} of them {me}'s, in {} records", args.consignments, figures.ours, figures.records);
    let spent = figures.putting.as_micros() / u128::from(figures.puts.max(1));
    println!(
        "put: {spent} µs for each time that a consignment changes; {} changes; {} MB resident",
        figures.puts,
        memory()
    );
    ask(&figures.statistics)
}

struct Figures {
    me: MemberCode,
    statistics: Statistics,
    sizes: BTreeMap<MemberCode, u64>,
    putting: Duration,
    puts: u64,
    ours: u64,
    records: u64,
}

impl Figures {
    fn new(me: MemberCode) -> Self {
        Self {
            me,
            statistics: Statistics::default(),
            sizes: BTreeMap::new(),
            putting: Duration::ZERO,
            puts: 0,
            ours: 0,
            records: 0,
        }
    }

    /// One consignment with all its records; each of them changes the figures.
    fn take(&mut self, life: &Life) -> Result<(), Box<dyn Error>> {
        let mut ids: Vec<RecordId> = Vec::new();
        let mut records = Records::new();
        for event in &life.events {
            let position = self.sizes.entry(event.author).or_default();
            let id = RecordId { log: LogId::first(event.author), position: *position };
            *position += 1;
            let mut draft = event.draft.clone();
            draft.answers = event.answers.and_then(|at| ids.get(at).copied()).or(draft.answers);
            draft.consignment = draft.answers.and_then(|_| ids.first().copied()).or(draft.consignment);
            draft.issued_at = draft.issued_at.or(Some(event.at));
            ids.push(id);
            let context = Context {
                strictness: Strictness::Imported,
                author: Some(event.author),
                now: event.at,
                foreign_exports: true,
            };
            let checked = draft.check(&context).map_err(|refused| format!("{id}: {:?}", refused.errors.first()))?;
            records.insert(id, PartialRecord::from(&checked.record));
            self.records += 1;
            for (opener, consignment) in consignments(records.clone()) {
                let started = Instant::now();
                let dossier = Dossier { consignment: &consignment, records: &records };
                let contribution = Contribution::of(&dossier, None, self.me);
                self.statistics.put(opener, contribution);
                self.putting += started.elapsed();
                self.puts += 1;
            }
        }
        let ends = life.events.iter().any(|event| event.author == self.me);
        self.ours += u64::from(ends);
        Ok(())
    }
}

fn ask(statistics: &Statistics) -> Result<(), Box<dyn Error>> {
    let today: Date = "2027-06-01".parse()?;
    let by = |dimensions: &[Dimension]| Query { by: dimensions.iter().copied().collect(), ..Query::default() };
    let queries = [
        ("everything", by(&[])),
        ("by month", by(&[Dimension::Month])),
        ("by partner", by(&[Dimension::Partner])),
        ("by substance, partner, month", by(&[Dimension::Substance, Dimension::Partner, Dimension::Month])),
    ];
    for (name, query) in &queries {
        let started = Instant::now();
        let rows = statistics.rows(query);
        println!("rows {name}: {} rows in {:?}", rows.len(), started.elapsed());
    }
    let started = Instant::now();
    let aggregate = statistics.aggregate(None, Rule::default(), today);
    let months: BTreeSet<_> = aggregate.rows.iter().map(|row| row.month).collect();
    println!(
        "for observers: {} rows of {} months in {:?}, {} months withheld",
        aggregate.rows.len(),
        months.len(),
        started.elapsed(),
        aggregate.months_withheld.len()
    );
    let (_, all) = &queries[3];
    let table = statistics_table(&statistics.rows(all), &all.by, today);
    files("every figure by substance, partner and month", &table)?;
    let mut long = Table::new("long", vec![Column::new("what", Holds::Text), Column::new("departed", Holds::Mass)]);
    (0..100_000_u32).for_each(|row| long.push(vec![Cell::text(format!("row {row}")), Cell::Mass(row.into())]));
    files("two columns", &long)
}

fn files(name: &str, table: &Table) -> Result<(), Box<dyn Error>> {
    for format in [Format::Csv, Format::Xlsx, Format::Json, Format::Parquet] {
        let started = Instant::now();
        match write(table, format, &Style::default()) {
            Ok(bytes) => println!(
                "{name}, {} rows as {format:?}: {} bytes in {:?}",
                table.rows().len(),
                bytes.len(),
                started.elapsed()
            ),
            Err(error) => println!("{format:?}: {error}"),
        }
    }
    Ok(())
}

/// What this process has resident, in MB; 0 where that cannot be read.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = status.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4 / 1_024
}

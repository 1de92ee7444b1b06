//! Tables on their way out: to the terminal, to stdout, or into a file.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use super::context::Context;
use super::files;
use super::report::{Exit, Failure, Outcome};
use crate::formats::export::{self, Cell, Format, Holds, MARK, Style, Table};

/// How a table is written.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Where the table goes")]
pub(super) struct ExportArgs {
    /// In which form [default: by the name of the file, else a table for people]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(super) format: Option<Form>,
    /// Into this file, which only you may read; one that is there is replaced after a question
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// CSV with semicolons, decimal commas and a byte order mark, as spreadsheets of most of Europe read it
    #[arg(long)]
    pub(super) european: bool,
    /// The classification on each page and beside each row of CSV; empty for none
    #[arg(long, value_name = "TEXT", default_value = MARK)]
    pub(super) mark: String,
}

/// A form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// For people
    Table,
    /// Comma-separated values
    Csv,
    /// A spreadsheet
    Xlsx,
    /// Apache Parquet, if the program was built with it
    Parquet,
    /// JSON
    Json,
}

impl ExportArgs {
    /// Whether anything is asked for but what people see in a terminal.
    pub(super) fn is_wanted(&self) -> bool {
        self.output.is_some() || self.format.is_some_and(|form| form != Form::Table)
    }

    /// What is wrong with them, before anybody is asked for figures.
    pub(super) fn check(&self, context: &Context) -> Result<(), Failure> {
        let format = self.format(context.ui.json)?;
        if format == Some(Format::Parquet) && !cfg!(feature = "parquet") {
            return Err(export::ExportError::NoParquet.into());
        }
        Ok(())
    }

    /// The format in which the table is to be written; `None` for people.
    fn format(&self, json: bool) -> Result<Option<Format>, Failure> {
        let of_name = || {
            let name = self.output.as_ref()?.extension()?.to_str()?.to_ascii_lowercase();
            let forms = [("csv", Form::Csv), ("xlsx", Form::Xlsx), ("parquet", Form::Parquet), ("json", Form::Json)];
            forms.into_iter().find(|(ending, _)| *ending == name).map(|(_, form)| form)
        };
        let json = || json.then_some(Form::Json);
        match self.format.or_else(of_name).or_else(json) {
            Some(Form::Csv) => Ok(Some(Format::Csv)),
            Some(Form::Xlsx) => Ok(Some(Format::Xlsx)),
            Some(Form::Parquet) => Ok(Some(Format::Parquet)),
            Some(Form::Json) => Ok(Some(Format::Json)),
            Some(Form::Table) | None if self.output.is_none() => Ok(None),
            Some(Form::Table) | None => {
                let text = "no form for the file: its name ends in none of .csv, .xlsx, .parquet and .json";
                Err(Failure::new(Exit::Usage, text).hint("--format says which"))
            }
        }
    }
}

/// Puts a table where it is wanted; `text` is what people see of it in a terminal.
pub(super) fn deliver(context: &Context, table: &Table, args: &ExportArgs, text: impl FnOnce() -> String) -> Outcome {
    let Some(format) = args.format(context.ui.json)? else {
        context.ui.line(&super::ui::plain(&text()))?;
        return Ok(Exit::Success);
    };
    let style = Style { mark: args.mark.clone(), european: args.european };
    if let Some(path) = &args.output {
        let bytes = export::write(table, format, &style)?;
        if path.exists() {
            context.confirm(&format!("replace {}", path.display()))?;
        }
        files::replace_private(path, &bytes)?;
        context.ui.say(format!("{} rows into {}.", table.rows().len(), path.display()));
        return Ok(Exit::Success);
    }
    if matches!(format, Format::Xlsx | Format::Parquet) && io::stdout().is_terminal() {
        return Err(
            Failure::new(Exit::Usage, "such a file is not for a terminal").hint("-o FILE says where to write it")
        );
    }
    let bytes = export::write(table, format, &style)?;
    let mut out = io::stdout().lock();
    out.write_all(&bytes)?;
    out.flush()?;
    Ok(Exit::Success)
}

/// Columns of a table and then of another with the same columns, for people.
pub(super) fn text(table: &Table, total: Option<&Table>, wanted: impl Fn(&str) -> bool) -> String {
    let columns: Vec<usize> = (0..table.columns().len()).filter(|at| wanted(&table.columns()[*at].name)).collect();
    let head = |at: &usize| table.columns()[*at].heading().to_uppercase().replace('_', " ");
    let mut rows = vec![columns.iter().map(head).collect::<Vec<_>>()];
    let cells = |row: &Vec<Cell>| columns.iter().map(|at| row.get(*at).map(shown).unwrap_or_default()).collect();
    rows.extend(table.rows().iter().map(cells));
    for row in total.iter().flat_map(|total| total.rows()) {
        // The groups are missing there.
        let missing = total.map_or(0, |total| table.columns().len() - total.columns().len());
        let mut whole = vec![Cell::Empty; missing];
        if let Some(first) = whole.first_mut() {
            *first = Cell::text("total");
        }
        whole.extend(row.iter().cloned());
        rows.push(cells(&whole));
    }
    super::ui::aligned(&rows, |place| columns.get(place).is_some_and(|at| table.columns()[*at].holds != Holds::Text))
}

/// A cell for people: kilograms with blanks between thousands, and grams only where there are some.
pub(super) fn shown(cell: &Cell) -> String {
    let Cell::Mass(grams) = cell else { return cell.shown() };
    let text = cell.shown();
    let (kilograms, rest) = text.split_once('.').unwrap_or((&text, ""));
    let first = kilograms.len() % 3;
    let mut parts: Vec<&str> = kilograms.get(..first).into_iter().filter(|part| !part.is_empty()).collect();
    parts.extend((first..kilograms.len()).step_by(3).filter_map(|at| kilograms.get(at..at + 3)));
    let whole = parts.join(" ");
    if grams % 1_000 == 0 { whole } else { format!("{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::export::Column;

    #[test]
    fn kilograms_are_readable() {
        let shown = |grams: u128| shown(&Cell::Mass(grams));
        assert_eq!(
            [shown(0), shown(5_000), shown(2_750_000_000), shown(1_234_567_890_001), shown(12)],
            ["0", "5", "2 750 000", "1 234 567 890.001", "0.012"]
        );
    }

    #[test]
    fn totals_stand_below_their_columns() {
        let columns = |names: &[(&str, Holds)]| names.iter().map(|(name, holds)| Column::new(name, *holds)).collect();
        let mut table =
            Table::new("t", columns(&[("month", Holds::Text), ("departed", Holds::Mass), ("x", Holds::Count)]));
        table.push(vec![Cell::text("2026-10"), Cell::Mass(1_500), Cell::Count(1)]);
        table.push(vec![Cell::text("2026-11"), Cell::Unknown, Cell::Count(1)]);
        let mut total = Table::new("t", columns(&[("departed", Holds::Mass), ("x", Holds::Count)]));
        total.push(vec![Cell::Mass(1_500), Cell::Count(2)]);
        let text = text(&table, Some(&total), |name| name != "x");
        assert_eq!(text, "MONTH    DEPARTED KG\n2026-10        1.500\n2026-11      unknown\ntotal          1.500");
    }

    #[test]
    fn the_name_of_the_file_tells_the_form() {
        let args = |format, output: Option<&str>| ExportArgs {
            format,
            output: output.map(PathBuf::from),
            european: false,
            mark: String::new(),
        };
        assert_eq!(args(None, Some("a.XLSX")).format(false).expect("told"), Some(Format::Xlsx));
        assert_eq!(args(Some(Form::Csv), Some("a.txt")).format(false).expect("told"), Some(Format::Csv));
        assert_eq!(args(None, None).format(true).expect("told"), Some(Format::Json));
        assert_eq!(args(None, None).format(false).expect("told"), None);
        assert!(args(None, Some("a.txt")).format(false).is_err());
        assert!(args(Some(Form::Table), Some("a.csv")).format(false).is_err());
    }
}

//! Answers about figures.

use crate::encoding::time::UnixTime;
use crate::formats::export::{Table, aggregate_table, reports_table, statistics_table};
use crate::node::ask::{Problem, ProblemKind, StatsQuestion, StatsView, StatsWanted};
use crate::record::Date;
use crate::watch::Views;
use crate::watch::statistics::{Query, Rule, Statistics};

/// Rows in one answer at most: half a kilobyte each, and a line of the local socket is bounded.
const ROWS_MAX: usize = 50_000;

/// The table that was asked for, as it is `now`.
pub(super) fn stats(views: &Views, question: &StatsQuestion, now: UnixTime) -> Result<StatsView, Problem> {
    let no_day = |_| super::problem(ProblemKind::Failure, "the machine's clock shows no day of the calendar");
    let not_kept = || super::problem(ProblemKind::Failure, "this node keeps no figures");
    tables(views.statistics().ok_or_else(not_kept)?, question, Date::of(now).map_err(no_day)?)
}

/// The figures that a question is about, as they are `today`.
fn tables(figures: &Statistics, question: &StatsQuestion, today: Date) -> Result<StatsView, Problem> {
    let query = &question.query;
    let whole = Query { by: [].into(), ..query.clone() };
    match question.wanted {
        StatsWanted::Figures => {
            let total = statistics_table(&figures.rows(&whole), &whole.by, today);
            Ok(StatsView {
                rows: bounded(statistics_table(&figures.rows(query), &query.by, today))?,
                total,
                withheld: Vec::new(),
            })
        }
        StatsWanted::Reports => {
            let total = reports_table(&figures.rows(&whole), &whole.by);
            Ok(StatsView {
                rows: bounded(reports_table(&figures.rows(query), &query.by))?,
                total,
                withheld: Vec::new(),
            })
        }
        StatsWanted::Aggregate => {
            if !query.by.is_empty() || query.substance.is_some() || query.partner.is_some() {
                let why = "the table for observers is always the same: groups and filters of one's own would tell of small groups";
                return Err(super::problem(ProblemKind::BadRequest, why));
            }
            let aggregate = figures.aggregate(query.span, Rule::default(), today);
            let withheld = aggregate.months_withheld.iter().map(ToString::to_string).collect();
            let total = aggregate_table(&Default::default());
            Ok(StatsView { rows: bounded(aggregate_table(&aggregate))?, total, withheld })
        }
    }
}

fn bounded(table: Table) -> Result<Table, Problem> {
    let rows = table.rows().len();
    if rows > ROWS_MAX {
        let why =
            format!("{rows} rows are more than the {ROWS_MAX} of one answer; ask for one month, partner or substance");
        return Err(super::problem(ProblemKind::BadRequest, why));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::statistics::Dimension;

    #[test]
    fn observers_get_one_table_and_no_other() {
        let today = "2026-12-01".parse().expect("a day");
        let ask =
            |query| tables(&Statistics::default(), &StatsQuestion { wanted: StatsWanted::Aggregate, query }, today);
        let month = Query { span: "2026-10".parse().ok(), ..Query::default() };
        assert!(ask(month.clone()).is_ok());
        for query in [
            Query { by: [Dimension::Month].into(), ..month.clone() },
            Query { substance: Some("urea".to_owned()), ..month.clone() },
            Query { partner: "TR".parse().ok(), ..month },
        ] {
            assert_eq!(ask(query).expect_err("it would tell of small groups").kind, ProblemKind::BadRequest);
        }
    }

    #[test]
    fn nothing_at_all_is_a_table_without_rows() {
        let question = StatsQuestion { wanted: StatsWanted::Figures, query: Query::default() };
        let view = tables(&Statistics::default(), &question, "2026-12-01".parse().expect("a day")).expect("an answer");
        assert!(view.rows.rows().is_empty() && view.total.rows().is_empty());
        let json = serde_json::to_string(&view).expect("JSON");
        assert_eq!(serde_json::from_str::<StatsView>(&json).expect("read back"), view);
    }
}

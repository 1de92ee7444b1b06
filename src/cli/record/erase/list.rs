//! `shieldwall record erasures`.

use std::fmt::Write as _;

use super::names;
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::counted;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{AnswerView, ErasureRequest, ErasuresView, HoldView, OrderView, Request, Response};

pub(in crate::cli) fn run(context: &Context) -> Outcome {
    let Response::Erasures(all) = context.ask(&Request::Erasure(ErasureRequest::List))? else {
        return Err(unexpected());
    };
    context.ui.result(&all, text(&all))?;
    Ok(Exit::Success)
}

fn text(all: &ErasuresView) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string cannot fail");
    for order in &all.orders {
        let (count, here) = (order.records.len() as u64, order.erased_here);
        line(format!("{}  of {}: {}, {here} erased here", order.id, order.at, counted(count, "record")));
        line(format!("  by {}", order.legal_basis));
        order.reason.iter().for_each(|reason| line(format!("  {reason}")));
        line(format!("  records   {}", names(&order.records)));
        answers(order).into_iter().for_each(&mut line);
    }
    for hold in &all.holds {
        line(format!("{}  held {}", hold.id, held(hold)));
    }
    for erased in &all.by_own_law {
        line(format!("{}  erased here on {}, {}", erased.id, erased.at, erased.why));
    }
    for (member, records) in &all.told_by_others {
        let records: Vec<RecordId> = records.iter().copied().collect();
        line(format!("{member}  has erased its copies by its own decision: {}", names(&records)));
    }
    if text.is_empty() {
        text.push_str("Nothing was ordered erased, and nothing is held.\n");
    }
    text
}

/// What the readers of one's own records have answered.
fn answers(order: &OrderView) -> Vec<String> {
    let answer = |(member, answer): (&MemberCode, &AnswerView)| {
        let held = if answer.held.is_empty() {
            String::new()
        } else {
            let held: Vec<RecordId> = answer.held.iter().copied().collect();
            format!(", holds {}", names(&held))
        };
        format!("  {member}        has erased {}{held} ({})", answer.erased.len(), names(&answer.receipts))
    };
    let mut lines: Vec<String> = order.answers.iter().map(answer).collect();
    if !order.silent.is_empty() {
        let silent = order.silent.iter().map(MemberCode::as_str).collect::<Vec<_>>().join(" ");
        lines.push(format!("  no answer {silent}"));
    }
    lines
}

/// A hold in words.
pub(in crate::cli) fn held(hold: &HoldView) -> String {
    let order = hold.ordered_by.map_or_else(String::new, |order| format!("; {order} orders its erasure"));
    format!("since {} for {}{order}", hold.since, hold.reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::time::UnixTime;

    #[test]
    fn who_has_not_answered_is_named() {
        let at = UnixTime::from_seconds(1_795_338_842).unwrap();
        let id = |text: &str| -> RecordId { text.parse().unwrap() };
        let all = ErasuresView {
            orders: vec![OrderView {
                id: id("GE-9"),
                at,
                legal_basis: "Order 7".to_owned(),
                reason: None,
                records: vec![id("GE-1"), id("GE-2")],
                erased_here: 2,
                answers: [(
                    "MZ".parse().unwrap(),
                    AnswerView { receipts: vec![id("MZ-4")], erased: [id("GE-1")].into(), held: [id("GE-2")].into() },
                )]
                .into(),
                silent: vec!["TR".parse().unwrap()],
            }],
            holds: vec![HoldView {
                id: id("TR-3"),
                since: at,
                reference: "case 12/26".to_owned(),
                ordered_by: Some(id("TR-8")),
            }],
            ..ErasuresView::default()
        };
        let expected = "GE-9  of 2026-11-22T09:14:02Z: 2 records, 2 erased here\n  by Order 7\n  records   GE-1 GE-2\n  \
            MZ        has erased 1, holds GE-2 (MZ-4)\n  no answer TR\n\
            TR-3  held since 2026-11-22T09:14:02Z for case 12/26; TR-8 orders its erasure\n";
        assert_eq!(text(&all), expected);
        assert_eq!(text(&ErasuresView::default()), "Nothing was ordered erased, and nothing is held.\n");
    }
}

//! From records to causes, from causes to cases, and what officers make of them. Everything is synthetic.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::record::{Kind, PartialRecord};
use crate::watch::risk::tests::{World, id, member, noon, plain, with};
use crate::watch::risk::{Band, Code};
use crate::watch::{Dossier, standing};

mod cases;
mod causes;
mod properties;

/// The causes of a consignment on a day.
fn of(world: &World, name: &str, day: &str) -> BTreeSet<Cause> {
    let all = world.consignments();
    let consignment = &all[&id(name)];
    let assessment = world.assess(name, day);
    let dossier = Dossier { consignment, records: &world.records };
    let differences = crate::watch::reconcile::reconcile(&dossier, world.terms(consignment));
    causes(&Signs {
        dossier,
        standing: &standing(consignment, world.terms(consignment), noon(day)),
        own: world.own,
        now: noon(day),
        answer_due_days: 3,
        differences: Some(&differences),
        assessment: Some(&assessment),
        word: None,
    })
}

/// Rule and severity of every cause that is not one of risk, as words.
fn rules(causes: &BTreeSet<Cause>) -> Vec<String> {
    let told = causes.iter().filter(|cause| !matches!(cause.rule, Rule::Risk(_)));
    told.map(|cause| format!("{} {}", cause.rule, cause.severity)).collect()
}

fn cause(rule: Rule, mark: &str, severity: Severity) -> Cause {
    Cause { rule, mark: Mark(mark.to_owned()), severity, words: format!("{rule} {mark}") }
}

fn act(case: &str, day: &str, act: Act) -> CaseEvent {
    CaseEvent { case: id(case), at: noon(day), by: Some("A. Officer".to_owned()), act }
}

fn note() -> String {
    "seen".to_owned()
}

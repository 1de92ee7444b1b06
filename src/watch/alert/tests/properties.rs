//! Whatever happens in whatever order: raised once, never lost, always back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::encoding::time::UnixTime;

const CASES: [&str; 3] = ["GE-1", "GE-2", "FR-9"];
const START: i64 = 1_767_225_600;

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(START + seconds).expect("in range")
}

/// Some causes of every severity, two of them alike but for their words.
fn some_causes() -> Vec<Cause> {
    let mut causes: Vec<Cause> = [Rule::Overdue, Rule::NoReply, Rule::Missing, Rule::Risk(Code::R04)]
        .into_iter()
        .zip([Severity::Red, Severity::Amber, Severity::Red, Severity::Info])
        .flat_map(|(rule, severity)| ["a", "b"].map(|mark| cause(rule, mark, severity)))
        .collect();
    causes.push(Cause { words: "other words".to_owned(), ..causes[0].clone() });
    causes
}

/// The consignment is looked at, or an officer does something, so many seconds after what was before.
#[derive(Clone, Debug)]
enum Step {
    Refresh(&'static str, Vec<Cause>),
    Act(&'static str, Act),
}

fn acts() -> impl Strategy<Value = Act> {
    let outcomes = select(Outcome::ALL.to_vec());
    prop_oneof![
        Just(Act::Acknowledged { note: note() }),
        (-10_i64..SNOOZE_MAX_S + 10).prop_map(|ahead| Act::Snoozed { until: at(ahead), note: note() }),
        select(vec!["", "B. Officer"]).prop_map(|to| Act::Assigned { to: to.to_owned() }),
        outcomes.prop_map(|outcome| Act::Closed { outcome, note: note() }),
        Just(Act::Reopened { note: note() }),
        subsequence(Code::ALL.to_vec(), 0..4).prop_map(|seen| Act::Overridden {
            band: Band::Amber,
            reason: note(),
            seen: seen.into_iter().collect(),
        }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let case = || select(CASES.to_vec());
    let refresh = (case(), subsequence(some_causes(), 0..=9)).prop_map(|(case, causes)| Step::Refresh(case, causes));
    let step = prop_oneof![refresh, (case(), acts()).prop_map(|(case, act)| Step::Act(case, act))];
    prop::collection::vec((0_i64..400_000, step), 0..40)
}

/// Runs the steps; gives the cases, everything kept on the disk, everything raised, and the time at the end.
fn run(steps: &[(i64, Step)]) -> (Alerts, Vec<CaseEvent>, Vec<Raised>, UnixTime) {
    let (mut alerts, mut kept, mut all, mut now) = (Alerts::default(), Vec::new(), Vec::new(), at(0));
    for (later, step) in steps {
        now = now.plus(*later);
        match step {
            Step::Refresh(case, causes) => {
                let raised = alerts.refresh(id(case), &causes.iter().cloned().collect(), now);
                kept.extend(raised.iter().map(|raised| raised.event.clone()));
                all.extend(raised);
            }
            Step::Act(case, act) => {
                // A snooze is said from the beginning; it counts from now.
                let act = if let Act::Snoozed { until, note } = act {
                    Act::Snoozed { until: now.plus(until.since(at(0))), note: note.clone() }
                } else {
                    act.clone()
                };
                let event = CaseEvent { case: id(case), at: now, by: Some("A. Officer".to_owned()), act };
                let before = alerts.clone();
                match alerts.apply(event.clone()) {
                    Ok(()) => kept.push(event),
                    Err(_) => assert!(alerts == before, "what is refused leaves no trace"),
                }
            }
        }
    }
    (alerts, kept, all, now)
}

proptest! {
    #[test]
    fn causes_in_any_order_give_the_same_cases(
        causes in Just(some_causes()).prop_shuffle(), order in Just(CASES.to_vec()).prop_shuffle(), cut in 0_usize..9,
    ) {
        let refresh = |alerts: &mut Alerts, causes: &[Cause], cases: &[&str]| {
            for case in cases {
                alerts.refresh(id(case), &causes.iter().cloned().collect(), at(0));
            }
        };
        let mut straight = Alerts::default();
        refresh(&mut straight, &some_causes(), &CASES);
        let mut parts = Alerts::default();
        refresh(&mut parts, &causes[..cut], &order);
        refresh(&mut parts, &causes[cut..], &CASES);
        refresh(&mut parts, &causes, &order);
        // The history of a case is the order in which things happened to it; all else is the same.
        let shown = |alerts: &Alerts| -> Vec<_> { alerts.cases().map(|case| (case.id, case.alerts.clone(), case.status(at(1)))).collect() };
        prop_assert!(shown(&straight) == shown(&parts));
    }

    #[test]
    fn a_cause_is_raised_at_most_once(steps in steps()) {
        let (mut alerts, kept, raised, now) = run(&steps);
        let mut seen = BTreeSet::new();
        for one in &raised {
            let Act::Raised { rule, mark, .. } = &one.event.act else { panic!("it raises") };
            prop_assert!(seen.insert((one.case, *rule, mark.clone())));
        }
        let numbers: Vec<u64> = raised.iter().map(|raised| raised.number).collect();
        prop_assert_eq!(numbers, (1..=raised.len() as u64).collect::<Vec<_>>());

        // Derived again from nothing but what was kept: the same cases, and nothing new.
        let kept: Vec<CaseEvent> = kept.iter().map(|event| CaseEvent::decode(&event.encode()).expect("our own bytes")).collect();
        let (mut again, passed) = Alerts::replay(kept);
        prop_assert_eq!(passed, vec![]);
        let mut last: BTreeMap<&str, BTreeSet<Cause>> = BTreeMap::new();
        for (_, step) in &steps {
            if let Step::Refresh(case, causes) = step {
                last.insert(case, causes.iter().cloned().collect());
            }
        }
        for (case, causes) in last {
            prop_assert_eq!(again.refresh(id(case), &causes, now), vec![]);
            prop_assert_eq!(alerts.refresh(id(case), &causes, now), vec![]);
        }
        prop_assert!(again == alerts);
    }

    #[test]
    fn a_snooze_always_comes_back(steps in steps()) {
        let (alerts, _, _, now) = run(&steps);
        let later = now.plus(SNOOZE_MAX_S);
        for case in alerts.cases() {
            prop_assert!(!matches!(case.status(later), Status::Snoozed(_)));
            if let Status::Snoozed(until) = case.status(now) {
                prop_assert!(case.status(until.plus(-1)) == Status::Snoozed(until) && case.status(until) == Status::Open);
            }
        }
    }

    #[test]
    fn nothing_that_was_raised_is_lost(steps in steps()) {
        let (alerts, _, raised, now) = run(&steps);
        for one in raised {
            let case = alerts.show(one.case).expect("its case");
            prop_assert!(case.alerts.keys().any(|(rule, _)| *rule == one.rule));
            // Nobody has seen it: then it is open.
            let touched = case.history.iter().any(|event| event.by.is_some());
            prop_assert!(touched || case.status(now) == Status::Open);
        }
    }

    #[test]
    fn bytes_of_others_are_refused_and_ours_are_read(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0_usize..400, act in acts()) {
        if let Ok(event) = CaseEvent::decode(&bytes) {
            prop_assert_eq!(event.encode(), bytes);
        }
        let event = CaseEvent { case: id("GE-1"), at: at(0), by: Some("A. Officer".to_owned()), act };
        let encoded = event.encode();
        prop_assert!(CaseEvent::decode(&encoded).as_ref() == Ok(&event));
        if cut < encoded.len() {
            prop_assert!(CaseEvent::decode(&encoded[..cut]).is_err());
        }
    }
}

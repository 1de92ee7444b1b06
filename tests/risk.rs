//! Risk and alerts against consignments of which it is known what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use shieldwall::encoding::ids::{LogId, MemberCode, RecordId};
use shieldwall::encoding::time::UnixTime;
use shieldwall::generate::{Cause, Generator, Plan};
use shieldwall::record::{Context, PartialRecord, Strictness, SubstanceList};
use shieldwall::watch::alert::{self, Alerts, Rule, Signs};
use shieldwall::watch::reconcile::reconcile;
use shieldwall::watch::risk::{Code, Contribution, History, Lists, RiskPolicy, Scene, Threshold, assess};
use shieldwall::watch::{Dossier, Records, consignments, standing};

const DAY: i64 = 86_400;

/// What the node of one country holds, and what is true of each consignment.
struct World {
    own: MemberCode,
    records: Records,
    truth: BTreeMap<RecordId, Option<Cause>>,
    end: UnixTime,
}

/// A year of trade between eight countries, as far as the first of them has to do with it.
fn world(consignments: u32) -> World {
    let from = UnixTime::from_seconds(1_767_225_600).unwrap();
    let generator = Generator::new(Plan { seed: 7, countries: 8, consignments, from, days: 365 });
    let own = generator.countries().next().unwrap();
    let (mut records, mut truth) = (Records::new(), BTreeMap::new());
    let mut next: BTreeMap<MemberCode, u64> = BTreeMap::new();
    for life in generator.filter(|life| life.events.iter().any(|event| event.author == own)) {
        let mut ids: Vec<RecordId> = Vec::new();
        for event in &life.events {
            let position = next.entry(event.author).or_default();
            ids.push(RecordId::new(LogId::first(event.author), *position));
            *position += 1;
            let mut draft = event.draft.clone();
            draft.answers = event.answers.map(|answered| ids[answered]);
            let author = Some(event.author);
            let context = Context { strictness: Strictness::Own, author, now: event.at, foreign_exports: false };
            let checked = draft.check(&context).unwrap_or_else(|refused| panic!("{}", refused.errors[0]));
            records.insert(*ids.last().unwrap(), PartialRecord::from(&checked.record));
        }
        truth.insert(ids[0], life.truth.map(|truth| truth.cause));
    }
    World { own, records, truth, end: from.plus(500 * DAY) }
}

/// The thresholds that the generator's buyers stay below: twice the smallest lot of each substance, in kilograms.
fn thresholds() -> BTreeMap<String, Threshold> {
    let kilograms = |code: &str| match code {
        "urea" | "ammonium-nitrate" | "calcium-ammonium-nitrate" => 40_000,
        "potassium-nitrate" | "sodium-nitrate" | "sodium-chlorate" | "hydrogen-peroxide" | "nitric-acid" => 2_000,
        "aluminium-powder" => 1_000,
        _ => 400,
    };
    let substances = &SubstanceList::current().substances;
    let threshold = |code: &str| Threshold { pure_mass_g: Some(kilograms(code) * 1_000), volume_ml: None };
    substances.iter().map(|substance| (substance.code.clone(), threshold(&substance.code))).collect()
}

#[test]
fn what_is_wrong_with_generated_consignments_is_seen() {
    let world = world(3_000);
    let all = consignments(world.records.clone());
    let lists = Lists::default();
    let mut policy = RiskPolicy::default();
    policy.r04.thresholds = thresholds();
    let mut history = History::default();
    for (id, consignment) in &all {
        let dossier = Dossier { consignment, records: &world.records };
        let standing = standing(consignment, None, world.end);
        history.put(*id, Contribution::of(&dossier, &standing, None, world.own), policy.r04.days);
    }
    let mut alerts = Alerts::default();
    let mut counts: BTreeMap<Option<Cause>, usize> = BTreeMap::new();
    for (id, consignment) in &all {
        let dossier = Dossier { consignment, records: &world.records };
        let standing = standing(consignment, None, world.end);
        let (own, now) = (world.own, world.end);
        let scene = Scene {
            dossier,
            standing: &standing,
            terms: None,
            own,
            now,
            history: &history,
            lists: &lists,
            policy: &policy,
        };
        let assessment = assess(&scene);
        let differences = reconcile(&dossier, None);
        let signs = Signs {
            dossier,
            standing: &standing,
            own,
            now,
            answer_due_days: 3,
            differences: Some(&differences),
            assessment: Some(&assessment),
            word: None,
        };
        let causes = alert::causes(&signs);
        alerts.refresh(*id, &causes, now);
        let rules: BTreeSet<Rule> = causes.iter().map(|cause| cause.rule).collect();

        // A consignment that is not in the truth by its first record is a part of one that was opened twice.
        let Some(cause) = world.truth.get(id) else { continue };
        *counts.entry(*cause).or_default() += 1;
        assert_eq!(
            assessment.codes().contains(&Code::R04),
            *cause == Some(Cause::Structuring),
            "{id}: structuring and nothing else"
        );
        let seen = match cause {
            Some(Cause::NotReportedByImporter | Cause::Diverted) => rules.contains(&Rule::Overdue),
            Some(Cause::NotReportedByExporter) => rules.contains(&Rule::ArrivedUnannounced),
            Some(Cause::UnitSlip) => rules.contains(&Rule::Discrepant) && assessment.codes().contains(&Code::R12),
            Some(Cause::Stolen) => rules.contains(&Rule::Discrepant) || rules.contains(&Rule::Overdue),
            Some(Cause::Structuring | Cause::Split) | None => true,
        };
        assert!(seen, "{id}: {cause:?} and {rules:?}");
        let late = [Rule::Overdue, Rule::ArrivedUnannounced];
        assert!(cause.is_some() || late.iter().all(|rule| !rules.contains(rule)), "{id}: {rules:?}");
    }
    println!("{counts:?}");
    assert!(counts.get(&Some(Cause::Structuring)).is_some_and(|count| *count >= 3), "{counts:?}");

    // Derived again from what was kept, nothing is raised twice.
    let kept: Vec<_> = alerts.cases().flat_map(|case| case.history.clone()).collect();
    let (mut again, passed) = Alerts::replay(kept);
    assert!(passed.is_empty());
    for case in alerts.cases() {
        let causes = case.alerts.iter().map(|((rule, mark), alert)| alert::Cause {
            rule: *rule,
            mark: mark.clone(),
            severity: alert.severity,
            words: alert.words.clone(),
        });
        assert_eq!(again.refresh(case.id, &causes.collect(), world.end), []);
    }
    let shown = |alerts: &Alerts| alerts.cases().map(|case| (case.id, case.alerts.clone())).collect::<Vec<_>>();
    assert!(shown(&again) == shown(&alerts));
}

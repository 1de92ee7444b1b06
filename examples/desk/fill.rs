//! Logs generated lives at the nodes of their authors.

use std::collections::BTreeMap;
use std::thread;

use indicatif::ProgressBar;
use shieldwall::encoding::ids::{MemberCode, RecordId};
use shieldwall::generate::{Generator, Life, Plan};
use shieldwall::node::ask::{DRAFTS_MAX, Request, Response, Submitted};
use shieldwall::node::clock;
use shieldwall::record::Draft;

use super::federation::Federation;
use super::{Args, DESK, MEMBERS, ask};

/// Lives that are logged together, so that parts are full.
const LIVES: usize = 3_000;
/// Over how many days they are spread, and how long before today the first is: so that the last has ended.
const DAYS: u32 = 365;
const BEFORE_DAYS: i64 = 530;

/// Logs as many lives as are wanted; gives the number of their records.
pub(super) fn fill(federation: &Federation, args: &Args, bar: &ProgressBar) -> u64 {
    let from = clock::now().plus(-BEFORE_DAYS * 86_400);
    // Some are between two others, and the desk never hears of them.
    let consignments = args.consignments.saturating_mul(2);
    let plan = Plan { seed: args.seed, countries: MEMBERS.len(), consignments, from, days: DAYS };
    let wanted = usize::try_from(args.consignments).unwrap_or(usize::MAX);
    let mut lives = Generator::new(plan).filter(concerns_the_desk).take(wanted);
    let mut records = 0;
    loop {
        let part: Vec<Life> = lives.by_ref().take(LIVES).collect();
        if part.is_empty() {
            return records;
        }
        records += log(federation, &part);
        bar.inc(part.len() as u64);
        bar.set_message(format!("{records} records"));
    }
}

/// Whether the desk's country has a part in it.
fn concerns_the_desk(life: &Life) -> bool {
    let desk: MemberCode = DESK.parse().unwrap();
    life.events.iter().any(|event| event.author == desk)
}

/// Logs some lives, wave by wave.
fn log(federation: &Federation, lives: &[Life]) -> u64 {
    let mut ids: Vec<Vec<RecordId>> = vec![Vec::new(); lives.len()];
    let waves = lives.iter().map(|life| life.events.len()).max().unwrap_or(0);
    for wave in 0..waves {
        let mut by_author: BTreeMap<MemberCode, Vec<(usize, Draft)>> = BTreeMap::new();
        for (at, life) in lives.iter().enumerate() {
            let Some(event) = life.events.get(wave) else { continue };
            let answers = event.answers.map(|answered| ids[at][answered]);
            by_author.entry(event.author).or_default().push((at, Draft { answers, ..event.draft.clone() }));
        }
        let logged: Vec<(usize, RecordId)> = thread::scope(|scope| {
            let threads: Vec<_> =
                by_author.iter().map(|(author, drafts)| scope.spawn(|| submit(federation, *author, drafts))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        logged.into_iter().for_each(|(at, id)| ids[at].push(id));
    }
    ids.iter().map(|ids| ids.len() as u64).sum()
}

fn submit(federation: &Federation, author: MemberCode, drafts: &[(usize, Draft)]) -> Vec<(usize, RecordId)> {
    let mut logged = Vec::new();
    for part in drafts.chunks(DRAFTS_MAX) {
        let drafts = part.iter().map(|(_, draft)| draft.clone()).collect();
        let request = Request::Submit { drafts, imported: true, skip_bad: false };
        let answer = ask::ask(federation, &author.to_string(), &request).unwrap();
        let Response::Submitted(results) = answer else { panic!("not what was submitted: {answer:?}") };
        assert_eq!(results.len(), part.len(), "every draft has its result");
        for ((at, draft), result) in part.iter().zip(results) {
            match result {
                Submitted::Logged { id, .. } | Submitted::AlreadyLogged { id } => logged.push((*at, id)),
                refused @ (Submitted::Refused { .. } | Submitted::LeftOut) => panic!("{refused:?}: {draft:?}"),
            }
        }
    }
    logged
}

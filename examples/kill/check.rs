//! What must hold after any kills: everything acknowledged is there once, everywhere, and nobody has seen two histories.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use shieldwall::api::Client;
use shieldwall::node::ask::{BodyState, LedgerView, LogState, RecordFilter, RecordLine, Request, Response, StatusView};

use super::federation::{self, Federation};
use super::importer::Acknowledged;

/// How long the nodes may take to agree once nothing new comes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Remembers what it has seen, so that a later look notices what has changed.
#[derive(Default)]
pub(super) struct Checker {
    /// The consignment of each record, as first seen.
    seen: BTreeMap<String, String>,
    /// Size of each log, as last seen.
    sizes: BTreeMap<String, u64>,
    /// Bytes of each node's log that were read.
    read: BTreeMap<&'static str, usize>,
}

impl Checker {
    /// Looks at all nodes; gives what is not as it must be. The import rests meanwhile.
    pub(super) fn look(
        &mut self,
        federation: &Federation,
        acknowledged: &Acknowledged,
        harmed: &BTreeSet<&str>,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        match agreement(federation) {
            Err(fault) => faults.push(fault),
            Ok(ledger) => faults.extend(self.grows_only(&ledger)),
        }
        for member in &federation.members {
            faults.extend(self.records(federation, member, acknowledged));
            faults.extend(self.log_lines(federation, member, harmed.contains(member)));
        }
        faults
    }

    fn grows_only(&mut self, ledger: &LedgerView) -> Vec<String> {
        let mut faults = Vec::new();
        for log in &ledger.logs {
            let before = self.sizes.insert(log.log.to_string(), log.size).unwrap_or(0);
            if log.size < before {
                faults.push(format!("log {} had {before} statements and has {}", log.log, log.size));
            }
            if log.state != LogState::Open || log.flagged > 0 {
                faults.push(format!("log {}: {:?}, {} flagged", log.log, log.state, log.flagged));
            }
        }
        faults
    }

    /// The records of Georgia as one member sees them.
    fn records(&mut self, federation: &Federation, member: &str, acknowledged: &Acknowledged) -> Vec<String> {
        // A body that a killed reader has missed is fetched later than its statement.
        let begin = Instant::now();
        let lines = loop {
            match ask(federation, member, &Request::RecordList(of_georgia())) {
                Ok(Response::Records(lines)) => {
                    let missing = lines.iter().filter(|line| line.body == BodyState::Missing).count();
                    if missing == 0 {
                        break lines;
                    }
                    if begin.elapsed() > PATIENCE {
                        return vec![format!("{member}: {missing} bodies are missing after {PATIENCE:?}")];
                    }
                }
                other => return vec![format!("{member} does not list its records: {other:?}")],
            }
            thread::sleep(Duration::from_millis(200));
        };
        let mut faults = Vec::new();
        let mut held: BTreeMap<&str, &RecordLine> = BTreeMap::new();
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for line in &lines {
            let id = line.id.to_string();
            if let Some(reason) = &line.flagged {
                faults.push(format!("{member}: {id} is flagged: {reason}"));
            }
            ids.insert(id.clone());
            let Some(ucr) = &line.ucr else { continue };
            if let Some(other) = held.insert(ucr, line) {
                faults.push(format!("{member}: {ucr} is there twice, as {} and as {id}", other.id));
            }
            if let Some(earlier) = self.seen.insert(id.clone(), ucr.clone())
                && earlier != *ucr
            {
                faults.push(format!("{member}: {id} was {earlier} and is {ucr}"));
            }
        }
        for (ucr, id) in acknowledged {
            let is_reader = member == "GE" || federation::reader(ucr) == member;
            if is_reader && held.get(ucr.as_str()).is_none_or(|line| line.id.to_string() != *id) {
                faults.push(format!("{member}: {ucr}, acknowledged as {id}, is not there"));
            } else if !ids.contains(id) {
                faults.push(format!("{member}: the statement {id} is not there"));
            }
        }
        faults
    }

    /// Errors that a node has logged since the last look. An index that this program has spoilt is found to be so.
    fn log_lines(&mut self, federation: &Federation, member: &'static str, harmed: bool) -> Vec<String> {
        let text = fs::read(federation.path(member).join("node.log")).unwrap_or_default();
        let from = self.read.insert(member, text.len()).unwrap_or(0);
        let text = String::from_utf8_lossy(&text[from..]).into_owned();
        let bad = text.lines().filter(|line| line.contains("ERROR") || line.contains("panicked"));
        let bad = bad.filter(|line| !(harmed && line.contains("sled")));
        bad.map(|line| format!("{member} has logged: {line}")).collect()
    }
}

/// Waits until all hold the same ledger, audited and cosigned by all, and gives it.
fn agreement(federation: &Federation) -> Result<LedgerView, String> {
    let begin = Instant::now();
    loop {
        let views: Vec<Option<(LedgerView, StatusView)>> =
            federation.members.iter().map(|member| view(federation, member)).collect();
        if let Some(ledger) = agreed(&views) {
            return Ok(ledger);
        }
        if begin.elapsed() > PATIENCE {
            return Err(format!("no agreement within {PATIENCE:?}: {views:#?}"));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn agreed(views: &[Option<(LedgerView, StatusView)>]) -> Option<LedgerView> {
    let views: Vec<&(LedgerView, StatusView)> = views.iter().map(Option::as_ref).collect::<Option<_>>()?;
    let (first, _) = views.first()?;
    let sound = views.iter().all(|(ledger, status)| {
        ledger.frontier == first.frontier
            && ledger.cosigned_by.len() == views.len()
            && status.statements == status.statements_verified
            && status.statements_flagged == 0
            && status.equivocations.is_empty()
            && status.read_only.is_none()
    });
    sound.then(|| first.clone())
}

fn view(federation: &Federation, member: &str) -> Option<(LedgerView, StatusView)> {
    let Ok(Response::Ledger(ledger)) = ask(federation, member, &Request::Ledger) else { return None };
    let Ok(Response::Status(status)) = ask(federation, member, &Request::Status) else { return None };
    Some((ledger, *status))
}

fn ask(federation: &Federation, member: &str, request: &Request) -> Result<Response, String> {
    let mut node = Client::connect(&federation.socket(member), Some(PATIENCE)).map_err(|error| error.to_string())?;
    node.ask(request, |_| {}).map_err(|error| error.to_string())
}

fn of_georgia() -> RecordFilter {
    RecordFilter { log: "GE".parse().ok(), ..RecordFilter::default() }
}

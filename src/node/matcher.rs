//! Reconciliation of a running node: what both sides declare, kept up to date consignment by consignment.
//!
//! What officers decide on links is kept in `links.jsonl` in the data folder, one decision a line, on the disk before anybody is told. It is
//! this country's own and is never sent.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Date, Terms};
use crate::watch::reconcile::{Keys, Link, LinkDecision, LinkDecisions, Links, Mirror, Share, reconcile};
use crate::watch::{Band, Consignment, Dossier, State, Views, standing};

use super::answer::problem;
use super::ask::{
    Difference, LinkLine, MirrorRow, PairCount, Problem, ProblemKind, ReconcileFilter, ReconcileView, Suggested,
};

/// The name of the file in the data folder.
pub const FILE: &str = "links.jsonl";
/// Differences in one list at most.
const LIST_MAX: u64 = 10_000;
/// A reason is a sentence or two.
const REASON_MAX: usize = 2_000;

/// Why the decisions cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct MatcherError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Looks at the decisions in a data folder and changes nothing: the numbers of the lines that cannot be read. What a crash cut off is not among
/// them.
///
/// # Errors
/// [`MatcherError`] if the file cannot be read.
pub fn damaged_lines(folder: &Path) -> Result<Vec<usize>, MatcherError> {
    let text = text_of(&folder.join(FILE))?;
    let ended = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let is_bad = |line: &[u8]| line != b"\n" && serde_json::from_slice::<LinkDecision>(line).is_err();
    Ok(ended.enumerate().filter(|(_, line)| is_bad(line)).map(|(at, _)| at + 1).collect())
}

/// What is in the file of decisions; nothing if it is not there.
fn text_of(path: &Path) -> Result<Vec<u8>, MatcherError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|source| MatcherError { action: "read", path: path.to_owned(), source }),
    }
}

/// What one consignment comes to.
#[derive(Debug)]
struct Summary {
    exporting: Option<MemberCode>,
    importing: Option<MemberCode>,
    /// The month in which the first shipment left, or came.
    month: Option<String>,
    standing: Outcome,
    band: Band,
    suggested: Vec<Suggested>,
}

/// Whether both sides agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// One side has not declared yet.
    Open,
    Matched,
    Differing,
}

/// Both sides of every consignment.
#[derive(Debug)]
pub struct Matcher {
    links: Links,
    mirror: Mirror,
    summaries: BTreeMap<RecordId, Summary>,
    decisions: LinkDecisions,
    file: File,
    path: PathBuf,
}

impl Matcher {
    /// The matcher with the decisions that are kept in a data folder.
    ///
    /// # Errors
    /// [`MatcherError`] if their file cannot be read or written.
    pub fn open(folder: &Path) -> Result<Self, MatcherError> {
        let path = folder.join(FILE);
        let failed = |action| {
            let path = path.clone();
            move |source| MatcherError { action, path, source }
        };
        let text = text_of(&path)?;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(failed("open"))?;
        // What a crash cut off was told to nobody.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < text.len() {
            file.set_len(whole as u64).and_then(|()| file.sync_all()).map_err(failed("cut"))?;
        }
        let lines = text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut decisions = LinkDecisions::default();
        for (number, line) in lines.enumerate() {
            match serde_json::from_slice(line) {
                Ok(decision) => decisions.put(decision),
                Err(_) => {
                    tracing::error!(file = %path.display(), line = number + 1, "a decision on a link cannot be read and does not count")
                }
            }
        }
        let (links, mirror, summaries) = (Links::default(), Mirror::default(), BTreeMap::new());
        Ok(Self { links, mirror, summaries, decisions, file, path })
    }

    /// Takes in a consignment that was derived again, or whose clocks have moved.
    pub fn derived(&mut self, dossier: &Dossier<'_>, terms: Option<&Terms>, now: UnixTime) {
        let id = dossier.consignment.id;
        match Keys::of(dossier) {
            Some(keys) => self.links.put(keys),
            None => self.links.remove(id),
        }
        let standing = standing(dossier.consignment, terms, now);
        self.mirror.put(id, Share::of(dossier, &standing.shipments));
        let compared = reconcile(dossier, terms);
        let lines = compared.shipments.iter().flat_map(|shipment| &shipment.lines);
        let suggested = lines.filter_map(|line| {
            let suggestion = line.suggestion.as_ref()?;
            Some(Suggested {
                substance: line.substance.clone(),
                band: line.band().name().to_owned(),
                cause: suggestion.cause.name().to_owned(),
                words: suggestion.words.clone(),
            })
        });
        let summary = Summary {
            exporting: dossier.consignment.countries.exporting,
            importing: dossier.consignment.countries.importing,
            month: month(dossier.consignment),
            standing: outcome(dossier.consignment),
            band: compared.band(),
            suggested: suggested.collect(),
        };
        self.summaries.insert(id, summary);
    }

    /// How far both sides agree, and where they do not.
    ///
    /// # Errors
    /// [`ProblemKind::BadRequest`] for a word that there is not.
    pub fn list(&self, views: &Views, filter: &ReconcileFilter) -> Result<ReconcileView, Problem> {
        let band = match &filter.band {
            None => None,
            Some(word) => {
                Some(word.parse::<Band>().map_err(|error| problem(ProblemKind::BadRequest, error.to_string()))?)
            }
        };
        let limit = if filter.limit == 0 { LIST_MAX } else { filter.limit.min(LIST_MAX) };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut pairs: BTreeMap<(Option<MemberCode>, Option<MemberCode>), PairCount> = BTreeMap::new();
        let (mut differences, mut total) = (Vec::new(), 0);
        for (id, summary) in &self.summaries {
            let is_partner = |member| summary.exporting == Some(member) || summary.importing == Some(member);
            let wanted = filter.month.as_ref().is_none_or(|month| summary.month.as_ref() == Some(month))
                && filter.partner.is_none_or(is_partner);
            if !wanted {
                continue;
            }
            let (exporting, importing) = (summary.exporting, summary.importing);
            let pair = pairs.entry((exporting, importing)).or_insert_with(|| PairCount {
                exporting,
                importing,
                ..PairCount::default()
            });
            match summary.standing {
                Outcome::Open => pair.open += 1,
                Outcome::Matched => pair.matched += 1,
                Outcome::Differing => pair.differing += 1,
            }
            let of_cause = |cause: &String| summary.suggested.iter().any(|suggested| suggested.cause == *cause);
            let shown = summary.band >= band.unwrap_or(Band::Amber)
                && filter.cause.as_ref().is_none_or(of_cause)
                && (summary.standing == Outcome::Differing || band.is_some());
            if shown {
                total += 1;
                if differences.len() < limit {
                    let consignment = views.get(*id);
                    differences.push(Difference {
                        consignment: *id,
                        ucr: consignment.and_then(|consignment| consignment.ucr.clone()),
                        exporting,
                        importing,
                        state: consignment
                            .and_then(|consignment| consignment.state)
                            .map(|state| state.name().to_owned()),
                        band: summary.band.name().to_owned(),
                        suggested: summary.suggested.clone(),
                    });
                }
            }
        }
        Ok(ReconcileView { pairs: pairs.into_values().collect(), differences, total })
    }

    /// Both sides' totals by month, pair and subheading.
    pub fn totals(&self, month: Option<&str>, partner: Option<MemberCode>) -> Vec<MirrorRow> {
        let rows = self.mirror.rows().filter(|(cell, _)| {
            month.is_none_or(|month| cell.month == month)
                && partner.is_none_or(|partner| cell.exporting == Some(partner) || cell.importing == Some(partner))
        });
        rows.map(|(cell, row)| MirrorRow {
            month: cell.month.clone(),
            exporting: cell.exporting,
            importing: cell.importing,
            hs6: cell.hs6.clone(),
            outcome: row.outcome().name().to_owned(),
            words: row.words(),
            exported_g: row.exported.net_g.to_string(),
            imported_g: row.imported.net_g.to_string(),
            awaited_g: row.awaited.net_g.to_string(),
        })
        .collect()
    }

    /// The announcements that arrivals may belong to which nobody announced.
    pub fn links(&self) -> Vec<LinkLine> {
        self.links.arrivals().flat_map(|arrival| self.links_of(arrival)).collect()
    }

    fn links_of(&self, arrival: RecordId) -> Vec<LinkLine> {
        let links = self.links.of(arrival, &self.decisions).into_iter();
        let line = |link: Link| LinkLine {
            arrival: link.arrival,
            announced: link.announced,
            level: link.level.name().to_owned(),
            hold: link.hold.name().to_owned(),
            meaning: link.meaning.name().to_owned(),
            words: link.words,
        };
        links.map(line).collect()
    }

    /// Keeps what an officer decides on a link.
    ///
    /// # Errors
    /// [`Problem`] if there are no such consignments, or it cannot be kept.
    pub fn decide(&mut self, views: &Views, decision: LinkDecision) -> Result<Vec<LinkLine>, Problem> {
        let bad = |message: String| problem(ProblemKind::BadRequest, message);
        if !self.links.arrivals().any(|arrival| arrival == decision.arrival) {
            return Err(bad(format!(
                "{} is no arrival that nobody announced; `reconcile links` lists them",
                decision.arrival
            )));
        }
        if views.get(decision.announced).is_none() {
            return Err(bad(format!("{} opened no consignment that is known here", decision.announced)));
        }
        if decision.officer.trim().is_empty() || decision.reason.trim().is_empty() || decision.reason.len() > REASON_MAX
        {
            return Err(bad(format!("a decision has an officer's name and a reason of at most {REASON_MAX} bytes")));
        }
        let kept = serde_json::to_vec(&decision).map_err(io::Error::other).and_then(|mut line| {
            line.push(b'\n');
            self.file.write_all(&line).and_then(|()| self.file.sync_data())
        });
        kept.map_err(|error| problem(ProblemKind::Failure, format!("cannot write {}: {error}", self.path.display())))?;
        let arrival = decision.arrival;
        self.decisions.put(decision);
        Ok(self.links_of(arrival))
    }
}

/// The month in which the first shipment left, or else came.
fn month(consignment: &Consignment) -> Option<String> {
    let shipments = &consignment.shipments;
    let left = shipments.iter().filter_map(|shipment| shipment.departed_at).min();
    let at = left.or_else(|| shipments.iter().filter_map(|shipment| shipment.imported_at).min())?;
    Date::of(at).ok().map(Date::month)
}

fn outcome(consignment: &Consignment) -> Outcome {
    match consignment.state {
        Some(State::Discrepant) => Outcome::Differing,
        Some(State::Reconciled | State::EndUsePending | State::Closed) => Outcome::Matched,
        Some(
            State::Notified
            | State::Query
            | State::NoReply
            | State::Cleared
            | State::Objected
            | State::Decided
            | State::Expired
            | State::Cancelled
            | State::Departed
            | State::InTransit
            | State::Overdue
            | State::Missing
            | State::Incident
            | State::Found
            | State::Arrived
            | State::Imported,
        )
        | None => Outcome::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(announced: &str, holds: bool) -> LinkDecision {
        LinkDecision {
            arrival: "MZ-7".parse().unwrap(),
            announced: announced.parse().unwrap(),
            holds,
            officer: "N. Officer".to_owned(),
            reason: "The container is the same.".to_owned(),
            at: "2026-11-20T12:00:00Z".parse().unwrap(),
        }
    }

    /// A line that a crash cut off is gone, and what was before it is not.
    #[test]
    fn decisions_are_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut text = serde_json::to_string(&decision("GE-1", true)).unwrap();
        text += "\n{\"arrival\": ";
        fs::write(&path, &text).unwrap();
        assert_eq!(damaged_lines(folder.path()).unwrap(), [0; 0], "what was cut off is no damage");
        drop(Matcher::open(folder.path()).unwrap());
        let kept = fs::read_to_string(&path).unwrap();
        assert_eq!(kept, format!("{}\n", serde_json::to_string(&decision("GE-1", true)).unwrap()));
    }

    #[test]
    fn a_decision_that_cannot_be_read_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(damaged_lines(folder.path()).unwrap(), [0; 0]);
        let sound = serde_json::to_string(&decision("GE-1", true)).unwrap();
        fs::write(folder.path().join(FILE), format!("{sound}\nx{sound}\n\n{sound}\n{{}}\n")).unwrap();
        assert_eq!(damaged_lines(folder.path()).unwrap(), [2, 5]);
    }

    #[test]
    fn a_decision_about_what_is_not_there_is_refused_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut matcher = Matcher::open(folder.path()).unwrap();
        let refused = matcher.decide(&Views::default(), decision("GE-1", true)).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::BadRequest);
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"");
    }
}

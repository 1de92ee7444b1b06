//! The order of events: nodes come up and connect, Georgia imports, all verify and cosign, receipts are collected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::interrupt::Interrupt;
use super::interrupted;
use super::missing;
use super::process::Processes;
use super::scene::{Scene, lacking, lacking_receipts, together};
use super::stage::{Member, Stage};
use super::watch::{Snapshot, Stopwatch, ask};
use crate::api::Client;
use crate::cli::context::unexpected;
use crate::cli::report::{Exit, Failure};
use crate::cli::show::counted;
use crate::cli::ui::Ui;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::node::ask::{DRAFTS_MAX, RecordFilter, RecordLine, Request, Response, Submitted};
use crate::record::Draft;

/// Between two looks at the nodes.
const GLANCE: Duration = Duration::from_millis(150);
/// Between two lines about one node while much is logged.
const BULK_LINES: Duration = Duration::from_secs(1);
/// From so many records on, much is logged.
const BULK: u64 = 100;
/// The nodes have this long to find each other before the import begins without.
const MEETING: Duration = Duration::from_secs(15);
/// Nothing new for so long means that nothing more comes: twice the time after which a reader acknowledges.
const CALM: Duration = Duration::from_millis(1_200);
/// A node's answer when all others have given it their receipts.
const RECEIPTS: Duration = Duration::from_secs(30);
/// Between two collections of receipts, if the first did not bring all.
const RECEIPTS_AGAIN: Duration = Duration::from_secs(4);
/// After this the ledgers have not become equal in time; for each ten records a second more.
const LIMIT: Duration = Duration::from_secs(120);
/// Records of which the table of readers is shown.
const RECORDS_SHOWN: u64 = 24;
/// Warnings of which the text is shown.
const WARNINGS_SHOWN: usize = 12;
/// An answer about records or receipts.
const ANSWER: Duration = Duration::from_secs(10);

/// The running demo.
pub(super) struct Show<'a> {
    ui: &'a Ui,
    stage: &'a Stage,
    processes: Processes,
    time: Stopwatch,
    interrupt: &'a Interrupt,
    /// The newest answer of each node, and the one that was told of last.
    nodes: BTreeMap<MemberCode, Snapshot>,
    told: BTreeMap<MemberCode, (Duration, Snapshot)>,
    silent: BTreeSet<MemberCode>,
    /// The shortest time between two lines about one node.
    pace: Duration,
}

/// An import under way.
struct Import {
    logged: Arc<AtomicU64>,
    thread: JoinHandle<Result<Vec<Logged>, Failure>>,
}

/// A record that the node logged.
struct Logged {
    id: RecordId,
    warnings: Vec<String>,
}

impl<'a> Show<'a> {
    /// The show, with the nodes just started.
    pub(super) fn new(
        ui: &'a Ui,
        stage: &'a Stage,
        processes: Processes,
        time: Stopwatch,
        interrupt: &'a Interrupt,
    ) -> Self {
        let silent = stage.members.iter().map(|member| member.code).collect();
        let (nodes, told) = (BTreeMap::new(), BTreeMap::new());
        Self { ui, stage, processes, time, interrupt, nodes, told, silent, pace: Duration::ZERO }
    }

    /// Plays it to its end: convergence, or the limit of time. The drafts are the operator's `own`, or samples.
    ///
    /// # Errors
    /// If a node ends, refuses what it is asked, or somebody interrupts.
    pub(super) fn play(&mut self, drafts: Vec<Draft>, own: bool) -> Result<Scene, Failure> {
        let limit = self.time.elapsed() + LIMIT + Duration::from_millis(100 * drafts.len() as u64);
        self.pace = if drafts.len() as u64 >= BULK { BULK_LINES } else { Duration::ZERO };
        let met = self.await_all(MEETING.min(limit), |node| node.status.peers_connected + 1 >= node.status.members)?;
        if !met {
            self.ui.warn("not all nodes have found each other yet; the import begins all the same");
        }
        let plain = !own && (drafts.len() as u64) < BULK;
        self.import(drafts, own)?;
        let mut ending = None;
        if plain && self.converge(limit)?.is_empty() {
            ending = missing::play(self)?;
        }
        let lacking = self.converge(limit)?;
        let milliseconds = self.time.elapsed().as_millis();
        let records = self.records()?;
        let nodes = self.in_order();
        Ok(Scene { nodes, records, lacking, milliseconds, ending })
    }

    /// Goes on telling what happens until somebody interrupts. A node that ends is told of, and may be started again.
    pub(super) fn go_on(&mut self) {
        self.pace = Duration::ZERO;
        while !self.interrupt.is_raised() {
            match self.processes.newly_ended() {
                Ok(ended) => ended.iter().for_each(|member| self.tell(*member, "its process ended")),
                Err(error) => self.ui.warn(format!("cannot watch the processes: {error}")),
            }
            if let Err(failure) = self.look() {
                self.ui.warn(failure.text());
            }
            thread::sleep(2 * GLANCE);
        }
        self.ui.say("");
    }

    /// Stops all nodes.
    ///
    /// # Errors
    /// If one did not end well.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        self.processes.stop()
    }

    /// Waits until every node is as wanted; `false` if that takes longer than `patience`.
    fn await_all(&mut self, patience: Duration, wanted: impl Fn(&Snapshot) -> bool) -> Result<bool, Failure> {
        let time = Stopwatch::start();
        while time.elapsed() < patience {
            self.turn()?;
            if self.silent.is_empty() && self.nodes.values().all(&wanted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Hands the records to the first member's node and watches while it logs them.
    fn import(&mut self, drafts: Vec<Draft>, own: bool) -> Result<(), Failure> {
        let importer = self.importer();
        let (code, total) = (importer.code, drafts.len() as u64);
        let import = Import::begin(importer.socket.clone(), drafts);
        while !import.thread.is_finished() {
            self.turn()?;
            if self.pace > Duration::ZERO {
                self.ui.detail(format!("{} of {total} logged", import.logged.load(Ordering::Relaxed)));
            }
        }
        let logged =
            import.thread.join().unwrap_or_else(|_| Err(Failure::new(Exit::Failure, "the import broke off")))?;
        let range = match (logged.first(), logged.last()) {
            (Some(first), Some(last)) if first.id != last.id => format!(": {} to {}", first.id, last.id),
            (Some(only), _) => format!(": {}", only.id),
            (None, _) => String::new(),
        };
        self.tell(code, &format!("logged {}{range}", counted(logged.len() as u64, "record")));
        self.warn_of(&logged, own);
        Ok(())
    }

    /// What is odd about an operator's own declarations; of the samples we know.
    fn warn_of(&self, logged: &[Logged], own: bool) {
        let warnings = logged.iter().flat_map(|record| record.warnings.iter().map(move |text| (record.id, text)));
        for (number, (id, text)) in warnings.enumerate() {
            match own && number < WARNINGS_SHOWN {
                true => self.ui.warn(format!("{id}: {text}")),
                false => self.ui.detail(format!("{id}: {text}")),
            }
        }
    }

    /// Waits until all hold the same and nothing more comes, and has the receipts collected. Gives what is lacking in the end.
    fn converge(&mut self, limit: Duration) -> Result<Vec<String>, Failure> {
        let members: Vec<MemberCode> = self.stage.members.iter().map(|member| member.code).collect();
        let mut calm_since: Option<(Duration, Digest)> = None;
        let mut collected: Option<Duration> = None;
        let mut missing;
        loop {
            self.turn()?;
            let nodes = self.in_order();
            missing = lacking(&nodes, &members);
            let now = self.time.elapsed();
            if missing.is_empty() {
                let frontier = nodes.first().map_or(Digest::ZERO, |node| node.ledger.frontier);
                let since = match calm_since {
                    Some((since, held)) if held == frontier => since,
                    Some(_) | None => now,
                };
                calm_since = Some((since, frontier));
                if now.saturating_sub(since) >= CALM {
                    missing = lacking_receipts(&nodes, &members);
                    if missing.is_empty() {
                        return Ok(missing);
                    }
                    if collected.is_none_or(|at| now.saturating_sub(at) >= RECEIPTS_AGAIN) {
                        collected = Some(now);
                        self.collect_receipts()?;
                    }
                }
            } else {
                calm_since = None;
            }
            if now >= limit {
                return Ok(missing);
            }
        }
    }

    /// Has every node ask all others for their receipts of every log.
    fn collect_receipts(&mut self) -> Result<(), Failure> {
        let sockets = self.stage.members.iter().map(|member| (member.code, member.socket.clone()));
        let threads: Vec<_> = sockets
            .map(|(code, socket)| (code, thread::spawn(move || ask(&socket, &Request::CollectReceipts, RECEIPTS))))
            .collect();
        for (code, thread) in threads {
            match thread.join() {
                Ok(Ok(Response::Done)) => self.tell(code, "collected the others' receipts of every log"),
                Ok(Ok(_)) => return Err(unexpected()),
                Ok(Err(error)) => self.ui.warn(format!("{code} could not collect receipts: {error}")),
                Err(_) => return Err(Failure::new(Exit::Failure, "the collection of receipts broke off")),
            }
        }
        Ok(())
    }

    /// Who can open which of the records that were imported; nothing if they are too many to show.
    fn records(&self) -> Result<Vec<super::scene::Shown>, Failure> {
        let importer = self.importer().code;
        let log = LogId::first(importer);
        let size = self
            .nodes
            .get(&importer)
            .map_or(0, |node| node.ledger.logs.iter().find(|view| view.log == log).map_or(0, |view| view.size));
        if size > RECORDS_SHOWN {
            return Ok(Vec::new());
        }
        let request = Request::RecordList(RecordFilter { log: Some(log), ..RecordFilter::default() });
        let lists = self.stage.members.iter().map(|member| -> Result<(MemberCode, Vec<RecordLine>), Failure> {
            let Response::Records(lines) = ask(&member.socket, &request, ANSWER)? else { return Err(unexpected()) };
            Ok((member.code, lines))
        });
        Ok(together(lists.collect::<Result<_, _>>()?))
    }

    /// One look at everything, then a pause. A process that has ended ends the demo.
    fn turn(&mut self) -> Result<(), Failure> {
        if self.interrupt.is_raised() {
            self.stop()?;
            return Err(interrupted());
        }
        if let Some(ended) = self.processes.newly_ended()?.first() {
            return Err(self.processes.obituary(*ended));
        }
        self.look()?;
        thread::sleep(GLANCE);
        Ok(())
    }

    /// Asks every node, and tells what is new.
    fn look(&mut self) -> Result<(), Failure> {
        for member in &self.stage.members {
            let Some(node) = Snapshot::take(member)? else {
                if self.silent.insert(member.code) {
                    self.nodes.remove(&member.code);
                    self.told.remove(&member.code);
                    self.tell(member.code, "does not answer");
                }
                continue;
            };
            if self.silent.remove(&member.code) {
                let id = self.processes.id(member.code).map_or_else(String::new, |id| format!(", process {id}"));
                self.tell(member.code, &format!("is up{id}"));
            }
            let now = self.time.elapsed();
            let before = self.told.get(&member.code);
            if before.is_none_or(|(at, _)| now.saturating_sub(*at) >= self.pace) {
                if let Some(news) = node.news_since(before.map(|(_, snapshot)| snapshot)) {
                    self.tell(member.code, &news);
                }
                self.told.insert(member.code, (now, node.clone()));
            }
            self.nodes.insert(member.code, node);
        }
        Ok(())
    }

    /// Where a member's node answers.
    pub(super) fn socket(&self, member: MemberCode) -> Result<&'a Path, Failure> {
        let found = self.stage.members.iter().find(|other| other.code == member);
        found.map(|member| member.socket.as_path()).ok_or_else(unexpected)
    }

    /// Says what happened at a member.
    pub(super) fn tell(&self, member: MemberCode, what: &str) {
        let time = self.time.elapsed();
        let (seconds, tenths) = (time.as_secs(), time.subsec_millis() / 100);
        self.ui.say_of(format!("{seconds:>4}.{tenths} s"), member, what);
    }

    /// The newest answers, in the order of the members.
    fn in_order(&self) -> Vec<Snapshot> {
        self.stage.members.iter().filter_map(|member| self.nodes.get(&member.code)).cloned().collect()
    }

    fn importer(&self) -> &'a Member {
        self.stage.members.first().expect("a stage has members")
    }
}

impl Import {
    /// Begins to submit, a bounded number at a time.
    fn begin(socket: PathBuf, drafts: Vec<Draft>) -> Self {
        let logged = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&logged);
        let thread = thread::spawn(move || {
            let mut node = Client::connect(&socket, None)?;
            let mut all = Vec::with_capacity(drafts.len());
            for part in drafts.chunks(DRAFTS_MAX) {
                let request = Request::Submit { drafts: part.to_vec(), imported: true, skip_bad: false };
                let Response::Submitted(results) = node.ask(&request, |_| {})? else { return Err(unexpected()) };
                for result in results {
                    match result {
                        Submitted::Logged { id, warnings } => all.push(Logged { id, warnings }),
                        Submitted::AlreadyLogged { id } => all.push(Logged { id, warnings: Vec::new() }),
                        Submitted::Refused { reasons } => {
                            let message = format!("a record was refused: {}", reasons.join("; "));
                            return Err(Failure::new(Exit::Failure, message));
                        }
                        Submitted::LeftOut => {}
                    }
                }
                counter.store(all.len() as u64, Ordering::Relaxed);
            }
            Ok(all)
        });
        Self { logged, thread }
    }
}

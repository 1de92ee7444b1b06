//! The nodes as processes: started, watched, stopped, and never left behind.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::stage::{Member, Stage};
use super::watch::Stopwatch;
use crate::api::Client;
use crate::cli::report::{Exit, Failure};
use crate::encoding::ids::MemberCode;
use crate::node::ask::Request;

/// How long a node may take to end when it is asked to; after that it is killed.
const ENDING: Duration = Duration::from_secs(10);
/// Between two looks at a process that is to end.
const GLANCE: Duration = Duration::from_millis(20);
/// How much of a node's log is shown when it ends by itself.
const TAIL_BYTES: u64 = 2_000;

/// All nodes. Dropped, it ends those that still run.
#[derive(Debug)]
pub(super) struct Processes {
    all: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    member: MemberCode,
    socket: PathBuf,
    log: PathBuf,
    child: Child,
    /// How it ended, once it has.
    ended: Option<ExitStatus>,
}

impl Processes {
    /// Starts every member's node.
    ///
    /// # Errors
    /// If a process cannot be started; those that were are ended.
    pub(super) fn start(stage: &Stage) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let mut processes = Self { all: Vec::new() };
        for member in &stage.members {
            let started = Process::start(&program, member);
            let started = started
                .map_err(|error| Failure::from(error).context(format!("cannot start the node of {}", member.code)))?;
            processes.all.push(started);
        }
        Ok(processes)
    }

    /// Members whose node has ended since this was asked last.
    ///
    /// # Errors
    /// If the system does not tell.
    pub(super) fn newly_ended(&mut self) -> io::Result<Vec<MemberCode>> {
        let mut ended = Vec::new();
        for process in self.all.iter_mut().filter(|process| process.ended.is_none()) {
            process.ended = process.child.try_wait()?;
            if process.ended.is_some() {
                ended.push(process.member);
            }
        }
        Ok(ended)
    }

    /// The process of a member's node.
    pub(super) fn id(&self, member: MemberCode) -> Option<u32> {
        self.all.iter().find(|process| process.member == member).map(|process| process.child.id())
    }

    /// Why a node ended by itself: its exit code and the end of its log.
    pub(super) fn obituary(&self, member: MemberCode) -> Failure {
        let process = self.all.iter().find(|process| process.member == member);
        let status =
            process.and_then(|process| process.ended).map_or_else(String::new, |status| format!(" ({status})"));
        let tail = process.map(|process| tail(&process.log)).unwrap_or_default();
        Failure::new(Exit::Failure, format!("the node of {member} ended{status}; the end of its log:\n{tail}"))
    }

    /// Asks every node to end, and waits until it has.
    ///
    /// # Errors
    /// If one did not end by itself, or said that something was wrong.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        self.newly_ended()?;
        let running: Vec<MemberCode> =
            self.all.iter().filter(|process| process.ended.is_none()).map(|process| process.member).collect();
        thread::scope(|scope| {
            for process in self.all.iter_mut().filter(|process| process.ended.is_none()) {
                scope.spawn(|| process.ask_to_end());
            }
        });
        let time = Stopwatch::start();
        while self.all.iter().any(|process| process.ended.is_none()) && time.elapsed() < ENDING {
            self.newly_ended()?;
            thread::sleep(GLANCE);
        }
        for process in self.all.iter_mut().filter(|process| process.ended.is_none()) {
            process.child.kill()?;
            process.ended = Some(process.child.wait()?);
        }
        let ill = self
            .all
            .iter()
            .find(|process| running.contains(&process.member) && !process.ended.is_some_and(|status| status.success()));
        ill.map_or(Ok(()), |process| Err(self.obituary(process.member)))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for process in self.all.iter_mut().filter(|process| process.ended.is_none()) {
            // One that cannot be killed has ended already.
            drop(process.child.kill());
            drop(process.child.wait());
        }
    }
}

impl Process {
    fn start(program: &Path, member: &Member) -> io::Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(&member.log)?;
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(&member.config).arg("--stop-on-stdin-end");
        // What the operator has set for a node of their own is not for these.
        let own = std::env::vars_os().map(|(name, _)| name);
        own.filter(|name| name.to_string_lossy().starts_with("SHIELDWALL_")).for_each(|name| {
            command.env_remove(name);
        });
        // The pipe to stdin ends with this process, however that ends: no node outlives it.
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn()?;
        let Member { code, socket, log, .. } = member;
        Ok(Self { member: *code, socket: socket.clone(), log: log.clone(), child, ended: None })
    }

    /// Over the socket; where nobody answers, by the end of its stdin.
    fn ask_to_end(&mut self) {
        let asked =
            Client::connect(&self.socket, Some(ENDING)).and_then(|mut node| node.ask(&Request::Shutdown, |_| {}));
        if asked.is_err() {
            drop(self.child.stdin.take());
        }
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let mut text = Vec::new();
    let read = std::fs::File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        file.read_to_end(&mut text)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&text).trim_end().to_owned(),
        Err(error) => format!("cannot read {}: {error}", log.display()),
    }
}

//! What the nodes answer when they are asked, and what is new in it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::stage::Member;
use crate::api::{Client, ClientError};
use crate::cli::context::unexpected;
use crate::cli::report::Failure;
use crate::cli::show::counted;
use crate::encoding::ids::MemberCode;
use crate::node::ask::{LedgerView, LogView, Request, Response, StatusView};

/// A node that is busy with an import may take its time; one that takes longer is told of.
const PATIENCE: Duration = Duration::from_secs(5);

/// Time since the demo began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch(Instant);

/// One node, as it described itself at one moment.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// Whose node.
    pub(super) member: MemberCode,
    /// How it is.
    pub(super) status: StatusView,
    /// Its logs.
    pub(super) ledger: LedgerView,
}

impl Stopwatch {
    /// Starts now.
    #[allow(clippy::disallowed_methods, reason = "the demo tells how long it took")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago it was started.
    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

impl Snapshot {
    /// Asks a member's node; `None` if it does not answer, or not in time.
    ///
    /// # Errors
    /// If its answer is no answer.
    pub(super) fn take(member: &Member) -> Result<Option<Self>, Failure> {
        let asked = ask(&member.socket, &Request::Status, PATIENCE)
            .and_then(|status| Ok((status, ask(&member.socket, &Request::Ledger, PATIENCE)?)));
        match asked {
            Ok((Response::Status(status), Response::Ledger(ledger))) => {
                Ok(Some(Self { member: member.code, status: *status, ledger }))
            }
            Ok(_) => Err(unexpected()),
            Err(ClientError::Answer(error)) => Err(ClientError::Answer(error).into()),
            Err(_) => Ok(None),
        }
    }

    /// A member's log, as this node holds it: its first, which is the only one here.
    fn log_of(&self, member: MemberCode) -> Option<&LogView> {
        self.ledger.logs.iter().find(|log| log.log.member == member)
    }

    /// What happened since `before`, in a few words; nothing if nothing did.
    pub(super) fn news_since(&self, before: Option<&Self>) -> Option<String> {
        let mut news = Vec::new();
        let (status, earlier) = (&self.status, before.map(|before| &before.status));
        let connected = earlier.map_or(0, |earlier| earlier.peers_connected);
        if status.peers_connected != connected {
            let others = status.members.saturating_sub(1);
            let verb = if status.peers_connected > connected { "connected to" } else { "lost a connection: has" };
            news.push(format!("{verb} {} of {others}", status.peers_connected));
        }
        let signed = |snapshot: &Self| snapshot.log_of(self.member).map_or(0, |log| log.size);
        if signed(self) > before.map_or(0, signed) {
            news.push(format!("signed up to {}", last(self.member, signed(self))));
        }
        let verified: Vec<String> = self
            .ledger
            .logs
            .iter()
            .filter(|log| log.log.member != self.member)
            .filter(|log| {
                let earlier = before.and_then(|before| before.ledger.logs.iter().find(|old| old.log == log.log));
                log.audited > earlier.map_or(0, |earlier| earlier.audited)
            })
            .map(|log| last(log.log, log.audited))
            .collect();
        if !verified.is_empty() {
            news.push(format!("verified up to {}", verified.join(" ")));
        }
        let opened = status.bodies_opened.saturating_sub(earlier.map_or(0, |earlier| earlier.bodies_opened));
        if opened > 0 {
            news.push(format!("opened {}", if opened == 1 { "1 body".to_owned() } else { format!("{opened} bodies") }));
        }
        let sealed = status.bodies_sealed.saturating_sub(earlier.map_or(0, |earlier| earlier.bodies_sealed));
        if sealed > 0 {
            news.push(format!("cannot open {sealed}"));
        }
        if self.cosigned()
            && before.is_none_or(|before| !before.cosigned() || before.ledger.frontier != self.ledger.frontier)
        {
            news.push(format!("cosigned frontier {}", self.ledger.frontier.short()));
        }
        let flagged = status.statements_flagged.saturating_sub(earlier.map_or(0, |earlier| earlier.statements_flagged));
        if flagged > 0 {
            news.push(format!("FLAGGED {}", counted(flagged, "statement")));
        }
        (!news.is_empty()).then(|| news.join("; "))
    }

    /// Whether its own cosignature covers all that it holds.
    fn cosigned(&self) -> bool {
        self.ledger.cosigned_by.contains(&self.member)
    }
}

/// The last of the first `size` records of a log.
fn last(log: impl std::fmt::Display, size: u64) -> String {
    format!("{log}-{}", size.saturating_sub(1))
}

/// Asks one question of the node behind `socket`.
pub(super) fn ask(socket: &Path, request: &Request, patience: Duration) -> Result<Response, ClientError> {
    Client::connect(socket, Some(patience))?.ask(request, |_| {})
}

//! Trying again: with pauses that grow, until it is too old or the node ends.

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Pace;

/// Why something was not delivered, in words of our own: what a server said is not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What happened.
    pub(super) why: Cow<'static, str>,
    /// Whether it would be the same the next time.
    pub(super) lasting: bool,
}

impl Fault {
    /// One that may pass.
    pub(super) fn passing(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), lasting: false }
    }

    /// One that will not.
    pub(super) fn lasting(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), lasting: true }
    }
}

/// Whether the node ends, and how long what is under way may still take.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    signal: watch::Receiver<bool>,
    within: Duration,
    until: Option<Instant>,
}

impl Stop {
    pub(super) fn new(signal: watch::Receiver<bool>, within: Duration) -> Self {
        Self { signal, within, until: None }
    }

    /// Whether the node ends.
    pub(super) fn is_set(&mut self) -> bool {
        if *self.signal.borrow() && self.until.is_none() {
            self.until = Some(Instant::now() + self.within);
        }
        self.until.is_some()
    }

    /// Waits until the node ends.
    pub(super) async fn wait(&mut self) {
        // Whoever drops the handle without a word lets the rest go out in its own time.
        if self.signal.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
        self.is_set();
    }

    /// Pauses, unless the node ends.
    pub(super) async fn pause(&mut self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.wait() => {}
        }
    }

    /// Does something within a time, which is shorter once the node ends.
    pub(super) async fn within<T>(
        &mut self,
        time: Duration,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let over = async {
            self.wait().await;
            tokio::time::sleep_until(self.until.unwrap_or_else(Instant::now)).await;
        };
        tokio::select! {
            biased;
            () = over => Err(Fault::lasting("the node ended")),
            done = tokio::time::timeout(time, work) => done.unwrap_or_else(|_| Err(Fault::passing("timed out"))),
        }
    }
}

/// The attempts at one thing.
#[derive(Debug)]
pub(super) struct Retry {
    since: Instant,
    pause: Duration,
    /// Attempts that failed.
    pub(super) attempts: u32,
}

impl Retry {
    /// `since`: when it was handed over.
    pub(super) fn new(pace: &Pace, since: Instant) -> Self {
        Self { since, pause: pace.pause, attempts: 0 }
    }

    /// Counts a failed attempt, and waits for the next; or says that there is none.
    pub(super) async fn again(&mut self, fault: &Fault, pace: &Pace, stop: &mut Stop) -> bool {
        self.attempts += 1;
        if fault.lasting || stop.is_set() || self.since.elapsed() + self.pause > pace.give_up {
            return false;
        }
        stop.pause(self.pause).await;
        self.pause = (self.pause * 2).min(pace.pause_max);
        true
    }
}

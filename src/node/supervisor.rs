//! The network's task, supervised: when it ends by itself, which is a fault of it or of a library below it, the node goes on
//! without it and starts it anew, with a growing wait. The ledger is not touched.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::network::{self, Command, Config, Event, Handle, NetworkError};

/// Before the network is started again; doubled at every fault.
const WAIT: Duration = Duration::from_secs(1);
/// The longest such wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// A network that ran for so long is not in a crash loop.
const STEADY: Duration = Duration::from_secs(300);

/// A network that is started again when it ends.
#[derive(Debug)]
pub(super) struct Supervisor {
    config: Config,
    handle: Handle,
    running: Option<Running>,
    /// When it is started again, if it has ended.
    due: Instant,
    wait: Duration,
}

#[derive(Debug)]
struct Running {
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
    since: Instant,
}

impl Supervisor {
    /// Starts the network.
    ///
    /// # Errors
    /// [`NetworkError`]: at the first start, a fault is the operator's to mend.
    pub(super) fn start(config: Config) -> Result<Self, NetworkError> {
        let (handle, events, task) = network::start(&config)?;
        let now = Instant::now();
        Ok(Self { config, handle, running: Some(Running { events, task, since: now }), due: now, wait: WAIT })
    }

    /// Where commands go. While the network is down they are refused.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The next event; `None` once, when the network has ended by itself. While it is down, nothing comes.
    pub(super) async fn next(&mut self) -> Option<Event> {
        match &mut self.running {
            None => std::future::pending().await,
            Some(running) => {
                let event = running.events.recv().await;
                if event.is_none() {
                    self.note_end();
                }
                event
            }
        }
    }

    /// An event that is there already.
    pub(super) fn try_next(&mut self) -> Option<Event> {
        self.running.as_mut()?.events.try_recv().ok()
    }

    /// Starts the network again if it is down and the wait is over. Whether it did: then members must be admitted anew.
    pub(super) fn revive(&mut self) -> bool {
        let now = Instant::now();
        if self.running.is_some() || now < self.due {
            return false;
        }
        match network::start(&self.config) {
            Ok((handle, events, task)) => {
                self.handle = handle;
                self.running = Some(Running { events, task, since: now });
                true
            }
            Err(error) => {
                tracing::error!(%error, "the network cannot start; it is tried again");
                self.postpone(now);
                false
            }
        }
    }

    /// Ends the network: connections are closed.
    pub(super) async fn stop(&mut self, within: Duration) {
        let Some(mut running) = self.running.take() else { return };
        super::links::send(&self.handle, Command::Shutdown);
        if tokio::time::timeout(within, &mut running.task).await.is_err() {
            running.task.abort();
        }
    }

    fn note_end(&mut self) {
        let Some(Running { task, since, .. }) = self.running.take() else { return };
        if since.elapsed() > STEADY {
            self.wait = WAIT;
        }
        self.postpone(Instant::now());
        drop(tokio::spawn(async move {
            match task.await {
                Ok(()) => tracing::error!("the network task ended by itself; it is started again"),
                Err(error) => tracing::error!(%error, "the network task failed; it is started again"),
            }
        }));
    }

    fn postpone(&mut self, now: Instant) {
        self.due = now + self.wait;
        self.wait = (self.wait * 2).min(WAIT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_that_ends_is_told_once_and_started_again() {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let config = Config::new(zeroize::Zeroizing::new([7; 32]), [1; 32], listen);
        let mut network = Supervisor::start(config).unwrap();
        assert!(matches!(network.next().await, Some(Event::Listening(_))));
        // Ended from within, as after a panic in it: nobody called `stop`.
        network.handle().send(Command::Shutdown).await.unwrap();
        assert!(network.next().await.is_none());
        assert!(network.try_next().is_none() && !network.revive(), "not before the wait is over");
        assert!(network.handle().try_send(Command::Publish(Vec::new())).is_err());
        tokio::time::sleep(WAIT + Duration::from_millis(100)).await;
        assert!(network.revive());
        assert!(matches!(network.next().await, Some(Event::Listening(_))));
        network.stop(Duration::from_secs(2)).await;
    }
}

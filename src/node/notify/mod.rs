//! How alerts leave a node: mail, a daily digest, and webhooks. They say how much there is, and nothing of what.
//!
//! ```text
//!                    ┌─ red cases of a minute, the digest ─▶ mail.rs ────▶ the mail server
//! engine ─▶ Handle ──┤
//!                    └─ a bounded queue for each webhook ──▶ webhook.rs ─▶ destination.rs says where to, signed ─▶ a system
//!                                                               │
//!                                            undelivered.rs ◀───┴─ what was given up
//! ```
//!
//! The engine never waits: what does not fit is counted and told in the log. Each delivery is tried again with growing pauses (`retry.rs`)
//! and then kept in `data_dir/undelivered.jsonl`. A push is not promised: what was on its way when a machine lost its power is not sent again.
//! The cases themselves are kept, and the next digest counts them.
//!
//! Start with [`Notifier::start`], then [`Handle`].

mod destination;
mod mail;
mod retry;
mod undelivered;
mod webhook;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::node::ask::ToldView;
use crate::node::config::Config;
use crate::node::private::{self, PrivateError};
use crate::watch::alert::{Digest, Raised, Severity, cloud_event};

use mail::Mailbag;
use retry::Stop;
use undelivered::Undelivered;
use webhook::Event;

/// Events that wait for one webhook.
const EVENTS_MAX: usize = 1_000;
/// Webhooks that are posted to at the same time.
const POSTS_AT_ONCE: usize = 4;
/// A key shorter than this can be guessed.
const KEY_CHARS_MIN: usize = 32;

/// How long an ending node waits beyond [`Pace::stop`] for what is given up to be written down.
const GRACE: Duration = Duration::from_secs(5);

/// How fast things go. Tests go faster.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// How long red cases are gathered for one mail.
    gather: Duration,
    /// What one attempt may take.
    attempt: Duration,
    /// Before the second attempt; doubled after each.
    pause: Duration,
    /// The longest pause.
    pause_max: Duration,
    /// From when on nothing is tried again, counted from when it was handed over.
    give_up: Duration,
    /// How long an ending node goes on.
    stop: Duration,
}

const PACE: Pace = Pace {
    gather: Duration::from_secs(60),
    attempt: Duration::from_secs(30),
    pause: Duration::from_secs(5),
    pause_max: Duration::from_secs(600),
    give_up: Duration::from_secs(4 * 3600),
    stop: Duration::from_secs(5),
};

/// Starts what carries alerts out of a node.
#[derive(Clone, Copy, Debug)]
pub struct Notifier;

/// Where the engine hands over what was raised. It does nothing where nothing is configured.
#[derive(Debug)]
pub struct Handle {
    own: MemberCode,
    mailbag: Option<Arc<Mailbag>>,
    webhooks: Vec<mpsc::Sender<Event>>,
    counts: Arc<Counting>,
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    pace: Pace,
}

/// Why alerts cannot leave as the config says.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// A password or key file is missing or not private.
    #[error("`{option}` cannot be used")]
    Secret {
        /// The option that names it.
        option: &'static str,
        /// Why.
        source: PrivateError,
    },
    /// The password file is empty.
    #[error("the file that `alerts.smtp_password_file` names has no password on its first line")]
    NoPassword,
    /// The key can be guessed.
    #[error(
        "the key that `alerts.webhook_key_file` names is shorter than {KEY_CHARS_MIN} characters; `openssl rand -hex 32` makes a good one"
    )]
    ShortKey,
    /// The mail server's name cannot be used for TLS, or this machine trusts no authority.
    #[error("TLS to the mail server cannot be set up")]
    MailTls(#[source] lettre::transport::smtp::Error),
    /// This machine trusts no authority, so no https server could be trusted.
    #[error(
        "this machine has no certificates of authorities: install them (the package ca-certificates), or name a file in SSL_CERT_FILE"
    )]
    NoAuthorities,
    /// TLS for webhooks.
    #[error("TLS for webhooks cannot be set up")]
    WebhookTls(#[source] rustls::Error),
    /// What was given up cannot be kept.
    #[error("cannot use {} in data_dir", undelivered::NAME)]
    Undelivered(#[source] std::io::Error),
}

/// Counters that all tasks share.
#[derive(Debug, Default)]
struct Counting {
    mailed: AtomicU64,
    posted: AtomicU64,
    dropped: AtomicU64,
    undelivered: AtomicU64,
    told: NowAndThen,
}

impl Notifier {
    /// Starts the tasks that the config asks for; none if nothing is configured. To be called within the runtime.
    ///
    /// # Errors
    /// [`NotifyError`]: a password or key cannot be used, or TLS cannot be set up.
    pub fn start(config: &Config, own: MemberCode) -> Result<Handle, NotifyError> {
        Self::start_at(config, own, PACE)
    }

    fn start_at(config: &Config, own: MemberCode, pace: Pace) -> Result<Handle, NotifyError> {
        let (stop, stopping) = watch::channel(false);
        let counts = Arc::new(Counting::default());
        let mut handle =
            Handle { own, mailbag: None, webhooks: Vec::new(), counts: counts.clone(), tasks: Vec::new(), stop, pace };
        let alerts = &config.alerts;
        if alerts.mail.is_none() && alerts.webhooks.is_none() {
            return Ok(handle);
        }
        let undelivered = Undelivered::open(&config.data_dir, counts.clone()).map_err(NotifyError::Undelivered)?;
        let stop = Stop::new(stopping, pace.stop);
        if let Some(mail) = &alerts.mail {
            let mailer = mail::Mailer::new(mail, own)?;
            let mailbag = Arc::new(Mailbag::open(&config.data_dir, mail.digest_hour));
            let task = mail::run(mailer, mailbag.clone(), pace, stop.clone(), undelivered.clone(), counts.clone());
            handle.tasks.push(tokio::spawn(task));
            handle.mailbag = Some(mailbag);
        }
        if let Some(webhooks) = &alerts.webhooks {
            let option = "alerts.webhook_key_file";
            let key =
                private::first_line(&webhooks.key_file).map_err(|source| NotifyError::Secret { option, source })?;
            if key.trim().chars().count() < KEY_CHARS_MIN {
                return Err(NotifyError::ShortKey);
            }
            let hooks = webhook::all(webhooks, &key)?;
            let at_once = Arc::new(Semaphore::new(POSTS_AT_ONCE));
            for hook in hooks {
                let (events, queue) = mpsc::channel(EVENTS_MAX);
                let outside = (undelivered.clone(), counts.clone());
                handle.tasks.push(tokio::spawn(webhook::run(
                    hook,
                    queue,
                    pace,
                    stop.clone(),
                    at_once.clone(),
                    outside,
                )));
                handle.webhooks.push(events);
            }
        }
        Ok(handle)
    }
}

impl Handle {
    /// Hands over what was raised. Never waits: what does not fit is counted, and told in the log now and then.
    pub fn raised(&self, raised: &[Raised]) {
        let mut dropped = 0_u64;
        for raised in raised {
            if let Some(mailbag) = &self.mailbag
                && raised.severity == Severity::Red
                && !mailbag.add(raised.case)
            {
                dropped += 1;
            }
            if self.webhooks.is_empty() {
                continue;
            }
            let body: Arc<str> = cloud_event(self.own, raised).to_string().into();
            for webhook in &self.webhooks {
                let event = Event::new(raised.number, raised.severity, body.clone());
                dropped += u64::from(webhook.try_send(event).is_err());
            }
        }
        if dropped > 0 {
            let all = self.counts.dropped.fetch_add(dropped, Ordering::Relaxed) + dropped;
            if self.counts.told.may() {
                tracing::warn!(
                    dropped = all,
                    "more alerts than can leave the node; the rest is in the list and the digest"
                );
            }
        }
    }

    /// Hands over the daily digest. The day counts as done from here on.
    pub fn digest(&self, digest: &Digest) {
        if let Some(mailbag) = &self.mailbag {
            mailbag.add_digest(*digest, super::clock::now());
        }
    }

    /// Whether the digest of this day is due: its hour has come, in UTC, and none was sent on this day.
    #[must_use]
    pub fn digest_due(&self, now: UnixTime) -> bool {
        self.mailbag.as_ref().is_some_and(|mailbag| mailbag.digest_due(now))
    }

    /// Whether anything leaves at all.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.mailbag.is_some() || !self.webhooks.is_empty()
    }

    /// What became of what was handed over.
    #[must_use]
    pub fn counts(&self) -> ToldView {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counting { mailed, posted, dropped, undelivered, .. } = &*self.counts;
        ToldView { mailed: read(mailed), posted: read(posted), dropped: read(dropped), undelivered: read(undelivered) }
    }

    /// Ends: what waits is tried once more within a few seconds, and the rest is kept as undelivered.
    pub async fn stop(self) {
        let Self { mailbag, webhooks, tasks, stop, pace, .. } = self;
        drop((mailbag, webhooks));
        stop.send_replace(true);
        let within = tokio::time::Instant::now() + pace.stop + GRACE;
        for mut task in tasks {
            if tokio::time::timeout_at(within, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// Lets a line into the log once a minute.
#[derive(Debug, Default)]
struct NowAndThen(std::sync::atomic::AtomicI64);

impl NowAndThen {
    fn may(&self) -> bool {
        let minute = super::clock::now_ms() / 60_000;
        self.0.swap(minute, Ordering::Relaxed) != minute
    }
}

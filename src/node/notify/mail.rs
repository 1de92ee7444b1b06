//! Mail to officers: one for all that became red within a minute, and the daily digest. Subject and text say how much there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use serde_json::{Value as Json, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::retry::{Fault, Retry, Stop};
use super::undelivered::Undelivered;
use super::{Counting, NotifyError, Pace};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::node::config::alerts::{Mail, Privacy};
use crate::node::{clock, private};
use crate::watch::alert::{Digest, pushed};

/// Red cases that are counted for one mail. Beyond it the number is of no use to anybody.
const CASES_MAX: usize = 10_000;
/// What one step of the conversation with a server may take.
const STEP: Duration = Duration::from_secs(15);
/// The file in the data folder that tells on which day the last digest was sent.
const DIGEST_DAY: &str = "digest.day";
const DAY_S: i64 = 86_400;

/// What waits to be mailed. It is counted, not queued: a flood makes a larger number.
#[derive(Debug)]
pub(super) struct Mailbag {
    waiting: Mutex<Waiting>,
    ready: Notify,
    digest_hour: Option<u32>,
    folder: PathBuf,
}

#[derive(Debug, Default)]
struct Waiting {
    cases: BTreeSet<RecordId>,
    digest: Option<(Digest, UnixTime)>,
    /// The day of the last digest.
    day: Option<i64>,
}

impl Mailbag {
    /// An empty one, which knows from the data folder when the last digest was sent.
    pub(super) fn open(folder: &Path, digest_hour: Option<u32>) -> Self {
        let day = fs::read_to_string(folder.join(DIGEST_DAY)).ok().and_then(|text| text.trim().parse().ok());
        let waiting = Mutex::new(Waiting { day, ..Waiting::default() });
        Self { waiting, ready: Notify::new(), digest_hour, folder: folder.to_owned() }
    }

    /// Counts a red case. False if there are too many.
    pub(super) fn add(&self, case: RecordId) -> bool {
        let fits = {
            let mut waiting = self.waiting();
            (waiting.cases.len() < CASES_MAX && waiting.cases.insert(case)) || waiting.cases.contains(&case)
        };
        self.ready.notify_one();
        fits
    }

    /// Takes the digest of a day; one that waits still is replaced.
    pub(super) fn add_digest(&self, digest: Digest, now: UnixTime) {
        let mut waiting = self.waiting();
        waiting.digest = Some((digest, now));
        waiting.day = Some(now.seconds().div_euclid(DAY_S));
        drop(waiting);
        self.ready.notify_one();
    }

    /// Whether the digest of this day is due.
    pub(super) fn digest_due(&self, now: UnixTime) -> bool {
        let (day, second) = (now.seconds().div_euclid(DAY_S), now.seconds().rem_euclid(DAY_S));
        self.digest_hour.is_some_and(|hour| second >= i64::from(hour) * 3_600) && self.waiting().day != Some(day)
    }

    fn take(&self) -> (usize, Option<(Digest, UnixTime)>) {
        let mut waiting = self.waiting();
        (std::mem::take(&mut waiting.cases).len(), waiting.digest.take())
    }

    fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.cases.is_empty() && waiting.digest.is_none()
    }

    /// Keeps the day of a digest that was dealt with, so that a restart sends no second one.
    async fn keep_day(&self, at: UnixTime) {
        let path = self.folder.join(DIGEST_DAY);
        let written = tokio::fs::write(path, at.seconds().div_euclid(DAY_S).to_string()).await;
        if let Err(error) = written {
            tracing::warn!(%error, "{DIGEST_DAY} in data_dir cannot be written: after a restart the digest may be mailed again");
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends mails.
#[derive(Debug)]
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    own: MemberCode,
    from: Address,
    to: Vec<Address>,
    /// The server, for what was given up.
    server: String,
}

/// One mail before it is written.
#[derive(Clone, Debug)]
struct Letter {
    /// What it is: `push` or `digest`.
    what: &'static str,
    subject: String,
    text: String,
}

impl Mailer {
    pub(super) fn new(mail: &Mail, own: MemberCode) -> Result<Self, NotifyError> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let server = &mail.server;
        let builder = match server.privacy {
            Privacy::Tls => Transport::relay(&server.host).map_err(NotifyError::MailTls)?,
            Privacy::StartTls => Transport::starttls_relay(&server.host).map_err(NotifyError::MailTls)?,
            // Only to a loopback address: the config sees to it.
            Privacy::Plain => Transport::builder_dangerous(&server.host),
        };
        // The name of this machine is nobody's business.
        let hello = ClientId::Domain(mail.from.domain().to_owned());
        let mut builder = builder.port(server.port).timeout(Some(STEP)).hello_name(hello);
        if let Some((user, file)) = &mail.login {
            let option = "alerts.smtp_password_file";
            let password = private::first_line(file).map_err(|source| NotifyError::Secret { option, source })?;
            if password.is_empty() {
                return Err(NotifyError::NoPassword);
            }
            builder = builder.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        let to = mail.to.clone();
        let place = format!("{}:{}", server.host, server.port);
        Ok(Self { transport: builder.build(), own, from: mail.from.clone(), to, server: place })
    }

    fn push(&self, cases: usize) -> Option<Letter> {
        let text = pushed(cases)?;
        let subject = format!("Shieldwall {}: {text}", self.own);
        let text =
            format!("{subject}.\r\n\r\nThe list of alerts of this node shows what it is. This mail does not.\r\n");
        Some(Letter { what: "push", subject, text })
    }

    fn digest(&self, digest: &Digest) -> Letter {
        let subject = format!("Shieldwall {}: daily digest", self.own);
        Letter { what: "digest", subject, text: format!("{}\r\n", digest.text()) }
    }

    /// Sends a letter to all recipients, each by itself, so that an address that is refused keeps no other from its mail. False if it was
    /// given up.
    async fn send(
        &self,
        letter: &Letter,
        pace: &Pace,
        stop: &mut Stop,
        undelivered: &Undelivered,
        counts: &Counting,
    ) -> bool {
        let mut retry = Retry::new(pace, Instant::now());
        let mut left = self.to.clone();
        loop {
            let mut passing = None;
            let mut again = Vec::new();
            for (at, address) in left.iter().enumerate() {
                match stop.within(pace.attempt, self.send_to(letter, address)).await {
                    Ok(Ok(())) => {
                        counts.mailed.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(Err(fault)) if fault.lasting => {
                        undelivered.keep(self.given_up(letter, address), retry.attempts + 1, &fault).await;
                    }
                    Ok(Err(fault)) => {
                        again.push(address.clone());
                        passing = Some(fault);
                    }
                    Err(fault) => {
                        again.extend(left[at..].iter().cloned());
                        passing = Some(fault);
                        break;
                    }
                }
            }
            let Some(fault) = passing else { return true };
            left = again;
            if retry.attempts == 0 {
                tracing::warn!(server = self.server, why = %fault.why, "a mail could not be sent; it is tried again");
            }
            if !retry.again(&fault, pace, stop).await {
                for address in &left {
                    undelivered.keep(self.given_up(letter, address), retry.attempts, &fault).await;
                }
                return false;
            }
        }
    }

    /// The outer fault: there is no speaking with the server. The inner one: it refused this mail.
    async fn send_to(&self, letter: &Letter, to: &Address) -> Result<Result<(), Fault>, Fault> {
        let Ok(envelope) = Envelope::new(Some(self.from.clone()), vec![to.clone()]) else {
            return Ok(Err(Fault::lasting("the mail has no recipient")));
        };
        let sent = self.transport.send_raw(&envelope, self.write(letter, to).as_bytes()).await;
        let Err(error) = sent else { return Ok(Ok(())) };
        match error.status() {
            Some(code) if error.is_permanent() => Ok(Err(Fault::lasting(format!("the server said {code}")))),
            Some(code) => Ok(Err(Fault::passing(format!("the server said {code}")))),
            None if error.is_timeout() => Err(Fault::passing("timed out")),
            None if error.is_tls() => Err(Fault::passing("no TLS with the server")),
            None if error.is_client() => {
                Err(Fault::passing("the server offers no STARTTLS, or no login that is known here"))
            }
            None => Err(Fault::passing("no connection")),
        }
    }

    /// The mail as RFC 5322 has it. Everything in it is ASCII in short lines: our own words, and addresses that the config has looked at.
    fn write(&self, letter: &Letter, to: &Address) -> String {
        let mut random = [0_u8; 16];
        // Without randomness, which a running system always has, the ids of two mails would be alike and nothing else.
        getrandom::fill(&mut random).ok();
        let id = data_encoding::HEXLOWER.encode(&random);
        let date = jiff::Timestamp::from_second(clock::now().seconds()).unwrap_or_default();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&date).unwrap_or_default();
        let Self { from, .. } = self;
        let Letter { subject, text, .. } = letter;
        // Auto-Submitted: so that nobody's absence is mailed back.
        format!(
            "Date: {date}\r\nFrom: {from}\r\nTo: {to}\r\nMessage-ID: <{id}@{}>\r\nSubject: {subject}\r\n\
             Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{text}",
            from.domain()
        )
    }

    fn given_up(&self, letter: &Letter, to: &Address) -> Json {
        let to: &str = to.as_ref();
        json!({ "by": "mail", "server": self.server, "to": to, "what": letter.what })
    }
}

/// Mails what comes into the bag until the node ends.
pub(super) async fn run(
    mailer: Mailer,
    mailbag: Arc<Mailbag>,
    pace: Pace,
    mut stop: Stop,
    undelivered: Undelivered,
    counts: Arc<Counting>,
) {
    loop {
        tokio::select! {
            () = mailbag.ready.notified() => stop.pause(pace.gather).await,
            () = stop.wait() => {}
        }
        let (cases, digest) = mailbag.take();
        if let Some(letter) = mailer.push(cases) {
            mailer.send(&letter, &pace, &mut stop, &undelivered, &counts).await;
        }
        if let Some((digest, at)) = digest {
            let sent = mailer.send(&mailer.digest(&digest), &pace, &mut stop, &undelivered, &counts).await;
            // The next start sends what the end of the node cut off.
            if sent || !stop.is_set() {
                mailbag.keep_day(at).await;
            }
        }
        if stop.is_set() && mailbag.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_due_once_a_day_from_its_hour_on() {
        let folder = tempfile::tempdir().unwrap();
        let at = |day: i64, hour: i64| UnixTime::from_seconds(day * DAY_S + hour * 3_600).unwrap();
        let mailbag = Mailbag::open(folder.path(), Some(6));
        assert!(!mailbag.digest_due(at(19_000, 5)) && mailbag.digest_due(at(19_000, 6)));
        mailbag.add_digest(Digest::default(), at(19_000, 7));
        assert!(!mailbag.digest_due(at(19_000, 23)) && !mailbag.digest_due(at(19_001, 5)));
        assert!(mailbag.digest_due(at(19_001, 6)));
        assert!(!Mailbag::open(folder.path(), None).digest_due(at(19_000, 6)));
    }

    #[tokio::test]
    async fn a_restart_sends_no_second_digest() {
        let folder = tempfile::tempdir().unwrap();
        let at = UnixTime::from_seconds(19_000 * DAY_S + 40_000).unwrap();
        Mailbag::open(folder.path(), Some(6)).keep_day(at).await;
        assert!(!Mailbag::open(folder.path(), Some(6)).digest_due(at));
        assert!(Mailbag::open(folder.path(), Some(6)).digest_due(at.plus(DAY_S)));
    }

    #[test]
    fn a_flood_is_counted_within_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let mailbag = Mailbag::open(folder.path(), None);
        let case = |number: usize| format!("MZ-{number}").parse().unwrap();
        assert!((0..CASES_MAX).all(|number| mailbag.add(case(number))));
        assert!(!mailbag.add(case(CASES_MAX)) && mailbag.add(case(3)));
        assert_eq!(mailbag.take().0, CASES_MAX);
    }
}

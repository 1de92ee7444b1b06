//! Mail and webhooks against servers on this machine, over real sockets.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::node::config::Sources;
use crate::watch::alert::{Act, CaseEvent, Rule, of_withheld};

const KEY: &str = "0123456789abcdef0123456789abcdef";
/// Words of the consignments that the alerts below are about.
const SECRETS: [&str; 6] = ["GE-4711", "MZ-77", "ammonium-nitrate", "6GE1234567-77", "over-shipped", "GE"];

/// Fast enough for tests.
const FAST: Pace = Pace {
    gather: Duration::from_millis(200),
    attempt: Duration::from_secs(2),
    pause: Duration::from_millis(20),
    pause_max: Duration::from_millis(100),
    give_up: Duration::from_millis(500),
    stop: Duration::from_millis(500),
};

fn red(number: u64, case: &str) -> Raised {
    raised(number, case, Severity::Red)
}

fn raised(number: u64, case: &str, severity: Severity) -> Raised {
    let (case, at, rule) = (case.parse().unwrap(), crate::node::clock::now(), Rule::OverShipped);
    let mark = of_withheld(case).mark;
    let event = CaseEvent { case, at, by: None, act: Act::Raised { rule, mark, severity } };
    Raised { number, case, rule, severity, at, event }
}

fn private(path: &Path, text: &str) {
    crate::node::private::write_new(path, text.as_bytes()).unwrap();
}

fn start(folder: &Path, options: &str) -> Handle {
    Notifier::start_at(&config(folder, options), "MZ".parse().unwrap(), FAST).unwrap()
}

fn config(folder: &Path, options: &str) -> Config {
    let text = format!("member = \"MZ\"\ndata_dir = \".\"\n[alerts]\n{options}");
    Config::parse(&folder.join("node.toml"), &text, &Sources::default()).unwrap().0
}

fn mail_options(port: u16, to: &str) -> String {
    format!(
        "smtp = \"smtp-plain://127.0.0.1:{port}\"\nmail_from = \"node@customs.example\"\nmail_to = [{to}]\ndigest_hour = 6\n"
    )
}

fn hook_options(folder: &Path, urls: &str, hosts: &str) -> String {
    if !folder.join("key").exists() {
        private(&folder.join("key"), KEY);
    }
    format!("webhooks = [{urls}]\nwebhook_hosts = [{hosts}]\nwebhook_key_file = \"key\"\n")
}

/// Whether this machine knows no authority, so that TLS cannot be set up at all.
fn nobody_is_trusted() -> bool {
    let none = rustls_native_certs::load_native_certs().certs.is_empty();
    if none {
        println!("skipped: this machine trusts no authority");
    }
    none
}

/// Waits for something that other tasks do.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("in 10 s not seen: {what}");
}

fn undelivered(folder: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(folder.join(undelivered::NAME)).unwrap_or_default();
    assert_says_nothing(&text);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn assert_says_nothing(text: &str) {
    for secret in SECRETS {
        let word =
            text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').any(|word| word == secret);
        assert!(!word, "`{secret}` stands in {text}");
    }
}

/// A mail server that takes everything, except for addresses that begin with `nobody`.
#[derive(Clone, Default)]
struct MailSink {
    mails: Arc<Mutex<Vec<String>>>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl MailSink {
    async fn start() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = Self::default();
        sink.serve(listener);
        (sink, port)
    }

    fn serve(&self, listener: TcpListener) {
        let sink = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(sink.clone().speak(stream));
            }
        });
    }

    async fn speak(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 sink\r\n").await.unwrap();
        let mut mail: Option<String> = None;
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(text) = &mut mail {
                if line != "." {
                    *text += &(line + "\n");
                    continue;
                }
                self.mails.lock().unwrap().extend(mail.take());
            }
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => "250-sink\r\n250 AUTH PLAIN\r\n",
                "AUTH" => "235 welcome\r\n",
                "RCPT" if line.contains("<nobody") => "550 no such officer\r\n",
                "DATA" => {
                    mail = Some(String::new());
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 good\r\n",
            };
            self.lines.lock().unwrap().push(line);
            if write.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn count(&self) -> usize {
        self.mails.lock().unwrap().len()
    }
}

/// A system that takes events. It answers with the statuses in their order, and with the last one again and again.
#[derive(Clone)]
struct HookSink {
    requests: Arc<Mutex<Vec<(String, String)>>>,
    answers: &'static [&'static str],
}

impl HookSink {
    async fn start(answers: &'static [&'static str]) -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = Self { requests: Arc::default(), answers };
        let this = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(this.clone().speak(stream));
            }
        });
        (sink, port)
    }

    async fn speak(self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let length = header(&head, "content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let answer = {
            let mut requests = self.requests.lock().unwrap();
            requests.push((head, String::from_utf8(body).unwrap()));
            self.answers[(requests.len() - 1).min(self.answers.len() - 1)]
        };
        drop(stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await);
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|found| found.1)
}

#[tokio::test]
async fn all_that_was_raised_within_a_minute_is_one_mail_that_says_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, port) = MailSink::start().await;
    private(&folder.path().join("password"), "correct horse\n");
    let login = "smtp_user = \"node\"\nsmtp_password_file = \"password\"\n";
    let handle = start(folder.path(), &(mail_options(port, "\"officer@customs.example\"") + login));
    handle.raised(&[red(1, "GE-4711"), raised(2, "MZ-77", Severity::Amber)]);
    handle.raised(&[red(3, "GE-4711"), red(4, "MZ-77")]);
    until("a mail", || sink.count() == 1).await;
    tokio::time::sleep(FAST.gather * 2).await;
    assert_eq!(sink.count(), 1, "one mail, not one each");
    {
        let mails = sink.mails.lock().unwrap();
        assert!(mails[0].contains("Subject: Shieldwall MZ: 2 red items, log in\n"), "{}", mails[0]);
        assert!(
            mails[0].contains("From: node@customs.example\n") && mails[0].contains("Auto-Submitted: auto-generated")
        );
        assert_says_nothing(&mails[0]);
        let lines = sink.lines.lock().unwrap();
        assert!(lines.contains(&"EHLO customs.example".to_owned()), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("AUTH PLAIN ")), "{lines:?}");
    }

    let now = crate::node::clock::now();
    handle.digest(&Digest { open: [2, 1, 0], oldest: Some(now), ..Digest::default() });
    assert!(!handle.digest_due(now), "done for today");
    until("the digest", || sink.count() == 2).await;
    {
        let mails = sink.mails.lock().unwrap();
        assert!(mails[1].contains("Subject: Shieldwall MZ: daily digest\n"), "{}", mails[1]);
        assert!(mails[1].contains("Open: 2 red, 1 amber, 0 for information."), "{}", mails[1]);
        assert_says_nothing(&mails[1]);
    }
    assert!(handle.is_configured());
    assert_eq!(handle.counts(), ToldView { mailed: 2, ..ToldView::default() });
    handle.stop().await;
}

#[tokio::test]
async fn an_address_that_is_refused_keeps_no_other_from_its_mail() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, port) = MailSink::start().await;
    let to = "\"nobody@customs.example\", \"officer@customs.example\"";
    let handle = start(folder.path(), &mail_options(port, to));
    handle.raised(&[red(1, "GE-4711")]);
    until("a mail", || sink.count() == 1).await;
    until("a dead letter", || handle.counts().undelivered == 1).await;
    handle.stop().await;
    let lines = undelivered(folder.path());
    assert_eq!((&lines[0]["to"], &lines[0]["attempts"]), (&"nobody@customs.example".into(), &1.into()));
    assert_eq!(lines[0]["why"], "the server said 550");
}

#[tokio::test]
async fn a_mail_server_that_is_down_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let handle = start(folder.path(), &mail_options(port, "\"officer@customs.example\""));
    handle.raised(&[red(1, "GE-4711")]);
    tokio::time::sleep(FAST.gather + Duration::from_millis(100)).await;
    let sink = MailSink::default();
    sink.serve(TcpListener::bind(("127.0.0.1", port)).await.unwrap());
    until("a mail", || sink.count() == 1).await;
    assert_eq!(handle.counts().undelivered, 0);
    handle.stop().await;
}

#[tokio::test]
async fn a_mail_server_without_tls_is_told_nothing() {
    if nobody_is_trusted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (sink, port) = MailSink::start().await;
    private(&folder.path().join("password"), "correct horse\n");
    let options =
        mail_options(port, "\"officer@customs.example\"").replace("smtp-plain://127.0.0.1", "smtp://localhost");
    let handle = start(folder.path(), &(options + "smtp_user = \"node\"\nsmtp_password_file = \"password\"\n"));
    handle.raised(&[red(1, "GE-4711")]);
    until("a dead letter", || handle.counts().undelivered == 1).await;
    handle.stop().await;
    let lines = sink.lines.lock().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{lines:?}");
    assert!(undelivered(folder.path())[0]["why"].as_str().unwrap().contains("STARTTLS"));
}

#[tokio::test]
async fn what_cannot_be_mailed_is_kept_as_undelivered() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let handle = start(folder.path(), &mail_options(port, "\"officer@customs.example\""));
    handle.raised(&[red(1, "GE-4711")]);
    until("a dead letter", || handle.counts().undelivered == 1).await;
    handle.stop().await;
    let lines = undelivered(folder.path());
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["by"], &lines[0]["what"], &lines[0]["why"]),
        (&"mail".into(), &"push".into(), &"no connection".into())
    );
    assert!(lines[0]["attempts"].as_u64().unwrap() > 2, "{}", lines[0]);
}

#[tokio::test]
async fn a_mail_server_that_says_nothing_holds_up_no_end_of_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handle =
        start(folder.path(), &mail_options(listener.local_addr().unwrap().port(), "\"officer@customs.example\""));
    handle.raised(&[red(1, "GE-4711")]);
    let begun = tokio::time::Instant::now();
    handle.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(undelivered(folder.path())[0]["why"], "the node ended");
}

#[tokio::test]
async fn an_event_is_posted_signed_and_names_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, port) = HookSink::start(&["503 busy", "202 taken"]).await;
    let url = format!("\"http://127.0.0.1:{port}/in/token?x=1\"");
    let handle = start(folder.path(), &hook_options(folder.path(), &url, "\"internal:127.0.0.1\""));
    handle.raised(&[red(17, "GE-4711")]);
    until("an event", || handle.counts().posted == 1).await;
    handle.raised(&[raised(18, "GE-4711", Severity::Amber)]);
    until("another", || handle.counts().posted == 2).await;
    handle.stop().await;

    let requests = sink.requests.lock().unwrap();
    assert_eq!(requests.len(), 3, "the busy host was asked again");
    for (head, body) in requests.iter() {
        assert!(head.starts_with("POST /in/token?x=1 HTTP/1.1\r\n"), "{head}");
        assert_eq!(header(head, "host"), Some(format!("127.0.0.1:{port}").as_str()));
        assert!(header(head, "content-type").unwrap().starts_with("application/cloudevents+json"));
        assert_says_nothing(body);
        assert_says_nothing(head);
        verify(header(head, "x-shieldwall-signature").unwrap(), body);
    }
    let event: Json = serde_json::from_str(&requests[1].1).unwrap();
    assert_eq!((&event["specversion"], &event["id"], &event["severity"]), (&"1.0".into(), &"17".into(), &"red".into()));
    assert_eq!((&event["source"], &event["type"]), (&"/shieldwall/MZ".into(), &"shieldwall.alert.raised".into()));
    assert_eq!(requests[0].1, requests[1].1, "a repetition is known by its id");
}

/// What a receiver does, written by itself after RFC 2104.
fn verify(signature: &str, body: &str) {
    use sha2::{Digest as _, Sha256};
    let (time, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let age = crate::node::clock::now().seconds() - time.parse::<i64>().unwrap();
    assert!((0..10).contains(&age), "{age} s old");
    let mut block = [0_u8; 64];
    block[..KEY.len()].copy_from_slice(KEY.as_bytes());
    let inner =
        Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(format!("{time}.{body}")).finalize();
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize();
    assert_eq!(mac, data_encoding::HEXLOWER.encode(&outer));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (other, _) = HookSink::start(&["200 OK"]).await;
    let (sink, port) = HookSink::start(&["307 elsewhere\r\nLocation: http://127.0.0.1/other"]).await;
    let url = format!("\"http://127.0.0.1:{port}/\"");
    let handle = start(folder.path(), &hook_options(folder.path(), &url, "\"internal:127.0.0.1\""));
    handle.raised(&[red(1, "GE-4711")]);
    until("a dead letter", || handle.counts().undelivered == 1).await;
    handle.stop().await;
    assert_eq!((sink.count(), other.count()), (1, 0));
    assert_eq!(undelivered(folder.path())[0]["why"], "redirected with 307, which is not followed");
}

#[tokio::test]
async fn hosts_that_may_not_be_reached_see_no_connection() {
    if nobody_is_trusted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let reached = Arc::new(Mutex::new(0));
    let counted = reached.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            *counted.lock().unwrap() += 1;
        }
    });
    // The name leads to this machine, and nobody said that it may; what is listed later in the config does not help it.
    let url = format!("\"https://localhost:{port}/token\"");
    let options = hook_options(folder.path(), &url, "\"localhost\", \"internal:127.0.0.1\"");
    let handle = start(folder.path(), &options);
    handle.raised(&[red(1, "GE-4711")]);
    until("a dead letter", || handle.counts().undelivered == 1).await;
    handle.stop().await;
    let lines = undelivered(folder.path());
    assert!(lines[0]["why"].as_str().unwrap().contains("private address"), "{}", lines[0]);
    assert!(!lines[0].to_string().contains("token"), "the path may be as good as a password: {}", lines[0]);
    assert_eq!(*reached.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_flood_of_alerts_is_bounded_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    // It takes connections and says nothing, so that all waits.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("\"http://127.0.0.1:{}/\"", listener.local_addr().unwrap().port());
    let (sink, port) = MailSink::start().await;
    let options = hook_options(folder.path(), &url, "\"internal:127.0.0.1\"");
    let handle = start(folder.path(), &(mail_options(port, "\"officer@customs.example\"") + &options));
    let flood: Vec<Raised> = (1..=12_000).map(|number| red(number, &format!("GE-{number}"))).collect();
    let begun = tokio::time::Instant::now();
    handle.raised(&flood);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let dropped = handle.counts().dropped;
    assert!((12_000 - EVENTS_MAX as u64 + 2_000 - 1..=13_000).contains(&dropped), "{dropped}");
    until("a mail", || sink.count() == 1).await;
    assert!(sink.mails.lock().unwrap()[0].contains("10000 red items, log in"));
    handle.stop().await;
    // All is accounted for: what was in the queue was given up when the node ended.
    assert_eq!(undelivered(folder.path()).len() as u64 + dropped, 14_000);
}

#[tokio::test]
async fn nothing_is_started_where_nothing_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path(), "");
    handle.raised(&[red(1, "GE-4711")]);
    handle.digest(&Digest::default());
    assert!(!handle.digest_due(crate::node::clock::now()));
    assert!(!handle.is_configured());
    assert_eq!((handle.counts(), handle.tasks.len()), (ToldView::default(), 0));
    handle.stop().await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn passwords_and_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let begin = |options: &str| Notifier::start_at(&config(folder.path(), options), "MZ".parse().unwrap(), FAST);
    let login =
        mail_options(25, "\"officer@customs.example\"") + "smtp_user = \"node\"\nsmtp_password_file = \"password\"\n";
    assert!(begin(&login).unwrap_err().to_string().contains("alerts.smtp_password_file"));
    private(&folder.path().join("password"), "secret");
    std::fs::set_permissions(folder.path().join("password"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let NotifyError::Secret { source: PrivateError::Open { .. }, .. } = begin(&login).unwrap_err() else { panic!() };
    private(&folder.path().join("key"), "short");
    let hook = hook_options(folder.path(), "\"http://127.0.0.1:9/\"", "\"internal:127.0.0.1\"");
    assert!(begin(&hook).unwrap_err().to_string().contains("shorter than 32 characters"));
}

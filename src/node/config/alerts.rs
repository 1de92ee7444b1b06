//! How alerts leave the node: the mail server, the webhooks, and the hosts that webhooks may reach.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use url::{Host, Url};

use super::layers::Layers;

/// A list of officers, not of subscribers.
const RECIPIENTS_MAX: usize = 32;
/// Each has a queue and a task.
const WEBHOOKS_MAX: usize = 16;

/// How alerts leave the node. Nothing leaves unless it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// By mail.
    pub mail: Option<Mail>,
    /// To other systems of this country.
    pub webhooks: Option<Webhooks>,
}

/// Mail to officers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Which server takes it.
    pub server: MailServer,
    /// Who sends it.
    pub from: lettre::Address,
    /// Who gets it.
    pub to: Vec<lettre::Address>,
    /// The name at the server, and the file with the password.
    pub login: Option<(String, PathBuf)>,
    /// From which hour of the day on, in UTC, the daily digest is sent.
    pub digest_hour: Option<u32>,
}

/// A mail server, written `smtps://HOST`, `smtp://HOST` or `smtp-plain://ADDRESS`, each with a port if it is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub privacy: Privacy,
}

/// How a connection to a mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS, without which nothing is sent.
    StartTls,
    /// None: a relay on this machine.
    Plain,
}

/// Webhooks and what they need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// Where events are posted.
    pub targets: Vec<WebhookUrl>,
    /// The hosts that may be reached.
    pub hosts: BTreeSet<AllowedHost>,
    /// The file with the key that signs what is posted.
    pub key_file: PathBuf,
}

/// Where events are posted: an `https` address, or `http` on this machine itself.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

/// A host that webhooks may reach: `siem.example.org`, or `internal:siem.example.org` if it has an address of this country's own network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedHost {
    /// Its name or address.
    pub host: Host<String>,
    /// Whether it may have a private address or be this machine.
    pub internal: bool,
}

/// A text that is no mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a mail server is written smtps://mail.example.org (TLS), smtp://mail.example.org (STARTTLS) or smtp-plain://127.0.0.1 (on this machine only)"
)]
pub struct BadMailServer;

/// A text that is no address of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook is an https address without user, password or fragment; http is for 127.0.0.1 and [::1] only")]
pub struct BadWebhook;

/// A text that is no allowed host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a host is written siem.example.org, 198.51.100.7 or [2001:db8::7], with internal: before it if its address is a private one"
)]
pub struct BadHost;

impl FromStr for MailServer {
    type Err = BadMailServer;

    fn from_str(text: &str) -> Result<Self, BadMailServer> {
        let (scheme, rest) = text.split_once("://").ok_or(BadMailServer)?;
        let (privacy, usual) = match scheme {
            "smtps" => (Privacy::Tls, 465),
            "smtp" => (Privacy::StartTls, 587),
            "smtp-plain" => (Privacy::Plain, 25),
            _ => return Err(BadMailServer),
        };
        if privacy == Privacy::Plain {
            let address = rest.parse::<SocketAddr>().or_else(|_| Ok(SocketAddr::new(rest.parse()?, usual)));
            let address = address.map_err(|_: std::net::AddrParseError| BadMailServer)?;
            let here = address.ip().is_loopback() && address.port() != 0;
            let host = address.ip().to_string();
            return if here { Ok(Self { host, port: address.port(), privacy }) } else { Err(BadMailServer) };
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| BadMailServer)?),
            None => (rest, usual),
        };
        let letters = host.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.' || letter == '-');
        let good = letters && host.len() <= 253 && host.starts_with(|first: char| first.is_ascii_alphanumeric());
        if good && port != 0 { Ok(Self { host: host.to_owned(), port, privacy }) } else { Err(BadMailServer) }
    }
}

impl WebhookUrl {
    /// The host.
    #[must_use]
    pub fn host(&self) -> Host<String> {
        self.0.host().map(|host| host.to_owned()).expect("checked when it was read")
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().expect("https and http have one")
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// What stands in the request line.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.0[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// What stands in the header `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.0[url::Position::BeforeHost..url::Position::AfterPort]
    }
}

impl FromStr for WebhookUrl {
    type Err = BadWebhook;

    fn from_str(text: &str) -> Result<Self, BadWebhook> {
        let url = Url::parse(text).map_err(|_| BadWebhook)?;
        let here = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(_)) => false,
            None => return Err(BadWebhook),
        };
        let scheme = url.scheme() == "https" || (url.scheme() == "http" && here);
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if scheme && bare && url.port() != Some(0) { Ok(Self(url)) } else { Err(BadWebhook) }
    }
}

/// Its path may be as good as a password: it is not shown.
impl fmt::Debug for WebhookUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}/…", self.0.scheme(), self.authority())
    }
}

impl AllowedHost {
    /// Whether a host is this one.
    #[must_use]
    pub fn is(&self, host: &Host<String>) -> bool {
        self.host == *host
    }
}

impl FromStr for AllowedHost {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let (internal, text) = text.strip_prefix("internal:").map_or((false, text), |rest| (true, rest));
        let host = Host::parse(text).map_err(|_| BadHost)?;
        Ok(Self { host, internal })
    }
}

/// Takes the options that start with `alerts.`, so that all faults are found.
pub(super) fn check(layers: &mut Layers<'_>) -> Option<Alerts> {
    let mail = check_mail(layers);
    let webhooks = check_webhooks(layers);
    Some(Alerts { mail: mail?, webhooks: webhooks? })
}

fn check_mail(layers: &mut Layers<'_>) -> Option<Option<Mail>> {
    let wanted = layers.text("alerts.smtp").is_some();
    let server = layers.parsed::<MailServer>("alerts.smtp");
    let from = layers.parsed::<lettre::Address>("alerts.mail_from");
    let to = layers.parsed_list::<lettre::Address>("alerts.mail_to")?;
    for (key, address) in
        from.iter().map(|from| ("alerts.mail_from", from)).chain(to.iter().map(|to| ("alerts.mail_to", to)))
    {
        let text: &str = address.as_ref();
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
            layers.fault(key, format!("has an address with other letters than plain ones: {text:?}"));
        }
    }
    let user = layers.text("alerts.smtp_user");
    let password_file = layers.path("alerts.smtp_password_file");
    let digest_hour = layers.number("alerts.digest_hour");
    if !wanted {
        if !to.is_empty() {
            layers.fault("alerts.mail_to", "needs `alerts.smtp`, the server that takes the mail".to_owned());
        }
        if digest_hour.is_some() {
            layers.fault("alerts.digest_hour", "needs `alerts.smtp`: the digest is a mail".to_owned());
        }
        return Some(None);
    }
    if to.is_empty() {
        layers.fault("alerts.smtp", "needs `alerts.mail_to`, who gets the mail".to_owned());
    }
    if to.len() > RECIPIENTS_MAX {
        layers.fault("alerts.mail_to", format!("has more than {RECIPIENTS_MAX} addresses; use a list of the server"));
    }
    if layers.text("alerts.mail_from").is_none() {
        layers.fault("alerts.smtp", "needs `alerts.mail_from`, who sends the mail".to_owned());
    }
    let login = match (user, password_file) {
        (Some(user), Some(file)) => Some((user, file)),
        (None, None) => None,
        (Some(_), None) => {
            layers.fault("alerts.smtp_user", "needs `alerts.smtp_password_file`".to_owned());
            None
        }
        (None, Some(_)) => {
            layers.fault("alerts.smtp_password_file", "needs `alerts.smtp_user`".to_owned());
            None
        }
    };
    Some(Some(Mail { server: server?, from: from?, to, login, digest_hour }))
}

fn check_webhooks(layers: &mut Layers<'_>) -> Option<Option<Webhooks>> {
    let targets = layers.parsed_list::<WebhookUrl>("alerts.webhooks");
    let hosts = layers.parsed_list::<AllowedHost>("alerts.webhook_hosts");
    let key_file = layers.path("alerts.webhook_key_file");
    let (targets, hosts) = (targets?, hosts?);
    if targets.is_empty() {
        return Some(None);
    }
    if targets.len() > WEBHOOKS_MAX {
        layers.fault("alerts.webhooks", format!("has more than {WEBHOOKS_MAX} addresses"));
    }
    for target in &targets {
        let host = target.host();
        let listed = hosts.iter().find(|allowed| allowed.is(&host));
        let fault = match (listed, is_loopback(&host)) {
            (None, _) => format!("goes to `{host}`, which is not in `alerts.webhook_hosts`"),
            (Some(AllowedHost { internal: false, .. }), true) => {
                format!("goes to this machine: write `internal:{host}` in `alerts.webhook_hosts` if that is meant")
            }
            (Some(_), _) => continue,
        };
        layers.fault("alerts.webhooks", fault);
    }
    if key_file.is_none() {
        layers.fault("alerts.webhooks", "needs `alerts.webhook_key_file`, whose key signs what is posted".to_owned());
    }
    Some(Some(Webhooks { targets, hosts: hosts.into_iter().collect(), key_file: key_file? }))
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::node::config::{Config, Sources};

    fn load(text: &str) -> Result<Alerts, String> {
        let text = format!("member = \"MZ\"\n[alerts]\n{text}");
        let read = Config::parse(Path::new("/c/node.toml"), &text, &Sources::default());
        read.map(|(config, _)| config.alerts).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mail_server_is_private_or_on_this_machine() {
        let server = |text: &str| text.parse::<MailServer>().map(|server| (server.host, server.port, server.privacy));
        assert_eq!(server("smtps://mail.gov.example"), Ok(("mail.gov.example".to_owned(), 465, Privacy::Tls)));
        assert_eq!(server("smtp://mail.gov.example:25"), Ok(("mail.gov.example".to_owned(), 25, Privacy::StartTls)));
        assert_eq!(server("smtp-plain://[::1]:2525"), Ok(("::1".to_owned(), 2525, Privacy::Plain)));
        assert_eq!(server("smtp-plain://127.0.0.1"), Ok(("127.0.0.1".to_owned(), 25, Privacy::Plain)));
        let bad = [
            "",
            "mail.gov.example",
            "smtp-plain://mail.gov.example",
            "smtp-plain://localhost",
            "smtp-plain://192.0.2.1",
            "smtps://",
            "smtps://u:p@mail.gov.example",
            "smtps://mail.gov.example:0",
            "smtps://mail.gov.example/x",
            "https://mail.gov.example",
        ];
        for bad in bad {
            assert_eq!(server(bad), Err(BadMailServer), "{bad}");
        }
    }

    #[test]
    fn a_webhook_is_https_or_on_this_machine() {
        for good in [
            "https://siem.example.org/hook?x=1",
            "https://siem.example.org:8443",
            "http://127.0.0.1:9/",
            "http://[::1]/",
        ] {
            assert!(good.parse::<WebhookUrl>().is_ok(), "{good}");
        }
        let url: WebhookUrl = "https://SIEM.example.org:8443/in/token?x=1".parse().unwrap();
        assert_eq!(
            (url.authority(), url.port(), url.path_and_query()),
            ("siem.example.org:8443", 8443, "/in/token?x=1")
        );
        assert!(!format!("{url:?}").contains("token"), "{url:?}");
        let bad = [
            "",
            "siem.example.org",
            "http://siem.example.org/",
            "http://localhost/",
            "http://10.0.0.1/",
            "https://u:p@siem.example.org/",
            "https://siem.example.org/#x",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
        ];
        for bad in bad {
            assert_eq!(bad.parse::<WebhookUrl>(), Err(BadWebhook), "{bad}");
        }
    }

    #[test]
    fn nothing_leaves_unless_it_is_configured() {
        assert_eq!(load(""), Ok(Alerts::default()));
        let alerts = load(
            "smtp = \"smtps://mail.gov.example\"\nmail_from = \"node@gov.example\"\nmail_to = [\"officer@gov.example\"]\n\
             smtp_user = \"node\"\nsmtp_password_file = \"smtp\"\ndigest_hour = 6\n\
             webhooks = [\"https://siem.gov.example/x\"]\nwebhook_hosts = [\"internal:siem.gov.example\"]\nwebhook_key_file = \"hook\"",
        )
        .unwrap();
        let mail = alerts.mail.unwrap();
        assert_eq!(mail.login, Some(("node".to_owned(), "/c/smtp".into())));
        assert_eq!((mail.to.len(), mail.digest_hour), (1, Some(6)));
        let webhooks = alerts.webhooks.unwrap();
        assert_eq!((webhooks.targets.len(), webhooks.key_file), (1, "/c/hook".into()));
    }

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        let mail = "smtp = \"smtps://mail.gov.example\"\n";
        let hook = "webhooks = [\"https://siem.gov.example/x\"]\n";
        for (text, told) in [
            (mail, "`alerts.smtp` needs `alerts.mail_to`"),
            (mail, "`alerts.smtp` needs `alerts.mail_from`"),
            ("mail_to = [\"officer@gov.example\"]", "`alerts.mail_to` needs `alerts.smtp`"),
            ("digest_hour = 6", "`alerts.digest_hour` needs `alerts.smtp`"),
            ("digest_hour = 24", "`alerts.digest_hour` takes a whole number from 0 to 23"),
            ("mail_to = [\"officer\"]", "`alerts.mail_to` holds `officer`"),
            ("mail_to = [\"zo\u{eb}@gov.example\"]", "`alerts.mail_to` has an address with other letters"),
            ("mail_from = '\"a b\"@gov.example'", "`alerts.mail_from` has an address with other letters"),
            ("smtp = \"mail.gov.example\"", "a mail server is written smtps://"),
            (&format!("{mail}smtp_user = \"node\""), "`alerts.smtp_user` needs `alerts.smtp_password_file`"),
            (&format!("{mail}smtp_password_file = \"x\""), "`alerts.smtp_password_file` needs `alerts.smtp_user`"),
            (hook, "`siem.gov.example`, which is not in `alerts.webhook_hosts`"),
            (hook, "needs `alerts.webhook_key_file`"),
            ("webhook_hosts = [\"a b\"]", "a host is written"),
            (
                "webhooks = [\"http://127.1/x\"]\nwebhook_hosts = [\"127.0.0.1\"]\nwebhook_key_file = \"k\"",
                "write `internal:127.0.0.1`",
            ),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}

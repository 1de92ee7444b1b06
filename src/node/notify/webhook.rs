//! Webhooks: each raised alert is posted as a CloudEvent, signed, over a connection of its own that follows no redirect.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use url::Host;
use zeroize::Zeroizing;

use super::destination;
use super::retry::{Fault, Retry, Stop};
use super::undelivered::Undelivered;
use super::{Counting, NotifyError, NowAndThen, Pace};
use crate::encoding::time::UnixTime;
use crate::node::clock;
use crate::node::config::alerts::{AllowedHost, WebhookUrl, Webhooks};
use crate::watch::alert::Severity;

/// The media type of CloudEvents in JSON.
const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The header that proves who posted it, and when.
const SIGNATURE: &str = "x-shieldwall-signature";
/// What is read of an answer at most before its head is complete: the smallest that hyper takes. Its body is not read.
const ANSWER_BYTES_MAX: usize = 8 << 10;

/// What waits for a webhook.
#[derive(Clone, Debug)]
pub(super) struct Event {
    number: u64,
    severity: Severity,
    body: Arc<str>,
    since: Instant,
}

impl Event {
    /// `body` is the CloudEvent; number and severity stand in it too.
    pub(super) fn new(number: u64, severity: Severity, body: Arc<str>) -> Self {
        Self { number, severity, body, since: Instant::now() }
    }
}

/// One webhook.
pub(super) struct Webhook {
    url: WebhookUrl,
    hosts: Arc<std::collections::BTreeSet<AllowedHost>>,
    key: Arc<Zeroizing<String>>,
    /// None where no webhook is https.
    tls: Option<Arc<rustls::ClientConfig>>,
    told: NowAndThen,
}

/// All webhooks of the config.
pub(super) fn all(config: &Webhooks, key: &str) -> Result<Vec<Webhook>, NotifyError> {
    let hosts = Arc::new(config.hosts.clone());
    let key = Arc::new(Zeroizing::new(key.trim().to_owned()));
    let tls = if config.targets.iter().any(WebhookUrl::is_https) { Some(Arc::new(tls()?)) } else { None };
    let hook = |url: &WebhookUrl| Webhook {
        url: url.clone(),
        hosts: hosts.clone(),
        key: key.clone(),
        tls: tls.clone(),
        told: NowAndThen::default(),
    };
    Ok(config.targets.iter().map(hook).collect())
}

/// TLS that trusts whom this machine trusts.
fn tls() -> Result<rustls::ClientConfig, NotifyError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(NotifyError::NoAuthorities);
    }
    tls_with(roots).map_err(NotifyError::WebhookTls)
}

fn tls_with(roots: rustls::RootCertStore) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// `t=TIME,v1=MAC`: the HMAC-SHA256, in lower-case hexadecimal, of the time in Unix seconds, a point, and the body.
fn signature(key: &str, at: UnixTime, body: &str) -> String {
    let time = at.seconds().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length is taken");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    format!("t={time},v1={}", data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()))
}

impl Webhook {
    /// Posts an event once.
    async fn post(&self, body: &str) -> Result<(), Fault> {
        let addresses = destination::resolve(&self.url, &self.hosts).await?;
        let stream = connect(&addresses).await?;
        let status = match (&self.tls, self.url.is_https()) {
            (Some(tls), true) => {
                let name = match self.url.host() {
                    Host::Domain(name) => ServerName::try_from(name).map_err(|_| Fault::lasting("no name for TLS"))?,
                    Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(address)),
                    Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(address)),
                };
                let stream = TlsConnector::from(tls.clone()).connect(name, stream).await;
                self.speak(stream.map_err(|_| Fault::passing("no TLS with the host"))?, body).await?
            }
            (None, true) => return Err(Fault::lasting("no TLS is set up")),
            (_, false) => self.speak(stream, body).await?,
        };
        match status.as_u16() {
            200..=299 => Ok(()),
            300..=399 => Err(Fault::lasting(format!("redirected with {}, which is not followed", status.as_u16()))),
            408 | 425 | 429 | 500..=599 => Err(Fault::passing(format!("the host said {}", status.as_u16()))),
            other => Err(Fault::lasting(format!("the host said {other}"))),
        }
    }

    /// Sends the request and gives the status of the answer; what else is in it is nobody's business.
    async fn speak(&self, stream: impl AsyncRead + AsyncWrite + Unpin, body: &str) -> Result<StatusCode, Fault> {
        let broken = |_| Fault::passing("the connection broke");
        let signature = signature(&self.key, clock::now(), body);
        let request = Request::post(self.url.path_and_query())
            .header(header::HOST, self.url.authority())
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .header(header::USER_AGENT, "shieldwall")
            .header(header::CONNECTION, "close")
            .header(SIGNATURE, signature)
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .map_err(|_| Fault::lasting("the request cannot be written"))?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(ANSWER_BYTES_MAX);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let mut connection = pin!(connection);
        let mut answer = pin!(sender.send_request(request));
        tokio::select! {
            biased;
            answer = &mut answer => Ok(answer.map_err(broken)?.status()),
            // It may end with the answer already here.
            ended = &mut connection => {
                ended.map_err(broken)?;
                Ok(answer.await.map_err(broken)?.status())
            }
        }
    }

    /// What was given up. The path of the address stays out: it may be as good as a password.
    fn given_up(&self, event: &Event) -> Json {
        let severity = event.severity.name();
        json!({ "by": "webhook", "to": self.url.authority(), "what": "raised", "number": event.number, "severity": severity })
    }
}

/// Connects to the first address that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Fault> {
    for address in addresses {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
    }
    Err(Fault::passing("no connection"))
}

/// Posts the events of a queue, one after the other, until the node ends.
pub(super) async fn run(
    hook: Webhook,
    mut queue: mpsc::Receiver<Event>,
    pace: Pace,
    mut stop: Stop,
    at_once: Arc<Semaphore>,
    (undelivered, counts): (Undelivered, Arc<Counting>),
) {
    while let Some(event) = queue.recv().await {
        let mut retry = Retry::new(&pace, event.since);
        loop {
            // Waiting for a place is no attempt.
            let place = async { at_once.acquire().await.map_err(|_| Fault::lasting("the node ended")) };
            let posted = match stop.within(pace.give_up, place).await {
                Ok(_place) => stop.within(pace.attempt, hook.post(&event.body)).await,
                Err(fault) => Err(fault),
            };
            let Err(fault) = posted else {
                counts.posted.fetch_add(1, Ordering::Relaxed);
                break;
            };
            if retry.attempts == 0 && !fault.lasting && hook.told.may() {
                let host = hook.url.authority();
                tracing::warn!(host, why = %fault.why, "an alert could not be posted; it is tried again");
            }
            if !retry.again(&fault, &pace, &mut stop).await {
                undelivered.keep(hook.given_up(&event), retry.attempts, &fault).await;
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_hmac_of_time_and_body() {
        let at = UnixTime::from_seconds(1_700_000_000).unwrap();
        let told = "t=1700000000,v1=e97957e90a053fb41f7859afbe3a7e90ee114550457a5fdf0e05bf42ee308c7f";
        assert_eq!(signature("0123456789abcdef0123456789abcdef", at, "{\"id\":\"1\"}"), told);
    }

    /// An https server with a certificate for `localhost` alone. Gives its port, and the certificate.
    async fn server() -> (u16, rustls::pki_types::CertificateDer<'static>) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let rcgen::CertifiedKey { cert, key_pair } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key_pair.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key.into()).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n{}") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    request.push(byte);
                }
                stream.write_all(b"HTTP/1.1 204 taken\r\n\r\n").await.unwrap();
                drop(stream.shutdown().await);
            }
        });
        (port, cert.der().clone())
    }

    fn hook(url: &str, trusted: Option<&rustls::pki_types::CertificateDer<'static>>) -> Webhook {
        let mut roots = rustls::RootCertStore::empty();
        trusted.into_iter().for_each(|cert| roots.add(cert.clone()).unwrap());
        let hosts = ["internal:localhost", "internal:127.0.0.1"].map(|host| host.parse().unwrap());
        Webhook {
            url: url.parse().unwrap(),
            hosts: Arc::new(hosts.into()),
            key: Arc::new(Zeroizing::new("0123456789abcdef0123456789abcdef".to_owned())),
            tls: Some(Arc::new(tls_with(roots).unwrap())),
            told: NowAndThen::default(),
        }
    }

    #[tokio::test]
    async fn only_a_host_with_a_certificate_for_its_name_is_told_something() {
        let (port, cert) = server().await;
        let url = format!("https://localhost:{port}/");
        assert_eq!(hook(&url, Some(&cert)).post("{}").await, Ok(()));
        let refused = Err(Fault::passing("no TLS with the host"));
        assert_eq!(hook(&url, None).post("{}").await, refused, "nobody vouches for it");
        let other_name = format!("https://127.0.0.1:{port}/");
        assert_eq!(hook(&other_name, Some(&cert)).post("{}").await, refused, "the certificate is for another name");
    }
}

//! The fetching of a URL: resolve, vet, dial what was vetted, ask, read within bounds.
//!
//! It never resolves a name twice for one request, never follows a redirect unvetted and never sends anything but GET.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, LOCATION};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::fetch_error::FetchError;
use super::target::{Target, TargetHost};
use crate::dial::{self, DialError};
use crate::dns::{Answer, Dns, Question, RecordType, escaped};
use crate::guard::{Blocked, Guard, Reach};
use crate::tls::{Demand, Tls, TlsFacts};

/// How much memory the head of a response may take: fields of honest servers need 2 KiB.
const LARGEST_HEAD: usize = 32 * 1024;
/// How many of a host's addresses are tried.
const MOST_ADDRESSES: usize = 3;
/// How long one address may take to answer the dial, so that a dead one leaves time for the next.
const ONE_DIAL: Duration = Duration::from_secs(3);

/// What to fetch and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Get {
    /// The URL.
    pub url: String,
    /// How many redirects are followed; none for an MTA-STS policy (RFC 8461 3.3).
    pub redirects: u8,
    /// The longest body, in octets.
    pub longest: usize,
    /// How long everything may take, in milliseconds.
    pub patience: u64,
}

impl Get {
    /// Fetches a URL with up to 5 redirects, 256 KiB and 10 seconds.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), redirects: 5, longest: 256 * 1024, patience: 10_000 }
    }
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The URL that answered, after redirects.
    pub url: String,
    /// The URLs that redirected, in order.
    pub passed: Vec<String>,
    /// The address that answered.
    pub server: SocketAddr,
    /// The status code.
    pub status: u16,
    /// The header fields, names in lower case; values that are no UTF-8 are shown with U+FFFD.
    pub fields: Vec<(String, String)>,
    /// The body.
    #[serde(with = "escaped")]
    pub body: Vec<u8>,
    /// What the TLS handshake showed.
    pub tls: Option<TlsFacts>,
}

impl Fetched {
    /// The first field of this name, given in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A fetch that is on its way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;

/// Whoever fetches: the real client, or a recording.
pub trait Http: Send + Sync {
    /// Fetches a URL.
    fn get<'a>(&'a self, get: &'a Get) -> Fetching<'a>;
}

impl<H: Http + ?Sized> Http for &H {
    fn get<'a>(&'a self, get: &'a Get) -> Fetching<'a> {
        (**self).get(get)
    }
}

impl<H: Http + ?Sized> Http for Arc<H> {
    fn get<'a>(&'a self, get: &'a Get) -> Fetching<'a> {
        (**self).get(get)
    }
}

/// The real client.
pub struct HttpClient {
    guard: Guard,
    dns: Arc<dyn Dns>,
    tls: Tls,
    ports: Vec<u16>,
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient").field("guard", &self.guard).field("ports", &self.ports).finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Fetches through this guard from ports 80 and 443; certificates must be good.
    pub fn new(guard: Guard, dns: Arc<dyn Dns>, tls: Tls) -> Self {
        Self { guard, dns, tls, ports: vec![80, 443] }
    }

    /// Allows these ports instead.
    #[must_use]
    pub fn with_ports(mut self, ports: Vec<u16>) -> Self {
        self.ports = ports;
        self
    }

    async fn fetch(&self, get: &Get) -> Result<Fetched, FetchError> {
        let deadline = Instant::now() + Duration::from_millis(get.patience);
        let mut target = Target::parse(&get.url, &self.ports)?;
        let mut passed = Vec::new();
        loop {
            let asked = timeout_at(deadline, self.one(&target, get.longest, deadline)).await;
            let mut fetched = asked.map_err(|_| FetchError::Timeout)??;
            let redirect = matches!(fetched.status, 301 | 302 | 303 | 307 | 308);
            match fetched.field("location").filter(|_| redirect && get.redirects > 0) {
                Some(_) if passed.len() == usize::from(get.redirects) => {
                    return Err(FetchError::TooManyRedirects(get.redirects));
                }
                Some(location) => {
                    let next = target.redirected(location, &self.ports)?;
                    passed.push(std::mem::replace(&mut target, next).url.to_string());
                }
                None => {
                    fetched.passed = passed;
                    return Ok(fetched);
                }
            }
        }
    }

    /// One request, without redirects.
    async fn one(&self, target: &Target, longest: usize, deadline: Instant) -> Result<Fetched, FetchError> {
        let addresses = self.vetted_addresses(target).await?;
        let mut last = FetchError::NoAddress;
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            let server = SocketAddr::new(address, target.port);
            let dial_until = deadline.min(Instant::now() + ONE_DIAL);
            match dial::tcp(&self.guard, Reach::World, server, dial_until).await {
                Ok(stream) if target.is_https() => {
                    let name = target.host_name();
                    let shaken = self.tls.shake_hands(stream, name, address, Demand::Verified, deadline).await;
                    let (stream, facts) = shaken.map_err(|error| FetchError::Tls(Box::new(error)))?;
                    return ask(stream, target, server, Some(facts), longest).await;
                }
                Ok(stream) => return ask(stream, target, server, None, longest).await,
                Err(DialError::Timeout) => last = FetchError::Timeout,
                Err(DialError::Blocked(blocked)) => last = refused(blocked),
                Err(error) => last = FetchError::Unreachable(error.to_string()),
            }
        }
        Err(last)
    }

    /// The addresses of the host that may be dialled. They are asked for once; what is returned is what is dialled.
    async fn vetted_addresses(&self, target: &Target) -> Result<Vec<IpAddr>, FetchError> {
        let name = match &target.host {
            TargetHost::Address(address) => {
                return self.guard.permit(*address, Reach::World).map(|()| vec![*address]).map_err(refused);
            }
            TargetHost::Name(name) => name,
        };
        let questions = [RecordType::A, RecordType::Aaaa].map(|kind| Question::new(name.clone(), kind));
        let answers = self.dns.ask_all(&questions).await;
        let found: Vec<IpAddr> = answers.iter().flat_map(Answer::addresses).collect();
        if found.is_empty() {
            let could_not = answers.iter().find_map(Answer::could_not_ask);
            return Err(could_not.map_or(FetchError::NoAddress, |no| FetchError::Dns(no.clone())));
        }
        let (mut vetted, mut last) = (Vec::new(), None);
        for address in found {
            match self.guard.permit(address, Reach::World) {
                Ok(()) => vetted.push(address),
                Err(blocked) => last = Some(refused(blocked)),
            }
        }
        last.filter(|_| vetted.is_empty()).map_or(Ok(vetted), Err)
    }
}

fn refused(blocked: Blocked) -> FetchError {
    match blocked {
        Blocked::NotAllowed(_) => FetchError::Blocked(blocked.to_string()),
        Blocked::NotPublic(..) => FetchError::Inward(blocked.to_string()),
    }
}

/// Keeps the connection going as long as it is held.
struct Driver(tokio::task::JoinHandle<hyper::Result<()>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks over an open connection and reads the response.
async fn ask<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    target: &Target,
    server: SocketAddr,
    tls: Option<TlsFacts>,
    longest: usize,
) -> Result<Fetched, FetchError> {
    let not_http = |error: &dyn std::error::Error| FetchError::NotHttp(error.to_string());
    let builder = http1::Builder::new().max_buf_size(LARGEST_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = builder.map_err(|error| not_http(&error))?;
    let _driver = Driver(tokio::spawn(connection));
    let request = Request::get(target.path())
        .header("host", target.host_field())
        .header("user-agent", concat!("redeliver/", env!("CARGO_PKG_VERSION")))
        .header("accept", "*/*")
        // Nothing is unpacked, so no small body can become a large one.
        .header("accept-encoding", "identity")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| FetchError::BadUrl(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(|error| not_http(&error))?;
    let status = response.status().as_u16();
    let fields = fields_of(response.headers());
    let body = if response.status().is_redirection() && response.headers().contains_key(LOCATION) {
        Vec::new() // nobody reads the body of a redirect
    } else {
        body_of(response, longest).await?
    };
    Ok(Fetched { url: target.url.to_string(), passed: Vec::new(), server, status, fields, body, tls })
}

async fn body_of(response: Response<Incoming>, longest: usize) -> Result<Vec<u8>, FetchError> {
    let field = |name| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(coding) = field(CONTENT_ENCODING).filter(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(FetchError::Compressed(coding.chars().take(40).collect()));
    }
    if field(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > longest as u64)
    {
        return Err(FetchError::TooLarge(longest));
    }
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| FetchError::NotHttp(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            if body.len() + data.len() > longest {
                return Err(FetchError::TooLarge(longest));
            }
            body.extend_from_slice(&data);
        }
    }
    Ok(body)
}

fn fields_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.iter().map(pair).collect()
}

impl Http for HttpClient {
    fn get<'a>(&'a self, get: &'a Get) -> Fetching<'a> {
        Box::pin(self.fetch(get))
    }
}

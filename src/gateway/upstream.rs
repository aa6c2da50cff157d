//! The way to the backends: one group per API and region, so that no retry, pool or failover can change jurisdiction.

use super::body::{self, Budget, Unread};
use super::head::{self, Fault};
use crate::config::{self, Config};
use crate::model::{ApiId, Region};
use crate::screen::{Line, Message};
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use pingora_core::prelude::HttpPeer;
use pingora_core::protocols::l4::socket::SocketAddr;
use pingora_load_balancing::discovery::ServiceDiscovery;
use pingora_load_balancing::health_check::HealthCheck;
use pingora_load_balancing::prelude::RoundRobin;
use pingora_load_balancing::{Backend, Backends, LoadBalancer};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// How often a backend is probed: a dead one is left within seconds, and probes stay under one per second.
pub const PROBE_PERIOD: Duration = Duration::from_secs(2);
/// How often names are resolved again, in probes.
const RESOLVE_EVERY: u32 = 15;
/// Idle connections kept per backend; more than a worker's usual concurrency is never used.
const IDLE_MAX: usize = 128;
/// Idle time after which a pooled connection is not used again; common servers close at 60 to 75 s.
const IDLE_TIME: Duration = Duration::from_secs(55);

/// What is sent: the bytes that were read, followed by the rest as it comes if there is more. Holds its share of the buffers until it is gone.
pub struct Outgoing {
    bytes: Full<Bytes>,
    rest: Option<Incoming>,
    #[allow(dead_code, reason = "held for its drop")]
    share: Option<body::Share>,
}

impl Outgoing {
    /// A body of these bytes and what follows them, if anything.
    pub fn new(bytes: Bytes, rest: Option<Incoming>) -> Self {
        Outgoing { bytes: Full::new(bytes), rest, share: None }
    }

    /// The same, giving `share` back when it is sent.
    pub fn holding(self, share: body::Share) -> Self {
        Outgoing { share: Some(share), ..self }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match Pin::new(&mut self.bytes).poll_frame(cx).map_err(|never| match never {}) {
            Poll::Ready(None) => {}
            beginning => return beginning,
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_end_stream() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let begun = self.bytes.size_hint().exact().unwrap_or(0);
        match self.rest.as_ref().map_or(Some(0), |rest| rest.size_hint().exact()) {
            Some(rest) => SizeHint::with_exact(begun + rest),
            None => SizeHint::default(),
        }
    }
}

/// A backend's answer, read up to the inspection limit.
pub struct Answer {
    pub message: Message,
    pub rest: Option<Incoming>,
    pub share: body::Share,
}

/// Why no answer came. The status is the gateway's; whether the backend may have seen the request is said too.
#[derive(Debug, Clone, Copy)]
pub struct NoAnswer {
    pub status: StatusCode,
    pub detail: &'static str,
    pub written: bool,
}

const fn no_answer(status: StatusCode, detail: &'static str, written: bool) -> NoAnswer {
    NoAnswer { status, detail, written }
}

/// Bounds on reading an answer.
#[derive(Clone)]
pub struct Bounds {
    pub body_bytes: usize,
    pub head_bytes: usize,
    pub answer_deadline: Duration,
    pub budget: Budget,
}

/// All backends of all APIs.
pub struct Upstreams {
    groups: BTreeMap<(ApiId, Region), Arc<Group>>,
}

/// The backends of one API in one region.
struct Group {
    balancer: LoadBalancer<RoundRobin>,
    dialer: Arc<Dialer>,
    idle: Mutex<HashMap<SocketAddr, Vec<Idle>>>,
}

struct Idle {
    connection: SendRequest<Outgoing>,
    since: Instant,
}

/// TLS identity of a backend, carried along with its address.
#[derive(Clone)]
struct Identity(Option<config::BackendTls>);

struct Dialer {
    connectors: HashMap<Option<std::path::PathBuf>, TransportConnector>,
    deadline: Duration,
}

impl Dialer {
    fn new(backends: &[config::Backend], deadline: Duration) -> Self {
        let authorities: BTreeSet<_> = backends.iter().map(|b| b.tls.as_ref().and_then(|tls| tls.ca.clone())).collect();
        let connector = |ca: &Option<std::path::PathBuf>| {
            let mut options = ConnectorOptions::new(0);
            options.ca_file = ca.as_ref().map(|path| path.to_string_lossy().into_owned());
            TransportConnector::new(Some(options))
        };
        Dialer { connectors: authorities.into_iter().map(|ca| (ca.clone(), connector(&ca))).collect(), deadline }
    }

    /// TCP, TLS and the check of the peer's identity.
    async fn dial(&self, target: &Backend) -> Option<pingora_core::protocols::Stream> {
        let identity = target.ext.get::<Identity>().and_then(|i| i.0.as_ref());
        let address = *target.addr.as_inet()?;
        let mut peer = HttpPeer::new(address, identity.is_some(), identity.map(|tls| tls.sni.clone()).unwrap_or_default());
        peer.options.total_connection_timeout = Some(self.deadline);
        peer.options.alpn = pingora_core::protocols::ALPN::H1;
        self.connectors.get(&identity.and_then(|tls| tls.ca.clone()))?.new_stream(&peer).await.ok()
    }
}

/// Resolves the names of a group, again and again.
struct Names(Vec<config::Backend>);

#[async_trait]
impl ServiceDiscovery for Names {
    async fn discover(&self) -> pingora_core::Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
        let mut found = BTreeSet::new();
        for backend in &self.0 {
            let addresses = tokio::net::lookup_host((backend.host.as_str(), backend.port)).await;
            for address in addresses.into_iter().flatten() {
                let mut ext = http::Extensions::new();
                ext.insert(Identity(backend.tls.clone()));
                found.insert(Backend { addr: SocketAddr::Inet(address), weight: 1, ext });
            }
        }
        if found.is_empty() {
            return Err(pingora_core::Error::explain(pingora_core::ErrorType::ConnectNoRoute, "no name of the group resolves"));
        }
        Ok((found, HashMap::new()))
    }
}

/// Connects with TLS and identity, as an exchange would, and hangs up.
struct Probe(Arc<Dialer>);

#[async_trait]
impl HealthCheck for Probe {
    async fn check(&self, target: &Backend) -> pingora_core::Result<()> {
        match self.0.dial(target).await {
            Some(_) => Ok(()),
            None => Err(pingora_core::Error::new_str("probe failed")),
        }
    }

    fn health_threshold(&self, _success: bool) -> usize {
        1
    }
}

impl Upstreams {
    /// The groups of a configuration. Nothing is resolved or connected yet.
    pub fn new(config: &Config) -> Self {
        let mut groups = BTreeMap::new();
        for api in &config.apis {
            for (region, backends) in &api.backends {
                let dialer = Arc::new(Dialer::new(backends, api.limits.connect_deadline));
                let mut members = Backends::new(Box::new(Names(backends.clone())));
                members.set_health_check(Box::new(Probe(dialer.clone())));
                let group = Group { balancer: LoadBalancer::from_backends(members), dialer, idle: Mutex::default() };
                groups.insert((api.id.clone(), region.clone()), Arc::new(group));
            }
        }
        Upstreams { groups }
    }

    /// Resolves and probes every group until `stop`; `seen` is told the health of each after each round.
    pub async fn watch(&self, seen: impl Fn(&Region, &str, bool)) {
        let mut round: u32 = 0;
        loop {
            for ((_, region), group) in &self.groups {
                if round.is_multiple_of(RESOLVE_EVERY) || group.balancer.backends().get_backend().is_empty() {
                    let _ = group.balancer.update().await; // a name that fails to resolve keeps its last addresses
                }
                group.balancer.backends().run_health_check(true).await;
                for backend in group.balancer.backends().get_backend().iter() {
                    seen(region, &backend.addr.to_string(), group.balancer.backends().ready(backend));
                }
            }
            round = round.wrapping_add(1);
            tokio::time::sleep(PROBE_PERIOD).await;
        }
    }

    /// Resolves every group once, before the first request.
    pub async fn resolve(&self) {
        for group in self.groups.values() {
            let _ = group.balancer.update().await;
        }
    }

    /// Whether any backend of any API in this region is healthy.
    pub fn healthy(&self, region: &Region) -> bool {
        self.groups.iter().filter(|((_, r), _)| r == region).any(|(_, group)| {
            let backends = group.balancer.backends();
            backends.get_backend().iter().any(|b| backends.ready(b))
        })
    }

    /// Regions in which some API has a backend.
    pub fn regions(&self) -> BTreeSet<&Region> {
        self.groups.keys().map(|(_, region)| region).collect()
    }

    /// Sends to a healthy backend of this API in this region and nowhere else.
    pub async fn send(&self, api: &ApiId, region: &Region, message: Message, rest: Option<Incoming>, bounds: &Bounds) -> Result<Answer, NoAnswer> {
        let Some(group) = self.groups.get(&(api.clone(), region.clone())) else {
            return Err(no_answer(StatusCode::BAD_GATEWAY, "this API has no backend in the lawful region", false));
        };
        group.send(message, rest, bounds).await
    }
}

impl Group {
    async fn send(&self, message: Message, rest: Option<Incoming>, bounds: &Bounds) -> Result<Answer, NoAnswer> {
        let method = if let Line::Request { method, .. } = &message.line { method.clone() } else { Method::GET };
        let streams = rest.is_some();
        let repeatable = !streams && method.is_idempotent();
        let until = Instant::now() + bounds.answer_deadline;
        let mut request = Some(outgoing(message.clone(), rest).ok_or(no_answer(StatusCode::BAD_REQUEST, "the target is not valid", false))?);
        let mut written = false;
        let mut tried: Vec<Backend> = Vec::new();
        while let Some(sending) = request.take() {
            let (mut connection, target, fresh) = self.connection(&mut tried, written).await?;
            let sent = tokio::time::timeout_at(until, connection.try_send_request(sending)).await;
            match sent.map_err(|_| no_answer(StatusCode::GATEWAY_TIMEOUT, "the backend did not answer in time", true))? {
                Ok(answer) => {
                    // An answer that comes while its request still streams may be the last on its connection (RFC 9112 §9.3).
                    let reusable = (!streams).then_some(connection);
                    return self.read(answer, reusable, target, until, bounds).await;
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !fresh => request = Some(unsent), // a stale connection: nothing of it was written
                    _ if !fresh && repeatable => {
                        written = true; // may have been seen; the method says that twice is as once (RFC 9110 §9.2.2)
                        request = outgoing(message.clone(), None);
                    }
                    _ => return Err(no_answer(StatusCode::BAD_GATEWAY, "the backend closed the connection", true)),
                },
            }
        }
        Err(no_answer(StatusCode::BAD_GATEWAY, "the backend closed the connection", written))
    }

    /// A pooled connection of a healthy backend, or a fresh one; backends that refuse are passed over, inside this group only.
    async fn connection(&self, tried: &mut Vec<Backend>, written: bool) -> Result<(SendRequest<Outgoing>, Backend, bool), NoAnswer> {
        let unavailable = no_answer(StatusCode::SERVICE_UNAVAILABLE, "no healthy backend in the lawful region", written);
        let candidates = self.balancer.backends().get_backend().len();
        for _ in 0..=candidates {
            let Some(target) = self.balancer.select_with(b"", candidates.max(1) * 2, |b, healthy| healthy && !tried.contains(b)) else { break };
            if let Some(pooled) = self.pooled(&target.addr) {
                return Ok((pooled, target, false));
            }
            match self.connect(&target).await {
                Some(connection) => return Ok((connection, target, true)),
                None => tried.push(target),
            }
        }
        Err(if tried.is_empty() { unavailable } else { no_answer(StatusCode::BAD_GATEWAY, "no backend in the lawful region accepts connections", written) })
    }

    async fn connect(&self, target: &Backend) -> Option<SendRequest<Outgoing>> {
        let stream = self.dialer.dial(target).await?;
        let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(driver);
        connection.ready().await.ok()?;
        Some(connection)
    }

    fn pooled(&self, address: &SocketAddr) -> Option<SendRequest<Outgoing>> {
        let mut idle = self.idle.lock().ok()?;
        let pool = idle.get_mut(address)?;
        while let Some(Idle { connection, since }) = pool.pop() {
            if connection.is_ready() && since.elapsed() < IDLE_TIME {
                return Some(connection);
            }
        }
        None
    }

    async fn read(
        &self,
        answer: Response<Incoming>,
        reusable: Option<SendRequest<Outgoing>>,
        target: Backend,
        until: Instant,
        bounds: &Bounds,
    ) -> Result<Answer, NoAnswer> {
        let (parts, incoming) = answer.into_parts();
        let faulty = |f: Fault| no_answer(f.status, f.detail, true);
        let mut message = head::judge_response(parts, bounds.head_bytes).map_err(faulty)?;
        let left = until.saturating_duration_since(Instant::now());
        let read = body::read(incoming, bounds.body_bytes, left, &bounds.budget).await.map_err(|unread| match unread {
            Unread::Late => no_answer(StatusCode::GATEWAY_TIMEOUT, "the backend's answer did not end in time", true),
            Unread::Broken => no_answer(StatusCode::BAD_GATEWAY, "the backend's answer broke off", true),
            Unread::Spent => no_answer(StatusCode::SERVICE_UNAVAILABLE, "the node's buffers are spent", true),
        })?;
        if let Some(connection) = reusable.filter(|_| read.rest.is_none()) {
            self.give_back(connection, target.addr);
        }
        message.body = read.bytes;
        message.streams = read.rest.is_some();
        Ok(Answer { message, rest: read.rest, share: read.share })
    }

    /// Only now: the answer's body has ended. A connection that still sends is not ready when it is next looked at.
    fn give_back(&self, connection: SendRequest<Outgoing>, address: SocketAddr) {
        if let Ok(mut idle) = self.idle.lock() {
            let pool = idle.entry(address).or_default();
            if pool.len() < IDLE_MAX {
                pool.push(Idle { connection, since: Instant::now() });
            }
        }
    }
}

/// The message as a request of HTTP/1.1 in origin form; hyper writes the exact framing.
fn outgoing(message: Message, rest: Option<Incoming>) -> Option<Request<Outgoing>> {
    let Line::Request { method, path, query } = message.line else { return None };
    let target = match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut request = Request::new(Outgoing::new(message.body, rest));
    *request.method_mut() = method;
    *request.uri_mut() = Uri::try_from(target).ok()?;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = message.headers;
    if request.body().is_end_stream() && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0")); // hyper leaves it out; RFC 9110 §8.6 wants it where content has a meaning
    }
    request.headers().contains_key(HOST).then_some(request)
}

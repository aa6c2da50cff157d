//! One connection: the PROXY protocol, hyper's codecs on pingora's stream, idle and drain.

use super::{Gateway, Peer};
use crate::config::{Bounds, Config};
use async_trait::async_trait;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pingora_core::apps::ServerApp;
use pingora_core::listeners::PreTlsProcess;
use pingora_core::protocols::l4::stream::Stream as L4Stream;
use pingora_core::protocols::{ALPN, GetSocketDigest, Stream};
use pingora_core::server::ShutdownWatch;
use ppp::{HeaderResult, PartialResult};
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

/// How long a PROXY header may take: a proxy in front sends it at once.
const PROXY_DEADLINE: Duration = Duration::from_secs(3);
/// Longest PROXY header of version 1 (its §2.1), and the fixed part of version 2 (§2.2).
const PROXY_V1_BYTES_MAX: usize = 107;
const PROXY_V2_FIXED: usize = 16;
/// hyper's buffer for a head; longer heads get 431.
const HEAD_BUFFER: usize = 64 << 10;

/// One listener's application.
pub struct Listening {
    pub(super) gateway: Arc<Gateway>,
    pub(super) proxy_protocol: bool,
    pub(super) tls: bool,
    pub(super) connections: Arc<AtomicUsize>,
    /// Addresses that PROXY headers told before TLS, by the connection's own pair of addresses.
    pub(super) proxied: Arc<Proxied>,
}

/// Client addresses told before the handshake.
#[derive(Default)]
pub struct Proxied(dashmap::DashMap<(SocketAddr, SocketAddr), IpAddr>);

/// When a connection was last busy.
struct Activity {
    streams: AtomicUsize,
    idle_since: Mutex<Instant>,
}

impl Activity {
    fn begin(self: &Arc<Self>) -> Busy {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    fn idle_for(&self) -> Duration {
        if self.streams.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        self.idle_since.lock().map_or(Duration::ZERO, |since| since.elapsed())
    }
}

struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        if let Ok(mut since) = self.0.idle_since.lock() {
            *since = Instant::now();
        }
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place among the connections, given back when dropped.
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl ServerApp for Listening {
    async fn process_new(self: &Arc<Self>, mut stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let config = self.gateway.snapshot().config.clone();
        self.connections.fetch_add(1, Ordering::SeqCst);
        let seat = Seat(self.connections.clone());
        if self.connections.load(Ordering::SeqCst) > config.bounds.connections {
            return None;
        }
        let ends = ends(stream.get_socket_digest().as_deref());
        let hop = ends.map(|(peer, _)| peer.ip())?;
        let proxied = if !self.proxy_protocol {
            None
        } else if self.tls {
            ends.and_then(|ends| self.proxied.0.remove(&ends)).map(|(_, client)| client)
        } else {
            timeout(PROXY_DEADLINE, read_proxy_header(&mut stream)).await.ok()?.ok()?
        };
        if proxied.is_some() && !config.hops.trust(hop) {
            return None; // only a trusted hop may speak for somebody else
        }
        self.converse(stream, Peer { hop, proxied, tls: self.tls }, &config, shutdown).await;
        drop(seat);
        None
    }
}

impl Listening {
    async fn converse(&self, stream: Stream, peer: Peer, config: &Config, shutdown: &ShutdownWatch) {
        let h2 = matches!(stream.selected_alpn_proto(), Some(ALPN::H2));
        let gateway = self.gateway.clone();
        let activity = Arc::new(Activity { streams: AtomicUsize::new(0), idle_since: Mutex::new(Instant::now()) });
        let noting = activity.clone();
        let answer = service_fn(move |request| {
            let gateway = gateway.clone();
            let busy = noting.begin();
            async move {
                let response = gateway.serve(request, peer).await;
                drop(busy);
                Ok::<_, Infallible>(response)
            }
        });
        let io = TokioIo::new(stream);
        let Bounds { head_deadline, head_bytes, streams, .. } = config.bounds;
        let ended = if h2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .max_concurrent_streams(u32::try_from(streams).unwrap_or(u32::MAX))
                .max_header_list_size(u32::try_from(head_bytes).unwrap_or(u32::MAX));
            let connection = pin!(builder.serve_connection(io, answer));
            drain(connection, shutdown, Some((&activity, head_deadline)), |c| c.graceful_shutdown()).await
        } else {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(head_deadline).max_buf_size(HEAD_BUFFER.max(head_bytes));
            let connection = pin!(builder.serve_connection(io, answer));
            drain(connection, shutdown, None, |c| c.graceful_shutdown()).await
        };
        if ended.is_err() {
            self.gateway.metrics.unreadable_heads.with_label_values(&[if h2 { "h2" } else { "h1" }]).inc();
        }
    }
}

/// Runs a connection. When the server stops, or an HTTP/2 connection has been idle too long, what is in flight finishes and it closes.
async fn drain<C: Future>(
    mut connection: Pin<&mut C>,
    shutdown: &ShutdownWatch,
    idle: Option<(&Arc<Activity>, Duration)>,
    stop: impl FnOnce(Pin<&mut C>),
) -> C::Output {
    let mut stopping = shutdown.clone();
    let expired = async {
        let Some((activity, deadline)) = idle else { return std::future::pending().await };
        loop {
            let idle_for = activity.idle_for();
            if idle_for >= deadline {
                return;
            }
            tokio::time::sleep(deadline - idle_for).await;
        }
    };
    tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = stopping.wait_for(|stop| *stop) => {}
        () = expired => {}
    }
    stop(connection.as_mut());
    connection.await
}

fn ends(digest: Option<&pingora_core::protocols::SocketDigest>) -> Option<(SocketAddr, SocketAddr)> {
    let digest = digest?;
    Some((*digest.peer_addr()?.as_inet()?, *digest.local_addr()?.as_inet()?))
}

/// The PROXY header comes before TLS.
pub struct BeforeTls(pub(super) Arc<Proxied>);

#[async_trait]
impl PreTlsProcess for BeforeTls {
    async fn process(&self, stream: &mut L4Stream) -> pingora_core::Result<()> {
        let broken = || pingora_core::Error::explain(pingora_core::ErrorType::InvalidHTTPHeader, "no PROXY header");
        let ends = ends(stream.get_socket_digest().as_deref()).ok_or_else(broken)?;
        let client = timeout(PROXY_DEADLINE, read_proxy_header(stream)).await.map_err(|_| broken())?.map_err(|_| broken())?;
        if let Some(client) = client {
            self.0.0.insert(ends, client);
        }
        Ok(())
    }
}

/// The source address of a PROXY header of either version; none if it speaks of the connection itself (`LOCAL`, `UNKNOWN`).
async fn read_proxy_header<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<IpAddr>, ()> {
    let mut header = vec![0; 12];
    stream.read_exact(&mut header).await.map_err(drop)?;
    if header == ppp::v2::PROTOCOL_PREFIX {
        header.resize(PROXY_V2_FIXED, 0);
        stream.read_exact(header.get_mut(12..).ok_or(())?).await.map_err(drop)?;
        let &[.., high, low] = header.as_slice() else { return Err(()) };
        header.resize(PROXY_V2_FIXED + usize::from(u16::from_be_bytes([high, low])), 0);
        stream.read_exact(header.get_mut(PROXY_V2_FIXED..).ok_or(())?).await.map_err(drop)?;
    } else {
        while !header.ends_with(b"\r\n") {
            if header.len() >= PROXY_V1_BYTES_MAX || !header.starts_with(b"PROXY") {
                return Err(());
            }
            header.push(stream.read_u8().await.map_err(drop)?);
        }
    }
    let parsed = HeaderResult::parse(&header);
    if parsed.is_incomplete() {
        return Err(());
    }
    match parsed {
        HeaderResult::V1(Ok(header)) => match header.addresses {
            ppp::v1::Addresses::Tcp4(a) => Ok(Some(a.source_address.into())),
            ppp::v1::Addresses::Tcp6(a) => Ok(Some(a.source_address.into())),
            ppp::v1::Addresses::Unknown => Ok(None),
        },
        HeaderResult::V2(Ok(header)) => match header.addresses {
            _ if header.command == ppp::v2::Command::Local => Ok(None),
            ppp::v2::Addresses::IPv4(a) => Ok(Some(a.source_address.into())),
            ppp::v2::Addresses::IPv6(a) => Ok(Some(a.source_address.into())),
            _ => Ok(None),
        },
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Option<IpAddr>, ()> {
        read_proxy_header(&mut &*bytes).await
    }

    #[tokio::test]
    async fn a_proxy_header_of_either_version_names_the_client() {
        assert_eq!(read(b"PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\nGET /").await, Ok(Some("203.0.113.7".parse().unwrap())));
        assert_eq!(read(b"PROXY UNKNOWN\r\n").await, Ok(None));
        let mut v2 = ppp::v2::PROTOCOL_PREFIX.to_vec();
        v2.extend([0x21, 0x11, 0, 12, 203, 0, 113, 7, 192, 0, 2, 1, 0x13, 0x88, 0x01, 0xbb]);
        assert_eq!(read(&v2).await, Ok(Some("203.0.113.7".parse().unwrap())));
    }

    #[tokio::test]
    async fn anything_else_is_no_proxy_header() {
        for bad in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"PROXY TCP4 x\r\n.......", b"PROXY", b"PROXY TCP4 203.0.113.7 192.0.2.1 5000 443"] {
            assert_eq!(read(bad).await, Err(()), "{}", String::from_utf8_lossy(bad));
        }
        let endless = [b"PROXY ".to_vec(), vec![b'1'; 500]].concat();
        assert_eq!(read(&endless).await, Err(()));
    }
}

//! Starts a node: everything is read, checked and opened before the first port takes a connection.

use super::connection::{BeforeTls, Listening, Proxied};
use super::log::Log;
use super::{Budget, Gateway, Upstreams};
use crate::config::{Config, Listener};
use crate::ledger::{self, Entry, Event};
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::snapshot::{Fixed, Snapshot};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::listeners::{L4BufferSettings, ListenerConfig};
use pingora_core::prelude::{Opt, Server};
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{ListenFds, ShutdownWatch};
use pingora_core::services::background::{BackgroundService, background_service};
use pingora_core::services::listening::Service;
use pingora_core::services::{ServiceReadyNotifier, ServiceWithDependents};
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Buffers per connection: reads of 8 KiB hold most heads with their body, writes of 16 KiB one TLS record.
const READ_BUFFER: usize = 8 << 10;
const WRITE_BUFFER: usize = 16 << 10;
/// How often a stopping node looks whether everything in flight has ended.
const DRAIN_LOOK: Duration = Duration::from_millis(50);

/// Why a node does not start.
#[derive(Debug)]
pub struct StartError(pub String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// Everything a node consists of, opened and checked.
pub struct Node {
    pub fixed: Fixed,
    pub snapshot: Snapshot,
    pub registry: Arc<dyn Registry>,
    pub ledger: ledger::Writer,
    pub metrics: Arc<Metrics>,
    pub quiet: bool,
    /// What opening the ledger cut from its end.
    pub torn_bytes: u64,
}

/// Something that runs beside the exchanges until the node stops.
#[async_trait]
pub trait Beside: Send + Sync + 'static {
    async fn run(&self, gateway: Arc<Gateway>, fixed: Fixed);
}

/// Binds, starts and never returns: the process ends when the node has drained.
pub fn start(node: Node, beside: Vec<(&'static str, Arc<dyn Beside>)>, admin: Option<SocketAddr>) -> Result<std::convert::Infallible, StartError> {
    let config = node.fixed.config.clone();
    let bound = config.listen.iter().map(Bound::new).collect::<Result<Vec<_>, _>>()?;
    let log = Log::start(node.quiet);
    let gateway = Arc::new(Gateway {
        state: ArcSwap::from_pointee(node.snapshot),
        registry: node.registry,
        ledger: node.ledger,
        upstreams: Upstreams::new(&config),
        budget: Budget::new(config.bounds.buffers),
        metrics: node.metrics,
        log: log.clone(),
    });
    // Once before the first request; pingora's runtimes, which do it again and again, do not run yet.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| StartError(format!("cannot start: {e}")))?;
    runtime.block_on(gateway.upstreams.resolve());
    drop(runtime);
    gateway.begin(node.torn_bytes);
    let mut server = Server::new_with_opt_and_conf(Some(Opt::default()), settings(&config));
    server.bootstrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let addresses: Vec<_> = bound.iter().map(|b| json!({"address": b.address.to_string(), "tls": b.listener.tls.is_some()})).collect();
    for bound in bound {
        server.add_service(bound.service(&gateway, &connections)?);
    }
    for (name, task) in beside {
        server.add_service(background_service(name, Task { task, gateway: gateway.clone(), fixed: node.fixed.clone() }));
    }
    server.add_service(background_service("upstreams", Probes { gateway: gateway.clone() }));
    server.add_service(background_service("drain", Drain { gateway, connections }));
    log.line("ready", || json!({"node": config.node.id, "region": config.node.region, "listen": addresses, "admin": admin.map(|a| a.to_string())}));
    server.run_forever()
}

impl Gateway {
    /// The node's own state, before the first request: in the ledger, and in metrics that an alert may look at from the first second on.
    fn begin(&self, torn_bytes: u64) {
        let snapshot = self.snapshot();
        let policies = snapshot.library.ids().filter_map(|id| snapshot.library.policy(id, self.now())).map(|p| p.stamp().digest.clone()).collect();
        let start = Event::Start { version: env!("CARGO_PKG_VERSION").into(), policies, torn_bytes };
        if let Some(entry) = self.entry_of_node(start) {
            self.ledger.append_later(entry);
        }
        self.metrics.reload_successful.set(1);
        self.metrics.ledger_healthy.set(i64::from(self.ledger.healthy()));
        self.metrics.registry_healthy.set(i64::from(self.registry.healthy()));
        self.tell_policies();
    }

    fn entry_of_node(&self, event: Event) -> Option<Entry> {
        let snapshot = self.snapshot();
        let node = &snapshot.config.node;
        let id = format!("node/{}", self.new_id()).parse().ok()?;
        Some(Entry { time: self.now(), id, node: node.id.clone(), region: node.region.clone(), event })
    }
}

fn settings(config: &Config) -> ServerConf {
    ServerConf {
        threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
        work_stealing: false, // a tenth less CPU on small bodies
        grace_period_seconds: Some(config.bounds.drain_deadline.as_secs().max(1)),
        graceful_shutdown_timeout_seconds: Some(1),
        ..Default::default()
    }
}

/// A listener with its port bound, before any service runs.
struct Bound {
    listener: Listener,
    socket: TcpListener,
    address: SocketAddr,
}

impl Bound {
    fn new(listener: &Listener) -> Result<Self, StartError> {
        let wrong = |e: std::io::Error| StartError(format!("cannot listen on `{}`: {e}", listener.address));
        let socket = TcpListener::bind(listener.address).map_err(wrong)?;
        socket.set_nonblocking(true).map_err(wrong)?;
        let address = socket.local_addr().map_err(wrong)?;
        Ok(Bound { listener: listener.clone(), socket, address })
    }

    fn service(self, gateway: &Arc<Gateway>, connections: &Arc<AtomicUsize>) -> Result<Handed, StartError> {
        let proxied = Arc::new(Proxied::default());
        let app = Listening {
            gateway: gateway.clone(),
            proxy_protocol: self.listener.proxy_protocol,
            tls: self.listener.tls.is_some(),
            connections: connections.clone(),
            proxied: proxied.clone(),
        };
        let mut service = Service::new(format!("listen {}", self.address), app);
        if self.listener.proxy_protocol {
            service.endpoints().set_pre_tls_callback(Arc::new(BeforeTls(proxied)));
        }
        let mut endpoint = ListenerConfig::tcp(self.address.to_string()).l4_buffer(L4BufferSettings::new(READ_BUFFER, WRITE_BUFFER));
        if let Some(tls) = &self.listener.tls {
            endpoint = endpoint.tls(tls_settings(tls)?);
        }
        service.add_listener(endpoint);
        Ok(Handed { service, address: self.address.to_string(), socket: Some(self.socket) })
    }
}

/// Certificates are read here first, so that a wrong one is an error with a name and not a panic.
fn tls_settings(tls: &crate::config::Tls) -> Result<TlsSettings, StartError> {
    let wrong = |path: &Path, e: &dyn fmt::Display| StartError(format!("cannot use `{}`: {e}", path.display()));
    let chain = rustls::pki_types::CertificateDer::pem_file_iter(&tls.cert)
        .map_err(|e| wrong(&tls.cert, &e))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| wrong(&tls.cert, &e))?;
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| wrong(&tls.key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(|e| wrong(&tls.cert, &e))?;
    builder.with_no_client_auth().with_single_cert(chain, key).map_err(|e| wrong(&tls.cert, &e))?;
    let mut settings = TlsSettings::intermediate(&tls.cert.to_string_lossy(), &tls.key.to_string_lossy()).map_err(|e| wrong(&tls.cert, &e))?;
    settings.enable_h2();
    if let Some(path) = &tls.client_ca {
        let mut roots = rustls::RootCertStore::empty();
        for authority in rustls::pki_types::CertificateDer::pem_file_iter(path).map_err(|e| wrong(path, &e))? {
            roots.add(authority.map_err(|e| wrong(path, &e))?).map_err(|e| wrong(path, &e))?;
        }
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(|e| wrong(path, &e))?;
        settings.set_client_cert_verifier(verifier);
    }
    Ok(settings)
}

/// A service whose socket was bound before: it is put where pingora looks for sockets of a predecessor.
struct Handed {
    service: Service<Listening>,
    address: String,
    socket: Option<TcpListener>,
}

#[async_trait]
impl ServiceWithDependents for Handed {
    async fn start_service(&mut self, fds: Option<ListenFds>, shutdown: ShutdownWatch, listeners_per_fd: usize, ready: ServiceReadyNotifier) {
        if let (Some(table), Some(socket)) = (&fds, self.socket.take()) {
            table.lock().add(self.address.clone(), socket.into_raw_fd());
        }
        ServiceWithDependents::start_service(&mut self.service, fds, shutdown, listeners_per_fd, ready).await;
    }

    fn name(&self) -> &str {
        "listen"
    }
}

struct Task {
    task: Arc<dyn Beside>,
    gateway: Arc<Gateway>,
    fixed: Fixed,
}

#[async_trait]
impl BackgroundService for Task {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            () = self.task.run(self.gateway.clone(), self.fixed.clone()) => {}
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
    }
}

struct Probes {
    gateway: Arc<Gateway>,
}

#[async_trait]
impl BackgroundService for Probes {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let healthy = &self.gateway.metrics.upstream_healthy;
        let seen = |region: &crate::model::Region, backend: &str, up: bool| healthy.with_label_values(&[region.as_str(), backend]).set(i64::from(up));
        tokio::select! {
            () = self.gateway.upstreams.watch(seen) => {}
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
    }
}

/// Ends the process as soon as nothing is in flight, rather than after the whole grace period.
struct Drain {
    gateway: Arc<Gateway>,
    connections: Arc<AtomicUsize>,
}

#[async_trait]
impl BackgroundService for Drain {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let _ = shutdown.wait_for(|stop| *stop).await;
        self.gateway.log.line("draining", || json!({"connections": self.connections.load(Ordering::SeqCst)}));
        while self.connections.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
        if let Some(stop) = self.gateway.entry_of_node(Event::Stop) {
            let _ = self.gateway.ledger.append(stop).await; // waits for every entry before it
        }
        self.gateway.log.line("stopped", || json!({}));
        tokio::time::sleep(DRAIN_LOOK).await; // the log's last lines
        std::process::exit(0);
    }
}

//! `domicile run`: one node, until it is told to stop.

use super::Exit;
use crate::admin::Admin;
use crate::config::Config;
use crate::gateway::{self, Beside, Journalling, Node, Reload, log};
use crate::ledger;
use crate::metrics::Metrics;
use crate::registry::{self, Embedded, RegistryKey};
use crate::snapshot::{Fixed, Snapshot};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

/// Run a node
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configuration.
    #[arg(long, default_value = crate::config::DEFAULT_PATH)]
    config: PathBuf,
    /// Write no access log.
    #[arg(long)]
    quiet: bool,
}

/// Starts and does not come back, unless something is wrong.
pub fn run(arguments: &Arguments) -> Exit {
    log::silence_panics(); // before anything reads a message
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_target(false).init();
    match start(arguments) {
        Ok(never) => match never {},
        Err(why) => {
            eprintln!("{}", why.trim_end());
            Exit::Bad
        }
    }
}

fn start(arguments: &Arguments) -> Result<std::convert::Infallible, String> {
    let config = Config::read(&arguments.config).map_err(|problems| lines(&problems))?;
    if cfg!(feature = "unscreened") && !only_loopback(&config) {
        return Err("this build screens nothing: it runs only where every address is a loopback address".into());
    }
    let fixed = fixed(config)?;
    let config = fixed.config.clone();
    let files = gateway::read_policies(&config.policies)?;
    let (snapshot, warnings) = Snapshot::compile(&fixed, &files).map_err(|e| e.to_string())?;
    for warning in warnings {
        eprintln!("{warning}");
    }
    for advice in snapshot.advice() {
        eprintln!("note: {advice}");
    }
    if config.node.loopback_as_node {
        eprintln!("warning: `loopback_as: node` places loopback callers in {}; for development only", config.node.jurisdiction);
    }
    let (registry, ledger, torn_bytes) = stores(&config)?;
    let metrics = Arc::new(Metrics::new());
    let mut beside: Vec<(&'static str, Arc<dyn Beside>)> = vec![("reload", Arc::new(Reload)), ("journal", Arc::new(Journalling))];
    let mut address = None;
    if let Some(admin) = &config.admin {
        let admin = Admin::bind(admin).map_err(|e| format!("cannot listen on `{}`: {e}", admin.address))?;
        address = Some(admin.address());
        beside.push(("admin", Arc::new(admin)));
    }
    gateway::start(Node { fixed, snapshot, registry, ledger, metrics, quiet: arguments.quiet, torn_bytes }, beside, address).map_err(|e| e.to_string())
}

/// What is read once: keys, identity, the country database.
pub fn fixed(config: Config) -> Result<Fixed, String> {
    let sources = config.sources()?;
    let keys = config.deidentification_keys()?;
    Ok(Fixed { config: Arc::new(config), sources: Arc::new(sources), keys: Arc::new(keys) })
}

/// The registry and the ledger, in the order that lets the ledger compare itself with the head the registry remembers.
fn stores(config: &Config) -> Result<(Arc<dyn registry::Registry>, ledger::Writer, u64), String> {
    std::fs::create_dir_all(&config.data).map_err(|e| format!("cannot create `{}`: {e}", config.data.display()))?;
    let key = RegistryKey::load_or_create(&config.registry.with_extension("key")).map_err(|e| e.to_string())?;
    let embedded = Arc::new(Embedded::open(&config.registry, &key, registry::Options::default()).map_err(|e| e.to_string())?);
    let (ledger, recovery) =
        ledger::Writer::open(&config.data.join("ledger"), ledger::Options::default(), Some(embedded.clone())).map_err(|e| e.to_string())?;
    if recovery.torn_bytes > 0 {
        eprintln!("the ledger ended in an unfinished line of {} bytes, which was cut: it was never acknowledged", recovery.torn_bytes);
    }
    Ok((embedded, ledger, recovery.torn_bytes))
}

fn only_loopback(config: &Config) -> bool {
    let listening = config.listen.iter().all(|l| l.address.ip().is_loopback()) && config.admin.as_ref().is_none_or(|a| a.address.ip().is_loopback());
    let local = |host: &str| host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    listening && config.apis.iter().flat_map(|api| &api.backends).flat_map(|(_, backends)| backends).all(|b| local(&b.host))
}

fn lines<T: Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

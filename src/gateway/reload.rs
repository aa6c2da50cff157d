//! Policies are read again when their folder changes, on SIGHUP or when the admin API asks. A bad set is refused whole; the last good one stays.

use super::Gateway;
use super::run::Beside;
use crate::snapshot::{Fixed, Snapshot};
use async_trait::async_trait;
use notify::{RecursiveMode, Watcher};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Changes of a folder come in bursts (editors write twice, Kubernetes swaps links): wait until they pause.
const SETTLE: Duration = Duration::from_millis(200);
/// How often the folder is read even if no change was told: some file systems tell none.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// The policy files of a folder: name and text, by name. Only `*.yaml` and `*.yml`; hidden files and folders are passed over.
pub fn read_policies(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let wrong = |path: &Path, e: std::io::Error| format!("cannot read `{}`: {e}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| wrong(folder, e))? {
        let path = entry.map_err(|e| wrong(folder, e))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        if yaml && path.is_file() && !name.starts_with('.') {
            files.push((name, std::fs::read_to_string(&path).map_err(|e| wrong(&path, e))?));
        }
    }
    files.sort();
    if files.is_empty() { Err(format!("`{}` holds no policy: put at least one `.yaml` file there", folder.display())) } else { Ok(files) }
}

impl Gateway {
    /// Reads and compiles the policies and puts them in force at once, or refuses them whole.
    pub fn reload(&self, fixed: &Fixed) -> Result<(), String> {
        let taken = read_policies(&fixed.config.policies).and_then(|files| Snapshot::compile(fixed, &files).map_err(|e| e.to_string()));
        match taken {
            Ok((snapshot, warnings)) => {
                self.state.store(Arc::new(snapshot));
                self.tell_policies();
                self.metrics.reload_successful.set(1);
                self.log.line("reload", || json!({"taken": true, "warnings": warnings.iter().map(ToString::to_string).collect::<Vec<_>>()}));
                Ok(())
            }
            Err(why) => {
                self.metrics.reload_successful.set(0);
                self.log.line("reload", || json!({"taken": false, "why": why}));
                Err(why)
            }
        }
    }

    /// Which policies are in force, as metrics.
    pub(super) fn tell_policies(&self) {
        let now = self.now();
        self.metrics.reload_success_timestamp.set(now.as_millisecond() as f64 / 1000.0);
        self.metrics.policy_info.reset();
        let snapshot = self.snapshot();
        for id in snapshot.library.ids() {
            if let Some(policy) = snapshot.library.policy(id, now) {
                let stamp = policy.stamp();
                self.metrics.policy_info.with_label_values(&[id.as_str(), stamp.version.as_str(), stamp.digest.as_str()]).set(1.0);
            }
        }
    }
}

/// Watches the folder and SIGHUP.
pub struct Reload;

#[async_trait]
impl Beside for Reload {
    async fn run(&self, gateway: Arc<Gateway>, fixed: Fixed) {
        let changed = Arc::new(Notify::new());
        let told = changed.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|e| !e.kind.is_access()) {
                told.notify_one();
            }
        });
        if let Ok(watcher) = &mut watcher {
            let _ = watcher.watch(&fixed.config.policies, RecursiveMode::NonRecursive); // the periodic look remains
        }
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        let mut seen = read_policies(&fixed.config.policies).ok();
        loop {
            let asked = tokio::select! {
                () = changed.notified() => false,
                () = tokio::time::sleep(LOOK_ANYWAY) => false,
                _ = hangup.recv() => true,
            };
            tokio::time::sleep(SETTLE).await;
            let files = read_policies(&fixed.config.policies).ok();
            if asked || files != seen {
                let _ = gateway.reload(&fixed); // told in log and metrics
                seen = files;
            }
        }
    }
}

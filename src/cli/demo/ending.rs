//! How the demo ends: by itself, by Ctrl-C, by SIGTERM, by a panic. Each time the nodes go first, then a folder that is not to be kept.

use super::files::Folder;
use super::node::Process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use tokio::signal::unix::{SignalKind, signal};

/// Status of a process that ends on a signal, by the custom of shells: 128 and SIGINT.
const INTERRUPTED: i32 = 130;

/// What must go. Fields are dropped in this order.
struct Leavings {
    processes: Vec<Process>,
    #[allow(dead_code, reason = "held for its drop")]
    folder: Folder,
}

/// None once everything has gone.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Option<Leavings>>>);

impl Shared {
    fn held(&self) -> MutexGuard<'_, Option<Leavings>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&self) {
        let leavings = self.held().take();
        drop(leavings);
    }
}

/// Ends everything when it is dropped.
pub(super) struct Ending {
    leavings: Shared,
    told: mpsc::Receiver<()>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.leavings.clear();
    }
}

impl Ending {
    /// Takes care of `folder`, and of signals from now on.
    pub(super) fn of(folder: Folder) -> Result<Ending, String> {
        let leavings = Shared(Arc::new(Mutex::new(Some(Leavings { processes: Vec::new(), folder }))));
        let (tell, told) = mpsc::sync_channel(0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| format!("cannot wait for signals: {e}"))?;
        let shared = leavings.clone();
        thread::spawn(move || {
            runtime.block_on(async {
                let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
            });
            // Whoever waits is told and ends in order; a demo under way is cut short.
            if tell.try_send(()).is_err() {
                shared.clear();
                std::process::exit(INTERRUPTED);
            }
        });
        Ok(Ending { leavings, told })
    }

    /// Takes care of a process too. One that comes too late ends at once.
    pub(super) fn mind(&self, process: Process) {
        if let Some(leavings) = self.leavings.held().as_mut() {
            leavings.processes.push(process);
        }
    }

    /// Waits for Ctrl-C or SIGTERM.
    pub(super) fn wait(&self) {
        let _ = self.told.recv(); // a thread that is gone tells nobody: that ends the wait as well
    }
}

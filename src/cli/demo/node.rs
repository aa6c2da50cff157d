//! A node of the demo: `domicile run` as a process of its own, in a folder of its own.

use super::client::{self, Request};
use super::ending::Ending;
use super::files;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A node reads its files, opens its stores and binds its ports well within this, on a busy machine too.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// The access log is written after the answer, by a thread of its own.
const LOG_PATIENCE: Duration = Duration::from_secs(5);
/// Log lines kept for looking up: more than one row writes.
const LINES_MAX: usize = 256;

/// One running node.
pub(super) struct Node {
    /// Its name: `cn-1`, `eu-1`.
    pub(super) id: &'static str,
    /// Where clients connect.
    pub(super) front: SocketAddr,
    /// Where a load balancer that speaks the PROXY protocol connects.
    pub(super) behind_proxy: SocketAddr,
    pub(super) admin: SocketAddr,
    /// The bearer token of its admin listener.
    pub(super) token: String,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<VecDeque<Value>>,
    more: Condvar,
}

/// A process that ends when this is dropped.
pub(super) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // As an operator would: SIGTERM, so that it drains and closes its ledger; what does not listen is killed.
        // The standard library sends no other signal than SIGKILL, and every shell has `kill`.
        let _ = Command::new("sh").args(["-c", "kill -TERM \"$0\""]).arg(self.0.id().to_string()).stderr(Stdio::null()).status();
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Node {
    /// Starts the node whose `domicile.yaml` lies in `folder`, and waits until it is ready; `ending` minds its process.
    pub(super) fn start(id: &'static str, folder: &Path, token: String, ending: &Ending) -> Result<Node, String> {
        let cannot = |what: &str, e: &dyn std::fmt::Display| format!("cannot {what} node `{id}`: {e}");
        let program = std::env::current_exe().map_err(|e| cannot("start", &e))?;
        let errors = folder.join("errors.log");
        let stderr = files::create(&errors, files::PUBLIC).map_err(|e| cannot("start", &e))?;
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(folder.join("domicile.yaml")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut process = Process(command.spawn().map_err(|e| cannot("start", &e))?);
        let output = process.0.stdout.take();
        ending.mind(process);
        let output = output.ok_or_else(|| cannot("listen to", &"no output"))?;
        let log = Arc::<Log>::default();
        let (writer, copy) = (log.clone(), files::create(&folder.join("access.log"), files::PUBLIC).map_err(|e| cannot("log", &e))?);
        thread::spawn(move || writer.keep(BufReader::new(output), copy));
        let ready = log.wait(START_PATIENCE, |line| line.get("event").and_then(Value::as_str) == Some("ready"));
        let ready = ready.ok_or_else(|| cannot("start", &std::fs::read_to_string(&errors).unwrap_or_default().trim()))?;
        let address = |pointer: &str| -> Result<SocketAddr, String> {
            let text = ready.pointer(pointer).and_then(Value::as_str).ok_or_else(|| cannot("find", &"no address in its ready line"))?;
            text.parse().map_err(|e| cannot("find", &e))
        };
        Ok(Node { id, front: address("/listen/0/address")?, behind_proxy: address("/listen/1/address")?, admin: address("/admin")?, token, log })
    }

    /// What the access log says about one exchange.
    pub(super) fn logged(&self, decision: &str) -> Option<Value> {
        self.log.wait(LOG_PATIENCE, |line| line.get("decision_id").and_then(Value::as_str) == Some(decision))
    }

    /// Writes to the registry through the admin API, as an operator would.
    pub(super) fn record(&self, method: &'static str, path: &str, body: &Value) -> Result<(), String> {
        let request = Request::new(method, path).json(body).with("authorization", format!("Bearer {}", self.token));
        let answer = client::send(self.admin, None, &request)?;
        if (200..300).contains(&answer.status) {
            Ok(())
        } else {
            Err(format!("{method} {path} on `{}` was answered {}: {}", self.id, answer.status, answer.text()))
        }
    }
}

impl Log {
    /// Copies every line to a file and keeps the latest for looking up.
    fn keep(&self, output: impl BufRead, mut copy: File) {
        for line in output.lines().map_while(Result::ok) {
            let _ = writeln!(copy, "{line}"); // the demo does not fail because its disk is full
            let Ok(value) = serde_json::from_str(&line) else { continue };
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push_back(value);
            if lines.len() > LINES_MAX {
                lines.pop_front();
            }
            self.more.notify_all();
        }
    }

    /// The latest line that fits, as soon as there is one.
    fn wait(&self, patience: Duration, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.more.wait_timeout_while(lines, patience, |lines| !lines.iter().any(&fits));
        let (lines, _) = found.unwrap_or_else(PoisonError::into_inner);
        lines.iter().rfind(|line| fits(line)).cloned()
    }
}

//! A running node: its configuration is written, the real program started, everything it writes read back.

use super::builder::{Kind, NodeBuilder};
use super::certs::Authority;
use super::client::Client;
use super::h2::{H2, RawH2};
use super::wire::{Answer, Request};
use super::{PATIENCE, eventually};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_domicile");

/// The program with these arguments and this standard input, until it ends.
pub fn domicile(arguments: &[&str], stdin: impl AsRef<[u8]>, dir: &Path) -> Output {
    let mut child = Command::new(PROGRAM).args(arguments).current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref()); // it may have ended over its arguments
    child.wait_with_output().unwrap()
}

/// How a node ended.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    pub code: Option<i32>,
    pub took: Duration,
}

/// Ends a node and removes its folder when the test process is gone: a node in a `static` is never dropped.
struct Watch(Child);

impl Watch {
    fn over(node: u32, dir: &Path) -> Self {
        // Reads until the test process closes the pipe by ending.
        let script = "cat >/dev/null; kill -9 \"$1\"; rm -rf \"$2\"";
        let child = Command::new("sh")
            .args(["-c", script, "watch", &node.to_string()])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Watch(child.unwrap())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill(); // before its input closes: the node's id may be somebody else's by now
        let _ = self.0.wait();
    }
}

/// A running node. It is killed when dropped.
pub struct Node {
    dir: tempfile::TempDir,
    program: PathBuf,
    watch: Option<Watch>,
    token: String,
    authority: Arc<Authority>,
    kinds: Vec<Kind>,
    child: Option<Child>,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
}

impl Node {
    /// A node in this region of this jurisdiction, with plain HTTP and HTTPS on free ports of loopback, and callers there standing where it stands.
    pub fn at(region: &str, jurisdiction: &str) -> NodeBuilder {
        NodeBuilder::new(region, jurisdiction)
    }

    /// Starts the program in a folder that holds its configuration.
    pub(super) fn start(dir: tempfile::TempDir, program: PathBuf, token: String, authority: Arc<Authority>, kinds: Vec<Kind>) -> Node {
        let mut node = Node { dir, program, watch: None, token, authority, kinds, child: None, addresses: Vec::new(), admin: None };
        node.spawn();
        node
    }

    fn spawn(&mut self) {
        let out = File::create(self.dir.path().join("stdout.log")).unwrap();
        let err = File::options().create(true).append(true).open(self.dir.path().join("stderr.log")).unwrap();
        let child = Command::new(&self.program)
            .args(["run", "--config", "domicile.yaml"])
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap();
        self.watch = Some(Watch::over(child.id(), self.dir.path()));
        self.child = Some(child);
        let ready = eventually("the node to be ready", || {
            if let Some(status) = self.child.as_mut().and_then(|c| c.try_wait().unwrap()) {
                panic!("the node ended with {status}:\n{}\n{}", self.config(), self.stderr());
            }
            self.events("ready").into_iter().next()
        });
        let address = |value: &Value| value.as_str().and_then(|a| a.parse().ok());
        self.addresses = ready["listen"].as_array().unwrap().iter().map(|l| address(&l["address"]).unwrap()).collect();
        self.admin = address(&ready["admin"]);
    }

    /// Where this kind of listener is.
    pub fn address(&self, kind: Kind) -> SocketAddr {
        self.addresses[self.kinds.iter().position(|k| *k == kind).unwrap()]
    }

    /// Who issued its certificate.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A client over plain HTTP/1.1.
    pub fn client(&self) -> Client {
        Client::connect(self.address(Kind::Http))
    }

    /// A client over HTTP/1.1 and TLS.
    pub fn client_tls(&self) -> Client {
        Client::connect_tls(self.address(Kind::Https), &self.authority)
    }

    /// A client over HTTP/2.
    pub fn h2(&self) -> H2 {
        H2::connect(self.address(Kind::Https), &self.authority)
    }

    /// An HTTP/2 connection for frames written by hand.
    pub fn raw_h2(&self) -> RawH2 {
        RawH2::connect(self.address(Kind::Https), &self.authority)
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Answer {
        self.client().exchange(&request.clone().header("Connection", "close"))
    }

    /// One call of the admin API, with the bearer token.
    #[track_caller]
    pub fn admin(&self, method: &str, target: &str, json: Option<Value>) -> Answer {
        let request = Request::new(method, target).header("Connection", "close").header("Authorization", format!("Bearer {}", self.token));
        let request = match json {
            Some(json) => request.header("Content-Type", "application/json").body(json.to_string()),
            None => request,
        };
        self.admin_as_is(&request)
    }

    /// One call of the admin API, exactly as given.
    #[track_caller]
    pub fn admin_as_is(&self, request: &Request) -> Answer {
        Client::connect(self.admin.expect("an admin listener")).exchange(request)
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> String {
        self.admin("GET", "/metrics", None).text()
    }

    /// The sum of a metric's series whose labels hold all of these `name="value"`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.metrics();
        let series = text.lines().filter(|l| l.starts_with(name) && matches!(l.as_bytes().get(name.len()), Some(b'{' | b' ')));
        series.filter(|l| labels.iter().all(|label| l.contains(label))).filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// A command of the registry or the ledger on this node's files.
    pub fn command(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Output {
        domicile(&[arguments, &["--config", "domicile.yaml"]].concat(), stdin, self.dir.path())
    }

    /// The journal, line by line, oldest first. Lines that are still being written are left out.
    pub fn ledger(&self) -> Vec<Value> {
        let Ok(entries) = fs::read_dir(self.ledger_dir()) else { return Vec::new() };
        let mut segments: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
        segments.sort();
        segments.iter().flat_map(|path| json_lines(&fs::read(path).unwrap())).collect()
    }

    /// The entries of one exchange, by the `Domicile-Decision` of its answer.
    pub fn entries(&self, answer: &Answer) -> Vec<Value> {
        let id = answer.header("domicile-decision").expect("a decision").to_owned();
        self.ledger().into_iter().filter(|e| e["id"].as_str().is_some_and(|e| e.starts_with(&id))).collect()
    }

    /// Whether `domicile ledger verify` finds the journal sound.
    pub fn ledger_verify(&self) -> Output {
        domicile(&["ledger", "verify", "data/ledger"], "", self.dir.path())
    }

    pub fn ledger_dir(&self) -> PathBuf {
        self.dir.path().join("data/ledger")
    }

    /// The folder of everything the node reads and writes.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn config(&self) -> String {
        fs::read_to_string(self.dir.path().join("domicile.yaml")).unwrap_or_default()
    }

    /// Everything printed since the last start.
    pub fn stdout(&self) -> String {
        fs::read_to_string(self.dir.path().join("stdout.log")).unwrap_or_default()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.dir.path().join("stderr.log")).unwrap_or_default()
    }

    /// The lines of this event in the log.
    pub fn events(&self, event: &str) -> Vec<Value> {
        json_lines(self.stdout().as_bytes()).into_iter().filter(|line| line["event"] == event).collect()
    }

    /// The line of the access log about one exchange.
    #[track_caller]
    pub fn logged(&self, answer: &Answer) -> Value {
        let id = answer.header("domicile-decision").expect("a decision").to_owned();
        eventually("the access log", || self.events("exchange").into_iter().find(|e| e["decision_id"] == id.as_str()))
    }

    /// Every byte the node wrote anywhere: logs, ledger, registry; and its metrics. What a leak scan looks through.
    pub fn everything_written(&self) -> Vec<u8> {
        let mut all = self.metrics().into_bytes();
        let mut folders = vec![self.dir.path().join("data")];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).into_iter().flatten().map(|e| e.unwrap().path()) {
                if path.is_dir() { folders.push(path) } else { all.extend(fs::read(path).unwrap_or_default()) }
            }
        }
        all.extend(self.stdout().into_bytes());
        all.extend(self.stderr().into_bytes());
        all
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) -> Stopped {
        self.signal("TERM");
        self.wait()
    }

    /// Sends a signal and goes on.
    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("a running node").id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits until the program has ended.
    pub fn wait(&mut self) -> Stopped {
        let began = Instant::now();
        self.watch = None;
        let mut child = self.child.take().expect("a running node");
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return Stopped { code: status.code(), took: began.elapsed() };
            }
            if began.elapsed() > PATIENCE + PATIENCE {
                child.kill().unwrap();
                panic!("the node does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.watch = None;
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again on the same files, at new ports.
    pub fn restart(&mut self) {
        self.kill();
        self.spawn();
    }

    /// Whether the process lives.
    pub fn alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|c| c.try_wait().unwrap().is_none())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of the node\n{}\n--- errors of the node\n{}", self.stdout(), self.stderr());
        }
    }
}

fn json_lines(bytes: &[u8]) -> Vec<Value> {
    bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

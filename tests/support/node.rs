//! A running node: its configuration is written, the real program started, everything it writes read back.

use super::certs::Authority;
use super::client::Client;
use super::h2::{H2, RawH2};
use super::jwt::Jwt;
use super::wire::{Answer, Request};
use super::{PATIENCE, eventually};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_domicile");

/// The program with these arguments and this standard input, until it ends.
pub fn domicile(arguments: &[&str], stdin: impl AsRef<[u8]>, dir: &Path) -> Output {
    let mut child = Command::new(PROGRAM).args(arguments).current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref()); // it may have ended over its arguments
    child.wait_with_output().unwrap()
}

/// A node that is still being described.
pub struct NodeBuilder {
    id: String,
    region: String,
    regions: Vec<(String, String)>,
    policies: Vec<(String, String)>,
    apis: Vec<String>,
    more: Vec<String>,
    listeners: Vec<Kind>,
    keys: Vec<String>,
    files: Vec<(String, String)>,
    authority: Arc<Authority>,
    loopback_as_node: bool,
    program: PathBuf,
}

/// Kinds of listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Http,
    Https,
    /// Plain HTTP after a PROXY header.
    Proxied,
    /// TLS after a PROXY header.
    ProxiedTls,
}

/// How a node ended.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    pub code: Option<i32>,
    pub took: Duration,
}

impl NodeBuilder {
    /// One more region. The node's own is there already.
    pub fn region(mut self, name: &str, jurisdiction: &str) -> Self {
        self.regions.push((name.into(), jurisdiction.into()));
        self
    }

    /// One more region that clients reach at this address.
    pub fn region_at(self, name: &str, jurisdiction: &str, url: &str) -> Self {
        self.region(name, &format!("{jurisdiction}, url: \"{url}\""))
    }

    /// A policy, as the text of its file.
    pub fn policy(mut self, yaml: &str) -> Self {
        self.policies.push((format!("policy-{}.yaml", self.policies.len()), yaml.into()));
        self
    }

    /// A policy by the path of its file.
    pub fn policy_file(mut self, path: &Path) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        self.policies.push((name, fs::read_to_string(path).unwrap()));
        self
    }

    /// One entry of `apis`, as a YAML flow mapping: `{id: …, match: …, …}`.
    pub fn api(mut self, yaml: &str) -> Self {
        self.apis.push(yaml.into());
        self
    }

    /// `limits`, as a YAML flow mapping.
    pub fn limits(self, yaml: &str) -> Self {
        self.top("limits", yaml)
    }

    /// `trusted_hops`, as a YAML flow mapping.
    pub fn trusted_hops(self, yaml: &str) -> Self {
        self.top("trusted_hops", yaml)
    }

    /// Believes this issuer's tokens.
    pub fn identity(self, jwt: &Jwt) -> Self {
        let jwks = jwt.jwks();
        self.file("jwks.json", &jwks).top("identity", &Jwt::config())
    }

    /// A fresh de-identification key of this id.
    pub fn key(self, id: &str) -> Self {
        self.key_from(id, &hex::encode(rand::random::<[u8; 32]>()))
    }

    /// A de-identification key of 64 hexadecimal digits, so that several nodes can share it.
    pub fn key_from(mut self, id: &str, hex: &str) -> Self {
        let file = format!("{id}.key");
        self.keys.push(format!("{{id: {id}, from: \"file:{file}\"}}"));
        self.file(&file, hex)
    }

    /// Any other key of the file.
    pub fn top(mut self, key: &str, yaml: &str) -> Self {
        self.more.push(format!("{key}: {yaml}"));
        self
    }

    /// A file beside the configuration.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.into(), text.into()));
        self
    }

    /// One more listener; plain HTTP and HTTPS are there already.
    pub fn listen(mut self, kind: Kind) -> Self {
        self.listeners.push(kind);
        self
    }

    /// Takes its certificate from this authority, which also lies beside the configuration as `ca.pem`.
    pub fn authority(mut self, authority: &Arc<Authority>) -> Self {
        self.authority = authority.clone();
        self
    }

    /// Callers on loopback stand nowhere, as in production.
    pub fn without_loopback(mut self) -> Self {
        self.loopback_as_node = false;
        self
    }

    /// Runs this program instead of the one under test.
    pub fn program(mut self, program: &Path) -> Self {
        self.program = program.to_owned();
        self
    }

    /// Writes the files and starts the program.
    pub fn start(self) -> Node {
        let dir = tempfile::tempdir().unwrap();
        let token = hex::encode(rand::random::<[u8; 16]>());
        self.write(dir.path(), &token);
        let (kinds, addresses) = (self.listeners, Vec::new());
        let mut node = Node { dir, program: self.program, watch: None, token, authority: self.authority, kinds, child: None, addresses, admin: None };
        node.spawn();
        node
    }

    fn write(&self, dir: &Path, token: &str) {
        self.authority.issue(dir, "node");
        fs::write(dir.join("ca.pem"), self.authority.pem()).unwrap();
        fs::write(dir.join("admin.token"), token).unwrap();
        fs::create_dir(dir.join("policies")).unwrap();
        for (name, text) in &self.policies {
            fs::write(dir.join("policies").join(name), text).unwrap();
        }
        for (name, text) in &self.files {
            fs::write(dir.join(name), text).unwrap();
        }
        fs::write(dir.join("domicile.yaml"), self.config()).unwrap();
    }

    fn config(&self) -> String {
        let mut yaml = String::new();
        let loopback = if self.loopback_as_node { ", loopback_as: node" } else { "" };
        writeln!(yaml, "node: {{id: {}, region: {}{loopback}}}", self.id, self.region).unwrap();
        writeln!(yaml, "operator_url: https://shop.example/data-transfers").unwrap();
        writeln!(yaml, "admin: {{listen: \"127.0.0.1:0\", token: \"file:admin.token\"}}").unwrap();
        writeln!(yaml, "listen:").unwrap();
        for kind in &self.listeners {
            writeln!(yaml, "  - {}", kind.yaml()).unwrap();
        }
        writeln!(yaml, "regions:").unwrap();
        for (name, jurisdiction) in &self.regions {
            writeln!(yaml, "  {name}: {{jurisdiction: {jurisdiction}}}").unwrap();
        }
        if !self.keys.is_empty() {
            writeln!(yaml, "keys: [{}]", self.keys.join(", ")).unwrap();
        }
        for line in &self.more {
            writeln!(yaml, "{line}").unwrap();
        }
        writeln!(yaml, "apis:").unwrap();
        for api in &self.apis {
            writeln!(yaml, "  - {api}").unwrap();
        }
        yaml
    }
}

impl Kind {
    fn yaml(self) -> &'static str {
        match self {
            Kind::Http => "{http: \"127.0.0.1:0\"}",
            Kind::Https => "{https: \"127.0.0.1:0\", tls: {cert: node.pem, key: node.key}}",
            Kind::Proxied => "{http: \"127.0.0.1:0\", proxy_protocol: true}",
            Kind::ProxiedTls => "{https: \"127.0.0.1:0\", tls: {cert: node.pem, key: node.key}, proxy_protocol: true}",
        }
    }
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
        NodeBuilder {
            id: format!("node-{region}"),
            region: region.into(),
            regions: vec![(region.into(), jurisdiction.into())],
            policies: Vec::new(),
            apis: Vec::new(),
            more: Vec::new(),
            listeners: vec![Kind::Http, Kind::Https],
            keys: Vec::new(),
            files: Vec::new(),
            authority: Arc::new(Authority::new()),
            loopback_as_node: true,
            program: PROGRAM.into(),
        }
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

//! The description of a node, and the files it becomes.

use super::certs::Authority;
use super::jwt::Jwt;
use super::node::{Node, PROGRAM};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

impl NodeBuilder {
    pub(super) fn new(region: &str, jurisdiction: &str) -> Self {
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
        Node::start(dir, self.program, token, self.authority, self.listeners)
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

//! The stage of most tests: a node in Germany, backends in Germany and in mainland China, and one policy that sends everybody home.

use crate::support::{Canary, Node, NodeBuilder, Sink};
use std::sync::OnceLock;

/// Sends people home and has no rule of its own; the regimes stand on top.
pub const POLICY: &str = r#"
policy: homes
version: "1"
effective: 2026-01-01T00:00:00Z
source: {title: A policy of homes only, document: homes.txt}
exporter: {id: homes-co, jurisdiction: DE, flags: []}
regimes: [cn-pipl, eu-gdpr]
residency:
  - {id: home-mainland, when: {origin: CN}, home: cn-north}
  - {id: home-europe, when: {origin: EEA}, home: eu-frankfurt}
rules: []
regions: {cn-north: CN, eu-frankfurt: DE}
"#;

/// A node and its backends.
pub struct Stage {
    pub node: Node,
    pub de: Sink,
    pub cn: Sink,
}

impl Stage {
    /// With the node's description changed by `more`.
    pub fn with(more: impl FnOnce(NodeBuilder) -> NodeBuilder) -> Self {
        Self::with_limits("{}", more)
    }

    /// APIs: `local` under `/local/` is for people in Germany and has a backend there only, so that all of it stays; `world` under `/v1/` may
    /// carry anybody's data; `secure` under `/secure/` is as `world` and takes only TLS. `limits` are those of `world` and `local`.
    pub fn with_limits(limits: &str, more: impl FnOnce(NodeBuilder) -> NodeBuilder) -> Self {
        let (de, cn) = (Sink::start("DE"), Sink::start("CN"));
        let both = format!("{{eu-frankfurt: [\"{}\"], cn-north: [\"{}\"]}}", de.url(), cn.url());
        let builder = Node::at("eu-frankfurt", "DE")
            .region("cn-north", "CN")
            .policy(POLICY)
            .api(&format!(
                "{{id: local, match: {{path: /local/}}, policy: homes, purpose: service, people_of: [DE], limits: {limits}, backends: {{eu-frankfurt: [\"{}\"]}}}}",
                de.url()
            ))
            .api(&format!("{{id: world, match: {{path: /v1/}}, policy: homes, purpose: service, limits: {limits}, backends: {both}}}"))
            .api(&format!("{{id: secure, match: {{path: /secure/}}, policy: homes, purpose: service, require_tls: true, backends: {both}}}"));
        Stage { node: more(builder).start(), de, cn }
    }

    /// The one that tests share; each uses paths of its own on it.
    pub fn shared() -> &'static Stage {
        static SHARED: OnceLock<Stage> = OnceLock::new();
        SHARED.get_or_init(|| Stage::with(|builder| builder))
    }
}

/// A body that speaks of a person in mainland China.
pub fn about(person: &Canary) -> String {
    serde_json::json!({"phone": person.phone, "note": "callback"}).to_string()
}

//! A small policy and situations in one line of YAML each, for the tests of this folder.

use super::scenarios::Request;
use super::{Library, Source};
use crate::model::Decision;
use crate::model::decision::{Action, Outcome};

/// Two homes, one region without people of its own, recipients of every kind.
pub(super) const POLICY: &str = r#"
policy: shop
version: "1"
effective: 2026-01-01T00:00:00Z
exporter: {id: shop-co, jurisdiction: CN}
regimes: [cn-pipl, eu-gdpr]
purposes: {service: {legal_basis: consent}}
recipients:
  helper: {name: Helper, contact: h@example, role: processor, stored_in: SG, accessed_from: [SG], owned_from: SG}
  reader: {name: Reader, contact: r@example, role: processor, stored_in: CN, accessed_from: [CN, IN], owned_from: CN, agreement: dpa-1}
  silent: {name: Silent, contact: s@example, role: processor, stored_in: CN, agreement: dpa-2}
  banned: {name: Banned, contact: b@example, role: processor, stored_in: SG, accessed_from: [SG], lists: [cn-pipl-42]}
  local: {name: Local, contact: l@example, role: processor, stored_in: DE, accessed_from: [DE], owned_from: DE, agreement: dpa-3}
residency:
  - {id: home-cn, when: {origin: CN}, home: cn-north}
  - {id: home-eu, when: {origin: EEA}, home: eu}
  - {id: home-jp, when: {origin: JP}, home: chosen}
  - {id: home-kr, when: {origin: KR}, home: none}
rules: []
regions: {cn-north: CN, eu: DE, eu-2: FR, sg: SG, tokyo: JP}
"#;

/// Compiles sources or says why not.
pub(super) fn library(texts: &[&str]) -> Library {
    let sources: Vec<Source<'_>> = texts.iter().map(|text| Source { name: "test.yaml", text }).collect();
    let compiled = Library::compile(&sources);
    compiled.unwrap_or_else(|found| panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))).0
}

/// A request from YAML, `purpose: service` unless it says otherwise.
pub(super) fn request(yaml: &str) -> Request {
    let purpose = if yaml.contains("purpose:") || yaml.contains("\"purpose\":") { "" } else { "purpose: service\n" };
    serde_saphyr::from_str(&format!("{purpose}{yaml}")).unwrap()
}

/// What `policy` (with further files) decides about a request.
pub(super) fn under(texts: &[&str], yaml: &str) -> Decision {
    let library = library(texts);
    let policy = library.ids().next().map(|id| &library.versions(id)[0]).unwrap();
    let now = "2026-11-23T09:00:00Z".parse().unwrap();
    request(yaml).situation(policy, library.places(), now).unwrap().decide(policy, library.places())
}

/// What [`POLICY`] decides.
pub(super) fn decided(yaml: &str) -> Decision {
    under(&[POLICY], yaml)
}

/// What [`POLICY`] with `rules` decides.
pub(super) fn with_rules(rules: &str, yaml: &str) -> Decision {
    under(&[&POLICY.replace("rules: []", &format!("rules:\n{rules}"))], yaml)
}

/// Outcome, action and destination in one value.
pub(super) fn short(decision: &Decision) -> (Outcome, Action, Option<&str>) {
    (decision.outcome, decision.action, decision.destination.as_ref().map(|region| region.as_str()))
}

/// Ids of the rules that led to the outcome.
pub(super) fn rules(decision: &Decision) -> Vec<&str> {
    decision.rules.iter().map(|rule| rule.as_str()).collect()
}

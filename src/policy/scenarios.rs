//! What `explain` reads and policies are tested with: a situation in words, turned into facts.

use super::{Library, Policy, Setting, decide};
use crate::model::basis::{Assessment, Consent, Exemption, Instrument};
use crate::model::facts::{Arrival, CallerFacts, Direction, Otherwise, Site, Store, Terms, UnlawfulField, UnlawfulRecord, Volume};
use crate::model::{ApiId, Bases, Decision, Facts, OpaqueReason, Places, Purpose, RecipientId, RecordFacts, Region, Regions, RuleId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A message as `explain` and scenarios describe it; what is left out is unknown, and unknown is read strictly.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// When; left out: the moment the policy begins to govern, or (in `explain`) the present.
    #[serde(default)]
    pub now: Option<Timestamp>,
    /// The region this node stands in.
    #[serde(default)]
    pub node: Option<Region>,
    #[serde(default = "request")]
    pub direction: Direction,
    #[serde(default)]
    pub api: Option<ApiId>,
    pub purpose: Purpose,
    #[serde(default)]
    pub recipient: Option<RecipientId>,
    /// The region that was asked for and that the API lets be asked for.
    #[serde(default)]
    pub addressed: Option<Region>,
    /// The region whose backend answered (responses); left out: the node's.
    #[serde(default)]
    pub backend: Option<Region>,
    #[serde(default)]
    pub regions: Option<Regions>,
    #[serde(default)]
    pub backends: Option<Vec<Region>>,
    #[serde(default)]
    pub caller: CallerFacts,
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub records: Vec<RecordFacts>,
    #[serde(default)]
    pub opaque: BTreeSet<OpaqueReason>,
    #[serde(default)]
    pub unavailable: BTreeSet<Store>,
    /// Jurisdictions, areas or groups; left out: every jurisdiction that has a region.
    #[serde(default)]
    pub people_of: Option<BTreeSet<String>>,
    #[serde(default)]
    pub otherwise: Option<Otherwise>,
    #[serde(default)]
    pub unlawful_field: Option<UnlawfulField>,
    #[serde(default)]
    pub unlawful_record: Option<UnlawfulRecord>,
    #[serde(default)]
    pub arrival: Option<Arrival>,
    #[serde(default)]
    pub consents: Vec<Consent>,
    #[serde(default)]
    pub instruments: Vec<Instrument>,
    #[serde(default)]
    pub assessments: Vec<Assessment>,
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
    #[serde(default)]
    pub volume: Volume,
}

fn request() -> Direction {
    Direction::Request
}

/// What is on record when a scenario begins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    pub consents: Vec<Consent>,
    pub instruments: Vec<Instrument>,
    pub assessments: Vec<Assessment>,
    pub exemptions: Vec<Exemption>,
    pub volume: Volume,
}

/// One test of a policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    #[serde(default)]
    pub given: Given,
    pub request: Request,
    /// Part of what `explain` prints: members that are named must be equal, list items that are named must be found.
    pub expect: serde_json::Value,
}

/// A situation ready to be decided.
#[derive(Debug)]
pub struct Situation {
    pub facts: Facts,
    pub terms: Terms,
    pub regions: Regions,
}

impl Situation {
    /// Decides it under `policy`.
    pub fn decide(&self, policy: &Policy, places: &Places) -> Decision {
        decide(&self.facts, &Setting { policy, places, regions: &self.regions, terms: &self.terms })
    }
}

impl Request {
    /// The facts this describes under `policy`, at `now` unless it says when itself.
    ///
    /// # Errors
    /// A name in `people_of` that is no jurisdiction, area or group.
    pub fn situation(&self, policy: &Policy, places: &Places, now: Timestamp) -> Result<Situation, String> {
        let regions = self.regions.clone().unwrap_or_else(|| policy.regions.clone());
        let site = |region: &Region| Site { region: region.clone(), jurisdiction: regions.get(region).copied() };
        let mut people_of = BTreeSet::new();
        for name in self.people_of.iter().flatten() {
            people_of.extend(places.members(name).ok_or_else(|| format!("`{name}` in `people_of` is no jurisdiction, area or group"))?);
        }
        if self.people_of.is_none() {
            people_of.extend(regions.values().copied());
        }
        let node = self.node.as_ref().map(site);
        let response = self.direction == Direction::Response;
        let facts = Facts {
            now: self.now.unwrap_or(now),
            backend: self.backend.as_ref().map(site).or_else(|| node.clone()).filter(|_| response),
            node,
            direction: self.direction,
            api: self.api.clone(),
            caller: self.caller.clone(),
            recipient: self.recipient.clone(),
            purpose: self.purpose.clone(),
            addressed: self.addressed.clone(),
            opaque: self.opaque.clone(),
            unavailable: self.unavailable.clone(),
            records: self.records.clone(),
            bases: Bases {
                consents: self.consents.clone(),
                instruments: self.instruments.clone(),
                assessments: self.assessments.clone(),
                exemptions: self.exemptions.clone(),
            },
            volume: self.volume.clone(),
        };
        let terms = Terms {
            backends: self.backends.clone().unwrap_or_else(|| regions.keys().cloned().collect()),
            pinned: None,
            people_of,
            otherwise: self.otherwise.unwrap_or(Otherwise::Home),
            unlawful_field: self.unlawful_field.unwrap_or(UnlawfulField::Whole),
            unlawful_record: self.unlawful_record.unwrap_or(UnlawfulRecord::Whole),
            arrival: self.arrival.unwrap_or(Arrival::Home),
            caller_by_geo: true,
        };
        Ok(Situation { facts, terms, regions })
    }
}

/// How a scenario went.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub name: String,
    /// What differs from the expectation; empty: passed.
    pub differences: Vec<String>,
    /// Every rule the decision names anywhere.
    #[serde(skip)]
    pub rules: BTreeSet<RuleId>,
}

impl Outcome {
    /// Whether all that was expected was found.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs one scenario of `policy`, at the moment the policy begins to govern unless the scenario says when.
pub fn run(scenario: &Scenario, policy: &Policy, places: &Places) -> Outcome {
    let mut request = scenario.request.clone();
    let given = scenario.given.clone();
    request.consents.extend(given.consents);
    request.instruments.extend(given.instruments);
    request.assessments.extend(given.assessments);
    request.exemptions.extend(given.exemptions);
    request.volume.extend(given.volume);
    let name = scenario.name.clone();
    let situation = match request.situation(policy, places, policy.effective) {
        Ok(situation) => situation,
        Err(message) => return Outcome { name, differences: vec![message], rules: BTreeSet::new() },
    };
    let decision = situation.decide(policy, places);
    let mut differences = Vec::new();
    match serde_json::to_value(&decision) {
        Ok(found) => compare(&scenario.expect, &found, "", &mut differences),
        Err(error) => differences.push(error.to_string()),
    }
    Outcome { name, differences, rules: named(&decision) }
}

/// Every rule a decision names: of the outcome, of each category, in conflicts.
pub fn named(decision: &Decision) -> BTreeSet<RuleId> {
    let categories = decision.records.iter().flat_map(|record| record.categories.values()).flat_map(|verdict| &verdict.rules);
    let pairs = decision.conflicts.iter().flat_map(|(a, b)| [a, b]);
    decision.rules.iter().chain(categories).chain(pairs).cloned().collect()
}

/// Rules of `policy` that no decision of `outcomes` names.
pub fn uncovered<'p>(policy: &'p Policy, outcomes: &[Outcome]) -> Vec<&'p RuleId> {
    let named: BTreeSet<&RuleId> = outcomes.iter().flat_map(|outcome| &outcome.rules).collect();
    policy.rules.iter().map(|rule| &rule.id).filter(|id| !named.contains(id)).collect()
}

/// Members by name, list items by presence, everything else by equality. An empty list means empty.
fn compare(wanted: &serde_json::Value, found: &serde_json::Value, at: &str, differences: &mut Vec<String>) {
    use serde_json::Value;
    let here = if at.is_empty() { "the decision" } else { at };
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                match found.get(name) {
                    Some(inner) => compare(value, inner, &format!("{at}/{name}"), differences),
                    None => differences.push(format!("{at}/{name}: expected {value}, found nothing")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) if !wanted.is_empty() => {
            for item in wanted {
                let matches = |candidate: &&Value| {
                    let mut inner = Vec::new();
                    compare(item, candidate, "", &mut inner);
                    inner.is_empty()
                };
                if !found.iter().any(|candidate| matches(&candidate)) {
                    differences.push(format!("{here}: expected {item} among {}", Value::Array(found.clone())));
                }
            }
        }
        _ if wanted == found => {}
        _ => differences.push(format!("{here}: expected {wanted}, found {found}")),
    }
}

/// Runs every scenario of every version of every policy.
pub fn run_all(library: &Library) -> Vec<(&Policy, Vec<Outcome>)> {
    let policies = library.ids().flat_map(|id| library.versions(id));
    policies.map(|policy| (policy, policy.scenarios.iter().map(|scenario| run(scenario, policy, &library.places)).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Source;

    /// The policies the repository ships.
    const SHIPPED: &[Source<'static>] = &[
        Source { name: "policies/shopping-app.yaml", text: include_str!("../../policies/shopping-app.yaml") },
        Source { name: "policies/wearable-tracker.yaml", text: include_str!("../../policies/wearable-tracker.yaml") },
    ];

    fn library(sources: &[Source<'_>]) -> Library {
        let compiled = Library::compile(sources);
        compiled.unwrap_or_else(|found| panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))).0
    }

    #[test]
    fn every_scenario_of_the_shipped_policies_holds_and_every_rule_is_covered() {
        let library = library(SHIPPED);
        let mut failures = Vec::new();
        let mut count = 0;
        for (policy, outcomes) in run_all(&library) {
            count += outcomes.len();
            failures.extend(outcomes.iter().filter(|o| !o.passed()).map(|o| format!("{}: {}", o.name, o.differences.join("; "))));
            failures.extend(uncovered(policy, &outcomes).iter().map(|id| format!("{}: no scenario names {id}", policy.stamp.id)));
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert!(count >= 40, "{count}");
    }

    fn shop(changes: &[(&str, &str)], request: serde_json::Value) -> Decision {
        let text = changes.iter().fold(SHIPPED[0].text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let library = library(&[Source { name: "shop.yaml", text: &text }]);
        let policy = &library.versions(library.ids().next().unwrap())[0];
        let request: Request = serde_json::from_value(request).unwrap();
        request.situation(policy, library.places(), policy.effective).unwrap().decide(policy, library.places())
    }

    #[test]
    fn s4_06_deidentified_data_without_consent_passes_only_with_instrument_assessment_and_the_lenient_reading() {
        let lenient = ("regimes: [cn-pipl, eu-gdpr]", "regimes: [cn-pipl, eu-gdpr]\nswitches: {cn.art39_consent: consent_basis_only}");
        let ground = ("usage_statistics: {legal_basis: consent}", "usage_statistics: {legal_basis: contract}");
        let fallback = (
            "    require: {consent: {class: [explicit, separate, written], notice: transfer}}\n    otherwise: home",
            "    require: {consent: {class: [explicit, separate, written], notice: transfer}}\n    otherwise: deidentify",
        );
        let scope = serde_json::json!({"recipient": "statistics-sg", "purposes": ["usage_statistics"], "categories": ["hardware_id"], "destinations": ["SG"]});
        let with = |mut value: serde_json::Value| {
            value.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
            value
        };
        let contract = with(serde_json::json!({"id": "sc", "type": "cn_standard_contract", "status": "in_force"}));
        let pipia = with(serde_json::json!({"id": "p", "type": "pipia", "date": "2026-01-01T00:00:00Z", "result": "positive"}));
        let request = |instruments: &[&serde_json::Value], assessments: &[&serde_json::Value]| {
            serde_json::json!({"node": "cn-north", "purpose": "usage_statistics", "recipient": "statistics-sg", "addressed": "sg-1", "otherwise": "refuse", "instruments": instruments, "assessments": assessments,
                "records": [{"subject": "A", "jurisdictions": ["CN"], "age_band": "adult", "categories": {"hardware_id": "clear"}}]})
        };
        let all = [lenient, ground, fallback];
        let passed = shop(&all, request(&[&contract], &[&pipia]));
        assert_eq!(passed.action, crate::model::Action::ForwardEdited, "{passed:?}");
        assert_eq!(serde_json::to_value(&passed.plan).unwrap()["0"]["techniques"]["hardware_id"], "token");
        assert_eq!(shop(&all, request(&[], &[&pipia])).action, crate::model::Action::ForwardHome);
        assert_eq!(shop(&all, request(&[&contract], &[])).action, crate::model::Action::ForwardHome);
        assert_eq!(
            shop(&[fallback], request(&[&contract], &[&pipia])).action,
            crate::model::Action::ForwardHome,
            "the literal reading asks for consent whatever the form"
        );
    }

    #[test]
    fn s4_06_a_plain_hash_is_no_technique() {
        let text = SHIPPED[0].text.replace("account_id: token", "account_id: hash");
        let found = Library::compile(&[Source { name: "shop.yaml", text: &text }]).unwrap_err();
        assert!(found[0].message.contains("`hash`") && found[0].line > 1, "{}", found[0]);
    }

    #[test]
    fn a_booking_abroad_needs_consent_under_the_literal_reading_and_notice_with_assessment_under_the_other() {
        let scope = "order_delivery";
        let request = serde_json::json!({"node": "cn-north", "purpose": scope, "recipient": "hotel", "addressed": "sg-1", "otherwise": "refuse",
            "records": [{"subject": "A", "jurisdictions": ["CN"], "age_band": "adult", "categories": {"transaction_order": "clear"}}],
            "exemptions": [{"id": "booking", "kind": "cn_exempt_contract", "recipient": "hotel", "purposes": [scope], "categories": ["transaction_order"], "destinations": ["SG"], "reference": "register 1", "effective_at": "2026-01-01T00:00:00Z"}],
            "assessments": [{"id": "p", "type": "pipia", "recipient": "hotel", "purposes": [scope], "categories": ["transaction_order"], "destinations": ["SG"], "date": "2026-01-01T00:00:00Z", "result": "positive"}]});
        let hotel = (
            "recipients:\n",
            "recipients:\n  hotel: {name: Example Hotel, contact: h@hotel.example, role: controller, stored_in: SG, accessed_from: [SG], owned_from: SG}\n",
        );
        // The shop's own promise of consent is lifted for deliveries, so that only the law speaks.
        let promise = ("when: {is: leaves, not: {is: registration}}", "when: {is: leaves, not: {is: registration}, purpose: {not: order_delivery}}");
        let lenient = ("regimes: [cn-pipl, eu-gdpr]", "regimes: [cn-pipl, eu-gdpr]\nswitches: {cn.art39_consent: consent_basis_only}");
        let literal = shop(&[hotel, promise], request.clone());
        assert_eq!(
            (literal.outcome, literal.rules.iter().map(|r| r.as_str()).collect::<Vec<_>>()),
            (crate::model::Outcome::NeedsSeparateConsent, vec!["CN-15", "CN-16"])
        );
        let other = shop(&[hotel, promise, lenient], request);
        assert!(other.outcome.allows() && other.obligations.contains("notice") && other.obligations.contains("pipia"), "{other:?}");
        assert_eq!(other.bases.iter().map(|b| b.as_str()).collect::<Vec<_>>(), ["booking", "p"]);
    }

    #[test]
    fn s2_01_each_region_serves_the_people_who_designated_it_and_no_other_does() {
        let library = library(SHIPPED);
        let policy = &library.versions(&"wearable-tracker".parse().unwrap())[0];
        let mut served = Vec::new();
        for (home, people) in policy.regions() {
            for node in policy.regions().keys() {
                let request = serde_json::json!({"node": node, "purpose": "device_service", "records": [{"subject": "A", "jurisdictions": [people], "chosen": home, "age_band": "adult", "categories": {"precise_location": "clear"}}]});
                let request: Request = serde_json::from_value(request).unwrap();
                let decision = request.situation(policy, library.places(), policy.effective).unwrap().decide(policy, library.places());
                assert_eq!((decision.action, decision.destination.as_ref()), (crate::model::Action::Forward, Some(home)), "{home} at {node}");
                served.extend((decision.stays).then(|| (home.clone(), node.clone())));
                // The response to somebody there stays or goes back; to somebody elsewhere it is refused.
                let response = serde_json::json!({"direction": "response", "node": node, "backend": home, "purpose": "device_service", "caller": {"jurisdiction": policy.regions()[node], "known_by": "claim"},
                    "records": [{"subject": "A", "jurisdictions": [people], "chosen": home, "age_band": "adult", "categories": {"precise_location": "clear"}}]});
                let response: Request = serde_json::from_value(response).unwrap();
                let answer = response.situation(policy, library.places(), policy.effective).unwrap().decide(policy, library.places());
                assert_eq!(answer.outcome.allows(), home == node, "{home} read at {node}");
            }
        }
        assert_eq!(served.len(), 4);
        assert!(served.iter().all(|(home, node)| home == node));
    }

    #[test]
    fn a_scenario_fails_on_what_differs_and_says_where() {
        let found = serde_json::json!({"outcome": "allow", "rules": ["a", "b"], "missing": []});
        let differs = |wanted: serde_json::Value| {
            let mut differences = Vec::new();
            compare(&wanted, &found, "", &mut differences);
            differences
        };
        assert!(differs(serde_json::json!({"outcome": "allow", "rules": ["b"], "missing": []})).is_empty());
        assert_eq!(differs(serde_json::json!({"outcome": "block"})), ["/outcome: expected \"block\", found \"allow\""]);
        assert_eq!(differs(serde_json::json!({"rules": ["c"]})), ["/rules: expected \"c\" among [\"a\",\"b\"]"]);
        assert_eq!(differs(serde_json::json!({"rules": []})).len(), 1, "an empty list means empty");
        assert_eq!(differs(serde_json::json!({"elsewhere": 1})).len(), 1);
    }
}

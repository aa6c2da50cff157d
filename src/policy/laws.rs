//! Laws every decision keeps, whatever the facts: tried on random ones.

use super::fixtures::{POLICY, library};
use super::{Library, Policy, Setting, decide};
use crate::model::basis::{Assessment, Consent, Exemption, Instrument};
use crate::model::data::OpaqueReason;
use crate::model::facts::{Arrival, CallerFacts, Direction, KnownBy, Otherwise, Site, Terms, UnlawfulField, UnlawfulRecord};
use crate::model::{AgeBand, Bases, Category, Decision, Facts, Form, Jurisdiction, RecordFacts, Regions};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

const RULES: &str = "
  - {id: mail, when: {data: email_address, to: {not: CN}}, unless: {form: pseudonymised}, require: {consent: {class: [separate, explicit]}}, otherwise: home, acknowledged: true}
  - {id: mask, when: {data: phone_number, to: SG}, require: {deidentify: {phone_number: mask}}}
  - {id: token, when: {data: phone_number, role: processor}, require: {deidentify: {phone_number: token}}}
  - {id: genes, when: {data: genetic_omic}, outcome: block, otherwise: refuse}
  - {id: owner, when: {owned_from: RU}, outcome: hold, otherwise: deidentify}";

static LIBRARY: LazyLock<Library> = LazyLock::new(|| library(&[&POLICY.replace("rules: []", &format!("rules:{RULES}"))]));

fn policy() -> &'static Policy {
    &LIBRARY.versions(LIBRARY.ids().next().unwrap())[0]
}

const CATEGORIES: [Category; 6] =
    [Category::EmailAddress, Category::PhoneNumber, Category::FaceBiometric, Category::GeneticOmic, Category::HardwareId, Category::OrganisationIdentity];

fn place(code: &str) -> Jurisdiction {
    code.parse().unwrap()
}

fn site(region: &str) -> Site {
    let region = region.parse().unwrap();
    Site { jurisdiction: policy().regions().get(&region).copied(), region }
}

fn record() -> impl Strategy<Value = RecordFacts> {
    let places = subsequence(vec!["CN", "DE", "FR", "US", "JP", "KR"], 0..3);
    let forms = select(vec![Form::Clear, Form::Clear, Form::Pseudonymised, Form::Deidentified, Form::Anonymised]);
    let categories = proptest::collection::btree_map(select(CATEGORIES.to_vec()), forms, 0..4);
    let ages = select(vec![AgeBand::Thirteen, AgeBand::Adult, AgeBand::Unknown]);
    (places, categories, ages, any::<bool>(), any::<bool>()).prop_map(|(places, categories, age_band, known, chosen)| RecordFacts {
        subject: known.then(|| "A".parse().unwrap()),
        jurisdictions: places.into_iter().map(place).collect(),
        chosen: chosen.then(|| "tokyo".parse().unwrap()),
        age_band,
        categories,
        of_caller: false,
    })
}

fn bases() -> impl Strategy<Value = Bases> {
    let all: Vec<&str> = CATEGORIES.iter().map(|c| c.id()).collect();
    let scope = move |mut value: Value| {
        let more = json!({"purposes": ["service"], "categories": all, "destinations": ["SG", "US", "IN", "CN", "DE"]});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let parse = move |value: Value| scope(value);
    let consent = |id: &str, class: &str, recipient: &str| {
        parse(
            json!({"id": id, "subject": "A", "class": class, "presented_separately": true, "recipient": {"id": recipient, "name": "n", "contact": "c"}, "method": "m", "rights_procedure": "r",
            "necessity": "n", "risks": "k", "withdrawal_method": "w", "given_at": "2026-01-01T00:00:00Z",
            "guardian": (class == "guardian").then(|| json!({"party": "G", "verification": "v"}))}),
        )
    };
    let consents: Vec<Consent> =
        [("c1", "separate", "helper"), ("c2", "explicit", "helper"), ("c3", "guardian", "helper"), ("c4", "general", "helper"), ("c5", "separate", "shop-co")]
            .map(|(id, class, recipient)| serde_json::from_value(consent(id, class, recipient)).unwrap())
            .to_vec();
    let instruments: Vec<Instrument> =
        [("i1", "cn_standard_contract", "helper"), ("i2", "eu_scc", "helper"), ("i3", "cn_security_assessment", "shop-co"), ("dpa-1", "agreement", "reader")]
            .map(|(id, kind, recipient)| {
                serde_json::from_value(parse(json!({"id": id, "type": kind, "recipient": recipient, "module": 2, "status": "in_force"}))).unwrap()
            })
            .to_vec();
    let assessments: Vec<Assessment> = [("a1", "pipia", "helper"), ("a2", "tia", "helper"), ("a3", "pipia", "reader")]
        .map(|(id, kind, recipient)| {
            serde_json::from_value(parse(json!({"id": id, "type": kind, "recipient": recipient, "date": "2026-01-01T00:00:00Z", "result": "positive"})))
                .unwrap()
        })
        .to_vec();
    let exemptions: Vec<Exemption> = [("e1", "cn_exempt_contract"), ("e2", "eu_derogation_contract")]
        .map(|(id, kind)| {
            serde_json::from_value(parse(json!({"id": id, "kind": kind, "recipient": "helper", "reference": "r", "effective_at": "2026-01-01T00:00:00Z"})))
                .unwrap()
        })
        .to_vec();
    (subsequence(consents, 0..=5), subsequence(instruments, 0..=4), subsequence(assessments, 0..=3), subsequence(exemptions, 0..=2))
        .prop_map(|(consents, instruments, assessments, exemptions)| Bases { consents, instruments, assessments, exemptions })
}

fn facts() -> impl Strategy<Value = Facts> {
    let regions = || select(vec!["cn-north", "eu", "eu-2", "sg", "tokyo", "elsewhere"]);
    let recipient = proptest::option::weighted(0.7, select(vec!["helper", "helper", "reader", "silent", "banned", "local", "nobody"]));
    let caller = (proptest::option::of(select(vec!["A", "B"])), proptest::option::of(select(vec!["CN", "DE", "SG"])), any::<bool>());
    let opaque = proptest::option::weighted(0.1, Just(OpaqueReason::Type));
    let volume = proptest::option::of(select(vec![10_u64, 99_999, 2_000_000]));
    let records = proptest::collection::vec(record(), 0..4);
    (proptest::option::weighted(0.9, regions()), any::<bool>(), recipient, proptest::option::of(regions()), caller, opaque, volume, records, bases()).prop_map(
        |(node, response, recipient, addressed, (subject, from, claimed), opaque, volume, records, bases)| {
            let direction = if response { Direction::Response } else { Direction::Request };
            Facts {
                now: "2026-11-23T09:00:00Z".parse().unwrap(),
                backend: response.then(|| site("cn-north")),
                node: node.map(site),
                direction,
                api: None,
                caller: CallerFacts {
                    subject: subject.map(|s| s.parse().unwrap()),
                    jurisdiction: from.map(place),
                    known_by: if claimed { KnownBy::Claim } else { KnownBy::Nothing },
                    ..CallerFacts::default()
                },
                recipient: recipient.map(|id| id.parse().unwrap()),
                purpose: "service".parse().unwrap(),
                addressed: addressed.map(|region| region.parse().unwrap()),
                opaque: opaque.into_iter().collect(),
                unavailable: BTreeSet::new(),
                records,
                bases,
                volume: volume.into_iter().flat_map(|n| [("cn.pi".to_owned(), n), ("cn.spi".to_owned(), n)]).collect(),
            }
        },
    )
}

/// Terms that leave everything to the rules.
fn terms() -> Terms {
    Terms {
        backends: policy().regions().keys().cloned().collect(),
        pinned: None,
        people_of: policy().regions().values().copied().collect(),
        otherwise: Otherwise::Home,
        unlawful_field: UnlawfulField::Whole,
        unlawful_record: UnlawfulRecord::Whole,
        arrival: Arrival::Home,
        caller_by_geo: true,
    }
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let field = select(UnlawfulField::ALL.to_vec());
    let record = select(UnlawfulRecord::ALL.to_vec());
    (field, record, select(Otherwise::ALL.to_vec())).prop_map(|(unlawful_field, unlawful_record, otherwise)| Terms {
        unlawful_field,
        unlawful_record,
        otherwise,
        ..terms()
    })
}

fn under(policy: &Policy, facts: &Facts, terms: &Terms) -> Decision {
    let regions: &Regions = policy.regions();
    decide(facts, &Setting { policy, places: LIBRARY.places(), regions, terms })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_same_facts_give_the_same_decision(facts in facts(), terms in any_terms()) {
        let again: Facts = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
        prop_assert_eq!(under(policy(), &facts, &terms), under(policy(), &again, &terms));
    }

    #[test]
    fn what_is_forwarded_is_allowed_where_it_goes(facts in facts(), terms in any_terms()) {
        let decision = under(policy(), &facts, &terms);
        match decision.action {
            crate::model::Action::Refuse => prop_assert!(decision.destination.is_none() && decision.plan.is_empty()),
            crate::model::Action::Forward => prop_assert!(decision.outcome.allows() && decision.plan.is_empty()),
            crate::model::Action::ForwardEdited => {
                let after = under(policy(), &super::edited(&facts, &decision.plan), &terms);
                prop_assert!(after.outcome.allows() && !decision.plan.is_empty(), "{:?}", after);
                prop_assert!(after.action == crate::model::Action::Forward);
            }
            crate::model::Action::ForwardHome => {
                let home = Facts { recipient: None, addressed: decision.destination.clone(), ..facts.clone() };
                let after = under(policy(), &home, &terms);
                prop_assert!(after.outcome.allows() && facts.direction == Direction::Request, "{:?}", after);
            }
        }
    }

    // On the same way: what a record holds can decide which of several homes the message goes to.
    #[test]
    fn more_categories_on_the_same_way_never_loosen(mut facts in facts(), more in select(CATEGORIES.to_vec()), at in any::<prop::sample::Index>()) {
        prop_assume!(!facts.records.is_empty());
        facts.addressed.get_or_insert_with(|| "sg".parse().unwrap());
        let mut richer = facts.clone();
        let index = at.index(richer.records.len());
        richer.records[index].categories.entry(more).or_insert(Form::Clear);
        let (before, after) = (under(policy(), &facts, &terms()), under(policy(), &richer, &terms()));
        prop_assert!(after.outcome <= before.outcome, "{} became {}", before.outcome, after.outcome);
    }

    #[test]
    fn removing_a_basis_never_loosens(facts in facts(), terms in any_terms(), at in any::<prop::sample::Index>()) {
        let bases = &facts.bases;
        let lengths = [bases.consents.len(), bases.instruments.len(), bases.assessments.len(), bases.exemptions.len()];
        prop_assume!(lengths.iter().sum::<usize>() > 0);
        let mut poorer = facts.clone();
        let mut index = at.index(lengths.iter().sum());
        for (kind, length) in lengths.into_iter().enumerate() {
            if index < length {
                match kind {
                    0 => drop(poorer.bases.consents.remove(index)),
                    1 => drop(poorer.bases.instruments.remove(index)),
                    2 => drop(poorer.bases.assessments.remove(index)),
                    _ => drop(poorer.bases.exemptions.remove(index)),
                }
                break;
            }
            index -= length;
        }
        let (before, after) = (under(policy(), &facts, &terms), under(policy(), &poorer, &terms));
        let terms_edit = after.action == crate::model::Action::ForwardEdited;
        prop_assert!(before.outcome.allows() || !after.outcome.allows() || terms_edit, "{} became {}", before.outcome, after.outcome);
    }

    #[test]
    fn what_is_unknown_never_loosens(facts in facts(), terms in any_terms()) {
        let before = under(policy(), &facts, &terms);
        let mut stripped = vec![facts.clone(); 4];
        stripped[0].volume.clear();
        stripped[1].records.iter_mut().for_each(|record| record.jurisdictions.clear());
        stripped[2].caller = CallerFacts::default();
        stripped[3].records.iter_mut().for_each(|record| record.subject = None);
        for unknown in stripped {
            let after = under(policy(), &unknown, &terms);
            prop_assert!(before.outcome.allows() || !after.outcome.allows(), "{} became {}", before.outcome, after.outcome);
        }
    }

}

proptest! {
    // Every case compiles the policy anew.
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rules_says_nothing(facts in facts(), terms in any_terms(), turn in 0_usize..20) {
        let mut shuffled = library(&[&POLICY.replace("rules: []", &format!("rules:{RULES}"))]);
        let other = shuffled.policies.values_mut().flatten().next().unwrap();
        let length = other.rules.len();
        other.rules.rotate_left(turn % length);
        other.rules.swap(0, length - 1);
        for regime in &mut other.regimes {
            regime.rules.reverse();
            let length = regime.rules.len();
            regime.rules.rotate_left(turn % length);
        }
        other.regimes.reverse();
        let other = &*other;
        prop_assert_eq!(under(policy(), &facts, &terms), under(other, &facts, &terms));
    }
}

//! Facts and policy to a decision: pure, total, the same whenever and wherever it is computed.

use super::action::{self, Step};
use super::evaluate::{Evaluation, Heard, evaluate, strictest};
use super::route::{self, Home, Way};
use super::{Builtin, Setting};
use crate::model::decision::{Action, CategoryVerdict, Missing, Outcome, RecordVerdict};
use crate::model::facts::Arrival;
use crate::model::{Decision, Direction, Facts, RecordFacts, RuleId};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Decides one message. Never fails: what cannot be told is decided the strict way.
pub fn decide(facts: &Facts, setting: &Setting<'_>) -> Decision {
    let digest = digest(facts);
    let people = Personal::of(facts, setting);
    if people.facts.records.is_empty() {
        return nothing_personal(facts, setting, digest);
    }
    let homes: Vec<Home> = people.facts.records.iter().map(|record| route::home(setting.policy, &people.facts, record)).collect();
    let routed = route::destination(&people.facts, setting, &homes);
    let mixed = routed.is_err();
    let way = Way::new(&people.facts, setting, routed.unwrap_or(None), false);
    let stays = way.stays(people.facts.records.iter());
    let mut evaluation = evaluate(&way, &homes, stays);
    evaluation.message = about_the_message(&way, &homes, stays, mixed);
    let step = action::act(&way, &homes, &evaluation);
    Assembly { facts, people: &people, way: &way, homes: &homes, stays, evaluation, digest }.decision(step)
}

/// The facts, cut to the records that speak of a person; a message that could not be read speaks of whoever it may.
struct Personal {
    facts: Facts,
    /// Index in the message of each record that is left.
    index: Vec<usize>,
}

impl Personal {
    fn of(facts: &Facts, setting: &Setting<'_>) -> Personal {
        let opaque = !facts.opaque.is_empty();
        let impersonal = &setting.policy.impersonal;
        let speaks = |record: &RecordFacts| opaque || record.categories.keys().any(|category| !impersonal.contains(category));
        let (index, mut records): (Vec<usize>, Vec<RecordFacts>) =
            facts.records.iter().enumerate().filter(|(_, record)| speaks(record)).map(|(i, record)| (i, record.clone())).unzip();
        if opaque && records.is_empty() {
            records.push(RecordFacts { jurisdictions: setting.terms.people_of.clone(), ..RecordFacts::default() });
        }
        Personal { facts: Facts { records, ..facts.clone() }, index }
    }
}

fn nothing_personal(facts: &Facts, setting: &Setting<'_>, digest: String) -> Decision {
    let way = Way::new(facts, setting, route::anywhere(facts, setting), false);
    let stays = way.stays(std::iter::empty());
    let lost = facts.direction == Direction::Request && way.destination.is_none();
    let said = match () {
        () if !stays && !facts.unavailable.is_empty() => Heard::builtin(Builtin::Unavailable, Outcome::Block),
        () if lost => Heard::builtin(Builtin::NoBackend, Outcome::Block),
        () => Heard::builtin(Builtin::NothingPersonal, Outcome::Allow),
    };
    let allowed = said.outcome.allows();
    Decision {
        outcome: said.outcome,
        action: if allowed { Action::Forward } else { Action::Refuse },
        destination: way.destination.clone().filter(|_| allowed),
        rules: BTreeSet::from([said.rule]),
        missing: Vec::new(),
        obligations: BTreeSet::new(),
        bases: BTreeSet::new(),
        conflicts: Vec::new(),
        records: facts
            .records
            .iter()
            .map(|record| RecordVerdict { subject: record.subject.clone(), outcome: said.outcome, home: None, categories: BTreeMap::new() })
            .collect(),
        plan: BTreeMap::new(),
        stays,
        recorded: false,
        policy: setting.policy.stamp.clone(),
        facts: digest,
    }
}

/// What stands in the way of the whole message, whatever its fields are.
fn about_the_message(way: &Way<'_>, homes: &[Home], stays: bool, mixed: bool) -> Vec<Heard> {
    let (facts, setting) = (way.facts(), way.setting());
    let request = facts.direction == Direction::Request;
    let mut heard = Vec::new();
    let mut block = |applies: bool, rule: Builtin| heard.extend(applies.then(|| Heard::builtin(rule, Outcome::Block)));
    block(!stays && !facts.unavailable.is_empty(), Builtin::Unavailable);
    block(!stays && !facts.opaque.is_empty(), Builtin::Opaque);
    block(mixed, Builtin::MixedHomes);
    let nowhere = way.destination.as_ref().is_none_or(|region| !setting.terms.backends.contains(region));
    // Without any home the records' own verdicts say so; without a backend this does.
    block(request && !mixed && nowhere && homes.iter().any(|home| home.region().is_some()), Builtin::NoBackend);
    // An unreadable body has no categories that could be judged homeless.
    block(request && way.destination.is_none() && !facts.opaque.is_empty(), Builtin::NoHome);
    let carried_home = route::asked_for(facts, setting).is_none();
    if setting.terms.arrival != Arrival::Home && carried_home && way.arrived_abroad(facts.records.iter()) {
        heard.push(Heard::builtin(Builtin::Arrival, Outcome::LocalOnly));
    }
    heard
}

struct Assembly<'a> {
    facts: &'a Facts,
    people: &'a Personal,
    way: &'a Way<'a>,
    homes: &'a [Home],
    stays: bool,
    evaluation: Evaluation,
    digest: String,
}

impl Assembly<'_> {
    fn decision(self, step: Step) -> Decision {
        let edited = step.action == Action::ForwardEdited;
        let outcome = if edited { Outcome::AllowWith } else { self.evaluation.outcome() };
        let mut rules = self.evaluation.rules(self.evaluation.outcome());
        rules.extend(step.rules);
        let unmet = |missing: &&Missing| !(edited && missing.what == "deidentification");
        Decision {
            outcome,
            action: step.action,
            destination: step.destination,
            rules,
            missing: merge(self.evaluation.all().flat_map(|heard| &heard.missing).filter(unmet)),
            obligations: self.evaluation.all().flat_map(|heard| heard.obligations.iter().cloned()).chain(step.obligations).collect(),
            bases: self.evaluation.bases.iter().cloned().chain(step.bases).collect(),
            conflicts: self.conflicts(),
            records: self.records(edited),
            plan: step.plan.into_iter().filter_map(|(i, plan)| Some((*self.people.index.get(i)?, plan))).collect(),
            stays: self.stays,
            recorded: !self.stays,
            policy: self.way.setting().policy.stamp.clone(),
            facts: self.digest,
        }
    }

    /// Verdicts in the order of the message's records; a record without personal data is allowed.
    fn records(&self, edited: bool) -> Vec<RecordVerdict> {
        let judged: BTreeMap<usize, usize> = self.people.index.iter().enumerate().map(|(position, index)| (*index, position)).collect();
        let verdict = |(index, record): (usize, &RecordFacts)| {
            let position = judged.get(&index).copied();
            let heard = position.and_then(|p| self.evaluation.records.get(p));
            let categories: BTreeMap<_, _> =
                heard.into_iter().flat_map(|heard| &heard.categories).map(|(category, said)| (*category, self.category(said, edited))).collect();
            RecordVerdict {
                subject: record.subject.clone(),
                outcome: categories.values().map(|c| c.outcome).min().unwrap_or(Outcome::Allow),
                home: position.and_then(|p| self.homes.get(p)).and_then(|home| home.region().cloned()),
                categories,
            }
        };
        self.facts.records.iter().enumerate().map(verdict).collect()
    }

    fn category(&self, said: &[Heard], edited: bool) -> CategoryVerdict {
        let strictest = strictest(said).unwrap_or(Outcome::Block);
        let rules = said.iter().filter(|h| h.outcome == strictest).map(|h| h.rule.clone()).collect();
        // What the edit mends is lawful in the message that goes.
        let outcome = if edited && strictest == Outcome::NeedsDeidentification { Outcome::AllowWith } else { strictest };
        CategoryVerdict { outcome, rules }
    }

    /// A residency rule that promises a home, and the rules that forbid the way there.
    fn conflicts(&self) -> Vec<(RuleId, RuleId)> {
        let request = self.facts.direction == Direction::Request;
        let mut pairs = BTreeSet::new();
        for ((record, home), heard) in self.way.facts().records.iter().zip(self.homes).zip(&self.evaluation.records) {
            let refusing = heard.categories.values().flatten().filter(|h| h.written && !h.outcome.allows());
            match home {
                Home::Region { region, rule } if request && Some(region) == self.way.destination.as_ref() && !self.way.is_homeward(record, home) => {
                    pairs.extend(refusing.map(|h| (rule.clone(), h.rule.clone())));
                }
                Home::Nowhere { rule } if request => {
                    pairs.insert((rule.clone(), Builtin::Conflict.rule()));
                }
                _ => {}
            }
        }
        pairs.into_iter().collect()
    }
}

/// The union of what is missing: equal needs become one with all their categories.
fn merge<'m>(missing: impl Iterator<Item = &'m Missing>) -> Vec<Missing> {
    let mut merged: BTreeMap<Missing, BTreeSet<_>> = BTreeMap::new();
    for one in missing {
        let key = Missing { categories: BTreeSet::new(), ..one.clone() };
        merged.entry(key).or_default().extend(one.categories.iter().copied());
    }
    merged.into_iter().map(|(key, categories)| Missing { categories, ..key }).collect()
}

/// `sha256:<hex>` of the facts as canonical JSON: objects sorted by key, no spaces.
fn digest(facts: &Facts) -> String {
    // Facts are maps of strings, numbers and lists: they always have a JSON form, and `Value` keeps its members sorted.
    let canonical = serde_json::to_value(facts).map(|value| value.to_string()).unwrap_or_default();
    format!("sha256:{}", hex::encode(Sha256::digest(canonical.as_bytes())))
}

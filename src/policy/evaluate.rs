//! Every rule that speaks about every category of every record, heard once; the strictest wins later.

use super::Builtin;
use super::matching::{Movement, Party, Situation, Tri};
use super::need::{self, Answer};
use super::route::{Home, Way};
use super::rule::{ConsentNeed, Mode, Need, Regime, Rule, SelfAccess};
use crate::model::facts::Otherwise;
use crate::model::{BasisId, Category, Direction, Missing, Outcome, RecordFacts, RuleId, Technique};
use std::collections::{BTreeMap, BTreeSet};

/// What one rule said.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) rule: RuleId,
    pub(super) outcome: Outcome,
    pub(super) missing: Vec<Missing>,
    pub(super) obligations: BTreeSet<String>,
    pub(super) technique: Option<Technique>,
    pub(super) otherwise: Option<Otherwise>,
    /// It stands in a file: only such a rule can contradict another.
    pub(super) written: bool,
}

impl Heard {
    pub(super) fn builtin(rule: Builtin, outcome: Outcome) -> Heard {
        Heard { rule: rule.rule(), outcome, missing: Vec::new(), obligations: BTreeSet::new(), technique: None, otherwise: None, written: false }
    }
}

/// What was heard about one record.
#[derive(Debug, Default)]
pub(super) struct RecordHeard {
    pub(super) categories: BTreeMap<Category, Vec<Heard>>,
}

/// What was heard about a whole message.
#[derive(Debug, Default)]
pub(super) struct Evaluation {
    /// About the message itself; nothing mends these.
    pub(super) message: Vec<Heard>,
    pub(super) records: Vec<RecordHeard>,
    pub(super) bases: BTreeSet<BasisId>,
    /// Rules in shadow mode that would have refused.
    pub(super) shadow: BTreeSet<RuleId>,
}

/// The strictest of what was heard.
pub(super) fn strictest<'h>(heard: impl IntoIterator<Item = &'h Heard>) -> Option<Outcome> {
    heard.into_iter().map(|h| h.outcome).min()
}

impl Evaluation {
    pub(super) fn all(&self) -> impl Iterator<Item = &Heard> {
        self.message.iter().chain(self.records.iter().flat_map(|record| record.categories.values().flatten()))
    }

    /// The verdict on the message: `allow` if there is nothing to judge.
    pub(super) fn outcome(&self) -> Outcome {
        strictest(self.all()).unwrap_or(Outcome::Allow)
    }

    /// The rules that led to `outcome`.
    pub(super) fn rules(&self, outcome: Outcome) -> BTreeSet<RuleId> {
        self.all().filter(|h| h.outcome == outcome).map(|h| h.rule.clone()).collect()
    }
}

/// Hears every rule about every personal category on this way.
pub(super) fn evaluate(way: &Way<'_>, homes: &[Home], stays: bool) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for (record, home) in way.facts().records.iter().zip(homes) {
        let movement = way.movement(record, home, stays);
        let mut heard = RecordHeard::default();
        for (category, form) in &record.categories {
            let setting = way.setting();
            let situation = Situation {
                facts: way.facts(),
                policy: setting.policy,
                places: setting.places,
                record,
                category: *category,
                form: *form,
                movement: &movement,
                area: None,
            };
            let said = Hearing { way, home, situation, evaluation: &mut evaluation }.category();
            heard.categories.insert(*category, said);
        }
        evaluation.records.push(heard);
    }
    evaluation
}

struct Hearing<'e, 'a> {
    way: &'e Way<'a>,
    home: &'e Home,
    situation: Situation<'e>,
    evaluation: &'e mut Evaluation,
}

impl Hearing<'_, '_> {
    fn category(&mut self) -> Vec<Heard> {
        let situation = self.situation;
        let (movement, record, policy) = (situation.movement, situation.record, situation.policy);
        let mut heard = homeless(situation.facts.direction, self.home);
        if !heard.is_empty() && self.way.destination.is_none() {
            // There is no way that could be judged yet.
            return heard;
        }
        heard.extend(self.stranger(movement));
        heard.extend(policy.rules.iter().filter_map(|rule| self.rule(rule, None)));
        if movement.party == Party::Oneself {
            if !movement.stays {
                heard.push(self.self_access());
            }
        } else if movement.stays {
            let attached: Vec<&Regime> = policy.regimes.iter().filter(|regime| attaches(regime, movement, record)).collect();
            heard.extend(attached.into_iter().flat_map(|regime| self.regime_rows(regime)));
        } else if self.way.is_homeward(record, self.home) {
            heard.push(Heard::builtin(Builtin::Home, Outcome::Allow));
        } else if self.way.returns(record) {
            heard.push(Heard::builtin(Builtin::Returns, Outcome::Allow));
        } else {
            heard.extend(self.regimes(movement, record));
        }
        if heard.is_empty() {
            // Only a message that stays may go on because nobody objects.
            heard.push(if movement.stays { Heard::builtin(Builtin::Stays, Outcome::Allow) } else { Heard::builtin(Builtin::NoRegime, Outcome::Block) });
        }
        heard
    }

    /// Provision to a party nobody registered, or that reads from nobody knows where.
    fn stranger(&self, movement: &Movement<'_>) -> Option<Heard> {
        let lacking = |heard: Heard, what: &str| Heard { missing: vec![need::lacking(what, movement.party.id())], ..heard };
        match movement.party {
            Party::Registered(_, None) => Some(lacking(Heard::builtin(Builtin::UnknownRecipient, Outcome::Block), "recipient")),
            Party::Registered(_, Some(entry)) if entry.accessed_from.is_none() => {
                Some(lacking(Heard::builtin(Builtin::UnknownAccess, Outcome::Hold), "accessed_from"))
            }
            _ => None,
        }
    }

    fn self_access(&mut self) -> Heard {
        let situation = self.situation;
        match situation.policy.self_access {
            SelfAccess::Allow => Heard::builtin(Builtin::SelfAccess, Outcome::Allow),
            SelfAccess::Block => Heard::builtin(Builtin::SelfAccess, Outcome::Block),
            SelfAccess::Consent => {
                let answer = need::all(&situation, &[Need::Consent(ConsentNeed::of_any_class())]);
                let outcome = answer.unmet.unwrap_or(Outcome::AllowWith);
                self.evaluation.bases.extend(answer.bases);
                Heard { missing: answer.missing, ..Heard::builtin(Builtin::SelfAccess, outcome) }
            }
        }
    }

    /// Every attached regime must speak of the category, or its default blocks; a law nobody listed blocks too.
    fn regimes(&mut self, movement: &Movement<'_>, record: &RecordFacts) -> Vec<Heard> {
        let policy = self.situation.policy;
        let mut heard = Vec::new();
        if record.jurisdictions.is_empty() || !record.jurisdictions.iter().all(|member| policy.governs(*member)) {
            heard.push(Heard::builtin(Builtin::NoRegime, Outcome::Block));
        }
        for regime in policy.regimes.iter().filter(|regime| attaches(regime, movement, record)) {
            let rows = self.regime_rows(regime);
            if rows.is_empty() {
                heard.push(Heard { rule: regime.default.clone(), written: true, ..Heard::builtin(Builtin::NoRegime, Outcome::Block) });
            }
            heard.extend(rows);
        }
        heard
    }

    fn regime_rows(&mut self, regime: &Regime) -> Vec<Heard> {
        regime.rules.iter().filter_map(|rule| self.rule(rule, Some(regime))).collect()
    }

    /// What `rule` says here, if anything; the rows of a regime speak for the places of its own area.
    fn rule(&mut self, rule: &Rule, regime: Option<&Regime>) -> Option<Heard> {
        let situation = Situation { area: regime.map(|regime| &regime.members), ..self.situation };
        if rule.mode == Mode::Off || (situation.movement.stays && rule.transfer) {
            return None;
        }
        let mut leaned = BTreeSet::new();
        let speaks = situation.holds(&rule.when, &mut leaned);
        if speaks == Tri::No {
            return None;
        }
        for exception in &rule.unless {
            let mut opened = BTreeSet::new();
            if situation.holds(exception, &mut opened) == Tri::Yes {
                self.evaluation.bases.extend(opened);
                return None;
            }
        }
        let answer = need::all(&situation, &rule.needs);
        let outcome = verdict(rule, &answer);
        // An unknown can make a decision stricter, never looser.
        if speaks == Tri::Unknown && outcome.allows() {
            return None;
        }
        if rule.mode == Mode::Shadow {
            self.evaluation.shadow.extend((!outcome.allows()).then(|| rule.id.clone()));
            return None;
        }
        self.evaluation.bases.extend(leaned.into_iter().chain(answer.bases));
        let refused = !outcome.allows();
        Some(Heard {
            rule: rule.id.clone(),
            outcome,
            missing: answer.missing,
            obligations: rule.obligations.clone(),
            technique: answer.technique,
            otherwise: rule.otherwise.filter(|_| refused),
            written: true,
        })
    }
}

/// What is said of a record without a home. A request cannot be sent there; a response goes to its caller.
pub(super) fn homeless(direction: Direction, home: &Home) -> Vec<Heard> {
    if direction == Direction::Response {
        return Vec::new();
    }
    let missing = |heard: Heard| Heard { missing: vec![need::lacking("home", None)], ..heard };
    let by = |rule: &RuleId| Heard { rule: rule.clone(), ..Heard::builtin(Builtin::NoHome, Outcome::Block) };
    match home {
        Home::Region { .. } => Vec::new(),
        Home::Unset { rule } => vec![missing(by(rule))],
        Home::Nowhere { rule } => vec![by(rule), Heard::builtin(Builtin::Conflict, Outcome::Block)],
        Home::NoRule => vec![missing(Heard::builtin(Builtin::NoHome, Outcome::Block))],
    }
}

/// The rule's own outcome while its needs are unmet, or always if it has none.
fn verdict(rule: &Rule, answer: &Answer) -> Outcome {
    match (answer.unmet, rule.outcome) {
        (None, outcome) if rule.needs.is_empty() => outcome.unwrap_or(Outcome::Block),
        (None, _) => Outcome::AllowWith,
        (Some(_), Some(outcome)) if !outcome.allows() => outcome,
        (Some(unmet), _) => unmet,
    }
}

/// A regime attaches to data that comes from its area; where that is unknown, every regime of the policy does.
fn attaches(regime: &Regime, movement: &Movement<'_>, record: &RecordFacts) -> bool {
    record.jurisdictions.is_empty() || movement.from.iter().flatten().any(|place| regime.members.contains(place))
}

//! From verdict to what happens on the wire: the narrowest lawful edit, else home, else nothing.

use super::evaluate::{Evaluation, Heard, evaluate, strictest};
use super::route::{Home, Way};
use crate::model::decision::{Action, RecordPlan};
use crate::model::facts::{Otherwise, UnlawfulField, UnlawfulRecord};
use crate::model::{BasisId, Category, Direction, Facts, Form, Outcome, RecordFacts, Region, RuleId, Technique};
use std::collections::{BTreeMap, BTreeSet};

/// Edits by index of the record.
type Plan = BTreeMap<usize, RecordPlan>;

/// What happens to the message.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) destination: Option<Region>,
    pub(super) plan: Plan,
    /// Rules, obligations and bases that the step itself leans on.
    pub(super) rules: BTreeSet<RuleId>,
    pub(super) obligations: BTreeSet<String>,
    pub(super) bases: BTreeSet<BasisId>,
}

impl Step {
    fn refuse() -> Step {
        Step { action: Action::Refuse, destination: None, plan: Plan::new(), rules: BTreeSet::new(), obligations: BTreeSet::new(), bases: BTreeSet::new() }
    }

    fn forward(action: Action, destination: Option<Region>) -> Step {
        Step { action, destination, ..Step::refuse() }
    }
}

/// What follows from an evaluation.
pub(super) fn act(way: &Way<'_>, homes: &[Home], evaluation: &Evaluation) -> Step {
    // What is wrong with the message as a whole is mended by no edit and no detour.
    if strictest(&evaluation.message).is_some_and(|outcome| !outcome.allows()) {
        return Step::refuse();
    }
    if evaluation.outcome().allows() {
        let destination = match way.facts().direction {
            Direction::Request => way.destination.clone(),
            Direction::Response => way.facts().node.as_ref().map(|site| site.region.clone()),
        };
        return Step::forward(Action::Forward, destination);
    }
    let attempt = Attempt { way, homes, evaluation };
    let required = attempt.required();
    let field = || attempt.fields(&required);
    let record = || attempt.records(&required);
    attempt.edit(&required).or_else(|| attempt.edit(&field()?)).or_else(|| attempt.edit(&record()?)).unwrap_or_else(|| attempt.otherwise(&required))
}

struct Attempt<'a> {
    way: &'a Way<'a>,
    homes: &'a [Home],
    evaluation: &'a Evaluation,
}

impl Attempt<'_> {
    /// Each record with what was heard about it.
    fn judged(&self) -> impl Iterator<Item = (usize, &RecordFacts, &BTreeMap<Category, Vec<Heard>>)> {
        let records = self.way.facts().records.iter().zip(&self.evaluation.records).enumerate();
        records.map(|(index, (record, heard))| (index, record, &heard.categories))
    }

    /// The techniques that rules require, for the categories whose only fault is to be in clear.
    fn required(&self) -> Plan {
        let mut plan = Plan::new();
        for (index, record, categories) in self.judged() {
            for (category, heard) in categories {
                if let Some(technique) = heard.iter().filter(|h| !h.outcome.allows()).find_map(|h| h.technique) {
                    put(&mut plan, index, *category, fitting(technique, record));
                }
            }
        }
        plan
    }

    /// The unlawful fields treated one by one.
    fn fields(&self, required: &Plan) -> Option<Plan> {
        let technique = match self.way.setting().terms.unlawful_field {
            UnlawfulField::Whole => return None,
            UnlawfulField::Drop => Technique::Drop,
            UnlawfulField::Tokenise => Technique::Token,
        };
        let mut plan = required.clone();
        for (index, record, categories) in self.judged() {
            // A category that the required technique mends keeps it.
            let beyond = |heard: &&Heard| !heard.outcome.allows() && heard.technique.is_none();
            for (category, _) in categories.iter().filter(|(_, heard)| heard.iter().any(|h| beyond(&h))) {
                put(&mut plan, index, *category, fitting(technique, record));
            }
        }
        Some(plan)
    }

    /// The unlawful records treated whole.
    fn records(&self, required: &Plan) -> Option<Plan> {
        let treatment = self.way.setting().terms.unlawful_record;
        let mut plan = required.clone();
        for (index, record, categories) in self.judged() {
            if strictest(categories.values().flatten()).is_none_or(Outcome::allows) {
                continue;
            }
            match treatment {
                // One exchange has one answer; a record that had to go elsewhere would need a second.
                UnlawfulRecord::Whole | UnlawfulRecord::Split => return None,
                UnlawfulRecord::Drop => {
                    plan.insert(index, RecordPlan::Remove);
                }
                UnlawfulRecord::Tokenise => categories.keys().for_each(|category| put(&mut plan, index, *category, fitting(Technique::Token, record))),
            }
        }
        let left = self.way.facts().records.len() > plan.values().filter(|p| **p == RecordPlan::Remove).count();
        left.then_some(plan)
    }

    /// The message with `plan` applied, if it may then go the same way.
    fn edit(&self, plan: &Plan) -> Option<Step> {
        if plan.is_empty() {
            return None;
        }
        let facts = edited(self.way.facts(), plan);
        let homes: Vec<Home> = self.homes.iter().enumerate().filter(|(i, _)| plan.get(i) != Some(&RecordPlan::Remove)).map(|(_, home)| home.clone()).collect();
        let way = self.way.carrying(&facts);
        let stays = way.stays(facts.records.iter());
        let after = evaluate(&way, &homes, stays);
        let destination = match facts.direction {
            Direction::Request => self.way.destination.clone(),
            Direction::Response => facts.node.as_ref().map(|site| site.region.clone()),
        };
        after.outcome().allows().then(|| Step {
            plan: plan.clone(),
            rules: after.rules(after.outcome()),
            obligations: after.all().flat_map(|h| h.obligations.iter().cloned()).collect(),
            bases: after.bases,
            ..Step::forward(Action::ForwardEdited, destination)
        })
    }

    fn otherwise(&self, required: &Plan) -> Step {
        let said: BTreeSet<u8> = self.evaluation.all().filter(|h| !h.outcome.allows()).filter_map(|h| h.otherwise).map(precedence).collect();
        let wanted = said.first().copied().unwrap_or_else(|| precedence(self.way.setting().terms.otherwise));
        let step = match wanted {
            REFUSE => None,
            HOME => self.home(),
            _ => self.deidentify(required),
        };
        step.unwrap_or_else(Step::refuse)
    }

    /// The whole message home instead, with nobody else as recipient.
    fn home(&self) -> Option<Step> {
        let (facts, setting) = (self.way.facts(), self.way.setting());
        if facts.direction == Direction::Response {
            return None;
        }
        let regions: BTreeSet<&Region> = self.homes.iter().filter_map(Home::region).collect();
        let tie = || facts.caller.home.iter().chain(facts.node.iter().map(|site| &site.region)).find(|region| regions.contains(region));
        let home = if regions.len() == 1 { regions.first().copied() } else { tie() }?;
        if !setting.terms.backends.contains(home) || self.way.destination.as_ref() == Some(home) {
            return None;
        }
        let way = self.way.homeward(home.clone());
        let stays = way.stays(facts.records.iter());
        let after = evaluate(&way, self.homes, stays);
        after.outcome().allows().then(|| Step {
            obligations: after.all().flat_map(|h| h.obligations.iter().cloned()).collect(),
            bases: after.bases,
            ..Step::forward(Action::ForwardHome, Some(home.clone()))
        })
    }

    /// Every unlawful category in the form the policy falls back to.
    fn deidentify(&self, required: &Plan) -> Option<Step> {
        let techniques = &self.way.setting().policy.deidentify;
        let mut plan = required.clone();
        for (index, record, categories) in self.judged() {
            for (category, _) in categories.iter().filter(|(_, heard)| heard.iter().any(|h| !h.outcome.allows() && h.technique.is_none())) {
                let technique = techniques.for_category(*category)?;
                put(&mut plan, index, *category, fitting(technique, record));
            }
        }
        self.edit(&plan)
    }
}

const REFUSE: u8 = 0;
const HOME: u8 = 1;
const DEIDENTIFY: u8 = 2;

/// Several rules, several fallbacks: refuse before home before de-identify.
fn precedence(otherwise: Otherwise) -> u8 {
    match otherwise {
        Otherwise::Refuse => REFUSE,
        Otherwise::Home => HOME,
        Otherwise::Deidentify => DEIDENTIFY,
    }
}

/// No reversible token for a person nobody knows: it could never be restored to them.
fn fitting(technique: Technique, record: &RecordFacts) -> Technique {
    if technique == Technique::Token && record.subject.is_none() { Technique::Pseudonym } else { technique }
}

fn put(plan: &mut Plan, index: usize, category: Category, technique: Technique) {
    let entry = plan.entry(index).or_insert_with(|| RecordPlan::Fields { techniques: BTreeMap::new() });
    if let RecordPlan::Fields { techniques } = entry {
        techniques.insert(category, technique);
    }
}

/// The facts as they are once `plan` is carried out: what a second inspection must find.
pub fn edited(facts: &Facts, plan: &BTreeMap<usize, RecordPlan>) -> Facts {
    let record = |(index, record): (usize, &RecordFacts)| {
        let mut after = record.clone();
        match plan.get(&index) {
            Some(RecordPlan::Remove) => return None,
            Some(RecordPlan::Fields { techniques }) => {
                for (category, technique) in techniques {
                    match form_after(*technique) {
                        Some(form) => after.categories.entry(*category).and_modify(|f| *f = form),
                        None => {
                            after.categories.remove(category);
                            continue;
                        }
                    };
                }
            }
            None => {}
        }
        Some(after)
    };
    Facts { records: facts.records.iter().enumerate().filter_map(record).collect(), ..facts.clone() }
}

/// The form a technique leaves (GB/T 42460, GDPR 4(5)); none: nothing is left.
fn form_after(technique: Technique) -> Option<Form> {
    match technique {
        Technique::Drop => None,
        Technique::Mask | Technique::Generalise => Some(Form::Deidentified),
        Technique::Pseudonym | Technique::Token => Some(Form::Pseudonymised),
        Technique::Restore => Some(Form::Clear),
    }
}

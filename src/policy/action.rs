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
                if let Some(technique) = heard.iter().filter(|h| !h.outcome.allows()).filter_map(|h| h.technique).min() {
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{decided, request, rules, short, with_rules};
    use super::*;
    use crate::model::decision::Action::{ForwardEdited, ForwardHome, Refuse};
    use serde_json::{Value, json};

    /// Mail and a device of a mainland person, on the way to a helper abroad that may have the mail only.
    fn mixed(terms: &str) -> (Outcome, Action, Option<String>, Value) {
        let scope = "recipient: helper, purposes: [service], categories: [email_address], destinations: [SG]";
        let decision = decided(&format!(
            "node: cn-north\nrecipient: helper\naddressed: sg\n{terms}\nrecords:\n  - {{subject: A, jurisdictions: [CN], age_band: adult, categories: {{email_address: clear, hardware_id: clear}}}}\n\
             \x20 - {{subject: A, jurisdictions: [CN], age_band: adult, categories: {{email_address: clear}}}}\n\
             instruments: [{{id: sc, type: cn_standard_contract, {scope}, status: in_force}}]\n\
             assessments: [{{id: pipia, type: pipia, {scope}, date: '2026-01-01T00:00:00Z', result: positive}}]\n\
             consents: [{{id: c, subject: A, class: separate, presented_separately: true, recipient: {{id: helper, name: H, contact: h}}, purposes: [service], categories: [email_address], destinations: [SG], \
             method: API, rights_procedure: form, given_at: '2026-01-01T00:00:00Z'}}]"
        ));
        (decision.outcome, decision.action, decision.destination.as_ref().map(ToString::to_string), serde_json::to_value(&decision.plan).unwrap())
    }

    #[test]
    fn an_unlawful_field_is_dropped_before_a_record_is_and_a_record_before_the_message_goes_home() {
        let sg = Some("sg".to_owned());
        let fields = json!({"0": {"edit": "fields", "techniques": {"hardware_id": "drop"}}});
        assert_eq!(mixed("unlawful_field: drop\nunlawful_record: drop"), (Outcome::AllowWith, ForwardEdited, sg.clone(), fields));
        assert_eq!(mixed("unlawful_record: drop"), (Outcome::AllowWith, ForwardEdited, sg, json!({"0": {"edit": "remove"}})));
        let (outcome, action, destination, plan) = mixed("");
        assert_eq!((outcome.allows(), action, destination.as_deref(), plan), (false, ForwardHome, Some("cn-north"), json!({})));
    }

    #[test]
    fn an_edit_that_leaves_the_message_unlawful_is_not_made() {
        // A token is still personal data: the rows that ask for consent do not accept it.
        let (_, action, destination, plan) = mixed("unlawful_field: tokenise\nunlawful_record: tokenise\notherwise: refuse");
        assert_eq!((action, destination, plan), (Refuse, None, json!({})));
        assert_eq!(mixed("unlawful_record: split\notherwise: refuse").1, Refuse);
    }

    #[test]
    fn a_message_without_a_record_left_is_refused() {
        let lone = "node: cn-north\nrecipient: helper\naddressed: sg\nunlawful_record: drop\notherwise: refuse\nrecords: [{subject: A, jurisdictions: [CN], categories: {email_address: clear}}]";
        assert_eq!(decided(lone).action, Refuse);
    }

    #[test]
    fn several_fallbacks_give_refuse_before_home_before_deidentify() {
        let rule = |otherwise: &str| format!("  - {{id: {otherwise}-rule, when: {{to: SG}}, outcome: block, otherwise: {otherwise}}}\n");
        let ask = "node: cn-north\nrecipient: helper\naddressed: sg\notherwise: deidentify\nrecords: [{subject: A, jurisdictions: [CN], categories: {email_address: clear}}]";
        assert_eq!(with_rules(&(rule("home") + &rule("refuse")), ask).action, Refuse);
        assert_eq!(with_rules(&(rule("home") + &rule("deidentify")), ask).action, ForwardHome);
    }

    #[test]
    fn home_is_no_way_out_of_home_of_a_response_or_of_an_api_without_a_backend_there() {
        let rule = "  - {id: never, when: {data: email_address}, outcome: block, otherwise: home}";
        let person = "records: [{subject: A, jurisdictions: [CN], categories: {email_address: clear}}]";
        let at_home = with_rules(rule, &format!("node: cn-north\n{person}"));
        assert_eq!((short(&at_home), rules(&at_home)), ((Outcome::Block, Refuse, None), vec!["never"]));
        assert_eq!(decided(&format!("node: cn-north\naddressed: sg\nbackends: [sg]\n{person}")).action, Refuse);
        assert_eq!(
            decided(&format!("direction: response\nnode: cn-north\nbackend: sg\ncaller: {{jurisdiction: SG, known_by: claim}}\n{person}")).action,
            Refuse
        );
    }

    #[test]
    fn home_itself_must_be_allowed() {
        let rule = "  - {id: never, when: {data: email_address}, outcome: block, otherwise: home}";
        assert_eq!(
            with_rules(rule, "node: cn-north\naddressed: sg\nrecords: [{subject: A, jurisdictions: [CN], categories: {email_address: clear}}]").action,
            Refuse
        );
    }

    #[test]
    fn deidentify_helps_with_rules_that_accept_the_form() {
        let ask = |unless: &str| {
            let rule = format!("  - {{id: clear-only, when: {{recipient: exporter, data: hardware_id}}, {unless} outcome: block, otherwise: deidentify}}");
            with_rules(&rule, "node: cn-north\nrecords: [{subject: A, jurisdictions: [CN], categories: {hardware_id: clear, credential_secret: clear}}]")
        };
        assert_eq!(ask("").action, Refuse);
        let helped = ask("unless: {form: [pseudonymised, deidentified]},");
        assert_eq!(short(&helped), (Outcome::AllowWith, ForwardEdited, Some("cn-north")));
        assert_eq!(serde_json::to_value(&helped.plan).unwrap(), json!({"0": {"edit": "fields", "techniques": {"hardware_id": "pseudonym"}}}));
    }

    #[test]
    fn a_required_technique_is_applied_on_the_way_and_a_stranger_gets_no_reversible_token() {
        let rule = "  - {id: tokens, when: {data: [email_address, phone_number]}, require: {deidentify: {email_address: token, phone_number: drop}}, otherwise: refuse}";
        let ask = |subject: &str| {
            with_rules(
                rule,
                &format!(
                    "node: cn-north\nrecords: [{{{subject} jurisdictions: [CN], categories: {{email_address: clear, phone_number: clear, gender: clear}}}}]"
                ),
            )
        };
        let known = ask("subject: A,");
        assert_eq!(short(&known), (Outcome::AllowWith, ForwardEdited, Some("cn-north")));
        assert_eq!(
            serde_json::to_value(&known.plan).unwrap(),
            json!({"0": {"edit": "fields", "techniques": {"email_address": "token", "phone_number": "drop"}}})
        );
        assert_eq!(serde_json::to_value(&ask("").plan).unwrap()["0"]["techniques"]["email_address"], "pseudonym");
        // The message as edited is then decided as it stands.
        let after = with_rules(rule, "node: cn-north\nrecords: [{subject: A, jurisdictions: [CN], categories: {email_address: pseudonymised, gender: clear}}]");
        assert_eq!((after.outcome, after.action), (Outcome::AllowWith, Action::Forward));
    }

    #[test]
    fn edited_facts_are_what_the_plan_leaves() {
        let records = request("records: [{categories: {email_address: clear, phone_number: clear, ip_address: clear}}, {categories: {gender: clear}}]").records;
        let techniques = BTreeMap::from([
            (Category::EmailAddress, Technique::Token),
            (Category::PhoneNumber, Technique::Drop),
            (Category::IpAddress, Technique::Generalise),
        ]);
        let plan = BTreeMap::from([(0, RecordPlan::Fields { techniques }), (1, RecordPlan::Remove)]);
        let facts =
            Facts { records, ..serde_json::from_value(json!({"now": "2026-01-01T00:00:00Z", "direction": "request", "purpose": "p", "records": []})).unwrap() };
        let left = edited(&facts, &plan).records;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].categories, BTreeMap::from([(Category::EmailAddress, Form::Pseudonymised), (Category::IpAddress, Form::Deidentified)]));
    }
}

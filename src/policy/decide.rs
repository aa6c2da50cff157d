//! Facts and policy to a decision: pure, total, the same whenever and wherever it is computed.

use super::action::{self, Step};
use super::evaluate::{Evaluation, Heard, evaluate, homeless, strictest};
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
    // A response goes to its caller, wherever its records live.
    let routed = if facts.direction == Direction::Request { route::destination(&people.facts, setting, &homes) } else { Ok(None) };
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
        shadow: BTreeSet::new(),
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
    block(request && way.destination.as_ref().is_some_and(|region| !setting.terms.backends.contains(region)), Builtin::NoBackend);
    // A person without a home is refused whole: dropping what was found would leave the question where they live.
    heard.extend(homes.iter().flat_map(|home| homeless(facts.direction, home)));
    let carried_home = route::asked_for(facts, setting).is_none();
    if setting.terms.arrival != Arrival::Home && carried_home && way.arrived_abroad(facts.records.iter()) {
        heard.push(Heard::builtin(Builtin::Arrival, Outcome::LocalOnly));
    }
    // Nor are there categories that could say why an unreadable message may stay.
    if stays && !facts.opaque.is_empty() && heard.is_empty() {
        heard.push(Heard::builtin(Builtin::Stays, Outcome::Allow));
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
            shadow: self.evaluation.shadow.clone(),
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{POLICY, decided, rules, short, under, with_rules};
    use crate::model::decision::Action::{Forward, ForwardEdited, ForwardHome, Refuse};
    use crate::model::decision::Outcome::{Allow, AllowWith, Block, Hold, LocalOnly, NeedsInstrument, NeedsSeparateConsent};

    const CN: &str = "{subject: A, jurisdictions: [CN], age_band: adult, categories: {email_address: clear}}";
    const DE: &str = "{subject: B, jurisdictions: [DE], age_band: adult, categories: {email_address: clear}}";

    #[test]
    fn home_is_what_the_first_matching_residency_rule_says_for_any_member_of_the_set() {
        let both = decided("node: cn-north\nrecords: [{jurisdictions: [DE, CN], categories: {email_address: clear}}]");
        assert_eq!(both.records[0].home.as_ref().unwrap().as_str(), "cn-north");
        let german = decided(&format!("node: cn-north\nrecords: [{DE}]"));
        assert_eq!((short(&german), rules(&german)), ((Allow, Forward, Some("eu")), vec!["home"]));
        assert!(german.recorded && !german.stays);
    }

    #[test]
    fn a_chosen_home_is_the_region_on_record_and_none_on_record_is_refused() {
        let chosen = decided("node: cn-north\nrecords: [{jurisdictions: [JP], chosen: tokyo, categories: {email_address: clear}}]");
        assert_eq!(short(&chosen), (Allow, Forward, Some("tokyo")));
        let unset = decided("node: tokyo\nrecords: [{jurisdictions: [JP], categories: {email_address: clear}}]");
        assert_eq!((short(&unset), rules(&unset)), ((Block, Refuse, None), vec!["home-jp"]));
        assert_eq!(unset.missing[0].what, "home");
    }

    #[test]
    fn a_home_that_is_nowhere_is_a_conflict_and_a_record_no_rule_matches_has_no_home() {
        let nowhere = decided("node: sg\nrecords: [{jurisdictions: [KR], categories: {email_address: clear}}]");
        assert_eq!((short(&nowhere), rules(&nowhere)), ((Block, Refuse, None), vec!["conflict", "home-kr"]));
        assert_eq!(nowhere.conflicts.len(), 1);
        let homeless = decided("node: sg\nrecords: [{jurisdictions: [US], categories: {email_address: clear}}]");
        assert_eq!(short(&homeless), (Block, Refuse, None));
        assert!(rules(&homeless).contains(&"no_home"));
    }

    #[test]
    fn nothing_personal_goes_to_the_nodes_region_or_the_apis_first() {
        let here = decided("node: sg\nbackends: [eu, sg]\nrecords: []");
        assert_eq!((short(&here), rules(&here)), ((Allow, Forward, Some("sg")), vec!["nothing_personal"]));
        assert_eq!(
            short(&decided("node: sg\nbackends: [eu, cn-north]\nrecords: [{categories: {organisation_identity: clear}}]")),
            (Allow, Forward, Some("eu"))
        );
        assert!(!here.recorded);
    }

    #[test]
    fn records_of_different_homes_go_to_the_callers_home_else_to_the_nodes_else_nowhere() {
        let both = |rest: &str| decided(&format!("{rest}\nrecords: [{CN}, {DE}]"));
        assert_eq!(rules(&both("node: sg")), vec!["mixed_homes"]);
        assert_eq!(short(&both("node: sg")), (Block, Refuse, None));
        // At the caller's home the other record is a transfer; the API may take it out.
        let at_caller = both("node: sg\ncaller: {home: eu}\nunlawful_record: drop");
        assert_eq!(short(&at_caller), (AllowWith, ForwardEdited, Some("eu")));
        assert_eq!(serde_json::to_value(&at_caller.plan).unwrap(), serde_json::json!({"0": {"edit": "remove"}}));
        let at_node = both("node: cn-north\nunlawful_record: drop");
        assert_eq!(at_node.destination.as_ref().unwrap().as_str(), "cn-north");
        assert_eq!(short(&both("node: cn-north")).1, Refuse);
    }

    #[test]
    fn a_message_inside_one_area_with_no_other_party_stays_and_leaves_no_entry() {
        let here = decided(&format!("node: eu-2\nrecords: [{DE}]"));
        assert_eq!((short(&here), rules(&here)), ((Allow, Forward, Some("eu")), vec!["stays"]));
        assert!(here.stays && !here.recorded);
        for other in [
            format!("node: cn-north\nrecords: [{DE}]"),
            format!("node: elsewhere\nrecords: [{DE}]"),
            format!("records: [{DE}]"),
            format!("node: eu\nrecipient: local\naddressed: eu\nrecords: [{DE}]"),
        ] {
            assert!(!decided(&other).stays, "{other}");
        }
        assert!(!decided("node: eu\naddressed: eu\nrecords: [{subject: B, categories: {email_address: clear}}]").stays, "an unknown origin stays nowhere");
    }

    #[test]
    fn a_message_that_stays_is_still_judged_by_rules_that_ask_neither_from_nor_to() {
        let rule = "  - {id: no-genes, when: {data: genetic_omic}, outcome: block, otherwise: refuse}";
        let genes = with_rules(rule, "node: eu\nrecords: [{jurisdictions: [DE], categories: {genetic_omic: clear}}]");
        assert_eq!((short(&genes), rules(&genes), genes.stays), ((Block, Refuse, None), vec!["no-genes"], true));
        let transfer = "  - {id: anything, when: {to: DE}, outcome: block}";
        assert_eq!(short(&with_rules(transfer, &format!("node: eu\nrecords: [{DE}]"))), (Allow, Forward, Some("eu")));
    }

    #[test]
    fn a_request_that_arrives_abroad_is_refused_where_the_api_says_so() {
        let refused = decided(&format!("node: eu\narrival: refuse\nrecords: [{CN}]"));
        assert_eq!((short(&refused), rules(&refused)), ((LocalOnly, Refuse, None), vec!["arrival"]));
        assert_eq!(short(&decided(&format!("node: cn-north\narrival: refuse\nrecords: [{CN}]"))), (Allow, Forward, Some("cn-north")));
    }

    #[test]
    fn from_is_the_set_and_the_node_and_to_is_where_data_rests_and_is_read() {
        // Read from India although stored at home: an export.
        let read = decided(&format!("node: cn-north\nrecipient: reader\naddressed: cn-north\notherwise: refuse\nrecords: [{CN}]"));
        assert!(read.missing.iter().any(|m| m.what == "instrument"), "{read:?}");
        // A node in China that passes German data on to Singapore exports it from China too.
        let passed = decided(&format!("node: cn-north\naddressed: sg\nrecords: [{DE}]"));
        assert!(passed.obligations.contains("keep_provenance"), "{passed:?}");
    }

    #[test]
    fn each_attached_regime_must_speak_of_every_category_or_its_default_blocks() {
        let silent =
            "regime: cn-pipl\ntitle: {en: t}\narea: CN\nas_of: x\ndefault: block\nrules:\n  - {id: only-mail, when: {data: email_address}, outcome: allow}\n";
        let asked = |category: &str| {
            under(
                &[POLICY, silent],
                &format!("node: cn-north\naddressed: sg\notherwise: refuse\nrecords: [{{jurisdictions: [CN], categories: {{{category}: clear}}}}]"),
            )
        };
        assert_eq!(short(&asked("email_address")), (Allow, Forward, Some("sg")));
        assert_eq!((short(&asked("phone_number")), rules(&asked("phone_number"))), ((Block, Refuse, None), vec!["cn-pipl/default"]));
    }

    #[test]
    fn a_member_whose_area_has_no_regime_blocks_a_transfer() {
        let american = decided("node: tokyo\naddressed: sg\nrecords: [{jurisdictions: [JP], chosen: tokyo, categories: {email_address: clear}}]");
        assert_eq!((american.outcome, rules(&american)), (Block, vec!["no_regime"]));
        assert_eq!((american.action, american.destination.as_ref().unwrap().as_str()), (ForwardHome, "tokyo"));
    }

    #[test]
    fn carrying_a_record_home_is_allowed_only_if_its_whole_set_is_in_the_homes_area() {
        let both = decided("node: cn-north\nrecords: [{subject: A, jurisdictions: [CN, DE], categories: {email_address: clear}}]");
        assert_eq!((both.outcome, both.action), (Hold, Refuse));
        assert!(both.conflicts.iter().any(|(one, other)| one.as_str() == "home-cn" && other.as_str() == "EU-03"), "{both:?}");
    }

    #[test]
    fn records_of_the_nodes_area_return_to_a_caller_there_wherever_the_backend_is() {
        let back = decided(&format!("direction: response\nnode: eu\nbackend: cn-north\ncaller: {{jurisdiction: FR, known_by: address}}\nrecords: [{DE}]"));
        assert_eq!((short(&back), rules(&back), back.recorded), ((Allow, Forward, Some("eu")), vec!["returns"], true));
        let elsewhere = decided(&format!("direction: response\nnode: eu\nbackend: cn-north\ncaller: {{jurisdiction: CN, known_by: address}}\nrecords: [{DE}]"));
        assert_eq!(elsewhere.action, Refuse);
        let by_geo = POLICY.replace("regimes:", "caller_by_geo: false\nregimes:");
        let unproved =
            under(&[&by_geo], &format!("direction: response\nnode: eu\nbackend: cn-north\ncaller: {{jurisdiction: FR, known_by: address}}\nrecords: [{DE}]"));
        assert_eq!(unproved.action, Refuse, "geo places nobody where a claim is demanded");
    }

    #[test]
    fn people_read_their_own_data_by_the_policys_own_word_and_no_regimes() {
        let own = |policy: &str| {
            under(&[policy], &format!("direction: response\nnode: cn-north\ncaller: {{subject: A, jurisdiction: JP, known_by: claim}}\nrecords: [{CN}]"))
        };
        let allowed = own(POLICY);
        assert_eq!((allowed.outcome, rules(&allowed), allowed.recorded), (Allow, vec!["self_access"], true));
        assert_eq!(own(&POLICY.replace("regimes:", "self_access: block\nregimes:")).outcome, Block);
        assert_eq!(own(&POLICY.replace("regimes:", "self_access: consent\nregimes:")).outcome, NeedsSeparateConsent);
        let ruled = POLICY.replace("rules: []", "rules: [{id: none-abroad, when: {to: JP}, outcome: block}]");
        assert_eq!(rules(&own(&ruled)), vec!["none-abroad"]);
    }

    #[test]
    fn strangers_listed_parties_and_parties_that_read_from_nobody_knows_where_receive_nothing() {
        let to = |recipient: &str| decided(&format!("node: cn-north\nrecipient: {recipient}\naddressed: cn-north\notherwise: refuse\nrecords: [{CN}]"));
        assert!(rules(&to("nobody")).contains(&"unknown_recipient"));
        assert_eq!((to("silent").outcome, rules(&to("silent"))), (Hold, vec!["CN-19-entrusted", "unknown_access"]));
        assert_eq!((to("banned").outcome, rules(&to("banned"))), (Block, vec!["CN-02"]));
    }

    #[test]
    fn an_owner_nobody_knows_is_held_to_be_the_one_a_rule_forbids() {
        let rule = "  - {id: owners, when: {owned_from: RU}, outcome: block, otherwise: refuse}";
        let owned = |recipient: &str| with_rules(rule, &format!("node: cn-north\nrecipient: {recipient}\naddressed: sg\nrecords: [{CN}]"));
        assert!(rules(&owned("silent")).contains(&"owners"));
        assert!(!rules(&owned("helper")).contains(&"owners"));
        let lenient = "  - {id: friends, when: {owned_from: SG}, outcome: allow}";
        let unknown = with_rules(lenient, &format!("node: cn-north\nrecipient: silent\naddressed: cn-north\nrecords: [{CN}]"));
        assert!(unknown.records[0].categories.values().all(|verdict| !verdict.rules.iter().any(|rule| rule.as_str() == "friends")));
    }

    #[test]
    fn what_cannot_be_read_or_not_be_recorded_goes_only_where_it_stays() {
        for (fact, rule) in [("opaque: [type]", "opaque"), ("unavailable: [registry]", "unavailable"), ("unavailable: [ledger]", "unavailable")] {
            let crossing = decided(&format!("node: eu\n{fact}\nrecords: [{CN}]"));
            assert_eq!((short(&crossing), rules(&crossing)), ((Block, Refuse, None), vec![rule]));
            let local = decided(&format!("node: cn-north\n{fact}\nrecords: [{CN}]"));
            assert_eq!(short(&local), (Allow, Forward, Some("cn-north")), "{fact}");
        }
        let anyones = decided("node: cn-north\nopaque: [type]\nrecords: []");
        assert_eq!(rules(&anyones), vec!["opaque"], "whose it may be is every region's people");
        let ours = decided("node: cn-north\nopaque: [type]\npeople_of: [CN]\nrecords: []");
        assert_eq!((short(&ours), rules(&ours)), ((Allow, Forward, Some("cn-north")), vec!["stays"]));
    }

    #[test]
    fn a_region_without_a_backend_receives_nothing_and_no_other_takes_its_place() {
        let lost = decided(&format!("node: cn-north\nbackends: [eu, sg]\nrecords: [{CN}]"));
        assert_eq!((short(&lost), rules(&lost)), ((Block, Refuse, None), vec!["no_backend"]));
    }

    #[test]
    fn everything_missing_is_told_at_once_with_its_categories() {
        let asked = decided(
            "node: cn-north\nrecipient: helper\naddressed: sg\nrecords: [{subject: A, jurisdictions: [CN], age_band: adult, categories: {email_address: clear, person_name: clear}}]",
        );
        let told: Vec<(&str, usize)> = asked.missing.iter().map(|m| (m.what.as_str(), m.categories.len())).collect();
        assert_eq!(told, vec![("assessment", 2), ("consent", 2), ("instrument", 2)]);
    }

    #[test]
    fn one_law_that_allows_does_not_cancel_another_that_asks() {
        let both = decided(
            "node: cn-north\naddressed: eu\notherwise: refuse\nrecords: [{subject: A, jurisdictions: [CN, DE], age_band: adult, categories: {email_address: clear}}]",
        );
        assert!(!both.outcome.allows());
        let verdict = &both.missing;
        assert!(verdict.iter().any(|m| m.kinds.iter().any(|k| k == "cn_standard_contract")));
    }

    #[test]
    fn a_thirteen_year_old_of_the_mainland_leaves_only_with_a_guardian() {
        let child = "{subject: A, jurisdictions: [CN], age_band: '13', categories: {email_address: clear}}";
        let asked = decided(&format!("node: cn-north\nrecipient: helper\naddressed: sg\notherwise: refuse\nrecords: [{child}]"));
        assert_eq!((asked.outcome, rules(&asked)), (LocalOnly, vec!["CN-17"]));
        assert!(asked.missing.iter().any(|m| m.what == "guardian"));
    }

    #[test]
    fn an_assessment_that_asks_for_pseudonyms_gets_them_and_a_negative_one_blocks() {
        let german = |result: &str| {
            let scope = "recipient: helper, purposes: [service], categories: [email_address], destinations: [SG]";
            decided(&format!(
                "node: eu\nrecipient: helper\naddressed: sg\notherwise: refuse\nrecords: [{DE}]\ninstruments: [{{id: scc, type: eu_scc, module: 2, {scope}, status: in_force}}]\n\
                 assessments: [{{id: tia, type: tia, {scope}, date: '2026-01-01T00:00:00Z', result: {result}}}]"
            ))
        };
        assert_eq!(short(&german("positive")), (AllowWith, Forward, Some("sg")));
        let pseudonymised = german("needs_deidentification");
        assert_eq!(short(&pseudonymised), (AllowWith, ForwardEdited, Some("sg")), "{pseudonymised:?}");
        assert_eq!(serde_json::to_value(&pseudonymised.plan).unwrap()["0"]["techniques"]["email_address"], "pseudonym");
        assert_eq!((german("negative").outcome, rules(&german("negative"))), (Block, vec!["EU-08"]));
    }

    #[test]
    fn a_sensitive_category_needs_an_instrument_whatever_the_volume() {
        let scope = "recipient: helper, purposes: [service], categories: [email_address, face_biometric], destinations: [SG]";
        let consent = "{id: c, subject: A, class: separate, presented_separately: true, recipient: {id: helper, name: H, contact: h}, purposes: [service], categories: [email_address, face_biometric], \
                       destinations: [SG], method: API, rights_procedure: form, necessity: d, given_at: '2026-01-01T00:00:00Z'}";
        let face = decided(&format!(
            "node: cn-north\nrecipient: helper\naddressed: sg\notherwise: refuse\nvolume: {{cn.pi: 3000, cn.spi: 0}}\n\
             records: [{{subject: A, jurisdictions: [CN], age_band: adult, categories: {{email_address: clear, face_biometric: clear}}}}]\n\
             assessments: [{{id: pipia, type: pipia, {scope}, date: '2026-01-01T00:00:00Z', result: positive}}]\nconsents: [{consent}]"
        ));
        assert_eq!((face.outcome, rules(&face)), (NeedsInstrument, vec!["CN-12"]));
    }
}

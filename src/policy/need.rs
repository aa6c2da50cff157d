//! Whether a consent, instrument, assessment or exemption on record covers this transfer, exactly; and what is missing when none does.
//!
//! Scope is matched, never resembled (`ISO/IEC TS 27560` records, PIPL 39, GDPR 46): recipient, purpose, category, destination, access, dates, class, notice.

use super::matching::{Party, Situation, Spot};
use super::rule::{ConsentNeed, InstrumentNeed, Need, Techniques};
use crate::model::basis::{AssessmentResult, ConsentClass, InstrumentStatus};
use crate::model::{Assessment, BasisId, Category, Consent, Exemption, Form, Instrument, Jurisdiction, Missing, Outcome, Purpose, RecipientId, Technique};
use std::collections::BTreeSet;

/// How a rule's needs were answered.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The strictest verdict of the unmet needs; none: all are met.
    pub(super) unmet: Option<Outcome>,
    pub(super) missing: Vec<Missing>,
    pub(super) bases: BTreeSet<BasisId>,
    /// What would make the category fit to go; of several, the one that leaves least.
    pub(super) technique: Option<Technique>,
}

impl Answer {
    fn met(basis: &BasisId) -> Answer {
        Answer { bases: BTreeSet::from([basis.clone()]), ..Answer::default() }
    }

    fn lacking(outcome: Outcome, missing: Missing) -> Answer {
        Answer { unmet: Some(outcome), missing: vec![missing], ..Answer::default() }
    }

    fn and(mut self, other: Answer) -> Answer {
        self.unmet = self.unmet.into_iter().chain(other.unmet).min();
        self.missing.extend(other.missing);
        self.bases.extend(other.bases);
        self.technique = self.technique.into_iter().chain(other.technique).min();
        self
    }
}

/// All of `needs`.
pub(super) fn all(situation: &Situation<'_>, needs: &[Need]) -> Answer {
    needs.iter().fold(Answer::default(), |answer, need| answer.and(one(situation, need)))
}

fn one(situation: &Situation<'_>, need: &Need) -> Answer {
    match need {
        Need::Consent(wanted) => match consent(situation, wanted) {
            Some(found) => Answer::met(&found.id),
            None => Answer::lacking(Outcome::NeedsSeparateConsent, missing_consent(situation, wanted)),
        },
        Need::Instrument(wanted) => match instrument(situation, wanted) {
            Some(found) => Answer::met(&found.id),
            None => Answer::lacking(Outcome::NeedsInstrument, missing_instrument(situation, wanted)),
        },
        Need::Assessment(kinds) => assessment(situation, kinds),
        Need::Exemption(kinds) => match exemption(situation, kinds) {
            Some(found) => Answer::met(&found.id),
            None => Answer::lacking(Outcome::Block, Missing { kinds: kinds.iter().cloned().collect(), ..missing(situation, "exemption") }),
        },
        Need::Deidentify(techniques) => deidentified(situation, techniques),
        Need::Guardian => guardian(situation),
        Need::Agreement => agreement(situation),
        Need::AnyOf(groups) => {
            let mut answers: Vec<Answer> = groups.iter().map(|group| all(situation, group)).collect();
            if let Some(met) = answers.iter().position(|answer| answer.unmet.is_none()) {
                return answers.swap_remove(met);
            }
            // None is met: every way out is named, and the nearest to lawful is the verdict.
            let unmet = answers.iter().filter_map(|answer| answer.unmet).max();
            let technique = answers.iter().find_map(|answer| answer.technique);
            Answer { unmet: unmet.or(Some(Outcome::Block)), missing: answers.into_iter().flat_map(|a| a.missing).collect(), bases: BTreeSet::new(), technique }
        }
    }
}

/// A missing thing with nothing said about it yet but who is concerned.
pub(super) fn lacking(what: &str, recipient: Option<&RecipientId>) -> Missing {
    Missing {
        what: what.to_owned(),
        class: None,
        kinds: Vec::new(),
        recipient: recipient.cloned(),
        purpose: None,
        categories: BTreeSet::new(),
        elements: BTreeSet::new(),
        scope: BTreeSet::new(),
    }
}

fn missing(situation: &Situation<'_>, what: &str) -> Missing {
    let (purpose, categories) = (Some(situation.facts.purpose.clone()), BTreeSet::from([situation.category]));
    Missing { purpose, categories, ..lacking(what, situation.movement.party.id()) }
}

/// What a basis covers, in the terms all kinds of basis share.
struct Scope<'b> {
    recipient: Option<&'b RecipientId>,
    purposes: &'b BTreeSet<Purpose>,
    categories: &'b BTreeSet<Category>,
    destinations: &'b BTreeSet<Jurisdiction>,
    /// None: this kind of basis says nothing about access of its own, so it is read from the destinations.
    access: Option<&'b BTreeSet<Jurisdiction>>,
    /// Whether it stands at this moment.
    stands: bool,
}

/// Names of the scope fields in which a basis does not cover the situation.
fn wrong(situation: &Situation<'_>, scope: &Scope<'_>) -> BTreeSet<String> {
    let movement = situation.movement;
    let reaches = |spots: &[Spot], open: &BTreeSet<Jurisdiction>| abroad(situation, spots).all(|spot| spot.is_some_and(|place| open.contains(&place)));
    let access = scope.access.filter(|set| !set.is_empty()).unwrap_or(scope.destinations);
    // A stranger has no id a record could name; a person needs none to read their own data.
    let recipient = scope.recipient == movement.party.id() && movement.party != Party::Unknown;
    let checks = [
        ("recipient", recipient),
        ("purpose", scope.purposes.contains(&situation.facts.purpose)),
        ("categories", scope.categories.contains(&situation.category)),
        ("destination", reaches(&movement.storage, scope.destinations)),
        ("access", reaches(&movement.access, access)),
        ("dates", scope.stands),
    ];
    checks.into_iter().filter(|(_, right)| !right).map(|(name, _)| name.to_owned()).collect()
}

/// The spots that lie outside the person's own area: only reaching those is a transfer.
fn abroad<'s>(situation: &'s Situation<'_>, spots: &'s [Spot]) -> impl Iterator<Item = Spot> + 's {
    let own = &situation.record.jurisdictions;
    let at_home = |place| !own.is_empty() && own.iter().all(|member| situation.places.same_area(*member, place));
    spots.iter().copied().filter(move |spot| !spot.is_some_and(at_home))
}

fn consent_faults(situation: &Situation<'_>, consent: &Consent, wanted: &ConsentNeed) -> BTreeSet<String> {
    let scope = Scope {
        recipient: consent.recipient.as_ref().map(|r| &r.id),
        purposes: &consent.purposes,
        categories: &consent.categories,
        destinations: &consent.destinations,
        access: Some(&consent.access),
        stands: consent.stands(situation.facts.now),
    };
    let mut faults = wrong(situation, &scope);
    // Consent that was bundled is not separate, and a box ticked beforehand is no consent (PIPL 14, GDPR 4(11) and 7(2)).
    let bundled = consent.class == ConsentClass::Separate && !consent.presented_separately;
    if !wanted.classes.contains(&consent.class) || bundled || consent.preticked {
        faults.insert("class".to_owned());
    }
    if wanted.digest.is_some() && wanted.digest != consent.notice.digest {
        faults.insert("notice_digest".to_owned());
    }
    faults
}

/// Consents of the record's person; an unresolved person has none.
fn own_consents<'a>(situation: &Situation<'a>) -> impl Iterator<Item = &'a Consent> {
    let subject = situation.record.subject.as_ref();
    situation.facts.bases.consents.iter().filter(move |consent| subject == Some(&consent.subject))
}

/// A consent that covers this category on this way, and told the person all it must.
pub(super) fn consent<'a>(situation: &Situation<'a>, wanted: &ConsentNeed) -> Option<&'a Consent> {
    let told = |consent: &Consent| wanted.elements.iter().all(|element| consent.tells(*element));
    own_consents(situation).find(|consent| told(consent) && consent_faults(situation, consent, wanted).is_empty())
}

fn missing_consent(situation: &Situation<'_>, wanted: &ConsentNeed) -> Missing {
    let nearest = own_consents(situation)
        .map(|consent| {
            let lacking: BTreeSet<_> = wanted.elements.iter().copied().filter(|element| !consent.tells(*element)).collect();
            (consent_faults(situation, consent, wanted), lacking, &consent.id)
        })
        .min_by_key(|(faults, lacking, id)| (faults.len() + lacking.len(), *id));
    let (scope, elements) = nearest.map_or_else(|| (BTreeSet::new(), wanted.elements.clone()), |(faults, lacking, _)| (faults, lacking));
    Missing { class: wanted.classes.first().copied(), elements, scope, ..missing(situation, "consent") }
}

fn instrument_faults(situation: &Situation<'_>, instrument: &Instrument, wanted: &InstrumentNeed) -> BTreeSet<String> {
    let scope = Scope {
        recipient: Some(&instrument.recipient),
        purposes: &instrument.purposes,
        categories: &instrument.categories,
        destinations: &instrument.destinations,
        access: Some(&instrument.access),
        stands: instrument.in_force(situation.facts.now),
    };
    let mut faults = wrong(situation, &scope);
    if !of_kind(instrument, wanted) || !(wanted.modules.is_empty() || instrument.module.is_some_and(|m| wanted.modules.contains(&m))) {
        faults.insert("type".to_owned());
    }
    if instrument.exporter.as_ref().is_some_and(|exporter| exporter != situation.policy.exporter.id.as_str()) {
        faults.insert("exporter".to_owned());
    }
    let governed = |spot: &&Spot| situation.area.is_none_or(|area| spot.is_none_or(|place| area.contains(&place)));
    let sent_from = |spot: &Spot| spot.is_some_and(|place| instrument.from.contains(&place));
    if !instrument.from.is_empty() && !situation.movement.from.iter().filter(governed).all(sent_from) {
        faults.insert("from".to_owned());
    }
    faults
}

fn of_kind(instrument: &Instrument, wanted: &InstrumentNeed) -> bool {
    wanted.kinds.contains(&instrument.kind) || wanted.ids.contains(&instrument.id)
}

/// An instrument that covers this category on this way.
pub(super) fn instrument<'a>(situation: &Situation<'a>, wanted: &InstrumentNeed) -> Option<&'a Instrument> {
    situation.facts.bases.instruments.iter().find(|i| instrument_faults(situation, i, wanted).is_empty())
}

/// An instrument of this kind with this recipient was concluded, yet none covers this transfer.
pub(super) fn exceeded(situation: &Situation<'_>, wanted: &InstrumentNeed) -> bool {
    let concluded = |i: &&Instrument| {
        of_kind(i, wanted) && Some(&i.recipient) == situation.movement.party.id() && !matches!(i.status, InstrumentStatus::Draft | InstrumentStatus::Signed)
    };
    situation.facts.bases.instruments.iter().any(|i| concluded(&i)) && instrument(situation, wanted).is_none()
}

fn missing_instrument(situation: &Situation<'_>, wanted: &InstrumentNeed) -> Missing {
    let faults = |i: &Instrument| instrument_faults(situation, i, wanted);
    let nearest = situation.facts.bases.instruments.iter().map(|i| (faults(i), &i.id)).min_by_key(|(wrong, id)| (wrong.len(), *id));
    let ids = wanted.ids.iter().map(BasisId::to_string);
    Missing {
        kinds: wanted.kinds.iter().cloned().chain(ids).collect(),
        scope: nearest.map(|(wrong, _)| wrong).unwrap_or_default(),
        ..missing(situation, "instrument")
    }
}

fn assessment_scope(situation: &Situation<'_>, assessment: &Assessment) -> BTreeSet<String> {
    let now = situation.facts.now;
    let scope = Scope {
        recipient: Some(&assessment.recipient),
        purposes: &assessment.purposes,
        categories: &assessment.categories,
        destinations: &assessment.destinations,
        access: None,
        stands: assessment.date <= now && assessment.expires_at.is_none_or(|end| now < end),
    };
    let mut faults = wrong(situation, &scope);
    faults.remove("access");
    faults
}

/// Assessments of these kinds whose scope covers this transfer, whatever they found.
pub(super) fn assessments<'a>(situation: &Situation<'a>, kinds: &BTreeSet<String>) -> impl Iterator<Item = &'a Assessment> {
    situation.facts.bases.assessments.iter().filter(move |a| kinds.contains(&a.kind) && assessment_scope(situation, a).is_empty())
}

fn assessment(situation: &Situation<'_>, kinds: &BTreeSet<String>) -> Answer {
    let unreadable = situation.form != Form::Clear;
    let good = |a: &&Assessment| a.result == AssessmentResult::Positive || (a.result == AssessmentResult::NeedsDeidentification && unreadable);
    // The strictest finding on file counts: a later positive paper does not undo a negative one that still stands.
    if assessments(situation, kinds).all(|a| good(&a))
        && let Some(found) = assessments(situation, kinds).next()
    {
        return Answer::met(&found.id);
    }
    let of_kind = situation.facts.bases.assessments.iter().filter(|a| kinds.contains(&a.kind));
    let nearest = of_kind.map(|a| (assessment_scope(situation, a), &a.id)).min_by_key(|(wrong, id)| (wrong.len(), *id));
    let scope = nearest.map(|(wrong, _)| wrong).unwrap_or_default();
    Answer::lacking(Outcome::Hold, Missing { kinds: kinds.iter().cloned().collect(), scope, ..missing(situation, "assessment") })
}

/// An entry of the register of necessity that covers this transfer; across a border only kinds that say they open one.
pub(super) fn exemption<'a>(situation: &Situation<'a>, kinds: &BTreeSet<String>) -> Option<&'a Exemption> {
    let now = situation.facts.now;
    let opens = |kind: &str| situation.movement.stays_in_area(situation) || situation.exemption_crosses(kind);
    situation.facts.bases.exemptions.iter().filter(|e| kinds.contains(&e.kind) && opens(&e.kind)).find(|e| {
        let scope = Scope {
            recipient: e.recipient.as_ref(),
            purposes: &e.purposes,
            categories: &e.categories,
            destinations: &e.destinations,
            access: None,
            stands: e.effective_at <= now && e.expires_at.is_none_or(|end| now < end),
        };
        wrong(situation, &scope).is_empty()
    })
}

impl super::matching::Movement<'_> {
    /// Nothing leaves the person's area, whoever receives it.
    fn stays_in_area(&self, situation: &Situation<'_>) -> bool {
        abroad(situation, &self.to).next().is_none()
    }
}

impl Situation<'_> {
    /// Whether the document whose rule is asked lets this kind of exemption open a border.
    fn exemption_crosses(&self, kind: &str) -> bool {
        let regimes = self.policy.regimes.iter().filter(|regime| self.area.is_some_and(|area| std::ptr::eq(area, &regime.members)));
        let mut documents = regimes.map(|regime| &regime.exemptions).chain(self.area.is_none().then_some(&self.policy.exemptions));
        documents.any(|document| document.get(kind).copied().unwrap_or(false))
    }
}

fn deidentified(situation: &Situation<'_>, techniques: &Techniques) -> Answer {
    let Some(technique) = techniques.for_category(situation.category) else { return Answer::default() };
    if situation.form != Form::Clear && technique != Technique::Drop {
        return Answer::default();
    }
    let lacking = Answer::lacking(Outcome::NeedsDeidentification, Missing { kinds: vec![technique.to_string()], ..missing(situation, "deidentification") });
    Answer { technique: Some(technique), ..lacking }
}

fn guardian(situation: &Situation<'_>) -> Answer {
    let now = situation.facts.now;
    let answers = |c: &&Consent| {
        c.class == ConsentClass::Guardian && c.guardian.is_some() && !c.preticked && c.stands(now) && c.purposes.contains(&situation.facts.purpose)
    };
    match own_consents(situation).find(answers) {
        Some(found) => Answer::met(&found.id),
        None => Answer::lacking(Outcome::LocalOnly, Missing { class: Some(ConsentClass::Guardian), ..missing(situation, "guardian") }),
    }
}

fn agreement(situation: &Situation<'_>) -> Answer {
    let Party::Registered(recipient, Some(entry)) = situation.movement.party else {
        return Answer::lacking(Outcome::Hold, missing(situation, "agreement"));
    };
    let in_force = |i: &&Instrument| Some(&i.id) == entry.agreement.as_ref() && i.recipient == *recipient && i.in_force(situation.facts.now);
    match situation.facts.bases.instruments.iter().find(in_force) {
        Some(found) => Answer::met(&found.id),
        None => Answer::lacking(Outcome::Hold, Missing { kinds: entry.agreement.iter().map(BasisId::to_string).collect(), ..missing(situation, "agreement") }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::decided;
    use crate::model::Decision;
    use serde_json::{Value, json};

    /// A German person's mail to a helper in Singapore, with one consent, one set of clauses and one assessment on file.
    fn asked(consent: &Value, instrument: &Value, assessment: &Value) -> Decision {
        let request = json!({
            "node": "cn-north", "recipient": "helper", "addressed": "sg", "otherwise": "refuse", "purpose": "service",
            "records": [{"subject": "A", "jurisdictions": ["CN"], "age_band": "adult", "categories": {"email_address": "clear"}}],
            "consents": [consent], "instruments": [instrument], "assessments": [assessment],
        });
        decided(&request.to_string())
    }

    fn consent() -> Value {
        json!({"id": "c", "subject": "A", "class": "separate", "presented_separately": true, "recipient": {"id": "helper", "name": "H", "contact": "h"}, "purposes": ["service"],
            "categories": ["email_address"], "destinations": ["SG"], "method": "API", "rights_procedure": "form", "given_at": "2026-01-01T00:00:00Z"})
    }

    fn instrument() -> Value {
        json!({"id": "i", "type": "cn_standard_contract", "recipient": "helper", "purposes": ["service"], "categories": ["email_address"], "from": ["CN"], "destinations": ["SG"], "status": "in_force"})
    }

    fn assessment() -> Value {
        json!({"id": "a", "type": "pipia", "recipient": "helper", "purposes": ["service"], "categories": ["email_address"], "destinations": ["SG"], "date": "2026-01-01T00:00:00Z", "result": "positive"})
    }

    fn changed(mut whole: Value, pointer: &str, value: Value) -> Value {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        whole.pointer_mut(parent).unwrap()[member] = value;
        whole
    }

    fn scope_of<'d>(decision: &'d Decision, what: &str) -> Vec<&'d str> {
        decision.missing.iter().filter(|m| m.what == what).flat_map(|m| m.scope.iter().map(String::as_str)).collect()
    }

    #[test]
    fn with_everything_in_force_and_in_scope_the_way_is_open() {
        let open = asked(&consent(), &instrument(), &assessment());
        assert!(open.outcome.allows() && open.missing.is_empty(), "{open:?}");
        assert_eq!(open.bases.iter().map(|b| b.as_str()).collect::<Vec<_>>(), ["a", "c", "i"]);
    }

    #[test]
    fn a_consent_wrong_in_one_field_of_its_scope_opens_nothing_and_the_field_is_named() {
        let wrong = [
            ("/recipient/id", json!("another"), "recipient"),
            ("/purposes", json!(["marketing"]), "purpose"),
            ("/categories", json!(["phone_number"]), "categories"),
            ("/destinations", json!(["US"]), "destination"),
            ("/access", json!(["US"]), "access"),
            ("/expires_at", json!("2026-02-01T00:00:00Z"), "dates"),
            ("/given_at", json!("2027-01-01T00:00:00Z"), "dates"),
            ("/ended_at", json!("2026-11-01T00:00:00Z"), "dates"),
            ("/state", json!("withdrawn"), "dates"),
            ("/class", json!("general"), "class"),
            ("/presented_separately", json!(false), "class"),
            ("/preticked", json!(true), "class"),
        ];
        for (pointer, value, field) in wrong {
            let decision = asked(&changed(consent(), pointer, value), &instrument(), &assessment());
            assert!(!decision.outcome.allows(), "{pointer}");
            let named = scope_of(&decision, "consent");
            assert!(named.contains(&field), "{pointer}: {named:?}");
            // Access falls back to the destinations, so a wrong destination is both.
            assert!(named.len() == 1 || field == "destination", "{pointer}: {named:?}");
        }
    }

    #[test]
    fn another_persons_consent_opens_nothing() {
        assert!(!asked(&changed(consent(), "/subject", json!("B")), &instrument(), &assessment()).outcome.allows());
    }

    #[test]
    fn a_consent_that_left_out_one_element_of_the_notice_opens_nothing_and_the_element_is_named() {
        for (pointer, element) in [
            ("/recipient/name", "recipient_name"),
            ("/recipient/contact", "recipient_contact"),
            ("/method", "method"),
            ("/rights_procedure", "rights_procedure"),
        ] {
            let decision = asked(&changed(consent(), pointer, json!(null)), &instrument(), &assessment());
            let lacking: Vec<String> = decision.missing.iter().flat_map(|m| m.elements.iter().map(ToString::to_string)).collect();
            assert_eq!((decision.outcome.allows(), lacking), (false, vec![element.to_owned()]));
        }
    }

    #[test]
    fn a_consent_to_another_notice_than_the_one_in_force_opens_nothing() {
        use super::super::fixtures::{POLICY, under};
        let policy = POLICY
            .replace("rules: []", "notices: {n: {elements: [notice], digest: 'sha256:aa'}}\nrules: [{id: pinned, when: {to: SG}, require: {consent: {class: separate, notice: n}}, otherwise: refuse}]");
        let ask = |digest: &str| {
            let consent = changed(consent(), "/notice", json!({"digest": digest}));
            let request = json!({"node": "cn-north", "recipient": "helper", "addressed": "sg", "purpose": "service", "consents": [consent], "instruments": [instrument()], "assessments": [assessment()],
                "records": [{"subject": "A", "jurisdictions": ["CN"], "age_band": "adult", "categories": {"email_address": "clear"}}]});
            under(&[&policy], &request.to_string())
        };
        assert!(ask("sha256:aa").outcome.allows());
        assert_eq!((ask("sha256:bb").outcome.allows(), scope_of(&ask("sha256:bb"), "consent")), (false, vec!["notice_digest"]));
    }

    #[test]
    fn an_instrument_wrong_in_one_field_of_its_scope_opens_nothing_and_the_field_is_named() {
        let wrong = [
            ("/recipient", json!("another"), "recipient"),
            ("/purposes", json!(["marketing"]), "purpose"),
            ("/categories", json!(["phone_number"]), "categories"),
            ("/destinations", json!(["US"]), "destination"),
            ("/access", json!(["US"]), "access"),
            ("/expires_at", json!("2026-02-01T00:00:00Z"), "dates"),
            ("/effective_at", json!("2027-02-01T00:00:00Z"), "dates"),
            ("/status", json!("suspended"), "dates"),
            ("/type", json!("eu_scc"), "type"),
            ("/exporter", json!("another"), "exporter"),
            ("/from", json!(["US"]), "from"),
        ];
        for (pointer, value, field) in wrong {
            let decision = asked(&consent(), &changed(instrument(), pointer, value), &assessment());
            assert!(!decision.outcome.allows(), "{pointer}");
            assert!(scope_of(&decision, "instrument").contains(&field), "{pointer}: {decision:?}");
        }
    }

    #[test]
    fn an_assessment_wrong_in_one_field_of_its_scope_holds_the_transfer_and_the_field_is_named() {
        let wrong = [
            ("/recipient", json!("another"), "recipient"),
            ("/purposes", json!(["marketing"]), "purpose"),
            ("/categories", json!(["phone_number"]), "categories"),
            ("/destinations", json!(["US"]), "destination"),
            ("/expires_at", json!("2026-02-01T00:00:00Z"), "dates"),
        ];
        for (pointer, value, field) in wrong {
            let decision = asked(&consent(), &instrument(), &changed(assessment(), pointer, value));
            assert_eq!((decision.outcome.allows(), scope_of(&decision, "assessment")), (false, vec![field]), "{pointer}");
        }
        assert!(!asked(&consent(), &instrument(), &changed(assessment(), "/result", json!("negative"))).outcome.allows());
    }

    #[test]
    fn an_exemption_opens_a_border_only_where_its_document_says_so() {
        use super::super::fixtures::{POLICY, under};
        let ask = |crosses: bool| {
            let exemptions = format!("exemptions: {{vital: {{cross_border: {crosses}}}}}\n");
            let policy = POLICY
                .replace("rules: []", &format!("{exemptions}rules: [{{id: needed, when: {{to: SG}}, require: {{exemption: vital}}, otherwise: refuse}}]"));
            let exemption = json!({"id": "e", "kind": "vital", "recipient": "helper", "purposes": ["service"], "categories": ["email_address"], "destinations": ["SG"], "reference": "r", "effective_at": "2026-01-01T00:00:00Z"});
            let request = json!({"node": "cn-north", "recipient": "helper", "addressed": "sg", "purpose": "service", "consents": [consent()], "instruments": [instrument()], "assessments": [assessment()],
                "exemptions": [exemption], "records": [{"subject": "A", "jurisdictions": ["CN"], "age_band": "adult", "categories": {"email_address": "clear"}}]});
            under(&[&policy], &request.to_string())
        };
        assert!(ask(true).outcome.allows());
        assert!(ask(false).missing.iter().any(|m| m.what == "exemption"));
    }

    #[test]
    fn an_agreement_counts_while_it_is_in_force() {
        let ask = |status: &str| {
            let agreement = json!({"id": "dpa-3", "type": "agreement", "recipient": "local", "status": status});
            let request = json!({"node": "eu", "recipient": "local", "addressed": "eu", "purpose": "service", "instruments": [agreement],
                "records": [{"subject": "B", "jurisdictions": ["DE"], "age_band": "adult", "categories": {"email_address": "clear"}}]});
            decided(&request.to_string())
        };
        assert!(ask("in_force").outcome.allows());
        assert_eq!(ask("terminated").missing[0].what, "agreement");
    }
}

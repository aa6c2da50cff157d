//! From words to predicates: every name is resolved here, once, or reported with its place.

use super::Source;
use super::diagnostic::{Diagnostic, Severity, suggest};
use super::rule::{Condition, ConsentNeed, Exporter, InstrumentNeed, Match, Mode, Need, PartyName, PlaceTest, Recipient, Rule, Techniques, VolumeTest};
use super::schema::{Audience, ExemptionEntry, NoticeEntry, RawCondition, RawConsent, RawInstrument, RawNeeds, RawRule};
use super::shape::{At, Place, Raw, RawMatch};
use super::world::World;
use crate::model::basis::Element;
use crate::model::{AgeBand, Category, RecipientId, Technique};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

/// Conditions may name conditions; deeper than this is a circle.
const NAMED_DEPTH_MAX: usize = 8;

/// What one file's words are read against.
pub(crate) struct Lowering<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) world: &'a World,
    pub(crate) raised: &'a BTreeSet<Category>,
    pub(crate) exporter: &'a Exporter,
    pub(crate) recipients: &'a BTreeMap<RecipientId, Recipient>,
    pub(crate) audience: Audience,
    /// Values in force of every switch that a regime of the policy declares.
    pub(crate) switches: &'a BTreeMap<String, String>,
    pub(crate) conditions: &'a BTreeMap<String, At<RawCondition>>,
    pub(crate) notices: &'a BTreeMap<String, NoticeEntry>,
    pub(crate) exemptions: &'a BTreeMap<String, At<ExemptionEntry>>,
    pub(crate) found: Vec<Diagnostic>,
}

impl Lowering<'_> {
    pub(crate) fn rule(&mut self, raw: &RawRule) -> Rule {
        let at = raw.id.at;
        let when = self.condition(&raw.when.value, raw.when.at.or(at), false, 0);
        let unless: Vec<Condition> = raw.unless.0.iter().map(|c| self.condition(c, at, true, 0)).collect();
        let needs = self.needs(&raw.require.value, raw.require.at.or(at));
        if raw.outcome.is_none() && needs.is_empty() && raw.mode != Mode::Off {
            self.report(
                Severity::Error,
                at,
                format!("rule `{}` requires nothing and has no outcome", raw.id.value),
                Some("add `require:` or `outcome:`".into()),
            );
        }
        Rule {
            id: raw.id.value.clone(),
            title: raw.title.clone(),
            cite: raw.cite.clone(),
            confidence: raw.confidence,
            mode: raw.mode,
            transfer: when.is_about_transfer(),
            when,
            unless,
            needs,
            outcome: raw.outcome,
            obligations: raw.obligations.clone(),
            otherwise: raw.otherwise,
        }
    }

    /// `every`: places must all match, as an exception asks.
    fn condition(&mut self, raw: &RawCondition, at: Place, every: bool, depth: usize) -> Condition {
        let mut all = Vec::new();
        for name in &raw.is.0 {
            match self.conditions.get(name) {
                Some(named) if depth < NAMED_DEPTH_MAX => all.push(self.condition(&named.value, at, every, depth + 1)),
                Some(_) => self.report(Severity::Error, at, format!("condition `{name}` names itself in a circle"), None),
                None => {
                    let help = suggest(name, self.conditions.keys().map(String::as_str));
                    self.report(Severity::Error, at, format!("no condition `{name}` in `conditions:`"), help);
                }
            }
        }
        self.place_tests(raw, at, every, &mut all);
        self.value_tests(raw, at, &mut all);
        self.basis_tests(raw, at, &mut all);
        if let Some(inner) = &raw.not {
            all.push(Condition::Not(Box::new(self.condition(&inner.value, inner.at.or(at), every, depth + 1))));
        }
        if !raw.any_of.is_empty() {
            all.push(Condition::Any(raw.any_of.iter().map(|c| self.condition(&c.value, c.at.or(at), every, depth + 1)).collect()));
        }
        all.extend(raw.all_of.iter().map(|c| self.condition(&c.value, c.at.or(at), every, depth + 1)));
        Condition::All(all)
    }

    fn place_tests(&mut self, raw: &RawCondition, at: Place, every: bool, all: &mut Vec<Condition>) {
        let mut test = |word: &Option<Raw>, make: fn(PlaceTest) -> Condition| all.extend(word.as_ref().map(|word| make(self.places(word, at, every))));
        test(&raw.from, Condition::From);
        test(&raw.to, Condition::To);
        test(&raw.origin, Condition::Origin);
        test(&raw.joined_with, Condition::JoinedWith);
        all.extend(raw.away.map(Condition::Away));
        if let Some(word) = &raw.owned_from {
            let world = self.world;
            all.push(Condition::OwnedFrom(self.matching(word, at, &|w| world.place(w).map_err(plain))));
        }
    }

    fn value_tests(&mut self, raw: &RawCondition, at: Place, all: &mut Vec<Condition>) {
        let (world, raised, recipients, exporter) = (self.world, self.raised, self.recipients, self.exporter);
        let data = |w: &str| world.categories(w, raised).map_err(|m| (m, suggest(w, world.category_words())));
        let children = self.audience == Audience::Children;
        let mut add = |condition: Option<Condition>| all.extend(condition);
        add(raw.data.as_ref().map(|w| Condition::Data(self.matching(w, at, &data))));
        add(raw.with_data.as_ref().map(|w| Condition::With(self.matching(w, at, &data))));
        add(raw.form.as_ref().map(|w| Condition::Form(self.matching(w, at, &word))));
        add(raw.purpose.as_ref().map(|w| Condition::Purpose(self.matching(w, at, &word))));
        add(raw.recipient.as_ref().map(|w| Condition::Recipient(self.matching(w, at, &|name| party(name, recipients)))));
        add(raw.role.as_ref().map(|w| Condition::Role(self.matching(w, at, &word))));
        add(raw.listed.as_ref().map(|w| Condition::Listed(self.matching(w, at, &word))));
        add(raw.age.as_ref().map(|w| Condition::Age(self.matching(w, at, &|name| ages(name, children)))));
        add(raw.direction.as_ref().map(|w| Condition::Direction(self.matching(w, at, &word))));
        add(raw.api.as_ref().map(|w| Condition::Api(self.matching(w, at, &word))));
        add(raw.caller_role.as_ref().map(|w| Condition::CallerRole(self.matching(w, at, &word))));
        add(raw.legal_basis.as_ref().map(|w| Condition::LegalBasis(self.matching(w, at, &word))));
        if let Some(flag) = &raw.exporter {
            let wanted: Match<String> = self.matching(flag, at, &word);
            add(Some(Condition::Settled(exporter.flags.iter().any(|flag| wanted.has(flag)))));
        }
        for (name, value) in &raw.switch {
            let settled = self.switches.get(name).map(|v| *v == value.value);
            if settled.is_none() {
                let help = suggest(name, self.switches.keys().map(String::as_str));
                self.report(Severity::Error, value.at.or(at), format!("no regime of this policy has a switch `{name}`"), help);
            }
            all.push(Condition::Settled(settled.unwrap_or(true)));
        }
        if let Some(v) = &raw.volume {
            all.push(Condition::Volume(VolumeTest { counter: v.counter.clone(), below: v.below, at_least: v.at_least }));
        }
    }

    fn basis_tests(&mut self, raw: &RawCondition, at: Place, all: &mut Vec<Condition>) {
        if let Some(consent) = &raw.consent {
            all.push(Condition::Consent(self.consent(consent, at)));
        }
        all.extend(raw.instrument.as_ref().map(|i| Condition::Instrument(instrument(i))));
        all.extend(raw.exceeded.as_ref().map(|i| Condition::Exceeded(instrument(i))));
        all.extend(raw.assessed.as_ref().map(|a| Condition::Assessed { kinds: a.kind.0.iter().cloned().collect(), result: a.result }));
        if !raw.exemption.0.is_empty() {
            all.push(Condition::Exemption(self.exemption(&raw.exemption.0, at)));
        }
    }

    fn needs(&mut self, raw: &RawNeeds, at: Place) -> Vec<Need> {
        let mut needs = Vec::new();
        if let Some(consent) = &raw.consent {
            needs.push(Need::Consent(self.consent(consent, at)));
        }
        needs.extend(raw.instrument.as_ref().map(|i| Need::Instrument(instrument(i))));
        if !raw.assessment.0.is_empty() {
            needs.push(Need::Assessment(raw.assessment.0.iter().cloned().collect()));
        }
        if !raw.exemption.0.is_empty() {
            needs.push(Need::Exemption(self.exemption(&raw.exemption.0, at)));
        }
        if let Some(techniques) = &raw.deidentify {
            needs.push(Need::Deidentify(self.techniques(techniques)));
        }
        needs.extend(raw.guardian.then_some(Need::Guardian));
        needs.extend(raw.agreement.then_some(Need::Agreement));
        if !raw.any_of.is_empty() {
            needs.push(Need::AnyOf(raw.any_of.iter().map(|group| self.needs(&group.value, group.at.or(at))).collect()));
        }
        needs
    }

    fn consent(&mut self, raw: &RawConsent, at: Place) -> ConsentNeed {
        let notice = raw.notice.as_ref().and_then(|name| {
            let known = self.notices.get(&name.value);
            if known.is_none() {
                let help = suggest(&name.value, self.notices.keys().map(String::as_str));
                self.report(Severity::Error, name.at.or(at), format!("no notice `{}` in `notices:`", name.value), help);
            }
            known
        });
        let elements: BTreeSet<Element> = notice.map(|n| n.elements.clone()).unwrap_or_default();
        ConsentNeed { classes: raw.class.0.iter().copied().collect(), elements, digest: notice.and_then(|n| n.digest.clone()) }
    }

    fn exemption(&mut self, kinds: &[String], at: Place) -> BTreeSet<String> {
        for kind in kinds {
            if !self.exemptions.contains_key(kind) {
                let help = suggest(kind, self.exemptions.keys().map(String::as_str)).unwrap_or_else(|| "list it under `exemptions:`".into());
                self.report(Severity::Error, at, format!("unknown exemption `{kind}`"), Some(help));
            }
        }
        kinds.iter().cloned().collect()
    }

    pub(crate) fn techniques(&mut self, raw: &BTreeMap<String, At<Technique>>) -> Techniques {
        let mut techniques = Techniques::default();
        // Groups first, so that a leaf of its own says more than its group.
        let (leaves, groups): (Vec<_>, Vec<_>) = raw.iter().partition(|(word, _)| word.parse::<Category>().is_ok());
        for (word, technique) in groups.into_iter().chain(leaves) {
            if technique.value == Technique::Restore {
                self.report(Severity::Error, technique.at, "`restore` is no way to de-identify", Some("use drop, mask, generalise, pseudonym or token".into()));
            }
            if word == "else" {
                techniques.other = Some(technique.value);
                continue;
            }
            match self.world.categories(word, self.raised) {
                Ok(categories) => techniques.of.extend(categories.into_iter().map(|c| (c, technique.value))),
                Err(message) => self.report(Severity::Error, technique.at, message, suggest(word, self.world.category_words())),
            }
        }
        techniques
    }

    /// A predicate over places; `only` makes it speak of every one.
    pub(crate) fn places(&mut self, raw: &Raw, at: Place, every: bool) -> PlaceTest {
        let world = self.world;
        let resolve = |w: &str| world.place(w).map_err(|m| (m, suggest(w, world.places.group_names())));
        match &raw.value {
            RawMatch::Only(inner) => PlaceTest { every: true, place: self.matching(inner, raw.at.or(at), &resolve) },
            _ => PlaceTest { every, place: self.matching(raw, at, &resolve) },
        }
    }

    pub(crate) fn matching<T: Ord>(&mut self, raw: &Raw, at: Place, resolve: &Resolve<'_, T>) -> Match<T> {
        let at = raw.at.or(at);
        match &raw.value {
            RawMatch::Word(word) => match resolve(word) {
                Ok(values) => Match::In(values),
                Err((message, help)) => {
                    self.report(Severity::Error, at, message, help);
                    Match::In(BTreeSet::new())
                }
            },
            RawMatch::Any(list) => Match::Any(list.iter().map(|m| self.matching(m, at, resolve)).collect()),
            RawMatch::All(list) => Match::All(list.iter().map(|m| self.matching(m, at, resolve)).collect()),
            RawMatch::Not(inner) => Match::Not(Box::new(self.matching(inner, at, resolve))),
            RawMatch::Only(inner) => {
                self.report(Severity::Error, at, "`only` speaks of places", Some("use it in `from`, `to`, `origin` or `joined_with`".into()));
                self.matching(inner, at, resolve)
            }
        }
    }

    pub(crate) fn report(&mut self, severity: Severity, at: Place, message: impl Into<String>, help: Option<String>) {
        let found = Diagnostic::new(severity, self.source, at, message);
        self.found.push(match help {
            Some(help) => found.help(help),
            None => found,
        });
    }
}

/// What a word stands for, or why nothing, with a suggestion.
type Resolve<'r, T> = dyn Fn(&str) -> Result<BTreeSet<T>, (String, Option<String>)> + 'r;

fn plain(message: String) -> (String, Option<String>) {
    (message, None)
}

/// A word that is one value of a type that parses.
fn word<T: Ord + FromStr<Err: Display>>(text: &str) -> Result<BTreeSet<T>, (String, Option<String>)> {
    text.parse().map(|value| BTreeSet::from([value])).map_err(|error: T::Err| plain(error.to_string()))
}

fn party(name: &str, recipients: &BTreeMap<RecipientId, Recipient>) -> Result<BTreeSet<PartyName>, (String, Option<String>)> {
    let found = match name {
        "exporter" => PartyName::Exporter,
        "self" => PartyName::Oneself,
        "unknown" => PartyName::Unknown,
        id => match recipients.get_key_value(id) {
            Some((id, _)) => PartyName::Registered(id.clone()),
            None => {
                let known = recipients.keys().map(RecipientId::as_str).chain(["exporter", "self", "unknown"]);
                return Err((format!("no recipient `{id}` in `recipients:`"), suggest(id, known)));
            }
        },
    };
    Ok(BTreeSet::from([found]))
}

/// Age bands by name, or all below a cut-off. An unknown age is below every cut-off where the service is for children.
fn ages(name: &str, children: bool) -> Result<BTreeSet<AgeBand>, (String, Option<String>)> {
    use AgeBand::{From14To15, From16To17, Thirteen, Under13};
    let mut bands = match name {
        "under_13" => BTreeSet::from([Under13]),
        "under_14" => BTreeSet::from([Under13, Thirteen]),
        "under_16" => BTreeSet::from([Under13, Thirteen, From14To15]),
        "under_18" => BTreeSet::from([Under13, Thirteen, From14To15, From16To17]),
        band => return word(band),
    };
    if children {
        bands.insert(AgeBand::Unknown);
    }
    Ok(bands)
}

fn instrument(raw: &RawInstrument) -> InstrumentNeed {
    InstrumentNeed { kinds: raw.kind.0.iter().cloned().collect(), ids: raw.id.0.iter().cloned().collect(), modules: raw.module.0.iter().copied().collect() }
}

impl Condition {
    /// Whether it asks where data comes from or goes to.
    fn is_about_transfer(&self) -> bool {
        match self {
            Condition::All(inner) | Condition::Any(inner) => inner.iter().any(Condition::is_about_transfer),
            Condition::Not(inner) => inner.is_about_transfer(),
            Condition::From(_) | Condition::To(_) | Condition::Away(_) => true,
            _ => false,
        }
    }
}

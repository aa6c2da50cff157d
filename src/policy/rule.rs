//! What a policy is compiled to: rules, conditions, needs. No text of a file is left to interpret.

use crate::model::basis::{AssessmentResult, ConsentClass, Element};
use crate::model::data::closed;
use crate::model::facts::Otherwise;
use crate::model::{AgeBand, ApiId, BasisId, Category, Direction, Form, Jurisdiction, Outcome, Purpose, RecipientId, RegimeId, Region, RuleId, Technique};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

closed! {
    /// How sure the authors of a regime are of a row.
    Confidence, "confidence" {
        Checked = "checked",
        Recalled = "recalled",
        Disputed = "disputed",
    }
}

/// Whether a rule is enforced, only watched, or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    Enforce,
    Shadow,
    Off,
}

closed! {
    /// What a recipient is to the exporter.
    Role, "role" {
        Controller = "controller",
        Processor = "processor",
        SubProcessor = "sub_processor",
        Affiliate = "affiliate",
        Authority = "authority",
    }
}

closed! {
    /// What the policy says about people who read their own data from elsewhere (EDPB Guidelines 05/2021; for CN disputed, hence a switch).
    SelfAccess, "self access" {
        Allow = "allow",
        Consent = "consent",
        Block = "block",
    }
}

closed! {
    /// On what ground a purpose is pursued at all (PIPL 13, GDPR 6).
    LegalBasis, "legal basis" {
        Consent = "consent",
        Contract = "contract",
        LegalDuty = "legal_duty",
        VitalInterest = "vital_interest",
        PublicInterest = "public_interest",
        LegitimateInterest = "legitimate_interest",
    }
}

/// Who is bound by the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exporter {
    pub id: RecipientId,
    pub jurisdiction: Jurisdiction,
    /// `ciio`, `state_organ` …: standing that changes which rows apply.
    #[serde(default)]
    pub flags: BTreeSet<String>,
}

/// A registered party that receives personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    pub name: String,
    pub contact: String,
    pub role: Role,
    pub stored_in: Jurisdiction,
    /// From where it reads; absent: nobody said, which holds every provision to it.
    #[serde(default)]
    pub accessed_from: Option<BTreeSet<Jurisdiction>>,
    /// Where its owners stand; absent is unknown.
    #[serde(default)]
    pub owned_from: Option<Jurisdiction>,
    /// Lists it is on (`cn-pipl-42`, `eu-dpf` …).
    #[serde(default)]
    pub lists: BTreeSet<String>,
    /// The processing agreement on record with it.
    #[serde(default)]
    pub agreement: Option<BasisId>,
    /// A word to the reader.
    #[serde(default)]
    pub note: Option<String>,
}

/// A title in the languages an explanation is printed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Titles {
    pub en: String,
    #[serde(default)]
    pub zh: Option<String>,
}

/// Where a rule comes from: a clause of the policy's document, an article of law.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cite {
    pub clause: Option<String>,
    pub law: Option<String>,
}

/// One rule of a policy or regime.
#[derive(Debug)]
pub struct Rule {
    pub id: RuleId,
    pub title: Titles,
    pub cite: Cite,
    pub confidence: Confidence,
    pub(crate) mode: Mode,
    pub(crate) when: Condition,
    /// Any one of these that surely holds lifts the rule.
    pub(crate) unless: Vec<Condition>,
    pub(crate) needs: Vec<Need>,
    /// The verdict: always, or while the needs are unmet.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) obligations: BTreeSet<String>,
    pub(crate) otherwise: Option<Otherwise>,
    /// It asks where data comes from or goes to, so it says nothing about a message that stays.
    pub(crate) transfer: bool,
}

/// A law as a rule pack, compiled for one policy (which may raise sensitivity and set switches).
#[derive(Debug)]
pub(crate) struct Regime {
    pub(crate) id: RegimeId,
    pub(crate) area: String,
    pub(crate) members: BTreeSet<Jurisdiction>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exemptions: Exemptions,
    /// `<id>/default`: what blocks a category no row speaks of.
    pub(crate) default: RuleId,
}

/// Kinds of exemption a document knows, and whether each may open a border.
pub(crate) type Exemptions = BTreeMap<String, bool>;

/// Where a person's data must live.
#[derive(Debug)]
pub(crate) struct Residency {
    pub(crate) id: RuleId,
    pub(crate) origin: Option<PlaceTest>,
    pub(crate) purpose: Option<Match<Purpose>>,
    pub(crate) home: HomeRule,
}

/// What a residency rule answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HomeRule {
    Region(Region),
    /// The region on record for the person.
    Chosen,
    /// Nowhere is lawful.
    Nowhere,
}

/// A predicate over the values of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match<T: Ord> {
    In(BTreeSet<T>),
    Not(Box<Match<T>>),
    Any(Vec<Match<T>>),
    All(Vec<Match<T>>),
}

impl<T: Ord> Match<T> {
    pub(crate) fn has(&self, value: &T) -> bool {
        match self {
            Match::In(set) => set.contains(value),
            Match::Not(inner) => !inner.has(value),
            Match::Any(inner) => inner.iter().any(|m| m.has(value)),
            Match::All(inner) => inner.iter().all(|m| m.has(value)),
        }
    }
}

/// A predicate over a set of places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaceTest {
    /// Every place must match, not just some: what `only` asks, and what an exception always asks.
    pub(crate) every: bool,
    pub(crate) place: Match<Jurisdiction>,
}

/// Who a rule may name as recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PartyName {
    /// The organisation of the policy itself.
    Exporter,
    /// The person the record speaks of.
    Oneself,
    /// Someone the policy does not know.
    Unknown,
    Registered(RecipientId),
}

/// When a rule speaks.
#[derive(Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// Settled when the policy was compiled: a switch, a flag of the exporter.
    Settled(bool),
    From(PlaceTest),
    To(PlaceTest),
    Origin(PlaceTest),
    /// Another record of the message has such an origin.
    JoinedWith(PlaceTest),
    /// Some place the data goes to lies outside the area of the record's home.
    Away(bool),
    Data(Match<Category>),
    /// The record holds a category like this, besides the one judged.
    With(Match<Category>),
    Form(Match<Form>),
    Purpose(Match<Purpose>),
    Recipient(Match<PartyName>),
    Role(Match<Role>),
    Listed(Match<String>),
    OwnedFrom(Match<Jurisdiction>),
    Age(Match<AgeBand>),
    Direction(Match<Direction>),
    Api(Match<ApiId>),
    CallerRole(Match<String>),
    LegalBasis(Match<LegalBasis>),
    Volume(VolumeTest),
    Consent(ConsentNeed),
    Instrument(InstrumentNeed),
    /// An instrument of this kind with this recipient is on file, but none covers this transfer.
    Exceeded(InstrumentNeed),
    /// The assessment in force says this.
    Assessed {
        kinds: BTreeSet<String>,
        result: AssessmentResult,
    },
    Exemption(BTreeSet<String>),
}

/// A figure of the volume counters after this message. An unknown figure is neither: it opens no exemption and proves no excess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VolumeTest {
    pub(crate) counter: String,
    pub(crate) below: Option<u64>,
    pub(crate) at_least: Option<u64>,
}

/// What a rule requires.
#[derive(Debug)]
pub(crate) enum Need {
    Consent(ConsentNeed),
    Instrument(InstrumentNeed),
    Assessment(BTreeSet<String>),
    Exemption(BTreeSet<String>),
    Deidentify(Techniques),
    Guardian,
    Agreement,
    /// One of these groups, whole.
    AnyOf(Vec<Vec<Need>>),
}

/// A consent record that would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsentNeed {
    pub(crate) classes: BTreeSet<ConsentClass>,
    pub(crate) elements: BTreeSet<Element>,
    /// Digest of the notice that is in force, where the policy pins one.
    pub(crate) digest: Option<String>,
}

impl ConsentNeed {
    /// Any consent that covers the scope, however it was asked for; only a guardian's speaks for someone else.
    pub(crate) fn of_any_class() -> ConsentNeed {
        let classes = ConsentClass::ALL.iter().copied().filter(|class| *class != ConsentClass::Guardian).collect();
        ConsentNeed { classes, elements: BTreeSet::new(), digest: None }
    }
}

/// An instrument that would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstrumentNeed {
    pub(crate) kinds: BTreeSet<String>,
    pub(crate) ids: BTreeSet<BasisId>,
    pub(crate) modules: BTreeSet<u8>,
}

/// How each category is de-identified; `other` is the rest, none leaves the rest as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Techniques {
    pub(crate) of: BTreeMap<Category, Technique>,
    pub(crate) other: Option<Technique>,
}

impl Techniques {
    pub(crate) fn for_category(&self, category: Category) -> Option<Technique> {
        self.of.get(&category).copied().or(self.other)
    }
}

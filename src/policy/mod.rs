//! Rules to verdicts: a decision is a pure function of facts and policy that explains itself.
//!
//! [`Library::compile`] reads policies and regimes once; [`decide`] then answers for every message without IO, clock or chance.
//! Rules have no order: all that match are heard, the strictest wins, obligations add up. Only `residency:` is first match.

mod action;
mod compile;
mod decide;
mod diagnostic;
mod evaluate;
pub mod explain;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod laws;
mod lower;
mod matching;
mod need;
mod route;
mod rule;
pub mod scenarios;
mod schema;
mod shape;
mod validate;
mod world;

pub use action::edited;
pub use decide::decide;
pub use diagnostic::{Diagnostic, Severity};
pub use rule::{Cite, Confidence, Exporter, LegalBasis, Recipient, Role, Rule, SelfAccess, Titles};

use crate::model::data::closed;
use crate::model::decision::PolicyStamp;
use crate::model::facts::Terms;
use crate::model::{Category, Jurisdiction, Places, PolicyId, Purpose, RecipientId, RegimeId, Regions, RuleId};
use jiff::Timestamp;
use rule::{Exemptions, Regime, Residency, Techniques};
use std::collections::{BTreeMap, BTreeSet};

/// One YAML file.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// File name, for messages.
    pub name: &'a str,
    pub text: &'a str,
}

/// Everything compiled: areas, taxonomy, regimes, and every version of every policy.
#[derive(Debug)]
pub struct Library {
    places: Places,
    /// Versions of each policy, by `effective`, oldest first.
    policies: BTreeMap<PolicyId, Vec<Policy>>,
}

impl Library {
    /// Compiles policies over the built-in regimes, jurisdictions and taxonomy; a source of the same id replaces a built-in one.
    ///
    /// # Errors
    /// Every mistake found, in all files, with its place. With `Ok` come the warnings.
    pub fn compile(sources: &[Source<'_>]) -> Result<(Library, Vec<Diagnostic>), Vec<Diagnostic>> {
        compile::compile(sources)
    }

    /// The version that governs at `now`: the latest whose `effective` is not after it.
    pub fn policy(&self, id: &PolicyId, now: Timestamp) -> Option<&Policy> {
        self.policies.get(id)?.iter().rev().find(|policy| policy.effective <= now)
    }

    /// Every version of a policy, oldest first.
    pub fn versions(&self, id: &PolicyId) -> &[Policy] {
        self.policies.get(id).map_or(&[], Vec::as_slice)
    }

    /// Areas and groups of jurisdictions.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Ids of all policies.
    pub fn ids(&self) -> impl Iterator<Item = &PolicyId> {
        self.policies.keys()
    }
}

/// One version of one organisation's policy, compiled together with the regimes it is subject to.
#[derive(Debug)]
pub struct Policy {
    stamp: PolicyStamp,
    title: Option<String>,
    effective: Timestamp,
    exporter: Exporter,
    self_access: SelfAccess,
    caller_by_geo: bool,
    recipients: BTreeMap<RecipientId, Recipient>,
    residency: Vec<Residency>,
    rules: Vec<Rule>,
    regimes: Vec<Regime>,
    /// On what ground each purpose is pursued.
    purposes: BTreeMap<Purpose, LegalBasis>,
    exemptions: Exemptions,
    /// What `otherwise: deidentify` does to a category.
    deidentify: Techniques,
    /// Categories that say nothing about a person by themselves.
    impersonal: BTreeSet<Category>,
    regions: Regions,
    scenarios: Vec<scenarios::Scenario>,
}

impl Policy {
    /// Id, version and digest, as every decision carries them.
    pub fn stamp(&self) -> &PolicyStamp {
        &self.stamp
    }

    /// When this version begins to govern.
    pub fn effective(&self) -> Timestamp {
        self.effective
    }

    /// What the document it renders is called.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The organisation whose promises these are.
    pub fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// The registered parties data may be given to.
    pub fn recipients(&self) -> &BTreeMap<RecipientId, Recipient> {
        &self.recipients
    }

    /// The policy's own map of regions, for tests and explanations.
    pub fn regions(&self) -> &Regions {
        &self.regions
    }

    /// The tests that stand in the policy.
    pub fn scenarios(&self) -> &[scenarios::Scenario] {
        &self.scenarios
    }

    /// Ids of the regimes on top of which it stands, each with its area.
    pub fn regimes(&self) -> impl Iterator<Item = (&RegimeId, &str)> {
        self.regimes.iter().map(|regime| (&regime.id, regime.area.as_str()))
    }

    /// The policy's own rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Every rule a decision can name, of the policy and of its regimes; residency rules and built-in rules are not among them.
    pub fn all_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain(self.regimes.iter().flat_map(|regime| regime.rules.iter()))
    }

    /// Whether `place` lies in the area of a regime this policy is subject to.
    fn governs(&self, place: Jurisdiction) -> bool {
        self.regimes.iter().any(|regime| regime.members.contains(&place))
    }
}

/// What facts are decided against: all of it is part of the snapshot, none of it of the message.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    pub policy: &'a Policy,
    pub places: &'a Places,
    pub regions: &'a Regions,
    pub terms: &'a Terms,
}

closed! {
    /// The rules no file writes: they stand in decisions beside the rules of policies, under these ids.
    Builtin, "built-in rule" {
        /// Carrying a record to its home, when its whole set of jurisdictions lies in the home's area.
        Home = "home",
        /// Records of the node's area come back to a caller there.
        Returns = "returns",
        /// The message crosses no border and reaches no other party.
        Stays = "stays",
        /// Nothing personal was found and nothing was unreadable.
        NothingPersonal = "nothing_personal",
        /// The record's law is none this policy knows.
        NoRegime = "no_regime",
        /// No residency rule matches the record.
        NoHome = "no_home",
        /// No home is lawful.
        Conflict = "conflict",
        /// Records of one message live in different regions and none of them is the caller's or the node's.
        MixedHomes = "mixed_homes",
        /// The API has no backend where the message would have to go.
        NoBackend = "no_backend",
        /// A person reads their own data.
        SelfAccess = "self_access",
        /// Something in the message could not be read, and it does not stay.
        Opaque = "opaque",
        /// A store the decision leans on is down, and the message does not stay.
        Unavailable = "unavailable",
        /// The recipient is not registered in the policy.
        UnknownRecipient = "unknown_recipient",
        /// Nobody said from where the recipient reads.
        UnknownAccess = "unknown_access",
        /// The request arrived at a node outside the person's area and the API does not carry it home.
        Arrival = "arrival",
    }
}

impl Builtin {
    /// The id as decisions carry it.
    pub fn rule(self) -> RuleId {
        RuleId::known(self.id())
    }
}

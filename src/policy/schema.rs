//! The YAML shapes of policies, regimes, jurisdictions and taxonomy, exactly as written: strict, with places for messages.

use super::rule::{Confidence, Exporter, LegalBasis, Mode, Recipient, SelfAccess, Titles};
use super::scenarios::Scenario;
use super::shape::{At, OneOrMany, Raw};
use crate::model::basis::{AssessmentResult, ConsentClass, Element};
use crate::model::facts::Otherwise;
use crate::model::{BasisId, Category, Jurisdiction, Outcome, PolicyId, Purpose, RecipientId, RegimeId, Regions, RuleId, Technique};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One organisation's policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyFile {
    pub(crate) policy: At<PolicyId>,
    pub(crate) version: String,
    pub(crate) effective: At<Timestamp>,
    #[serde(default)]
    pub(crate) source: Document,
    pub(crate) exporter: Exporter,
    #[serde(default)]
    pub(crate) regimes: Vec<At<RegimeId>>,
    #[serde(default = "allow")]
    pub(crate) self_access: SelfAccess,
    /// Whether a client address may place a caller in the node's area.
    #[serde(default = "yes")]
    pub(crate) caller_by_geo: bool,
    /// Whom the service is for: `children` makes an unknown age a child's.
    #[serde(default)]
    pub(crate) audience: Audience,
    #[serde(default)]
    pub(crate) recipients: BTreeMap<RecipientId, Recipient>,
    #[serde(default)]
    pub(crate) raise: BTreeSet<Category>,
    #[serde(default)]
    pub(crate) purposes: BTreeMap<Purpose, PurposeEntry>,
    #[serde(default)]
    pub(crate) switches: BTreeMap<String, At<String>>,
    #[serde(default)]
    pub(crate) exemptions: BTreeMap<String, At<ExemptionEntry>>,
    #[serde(default)]
    pub(crate) notices: BTreeMap<String, NoticeEntry>,
    #[serde(default)]
    pub(crate) conditions: BTreeMap<String, At<RawCondition>>,
    #[serde(default)]
    pub(crate) deidentify: Option<BTreeMap<String, At<Technique>>>,
    #[serde(default)]
    pub(crate) residency: Vec<RawResidency>,
    #[serde(default)]
    pub(crate) rules: Vec<RawRule>,
    #[serde(default)]
    pub(crate) regions: Regions,
    #[serde(default)]
    pub(crate) scenarios: Vec<Scenario>,
}

/// A law as a rule pack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegimeFile {
    pub(crate) regime: At<RegimeId>,
    /// Which law, for readers.
    #[serde(rename = "title")]
    pub(crate) _title: Titles,
    /// The area whose data it governs: an area, a group or a jurisdiction.
    pub(crate) area: At<String>,
    /// The day its authors last looked.
    #[serde(rename = "as_of")]
    pub(crate) _as_of: String,
    /// What happens to a category no row speaks of. Nothing but `block` is safe, so nothing else is a value.
    pub(crate) default: At<String>,
    /// Every switch with its values, the first being the default.
    #[serde(default)]
    pub(crate) switches: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) exemptions: BTreeMap<String, At<ExemptionEntry>>,
    #[serde(default)]
    pub(crate) notices: BTreeMap<String, NoticeEntry>,
    #[serde(default)]
    pub(crate) conditions: BTreeMap<String, At<RawCondition>>,
    pub(crate) rules: Vec<RawRule>,
}

/// Areas and groups of jurisdictions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JurisdictionsFile {
    #[serde(rename = "as_of")]
    pub(crate) _as_of: String,
    pub(crate) areas: BTreeMap<String, BTreeSet<Jurisdiction>>,
    #[serde(default)]
    pub(crate) groups: BTreeMap<String, GroupEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupEntry {
    pub(crate) members: BTreeSet<Jurisdiction>,
    #[serde(default, rename = "note")]
    pub(crate) _note: Option<String>,
}

/// The taxonomy: every leaf with its group and flags.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaxonomyFile {
    #[serde(rename = "as_of")]
    pub(crate) _as_of: String,
    pub(crate) leaves: BTreeMap<Category, Leaf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaf {
    pub(crate) group: String,
    #[serde(default, rename = "dpv")]
    pub(crate) _dpv: Vec<String>,
    /// `S` sensitive, `s` sensitive by the older list only (treated as sensitive), `N` ordinary, `X` not personal alone.
    pub(crate) cn: CnFlag,
    /// `9` special category, `10` criminal data, `c` depends on use (treated as special only where a policy raises it), `-` none.
    pub(crate) art9: Art9Flag,
    /// Letters of 28 CFR 202.234 and category words of the US bulk-data rule.
    #[serde(default, rename = "doj")]
    pub(crate) _doj: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum CnFlag {
    S,
    #[serde(rename = "s")]
    Older,
    N,
    X,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Art9Flag {
    #[serde(rename = "9")]
    Special,
    #[serde(rename = "10")]
    Criminal,
    #[serde(rename = "c")]
    ByUse,
    #[serde(rename = "-")]
    None,
}

/// What kind of file this is, told from its first-level keys alone.
#[derive(Debug, Deserialize)]
pub(crate) struct Probe {
    pub(crate) policy: Option<serde::de::IgnoredAny>,
    pub(crate) regime: Option<serde::de::IgnoredAny>,
    pub(crate) areas: Option<serde::de::IgnoredAny>,
    pub(crate) leaves: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Document {
    pub(crate) title: Option<String>,
    pub(crate) document: Option<String>,
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Audience {
    #[default]
    General,
    Children,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurposeEntry {
    pub(crate) legal_basis: LegalBasis,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExemptionEntry {
    /// Whether it opens a border. Exemptions lift consent inside the region; none is read as opening a border unless it says so.
    #[serde(default)]
    pub(crate) cross_border: bool,
}

/// What a notice must have told, and which text is in force.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticeEntry {
    pub(crate) elements: BTreeSet<Element>,
    #[serde(default)]
    pub(crate) digest: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawResidency {
    pub(crate) id: At<RuleId>,
    #[serde(default)]
    pub(crate) when: ResidencyWhen,
    /// A region, `chosen` or `none`.
    pub(crate) home: At<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ResidencyWhen {
    pub(crate) origin: Option<Raw>,
    pub(crate) purpose: Option<Raw>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    pub(crate) id: At<RuleId>,
    #[serde(default)]
    pub(crate) title: Titles,
    #[serde(default)]
    pub(crate) cite: super::rule::Cite,
    #[serde(default = "checked")]
    pub(crate) confidence: Confidence,
    #[serde(default = "enforce")]
    pub(crate) mode: Mode,
    #[serde(default)]
    pub(crate) when: At<RawCondition>,
    #[serde(default)]
    pub(crate) unless: OneOrMany<RawCondition>,
    #[serde(default)]
    pub(crate) require: At<RawNeeds>,
    #[serde(default)]
    pub(crate) outcome: Option<Outcome>,
    #[serde(default)]
    pub(crate) obligations: BTreeSet<String>,
    #[serde(default)]
    pub(crate) otherwise: Option<Otherwise>,
    /// The author knows that de-identified data stays personal data; silences the warning.
    #[serde(default)]
    pub(crate) acknowledged: bool,
}

/// A condition: all of its keys must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawCondition {
    /// Conditions of the file's `conditions:` by name; all must hold.
    pub(crate) is: OneOrMany<String>,
    pub(crate) from: Option<Raw>,
    pub(crate) to: Option<Raw>,
    pub(crate) origin: Option<Raw>,
    pub(crate) joined_with: Option<Raw>,
    pub(crate) away: Option<bool>,
    pub(crate) data: Option<Raw>,
    #[serde(rename = "with")]
    pub(crate) with_data: Option<Raw>,
    pub(crate) form: Option<Raw>,
    pub(crate) purpose: Option<Raw>,
    pub(crate) recipient: Option<Raw>,
    pub(crate) role: Option<Raw>,
    pub(crate) listed: Option<Raw>,
    pub(crate) owned_from: Option<Raw>,
    pub(crate) age: Option<Raw>,
    pub(crate) direction: Option<Raw>,
    pub(crate) api: Option<Raw>,
    pub(crate) caller_role: Option<Raw>,
    pub(crate) legal_basis: Option<Raw>,
    pub(crate) exporter: Option<Raw>,
    pub(crate) switch: BTreeMap<String, At<String>>,
    pub(crate) volume: Option<RawVolume>,
    pub(crate) consent: Option<RawConsent>,
    pub(crate) instrument: Option<RawInstrument>,
    pub(crate) exceeded: Option<RawInstrument>,
    pub(crate) assessed: Option<RawAssessed>,
    pub(crate) exemption: OneOrMany<String>,
    pub(crate) not: Option<Box<At<RawCondition>>>,
    pub(crate) any_of: Vec<At<RawCondition>>,
    pub(crate) all_of: Vec<At<RawCondition>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawVolume {
    pub(crate) counter: String,
    #[serde(default)]
    pub(crate) below: Option<u64>,
    #[serde(default)]
    pub(crate) at_least: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawConsent {
    pub(crate) class: OneOrMany<ConsentClass>,
    /// A notice of the file's `notices:`.
    #[serde(default)]
    pub(crate) notice: Option<At<String>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawInstrument {
    #[serde(default, rename = "type")]
    pub(crate) kind: OneOrMany<String>,
    #[serde(default)]
    pub(crate) id: OneOrMany<BasisId>,
    #[serde(default)]
    pub(crate) module: OneOrMany<u8>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAssessed {
    #[serde(rename = "type")]
    pub(crate) kind: OneOrMany<String>,
    pub(crate) result: AssessmentResult,
}

/// What a rule requires; all of its keys must be met.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawNeeds {
    pub(crate) consent: Option<RawConsent>,
    pub(crate) instrument: Option<RawInstrument>,
    pub(crate) assessment: OneOrMany<String>,
    pub(crate) exemption: OneOrMany<String>,
    pub(crate) deidentify: Option<BTreeMap<String, At<Technique>>>,
    pub(crate) guardian: bool,
    pub(crate) agreement: bool,
    pub(crate) any_of: Vec<At<RawNeeds>>,
}

fn allow() -> SelfAccess {
    SelfAccess::Allow
}

fn yes() -> bool {
    true
}

fn checked() -> Confidence {
    Confidence::Checked
}

fn enforce() -> Mode {
    Mode::Enforce
}

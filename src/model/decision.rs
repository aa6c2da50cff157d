//! What was decided, why, and what would have made it lawful.

use super::basis::{ConsentClass, Element};
use super::data::{Category, closed};
use super::name::{BasisId, PolicyId, Purpose, RecipientId, RuleId, SubjectRef};
use super::place::Region;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

closed! {
    /// The eight verdicts, from strictest to loosest; `Ord` follows: the smaller is the stricter.
    Outcome, "outcome" {
        Block = "block",
        LocalOnly = "local_only",
        Hold = "hold",
        NeedsSeparateConsent = "needs_separate_consent",
        NeedsInstrument = "needs_instrument",
        NeedsDeidentification = "needs_deidentification",
        AllowWith = "allow_with",
        Allow = "allow",
    }
}

impl Outcome {
    /// Whether data may move under this verdict.
    pub fn allows(self) -> bool {
        matches!(self, Outcome::Allow | Outcome::AllowWith)
    }
}

closed! {
    /// What happens on the wire.
    Action, "action" {
        Forward = "forward",
        ForwardHome = "forward_home",
        ForwardEdited = "forward_edited",
        Refuse = "refuse",
    }
}

closed! {
    /// How a value is de-identified, or restored.
    Technique, "technique" {
        Drop = "drop",
        Mask = "mask",
        Generalise = "generalise",
        Pseudonym = "pseudonym",
        Token = "token",
        /// The reverse of `token`, at home only.
        Restore = "restore",
    }
}

/// One thing whose absence stands in the way; `missing[]` lists all of them at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// `consent`, `instrument`, `assessment`, `exemption`, `agreement`, `deidentification`, `home`, `guardian` …
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ConsentClass>,
    /// Types any one of which would do (`eu_scc`, `pipia` …).
    #[serde(default, rename = "type", skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<Category>,
    /// What the nearest record on file lacks: notice elements, or the scope field that is wrong.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub elements: BTreeSet<Element>,
    /// Scope fields in which the nearest record differs: `recipient`, `purpose`, `categories`, `destination`, `access`, `dates`, `class`, `notice_digest`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub scope: BTreeSet<String>,
}

/// The verdict on one category of one record, with the rules that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryVerdict {
    pub outcome: Outcome,
    pub rules: BTreeSet<RuleId>,
}

/// The verdict on one record: the strictest of its categories'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordVerdict {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
    pub outcome: Outcome,
    /// Where this record's data must live; none: nowhere on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<Region>,
    pub categories: BTreeMap<Category, CategoryVerdict>,
}

/// What `apply` must do to one record before the message may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum RecordPlan {
    /// Take the whole record out of the message.
    Remove,
    /// Edit these categories, each by its technique.
    Fields { techniques: BTreeMap<Category, Technique> },
}

/// The policy a decision was made under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStamp {
    pub id: PolicyId,
    pub version: String,
    /// `sha256:<hex>` over the policy, the regimes, jurisdictions and taxonomy it was compiled with.
    pub digest: String,
}

/// Verdicts, action and reasons. The same facts under the same policy give the same decision, whenever and wherever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub outcome: Outcome,
    pub action: Action,
    /// Where the message goes; none when refused.
    pub destination: Option<Region>,
    /// Rules that produced the outcome.
    pub rules: BTreeSet<RuleId>,
    pub missing: Vec<Missing>,
    pub obligations: BTreeSet<String>,
    /// Consents, instruments, assessments and exemptions the decision leans on.
    pub bases: BTreeSet<BasisId>,
    /// Pairs of rules that contradict each other; the message is blocked.
    #[serde(default)]
    pub conflicts: Vec<(RuleId, RuleId)>,
    /// Rules in shadow mode that would have refused.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shadow: BTreeSet<RuleId>,
    pub records: Vec<RecordVerdict>,
    /// Edits to make, by index of the record.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plan: BTreeMap<usize, RecordPlan>,
    /// The message crosses no area border and reaches no registered party but the exporter.
    pub stays: bool,
    /// It must be in the ledger before a byte moves.
    pub recorded: bool,
    pub policy: PolicyStamp,
    /// `sha256:<hex>` of the facts in canonical JSON.
    pub facts: String,
}

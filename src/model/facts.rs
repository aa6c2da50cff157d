//! The only thing a decision can read. If it is not a field here, it cannot influence a decision.

use super::basis::Bases;
use super::data::{AgeBand, Category, Form, OpaqueReason, closed};
use super::name::{ApiId, Purpose, RecipientId, SubjectRef};
use super::place::{Jurisdiction, Region};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

closed! {
    /// Which way a message goes.
    Direction, "direction" {
        Request = "request",
        Response = "response",
    }
}

closed! {
    /// How the gateway came to know the caller, from the strongest evidence to none.
    KnownBy, "way of knowing a caller" {
        Claim = "claim",
        TrustedHop = "trusted_hop",
        Certificate = "certificate",
        Address = "address",
        Nothing = "nothing",
    }
}

closed! {
    /// A store a decision leans on.
    Store, "store" {
        Registry = "registry",
        Ledger = "ledger",
    }
}

/// Where the node, or the backend that answered, stands. `jurisdiction` is none when the region is unknown: the strict reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    pub region: Region,
    pub jurisdiction: Option<Jurisdiction>,
}

/// Who sent the request and reads the response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerFacts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<Jurisdiction>,
    /// The caller's own home where it is known: breaks ties between records of different homes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Region>,
    #[serde(default = "nothing")]
    pub known_by: KnownBy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

fn nothing() -> KnownBy {
    KnownBy::Nothing
}

impl Default for CallerFacts {
    fn default() -> Self {
        CallerFacts { subject: None, jurisdiction: None, home: None, known_by: KnownBy::Nothing, role: None }
    }
}

/// The part of a message that speaks of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordFacts {
    /// None: unresolved; no consent can match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
    /// Whose law: the set of `design.md` §2.
    pub jurisdictions: BTreeSet<Jurisdiction>,
    /// The region on record for this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Region>,
    pub age_band: AgeBand,
    pub categories: BTreeMap<Category, Form>,
    /// The record speaks of the caller: in a response its recipient is `self`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub of_caller: bool,
}

/// Distinct persons exported so far, by counter (`cn.pi`, `cn.spi`). A counter that is absent is unknown.
pub type Volume = BTreeMap<String, u64>;

/// Facts of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub now: Timestamp,
    /// Where this node stands; none when unknown.
    #[serde(default)]
    pub node: Option<Site>,
    pub direction: Direction,
    #[serde(default)]
    pub api: Option<ApiId>,
    #[serde(default)]
    pub caller: CallerFacts,
    /// The registered party this API hands data to; none: the exporter itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    pub purpose: Purpose,
    /// The region the caller or the API's pin asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressed: Option<Region>,
    /// The region whose backend answered; responses only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<Site>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub opaque: BTreeSet<OpaqueReason>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unavailable: BTreeSet<Store>,
    pub records: Vec<RecordFacts>,
    #[serde(default)]
    pub bases: Bases,
    #[serde(default)]
    pub volume: Volume,
}

closed! {
    /// What an API or a rule falls back to when a transfer is not allowed.
    Otherwise, "fallback" {
        Home = "home",
        Refuse = "refuse",
        Deidentify = "deidentify",
    }
}

closed! {
    /// What happens to one unlawful field of a record.
    UnlawfulField, "treatment of an unlawful field" {
        Whole = "whole",
        Drop = "drop",
        Tokenise = "tokenise",
    }
}

closed! {
    /// What happens to one unlawful record of several.
    UnlawfulRecord, "treatment of an unlawful record" {
        Whole = "whole",
        Drop = "drop",
        Tokenise = "tokenise",
        Split = "split",
    }
}

closed! {
    /// What follows when a message arrives at a node outside the person's area.
    Arrival, "treatment of an arrival" {
        Home = "home",
        Refuse = "refuse",
        Redirect = "redirect",
    }
}

/// What an API's configuration says to the decision. Part of the snapshot, not of the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Regions in which this API has a backend, in the order of the configuration.
    pub backends: Vec<Region>,
    /// The region every request of this API goes to, if the API says so.
    pub pinned: Option<Region>,
    pub people_of: BTreeSet<Jurisdiction>,
    pub otherwise: Otherwise,
    pub unlawful_field: UnlawfulField,
    pub unlawful_record: UnlawfulRecord,
    pub arrival: Arrival,
    /// Whether a client address may place a caller in the node's area.
    pub caller_by_geo: bool,
}

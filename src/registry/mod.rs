//! Everything a decision leans on besides the message: subjects, homes, consents, instruments, assessments, exemptions.
//!
//! **Withdrawal.** Nothing decided after a withdrawal is acknowledged may be allowed, whichever process it was handed to. Each
//! look-up is therefore a *lease*: it is answered from an index that is known to hold every change committed before some instant,
//! and [`Known::good_until`] is [`LEASE`] after that instant. The caller decides before `good_until` or looks up again. Whoever
//! writes a change that may close a border (a gateway's own API, or the command line on the same file) commits it, waits until
//! every lease given before has run out, and only then acknowledges. No message between processes is needed, and an index that
//! falls behind stops answering instead of answering from the past.

mod change;
mod embedded;
mod index;
mod key;
mod order;
mod store;
mod subject;

pub use embedded::{Embedded, Options};
pub use key::RegistryKey;
pub use order::{ConsentOrder, EndOrder, Ending, HomeOrder, InvalidOrder, Named, ORDER_BYTES_MAX, Order, id_of, subject_of};
pub use store::{Store, head_in};
pub use subject::{ID_BYTES_MAX, InvalidSubject, SubjectKey};

use crate::model::basis::{Assessment, Bases, Consent, Element, Exemption, Instrument};
use crate::model::data::closed;
use crate::model::{AgeBand, BasisId, Head, Jurisdiction, RecipientId, Region, SubjectRef};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

/// How long a look-up may be decided on: many times what a decision takes, and short enough to wait for a withdrawal.
pub const LEASE: Duration = Duration::from_millis(500);

/// What is on record about one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubjectRow {
    pub subject: SubjectRef,
    /// The region chosen for this person, if one was.
    pub home: Option<Region>,
    pub jurisdictions: BTreeSet<Jurisdiction>,
    pub age_band: AgeBand,
}

/// One batched look-up.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub subjects: Vec<SubjectKey>,
    /// None: instruments, assessments and exemptions of every recipient.
    pub recipient: Option<RecipientId>,
}

/// The answer to a [`Query`].
#[derive(Debug, Clone)]
pub struct Known {
    /// One per subject of the query, in its order; none for a person who is not on record.
    pub subjects: Vec<Option<SubjectRow>>,
    /// Every consent of those subjects in whatever state, and every instrument, assessment and exemption that names the recipient.
    pub bases: Bases,
    /// The instant by which the decision must have been made; later the answer is stale and must be asked for again.
    pub good_until: Instant,
}

/// The store cannot answer now. The text is for the operator, never for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the registry is unavailable: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

/// Why a write was not made. All but `Unavailable` are for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// The order contradicts itself or what it refers to.
    Invalid(String),
    /// The id or alias is taken by something else.
    Conflict(String),
    /// No record has this id.
    NotFound(String),
    /// Nothing was acknowledged; the write may or may not have been made.
    Unavailable(Unavailable),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Invalid(text) | WriteError::Conflict(text) | WriteError::NotFound(text) => f.write_str(text),
            WriteError::Unavailable(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for WriteError {}

closed! {
    /// What a write did. Also the `change` of its ledger entry.
    Change, "registry change" {
        HomeSet = "home_set",
        /// A person moved from one region on record to another: a recorded transfer.
        HomeChange = "home_change",
        ConsentAdded = "consent_added",
        ConsentWithdrawn = "consent_withdrawn",
        InstrumentAdded = "instrument_added",
        InstrumentEnded = "instrument_ended",
        AssessmentAdded = "assessment_added",
        ExemptionAdded = "exemption_added",
        ExemptionEnded = "exemption_ended",
    }
}

/// What a write did: the answer to whoever asked, the history of the registry, and the `registry` entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Number in the registry's history, from 1.
    pub event: u64,
    pub time: Timestamp,
    pub change: Change,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<BasisId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    /// Where the record stands now: `given`, `withdrawn`, `in_force`, `insufficient` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What an insufficient consent lacks.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<Element>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Region>,
    /// The region on record before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_home: Option<Region>,
    /// The record already stood so: nothing was written, and `event` is that of the write that did it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

impl Written {
    /// Whether a border may have closed, so that leases given before must run out before this is acknowledged.
    pub fn may_close(&self) -> bool {
        match self.change {
            // The same home may come with other jurisdictions or a younger age; a first home ends nothing that was on record.
            Change::HomeSet => self.old_home.is_some(),
            // Moving home redirects what is on its way; a new assessment may contradict an older one.
            Change::HomeChange | Change::AssessmentAdded => true,
            Change::ConsentWithdrawn | Change::InstrumentEnded | Change::ExemptionEnded => true,
            Change::ConsentAdded | Change::InstrumentAdded | Change::ExemptionAdded => false,
        }
    }
}

closed! {
    /// The four kinds of record that have an id.
    RecordKind, "kind of record" {
        Consent = "consent",
        Instrument = "instrument",
        Assessment = "assessment",
        Exemption = "exemption",
    }
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Record {
    Consent(Box<Consent>),
    Instrument(Box<Instrument>),
    Assessment(Box<Assessment>),
    Exemption(Box<Exemption>),
}

/// A record with what was done to it, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// As in [`Written::status`].
    pub status: String,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<Element>,
    pub record: Record,
    pub history: Vec<Written>,
}

/// A page of records: those whose id comes after `after`, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub after: Option<BasisId>,
    /// At most [`PAGE_RECORDS_MAX`] are given.
    pub limit: usize,
    /// Only those about this person.
    pub subject: Option<SubjectRef>,
    /// Only those that name this recipient.
    pub recipient: Option<RecipientId>,
}

/// Longest page, in records: a megabyte or so of JSON.
pub const PAGE_RECORDS_MAX: usize = 1_000;

/// The store of one jurisdiction.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Everything on record that could matter to one message. Answers within a second, or is unavailable.
    async fn look_up(&self, query: &Query) -> Result<Known, Unavailable>;

    /// Whether the store answered when it was last asked; recovers by itself.
    fn healthy(&self) -> bool;

    /// Makes a change. When this returns it is durable, and no decision made from then on overlooks it.
    async fn write(&self, order: Order, now: Timestamp) -> Result<Written, WriteError>;

    /// What is on record about a person, with the history of their home, oldest first.
    async fn show_subject(&self, key: &SubjectKey) -> Result<Option<(SubjectRow, Vec<Written>)>, Unavailable>;

    /// One record with its history.
    async fn show(&self, kind: RecordKind, id: &BasisId) -> Result<Option<Shown>, Unavailable>;

    /// A page of records of one kind.
    async fn list(&self, kind: RecordKind, page: &Page) -> Result<Vec<Record>, Unavailable>;

    /// Changes, by whichever process, that are not yet in the ledger, oldest first. Append each as a `registry` entry, then
    /// call [`Registry::mark_journalled`]: at least once each, in order.
    async fn unjournalled(&self, limit: usize) -> Result<Vec<Written>, Unavailable>;

    /// Everything up to this event is in the ledger.
    async fn mark_journalled(&self, event: u64) -> Result<(), Unavailable>;

    /// The head of the journal that was last kept here.
    async fn head(&self) -> Result<Option<Head>, Unavailable>;
}

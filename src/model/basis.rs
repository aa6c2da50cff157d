//! What may open a border: consents, instruments, assessments, exemptions, as the registry keeps them.
//!
//! Field names follow `ISO/IEC TS 27560:2023` where it has one, shortened; PIPL and GDPR additions are marked.
//! Every record has a `subject` or a `recipient` it is about and the exact scope it opens; nothing is matched by resemblance.

use super::data::{Category, closed};
use super::name::{BasisId, Purpose, RecipientId, SubjectRef};
use super::place::Jurisdiction;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

closed! {
    /// How consent was asked for. Order says nothing: a rule names the classes that satisfy it.
    ConsentClass, "consent class" {
        General = "general",
        Separate = "separate",
        Written = "written",
        Explicit = "explicit",
        Guardian = "guardian",
    }
}

closed! {
    /// Where a consent stands. Only `given` and `renewed`, inside their dates, open a route.
    ConsentState, "consent state" {
        Requested = "requested",
        Given = "given",
        Renewed = "renewed",
        Refused = "refused",
        Withdrawn = "withdrawn",
        Revoked = "revoked",
        Expired = "expired",
        Invalidated = "invalidated",
        Unknown = "unknown",
    }
}

closed! {
    /// Where an instrument stands. Only `in_force` (and `filed` where filing is a condition) opens a route.
    InstrumentStatus, "instrument status" {
        Draft = "draft",
        Signed = "signed",
        Filed = "filed",
        InForce = "in_force",
        Suspended = "suspended",
        Expired = "expired",
        Terminated = "terminated",
    }
}

closed! {
    /// What an assessment found.
    AssessmentResult, "assessment result" {
        Positive = "positive",
        /// Positive only if the data is pseudonymised with a key that stays with the exporter (EDPB 01/2020 use case 2).
        NeedsDeidentification = "needs_deidentification",
        Negative = "negative",
    }
}

closed! {
    /// One thing a notice must have told the person for consent to count (PIPL 39 and 30, GDPR 49(1)(a), seed policies).
    Element, "notice element" {
        RecipientName = "recipient_name",
        RecipientContact = "recipient_contact",
        Purpose = "purpose",
        Method = "method",
        Categories = "categories",
        RightsProcedure = "rights_procedure",
        Necessity = "necessity",
        Risks = "risks",
        SecurityCapability = "security_capability",
        Withdrawal = "withdrawal_method",
        Retention = "retention",
        Notice = "notice",
        /// Where the data goes.
        Destinations = "destinations",
        /// Asked apart from other matters (PIPL 14, GDPR 7(2)).
        PresentedSeparately = "presented_separately",
        /// No box was ticked beforehand (GDPR 4(11), recital 32).
        NotPreticked = "not_preticked",
        /// Who answered for a minor, and how that was verified (PIPL 31, GDPR 8).
        Guardian = "guardian",
    }
}

/// A text the person was shown, by address, digest (`sha256:<hex>`) and version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notice {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The recipient as the notice named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedRecipient {
    pub id: RecipientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// Who answered for a minor, and how that was verified (PIPL 31, GDPR 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardian {
    pub party: SubjectRef,
    pub verification: String,
}

/// One person's consent to one recipient, for exact purposes, categories and places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    pub id: BasisId,
    pub subject: SubjectRef,
    pub class: ConsentClass,
    #[serde(default = "given")]
    pub state: ConsentState,
    /// None for consent to processing as such (for example a guardian's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<NamedRecipient>,
    #[serde(default)]
    pub purposes: BTreeSet<Purpose>,
    #[serde(default)]
    pub categories: BTreeSet<Category>,
    /// Where the recipient stores.
    #[serde(default)]
    pub destinations: BTreeSet<Jurisdiction>,
    /// From where the recipient reads; empty means: from the destinations only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub access: BTreeSet<Jurisdiction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default)]
    pub notice: Notice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights_procedure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal_method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<String>,
    /// Digest of the text on the recipient's ability to keep data safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_capability: Option<String>,
    /// Digest of the text on the risks of the transfer (GDPR 49(1)(a)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risks: Option<String>,
    /// Digest of the text on necessity and impact (PIPL 30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub necessity: Option<String>,
    /// Asked apart from other matters; without it a consent is never separate (PIPL 14, GDPR 7(2)).
    #[serde(default)]
    pub presented_separately: bool,
    /// A box ticked beforehand is no consent (GDPR 4(11), recital 32).
    #[serde(default)]
    pub preticked: bool,
    pub given_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<Guardian>,
}

fn given() -> ConsentState {
    ConsentState::Given
}

impl Consent {
    /// Whether it stands at `now`: given or renewed, begun, not expired, not ended.
    pub fn stands(&self, now: Timestamp) -> bool {
        matches!(self.state, ConsentState::Given | ConsentState::Renewed)
            && self.given_at <= now
            && self.expires_at.is_none_or(|end| now < end)
            && self.ended_at.is_none_or(|end| now < end)
    }

    /// Whether the record shows that the person was told `element`.
    pub fn tells(&self, element: Element) -> bool {
        let said = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
        match element {
            Element::RecipientName => self.recipient.as_ref().is_some_and(|r| said(&r.name)),
            Element::RecipientContact => self.recipient.as_ref().is_some_and(|r| said(&r.contact)),
            Element::Purpose => !self.purposes.is_empty(),
            Element::Method => said(&self.method),
            Element::Categories => !self.categories.is_empty(),
            Element::RightsProcedure => said(&self.rights_procedure),
            Element::Necessity => said(&self.necessity),
            Element::Risks => said(&self.risks),
            Element::SecurityCapability => said(&self.security_capability),
            Element::Withdrawal => said(&self.withdrawal_method),
            Element::Retention => said(&self.retention),
            Element::Notice => said(&self.notice.digest),
            Element::Destinations => !self.destinations.is_empty(),
            Element::PresentedSeparately => self.presented_separately,
            Element::NotPreticked => !self.preticked,
            Element::Guardian => self.guardian.as_ref().is_some_and(|g| !g.verification.trim().is_empty()),
        }
    }

    /// What a consent of this class must show at the least, whatever the policy, and this record does not.
    /// With anything in it the record is *insufficient*: kept as evidence, it opens nothing. A policy may demand more.
    pub fn deficiencies(&self) -> BTreeSet<Element> {
        let distinct = matches!(self.class, ConsentClass::Separate | ConsentClass::Written | ConsentClass::Explicit);
        let of_class: &[Element] = match self.class {
            ConsentClass::General => &[],
            ConsentClass::Guardian => &[Element::Guardian],
            // GDPR 49(1)(a): informed of the possible risks of the transfer.
            ConsentClass::Explicit => &[Element::PresentedSeparately, Element::Notice, Element::Withdrawal, Element::Risks],
            ConsentClass::Separate | ConsentClass::Written => &[Element::PresentedSeparately, Element::Notice, Element::Withdrawal],
        };
        // PIPL 39: name and contact of the recipient, purpose, method, categories, and how to exercise rights against it.
        let of_transfer: &[Element] = if distinct && self.recipient.is_some() {
            &[Element::RecipientName, Element::RecipientContact, Element::Method, Element::Categories, Element::RightsProcedure, Element::Destinations]
        } else {
            &[]
        };
        let of_all = [Element::Purpose, Element::NotPreticked];
        of_all.iter().chain(of_class).chain(of_transfer).copied().filter(|e| !self.tells(*e)).collect()
    }
}

/// A contract, approval, certificate or filing between an exporter and a recipient (`law.md` vocabulary: `eu_scc`, `cn_standard_contract` …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    pub id: BasisId,
    /// `eu_scc`, `cn_standard_contract`, `agreement` … an id of the vocabulary, lower-case with underscores.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exporter: Option<String>,
    pub recipient: RecipientId,
    /// SCC module 1 to 4, where the type has modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<u8>,
    #[serde(default)]
    pub purposes: BTreeSet<Purpose>,
    #[serde(default)]
    pub categories: BTreeSet<Category>,
    #[serde(default)]
    pub from: BTreeSet<Jurisdiction>,
    #[serde(default)]
    pub destinations: BTreeSet<Jurisdiction>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub access: BTreeSet<Jurisdiction>,
    pub status: InstrumentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filing_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<BasisId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_digest: Option<String>,
}

impl Instrument {
    /// Whether it is in force at `now`, by status and dates.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.status == InstrumentStatus::InForce && self.effective_at.is_none_or(|begin| begin <= now) && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A PIPIA, TIA, TRA or CTIA: what was assessed, when, with what result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    pub id: BasisId,
    /// `pipia`, `tia`, `tra`, `ctia`.
    #[serde(rename = "type")]
    pub kind: String,
    pub recipient: RecipientId,
    #[serde(default)]
    pub purposes: BTreeSet<Purpose>,
    #[serde(default)]
    pub categories: BTreeSet<Category>,
    #[serde(default)]
    pub destinations: BTreeSet<Jurisdiction>,
    pub date: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    pub result: AssessmentResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_digest: Option<String>,
}

/// An entry of the register of necessity; never free text from a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    pub id: BasisId,
    /// `contract_at_request`, `hr`, `vital_interest_consent_impracticable` … as the policy lists them.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    #[serde(default)]
    pub purposes: BTreeSet<Purpose>,
    #[serde(default)]
    pub categories: BTreeSet<Category>,
    #[serde(default)]
    pub destinations: BTreeSet<Jurisdiction>,
    /// The case, contract or rule it cites.
    pub reference: String,
    pub effective_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Everything on record that could make this message lawful: for its subjects, and to its recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bases {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instruments: Vec<Instrument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<Assessment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<Exemption>,
}

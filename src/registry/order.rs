//! What a write asks for: parsed from JSON and checked before any store sees it.

use super::subject::SubjectKey;
use crate::model::basis::{Assessment, Consent, Exemption, Instrument};
use crate::model::{AgeBand, BasisId, Jurisdiction, Region, SubjectRef};
use std::collections::BTreeSet;

/// A person, by an identifier or by the reference the registry gave them.
#[derive(Debug, Clone)]
pub enum Named {
    Key(SubjectKey),
    Ref(SubjectRef),
}

/// One change.
#[derive(Debug, Clone)]
pub enum Order {
    Home(HomeOrder),
    Consent(Box<ConsentOrder>),
    Instrument(Box<Instrument>),
    Assessment(Box<Assessment>),
    Exemption(Box<Exemption>),
    End(EndOrder),
}

/// `{"namespace":"account","id":"…","home":"eu-frankfurt","jurisdictions":["DE"],"age_band":"adult","aliases":[{"namespace","id"}]}`
#[derive(Debug, Clone)]
pub struct HomeOrder {
    pub subject: SubjectKey,
    pub home: Region,
    /// None leaves what is on record.
    pub jurisdictions: Option<BTreeSet<Jurisdiction>>,
    /// None leaves what is on record.
    pub age_band: Option<AgeBand>,
    /// Other identifiers of the same person.
    pub aliases: Vec<SubjectKey>,
}

/// A consent whose person may still be named by an identifier; `consent.subject` counts for nothing until that is resolved.
#[derive(Debug, Clone)]
pub struct ConsentOrder {
    pub subject: Named,
    pub consent: Consent,
}

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A consent is withdrawn (PIPL 15, GDPR 7(3)).
    Consent,
    /// An instrument is terminated.
    Instrument,
    /// An exemption ceases.
    Exemption,
}

/// `{"id":"…"}`
#[derive(Debug, Clone)]
pub struct EndOrder {
    pub what: Ending,
    pub id: BasisId,
}

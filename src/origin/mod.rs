//! Where a message comes from: who calls, and whose law a record is under.

mod network;

pub use network::{Hops, InvalidNetwork, Network};

use crate::model::Namespace;

/// What a bearer token must say, and which claims are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// The one issuer that is believed.
    pub issuer: String,
    /// The audience that must be named.
    pub audience: String,
    /// Claim with the subject's id.
    pub subject: String,
    /// What kind of identifier it is.
    pub namespace: Namespace,
    /// Claim with the person's jurisdiction.
    pub jurisdiction: Option<String>,
    /// Claim with the person's home region.
    pub home: Option<String>,
    /// Claim with the age band.
    pub age_band: Option<String>,
    /// Claim with the role.
    pub role: Option<String>,
}

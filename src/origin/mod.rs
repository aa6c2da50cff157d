//! Where a message comes from: who calls, and whose law a record is under.

mod caller;
mod claims;
mod geo;
mod jurisdictions;
mod network;

pub use caller::{Arrived, Caller, Claim, Claims, Sources, named_subject};
pub use claims::{ClaimNames, Identity, InvalidClaim};
pub use geo::{Geo, InvalidGeo};
pub use jurisdictions::{Evidence, Registered, jurisdictions};
pub use network::{Hops, InvalidNetwork, Network};

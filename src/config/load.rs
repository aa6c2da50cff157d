//! What the configuration refers to, fetched: key set, country database, keys. The only part of it that reads other files.

use super::{Config, GeoSource};
use crate::origin::{Geo, Identity, Sources};

impl Config {
    /// Everything that can tell who calls. `Err` says which reference cannot be used, and why.
    pub fn sources(&self) -> Result<Sources, String> {
        let identity = self.jwt.as_ref().map(|jwt| Identity::new(&jwt.jwks.read()?, jwt.claims.clone()).map_err(|e| format!("{}: {e}", jwt.jwks)));
        let geo = match &self.geo {
            GeoSource::Builtin => Geo::builtin().map_err(|e| e.to_string())?,
            GeoSource::File(path) => {
                let bytes = std::fs::read(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
                Geo::from_bytes(bytes).map_err(|e| format!("`{}`: {e}", path.display()))?
            }
        };
        let loopback_at = self.node.loopback_as_node.then_some(self.node.jurisdiction);
        Ok(Sources { identity: identity.transpose()?, hops: self.hops.clone(), geo, loopback_at })
    }
}

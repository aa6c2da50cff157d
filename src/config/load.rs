//! What the configuration refers to, fetched: key set, country database, keys. The only part of it that reads other files.

use super::{Config, GeoSource};
use crate::deidentify::Keys;
use crate::origin::{Geo, Identity, Sources};
use zeroize::Zeroizing;

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

    /// The de-identification keys, all of this node's jurisdiction.
    pub fn deidentification_keys(&self) -> Result<Keys, String> {
        self.keys.iter().try_fold(Keys::default(), |keys, key| {
            let digits = key.from.read()?;
            let secret = Zeroizing::new(hex::decode(digits.as_bytes()).map_err(|_| format!("{} is not written in hexadecimal digits", key.from))?);
            keys.with(&key.id, self.node.jurisdiction, &secret).map_err(|e| format!("{}: {e}", key.from))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config(folder: &Path, more: &str) -> Config {
        let text = format!(
            "node: {{id: n, region: cn-north, loopback_as: node}}\nlisten: [{{http: \"127.0.0.1:0\"}}]\nregions: {{cn-north: {{jurisdiction: CN}}}}\n\
             apis: [{{id: a, match: {{path: /}}, policy: p, purpose: q, backends: {{cn-north: [\"http://127.0.0.1:1\"]}}}}]\n{more}\n"
        );
        Config::parse(&text, &folder.join("domicile.yaml")).unwrap()
    }

    #[test]
    fn keys_are_those_of_the_nodes_jurisdiction() {
        let folder = tempfile::tempdir().unwrap();
        let with = |content: &str| {
            std::fs::write(folder.path().join("k"), content).unwrap();
            config(folder.path(), "keys: [{id: cn-1, from: \"file:k\"}]").deidentification_keys()
        };
        let keys = with(&format!("{}\n", "0f".repeat(32))).unwrap();
        assert_eq!(keys.jurisdiction("cn-1").unwrap().as_str(), "CN");
        assert!(with(&"0f".repeat(31)).unwrap_err().contains("at least 32 bytes"));
        let wrong = with("correct horse battery staple").unwrap_err();
        assert!(wrong.contains("hexadecimal") && !wrong.contains("horse"), "{wrong}");
        assert!(config(folder.path(), "").deidentification_keys().unwrap().is_empty());
    }

    #[test]
    fn sources_are_the_builtin_database_unless_the_file_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let sources = config(folder.path(), "").sources().unwrap();
        assert_eq!(sources.loopback_at.unwrap().as_str(), "CN");
        assert!(sources.identity.is_none());
        assert!(config(folder.path(), "geo: nowhere.mmdb").sources().unwrap_err().contains("nowhere.mmdb"));
        let jwt = "identity: {jwt: {jwks: \"file:jwks.json\", issuer: i, audience: a}}";
        assert!(config(folder.path(), jwt).sources().unwrap_err().contains("jwks.json"));
        std::fs::write(folder.path().join("jwks.json"), "{}").unwrap();
        assert!(config(folder.path(), jwt).sources().unwrap_err().contains("no JSON Web Key Set"));
    }
}

//! Who vouches for callers: an Ed25519 key made at the start, its public half as a key set, and tokens signed with it.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

/// What tokens say they are from and for.
pub(super) const ISSUER: &str = "https://id.demo.example";
pub(super) const AUDIENCE: &str = "domicile-demo";
const KEY_ID: &str = "demo";
/// Seconds that a token lasts: a day to try things out.
const LIFETIME_SECONDS: i64 = 24 * 60 * 60;
/// A PKCS #8 private key of Ed25519 (RFC 8410 §7), up to the 32 bytes of the key itself.
const PKCS8_HEAD: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The issuer of the demo. Its private key is never written down.
pub(super) struct Issuer(EncodingKey);

impl Issuer {
    pub(super) fn new() -> Issuer {
        let secret: [u8; 32] = rand::random();
        Issuer(EncodingKey::from_ed_der(&[PKCS8_HEAD.as_slice(), &secret].concat()))
    }

    /// The public half as a JSON Web Key Set.
    pub(super) fn jwks(&self) -> Result<String, String> {
        let mut key = Jwk::from_encoding_key(&self.0, Algorithm::EdDSA).map_err(|e| format!("cannot make the key set: {e}"))?;
        key.common.key_id = Some(KEY_ID.to_owned());
        Ok(json!({ "keys": [key] }).to_string())
    }

    /// A token with these claims besides issuer, audience and end.
    pub(super) fn token(&self, claims: &[(&str, &str)]) -> Result<String, String> {
        let mut all = Map::from_iter(claims.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        all.insert("iss".to_owned(), ISSUER.into());
        all.insert("aud".to_owned(), AUDIENCE.into());
        all.insert("exp".to_owned(), (jiff::Timestamp::now().as_second() + LIFETIME_SECONDS).into());
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &all, &self.0).map_err(|e| format!("cannot sign a token: {e}"))
    }
}

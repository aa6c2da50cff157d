//! An issuer of bearer tokens with a key of its own.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// What tokens say they are from and for.
pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "domicile-test";
const KEY_ID: &str = "test";
/// How long a token lives, in seconds.
const LIFETIME: i64 = 600;

/// One issuer.
pub struct Jwt {
    key: EncodingKey,
}

impl Jwt {
    /// A fresh Ed25519 key in PKCS #8 (RFC 8410 §7).
    pub fn new() -> Self {
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend(rand::random::<[u8; 32]>());
        Jwt { key: EncodingKey::from_ed_der(&der) }
    }

    /// The public half, as a JSON Web Key Set.
    pub fn jwks(&self) -> String {
        let mut key = Jwk::from_encoding_key(&self.key, Algorithm::EdDSA).unwrap();
        key.common.key_id = Some(KEY_ID.into());
        json!({ "keys": [key] }).to_string()
    }

    /// The `identity` of a configuration that believes this issuer; the set lies beside it in `jwks.json`.
    pub fn config() -> String {
        format!(
            "{{jwt: {{jwks: \"file:jwks.json\", issuer: \"{ISSUER}\", audience: {AUDIENCE}, subject: sub, namespace: account, jurisdiction: country, home: region, age_band: age, role: role}}}}"
        )
    }

    /// A token with these claims besides issuer, audience and end; null takes one of them out.
    pub fn token(&self, claims: Value) -> String {
        let mut all = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": jiff::Timestamp::now().as_second() + LIFETIME});
        let members = all.as_object_mut().unwrap();
        members.extend(claims.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        let header = Header { kid: Some(KEY_ID.into()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &all, &self.key).unwrap()
    }

    /// The value of `Authorization` for a user of this account in this jurisdiction.
    pub fn bearer(&self, account: &str, country: &str) -> String {
        format!("Bearer {}", self.token(json!({"sub": account, "country": country})))
    }
}

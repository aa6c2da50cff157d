//! Bearer tokens, verified: signature by the operator's key set, issuer, audience and dates. Nothing unverified is ever read as a claim.

use super::Claims;
use crate::model::Namespace;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// Clocks of issuers differ by seconds; a minute is what common verifiers allow.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// Longest token that is looked at, in bytes: some key sets sign large claims, none sign novels.
const TOKEN_BYTES_MAX: usize = 16 << 10;

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

/// Verifies bearer tokens.
#[derive(Clone)]
pub struct Identity {
    names: ClaimNames,
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// Why a token or a trusted hop's header is not believed. Never its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidClaim(pub(super) String);

impl fmt::Display for InvalidClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidClaim {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, {} keys)", self.names.issuer, self.keys.len())
    }
}

impl Identity {
    /// From a JSON Web Key Set (RFC 7517). Keys for other uses are passed over; a secret key in the set is an error, for the set is no secret.
    pub fn new(jwks: &str, names: ClaimNames) -> Result<Identity, String> {
        let set: JwkSet = serde_json::from_str(jwks).map_err(|e| format!("no JSON Web Key Set: {e}"))?;
        let mut keys = Vec::new();
        for jwk in &set.keys {
            if matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
                return Err("the key set has a symmetric key: whoever can verify with it can sign with it".to_owned());
            }
            let algorithms = algorithms(jwk);
            if !algorithms.is_empty() {
                let decoding = DecodingKey::from_jwk(jwk).map_err(|e| format!("a key of the set cannot be used: {e}"))?;
                keys.push(Key { id: jwk.common.key_id.clone(), algorithms, decoding });
            }
        }
        if keys.is_empty() { Err("the key set has no key for RS256, PS256, ES256 or EdDSA".to_owned()) } else { Ok(Identity { names, keys }) }
    }

    /// The claims of a token that holds at `now`.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, InvalidClaim> {
        let invalid = |what: &str| InvalidClaim(what.to_owned());
        if token.len() > TOKEN_BYTES_MAX {
            return Err(invalid("the token is too long"));
        }
        let head = jsonwebtoken::decode_header(token).map_err(|_| invalid("no token of RFC 7519"))?;
        let fits = |key: &&Key| key.algorithms.contains(&head.alg) && (head.kid.is_none() || key.id.is_none() || key.id == head.kid);
        let claims = self.keys.iter().filter(fits).find_map(|key| signed(token, key, head.alg)).ok_or_else(|| invalid("the signature is of no known key"))?;
        self.check(&claims, now)?;
        self.read(&claims)
    }

    /// Issuer, audience and dates, RFC 7519 §4.1. An end is demanded: a token for ever cannot be taken back.
    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), InvalidClaim> {
        let invalid = |what: &str| Err(InvalidClaim(what.to_owned()));
        let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
        let named = |value: &Value| value.as_str() == Some(&self.names.audience);
        let audience = claims.get("aud").is_some_and(|aud| named(aud) || aud.as_array().is_some_and(|all| all.iter().any(named)));
        let (early, late) = (now.as_second().saturating_sub(CLOCK_SKEW_SECONDS) as f64, now.as_second().saturating_add(CLOCK_SKEW_SECONDS) as f64);
        match (seconds("exp"), claims.get("nbf"), seconds("nbf")) {
            _ if claims.get("iss").and_then(Value::as_str) != Some(&self.names.issuer) => invalid("the token is of another issuer"),
            _ if !audience => invalid("the token is for another audience"),
            (None, ..) => invalid("the token has no end"),
            (Some(end), ..) if end <= early => invalid("the token has expired"),
            (_, Some(_), None) => invalid("the token's beginning is no date"),
            (_, _, Some(begin)) if begin > late => invalid("the token is not valid yet"),
            _ => Ok(()),
        }
    }

    /// A claim that is there and cannot be read makes the token invalid: taking it for unknown would let weaker evidence speak.
    fn read(&self, claims: &Map<String, Value>) -> Result<Claims, InvalidClaim> {
        let text = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(InvalidClaim(format!("the claim `{name}` is no text"))),
        };
        let named = |name: &Option<String>| name.as_deref().map_or(Ok(None), text);
        Ok(Claims {
            subject: text(&self.names.subject)?.filter(|id| !id.is_empty()).map(|id| (self.names.namespace.clone(), id.to_owned())),
            jurisdiction: parsed(named(&self.names.jurisdiction)?, "jurisdiction")?,
            home: parsed(named(&self.names.home)?, "home region")?,
            age_band: parsed(named(&self.names.age_band)?, "age band")?,
            role: named(&self.names.role)?.map(str::to_owned),
        })
    }
}

/// The value of a claim. The error does not repeat it: it is about a person.
pub(super) fn parsed<T: FromStr>(text: Option<&str>, what: &str) -> Result<Option<T>, InvalidClaim> {
    text.map(|t| t.parse().map_err(|_| InvalidClaim(format!("what is said about the {what} cannot be read")))).transpose()
}

/// The claims, if this key signed them. Dates are ours to check, against the clock of the decision.
fn signed(token: &str, key: &Key, algorithm: Algorithm) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    jsonwebtoken::decode(token, &key.decoding, &validation).ok().map(|data| data.claims)
}

/// What a key may verify: its own type's algorithms, or the one it is made for. Never a symmetric one, never `none`.
fn algorithms(jwk: &Jwk) -> Vec<Algorithm> {
    let of_type: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => &[],
    };
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == jsonwebtoken::jwk::PublicKeyUse::Signature);
    let meant = |algorithm: &&Algorithm| match jwk.common.key_algorithm {
        None => true,
        Some(KeyAlgorithm::RS256) => **algorithm == Algorithm::RS256,
        Some(KeyAlgorithm::PS256) => **algorithm == Algorithm::PS256,
        Some(KeyAlgorithm::ES256) => **algorithm == Algorithm::ES256,
        Some(KeyAlgorithm::EdDSA) => **algorithm == Algorithm::EdDSA,
        Some(_) => false,
    };
    of_type.iter().filter(|_| signs).filter(meant).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    // Made once with a key that is gone: only its public half and two signatures remain.
    const N: &str = "4veHa1jHDIrfWhgePqMY6lA64g6wLiL4_o3jVBMQGX9l0GAGibFZkglOM6RHydj_PlW_Ttcm5nDzFwODds4SAvc7JUPuY7EuLuBmdpYGOT8BVLgfIEeYD00B5AHqXE-\
                8PSk_32XVGlEh5EQnCuSGp6K0aVjVsvQ7DUR-\
                vjvVFmqbtC_tWfUWyfSRdm9pVIbHkgdXDr3eU41AakfHwFStM7YZ6HFYP0wAA_C_kvZXmDS3V0qqeqGCHKZg1nVMxDpDuL9APElc1IU4TwGJhmEOFN56uM-\
                Xl8H6fQCkpKnIqhUQmoAvdXSouIksbIw7oQF8khy4iy9ZrNwvFJ1Newiy-w";
    const RS256: &str = "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInJzYSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgImF1ZCI6ICJzaG9wIiwgInN1YiI6ICJ1LTEiLCAiZXhwIjogMTgwMDAwMDAwMH0.AbX1D\
                fqz8MdHQguIyciZnNPu_aeW4ZsHeXqQyf1iLOA7RfJJBMf2q-kGIsdi_tZSRf5i3pBWi8sr5zgLzvwDWGirWg4vHuipAHI5cdWPkH2BnqmXjzNrKaUyPant-UgKsw-gX6ckfzf0swTvLoATOhoLcx1\
                tR98Zo9JEb2Rsu6m280AgE-\
                6n5Qt5p2GvqLPMH_TucFCCUx9fPGuw7GE5efTxIAxRdyUlb7F90UQi2UapLJXqyxargUzPvpV6hP1VBGsS9dQOTaQk96pXpVcOfNGah4zjvdooC_MXEFw1G7QHJ1J0Tbopy9FR2UaICx6XSEq6CT0g\
                9fRshXlL3CIZtg";
    const PS256: &str = "eyJhbGciOiAiUFMyNTYiLCAia2lkIjogInJzYSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgImF1ZCI6ICJzaG9wIiwgInN1YiI6ICJ1LTEiLCAiZXhwIjogMTgwMDAwMDAwMH0.s4t2W\
                NAKq0LQSmeHaaqX03zTy9x6o5-_QW0P1PyXiRJQyG1gjxRyz0avT3v39CQWXJWhACgnd_nZAEuPkWQiU-nMTUhAKXUnv7kTAL8pxIOB5ZBZsh28jJd4S0LAB_WfzZtY4fVtPGfmQ_-Hirmk7LoKClJ\
                dBkNlKoMN1Y2uZ5SIrfoQJk82T7rryRR7T57hjNhL7MfGizEX_9gTtAXDZbFiJJuzpCNJ94k9NdRuaDkwa06abBJO25N8U_F6UgXFbthSqJwa8kOOvakpubxCKkAaJZ6mksDt8x7PwSPnnHt9myrF-\
                AISjecWG9gxcLjDfLL21g3Sszh_yzkPAtctzA";

    const NOW: i64 = 1_700_000_000;

    fn names() -> ClaimNames {
        let claim = |name: &str| Some(name.to_owned());
        ClaimNames {
            issuer: "https://id.example".into(),
            audience: "shop".into(),
            subject: "sub".into(),
            namespace: "account".parse().unwrap(),
            jurisdiction: claim("country"),
            home: claim("region"),
            age_band: claim("age"),
            role: claim("role"),
        }
    }

    /// A PKCS #8 Ed25519 key (RFC 8410 §7) of 32 equal bytes.
    fn ed25519(byte: u8) -> EncodingKey {
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend([byte; 32]);
        EncodingKey::from_ed_der(&der)
    }

    fn es256() -> EncodingKey {
        EncodingKey::from_ec_pem(rcgen::KeyPair::generate().unwrap().serialize_pem().as_bytes()).unwrap()
    }

    fn public(key: &EncodingKey, algorithm: Algorithm, id: &str) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
        jwk.common.key_id = Some(id.into());
        jwk
    }

    fn identity(keys: &[Jwk]) -> Identity {
        Identity::new(&json!({ "keys": keys }).to_string(), names()).unwrap()
    }

    fn sign(key: &EncodingKey, algorithm: Algorithm, id: &str, claims: &Value) -> String {
        let header = Header { kid: Some(id.into()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, claims, key).unwrap()
    }

    fn claims(change: Value) -> Value {
        let mut all = json!({"iss": "https://id.example", "aud": "shop", "exp": NOW + 600, "sub": "u-1"});
        all.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        all
    }

    fn verified(change: Value) -> Result<Claims, InvalidClaim> {
        let key = ed25519(1);
        let token = sign(&key, Algorithm::EdDSA, "a", &claims(change));
        identity(&[public(&key, Algorithm::EdDSA, "a")]).verify(&token, Timestamp::from_second(NOW).unwrap())
    }

    fn refused(change: Value) -> String {
        verified(change).unwrap_err().to_string()
    }

    #[test]
    fn a_verified_token_says_who_calls() {
        let claims = verified(json!({"country": "CN", "region": "cn-north", "age": "14_15", "role": "support"})).unwrap();
        assert_eq!(claims.subject.unwrap(), ("account".parse().unwrap(), "u-1".to_owned()));
        assert_eq!((claims.jurisdiction, claims.home), ("CN".parse().ok(), "cn-north".parse().ok()));
        assert_eq!((claims.age_band, claims.role.as_deref()), ("14_15".parse().ok(), Some("support")));
        assert_eq!(verified(json!({"aud": ["other", "shop"], "sub": null})).unwrap().subject, None);
    }

    #[test]
    fn each_allowed_algorithm_verifies() {
        let rsa = json!({"keys": [{"kty": "RSA", "kid": "rsa", "n": N, "e": "AQAB"}]}).to_string();
        let rsa = Identity::new(&rsa, names()).unwrap();
        let now = Timestamp::from_second(NOW).unwrap();
        assert!(rsa.verify(RS256, now).is_ok());
        assert!(rsa.verify(PS256, now).is_ok());
        let key = es256();
        assert!(identity(&[public(&key, Algorithm::ES256, "e")]).verify(&sign(&key, Algorithm::ES256, "e", &claims(json!({}))), now).is_ok());
    }

    #[test]
    fn a_key_made_for_one_algorithm_verifies_no_other() {
        let rsa = json!({"keys": [{"kty": "RSA", "kid": "rsa", "alg": "PS256", "n": N, "e": "AQAB"}]}).to_string();
        let rsa = Identity::new(&rsa, names()).unwrap();
        assert!(rsa.verify(PS256, Timestamp::from_second(NOW).unwrap()).is_ok());
        assert!(rsa.verify(RS256, Timestamp::from_second(NOW).unwrap()).is_err());
    }

    #[test]
    fn issuer_and_audience_are_exact() {
        assert!(refused(json!({"iss": "https://id.example/"})).contains("issuer"));
        assert!(refused(json!({"iss": null})).contains("issuer"));
        assert!(refused(json!({"aud": "shop2"})).contains("audience"));
        assert!(refused(json!({"aud": null})).contains("audience"));
    }

    #[test]
    fn dates_count_against_the_instant_of_the_decision() {
        assert!(refused(json!({"exp": NOW - CLOCK_SKEW_SECONDS})).contains("expired"));
        assert!(verified(json!({"exp": NOW - CLOCK_SKEW_SECONDS + 1})).is_ok());
        assert!(refused(json!({"exp": null})).contains("no end"));
        assert!(refused(json!({"exp": "never"})).contains("no end"));
        assert!(refused(json!({"nbf": NOW + CLOCK_SKEW_SECONDS + 1})).contains("not valid yet"));
        assert!(refused(json!({"nbf": "soon"})).contains("no date"));
        assert!(verified(json!({"nbf": NOW + CLOCK_SKEW_SECONDS})).is_ok());
    }

    #[test]
    fn a_claim_that_cannot_be_read_is_not_taken_for_unknown() {
        for bad in [json!({"country": "China"}), json!({"country": 86}), json!({"age": "old"}), json!({"region": "a b"}), json!({"sub": 7})] {
            assert!(verified(bad.clone()).is_err(), "{bad}");
        }
        assert!(!refused(json!({"country": "Zhongguo"})).contains("Zhongguo"));
    }

    #[test]
    fn a_token_of_an_unknown_key_or_without_signature_is_refused() {
        let (ours, theirs) = (ed25519(1), ed25519(2));
        let identity = identity(&[public(&ours, Algorithm::EdDSA, "a")]);
        let now = Timestamp::from_second(NOW).unwrap();
        let unsigned = "eyJhbGciOiJub25lIn0.e30.";
        for token in [
            sign(&theirs, Algorithm::EdDSA, "a", &claims(json!({}))),
            sign(&ours, Algorithm::EdDSA, "b", &claims(json!({}))),
            unsigned.into(),
            "".into(),
            "a.b".into(),
            "x".repeat(20_000),
        ] {
            assert!(identity.verify(&token, now).is_err(), "{token}");
        }
    }

    #[test]
    fn a_public_key_is_never_taken_for_a_shared_secret() {
        let ours = ed25519(1);
        let jwk = public(&ours, Algorithm::EdDSA, "a");
        let AlgorithmParameters::OctetKeyPair(pair) = &jwk.algorithm else { panic!("no Ed25519 key") };
        for secret in [pair.x.as_bytes().to_vec(), base64_url(&pair.x)] {
            let forged = sign(&EncodingKey::from_secret(&secret), Algorithm::HS256, "a", &claims(json!({})));
            assert!(identity(std::slice::from_ref(&jwk)).verify(&forged, Timestamp::from_second(NOW).unwrap()).is_err());
        }
    }

    fn base64_url(text: &str) -> Vec<u8> {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn a_key_set_without_a_usable_key_or_with_a_secret_one_is_refused() {
        let bad = |set: Value| Identity::new(&set.to_string(), names()).unwrap_err();
        assert!(bad(json!({"keys": []})).contains("no key for"));
        assert!(bad(json!({"keys": [{"kty": "RSA", "use": "enc", "n": N, "e": "AQAB"}]})).contains("no key for"));
        assert!(bad(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})).contains("symmetric"));
        assert!(Identity::new("no json", names()).is_err());
    }
}

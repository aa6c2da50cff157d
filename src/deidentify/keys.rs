//! De-identification keys: one secret per version, from which every use derives a key of its own.

use crate::model::Jurisdiction;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Shortest secret, in bytes: the strength of the keys derived from it (RFC 5869 adds none).
const SECRET_BYTES_MIN: usize = 32;
/// Longest key id, in bytes: its length is one byte of every token, and it is repeated in each.
const ID_BYTES_MAX: usize = 32;

/// The keys of a node, all of its own jurisdiction. The first makes new tokens and pseudonyms, all of them restore.
#[derive(Clone, Default)]
pub struct Keys(Vec<Key>);

/// One version.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) jurisdiction: Jurisdiction,
    /// For HMAC-SHA256.
    pub(super) pseudonym: Zeroizing<[u8; 32]>,
    /// For AES-256-SIV: one half authenticates, the other encrypts.
    pub(super) token: Zeroizing<[u8; 64]>,
}

/// A key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidKey {
    /// Shorter than 32 bytes.
    Short,
    /// The id is empty, longer than 32 bytes, or of other characters than letters, digits, `-` and `_`.
    Id,
    /// The id is taken.
    Repeated,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidKey::Short => write!(f, "a key has at least {SECRET_BYTES_MIN} bytes: make one with `openssl rand -hex 32`"),
            InvalidKey::Id => write!(f, "the id of a key has 1 to {ID_BYTES_MAX} letters, digits, `-` or `_`"),
            InvalidKey::Repeated => f.write_str("two keys have the same id"),
        }
    }
}

impl std::error::Error for InvalidKey {}

impl Keys {
    /// These keys and, last, one more, made from a secret.
    pub fn with(mut self, id: &str, jurisdiction: Jurisdiction, secret: &[u8]) -> Result<Keys, InvalidKey> {
        let sound = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !sound {
            return Err(InvalidKey::Id);
        }
        if self.find(id).is_some() {
            return Err(InvalidKey::Repeated);
        }
        if secret.len() < SECRET_BYTES_MIN {
            return Err(InvalidKey::Short);
        }
        self.0.push(Key { id: id.to_owned(), jurisdiction, pseudonym: derive(secret, b"domicile pseudonym 1")?, token: derive(secret, b"domicile token 1")? });
        Ok(self)
    }

    /// Whether nothing can be tokenised here.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a key belongs; none if this node does not hold it.
    pub fn jurisdiction(&self, id: &str) -> Option<Jurisdiction> {
        self.find(id).map(|key| key.jurisdiction)
    }

    pub(super) fn current(&self) -> Option<&Key> {
        self.0.first()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

/// HKDF (RFC 5869); `use_` keeps keys for different uses apart.
fn derive<const N: usize>(secret: &[u8], use_: &[u8]) -> Result<Zeroizing<[u8; N]>, InvalidKey> {
    let mut key = Zeroizing::new([0; N]);
    // Fails only beyond 255 blocks of 32 bytes.
    Hkdf::<Sha256>::new(None, secret).expand(use_, key.as_mut_slice()).map_err(|_| InvalidKey::Short)?;
    Ok(key)
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| format_args!("{}@{}", key.id, key.jurisdiction).to_string())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cn() -> Jurisdiction {
        "CN".parse().unwrap()
    }

    #[test]
    fn a_key_is_long_enough_and_has_a_name_of_its_own() {
        let keys = Keys::default().with("a", cn(), &[1; 32]).unwrap();
        assert_eq!(keys.clone().with("a", cn(), &[2; 32]).unwrap_err(), InvalidKey::Repeated);
        assert_eq!(keys.clone().with("b", cn(), &[2; 31]).unwrap_err(), InvalidKey::Short);
        for id in ["", "a.b", "钥", &"x".repeat(33)] {
            assert_eq!(keys.clone().with(id, cn(), &[2; 32]).unwrap_err(), InvalidKey::Id);
        }
        assert_eq!((keys.jurisdiction("a"), keys.jurisdiction("b"), keys.current().map(|key| key.id.as_str())), (Some(cn()), None, Some("a")));
    }

    #[test]
    fn every_use_has_a_key_of_its_own() {
        let keys = Keys::default().with("a", cn(), &[1; 32]).unwrap();
        let key = keys.current().unwrap();
        assert_ne!(key.pseudonym.as_slice(), &key.token[..32]);
        assert_ne!(&key.token[..32], &key.token[32..]);
        assert_ne!(key.pseudonym.as_slice(), &[1; 32]);
    }

    #[test]
    fn printing_keys_shows_no_key() {
        let keys = Keys::default().with("cn-1", cn(), &[1; 32]).unwrap();
        assert_eq!(format!("{keys:?}"), r#"["cn-1@CN"]"#);
    }
}

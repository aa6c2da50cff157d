//! Who a person is in the registry: an identifier in canonical form, and a random reference.

use crate::model::{Namespace, SubjectRef};
use serde::{Deserialize, Deserializer};
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Longest identifier of a person, in bytes of its canonical form: an email address has at most 254 (RFC 5321 §4.5.3.1).
pub const ID_BYTES_MAX: usize = 256;

/// Fewest and most digits of an E.164 number (ITU-T E.164 §6; no country has numbers under 7 with its code).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Why an identifier names nobody. Never shows the identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSubject(&'static str);

impl fmt::Display for InvalidSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidSubject {}

/// A person's identifier in its namespace, in canonical form. Prints as dots; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey {
    namespace: Namespace,
    id: Zeroizing<String>,
}

impl SubjectKey {
    /// Brings `id` into the canonical form of its namespace: phones to E.164 (a mainland mobile number gets its +86), email addresses and
    /// resident ids to one letter case; others are taken as they are, but for white space around them.
    pub fn new(namespace: Namespace, id: &str) -> Result<Self, InvalidSubject> {
        // Full-width digits and letters are the same identifier (Unicode NFKC).
        let plain: Zeroizing<String> = Zeroizing::new(id.trim().nfkc().collect());
        if plain.is_empty() || plain.len() > ID_BYTES_MAX || plain.chars().any(char::is_control) {
            return Err(InvalidSubject("the id of a subject is empty, too long, or has control characters: give 1 to 256 bytes of text"));
        }
        let id = match namespace.as_str() {
            "phone" => phone(&plain)?,
            "email" => email(&plain)?,
            "cn_resident_id" => resident_id(&plain)?,
            _ => plain,
        };
        Ok(SubjectKey { namespace, id })
    }

    /// The identifier in canonical form.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The kind of identifier.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({} ***)", self.namespace)
    }
}

impl<'de> Deserialize<'de> for SubjectKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            namespace: Namespace,
            id: String,
        }
        let raw = Raw::deserialize(deserializer)?;
        SubjectKey::new(raw.namespace, &Zeroizing::new(raw.id)).map_err(serde::de::Error::custom)
    }
}

fn phone(text: &str) -> Result<Zeroizing<String>, InvalidSubject> {
    let wrong = InvalidSubject("the phone number has no country code: write it as E.164, such as +8613800138000");
    let dense: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect());
    let digits = match (dense.strip_prefix('+').or_else(|| dense.strip_prefix("00")), dense.as_bytes()) {
        (Some(digits), _) => Zeroizing::new(digits.to_owned()),
        // Eleven digits from 13 to 19: a mobile number of mainland China as it is written there.
        (None, [b'1', b'3'..=b'9', ..]) if dense.len() == 11 => Zeroizing::new(format!("86{}", dense.as_str())),
        (None, _) => return Err(wrong),
    };
    let is_number = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0') && PHONE_DIGITS.contains(&digits.len());
    if is_number { Ok(Zeroizing::new(format!("+{}", digits.as_str()))) } else { Err(wrong) }
}

fn email(text: &str) -> Result<Zeroizing<String>, InvalidSubject> {
    match text.split_once('@') {
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(char::is_whitespace) => {
            Ok(Zeroizing::new(text.to_lowercase()))
        }
        _ => Err(InvalidSubject("the email address is not of the form name@domain")),
    }
}

fn resident_id(text: &str) -> Result<Zeroizing<String>, InvalidSubject> {
    match text.as_bytes() {
        [digits @ .., last] if digits.len() == 17 && digits.iter().all(u8::is_ascii_digit) && (last.is_ascii_digit() || matches!(last, b'x' | b'X')) => {
            Ok(Zeroizing::new(text.to_uppercase()))
        }
        _ => Err(InvalidSubject("the resident id is not 17 digits and a check character (GB 11643)")),
    }
}

/// A new reference, random: it says nothing about the person.
pub(super) fn mint() -> Result<SubjectRef, crate::model::name::InvalidName> {
    format!("sub_{}", hex::encode(rand::random::<[u8; 16]>())).parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(namespace: &str, id: &str) -> Result<SubjectKey, InvalidSubject> {
        SubjectKey::new(namespace.parse().unwrap(), id)
    }

    #[test]
    fn ways_of_writing_one_number_name_one_person() {
        let one = key("phone", "+8613800138000").unwrap();
        for same in ["13800138000", "0086 138-0013-8000", "+86 138 0013 8000", "１３８００１３８０００", " +8613800138000 "] {
            assert!(key("phone", same).unwrap() == one, "{same}");
        }
        assert!(key("phone", "+4913800138000").unwrap() != one);
        assert!(key("email", "Ana@Example.org").unwrap() == key("email", "ana@example.ORG").unwrap());
        assert!(key("cn_resident_id", "11010519491231002x").unwrap() == key("cn_resident_id", "11010519491231002X").unwrap());
        assert!(key("account", "Ab1").unwrap() != key("account", "ab1").unwrap());
    }

    #[test]
    fn a_text_that_names_nobody_is_refused() {
        for (namespace, id) in [
            ("phone", "138"),
            ("phone", "030-123456"),
            ("phone", "+12345678901234567"),
            ("email", "a@b@c"),
            ("email", "@b"),
            ("account", " "),
            ("account", "a\nb"),
            ("cn_resident_id", "12"),
        ] {
            assert!(key(namespace, id).is_err(), "{namespace} {id:?}");
        }
        assert!(key("account", &"x".repeat(ID_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn nothing_printed_names_a_person() {
        let subject = key("email", "ana@example.org").unwrap();
        assert_eq!(format!("{subject:?}"), "SubjectKey(email ***)");
    }
}

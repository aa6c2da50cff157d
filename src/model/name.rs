//! Identifiers: each its own type, parsed once, at most 128 bytes of `A-Z a-z 0-9 . _ : / -`.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest identifier, in bytes: enough for a URN or two joined UUIDs, short enough for a metric label.
pub const NAME_BYTES_MAX: usize = 128;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName(String);

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no identifier: use 1 to {NAME_BYTES_MAX} letters, digits or . _ : / -", self.0)
    }
}

impl std::error::Error for InvalidName {}

fn parse(text: &str) -> Result<Arc<str>, InvalidName> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'/' | b'-');
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(allowed) {
        return Err(InvalidName(text.chars().take(40).collect()));
    }
    Ok(Arc::from(text))
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// An identifier that stands in the source code, so it was checked by whoever wrote it.
            pub fn known(text: &'static str) -> Self {
                debug_assert!(parse(text).is_ok(), "{text:?} is no identifier");
                $name(Arc::from(text))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                parse(text).map($name)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

names! {
    /// An API of the gateway's configuration.
    ApiId;
    /// A consent, instrument, assessment or exemption on record.
    BasisId;
    /// One exchange; its ledger entries are `<id>/request` and `<id>/response`.
    DecisionId;
    /// One line of the ledger: `<exchange>/request`, `<exchange>/response`, `registry/<event>` …
    EntryId;
    /// What kind of identifier names a subject: `account`, `phone`, `email`, `cn_resident_id`, `device`.
    Namespace;
    /// A running gateway.
    NodeId;
    /// One organisation's promises and rules.
    PolicyId;
    /// Why data is processed; consent and instruments are matched on it exactly.
    Purpose;
    /// A registered party that receives personal data.
    RecipientId;
    /// A law as a rule pack: `cn-pipl`, `eu-gdpr`.
    RegimeId;
    /// One rule of a policy or regime.
    RuleId;
    /// The random name of a natural person; says nothing about them without the registry's map.
    SubjectRef;
    /// A named place where backends run; exactly one jurisdiction each.
    RegionName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_plain_text() {
        assert_eq!("shop-co".parse::<PolicyId>().unwrap().as_str(), "shop-co");
        for bad in ["", "a b", "电话", "a\n", &"x".repeat(129)] {
            assert!(bad.parse::<PolicyId>().is_err(), "{bad:?}");
        }
    }
}

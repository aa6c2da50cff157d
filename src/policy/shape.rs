//! How values are written in any of our files: with their place, alone or in a list, as a word or a predicate.

use serde::de::{Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// A value and where it stands in its file; line and column count from 1, and 0 is unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: Place,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// This place, or `outer` when it is unknown.
    pub(crate) fn or(self, outer: Place) -> Place {
        if self.line == 0 { outer } else { self }
    }
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Place {
        let number = |n: u64| usize::try_from(n).unwrap_or(0);
        Place { line: number(location.line()), column: number(location.column()) }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        Ok(At { value: spanned.value, at: spanned.referenced.into() })
    }
}

/// A predicate as written: a word, a list of words (any), or `not`, `only`, `any_of`, `all_of`.
pub(crate) type Raw = At<RawMatch>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawMatch {
    Word(String),
    Any(Vec<Raw>),
    All(Vec<Raw>),
    Not(Box<Raw>),
    /// Every value of the fact, not just one.
    Only(Box<Raw>),
}

impl<'de> Deserialize<'de> for RawMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatchVisitor)
    }
}

struct MatchVisitor;

impl<'de> Visitor<'de> for MatchVisitor {
    type Value = RawMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word, a list of words, or a mapping with `not`, `only`, `any_of` or `all_of`")
    }

    fn visit_str<E>(self, word: &str) -> Result<RawMatch, E> {
        Ok(RawMatch::Word(word.to_owned()))
    }

    // An age band such as `13` is written without quotes and arrives as a number.
    fn visit_u64<E>(self, number: u64) -> Result<RawMatch, E> {
        Ok(RawMatch::Word(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<RawMatch, E> {
        Ok(RawMatch::Word(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawMatch, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        Ok(RawMatch::Any(words))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawMatch, A::Error> {
        const KEYS: &[&str] = &["not", "only", "any_of", "all_of"];
        let Some(key) = map.next_key::<String>()? else { return Err(A::Error::custom("an empty mapping matches nothing: name a value")) };
        let read = match key.as_str() {
            "not" => RawMatch::Not(map.next_value()?),
            "only" => RawMatch::Only(map.next_value()?),
            "any_of" => RawMatch::Any(map.next_value()?),
            "all_of" => RawMatch::All(map.next_value()?),
            other => return Err(A::Error::unknown_field(other, KEYS)),
        };
        match map.next_key::<String>()? {
            None => Ok(read),
            Some(_) => Err(A::Error::custom("one of `not`, `only`, `any_of`, `all_of` at a time: nest them to combine")),
        }
    }
}

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        OneOrMany(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<OneOrMany<T>, E> {
        T::deserialize(word.into_deserializer()).map(|one| OneOrMany(vec![one]))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<OneOrMany<T>, E> {
        T::deserialize(number.into_deserializer()).map(|one| OneOrMany(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany<T>, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = list.next_element()? {
            many.push(one);
        }
        Ok(OneOrMany(many))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
    }
}

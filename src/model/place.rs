//! Where things are: jurisdictions, the areas between which data moves freely, regions.

use super::name::RegionName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// An ISO 3166-1 alpha-2 code. `CN` is mainland China only; `HK`, `MO` and `TW` are their own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jurisdiction([u8; 2]);

/// A text that is no jurisdiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidJurisdiction(String);

impl fmt::Display for InvalidJurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no jurisdiction: use two capital letters of ISO 3166-1, such as `CN` or `DE`", self.0)
    }
}

impl std::error::Error for InvalidJurisdiction {}

impl Jurisdiction {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl FromStr for Jurisdiction {
    type Err = InvalidJurisdiction;
    fn from_str(text: &str) -> Result<Self, InvalidJurisdiction> {
        match text.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Ok(Jurisdiction([*a, *b])),
            _ => Err(InvalidJurisdiction(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Jurisdiction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Jurisdiction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A named place where backends run.
pub type Region = RegionName;

/// Every region a node knows, with its jurisdiction.
pub type Regions = BTreeMap<Region, Jurisdiction>;

/// Areas and groups of jurisdictions, from `policies/jurisdictions.yaml`.
///
/// Moving data inside an *area* is no transfer. A jurisdiction that no area lists is an area of its own.
/// A *group* (`GBA`, `EU-ADEQUATE`) is only a name for a set that rules may use; an area's name is one too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    area_of: BTreeMap<Jurisdiction, String>,
    groups: BTreeMap<String, BTreeSet<Jurisdiction>>,
}

impl Places {
    /// Areas and groups by name. A jurisdiction may be in one area at most: `Err` names the first in two.
    pub fn new(areas: BTreeMap<String, BTreeSet<Jurisdiction>>, groups: BTreeMap<String, BTreeSet<Jurisdiction>>) -> Result<Self, Jurisdiction> {
        let mut places = Places { area_of: BTreeMap::new(), groups };
        for (name, members) in areas {
            for member in &members {
                if places.area_of.insert(*member, name.clone()).is_some() {
                    return Err(*member);
                }
            }
            places.groups.insert(name, members);
        }
        Ok(places)
    }

    /// Whether moving data from `a` to `b` crosses no area border.
    pub fn same_area(&self, a: Jurisdiction, b: Jurisdiction) -> bool {
        a == b || matches!((self.area_of.get(&a), self.area_of.get(&b)), (Some(x), Some(y)) if x == y)
    }

    /// The members of a group or area, or the jurisdiction itself.
    pub fn members(&self, name: &str) -> Option<BTreeSet<Jurisdiction>> {
        self.groups.get(name).cloned().or_else(|| name.parse().ok().map(|j| BTreeSet::from([j])))
    }

    /// Names of all groups and areas, for messages.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn j(code: &str) -> Jurisdiction {
        code.parse().unwrap()
    }

    #[test]
    fn the_eea_is_one_area_and_everywhere_else_is_its_own() {
        let eea = BTreeSet::from([j("DE"), j("FR"), j("IS")]);
        let places = Places::new(BTreeMap::from([("EEA".into(), eea)]), BTreeMap::new()).unwrap();
        assert!(places.same_area(j("DE"), j("IS")));
        assert!(places.same_area(j("CN"), j("CN")));
        assert!(!places.same_area(j("CN"), j("HK")));
        assert!(!places.same_area(j("DE"), j("GB")));
    }

    #[test]
    fn a_jurisdiction_is_two_capital_letters() {
        for bad in ["cn", "CHN", "", "C1", "中国"] {
            assert!(bad.parse::<Jurisdiction>().is_err(), "{bad:?}");
        }
    }
}

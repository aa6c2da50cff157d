//! The words rules may use for places and categories: areas, groups, leaves, flags.

use super::schema::{Art9Flag, CnFlag, JurisdictionsFile, TaxonomyFile};
use crate::model::{Category, Jurisdiction, Places};
use std::collections::BTreeSet;

/// Words that stand for categories by what the law says of them.
const FLAGS: &[&str] = &["any", "sensitive", "special_category", "criminal_data"];

/// Areas, groups and taxonomy, as read from their files.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) places: Places,
    taxonomy: TaxonomyFile,
}

impl World {
    /// # Errors
    /// A jurisdiction in two areas, or a leaf that the taxonomy leaves out.
    pub(crate) fn new(jurisdictions: JurisdictionsFile, taxonomy: TaxonomyFile) -> Result<Self, String> {
        let groups = jurisdictions.groups.into_iter().map(|(name, group)| (name, group.members)).collect();
        let places =
            Places::new(jurisdictions.areas, groups).map_err(|twice| format!("`{twice}` stands in two areas: an area border runs between any two areas"))?;
        match Category::ALL.iter().find(|leaf| !taxonomy.leaves.contains_key(leaf)) {
            Some(absent) => Err(format!("the taxonomy leaves out `{absent}`: every category needs its flags")),
            None => Ok(World { places, taxonomy }),
        }
    }

    /// The jurisdictions a word stands for.
    pub(crate) fn place(&self, word: &str) -> Result<BTreeSet<Jurisdiction>, String> {
        self.places
            .members(word)
            .ok_or_else(|| format!("`{word}` is no jurisdiction, area or group: use two capital letters of ISO 3166-1 or a name of jurisdictions.yaml"))
    }

    /// The categories a word stands for; `raised` are those a policy calls sensitive.
    pub(crate) fn categories(&self, word: &str, raised: &BTreeSet<Category>) -> Result<BTreeSet<Category>, String> {
        let leaves = self.taxonomy.leaves.iter();
        let found: BTreeSet<Category> = match word {
            "any" => leaves.map(|(c, _)| *c).collect(),
            "sensitive" => leaves.filter(|(c, leaf)| matches!(leaf.cn, CnFlag::S | CnFlag::Older) || raised.contains(c)).map(|(c, _)| *c).collect(),
            "special_category" => leaves.filter(|(_, leaf)| leaf.art9 == Art9Flag::Special).map(|(c, _)| *c).collect(),
            "criminal_data" => leaves.filter(|(_, leaf)| leaf.art9 == Art9Flag::Criminal).map(|(c, _)| *c).collect(),
            leaf_or_group => match leaf_or_group.parse::<Category>() {
                Ok(leaf) => BTreeSet::from([leaf]),
                Err(_) => leaves.filter(|(_, leaf)| leaf.group == leaf_or_group).map(|(c, _)| *c).collect(),
            },
        };
        if found.is_empty() { Err(format!("`{word}` is no category, group of categories or flag")) } else { Ok(found) }
    }

    /// Categories that say nothing about a person by themselves (a company's licence number).
    pub(crate) fn impersonal(&self) -> BTreeSet<Category> {
        self.taxonomy.leaves.iter().filter(|(_, leaf)| leaf.cn == CnFlag::X).map(|(c, _)| *c).collect()
    }

    /// Every word [`World::categories`] knows, for suggestions.
    pub(crate) fn category_words(&self) -> impl Iterator<Item = &str> {
        let groups: BTreeSet<&str> = self.taxonomy.leaves.values().map(|leaf| leaf.group.as_str()).collect();
        Category::ALL.iter().map(|c| c.id()).chain(FLAGS.iter().copied()).chain(groups)
    }
}

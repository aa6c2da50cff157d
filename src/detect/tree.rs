//! What the place of a node in its document says: the names above it, its siblings, who owns it.

use super::field::Hit;
use super::keys::{Key, Meaning, Owner};
use super::lexicon::Shape;
use super::{location, names};
use crate::model::Category::{AccountId, BirthDateAge, PersonName, PostalAddress, PreciseLocation};
use crate::payload::{Document, Kind, Node, Part, Step};
use std::collections::HashMap;

/// One node's place.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) key: Key,
    /// What the node's value is said to be, inheritance included.
    pub(super) meaning: Option<Meaning>,
    /// Who owns what lies below.
    pub(super) owner: Owner,
    /// Who owns the node itself.
    pub(super) within: Owner,
    /// An object above is one finding of this meaning already.
    pub(super) covered: Option<Meaning>,
    members: Members,
}

/// What the children of a container are like.
#[derive(Clone, Copy, Default)]
struct Members {
    person_trait: bool,
    thing_trait: bool,
    address_part: bool,
    name_part: bool,
    date_part: bool,
    latitude: Option<usize>,
    longitude: Option<usize>,
    numbers: usize,
    others: usize,
    first_number: Option<usize>,
}

const ACCOUNT: Meaning = Meaning { category: AccountId, detector: "account_key", shape: Shape::Id };
const NAME: Meaning = Meaning { category: PersonName, detector: "name_key", shape: Shape::Name };

/// The places of all nodes, in two walks: members first, then meanings from the top down.
pub(super) fn places(document: &Document<'_>, part: &Part) -> Vec<Place> {
    let root = match part {
        Part::Header(name, _) => Key::read(name),
        _ => Key::default(),
    };
    let mut known: HashMap<&str, Key> = HashMap::new();
    let mut places: Vec<Place> = Vec::with_capacity(document.nodes.len());
    for (index, node) in document.nodes.iter().enumerate() {
        let key = match &node.step {
            Step::Root => root,
            Step::Index(_) => Key::default(),
            Step::Name(name) => *known.entry(name.as_ref()).or_insert_with(|| Key::read(name)),
        };
        places.push(Place { key, ..Place::default() });
        if let Some(parent) = places.get_mut(node.parent).filter(|_| node.parent != index) {
            parent.members.add(&key, node, index);
        }
    }
    for (index, node) in document.nodes.iter().enumerate() {
        let above = places.get(node.parent).copied().unwrap_or_default();
        if let Some(place) = places.get_mut(index) {
            place.settle(&above, node);
        }
    }
    places
}

impl Members {
    fn add(&mut self, key: &Key, node: &Node<'_>, index: usize) {
        let name = match &node.step {
            Step::Name(name) => name.to_ascii_lowercase(),
            _ => String::new(),
        };
        self.person_trait |= key.person_trait();
        self.thing_trait |= key.thing_trait;
        self.address_part |= key.address_part;
        self.name_part |= matches!(
            name.as_str(),
            "first"
                | "last"
                | "given"
                | "family"
                | "middle"
                | "firstname"
                | "lastname"
                | "first_name"
                | "last_name"
                | "surname"
                | "givenname"
                | "familyname"
                | "姓"
                | "名"
        );
        self.date_part |= matches!(name.as_str(), "year" | "month" | "day" | "年" | "月" | "日");
        if key.latitude {
            self.latitude = Some(index);
        }
        if key.longitude {
            self.longitude = Some(index);
        }
        let number = node.kind == Kind::Number;
        self.numbers += usize::from(number);
        self.others += usize::from(!number);
        self.first_number = self.first_number.or(number.then_some(index));
    }
}

impl Place {
    fn settle(&mut self, above: &Place, node: &Node<'_>) {
        if node.step == Step::Root {
            self.meaning = self.key.meaning;
            return;
        }
        let element = matches!(node.step, Step::Index(_));
        self.within = above.owner;
        if element {
            let (meaning, members) = (above.meaning, self.members);
            *self = Place { within: above.owner, ..*above };
            self.meaning = meaning;
            self.members = members;
        }
        self.covered = above.covered;
        if !element {
            self.owner = if self.key.owner == Owner::Wrapper { above.owner } else { self.key.owner };
            self.meaning = self.key.meaning;
            if self.key.generic && self.meaning.is_none() && above.meaning.is_some() {
                self.meaning = above.meaning;
            } else if self.key.bare_id && above.owner == Owner::Person {
                self.meaning = Some(ACCOUNT);
            } else if self.key.bare_name && named_person(above, node) {
                self.meaning = Some(NAME);
            }
            self.key.sequence |= self.key.bare_id && (above.owner == Owner::Thing || node.kind == Kind::Number && above.owner != Owner::Person);
            if self.meaning.is_some_and(|m| m.category == PostalAddress) && above.owner == Owner::Thing {
                self.meaning = None;
            }
        }
        if self.covered.is_none() && matches!(node.kind, Kind::Object | Kind::Array) {
            self.covered = self.whole(node.kind);
        }
    }

    /// The meaning of a container that is one thing: an address with its parts, a name with its parts, a template.
    pub(super) fn whole(&self, kind: Kind) -> Option<Meaning> {
        let object = kind == Kind::Object;
        let members = &self.members;
        if object && self.key.bare_name && members.name_part && self.within != Owner::Thing {
            return Some(NAME);
        }
        self.meaning.filter(|m| match (m.shape, m.category) {
            (Shape::Biometric, _) => object && members.numbers + members.others > 0 || members.numbers > 1 && members.others == 0,
            (_, PostalAddress) => object && members.address_part,
            (Shape::Name, PersonName) => object && members.name_part,
            (_, BirthDateAge) => object && members.date_part,
            _ => false,
        })
    }

    /// A coordinate by its name and sibling, or by its place in a list.
    pub(super) fn coordinate(&self, document: &Document<'_>, places: &[Place], index: usize) -> Option<Hit> {
        let node = document.nodes.get(index)?;
        let above = &places.get(node.parent)?.members;
        let text = node.text.trim();
        let meaning = Meaning { category: PreciseLocation, detector: "coordinates", shape: Shape::Hint };
        let sibling = |at: Option<usize>| at.and_then(|i| document.nodes.get(i)).map(|n| n.text.trim());
        if matches!(node.step, Step::Index(_)) {
            // `coordinates: [121.4737, 31.2304]`, with an altitude at most (RFC 7946 section 3.1.1).
            let listed = node.kind == Kind::Number
                && (2..=3).contains(&above.numbers)
                && above.others == 0
                && self.meaning.is_some_and(|m| m.category == PreciseLocation);
            let first = above.first_number?;
            let (a, b) = (sibling(Some(first))?, sibling(Some(first + 1))?);
            let told = listed && index <= first + 1 && location::is_place(a, b) && location::decimals(a).min(location::decimals(b)) > 1;
            return told.then(|| Hit::key(Meaning { category: location::precision(a, b), ..meaning }, 0.9, 0..usize::MAX));
        }
        if !(self.key.latitude && location::in_degrees(text, 90.0) || self.key.longitude && location::in_degrees(text, 180.0)) || self.within == Owner::Thing {
            return None;
        }
        match (sibling(above.latitude), sibling(above.longitude)) {
            (Some(a), Some(b)) if location::is_place(a, b) => Some(Hit::key(Meaning { category: location::precision(a, b), ..meaning }, 0.95, 0..usize::MAX)),
            (Some(_), Some(_)) => None,
            _ => (location::decimals(text) >= 3).then(|| Hit::key(meaning, 0.7, 0..usize::MAX)),
        }
    }
}

/// Whether a member called just `name` names a person: by whom it belongs to, else by its siblings, else by itself.
fn named_person(above: &Place, node: &Node<'_>) -> bool {
    match above.owner {
        Owner::Person => true,
        Owner::Thing => false,
        _ if above.members.thing_trait => false,
        _ => above.members.person_trait && names::plausible(&node.text) || names::sure(&node.text),
    }
}

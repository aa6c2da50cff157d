//! Whether a condition holds for one category of one record, in three values: an unknown can only make a decision stricter.

use super::Policy;
use super::need;
use super::rule::{Condition, PartyName, PlaceTest, Recipient, VolumeTest};
use crate::model::{BasisId, Category, Facts, Form, Jurisdiction, Places, RecipientId, RecordFacts};
use std::collections::BTreeSet;

/// Kleene's three values. `Ord` follows: and is the least, or the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tri {
    No,
    Unknown,
    Yes,
}

impl Tri {
    fn of(value: Option<bool>) -> Tri {
        match value {
            Some(true) => Tri::Yes,
            Some(false) => Tri::No,
            None => Tri::Unknown,
        }
    }

    fn not(self) -> Tri {
        match self {
            Tri::Yes => Tri::No,
            Tri::Unknown => Tri::Unknown,
            Tri::No => Tri::Yes,
        }
    }
}

/// A place data is in, comes from or becomes readable in; none: nobody knows where.
pub(super) type Spot = Option<Jurisdiction>;

/// Who receives a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party<'a> {
    Exporter(&'a RecipientId),
    /// The person the record speaks of.
    Oneself,
    /// A party the policy lists, or (none) a name it does not know.
    Registered(&'a RecipientId, Option<&'a Recipient>),
    Unknown,
}

impl<'a> Party<'a> {
    /// Under which id consents and instruments must name it.
    pub(super) fn id(self) -> Option<&'a RecipientId> {
        match self {
            Party::Exporter(id) | Party::Registered(id, _) => Some(id),
            Party::Oneself | Party::Unknown => None,
        }
    }

    fn entry(self) -> Option<&'a Recipient> {
        match self {
            Party::Registered(_, entry) => entry,
            _ => None,
        }
    }

    fn name(self) -> PartyName {
        match self {
            Party::Exporter(_) => PartyName::Exporter,
            Party::Oneself => PartyName::Oneself,
            Party::Registered(id, _) => PartyName::Registered(id.clone()),
            Party::Unknown => PartyName::Unknown,
        }
    }

    /// A party whose role and owners nobody wrote down.
    fn is_stranger(self) -> bool {
        matches!(self, Party::Unknown | Party::Registered(_, None))
    }
}

/// How one record moves.
#[derive(Debug)]
pub(super) struct Movement<'a> {
    pub(super) from: Vec<Spot>,
    pub(super) to: Vec<Spot>,
    /// Where it comes to rest.
    pub(super) storage: Vec<Spot>,
    /// From where it is read.
    pub(super) access: Vec<Spot>,
    pub(super) party: Party<'a>,
    pub(super) stays: bool,
    /// The jurisdiction of the record's home.
    pub(super) home: Spot,
}

/// One category of one record on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation<'a> {
    pub(super) facts: &'a Facts,
    pub(super) policy: &'a Policy,
    pub(super) places: &'a Places,
    pub(super) record: &'a RecordFacts,
    pub(super) category: Category,
    pub(super) form: Form,
    pub(super) movement: &'a Movement<'a>,
    /// The area of the regime whose rule is asked; a policy's own rules speak for the whole set.
    pub(super) area: Option<&'a BTreeSet<Jurisdiction>>,
}

impl Situation<'_> {
    /// Whether `condition` holds. Bases that made it hold are added to `bases`.
    pub(super) fn holds(&self, condition: &Condition, bases: &mut BTreeSet<BasisId>) -> Tri {
        let (movement, party) = (self.movement, self.movement.party);
        match condition {
            Condition::All(inner) => inner.iter().map(|c| self.holds(c, bases)).min().unwrap_or(Tri::Yes),
            Condition::Any(inner) => inner.iter().map(|c| self.holds(c, bases)).max().unwrap_or(Tri::No),
            Condition::Not(inner) => self.holds(inner, &mut BTreeSet::new()).not(),
            Condition::Settled(value) => Tri::of(Some(*value)),
            Condition::From(test) => places(test, &movement.from),
            Condition::To(test) => places(test, &movement.to),
            Condition::Origin(test) => places(test, &origin(self.record)),
            Condition::JoinedWith(test) => {
                let others = self.facts.records.iter().filter(|other| !std::ptr::eq(*other, self.record) && !other.categories.is_empty());
                others.map(|other| places(test, &origin(other))).max().unwrap_or(Tri::No)
            }
            Condition::Away(wanted) => self.away(*wanted),
            Condition::Data(data) => Tri::of(Some(data.has(&self.category))),
            Condition::With(data) => Tri::of(Some(self.record.categories.keys().any(|c| *c != self.category && data.has(c)))),
            Condition::Form(form) => Tri::of(Some(form.has(&self.form))),
            Condition::Purpose(purpose) => Tri::of(Some(purpose.has(&self.facts.purpose))),
            Condition::Recipient(name) => Tri::of(Some(name.has(&party.name()))),
            Condition::Role(role) => match party.entry() {
                Some(entry) => Tri::of(Some(role.has(&entry.role))),
                None if party.is_stranger() => Tri::Unknown,
                None => Tri::No,
            },
            Condition::Listed(list) => match party.entry() {
                Some(entry) => Tri::of(Some(entry.lists.iter().any(|name| list.has(name)))),
                None if party.is_stranger() => Tri::Unknown,
                None => Tri::No,
            },
            Condition::OwnedFrom(place) => match party {
                Party::Exporter(_) | Party::Oneself => Tri::No,
                _ => Tri::of(party.entry().and_then(|entry| entry.owned_from).map(|owner| place.has(&owner))),
            },
            Condition::Age(age) => Tri::of(Some(age.has(&self.record.age_band))),
            Condition::Direction(direction) => Tri::of(Some(direction.has(&self.facts.direction))),
            Condition::Api(api) => Tri::of(self.facts.api.as_ref().map(|id| api.has(id))),
            Condition::CallerRole(role) => Tri::of(self.facts.caller.role.as_ref().map(|name| role.has(name))),
            Condition::LegalBasis(basis) => Tri::of(self.policy.purposes.get(&self.facts.purpose).map(|ground| basis.has(ground))),
            Condition::Volume(test) => self.volume(test),
            Condition::Consent(wanted) => lean(need::consent(self, wanted).map(|c| c.id.clone()), bases),
            Condition::Instrument(wanted) => lean(need::instrument(self, wanted).map(|i| i.id.clone()), bases),
            Condition::Exceeded(wanted) => Tri::of(Some(need::exceeded(self, wanted))),
            Condition::Assessed { kinds, result } => Tri::of(Some(need::assessments(self, kinds).any(|a| a.result == *result))),
            Condition::Exemption(kinds) => lean(need::exemption(self, kinds).map(|e| e.id.clone()), bases),
        }
    }

    /// Whether some place the data goes to lies outside the area of the record's home.
    fn away(&self, wanted: bool) -> Tri {
        let outside = match self.movement.home {
            None => Tri::Unknown,
            Some(home) => self.movement.to.iter().map(|spot| Tri::of(spot.map(|place| !self.places.same_area(place, home)))).max().unwrap_or(Tri::Unknown),
        };
        if wanted { outside } else { outside.not() }
    }

    /// The figure after this message: all its records are counted as new persons, which errs to the strict side.
    fn volume(&self, test: &VolumeTest) -> Tri {
        let persons = self.facts.records.iter().filter(|record| !record.categories.is_empty()).count() as u64;
        let Some(after) = self.facts.volume.get(&test.counter).map(|before| before.saturating_add(persons)) else { return Tri::No };
        Tri::of(Some(test.below.is_none_or(|limit| after < limit) && test.at_least.is_none_or(|limit| after >= limit)))
    }
}

/// A record's origins; a record without any has an unknown one.
fn origin(record: &RecordFacts) -> Vec<Spot> {
    if record.jurisdictions.is_empty() { vec![None] } else { record.jurisdictions.iter().copied().map(Some).collect() }
}

fn places(test: &PlaceTest, spots: &[Spot]) -> Tri {
    let mut answers = spots.iter().map(|spot| Tri::of(spot.map(|place| test.place.has(&place))));
    if test.every { answers.min().unwrap_or(Tri::No) } else { answers.by_ref().max().unwrap_or(Tri::No) }
}

/// Whether `place` surely matches a record's origin: what the first-match residency rules ask.
pub(super) fn surely_from(test: &PlaceTest, record: &RecordFacts) -> bool {
    places(test, &origin(record)) == Tri::Yes
}

fn lean(basis: Option<BasisId>, bases: &mut BTreeSet<BasisId>) -> Tri {
    let found = basis.is_some();
    bases.extend(basis);
    Tri::of(Some(found))
}

//! Where a person's data must live, where this message goes, and whether it crosses anything on the way.

use super::matching::{Movement, Party, Spot, surely_from};
use super::rule::HomeRule;
use super::{Policy, Setting};
use crate::model::facts::{KnownBy, Terms};
use crate::model::{Direction, Facts, Jurisdiction, RecordFacts, Region, RuleId};
use std::collections::BTreeSet;

/// What the residency rules say of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    Region {
        region: Region,
        rule: RuleId,
    },
    /// The rule asks for the region on record, and none is.
    Unset {
        rule: RuleId,
    },
    /// The rule says that nowhere is lawful.
    Nowhere {
        rule: RuleId,
    },
    NoRule,
}

impl Home {
    pub(super) fn region(&self) -> Option<&Region> {
        match self {
            Home::Region { region, .. } => Some(region),
            _ => None,
        }
    }
}

/// The home of a record: the first residency rule that surely matches.
pub(super) fn home(policy: &Policy, facts: &Facts, record: &RecordFacts) -> Home {
    let matching = policy.residency.iter().find(|rule| {
        rule.origin.as_ref().is_none_or(|origin| surely_from(origin, record)) && rule.purpose.as_ref().is_none_or(|purpose| purpose.has(&facts.purpose))
    });
    let Some(rule) = matching else { return Home::NoRule };
    let id = rule.id.clone();
    match (&rule.home, &record.chosen) {
        (HomeRule::Region(region), _) => Home::Region { region: region.clone(), rule: id },
        (HomeRule::Chosen, Some(region)) => Home::Region { region: region.clone(), rule: id },
        (HomeRule::Chosen, None) => Home::Unset { rule: id },
        (HomeRule::Nowhere, _) => Home::Nowhere { rule: id },
    }
}

/// Where a request goes. `Err`: the records live in different regions and nothing breaks the tie.
pub(super) fn destination(facts: &Facts, setting: &Setting<'_>, homes: &[Home]) -> Result<Option<Region>, ()> {
    if let Some(region) = asked_for(facts, setting) {
        return Ok(Some(region));
    }
    let regions: BTreeSet<&Region> = homes.iter().filter_map(Home::region).collect();
    if regions.len() < 2 {
        return Ok(regions.first().map(|region| (*region).clone()));
    }
    let caller = facts.caller.home.as_ref();
    let node = facts.node.as_ref().map(|site| &site.region);
    caller.into_iter().chain(node).find(|region| regions.contains(region)).cloned().map(Some).ok_or(())
}

/// The region an API pins, the caller asked for (where the API lets it), or the recipient's backend stands in.
pub(super) fn asked_for(facts: &Facts, setting: &Setting<'_>) -> Option<Region> {
    let Terms { pinned, backends, .. } = setting.terms;
    pinned.clone().or_else(|| facts.addressed.clone()).or_else(|| {
        let recipient = facts.recipient.as_ref().filter(|id| **id != setting.policy.exporter.id)?;
        let stored_in = setting.policy.recipients.get(recipient)?.stored_in;
        match backends.as_slice() {
            [only] => Some(only.clone()),
            several => several.iter().find(|region| setting.regions.get(*region) == Some(&stored_in)).cloned(),
        }
    })
}

/// Where a message without personal data goes: as asked, else stay, else the API's first backend.
pub(super) fn anywhere(facts: &Facts, setting: &Setting<'_>) -> Option<Region> {
    let node = facts.node.as_ref().map(|site| site.region.clone());
    if facts.direction == Direction::Response {
        return node;
    }
    let here = node.filter(|region| setting.terms.backends.contains(region));
    asked_for(facts, setting).or(here).or_else(|| setting.terms.backends.first().cloned())
}

/// How the whole message moves: everything a record's way does not depend on the record for.
#[derive(Debug)]
pub(super) struct Way<'a> {
    facts: &'a Facts,
    setting: &'a Setting<'a>,
    /// Where a request goes; responses go to the caller.
    pub(super) destination: Option<Region>,
    /// None: the exporter. In a response: the registered party that reads, if it is one.
    recipient: Option<&'a crate::model::RecipientId>,
}

impl<'a> Way<'a> {
    pub(super) fn new(facts: &'a Facts, setting: &'a Setting<'a>, destination: Option<Region>, to_exporter: bool) -> Self {
        let recipient = facts.recipient.as_ref().filter(|id| !to_exporter && **id != setting.policy.exporter.id);
        Way { facts, setting, destination, recipient }
    }

    pub(super) fn facts(&self) -> &'a Facts {
        self.facts
    }

    pub(super) fn setting(&self) -> &'a Setting<'a> {
        self.setting
    }

    /// The same way to another region, with the exporter as recipient.
    pub(super) fn homeward(&self, home: Region) -> Way<'a> {
        Way { destination: Some(home), recipient: None, ..*self }
    }

    /// The same way with other facts, as after an edit.
    pub(super) fn carrying<'b>(&'b self, facts: &'b Facts) -> Way<'b> {
        let recipient = self.recipient.and(facts.recipient.as_ref());
        Way { facts, setting: self.setting, destination: self.destination.clone(), recipient }
    }

    fn node(&self) -> Spot {
        self.facts.node.as_ref().and_then(|site| site.jurisdiction)
    }

    fn backend(&self) -> Spot {
        self.facts.backend.as_ref().and_then(|site| site.jurisdiction)
    }

    pub(super) fn jurisdiction(&self, region: Option<&Region>) -> Spot {
        region.and_then(|region| self.setting.regions.get(region)).copied()
    }

    /// Where the caller stands, if what is known about it may be used: geo places no caller where a claim is demanded.
    fn caller(&self) -> Spot {
        let caller = &self.facts.caller;
        let by_geo = self.setting.terms.caller_by_geo && self.setting.policy.caller_by_geo;
        caller.jurisdiction.filter(|_| match caller.known_by {
            KnownBy::Claim | KnownBy::TrustedHop | KnownBy::Certificate => true,
            KnownBy::Address => by_geo,
            KnownBy::Nothing => false,
        })
    }

    /// Node and destination; in a response node, backend and caller.
    fn ends(&self) -> Vec<Spot> {
        match self.facts.direction {
            Direction::Request => vec![self.node(), self.jurisdiction(self.destination.as_ref())],
            Direction::Response => {
                vec![self.node(), self.backend(), self.caller()]
            }
        }
    }

    /// Whether node, destination (response: backend and caller) and all these people are in one area, and no other party receives.
    pub(super) fn stays<'r>(&self, people: impl Iterator<Item = &'r RecordFacts>) -> bool {
        let mut spots = self.ends();
        for person in people {
            if person.jurisdictions.is_empty() {
                return false;
            }
            spots.extend(person.jurisdictions.iter().copied().map(Some));
        }
        self.recipient.is_none() && self.in_one_area(&spots)
    }

    fn in_one_area(&self, spots: &[Spot]) -> bool {
        let known: Option<Vec<Jurisdiction>> = spots.iter().copied().collect();
        known.is_some_and(|known| known.first().is_none_or(|first| known.iter().all(|spot| self.setting.places.same_area(*first, *spot))))
    }

    /// How one record moves on this way.
    pub(super) fn movement(&self, record: &RecordFacts, home: &Home, stays: bool) -> Movement<'a> {
        let own = if record.jurisdictions.is_empty() { vec![None] } else { record.jurisdictions.iter().copied().map(Some).collect() };
        let party = self.party(record);
        let (stored_in, accessed_from) = match party {
            Party::Registered(_, Some(entry)) => {
                // Nobody said from where it reads: the storage counts, and the built-in rule holds the provision.
                let access = entry.accessed_from.iter().flatten().copied().map(Some).collect::<Vec<_>>();
                (Some(Some(entry.stored_in)), access)
            }
            _ => (None, Vec::new()),
        };
        let (from, ends) = match self.facts.direction {
            Direction::Request => ([own, vec![self.node()]].concat(), vec![self.jurisdiction(self.destination.as_ref())]),
            Direction::Response => ([own, vec![self.node(), self.backend()]].concat(), vec![self.node(), self.caller()]),
        };
        let storage: Vec<Spot> = ends.iter().copied().chain(stored_in).collect();
        let to = [storage.clone(), accessed_from.clone()].concat();
        Movement { from, to, storage, access: accessed_from, party, stays, home: self.jurisdiction(home.region()) }
    }

    fn party(&self, record: &RecordFacts) -> Party<'a> {
        let response = self.facts.direction == Direction::Response;
        let caller = self.facts.caller.subject.as_ref();
        if response && (record.of_caller || (caller.is_some() && caller == record.subject.as_ref())) {
            return Party::Oneself;
        }
        match self.recipient {
            Some(id) => Party::Registered(id, self.setting.policy.recipients.get(id)),
            None if response => Party::Unknown,
            None => Party::Exporter(&self.setting.policy.exporter.id),
        }
    }

    /// Carrying a record to its home, its whole set of jurisdictions being in the home's area.
    pub(super) fn is_homeward(&self, record: &RecordFacts, home: &Home) -> bool {
        let Some(place) = self.jurisdiction(home.region()) else { return false };
        self.facts.direction == Direction::Request
            && self.recipient.is_none()
            && home.region() == self.destination.as_ref()
            && !record.jurisdictions.is_empty()
            && record.jurisdictions.iter().all(|member| self.setting.places.same_area(*member, place))
    }

    /// A record of the node's area that comes back to a caller there.
    pub(super) fn returns(&self, record: &RecordFacts) -> bool {
        let own: Vec<Spot> = record.jurisdictions.iter().copied().map(Some).collect();
        self.facts.direction == Direction::Response
            && self.recipient.is_none()
            && !own.is_empty()
            && self.in_one_area(&[own, vec![self.node(), self.caller()]].concat())
    }

    /// A request that reached a node outside the area of one of these people.
    pub(super) fn arrived_abroad<'r>(&self, mut people: impl Iterator<Item = &'r RecordFacts>) -> bool {
        let own = |record: &RecordFacts| record.jurisdictions.iter().copied().map(Some).chain([self.node()]).collect::<Vec<_>>();
        self.facts.direction == Direction::Request && people.any(|record| !self.in_one_area(&own(record)))
    }
}

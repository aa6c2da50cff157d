//! The memory of the hot path: every person (up to a bound), every party. Kept in step with the store by reading its history.

use super::key::LookUp;
use super::store::{Person, Store};
use super::{Change, Unavailable};
use crate::model::basis::{Bases, Exemption};
use crate::model::{RecipientId, SubjectRef};
use arc_swap::ArcSwap;
use dashmap::DashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows and events read at a time: some megabytes.
const BATCH: usize = 1_000;

/// What the index has to say about a look-up digest.
pub(super) enum Answer {
    Known(Arc<Person>),
    /// On record nowhere.
    Nobody,
    /// Not in memory: the store must be asked.
    Ask,
}

/// The index. Readers never wait for a writer for longer than one entry takes.
pub(super) struct Index {
    persons_max: usize,
    digests: DashMap<LookUp, SubjectRef>,
    persons: DashMap<SubjectRef, Arc<Person>>,
    /// Everybody on record is in memory, so who is not found is nobody.
    complete: AtomicBool,
    parties: ArcSwap<Parties>,
}

/// Bases that name no person, by recipient.
#[derive(Default)]
struct Parties {
    by_recipient: BTreeMap<RecipientId, Bases>,
    /// Exemptions for whatever recipient.
    for_all: Vec<Exemption>,
}

impl Index {
    /// An empty index that will hold at most `persons_max` persons.
    pub(super) fn new(persons_max: usize) -> Self {
        Index { persons_max, digests: DashMap::new(), persons: DashMap::new(), complete: AtomicBool::new(false), parties: ArcSwap::default() }
    }

    /// Who has this digest.
    pub(super) fn person(&self, digest: &LookUp) -> Answer {
        let subject = self.digests.get(digest).map(|entry| entry.value().clone());
        match subject.and_then(|subject| self.persons.get(&subject).map(|entry| entry.value().clone())) {
            Some(person) => Answer::Known(person),
            None if self.complete.load(Ordering::Acquire) => Answer::Nobody,
            None => Answer::Ask,
        }
    }

    /// Bases that name `recipient`, or all if none is given; sorted by id, so that the same records give the same facts.
    pub(super) fn bases(&self, recipient: Option<&RecipientId>) -> Bases {
        let parties = self.parties.load();
        let mut bases = Bases { exemptions: parties.for_all.clone(), ..Bases::default() };
        let named: Vec<&Bases> = match recipient {
            Some(recipient) => parties.by_recipient.get(recipient).into_iter().collect(),
            None => parties.by_recipient.values().collect(),
        };
        for of_one in named {
            bases.instruments.extend_from_slice(&of_one.instruments);
            bases.assessments.extend_from_slice(&of_one.assessments);
            bases.exemptions.extend_from_slice(&of_one.exemptions);
        }
        bases.instruments.sort_by(|a, b| a.id.cmp(&b.id));
        bases.assessments.sort_by(|a, b| a.id.cmp(&b.id));
        bases.exemptions.sort_by(|a, b| a.id.cmp(&b.id));
        bases
    }

    /// Forgets everything and reads the store anew. Gives the number of the last change that is certainly in.
    pub(super) fn load(&self, store: &Store) -> Result<u64, Unavailable> {
        // Changes made meanwhile have higher numbers and are read again by the first `follow`.
        let event = store.last_event()?;
        self.complete.store(false, Ordering::Release);
        self.digests.clear();
        self.persons.clear();
        self.parties.store(Arc::new(Parties::of(store.parties()?)));
        let complete = store.persons()? <= self.persons_max;
        let mut after = String::new();
        while self.persons.len() < self.persons_max {
            let batch = store.persons_after(&after, BATCH)?;
            let Some(last) = batch.last() else { break };
            after = last.row.subject.as_str().to_owned();
            batch.into_iter().for_each(|person| self.put(person));
        }
        self.complete.store(complete, Ordering::Release);
        Ok(event)
    }

    /// Takes in every change after number `event`. Gives the number of the last.
    pub(super) fn follow(&self, store: &Store, mut event: u64) -> Result<u64, Unavailable> {
        loop {
            let changes = store.events_after(event, BATCH)?;
            let Some(last) = changes.last() else { return Ok(event) };
            let last = last.event;
            let persons: BTreeSet<&SubjectRef> = changes.iter().filter_map(|c| c.subject.as_ref()).collect();
            for subject in persons {
                match store.person(subject)? {
                    Some(person) => self.put(person),
                    None => self.remove(subject),
                }
            }
            if changes.iter().any(|c| concerns_parties(c.change)) {
                self.parties.store(Arc::new(Parties::of(store.parties()?)));
            }
            event = last;
        }
    }

    fn put(&self, person: Person) {
        let person = Arc::new(person);
        let subject = &person.row.subject;
        if self.persons.len() >= self.persons_max && !self.persons.contains_key(subject) {
            self.complete.store(false, Ordering::Release);
            return;
        }
        let before = self.persons.insert(subject.clone(), person.clone());
        for digest in &person.digests {
            self.digests.insert(*digest, subject.clone());
        }
        for gone in before.iter().flat_map(|b| &b.digests).filter(|d| !person.digests.contains(d)) {
            self.digests.remove(gone);
        }
    }

    fn remove(&self, subject: &SubjectRef) {
        if let Some((_, person)) = self.persons.remove(subject) {
            for digest in &person.digests {
                self.digests.remove(digest);
            }
        }
    }
}

fn concerns_parties(change: Change) -> bool {
    match change {
        Change::HomeSet | Change::HomeChange | Change::ConsentAdded | Change::ConsentWithdrawn => false,
        Change::InstrumentAdded | Change::InstrumentEnded | Change::AssessmentAdded | Change::ExemptionAdded | Change::ExemptionEnded => true,
    }
}

impl Parties {
    fn of(bases: Bases) -> Parties {
        let mut parties = Parties::default();
        for instrument in bases.instruments {
            parties.at(&instrument.recipient.clone()).instruments.push(instrument);
        }
        for assessment in bases.assessments {
            parties.at(&assessment.recipient.clone()).assessments.push(assessment);
        }
        for exemption in bases.exemptions {
            match exemption.recipient.clone() {
                Some(recipient) => parties.at(&recipient).exemptions.push(exemption),
                None => parties.for_all.push(exemption),
            }
        }
        parties
    }

    fn at(&mut self, recipient: &RecipientId) -> &mut Bases {
        self.by_recipient.entry(recipient.clone()).or_default()
    }
}

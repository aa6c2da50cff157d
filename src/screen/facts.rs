//! From what was read and what is on record to the facts of a message.

use super::inspect::{Inspected, Named, Record, text_of};
use super::message::Message;
use crate::detect::Finding;
use crate::model::facts::{CallerFacts, Site, Store};
use crate::model::{ApiId, Bases, Category, Direction, Facts, Form, Jurisdiction, Purpose, RecipientId, RecordFacts, Region};
use crate::origin::{self, Caller, Evidence, Registered};
use crate::registry::SubjectRow;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What is known of a message besides its content, before anything was looked up.
pub struct Situation<'a> {
    pub direction: Direction,
    pub node: &'a Site,
    pub api: &'a ApiId,
    pub purpose: &'a Purpose,
    pub recipient: Option<&'a RecipientId>,
    pub caller: &'a Caller,
    /// The API says that its messages speak of the caller.
    pub speaks_of_caller: bool,
    /// The API says that a subject named in a body is believed.
    pub trusted_subject: bool,
    pub people_of: &'a BTreeSet<Jurisdiction>,
    pub addressed: Option<Region>,
    /// Where the answer comes from; responses only.
    pub backend: Option<Site>,
}

/// Who must be looked up: each identifier once.
#[derive(Debug, Default)]
pub struct People {
    pub named: Vec<Named>,
    caller: Option<usize>,
    /// Per record of the message, the index into `named`.
    records: Vec<Option<usize>>,
}

/// What the registry said: one row per [`People::named`]; none while it is unavailable.
pub struct OnRecord<'a> {
    pub rows: Option<&'a [Option<SubjectRow>]>,
    pub bases: Bases,
    pub unavailable: BTreeSet<Store>,
}

/// Values a request carried, so that their coming back to the caller is known for what it is. Never printed, never stored.
#[derive(Default)]
pub struct Carried(HashSet<(Category, String)>);

impl Carried {
    /// The values found in a request.
    pub fn of(message: &Message, inspected: &Inspected) -> Self {
        Carried(inspected.findings.iter().map(|f| (f.category, text_of(f, message, inspected))).collect())
    }
}

/// Moves what the request carried into a record of its own, which speaks of the caller.
pub fn set_apart_echoes(inspected: &mut Inspected, message: &Message, carried: &Carried) {
    if carried.0.is_empty() {
        return;
    }
    let echoed: HashSet<usize> = (0..inspected.findings.len())
        .filter(|i| inspected.findings.get(*i).is_some_and(|f| carried.0.contains(&(f.category, text_of(f, message, inspected)))))
        .collect();
    if echoed.is_empty() {
        return;
    }
    for record in &mut inspected.records {
        record.findings.retain(|i| !echoed.contains(i));
    }
    let mut findings: Vec<usize> = echoed.into_iter().collect();
    findings.sort_unstable();
    inspected.records.retain(|record| !record.findings.is_empty());
    inspected.records.push(Record { findings, echoed: true, ..Record::default() });
}

/// Whose rows the decision needs.
pub fn people(inspected: &Inspected, situation: &Situation<'_>) -> People {
    let caller = verified(situation.caller);
    let mut named: Vec<Named> = Vec::new();
    let mut add = |who: &Named| {
        named.iter().position(|n| n == who).unwrap_or_else(|| {
            named.push(who.clone());
            named.len() - 1
        })
    };
    let caller_index = caller.as_ref().map(&mut add);
    let records = inspected.records.iter().map(|record| believed(record, caller.as_ref(), situation).map(&mut add)).collect();
    People { named, caller: caller_index, records }
}

fn verified(caller: &Caller) -> Option<Named> {
    caller.claims.subject.clone().map(|(namespace, id)| Named { namespace, id })
}

/// The subject of a record, if the naming is believed: a body may name anybody, so that only a trusted service's word
/// or the caller's own verified subject counts in a request. A response comes from a backend, whose word does.
fn believed<'a>(record: &'a Record, caller: Option<&'a Named>, situation: &Situation<'_>) -> Option<&'a Named> {
    let response = situation.direction == Direction::Response;
    if record.echoed { caller } else { origin::named_subject(record.named.as_ref(), caller, situation.trusted_subject || response, situation.speaks_of_caller) }
}

/// The facts of one message: the only thing its decision can read.
pub fn facts(inspected: &Inspected, people: &People, on_record: OnRecord<'_>, situation: &Situation<'_>, now: Timestamp) -> Facts {
    let row = |index: Option<usize>| on_record.rows.and_then(|rows| rows.get(index?)).and_then(Option::as_ref);
    let caller_row = row(people.caller);
    let caller = situation.caller;
    let mut records: Vec<RecordFacts> = inspected
        .records
        .iter()
        .zip(&people.records)
        .map(|(record, index)| record_facts(record, *index, row(*index), inspected, people, &on_record, situation))
        .collect();
    if !inspected.opaque.is_empty() {
        records.push(opaque_record(caller_row, people, &on_record, situation));
    }
    Facts {
        now,
        node: Some(situation.node.clone()),
        direction: situation.direction,
        api: Some(situation.api.clone()),
        caller: CallerFacts {
            home: caller_row.and_then(|r| r.home.clone()).or_else(|| caller.claims.home.clone()),
            ..caller.facts(caller_row.map(|r| r.subject.clone()))
        },
        recipient: situation.recipient.cloned(),
        purpose: situation.purpose.clone(),
        addressed: situation.addressed.clone(),
        backend: situation.backend.clone(),
        opaque: inspected.opaque.clone(),
        unavailable: on_record.unavailable,
        records,
        bases: on_record.bases,
        volume: BTreeMap::new(),
    }
}

fn record_facts(
    record: &Record,
    index: Option<usize>,
    row: Option<&SubjectRow>,
    inspected: &Inspected,
    people: &People,
    on_record: &OnRecord<'_>,
    situation: &Situation<'_>,
) -> RecordFacts {
    let findings: Vec<&Finding> = record.findings.iter().filter_map(|i| inspected.findings.get(*i)).collect();
    let of_caller = record.echoed || (situation.speaks_of_caller && record.named.is_none()) || (index.is_some() && index == people.caller);
    let mut categories: BTreeMap<Category, Form> = BTreeMap::new();
    for finding in &findings {
        let form = categories.entry(finding.category).or_insert(finding.form);
        *form = (*form).min(finding.form); // clear is the least: one clear value makes the category clear
    }
    let tokens = findings.iter().any(|f| f.form == Form::Pseudonymised && f.detector == crate::detect::TOKEN_DETECTOR);
    let evidence = Evidence {
        issued: findings.iter().filter_map(|f| f.issued_by).collect(),
        hints: findings.iter().filter_map(|f| f.hints_at).collect(),
        tokens: if tokens { situation.node.jurisdiction.into_iter().collect() } else { BTreeSet::new() },
        ..evidence(row, of_caller, on_record, situation)
    };
    let claimed = of_caller.then_some(situation.caller);
    RecordFacts {
        subject: row.map(|r| r.subject.clone()),
        jurisdictions: origin::jurisdictions(&evidence),
        chosen: row.and_then(|r| r.home.clone()).or_else(|| claimed.and_then(|c| c.claims.home.clone())),
        age_band: row.map(|r| r.age_band).filter(|a| *a != Default::default()).or(claimed.and_then(|c| c.claims.age_band)).unwrap_or_default(),
        categories,
        of_caller,
    }
}

/// An unread body may speak of anybody the API serves, or of its known caller.
fn opaque_record(caller_row: Option<&SubjectRow>, people: &People, on_record: &OnRecord<'_>, situation: &Situation<'_>) -> RecordFacts {
    let of_caller = situation.speaks_of_caller;
    let row = caller_row.filter(|_| of_caller && people.caller.is_some());
    let evidence = Evidence { opaque: true, ..evidence(row, of_caller, on_record, situation) };
    RecordFacts {
        subject: row.map(|r| r.subject.clone()),
        jurisdictions: origin::jurisdictions(&evidence),
        chosen: row.and_then(|r| r.home.clone()).or_else(|| of_caller.then(|| situation.caller.claims.home.clone()).flatten()),
        of_caller,
        ..RecordFacts::default()
    }
}

/// What speaks for a jurisdiction besides the content of a record.
fn evidence<'a>(row: Option<&SubjectRow>, of_caller: bool, on_record: &OnRecord<'_>, situation: &Situation<'a>) -> Evidence<'a> {
    let registered = match (row, on_record.rows) {
        (Some(row), _) => Registered::Row(row.jurisdictions.clone()),
        (None, Some(_)) => Registered::Unknown,
        (None, None) => Registered::Unavailable,
    };
    Evidence {
        direction: situation.direction,
        registered,
        claimed: situation.caller.claims.jurisdiction.filter(|_| of_caller),
        issued: BTreeSet::new(),
        hints: BTreeSet::new(),
        located: situation.caller.located,
        tokens: BTreeSet::new(),
        backend: situation.backend.as_ref().and_then(|b| b.jurisdiction),
        opaque: false,
        speaks_of_caller: situation.speaks_of_caller,
        caller_known: situation.caller.is_known(),
        people_of: situation.people_of,
    }
}

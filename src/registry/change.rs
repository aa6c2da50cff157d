//! What each order does to the tables. Runs inside a transaction of the store; every change leaves one line of history.

use super::key::{LookUp, RegistryKey};
use super::order::{ConsentOrder, EndOrder, Ending, HomeOrder, Named, Order};
use super::store::{body_of, events, resolve, subject_row, to_text};
use super::subject::{SubjectKey, mint};
use super::{Change, Record, RecordKind, Unavailable, WriteError, Written};
use crate::model::SubjectRef;
use crate::model::basis::{ConsentState, InstrumentStatus};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// Carries out one order.
pub(super) fn apply(db: &Connection, key: &RegistryKey, order: &Order, now: Timestamp) -> Result<Written, WriteError> {
    match order {
        Order::Home(home) => set_home(db, key, home, now),
        Order::Consent(consent) => add_consent(db, key, consent, now),
        Order::Instrument(record) => add(db, Record::Instrument(record.clone()), now),
        Order::Assessment(record) => add(db, Record::Assessment(record.clone()), now),
        Order::Exemption(record) => add(db, Record::Exemption(record.clone()), now),
        Order::End(end) => end_record(db, end, now),
    }
}

fn set_home(db: &Connection, key: &RegistryKey, order: &HomeOrder, now: Timestamp) -> Result<Written, WriteError> {
    let subject = resolve_or_mint(db, key, &order.subject)?;
    for alias in &order.aliases {
        let digest = key.look_up(alias);
        match resolve(db, &digest)? {
            Some(other) if other != subject => {
                return Err(WriteError::Conflict(format!("an alias in `{}` already names another subject, `{other}`", alias.namespace())));
            }
            Some(_) => {}
            None => bind(db, &digest, &subject)?,
        }
    }
    let row = subject_row(db, &subject)?.ok_or_else(|| Unavailable(format!("the row of `{subject}` is missing")))?;
    let jurisdictions = order.jurisdictions.as_ref().unwrap_or(&row.jurisdictions);
    let age_band = order.age_band.unwrap_or(row.age_band);
    db.execute(
        "UPDATE subjects SET home = ?2, jurisdictions = ?3, age_band = ?4 WHERE subject = ?1",
        params![subject.as_str(), order.home.as_str(), to_text(jurisdictions)?, age_band.id()],
    )?;
    let moved = row.home.as_ref().is_some_and(|old| *old != order.home);
    let mut written = event(if moved { Change::HomeChange } else { Change::HomeSet }, now);
    written.subject = Some(subject);
    written.home = Some(order.home.clone());
    written.old_home = row.home;
    record_event(db, written)
}

fn add_consent(db: &Connection, key: &RegistryKey, order: &ConsentOrder, now: Timestamp) -> Result<Written, WriteError> {
    let mut consent = order.consent.clone();
    consent.subject = match &order.subject {
        Named::Key(named) => resolve_or_mint(db, key, named)?,
        Named::Ref(reference) if subject_row(db, reference)?.is_some() => reference.clone(),
        Named::Ref(reference) => return Err(WriteError::Invalid(format!("`{reference}` is no subject of this registry: name the person by namespace and id"))),
    };
    add(db, Record::Consent(Box::new(consent)), now)
}

/// Keeps a new record. The same record again changes nothing.
fn add(db: &Connection, record: Record, now: Timestamp) -> Result<Written, WriteError> {
    let (change, id, subject, recipient) = match &record {
        Record::Consent(c) => (Change::ConsentAdded, &c.id, Some(&c.subject), c.recipient.as_ref().map(|r| &r.id)),
        Record::Instrument(i) => (Change::InstrumentAdded, &i.id, None, Some(&i.recipient)),
        Record::Assessment(a) => (Change::AssessmentAdded, &a.id, None, Some(&a.recipient)),
        Record::Exemption(e) => (Change::ExemptionAdded, &e.id, None, e.recipient.as_ref()),
    };
    let body = to_text(&record)?;
    let (status, missing) = record.standing();
    let mut written = event(change, now);
    (written.id, written.subject, written.recipient) = (Some(id.clone()), subject.cloned(), recipient.cloned());
    (written.status, written.missing) = (Some(status), missing);
    let present: Option<(String, String)> =
        db.query_row("SELECT kind, body FROM records WHERE id = ?1", [id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match present {
        Some((kind, same)) if kind == record.kind().id() && same == body => return repeated(db, written),
        Some((kind, _)) => return Err(WriteError::Conflict(format!("`{id}` is already the id of another {kind}: leave `id` out to get a new one"))),
        None => {}
    }
    let (subject, recipient) = (subject.map(|s| s.as_str()), recipient.map(|r| r.as_str()));
    db.execute(
        "INSERT INTO records (id, kind, subject, recipient, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id.as_str(), record.kind().id(), subject, recipient, body],
    )?;
    record_event(db, written)
}

/// Ends a record at `now`. What has already ended stays as it ended.
fn end_record(db: &Connection, order: &EndOrder, now: Timestamp) -> Result<Written, WriteError> {
    let (kind, change) = match order.what {
        Ending::Consent => (RecordKind::Consent, Change::ConsentWithdrawn),
        Ending::Instrument => (RecordKind::Instrument, Change::InstrumentEnded),
        Ending::Exemption => (RecordKind::Exemption, Change::ExemptionEnded),
    };
    let body = body_of(db, kind, &order.id)?.ok_or_else(|| WriteError::NotFound(format!("there is no {kind} `{}`", order.id)))?;
    let mut record = Record::parse(kind, &body)?;
    let ended_now = match &mut record {
        Record::Consent(c) => {
            let ended = matches!(c.state, ConsentState::Withdrawn | ConsentState::Revoked | ConsentState::Invalidated);
            if !ended {
                (c.state, c.ended_at) = (ConsentState::Withdrawn, Some(now));
            }
            !ended
        }
        Record::Instrument(i) => {
            let ended = i.status == InstrumentStatus::Terminated;
            i.status = InstrumentStatus::Terminated;
            !ended
        }
        Record::Exemption(e) => {
            let ended = e.expires_at.is_some_and(|end| end <= now);
            e.expires_at = e.expires_at.map_or(Some(now), |end| Some(end.min(now)));
            !ended
        }
        Record::Assessment(_) => false,
    };
    let mut written = event(change, now);
    written.id = Some(order.id.clone());
    written.status = Some(if order.what == Ending::Exemption { "ended".to_owned() } else { record.standing().0 });
    (written.subject, written.recipient) = match &record {
        Record::Consent(c) => (Some(c.subject.clone()), c.recipient.as_ref().map(|r| r.id.clone())),
        Record::Instrument(i) => (None, Some(i.recipient.clone())),
        Record::Assessment(a) => (None, Some(a.recipient.clone())),
        Record::Exemption(e) => (None, e.recipient.clone()),
    };
    if !ended_now {
        return repeated(db, written);
    }
    db.execute("UPDATE records SET body = ?2 WHERE id = ?1", params![order.id.as_str(), to_text(&record)?])?;
    record_event(db, written)
}

fn event(change: Change, now: Timestamp) -> Written {
    Written {
        event: 0,
        time: now,
        change,
        id: None,
        subject: None,
        recipient: None,
        status: None,
        missing: BTreeSet::new(),
        home: None,
        old_home: None,
        repeated: false,
    }
}

fn record_event(db: &Connection, mut written: Written) -> Result<Written, WriteError> {
    let (id, subject) = (written.id.as_ref().map(|i| i.as_str()), written.subject.as_ref().map(|s| s.as_str()));
    db.execute("INSERT INTO events (change, id, subject, body) VALUES (?1, ?2, ?3, ?4)", params![written.change.id(), id, subject, to_text(&written)?])?;
    written.event = db.last_insert_rowid().max(0) as u64;
    Ok(written)
}

/// The answer to an order that was carried out before: that of the last event of the record.
fn repeated(db: &Connection, written: Written) -> Result<Written, WriteError> {
    let id = written.id.as_ref().map_or("", |id| id.as_str());
    let last = events(db, "SELECT seq, body FROM events WHERE id = ?1 ORDER BY seq DESC LIMIT 1", [id])?.pop();
    let (event, time) = last.map_or((0, written.time), |last| (last.event, last.time));
    Ok(Written { event, time, repeated: true, ..written })
}

fn resolve_or_mint(db: &Connection, key: &RegistryKey, named: &SubjectKey) -> Result<SubjectRef, Unavailable> {
    let digest = key.look_up(named);
    if let Some(subject) = resolve(db, &digest)? {
        return Ok(subject);
    }
    let subject = mint().map_err(|e| Unavailable(e.to_string()))?;
    db.execute("INSERT INTO subjects (subject) VALUES (?1)", [subject.as_str()])?;
    bind(db, &digest, &subject)?;
    Ok(subject)
}

fn bind(db: &Connection, digest: &LookUp, subject: &SubjectRef) -> Result<(), Unavailable> {
    db.execute("INSERT INTO lookups (digest, key_id, subject) VALUES (?1, ?2, ?3)", params![digest, RegistryKey::ID, subject.as_str()])?;
    Ok(())
}

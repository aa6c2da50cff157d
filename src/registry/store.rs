//! The SQLite file: one connection, blocking calls. A change and its line of history are one transaction, synced before it returns.

use super::change::apply;
use super::key::{LookUp, RegistryKey};
use super::order::Order;
use super::subject::SubjectKey;
use super::{PAGE_RECORDS_MAX, Page, Record, RecordKind, Shown, SubjectRow, Unavailable, WriteError, Written};
use crate::model::basis::{Assessment, Bases, Consent, ConsentState, Element, Exemption, Instrument};
use crate::model::{BasisId, Head, SubjectRef};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// How long a call waits for another process that writes the file.
const BUSY: Duration = Duration::from_secs(1);
/// The registry is for its owner alone: consents tell of health and belief even without names.
const FILE_MODE: u32 = 0o600;
/// Version of the schema this code writes; `user_version` of the file.
const SCHEMA_VERSION: i64 = 1;

impl From<rusqlite::Error> for Unavailable {
    fn from(error: rusqlite::Error) -> Self {
        Unavailable(error.to_string())
    }
}

impl From<Unavailable> for WriteError {
    fn from(why: Unavailable) -> Self {
        WriteError::Unavailable(why)
    }
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        WriteError::Unavailable(error.into())
    }
}

/// Everything on record about one person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) digests: Vec<LookUp>,
    pub(super) row: SubjectRow,
    pub(super) consents: Vec<Consent>,
}

/// One connection to a registry file.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    key: RegistryKey,
    /// Device and inode of the file that is open.
    file: (u64, u64),
}

impl Store {
    /// Opens the file, creating or migrating it if need be. A file made with another key is refused: every person in it would be a stranger.
    pub fn open(path: &Path, key: &RegistryKey) -> Result<Store, Unavailable> {
        // SQLite gives its other files the mode of this one. A file that exists must not be opened here: closing any descriptor of it
        // would drop the locks of this process's other connections (sqlite.org/howtocorrupt.html §2.2).
        match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Unavailable(format!("`{}`: {error}", path.display()))),
            _ => Store::reopen(path, key),
        }
    }

    /// As [`Store::open`], but a file that is gone stays gone: an empty registry in its place would have forgotten every withdrawal.
    pub(super) fn reopen(path: &Path, key: &RegistryKey) -> Result<Store, Unavailable> {
        let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        // In WAL mode only FULL syncs at each commit; NORMAL may lose acknowledged writes in a power cut.
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "trusted_schema", false)?;
        migrate(&mut db, key)?;
        let check: String = db.query_row("SELECT value FROM meta WHERE name = 'key_check'", [], |row| row.get(0))?;
        if check != hex::encode(key.check()) {
            return Err(Unavailable(format!("`{}` was made with another registry key", path.display())));
        }
        Ok(Store { db, key: key.clone(), file: identity(path)? })
    }

    /// Which file is open.
    pub(super) fn file(&self) -> (u64, u64) {
        self.file
    }

    /// Whether `path` still is the file that is open: the system lets go of a name while the old file lives on under our feet.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        identity(path).is_ok_and(|file| file == self.file)
    }

    /// Makes one change. See [`Written::may_close`] for when it may be acknowledged.
    pub fn write(&mut self, order: &Order, now: Timestamp) -> Result<Written, WriteError> {
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = apply(&change, &self.key, order, now)?;
        change.commit()?;
        Ok(written)
    }

    /// Makes many changes in one transaction. One that is refused does not hinder the others; a fault of the store undoes all.
    pub fn write_all(&mut self, orders: &[Order], now: Timestamp) -> Result<Vec<Result<Written, WriteError>>, Unavailable> {
        let mut change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut results = Vec::with_capacity(orders.len());
        for order in orders {
            let mut point = change.savepoint()?;
            let result = apply(&point, &self.key, order, now);
            match &result {
                Ok(_) => point.commit()?,
                Err(WriteError::Unavailable(why)) => return Err(why.clone()),
                Err(_) => point.rollback()?,
            }
            results.push(result);
        }
        change.commit()?;
        Ok(results)
    }

    /// Writes nothing of meaning: tells whether the file can be written.
    pub(super) fn probe(&mut self) -> Result<(), Unavailable> {
        Ok(self.db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', '')", []).map(|_| ())?)
    }

    /// What is on record about a person, with the history of their home, oldest first.
    pub fn show_subject(&self, key: &SubjectKey) -> Result<Option<(SubjectRow, Vec<Written>)>, Unavailable> {
        let Some(subject) = resolve(&self.db, &self.key.look_up(key))? else { return Ok(None) };
        let Some(row) = subject_row(&self.db, &subject)? else { return Ok(None) };
        let sql = "SELECT seq, body FROM events WHERE subject = ?1 AND change IN ('home_set', 'home_change') ORDER BY seq";
        Ok(Some((row, events(&self.db, sql, [subject.as_str()])?)))
    }

    /// One record with its history.
    pub fn show(&self, kind: RecordKind, id: &BasisId) -> Result<Option<Shown>, Unavailable> {
        let Some(body) = body_of(&self.db, kind, id)? else { return Ok(None) };
        let record = Record::parse(kind, &body)?;
        let history = events(&self.db, "SELECT seq, body FROM events WHERE id = ?1 ORDER BY seq", [id.as_str()])?;
        let (status, missing) = record.standing();
        Ok(Some(Shown { status, missing, record, history }))
    }

    /// A page of records of one kind.
    pub fn list(&self, kind: RecordKind, page: &Page) -> Result<Vec<Record>, Unavailable> {
        let sql =
            "SELECT body FROM records WHERE kind = ?1 AND id > ?2 AND (?3 IS NULL OR subject = ?3) AND (?4 IS NULL OR recipient = ?4) ORDER BY id LIMIT ?5";
        let after = page.after.as_ref().map_or("", |id| id.as_str());
        let (subject, recipient) = (page.subject.as_ref().map(|s| s.as_str()), page.recipient.as_ref().map(|r| r.as_str()));
        let limit = page.limit.min(PAGE_RECORDS_MAX) as i64;
        let mut query = self.db.prepare_cached(sql)?;
        let bodies = query.query_map(params![kind.id(), after, subject, recipient, limit], text)?;
        bodies.map(|body| Record::parse(kind, &body?)).collect()
    }

    /// Changes with a number above `after`, oldest first.
    pub(super) fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Written>, Unavailable> {
        events(&self.db, "SELECT seq, body FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2", params![after as i64, limit.min(i64::MAX as usize) as i64])
    }

    /// Number of the last change.
    pub(super) fn last_event(&self) -> Result<u64, Unavailable> {
        Ok(self.db.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get::<_, i64>(0))?.max(0) as u64)
    }

    /// Changes that are not yet in the ledger.
    pub(super) fn unjournalled(&self, limit: usize) -> Result<Vec<Written>, Unavailable> {
        self.events_after(meta(&self.db, "journalled")?.unwrap_or(0), limit)
    }

    /// Everything up to this event is in the ledger; never moves back.
    pub(super) fn mark_journalled(&mut self, event: u64) -> Result<(), Unavailable> {
        let done: u64 = meta(&self.db, "journalled")?.unwrap_or(0);
        set_meta(&self.db, "journalled", &done.max(event))
    }

    /// Keeps the head of the journal.
    pub(super) fn keep_head(&mut self, head: &Head) -> Result<(), Unavailable> {
        set_meta(&self.db, "ledger_head", head)
    }

    /// The head of the journal that was last kept.
    pub fn head(&self) -> Result<Option<Head>, Unavailable> {
        meta(&self.db, "ledger_head")
    }

    /// The first `limit` persons whose reference comes after `after`.
    pub(super) fn persons_after(&self, after: &str, limit: usize) -> Result<Vec<Person>, Unavailable> {
        let mut query = self.db.prepare_cached("SELECT subject FROM subjects WHERE subject > ?1 ORDER BY subject LIMIT ?2")?;
        let subjects = query.query_map(params![after, limit as i64], text)?;
        subjects.filter_map(|subject| subject.map_err(Unavailable::from).and_then(|s| self.person(&reference(&s)?)).transpose()).collect()
    }

    /// How many persons are on record.
    pub(super) fn persons(&self) -> Result<usize, Unavailable> {
        Ok(self.db.query_row("SELECT count(*) FROM subjects", [], |row| row.get::<_, i64>(0))?.max(0) as usize)
    }

    /// The person behind a look-up digest.
    pub(super) fn person_of(&self, digest: &LookUp) -> Result<Option<Person>, Unavailable> {
        resolve(&self.db, digest)?.map_or(Ok(None), |subject| self.person(&subject))
    }

    /// Everything on record about one person.
    pub(super) fn person(&self, subject: &SubjectRef) -> Result<Option<Person>, Unavailable> {
        let Some(row) = subject_row(&self.db, subject)? else { return Ok(None) };
        let mut query = self.db.prepare_cached("SELECT digest FROM lookups WHERE subject = ?1")?;
        let digests = query.query_map([subject.as_str()], |row| row.get::<_, LookUp>(0))?.collect::<Result<_, _>>()?;
        let mut query = self.db.prepare_cached("SELECT body FROM records WHERE subject = ?1 AND kind = 'consent' ORDER BY id")?;
        let bodies = query.query_map([subject.as_str()], text)?;
        let consents = bodies.map(|body| from_text(&body?)).collect::<Result<_, Unavailable>>()?;
        Ok(Some(Person { digests, row, consents }))
    }

    /// Every instrument, assessment and exemption.
    pub(super) fn parties(&self) -> Result<Bases, Unavailable> {
        let mut bases = Bases::default();
        let mut query = self.db.prepare_cached("SELECT kind, body FROM records WHERE kind <> 'consent' ORDER BY id")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let kind: RecordKind = row.get::<_, String>(0)?.parse().map_err(Unavailable)?;
            match Record::parse(kind, &row.get::<_, String>(1)?)? {
                Record::Instrument(record) => bases.instruments.push(*record),
                Record::Assessment(record) => bases.assessments.push(*record),
                Record::Exemption(record) => bases.exemptions.push(*record),
                Record::Consent(_) => {}
            }
        }
        Ok(bases)
    }
}

/// The journal's head that the registry in this file keeps. Needs no key and changes nothing.
pub fn head_in(path: &Path) -> Result<Option<Head>, Unavailable> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY)?;
    meta(&db, "ledger_head")
}

impl Record {
    pub(super) fn parse(kind: RecordKind, body: &str) -> Result<Record, Unavailable> {
        Ok(match kind {
            RecordKind::Consent => Record::Consent(from_text::<Box<Consent>>(body)?),
            RecordKind::Instrument => Record::Instrument(from_text::<Box<Instrument>>(body)?),
            RecordKind::Assessment => Record::Assessment(from_text::<Box<Assessment>>(body)?),
            RecordKind::Exemption => Record::Exemption(from_text::<Box<Exemption>>(body)?),
        })
    }

    pub(super) fn kind(&self) -> RecordKind {
        match self {
            Record::Consent(_) => RecordKind::Consent,
            Record::Instrument(_) => RecordKind::Instrument,
            Record::Assessment(_) => RecordKind::Assessment,
            Record::Exemption(_) => RecordKind::Exemption,
        }
    }

    /// Where the record stands, and what an insufficient consent lacks.
    pub(super) fn standing(&self) -> (String, BTreeSet<Element>) {
        match self {
            Record::Consent(consent) => {
                let missing = consent.deficiencies();
                let open = matches!(consent.state, ConsentState::Given | ConsentState::Renewed);
                if open && !missing.is_empty() { ("insufficient".to_owned(), missing) } else { (consent.state.to_string(), missing) }
            }
            Record::Instrument(instrument) => (instrument.status.to_string(), BTreeSet::new()),
            Record::Assessment(assessment) => (assessment.result.to_string(), BTreeSet::new()),
            Record::Exemption(exemption) => (if exemption.expires_at.is_some() { "limited" } else { "open_ended" }.to_owned(), BTreeSet::new()),
        }
    }
}

fn identity(path: &Path) -> Result<(u64, u64), Unavailable> {
    let file = std::fs::metadata(path).map_err(|e| Unavailable(format!("`{}`: {e}", path.display())))?;
    Ok((file.dev(), file.ino()))
}

fn migrate(db: &mut Connection, key: &RegistryKey) -> Result<(), Unavailable> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > SCHEMA_VERSION {
        return Err(Unavailable(format!("the registry file has version {version}; this program knows versions up to {SCHEMA_VERSION}")));
    }
    if version == 0 {
        change.execute_batch(include_str!("schema.sql"))?;
        change.execute("INSERT INTO meta (name, value) VALUES ('key_check', ?1)", [hex::encode(key.check())])?;
        change.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    Ok(change.commit()?)
}

pub(super) fn events(db: &Connection, sql: &str, arguments: impl rusqlite::Params) -> Result<Vec<Written>, Unavailable> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map(arguments, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (seq, body) = row?;
        from_text(&body).map(|written: Written| Written { event: seq.max(0) as u64, ..written })
    })
    .collect()
}

pub(super) fn resolve(db: &Connection, digest: &LookUp) -> Result<Option<SubjectRef>, Unavailable> {
    let found = db.prepare_cached("SELECT subject FROM lookups WHERE digest = ?1")?.query_row([digest], text).optional()?;
    found.map(|subject| reference(&subject)).transpose()
}

pub(super) fn subject_row(db: &Connection, subject: &SubjectRef) -> Result<Option<SubjectRow>, Unavailable> {
    let mut query = db.prepare_cached("SELECT home, jurisdictions, age_band FROM subjects WHERE subject = ?1")?;
    let found =
        query.query_row([subject.as_str()], |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))).optional()?;
    let Some((home, jurisdictions, age_band)) = found else { return Ok(None) };
    let home = home.map(|home| home.parse()).transpose().map_err(garbage)?;
    Ok(Some(SubjectRow { subject: subject.clone(), home, jurisdictions: from_text(&jurisdictions)?, age_band: age_band.parse().map_err(garbage)? }))
}

pub(super) fn body_of(db: &Connection, kind: RecordKind, id: &BasisId) -> Result<Option<String>, Unavailable> {
    Ok(db.query_row("SELECT body FROM records WHERE id = ?1 AND kind = ?2", [id.as_str(), kind.id()], text).optional()?)
}

fn meta<T: DeserializeOwned>(db: &Connection, name: &str) -> Result<Option<T>, Unavailable> {
    let value: Option<String> = db.query_row("SELECT value FROM meta WHERE name = ?1", [name], text).optional()?;
    value.map(|value| from_text(&value)).transpose()
}

fn set_meta<T: Serialize>(db: &Connection, name: &str, value: &T) -> Result<(), Unavailable> {
    db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", [name, to_text(value)?.as_str()])?;
    Ok(())
}

fn text(row: &Row<'_>) -> rusqlite::Result<String> {
    row.get(0)
}

fn reference(subject: &str) -> Result<SubjectRef, Unavailable> {
    subject.parse().map_err(garbage)
}

fn from_text<T: DeserializeOwned>(body: &str) -> Result<T, Unavailable> {
    serde_json::from_str(body).map_err(garbage)
}

pub(super) fn to_text<T: Serialize>(value: &T) -> Result<String, Unavailable> {
    serde_json::to_string(value).map_err(garbage)
}

fn garbage(error: impl std::fmt::Display) -> Unavailable {
    Unavailable(format!("the registry holds what it should not: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Change, EndOrder, Ending};
    use serde_json::{Value, json};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("registry.db"), &RegistryKey::new([7; 32])).unwrap();
        (folder, store)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        at("2026-11-23T09:00:00Z")
    }

    fn separate() -> Value {
        json!({"id": "c1", "subject": {"namespace": "account", "id": "u1"}, "class": "separate",
            "recipient": {"id": "statistics-sg", "name": "Statistics", "contact": "privacy@statistics.example"},
            "purposes": ["analytics"], "categories": ["phone_number"], "destinations": ["SG"], "method": "api", "rights_procedure": "by mail", "withdrawal_method": "in the app",
            "notice": {"digest": format!("sha256:{}", "0".repeat(64))}, "risks": "foreign access", "presented_separately": true, "given_at": "2026-11-01T00:00:00Z"})
    }

    fn order(value: &Value) -> Order {
        Order::consent(value.to_string().as_bytes()).unwrap()
    }

    fn withdraw(id: &str) -> Order {
        Order::End(EndOrder { what: Ending::Consent, id: id.parse().unwrap() })
    }

    #[test]
    fn a_complete_consent_is_given() {
        let (_folder, mut store) = store();
        let written = store.write(&order(&separate()), now()).unwrap();
        assert_eq!((written.status.as_deref(), written.missing.len(), written.event), (Some("given"), 0, 1));
        assert!(written.subject.unwrap().as_str().starts_with("sub_"));
    }

    #[test]
    fn a_consent_that_lacks_what_its_class_needs_is_kept_and_says_what() {
        let cases = [
            ("/recipient/name", "recipient_name"),
            ("/recipient/contact", "recipient_contact"),
            ("/purposes", "purpose"),
            ("/method", "method"),
            ("/categories", "categories"),
            ("/rights_procedure", "rights_procedure"),
            ("/notice/digest", "notice"),
            ("/withdrawal_method", "withdrawal_method"),
            ("/destinations", "destinations"),
            ("/presented_separately", "presented_separately"),
        ];
        for class in ["separate", "written", "explicit"] {
            for (at, missing) in cases {
                let (_folder, mut store) = store();
                let mut value = separate();
                value["class"] = class.into();
                let (parent, name) = at.rsplit_once('/').unwrap();
                value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
                let written = store.write(&order(&value), now()).unwrap();
                assert_eq!(written.status.as_deref(), Some("insufficient"), "{class} {at}");
                assert_eq!(written.missing.iter().map(|e| e.id()).collect::<Vec<_>>(), [missing]);
                let shown = store.show(RecordKind::Consent, &"c1".parse().unwrap()).unwrap().unwrap();
                assert_eq!((shown.status.as_str(), shown.missing), ("insufficient", written.missing));
            }
        }
    }

    #[test]
    fn s0_03_a_notice_that_lacks_one_element_is_insufficient_and_names_it() {
        // Purpose, types of data, identity of the recipient, risks: whatever the policy. The recipient's security capability: where a policy asks for it.
        for (field, missing) in [("purposes", "purpose"), ("categories", "categories"), ("recipient", "recipient_name"), ("risks", "risks")] {
            let (_folder, mut store) = store();
            let mut value = separate();
            value["class"] = "explicit".into();
            if field == "recipient" {
                value["recipient"] = json!({"id": "statistics-sg", "contact": "privacy@statistics.example"});
            } else {
                value.as_object_mut().unwrap().remove(field);
            }
            let written = store.write(&order(&value), now()).unwrap();
            assert_eq!(written.missing.iter().map(|e| e.id()).collect::<Vec<_>>(), [missing], "{field}");
        }
        let Order::Consent(complete) = order(&separate()) else { panic!() };
        assert!(!complete.consent.tells(Element::SecurityCapability));
    }

    #[test]
    fn a_ticked_box_is_no_consent_of_any_class() {
        for class in ["general", "separate", "written", "explicit", "guardian"] {
            let (_folder, mut store) = store();
            let mut value = separate();
            (value["class"], value["preticked"]) = (class.into(), true.into());
            assert!(store.write(&order(&value), now()).unwrap().missing.contains(&Element::NotPreticked), "{class}");
        }
    }

    #[test]
    fn s0_14_a_withdrawal_ends_one_consent_once_and_leaves_the_others_and_the_history() {
        let (_folder, mut store) = store();
        let mut other = separate();
        (other["id"], other["purposes"]) = ("c2".into(), json!(["support"]));
        store.write(&order(&separate()), at("2026-11-02T00:00:00Z")).unwrap();
        store.write(&order(&other), at("2026-11-02T00:00:00Z")).unwrap();
        let first = store.write(&withdraw("c1"), now()).unwrap();
        let again = store.write(&withdraw("c1"), at("2026-12-01T00:00:00Z")).unwrap();
        assert!(!first.repeated && again.repeated && again.may_close());
        assert_eq!((again.event, again.time), (first.event, now()));
        let shown = store.show(RecordKind::Consent, &"c1".parse().unwrap()).unwrap().unwrap();
        let Record::Consent(consent) = &shown.record else { panic!() };
        assert_eq!((consent.state, consent.ended_at), (ConsentState::Withdrawn, Some(now())));
        assert_eq!(shown.history.iter().map(|w| w.change).collect::<Vec<_>>(), [Change::ConsentAdded, Change::ConsentWithdrawn]);
        let person = store.person(&consent.subject).unwrap().unwrap();
        assert_eq!(person.consents.iter().filter(|c| c.stands(now())).map(|c| c.id.as_str()).collect::<Vec<_>>(), ["c2"]);
    }

    #[test]
    fn the_same_record_again_changes_nothing_and_another_of_its_id_is_refused() {
        let (_folder, mut store) = store();
        let first = store.write(&order(&separate()), now()).unwrap();
        let again = store.write(&order(&separate()), now()).unwrap();
        assert!(again.repeated);
        assert_eq!(again.event, first.event);
        let mut other = separate();
        other["purposes"] = json!(["support"]);
        assert!(matches!(store.write(&order(&other), now()), Err(WriteError::Conflict(_))));
        let instrument = Order::instrument(br#"{"id":"c1","type":"eu_scc","recipient":"r","status":"in_force"}"#).unwrap();
        assert!(matches!(store.write(&instrument, now()), Err(WriteError::Conflict(_))));
        assert!(matches!(store.write(&withdraw("c9"), now()), Err(WriteError::NotFound(_))));
    }

    #[test]
    fn history_cannot_be_changed() {
        let (_folder, mut store) = store();
        store.write(&order(&separate()), now()).unwrap();
        for sql in ["UPDATE events SET body = ''", "DELETE FROM events"] {
            assert!(store.db.execute_batch(sql).unwrap_err().to_string().contains("append-only"));
        }
    }

    #[test]
    fn several_identifiers_name_one_person() {
        let (_folder, mut store) = store();
        let home = |json: Value| Order::home(json.to_string().as_bytes()).unwrap();
        let one = home(json!({"namespace": "account", "id": "u1", "home": "cn-north", "aliases": [{"namespace": "phone", "id": "13800138000"}]}));
        let subject = store.write(&one, now()).unwrap().subject;
        let by_phone = store.write(&home(json!({"namespace": "phone", "id": "+86 138 0013 8000", "home": "cn-north", "age_band": "adult"})), now()).unwrap();
        assert_eq!(by_phone.subject, subject);
        store.write(&home(json!({"namespace": "account", "id": "u2", "home": "cn-north"})), now()).unwrap();
        let taken = home(json!({"namespace": "account", "id": "u2", "home": "eu-frankfurt", "aliases": [{"namespace": "phone", "id": "13800138000"}]}));
        assert!(matches!(store.write(&taken, now()), Err(WriteError::Conflict(_))));
        let (row, _) = store.show_subject(&SubjectKey::new("account".parse().unwrap(), "u2").unwrap()).unwrap().unwrap();
        assert_eq!(row.home.unwrap().as_str(), "cn-north", "a refused order changes nothing");
    }

    #[test]
    fn one_bad_record_does_not_hinder_the_others() {
        let (_folder, mut store) = store();
        let mut stranger = separate();
        (stranger["id"], stranger["subject"]) = ("c2".into(), "sub_unknown".into());
        let mut last = separate();
        last["id"] = "c3".into();
        let results = store.write_all(&[order(&separate()), order(&stranger), order(&last)], now()).unwrap();
        assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        let ids: Vec<String> = store
            .list(RecordKind::Consent, &Page { limit: 10, ..Page::default() })
            .unwrap()
            .iter()
            .map(|r| serde_json::to_value(r).unwrap()["id"].to_string())
            .collect();
        assert_eq!(ids, ["\"c1\"", "\"c3\""]);
    }

    #[test]
    fn what_ends_is_no_longer_in_force() {
        let (_folder, mut store) = store();
        store.write(&Order::instrument(br#"{"id":"i1","type":"eu_scc","recipient":"r","status":"in_force"}"#).unwrap(), now()).unwrap();
        store.write(&Order::exemption(br#"{"id":"e1","kind":"hr","reference":"rule 7","effective_at":"2026-01-01T00:00:00Z"}"#).unwrap(), now()).unwrap();
        for (what, id) in [(Ending::Instrument, "i1"), (Ending::Exemption, "e1")] {
            let order = Order::End(EndOrder { what, id: id.parse().unwrap() });
            assert!(!store.write(&order, now()).unwrap().repeated);
            assert!(store.write(&order, at("2026-12-01T00:00:00Z")).unwrap().repeated);
        }
        let bases = store.parties().unwrap();
        assert!(!bases.instruments[0].in_force(now()));
        assert_eq!(bases.exemptions[0].expires_at, Some(now()));
    }

    #[test]
    fn the_files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, mut store) = store();
        store.write(&order(&separate()), now()).unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, FILE_MODE);
        }
    }

    #[test]
    fn another_key_does_not_open_the_file() {
        let (folder, _store) = store();
        let error = Store::open(&folder.path().join("registry.db"), &RegistryKey::new([8; 32])).unwrap_err();
        assert!(error.0.contains("another registry key"), "{error}");
    }

    #[test]
    fn a_file_of_a_later_version_is_not_touched() {
        let (folder, store) = store();
        store.db.pragma_update(None, "user_version", 9).unwrap();
        assert!(Store::open(&folder.path().join("registry.db"), &RegistryKey::new([7; 32])).unwrap_err().0.contains("version 9"));
    }
}

//! What the tests of this folder share: entries, and a storage that forgets what was not synced and fails when told to.

use super::entry::{Detected, Entry, Event};
use super::storage::{Segment, Storage};
use crate::model::evidence::{Anchor, Head};
use crate::model::{Category, Direction, Region};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

/// A decision on one message.
pub(super) fn entry(id: &str, time: &str, action: &str, rule: &str) -> Entry {
    let facts = json!({"now": time, "direction": "request", "purpose": "account_registration",
        "records": [{"subject": "sub_1", "jurisdictions": ["CN"], "categories": {"phone_number": "clear"}}]});
    let decision = json!({"outcome": "block", "action": action, "destination": null, "rules": [rule], "missing": [], "obligations": [], "bases": [], "conflicts": [],
        "records": [], "stays": false, "recorded": true, "policy": {"id": "p", "version": "1", "digest": "sha256:00"}, "facts": "sha256:00"});
    Entry {
        time: time.parse().unwrap(),
        id: id.parse().unwrap(),
        node: "eu-1".parse().unwrap(),
        region: "eu-frankfurt".parse::<Region>().unwrap(),
        event: Event::Decision {
            api: "accounts".parse().unwrap(),
            direction: Direction::Request,
            facts: Box::new(serde_json::from_value(facts).unwrap()),
            decision: Box::new(serde_json::from_value(decision).unwrap()),
            detectors: vec![Detected::new(Category::PhoneNumber, "cn_mobile", 0.99)],
            bytes: 17,
        },
    }
}

/// A transfer that was allowed.
pub(super) fn allowed(id: &str) -> Entry {
    entry(id, "2026-11-23T09:00:00Z", "forward", "r")
}

#[derive(Debug, Default, Clone)]
struct File {
    durable: Vec<u8>,
    pending: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, File>,
    syncs: u64,
    failing_append: bool,
    failing_sync: bool,
}

/// Files in memory. What was appended and not synced is gone after `cut`.
#[derive(Debug, Default, Clone)]
pub(super) struct Lossy(Arc<Mutex<State>>);

impl Lossy {
    /// The storage as it is found after a power cut at this instant.
    pub(super) fn cut(&self) -> Lossy {
        let files =
            self.0.lock().unwrap().files.iter().map(|(name, file)| (name.clone(), File { durable: file.durable.clone(), pending: Vec::new() })).collect();
        Lossy(Arc::new(Mutex::new(State { files, ..State::default() })))
    }

    pub(super) fn syncs(&self) -> u64 {
        self.0.lock().unwrap().syncs
    }

    /// From now on an append takes half of its bytes and says that the disk is full.
    pub(super) fn fill_disk(&self) {
        self.0.lock().unwrap().failing_append = true;
    }

    /// From now on no sync succeeds.
    pub(super) fn fail_sync(&self) {
        self.0.lock().unwrap().failing_sync = true;
    }

    /// Changes the bytes of one segment behind the writer's back.
    pub(super) fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.0.lock().unwrap().files.get_mut(name).unwrap().durable);
    }

    pub(super) fn remove(&self, name: &str) {
        self.0.lock().unwrap().files.remove(name).unwrap();
    }
}

impl Storage for Lossy {
    fn segments(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().unwrap().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let state = self.0.lock().unwrap();
        let file = state.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok([file.durable.as_slice(), file.pending.as_slice()].concat())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Segment>> {
        self.0.lock().unwrap().files.entry(name.to_owned()).or_default();
        Ok(Box::new(Open { storage: self.clone(), name: name.to_owned() }))
    }
}

struct Open {
    storage: Lossy,
    name: String,
}

impl Segment for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.storage.0.lock().unwrap();
        let taken = if state.failing_append { &bytes[..bytes.len() / 2] } else { bytes };
        let failing = state.failing_append;
        state.files.get_mut(&self.name).unwrap().pending.extend_from_slice(taken);
        if failing { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        // A disk takes its time; so groups form.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let mut state = self.storage.0.lock().unwrap();
        state.syncs += 1;
        if state.failing_sync {
            return Err(io::Error::other("sync failed"));
        }
        let file = state.files.get_mut(&self.name).unwrap();
        file.durable.append(&mut file.pending);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.storage.0.lock().unwrap();
        let file = state.files.get_mut(&self.name).unwrap();
        file.durable.append(&mut file.pending);
        file.durable.truncate(length as usize);
        Ok(())
    }
}

/// An anchor in memory.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Head>>);

impl Anchor for Kept {
    fn keep(&self, head: &Head) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(head.clone());
        Ok(())
    }

    fn last(&self) -> Result<Option<Head>, String> {
        Ok(self.0.lock().unwrap().clone())
    }
}

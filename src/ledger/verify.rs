//! Reads a journal from its first line and names the first that is bad; checks that nothing is missing at the end.

use super::entry::{follow, genesis};
use super::storage::Storage;
use crate::model::evidence::Head;
use serde::Serialize;
use std::io;

/// The first line that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bad {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Says what is wrong, as the rest of a sentence about the line.
    pub why: String,
}

/// Whether the journal still has everything that was once durable in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortening {
    /// No remembered head to compare with.
    NotChecked,
    /// The remembered head is in it.
    None,
    /// The remembered head is beyond its end.
    Shortened { remembered: u64, found: u64 },
    /// The entry of that number is not the one that was remembered.
    Replaced { remembered: u64 },
}

/// What a reading of a whole journal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub segments: usize,
    /// Entries up to the end, or to the first bad line.
    pub entries: u64,
    pub head: Head,
    pub bad: Option<Bad>,
    pub shortening: Shortening,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.bad.is_none() && matches!(self.shortening, Shortening::NotChecked | Shortening::None)
    }
}

/// The entries whose id is `id` or begins with `id/`, in order.
pub fn entries_of(storage: &dyn Storage, id: &str) -> io::Result<Vec<serde_json::Value>> {
    let mut found = Vec::new();
    for name in storage.segments()? {
        for line in storage.read(&name)?.split(|b| *b == b'\n') {
            let Ok(entry) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
            let rest = entry.get("id").and_then(serde_json::Value::as_str).and_then(|found| found.strip_prefix(id));
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                found.push(entry);
            }
        }
    }
    Ok(found)
}

/// Reads the whole journal. `remembered` is the head some anchor kept, read *before* this is called.
/// While a writer is at work (`being_written`) an unfinished last line is no fault.
pub fn verify(storage: &dyn Storage, remembered: Option<&Head>, being_written: bool) -> io::Result<Report> {
    let names = storage.segments()?;
    let mut walk = Walk::from(genesis(), remembered);
    let mut bad = None;
    for (index, name) in names.iter().enumerate() {
        if let Some(fault) = walk.segment(&storage.read(name)?).fault {
            let unfinished = fault.is_unfinished && being_written && index + 1 == names.len();
            bad = (!unfinished).then(|| Bad { file: name.clone(), line: fault.line, why: fault.why });
            break;
        }
    }
    let shortening = walk.shortening(remembered);
    Ok(Report { segments: names.len(), entries: walk.head.seq, head: walk.head, bad, shortening })
}

/// A reading that goes along the chain, segment by segment.
pub(super) struct Walk {
    pub(super) head: Head,
    watched: Option<u64>,
    hash_at_watched: Option<String>,
}

/// How far one segment is good.
pub(super) struct Reading {
    /// Bytes of the lines that are good.
    pub(super) good_bytes: usize,
    pub(super) fault: Option<Fault>,
}

/// Where a segment stops being good.
pub(super) struct Fault {
    /// From 1.
    pub(super) line: usize,
    pub(super) why: String,
    /// The line has no newline: its writing was cut off, or has not ended yet.
    pub(super) is_unfinished: bool,
}

impl Walk {
    /// Starts behind `head`, and will remember the hash of the entry that has the number of `remembered`.
    pub(super) fn from(head: Head, remembered: Option<&Head>) -> Self {
        let mut walk = Walk { head, watched: remembered.map(|r| r.seq), hash_at_watched: None };
        walk.watch();
        walk
    }

    /// Follows the lines of one segment up to the first bad one.
    pub(super) fn segment(&mut self, bytes: &[u8]) -> Reading {
        let mut good_bytes = 0;
        for (index, piece) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
            let fault = |why: String, is_unfinished| Reading { good_bytes, fault: Some(Fault { line: index + 1, why, is_unfinished }) };
            let Some(line) = piece.strip_suffix(b"\n") else {
                return fault("is unfinished: its writing was cut off".to_owned(), true);
            };
            match follow(line, &self.head) {
                Ok(head) => self.head = head,
                Err(why) => return fault(why, false),
            }
            self.watch();
            good_bytes += piece.len();
        }
        Reading { good_bytes, fault: None }
    }

    /// Whether the remembered head was met on the way.
    pub(super) fn shortening(&self, remembered: Option<&Head>) -> Shortening {
        match remembered {
            None => Shortening::NotChecked,
            Some(kept) if kept.seq > self.head.seq => Shortening::Shortened { remembered: kept.seq, found: self.head.seq },
            Some(kept) if self.hash_at_watched.as_ref() == Some(&kept.hash) => Shortening::None,
            Some(kept) => Shortening::Replaced { remembered: kept.seq },
        }
    }

    fn watch(&mut self) {
        if self.watched == Some(self.head.seq) {
            self.hash_at_watched = Some(self.head.hash.clone());
        }
    }
}

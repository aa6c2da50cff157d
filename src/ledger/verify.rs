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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::{Kept, Lossy, allowed};
    use crate::ledger::{Options, Writer};
    use crate::model::evidence::Anchor;
    use proptest::prelude::*;
    use std::sync::{Arc, LazyLock};

    /// Nine entries in three segments, and the head an anchor kept.
    fn journal() -> (Lossy, Head) {
        static JOURNAL: LazyLock<(Lossy, Head)> = LazyLock::new(written);
        (JOURNAL.0.cut(), JOURNAL.1.clone())
    }

    fn written() -> (Lossy, Head) {
        let (storage, anchor) = (Lossy::default(), Arc::new(Kept::default()));
        let length = crate::ledger::entry::Prepared::new(&allowed("x1/request")).unwrap().line(&genesis()).0.len() as u64;
        let options = Options { segment_bytes_max: 3 * length, ..Options::default() };
        let (writer, _) = Writer::open_with(Box::new(storage.clone()), options, Some(anchor.clone())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for n in 1..=9 {
            runtime.block_on(writer.append(allowed(&format!("x{n}/request")))).unwrap();
        }
        drop(writer);
        storage.segments().unwrap().iter().filter(|name| storage.read(name).unwrap().is_empty()).for_each(|name| storage.remove(name));
        assert_eq!(storage.segments().unwrap().len(), 3);
        (storage, anchor.last().unwrap().unwrap())
    }

    fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
        bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_whole_journal_is_sound() {
        let (storage, head) = journal();
        let report = verify(&storage, Some(&head), false).unwrap();
        assert!(report.is_sound());
        assert_eq!((report.entries, report.segments, report.shortening), (9, 3, Shortening::None));
        assert_eq!(verify(&storage, None, false).unwrap().shortening, Shortening::NotChecked);
    }

    proptest! {
        #[test]
        fn one_bit_flipped_anywhere_is_named(segment in 0_usize..3, at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let (storage, head) = journal();
            let name = storage.segments().unwrap()[segment].clone();
            let content = storage.read(&name).unwrap();
            let at = at.index(content.len());
            let line = content[..at].iter().filter(|b| **b == b'\n').count() + 1;
            storage.tamper(&name, |bytes| bytes[at] ^= 1 << bit);
            let bad = verify(&storage, Some(&head), false).unwrap().bad.unwrap();
            prop_assert_eq!((bad.file, bad.line), (name, line));
        }

        #[test]
        fn a_journal_cut_anywhere_is_noticed(at in any::<prop::sample::Index>()) {
            let (storage, head) = journal();
            let at = at.index(storage.read("00000003.jsonl").unwrap().len());
            storage.tamper("00000003.jsonl", |bytes| bytes.truncate(at));
            let report = verify(&storage, Some(&head), false).unwrap();
            prop_assert!(!report.is_sound());
            let is_shortened = matches!(report.shortening, Shortening::Shortened { remembered: 9, .. });
            prop_assert!(is_shortened);
        }
    }

    #[test]
    fn a_removed_entry_is_named_by_the_one_after_it() {
        for segment in ["00000001.jsonl", "00000002.jsonl", "00000003.jsonl"] {
            for line in 0..3 {
                let (storage, head) = journal();
                storage.tamper(segment, |bytes| {
                    let mut kept = lines(bytes);
                    kept.remove(line);
                    *bytes = kept.concat();
                });
                let report = verify(&storage, Some(&head), false).unwrap();
                assert!(!report.is_sound(), "{segment}:{line}");
                let last = segment == "00000003.jsonl" && line == 2;
                assert_eq!(report.bad.is_none(), last, "only the last entry leaves no gap: {report:?}");
                if line < 2 {
                    assert_eq!(report.bad.map(|b| (b.file, b.line)), Some((segment.to_owned(), line + 1)));
                }
            }
        }
    }

    #[test]
    fn a_removed_segment_is_noticed() {
        for (segment, bad) in [("00000001.jsonl", Some("00000002.jsonl")), ("00000002.jsonl", Some("00000003.jsonl")), ("00000003.jsonl", None)] {
            let (storage, head) = journal();
            storage.remove(segment);
            let report = verify(&storage, Some(&head), false).unwrap();
            assert!(!report.is_sound());
            assert_eq!(report.bad.map(|b| b.file).as_deref(), bad);
        }
    }

    #[test]
    fn a_journal_rolled_back_and_continued_is_not_the_one_remembered() {
        let (storage, head) = journal();
        storage.tamper("00000003.jsonl", |bytes| *bytes = lines(bytes)[..1].concat());
        let (writer, _) = Writer::open_with(Box::new(storage.clone()), Options::default(), None).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for n in 1..=5 {
            runtime.block_on(writer.append(allowed(&format!("y{n}/request")))).unwrap();
        }
        let report = verify(&storage, Some(&head), true).unwrap();
        assert_eq!((report.bad, report.shortening), (None, Shortening::Replaced { remembered: 9 }));
    }

    #[test]
    fn an_unfinished_line_is_a_fault_unless_it_is_being_written() {
        let (storage, _) = journal();
        storage.tamper("00000003.jsonl", |bytes| bytes.extend_from_slice(b"{\"api\":"));
        assert!(verify(&storage, None, true).unwrap().is_sound());
        let bad = verify(&storage, None, false).unwrap().bad.unwrap();
        assert_eq!((bad.line, bad.why.contains("cut off")), (4, true));
    }
}

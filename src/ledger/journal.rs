//! The end of the journal on its storage: found and mended at start-up, extended group by group.

use super::entry::{Prepared, genesis, own_head};
use super::storage::{Segment, Storage, segment_name, segment_number};
use super::verify::{Bad, Shortening, Walk};
use crate::model::evidence::Head;
use std::fmt;
use std::io;

/// What start-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Where the chain goes on.
    pub head: Head,
    /// Bytes of an unfinished write that were cut from the end. None of them was ever acknowledged.
    pub torn_bytes: u64,
}

/// Why the journal was not opened. Nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    Io(io::Error),
    /// The anchor could not be read.
    Anchor(String),
    /// A line is bad and it is not the trace of a write that was cut off.
    Broken(Bad),
    /// Entries that were durable are gone.
    Shortened(Shortening),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io(error) => write!(f, "cannot open the ledger: {error}"),
            OpenError::Anchor(why) => write!(f, "cannot read the ledger's head in the registry: {why}"),
            OpenError::Broken(bad) => {
                write!(f, "the ledger is broken: {}:{} {}; put the folder aside as evidence and start with an empty one", bad.file, bad.line, bad.why)
            }
            OpenError::Shortened(Shortening::Shortened { remembered, found }) => {
                write!(f, "the ledger was shortened: it ends at entry {found}, the registry remembers entry {remembered}; restore the missing segments")
            }
            OpenError::Shortened(_) => write!(f, "the ledger is not the one the registry remembers; restore its segments"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        OpenError::Io(error)
    }
}

/// The open end of the journal.
pub(super) struct Journal {
    storage: Box<dyn Storage>,
    segment: Box<dyn Segment>,
    number: u64,
    /// Bytes of the segment that are durable.
    bytes: u64,
    bytes_max: u64,
    head: Head,
}

impl Journal {
    /// Reads the end of the journal, from the segment that holds the remembered head on, and cuts a torn tail.
    pub(super) fn recover(storage: Box<dyn Storage>, bytes_max: u64, remembered: Option<&Head>) -> Result<(Journal, Recovery), OpenError> {
        let names = storage.segments()?;
        let start = first_to_read(storage.as_ref(), &names, remembered)?;
        let before = match start.checked_sub(1).and_then(|index| names.get(index)) {
            None => genesis(),
            Some(name) => last_head(&storage.read(name)?).map_err(|why| broken(name, 1, why))?,
        };
        let mut walk = Walk::from(before, remembered);
        let (mut bytes, mut torn_bytes) = (0, 0);
        for (index, name) in names.iter().enumerate().skip(start) {
            let content = storage.read(name)?;
            let reading = walk.segment(&content);
            bytes = reading.good_bytes as u64;
            let Some(fault) = reading.fault else { continue };
            if index + 1 < names.len() || !is_torn(content.get(reading.good_bytes..).unwrap_or_default()) {
                return Err(broken(name, fault.line, fault.why));
            }
            torn_bytes = (content.len() - reading.good_bytes) as u64;
        }
        match walk.shortening(remembered) {
            Shortening::NotChecked | Shortening::None => {}
            lost => return Err(OpenError::Shortened(lost)),
        }
        let last = names.last().cloned().unwrap_or_else(|| segment_name(1));
        let mut segment = storage.open(&last)?;
        if torn_bytes > 0 {
            segment.truncate(bytes)?;
        }
        let recovery = Recovery { head: walk.head.clone(), torn_bytes };
        Ok((Journal { storage, segment, number: segment_number(&last).unwrap_or(1), bytes, bytes_max, head: walk.head }, recovery))
    }

    /// Writes the entries and syncs once. Each gets the head it made.
    pub(super) fn commit<'a>(&mut self, entries: impl Iterator<Item = &'a Prepared>) -> io::Result<Vec<Head>> {
        let mut group = String::new();
        let mut heads: Vec<Head> = Vec::new();
        for entry in entries {
            let (line, head) = entry.line(heads.last().unwrap_or(&self.head));
            group.push_str(&line);
            heads.push(head);
        }
        if let Err(error) = self.segment.append(group.as_bytes()) {
            // A full disk may have taken a part: leave whole lines behind. If even that fails, the next start cuts the tail.
            let _ = self.segment.truncate(self.bytes);
            return Err(error);
        }
        self.segment.sync()?;
        self.bytes = self.bytes.saturating_add(group.len() as u64);
        if let Some(head) = heads.last() {
            self.head = head.clone();
        }
        Ok(heads)
    }

    /// Goes on in a new segment when this one is full.
    pub(super) fn rotate(&mut self) -> io::Result<()> {
        if self.bytes >= self.bytes_max {
            self.number = self.number.saturating_add(1);
            self.segment = self.storage.open(&segment_name(self.number))?;
            self.bytes = 0;
        }
        Ok(())
    }
}

/// Index of the last segment that begins no later than the remembered head; of the last with any entry if nothing is remembered.
fn first_to_read(storage: &dyn Storage, names: &[String], remembered: Option<&Head>) -> io::Result<usize> {
    for (index, name) in names.iter().enumerate().rev() {
        let content = storage.read(name)?;
        let first = content.split(|b| *b == b'\n').next().and_then(|line| own_head(line).ok());
        if first.is_some_and(|first| remembered.is_none_or(|kept| first.seq <= kept.seq)) {
            return Ok(index);
        }
    }
    Ok(0)
}

/// The head made by the last line of a closed segment.
fn last_head(content: &[u8]) -> Result<Head, String> {
    let line = content.strip_suffix(b"\n").and_then(|c| c.rsplit(|b| *b == b'\n').next()).ok_or("is unfinished")?;
    own_head(line)
}

/// Whether bytes that are no good line are what an interrupted write leaves: nothing whole comes after them.
/// Anything else was changed afterwards, and cutting it would destroy evidence.
fn is_torn(tail: &[u8]) -> bool {
    tail.split_inclusive(|b| *b == b'\n').skip(1).all(|piece| piece.strip_suffix(b"\n").is_none_or(|line| own_head(line).is_err()))
}

fn broken(file: &str, line: usize, why: String) -> OpenError {
    OpenError::Broken(Bad { file: file.to_owned(), line, why })
}

//! The files under the journal, behind a small trait: tests put in a layer that forgets or fails.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder of segments.
pub trait Storage: Send {
    /// Names of the segments, in order.
    fn segments(&self) -> io::Result<Vec<String>>;
    /// The whole of a segment.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Opens a segment for appending; one that is new is durable in its folder when this returns.
    fn open(&self, name: &str) -> io::Result<Box<dyn Segment>>;
}

/// An open segment. What was appended is durable after `sync` returned, and not before.
pub trait Segment: Send {
    /// Adds `bytes` at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything appended so far durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the segment to its first `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// A reader that asks whether the folder is being written holds the lock for an instant: try again before giving up.
const LOCK_ATTEMPTS_MAX: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Auditors read along as a group; the entries tell of persons, though without names.
const FILE_MODE: u32 = 0o640;

const SUFFIX: &str = ".jsonl";

/// Name of the `number`th segment.
pub(super) fn segment_name(number: u64) -> String {
    format!("{number:08}{SUFFIX}")
}

/// Number of a segment by its name.
pub(super) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX).filter(|digits| digits.len() >= 8).and_then(|digits| digits.parse().ok())
}

/// A folder of the operating system.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Held by the writer for as long as it lives.
    lock: Option<File>,
}

impl Directory {
    /// For writing: creates the folder and takes the lock that keeps a second writer out.
    pub fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock"))?;
        for attempt in 1..=LOCK_ATTEMPTS_MAX {
            match lock.try_lock() {
                Ok(()) => return Ok(Directory { path: path.to_owned(), lock: Some(lock) }),
                Err(TryLockError::WouldBlock) if attempt < LOCK_ATTEMPTS_MAX => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other(format!("another process writes the ledger `{}`", path.display())))
    }

    /// For reading, beside a writer if there is one.
    pub fn read_only(path: &Path) -> Self {
        Directory { path: path.to_owned(), lock: None }
    }

    /// Whether some writer holds the folder now.
    pub fn is_being_written(&self) -> bool {
        self.lock.is_some() || File::open(self.path.join("lock")).is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

impl Storage for Directory {
    fn segments(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for file in fs::read_dir(&self.path)? {
            let name = file?.file_name().to_string_lossy().into_owned();
            if let Some(number) = segment_number(&name) {
                names.push((number, name));
            }
        }
        names.sort();
        Ok(names.into_iter().map(|(_, name)| name).collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Segment>> {
        let file = OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(self.path.join(name))?;
        // A file is found again after a power cut only if its folder was synced too (fsync(2), notes).
        File::open(&self.path)?.sync_all()?;
        Ok(Box::new(file))
    }
}

impl Segment for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer_and_segments_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let writer = Directory::create(&path).unwrap();
        assert!(Directory::create(&path).unwrap_err().to_string().contains("another process"));
        assert!(Directory::read_only(&path).is_being_written());
        for number in [100_000_000, 2, 1] {
            writer.open(&segment_name(number)).unwrap().append(b"x").unwrap();
        }
        assert_eq!(writer.segments().unwrap(), ["00000001.jsonl", "00000002.jsonl", "100000000.jsonl"]);
        drop(writer);
        assert!(!Directory::read_only(&path).is_being_written());
        Directory::create(&path).unwrap();
    }
}

//! The single writer. Entries that wait together are written together and synced once; only then are they answered.
//!
//! A failed write or sync ends the writer, not the process: what the kernel still holds after a failed `fsync` is unknown, and asking it
//! again may well succeed without the data (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). Until the
//! node is started again, and the journal read again, every append is refused and whatever would cross a border gets 503.
//!
//! The head is kept at the anchor by another thread, after the sync, so the anchor may lag by a moment and never leads.

use super::entry::{Entry, Prepared};
use super::flood::Flood;
use super::journal::{Journal, OpenError, Recovery};
use super::storage::{Directory, Storage};
use crate::model::EntryId;
use crate::model::evidence::{Anchor, Head};
use jiff::Timestamp;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How long the writer sleeps when there is nothing to write, before it looks for minutes of refusals that have ended.
const TICK: Duration = Duration::from_secs(1);
/// Shortest time between two heads given to the anchor: each costs it a sync of its own.
const ANCHOR_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of the writer.
#[derive(Debug, Clone)]
pub struct Options {
    /// A segment that has grown to this many bytes is closed. Start-up reads the last one whole.
    pub segment_bytes_max: u64,
    /// Most entries waiting to be written; more wait outside.
    pub queue_entries_max: usize,
    /// Most bytes written before a sync.
    pub group_bytes_max: usize,
    /// Refusals of one API and rule written whole per minute; the rest are counted.
    pub refusals_per_minute: u64,
    /// How long an append may take.
    pub deadline: Duration,
}

impl Default for Options {
    /// 64 MiB read at some 500 MB/s keep start-up near 0.1 s; 4,096 entries of some 2 KiB are 8 MiB; 1 MiB a sync keeps its time near that of an
    /// empty one; 10 refusals a minute and rule, at 2 KiB, are under 30 MiB a day.
    fn default() -> Self {
        Options { segment_bytes_max: 64 << 20, queue_entries_max: 4_096, group_bytes_max: 1 << 20, refusals_per_minute: 10, deadline: Duration::from_secs(5) }
    }
}

/// Proof that an entry is durable. Only the writer makes one.
#[derive(Debug)]
pub struct Receipt {
    id: EntryId,
    head: Head,
}

impl Receipt {
    /// Which entry.
    pub fn id(&self) -> &EntryId {
        &self.id
    }

    /// Its place in the journal.
    pub fn head(&self) -> &Head {
        &self.head
    }
}

/// The entry is not known to be durable. The text is for the operator, never for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ledger is unavailable: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

/// A handle on the writer. When the last one goes, what is waiting is written and the thread ends.
#[derive(Clone)]
pub struct Writer {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    queue: Option<Sender<Message>>,
    room: Arc<Semaphore>,
    deadline: Duration,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    healthy: AtomicBool,
    flood: Mutex<Flood>,
}

struct Message {
    entry: Prepared,
    answer: Option<oneshot::Sender<Result<Receipt, Unavailable>>>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Writer {
    /// Opens the journal in `path`, creating it if need be, checks its end and starts the writer.
    pub fn open(path: &Path, options: Options, anchor: Option<Arc<dyn Anchor>>) -> Result<(Writer, Recovery), OpenError> {
        Writer::open_with(Box::new(Directory::create(path)?), options, anchor)
    }

    /// As [`Writer::open`], on any storage.
    pub fn open_with(storage: Box<dyn Storage>, options: Options, anchor: Option<Arc<dyn Anchor>>) -> Result<(Writer, Recovery), OpenError> {
        let remembered = anchor.as_ref().map_or(Ok(None), |a| a.last()).map_err(OpenError::Anchor)?;
        let (journal, recovery) = Journal::recover(storage, options.segment_bytes_max, remembered.as_ref())?;
        let shared = Arc::new(Shared { healthy: AtomicBool::new(true), flood: Mutex::new(Flood::new(options.refusals_per_minute)) });
        let (queue, messages) = channel();
        let work = Work { shared: shared.clone(), journal, messages, group_bytes_max: options.group_bytes_max };
        let thread = thread::Builder::new().name("ledger".to_owned()).spawn(move || work.run(anchor))?;
        let room = Arc::new(Semaphore::new(options.queue_entries_max));
        let inner = Inner { shared, queue: Some(queue), room, deadline: options.deadline, thread: Some(thread) };
        Ok((Writer { inner: Arc::new(inner) }, recovery))
    }

    /// Whether entries can still be written. Once false, false until the journal is opened again.
    pub fn healthy(&self) -> bool {
        self.inner.shared.healthy.load(Ordering::Acquire)
    }

    /// Writes an entry and waits until it is durable.
    ///
    /// # Errors
    /// If the writer has failed, or the deadline ran out; then the entry may yet become durable: an intent without an outcome.
    pub async fn append(&self, entry: Entry) -> Result<Receipt, Unavailable> {
        let prepared = prepare(&entry)?;
        let answered = tokio::time::timeout(self.inner.deadline, async {
            let room = self.inner.room.clone().acquire_owned().await.map_err(|_| stopped())?;
            let (answer, answered) = oneshot::channel();
            self.send(Message { entry: prepared, answer: Some(answer), _room: Some(room) })?;
            answered.await.map_err(|_| stopped())?
        });
        answered.await.map_err(|_| Unavailable("the deadline for an entry ran out".to_owned()))?
    }

    /// Writes an entry without waiting: for refusals, which need no proof before they are answered. Refusals above the set rate are
    /// counted and written once a minute. If the writer cannot keep up, a refusal is counted and anything else is given up.
    pub fn append_later(&self, entry: Entry) {
        if !self.healthy() || !self.flood().admits(&entry) {
            return;
        }
        let room = self.inner.room.clone().try_acquire_owned();
        let sent = match (room, prepare(&entry)) {
            (Ok(room), Ok(prepared)) => self.send(Message { entry: prepared, answer: None, _room: Some(room) }).is_ok(),
            _ => false,
        };
        if !sent {
            self.flood().was_lost(&entry);
        }
    }

    fn send(&self, message: Message) -> Result<(), Unavailable> {
        let queue = self.inner.queue.as_ref().filter(|_| self.healthy()).ok_or_else(stopped)?;
        queue.send(message).map_err(|_| stopped())
    }

    fn flood(&self) -> std::sync::MutexGuard<'_, Flood> {
        self.inner.shared.flood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(entry: &Entry) -> Result<Prepared, Unavailable> {
    Prepared::new(entry).map_err(|error| Unavailable(format!("an entry cannot be written as JSON: {error}")))
}

fn stopped() -> Unavailable {
    Unavailable("writing failed earlier; start the node again once the cause is mended".to_owned())
}

/// What the writer's thread owns.
struct Work {
    shared: Arc<Shared>,
    journal: Journal,
    messages: Receiver<Message>,
    group_bytes_max: usize,
}

impl Work {
    fn run(mut self, anchor: Option<Arc<dyn Anchor>>) {
        let (heads, keeper) = match anchor.map(keep_heads) {
            Some((heads, keeper)) => (Some(heads), keeper),
            None => (None, None),
        };
        loop {
            let first = match self.messages.recv_timeout(TICK) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let group = self.group(first, Some(Timestamp::now()));
            self.commit(group, heads.as_ref());
        }
        // Minutes that have not ended are written as they stand.
        let group = self.group(None, None);
        self.commit(group, heads.as_ref());
        drop(heads);
        if let Some(keeper) = keeper {
            let _ = keeper.join();
        }
    }

    /// Everything that waits, up to the size of a group, and the counts of the minutes that ended before `now`.
    fn group(&self, first: Option<Message>, now: Option<Timestamp>) -> Vec<Message> {
        let ended = self.shared.flood.lock().unwrap_or_else(PoisonError::into_inner).ended(now);
        let counted = ended.iter().filter_map(|entry| Prepared::new(entry).ok()).map(|entry| Message { entry, answer: None, _room: None });
        let mut group: Vec<Message> = counted.chain(first).collect();
        let mut bytes: usize = group.iter().map(|m| m.entry.bytes()).sum();
        while bytes < self.group_bytes_max {
            let Ok(message) = self.messages.try_recv() else { break };
            bytes = bytes.saturating_add(message.entry.bytes());
            group.push(message);
        }
        group
    }

    fn commit(&mut self, group: Vec<Message>, heads: Option<&Sender<Head>>) {
        if group.is_empty() {
            return;
        }
        let made = if self.shared.healthy.load(Ordering::Acquire) {
            self.journal.commit(group.iter().map(|m| &m.entry)).map_err(|e| self.fail(&e))
        } else {
            Err(stopped())
        };
        match made {
            Ok(made) => {
                if let (Some(heads), Some(head)) = (heads, made.last()) {
                    let _ = heads.send(head.clone());
                }
                for (message, head) in group.into_iter().zip(made) {
                    answer(message.answer, Ok(Receipt { id: message.entry.id, head }));
                }
                if let Err(error) = self.journal.rotate() {
                    self.fail(&error);
                }
            }
            Err(why) => group.into_iter().for_each(|message| answer(message.answer, Err(why.clone()))),
        }
    }

    /// Ends the writer for good.
    fn fail(&self, error: &io::Error) -> Unavailable {
        self.shared.healthy.store(false, Ordering::Release);
        tracing::error!(%error, "the ledger cannot be written; transfers stop until the node is started again");
        Unavailable(format!("cannot write: {error}"))
    }
}

/// Whoever asked may have gone; the entry stands all the same.
fn answer(to: Option<oneshot::Sender<Result<Receipt, Unavailable>>>, result: Result<Receipt, Unavailable>) {
    if let Some(to) = to {
        let _ = to.send(result);
    }
}

/// A thread that keeps the latest head at the anchor; one that cannot be kept is tried again with the next.
fn keep_heads(anchor: Arc<dyn Anchor>) -> (Sender<Head>, Option<JoinHandle<()>>) {
    let (heads, incoming) = channel::<Head>();
    let keeper = thread::Builder::new().name("ledger-anchor".to_owned()).spawn(move || {
        while let Ok(mut head) = incoming.recv() {
            while let Ok(newer) = incoming.try_recv() {
                head = newer;
            }
            if let Err(error) = anchor.keep(&head) {
                tracing::warn!(%error, "the registry does not keep the ledger's head");
            }
            thread::sleep(ANCHOR_PAUSE);
        }
    });
    (heads, keeper.ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::{Kept, Lossy, allowed, entry};
    use crate::ledger::verify::{Shortening, verify};

    fn open(storage: &Lossy) -> (Writer, Recovery) {
        Writer::open_with(Box::new(storage.clone()), Options::default(), None).unwrap()
    }

    fn ids(storage: &Lossy) -> Vec<String> {
        let content: Vec<u8> = storage.segments().unwrap().iter().flat_map(|name| storage.read(name).unwrap()).collect();
        let lines = std::str::from_utf8(&content).unwrap().lines();
        lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn entries_that_wait_together_share_a_sync_and_each_gets_its_own_place() {
        let storage = Lossy::default();
        let (writer, _) = open(&storage);
        let tasks: Vec<_> = (0..400)
            .map(|n| {
                tokio::spawn({
                    let writer = writer.clone();
                    async move { writer.append(allowed(&format!("x{n}/request"))).await.unwrap() }
                })
            })
            .collect();
        let mut places = Vec::new();
        for (n, task) in tasks.into_iter().enumerate() {
            let receipt = task.await.unwrap();
            assert_eq!(receipt.id().as_str(), format!("x{n}/request"));
            places.push(receipt.head().seq);
        }
        places.sort_unstable();
        assert_eq!(places, (1..=400).collect::<Vec<u64>>());
        assert!(storage.syncs() < 200, "{} syncs for 400 entries", storage.syncs());
        assert!(verify(&storage, None, false).unwrap().is_sound());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whatever_has_a_receipt_survives_a_power_cut_at_any_instant() {
        let storage = Lossy::default();
        let (writer, _) = open(&storage);
        let sealed = Arc::new(Mutex::new(Vec::<EntryId>::new()));
        let tasks: Vec<_> = (0..8)
            .map(|t| {
                let (writer, sealed) = (writer.clone(), sealed.clone());
                tokio::spawn(async move {
                    for n in 0..40 {
                        let receipt = writer.append(allowed(&format!("x{t}-{n}/request"))).await.unwrap();
                        sealed.lock().unwrap().push(receipt.id().clone());
                    }
                })
            })
            .collect();
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(3)).await;
            let promised = sealed.lock().unwrap().clone();
            let found = storage.cut();
            let durable = ids(&found);
            assert!(promised.iter().all(|id| durable.iter().any(|d| d == id.as_str())), "{} promised, {} durable", promised.len(), durable.len());
            assert!(verify(&found, None, false).unwrap().is_sound());
        }
        for task in tasks {
            task.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_torn_tail_of_any_length_is_cut_and_reported() {
        let storage = Lossy::default();
        let (writer, _) = open(&storage);
        let mut ends = vec![];
        for n in 0..3 {
            writer.append(allowed(&format!("x{n}/request"))).await.unwrap();
            ends.push(storage.read("00000001.jsonl").unwrap().len());
        }
        drop(writer);
        for cut in ends[1]..ends[2] {
            let torn = storage.cut();
            torn.tamper("00000001.jsonl", |bytes| bytes.truncate(cut));
            let (writer, recovery) = open(&torn);
            assert_eq!((recovery.head.seq, recovery.torn_bytes), (2, (cut - ends[1]) as u64));
            if cut % 97 == 0 {
                assert_eq!(writer.append(allowed("y/request")).await.unwrap().head().seq, 3);
                assert_eq!(ids(&torn), ["x0/request", "x1/request", "y/request"]);
            }
            drop(writer);
            assert!(verify(&torn, None, false).unwrap().is_sound());
        }
    }

    #[tokio::test]
    async fn a_line_changed_in_the_middle_is_no_torn_tail_and_is_not_cut() {
        let storage = Lossy::default();
        let (writer, _) = open(&storage);
        for n in 0..3 {
            writer.append(allowed(&format!("x{n}/request"))).await.unwrap();
        }
        drop(writer);
        storage.tamper("00000001.jsonl", |bytes| bytes[40] ^= 1);
        let before = storage.read("00000001.jsonl").unwrap();
        let error = Writer::open_with(Box::new(storage.clone()), Options::default(), None).err().unwrap();
        assert!(matches!(&error, OpenError::Broken(bad) if bad.line == 1), "{error}");
        assert_eq!(storage.read("00000001.jsonl").unwrap(), before);
    }

    #[tokio::test]
    async fn a_failed_sync_ends_the_writer_until_the_journal_is_opened_again() {
        let storage = Lossy::default();
        let (writer, _) = open(&storage);
        writer.append(allowed("x0/request")).await.unwrap();
        storage.fail_sync();
        assert!(writer.append(allowed("x1/request")).await.is_err());
        assert!(!writer.healthy());
        let syncs = storage.syncs();
        assert!(writer.append(allowed("x2/request")).await.is_err());
        assert_eq!(storage.syncs(), syncs, "a failed sync is not tried again");
        drop(writer);
        let (writer, recovery) = open(&storage.cut());
        assert!(writer.healthy());
        assert_eq!(recovery.head.seq, 1);
    }

    #[tokio::test]
    async fn a_full_disk_leaves_whole_lines_behind() {
        let storage = Lossy::default();
        let (writer, _) = open(&storage);
        writer.append(allowed("x0/request")).await.unwrap();
        storage.fill_disk();
        assert!(writer.append(allowed("x1/request")).await.is_err());
        assert!(!writer.healthy());
        assert_eq!(ids(&storage), ["x0/request"]);
        assert!(verify(&storage, None, false).unwrap().is_sound());
    }

    #[tokio::test]
    async fn a_journal_that_lost_its_end_is_not_opened() {
        let (storage, anchor) = (Lossy::default(), Arc::new(Kept::default()));
        let options = Options { segment_bytes_max: 1, ..Options::default() };
        let (writer, _) = Writer::open_with(Box::new(storage.clone()), options.clone(), Some(anchor.clone())).unwrap();
        for n in 0..4 {
            writer.append(allowed(&format!("x{n}/request"))).await.unwrap();
        }
        drop(writer);
        assert_eq!(anchor.last().unwrap().unwrap().seq, 4, "the anchor is up to date after an orderly end");
        let whole = storage.cut();
        storage.remove("00000005.jsonl");
        storage.remove("00000004.jsonl");
        let error = Writer::open_with(Box::new(storage), options.clone(), Some(anchor.clone())).err().unwrap();
        assert!(matches!(error, OpenError::Shortened(Shortening::Shortened { remembered: 4, found: 3 })), "{error}");
        let error = Writer::open_with(Box::new(Lossy::default()), options.clone(), Some(anchor.clone())).err().unwrap();
        assert!(matches!(error, OpenError::Shortened(_)), "an empty folder is a shortened journal too");
        let (writer, recovery) = Writer::open_with(Box::new(whole.clone()), options, Some(anchor)).unwrap();
        assert_eq!(recovery.head.seq, 4);
        assert_eq!(writer.append(allowed("x4/request")).await.unwrap().head().seq, 5);
        drop(writer);
        assert!(verify(&whole, None, false).unwrap().is_sound());
    }

    #[tokio::test]
    async fn a_flood_of_refusals_is_counted_and_the_count_is_written() {
        let storage = Lossy::default();
        let (writer, _) = open(&storage);
        // A minute that has not ended before the writer does.
        for n in 0..50 {
            writer.append_later(entry(&format!("x{n}/request"), "2999-01-01T00:00:00Z", "refuse", "r"));
        }
        drop(writer);
        let ids = ids(&storage);
        assert_eq!(ids.len(), 11, "{ids:?}");
        assert!(ids[10].starts_with("refusals/"));
        let content = storage.read("00000001.jsonl").unwrap();
        assert!(String::from_utf8(content).unwrap().contains(r#""count":40"#));
    }

    #[tokio::test]
    async fn a_journal_on_disk_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..3 {
            let (writer, recovery) = Writer::open(folder.path(), Options::default(), None).unwrap();
            assert_eq!(recovery, Recovery { head: recovery.head.clone(), torn_bytes: 0 });
            assert_eq!(recovery.head.seq, n);
            let _ = writer.append(allowed(&format!("x{n}/request"))).await.unwrap();
        }
        let report = verify(&Directory::read_only(folder.path()), None, false).unwrap();
        assert_eq!((report.entries, report.is_sound()), (3, true));
    }

    const CRASH_FOLDER: &str = "DOMICILE_TEST_CRASH_FOLDER";

    /// Not a test of its own: the process that `a_killed_writer_has_lost_no_entry_it_answered` kills.
    #[tokio::test(flavor = "multi_thread")]
    async fn writes_until_it_is_killed() {
        let Some(folder) = std::env::var_os(CRASH_FOLDER) else { return };
        let options = Options { segment_bytes_max: 16 << 10, ..Options::default() };
        let (writer, recovery) = Writer::open(Path::new(&folder), options, None).unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|t| {
                let (writer, round) = (writer.clone(), recovery.head.seq);
                tokio::spawn(async move {
                    for n in 0.. {
                        let receipt = writer.append(allowed(&format!("x{round}-{t}-{n}/request"))).await.unwrap();
                        println!("\nsealed {}", receipt.id());
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }

    #[test]
    fn a_killed_writer_has_lost_no_entry_it_answered() {
        use std::process::{Command, Stdio};
        let folder = tempfile::tempdir().unwrap();
        let mut sealed = Vec::new();
        for round in 0..10_u64 {
            let mut writing = Command::new(std::env::current_exe().unwrap());
            writing.args(["--exact", "ledger::writer::tests::writes_until_it_is_killed", "--nocapture"]).env(CRASH_FOLDER, folder.path());
            let mut child = writing.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut said = child.stdout.take().unwrap();
            let listener = thread::spawn(move || {
                let mut text = String::new();
                std::io::Read::read_to_string(&mut said, &mut text).map(|_| text).unwrap()
            });
            thread::sleep(Duration::from_millis(150 + 17 * round));
            child.kill().unwrap();
            child.wait().unwrap();
            let text = listener.join().unwrap();
            // The last line may have been cut off by the kill.
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            sealed.extend(whole.lines().filter_map(|line| line.strip_prefix("sealed ")).map(str::to_owned));
            drop(Writer::open(folder.path(), Options::default(), None).unwrap());
            let directory = Directory::read_only(folder.path());
            assert!(verify(&directory, None, false).unwrap().is_sound());
            let content: Vec<u8> = directory.segments().unwrap().iter().flat_map(|name| directory.read(name).unwrap()).collect();
            let lines = content.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
            let durable: std::collections::BTreeSet<String> = lines.filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect();
            assert!(sealed.iter().all(|id| durable.contains(id)), "round {round}");
        }
        assert!(sealed.len() > 100, "only {} entries were answered", sealed.len());
    }
}

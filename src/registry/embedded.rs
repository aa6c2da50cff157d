//! The registry on one machine: SQLite behind two threads, an index in memory in front.
//!
//! ```text
//! look_up ── index, if it is known to be fresh ──────────────── no wait, no lock on the file
//!     └───── the reading thread, for persons beyond the index ─ within a deadline
//! write ──── the writing thread: commit, synced ─ index has it ─ leases before it have run out ─ answer
//! ```
//!
//! The reading thread looks for changes of any process every [`POLL`] and notes when it began to look: from then on the index is *fresh as of*
//! that instant. A look-up needs an index that is fresh as of less than [`LEASE`] ago, and says so to the decision by `good_until`.

use super::index::{Answer, Index};
use super::key::{LookUp, RegistryKey};
use super::order::Order;
use super::store::{Person, Store};
use super::subject::SubjectKey;
use super::{Known, LEASE, Page, Query, Record, RecordKind, Registry, Shown, SubjectRow, Unavailable, WriteError, Written};
use crate::model::basis::{Bases, Consent};
use crate::model::evidence::{Anchor, Head};
use crate::model::{BasisId, SubjectRef};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// How often changes are looked for: several times within a [`LEASE`], at the cost of a query of some microseconds.
const POLL: Duration = Duration::from_millis(50);
/// How often a store that could not be written is tried again.
const PROBE: Duration = Duration::from_secs(1);
/// Most calls waiting for one of the threads; more are refused at once.
const WAITING_MAX: usize = 1_024;

/// Bounds of the embedded registry.
#[derive(Debug, Clone)]
pub struct Options {
    /// Most persons held in memory; the others are asked for at the store.
    pub persons_max: usize,
    /// How long a look-up or another reading may take.
    pub read_deadline: Duration,
    /// How long a write may take until it is durable.
    pub write_deadline: Duration,
}

impl Default for Options {
    /// A million persons at some 1 to 2 KiB with a consent each fit in 2 GiB. A second is what a caller may wait for a look-up;
    /// a write may first wait for another process (1 s) and then for a slow disk.
    fn default() -> Self {
        Options { persons_max: 1_000_000, read_deadline: Duration::from_secs(1), write_deadline: Duration::from_secs(5) }
    }
}

/// Work for a thread that owns a connection. Tells whether the store did its part.
type Job = Box<dyn FnOnce(&mut Store) -> bool + Send>;

/// The registry in one SQLite file.
pub struct Embedded {
    key: RegistryKey,
    index: Arc<Index>,
    fresh: watch::Receiver<Instant>,
    reads: SyncSender<Job>,
    writes: SyncSender<Job>,
    read_works: Arc<AtomicBool>,
    write_works: Arc<AtomicBool>,
    options: Options,
}

impl Embedded {
    /// Opens the file, creating it if need be, and reads it into memory. Blocks until that is done.
    pub fn open(path: &Path, key: &RegistryKey, options: Options) -> Result<Embedded, Unavailable> {
        let (writing, reading) = (Store::open(path, key)?, Store::open(path, key)?);
        let index = Arc::new(Index::new(options.persons_max));
        let began = Instant::now();
        let event = index.load(&reading)?;
        let (confirm, fresh) = watch::channel(began);
        let (reads, read_jobs) = sync_channel(WAITING_MAX);
        let (writes, write_jobs) = sync_channel(WAITING_MAX);
        let (read_works, write_works) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
        let desk = |works: &Arc<AtomicBool>, jobs| Desk { path: path.to_owned(), key: key.clone(), works: works.clone(), jobs };
        let follower = Follower { index: index.clone(), file: reading.file(), event, confirm };
        let (reader, writer) = (desk(&read_works, read_jobs), desk(&write_works, write_jobs));
        start("registry-read", move || reader.follow(reading, follower))?;
        start("registry-write", move || writer.probe(writing))?;
        Ok(Embedded { key: key.clone(), index, fresh, reads, writes, read_works, write_works, options })
    }

    /// An instant as of which the index has every change, less than a lease ago. Waits for it if need be, within the deadline.
    async fn fresh_as_of(&self) -> Result<Instant, Unavailable> {
        let as_of = *self.fresh.borrow();
        if as_of.elapsed() < LEASE {
            return Ok(as_of);
        }
        let mut fresh = self.fresh.clone();
        let waited = tokio::time::timeout(self.options.read_deadline, fresh.wait_for(|as_of| as_of.elapsed() < LEASE)).await;
        waited.ok().and_then(Result::ok).map(|as_of| *as_of).ok_or_else(|| Unavailable("the index has not been brought up to date in time".to_owned()))
    }

    async fn read<T: Send + 'static>(&self, job: impl FnOnce(&Store) -> Result<T, Unavailable> + Send + 'static) -> Result<T, Unavailable> {
        ask(&self.reads, self.options.read_deadline, |_: &Unavailable| false, move |store| job(store)).await
    }

    /// The persons behind digests that are not in memory.
    async fn persons(&self, digests: Vec<LookUp>) -> Result<BTreeMap<LookUp, Person>, Unavailable> {
        self.read(move |store| {
            let mut found = BTreeMap::new();
            for digest in digests {
                if let Some(person) = store.person_of(&digest)? {
                    found.insert(digest, person);
                }
            }
            Ok(found)
        })
        .await
    }
}

#[async_trait]
impl Registry for Embedded {
    async fn look_up(&self, query: &Query) -> Result<Known, Unavailable> {
        if !self.healthy() {
            return Err(Unavailable("the store does not answer".to_owned()));
        }
        let as_of = self.fresh_as_of().await?;
        let digests: Vec<LookUp> = query.subjects.iter().map(|key| self.key.look_up(key)).collect();
        let mut answers: Vec<Answer> = digests.iter().map(|digest| self.index.person(digest)).collect();
        let absent: Vec<LookUp> = digests.iter().zip(&answers).filter(|(_, a)| matches!(a, Answer::Ask)).map(|(d, _)| *d).collect();
        if !absent.is_empty() {
            let found = self.persons(absent).await?;
            for (digest, answer) in digests.iter().zip(&mut answers).filter(|(_, a)| matches!(a, Answer::Ask)) {
                *answer = found.get(digest).map_or(Answer::Nobody, |person| Answer::Known(Arc::new(person.clone())));
            }
        }
        let (mut subjects, mut seen, mut consents) = (Vec::with_capacity(answers.len()), BTreeSet::<SubjectRef>::new(), Vec::<Consent>::new());
        for answer in answers {
            let Answer::Known(person) = answer else {
                subjects.push(None);
                continue;
            };
            if seen.insert(person.row.subject.clone()) {
                consents.extend_from_slice(&person.consents);
            }
            subjects.push(Some(person.row.clone()));
        }
        consents.sort_by(|a, b| a.id.cmp(&b.id));
        let bases = Bases { consents, ..self.index.bases(query.recipient.as_ref()) };
        Ok(Known { subjects, bases, good_until: as_of + LEASE })
    }

    fn healthy(&self) -> bool {
        self.read_works.load(Ordering::Acquire) && self.write_works.load(Ordering::Acquire)
    }

    async fn write(&self, order: Order, now: Timestamp) -> Result<Written, WriteError> {
        let works = |error: &WriteError| !matches!(error, WriteError::Unavailable(_));
        let written = ask(&self.writes, self.options.write_deadline, works, move |store| store.write(&order, now)).await?;
        let committed = Instant::now();
        let mut fresh = self.fresh.clone();
        if written.may_close() {
            tokio::time::sleep(LEASE).await;
        }
        // So that whoever wrote finds it. An index that does not get there in time answers nobody, which is as safe.
        let _ = tokio::time::timeout(LEASE, fresh.wait_for(|as_of| *as_of >= committed)).await;
        Ok(written)
    }

    async fn show_subject(&self, key: &SubjectKey) -> Result<Option<(SubjectRow, Vec<Written>)>, Unavailable> {
        let key = key.clone();
        self.read(move |store| store.show_subject(&key)).await
    }

    async fn show(&self, kind: RecordKind, id: &BasisId) -> Result<Option<Shown>, Unavailable> {
        let id = id.clone();
        self.read(move |store| store.show(kind, &id)).await
    }

    async fn list(&self, kind: RecordKind, page: &Page) -> Result<Vec<Record>, Unavailable> {
        let page = page.clone();
        self.read(move |store| store.list(kind, &page)).await
    }

    async fn unjournalled(&self, limit: usize) -> Result<Vec<Written>, Unavailable> {
        self.read(move |store| store.unjournalled(limit)).await
    }

    async fn mark_journalled(&self, event: u64) -> Result<(), Unavailable> {
        ask(&self.writes, self.options.write_deadline, |_: &Unavailable| false, move |store| store.mark_journalled(event)).await
    }

    async fn head(&self) -> Result<Option<Head>, Unavailable> {
        self.read(Store::head).await
    }
}

impl Anchor for Embedded {
    fn keep(&self, head: &Head) -> Result<(), String> {
        let head = head.clone();
        wait(&self.writes, self.options.write_deadline, move |store| store.keep_head(&head))
    }

    fn last(&self) -> Result<Option<Head>, String> {
        wait(&self.reads, self.options.read_deadline, |store| store.head())
    }
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Unavailable> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(|_| ()).map_err(|e| Unavailable(e.to_string()))
}

fn hand_over(jobs: &SyncSender<Job>, job: Job) -> Result<(), Unavailable> {
    jobs.try_send(job).map_err(|error| match error {
        TrySendError::Full(_) => Unavailable("too many calls are waiting".to_owned()),
        TrySendError::Disconnected(_) => Unavailable("its thread has ended".to_owned()),
    })
}

/// Has a thread do `job` and waits without blocking. `is_answer` says which errors are the store's answer, not its failure.
async fn ask<T, E, J>(jobs: &SyncSender<Job>, deadline: Duration, is_answer: fn(&E) -> bool, job: J) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Unavailable> + Send + 'static,
    J: FnOnce(&mut Store) -> Result<T, E> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let work = move |store: &mut Store| {
        let result = job(store);
        let works = result.as_ref().err().is_none_or(is_answer);
        let _ = answer.send(result);
        works
    };
    hand_over(jobs, Box::new(work))?;
    match tokio::time::timeout(deadline, answered).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Unavailable("the store does not answer".to_owned()).into()),
        Err(_) => Err(Unavailable("the store did not answer in time".to_owned()).into()),
    }
}

/// Has a thread do `job` and blocks until it is done.
fn wait<T: Send + 'static>(
    jobs: &SyncSender<Job>,
    deadline: Duration,
    job: impl FnOnce(&mut Store) -> Result<T, Unavailable> + Send + 'static,
) -> Result<T, String> {
    let (answer, answered) = sync_channel(1);
    let work = move |store: &mut Store| {
        let result = job(store);
        let works = result.is_ok();
        let _ = answer.send(result);
        works
    };
    hand_over(jobs, Box::new(work)).map_err(|e| e.to_string())?;
    answered.recv_timeout(deadline).map_err(|_| "the store did not answer in time".to_owned())?.map_err(|e| e.to_string())
}

/// A thread's place of work: its file and what it is asked to do.
struct Desk {
    path: PathBuf,
    key: RegistryKey,
    works: Arc<AtomicBool>,
    jobs: Receiver<Job>,
}

/// What the reading thread keeps in step.
struct Follower {
    index: Arc<Index>,
    file: (u64, u64),
    event: u64,
    confirm: watch::Sender<Instant>,
}

impl Desk {
    /// The reading thread: does jobs, and follows the history at every [`POLL`].
    fn follow(self, store: Store, mut follower: Follower) {
        let mut store = Some(store);
        let mut next = Instant::now();
        while self.work(&mut store, next) {
            if Instant::now() >= next {
                self.keep_open(&mut store, |store| store.is_at(&self.path) && logged(follower.catch_up(store)));
                next = Instant::now() + POLL;
            }
        }
    }

    /// The writing thread: does jobs, and after one has failed tries until the store can be written again.
    fn probe(self, store: Store) {
        let mut store = Some(store);
        while self.work(&mut store, Instant::now() + PROBE) {
            if !self.works.load(Ordering::Acquire) {
                self.keep_open(&mut store, |store| store.is_at(&self.path) && logged(store.probe()));
            }
        }
    }

    /// Does one job, or waits until `until`. False when nobody can ask for anything any more.
    fn work(&self, store: &mut Option<Store>, until: Instant) -> bool {
        match self.jobs.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(job) => {
                // Without a store the job is dropped, and with it its way to answer.
                if !store.as_mut().is_some_and(job) {
                    self.works.store(false, Ordering::Release);
                    *store = None;
                }
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Opens the store again if need be and checks it. A failed check closes it until the next time.
    fn keep_open(&self, store: &mut Option<Store>, check: impl FnOnce(&mut Store) -> bool) {
        if store.is_none() {
            *store = Store::reopen(&self.path, &self.key).map_err(|why| tracing::warn!(%why, "the registry cannot be opened")).ok();
        }
        let works = store.as_mut().is_some_and(check);
        if !works {
            *store = None;
        }
        self.works.store(works, Ordering::Release);
    }
}

fn logged(result: Result<(), Unavailable>) -> bool {
    result.map_err(|why| tracing::warn!(%why, "the registry fails")).is_ok()
}

impl Follower {
    /// Takes in what changed, whoever changed it, and confirms that nothing older than this call is missing.
    fn catch_up(&mut self, store: &Store) -> Result<(), Unavailable> {
        let began = Instant::now();
        let is_another_file = store.file() != self.file || store.last_event()? < self.event;
        self.event = if is_another_file { self.index.load(store)? } else { self.event };
        self.event = self.index.follow(store, self.event)?;
        self.file = store.file();
        self.confirm.send_replace(began);
        Ok(())
    }
}

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

/// The way to one of the threads.
struct Hatch {
    jobs: SyncSender<Job>,
    /// Whether the store did what it was last asked there.
    works: Arc<AtomicBool>,
    deadline: Duration,
}

/// The registry in one SQLite file.
pub struct Embedded {
    key: RegistryKey,
    index: Arc<Index>,
    fresh: watch::Receiver<Instant>,
    reads: Hatch,
    writes: Hatch,
}

impl Embedded {
    /// Opens the file, creating it if need be, and reads it into memory. Blocks until that is done.
    pub fn open(path: &Path, key: &RegistryKey, options: Options) -> Result<Embedded, Unavailable> {
        let (writing, reading) = (Store::open(path, key)?, Store::open(path, key)?);
        let index = Arc::new(Index::new(options.persons_max));
        let began = Instant::now();
        let event = index.load(&reading)?;
        let (confirm, fresh) = watch::channel(began);
        let (reads, reader) = Hatch::new(path, key, options.read_deadline);
        let (writes, writer) = Hatch::new(path, key, options.write_deadline);
        let follower = Follower { index: index.clone(), file: reading.file(), event, confirm };
        start("registry-read", move || reader.follow(reading, follower))?;
        start("registry-write", move || writer.probe(writing))?;
        Ok(Embedded { key: key.clone(), index, fresh, reads, writes })
    }

    /// An instant as of which the index has every change, less than a lease ago. Waits for it if need be, within the deadline.
    async fn fresh_as_of(&self) -> Result<Instant, Unavailable> {
        let as_of = *self.fresh.borrow();
        if as_of.elapsed() < LEASE {
            return Ok(as_of);
        }
        let mut fresh = self.fresh.clone();
        let waited = tokio::time::timeout(self.reads.deadline, fresh.wait_for(|as_of| as_of.elapsed() < LEASE)).await;
        waited.ok().and_then(Result::ok).map(|as_of| *as_of).ok_or_else(|| Unavailable("the index has not been brought up to date in time".to_owned()))
    }

    async fn read<T: Send + 'static>(&self, job: impl FnOnce(&Store) -> Result<T, Unavailable> + Send + 'static) -> Result<T, Unavailable> {
        self.reads.ask(|_: &Unavailable| false, move |store| job(store)).await
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
        self.reads.works.load(Ordering::Acquire) && self.writes.works.load(Ordering::Acquire)
    }

    async fn write(&self, order: Order, now: Timestamp) -> Result<Written, WriteError> {
        let works = |error: &WriteError| !matches!(error, WriteError::Unavailable(_));
        let written = self.writes.ask(works, move |store| store.write(&order, now)).await?;
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
        self.writes.ask(|_: &Unavailable| false, move |store| store.mark_journalled(event)).await
    }

    async fn head(&self) -> Result<Option<Head>, Unavailable> {
        self.read(Store::head).await
    }
}

impl Anchor for Embedded {
    fn keep(&self, head: &Head) -> Result<(), String> {
        let head = head.clone();
        self.writes.wait(move |store| store.keep_head(&head))
    }

    fn last(&self) -> Result<Option<Head>, String> {
        self.reads.wait(|store| store.head())
    }
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Unavailable> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(|_| ()).map_err(|e| Unavailable(e.to_string()))
}

impl Hatch {
    fn new(path: &Path, key: &RegistryKey, deadline: Duration) -> (Hatch, Desk) {
        let (jobs, incoming) = sync_channel(WAITING_MAX);
        let works = Arc::new(AtomicBool::new(true));
        let desk = Desk { path: path.to_owned(), key: key.clone(), works: works.clone(), jobs: incoming };
        (Hatch { jobs, works, deadline }, desk)
    }

    /// Has the thread do `job` and waits without blocking. `is_answer` says which errors are the store's answer, not its failure.
    async fn ask<T, E, J>(&self, is_answer: fn(&E) -> bool, job: J) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
        J: FnOnce(&mut Store) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.hand_over(is_answer, job, move |result| drop(answer.send(result)))?;
        match tokio::time::timeout(self.deadline, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Unavailable("the store does not answer".to_owned()).into()),
            Err(_) => Err(Unavailable("the store did not answer in time".to_owned()).into()),
        }
    }

    /// Has the thread do `job` and blocks until it is done.
    fn wait<T: Send + 'static>(&self, job: impl FnOnce(&mut Store) -> Result<T, Unavailable> + Send + 'static) -> Result<T, String> {
        let (answer, answered) = sync_channel(1);
        self.hand_over(|_: &Unavailable| false, job, move |result| drop(answer.send(result))).map_err(|e| e.to_string())?;
        answered.recv_timeout(self.deadline).map_err(|_| "the store did not answer in time".to_owned())?.map_err(|e| e.to_string())
    }

    fn hand_over<T, E: 'static, J>(&self, is_answer: fn(&E) -> bool, job: J, answer: impl FnOnce(Result<T, E>) + Send + 'static) -> Result<(), Unavailable>
    where
        J: FnOnce(&mut Store) -> Result<T, E> + Send + 'static,
    {
        let flag = self.works.clone();
        let work = move |store: &mut Store| {
            let result = job(store);
            let works = result.as_ref().err().is_none_or(is_answer);
            if !works {
                // Before the answer: whoever hears of a failure finds the registry unhealthy.
                flag.store(false, Ordering::Release);
            }
            answer(result);
            works
        };
        self.jobs.try_send(Box::new(work)).map_err(|error| match error {
            TrySendError::Full(_) => Unavailable("too many calls are waiting".to_owned()),
            TrySendError::Disconnected(_) => Unavailable("its thread has ended".to_owned()),
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::ConsentState;
    use crate::registry::{Change, Ending};
    use rusqlite::Connection;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    struct Place {
        folder: TempDir,
        key: RegistryKey,
    }

    impl Place {
        fn new() -> Self {
            Place { folder: tempfile::tempdir().unwrap(), key: RegistryKey::new([7; 32]) }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("registry.db")
        }

        fn node(&self) -> Embedded {
            Embedded::open(&self.path(), &self.key, Options::default()).unwrap()
        }

        /// Another process on the same file.
        fn other(&self) -> Store {
            Store::open(&self.path(), &self.key).unwrap()
        }
    }

    fn key(id: &str) -> SubjectKey {
        SubjectKey::new("account".parse().unwrap(), id).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }

    fn consent(id: &str, account: &str) -> Value {
        json!({"id": id, "subject": {"namespace": "account", "id": account}, "class": "separate",
            "recipient": {"id": "statistics-sg", "name": "Statistics", "contact": "privacy@statistics.example"},
            "purposes": ["analytics"], "categories": ["phone_number"], "destinations": ["SG"], "method": "api", "rights_procedure": "by mail", "withdrawal_method": "in the app",
            "notice": {"digest": format!("sha256:{}", "0".repeat(64))}, "presented_separately": true, "given_at": "2026-11-01T00:00:00Z"})
    }

    fn order(value: &Value) -> Order {
        Order::consent(value.to_string().as_bytes()).unwrap()
    }

    fn home(account: &str, home: &str) -> Order {
        Order::home(json!({"namespace": "account", "id": account, "home": home, "jurisdictions": ["DE"], "age_band": "adult"}).to_string().as_bytes()).unwrap()
    }

    fn end(what: Ending, id: &str) -> Order {
        Order::end(what, json!({"id": id}).to_string().as_bytes()).unwrap()
    }

    fn query(account: &str) -> Query {
        Query { subjects: vec![key(account)], recipient: None }
    }

    /// Whether a decision that leans on the consent `c1` of `u1` would be allowed, and when it was made.
    async fn decides(registry: &Embedded) -> Option<(bool, Instant)> {
        let known = registry.look_up(&query("u1")).await.ok()?;
        let allowed = known.bases.consents.iter().any(|c| c.stands(now()));
        let decided_at = Instant::now();
        (decided_at < known.good_until).then_some((allowed, decided_at))
    }

    /// O22: decides without pause on many tasks while `withdraw` runs; gives the decisions and the instant of the acknowledgement.
    async fn decisions_around(registry: Arc<Embedded>, withdraw: impl Future<Output = ()>) -> (Vec<(bool, Instant)>, Instant) {
        let going = Arc::new(AtomicBool::new(true));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (registry, going) = (registry.clone(), going.clone());
                tokio::spawn(async move {
                    let mut decisions = Vec::new();
                    while going.load(Ordering::Relaxed) {
                        decisions.extend(decides(&registry).await);
                        tokio::task::yield_now().await;
                    }
                    decisions
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        withdraw.await;
        let acknowledged = Instant::now();
        tokio::time::sleep(Duration::from_millis(200)).await;
        going.store(false, Ordering::Relaxed);
        let mut decisions = Vec::new();
        for task in tasks {
            decisions.extend(task.await.unwrap());
        }
        (decisions, acknowledged)
    }

    fn assert_nothing_allowed_after(decisions: &[(bool, Instant)], acknowledged: Instant) {
        assert!(decisions.iter().any(|(allowed, _)| *allowed), "nothing was allowed before the withdrawal");
        assert!(decisions.iter().any(|(_, at)| *at > acknowledged), "nothing was decided after the withdrawal");
        assert!(!decisions.iter().any(|(allowed, at)| *allowed && *at > acknowledged), "a decision after the acknowledgement leans on the consent");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_decided_after_an_acknowledged_withdrawal_is_allowed() {
        let place = Place::new();
        let node = Arc::new(place.node());
        node.write(order(&consent("c1", "u1")), now()).await.unwrap();
        let withdraw = async {
            let written = node.write(end(Ending::Consent, "c1"), now()).await.unwrap();
            assert_eq!((written.change, written.status.as_deref()), (Change::ConsentWithdrawn, Some("withdrawn")));
        };
        let (decisions, acknowledged) = decisions_around(node.clone(), withdraw).await;
        assert_nothing_allowed_after(&decisions, acknowledged);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_withdrawal_by_another_process_counts_from_its_acknowledgement_on() {
        let place = Place::new();
        let node = Arc::new(place.node());
        node.write(order(&consent("c1", "u1")), now()).await.unwrap();
        let mut other = place.other();
        let withdraw = async {
            assert!(other.write(&end(Ending::Consent, "c1"), now()).unwrap().may_close());
            tokio::time::sleep(LEASE).await;
        };
        let (decisions, acknowledged) = decisions_around(node.clone(), withdraw).await;
        assert_nothing_allowed_after(&decisions, acknowledged);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_another_process_records_is_seen_within_a_lease() {
        let place = Place::new();
        let node = place.node();
        assert_eq!(node.look_up(&query("u1")).await.unwrap().subjects, [None]);
        let mut other = place.other();
        other.write(&order(&consent("c1", "u1")), now()).unwrap();
        other.write(&Order::instrument(br#"{"id":"scc-4","type":"eu_scc","recipient":"statistics-sg","status":"in_force"}"#).unwrap(), now()).unwrap();
        tokio::time::sleep(LEASE).await;
        let known = node.look_up(&query("u1")).await.unwrap();
        assert!(known.subjects[0].is_some());
        assert_eq!((known.bases.consents.len(), known.bases.instruments.len()), (1, 1));
    }

    #[tokio::test]
    async fn a_look_up_gives_all_of_its_subjects_and_only_its_recipient() {
        let place = Place::new();
        let mut store = place.other();
        store.write(&order(&consent("c2", "u2")), now()).unwrap();
        store.write(&order(&consent("c1", "u1")), now()).unwrap();
        store.write(&order(&consent("c3", "u3")), now()).unwrap();
        for (id, recipient) in [("i1", "statistics-sg"), ("i2", "other")] {
            store
                .write(
                    &Order::instrument(json!({"id": id, "type": "eu_scc", "recipient": recipient, "status": "in_force"}).to_string().as_bytes()).unwrap(),
                    now(),
                )
                .unwrap();
        }
        store.write(&Order::exemption(br#"{"id":"e1","kind":"hr","reference":"rule 7","effective_at":"2026-01-01T00:00:00Z"}"#).unwrap(), now()).unwrap();
        let node = place.node();
        let known = node
            .look_up(&Query { subjects: vec![key("u2"), key("nobody"), key("u1"), key("u2")], recipient: Some("statistics-sg".parse().unwrap()) })
            .await
            .unwrap();
        assert_eq!(known.subjects.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, true]);
        assert_eq!(known.subjects[0], known.subjects[3]);
        assert_eq!(known.bases.consents.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["c1", "c2"]);
        assert_eq!(known.bases.instruments.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["i1"]);
        assert_eq!(known.bases.exemptions.len(), 1, "an exemption for no recipient is for all");
        assert_eq!(node.look_up(&query("u1")).await.unwrap().bases.instruments.len(), 2);
    }

    #[tokio::test]
    async fn persons_beyond_the_index_are_asked_for_at_the_store() {
        let place = Place::new();
        for n in 0..5 {
            place.other().write(&order(&consent(&format!("c{n}"), &format!("u{n}"))), now()).unwrap();
        }
        let node = Embedded::open(&place.path(), &place.key, Options { persons_max: 2, ..Options::default() }).unwrap();
        for n in 0..5 {
            let known = node.look_up(&query(&format!("u{n}"))).await.unwrap();
            assert_eq!((known.subjects[0].is_some(), known.bases.consents.len()), (true, 1), "u{n}");
        }
        assert_eq!(node.look_up(&query("nobody")).await.unwrap().subjects, [None]);
        node.write(home("u9", "eu-frankfurt"), now()).await.unwrap();
        assert!(node.look_up(&query("u9")).await.unwrap().subjects[0].is_some());
        node.write(end(Ending::Consent, "c3"), now()).await.unwrap();
        assert_eq!(node.look_up(&query("u3")).await.unwrap().bases.consents[0].state, ConsentState::Withdrawn);
    }

    #[tokio::test]
    async fn a_change_of_home_is_a_recorded_transfer() {
        let place = Place::new();
        let node = place.node();
        let first = node.write(home("u1", "eu-frankfurt"), now()).await.unwrap();
        assert!(!first.may_close());
        assert_eq!((first.change, first.old_home), (Change::HomeSet, None));
        let second = node.write(home("u1", "cn-north"), now()).await.unwrap();
        assert!(second.may_close());
        assert_eq!((second.change, second.old_home.unwrap().as_str(), second.home.unwrap().as_str()), (Change::HomeChange, "eu-frankfurt", "cn-north"));
        let known = node.look_up(&query("u1")).await.unwrap();
        assert_eq!(known.subjects[0].as_ref().unwrap().home.as_ref().unwrap().as_str(), "cn-north");
        let (row, history) = node.show_subject(&key("u1")).await.unwrap().unwrap();
        assert_eq!((row.home.unwrap().as_str(), history.len()), ("cn-north", 2));
        assert_eq!(history[1].old_home.as_ref().unwrap().as_str(), "eu-frankfurt");
    }

    #[tokio::test]
    async fn changes_wait_to_be_journalled_whoever_made_them() {
        let place = Place::new();
        let node = place.node();
        node.write(home("u1", "eu-frankfurt"), now()).await.unwrap();
        place.other().write(&home("u1", "cn-north"), now()).unwrap();
        let waiting = node.unjournalled(10).await.unwrap();
        assert_eq!(waiting.iter().map(|w| (w.event, w.change)).collect::<Vec<_>>(), [(1, Change::HomeSet), (2, Change::HomeChange)]);
        node.mark_journalled(1).await.unwrap();
        node.mark_journalled(0).await.unwrap();
        assert_eq!(node.unjournalled(10).await.unwrap(), waiting[1..]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_that_cannot_be_written_is_unhealthy_until_it_can() {
        let place = Place::new();
        let node = place.node();
        node.write(order(&consent("c1", "u1")), now()).await.unwrap();
        let holder = Connection::open(place.path()).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(matches!(node.write(home("u1", "cn-north"), now()).await, Err(WriteError::Unavailable(_))));
        assert!(!node.healthy());
        assert!(node.look_up(&query("u1")).await.is_err(), "index hit or not");
        holder.execute_batch("ROLLBACK").unwrap();
        tokio::time::sleep(PROBE * 2).await;
        assert!(node.healthy());
        assert_eq!(node.look_up(&query("u1")).await.unwrap().bases.consents.len(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_whose_file_is_gone_is_not_replaced_by_an_empty_one() {
        let place = Place::new();
        let node = place.node();
        node.write(order(&consent("c1", "u1")), now()).await.unwrap();
        let away = place.folder.path().join("away.db");
        std::fs::rename(place.path(), &away).unwrap();
        tokio::time::sleep(LEASE).await;
        assert!(!node.healthy());
        assert!(node.look_up(&query("u1")).await.is_err());
        assert!(!place.path().exists());
        std::fs::rename(&away, place.path()).unwrap();
        tokio::time::sleep(PROBE * 2).await;
        assert!(node.healthy());
        assert_eq!(node.look_up(&query("u1")).await.unwrap().bases.consents.len(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn garbage_in_the_store_is_no_answer() {
        let place = Place::new();
        let node = place.node();
        node.write(order(&consent("c1", "u1")), now()).await.unwrap();
        let db = Connection::open(place.path()).unwrap();
        db.execute_batch(
            "UPDATE records SET body = '{}' WHERE id = 'c1'; INSERT INTO events (change, id, subject, body) SELECT change, id, subject, body FROM events",
        )
        .unwrap();
        tokio::time::sleep(LEASE).await;
        assert!(node.look_up(&query("u1")).await.is_err());
        assert!(!node.healthy());
    }

    #[tokio::test]
    async fn the_file_alone_reveals_nobody() {
        let place = Place::new();
        let node = place.node();
        let planted = format!("planted{}", rand::random::<u64>());
        node.write(home(&planted, "eu-frankfurt"), now()).await.unwrap();
        node.write(order(&consent("c1", &planted)), now()).await.unwrap();
        let files: Vec<_> = std::fs::read_dir(place.folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        let holds = |text: &str| files.iter().any(|bytes| memchr::memmem::find(bytes, text.as_bytes()).is_some());
        assert!(holds("eu-frankfurt") && holds("statistics-sg"), "the scan reads what was written");
        assert!(!holds(&planted));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_head_of_the_journal_is_kept_here() {
        let place = Place::new();
        let node = Arc::new(place.node());
        let head = Head { seq: 4, hash: "sha256:00".to_owned() };
        let anchor = node.clone();
        let (kept, last) = tokio::task::spawn_blocking({
            let head = head.clone();
            move || (anchor.keep(&head), anchor.last())
        })
        .await
        .unwrap();
        assert_eq!((kept, last), (Ok(()), Ok(Some(head.clone()))));
        assert_eq!(node.head().await.unwrap(), Some(head.clone()));
        assert_eq!(crate::registry::head_in(&place.path()).unwrap(), Some(head));
    }
}

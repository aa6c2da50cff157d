//! How many entries the ledger makes durable in a second when many exchanges wait for it at once.

use domicile::ledger::{Detected, Entry, Event, Options, Writer};
use domicile::model::{Category, Direction};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Exchanges that seal at the same time.
const TASKS: usize = 64;

/// Appends `entries`, each awaited until it is on disk, from many tasks, and prints the rate. The folder is that of the build: a real disk.
pub fn throughput(entries: usize) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (writer, _) = Writer::open(folder.path(), Options::default(), None).expect("a new ledger");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    let number = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut waits: Vec<Duration> = runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(append(writer.clone(), number.clone(), entries))).collect();
        let mut waits = Vec::with_capacity(entries);
        for task in tasks {
            waits.extend(task.await.expect("a task that ends"));
        }
        waits
    });
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(waits.len(), entries, "every entry has its receipt");
    waits.sort_unstable();
    let wait = |percent: usize| waits.get(entries * percent / 100).copied().unwrap_or_default();
    println!(
        "\nledger: {TASKS} tasks, {entries} entries, each durable before the next of its task: {:.0} entries/s; a receipt takes {:.1?} (p50), {:.1?} (p99)",
        entries as f64 / seconds,
        wait(50),
        wait(99)
    );
}

/// One exchange after another until all `entries` are written: how long each waited for its receipt.
async fn append(writer: Writer, number: Arc<AtomicUsize>, entries: usize) -> Vec<Duration> {
    let mut waits = Vec::new();
    loop {
        let n = number.fetch_add(1, Ordering::Relaxed);
        if n >= entries {
            return waits;
        }
        let entry = entry(n);
        let began = Instant::now();
        writer.append(entry).await.expect("a receipt");
        waits.push(began.elapsed());
    }
}

/// A transfer with one record, as long as most are.
fn entry(number: usize) -> Entry {
    let facts = json!({"now": "2026-12-01T00:00:00Z", "direction": "request", "purpose": "account_registration", "recipient": "registration-sg",
        "records": [{"subject": "sub_1", "jurisdictions": ["CN"], "categories": {"phone_number": "clear", "person_name": "clear", "email_address": "clear"}}]});
    let decision = json!({"outcome": "allow_with", "action": "forward", "destination": "sg-1", "rules": ["CN-14", "CN-15", "S4-separate-consent"], "missing": [],
        "obligations": ["record"], "bases": ["c-separate", "sc-7"], "records": [], "stays": false, "recorded": true,
        "policy": {"id": "shopping-app", "version": "1", "digest": "sha256:00"}, "facts": "sha256:00"});
    Entry {
        time: "2026-12-01T00:00:00Z".parse().expect("a time"),
        id: format!("exchange-{number}/request").parse().expect("an id"),
        node: "bench".parse().expect("an id"),
        region: "cn-north".parse().expect("a region"),
        event: Event::Decision {
            api: "orders".parse().expect("an id"),
            direction: Direction::Request,
            facts: Box::new(serde_json::from_value(facts).expect("facts")),
            decision: Box::new(serde_json::from_value(decision).expect("a decision")),
            detectors: vec![Detected::new(Category::PhoneNumber, "cn_mobile", 0.99)],
            bytes: 1024,
        },
    }
}

//! What every test of the running program stands on: nodes, backends that keep every byte, clients that send any byte, planted persons, a leak scan.
//!
//! Everything blocks, nothing sleeps to be in time: [`eventually`] polls until a deadline. No port is fixed, no file lies outside a folder of its own.
//!
//! ```text
//! Client / H2 ──bytes──▶ Node (a process) ──bytes──▶ Sink, one per jurisdiction
//!                          │ log, ledger, registry, metrics
//!                          └──────────▶ LeakScan for a Canary, over all of it
//! ```

#![allow(dead_code, unused_imports, unreachable_pub, reason = "a harness offers more than the tests of one day use")]

pub mod builder;
pub mod canary;
pub mod certs;
pub mod client;
pub mod h2;
pub mod jwt;
pub mod leak;
pub mod node;
pub mod sink;
pub mod wire;

pub use builder::{Kind, NodeBuilder};
pub use canary::Canary;
pub use certs::Authority;
pub use client::Client;
pub use h2::{Frame, H2, RawH2};
pub use jwt::Jwt;
pub use leak::LeakScan;
pub use node::{Node, domicile};
pub use sink::{Gate, Reply, Sink};
pub use wire::{Answer, Request};

use std::time::{Duration, Instant};

/// How long a test waits for something that must happen: far longer than it takes, so that a loaded machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `look` finds something, and panics with `what` if it never does.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(LOOK);
    }
}

/// The seed of this run: `DOMICILE_TEST_SEED` to repeat one, else random. Printed, so that a failure tells it.
pub fn seed() -> u64 {
    let seed = std::env::var("DOMICILE_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("DOMICILE_TEST_SEED={seed}");
    seed
}

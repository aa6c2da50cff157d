//! The journal: proof of every decision, durable before a byte crosses.
//!
//! ```text
//! DIR/lock              held by the one writer
//! DIR/00000001.jsonl    a segment: one entry a line, canonical JSON, each with the hash of the one before
//! DIR/00000002.jsonl    the chain goes on across segments
//! ```
//!
//! [`entry`] is the format; [`verify()`] reads a journal and names the first bad line; the [`Writer`] is the only one that extends it and
//! the only maker of a [`Receipt`]. The head is also kept at an [`Anchor`](crate::model::evidence::Anchor), so a journal that lost its end is noticed.

pub mod entry;
mod flood;
mod journal;
pub mod storage;
#[cfg(test)]
mod testing;
pub mod verify;
pub mod writer;

pub use entry::{Detected, Entry, Event};
pub use journal::{OpenError, Recovery};
pub use storage::{Directory, Storage};
pub use verify::{Report, verify};
pub use writer::{Options, Receipt, Unavailable, Writer};

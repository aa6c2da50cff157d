//! One test per duty of a gateway under HTTP, whether our code or hyper does it: an update of either cannot lose one unseen.
//! Each asserts what the backends saw, not only what the client was told.

mod answers;
mod deadlines;
mod drain;
mod framing;
mod h2;
mod heads;
mod hops;
mod targets;

use crate::stage::Stage;
use crate::support::{Answer, Client};

/// Sends these bytes on a connection of their own; what the node says, and then it must close. None if it closes without a word.
#[track_caller]
fn last_words(stage: &Stage, bytes: &[u8]) -> Option<Answer> {
    let mut client = stage.node.client();
    client.send(bytes);
    let answer = client.try_answer().unwrap_or(None);
    let rest = client.rest();
    assert!(rest.is_empty(), "more than one answer: {}", String::from_utf8_lossy(&rest));
    answer
}

/// Sends these bytes, which hold `path`; they must be refused with this status and the connection closed, and no backend may see a byte of them.
#[track_caller]
fn refused_and_closed(stage: &Stage, what: &str, path: &str, bytes: &[u8], status: u16) {
    let answer = last_words(stage, bytes).unwrap_or_else(|| panic!("{what}: closed without an answer"));
    assert_eq!(answer.status, status, "{what}");
    unseen(stage, what, path);
}

/// No backend ever received these bytes.
#[track_caller]
fn unseen(stage: &Stage, what: &str, needle: &str) {
    for sink in [&stage.de, &stage.cn] {
        assert!(!sink.has(needle), "{what}: the backend in {} saw it", sink.jurisdiction);
    }
}

/// A client and its first words, which wait for an answer.
fn waiting(stage: &Stage, bytes: &[u8]) -> Client {
    let mut client = stage.node.client();
    client.send(bytes);
    client
}

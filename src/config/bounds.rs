//! How much and how long: the bounds of one exchange and of the whole node, with their defaults and the reasons for them.

use crate::payload;
use std::time::Duration;

/// Bounds of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bounds of one reading.
    pub payload: payload::Limits,
    /// For a request body to arrive.
    pub body_deadline: Duration,
    /// For a backend to answer in full.
    pub answer_deadline: Duration,
    /// To connect to a backend, TLS included.
    pub connect_deadline: Duration,
}

impl Default for Limits {
    /// 30 s bring 1 MiB over 300 kbit/s; an answer in 10 s and a connection in 3 s are what clients wait for before they give up themselves.
    fn default() -> Self {
        Limits {
            payload: payload::Limits::default(),
            body_deadline: Duration::from_secs(30),
            answer_deadline: Duration::from_secs(10),
            connect_deadline: Duration::from_secs(3),
        }
    }
}

/// Bounds of the whole node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Longest head, in bytes.
    pub head_bytes: usize,
    /// For a head to arrive; also how long a connection may idle.
    pub head_deadline: Duration,
    /// For the registry to answer a miss of the index.
    pub store_deadline: Duration,
    /// For exchanges in flight to end when the node stops.
    pub drain_deadline: Duration,
    /// All buffers of all exchanges together, in bytes; spent: 503.
    pub buffers: usize,
    /// Most connections of clients at one time.
    pub connections: usize,
    /// Most HTTP/2 streams of one connection at one time.
    pub streams: usize,
}

impl Default for Bounds {
    /// 64 KiB of head is eight times what common servers take; 60 s of idleness outlive most clients' own pools; a local store answers in
    /// milliseconds, so 250 ms means it is down; 20 s of drain fit the 30 s that orchestrators give; 256 MiB are 64 exchanges with four copies of the
    /// longest body; 10,000 idle connections cost some 400 MiB; 100 streams is what RFC 9113 §6.5.2 asks for at least.
    fn default() -> Self {
        Bounds {
            head_bytes: 64 << 10,
            head_deadline: Duration::from_secs(60),
            store_deadline: Duration::from_millis(250),
            drain_deadline: Duration::from_secs(20),
            buffers: 256 << 20,
            connections: 10_000,
            streams: 100,
        }
    }
}

//! Reads a body whole, within a length, a deadline and the node's byte budget; or its beginning, if it is longer.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// What the buffers of all exchanges together may hold, in units of [`UNIT`] bytes; spent means 503.
#[derive(Clone)]
pub struct Budget(Arc<Semaphore>);

/// Grain of the budget: small enough not to starve small bodies, large enough for a 32-bit semaphore to count terabytes.
const UNIT: usize = 4 << 10;

/// A share of the budget, given back when dropped.
pub struct Share(#[allow(dead_code, reason = "held for its drop")] Vec<OwnedSemaphorePermit>);

impl Budget {
    /// A budget of `bytes` for all buffers together.
    pub fn new(bytes: usize) -> Self {
        Budget(Arc::new(Semaphore::new((bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS))))
    }

    fn take(&self, bytes: usize, share: &mut Share) -> Result<(), Unread> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| Unread::Spent)?;
        let permit = self.0.clone().try_acquire_many_owned(units).map_err(|_| Unread::Spent)?;
        share.0.push(permit);
        Ok(())
    }
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// The deadline passed: 408 from a caller, 504 from a backend.
    Late,
    /// The connection or the framing broke.
    Broken,
    /// The byte budget is spent: 503.
    Spent,
}

/// What was read. Trailers are dropped: they are not inspected, so they do not leave (RFC 9110 §6.5.1 allows it).
pub struct Read {
    pub bytes: Bytes,
    /// The body is longer than the limit; this is what follows `bytes`.
    pub rest: Option<Incoming>,
    pub share: Share,
}

/// Reads up to `limit` bytes and learns whether there is more.
pub async fn read(mut body: Incoming, limit: usize, deadline: Duration, budget: &Budget) -> Result<Read, Unread> {
    let until = Instant::now() + deadline;
    let mut share = Share(Vec::new());
    let announced = usize::try_from(body.size_hint().exact().unwrap_or(0)).unwrap_or(usize::MAX).min(limit);
    let mut held = announced;
    if announced > 0 {
        budget.take(announced, &mut share)?;
    }
    let mut first: Option<Bytes> = None;
    let mut buffer = BytesMut::new();
    loop {
        let frame = match timeout_at(until, body.frame()).await.map_err(|_| Unread::Late)? {
            None => return Ok(Read { bytes: whole(first, buffer), rest: None, share }),
            Some(frame) => frame.map_err(|_| Unread::Broken)?,
        };
        let Ok(data) = frame.into_data() else { continue };
        let length = first.as_ref().map_or(0, Bytes::len) + buffer.len() + data.len();
        if length > held {
            budget.take(length - held, &mut share)?;
            held = length;
        }
        match first.take() {
            None if buffer.is_empty() => first = Some(data), // the usual case: one frame, no copy
            None => buffer.extend_from_slice(&data),
            Some(earlier) => {
                buffer.reserve(announced.max(length));
                buffer.extend_from_slice(&earlier);
                buffer.extend_from_slice(&data);
            }
        }
        if length > limit {
            return Ok(Read { bytes: whole(first, buffer), rest: Some(body), share });
        }
    }
}

fn whole(first: Option<Bytes>, buffer: BytesMut) -> Bytes {
    first.unwrap_or_else(|| buffer.freeze())
}

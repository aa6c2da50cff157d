//! One message, either way, with its head already judged and free of hop-by-hop fields.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};

/// The first line of a message, as it will be forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Request {
        method: Method,
        /// Normalised: starts with `/`, no dot segments, no empty segments.
        path: String,
        query: Option<String>,
    },
    Response {
        status: StatusCode,
    },
}

/// A message as it came, re-framed: what is inspected is what leaves.
#[derive(Clone)]
pub struct Message {
    pub line: Line,
    pub headers: HeaderMap,
    /// As on the wire, content coding included.
    pub body: Bytes,
    /// `body` is only the beginning: the rest was not read, because it is longer than the inspection limit.
    pub streams: bool,
}

/// Never the values: a message in a log line would be a transfer.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} headers, {} bytes)", self.headers.len(), self.body.len())
    }
}

impl Message {
    /// The declared media type, if it is text at all.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok())
    }

    /// The declared content coding, if any.
    pub fn content_encoding(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_ENCODING).and_then(|v| v.to_str().ok())
    }
}

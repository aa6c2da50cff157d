//! HTTP/1.1 as bytes: requests a test builds by hand, and messages read back without any library's opinion of them.

use std::io::{self, Read};

/// Fields in the order of the wire.
pub type Fields = Vec<(String, String)>;

/// A request to be put on the wire exactly as built.
#[derive(Debug, Clone)]
pub struct Request {
    line: String,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    /// `METHOD TARGET HTTP/1.1` with a `Host`.
    pub fn new(method: &str, target: &str) -> Self {
        Request { line: format!("{method} {target} HTTP/1.1"), fields: vec![("Host".into(), b"api.example".to_vec())], body: Vec::new() }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A JSON body with its exact length.
    pub fn post(target: &str, json: impl AsRef<[u8]>) -> Self {
        Self::new("POST", target).header("Content-Type", "application/json").body(json)
    }

    /// One more field, even if there is one of its name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Without the fields of this name.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    /// A body with `Content-Length`.
    pub fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = bytes.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.header("Content-Length", length)
    }

    /// A body in chunks.
    pub fn chunked<'a>(mut self, chunks: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.body = chunked(chunks);
        self.header("Transfer-Encoding", "chunked")
    }

    /// Bytes after the head, with no framing field added.
    pub fn raw_body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = bytes.as_ref().to_vec();
        self
    }

    /// The head with its empty line.
    pub fn head(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.fields {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// What follows the head.
    pub fn tail(&self) -> &[u8] {
        &self.body
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

/// The chunks and the last one; empty ones are left out, for they would end the body.
pub fn chunked<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in chunks.into_iter().filter(|c| !c.is_empty()) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// A message as it was read: first line, fields, body without its framing, and every byte.
#[derive(Debug, Clone, Default)]
pub struct Read1 {
    pub line: String,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub raw: Vec<u8>,
}

/// A request as a backend read it.
pub type Seen = Read1;

/// An answer as a client read it.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub raw: Vec<u8>,
    /// Statuses of the 1xx answers before it.
    pub informational: Vec<u16>,
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

impl Read1 {
    pub fn method(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }

    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    pub fn count(&self, name: &str) -> usize {
        self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Reads messages off a stream and keeps what was read too far.
pub struct Reader {
    held: Vec<u8>,
}

/// How many bytes one read may bring.
const READ: usize = 64 << 10;

impl Reader {
    pub fn new() -> Self {
        Reader { held: Vec::new() }
    }

    /// Bytes read and not yet part of a message.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    fn more(&mut self, stream: &mut dyn Read, record: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
        let mut buffer = vec![0; READ];
        let n = stream.read(&mut buffer)?;
        record(&buffer[..n]);
        self.held.extend_from_slice(&buffer[..n]);
        Ok(n)
    }

    /// The next head; none if the stream ended before a byte of it.
    pub fn head(&mut self, stream: &mut dyn Read, record: &mut dyn FnMut(&[u8])) -> io::Result<Option<Read1>> {
        let end = loop {
            if let Some(at) = self.held.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if self.more(stream, record)? == 0 {
                return if self.held.is_empty() { Ok(None) } else { Err(broken("the stream ended inside a head")) };
            }
        };
        let raw: Vec<u8> = self.held.drain(..end).collect();
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let fields = lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect();
        Ok(Some(Read1 { line, fields, body: Vec::new(), raw }))
    }

    /// The body after `head`, by its own framing; with `to_end`, a body without framing lasts until the stream ends.
    pub fn body(&mut self, head: &mut Read1, to_end: bool, stream: &mut dyn Read, record: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        if head.header("transfer-encoding").is_some_and(|te| te.to_ascii_lowercase().ends_with("chunked")) {
            return self.chunks(head, stream, record);
        }
        if let Some(length) = head.header("content-length").and_then(|l| l.parse::<usize>().ok()) {
            head.body = self.exactly(length, stream, record)?;
        } else if to_end {
            while self.more(stream, record)? > 0 {}
            head.body = std::mem::take(&mut self.held);
        }
        let body = head.body.clone();
        head.raw.extend_from_slice(&body);
        Ok(())
    }

    fn chunks(&mut self, head: &mut Read1, stream: &mut dyn Read, record: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        loop {
            let line = self.line(stream, record)?;
            head.raw.extend_from_slice(&line);
            let digits = String::from_utf8_lossy(&line).trim().split(';').next().unwrap_or_default().to_owned();
            let size = usize::from_str_radix(&digits, 16).map_err(|_| broken("a chunk has no size"))?;
            if size == 0 {
                break;
            }
            let chunk = self.exactly(size + 2, stream, record)?;
            head.raw.extend_from_slice(&chunk);
            head.body.extend_from_slice(&chunk[..size]);
        }
        loop {
            let trailer = self.line(stream, record)?;
            head.raw.extend_from_slice(&trailer);
            if trailer == b"\r\n" {
                return Ok(());
            }
        }
    }

    fn line(&mut self, stream: &mut dyn Read, record: &mut dyn FnMut(&[u8])) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.held.windows(2).position(|w| w == b"\r\n") {
                return Ok(self.held.drain(..at + 2).collect());
            }
            if self.more(stream, record)? == 0 {
                return Err(broken("the stream ended inside a line"));
            }
        }
    }

    fn exactly(&mut self, length: usize, stream: &mut dyn Read, record: &mut dyn FnMut(&[u8])) -> io::Result<Vec<u8>> {
        while self.held.len() < length {
            if self.more(stream, record)? == 0 {
                return Err(broken("the stream ended inside a body"));
            }
        }
        Ok(self.held.drain(..length).collect())
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, what)
}

//! A caller: one request over a socket of its own, with or without a PROXY protocol line, and the whole answer.

use super::backend::{head_length, header};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A node that has not answered by then does not answer: its own deadline for backends is 10 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Request {
        Request { method, path: path.into(), ..Request::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Request {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(self, body: &serde_json::Value) -> Request {
        Request { body: body.to_string().into_bytes(), ..self }.with("content-type", "application/json")
    }

    /// The value of one of its headers.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Head and body as text: what the caller could read.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// Sends one request; `from` is the client address that a load balancer in front would name in a PROXY line.
pub(super) fn send(to: SocketAddr, from: Option<&str>, request: &Request) -> Result<Answer, String> {
    let told = |e: std::io::Error| format!("no answer from {to}: {e}");
    let mut stream = TcpStream::connect(to).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    let mut bytes = from.map(|client| format!("PROXY TCP4 {client} 127.0.0.1 40000 {}\r\n", to.port())).unwrap_or_default();
    bytes += &format!("{} {} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    if !request.body.is_empty() {
        bytes += &format!("content-length: {}\r\n", request.body.len());
    }
    bytes += "\r\n";
    stream.write_all(&[bytes.as_bytes(), &request.body].concat()).map_err(told)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(told)?;
    parse(&answer).ok_or_else(|| format!("the answer from {to} is no HTTP"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = head_length(bytes)?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head, body: bytes.get(end..)?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = parse(b"HTTP/1.1 451 Unavailable\r\nDomicile-Decision: d-1\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.header("domicile-decision"), answer.body.as_slice()), (451, Some("d-1"), &b"{}"[..]));
        assert!(parse(b"HTTP/1.1 451").is_none());
    }
}

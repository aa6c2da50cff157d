//! HTTP/2 over TLS: hyper's client for well-formed requests, and frames built by hand for all others.

use super::certs::Authority;
use super::client::{Client, Duplex};
use super::wire::Answer;
use super::{PATIENCE, certs};
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

type Chunks = futures_util::stream::Iter<std::vec::IntoIter<Result<hyper::body::Frame<Bytes>, Infallible>>>;

/// A well-behaved client on one connection.
pub struct H2 {
    runtime: tokio::runtime::Runtime,
    sender: hyper::client::conn::http2::SendRequest<StreamBody<Chunks>>,
}

impl H2 {
    pub fn connect(address: SocketAddr, authority: &Authority) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = authority.client(&[b"h2"]);
        let sender = runtime.block_on(async {
            let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let tls = tokio_rustls::TlsConnector::from(config).connect(certs::NAME.try_into().unwrap(), tcp).await.unwrap();
            assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        H2 { runtime, sender }
    }

    /// One request, its body in these DATA frames. `content-length` only if the headers have it.
    #[track_caller]
    pub fn exchange(&mut self, method: &str, target: &str, headers: &[(&str, &str)], frames: &[&[u8]]) -> Answer {
        self.try_exchange(method, target, headers, frames).expect("an answer")
    }

    /// The same, if an error may come instead.
    pub fn try_exchange(&mut self, method: &str, target: &str, headers: &[(&str, &str)], frames: &[&[u8]]) -> Result<Answer, hyper::Error> {
        let mut request = hyper::Request::builder().method(method).uri(format!("https://api.example{target}")).version(hyper::Version::HTTP_2);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let frames: Vec<_> = frames.iter().map(|f| Ok(hyper::body::Frame::data(Bytes::copy_from_slice(f)))).collect();
        let request = request.body(StreamBody::new(futures_util::stream::iter(frames))).unwrap();
        self.runtime.block_on(async {
            let exchange = async {
                self.sender.ready().await?;
                let (parts, body) = self.sender.send_request(request).await?.into_parts();
                let fields = parts.headers.iter().map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
                let body = body.collect().await?.to_bytes().to_vec();
                Ok(Answer { status: parts.status.as_u16(), fields, raw: body.clone(), body, informational: Vec::new() })
            };
            tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time")
        })
    }
}

/// One frame (RFC 9113 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 0x1;
pub const END_HEADERS: u8 = 0x4;
const ACK: u8 = 0x1;
pub const PROTOCOL_ERROR: u32 = 1;
pub const REFUSED_STREAM: u32 = 7;
pub const ENHANCE_YOUR_CALM: u32 = 11;
/// Longest frame that is read: the default of RFC 9113 §6.5.2.
const FRAME_BYTES: usize = 16 << 10;

impl Frame {
    /// HEADERS of a request that ends with its head, or not.
    pub fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Self {
        Frame { kind: HEADERS, flags, stream, payload: hpack(fields) }
    }

    /// The error code of RST_STREAM or GOAWAY.
    pub fn error(&self) -> Option<u32> {
        let at = match self.kind {
            RST_STREAM => 0,
            GOAWAY => 4,
            _ => return None,
        };
        self.payload.get(at..at + 4).map(|b| u32::from_be_bytes(b.try_into().unwrap()))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = (self.payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

/// Pseudo-headers of a request, then these.
pub fn request<'a>(method: &'a str, path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![(":method", method), (":scheme", "https"), (":authority", "api.example"), (":path", path)];
    fields.extend(more);
    fields
}

/// Literal fields without indexing or Huffman coding (RFC 7541 §6.2.2), so that every byte is the test's own.
pub fn hpack(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(text.len(), &mut block);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(mut n: usize, block: &mut Vec<u8>) {
    if n < 127 {
        return block.push(n as u8);
    }
    block.push(127);
    n -= 127;
    while n >= 128 {
        block.push((n % 128) as u8 | 128);
        n /= 128;
    }
    block.push(n as u8);
}

/// A connection on which a test writes frames itself.
pub struct RawH2 {
    stream: Box<dyn Duplex>,
    _tcp: TcpStream,
}

impl RawH2 {
    /// Connects and sends the preface with empty SETTINGS.
    pub fn connect(address: SocketAddr, authority: &Authority) -> Self {
        let (stream, tcp) = Client::connect_tls_after(address, authority, b"", &[b"h2"]).into_parts();
        let mut raw = RawH2 { stream, _tcp: tcp };
        raw.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        raw.send(&Frame { kind: SETTINGS, flags: 0, stream: 0, payload: Vec::new() });
        raw
    }

    fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).and_then(|()| self.stream.flush()); // a peer that has closed says why in what it sent
    }

    pub fn send(&mut self, frame: &Frame) {
        self.write(&frame.bytes());
    }

    /// Many frames in one write.
    pub fn send_all(&mut self, frames: &[Frame]) {
        self.write(&frames.iter().flat_map(Frame::bytes).collect::<Vec<_>>());
    }

    /// The next frame, SETTINGS and PING acknowledged on the way; none at the end of the connection.
    pub fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).map_err(still_open).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        assert!(length <= FRAME_BYTES);
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).map_err(still_open).ok()?;
        let frame = Frame { kind: head[3], flags: head[4], stream: u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]), payload };
        match (frame.kind, frame.flags & ACK) {
            (SETTINGS, 0) => self.send(&Frame { kind: SETTINGS, flags: ACK, stream: 0, payload: Vec::new() }),
            (PING, 0) => self.send(&Frame { flags: ACK, ..frame.clone() }),
            _ => {}
        }
        Some(frame)
    }

    /// The first frame that ends this stream or the connection: its end, a reset or GOAWAY. None if the connection just closed.
    pub fn end_of(&mut self, stream: u32) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            let ends = frame.stream == stream && (frame.kind == RST_STREAM || (matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0));
            if ends || (frame.kind == GOAWAY && frame.error() != Some(0)) {
                return Some(frame);
            }
        }
    }
}

#[track_caller]
fn still_open(e: io::Error) {
    assert!(!matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "the connection is open and silent");
}

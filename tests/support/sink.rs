//! A backend of one jurisdiction that keeps every byte it ever received and answers by a script.

use super::certs::{Authority, NAME};
use super::wire::{Fields, Reader, Seen, chunked};
use super::{PATIENCE, eventually};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A door that a scripted answer waits at until the test opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open).unwrap());
    }
}

#[derive(Clone)]
enum Step {
    Send(Vec<u8>),
    Wait(Gate),
    Pause(Duration),
}

/// How a connection goes on after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    KeepAlive,
    Close,
    Reset,
}

/// One scripted answer.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    fields: Fields,
    body: Vec<u8>,
    chunks: Option<Vec<Vec<u8>>>,
    raw: Option<Vec<u8>>,
    before: Vec<Step>,
    between: Vec<Step>,
    early: bool,
    after: After,
}

impl Reply {
    /// An empty answer with this status.
    pub fn status(status: u16) -> Self {
        Reply {
            status,
            fields: Vec::new(),
            body: Vec::new(),
            chunks: None,
            raw: None,
            before: Vec::new(),
            between: Vec::new(),
            early: false,
            after: After::KeepAlive,
        }
    }

    /// 200 with a JSON body.
    pub fn json(body: impl AsRef<[u8]>) -> Self {
        Self::status(200).header("Content-Type", "application/json").body(body)
    }

    /// These bytes and nothing else: the script is the whole answer.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Reply { raw: Some(bytes.as_ref().to_vec()), ..Self::status(200) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// A body with its exact `Content-Length`.
    pub fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = bytes.as_ref().to_vec();
        self
    }

    /// A body in chunks.
    pub fn chunked(mut self, chunks: &[&[u8]]) -> Self {
        self.chunks = Some(chunks.iter().map(|c| c.to_vec()).collect());
        self
    }

    /// The body compressed, and said to be.
    pub fn gzip(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = gzip(bytes.as_ref());
        self.header("Content-Encoding", "gzip")
    }

    /// A 1xx answer first.
    pub fn informational(mut self, status: u16) -> Self {
        self.before.push(Step::Send(format!("HTTP/1.1 {status} First\r\nLink: </style.css>; rel=preload\r\n\r\n").into_bytes()));
        self
    }

    /// Answers when the head has come, without waiting for the body, and closes.
    pub fn early(mut self) -> Self {
        self.early = true;
        self.closing()
    }

    /// Waits for the test before the first byte.
    pub fn at(mut self, gate: &Gate) -> Self {
        self.before.push(Step::Wait(gate.clone()));
        self
    }

    /// Waits for the test between head and body.
    pub fn body_at(mut self, gate: &Gate) -> Self {
        self.between.push(Step::Wait(gate.clone()));
        self
    }

    /// Waits before the first byte.
    pub fn after(mut self, time: Duration) -> Self {
        self.before.push(Step::Pause(time));
        self
    }

    /// Closes the connection after the answer.
    pub fn closing(mut self) -> Self {
        self.after = After::Close;
        self
    }

    /// Closes without an answer.
    pub fn nothing() -> Self {
        Self::raw("").closing()
    }

    /// Resets the connection instead of an answer.
    pub fn reset() -> Self {
        Reply { after: After::Reset, ..Self::raw("") }
    }

    fn head_and_body(&self, head_only: bool) -> (Vec<u8>, Vec<u8>) {
        if let Some(raw) = &self.raw {
            return (raw.clone(), Vec::new());
        }
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        let body = match &self.chunks {
            Some(chunks) => {
                head += "Transfer-Encoding: chunked\r\n";
                chunked(chunks.iter().map(Vec::as_slice))
            }
            None if matches!(self.status, 204 | 304) => Vec::new(),
            None => {
                head += &format!("Content-Length: {}\r\n", self.body.len());
                self.body.clone()
            }
        };
        head += "\r\n";
        (head.into_bytes(), if head_only { Vec::new() } else { body })
    }

    fn play(&self, stream: &mut dyn Write, head_only: bool) -> io::Result<()> {
        let (head, body) = self.head_and_body(head_only);
        let steps = self.before.iter().cloned().chain([Step::Send(head)]).chain(self.between.iter().cloned()).chain([Step::Send(body)]);
        for step in steps {
            match step {
                Step::Send(bytes) => {
                    stream.write_all(&bytes)?;
                    stream.flush()?;
                }
                Step::Wait(gate) => gate.pass(),
                Step::Pause(time) => std::thread::sleep(time),
            }
        }
        Ok(())
    }
}

/// Compressed with gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Compressed as `Content-Encoding: deflate` says: a zlib stream (RFC 9110 §8.4.1.2).
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What came over one connection.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// Every byte, in order.
    pub bytes: Vec<u8>,
    /// Every request that was complete.
    pub requests: Vec<Seen>,
    /// Both ends are closed.
    pub closed: bool,
}

#[derive(Default)]
struct State {
    connections: Vec<Connection>,
    scripts: HashMap<String, Vec<Reply>>,
}

/// A running backend. Its thread ends with the process.
pub struct Sink {
    pub jurisdiction: &'static str,
    address: SocketAddr,
    tls: bool,
    state: Arc<Mutex<State>>,
}

impl Sink {
    /// Plain HTTP. Without a script it answers 200 `{"ok":true}`.
    pub fn start(jurisdiction: &'static str) -> Self {
        Self::listen(jurisdiction, None)
    }

    /// The same over TLS, with a certificate for `localhost`.
    pub fn start_tls(jurisdiction: &'static str, authority: &Authority) -> Self {
        Self::start_tls_as(jurisdiction, authority, NAME)
    }

    /// The same with a certificate for another name.
    pub fn start_tls_as(jurisdiction: &'static str, authority: &Authority, name: &str) -> Self {
        Self::listen(jurisdiction, Some(authority.server(&[name])))
    }

    fn listen(jurisdiction: &'static str, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Sink { jurisdiction, address: listener.local_addr().unwrap(), tls: tls.is_some(), state: Arc::default() };
        let state = sink.state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, tls) = (state.clone(), tls.clone());
                std::thread::spawn(move || serve(stream, tls, &state));
            }
        });
        sink
    }

    /// What stands under `backends` for it.
    pub fn url(&self) -> String {
        if self.tls { format!("https://{NAME}:{}", self.address.port()) } else { format!("http://{}", self.address) }
    }

    /// Answers requests for this path so, one reply after the other; the last one stays.
    pub fn on(&self, path: &str, replies: impl Into<Vec<Reply>>) {
        self.state.lock().unwrap().scripts.insert(path.to_owned(), replies.into());
    }

    /// Connections over which at least one byte came: probes of its health send none. A copy of everything; mind its size.
    pub fn connections(&self) -> Vec<Connection> {
        self.look(|state| state.connections.iter().filter(|c| !c.bytes.is_empty()).cloned().collect())
    }

    /// Every byte ever received.
    pub fn bytes(&self) -> Vec<u8> {
        self.look(|state| state.connections.iter().flat_map(|c| c.bytes.iter().copied()).collect())
    }

    /// Every complete request for this path, in the order of connections.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.look(|state| state.connections.iter().flat_map(|c| &c.requests).filter(|r| r.path() == path).cloned().collect())
    }

    fn look<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.lock().unwrap())
    }

    /// The one request for this path; panics if there is none or another.
    #[track_caller]
    pub fn only(&self, path: &str) -> Seen {
        let seen = self.seen(path);
        assert_eq!(seen.len(), 1, "requests for {path} at the backend in {}", self.jurisdiction);
        seen.into_iter().next().unwrap()
    }

    /// Waits until so many requests for this path have come.
    #[track_caller]
    pub fn wait_for(&self, path: &str, count: usize) -> Vec<Seen> {
        eventually(&format!("{count} requests for {path}"), || Some(self.seen(path)).filter(|seen| seen.len() >= count))
    }

    /// Waits until every connection that carried a request for this path is closed at both ends.
    #[track_caller]
    pub fn wait_until_closed(&self, path: &str) {
        let carried = |c: &&Connection| c.requests.iter().any(|r| r.path() == path);
        eventually("connections to close", || self.look(|state| state.connections.iter().filter(carried).all(|c| c.closed)).then_some(()));
    }

    /// Whether these bytes ever came, anywhere in any connection.
    pub fn has(&self, needle: impl AsRef<[u8]>) -> bool {
        let finder = memchr::memmem::Finder::new(needle.as_ref());
        self.look(|state| state.connections.iter().any(|c| finder.find(&c.bytes).is_some()))
    }
}

/// One connection until it ends.
fn serve(tcp: TcpStream, tls: Option<Arc<rustls::ServerConfig>>, state: &Mutex<State>) {
    let _ = tcp.set_nodelay(true);
    let index = {
        let mut state = state.lock().unwrap();
        state.connections.push(Connection::default());
        state.connections.len() - 1
    };
    let handle = tcp.try_clone();
    let after = match tls {
        None => converse(&mut { tcp }, index, state),
        Some(config) => {
            rustls::ServerConnection::new(config).map_err(io::Error::other).and_then(|c| converse(&mut rustls::StreamOwned::new(c, tcp), index, state))
        }
    };
    match (after, handle) {
        (Ok(After::Reset), Ok(tcp)) => reset(&tcp),
        (_, Ok(mut tcp)) => part(&mut tcp),
        _ => {}
    }
    state.lock().unwrap().connections[index].closed = true;
}

/// Closes this end and waits for the other, so that a test can know that the other has seen it.
fn part(tcp: &mut TcpStream) {
    let _ = tcp.shutdown(Shutdown::Write);
    let _ = tcp.set_read_timeout(Some(PATIENCE));
    while tcp.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {}
}

/// Closing with unread input makes the kernel send RST; with nothing unread, a zero linger does.
fn reset(tcp: &TcpStream) {
    let socket = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _guard = socket.enter();
    let Ok(copy) = tcp.try_clone() else { return };
    let _ = copy.set_nonblocking(true);
    if let Ok(stream) = tokio::net::TcpStream::from_std(copy) {
        let _ = stream.set_zero_linger();
    }
}

trait Duplex: Read + Write {}
impl<T: Read + Write> Duplex for T {}

fn converse(stream: &mut dyn Duplex, index: usize, state: &Mutex<State>) -> io::Result<After> {
    let mut reader = Reader::new();
    let mut record = |bytes: &[u8]| state.lock().unwrap().connections[index].bytes.extend_from_slice(bytes);
    loop {
        let Some(mut request) = reader.head(&mut &mut *stream, &mut record)? else { return Ok(After::Close) };
        let reply = script(state, request.path());
        let head_only = request.method() == "HEAD";
        if reply.early {
            reply.play(&mut &mut *stream, head_only)?;
            // The rest is read, so that the close is no reset that could overtake the answer.
            let _ = reader.body(&mut request, false, &mut &mut *stream, &mut record);
            return Ok(After::Close);
        }
        reader.body(&mut request, false, &mut &mut *stream, &mut record)?;
        state.lock().unwrap().connections[index].requests.push(request);
        reply.play(&mut &mut *stream, head_only)?;
        if reply.after != After::KeepAlive {
            return Ok(reply.after);
        }
    }
}

fn script(state: &Mutex<State>, path: &str) -> Reply {
    let mut state = state.lock().unwrap();
    match state.scripts.get_mut(path) {
        Some(replies) if replies.len() > 1 => replies.remove(0),
        Some(replies) if !replies.is_empty() => replies[0].clone(),
        _ => Reply::json(br#"{"ok":true}"#),
    }
}

impl From<Reply> for Vec<Reply> {
    fn from(reply: Reply) -> Self {
        vec![reply]
    }
}

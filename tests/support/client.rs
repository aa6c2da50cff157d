//! A client that puts any bytes on the wire and reads answers back: HTTP/1.1 over TCP or TLS, with a PROXY header first if wished.

use super::PATIENCE;
use super::certs::{Authority, NAME};
use super::wire::{Answer, Reader, Request};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

enum Stream {
    Plain(TcpStream),
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => &tls.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(tcp) => tcp.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}

/// One connection to a node.
pub struct Client {
    stream: Stream,
    reader: Reader,
}

impl Client {
    /// Over plain TCP.
    pub fn connect(address: SocketAddr) -> Self {
        Client { stream: Stream::Plain(dial(address)), reader: Reader::new() }
    }

    /// Over plain TCP, these bytes first.
    pub fn connect_after(address: SocketAddr, first: &[u8]) -> Self {
        let mut client = Self::connect(address);
        client.send(first);
        client
    }

    /// Over TLS, offering HTTP/1.1.
    pub fn connect_tls(address: SocketAddr, authority: &Authority) -> Self {
        Self::connect_tls_after(address, authority, b"", &[b"http/1.1"])
    }

    /// Over TLS, these bytes before the handshake.
    pub fn connect_tls_after(address: SocketAddr, authority: &Authority, first: &[u8], alpn: &[&[u8]]) -> Self {
        let mut tcp = dial(address);
        tcp.write_all(first).unwrap();
        let connection = rustls::ClientConnection::new(authority.client(alpn), NAME.try_into().unwrap()).unwrap();
        Client { stream: Stream::Tls(Box::new(rustls::StreamOwned::new(connection, tcp))), reader: Reader::new() }
    }

    /// Sends bytes. The other side may have closed already: what it says is read next, so that is no failure.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
    }

    /// Sends each piece in a TCP segment or TLS record of its own.
    pub fn send_in_pieces(&mut self, pieces: &[&[u8]], pause: Duration) {
        for piece in pieces {
            self.send(piece);
            std::thread::sleep(pause);
        }
    }

    /// The next final answer. Panics if there is none.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.read("GET").expect("an answer").expect("an answer before the end")
    }

    /// The next final answer, to a HEAD request.
    #[track_caller]
    pub fn answer_to_head(&mut self) -> Answer {
        self.read("HEAD").expect("an answer").expect("an answer before the end")
    }

    /// The next answer of any kind, 1xx included; none if the connection ended.
    pub fn try_answer(&mut self) -> io::Result<Option<Answer>> {
        self.read("GET")
    }

    /// The next head alone, 1xx included.
    #[track_caller]
    pub fn interim(&mut self) -> u16 {
        let head = self.reader.head(&mut self.stream, &mut |_| {}).unwrap().expect("a head");
        status(&head.line)
    }

    fn read(&mut self, method: &str) -> io::Result<Option<Answer>> {
        let mut informational = Vec::new();
        loop {
            let Some(mut head) = self.reader.head(&mut self.stream, &mut |_| {})? else { return Ok(None) };
            let status = status(&head.line);
            if (100..200).contains(&status) {
                informational.push(status);
                continue;
            }
            if method != "HEAD" && !matches!(status, 204 | 304) {
                self.reader.body(&mut head, true, &mut self.stream, &mut |_| {})?;
            }
            return Ok(Some(Answer { status, fields: head.fields, body: head.body, raw: head.raw, informational }));
        }
    }

    /// Sends one request and reads its answer.
    #[track_caller]
    pub fn exchange(&mut self, request: &Request) -> Answer {
        self.send(&request.bytes());
        if request.bytes().starts_with(b"HEAD ") { self.answer_to_head() } else { self.answer() }
    }

    /// Reads until the other side closes: what still came. Panics if it does not close.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = self.reader.held().to_vec();
        match self.stream.read_to_end(&mut rest) {
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => panic!("the connection is still open"),
            _ => rest,
        }
    }

    /// No more bytes from this side; the other may still answer.
    pub fn finish_sending(&mut self) {
        let _ = self.stream.tcp().shutdown(Shutdown::Write);
    }

    /// Gone at once.
    pub fn vanish(self) {
        let _ = self.stream.tcp().shutdown(Shutdown::Both);
    }

    pub(super) fn into_parts(self) -> (Box<dyn Duplex>, TcpStream) {
        let copy = self.stream.tcp().try_clone().unwrap();
        (Box::new(self.stream), copy)
    }
}

/// Both directions of a connection.
pub trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

fn dial(address: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

fn status(line: &str) -> u16 {
    line.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status line: {line}"))
}

/// A PROXY protocol header of version 1, for an IPv4 client.
pub fn proxy_v1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 192.0.2.1 40000 443\r\n").into_bytes()
}

/// A PROXY protocol header of version 2, for an IPv4 client.
pub fn proxy_v2(client: &str) -> Vec<u8> {
    let address: std::net::Ipv4Addr = client.parse().unwrap();
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend(address.octets());
    header.extend([192, 0, 2, 1, 0x9c, 0x40, 0x01, 0xbb]);
    header
}

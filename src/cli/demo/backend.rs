//! A sample backend: keeps every byte that reaches it, and answers as it is told.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a backend answers when nobody told it otherwise.
const ACCEPTED: &str = r#"{"status":"accepted"}"#;

/// One backend in one region. It listens until the process ends.
pub(super) struct Backend {
    pub(super) region: &'static str,
    pub(super) address: SocketAddr,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Every byte, in the order of arrival.
    bytes: Mutex<Vec<u8>>,
    /// Answers to the next requests.
    answers: Mutex<VecDeque<(u16, String)>>,
}

impl Backend {
    /// Listens on a free loopback port.
    pub(super) fn start(region: &'static str) -> std::io::Result<Backend> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, kept) = (listener.local_addr()?, Arc::<Kept>::default());
        let shared = kept.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = shared.clone();
                thread::spawn(move || converse(stream, &kept));
            }
        });
        Ok(Backend { region, address, kept })
    }

    /// Where it is reached.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets the next request be answered with this status and JSON.
    pub(super) fn will_answer(&self, status: u16, body: String) {
        held(&self.kept.answers).push_back((status, body));
    }

    /// Forgets answers that nobody fetched.
    pub(super) fn forget_answers(&self) {
        held(&self.kept.answers).clear();
    }

    /// How many bytes have arrived so far.
    pub(super) fn mark(&self) -> usize {
        held(&self.kept.bytes).len()
    }

    /// What has arrived since.
    pub(super) fn since(&self, mark: usize) -> Vec<u8> {
        held(&self.kept.bytes).get(mark..).unwrap_or_default().to_vec()
    }
}

/// A thread that panicked while holding the lock left whole values behind: each is written in one step.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requests on one connection, one after the other, until the other side hangs up.
fn converse(mut stream: TcpStream, kept: &Kept) {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 16 << 10]);
    loop {
        while let Some(length) = request_length(&buffer) {
            buffer.drain(..length);
            let (status, body) = held(&kept.answers).pop_front().unwrap_or_else(|| (200, ACCEPTED.to_owned()));
            let head = format!("HTTP/1.1 {status} Sample\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
            if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => {
                let read = chunk.get(..count).unwrap_or_default();
                held(&kept.bytes).extend_from_slice(read);
                buffer.extend_from_slice(read);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The length of the first request in `buffer`, if all of it is there. The gateway frames what it forwards by `Content-Length`.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head = head_length(buffer)?;
    let text = String::from_utf8_lossy(buffer.get(..head)?);
    let length = header(&text, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    Some(head + length).filter(|whole| *whole <= buffer.len())
}

/// The length of a head with the empty line behind it.
pub(super) fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The first value of a header; names count without regard to case.
pub(super) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().skip(1).filter_map(|line| line.split_once(':')).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_when_its_body_is() {
        let request = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(request_length(request), Some(request.len()));
        assert_eq!(request_length(&request[..request.len() - 1]), None);
        assert_eq!(request_length(b"GET / HTTP/1.1\r\n\r\nGET"), Some(18));
    }

    #[test]
    fn every_byte_is_kept_and_the_scripted_answer_comes_once() {
        let backend = Backend::start("cn-north").unwrap();
        backend.will_answer(404, "{}".into());
        for expected in ["HTTP/1.1 404", "HTTP/1.1 200"] {
            let mut stream = TcpStream::connect(backend.address).unwrap();
            let mark = backend.mark();
            stream.write_all(b"GET /a HTTP/1.1\r\n\r\n").unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(std::str::from_utf8(&answer).unwrap(), expected);
            assert_eq!(backend.since(mark), b"GET /a HTTP/1.1\r\n\r\n");
        }
    }
}

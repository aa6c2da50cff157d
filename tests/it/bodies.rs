//! Bodies of every size that has a border near it, in every framing, there and back; and one body cut at every byte.

use crate::stage::{Stage, about};
use crate::support::sink::gzip;
use crate::support::{Answer, Canary, Reply, Request, seed};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Nothing, one byte, both sides of 64 KiB, and the inspection limit.
const SIZES: [usize; 6] = [0, 1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 1 << 20];
/// One byte more than the inspection limit.
const OVER: usize = (1 << 20) + 1;
/// Sizes of chunks and DATA frames: none divides the others.
const PIECE: usize = 10_007;

/// A JSON body of exactly this length that holds nobody's data: a text of letters, or a digit, or nothing.
fn body(length: usize) -> Vec<u8> {
    match length {
        0 => Vec::new(),
        1 => b"7".to_vec(),
        _ => {
            let letters = (0..length - 2).map(|i| b"qwxz"[i * i % 7 % 4]);
            [b'"'].into_iter().chain(letters).chain([b'"']).collect()
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The answer and what the backend saw are the body, whole.
#[track_caller]
fn intact(stage: &Stage, path: &str, sent: &[u8], answer: &Answer) {
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let seen = stage.de.only(path);
    assert_eq!((seen.body.len(), digest(&seen.body)), (sent.len(), digest(sent)), "{path} there");
    assert_eq!((answer.body.len(), digest(&answer.body)), (sent.len(), digest(sent)), "{path} back");
}

/// The backend answers requests for this path with the body itself.
fn mirror(stage: &Stage, path: &str, bytes: &[u8]) {
    stage.de.on(path, Reply::json(bytes));
}

#[test]
fn bodies_with_content_length_arrive_whole_over_one_connection() {
    let stage = Stage::shared();
    let mut client = stage.node.client();
    for size in SIZES {
        let (path, bytes) = (format!("/v1/length/{size}"), body(size));
        mirror(stage, &path, &bytes);
        let answer = client.exchange(&Request::post(&path, &bytes));
        intact(stage, &path, &bytes, &answer);
        let seen = stage.de.only(&path);
        assert_eq!((seen.header("content-length"), seen.header("transfer-encoding")), (Some(&*size.to_string()), None));
    }
}

#[test]
fn chunked_bodies_arrive_whole_and_with_their_length_both_ways() {
    let stage = Stage::shared();
    let mut client = stage.node.client();
    for size in SIZES {
        let (path, bytes) = (format!("/v1/chunks/{size}"), body(size));
        let pieces: Vec<&[u8]> = bytes.chunks(PIECE).collect();
        stage.de.on(&path, Reply::status(200).header("Content-Type", "application/json").chunked(&pieces));
        let request = Request::new("POST", &path).header("Content-Type", "application/json").chunked(pieces.iter().copied());
        let answer = client.exchange(&request);
        intact(stage, &path, &bytes, &answer);
        let seen = stage.de.only(&path);
        assert_eq!(seen.header("transfer-encoding"), None);
        assert_eq!(seen.header("content-length").unwrap_or("0"), size.to_string()); // re-framed: what was read has a length
        assert_eq!(answer.header("transfer-encoding"), None);
    }
}

#[test]
fn bodies_over_tls_arrive_whole() {
    let stage = Stage::shared();
    let mut client = stage.node.client_tls();
    for size in SIZES {
        let (path, bytes) = (format!("/v1/tls/{size}"), body(size));
        mirror(stage, &path, &bytes);
        let answer = client.exchange(&Request::post(&path, &bytes));
        intact(stage, &path, &bytes, &answer);
    }
}

#[test]
fn http_2_bodies_arrive_whole_with_and_without_content_length() {
    let stage = Stage::shared();
    let mut h2 = stage.node.h2();
    for size in SIZES {
        for with_length in [true, false] {
            let (path, bytes) = (format!("/v1/h2-body/{size}/{with_length}"), body(size));
            mirror(stage, &path, &bytes);
            let length = size.to_string();
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(with_length.then_some(("content-length", length.as_str())));
            let answer = h2.exchange("POST", &path, &headers, &bytes.chunks(PIECE).collect::<Vec<_>>());
            intact(stage, &path, &bytes, &answer);
        }
    }
}

#[test]
fn one_byte_over_the_limit_is_413_if_it_would_cross() {
    let stage = Stage::shared();
    let bytes = body(OVER);
    let mut answers = vec![
        ("length", stage.node.client().exchange(&Request::post("/v1/over/length", &bytes))),
        (
            "chunks",
            stage.node.client().exchange(&Request::new("POST", "/v1/over/chunks").header("Content-Type", "application/json").chunked(bytes.chunks(PIECE))),
        ),
    ];
    let mut h2 = stage.node.h2();
    let frames: Vec<&[u8]> = bytes.chunks(PIECE).collect();
    let length = OVER.to_string();
    answers.push(("h2", h2.exchange("POST", "/v1/over/h2", &[("content-type", "application/json")], &frames)));
    answers.push(("h2 length", h2.exchange("POST", "/v1/over/h2-length", &[("content-type", "application/json"), ("content-length", &length)], &frames)));
    for (what, answer) in answers {
        assert_eq!(answer.status, 413, "{what}");
        assert_eq!(answer.json()["opaque"], "size", "{what}");
    }
    assert!(!stage.de.has("/v1/over") && !stage.cn.has("/v1/over"));
    assert_eq!(h2.exchange("GET", "/v1/after-over", &[], &[]).status, 200);
}

#[test]
fn one_byte_over_the_limit_streams_whole_if_it_stays() {
    let stage = Stage::shared();
    let bytes = body(OVER);
    let pieces: Vec<&[u8]> = bytes.chunks(PIECE).collect();
    let json = ("content-type", "application/json");
    let mirrored = |path: &'static str| {
        mirror(stage, path, &bytes);
        path
    };
    let mut client = stage.node.client();
    let path = mirrored("/local/over/length");
    let answer = client.exchange(&Request::post(path, &bytes));
    intact(stage, path, &bytes, &answer);
    assert_eq!(stage.node.logged(&answer)["inspected"], false);
    let path = mirrored("/local/over/chunks");
    let answer = client.exchange(&Request::new("POST", path).header(json.0, json.1).chunked(pieces.iter().copied()));
    intact(stage, path, &bytes, &answer);
    let mut h2 = stage.node.h2();
    let path = mirrored("/local/over/h2");
    intact(stage, path, &bytes, &h2.exchange("POST", path, &[json], &pieces));
    let path = mirrored("/local/over/h2-length");
    intact(stage, path, &bytes, &h2.exchange("POST", path, &[json, ("content-length", &OVER.to_string())], &pieces));
    assert!(stage.node.metric("domicile_opaque_total", &["reason=\"size\""]) >= 4.0);
}

#[test]
fn many_times_the_limit_streams_whole_if_it_stays() {
    let stage = Stage::shared();
    let bytes = body(9 << 20);
    mirror(stage, "/local/nine", &bytes);
    let mut client = stage.node.client();
    // The answer begins when the request has ended: both directions are longer than every buffer between.
    let answer = client.exchange(&Request::post("/local/nine", &bytes));
    intact(stage, "/local/nine", &bytes, &answer);
    assert_eq!(client.exchange(&Request::get("/local/nine-next")).status, 200);
}

#[test]
fn an_answer_over_the_limit_that_would_cross_is_451_and_none_of_it_is_shown() {
    let stage = Stage::shared();
    let bytes = body(OVER);
    mirror(stage, "/v1/answer-over", &bytes);
    let answer = stage.node.send(&Request::get("/v1/answer-over"));
    assert_eq!((answer.status, answer.json()["opaque"].as_str()), (451, Some("size")));
    assert!(answer.body.len() < 4096 && !answer.text().contains("qwxz"));
    assert_eq!(answer.json()["request_forwarded"], true);
}

#[test]
fn a_compressed_body_leaves_as_it_came() {
    let stage = Stage::shared();
    let bytes = gzip(&body(300)); // far from the ratio of a bomb
    stage.de.on("/v1/gzip", Reply::json("{}"));
    let answer = stage.node.send(&Request::post("/v1/gzip", &bytes).header("Content-Encoding", "gzip"));
    assert_eq!(answer.status, 200);
    let seen = stage.de.only("/v1/gzip");
    assert_eq!((digest(&seen.body), seen.header("content-encoding")), (digest(&bytes), Some("gzip")));
}

/// O11: wherever a body is cut, it speaks of the same person, who lives in China; the backend in Germany sees nothing.
#[test]
fn o11_a_body_cut_at_every_byte_is_decided_on_as_if_whole() {
    let stage = Stage::shared();
    let bytes = about(&Canary::cn(seed())).into_bytes();
    let mut client = stage.node.client();
    for cut in 0..=bytes.len() {
        let (one, other) = bytes.split_at(cut);
        let path = format!("/v1/cut/{}", spell(cut));
        let request = Request::new("POST", &path).header("Content-Type", "application/json").chunked([one, other]);
        assert_eq!(client.exchange(&request).status, 200, "cut at {cut}");
        went_home(stage, &path, &bytes);
    }
}

#[test]
fn o11_a_body_in_single_bytes_is_decided_on_as_if_whole() {
    let stage = Stage::shared();
    let bytes = about(&Canary::cn(seed())).into_bytes();
    let singles: Vec<&[u8]> = bytes.chunks(1).collect();
    let request = Request::new("POST", "/v1/singles/chunks").header("Content-Type", "application/json").chunked(singles.iter().copied());
    assert_eq!(stage.node.send(&request).status, 200);
    went_home(stage, "/v1/singles/chunks", &bytes);
    assert_eq!(stage.node.h2().exchange("POST", "/v1/singles/frames", &[("content-type", "application/json")], &singles).status, 200);
    went_home(stage, "/v1/singles/frames", &bytes);
}

#[test]
fn o11_every_byte_in_a_segment_or_tls_record_of_its_own_changes_nothing() {
    let stage = Stage::shared();
    let bytes = about(&Canary::cn(seed())).into_bytes();
    for (path, mut client) in [("/v1/segments", stage.node.client()), ("/v1/records", stage.node.client_tls())] {
        let request = Request::post(path, &bytes).bytes();
        client.send_in_pieces(&request.chunks(1).collect::<Vec<_>>(), Duration::from_micros(200));
        assert_eq!(client.answer().status, 200);
        went_home(stage, path, &bytes);
    }
}

/// The message is at its home, whole, and nowhere else.
#[track_caller]
fn went_home(stage: &Stage, path: &str, bytes: &[u8]) {
    assert_eq!(stage.cn.only(path).body, bytes);
    assert!(!stage.de.has(path), "{path}");
}

/// A number in letters: digits in a path could be taken for somebody's.
fn spell(number: usize) -> String {
    number.to_string().bytes().map(|b| char::from(b'a' + (b - b'0'))).collect()
}

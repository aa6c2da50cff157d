//! Where a message ends: lengths, chunks, line ends, pipelining, `Expect` (RFC 9112 §6, §7, §9.3; RFC 9110 §10.1.1).

use super::{last_words, refused_and_closed, unseen};
use crate::stage::Stage;
use crate::support::{Reply, Request};
use std::time::Duration;

#[test]
fn a_body_is_awaited_with_100_continue_and_the_connection_stays() {
    let stage = Stage::shared();
    let mut client = stage.node.client();
    let request = Request::post("/v1/expect", r#"{"a":"awaited"}"#).header("Expect", "100-continue");
    client.send(&request.head());
    assert_eq!(client.interim(), 100);
    client.send(request.tail());
    assert_eq!(client.answer().status, 200);
    let seen = stage.de.only("/v1/expect");
    assert_eq!(seen.body, request.tail());
    assert_eq!(seen.header("expect"), None);
    assert_eq!(client.exchange(&Request::get("/v1/expect-next")).status, 200);
}

#[test]
fn a_request_that_its_head_condemns_is_refused_without_100_continue() {
    let mut client = Stage::shared().node.client();
    client.send(&Request::new("POST", "/nowhere").header("Content-Length", "5").header("Expect", "100-continue").head());
    let answer = client.answer();
    assert_eq!((answer.status, answer.informational), (404, vec![]));
}

#[test]
fn an_unknown_expectation_is_417() {
    let stage = Stage::shared();
    let answer = stage.node.send(&Request::get("/v1/expectation").header("Expect", "200-ok"));
    assert_eq!(answer.status, 417);
    unseen(stage, "an unknown expectation", "/v1/expectation");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let stage = Stage::shared();
    stage.de.on("/v1/pipe-one", Reply::json(r#"{"n":"one"}"#).after(Duration::from_millis(50)));
    stage.de.on("/v1/pipe-two", Reply::json(r#"{"n":"two"}"#));
    stage.de.on("/v1/pipe-three", Reply::json(r#"{"n":"three"}"#));
    let mut client = stage.node.client();
    let all = [Request::get("/v1/pipe-one"), Request::post("/v1/pipe-two", "{}"), Request::get("/v1/pipe-three")];
    client.send(&all.iter().flat_map(Request::bytes).collect::<Vec<_>>());
    let answers: Vec<_> = (0..3).map(|_| client.answer().json()["n"].as_str().unwrap().to_owned()).collect();
    assert_eq!(answers, ["one", "two", "three"]);
    for path in ["/v1/pipe-one", "/v1/pipe-two", "/v1/pipe-three"] {
        stage.de.only(path);
    }
}

/// O12, first pair: the library takes `Content-Length` away before the gateway sees it, so the proof is that nothing is smuggled.
#[test]
fn content_length_with_transfer_encoding_is_exactly_one_request_at_the_origin() {
    let stage = Stage::shared();
    let inner = "GET /v1/smuggled HTTP/1.1\r\nHost: api.example\r\n\r\n";
    let hidden = format!("0\r\n\r\n{inner}");
    for (i, order) in [["Content-Length", "Transfer-Encoding"], ["Transfer-Encoding", "Content-Length"]].into_iter().enumerate() {
        let path = format!("/v1/both-{i}");
        let mut request = Request::new("POST", &path).raw_body(&hidden);
        for name in order {
            request = request.header(name, if name == "Content-Length" { hidden.len().to_string() } else { "chunked".into() });
        }
        let answer = last_words(stage, &request.bytes()).expect("an answer");
        assert!(matches!(answer.status, 200 | 400), "{}", answer.status);
        let seen = stage.de.seen(&path);
        assert_eq!(seen.len(), usize::from(answer.status == 200));
        assert!(seen.iter().all(|r| r.body.is_empty() && r.count("content-length") + r.count("transfer-encoding") <= 1));
    }
    let request =
        Request::new("POST", "/v1/both-short").header("Content-Length", "4").header("Transfer-Encoding", "chunked").raw_body("9\r\n{\"a\":\"b\"}\r\n0\r\n\r\n");
    let answer = last_words(stage, &request.bytes()).expect("an answer");
    assert!(answer.status != 200 || stage.de.only("/v1/both-short").body == br#"{"a":"b"}"#);
    unseen(stage, "a request inside a body", "smuggled");
}

#[test]
fn a_content_length_that_can_be_read_in_two_ways_is_refused() {
    let stage = Stage::shared();
    let cases: [&[&str]; 8] = [&["5", "6"], &["6", "5"], &["5, 6"], &["+5"], &["-5"], &["0x5"], &["5 5"], &["99999999999999999999999"]];
    for (i, lengths) in cases.into_iter().enumerate() {
        let path = format!("/v1/length-{i}");
        let request = lengths.iter().fold(Request::new("POST", &path), |r, length| r.header("Content-Length", length)).raw_body("12345");
        refused_and_closed(stage, &format!("{lengths:?}"), &path, &request.bytes(), 400);
    }
}

#[test]
fn a_transfer_coding_other_than_exactly_chunked_is_refused() {
    let stage = Stage::shared();
    let body = "3\r\nabc\r\n0\r\n\r\n";
    let codings = [
        "gzip, chunked",
        "chunked, chunked",
        "chunked, identity",
        "identity",
        "chunked;x=1",
        "xchunked",
        "chunkedx",
        "\"chunked\"",
        "\u{b}chunked",
        "chu nked",
    ];
    for (i, coding) in codings.into_iter().enumerate() {
        let path = format!("/v1/coding-{i}");
        refused_and_closed(stage, coding, &path, &Request::new("POST", &path).header("Transfer-Encoding", coding).raw_body(body).bytes(), 400);
    }
    let twice = Request::new("POST", "/v1/coding-twice").header("Transfer-Encoding", "identity").header("Transfer-Encoding", "chunked").raw_body(body);
    refused_and_closed(stage, "two fields", "/v1/coding-twice", &twice.bytes(), 400);
    let spaced = b"POST /v1/coding-space HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding : chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    refused_and_closed(stage, "a space before the colon", "/v1/coding-space", spaced, 400);
    let old = b"POST /v1/coding-old HTTP/1.0\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    refused_and_closed(stage, "HTTP/1.0", "/v1/coding-old", old, 400);
}

#[test]
fn a_chunk_that_can_be_read_in_two_ways_is_refused() {
    let stage = Stage::shared();
    let long_extension = format!("3;x={}\r\nabc\r\n0\r\n\r\n", "y".repeat(64 << 10));
    let bodies = [
        "zz\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "2\r\nabc\r\n0\r\n\r\n",
        &long_extension,
    ];
    for (i, body) in bodies.into_iter().enumerate() {
        let path = format!("/v1/chunk-{i}");
        let request = Request::new("POST", &path).header("Transfer-Encoding", "chunked").raw_body(body);
        refused_and_closed(stage, &format!("{:.20}", body), &path, &request.bytes(), 400);
    }
}

#[test]
fn a_body_that_breaks_off_reaches_no_backend() {
    let stage = Stage::shared();
    for (path, request) in [
        ("/v1/cut-length", Request::new("POST", "/v1/cut-length").header("Content-Length", "100").raw_body("{\"a\":\"half\"")),
        ("/v1/cut-chunk", Request::new("POST", "/v1/cut-chunk").header("Transfer-Encoding", "chunked").raw_body("20\r\n{\"a\":\"half\"")),
        ("/v1/cut-end", Request::new("POST", "/v1/cut-end").header("Transfer-Encoding", "chunked").raw_body("2\r\n{}\r\n")),
    ] {
        let mut client = stage.node.client();
        client.send(&request.bytes());
        client.finish_sending();
        client.rest();
        unseen(stage, path, path);
    }
}

#[test]
fn line_ends_other_than_crlf_are_refused_or_written_anew() {
    let stage = Stage::shared();
    for (i, head) in ["GET /v1/line-0 HTTP/1.1\nHost: api.example\n\n", "GET /v1/line-1 HTTP/1.1\r\nHost: api.example\nX-A: b\n\r\n"].into_iter().enumerate() {
        let mut client = super::waiting(stage, head.as_bytes());
        let answer = client.answer();
        let seen = stage.de.seen(&format!("/v1/line-{i}"));
        assert!(answer.status == 200 && seen.len() == 1 || answer.status == 400 && seen.is_empty());
        for raw in seen.iter().map(|r| String::from_utf8_lossy(&r.raw).replace("\r\n", "")) {
            assert!(!raw.contains(['\r', '\n']), "{raw}");
        }
    }
    let folded = b"GET /v1/line-fold HTTP/1.1\r\nHost: api.example\r\nX-A: b\r\n c\r\n\r\n";
    refused_and_closed(stage, "obs-fold", "/v1/line-fold", folded, 400);
    let bare = b"GET /v1/line-cr HTTP/1.1\r\nHost: api.example\r\nX-A: b\rX-C: d\r\n\r\n";
    refused_and_closed(stage, "bare CR", "/v1/line-cr", bare, 400);
    let nul = b"GET /v1/line-nul HTTP/1.1\r\nHost: api.example\r\nX-A: b\0c\r\n\r\n";
    refused_and_closed(stage, "NUL", "/v1/line-nul", nul, 400);
}

#[test]
fn trailers_and_chunk_extensions_end_at_the_gateway() {
    let stage = Stage::shared();
    stage.de.on("/v1/trailers", Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-After\r\nTransfer-Encoding: chunked\r\n\r\n4;ext=backend\r\ndone\r\n0\r\nX-After: backend\r\n\r\n"));
    let request = Request::new("POST", "/v1/trailers")
        .header("Content-Type", "application/json")
        .header("Trailer", "X-Check")
        .header("Transfer-Encoding", "chunked")
        .raw_body("4;ext=client\r\n{\"a\"\r\n5\r\n:\"b\"}\r\n0\r\nX-Check: client\r\n\r\n");
    let answer = stage.node.send(&request);
    assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
    let seen = stage.de.only("/v1/trailers");
    assert_eq!(seen.body, br#"{"a":"b"}"#);
    let (there, back) = (String::from_utf8_lossy(&seen.raw).to_lowercase(), String::from_utf8_lossy(&answer.raw).to_lowercase());
    for gone in ["x-check", "x-after", "ext=", "trailer:"] {
        assert!(!there.contains(gone) && !back.contains(gone), "{gone}");
    }
}

#[test]
fn a_body_on_get_is_carried_whole() {
    let stage = Stage::shared();
    let answer = stage.node.send(&Request::get("/v1/get-body").header("Content-Type", "application/json").body(r#"{"q":"x"}"#));
    assert_eq!(answer.status, 200);
    assert_eq!(stage.de.only("/v1/get-body").body, br#"{"q":"x"}"#);
}

#[test]
fn versions_other_than_1_0_and_1_1_are_refused() {
    let stage = Stage::shared();
    for (i, line) in
        ["GET /v1/version-0\r\n", "GET /v1/version-1 HTTP/1.2\r\n", "GET /v1/version-2 HTTP/2.0\r\n", "GET /v1/version-3 HTTP/0.9\r\n"].into_iter().enumerate()
    {
        if let Some(answer) = last_words(stage, format!("{line}Host: api.example\r\n\r\n").as_bytes()) {
            assert!((400..=505).contains(&answer.status), "{line}: {}", answer.status);
        }
        unseen(stage, line, &format!("/v1/version-{i}"));
    }
    let answer = last_words(stage, b"GET /v1/version-old HTTP/1.0\r\nHost: api.example\r\n\r\n").unwrap();
    assert_eq!(answer.status, 200);
    assert!(stage.de.only("/v1/version-old").line.ends_with("HTTP/1.1"));
}

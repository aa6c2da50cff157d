//! HTTP/2 in: what its framing hides from HTTP/1.1 behind it, and what its abusers try (RFC 9113).

use super::unseen;
use crate::stage::Stage;
use crate::support::h2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PROTOCOL_ERROR, REFUSED_STREAM, RST_STREAM, hpack, request,
};
use crate::support::{Frame, Gate, Reply, Request};

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn cookies_that_http_2_split_are_joined() {
    let stage = Stage::shared();
    let answer = stage.node.h2().exchange("GET", "/v1/h2-cookies", &[("cookie", "a=one"), ("cookie", "b=two"), ("cookie", "c=three")], &[]);
    assert_eq!(answer.status, 200);
    let seen = stage.de.only("/v1/h2-cookies");
    assert_eq!((seen.count("cookie"), seen.header("cookie")), (1, Some("a=one; b=two; c=three")));
}

#[test]
fn the_authority_becomes_host_and_a_host_beside_it_agrees() {
    let stage = Stage::shared();
    let mut h2 = stage.node.h2();
    assert_eq!(h2.exchange("GET", "/v1/h2-host", &[("host", "API.example")], &[]).status, 200);
    let seen = stage.de.only("/v1/h2-host");
    assert_eq!((seen.count("host"), seen.header("host")), (1, Some("api.example")));
    assert_eq!(h2.exchange("GET", "/v1/h2-other-host", &[("host", "other.example")], &[]).status, 400);
    unseen(stage, "another host", "/v1/h2-other-host");
}

#[test]
fn a_path_is_normalised_and_judged_as_in_http_1() {
    let stage = Stage::shared();
    let mut h2 = stage.node.h2();
    assert_eq!(h2.exchange("GET", "/local/../v1//h2-path", &[], &[]).status, 200);
    stage.de.only("/v1/h2-path");
    assert_eq!(h2.exchange("GET", "/v1/h2%2fpath", &[], &[]).status, 400);
    assert_eq!(h2.exchange("TRACE", "/v1/h2-trace", &[], &[]).status, 405);
    assert_eq!(h2.exchange("GET", &format!("/v1/h2-long?{}", "q".repeat(9 << 10)), &[], &[]).status, 414);
    for needle in ["h2%2f", "h2-trace", "h2-long"] {
        unseen(stage, needle, needle);
    }
}

/// Sends these frames; stream 1 must end in a reset or the connection in GOAWAY, and no backend may see the path.
#[track_caller]
fn broken(what: &str, path: &str, frames: &[Frame]) -> Frame {
    let stage = Stage::shared();
    let mut raw = stage.node.raw_h2();
    raw.send_all(frames);
    let end = raw.end_of(1).unwrap_or_else(|| panic!("{what}: closed without a word"));
    assert!(matches!(end.kind, RST_STREAM | GOAWAY), "{what}: {end:?}");
    unseen(stage, what, path);
    end
}

#[test]
fn fields_that_http_2_forbids_reset_the_stream() {
    for (name, value) in
        [("te", "gzip"), ("connection", "keep-alive"), ("transfer-encoding", "chunked"), ("keep-alive", "1"), ("proxy-connection", "x"), ("upgrade", "h2c")]
    {
        let frame = Frame::headers(1, END_HEADERS | END_STREAM, &request("GET", "/v1/h2-forbidden", &[(name, value)]));
        assert_eq!(broken(name, "/v1/h2-forbidden", &[frame]).error(), Some(PROTOCOL_ERROR), "{name}");
    }
}

#[test]
fn names_and_values_that_http_1_could_not_carry_are_refused() {
    for (name, value) in [("X-Upper", "a"), ("x-line", "a\r\nx-b: c"), ("x-nul", "a\0b"), ("x:y", "a"), ("x y", "a"), ("x\r\ny", "a")] {
        let frame = Frame::headers(1, END_HEADERS | END_STREAM, &request("GET", "/v1/h2-name", &[(name, value)]));
        broken(name, "/v1/h2-name", &[frame]);
    }
}

#[test]
fn pseudo_headers_that_do_not_make_a_request_are_refused() {
    let cases: [(&str, &[(&str, &str)]); 7] = [
        ("no method", &[(":scheme", "https"), (":authority", "api.example"), (":path", "/v1/h2-pseudo")]),
        ("no path", &[(":method", "GET"), (":scheme", "https"), (":authority", "h2-pseudo.example")]),
        ("empty path", &[(":method", "GET"), (":scheme", "https"), (":authority", "h2-pseudo.example"), (":path", "")]),
        ("two paths", &[(":method", "GET"), (":scheme", "https"), (":authority", "api.example"), (":path", "/v1/h2-pseudo"), (":path", "/local/h2-pseudo")]),
        ("an unknown one", &[(":method", "GET"), (":scheme", "https"), (":authority", "api.example"), (":path", "/v1/h2-pseudo"), (":mine", "x")]),
        ("one after a field", &[(":method", "GET"), (":scheme", "https"), (":authority", "api.example"), ("x-a", "b"), (":path", "/v1/h2-pseudo")]),
        ("a status", &[(":method", "GET"), (":scheme", "https"), (":authority", "api.example"), (":path", "/v1/h2-pseudo"), (":status", "200")]),
    ];
    for (what, fields) in cases {
        broken(what, "h2-pseudo", &[Frame::headers(1, END_HEADERS | END_STREAM, fields)]);
    }
}

#[test]
fn a_length_unlike_the_data_resets_the_stream() {
    for (length, data) in [("5", &b"{}"[..]), ("1", b"{}")] {
        let head = Frame::headers(1, END_HEADERS, &request("POST", "/v1/h2-length", &[JSON, ("content-length", length)]));
        let data = Frame { kind: DATA, flags: END_STREAM, stream: 1, payload: data.to_vec() };
        broken(length, "/v1/h2-length", &[head, data]);
    }
}

#[test]
fn tunnels_and_extended_connect_are_refused() {
    let stage = Stage::shared();
    let tunnel = [(":method", "CONNECT"), (":authority", "h2-tunnel.example:443")];
    let extended = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "h2-tunnel.example"), (":path", "/v1/h2-tunnel")];
    for fields in [&tunnel[..], &extended[..]] {
        let mut raw = stage.node.raw_h2();
        raw.send(&Frame::headers(1, END_HEADERS, fields));
        let end = raw.end_of(1).expect("an end");
        assert!(matches!(end.kind, HEADERS | DATA | RST_STREAM | GOAWAY));
        unseen(stage, "CONNECT", "h2-tunnel");
    }
}

#[test]
fn trailers_end_at_the_gateway() {
    let stage = Stage::shared();
    let mut raw = stage.node.raw_h2();
    raw.send_all(&[
        Frame::headers(1, END_HEADERS, &request("POST", "/v1/h2-trailers", &[JSON])),
        Frame { kind: DATA, flags: 0, stream: 1, payload: br#"{"a":"b"}"#.to_vec() },
        Frame::headers(1, END_HEADERS | END_STREAM, &[("x-after", "all")]),
    ]);
    raw.end_of(1).expect("an answer");
    let seen = stage.de.only("/v1/h2-trailers");
    assert_eq!(seen.body, br#"{"a":"b"}"#);
    assert!(!String::from_utf8_lossy(&seen.raw).contains("x-after"));
}

#[test]
fn a_header_list_over_the_limit_is_refused() {
    let stage = Stage::shared();
    let mut raw = stage.node.raw_h2();
    let value = "y".repeat(10 << 10);
    let fields: Vec<_> = (0..10).map(|_| ("x-long", value.as_str())).collect();
    let block = hpack(&request("GET", "/v1/h2-list", &fields));
    let pieces: Vec<_> = block.chunks(16 << 10).collect();
    let frames: Vec<_> = pieces
        .iter()
        .enumerate()
        .map(|(i, piece)| Frame {
            kind: if i == 0 { HEADERS } else { CONTINUATION },
            flags: if i == 0 { END_STREAM } else { 0 } | if i + 1 == pieces.len() { END_HEADERS } else { 0 },
            stream: 1,
            payload: piece.to_vec(),
        })
        .collect();
    raw.send_all(&frames);
    let _ = raw.end_of(1); // 431, a reset or GOAWAY: what counts is what the backend saw
    unseen(stage, "100 KiB of header list", "/v1/h2-list");
    assert_eq!(stage.node.h2().exchange("GET", "/v1/h2-list-next", &[], &[]).status, 200);
}

/// Sends a flood in one write, short enough for the node to read it whole: unread bytes would turn its last words into a reset.
#[track_caller]
fn flood(what: &str, path: &str, frames: impl Iterator<Item = Frame>) {
    let stage = Stage::shared();
    let mut raw = stage.node.raw_h2();
    raw.send_all(&frames.collect::<Vec<_>>());
    let mut last = None;
    while let Some(frame) = raw.next() {
        if frame.kind == GOAWAY && frame.error() != Some(0) {
            last = frame.error();
        }
    }
    assert_eq!(last, Some(ENHANCE_YOUR_CALM), "{what}");
    unseen(stage, what, path);
    assert_eq!(stage.node.h2().exchange("GET", "/v1/h2-others", &[], &[]).status, 200, "{what}: others are served");
}

#[test]
fn a_flood_of_continuations_ends_the_connection() {
    let path = "/v1/h2-flood-continuation";
    let head = Frame { kind: HEADERS, flags: END_STREAM, stream: 1, payload: hpack(&request("GET", path, &[])) };
    let more = (0..50).map(|_| Frame { kind: CONTINUATION, flags: 0, stream: 1, payload: hpack(&[("x", "y")]) });
    flood("CONTINUATION", path, [head].into_iter().chain(more));
}

#[test]
fn a_flood_of_resets_ends_the_connection() {
    let path = "/v1/h2-flood-reset";
    let pairs = (0..30).map(|n| 2 * n + 1).flat_map(|stream| {
        // A POST that never ends, so that whether the reset overtakes it or not, nothing is sent on.
        let cancel = Frame { kind: RST_STREAM, flags: 0, stream, payload: 8_u32.to_be_bytes().to_vec() };
        [Frame::headers(stream, END_HEADERS, &request("POST", path, &[])), cancel]
    });
    flood("rapid reset", path, pairs);
}

#[test]
fn a_flood_of_empty_data_ends_the_connection() {
    let path = "/v1/h2-flood-data";
    let head = Frame::headers(1, END_HEADERS, &request("POST", path, &[]));
    let more = (0..150).map(|_| Frame { kind: DATA, flags: 0, stream: 1, payload: Vec::new() });
    flood("empty DATA", path, [head].into_iter().chain(more));
}

#[test]
fn streams_over_the_limit_are_refused_and_the_others_served() {
    let stage = Stage::with(|node| node.limits("{streams: 4}"));
    let gate = Gate::new();
    stage.de.on("/v1/h2-streams", Reply::json("{}").at(&gate));
    let mut raw = stage.node.raw_h2();
    for i in 0..5 {
        raw.send(&Frame::headers(2 * i + 1, END_HEADERS | END_STREAM, &request("GET", "/v1/h2-streams", &[])));
    }
    let end = raw.end_of(9).expect("a reset");
    assert_eq!((end.kind, end.error()), (RST_STREAM, Some(REFUSED_STREAM)));
    stage.de.wait_for("/v1/h2-streams", 4);
    gate.open();
    for i in 0..4 {
        let mut left = stage.node.client_tls();
        assert_eq!(left.exchange(&Request::get(&format!("/v1/h2-streams-{i}"))).status, 200);
    }
    assert_eq!(stage.de.seen("/v1/h2-streams").len(), 4);
}

#[test]
fn a_stream_that_its_client_resets_before_its_end_reaches_no_backend() {
    let stage = Stage::shared();
    let mut raw = stage.node.raw_h2();
    raw.send_all(&[
        Frame::headers(1, END_HEADERS, &request("POST", "/v1/h2-gone", &[JSON])),
        Frame { kind: DATA, flags: 0, stream: 1, payload: b"{\"a\":".to_vec() },
        Frame { kind: RST_STREAM, flags: 0, stream: 1, payload: 8_u32.to_be_bytes().to_vec() },
        Frame::headers(3, END_HEADERS | END_STREAM, &request("GET", "/v1/h2-gone-next", &[])),
    ]);
    raw.end_of(3).expect("an answer");
    unseen(stage, "half a stream", "/v1/h2-gone HTTP");
}

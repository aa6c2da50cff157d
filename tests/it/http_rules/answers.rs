//! What a backend answers, and how it fails to (RFC 9110 §6.4, §15; RFC 9112 §6.3, §9).

use crate::stage::Stage;
use crate::support::sink::gzip;
use crate::support::{Gate, Reply, Request};

#[test]
fn an_answer_to_head_has_its_length_and_no_body() {
    let stage = Stage::shared();
    stage.de.on("/v1/head", Reply::json(r#"{"a":"longer than nothing"}"#));
    let mut client = stage.node.client();
    let answer = client.exchange(&Request::new("HEAD", "/v1/head"));
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("27")));
    assert_eq!(client.exchange(&Request::get("/v1/head")).body.len(), 27);
    assert_eq!(stage.de.seen("/v1/head").iter().map(|r| r.method().to_owned()).collect::<Vec<_>>(), ["HEAD", "GET"]);
}

#[test]
fn answers_without_content_have_none_and_the_connection_goes_on() {
    let stage = Stage::shared();
    let mut client = stage.node.client();
    for status in [204, 304] {
        let path = format!("/v1/none-{status}");
        stage.de.on(&path, Reply::status(status).header("ETag", "\"x\""));
        let answer = client.exchange(&Request::get(&path));
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (status, 0, Some("\"x\"")));
        assert_eq!(stage.de.seen(&path).len(), 1);
    }
    assert_eq!(client.exchange(&Request::get("/v1/none-next")).status, 200);
}

#[test]
fn interim_answers_of_the_backend_are_passed_over() {
    let stage = Stage::shared();
    stage.de.on("/v1/interim", Reply::json(r#"{"a":"final"}"#).informational(100).informational(103));
    let answer = stage.node.send(&Request::post("/v1/interim", "{}"));
    assert_eq!((answer.status, answer.informational.len()), (200, 0));
    assert_eq!(answer.json()["a"], "final");
    stage.de.only("/v1/interim");
}

#[test]
fn a_protocol_switched_unasked_is_502() {
    let stage = Stage::shared();
    stage.de.on("/v1/switch", Reply::raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nraw frames").closing());
    let answer = stage.node.send(&Request::get("/v1/switch"));
    assert_eq!(answer.status, 502);
    assert!(!String::from_utf8_lossy(&answer.raw).contains("raw frames"));
}

#[test]
fn a_transfer_coding_we_do_not_undo_is_502() {
    let stage = Stage::shared();
    for (i, coding) in ["gzip, chunked", "gzip", "chunked, chunked", "identity"].into_iter().enumerate() {
        let path = format!("/v1/answer-coding-{i}");
        let body = [b"f\r\n", &gzip(b"held back")[..15], b"\r\n0\r\n\r\n"].concat();
        stage.de.on(&path, Reply::raw([format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n").into_bytes(), body].concat()).closing());
        let answer = stage.node.send(&Request::get(&path));
        assert_eq!(answer.status, 502, "{coding}");
        stage.de.only(&path);
    }
}

#[test]
fn an_answer_that_can_be_read_in_two_ways_is_502() {
    let stage = Stage::shared();
    let heads = [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nheld!",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nheld!",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nheld!",
        "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\nheld!",
        "HTTP/9.9 200 OK\r\n\r\nheld!",
        "held!",
    ];
    for (i, head) in heads.into_iter().enumerate() {
        let path = format!("/v1/answer-two-{i}");
        stage.de.on(&path, Reply::raw(head).closing());
        let answer = stage.node.send(&Request::get(&path));
        assert_eq!(answer.status, 502, "{head}");
        assert!(!answer.text().contains("held"), "{head}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_502_and_none_of_it_is_shown() {
    let stage = Stage::shared();
    for (i, raw) in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nheld back",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nheld back\r\n",
        "HTTP/1.1 200 OK\r\nX-Half",
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/v1/answer-cut-{i}");
        stage.de.on(&path, Reply::raw(raw).closing());
        let answer = stage.node.send(&Request::post(&path, "{}"));
        assert_eq!(answer.status, 502, "{raw}");
        assert!(!answer.text().contains("held"), "{raw}");
        assert_eq!(answer.json()["request_forwarded"], true);
        stage.de.only(&path);
    }
}

#[test]
fn a_backend_that_resets_or_says_nothing_is_502_and_no_other_region_is_asked() {
    let stage = Stage::with(|node| node);
    for (path, reply) in [("/v1/reset", Reply::reset()), ("/v1/silent", Reply::nothing())] {
        stage.de.on(path, reply);
        assert_eq!(stage.node.send(&Request::post(path, "{}")).status, 502, "{path}");
        stage.de.only(path);
    }
    assert_eq!(stage.cn.bytes(), b"");
}

#[test]
fn an_answer_framed_by_its_end_arrives_whole_and_framed() {
    let stage = Stage::shared();
    stage.de.on("/v1/answer-end", Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it").closing());
    let mut client = stage.node.client();
    let answer = client.exchange(&Request::get("/v1/answer-end"));
    assert_eq!((answer.text().as_str(), answer.header("content-length")), ("all of it", Some("9")));
    assert_eq!(client.exchange(&Request::get("/v1/answer-end-next")).status, 200);
}

#[test]
fn a_compressed_answer_is_read_and_leaves_as_it_came() {
    let stage = Stage::shared();
    let text = r#"{"a":"compressed"}"#;
    stage.de.on("/v1/answer-gzip", Reply::status(200).header("Content-Type", "application/json").gzip(text));
    let answer = stage.node.send(&Request::get("/v1/answer-gzip").header("Accept-Encoding", "br, gzip;q=0.9, zstd"));
    assert_eq!((answer.status, answer.header("content-encoding")), (200, Some("gzip")));
    assert_eq!(answer.body, gzip(text.as_bytes()));
    assert_eq!(stage.node.logged(&answer)["inspected"], true);
    assert_eq!(stage.de.only("/v1/answer-gzip").header("accept-encoding"), Some("gzip"));
}

#[test]
fn an_early_answer_is_relayed_and_its_connection_not_used_again() {
    let stage = Stage::with(|node| node);
    stage.de.on("/local/early", Reply::status(413).header("Content-Type", "application/json").body(r#"{"e":"too much"}"#).early());
    // Longer than the inspection limit and than all buffers between: the backend answers while it is still streaming.
    let mut client = stage.node.client();
    let body = vec![b' '; 8 << 20];
    client.send(&Request::post("/local/early", &body).bytes());
    let answer = client.answer();
    assert_eq!((answer.status, answer.json()["e"].as_str()), (413, Some("too much")));
    let small = stage.node.send(&Request::post("/local/early", "{}"));
    assert_eq!(small.status, 413);
    assert_eq!(stage.node.send(&Request::get("/local/early-next")).status, 200);
    stage.de.only("/local/early-next");
    let used = stage.de.connections().iter().filter(|c| c.bytes.windows(5).any(|w| w == b"early")).count();
    assert_eq!(used, 3);
}

#[test]
fn connections_to_the_backend_are_used_again() {
    let stage = Stage::with(|node| node);
    for i in 0..5 {
        assert_eq!(stage.node.send(&Request::post(&format!("/v1/reuse-{i}"), "{}")).status, 200);
    }
    assert_eq!(stage.de.connections().len(), 1);
    assert_eq!(stage.de.connections()[0].requests.len(), 5);
}

#[test]
fn a_stale_connection_costs_nobody_a_request() {
    let stage = Stage::with(|node| node);
    for i in 0..20 {
        let path = format!("/v1/stale-{i}");
        stage.de.on(&path, Reply::json("{}").closing()); // closes without having said so
        assert_eq!(stage.node.send(&Request::post(&path, "{}")).status, 200, "{path}");
        stage.de.only(&path);
        // Before that, the next request may be written on it, and what may have been seen is not sent twice.
        stage.de.wait_until_closed(&path);
    }
}

#[test]
fn what_may_have_been_seen_is_sent_again_only_if_twice_is_as_once() {
    let stage = Stage::with(|node| node);
    for (path, method, status, requests) in [("/v1/again-post", "POST", 502, 1), ("/v1/again-put", "PUT", 200, 2), ("/v1/again-get", "GET", 200, 2)] {
        stage.de.on(path, [Reply::nothing(), Reply::json("{}")]);
        assert_eq!(stage.node.send(&Request::get("/v1/again-warm")).status, 200); // leaves a connection in the pool
        assert_eq!(stage.node.send(&Request::new(method, path)).status, status, "{method}");
        assert_eq!(stage.de.seen(path).len(), requests, "{method}");
    }
    assert_eq!(stage.cn.bytes(), b"");
}

#[test]
fn a_slow_answer_is_no_reason_to_send_twice() {
    let stage = Stage::shared();
    let gate = Gate::new();
    stage.de.on("/v1/slow-once", Reply::json("{}").at(&gate));
    let mut client = super::waiting(stage, &Request::get("/v1/slow-once").bytes());
    stage.de.wait_for("/v1/slow-once", 1);
    gate.open();
    assert_eq!(client.answer().status, 200);
    stage.de.only("/v1/slow-once");
}

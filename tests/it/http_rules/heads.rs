//! Fields and methods: what speaks of one hop only, what disguises itself, what is too much (RFC 9110 §5, §7, §9; RFC 9112 §3.2).

use super::{refused_and_closed, unseen};
use crate::stage::Stage;
use crate::support::{Reply, Request};

/// What a message must not carry past a hop (RFC 9110 §7.6.1), with harmless values.
const HOP: [(&str, &str); 6] = [
    ("Keep-Alive", "timeout=5"),
    ("Proxy-Connection", "keep-alive"),
    ("TE", "trailers"),
    ("Trailer", "X-End"),
    ("Proxy-Authorization", "Basic aGk6aG8="),
    ("Proxy-Authenticate", "Basic"),
];

#[test]
fn fields_of_one_hop_end_at_it_both_ways() {
    let stage = Stage::shared();
    let fields = |request: Request| HOP.iter().fold(request, |r, (name, value)| r.header(name, value));
    stage
        .de
        .on("/v1/hop", HOP.iter().fold(Reply::json(r#"{"a":"b"}"#).header("Connection", "keep-alive, Keep-Alive"), |r, (name, value)| r.header(name, value)));
    let mut client = stage.node.client();
    let answer = client.exchange(&fields(Request::post("/v1/hop", "{}").header("Connection", "keep-alive, TE, Keep-Alive, Proxy-Connection")));
    assert_eq!(answer.status, 200);
    let seen = stage.de.only("/v1/hop");
    for (name, _) in HOP {
        assert_eq!((seen.header(name), answer.header(name)), (None, None), "{name}");
    }
    assert_eq!((seen.header("connection"), answer.header("connection")), (None, None));
    assert_eq!(client.exchange(&Request::get("/v1/hop-next")).status, 200);
}

#[test]
fn connection_cannot_take_an_end_to_end_field_with_it() {
    let stage = Stage::shared();
    for (i, nominated) in ["content-type", "close, Host", "keep-alive, x-mine", "cookie", "authorization"].into_iter().enumerate() {
        let path = format!("/v1/nominated-{i}");
        let answer = stage.node.client().exchange(&Request::post(&path, "{}").header("X-Mine", "1").header("Connection", nominated));
        assert_eq!(answer.status, 400, "{nominated}");
        unseen(stage, nominated, &path);
    }
    stage.de.on("/v1/nominating", Reply::json(r#"{"a":"held back"}"#).header("Connection", "content-type"));
    let answer = stage.node.send(&Request::get("/v1/nominating"));
    assert_eq!(answer.status, 502);
    assert!(!answer.text().contains("held back"));
}

#[test]
fn there_is_exactly_one_host_and_it_is_valid() {
    let stage = Stage::shared();
    let cases: [(&str, &[&str]); 6] = [
        ("missing", &[]),
        ("two", &["api.example", "other.example"]),
        ("twice the same", &["api.example", "api.example"]),
        ("empty", &[""]),
        ("a user", &["user@api.example"]),
        ("no authority", &["api.example/v1 x"]),
    ];
    for (i, (what, hosts)) in cases.into_iter().enumerate() {
        let path = format!("/v1/host-{i}");
        let request = hosts.iter().fold(Request::get(&path).without("Host"), |r, host| r.header("Host", host));
        let answer = stage.node.client().exchange(&request);
        assert_eq!(answer.status, 400, "{what}");
        unseen(stage, what, &path);
    }
}

#[test]
fn a_target_in_absolute_form_agrees_with_host_and_leaves_in_origin_form() {
    let stage = Stage::shared();
    let answer = stage.node.send(&Request::get("http://other.example/v1/absolute-other"));
    assert_eq!(answer.status, 400);
    unseen(stage, "another host", "/v1/absolute-other");
    assert_eq!(stage.node.send(&Request::get("http://api.example/v1/absolute?q=x")).status, 200);
    let seen = stage.de.only("/v1/absolute");
    assert_eq!((seen.target(), seen.header("host"), seen.count("host")), ("/v1/absolute?q=x", Some("api.example"), 1));
}

#[test]
fn a_head_over_the_limit_is_431() {
    let stage = Stage::shared();
    let long = "y".repeat(100 << 10);
    refused_and_closed(stage, "a long field", "/v1/head-long", &Request::get("/v1/head-long").header("X-Long", &long).bytes(), 431);
    let many = (0..2_000).fold(Request::get("/v1/head-many"), |r, i| r.header(&format!("X-{i}"), "v"));
    refused_and_closed(stage, "many fields", "/v1/head-many", &many.bytes(), 431);
}

#[test]
fn many_fields_under_the_limit_all_arrive() {
    let stage = Stage::shared();
    let request = (0..80).fold(Request::get("/v1/head-eighty"), |r, i| r.header(&format!("X-Part-{i}"), format!("part-{}", "z".repeat(i))));
    assert_eq!(stage.node.send(&request).status, 200);
    let seen = stage.de.only("/v1/head-eighty");
    for i in 0..80 {
        assert_eq!(seen.header(&format!("x-part-{i}")), Some(&*format!("part-{}", "z".repeat(i))));
    }
}

#[test]
fn the_limit_of_a_head_is_the_configured_one() {
    let stage = Stage::with(|node| node.limits("{head: 4KiB}"));
    let sized = |path: &str, bytes: usize| stage.node.send(&Request::get(path).header("X-Long", "y".repeat(bytes))).status;
    assert_eq!(sized("/v1/head-under", 3 << 10), 200);
    assert_eq!(sized("/v1/head-over", 5 << 10), 431);
    unseen(&stage, "a head over 4 KiB", "/v1/head-over");
    stage.de.on("/v1/head-answer", Reply::json("{}").header("X-Long", &"y".repeat(5 << 10)));
    assert_eq!(stage.node.send(&Request::get("/v1/head-answer")).status, 502);
}

#[test]
fn field_values_are_utf_8_or_refused() {
    let stage = Stage::shared();
    for (i, value) in [&b"\xff\xfe"[..], b"caf\xe9", b"\xc0\xaf", b"\xed\xa0\x80"].into_iter().enumerate() {
        let path = format!("/v1/octets-{i}");
        assert_eq!(stage.node.client().exchange(&Request::get(&path).header("X-Text", value)).status, 400);
        unseen(stage, "octets that are no text", &path);
    }
    assert_eq!(stage.node.send(&Request::get("/v1/octets-text").header("X-Text", "grün")).status, 200);
    assert_eq!(stage.de.only("/v1/octets-text").header("x-text"), Some("grün"));
}

#[test]
fn a_framing_field_in_disguise_is_refused() {
    let stage = Stage::shared();
    for (i, name) in ["Content_Length", "Transfer_Encoding", "content_type", "Host_"].into_iter().enumerate() {
        let path = format!("/v1/disguise-{i}");
        let answer = stage.node.client().exchange(&Request::get(&path).header(name, "1"));
        if name == "Host_" {
            assert_eq!(answer.status, 200); // underscores as such are no disguise
        } else {
            assert_eq!(answer.status, 400, "{name}");
            unseen(stage, name, &path);
        }
    }
}

#[test]
fn a_field_that_decides_how_a_body_is_read_stands_once() {
    let stage = Stage::shared();
    for (name, one, other) in [("Content-Type", "application/json", "text/plain"), ("Content-Encoding", "gzip", "identity")] {
        let path = format!("/v1/single-{name}");
        let answer = stage.node.client().exchange(&Request::new("POST", &path).header(name, one).header(name, other).body("{}"));
        assert_eq!(answer.status, 400, "{name}");
        unseen(stage, name, &path);
    }
}

/// O17: a part of an answer cannot be inspected as the whole.
#[test]
fn a_range_is_never_asked_for() {
    let stage = Stage::shared();
    let request = Request::get("/v1/range").header("Range", "bytes=0-3").header("If-Range", "\"x\"");
    assert_eq!(stage.node.send(&request).status, 200);
    let seen = stage.de.only("/v1/range");
    assert_eq!((seen.header("range"), seen.header("if-range")), (None, None));
}

#[test]
fn upgrades_and_tunnels_are_501() {
    let stage = Stage::shared();
    for (i, protocol) in ["websocket", "h2c", "TLS/1.0"].into_iter().enumerate() {
        let path = format!("/v1/upgrade-{i}");
        let request =
            Request::get(&path).header("Connection", "Upgrade, HTTP2-Settings").header("Upgrade", protocol).header("HTTP2-Settings", "AAMAAABkAAQAAP__");
        assert_eq!(stage.node.client().exchange(&request).status, 501, "{protocol}");
        unseen(stage, protocol, &path);
    }
    let tunnel = Request::new("CONNECT", "tunnel.example:443").without("Host").header("Host", "tunnel.example:443");
    assert_eq!(stage.node.client().exchange(&tunnel).status, 501);
    unseen(stage, "CONNECT", "tunnel.example");
}

#[test]
fn methods_outside_the_list_are_refused() {
    let stage = Stage::shared();
    for (method, status) in [("TRACE", 405), ("PROPFIND", 501), ("get", 501), ("Post", 501), ("PURGE", 501), ("PRI", 501)] {
        let path = format!("/v1/method-{method}");
        let answer = stage.node.client().exchange(&Request::new(method, &path));
        assert_eq!(answer.status, status, "{method}");
        unseen(stage, method, &path);
    }
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let path = format!("/v1/allowed-{method}");
        assert_eq!(stage.node.send(&Request::new(method, &path)).status, 200, "{method}");
        assert_eq!(stage.de.only(&path).method(), method);
    }
}

#[test]
fn an_api_that_requires_tls_takes_nothing_over_plain_http() {
    let stage = Stage::with(|node| node);
    let request = Request::post("/secure/x", r#"{"a":"b"}"#);
    assert_eq!(stage.node.send(&request).status, 403);
    unseen(&stage, "plain HTTP", "/secure/x");
    assert_eq!(stage.node.client_tls().exchange(&request).status, 200);
    assert_eq!(stage.de.only("/secure/x").body, br#"{"a":"b"}"#);
}

#[test]
fn every_answer_carries_its_decision_and_a_refusal_is_not_to_be_stored() {
    let stage = Stage::shared();
    let good = stage.node.send(&Request::get("/v1/decision"));
    let bad = stage.node.send(&Request::get("/nowhere"));
    assert!(good.header("domicile-decision").is_some() && good.header("proxy-status").is_some());
    assert_ne!(good.header("domicile-decision"), bad.header("domicile-decision"));
    assert_eq!((bad.status, bad.header("cache-control"), bad.header("content-type")), (404, Some("no-store"), Some("application/problem+json")));
    assert_eq!(bad.json()["decision_id"].as_str(), bad.header("domicile-decision"));
}

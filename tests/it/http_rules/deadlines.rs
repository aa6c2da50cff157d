//! Time and room: nobody may hold a connection, a buffer or a backend for ever.

use super::unseen;
use crate::stage::{Stage, about};
use crate::support::{Canary, Client, Gate, Reply, Request, eventually, seed};
use serde_json::Value;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long the hurried node waits for anything; long beside what loopback needs, short beside patience.
const HURRY: Duration = Duration::from_millis(600);
/// By when a hurried node must have acted.
const SOON: Duration = Duration::from_secs(6);

/// A node that waits for nothing.
fn hurried() -> &'static Stage {
    static HURRIED: OnceLock<Stage> = OnceLock::new();
    HURRIED.get_or_init(|| {
        Stage::with_limits("{body_deadline: 600ms, answer_deadline: 600ms, connect_deadline: 600ms}", |node| node.limits("{head_deadline: 600ms}"))
    })
}

/// Runs until it ends, and checks that it took as long as the deadline and not much longer.
#[track_caller]
fn in_time<T>(run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = run();
    let took = began.elapsed();
    assert!(took + Duration::from_millis(50) >= HURRY && took < SOON, "{took:?}");
    done
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let stage = hurried();
    for (what, bytes) in [("half", &b"GET /v1/slow-head HTTP/1.1\r\nHost: api.ex"[..]), ("none", b"")] {
        let mut client = stage.node.client();
        client.send(bytes);
        let words = in_time(|| client.rest());
        assert!(words.is_empty() || words.starts_with(b"HTTP/1.1 408"), "{what}");
    }
    unseen(stage, "half a head", "/v1/slow-head");
}

#[test]
fn an_idle_connection_is_closed() {
    let stage = hurried();
    let mut client = stage.node.client();
    assert_eq!(client.exchange(&Request::get("/v1/idle")).status, 200);
    let words = in_time(|| client.rest());
    assert!(words.is_empty());
}

#[test]
fn an_idle_http_2_connection_is_told_to_go_away() {
    let stage = hurried();
    let mut raw = stage.node.raw_h2();
    let goaway = in_time(|| {
        loop {
            let frame = raw.next().expect("GOAWAY before the end");
            if frame.kind == crate::support::h2::GOAWAY {
                return frame;
            }
        }
    });
    assert_eq!(goaway.error(), Some(0));
}

#[test]
fn a_slow_body_is_408_and_reaches_no_backend() {
    let stage = hurried();
    let request = Request::new("POST", "/v1/slow-body").header("Content-Length", "100");
    let mut client = super::waiting(stage, &request.head());
    client.send(b"{\"a\":");
    assert_eq!(in_time(|| client.answer()).status, 408);
    client.rest();
    unseen(stage, "half a body", "/v1/slow-body");
}

#[test]
fn a_body_that_drips_has_one_deadline_for_all_of_it() {
    let stage = hurried();
    let mut client = super::waiting(stage, &Request::new("POST", "/v1/drip").header("Content-Length", "1000").head());
    let drops = [&b"x"[..]; 40];
    in_time(|| {
        client.send_in_pieces(&drops, Duration::from_millis(40));
        assert_eq!(client.answer().status, 408);
    });
    unseen(stage, "a dripping body", "/v1/drip");
}

#[test]
fn a_slow_body_of_http_2_is_408_too() {
    use crate::support::h2::{END_HEADERS, END_STREAM, Frame, RawH2, request};
    let stage = hurried();
    let mut raw: RawH2 = stage.node.raw_h2();
    raw.send(&Frame::headers(1, END_HEADERS, &request("POST", "/v1/slow-stream", &[("content-type", "application/json")])));
    let end = in_time(|| raw.end_of(1)).expect("an answer");
    assert!(end.flags & END_STREAM != 0);
    unseen(stage, "a stream without a body", "/v1/slow-stream");
}

#[test]
fn an_answer_that_does_not_come_is_504_and_no_other_region_is_asked() {
    let stage = hurried();
    for (path, reply) in [("/v1/late-head", Reply::json("{}").at(&Gate::new())), ("/v1/late-body", Reply::json(r#"{"a":"held back"}"#).body_at(&Gate::new()))] {
        stage.de.on(path, reply);
        let answer = in_time(|| stage.node.send(&Request::post(path, "{}")));
        assert_eq!(answer.status, 504, "{path}");
        assert_eq!(answer.json()["request_forwarded"], true);
        assert!(!answer.text().contains("held back"));
        stage.de.only(path);
        assert!(!stage.cn.has(path));
    }
    assert_eq!(stage.node.send(&Request::get("/v1/late-next")).status, 200); // on a connection of its own
}

/// A listener that accepts nobody: its queue holds one connection and is full, so the kernel lets further ones wait.
fn deaf() -> (tokio::net::TcpListener, Vec<std::net::TcpStream>, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        socket.listen(0).unwrap()
    });
    let address = listener.local_addr().unwrap();
    let waiting = (0..4).map_while(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()).collect();
    (listener, waiting, runtime)
}

#[test]
fn a_backend_that_does_not_accept_is_not_waited_for() {
    let (listener, _waiting, _runtime) = deaf();
    let address = listener.local_addr().unwrap();
    let stage = Stage::with(|node| {
        node.api(&format!(
            "{{id: deaf, match: {{path: /deaf/}}, policy: homes, purpose: service, limits: {{connect_deadline: 600ms}}, backends: {{eu-frankfurt: [\"http://{address}\"]}}}}"
        ))
    });
    let began = Instant::now();
    let answer = stage.node.send(&Request::post("/deaf/x", "{}"));
    assert!(matches!(answer.status, 502..=504), "{}", answer.status);
    assert_eq!(answer.json()["request_forwarded"], Value::Null);
    assert!(began.elapsed() < SOON);
    assert!(stage.de.bytes().is_empty() && stage.cn.bytes().is_empty());
}

#[test]
fn a_client_that_goes_before_its_body_ended_leaves_nothing_behind() {
    let stage = Stage::shared();
    let client = super::waiting(stage, &Request::new("POST", "/v1/gone-early").header("Content-Length", "100").raw_body("{\"a\":").bytes());
    client.vanish();
    assert_eq!(stage.node.send(&Request::get("/v1/gone-early-next")).status, 200);
    unseen(stage, "a body that never ended", "/v1/gone-early HTTP");
}

#[test]
fn a_client_that_goes_after_the_seal_does_not_lose_the_outcome() {
    let stage = Stage::with(|node| node);
    let (person, gate) = (Canary::cn(seed()), Gate::new());
    stage.cn.on("/v1/gone", Reply::json(r#"{"ok":true}"#).at(&gate));
    let client = super::waiting(&stage, &Request::post("/v1/gone", about(&person)).bytes());
    stage.cn.wait_for("/v1/gone", 1);
    client.vanish();
    gate.open();
    let outcome = eventually("the outcome", || stage.node.ledger().into_iter().find(|e| e["kind"] == "outcome"));
    assert_eq!((outcome["result"].as_str(), outcome["status"].as_u64()), (Some("delivered"), Some(200)));
    let intent = stage.node.ledger().into_iter().find(|e| e["kind"] == "decision" && e["direction"] == "request").expect("an intent");
    assert_eq!(intent["id"], outcome["id"]);
    eventually("the access log", || stage.node.events("exchange").into_iter().find(|e| e["status"] == 200));
    assert!(stage.node.ledger_verify().status.success());
}

#[test]
fn buffers_have_one_budget_and_beyond_it_there_is_503() {
    let stage = Stage::with(|node| node.limits("{buffers: 64KiB}"));
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(200 << 10));
    let answer = stage.node.send(&Request::post("/v1/budget", &body));
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    unseen(&stage, "a body over the budget", "/v1/budget");
    assert_eq!(stage.node.send(&Request::post("/v1/budget-small", "{}")).status, 200); // what was held is given back
    stage.de.on("/v1/budget-answer", Reply::json(&body));
    assert_eq!(stage.node.send(&Request::get("/v1/budget-answer")).status, 503);
    assert_eq!(stage.node.send(&Request::post("/v1/budget-after", "{}")).status, 200);
}

#[test]
fn connections_have_a_limit() {
    let stage = Stage::with(|node| node.limits("{connections: 2}"));
    let mut first = stage.node.client();
    let mut second = stage.node.client();
    for client in [&mut first, &mut second] {
        assert_eq!(client.exchange(&Request::get("/v1/seats")).status, 200);
    }
    let mut third = stage.node.client();
    third.send(&Request::get("/v1/seat-three").bytes());
    assert!(third.rest().is_empty());
    unseen(&stage, "a third connection", "/v1/seat-three");
    drop(first);
    eventually("a seat", || {
        let mut client: Client = stage.node.client();
        client.send(&Request::get("/v1/seat-free").bytes());
        client.try_answer().ok().flatten().filter(|a| a.status == 200)
    });
}

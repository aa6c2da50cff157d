//! SIGTERM: what is in flight finishes, nothing new begins, and the process leaves as soon as it can.

use crate::stage::{Stage, about};
use crate::support::h2::{DATA, END_HEADERS, END_STREAM, request};
use crate::support::{Canary, Frame, Gate, Kind, Reply, Request, eventually, seed};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Far less than the drain deadline, far more than leaving takes.
const EARLY: Duration = Duration::from_secs(8);

#[test]
fn what_is_in_flight_finishes_and_then_the_node_leaves_early() {
    let mut stage = Stage::with(|node| node);
    let gate = Gate::new();
    stage.de.on("/v1/drain", Reply::json(r#"{"a":"finished"}"#).at(&gate));
    let mut busy = super::waiting(&stage, &Request::post("/v1/drain", "{}").bytes());
    let mut busy_tls = stage.node.client_tls();
    busy_tls.send(&Request::post("/v1/drain", "{}").bytes());
    let mut busy_h2 = stage.node.raw_h2();
    busy_h2.send(&Frame::headers(1, END_HEADERS | END_STREAM, &request("GET", "/v1/drain", &[])));
    let mut idle = stage.node.client();
    assert_eq!(idle.exchange(&Request::get("/v1/drain-idle")).status, 200);
    stage.de.wait_for("/v1/drain", 3);
    let (address, began) = (stage.node.address(Kind::Http), Instant::now());
    stage.node.signal("TERM");
    assert!(idle.rest().is_empty());
    eventually("the listener to close", || TcpStream::connect(address).is_err().then_some(()));
    gate.open();
    for client in [&mut busy, &mut busy_tls] {
        assert_eq!(client.answer().json()["a"], "finished");
        assert!(client.rest().is_empty());
    }
    assert_eq!(busy_h2.end_of(1).map(|end| end.kind), Some(DATA));
    while busy_h2.next().is_some() {}
    let stopped = stage.node.wait();
    assert_eq!(stopped.code, Some(0));
    assert!(began.elapsed() < EARLY, "{:?}", began.elapsed());
    assert_eq!((stage.node.events("draining").len(), stage.node.events("stopped").len()), (1, 1));
}

#[test]
fn a_transfer_in_flight_has_its_outcome_in_the_ledger() {
    let mut stage = Stage::with(|node| node);
    let gate = Gate::new();
    stage.cn.on("/v1/drain-home", Reply::json(r#"{"ok":true}"#).at(&gate));
    let mut client = super::waiting(&stage, &Request::post("/v1/drain-home", about(&Canary::cn(seed()))).bytes());
    stage.cn.wait_for("/v1/drain-home", 1);
    stage.node.signal("TERM");
    eventually("the drain", || stage.node.events("draining").into_iter().next());
    gate.open();
    assert_eq!(client.answer().status, 200);
    assert_eq!(stage.node.wait().code, Some(0));
    let kinds: Vec<_> = stage.node.ledger().iter().filter(|e| e["kind"] == "outcome").map(|e| e["result"].clone()).collect();
    assert_eq!(kinds, ["delivered"]);
    assert!(stage.node.ledger_verify().status.success());
}

#[test]
fn a_node_at_rest_leaves_at_once() {
    let mut stage = Stage::with(|node| node);
    let mut raw = stage.node.raw_h2();
    let mut idle = stage.node.client();
    assert_eq!(idle.exchange(&Request::get("/v1/rest")).status, 200);
    stage.node.signal("TERM");
    let mut told = false;
    while let Some(frame) = raw.next() {
        told |= frame.error() == Some(0);
    }
    assert!(told && idle.rest().is_empty());
    let stopped = stage.node.wait();
    assert_eq!(stopped.code, Some(0));
    assert!(stopped.took < EARLY, "{:?}", stopped.took);
}

#[test]
fn what_outlasts_the_drain_deadline_is_cut() {
    let mut stage = Stage::with(|node| node.limits("{drain_deadline: 1s}"));
    stage.de.on("/v1/drain-never", Reply::json("{}").at(&Gate::new()));
    let mut client = super::waiting(&stage, &Request::get("/v1/drain-never").bytes());
    stage.de.wait_for("/v1/drain-never", 1);
    let stopped = stage.node.stop();
    assert!(stopped.took >= Duration::from_millis(900) && stopped.took < EARLY, "{:?}", stopped.took);
    assert!(client.rest().is_empty());
}

#[test]
fn a_node_that_was_killed_starts_again_on_the_same_files() {
    let mut stage = Stage::with(|node| node);
    assert_eq!(stage.node.send(&Request::post("/v1/killed", about(&Canary::cn(seed())))).status, 200);
    let before = stage.node.ledger().len();
    stage.node.restart();
    assert_eq!(stage.node.send(&Request::post("/v1/restarted", about(&Canary::cn(seed())))).status, 200);
    assert!(stage.node.ledger().len() > before);
    assert!(stage.node.ledger_verify().status.success());
}

//! Several backends in a region: load is shared, the dead are left out, and nothing ever goes to another region.

use crate::stage::{POLICY, Stage, about};
use crate::support::{Authority, Canary, Node, Reply, Request, Sink, eventually, seed};
use std::sync::Arc;

#[test]
fn requests_are_shared_among_the_backends_of_a_region_and_a_dead_one_is_left_out() {
    let (one, two, abroad) = (Sink::start("CN"), Sink::start("CN"), Sink::start("DE"));
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let node = Node::at("eu-frankfurt", "DE")
        .region("cn-north", "CN")
        .policy(POLICY)
        .api(&format!(
            "{{id: world, match: {{path: /v1/}}, policy: homes, purpose: service, backends: {{cn-north: [\"{}\", \"{}\", \"http://{dead}\"], eu-frankfurt: [\"{}\"]}}}}",
            one.url(),
            two.url(),
            abroad.url()
        ))
        .start();
    let person = Canary::cn(seed());
    for _ in 0..12 {
        assert_eq!(node.send(&Request::post("/v1/shared", about(&person))).status, 200);
    }
    let (first, second) = (one.seen("/v1/shared").len(), two.seen("/v1/shared").len());
    assert_eq!(first + second, 12);
    assert!(first > 0 && second > 0, "{first} and {second}");
    assert!(abroad.seen("/v1/shared").is_empty());
    eventually("the probe to tell of the dead backend", || {
        node.metrics().lines().any(|l| l.starts_with("domicile_upstream_healthy") && l.contains(&dead.to_string()) && l.ends_with(" 0")).then_some(())
    });
}

#[test]
fn a_backend_over_tls_must_show_the_name_and_the_authority_that_are_configured() {
    let (authority, stranger) = (Arc::new(Authority::new()), Authority::new());
    let (right, wrong) = (Sink::start_tls("DE", &authority), Sink::start_tls("DE", &stranger));
    let start = |sink: &Sink| {
        Node::at("eu-frankfurt", "DE")
            .policy(POLICY)
            .authority(&authority)
            .file("backend-ca.pem", authority.pem())
            .api(&format!(
                "{{id: local, match: {{path: /local/}}, policy: homes, purpose: service, people_of: [DE], backends: {{eu-frankfurt: [{{url: \"{}\", sni: localhost, ca: backend-ca.pem}}]}}}}",
                sink.url()
            ))
            .start()
    };
    let answer = start(&right).send(&Request::post("/local/tls", "{}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(right.seen("/local/tls").len(), 1);
    let answer = start(&wrong).send(&Request::post("/local/tls", "{}"));
    assert!([502, 503].contains(&answer.status), "{}", answer.text());
    assert!(wrong.seen("/local/tls").is_empty());
}

#[test]
fn when_the_buffers_of_the_node_are_spent_a_request_is_503_and_the_next_one_is_served() {
    let stage = Stage::with(|node| node.limits("{buffers: 256KiB}"));
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(400 << 10));
    let answer = stage.node.send(&Request::post("/local/budget", &long));
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("buffers_spent"), "{}", answer.text());
    assert!(stage.de.seen("/local/budget").is_empty());
    for _ in 0..3 {
        assert_eq!(stage.node.send(&Request::post("/local/budget", format!("{{\"text\":\"{}\"}}", "x".repeat(100 << 10)))).status, 200);
    }
}

#[test]
fn an_answer_longer_than_the_buffers_is_refused_and_the_share_given_back() {
    let stage = Stage::with(|node| node.limits("{buffers: 256KiB}"));
    stage.de.on("/local/long", vec![Reply::json(format!("{{\"text\":\"{}\"}}", "x".repeat(400 << 10)))]);
    let answer = stage.node.send(&Request::get("/local/long"));
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), Some("5"), "the method is safe");
    assert_eq!(stage.node.send(&Request::get("/local/short")).status, 200);
}

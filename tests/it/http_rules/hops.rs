//! Who is believed about the client: PROXY headers and forwarding fields, of trusted hops and of others (O33).

use super::unseen;
use crate::stage::{Stage, about};
use crate::support::client::{proxy_v1, proxy_v2};
use crate::support::{Canary, Client, Kind, Request, seed};
use std::sync::OnceLock;

/// A client's address of the documentation range.
const CLIENT: &str = "203.0.113.7";

fn behind_a_hop() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| Stage::with(|node| node.trusted_hops("{from: [127.0.0.0/8]}").listen(Kind::Proxied).listen(Kind::ProxiedTls)))
}

#[test]
fn a_proxy_header_of_a_trusted_hop_names_the_client() {
    let stage = behind_a_hop();
    for (version, header) in [("one", proxy_v1(CLIENT)), ("two", proxy_v2(CLIENT))] {
        let path = format!("/local/proxied-{version}");
        let mut client = Client::connect_after(stage.node.address(Kind::Proxied), &header);
        assert_eq!(client.exchange(&Request::get(&path)).status, 200);
        assert_eq!(stage.de.only(&path).header("forwarded"), Some(&*format!("for={CLIENT};proto=http")));
        let path = format!("/local/proxied-tls-{version}");
        let mut client = Client::connect_tls_after(stage.node.address(Kind::ProxiedTls), stage.node.authority(), &header, &[b"http/1.1"]);
        assert_eq!(client.exchange(&Request::get(&path)).status, 200);
        assert_eq!(stage.de.only(&path).header("forwarded"), Some(&*format!("for={CLIENT};proto=https")));
    }
}

#[test]
fn a_proxied_listener_takes_nothing_without_the_header() {
    let stage = behind_a_hop();
    for first in [&b""[..], b"PROXY NONSENSE\r\n", b"PROXY TCP4 203.0.113.7\r\n"] {
        let mut client = Client::connect_after(stage.node.address(Kind::Proxied), first);
        client.send(&Request::get("/local/unproxied").bytes());
        assert!(client.rest().is_empty(), "{}", String::from_utf8_lossy(first));
    }
    unseen(stage, "no PROXY header", "/local/unproxied");
}

#[test]
fn a_proxy_header_of_anybody_else_closes_the_connection() {
    let stage = Stage::with(|node| node.trusted_hops("{from: [192.0.2.0/24]}").listen(Kind::Proxied));
    let mut client = Client::connect_after(stage.node.address(Kind::Proxied), &proxy_v1(CLIENT));
    client.send(&Request::get("/local/untrusted").bytes());
    assert!(client.rest().is_empty());
    unseen(&stage, "an untrusted hop", "/local/untrusted");
}

#[test]
fn forged_forwarding_fields_are_stripped() {
    let stage = Stage::shared();
    let forged = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-IP"];
    let request = forged.iter().fold(Request::get("/local/forged"), |r, name| r.header(name, "for=198.51.100.9"));
    assert_eq!(stage.node.send(&request).status, 200);
    let seen = stage.de.only("/local/forged");
    assert!(!String::from_utf8_lossy(&seen.raw).contains("198.51.100.9"));
    assert_eq!((seen.count("forwarded"), seen.header("forwarded")), (1, Some("for=127.0.0.1;proto=http")));
}

#[test]
fn across_a_border_neither_the_client_nor_its_trace_is_told() {
    let stage = Stage::shared();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let send = |path: &str, body: &str| stage.node.send(&Request::post(path, body).header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))).status;
    assert_eq!((send("/local/trace", "{}"), send("/v1/trace", &about(&Canary::cn(seed())))), (200, 200));
    let (at_home, abroad) = (stage.de.only("/local/trace"), stage.cn.only("/v1/trace"));
    assert!(at_home.header("traceparent").is_some_and(|t| t.contains(trace)));
    assert!(abroad.header("traceparent").is_some_and(|t| !t.contains(trace)));
    assert_eq!(abroad.header("forwarded"), Some("for=unknown;proto=http"));
}

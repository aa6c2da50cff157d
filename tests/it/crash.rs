//! O25: a node killed in the middle of its work, again and again. Whatever a foreign backend saw is in the ledger, and the ledger is sound.
//! What a power cut takes, which a killed process leaves in the kernel's hands, is tested beside the ledger's writer on a storage that forgets.

use crate::border::{Border, put_on_record};
use crate::support::{Canary, Client, Node, Request, eventually, seed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// How often the node is killed, and how many connections load it.
const KILLS: usize = 20;
const CONNECTIONS: usize = 4;
/// Transfers of one life are at most this many before it ends.
const TRANSFERS_MAX: usize = 25;

/// Sends transfers over one connection until it breaks.
fn load(address: SocketAddr, request: &Request) {
    let mut client = Client::connect(address);
    loop {
        client.send(&request.bytes());
        match client.try_answer() {
            Ok(Some(answer)) => assert_eq!(answer.status, 200, "{}", answer.text()),
            _ => return,
        }
    }
}

fn ids(node: &Node) -> BTreeSet<String> {
    node.ledger().iter().filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn o25_whatever_a_foreign_backend_saw_has_a_durable_entry_however_often_the_node_is_killed() {
    let seed = seed();
    let rng = &mut StdRng::seed_from_u64(seed);
    let border = Border::new();
    let mut node = border.node("cn-north", "CN").key("cn-1").start();
    put_on_record(&node);
    let body = serde_json::json!({"phone": Canary::cn(seed).phone, "page": "home"}).to_string();
    let request = Request::post("/statistics/visit", body).header("Authorization", border.mainland());
    for life in 1..=KILLS {
        let address = node.address(crate::support::Kind::Http);
        let before = border.sg.seen("/statistics/visit").len();
        let wanted = before + rng.random_range(1..=TRANSFERS_MAX);
        std::thread::scope(|scope| {
            let loads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| load(address, &request))).collect();
            eventually("transfers", || Some(()).filter(|()| border.sg.seen("/statistics/visit").len() >= wanted));
            node.kill();
            loads.into_iter().for_each(|load| load.join().unwrap());
        });
        node.restart();
        let verified = node.ledger_verify();
        assert!(verified.status.success(), "life {life}: {}", String::from_utf8_lossy(&verified.stdout));
        let durable = ids(&node);
        for seen in border.sg.seen("/statistics/visit") {
            let id = seen.header("domicile-decision").expect("the id of the exchange");
            assert!(durable.contains(&format!("{id}/request")), "life {life}: the backend in Singapore saw `{id}`, of which the ledger knows nothing");
        }
    }
    assert!(border.sg.seen("/statistics/visit").len() >= KILLS);
}

//! Rows of the seed policies that only a running gateway can show: where requests land, over the wire.

use crate::border::{Border, in_force};
use crate::support::Kind;
use crate::support::{Canary, Jwt, Node, Reply, Request, Sink, seed};
use serde_json::json;

/// The four regions of the wearable tracker.
const REGIONS: [(&str, &str); 4] = [("north_america", "US"), ("south_america", "BR"), ("europe", "DE"), ("asia", "SG")];

/// A node of the wearable tracker and a backend in each of its regions.
struct Wearable {
    node: Node,
    sinks: Vec<Sink>,
    jwt: Jwt,
}

impl Wearable {
    fn at(region: &str) -> Self {
        let (jwt, sinks) = (Jwt::new(), REGIONS.map(|(_, jurisdiction)| Sink::start(jurisdiction)).into_iter().collect::<Vec<_>>());
        let backends: Vec<String> = REGIONS.iter().zip(&sinks).map(|((name, _), sink)| format!("{name}: [\"{}\"]", sink.url())).collect();
        let (_, jurisdiction) = REGIONS.into_iter().find(|(name, _)| *name == region).unwrap();
        let host = |name: &str| format!("https://{}.tracker.example", name.replace('_', "-"));
        let builder = REGIONS
            .into_iter()
            .filter(|(name, _)| *name != region)
            .fold(Node::at(region, jurisdiction), |node, (name, jurisdiction)| node.region_at(name, jurisdiction, &host(name)));
        let api =
            |id: &str, more: &str| format!("{{id: {id}, match: {{path: /{id}/}}, policy: wearable-tracker, {more}, backends: {{{}}}}}", backends.join(", "));
        let node = builder
            .policy(&in_force("wearable-tracker.yaml"))
            .identity(&jwt)
            .api(&api("device", "purpose: device_service, speaks_of: caller"))
            .api(&api("host", "purpose: device_service, speaks_of: caller, region: from_host"))
            .api(&api("support", "purpose: replication"))
            .start();
        Wearable { node, sinks, jwt }
    }

    /// A user of this jurisdiction who designated this region, or none.
    fn user(&self, jurisdiction: &str, designated: Option<&str>) -> String {
        format!("Bearer {}", self.jwt.token(json!({"sub": format!("u-{jurisdiction}"), "country": jurisdiction, "region": designated, "age": "adult"})))
    }

    /// Regions whose backend saw a request for this path.
    fn landed(&self, path: &str) -> Vec<&'static str> {
        REGIONS.iter().zip(&self.sinks).filter(|(_, sink)| !sink.seen(path).is_empty()).map(|((name, _), _)| *name).collect()
    }
}

fn location() -> String {
    json!({"device": {"latitude": 48.8584, "longitude": 2.2945}, "phone": Canary::de(seed()).phone}).to_string()
}

#[test]
fn s2_01_of_sixteen_ways_between_four_regions_exactly_four_are_open() {
    let stage = Wearable::at("europe");
    let mut open = 0;
    for (designated, jurisdiction) in REGIONS {
        for (addressed, _) in REGIONS {
            for method in ["POST", "PUT", "DELETE"] {
                let path = format!("/host/{designated}/{addressed}/{method}");
                let host = format!("{}.tracker.example", addressed.replace('_', "-"));
                let request = Request::new(method, &path).without("Host").header("Host", host).header("Content-Type", "application/json").body(location());
                let answer = stage.node.send(&request.header("Authorization", stage.user(jurisdiction, Some(designated))));
                assert_eq!(
                    (answer.status, stage.landed(&path)),
                    (200, vec![designated]),
                    "{method} by a user of {designated}, sent to {addressed}: {}",
                    answer.text()
                );
                open += usize::from(method == "POST" && stage.landed(&path) == [addressed]);
            }
        }
    }
    assert_eq!(open, REGIONS.len());
}

#[test]
fn s2_02_neither_host_nor_address_changes_the_designated_region() {
    let stage = Wearable::at("north_america");
    let answer = stage.node.send(&Request::post("/device/a", location()).header("Authorization", stage.user("DE", Some("europe"))));
    assert_eq!((answer.status, stage.landed("/device/a")), (200, vec!["europe"]), "{}", answer.text());
    let request = Request::post("/host/b", location()).without("Host").header("Host", "asia.tracker.example");
    let answer = stage.node.send(&request.header("Authorization", stage.user("DE", Some("europe"))).header("X-Forwarded-For", "8.8.8.8"));
    assert_eq!((answer.status, stage.landed("/host/b")), (200, vec!["europe"]), "{}", answer.text());
}

#[test]
fn s2_03_without_a_designated_region_nothing_personal_is_taken() {
    let stage = Wearable::at("europe");
    for (path, jurisdiction) in [("/device/a", "DE"), ("/device/b", "US")] {
        let answer = stage.node.send(&Request::post(path, location()).header("Authorization", stage.user(jurisdiction, None)));
        assert_eq!((answer.status, answer.json()["rules"][0].as_str()), (451, Some("S2-home")), "{}", answer.text());
        assert!(answer.json()["missing"].as_array().unwrap().iter().any(|missing| missing["what"] == "home"), "{}", answer.text());
        assert!(stage.landed(path).is_empty());
    }
    // Designated with the operator, it is found without the token saying so.
    let home = json!({"namespace": "account", "id": "u-DE", "home": "europe", "jurisdictions": ["DE"], "age_band": "adult"});
    assert_eq!(stage.node.admin("PUT", "/v1/subjects/home", Some(home)).status, 200);
    let answer = stage.node.send(&Request::post("/device/c", location()).header("Authorization", stage.user("DE", None)));
    assert_eq!((answer.status, stage.landed("/device/c")), (200, vec!["europe"]), "{}", answer.text());
}

#[test]
fn s2_04_what_is_kept_in_europe_is_not_answered_to_a_reader_in_asia() {
    let stage = Wearable::at("europe");
    stage.sinks[2].on("/support/backup", Reply::json(Canary::de(seed()).json().to_string()));
    let answer = stage.node.send(&Request::get("/support/backup").header("Authorization", stage.user("SG", Some("asia"))));
    assert_eq!((answer.status, stage.landed("/support/backup")), (451, vec!["europe"]), "{}", answer.text());
    assert!(answer.json()["rules"].as_array().unwrap().iter().any(|rule| rule == "S2-leaves-region"), "{}", answer.text());
}

#[test]
fn s4_19_an_api_that_demands_tls_takes_nothing_over_plain_http() {
    let border = Border::new();
    let cn = border.cn.url();
    let api = format!(
        "{{id: cards, match: {{path: /cards/}}, policy: shopping-app, purpose: order_delivery, speaks_of: caller, require_tls: true, backends: {{cn-north: [\"{cn}\"]}}}}"
    );
    let node = border.node("cn-north", "CN").api(&api).start();
    let card = || Request::post("/cards/new", json!({"bank_card": Canary::cn(seed()).card}).to_string()).header("Authorization", border.mainland());
    let plain = node.send(&card());
    assert_eq!((plain.status, plain.json()["type"].as_str()), (403, Some("urn:domicile:problem:tls_required")), "{}", plain.text());
    assert!(border.cn.connections().is_empty());
    assert_eq!(node.client_tls().exchange(&card()).status, 200);
    assert_eq!(border.cn.seen("/cards/new").len(), 1);
    assert_ne!(node.address(Kind::Http), node.address(Kind::Https));
}

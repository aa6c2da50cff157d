//! The leak proof: made-up people of mainland China are planted wherever a value can stand in a request or an answer, and looked for, in every
//! disguise, in everything that a foreign backend, a foreign caller, a log, a metric, a ledger or a registry got. The same run against a gateway
//! whose screening is off must find every one of them: so the search can see.

use crate::border::{Border, in_force, put_on_record, unscreened};
use crate::support::sink::{deflate, gzip};
use crate::support::wire::Answer;
use crate::support::{Canary, LeakScan, Node, NodeBuilder, Reply, Request, seed};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// A place in a request.
struct Place {
    name: &'static str,
    /// What of a person stands there.
    fields: &'static [&'static str],
    request: fn(&Canary, &str) -> Request,
}

/// All that a canary has, and what tells itself by its value alone.
const ALL: &[&str] = &["name", "phone", "email", "card", "address", "resident_id"];
const BY_VALUE: &[&str] = &["phone", "email", "card", "resident_id"];
const NUMBERS: &[&str] = &["phone", "card", "resident_id"];

const PLACES: &[Place] = &[
    Place { name: "json", fields: ALL, request: |p, to| Request::post(to, p.json().to_string()) },
    Place { name: "json-nested", fields: ALL, request: |p, to| Request::post(to, nested(p)) },
    Place { name: "json-names", fields: BY_VALUE, request: |p, to| Request::post(to, names(p)) },
    Place { name: "json-escaped", fields: ALL, request: |p, to| Request::post(to, escaped(&p.json().to_string())) },
    Place { name: "json-full-width", fields: NUMBERS, request: |p, to| Request::post(to, full_width(p)) },
    Place { name: "json-unspaced", fields: BY_VALUE, request: |p, to| Request::post(to, json!({"remark": unspaced(p)}).to_string()) },
    Place { name: "text-unspaced", fields: BY_VALUE, request: |p, to| typed(to, "text/plain; charset=utf-8", unspaced(p).into_bytes()) },
    Place { name: "form", fields: ALL, request: |p, to| typed(to, "application/x-www-form-urlencoded", pairs(p).into_bytes()) },
    Place { name: "query", fields: ALL, request: |p, to| Request::get(&format!("{to}?{}", pairs(p))) },
    Place { name: "path", fields: BY_VALUE, request: |p, to| Request::get(&format!("{to}/{}", values(p).map(encoded).join("/"))) },
    Place { name: "cookie", fields: BY_VALUE, request: |p, to| Request::get(to).header("Cookie", cookies(p)) },
    Place { name: "header", fields: ALL, request: headers },
    Place { name: "device-profile", fields: BY_VALUE, request: device_profile },
    Place { name: "gzip", fields: ALL, request: |p, to| Request::post(to, gzip(p.json().to_string().as_bytes())).header("Content-Encoding", "gzip") },
    Place { name: "deflate", fields: ALL, request: |p, to| Request::post(to, deflate(p.json().to_string().as_bytes())).header("Content-Encoding", "deflate") },
];

/// The answer that holds a person.
type Script = fn(&Canary) -> Reply;

/// A place in an answer, and what of a person stands there.
const ANSWERS: &[(&str, &[&str], Script)] = &[
    ("json", ALL, |p| Reply::json(p.json().to_string())),
    ("json-list", ALL, |p| Reply::json(json!({"total": 1, "items": [p.json()]}).to_string())),
    ("chunks", ALL, |p| Reply::json("").chunked(&p.json().to_string().as_bytes().chunks(7).collect::<Vec<_>>())),
    ("gzip", ALL, |p| Reply::status(200).header("Content-Type", "application/json").gzip(p.json().to_string())),
    ("deflate", ALL, |p| Reply::json(deflate(p.json().to_string().as_bytes())).header("Content-Encoding", "deflate")),
    ("text-unspaced", BY_VALUE, |p| Reply::status(200).header("Content-Type", "text/plain").body(unspaced(p))),
    ("header", BY_VALUE, |p| fields(p, Reply::json(r#"{"ok":true}"#))),
    ("set-cookie", BY_VALUE, |p| Reply::json("{}").header("Set-Cookie", &format!("contact={}; Path=/", values(p).map(encoded).join("|")))),
    ("location", BY_VALUE, |p| Reply::status(302).header("Location", &format!("https://shop.example/u/{}", values(p).map(encoded).join("/")))),
    ("disposition", BY_VALUE, |p| {
        Reply::status(200)
            .header("Content-Type", "text/plain")
            .header("Content-Disposition", &format!("attachment; filename=\"{}.txt\"", values(p).join(" ")))
            .body("ok")
    }),
    ("error", ALL, |p| Reply::status(500).header("Content-Type", "application/json").body(json!({"error": {"input": p.json()}}).to_string())),
];

fn values(p: &Canary) -> [&str; 4] {
    [&p.phone, &p.email, &p.card, p.resident_id.as_deref().unwrap()]
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

fn typed(to: &str, media_type: &str, body: Vec<u8>) -> Request {
    Request::new("POST", to).header("Content-Type", media_type).body(body)
}

fn nested(p: &Canary) -> String {
    let contacts = json!([{"mobile": p.phone}, {"email": p.email}]);
    let receiver = json!({"full_name": p.name, "shipping_address": p.address});
    json!({"orders": [{"buyer": {"contacts": contacts, "identity": {"id_card_no": p.resident_id}}, "payment": {"card_number": p.card}, "receiver": receiver}]})
        .to_string()
}

/// Values as the names of members.
fn names(p: &Canary) -> String {
    let members: serde_json::Map<_, _> = values(p).into_iter().map(|v| (v.to_owned(), json!({"visits": 3}))).collect();
    json!({ "seen": members }).to_string()
}

/// Every character of every text as an escape.
fn escaped(json: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for c in json.chars() {
        match c {
            '"' => {
                inside = !inside;
                out.push(c);
            }
            _ if inside => c.encode_utf16(&mut [0; 2]).iter().for_each(|u| out += &format!("\\u{u:04x}")),
            _ => out.push(c),
        }
    }
    out
}

fn full_width(p: &Canary) -> String {
    let wide = |text: &str| text.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect::<String>();
    json!({"phone": wide(&p.phone), "bank_card": wide(&p.card), "id_card": wide(p.resident_id.as_deref().unwrap())}).to_string()
}

/// Chinese as it is written: no spaces.
fn unspaced(p: &Canary) -> String {
    let [phone, email, card, id] = values(p);
    format!("客户电话{phone}邮箱{email}，身份证号{id}，银行卡{card}请尽快联系")
}

fn pairs(p: &Canary) -> String {
    let id = p.resident_id.as_deref().unwrap();
    let pairs = [("name", &*p.name), ("phone", &p.phone), ("email", &p.email), ("bank_card", &p.card), ("address", &p.address), ("id_card", id)];
    pairs.map(|(name, value)| format!("{name}={}", encoded(value))).join("&")
}

fn cookies(p: &Canary) -> String {
    let [phone, email, card, id] = values(p).map(encoded);
    format!("theme=dark; phone={phone}; mail={email}; card={card}; idno={id}")
}

fn headers(p: &Canary, to: &str) -> Request {
    let [phone, email, card, id] = values(p);
    let request = Request::get(to).header("X-Customer-Phone", phone).header("X-Mail", email).header("X-Bank-Card", card).header("X-Id-Card", id);
    request.header("X-Customer-Name", &p.name).header("X-Shipping-Address", &p.address)
}

fn device_profile(p: &Canary, to: &str) -> Request {
    let [phone, email, card, id] = values(p);
    Request::get(to)
        .header("Referer", format!("https://shop.example/u/{phone}?mail={}", encoded(email)))
        .header("User-Agent", format!("shop/1.0 ({card}; {id})"))
}

fn fields(p: &Canary, reply: Reply) -> Reply {
    let [phone, email, card, id] = values(p);
    reply.header("X-Customer-Phone", phone).header("X-Mail", email).header("X-Bank-Card", card).header("X-Id-Card", id)
}

/// What one run planted and what came of it.
struct Run {
    /// What was planted, each in the words of the scan.
    planted: Vec<String>,
    scan: LeakScan,
    /// Every answer, by what was planted in its exchange.
    answers: BTreeMap<String, Answer>,
    /// Bytes that crossed the border or were written: where, and what.
    foreign: Vec<(&'static str, Vec<u8>)>,
    /// What arrived at home.
    home: Vec<u8>,
}

struct Planter {
    seed: u64,
    planted: Vec<String>,
    scan: LeakScan,
    answers: BTreeMap<String, Answer>,
}

impl Planter {
    /// A person of its own for this place.
    fn person(&mut self, place: &str, fields: &[&str]) -> Canary {
        self.seed = self.seed.wrapping_add(1);
        let person = Canary::cn(self.seed);
        for (field, value) in person.values().into_iter().filter(|(field, _)| fields.contains(field)) {
            let what = format!("{place}:{field}");
            self.scan.add(&what, value);
            self.planted.push(what);
        }
        person
    }

    fn everywhere(&mut self, node: &Node, route: &str, bearer: &str) {
        for place in PLACES {
            let name = format!("{route}:{}", place.name);
            let person = self.person(&name, place.fields);
            let request = (place.request)(&person, &format!("/{route}/{}", place.name)).header("Authorization", bearer);
            self.answers.insert(name, node.send(&request));
        }
    }

    fn lists(&mut self, node: &Node) {
        for name in ["mainland", "mixed"] {
            let mut people: Vec<_> = (0..3).map(|i| self.person(&format!("people:{name}-{i}"), ALL).json()).collect();
            if name == "mixed" {
                people.push(Canary::de(self.seed).json());
            }
            let answer = node.send(&Request::post(&format!("/people/{name}"), json!({"people": people}).to_string()));
            self.answers.insert(format!("people:{name}"), answer);
        }
    }

    fn answers(&mut self, border: &Border, node: &Node) {
        let reader = border.jwt.bearer("reader", "DE");
        for (name, fields, reply) in ANSWERS {
            let place = format!("answer:{name}");
            let person = self.person(&place, fields);
            let path = format!("/directory/{name}");
            border.cn.on(&path, reply(&person));
            let answer = node.send(&Request::get(&path).header("Authorization", &reader).header("Accept-Encoding", "gzip, deflate"));
            self.answers.insert(place, answer);
        }
    }
}

fn run(program: Option<&Path>, seed: u64) -> Run {
    let border = Border::new();
    let with = |node: NodeBuilder| program.into_iter().fold(node, NodeBuilder::program).start();
    let (abroad, home) = (with(border.node("eu-frankfurt", "DE")), with(border.node("cn-north", "CN").key("cn-1")));
    put_on_record(&home);
    let mut planter = Planter { seed, planted: Vec::new(), scan: LeakScan::default(), answers: BTreeMap::new() };
    let bearer = border.mainland();
    planter.everywhere(&abroad, "v1", &bearer);
    planter.everywhere(&abroad, "abroad", &bearer);
    planter.everywhere(&home, "statistics", &bearer);
    planter.lists(&abroad);
    planter.answers(&border, &abroad);
    let read: Vec<u8> = planter.answers.values().flat_map(|a| [a.raw.clone(), a.body.clone()].concat()).collect();
    let foreign = vec![
        ("the backend in Germany", border.de.bytes()),
        ("the backend in Singapore", border.sg.bytes()),
        ("an answer", read),
        ("what the node in Germany wrote", abroad.everything_written()),
        ("what the node in China wrote", home.everything_written()),
    ];
    let Planter { planted, scan, answers, .. } = planter;
    Run { planted, scan, answers, foreign, home: border.cn.bytes() }
}

/// What was planted and is among these findings.
fn seen<'p>(planted: &'p [String], found: &BTreeSet<String>) -> BTreeSet<&'p str> {
    planted.iter().map(String::as_str).filter(|what| found.iter().any(|f| f.starts_with(&format!("{what} ")))).collect()
}

#[test]
fn o35_no_planted_value_crosses_the_border_or_is_written_anywhere_in_any_form() {
    let run = run(None, seed());
    for (place, bytes) in &run.foreign {
        run.scan.assert_clean(place, bytes);
    }
    for (place, answer) in &run.answers {
        let expected = match place.split(':').next().unwrap() {
            "v1" | "statistics" => 200,
            _ if place == "people:mainland" => 200,
            _ => 451,
        };
        assert_eq!(answer.status, expected, "{place}: {}", answer.text());
    }
    // What was let through is where it belongs: whole at home, and without what tells the person in Singapore.
    let home = run.scan.find(&run.home);
    let home = seen(&run.planted, &home);
    let lost: Vec<_> =
        run.planted.iter().filter(|what| what.starts_with("v1:") || what.starts_with("people:mainland")).filter(|what| !home.contains(what.as_str())).collect();
    assert!(lost.is_empty(), "home did not get {lost:?}");
    let edited = run.answers.iter().filter(|(place, answer)| place.starts_with("statistics:") && answer.header("domicile-edited").is_some());
    assert_eq!(edited.count(), PLACES.len());
}

#[test]
fn with_screening_off_the_scan_finds_every_planted_value_abroad() {
    let run = run(Some(unscreened()), seed());
    let abroad: Vec<u8> = run.foreign.iter().take(3).flat_map(|(_, bytes)| bytes.clone()).collect();
    let found = run.scan.find(&abroad);
    let found = seen(&run.planted, &found);
    let missed: Vec<_> = run.planted.iter().filter(|what| !found.contains(what.as_str())).collect();
    assert!(missed.is_empty(), "the scan does not see {missed:?}");
}

#[test]
fn a_program_that_screens_nothing_says_so_and_runs_on_loopback_only() {
    let version = Command::new(unscreened()).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).contains("unscreened"));
    let version = Command::new(env!("CARGO_BIN_EXE_domicile")).arg("--version").output().unwrap();
    assert!(!String::from_utf8_lossy(&version.stdout).contains("unscreened"));
    for (listen, backend) in [("0.0.0.0:0", "127.0.0.1:9"), ("127.0.0.1:0", "192.0.2.1:9"), ("127.0.0.1:0", "backend.example:9")] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("policies")).unwrap();
        std::fs::write(dir.path().join("policies/p.yaml"), in_force("shopping-app.yaml")).unwrap();
        let api = format!("{{id: a, match: {{path: /}}, policy: shopping-app, purpose: account_registration, backends: {{cn-north: [\"http://{backend}\"]}}}}");
        let config = format!(
            "node: {{id: n, region: cn-north}}\nlisten: [{{http: \"{listen}\"}}]\nregions: {{cn-north: {{jurisdiction: CN}}, eu-frankfurt: {{jurisdiction: DE}}, sg-1: {{jurisdiction: SG}}}}\napis: [{api}]\n"
        );
        std::fs::write(dir.path().join("domicile.yaml"), config).unwrap();
        let run = Command::new(unscreened()).arg("run").current_dir(dir.path()).output().unwrap();
        assert_eq!(run.status.code(), Some(1), "{listen} {backend}");
        assert!(String::from_utf8_lossy(&run.stderr).contains("loopback"), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

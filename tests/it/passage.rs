//! What may pass and how it looks on the other side: answers, tokens, credentials, arrivals, stores that are down.

use crate::border::{Border, ON_RECORD, consent, put_on_record};
use crate::support::{Answer, Canary, Jwt, LeakScan, Node, Reply, Request, eventually, seed};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

/// A node in mainland China with a person on record, who reads and writes there.
fn at_home(border: &Border) -> Node {
    let node = border.node("cn-north", "CN").key("cn-1").start();
    put_on_record(&node);
    node
}

fn rules(node: &Node, answer: &Answer, direction: &str) -> Vec<String> {
    let entries = node.entries(answer);
    let entry = entries.iter().find(|e| e["kind"] == "decision" && e["direction"] == direction).unwrap_or_else(|| panic!("no entry: {entries:?}"));
    entry["decision"]["rules"].as_array().unwrap().iter().map(|r| r.as_str().unwrap().to_owned()).collect()
}

#[test]
fn s4_04_a_response_refused_to_a_foreign_reader_is_a_whole_answer_and_no_cut_one() {
    let border = Border::new();
    let node = border.node("eu-frankfurt", "DE").start();
    let seed = seed();
    let people: Vec<Value> = (0..400).map(|n| Canary::cn(seed.wrapping_add(n)).json()).collect();
    let body = json!({ "items": people }).to_string();
    border.cn.on("/directory/all", Reply::json("").chunked(&body.as_bytes().chunks(1 << 10).collect::<Vec<_>>()));
    let reader = border.jwt.bearer("reader", "DE");
    let mut client = node.client();
    let answer = client.exchange(&Request::get("/directory/all").header("Authorization", &reader));
    assert_eq!((answer.status, answer.header("content-type"), answer.header("cache-control")), (451, Some("application/problem+json"), Some("no-store")));
    let problem = answer.json();
    assert_eq!((problem["status"].as_u64(), problem["request_forwarded"].as_bool()), (Some(451), Some(true)), "{}", answer.text());
    assert!(answer.header("link").is_some_and(|link| link.contains("blocked-by")));
    assert_eq!(answer.header("retry-after"), None);
    // The connection goes on: nothing of the refused answer is left in it.
    let next = client.exchange(&Request::get("/v1/next").header("Authorization", &reader));
    assert_eq!((next.status, next.body.as_slice()), (200, &br#"{"ok":true}"#[..]));
}

#[test]
fn a_person_who_travels_reads_their_own_data_and_nobody_elses() {
    let border = Border::new();
    let node = border.node("cn-north", "CN").key("cn-1").trusted_hops("{from: [127.0.0.0/8]}").listen(crate::support::Kind::Proxied).start();
    put_on_record(&node);
    let person = Canary::cn(seed());
    border.cn.on("/v1/me", Reply::json(person.json().to_string()));
    border.cn.on("/directory/other", Reply::json(person.json().to_string()));
    // From an address of the United States; the token says who, and nothing about where.
    let token = format!("Bearer {}", border.jwt.token(json!({"sub": ON_RECORD})));
    let from_abroad = |path: &str| {
        let mut client = crate::support::Client::connect_after(node.address(crate::support::Kind::Proxied), &crate::support::client::proxy_v1("8.8.8.8"));
        client.exchange(&Request::get(path).header("Authorization", &token).header("Connection", "close"))
    };
    let own = from_abroad("/v1/me");
    assert_eq!((own.status, own.json()), (200, person.json()), "{}", own.text());
    assert_eq!(rules(&node, &own, "response"), ["self_access"], "recorded, for it crosses");
    let other = from_abroad("/directory/other");
    assert_eq!((other.status, other.json()["request_forwarded"].as_bool()), (451, Some(true)), "{}", other.text());
}

#[test]
fn a_token_is_restored_to_its_person_at_home_and_to_nobody_else() {
    let border = Border::new();
    let node = at_home(&border);
    let person = Canary::cn(seed());
    let a = border.mainland();
    let sent = node.send(&Request::post("/statistics/visit", json!({"email": person.email, "page": "home"}).to_string()).header("Authorization", &a));
    assert_eq!((sent.status, sent.header("domicile-edited")), (200, Some("records=0, fields=1")), "{}", sent.text());
    let received: Value = serde_json::from_slice(&border.sg.only("/statistics/visit").body).unwrap();
    let token = received["email"].as_str().unwrap().to_owned();
    assert!(token.starts_with("dmc1.email_address.") && received["page"] == "home", "{received}");

    border.sg.on("/statistics/report", Reply::json(json!({"email": token, "visits": 3}).to_string()).header("ETag", "\"v1\""));
    let read = |node: &Node, bearer: &str| node.send(&Request::get("/statistics/report").header("Authorization", bearer));
    let own = read(&node, &a);
    assert_eq!((own.status, own.json()["email"].as_str()), (200, Some(person.email.as_str())), "{}", own.text());
    assert_eq!((own.header("cache-control"), own.header("etag")), (Some("no-store"), None), "a restored answer is nobody else's");

    let b_home = json!({"namespace": "account", "id": "u-b", "home": "cn-north", "jurisdictions": ["CN"], "age_band": "adult"});
    assert_eq!(node.admin("PUT", "/v1/subjects/home", Some(b_home)).status, 200);
    for (who, bearer) in [("another person at home", border.jwt.bearer("u-b", "CN")), ("the person, standing abroad", border.jwt.bearer(ON_RECORD, "DE"))] {
        let answer = read(&node, &bearer);
        assert!(!answer.text().contains(&person.email), "{who}: {}", answer.text());
    }
    assert!(!read(&node, &border.jwt.bearer("u-b", "CN")).text().contains(&person.email));

    let with_another_key = border.node("cn-north", "CN").key("cn-2").start();
    put_on_record(&with_another_key);
    let answer = read(&with_another_key, &a);
    assert_eq!(answer.status, 451, "a node without the key does not answer with less: {}", answer.text());
}

#[test]
fn a_request_that_carries_a_token_is_refused_wherever_it_stands() {
    let border = Border::new();
    let node = at_home(&border);
    let a = border.mainland();
    node.send(&Request::post("/statistics/visit", json!({"email": Canary::cn(seed()).email}).to_string()).header("Authorization", &a));
    let received: Value = serde_json::from_slice(&border.sg.only("/statistics/visit").body).unwrap();
    let token = received["email"].as_str().unwrap();
    let requests = [
        Request::post("/statistics/again", json!({"email": token}).to_string()),
        Request::post("/v1/again", json!({"deep": [{"x": token}]}).to_string()),
        Request::get(&format!("/v1/again?email={token}")),
        Request::get(&format!("/v1/again/{token}")),
        Request::get("/v1/again").header("X-Mail", token),
    ];
    for request in requests {
        let answer = node.send(&request.clone().header("Authorization", &a));
        assert_eq!((answer.status, answer.json()["type"].as_str()), (400, Some("urn:domicile:problem:token")), "{}", String::from_utf8_lossy(&request.bytes()));
    }
    assert!(border.sg.seen("/statistics/again").is_empty() && border.cn.connections().is_empty());
}

#[test]
fn what_crosses_leaves_address_trace_credentials_and_device_behind() {
    let border = Border::new();
    let sg = border.sg.url();
    let passing = format!(
        "{{id: passing, match: {{path: /passing/}}, policy: shopping-app, purpose: usage_statistics, speaks_of: caller, recipient: statistics-sg, pass_credentials: [x-api-key, authorization], pass_headers: [accept-language], backends: {{sg-1: [\"{sg}\"]}}}}"
    );
    let node = border.node("cn-north", "CN").key("cn-1").api(&passing).start();
    put_on_record(&node);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let send = |path: &str| {
        let request = Request::post(path, json!({"phone": Canary::cn(seed()).phone}).to_string()).header("Authorization", border.mainland());
        let request =
            request.header("Cookie", "sid=abc").header("User-Agent", "shop/1.0").header("Accept-Language", "zh-CN").header("Referer", "https://shop.example/");
        let request = request.header("Sec-CH-UA-Platform", "\"Android\"").header("traceparent", trace).header("tracestate", "a=b").header("baggage", "user=7");
        let answer = node.send(&request.header("Domicile-Decision", "forged"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.header("domicile-decision").map(str::to_owned)
    };
    let [id, ..] = ["/statistics/crosses", "/v1/stays", "/passing/crosses"].map(send);
    let stays = border.cn.only("/v1/stays");
    assert_eq!((stays.header("forwarded"), stays.header("traceparent")), (Some("for=127.0.0.1;proto=http"), Some(trace)));
    for field in ["authorization", "cookie", "user-agent", "accept-language", "referer", "sec-ch-ua-platform"] {
        assert!(stays.header(field).is_some(), "{field} goes along where nothing crosses");
    }
    let crosses = border.sg.only("/statistics/crosses");
    assert_eq!((crosses.header("forwarded"), crosses.header("domicile-decision").map(str::to_owned)), (Some("for=unknown;proto=http"), id));
    assert!(crosses.header("traceparent").is_some_and(|fresh| !fresh.contains("4bf92f3577b34da6a3ce929d0e0e4736")));
    for field in ["authorization", "cookie", "user-agent", "accept-language", "referer", "sec-ch-ua-platform", "tracestate", "baggage"] {
        assert_eq!(crosses.header(field), None, "{field}");
    }
    let passing = border.sg.only("/passing/crosses");
    assert!(passing.header("authorization").is_some() && passing.header("accept-language") == Some("zh-CN"));
    assert_eq!((passing.header("cookie"), passing.header("user-agent")), (None, None), "only what the API lists");
}

#[test]
fn data_on_its_way_home_takes_its_credentials_along() {
    let border = Border::new();
    let node = border.node("eu-frankfurt", "DE").start();
    let request = Request::post("/v1/homeward", Canary::cn(seed()).json().to_string()).header("Authorization", border.mainland()).header("Cookie", "sid=abc");
    assert_eq!(node.send(&request).status, 200);
    let seen = border.cn.only("/v1/homeward");
    assert_eq!((seen.header("authorization"), seen.header("cookie")), (Some(border.mainland().as_str()), Some("sid=abc")));
    assert_eq!(seen.header("forwarded"), Some("for=unknown;proto=http"), "it crossed all the same");
}

#[test]
fn an_edited_answer_holds_the_lawful_records_alone_and_is_not_to_be_stored() {
    let border = Border::new();
    let de = border.de.url();
    let staff = format!(
        "{{id: staff, match: {{path: /staff/}}, policy: shopping-app, purpose: account_registration, response: {{records: \"/items/*\"}}, unlawful_record: drop, backends: {{eu-frankfurt: [\"{de}\"]}}}}"
    );
    let node = border.node("eu-frankfurt", "DE").api(&staff).start();
    let (theirs, ours) = (Canary::cn(seed()), Canary::de(seed()));
    let list = json!({"total": 2, "items": [theirs.json(), ours.json()]}).to_string();
    border.de.on("/staff/list", Reply::json(list).header("ETag", "\"v1\"").header("Cache-Control", "public, max-age=60"));
    let answer = node.send(&Request::get("/staff/list").header("Authorization", border.jwt.bearer("reader", "DE")));
    assert_eq!((answer.status, answer.json()), (200, json!({"total": 2, "items": [ours.json()]})), "{}", answer.text());
    assert_eq!((answer.header("cache-control"), answer.header("etag")), (Some("no-store"), None));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    LeakScan::of(&[&theirs]).assert_clean("the answer", &answer.raw);
}

#[test]
fn a_registry_that_is_gone_or_garbage_stops_transfers_and_nothing_else() {
    let border = Border::new();
    let person = Canary::de(seed());
    for fault in ["deleted", "garbage"] {
        let node = border.node("eu-frankfurt", "DE").start();
        let becomes = |value: f64| {
            eventually(&format!("health {value} of the {fault} registry"), || Some(()).filter(|()| node.metric("domicile_registry_healthy", &[]) == value))
        };
        becomes(1.0);
        let registry = node.dir().join("data/registry.db");
        match fault {
            "deleted" => std::fs::remove_file(&registry).unwrap(),
            _ => {
                // Its journal of changes too: a young registry is whole in that alone.
                ["db-wal", "db-shm"].iter().for_each(|end| std::fs::remove_file(registry.with_extension(end)).unwrap());
                let other = registry.with_extension("garbage");
                std::fs::write(&other, vec![0x5a; 1 << 16]).unwrap();
                std::fs::rename(&other, &registry).unwrap();
            }
        }
        becomes(0.0);
        let transfer = node.send(&Request::post("/v1/transfer", Canary::cn(seed()).json().to_string()).header("Authorization", border.mainland()));
        assert_eq!((transfer.status, transfer.json()["type"].as_str()), (503, Some("urn:domicile:problem:registry_unavailable")), "{fault}");
        assert_eq!((transfer.header("retry-after").is_some(), transfer.header("cache-control")), (true, Some("no-store")));
        let path = format!("/v1/stays-{fault}");
        let stays = node.send(&Request::post(&path, person.json().to_string()).header("Authorization", border.jwt.bearer("u-de", "DE")));
        assert_eq!((stays.status, border.de.seen(&path).len()), (200, 1), "{fault}: {}", stays.text());
    }
    assert!(border.cn.seen("/v1/transfer").is_empty());
}

#[test]
fn a_message_that_arrives_abroad_is_carried_home_refused_or_sent_there_as_the_api_says() {
    let border = Border::new();
    let (cn, de) = (border.cn.url(), border.de.url());
    let api = |arrival: &str| {
        format!(
            "{{id: {arrival}, match: {{path: /{arrival}/}}, policy: shopping-app, purpose: account_registration, speaks_of: caller, arrival: {arrival}, backends: {{eu-frankfurt: [\"{de}\"], cn-north: [\"{cn}\"]}}}}"
        )
    };
    let node = ["home", "refuse", "redirect"].iter().fold(border.node("eu-frankfurt", "DE"), |node, arrival| node.api(&api(arrival))).start();
    let send = |path: &str| node.send(&Request::post(path, Canary::cn(seed()).json().to_string()).header("Authorization", border.mainland()));
    assert_eq!((send("/home/x").status, border.cn.seen("/home/x").len()), (200, 1));
    let refused = send("/refuse/x");
    assert_eq!((refused.status, refused.json()["outcome"].as_str()), (451, Some("local_only")), "{}", refused.text());
    let redirected = send("/redirect/x?page=2");
    assert_eq!((redirected.status, redirected.header("location")), (307, Some("https://cn-north.shop.example/redirect/x?page=2")));
    assert_eq!(redirected.header("cache-control"), Some("no-store"));
    assert!(border.cn.seen("/refuse/x").is_empty() && border.cn.seen("/redirect/x").is_empty() && border.de.connections().is_empty());
}

/// Who asks for consent to end.
#[derive(Debug, Clone, Copy)]
enum Through {
    AdminApi,
    AnotherProcess,
}

#[test]
fn nothing_decided_after_a_withdrawal_was_acknowledged_is_allowed() {
    let border = Border::new();
    let node = at_home(&border);
    let request = Request::post("/statistics/visit", json!({"phone": Canary::cn(seed()).phone}).to_string()).header("Authorization", border.mainland());
    for (round, through) in [Through::AdminApi, Through::AnotherProcess].into_iter().enumerate() {
        let id = if round == 0 { "c-stat".to_owned() } else { format!("c-stat-{round}") };
        if round > 0 {
            assert_eq!(node.admin("POST", "/v1/consents", Some(consent(&id))).status, 201);
        }
        withdrawn_under_load(&border, &node, &request, &id, through);
    }
}

/// Connections that ask all the time while the consent is withdrawn.
const ASKING: usize = 4;

fn withdrawn_under_load(border: &Border, node: &Node, request: &Request, id: &str, through: Through) {
    let ended = AtomicBool::new(false);
    let sent = || border.sg.seen("/statistics/visit").len();
    let refused = || node.metric("domicile_requests_total", &["api=\"statistics\"", "decision=\"refuse\""]);
    let before = sent();
    let ask = || {
        let mut client = node.client();
        let mut asked = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            asked.push((Timestamp::now(), client.exchange(request).status));
        }
        asked
    };
    let (acknowledged, asked) = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..ASKING).map(|_| scope.spawn(ask)).collect();
        eventually("transfers while consent stands", || Some(()).filter(|()| sent() > before + 20));
        match through {
            Through::AdminApi => assert_eq!(node.admin("POST", &format!("/v1/consents/{id}:withdraw"), None).status, 200),
            Through::AnotherProcess => assert!(node.command(&["consent", "withdraw"], json!({ "id": id }).to_string()).status.success()),
        }
        let acknowledged = Timestamp::now();
        let refusals = refused();
        eventually("refusals after it", || Some(()).filter(|()| refused() > refusals + 20.0));
        ended.store(true, Ordering::Relaxed);
        (acknowledged, asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect::<Vec<_>>())
    });
    assert!(asked.iter().all(|(_, status)| matches!(status, 200 | 451)));
    let late: Vec<_> = asked.iter().filter(|(began, _)| *began > acknowledged).collect();
    assert!(late.len() > ASKING && late.iter().all(|(_, status)| *status == 451), "{through:?}: {late:?}");
    let time = |entry: &Value| entry["facts"]["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let ledger = node.ledger();
    let requests: Vec<_> = ledger.iter().filter(|e| e["kind"] == "decision" && e["direction"] == "request" && e["api"] == "statistics").collect();
    let late: Vec<_> = requests.iter().filter(|e| time(e) > acknowledged && e["decision"]["action"] != "refuse").collect();
    assert!(late.is_empty(), "{through:?}: {} allowed after the acknowledgement", late.len());
    assert!(requests.iter().any(|e| e["decision"]["action"] == "forward_edited"), "{through:?}: what went before is on record");
    let withdrawn = || node.ledger().iter().any(|e| e["kind"] == "registry" && e["change"]["change"] == "consent_withdrawn" && e["change"]["id"] == id);
    eventually("the withdrawal in the ledger", || Some(()).filter(|()| withdrawn()));
}

#[test]
fn a_token_of_an_issuer_nobody_trusts_makes_nobody_known() {
    let border = Border::new();
    let node = at_home(&border);
    let stranger = Jwt::new().bearer(ON_RECORD, "CN");
    let answer = node.send(&Request::post("/statistics/visit", json!({"phone": Canary::cn(seed()).phone}).to_string()).header("Authorization", stranger));
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(border.sg.connections().is_empty() && border.cn.connections().is_empty());
}

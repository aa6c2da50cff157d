//! The faults a gateway meets, by their ids: whatever goes wrong, data of the mainland reaches no backend abroad.

use crate::border::{Border, put_on_record};
use crate::support::sink::{deflate, gzip};
use crate::support::{Canary, Node, Reply, Request, eventually, seed};
use serde_json::json;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

/// A node in Germany with its backends; its caller comes from mainland China.
struct Abroad {
    border: Border,
    node: Node,
    person: Canary,
}

impl Abroad {
    fn new() -> Self {
        let border = Border::new();
        let node = border.node("eu-frankfurt", "DE").start();
        Abroad { border, node, person: Canary::cn(seed()) }
    }

    fn send(&self, request: Request) -> crate::support::Answer {
        self.node.send(&request.header("Authorization", self.border.mainland()))
    }

    fn post(&self, path: &str, body: impl AsRef<[u8]>) -> u16 {
        self.send(Request::post(path, body)).status
    }

    #[track_caller]
    fn nothing_came(&self, to_home_too: bool) {
        assert_eq!(self.border.de.connections().len(), 0, "the backend in Germany");
        assert_eq!(self.border.sg.connections().len(), 0, "the backend in Singapore");
        assert!(!to_home_too || self.border.cn.connections().is_empty(), "the backend in China");
    }
}

#[test]
fn o01_a_duplicate_name_is_refused_and_forwarded_nowhere() {
    let stage = Abroad::new();
    let phone = &stage.person.phone;
    assert_eq!(stage.post("/v1/a", format!(r#"{{"phone":"{phone}","phone":"none"}}"#)), 400);
    assert_eq!(stage.post("/v1/b", format!(r#"{{"phone":"none","ph\u006fne":"{phone}"}}"#)), 400);
    stage.nothing_came(true);
}

#[test]
fn o02_escapes_in_values_and_names_hide_nothing() {
    let stage = Abroad::new();
    let escaped: String = stage.person.phone.bytes().map(|b| format!("\\u00{b:02x}")).collect();
    assert_eq!(stage.post("/v1/value", format!(r#"{{"note":"{escaped}"}}"#)), 200);
    assert_eq!(stage.post("/v1/name", r#"{"\u0073urname":"\u67ef","given_n\u0061me":"\u73ba"}"#), 200);
    assert_eq!((stage.border.cn.seen("/v1/value").len(), stage.border.cn.seen("/v1/name").len()), (1, 1));
    stage.nothing_came(false);
}

#[test]
fn o03_a_byte_order_mark_changes_no_decision() {
    let stage = Abroad::new();
    let body = format!("\u{feff}{{\"phone\":\"{}\"}}", stage.person.phone);
    let status = stage.post("/v1/bom", body);
    assert!(status == 400 || (status == 200 && stage.border.cn.seen("/v1/bom").len() == 1), "{status}");
    stage.nothing_came(status == 400);
}

#[test]
fn o05_text_that_is_no_utf8_is_refused() {
    let stage = Abroad::new();
    let bodies: [&[u8]; 4] = [b"{\"phone\":\"\xff\xfe\"}", b"{\"phone\":\"\xc0\xb1\"}", b"{\"phone\":\"\\ud800\"}", b"{\"phone\":\"\xed\xa0\x80\"}"];
    for body in bodies {
        assert_eq!(stage.post("/v1/x", body), 400, "{}", String::from_utf8_lossy(body));
    }
    stage.nothing_came(true);
}

#[test]
fn o06_a_hundred_thousand_brackets_are_too_deep_and_harm_nobody() {
    let mut stage = Abroad::new();
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    assert_eq!(stage.post("/v1/deep", &deep), 413);
    assert_eq!(stage.post("/v1/open", &deep[..100_000]), 413);
    stage.nothing_came(true);
    assert!(stage.node.alive());
    assert_eq!(stage.post("/v1/after", stage.person.json().to_string()), 200);
}

#[test]
fn o07_a_compressed_body_is_read_and_leaves_as_it_was_read() {
    let stage = Abroad::new();
    let plain = stage.person.json().to_string();
    for (coding, body) in [("gzip", gzip(plain.as_bytes())), ("deflate", deflate(plain.as_bytes()))] {
        let path = format!("/v1/{coding}");
        let answer = stage.send(Request::post(&path, body).header("Content-Encoding", coding));
        assert_eq!(answer.status, 200, "{coding}");
        let seen = stage.border.cn.only(&path);
        assert_eq!((seen.body.as_slice(), seen.header("content-encoding")), (plain.as_bytes(), None));
        assert_eq!(seen.header("content-length"), Some(plain.len().to_string().as_str()));
    }
    for coding in ["br", "zstd", "gzip, br"] {
        let answer = stage.send(Request::post("/v1/other", gzip(plain.as_bytes())).header("Content-Encoding", coding));
        assert_eq!((answer.status, answer.json()["opaque"].as_str()), (415, Some("encoding")), "{coding}");
    }
    assert!(stage.border.cn.seen("/v1/other").is_empty());
    stage.nothing_came(false);
}

#[test]
fn o08_a_body_that_grows_without_end_is_too_large() {
    let stage = Abroad::new();
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let answer = stage.send(Request::post("/v1/bomb", bomb).header("Content-Encoding", "gzip"));
    assert_eq!((answer.status, answer.json()["opaque"].as_str()), (413, Some("ratio")), "{}", answer.text());
    stage.nothing_came(true);
}

#[test]
fn o13_data_in_path_query_cookie_and_header_never_reaches_a_foreign_backend() {
    let stage = Abroad::new();
    let (phone, id) = (stage.person.phone.clone(), stage.person.resident_id.clone().unwrap());
    let requests = [
        ("path", Request::get(&format!("/v1/path/{id}"))),
        ("query", Request::get(&format!("/v1/query?phone={phone}"))),
        ("cookie", Request::get("/v1/cookie").header("Cookie", format!("theme=dark; phone={phone}"))),
        ("header", Request::get("/v1/header").header("X-Customer", &phone)),
        ("referer", Request::get("/v1/referer").header("Referer", format!("https://shop.example/users/{phone}"))),
        ("agent", Request::get("/v1/agent").header("User-Agent", format!("Mozilla/5.0 (Linux) Chrome/120.0.0.0 ({id})"))),
    ];
    for (name, request) in requests {
        assert_eq!(stage.send(request.clone()).status, 200, "{name}");
        let pinned = Request::new("GET", &String::from_utf8_lossy(&request.head()).split(' ').nth(1).unwrap().replace("/v1/", "/abroad/"));
        let carrying = ["Cookie", "X-Customer", "Referer", "User-Agent"].into_iter().fold(pinned, |pinned, field| {
            let head = String::from_utf8_lossy(&request.head()).into_owned();
            let value = head.lines().find_map(|line| line.strip_prefix(&format!("{field}: ")).map(str::to_owned));
            value.into_iter().fold(pinned, |pinned, value| pinned.header(field, value))
        });
        assert_eq!(stage.send(carrying).status, 451, "{name}, where only a backend abroad could take it");
    }
    assert!(stage.border.cn.has(&phone) && stage.border.cn.has(&id), "home gets it");
    stage.nothing_came(false);
}

#[test]
fn a_browsers_version_is_no_address_of_a_person() {
    let stage = Abroad::new();
    let answer = stage.send(Request::get("/v1/news").header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"));
    assert_eq!((answer.status, stage.border.de.seen("/v1/news").len()), (200, 1), "nothing personal stays where it came");
}

#[test]
fn o19_while_the_home_backend_is_down_slow_or_resetting_no_other_region_gets_the_request() {
    let border = Border::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // free again at once: nobody listens
    let (cn, de) = (border.cn.url(), border.de.url());
    let api = |id: &str, home: &str| {
        format!(
            "{{id: {id}, match: {{path: /{id}/}}, policy: shopping-app, purpose: account_registration, speaks_of: caller, limits: {{answer_deadline: 1s}}, backends: {{eu-frankfurt: [\"{de}\"], cn-north: [\"{home}\"]}}}}"
        )
    };
    let node = border.node("eu-frankfurt", "DE").api(&api("down", &format!("http://{closed}"))).api(&api("up", &cn)).start();
    let person = Canary::cn(seed());
    border.cn.on("/up/slow", Reply::json("{}").after(std::time::Duration::from_secs(4)));
    border.cn.on("/up/reset", Reply::reset());
    border.cn.on("/up/hangup", Reply::nothing());
    let send = |path: &str| node.send(&Request::post(path, person.json().to_string()).header("Authorization", border.mainland()));
    for (path, statuses) in [("/down/x", [502, 503]), ("/up/slow", [504, 504]), ("/up/reset", [502, 502]), ("/up/hangup", [502, 502])] {
        let answer = send(path);
        assert!(statuses.contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert!(border.de.connections().is_empty() && border.sg.connections().is_empty());
    // An intent whose fate is not known counts as transferred.
    let outcome = |entry: serde_json::Value| (entry["kind"] == "outcome").then(|| entry["result"].as_str().unwrap_or_default().to_owned());
    let outcomes = || node.ledger().into_iter().filter_map(outcome).collect::<Vec<_>>();
    let outcomes = eventually("four outcomes", || Some(outcomes()).filter(|all| all.len() >= 4));
    assert_eq!(outcomes, ["not_sent", "unknown", "unknown", "unknown"]);
}

#[test]
fn o24_when_the_ledger_is_full_transfers_stop_and_what_stays_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    // Files end at 1 MiB or 2, by the shell's unit: the ledger is the first to get there. Writing on is an error, not a signal.
    let limited = dir.path().join("limited");
    std::fs::write(&limited, format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f 2048\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_domicile"))).unwrap();
    std::fs::set_permissions(&limited, std::fs::Permissions::from_mode(0o755)).unwrap();
    let border = Border::new();
    let mut node = border.node("eu-frankfurt", "DE").program(&limited).start();
    let seed = seed();
    let people: Vec<_> = (0..300).map(|n| Canary::cn(seed.wrapping_add(n)).json()).collect();
    let transfer = Request::post("/people/import", json!({ "people": people }).to_string());
    let full = eventually("the ledger to be full", || Some(node.send(&transfer)).filter(|answer| answer.status != 200));
    assert_eq!((full.status, full.header("retry-after").is_some(), full.header("cache-control")), (503, true, Some("no-store")), "{}", full.text());
    let before = border.cn.seen("/people/import").len();
    let again = node.send(&transfer);
    assert_eq!((again.status, again.json()["type"].as_str()), (503, Some("urn:domicile:problem:ledger_unavailable")));
    assert_eq!(border.cn.seen("/people/import").len(), before, "without a receipt nothing is sent");
    eventually("the metric", || Some(()).filter(|()| node.metric("domicile_ledger_healthy", &[]) == 0.0));
    eventually("a healthy registry", || Some(()).filter(|()| node.metric("domicile_registry_healthy", &[]) == 1.0));
    let stays = Request::post("/v1/stays", Canary::de(seed).json().to_string()).header("Authorization", border.jwt.bearer("u-de", "DE"));
    assert_eq!((node.send(&stays).status, border.de.seen("/v1/stays").len()), (200, 1));
    assert!(node.alive());
    let verified = node.ledger_verify();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn o27_a_policy_folder_that_is_wrong_changes_nothing_but_the_metric() {
    let stage = Abroad::new();
    let folder = stage.node.dir().join("policies");
    let file = folder.join("policy-0.yaml");
    let good = std::fs::read_to_string(&file).unwrap();
    let taken = || stage.node.metric("domicile_config_last_reload_successful", &[]);
    let becomes = |value: f64| eventually("the reload", || Some(()).filter(|()| taken() == value));
    let decides = |name: &str| {
        let path = format!("/v1/{name}");
        assert_eq!((stage.post(&path, stage.person.json().to_string()), stage.border.cn.seen(&path).len()), (200, 1), "{name}");
        assert_eq!(stage.post(&format!("/abroad/{name}"), stage.person.json().to_string()), 451, "{name}");
    };
    becomes(1.0);
    decides("before");
    let half = &good[..good.len() / 2];
    let unknown_key = good.replace("self_access:", "self_acess:");
    for (name, text) in [("half", half), ("unknown-key", &unknown_key), ("empty", "")] {
        std::fs::write(&file, text).unwrap();
        becomes(0.0);
        decides(name);
        std::fs::write(&file, &good).unwrap();
        becomes(1.0);
    }
    std::fs::remove_file(&file).unwrap();
    becomes(0.0);
    decides("deleted");
    std::fs::remove_dir(&folder).unwrap();
    decides("folder-deleted");
    assert_eq!(stage.node.admin("POST", "/v1/config:reload", None).status, 422);
    stage.nothing_came(false);
}

#[test]
fn o33_what_an_untrusted_hop_says_is_not_heard_and_goes_no_further() {
    let border = Border::new();
    let hops = "{from: [10.0.0.0/8], headers: {subject: X-User, jurisdiction: X-Country, home: X-Region, address: X-Forwarded-For}}";
    let (abroad, home) = (border.node("eu-frankfurt", "DE").trusted_hops(hops).start(), border.node("cn-north", "CN").key("cn-1").trusted_hops(hops).start());
    put_on_record(&home);
    let forged = |request: Request| {
        let request = request.header("X-Country", "DE").header("X-Region", "eu-frankfurt").header("X-User", crate::border::ON_RECORD);
        request.header("X-Forwarded-For", "141.20.5.188").header("Forwarded", "for=141.20.5.188").header("X-Real-IP", "141.20.5.188")
    };
    let person = Canary::cn(seed());
    // Its resident ID says whose it is; nobody on record vouches for it.
    assert_eq!(abroad.send(&forged(Request::post("/v1/forged", person.json().to_string()))).status, 200);
    let seen = border.cn.only("/v1/forged");
    assert_eq!(seen.header("forwarded"), Some("for=unknown;proto=http"));
    for field in ["x-country", "x-region", "x-user", "x-forwarded-for", "x-real-ip"] {
        assert_eq!(seen.header(field), None, "{field}");
    }
    assert_eq!(home.send(&forged(Request::post("/statistics/forged", person.json().to_string()))).status, 451, "nobody borrows the id of one who consented");
    assert!(border.de.connections().is_empty() && border.sg.connections().is_empty());
}

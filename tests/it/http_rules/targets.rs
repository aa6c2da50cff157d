//! The target: its length, and one reading of it before anything is routed (RFC 9110 §4.1; RFC 3986 §6.2.2).

use super::unseen;
use crate::stage::Stage;
use crate::support::Request;

#[test]
fn a_target_over_8_kib_is_414_and_one_of_8_kib_arrives_whole() {
    let stage = Stage::shared();
    let target = |path: &str, length: usize| format!("{path}?{}", "q".repeat(length - path.len() - 1));
    assert_eq!(stage.node.client().exchange(&Request::get(&target("/v1/target-over", (8 << 10) + 1))).status, 414);
    unseen(stage, "a target over 8 KiB", "/v1/target-over");
    let longest = target("/v1/target-longest", 8 << 10);
    assert_eq!(stage.node.send(&Request::get(&longest)).status, 200);
    assert_eq!(stage.de.only("/v1/target-longest").target(), longest);
}

#[test]
fn a_target_no_library_can_hold_is_refused_too() {
    let stage = Stage::shared();
    let answer = super::last_words(stage, &Request::get(&format!("/v1/target-endless?{}", "q".repeat(80 << 10))).bytes());
    assert!(answer.is_none_or(|a| matches!(a.status, 414 | 431)));
    unseen(stage, "a target of 80 KiB", "/v1/target-endless");
}

#[test]
fn a_path_is_normalised_once_before_it_is_routed() {
    let stage = Stage::shared();
    let cases = [
        ("/local/../v1/path-dots", "/v1/path-dots"),
        ("//v1///path-slashes", "/v1/path-slashes"),
        ("/%76%31/path-escapes", "/v1/path-escapes"),
        ("/local/%2e%2E/v1/path-escaped-dots", "/v1/path-escaped-dots"),
        ("/v1/./path-dot/", "/v1/path-dot/"),
        ("/v1/path-%e2%82%ac", "/v1/path-%E2%82%AC"),
        ("/v1/path-query?a=%2e%2e/&b=//", "/v1/path-query?a=%2e%2e/&b=//"),
    ];
    for (sent, expected) in cases {
        let answer = stage.node.send(&Request::get(sent));
        assert_eq!(answer.status, 200, "{sent}");
        assert_eq!(stage.node.logged(&answer)["api"], "world", "{sent}");
        assert_eq!(stage.de.only(expected.split('?').next().unwrap()).target(), expected, "{sent}");
    }
}

#[test]
fn a_path_with_two_readings_is_refused() {
    let stage = Stage::shared();
    let targets = [
        "/v1/two%2fways",
        "/v1/two%5Cways",
        "/v1/two\\ways",
        "/../v1/two-ways",
        "/v1/../../v1/two-ways",
        "/v1/two-ways%00",
        "/v1/two-ways%",
        "/v1/two-ways%4",
        "/v1/two-ways%zz",
        "v1/two-ways",
    ];
    for target in targets {
        let answer = stage.node.client().exchange(&Request::get(target));
        assert_eq!(answer.status, 400, "{target}");
    }
    unseen(stage, "a path with two readings", "/two");
}

#[test]
fn a_fragment_never_leaves() {
    let stage = Stage::shared();
    let answer = stage.node.client().exchange(&Request::get("/v1/fragment#part"));
    assert!(matches!(answer.status, 200 | 400));
    unseen(stage, "a fragment", "#part");
}

#[test]
fn spaces_and_octets_in_a_target_are_refused() {
    let stage = Stage::shared();
    for target in ["/v1/spaced space", "/v1/spaced\tspace", "/v1/spaced\u{7f}", "/v1/spaced\u{1}"] {
        super::refused_and_closed(stage, target, "/v1/spaced", &Request::get(target).bytes(), 400);
    }
}

#[test]
fn options_of_everything_is_refused() {
    let stage = Stage::shared();
    assert_eq!(stage.node.client().exchange(&Request::new("OPTIONS", "*")).status, 400);
    unseen(stage, "OPTIONS *", "OPTIONS *");
}

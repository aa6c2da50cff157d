//! The admin listener: who may write, what writing does, what is refused, probes and metrics.

use crate::stage::{Stage, about};
use crate::support::{Canary, Request, eventually, seed};
use serde_json::{Value, json};

fn consent(account: &str) -> Value {
    json!({
        "subject": {"namespace": "account", "id": account}, "class": "separate", "recipient": {"id": "partner", "name": "Partner Ltd", "contact": "dpo@partner.example"},
        "purposes": ["service"], "categories": ["phone_number"], "destinations": ["SG"], "method": "api", "rights_procedure": "by mail", "withdrawal_method": "in the app",
        "notice": {"digest": format!("sha256:{}", "0".repeat(64))}, "presented_separately": true, "given_at": "2026-01-01T00:00:00Z"
    })
}

#[test]
fn a_write_needs_the_bearer_token_and_a_wrong_one_is_worth_nothing() {
    let node = &Stage::shared().node;
    let body = consent("u-token").to_string();
    for credentials in [None, Some("Bearer wrong"), Some("Bearer "), Some("Basic eDp5")] {
        let request = Request::post("/v1/consents", &body);
        let request = if let Some(value) = credentials { request.header("authorization", value) } else { request };
        let answer = node.admin_as_is(&request);
        assert_eq!(answer.status, 401, "{credentials:?}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(node.admin("POST", "/v1/consents", Some(consent("u-token"))).status, 201);
}

#[test]
fn a_consent_is_kept_shown_listed_and_withdrawn() {
    let node = &Stage::shared().node;
    let added = node.admin("POST", "/v1/consents", Some(consent("u-life"))).json();
    let id = added["id"].as_str().unwrap().to_owned();
    assert_eq!(added["status"], "given", "{added}");
    let shown = node.admin("GET", &format!("/v1/consents/{id}"), None).json();
    assert_eq!(shown["record"]["class"], "separate");
    assert!(!shown.to_string().contains("u-life"), "the identifier itself is not kept");
    let listed = node.admin("GET", "/v1/consents?limit=1000", None).json();
    assert!(listed["items"].as_array().unwrap().iter().any(|c| c["id"] == id.as_str()), "{listed}");
    let withdrawn = node.admin("POST", &format!("/v1/consents/{id}:withdraw"), None);
    assert_eq!((withdrawn.status, withdrawn.json()["status"].as_str()), (200, Some("withdrawn")));
    let again = node.admin("POST", &format!("/v1/consents/{id}:withdraw"), None).json();
    assert_eq!(again["repeated"], true);
    assert_eq!(node.admin("POST", "/v1/consents/nobody:withdraw", None).status, 404);
    eventually("the ledger to tell of the withdrawal", || {
        node.ledger().iter().any(|e| e["kind"] == "registry" && e["change"]["change"] == "consent_withdrawn" && e["change"]["id"] == id.as_str()).then_some(())
    });
    assert!(node.metrics().contains("domicile_withdrawal_acknowledge_seconds_count"));
}

#[test]
fn an_insufficient_consent_is_kept_and_the_answer_says_what_is_missing() {
    let node = &Stage::shared().node;
    let mut lacking = consent("u-lacking");
    lacking["recipient"].as_object_mut().unwrap().remove("contact");
    lacking.as_object_mut().unwrap().remove("method");
    let answer = node.admin("POST", "/v1/consents", Some(lacking));
    let told = answer.json();
    assert_eq!((answer.status, told["status"].as_str()), (201, Some("insufficient")), "{told}");
    assert_eq!(told["missing"], json!(["recipient_contact", "method"]));
}

#[test]
fn a_wrong_order_is_refused_with_the_field_that_is_wrong_and_no_value() {
    let node = &Stage::shared().node;
    let mut wrong = consent("u-wrong-4711");
    wrong["class"] = json!("seperate");
    let answer = node.admin("POST", "/v1/consents", Some(wrong));
    assert_eq!(answer.status, 422);
    assert!(!answer.text().contains("u-wrong-4711"), "{}", answer.text());
    assert_eq!(node.admin("POST", "/v1/instruments", Some(json!({"type": "eu_scc"}))).status, 422);
    assert_eq!(node.admin("DELETE", "/v1/consents", None).status, 405);
    assert_eq!(node.admin("GET", "/v1/consents?colour=red", None).status, 400);
}

#[test]
fn a_chosen_home_is_set_and_a_change_of_it_is_recorded() {
    let node = &Stage::shared().node;
    let home = |region: &str| json!({"namespace": "account", "id": "u-home", "home": region, "jurisdictions": ["DE"], "age_band": "adult"});
    let first = node.admin("PUT", "/v1/subjects/home", Some(home("eu-frankfurt")));
    assert_eq!((first.status, first.json()["change"].as_str()), (200, Some("home_set")));
    let second = node.admin("PUT", "/v1/subjects/home", Some(home("cn-north"))).json();
    assert_eq!(
        (second["change"].as_str(), second["old_home"].as_str(), second["home"].as_str()),
        (Some("home_change"), Some("eu-frankfurt"), Some("cn-north"))
    );
    eventually("the ledger to tell of the move", || node.ledger().iter().any(|e| e["change"]["change"] == "home_change").then_some(()));
}

#[test]
fn a_decision_is_found_by_the_id_of_its_answer() {
    let stage = Stage::shared();
    let person = Canary::cn(seed());
    let answer = stage.node.send(&Request::post("/v1/decision-by-id", about(&person)));
    let id = answer.header("domicile-decision").unwrap();
    let found = eventually("both entries", || {
        Some(stage.node.admin("GET", &format!("/v1/decisions/{id}"), None).json()).filter(|f| f["entries"].as_array().is_some_and(|e| e.len() >= 2))
    });
    assert_eq!(found["entries"][0]["decision"]["destination"], "cn-north");
    assert!(!found.to_string().contains(&person.phone));
    assert_eq!(stage.node.admin("GET", "/v1/decisions/0190", None).status, 404);
}

#[test]
fn a_reload_is_asked_for_and_told() {
    let node = &Stage::shared().node;
    let answer = node.admin("POST", "/v1/config:reload", None);
    assert_eq!((answer.status, answer.json()["taken"].as_bool()), (200, Some(true)));
    assert_eq!(node.admin_as_is(&Request::post("/v1/config:reload", "")).status, 401);
    assert_eq!(node.metric("domicile_config_last_reload_successful", &[]), 1.0);
}

#[test]
fn probes_answer_and_metrics_have_the_names_that_are_promised() {
    let stage = Stage::shared();
    for probe in ["/livez", "/startupz", "/readyz"] {
        assert_eq!(stage.node.admin_as_is(&Request::get(probe)).status, 200, "{probe}");
    }
    stage.node.send(&Request::post("/v1/metrics", about(&Canary::cn(seed()))));
    stage.node.send(&Request::post("/v1/metrics", "{\"a\":1,\"a\":2}"));
    let metrics = stage.node.metrics();
    for name in [
        "domicile_requests_total",
        "domicile_transfers_total",
        "domicile_blocked_total",
        "domicile_opaque_total",
        "domicile_inspection_duration_seconds_bucket",
        "domicile_request_duration_seconds_bucket",
        "domicile_upstream_duration_seconds_bucket",
        "domicile_ledger_append_duration_seconds_bucket",
        "domicile_config_last_reload_successful",
        "domicile_policy_info",
        "domicile_upstream_healthy",
    ] {
        assert!(metrics.contains(name), "{name}\n{metrics}");
    }
}

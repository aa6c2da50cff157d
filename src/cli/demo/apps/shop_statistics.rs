//! An online shop's statistics in Singapore: consented, assessed, under contract, and still without direct identifiers.

use crate::cli::demo::client::Request;
use crate::cli::demo::people::Person;
use crate::cli::demo::row::{Expect, Row};
use crate::cli::demo::stage::{Broken, Stage, assessment, consent, instrument, post};
use crate::cli::demo::{CN_NODE, SG};
use serde_json::{Value, json};

const APP: &str = "shop";
const RECIPIENT: &str = "statistics-sg";
const PURPOSE: &str = "usage_statistics";
const PATH: &str = "/shop/sg/statistics";
const SCOPE: [&str; 5] = ["account_id", "hardware_id", "ip_address", "phone_number", "person_name"];

pub(super) fn play(stage: &mut Stage) -> Result<(), Broken> {
    let (chen, zhang) = (Person::mainland(), Person::mainland());
    let node = stage.node(CN_NODE);
    node.record("POST", "/v1/consents", &consent("consent-statistics", &chen, "separate", (RECIPIENT, "Example Statistics Pte. Ltd."), PURPOSE, &SCOPE))?;
    node.record("POST", "/v1/assessments", &assessment("pipia-statistics", "pipia", RECIPIENT, PURPOSE, &SCOPE, "SG", "positive"))?;
    node.record("POST", "/v1/instruments", &instrument("contract-statistics", "cn_standard_contract", RECIPIENT, PURPOSE, &SCOPE, "CN", "SG"))?;

    let visit = json!({"用户名": chen.account, "imei": chen.imei, "ip": chen.ip, "姓名": chen.name, "手机号": chen.phone, "pages": 12});
    let row = post(stage, APP, "统计：去标识化后出境 (leave as tokens)", PATH, &chen, &visit, SG)?;
    let expect = Expect::only(SG, 200, "S4-deidentify-before-export").with(["dmc1.account_id.", "dmc1.hardware_id.", "203.0.113.0", "\"pages\":12"]);
    stage.play(Row { expect: expect.without([&chen.account, &chen.imei, &chen.ip, &chen.name, &chen.phone]), ..row })?;

    let stored = body(&stage.latest(SG));
    let token = stored.get("用户名").and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |stage: &mut Stage, title: &'static str, reader: &Person, expect: Expect| {
        let mut row = post(stage, APP, title, PATH, reader, &json!({}), "self in CN")?;
        row.request = Request::new("GET", format!("{PATH}/me")).with("authorization", stage.bearer(reader, &[])?);
        stage.play(Row { answer: Some((200, stored.to_string())), way: (SG.to_owned(), row.way.1), expect: expect.about_the_answer(), ..row })
    };
    let whole = Expect::only(SG, 200, "self_access");
    read(stage, "本人读取统计，令牌还原 (home again: restored)", &chen, whole.clone().telling([&chen.account, &chen.imei]).not_telling(["dmc1."]))?;
    read(stage, "他人只读到令牌 (another person reads a token)", &zhang, whole.telling([&token]).not_telling([&chen.account, &chen.imei]))?;

    let row = post(stage, APP, "令牌送回网关 (a token is never sent back)", PATH, &chen, &json!({"用户名": token}), SG)?;
    stage.play(Row { expect: Expect::nobody(400, "token").not_telling([&chen.account]), ..row })
}

/// The JSON that a backend received.
fn body(received: &str) -> Value {
    received.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or_default()
}

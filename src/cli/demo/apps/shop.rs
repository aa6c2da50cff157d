//! An online shop: registration, orders, support; consent and contract open the border, withdrawing closes it.

use crate::cli::demo::client::Request;
use crate::cli::demo::people::Person;
use crate::cli::demo::row::{Expect, Row};
use crate::cli::demo::stage::{Broken, Stage, assessment, consent, instrument, post};
use crate::cli::demo::{CN, CN_NODE, DE_NODE, SG};
use serde_json::{Value, json};

const APP: &str = "shop";
const RECIPIENT: &str = "registration-sg";
const PURPOSE: &str = "account_registration";
const SCOPE: [&str; 4] = ["account_id", "person_name", "phone_number", "email_address"];
/// An address of a university in Japan: where a traveller stands.
const ADDRESS_IN_JAPAN: &str = "133.11.0.1";

pub(super) fn play(stage: &mut Stage) -> Result<(), Broken> {
    registration(stage)?;
    orders(stage)?;
    readers(stage)
}

/// Registration data for a processor in Singapore.
fn registration(stage: &mut Stage) -> Result<(), Broken> {
    let liu = Person::mainland();
    let all = [&liu.account, &liu.name, &liu.phone, &liu.email];
    let record = |stage: &Stage, path: &str, body: Value| stage.node(CN_NODE).record("POST", path, &body);
    let ask = |stage: &mut Stage, title: &'static str, expect: Expect| {
        let row = post(stage, APP, title, "/shop/sg/accounts", &liu, &liu.registration(), SG)?;
        stage.play(Row { expect, ..row })
    };
    ask(stage, "注册发往新加坡，无授权 (for Singapore, no consent)", Expect::only(CN, 200, "CN-14").with(all))?;

    record(stage, "/v1/consents", consent("consent-registration", &liu, "separate", (RECIPIENT, "Example Accounts Pte. Ltd."), PURPOSE, &SCOPE))?;
    ask(stage, "注册发往新加坡，仅单独同意 (consent alone)", Expect::only(CN, 200, "CN-14").with(all))?;

    record(stage, "/v1/assessments", assessment("pipia-registration", "pipia", RECIPIENT, PURPOSE, &SCOPE, "SG", "positive"))?;
    ask(stage, "注册发往新加坡，加影响评估 (and an assessment)", Expect::only(CN, 200, "CN-12").with(all))?;

    record(stage, "/v1/instruments", instrument("contract-registration", "cn_standard_contract", RECIPIENT, PURPOSE, &SCOPE, "CN", "SG"))?;
    ask(stage, "注册发往新加坡，加标准合同 (and a filed contract)", Expect::only(SG, 200, "S4-separate-consent").with(all).without(["authorization"]))?;

    let fang = Person::mainland();
    let rows = |people: [&Person; 2]| json!({"rows": people.map(|p| json!({"user_id": p.account, "full_name": p.name, "email": p.email}))});
    let mut row = post(stage, APP, "批量，其中一人未同意 (a list: one person did not consent)", "/shop/sg/batch", &liu, &rows([&liu, &fang]), SG)?;
    row.people.push(fang.clone());
    let expect = Expect::only(SG, 200, "S4-separate-consent").with([&liu.account, &liu.name, &liu.email]).without([&fang.account, &fang.name, &fang.email]);
    stage.play(Row { expect: expect.telling(["records=1"]), ..row })?;

    record(stage, "/v1/consents/consent-registration:withdraw", json!({}))?;
    ask(stage, "注册发往新加坡，已撤回同意 (after withdrawal)", Expect::only(CN, 200, "S4-separate-consent").with(all))
}

/// Orders: at home, mixed, and with the home backend down.
fn orders(stage: &mut Stage) -> Result<(), Broken> {
    let (zhou, moritz) = (Person::mainland(), Person::german());
    let order = |p: &Person| json!({"receiver_name": p.name, "phone": p.phone, "address": p.address, "sku": "A-77"});
    let row = post(stage, APP, "下单 (an order)", "/shop/orders", &zhou, &json!({"orders": [order(&zhou)]}), CN)?;
    stage.play(Row { expect: Expect::only(CN, 200, "stays").with([&zhou.name, &zhou.phone, &zhou.address]), ..row })?;

    let mut row = post(
        stage,
        APP,
        "两国订单混在一起 (orders of two countries in one list)",
        "/shop/orders",
        &zhou,
        &json!({"orders": [order(&zhou), order(&moritz)]}),
        "one place",
    )?;
    row.people.push(moritz.clone());
    row.way.0 = "CN, DE".to_owned();
    stage.play(Row { expect: Expect::nobody(451, "EU-03-assessed").not_telling([&zhou.phone, &moritz.phone]), ..row })?;

    let receipt = json!({"receiver_name": zhou.name, "phone": zhou.phone});
    let row = post(stage, APP, "回执，大陆后端宕机 (the home backend is down)", "/shop/receipts", &zhou, &receipt, CN)?;
    stage.play(Row { expect: Expect { status: 502..=504, ..Expect::nobody(503, "backend") }, ..row })?;

    let lookup = Request::new("GET", format!("/shop/orders?phone={}", zhou.phone)).with("authorization", stage.bearer(&zhou, &[])?);
    let row = post(stage, APP, "按手机号查订单 (a phone number in the query)", "/shop/orders", &zhou, &json!({}), CN)?;
    stage.play(Row { node: DE_NODE, request: lookup, expect: Expect::only(CN, 200, "home").with([&zhou.phone]), ..row })
}

/// Who reads what is stored in the mainland.
fn readers(stage: &mut Stage) -> Result<(), Broken> {
    let yang = Person::mainland();
    let agent = Person { jurisdiction: "SG", ..Person::german() };
    let profile = json!({"user_id": yang.account, "姓名": yang.name, "手机号": yang.phone, "email": yang.email}).to_string();
    stage.node(CN_NODE).record(
        "PUT",
        "/v1/subjects/home",
        &json!({"namespace": "account", "id": yang.account, "home": CN, "jurisdictions": ["CN"], "age_band": "adult"}),
    )?;
    let from = "cn-north".to_owned();

    let own = stage.issuer.token(&[("sub", &yang.account)])?;
    let mut row = post(stage, APP, "本人在日本读取资料 (reads their own profile from Japan)", "/shop/accounts/me", &yang, &json!({}), "self in JP")?;
    row.request = Request::new("GET", "/shop/accounts/me").with("authorization", format!("Bearer {own}"));
    let expect = Expect::only(CN, 200, "self_access").about_the_answer().telling([&yang.name, &yang.phone, &yang.email]);
    stage.play(Row { from_address: Some(ADDRESS_IN_JAPAN), answer: Some((200, profile.clone())), way: (from.clone(), row.way.1), expect, ..row })?;

    let desk = format!("Bearer {}", stage.issuer.token(&[("sub", &agent.account), ("country", "SG"), ("role", "support")])?);
    let ask = |stage: &mut Stage, title, answer| {
        let mut row = post(stage, APP, title, "/shop/support/ticket", &yang, &json!({}), "agent in SG")?;
        row.request = Request::new("GET", "/shop/support/ticket").with("authorization", desk.clone());
        let expect = Expect::only(CN, 451, "CN-01").about_the_answer().telling(["\"request_forwarded\":true"]);
        stage.play(Row {
            answer: Some(answer),
            way: (from.clone(), row.way.1),
            expect: expect.not_telling([&yang.account, &yang.name, &yang.phone, &yang.email]),
            ..row
        })
    };
    ask(stage, "客服在新加坡读取资料 (support abroad opens a stored profile)", (200, profile))?;
    let error = json!({"error": "duplicate account", "user_id": yang.account, "email": yang.email}).to_string();
    ask(stage, "错误信息里有个人数据 (an error that tells on a person)", (409, error))
}

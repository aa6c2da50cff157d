//! A vendor of cloud software: registration data stays in the mainland, telemetry names nobody.

use crate::cli::demo::people::Person;
use crate::cli::demo::row::{Expect, Row};
use crate::cli::demo::stage::{Broken, Stage, assessment, instrument, post};
use crate::cli::demo::{CN, CN_NODE, DE, DE_NODE};
use serde_json::json;

const APP: &str = "cloud vendor";

pub(super) fn play(stage: &mut Stage) -> Result<(), Broken> {
    let (li, anna) = (Person::mainland(), Person::german());
    let all = |p: &Person| [p.account.clone(), p.name.clone(), p.phone.clone(), p.email.clone()];

    let row = post(stage, APP, "注册，人在大陆 (registers at home)", "/cloud/accounts", &li, &li.registration(), CN)?;
    stage.play(Row { expect: Expect::only(CN, 200, "stays").with(all(&li)), ..row })?;

    let row = post(stage, APP, "registers at home in Germany", "/cloud/accounts", &anna, &anna.registration(), DE)?;
    stage.play(Row { expect: Expect::only(DE, 200, "stays").with(all(&anna)), ..row })?;

    let row = post(stage, APP, "注册，经德国节点 (arrives at the node in Germany)", "/cloud/accounts", &li, &li.registration(), CN)?;
    stage.play(Row { node: DE_NODE, expect: Expect::only(CN, 200, "home").with(all(&li)), ..row })?;

    let scope = ["account_id", "person_name", "phone_number", "email_address"];
    let assessed = assessment("pipia-cloud", "pipia", "cloud-software-co", "account_registration", &scope, "DE", "positive");
    stage.node(CN_NODE).record("POST", "/v1/assessments", &assessed)?;
    let row = post(stage, APP, "注册发往德国 (sent to Germany without consent)", "/cloud/eu/accounts", &li, &li.registration(), DE)?;
    stage.play(Row { expect: Expect::nobody(451, "S0-leaves").telling(["missing", "consent"]).not_telling(all(&li)), ..row })?;

    let scope = ["software_device_id", "hardware_id", "ip_address"];
    stage.node(CN_NODE).record("POST", "/v1/instruments", &instrument("dpa-telemetry", "agreement", "telemetry-desk", "telemetry", &scope, "CN", "CN"))?;
    let telemetry = json!({"imei": li.imei, "client_ip": li.ip, "uptime": 86400, "version": "3.2.1"});
    let row = post(stage, APP, "遥测 (telemetry: no address, a keyed digest of the device)", "/cloud/telemetry", &li, &telemetry, CN)?;
    let expect = Expect::only(CN, 200, "S0-telemetry").with(["dmp1.hardware_id.", "86400"]).without([&li.imei, &li.ip]);
    stage.play(Row { expect, ..row })
}

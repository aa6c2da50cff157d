//! Cameras at home: device identifiers, sharing with the family, faces.

use crate::cli::demo::people::Person;
use crate::cli::demo::row::{Expect, Row};
use crate::cli::demo::stage::{Broken, Stage, assessment, clauses, instrument, post};
use crate::cli::demo::{CN, DE, DE_NODE, SG};
use serde_json::json;

const APP: &str = "camera";

pub(super) fn play(stage: &mut Stage) -> Result<(), Broken> {
    let (chen, lena) = (Person::mainland(), Person::german());
    let share = json!({"camera": "门口", "分享给": {"姓名": chen.name, "手机号": chen.phone}});
    let row = post(stage, APP, "分享给家人 (shared with the family)", "/camera/sharing", &chen, &share, CN)?;
    stage.play(Row { node: DE_NODE, expect: Expect::only(CN, 200, "home").with([&chen.name, &chen.phone]), ..row })?;

    let face = json!({"member": "妈妈", "人脸特征": "9b1f6e02d7c84a53b0e1"});
    let row = post(stage, APP, "上传人脸 (a face belongs on the device)", "/camera/face", &chen, &face, CN)?;
    stage.play(Row { expect: Expect::nobody(451, "S3-face-on-device").not_telling(["9b1f6e02d7c84a53b0e1"]), ..row })?;

    let scope = ["hardware_id", "software_device_id", "email_address"];
    stage.node(DE_NODE).record("POST", "/v1/instruments", &instrument("dpa-crash", "agreement", "crash-sdk", "crash_report", &scope, "DE", "DE"))?;
    let crash = json!({"imei": lena.imei, "stack": "at decode()", "email": lena.email});
    let row = post(stage, APP, "crash report: a field beyond the SDK's list", "/camera/crash", &lena, &crash, DE)?;
    let expect = Expect::only(DE, 200, "S3-crash-fields").with([&lena.imei, "decode()"]).without([&lena.email]);
    stage.play(Row { expect, ..row })?;

    stage.node(DE_NODE).record("POST", "/v1/instruments", &clauses("scc-analytics", 2, "analytics-sg", "device_analytics", &scope))?;
    stage.node(DE_NODE).record(
        "POST",
        "/v1/assessments",
        &assessment("tia-analytics", "tia", "analytics-sg", "device_analytics", &scope, "SG", "needs_deidentification"),
    )?;
    let events = json!({"imei": lena.imei, "device_id": lena.account, "zoom": 3});
    let row = post(stage, APP, "device analytics: the assessment asks for pseudonyms", "/camera/analytics", &lena, &events, SG)?;
    let expect = Expect::only(SG, 200, "EU-04").with(["dmp1.hardware_id.", "dmp1.software_device_id."]).without([&lena.imei, &lena.account]);
    stage.play(Row { expect, ..row })
}

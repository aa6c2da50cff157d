//! A reseller of white-label cloud services: real names, bills, backups.

use crate::cli::demo::client::Request;
use crate::cli::demo::people::Person;
use crate::cli::demo::row::{Expect, Row};
use crate::cli::demo::stage::{Broken, Stage, post};
use crate::cli::demo::{CN, CN_NODE, DE_NODE, SG};
use serde_json::json;

const APP: &str = "reseller";
/// An address of a university in mainland China: where a client stands who says nothing else.
const ADDRESS_IN_CHINA: &str = "166.111.4.100";

pub(super) fn play(stage: &mut Stage) -> Result<(), Broken> {
    let wang = Person::mainland();
    let identity = json!({"真实姓名": wang.name, "身份证号": wang.resident_id, "人脸特征": "f3a91c07be5d44e2a8c6"});
    let row = post(stage, APP, "实名认证 (real-name check at home)", "/reseller/identity", &wang, &identity, CN)?;
    stage.play(Row { expect: Expect::only(CN, 200, "stays").with([&wang.name, &wang.resident_id]), ..row })?;

    let row = post(stage, APP, "实名认证发往新加坡 (a face never leaves)", "/reseller/sg/identity", &wang, &identity, SG)?;
    stage.play(Row { expect: Expect::nobody(451, "S1-real-name").not_telling([&wang.name, &wang.resident_id]), ..row })?;

    let bill = json!({"invoice_title": "云服务", "amount": "1280.00", "开户人": wang.name, "银行账号": wang.bank_account});
    let row = post(stage, APP, "账单带银行账号 (bank details on a bill, refused at home)", "/reseller/bills", &wang, &bill, CN)?;
    stage.play(Row { expect: Expect::nobody(451, "S1-bank-account").not_telling([&wang.bank_account]), ..row })?;

    let bill = json!({"invoice_title": "云服务", "amount": "1280.00", "收件人": wang.name, "邮箱": wang.email, "收货地址": wang.address});
    let mut row = post(stage, APP, "账单，未登录，地址在大陆 (a bill, placed by client address)", "/reseller/bills", &wang, &bill, CN)?;
    row.request = Request::new("POST", "/reseller/bills").json(&bill);
    let expect = Expect::only(CN, 200, "home").with([&wang.name, &wang.email, &wang.address]);
    stage.play(Row { node: DE_NODE, from_address: Some(ADDRESS_IN_CHINA), expect, ..row })?;

    let backup: Vec<u8> = b"\x1f\x9d".iter().copied().chain((0..256).map(|_| rand::random())).collect();
    let sealed = |path: &'static str, bearer: String| {
        Request { body: backup.clone(), ..Request::new("POST", path) }.with("content-type", "application/octet-stream").with("authorization", bearer)
    };
    let mut row = post(stage, APP, "加密备份发往新加坡 (a backup nobody can read)", "/reseller/sg/backup", &wang, &json!({}), SG)?;
    row.request = sealed("/reseller/sg/backup", stage.bearer(&wang, &[])?);
    stage.play(Row { expect: Expect::nobody(415, "opaque").telling(["\"opaque\":\"type\""]), ..row })?;

    let mut row = post(stage, APP, "加密备份留在大陆 (the same backup at home)", "/reseller/backup", &wang, &json!({}), CN)?;
    row.request = sealed("/reseller/backup", stage.bearer(&wang, &[])?);
    stage.play(Row { node: CN_NODE, expect: Expect::only(CN, 200, "stays"), ..row })
}

//! A watch for children: data lives in the region that the user designated, and leaves it on a promise kept twice over.

use crate::cli::demo::client::Request;
use crate::cli::demo::people::Person;
use crate::cli::demo::row::{Expect, Row};
use crate::cli::demo::stage::{Broken, Stage, assessment, clauses, consent, post};
use crate::cli::demo::{CN, CN_NODE, DE, DE_NODE, SG};
use serde_json::{Value, json};

const APP: &str = "watch";
const SCOPE: [&str; 2] = ["precise_location", "hardware_id"];

fn location(person: &Person) -> Value {
    json!({"imei": person.imei, "location": {"lat": person.latitude, "lng": person.longitude}, "battery": 81})
}

pub(super) fn play(stage: &mut Stage) -> Result<(), Broken> {
    home(stage)?;
    replica(stage)?;
    partners(stage)
}

/// Where a watch's data lives: what a load balancer, a token or the registry says the user chose.
fn home(stage: &mut Stage) -> Result<(), Broken> {
    let (jonas, zhao) = (Person::german(), Person::mainland());
    let there = |p: &Person| [p.imei.clone(), p.latitude.clone(), p.longitude.clone()];

    let mut row = post(stage, APP, "position; the load balancer says whose", "/watch/location", &jonas, &location(&jonas), DE)?;
    let said = [("x-user", jonas.account.as_str()), ("x-country", "DE"), ("x-region", DE), ("x-age", "adult")];
    row.request = said.iter().fold(Request::new("POST", "/watch/location").json(&location(&jonas)), |request, (name, value)| request.with(name, *value));
    let expect = Expect::only(DE, 200, "stays").with(there(&jonas)).without(["x-user", "x-country", &jonas.account]);
    stage.play(Row { expect, ..row })?;

    let mut row = post(stage, APP, "position, at the node in China on a journey", "/watch/location", &jonas, &location(&jonas), DE)?;
    row.request = Request::new("POST", "/watch/location").json(&location(&jonas)).with("authorization", stage.bearer(&jonas, &[("region", DE)])?);
    stage.play(Row { node: CN_NODE, expect: Expect::only(DE, 200, "home").with(there(&jonas)), ..row })?;

    let contacts = json!({"contacts": [{"name": zhao.name, "phone": zhao.phone}]});
    let row = post(stage, APP, "通讯录，未选择区域 (contacts, no region designated)", "/watch/contacts", &zhao, &contacts, "nowhere")?;
    stage.play(Row { expect: Expect::nobody(451, "S2-home").not_telling([&zhao.name, &zhao.phone]), ..row })?;

    let chosen = json!({"namespace": "account", "id": zhao.account, "home": CN, "jurisdictions": ["CN"], "age_band": "adult"});
    stage.node(CN_NODE).record("PUT", "/v1/subjects/home", &chosen)?;
    let row = post(stage, APP, "通讯录，登记在大陆 (contacts, region on record)", "/watch/contacts", &zhao, &contacts, CN)?;
    stage.play(Row { expect: Expect::only(CN, 200, "stays").with([&zhao.name, &zhao.phone]), ..row })?;

    let sun = Person::mainland();
    let mut row = post(stage, APP, "位置，选择新加坡 (a mainland user designates Singapore)", "/watch/location", &sun, &location(&sun), SG)?;
    row.request = Request::new("POST", "/watch/location").json(&location(&sun)).with("authorization", stage.bearer(&sun, &[("region", SG)])?);
    stage.play(Row { expect: Expect::nobody(451, "CN-14").telling(["consent", "instrument", "assessment"]).not_telling(there(&sun)), ..row })
}

/// A copy in Singapore: consent alone goes home, clauses and an assessment beside it open the way.
fn replica(stage: &mut Stage) -> Result<(), Broken> {
    let greta = Person::german();
    let there = [greta.imei.clone(), greta.latitude.clone()];
    let exporter = ("setracker", "SeTracker");
    stage.node(DE_NODE).record(
        "PUT",
        "/v1/subjects/home",
        &json!({"namespace": "account", "id": greta.account, "home": DE, "jurisdictions": ["DE"], "age_band": "adult"}),
    )?;
    stage.node(DE_NODE).record("POST", "/v1/consents", &consent("consent-replica", &greta, "separate", exporter, "replication", &SCOPE))?;
    let row = post(stage, APP, "copy to Singapore: consent alone", "/watch/replica", &greta, &location(&greta), SG)?;
    stage.play(Row { expect: Expect::only(DE, 200, "EU-03-assessed").with(there.clone()), ..row })?;

    stage.node(DE_NODE).record("POST", "/v1/instruments", &clauses("scc-replica", 1, "setracker", "replication", &SCOPE))?;
    stage.node(DE_NODE).record("POST", "/v1/assessments", &assessment("tia-replica", "tia", "setracker", "replication", &SCOPE, "SG", "positive"))?;
    let row = post(stage, APP, "copy to Singapore: consent, clauses, assessment", "/watch/replica", &greta, &location(&greta), SG)?;
    stage.play(Row { expect: Expect::only(SG, 200, "EU-03").with(there).without(["authorization"]), ..row })
}

/// The map and the payment agency.
fn partners(stage: &mut Stage) -> Result<(), Broken> {
    let mia = Person::german();
    let mut row = post(stage, APP, "position of a German user for the map provider in China", "/watch/map", &mia, &location(&mia), CN)?;
    let bearer = stage.bearer(&mia, &[("region", DE)])?;
    row.request = Request::new("POST", "/watch/map").json(&location(&mia)).with("authorization", bearer.clone());
    stage.play(Row { expect: Expect::only(DE, 200, "S2-leaves-region").with([&mia.imei, &mia.latitude]), ..row })?;

    let payment = json!({"card_holder_name": mia.name, "card_number": mia.card, "mobile": mia.phone, "email": mia.email, "lat": mia.latitude, "lng": mia.longitude, "amount": "4.99"});
    let mut row = post(stage, APP, "payment: the agency gets name, card and mobile only", "/watch/payment", &mia, &payment, DE)?;
    row.request = Request::new("POST", "/watch/payment").json(&payment).with("authorization", bearer);
    let expect =
        Expect::only(DE, 200, "S2-payment-fields").with([&mia.name, &mia.card, &mia.phone]).without([&mia.email, &mia.latitude]).telling(["domicile-edited"]);
    stage.play(Row { expect, ..row })
}

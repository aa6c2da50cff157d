//! Fields to findings: what personal data is where, and how we know. Never the value.

mod card;
mod device;
mod email;
mod field;
mod keyed;
mod keys;
mod labels;
mod lexicon;
mod location;
mod names;
mod national_id;
mod network;
mod phone;
mod shape;
pub mod token;
mod tree;

use crate::model::{Category, Form, Jurisdiction};
use crate::payload::{Document, Kind, Node, Part, Span, Step};
use field::{Field, Hit, Plain};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Finds one kind of personal data in a field. Adding one is a new file and a line in [`ALL`].
pub trait Detector: Sync {
    /// Name in documents.
    fn id(&self) -> &'static str;
    /// Adds what it finds. Linear in the length of the field's text.
    #[allow(private_interfaces)]
    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>);
}

/// Every detector. Pairs of coordinates in members and lists are found by structure, in `tree`.
pub const ALL: &[&dyn Detector] = &[
    &token::Token,
    &national_id::NationalId,
    &national_id::Passport,
    &card::Card,
    &phone::Phone,
    &email::Email,
    &device::Imei,
    &network::Mac,
    &network::Ip,
    &location::Pair,
    &keyed::Keyed,
    &labels::Labelled,
];

/// What a finding rests on. In the second inspection, inside an edit, key evidence is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// Only the name of the field.
    Key,
    /// The value itself, by shape and validator, with or without a telling name.
    Value,
}

/// Personal data at a place. Sorted by part, span, category; one per (category, span).
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub category: Category,
    /// Detector id, `snake_case`, telling the kind inside a broad category (`cn_resident_id`).
    pub detector: &'static str,
    /// 0 to 1.
    pub confidence: f32,
    pub ground: Ground,
    /// `clear`, or `pseudonymised` for a token of ours.
    pub form: Form,
    pub part: Part,
    /// Where, for a person: JSON Pointer, form name, header or cookie; see the manual of `classify`.
    pub at: String,
    pub span: Span,
    /// What goes when the finding is dropped.
    pub slot: Span,
    pub kind: Kind,
    /// The node of the document, for grouping into records.
    pub node: usize,
    /// The state that issues this identifier (a resident ID, an SSN, a CPF): adds its jurisdiction.
    pub issued_by: Option<Jurisdiction>,
    /// Weak evidence of a jurisdiction (a phone's country code).
    pub hints_at: Option<Jurisdiction>,
}

/// Id of the detector of our own tokens.
pub const TOKEN_DETECTOR: &str = "domicile_token";

/// Everything personal in a document, sorted by span, then category.
pub fn scan(document: &Document<'_>, part: &Part) -> Vec<Finding> {
    let places = tree::places(document, part);
    let mut findings = Vec::new();
    for (index, (node, place)) in document.nodes.iter().zip(&places).enumerate() {
        let above = places.get(node.parent).filter(|_| node.parent != index).and_then(|p| p.covered);
        if matches!(node.kind, Kind::Object | Kind::Array) {
            // Only the outermost container of one meaning is a finding.
            if let Some(meaning) = place.covered.filter(|_| above.is_none()) {
                let hit = Hit::key(meaning, 0.9, 0..usize::MAX);
                findings.push(finding(document, part, index, &hit, node.span.clone(), true));
            }
            continue;
        }
        if matches!(node.kind, Kind::Bool | Kind::Null) || node.text.is_empty() {
            continue;
        }
        let plain = Plain::of(&node.text);
        let mut hits = hits(&plain.text, node, place);
        hits.extend(place.coordinate(document, &places, index).filter(|_| node.kind != Kind::Name));
        // What an object says as a whole is not said again by its parts, unless the value shows it by itself.
        hits.retain(|h| h.ground == Ground::Value || above.is_none_or(|m| m.category != h.category));
        report(document, part, index, &plain, settle(hits, &plain.text), &mut findings);
    }
    findings.sort_by_key(|f| (f.span.start, f.span.end, f.category));
    findings.dedup_by(|later, first| later.span == first.span && later.category == first.category);
    findings
}

/// What all detectors find in one scalar.
fn hits(text: &str, node: &Node<'_>, place: &tree::Place) -> Vec<Hit> {
    let name = node.kind == Kind::Name;
    let field = Field {
        text,
        kind: if name { Kind::Text } else { node.kind },
        meaning: place.meaning.filter(|_| !name),
        sequence: place.key.sequence && !name,
        version: place.key.version && !name,
        machinery: place.key.machinery && !name,
        runs: field::runs(text, node.kind),
    };
    let mut hits = Vec::new();
    ALL.iter().for_each(|detector| detector.look(&field, &mut hits));
    hits
}

/// Leaves one hit where several say the same or less: a token over everything in it, a value over a name, the longer over what lies in it.
fn settle(mut hits: Vec<Hit>, text: &str) -> Vec<Hit> {
    let trimmed = text.len() - text.trim_start().len()..text.trim_end().len();
    let whole = |hit: &Hit| hit.range.start <= trimmed.start && hit.range.end >= trimmed.end;
    let keyed: Vec<Category> = hits.iter().filter(|h| h.ground == Ground::Key && whole(h)).map(|h| h.category).collect();
    let mut values: BTreeMap<Category, usize> = BTreeMap::new();
    hits.iter().filter(|h| h.ground == Ground::Value).for_each(|h| *values.entry(h.category).or_default() += 1);
    let token = hits.iter().any(|h| h.form == Form::Pseudonymised && whole(h));
    let same_kind = |a: Category, b: Category| a == b || FAMILIES.iter().any(|family| family.contains(&a) && family.contains(&b));
    let shown = |category: Category, hits: &[Hit]| {
        hits.iter().any(|h| h.ground == Ground::Value && same_kind(h.category, category) && (whole(h) || h.category == category))
    };
    let told: Vec<bool> = hits.iter().map(|h| h.ground == Ground::Key && whole(h) && !values.is_empty() && shown(h.category, &hits)).collect();
    for hit in hits.iter_mut().filter(|h| h.ground == Ground::Value) {
        // `+86 138… (home)` under `phone`: the field is the value.
        if keyed.contains(&hit.category) && values.get(&hit.category) == Some(&1) {
            hit.range = 0..text.len();
        }
    }
    let mut told = told.into_iter();
    hits.retain(|_| !told.next().unwrap_or_default());
    hits.retain(|h| !token || h.form == Form::Pseudonymised);
    hits.sort_by(|a, b| (a.range.start, usize::MAX - a.range.end).cmp(&(b.range.start, usize::MAX - b.range.end)).then(b.confidence.total_cmp(&a.confidence)));
    let mut end = 0;
    hits.retain(|h| {
        let fresh = h.ground == Ground::Key || h.range.end > end;
        if h.ground == Ground::Value {
            end = end.max(h.range.end);
        }
        fresh
    });
    hits
}

/// Kinds of which one value has one: a value that shows which overrules its name.
const FAMILIES: &[&[Category]] = &[
    &[Category::HardwareId, Category::SoftwareDeviceId, Category::MacAddress, Category::AdvertisingId, Category::IotDeviceId],
    &[Category::NationalIdNumber, Category::PassportPermitNumber],
    &[Category::PaymentCard, Category::BankAccountNumber],
];

/// Turns what was found in the read text into findings with places in the source.
fn report(document: &Document<'_>, part: &Part, index: usize, plain: &Plain<'_>, hits: Vec<Hit>, findings: &mut Vec<Finding>) {
    let Some(node) = document.nodes.get(index) else { return };
    let text = plain.text.as_ref();
    let trimmed = text.len() - text.trim_start().len()..text.trim_end().len();
    let whole = |hit: &Hit| matches!(node.kind, Kind::Number) || hit.range.start <= trimmed.start && hit.range.end >= trimmed.end;
    let inner: Vec<_> = hits.iter().filter(|h| !whole(h)).map(|h| plain.original(&h.range)).collect();
    let mut spans = document.locate(node, &inner).into_iter();
    for hit in &hits {
        let all = whole(hit);
        let span = if all { node.span.clone() } else { spans.next().unwrap_or_else(|| node.span.clone()) };
        findings.push(finding(document, part, index, hit, span, all));
    }
}

fn finding(document: &Document<'_>, part: &Part, index: usize, hit: &Hit, span: Span, whole: bool) -> Finding {
    let node = document.nodes.get(index);
    Finding {
        category: hit.category,
        detector: hit.detector,
        confidence: hit.confidence,
        ground: hit.ground,
        form: hit.form,
        part: part.clone(),
        at: pointer(document, index, part),
        slot: node.filter(|_| whole).map_or_else(|| span.clone(), |n| n.slot.clone()),
        span,
        kind: node.map_or(Kind::Text, |n| n.kind),
        node: index,
        issued_by: field::jurisdiction(hit.issued_by),
        hints_at: field::jurisdiction(hit.hints_at),
    }
}

/// Longest pointer, in bytes: every finding has one, and a body may be one long name over as many findings as fit.
const POINTER_BYTES_MAX: usize = 512;

/// Where a node is, for a person: a JSON Pointer (RFC 6901), led by the part if that is not the body. One that would be very long ends in `…`.
pub fn pointer(document: &Document<'_>, node: usize, part: &Part) -> String {
    let mut steps: Vec<Cow<'_, str>> = Vec::new();
    let mut at = node;
    while let Some(here) = document.nodes.get(at) {
        match &here.step {
            Step::Root => {}
            Step::Name(name) => {
                let name = name.get(..name.floor_char_boundary(POINTER_BYTES_MAX)).unwrap_or_default();
                let escaped = name.contains(['~', '/']).then(|| name.replace('~', "~0").replace('/', "~1"));
                steps.push(escaped.map_or(Cow::Borrowed(name), Cow::Owned));
            }
            Step::Index(index) => steps.push(Cow::Owned(index.to_string())),
        }
        if here.parent == at {
            break;
        }
        at = here.parent;
    }
    let mut pointer = match part {
        Part::Body => String::new(),
        Part::Query => "query:".to_string(),
        Part::Path => "path:".to_string(),
        Part::Cookie => "cookie:".to_string(),
        Part::Header(name, repeat) => {
            let mut place = format!("header:/{name}");
            if *repeat > 0 {
                write!(place, "/{repeat}").unwrap_or_default();
            }
            // What follows lies in an encoded value.
            place.push_str(if steps.is_empty() { "" } else { "#" });
            place
        }
    };
    for step in steps.iter().rev() {
        pointer.push('/');
        if pointer.len() + step.len() > POINTER_BYTES_MAX {
            pointer.push('…');
            break;
        }
        pointer.push_str(step);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Limits, head, read};

    /// Findings in a JSON body.
    pub(super) fn scanned(body: &str) -> Vec<Finding> {
        scan(&read(Some("application/json"), body.as_bytes(), &Limits::default()).unwrap().1, &Part::Body)
    }

    #[test]
    fn a_long_name_does_not_stand_in_every_finding_below_it() {
        let phones = vec!["\"13800138000\""; 100].join(",");
        let findings = scanned(&format!("{{\"{}\":[{phones}]}}", "é".repeat(50_000)));
        assert_eq!(findings.len(), 100);
        assert!(findings.iter().all(|f| f.at.len() < POINTER_BYTES_MAX + 4 && f.at.ends_with('…')));
    }

    /// Categories and places in a JSON body.
    pub(super) fn found(body: &str) -> Vec<(&'static str, &'static str)> {
        scanned(body).into_iter().map(|f| (f.category.id(), &*f.at.leak())).collect()
    }

    /// Categories in a plain text.
    pub(super) fn found_in_text(text: &str) -> Vec<&'static str> {
        let (_, document) = read(Some("text/plain"), text.as_bytes(), &Limits::default()).unwrap();
        scan(&document, &Part::Body).iter().map(|f| f.category.id()).collect()
    }

    fn spans(content_type: &str, body: &str) -> Vec<(&'static str, String)> {
        let (_, document) = read(Some(content_type), body.as_bytes(), &Limits::default()).unwrap();
        scan(&document, &Part::Body).into_iter().map(|f| (f.category.id(), body[f.span].to_string())).collect()
    }

    #[test]
    fn a_span_is_the_value_or_what_matched_in_a_longer_text() {
        let json = "application/json";
        assert_eq!(spans(json, r#"{"user":{"phone":"\u00313800138000"}}"#), [("phone_number", r"\u00313800138000".into())]);
        assert_eq!(spans(json, r#"{"n":"\u8bf7\u62e8\u00313800138000\uff0c谢谢"}"#), [("phone_number", r"\u00313800138000".into())]);
        assert_eq!(spans(json, r#"{"phone":13800138000}"#), [("phone_number", "13800138000".into())]);
        assert_eq!(
            spans("application/x-www-form-urlencoded", "m=%31%33800138000&n=tel%3A+13900139000."),
            [("phone_number", "%31%33800138000".into()), ("phone_number", "13900139000".into())]
        );
        assert_eq!(
            spans("text/plain", "电话１３８００１３８０００号，邮箱a@b.cn"),
            [("phone_number", "１３８００１３８０００".into()), ("email_address", "a@b.cn".into())]
        );
    }

    #[test]
    fn names_come_from_the_place_of_the_field() {
        assert_eq!(found(r#"{"user":{"name":"王伟"},"product":{"name":"王老吉"},"city":{"name":"石家庄"}}"#), [("person_name", "/user/name")]);
        assert_eq!(found(r#"{"name":"Acme Blender","price":12}"#), []);
        assert_eq!(
            found(r#"{"data":{"list":[{"name":"李娜","mobile":"13912345678"}]}}"#),
            [("person_name", "/data/list/0/name"), ("phone_number", "/data/list/0/mobile")]
        );
        assert_eq!(found(r#"{"name":{"first":"John","last":"Doe"}}"#), [("person_name", "/name")]);
        assert_eq!(found(r#"{"userName":"admin01","realName":"管理员","nickname":null}"#), [("account_id", "/userName")]);
    }

    #[test]
    fn an_object_or_list_under_a_telling_name_is_told_as_a_whole_or_by_element() {
        let body = r#"{"shippingAddress":{"name":"张伟","city":"上海","detail":"世纪大道100号","phone":"13800138000"}}"#;
        assert_eq!(found(body), [("postal_address", "/shippingAddress"), ("person_name", "/shippingAddress/name"), ("phone_number", "/shippingAddress/phone")]);
        assert_eq!(found(r#"{"phones":["010-12345678","13800138000"]}"#), [("phone_number", "/phones/0"), ("phone_number", "/phones/1")]);
        assert_eq!(found(r#"{"faceFeature":[0.12,0.5,0.25]}"#), [("face_biometric", "/faceFeature")]);
        assert_eq!(found(r#"{"phone":{"countryCode":"86","number":"13800138000"}}"#), [("phone_number", "/phone/number")]);
    }

    #[test]
    fn a_name_that_is_data_is_found_at_its_member() {
        assert_eq!(found(r#"{"13800138000":{"x":1}}"#), [("phone_number", "/13800138000")]);
    }

    #[test]
    fn the_parts_of_the_head_have_places_of_their_own() {
        let at = |part: Part, bytes: &str| -> Vec<String> {
            let document = head::format(&part).unwrap().parse(bytes.as_bytes(), &Limits::default()).unwrap();
            scan(&document, &part).into_iter().map(|f| f.at).collect()
        };
        assert_eq!(at(Part::Query, "a=1&phone=13800138000&phone=13900139001"), ["query:/phone", "query:/phone/1"]);
        assert_eq!(at(Part::Path, "/v1/users/13800138000"), ["path:/2"]);
        assert_eq!(at(Part::Cookie, "sid=abcdef; lang=zh"), ["cookie:/sid"]);
        assert_eq!(at(Part::Header("x-user-phone".into(), 0), "13800138000"), ["header:/x-user-phone"]);
        assert_eq!(at(Part::Header("location".into(), 1), "/a?phone=13800138000"), ["header:/location/1#/phone"]);
    }

    #[test]
    fn labels_in_a_text_tell_what_follows() {
        assert_eq!(found_in_text("姓名：张伟，电话：13800138000"), ["person_name", "phone_number"]);
        assert_eq!(found_in_text("收货人李小明手机号13800138000"), ["person_name", "phone_number"]);
        assert_eq!(found_in_text("Name: John Smith\nAddress: 12 Baker Street, London\nDOB: 1990-02-03"), ["person_name", "postal_address", "birth_date_age"]);
        assert!(found_in_text("订单编号：202411230001\n版本：10.20.30.40\n时间：12:30:45").is_empty());
    }
}

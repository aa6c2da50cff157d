//! What a write asks for: parsed from JSON and checked before any store sees it.

use super::subject::SubjectKey;
use crate::model::basis::{Assessment, Consent, Exemption, Instrument};
use crate::model::{AgeBand, BasisId, Jurisdiction, Region, SubjectRef};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// Longest order, in bytes of JSON: a record with every text and scope is some 10 KiB.
pub const ORDER_BYTES_MAX: usize = 64 << 10;

/// A person, by an identifier (`{"namespace","id"}`) or by the reference the registry gave them (`"sub_…"`).
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a person is `{\"namespace\":…,\"id\":…}` with an id that fits its namespace, or a reference of this registry")]
pub enum Named {
    Key(SubjectKey),
    Ref(SubjectRef),
}

/// One change.
#[derive(Debug, Clone)]
pub enum Order {
    Home(HomeOrder),
    Consent(Box<ConsentOrder>),
    Instrument(Box<Instrument>),
    Assessment(Box<Assessment>),
    Exemption(Box<Exemption>),
    End(EndOrder),
}

/// `{"namespace":"account","id":"…","home":"eu-frankfurt","jurisdictions":["DE"],"age_band":"adult","aliases":[{"namespace","id"}]}`
#[derive(Debug, Clone)]
pub struct HomeOrder {
    pub subject: SubjectKey,
    pub home: Region,
    /// None leaves what is on record.
    pub jurisdictions: Option<BTreeSet<Jurisdiction>>,
    /// None leaves what is on record.
    pub age_band: Option<AgeBand>,
    /// Other identifiers of the same person.
    pub aliases: Vec<SubjectKey>,
}

/// A consent whose person may still be named by an identifier; `consent.subject` counts for nothing until that is resolved.
#[derive(Debug, Clone)]
pub struct ConsentOrder {
    pub subject: Named,
    pub consent: Consent,
}

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A consent is withdrawn (PIPL 15, GDPR 7(3)).
    Consent,
    /// An instrument is terminated.
    Instrument,
    /// An exemption ceases.
    Exemption,
}

/// `{"id":"…"}`
#[derive(Debug, Clone)]
pub struct EndOrder {
    pub what: Ending,
    pub id: BasisId,
}

/// Why a text is no order. Names the field, never a person's identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOrder(String);

impl fmt::Display for InvalidOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidOrder {}

fn invalid<T>(text: impl Into<String>) -> Result<T, InvalidOrder> {
    Err(InvalidOrder(text.into()))
}

impl Order {
    /// The body of `home set` and `PUT /v1/subjects/home`.
    pub fn home(json: &[u8]) -> Result<Order, InvalidOrder> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            namespace: crate::model::Namespace,
            id: String,
            home: Region,
            jurisdictions: Option<BTreeSet<Jurisdiction>>,
            age_band: Option<AgeBand>,
            #[serde(default)]
            aliases: Vec<SubjectKey>,
        }
        let raw: Raw = parse(json)?;
        let subject = SubjectKey::new(raw.namespace, &zeroize::Zeroizing::new(raw.id)).map_err(|e| InvalidOrder(e.to_string()))?;
        Ok(Order::Home(HomeOrder { subject, home: raw.home, jurisdictions: raw.jurisdictions, age_band: raw.age_band, aliases: raw.aliases }))
    }

    /// The body of `consent add`: a consent record whose `subject` may be an identifier, and whose `id` may be left out.
    pub fn consent(json: &[u8]) -> Result<Order, InvalidOrder> {
        let mut members = with_id(json, "con")?;
        let Some(subject) = members.remove("subject") else { return invalid("`subject` is missing: name the person as `{\"namespace\":…,\"id\":…}`") };
        let subject: Named = serde_json::from_value(subject).map_err(|e| InvalidOrder(format!("`subject`: {}", without_value(&e))))?;
        // The record needs a reference to be whole; the store puts in the one it resolves or mints.
        let reference = match &subject {
            Named::Ref(reference) => reference.as_str(),
            Named::Key(_) => "unresolved",
        };
        members.insert("subject".to_owned(), Value::from(reference));
        let consent: Consent = of_members(members)?;
        in_order("given_at", Some(consent.given_at), "expires_at", consent.expires_at)?;
        in_order("given_at", Some(consent.given_at), "ended_at", consent.ended_at)?;
        is_digest("notice.digest", consent.notice.digest.as_deref())?;
        Ok(Order::Consent(Box::new(ConsentOrder { subject, consent })))
    }

    /// The body of `instrument add`.
    pub fn instrument(json: &[u8]) -> Result<Order, InvalidOrder> {
        let instrument: Instrument = of_members(with_id(json, "ins")?)?;
        is_type(&instrument.kind)?;
        if instrument.module.is_some_and(|module| !(1..=4).contains(&module)) {
            // Commission Implementing Decision (EU) 2021/914, annex.
            return invalid("`module` is 1 to 4: the modules of the EU standard contractual clauses");
        }
        in_order("effective_at", instrument.effective_at, "expires_at", instrument.expires_at)?;
        is_digest("document_digest", instrument.document_digest.as_deref())?;
        Ok(Order::Instrument(Box::new(instrument)))
    }

    /// The body of `assessment add`.
    pub fn assessment(json: &[u8]) -> Result<Order, InvalidOrder> {
        let assessment: Assessment = of_members(with_id(json, "ass")?)?;
        is_type(&assessment.kind)?;
        in_order("date", Some(assessment.date), "expires_at", assessment.expires_at)?;
        is_digest("document_digest", assessment.document_digest.as_deref())?;
        Ok(Order::Assessment(Box::new(assessment)))
    }

    /// The body of `exemption add`.
    pub fn exemption(json: &[u8]) -> Result<Order, InvalidOrder> {
        let exemption: Exemption = of_members(with_id(json, "exm")?)?;
        is_type(&exemption.kind)?;
        if exemption.reference.trim().is_empty() {
            return invalid("`reference` is empty: cite the case, contract or rule the exemption rests on");
        }
        in_order("effective_at", Some(exemption.effective_at), "expires_at", exemption.expires_at)?;
        Ok(Order::Exemption(Box::new(exemption)))
    }

    /// The body of `consent withdraw`, `instrument end` and `exemption end`.
    pub fn end(what: Ending, json: &[u8]) -> Result<Order, InvalidOrder> {
        Ok(Order::End(EndOrder { what, id: id_of(json)? }))
    }
}

/// `{"id":"…"}`
pub fn id_of(json: &[u8]) -> Result<BasisId, InvalidOrder> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw {
        id: BasisId,
    }
    parse::<Raw>(json).map(|raw| raw.id)
}

/// `{"namespace":"…","id":"…"}`
pub fn subject_of(json: &[u8]) -> Result<SubjectKey, InvalidOrder> {
    parse(json)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, InvalidOrder> {
    if json.len() > ORDER_BYTES_MAX {
        return invalid(format!("the text is longer than {ORDER_BYTES_MAX} bytes"));
    }
    serde_json::from_slice(json).map_err(|e| InvalidOrder(format!("the text is no such record: {}", without_value(&e))))
}

/// What the reader of JSON says, without the value it quotes where a value has the wrong type: it may be a person's identifier.
fn without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (text.split_once(": "), text.find(", expected ")) {
        (Some((kind @ ("invalid type" | "invalid value"), _)), Some(at)) => format!("{kind}{}", text.get(at..).unwrap_or_default()),
        _ => text,
    }
}

/// The members of an object, with a new id if it names none. Ids sort by the time they were made (UUID version 7, RFC 9562 §5.7).
fn with_id(json: &[u8], prefix: &str) -> Result<Map<String, Value>, InvalidOrder> {
    let mut members: Map<String, Value> = parse(json)?;
    if !members.contains_key("id") {
        members.insert("id".to_owned(), Value::from(format!("{prefix}_{}", uuid::Uuid::now_v7().simple())));
    }
    Ok(members)
}

fn of_members<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, InvalidOrder> {
    serde_json::from_value(Value::Object(members)).map_err(|e| InvalidOrder(format!("the record is not complete: {}", without_value(&e))))
}

fn in_order(first: &str, begin: Option<Timestamp>, second: &str, end: Option<Timestamp>) -> Result<(), InvalidOrder> {
    match (begin, end) {
        (Some(begin), Some(end)) if end < begin => invalid(format!("`{second}` is before `{first}`")),
        _ => Ok(()),
    }
}

fn is_type(kind: &str) -> Result<(), InvalidOrder> {
    let plain = kind.len() <= 64
        && kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain {
        Ok(())
    } else {
        invalid(format!("`{}` is no type: use lower-case letters, digits and `_`, such as `eu_scc`", kind.chars().take(40).collect::<String>()))
    }
}

fn is_digest(field: &str, text: Option<&str>) -> Result<(), InvalidOrder> {
    let hex = |text: &str| text.strip_prefix("sha256:").is_some_and(|h| h.len() == 64 && h.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    if text.is_none_or(hex) { Ok(()) } else { invalid(format!("`{field}` is no digest: write `sha256:` and 64 lower-case hexadecimal digits")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T: fmt::Debug>(result: Result<T, InvalidOrder>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn an_id_left_out_is_made() {
        let order = Order::assessment(br#"{"type":"pipia","recipient":"r","date":"2026-11-01T00:00:00Z","result":"positive"}"#).unwrap();
        let Order::Assessment(assessment) = order else { panic!() };
        assert!(assessment.id.as_str().starts_with("ass_"));
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_the_field() {
        for (json, field) in [
            (r#"{"type":"EU SCC","recipient":"r","status":"draft"}"#, "`EU SCC` is no type"),
            (r#"{"type":"eu_scc","recipient":"r","status":"draft","module":5}"#, "`module`"),
            (
                r#"{"type":"eu_scc","recipient":"r","status":"draft","effective_at":"2026-02-01T00:00:00Z","expires_at":"2026-01-01T00:00:00Z"}"#,
                "`expires_at` is before `effective_at`",
            ),
            (r#"{"type":"eu_scc","recipient":"r","status":"draft","document_digest":"abc"}"#, "`document_digest`"),
            (r#"{"type":"eu_scc","recipient":"r","status":"binding"}"#, "`binding` is no instrument status"),
            (r#"{"type":"eu_scc","recipient":"r","status":"draft","modul":1}"#, "unknown field `modul`"),
        ] {
            assert!(said(Order::instrument(json.as_bytes())).contains(field), "{json}");
        }
        assert!(said(Order::exemption(br#"{"kind":"hr","reference":" ","effective_at":"2026-01-01T00:00:00Z"}"#)).contains("`reference`"));
        assert!(said(Order::consent(br#"{"class":"general","given_at":"2026-01-01T00:00:00Z"}"#)).contains("`subject` is missing"));
        assert!(said(Order::home(&vec![b' '; ORDER_BYTES_MAX + 1])).contains("longer"));
    }

    #[test]
    fn no_error_repeats_a_persons_identifier() {
        for json in [
            r#"{"namespace":"account","id":13900139000,"home":"cn-north"}"#,
            r#"{"namespace":"phone","id":"13900139000x","home":"cn-north"}"#,
            r#"{"namespace":"email","id":"13900139000","home":"cn-north"}"#,
        ] {
            let error = said(Order::home(json.as_bytes()));
            assert!(!error.contains("13900139000"), "{error}");
        }
        for subject in [r#"{"namespace":"phone","id":"x13900139000"}"#, r#"{"namespace":"phone","id":13900139000}"#, "13900139000"] {
            let error = said(Order::consent(format!(r#"{{"subject":{subject},"class":"general","given_at":"2026-01-01T00:00:00Z"}}"#).as_bytes()));
            assert!(error.contains("`subject`") && !error.contains("13900139000"), "{error}");
        }
    }
}

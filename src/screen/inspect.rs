//! Inspect: bytes to records and findings, the head included.

use super::headers::{Class, class};
use super::message::{Line, Message};
use crate::detect::{self, Finding, Ground};
use crate::model::{Category, Form, Namespace, OpaqueReason};
use crate::payload::select::Selector;
use crate::payload::{self, Document, Format, Kind, Limits, Part, Span, coding, head};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How the messages of one API and direction are read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Where the records are; none: the body is one record.
    pub records: Option<Selector>,
    /// Where a record names its subject, relative to the record.
    pub subject: Option<(Namespace, Selector)>,
    pub limits: Limits,
    /// Credential headers that would cross: looked at like any other.
    pub pass_credentials: Vec<HeaderName>,
    /// Device-profile headers that would cross: looked at like any other. The others are looked at by value alone.
    pub pass_headers: Vec<HeaderName>,
}

/// The part of a message that speaks of one person.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// As the body names it; whether that is believed is decided elsewhere.
    pub named: Option<Named>,
    /// Indices into [`Inspected::findings`].
    pub findings: Vec<usize>,
    /// What goes when the record is taken out; none for what stands outside all records.
    pub whole: Option<Whole>,
    /// The request of this exchange carried these values: they come back to whoever sent them.
    pub echoed: bool,
}

/// A subject as a body names it. Not printed: the id is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Named {
    pub namespace: Namespace,
    pub id: String,
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Named({}, ***)", self.namespace)
    }
}

/// A container of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    pub span: Span,
    pub slot: Span,
    pub kind: Kind,
}

/// What was read.
#[derive(Default)]
pub struct Inspected {
    pub findings: Vec<Finding>,
    /// At least one if there is any finding; the last may be what stands outside all selected records.
    pub records: Vec<Record>,
    pub opaque: BTreeSet<OpaqueReason>,
    /// The body after content decoding, if it had a coding.
    pub decoded: Option<Bytes>,
    /// The format the body was read by.
    pub format: Option<&'static dyn Format>,
}

impl Inspected {
    /// Whether a token of ours is in the message.
    pub fn has_token(&self) -> bool {
        self.findings.iter().any(|f| f.form == Form::Pseudonymised && f.detector == detect::TOKEN_DETECTOR)
    }
}

/// One message with everything that may hold personal data looked at. Never fails: what cannot be read is opaque.
pub fn inspect(message: &Message, reading: &Reading) -> Inspected {
    let mut inspected = Inspected::default();
    // A detector that fails must not take the exchange with it, nor let the message pass unseen.
    let caught = catch_unwind(AssertUnwindSafe(|| {
        read_head(message, reading, &mut inspected);
        if let Err(reason) = read_body(message, reading, &mut inspected) {
            inspected.opaque.insert(reason);
        }
    }));
    if caught.is_err() {
        inspected.opaque.insert(OpaqueReason::Detector);
    }
    inspected.records.retain(|record| !record.findings.is_empty());
    if inspected.records.len() > reading.limits.records {
        inspected.opaque.insert(OpaqueReason::Members);
        inspected.records.clear();
        inspected.findings.clear();
    }
    inspected
}

fn read_head(message: &Message, reading: &Reading, inspected: &mut Inspected) {
    let mut outside = Record::default();
    let mut look = |part: Part, source: &[u8], keep: fn(&Finding) -> bool| match head::format(&part)
        .map_or(Ok(Document::default()), |f| f.parse(source, &reading.limits))
    {
        Ok(document) => {
            for finding in detect::scan(&document, &part).into_iter().filter(keep) {
                outside.findings.push(inspected.findings.len());
                inspected.findings.push(finding);
            }
        }
        Err(reason) => {
            inspected.opaque.insert(reason);
        }
    };
    if let Line::Request { path, query, .. } = &message.line {
        look(Part::Path, path.as_bytes(), |_| true);
        if let Some(query) = query {
            look(Part::Query, query.as_bytes(), |_| true);
        }
        if let Some(cookie) = message.headers.get(header::COOKIE) {
            look(Part::Cookie, cookie.as_bytes(), no_credential);
        }
    }
    for name in message.headers.keys() {
        let inspect = match class(name) {
            Class::Inspected => true,
            Class::Credential => *name != header::COOKIE && reading.pass_credentials.contains(name),
            // Taken out when the message crosses; but a message in which nothing is found does not cross, and goes on as it came.
            Class::DeviceProfile => true,
            Class::Mechanics | Class::Hop => false,
        };
        if !inspect {
            continue;
        }
        let keep: fn(&Finding) -> bool = match class(name) {
            Class::Credential => by_value,
            Class::DeviceProfile if !reading.pass_headers.contains(name) => by_value_but_version,
            _ => |_| true,
        };
        for (index, value) in message.headers.get_all(name).iter().enumerate() {
            look(Part::Header(name.as_str().to_owned(), index), value.as_bytes(), keep);
        }
    }
    inspected.records.push(outside);
}

/// A session cookie is a credential, no data of a record; a phone number in a cookie is one.
fn no_credential(finding: &Finding) -> bool {
    !matches!(finding.category, Category::CredentialSecret | Category::CookieId | Category::AccountId)
}

fn by_value(finding: &Finding) -> bool {
    finding.ground == Ground::Value
}

/// Browsers give versions of four numbers, such as 120.0.0.0, which no address can be told from.
fn by_value_but_version(finding: &Finding) -> bool {
    by_value(finding) && finding.category != Category::IpAddress
}

fn read_body(message: &Message, reading: &Reading, inspected: &mut Inspected) -> Result<(), OpaqueReason> {
    if message.streams {
        return Err(OpaqueReason::Size);
    }
    if message.body.is_empty() {
        return Ok(());
    }
    let decoded = match coding::decode(message.content_encoding(), &message.body, &reading.limits)? {
        Cow::Borrowed(_) => message.body.clone(),
        Cow::Owned(bytes) => {
            let bytes = Bytes::from(bytes);
            inspected.decoded = Some(bytes.clone());
            bytes
        }
    };
    if decoded.len() > reading.limits.bytes {
        return Err(OpaqueReason::Size);
    }
    let (format, document) = payload::read(message.content_type(), &decoded, &reading.limits)?;
    inspected.format = Some(format);
    let first = inspected.findings.len();
    inspected.findings.extend(detect::scan(&document, &Part::Body));
    group(&document, reading, first, inspected);
    Ok(())
}

/// Puts the findings of the body, from `first` on, into records; what stands outside joins what the head holds.
fn group(document: &Document<'_>, reading: &Reading, first: usize, inspected: &mut Inspected) {
    let mut by_node: Vec<(usize, Record)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (index, finding) in inspected.findings.iter().enumerate().skip(first) {
        let container = reading.records.as_ref().and_then(|selector| selector.matches(document, finding.node));
        let Some(node) = container else {
            if let Some(outside) = inspected.records.first_mut() {
                outside.findings.push(index);
            }
            continue;
        };
        let place = *places.entry(node).or_insert_with(|| {
            by_node.push((node, Record { whole: whole(document, node), ..Record::default() }));
            by_node.len() - 1
        });
        if let Some((_, record)) = by_node.get_mut(place) {
            record.findings.push(index);
        }
    }
    if let Some((namespace, selector)) = &reading.subject {
        let name = |node| selector.read(document, node).filter(|n| !n.text.is_empty()).map(|n| Named { namespace: namespace.clone(), id: n.text.to_string() });
        for (node, record) in &mut by_node {
            record.named = name(*node);
        }
        if let Some(outside) = inspected.records.first_mut()
            && reading.records.is_none()
        {
            outside.named = name(0);
        }
    }
    let mut records: Vec<Record> = by_node.into_iter().map(|(_, record)| record).collect();
    records.append(&mut inspected.records);
    inspected.records = records;
}

fn whole(document: &Document<'_>, node: usize) -> Option<Whole> {
    document.nodes.get(node).map(|n| Whole { span: n.span.clone(), slot: n.slot.clone(), kind: n.kind })
}

/// The format a part was read by.
pub(super) fn format_of(part: &Part, inspected: &Inspected) -> Option<&'static dyn Format> {
    if *part == Part::Body { inspected.format } else { head::format(part) }
}

/// The decoded text of a finding, to compare across two readings; never kept.
pub(super) fn text_of(finding: &Finding, message: &Message, inspected: &Inspected) -> String {
    let source = source(&finding.part, message, inspected.decoded.as_ref());
    match (source, format_of(&finding.part, inspected)) {
        (Some(source), Some(format)) => format.text(source, &finding.span, finding.kind).into_owned(),
        _ => String::new(),
    }
}

/// The bytes a part's spans count in.
pub(super) fn source<'a>(part: &Part, message: &'a Message, decoded: Option<&'a Bytes>) -> Option<&'a [u8]> {
    match part {
        Part::Body => Some(decoded.unwrap_or(&message.body)),
        Part::Cookie => message.headers.get(header::COOKIE).map(|v| v.as_bytes()),
        Part::Header(name, index) => header_value(&message.headers, name, *index),
        Part::Path | Part::Query => match &message.line {
            Line::Request { path, .. } if *part == Part::Path => Some(path.as_bytes()),
            Line::Request { query, .. } => query.as_deref().map(str::as_bytes),
            Line::Response { .. } => None,
        },
    }
}

fn header_value<'a>(headers: &'a HeaderMap, name: &str, index: usize) -> Option<&'a [u8]> {
    headers.get_all(name).iter().nth(index).map(|v| v.as_bytes())
}

//! What this hop says in the heads it passes on, and what it does not.

use super::exchange::Exchange;
use super::reply;
use super::upstream::Outgoing;
use crate::payload::coding;
use crate::screen::{Line, Message};
use http::{HeaderValue, Response, header};
use hyper::body::Incoming;
use std::net::IpAddr;

impl Exchange {
    /// `Forwarded`, `Via` and the trace: who calls is told at home only (RFC 7239 §6.3, RFC 9110 §7.6.3, W3C Trace Context §4.3).
    /// And the id of the exchange, so that what a backend received can be held against the ledger.
    pub(super) fn speak_for_this_hop(&self, message: &mut Message, stays: bool) {
        let came = message.headers.remove("traceparent");
        let client = match self.caller.address {
            Some(IpAddr::V4(v4)) if stays => v4.to_string(),
            Some(IpAddr::V6(v6)) if stays => format!("\"[{v6}]\""),
            _ => "unknown".to_owned(),
        };
        let proto = if self.peer.tls { "https" } else { "http" };
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip"] {
            message.headers.remove(name);
        }
        set(message, "forwarded", &format!("for={client};proto={proto}"));
        message.headers.append(header::VIA, HeaderValue::from_static("1.1 domicile"));
        set(message, reply::DECISION_HEADER, self.id.as_str());
        match came.filter(|v| stays && valid_traceparent(v)) {
            Some(trace) => {
                message.headers.insert("traceparent", trace);
            }
            None => set(message, "traceparent", &format!("00-{:032x}-{:016x}-00", self.gateway.random_u128(), self.gateway.random_u128() as u64)),
        }
    }

    /// The answer of the backend, as it may reach the caller.
    pub(super) fn reply(&self, message: Message, rest: Option<Incoming>, edited: bool) -> Response<Outgoing> {
        let Line::Response { status } = message.line else { return Response::new(Outgoing::new(Default::default(), None)) };
        let mut headers = message.headers;
        if !message.body.is_empty() || rest.is_some() {
            headers.remove(header::CONTENT_LENGTH); // hyper writes the exact one; HEAD and 304 keep theirs
        }
        if edited {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        let id = HeaderValue::from_str(self.id.as_str()).unwrap_or(HeaderValue::from_static(""));
        headers.insert(reply::DECISION_HEADER, id);
        headers.insert("proxy-status", HeaderValue::from_static("domicile"));
        headers.append(header::VIA, HeaderValue::from_static("1.1 domicile"));
        if let Some(edits) = self.edited
            && let Ok(value) = HeaderValue::from_str(&format!("records={}, fields={}", edits.records, edits.fields))
        {
            headers.insert("domicile-edited", value);
        }
        let mut response = Response::new(Outgoing::new(message.body, rest));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

fn set(message: &mut Message, name: impl header::IntoHeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        message.headers.insert(name, value);
    }
}

/// Version 00 of the header, and neither id all zeroes (W3C Trace Context §3.2.2).
fn valid_traceparent(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let fields: Vec<&str> = text.split('-').collect();
    let hex = |field: &str, length: usize| field.len() == length && field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    matches!(fields.as_slice(), ["00", trace, parent, flags] if hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && trace.bytes().any(|b| b != b'0') && parent.bytes().any(|b| b != b'0'))
}

/// The backend may use the codings the caller accepts and we decode, no others.
pub(super) fn accept_only_what_is_decoded(message: &mut Message) {
    let accepted = message.headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("").to_ascii_lowercase();
    let both = accepted.split(',').map(|c| c.split(';').next().unwrap_or("").trim()).filter(|c| coding::DECODED.contains(c)).collect::<Vec<_>>().join(", ");
    set(message, "accept-encoding", if both.is_empty() { "identity" } else { &both });
}

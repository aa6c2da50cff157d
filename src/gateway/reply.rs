//! Everything this gateway says in its own words: problem details (RFC 9457), 451 (RFC 7725), `Proxy-Status` (RFC 9209).

use crate::model::{Category, Decision, DecisionId, Missing, OpaqueReason};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;
use std::collections::BTreeSet;

/// The id of the exchange, on every answer our code writes.
pub const DECISION_HEADER: HeaderName = HeaderName::from_static("domicile-decision");

/// Seconds after which a caller may try again when a store or a backend is down: a health check runs more often.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Languages the gateway speaks to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    /// The first of our languages in `Accept-Language`, by order of appearance; English otherwise.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let first = accepted.split(',').map(|tag| tag.trim().to_ascii_lowercase()).find(|tag| tag.starts_with("zh") || tag.starts_with("en"));
        if first.is_some_and(|tag| tag.starts_with("zh")) { Language::Chinese } else { Language::English }
    }
}

/// Why the gateway answers in its own words.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// Law or policy refuses: 451.
    Decided(Box<Decision>),
    /// The message could not be read and may not pass unread; by the table of opaque reasons.
    Opaque { reason: OpaqueReason, status: StatusCode },
    /// The head, the body or the route is wrong.
    Fault { status: StatusCode, kind: &'static str, detail: &'static str },
    /// A store is down and the message would cross: 503.
    StoreDown(&'static str),
    /// Arrived at the wrong node and the API says so: 307 to the region's address.
    Redirect { location: String },
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: String,
    decision_id: &'a DecisionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<&'a str>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    categories: BTreeSet<Category>,
    #[serde(skip_serializing_if = "<[Missing]>::is_empty")]
    missing: &'a [Missing],
    #[serde(skip_serializing_if = "Option::is_none")]
    opaque: Option<OpaqueReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    request_forwarded: bool,
}

/// What a refusal needs to know of its exchange.
pub struct Setting<'a> {
    pub id: &'a DecisionId,
    pub operator_url: Option<&'a str>,
    pub language: Language,
    /// The backend has run; saying «try again» would run it twice.
    pub request_forwarded: bool,
    pub method_is_safe: bool,
}

impl Refusal {
    /// The status on the wire.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::Decided(_) => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
            Refusal::Opaque { status, .. } | Refusal::Fault { status, .. } => *status,
            Refusal::StoreDown(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Redirect { .. } => StatusCode::TEMPORARY_REDIRECT,
        }
    }

    /// The reason as a metric label, from a closed set.
    pub fn label(&self) -> &'static str {
        match self {
            Refusal::Decided(decision) => decision.outcome.id(),
            Refusal::Opaque { .. } => "opaque",
            Refusal::Fault { kind, .. } => kind,
            Refusal::StoreDown(store) => store,
            Refusal::Redirect { .. } => "redirect",
        }
    }

    /// The answer. It never holds a value of the message it refuses.
    pub fn answer(&self, setting: &Setting<'_>) -> Response<Bytes> {
        let status = self.status();
        let body = serde_json::to_vec(&self.problem(setting)).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store")); // 451 is cacheable by default (RFC 7725 §3)
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(if setting.language == Language::Chinese { "zh-CN" } else { "en" }));
        headers.insert(DECISION_HEADER, value(setting.id.as_str()));
        headers.insert("proxy-status", value(&format!("domicile; error={}; details=\"{}\"", self.proxy_error(), self.label())));
        if let (StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS, Some(url)) = (status, setting.operator_url) {
            headers.insert(header::LINK, value(&format!("<{url}>; rel=\"blocked-by\""))); // RFC 7725 §4
        }
        match self {
            Refusal::Redirect { location } => {
                headers.insert(header::LOCATION, value(location));
            }
            // What follows a faulty head may not be what its sender thinks it is (RFC 9112 §6.3, §11.2); HTTP/2 has its own framing and drops the field.
            Refusal::Fault { kind: "bad_request" | "broken_body", .. } => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        if status == StatusCode::SERVICE_UNAVAILABLE && (!setting.request_forwarded || setting.method_is_safe) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }

    /// The error type of RFC 9209 §2.3 nearest to it.
    fn proxy_error(&self) -> &'static str {
        match self {
            Refusal::Decided(_) | Refusal::Opaque { .. } | Refusal::Redirect { .. } => "http_request_denied",
            Refusal::StoreDown(_) => "proxy_internal_error",
            Refusal::Fault { status, .. } => match status.as_u16() {
                502 => "http_protocol_error",
                503 => "destination_unavailable",
                504 => "http_response_timeout",
                500 => "proxy_internal_error",
                _ => "http_request_error",
            },
        }
    }

    fn problem<'a>(&'a self, setting: &'a Setting<'a>) -> Problem<'a> {
        let chinese = setting.language == Language::Chinese;
        let (title, detail, remedy) = self.words(chinese);
        let decision = if let Refusal::Decided(decision) = self { Some(decision) } else { None };
        Problem {
            kind: format!("urn:domicile:problem:{}", self.label()),
            title,
            status: self.status().as_u16(),
            detail,
            instance: format!("urn:uuid:{}", setting.id),
            decision_id: setting.id,
            outcome: decision.map(|d| d.outcome.id()),
            policy: decision.map(|d| format!("{}@{}", d.policy.id, d.policy.version)),
            rules: decision.map(|d| d.rules.iter().map(|r| r.as_str()).collect()).unwrap_or_default(),
            categories: decision.map(|d| d.records.iter().flat_map(|r| r.categories.keys().copied()).collect()).unwrap_or_default(),
            missing: decision.map(|d| d.missing.as_slice()).unwrap_or_default(),
            opaque: if let Refusal::Opaque { reason, .. } = self { Some(*reason) } else { None },
            remedy,
            request_forwarded: setting.request_forwarded,
        }
    }

    /// Title, detail and remedy.
    fn words(&self, chinese: bool) -> (&'static str, &'static str, Option<&'static str>) {
        let pick = |en: &'static str, zh: &'static str| if chinese { zh } else { en };
        match self {
            Refusal::Decided(decision) => (
                pick("Personal data may not cross this border", "个人数据不得跨越该边界"),
                pick("law or policy does not allow this transfer; `rules` and `missing` say why", "法律或政策不允许此次传输；原因见 `rules` 与 `missing`"),
                (!decision.missing.is_empty()).then(|| {
                    pick(
                        "record what `missing` lists with the operator's compliance team, then send the request again",
                        "请由运营方合规团队补齐 `missing` 所列事项后重新发送",
                    )
                }),
            ),
            Refusal::Opaque { status: StatusCode::BAD_REQUEST, .. } => (
                pick("The body breaks the grammar of its type", "请求体不符合其声明类型的语法"),
                pick(
                    "a body that two programs may read in two ways is not forwarded; `opaque` says what is wrong with it",
                    "可能被不同程序作不同解读的请求体不予转发；原因见 `opaque`",
                ),
                Some(pick("send a body that is valid for its content type", "请发送符合其内容类型的请求体")),
            ),
            Refusal::Opaque { .. } => (
                pick("The message could not be inspected", "无法检查该消息"),
                pick(
                    "a message that cannot be read in full does not leave its region; `opaque` says why it could not be read",
                    "无法完整读取的消息不得离开所在区域；原因见 `opaque`",
                ),
                Some(pick("send it in a format, coding and size that can be inspected", "请使用可检查的格式、编码与大小")),
            ),
            Refusal::StoreDown(_) => (
                pick("The evidence store is unavailable", "凭证存储不可用"),
                pick("a transfer needs the registry and the ledger; one of them is unavailable", "跨境传输需要登记库与账本；其中之一不可用"),
                None,
            ),
            Refusal::Redirect { .. } => (
                pick("This person's data lives elsewhere", "该用户的数据存放于其他区域"),
                pick("send the request to the address in `Location`", "请向 `Location` 所示地址发送请求"),
                None,
            ),
            Refusal::Fault { detail, .. } => (pick("The request was refused", "请求被拒绝"), detail, None),
        }
    }
}

/// A header value from text we wrote ourselves; anything else becomes empty rather than an error.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(id: &DecisionId) -> Setting<'_> {
        Setting { id, operator_url: Some("https://shop.example/why"), language: Language::English, request_forwarded: false, method_is_safe: false }
    }

    #[test]
    fn every_refusal_is_not_to_be_stored_and_carries_its_decision() {
        let id: DecisionId = "0190".parse().unwrap();
        let refusals = [
            Refusal::Opaque { reason: OpaqueReason::Size, status: StatusCode::PAYLOAD_TOO_LARGE },
            Refusal::StoreDown("ledger_unavailable"),
            Refusal::Fault { status: StatusCode::BAD_GATEWAY, kind: "backend", detail: "x" },
            Refusal::Redirect { location: "https://cn.example/v1".into() },
        ];
        for refusal in refusals {
            let answer = refusal.answer(&setting(&id));
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
            assert_eq!(answer.headers()[DECISION_HEADER], "0190");
            assert!(answer.headers().contains_key("proxy-status"));
        }
    }

    #[test]
    fn a_store_that_is_down_after_an_unsafe_request_ran_invites_no_second_try() {
        let id: DecisionId = "0190".parse().unwrap();
        let down = Refusal::StoreDown("ledger_unavailable");
        assert!(down.answer(&setting(&id)).headers().contains_key(header::RETRY_AFTER));
        let after = Setting { request_forwarded: true, ..setting(&id) };
        assert!(!down.answer(&after).headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn the_first_known_language_of_the_caller_is_used() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("fr, zh-CN;q=0.9, en"));
        assert_eq!(Language::of(&headers), Language::Chinese);
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}

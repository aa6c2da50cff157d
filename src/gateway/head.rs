//! Judges a head before anything is routed: what hyper accepts and a gateway must not, normalised once.

use crate::screen::{Line, Message};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri, request, response};

/// Longest target, in bytes; longer ones get 414 (RFC 9110 §4.1 recommends at least 8,000).
pub const TARGET_BYTES_MAX: usize = 8 << 10;

/// Fields that speak of this hop only (RFC 9110 §7.6.1).
const HOP_BY_HOP: [&str; 9] =
    ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection", "proxy-authenticate", "proxy-authorization"];

/// Fields of which a second copy leaves two readings.
const SINGLE: [HeaderName; 4] = [header::HOST, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LENGTH];

/// Why a head is refused: the status, and a sentence without any value of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub status: StatusCode,
    pub detail: &'static str,
}

const fn fault(status: StatusCode, detail: &'static str) -> Fault {
    Fault { status, detail }
}

const fn bad(detail: &'static str) -> Fault {
    fault(StatusCode::BAD_REQUEST, detail)
}

/// A judged request: the message to be inspected, and what its head said to the gateway itself.
#[derive(Debug)]
pub struct Judged {
    /// Host without port, lower case.
    pub host: String,
    pub message: Message,
    /// Headers of trusted hops and credentials are read from here, before anything is stripped.
    pub original: HeaderMap,
}

/// Judges and normalises the head of a request. `head_bytes_max` bounds names and values together.
pub fn judge_request(parts: request::Parts, head_bytes_max: usize) -> Result<Judged, Fault> {
    judge_method(&parts.method)?;
    judge_fields(&parts.headers, head_bytes_max)?;
    if parts.headers.contains_key(header::UPGRADE) {
        return Err(fault(StatusCode::NOT_IMPLEMENTED, "protocol upgrades cannot be inspected and are refused"));
    }
    if let Some(expect) = parts.headers.get(header::EXPECT)
        && !expect.as_bytes().eq_ignore_ascii_case(b"100-continue")
    {
        return Err(fault(StatusCode::EXPECTATION_FAILED, "only `Expect: 100-continue` is supported"));
    }
    let authority = authority(&parts.uri, &parts.headers)?;
    let (path, query) = target(&parts.uri)?;
    let original = parts.headers.clone();
    let mut headers = parts.headers;
    strip_hop_by_hop(&mut headers)?;
    headers.remove(header::EXPECT);
    headers.remove(header::CONTENT_LENGTH); // written anew, exactly
    headers.insert(header::HOST, HeaderValue::from_str(&authority).map_err(|_| bad("`Host` is not a valid authority"))?);
    join_cookies(&mut headers)?;
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(authority.as_str(), |(host, _)| host)
        .to_ascii_lowercase();
    let message = Message { line: Line::Request { method: parts.method, path, query }, headers, body: Bytes::new(), streams: false };
    Ok(Judged { host, message, original })
}

/// Judges the head of a backend's answer; the fault is always the backend's, so 502.
pub fn judge_response(parts: response::Parts, head_bytes_max: usize) -> Result<Message, Fault> {
    let upstream = |f: Fault| fault(StatusCode::BAD_GATEWAY, f.detail);
    if parts.status.is_informational() {
        return Err(fault(StatusCode::BAD_GATEWAY, "the backend switched protocols unasked"));
    }
    judge_fields(&parts.headers, head_bytes_max).map_err(upstream)?;
    let mut headers = parts.headers;
    strip_hop_by_hop(&mut headers).map_err(upstream)?;
    Ok(Message { line: Line::Response { status: parts.status }, headers, body: Bytes::new(), streams: false })
}

/// Methods with a meaning the gateway knows (RFC 9110 §9, RFC 5789).
fn judge_method(method: &Method) -> Result<(), Fault> {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => Ok(()),
        Method::CONNECT => Err(fault(StatusCode::NOT_IMPLEMENTED, "tunnels cannot be inspected and are refused")),
        Method::TRACE => Err(fault(StatusCode::METHOD_NOT_ALLOWED, "TRACE echoes credentials and is refused")),
        _ => Err(fault(StatusCode::NOT_IMPLEMENTED, "this method is not supported")),
    }
}

fn judge_fields(headers: &HeaderMap, head_bytes_max: usize) -> Result<(), Fault> {
    let mut bytes = 0;
    for (name, value) in headers {
        bytes += name.as_str().len() + value.len() + 4;
        if std::str::from_utf8(value.as_bytes()).is_err() {
            return Err(bad("a header value is not UTF-8"));
        }
        let dashed = name.as_str().replace('_', "-");
        if dashed != name.as_str() && (HOP_BY_HOP.contains(&dashed.as_str()) || SINGLE.iter().any(|s| s.as_str() == dashed)) {
            return Err(bad("a header name disguises a framing field with underscores"));
        }
    }
    if bytes > head_bytes_max {
        return Err(fault(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is longer than the limit"));
    }
    if SINGLE.iter().any(|name| headers.get_all(name).iter().count() > 1) {
        return Err(bad("a field that must be single is repeated"));
    }
    if headers.contains_key(header::TRANSFER_ENCODING) && (headers.contains_key(header::CONTENT_LENGTH) || !chunked_only(headers)) {
        return Err(bad("`Transfer-Encoding` other than exactly `chunked`")); // RFC 9112 §6.1
    }
    Ok(())
}

fn chunked_only(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    matches!((codings.next(), codings.next()), (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// Removes what speaks of this hop. `Connection` may not take an end-to-end field with it: what is inspected is what leaves.
fn strip_hop_by_hop(headers: &mut HeaderMap) -> Result<(), Fault> {
    for value in headers.get_all(header::CONNECTION) {
        for name in value.to_str().map_err(|_| bad("`Connection` is not text"))?.split(',') {
            let name = name.trim().to_ascii_lowercase();
            if !HOP_BY_HOP.contains(&name.as_str()) && !["close", "http2-settings", ""].contains(&name.as_str()) {
                return Err(bad("`Connection` nominates an end-to-end field"));
            }
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove("http2-settings");
    Ok(())
}

/// The one authority of the request: `:authority`, the absolute-form target and `Host` must agree (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn authority(uri: &Uri, headers: &HeaderMap) -> Result<String, Fault> {
    let host = headers.get(header::HOST).map(|h| h.to_str().map_err(|_| bad("`Host` is not text"))).transpose()?;
    let authority = match (uri.authority(), host) {
        (Some(target), Some(host)) if !target.as_str().eq_ignore_ascii_case(host) => return Err(bad("`Host` differs from the target")),
        (Some(target), _) => target.as_str(),
        (None, Some(host)) => host,
        (None, None) => return Err(bad("`Host` is missing")),
    };
    let parsed: http::uri::Authority = authority.parse().map_err(|_| bad("`Host` is not a valid authority"))?;
    if parsed.host().is_empty() || authority.contains('@') {
        return Err(bad("`Host` is not a valid authority"));
    }
    Ok(authority.to_owned())
}

/// Path and query, normalised once, before routing.
fn target(uri: &Uri) -> Result<(String, Option<String>), Fault> {
    let length = uri.path_and_query().map_or(0, |p| p.as_str().len());
    if length > TARGET_BYTES_MAX {
        return Err(fault(StatusCode::URI_TOO_LONG, "the target is longer than the limit"));
    }
    if uri.path() == "*" {
        return Err(bad("`OPTIONS *` speaks of no resource"));
    }
    let path = normalise(uri.path()).ok_or(bad("the path cannot be read in one way only"))?;
    Ok((path, uri.query().map(str::to_owned)))
}

/// Decodes escaped unreserved characters, resolves dot segments and merges slashes (RFC 3986 §6.2.2, §5.2.4).
/// None where two readings are possible: escaped slashes, backslashes, NUL, broken escapes, leaving the root.
fn normalise(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains(['\\', '#']) {
        return None;
    }
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let byte = u8::from_str_radix(after.get(..2).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))?, 16).ok()?;
        match byte {
            0 | b'/' | b'\\' => return None,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => decoded.push(char::from(byte)),
            _ => decoded.push_str(&format!("%{byte:02X}")),
        }
        rest = after.get(2..)?;
    }
    decoded.push_str(rest);
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            other => segments.push(other),
        }
    }
    let directory = !segments.is_empty() && (decoded.ends_with('/') || decoded.ends_with("/.") || decoded.ends_with("/.."));
    Some(format!("/{}{}", segments.join("/"), if directory { "/" } else { "" }))
}

/// One `Cookie` field: HTTP/2 may split it (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) -> Result<(), Fault> {
    if headers.get_all(header::COOKIE).iter().count() < 2 {
        return Ok(());
    }
    let joined = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    let joined = HeaderValue::from_bytes(&joined).map_err(|_| bad("`Cookie` is not text"))?;
    headers.insert(header::COOKIE, joined);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(build: impl FnOnce(request::Builder) -> request::Builder) -> Result<Judged, StatusCode> {
        let (parts, ()) = build(http::Request::builder().uri("/v1/x").header("host", "api.example")).body(()).unwrap().into_parts();
        judge_request(parts, 32 << 10).map_err(|f| f.status)
    }

    fn path(raw: &str) -> Option<String> {
        normalise(raw)
    }

    #[test]
    fn a_path_is_normalised_once_or_refused() {
        assert_eq!(path("/a//b/./c/../d").as_deref(), Some("/a/b/d"));
        assert_eq!(path("/%7Euser/%41%2e%2E/x").as_deref(), Some("/~user/A../x"));
        assert_eq!(path("/a/%2e%2e/b/").as_deref(), Some("/b/"));
        assert_eq!(path("/%e5%bc%a0").as_deref(), Some("/%E5%BC%A0"));
        assert_eq!(path("/").as_deref(), Some("/"));
        for refused in ["/a%2fb", "/a%5Cb", "/a\\b", "/..", "/a/../..", "/%00", "/%", "/%4", "/%zz", "a", "/#x"] {
            assert_eq!(path(refused), None, "{refused}");
        }
    }

    #[test]
    fn transfer_codings_other_than_chunked_are_refused() {
        for coding in ["gzip, chunked", "chunked, chunked", "identity", "chunked;x=1"] {
            assert_eq!(judge(|b| b.header("transfer-encoding", coding)).unwrap_err(), StatusCode::BAD_REQUEST, "{coding}");
        }
        assert_eq!(judge(|b| b.header("transfer-encoding", "identity").header("transfer-encoding", "chunked")).unwrap_err(), StatusCode::BAD_REQUEST);
        assert!(judge(|b| b.header("transfer-encoding", "Chunked")).is_ok());
        assert_eq!(judge(|b| b.header("transfer-encoding", "chunked").header("content-length", "1")).unwrap_err(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn host_must_be_single_valid_and_agree_with_the_target() {
        assert_eq!(judge(|b| b.header("host", "other.example")).unwrap_err(), StatusCode::BAD_REQUEST);
        assert_eq!(judge(|b| b.uri("http://other.example/")).unwrap_err(), StatusCode::BAD_REQUEST);
        assert_eq!(judge(|b| b.uri("http://API.example/")).unwrap().host, "api.example");
        let (parts, ()) = http::Request::builder().uri("/").header("host", "user@api.example").body(()).unwrap().into_parts();
        assert_eq!(judge_request(parts, 32 << 10).unwrap_err().status, StatusCode::BAD_REQUEST);
        let (parts, ()) = http::Request::builder().uri("/").body(()).unwrap().into_parts();
        assert_eq!(judge_request(parts, 32 << 10).unwrap_err().status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn connection_cannot_take_an_end_to_end_field_with_it() {
        assert_eq!(judge(|b| b.header("connection", "content-type")).unwrap_err(), StatusCode::BAD_REQUEST);
        let judged = judge(|b| {
            b.header("connection", "keep-alive, close").header("keep-alive", "timeout=5").header("te", "trailers").header("proxy-authorization", "x")
        })
        .unwrap();
        for gone in HOP_BY_HOP {
            assert!(!judged.message.headers.contains_key(gone), "{gone}");
        }
    }

    #[test]
    fn methods_expectations_and_upgrades_are_judged() {
        for (method, status) in [("TRACE", 405), ("CONNECT", 501), ("get", 501), ("PROPFIND", 501)] {
            assert_eq!(judge(|b| b.method(method)).unwrap_err().as_u16(), status, "{method}");
        }
        assert_eq!(judge(|b| b.header("expect", "200-ok")).unwrap_err().as_u16(), 417);
        assert!(judge(|b| b.header("expect", "100-continue")).is_ok());
        assert_eq!(judge(|b| b.header("upgrade", "websocket").header("connection", "upgrade")).unwrap_err().as_u16(), 501);
        assert_eq!(judge(|b| b.method("OPTIONS").uri("*")).unwrap_err().as_u16(), 400);
    }

    #[test]
    fn framing_fields_in_disguise_and_double_readings_are_refused() {
        for name in ["content_length", "transfer_encoding", "content_type"] {
            assert_eq!(judge(|b| b.header(name, "1")).unwrap_err().as_u16(), 400, "{name}");
        }
        assert!(judge(|b| b.header("user_id", "1")).is_ok());
        assert_eq!(judge(|b| b.header("content-type", "a/b").header("content-type", "c/d")).unwrap_err().as_u16(), 400);
        assert_eq!(judge(|b| b.header("x", HeaderValue::from_bytes(b"\xff\xfe").unwrap())).unwrap_err().as_u16(), 400);
        assert_eq!(judge(|b| b.header("x", "y".repeat(40 << 10))).unwrap_err().as_u16(), 431);
        assert_eq!(judge(|b| b.uri(format!("/{}", "y".repeat(9 << 10)))).unwrap_err().as_u16(), 414);
    }

    #[test]
    fn split_cookies_are_joined() {
        let judged = judge(|b| b.header("cookie", "a=1").header("cookie", "b=2")).unwrap();
        assert_eq!(judged.message.headers.get(header::COOKIE).unwrap(), "a=1; b=2");
    }
}

//! Which headers are mechanics of HTTP, which are credentials, which profile a device, and which may hold anything.

use http::HeaderName;

/// What a header is to the screening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Says how to handle the message; not inspected.
    Mechanics,
    /// Proves who calls; no data of a record, but removed when the message leaves home.
    Credential,
    /// Describes the device; removed when the message crosses.
    DeviceProfile,
    /// Names the hop or the trace; rewritten by the gateway.
    Hop,
    /// May hold anything: inspected.
    Inspected,
}

/// Headers with a meaning fixed by an RFC that carry no data of a person (RFC 9110 §§5-15, RFC 9111, RFC 6797, Fetch).
const MECHANICS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-ranges",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "pragma",
    "range",
    "retry-after",
    "server",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "vary",
    "via",
];

const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "cookie"];

const DEVICE_PROFILE: &[&str] = &["user-agent", "accept-language", "referer"];

/// Set anew by the gateway, never forwarded as they came (RFC 7239, W3C Trace Context, W3C Baggage).
const HOP: &[&str] =
    &["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip", "traceparent", "tracestate", "baggage"];

/// The class of a header.
pub fn class(name: &HeaderName) -> Class {
    let name = name.as_str();
    if MECHANICS.contains(&name) || name.starts_with("access-control-") {
        Class::Mechanics
    } else if CREDENTIALS.contains(&name) {
        Class::Credential
    } else if DEVICE_PROFILE.contains(&name) || name.starts_with("sec-ch-") {
        Class::DeviceProfile
    } else if HOP.contains(&name) {
        Class::Hop
    } else {
        Class::Inspected
    }
}

/// Headers of a body as it was before an edit: wrong afterwards (RFC 9530, RFC 9110 §8.8.3).
pub const STALE_AFTER_EDIT: &[&str] = &[
    "content-digest",
    "repr-digest",
    "digest",
    "content-md5",
    "etag",
    "last-modified",
    "accept-ranges",
    "content-range",
    "content-encoding",
    "signature",
    "signature-input",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_that_is_not_on_a_list_is_inspected() {
        for name in ["x-user", "set-cookie", "location", "content-disposition", "link", "x-request-id", "content-language"] {
            assert_eq!(class(&HeaderName::from_static(name)), Class::Inspected, "{name}");
        }
        assert_eq!(class(&http::header::COOKIE), Class::Credential);
        assert_eq!(class(&http::header::USER_AGENT), Class::DeviceProfile);
        assert_eq!(class(&http::header::ACCESS_CONTROL_ALLOW_ORIGIN), Class::Mechanics);
    }
}

//! Network addresses: IPv4, IPv6, MAC.

use super::Detector;
use super::field::{Field, Hit};
use super::labels::{self, Label};
use crate::model::Category::{HardwareId, IpAddress, MacAddress, SoftwareDeviceId};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// IP addresses that may be a person's.
pub(super) struct Ip;

/// Longest textual address: IPv6 with an embedded IPv4 (RFC 4291 section 2.2).
const ADDRESS_BYTES_MAX: usize = 45;

impl Detector for Ip {
    fn id(&self) -> &'static str {
        "ip"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        if field.version || field.machinery {
            return;
        }
        for range in words(field.text, |b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':')) {
            let Some(word) = field.text.get(range.clone()) else { continue };
            // A sentence may end right behind an address, and a label's colon stand before it.
            let lead = if word.starts_with("::") { 0 } else { word.len() - word.trim_start_matches(['.', ':']).len() };
            let (start, word) = (range.start + lead, word.get(lead..).unwrap_or_default());
            let word = word.trim_end_matches('.');
            let word = if word.ends_with("::") { word } else { word.trim_end_matches(':') };
            if word.len() <= ADDRESS_BYTES_MAX + 6 {
                look(field, start, word, hits);
            }
        }
    }
}

fn look(field: &Field<'_>, start: usize, word: &str, hits: &mut Vec<Hit>) {
    let colons = word.bytes().filter(|b| *b == b':').count();
    if word.bytes().filter(|b| *b == b'.').count() == 3 && colons <= 1 {
        let host = word.split(':').next().unwrap_or_default();
        let host = if host.contains('.') { host } else { word.rsplit(':').next().unwrap_or_default() };
        let start = start + word.find(host).unwrap_or(0);
        let range = start..start + host.len();
        if host.parse().is_ok_and(|ip| v4(field, &range, ip)) {
            hits.push(Hit::value(IpAddress, "ipv4", 0.95, range));
        }
    } else if (2..=8).contains(&colons) {
        let told = field.means(IpAddress) || labels::before(field.text, start) == Some(Label::Data(IpAddress));
        let groups = word.split(':').filter(|g| !g.is_empty()).count();
        // `abc::def` is a path in some languages; an address has digits and three groups.
        let sure = told || groups >= 3 && word.bytes().any(|b| b.is_ascii_digit());
        let edge = field.text.as_bytes().get(start + word.len()).is_some_and(|b| b.is_ascii_alphanumeric())
            || start.checked_sub(1).and_then(|i| field.text.as_bytes().get(i)).is_some_and(u8::is_ascii_alphanumeric);
        if sure && !edge && word.parse::<Ipv6Addr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast()) {
            hits.push(Hit::value(IpAddress, "ipv6", 0.95, start..start + word.len()));
        }
    }
}

/// Whether four octets are an address of somebody: no version, mask, net, loopback or broadcast.
fn v4(field: &Field<'_>, range: &Range<usize>, ip: Ipv4Addr) -> bool {
    let before = field.text.get(..range.start).unwrap_or_default();
    let after = field.text.get(range.end..).unwrap_or_default();
    let octets = ip.octets();
    if ip.is_loopback() || ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast() || octets.starts_with(&[255]) || octets.starts_with(&[0]) {
        return false;
    }
    let touched = before.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        || after.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    // `Chrome/120.0.6099.109` and `10.0.0.0/8`.
    let product =
        before.ends_with('/') && !before.ends_with("//") || after.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let label = labels::before(field.text, range.start);
    let told = field.means(IpAddress) || label == Some(Label::Data(IpAddress));
    let small = octets.iter().all(|o| *o < 10);
    !touched && !product && (told || !small && label != Some(Label::Other) && !field.sequence)
}

/// MAC addresses (IEEE 802): six pairs of hex digits.
pub(super) struct Mac;

impl Detector for Mac {
    fn id(&self) -> &'static str {
        "mac"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        if field.means(HardwareId) && field.text.len() > 40 {
            return;
        }
        for range in words(field.text, |b| b.is_ascii_hexdigit() || matches!(b, b':' | b'-' | b'.')) {
            let word = field.text.get(range.clone()).unwrap_or_default();
            let trimmed = word.trim_matches([':', '-', '.']);
            let start = range.start + word.find(trimmed).unwrap_or(0);
            let range = start..start + trimmed.len();
            let edge = |at: Option<usize>| at.and_then(|i| field.text.as_bytes().get(i)).is_some_and(|b| b.is_ascii_alphanumeric());
            if is_mac(trimmed) && !edge(range.start.checked_sub(1)) && !edge(Some(range.end)) {
                let software = field.means(SoftwareDeviceId);
                hits.push(Hit::value(MacAddress, "mac", if software { 0.9 } else { 0.98 }, range));
            }
        }
    }
}

fn is_mac(word: &str) -> bool {
    let pairs = |separator: char, size: usize, count: usize| {
        let parts: Vec<&str> = word.split(separator).collect();
        parts.len() == count && parts.iter().all(|p| p.len() == size && p.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let formed = matches!(word.len(), 17) && (pairs(':', 2, 6) || pairs('-', 2, 6))
        || word.len() == 14 && pairs('.', 4, 3) && word.bytes().any(|b| b.is_ascii_alphabetic());
    formed && word.bytes().any(|b| b.is_ascii_hexdigit() && b != b'0') && word.bytes().any(|b| b.is_ascii_hexdigit() && !matches!(b, b'f' | b'F'))
}

/// Maximal stretches of bytes that `takes`.
fn words(text: &str, takes: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        match (takes(byte) && at < text.len(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                if at - from >= 7 {
                    found.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, found_in_text};

    #[test]
    fn an_address_is_told_from_a_version() {
        for text in ["来自203.0.113.7的请求", "ip: 8.8.8.8", "203.0.113.7:8080", "client 203.0.113.7.", "2001:db8::8a2e:370:7334", "[2001:db8:0:1::5]:443"]
        {
            assert!(found_in_text(text).contains(&"ip_address"), "{text}");
        }
        for text in [
            "v1.2.3.4",
            "Chrome/120.0.6099.109",
            "版本10.12.13.14",
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.0",
            "10.0.0.0/8",
            "1.2.3.4.5",
            "1.2.3.4",
            "256.1.1.10",
            "12:30:45",
            "std::vec::Vec",
            "::1",
        ] {
            assert!(!found_in_text(text).contains(&"ip_address"), "{text}");
        }
        assert_eq!(found(r#"{"clientIp":"1.2.3.4","appVersion":"10.20.30.40","x":"203.0.113.9"}"#), [("ip_address", "/clientIp"), ("ip_address", "/x")]);
    }

    #[test]
    fn six_pairs_are_a_mac_address() {
        for text in ["MAC地址AA:BB:CC:00:11:22", "aa-bb-cc-00-11-22", "aabb.cc00.1122"] {
            assert!(found_in_text(text).contains(&"mac_address"), "{text}");
        }
        for text in ["00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF", "aa:bb:cc:dd:ee", "AA:BB:CC:DD:EE:FF:00:11"] {
            assert!(!found_in_text(text).contains(&"mac_address"), "{text}");
        }
    }
}

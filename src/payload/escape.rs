//! How text is written in its source: JSON strings, percent-encoding, or as it is.

use super::Span;
use crate::model::OpaqueReason;
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

/// A way of writing text in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// Bytes are the text.
    #[default]
    None,
    /// Inside a JSON string (RFC 8259 section 7).
    Json,
    /// `%41` (RFC 3986 section 2.1). A `%` that starts no pair of hex digits stands for itself.
    Percent,
    /// Percent-encoding with `+` for a space (WHATWG URL, application/x-www-form-urlencoded).
    Form,
}

impl Escape {
    /// The text that `source` stands for. JSON must have been checked before.
    ///
    /// # Errors
    /// `utf8` if the decoded bytes are no UTF-8.
    pub(super) fn decode(self, source: &[u8]) -> Result<Cow<'_, str>, OpaqueReason> {
        let marks = match self {
            Escape::None => false,
            Escape::Json => source.contains(&b'\\'),
            Escape::Percent => source.contains(&b'%'),
            Escape::Form => source.iter().any(|b| matches!(b, b'%' | b'+')),
        };
        if !marks {
            return std::str::from_utf8(source).map(Cow::Borrowed).map_err(|_| OpaqueReason::Utf8);
        }
        let mut decoded = Vec::with_capacity(source.len());
        let mut rest = source;
        while let Some(unit) = self.unit(rest) {
            decoded.extend_from_slice(unit.bytes());
            rest = rest.get(unit.taken..).unwrap_or_default();
        }
        String::from_utf8(decoded).map(Cow::Owned).map_err(|_| OpaqueReason::Utf8)
    }

    /// Appends `text` as it has to be written.
    pub(super) fn encode(self, text: &str, out: &mut String) {
        match self {
            Escape::None => out.push_str(text),
            Escape::Json => text.chars().for_each(|c| json_char(c, out)),
            Escape::Percent | Escape::Form => text.bytes().for_each(|b| percent_byte(b, out)),
        }
    }

    /// Where `ranges` of the decoded text lie in `source`, whose first byte is byte `start` of the whole.
    pub(super) fn locate(self, source: &[u8], start: usize, ranges: &[Range<usize>]) -> Vec<Span> {
        let mut bounds: Vec<usize> = ranges.iter().flat_map(|r| [r.start, r.end]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let mut places = Vec::with_capacity(bounds.len());
        let (mut decoded, mut taken, mut rest) = (0, 0, source);
        for bound in &bounds {
            while decoded < *bound {
                let Some(unit) = self.unit(rest) else { break };
                decoded += unit.len;
                taken += unit.taken;
                rest = rest.get(unit.taken..).unwrap_or_default();
            }
            places.push(start + taken);
        }
        let place = |bound: usize| bounds.binary_search(&bound).ok().and_then(|i| places.get(i)).copied().unwrap_or(start + source.len());
        ranges.iter().map(|r| place(r.start)..place(r.end)).collect()
    }

    /// The first thing of `source` that decodes on its own.
    fn unit(self, source: &[u8]) -> Option<Unit> {
        let first = *source.first()?;
        Some(match (self, first) {
            (Escape::Json, b'\\') => json_unit(source),
            (Escape::Percent | Escape::Form, b'%') => match hex(source.get(1..3).unwrap_or_default()) {
                Some(byte) => Unit { taken: 3, len: 1, decoded: [byte as u8, 0, 0, 0] },
                None => Unit::byte(1, first),
            },
            (Escape::Form, b'+') => Unit::byte(1, b' '),
            _ => Unit::byte(1, first),
        })
    }
}

/// Some source bytes and what they decode to.
struct Unit {
    taken: usize,
    len: usize,
    decoded: [u8; 4],
}

impl Unit {
    fn byte(taken: usize, byte: u8) -> Unit {
        Unit { taken, len: 1, decoded: [byte, 0, 0, 0] }
    }

    fn bytes(&self) -> &[u8] {
        self.decoded.get(..self.len).unwrap_or_default()
    }
}

fn json_unit(source: &[u8]) -> Unit {
    match source.get(1) {
        Some(b'u') => {
            let (code, taken) = json_code_point(source).unwrap_or((char::REPLACEMENT_CHARACTER, source.len().min(6)));
            let mut decoded = [0; 4];
            let len = code.encode_utf8(&mut decoded).len();
            Unit { taken, len, decoded }
        }
        Some(b'b') => Unit::byte(2, 8),
        Some(b'f') => Unit::byte(2, 12),
        Some(b'n') => Unit::byte(2, b'\n'),
        Some(b'r') => Unit::byte(2, b'\r'),
        Some(b't') => Unit::byte(2, b'\t'),
        Some(other) => Unit::byte(2, *other),
        None => Unit::byte(1, b'\\'),
    }
}

/// The character of `\uXXXX` or of a surrogate pair at the start of `source`, and how many bytes it takes.
/// None if it is no escape or a surrogate stands alone.
pub(super) fn json_code_point(source: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| source.get(at..at + 2).filter(|b| *b == b"\\u").and_then(|_| source.get(at + 2..at + 6)).and_then(hex);
    let first = unit(0)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first).map(|c| (c, 6));
    }
    let second = unit(6).filter(|low| (0xDC00..0xE000).contains(low))?;
    char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).map(|c| (c, 12))
}

/// The number that two or four hex digits write.
fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + (*digit as char).to_digit(16)?))
}

fn json_char(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        c if (c as u32) < 0x20 => write!(out, "\\u{:04x}", c as u32).unwrap_or_default(),
        c => out.push(c),
    }
}

/// Unreserved characters (RFC 3986 section 2.3) stand for themselves: they are safe in a query, a path, a cookie and a file name.
fn percent_byte(byte: u8, out: &mut String) {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
        _ => write!(out, "%{byte:02X}").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_decode_to_what_they_stand_for() {
        assert_eq!(Escape::Json.decode(br"\u0031\n\ud83d\ude00\/").unwrap(), "1\n\u{1F600}/");
        assert_eq!(Escape::Form.decode(b"a+%E5%BC%A0%zz%4").unwrap(), "a \u{5F20}%zz%4");
        assert_eq!(Escape::Percent.decode(b"a+b%2B").unwrap(), "a+b+");
        assert_eq!(Escape::Percent.decode(b"%ff"), Err(OpaqueReason::Utf8));
    }

    #[test]
    fn a_range_of_the_text_is_found_in_the_source_with_its_escapes() {
        let source = br"ab\u0031\u00322";
        assert_eq!(Escape::Json.decode(source).unwrap(), "ab122");
        assert_eq!(Escape::Json.locate(source, 10, &[2..4, 0..5]), vec![12..24, 10..25]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_back(text in any::<String>()) {
            for escape in [Escape::Json, Escape::Percent, Escape::Form] {
                let mut written = String::new();
                escape.encode(&text, &mut written);
                prop_assert_eq!(escape.decode(written.as_bytes()).unwrap(), text.as_str());
            }
        }
    }
}

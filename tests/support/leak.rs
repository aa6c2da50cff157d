//! Looks for planted values in any bytes and in any disguise: compressed, encoded, escaped, re-spelled.

use super::Canary;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

/// How many decodings are undone one inside the other.
const DEPTH: usize = 2;
/// Most bytes taken out of one compressed member.
const UNZIPPED_MAX: u64 = 16 << 20;

/// What is looked for, by its first bytes: a scan reads a haystack once, however much it looks for.
#[derive(Default)]
pub struct LeakScan {
    needles: HashMap<[u8; HEAD], Vec<Needle>>,
    /// First two bytes that any needle has.
    begins: BTreeSet<[u8; 2]>,
}

/// Bytes a needle is found by. No spelling is shorter: three Chinese characters are six bytes in UTF-16.
const HEAD: usize = 6;

struct Needle {
    /// Field of the canary.
    what: String,
    /// How the value is spelled.
    form: &'static str,
    bytes: Vec<u8>,
}

/// A way of undoing a disguise, over the whole haystack; none if there is nothing to undo.
type Undo = fn(&[u8]) -> Option<Vec<u8>>;
const UNDO: [(&str, Undo); 6] =
    [("percent", unpercent), ("unicode_escape", unescape), ("full_width", narrow), ("separators", strip), ("gzip", unzip), ("deflate", inflate)];

impl LeakScan {
    /// Looks for every value of these persons.
    pub fn of(canaries: &[&Canary]) -> Self {
        let mut scan = LeakScan::default();
        for canary in canaries {
            for (field, value) in canary.values() {
                scan.add(&format!("{}.{field}", canary.jurisdiction), value);
            }
        }
        scan
    }

    /// Looks for one more value, of three characters at least.
    pub fn add(&mut self, what: &str, value: &str) {
        let utf16: Vec<u16> = value.encode_utf16().collect();
        let mut spellings = vec![
            ("raw", value.as_bytes().to_vec()),
            ("utf-16le", utf16.iter().flat_map(|u| u.to_le_bytes()).collect()),
            ("utf-16be", utf16.iter().flat_map(|u| u.to_be_bytes()).collect()),
            ("hex", hex::encode(value).into_bytes()),
            ("hex", hex::encode_upper(value).into_bytes()),
        ];
        spellings.extend(strip(value.as_bytes()).map(|bytes| ("stripped", bytes)));
        for alignment in 0..3 {
            let encoded = base64_inner(value.as_bytes(), alignment);
            spellings.push(("base64", encoded.replace('+', "-").replace('/', "_").into_bytes()));
            spellings.push(("base64", encoded.into_bytes()));
        }
        spellings.sort_by(|a, b| a.1.cmp(&b.1));
        spellings.dedup_by(|a, b| a.1 == b.1);
        for (form, bytes) in spellings {
            let head: [u8; HEAD] = bytes[..HEAD].try_into().unwrap();
            self.begins.insert([head[0], head[1]]);
            self.needles.entry(head).or_default().push(Needle { what: what.to_owned(), form, bytes });
        }
    }

    /// Every value found, with the disguises that were undone and how it was spelled inside.
    pub fn find(&self, haystack: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.look(haystack, "", DEPTH, &mut found);
        found
    }

    fn look(&self, haystack: &[u8], path: &str, depth: usize, found: &mut BTreeSet<String>) {
        let mut table = vec![false; 1 << 16];
        self.begins.iter().for_each(|begin| table[usize::from(u16::from_be_bytes(*begin))] = true);
        for (at, window) in haystack.windows(HEAD).enumerate() {
            if table[usize::from(window[0]) << 8 | usize::from(window[1])] {
                let needles = self.needles.get(window).into_iter().flatten();
                found.extend(needles.filter(|n| haystack[at..].starts_with(&n.bytes)).map(|n| format!("{} {path}{}", n.what, n.form)));
            }
        }
        if depth > 0 {
            for (name, undo) in UNDO {
                if let Some(undone) = undo(haystack) {
                    self.look(&undone, &format!("{path}{name}>"), depth - 1, found);
                }
            }
        }
    }

    /// Panics, naming the place and the fields but no value, if anything is found.
    #[track_caller]
    pub fn assert_clean(&self, place: &str, haystack: &[u8]) {
        let found = self.find(haystack);
        assert!(found.is_empty(), "{place} holds {found:?}");
    }
}

/// Base64 of the bytes as they look when they stand `alignment` bytes after a group of three, without the characters that neighbours share.
fn base64_inner(bytes: &[u8], alignment: usize) -> String {
    let padded = [vec![0; alignment], bytes.to_vec()].concat();
    let encoded = STANDARD_NO_PAD.encode(&padded);
    let first = (alignment * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    encoded[first..last].to_owned()
}

/// `%XX`, once.
fn unpercent(bytes: &[u8]) -> Option<Vec<u8>> {
    bytes.contains(&b'%').then(|| percent_encoding::percent_decode(bytes).collect())
}

/// `\uXXXX` of JSON, surrogate pairs included.
fn unescape(bytes: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(bytes, b"\\u")?;
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    let mut pending: Vec<u16> = Vec::new();
    let mut rest = &*text;
    while !rest.is_empty() {
        let unit = rest.strip_prefix("\\u").and_then(|r| r.get(..4)).and_then(|h| u16::from_str_radix(h, 16).ok());
        if let Some(unit) = unit {
            pending.push(unit);
            rest = &rest[6..];
            continue;
        }
        out.push_str(&String::from_utf16_lossy(&std::mem::take(&mut pending)));
        let next = rest.chars().next().unwrap_or_default();
        out.push(next);
        rest = &rest[next.len_utf8()..];
    }
    out.push_str(&String::from_utf16_lossy(&pending));
    Some(out.into_bytes())
}

/// Full-width forms (U+FF01 to U+FF5E) as ASCII.
fn narrow(bytes: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(0xef, bytes)?;
    let fold = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        other => other,
    };
    Some(String::from_utf8_lossy(bytes).chars().map(fold).collect::<String>().into_bytes())
}

/// Without what people and programs put between the parts of a number or a name.
fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    let separator = |b: &u8| matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'+' | b'_' | b'/' | b'\t' | b'\r' | b'\n' | b',');
    bytes.iter().any(separator).then(|| bytes.iter().copied().filter(|b| !separator(b)).collect())
}

/// The contents of every gzip member that begins anywhere in the bytes (RFC 1952 §2.3.1).
fn unzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for at in memchr::memmem::find_iter(bytes, b"\x1f\x8b\x08") {
        let _ = flate2::read::GzDecoder::new(&bytes[at..]).take(UNZIPPED_MAX).read_to_end(&mut out); // what came before an error counts
    }
    (!out.is_empty()).then_some(out)
}

/// The contents of every zlib stream that begins anywhere in the bytes (RFC 1950 §2.2).
fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (at, _) in bytes.windows(2).enumerate().filter(|(_, head)| head[0] == 0x78 && (u16::from(head[0]) << 8 | u16::from(head[1])).is_multiple_of(31)) {
        let _ = flate2::read::ZlibDecoder::new(&bytes[at..]).take(UNZIPPED_MAX).read_to_end(&mut out); // what came before an error counts
    }
    (!out.is_empty()).then_some(out)
}

mod tests {
    use super::*;
    use crate::support::sink::{deflate, gzip};

    fn planted(value: &str) -> Vec<(&'static str, Vec<u8>)> {
        let percent = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let escaped: String = value.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
        let wide: String = value.chars().map(|c| if c.is_ascii_graphic() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c }).collect();
        let spaced: String = value.chars().flat_map(|c| [c, ' ']).collect();
        let mut forms = vec![
            ("raw", value.as_bytes().to_vec()),
            ("percent once", percent(value).into_bytes()),
            ("percent twice", percent(&percent(value)).into_bytes()),
            ("escapes", escaped.into_bytes()),
            ("full width", wide.into_bytes()),
            ("separated", spaced.into_bytes()),
            ("gzip", gzip(value.as_bytes())),
            ("deflate", deflate(value.as_bytes())),
            ("gzip of percent", gzip(percent(value).as_bytes())),
            ("hex", hex::encode(value).into_bytes()),
            ("utf-16le", value.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("utf-16be", value.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ];
        for shift in 0..3 {
            let text = format!("{}{value}tail", "x".repeat(shift));
            forms.push(("base64", base64::engine::general_purpose::STANDARD.encode(&text).into_bytes()));
            forms.push(("base64url", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&text).into_bytes()));
        }
        forms
    }

    #[test]
    fn every_disguise_of_every_value_is_seen_through() {
        let (cn, de) = (Canary::cn(crate::support::seed()), Canary::de(crate::support::seed()));
        for canary in [&cn, &de] {
            for (field, value) in canary.values() {
                for (form, bytes) in planted(value) {
                    let found = LeakScan::of(&[canary]).find(&[b"before \x00\xff ".to_vec(), bytes, b" after".to_vec()].concat());
                    assert!(found.iter().any(|f| f.starts_with(&format!("{}.{field} ", canary.jurisdiction))), "{field} as {form}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn clean_text_is_clean() {
        let scan = LeakScan::of(&[&Canary::cn(1), &Canary::de(1)]);
        let other = Canary::cn(2).json().to_string();
        let noise: Vec<u8> = (0..50_000).map(|_| rand::random()).collect();
        for text in [other.as_bytes(), b"", b"\x1f\x8b\x08", b"%", b"\\u", b"\\u12", &noise, &gzip(&noise)] {
            scan.assert_clean("clean text", text);
        }
    }
}

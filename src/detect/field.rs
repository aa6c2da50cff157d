//! One field as detectors see it: text with disguises undone, its digit runs, and what its name says.

use super::Ground;
use super::keys::Meaning;
use crate::model::{Category, Form, Jurisdiction};
use crate::payload::Kind;
use std::borrow::Cow;
use std::ops::Range;

/// Most groups of one number as people write it: `+86 138 0013 8000`, five blocks of a 19-digit card.
const GROUPS_MAX: usize = 5;
/// Longest number that any detector knows: 19 digits of a card, and one more to see that it goes on.
const DIGITS_MAX: usize = 20;
/// Shortest number that is worth a look without a telling name.
const DIGITS_MIN: usize = 8;

/// Text as it is read, and where each of its bytes came from.
pub(super) struct Plain<'t> {
    pub(super) text: Cow<'t, str>,
    /// For each byte of `text`, the byte of the original it starts at; none if they are the same.
    origin: Option<Vec<u32>>,
    original: &'t str,
}

impl<'t> Plain<'t> {
    /// Full-width forms become plain ones, zero-width characters go, odd blanks and dashes become plain.
    pub(super) fn of(original: &'t str) -> Plain<'t> {
        if original.is_ascii() || !original.chars().any(|c| fold(c) != Some(c)) {
            return Plain { text: Cow::Borrowed(original), origin: None, original };
        }
        let (mut text, mut origin) = (String::with_capacity(original.len()), Vec::with_capacity(original.len()));
        for (at, c) in original.char_indices() {
            if let Some(folded) = fold(c) {
                text.push(folded);
                origin.resize(text.len(), at as u32);
            }
        }
        Plain { text: Cow::Owned(text), origin: Some(origin), original }
    }

    /// The range of the original that a range of `text` was made of.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let Some(origin) = &self.origin else { return range.clone() };
        let at = |i: usize| origin.get(i).map_or(self.original.len(), |at| *at as usize);
        let last = at(range.end.saturating_sub(1));
        let end = last + self.original.get(last..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        at(range.start)..end.max(at(range.start))
    }
}

fn fold(c: char) -> Option<char> {
    match c {
        '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}' | '\u{180E}' | '\u{FE00}'..='\u{FE0F}' => None,
        // Full-width forms lie 0xFEE0 above ASCII. The full-width comma and colon divide Chinese text and fold as well.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0),
        '\u{3000}' | '\u{00A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' => Some(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        // Mathematical digits come five alphabets of ten.
        '\u{1D7CE}'..='\u{1D7FF}' => char::from_digit((c as u32 - 0x1D7CE) % 10, 10),
        '\u{0660}'..='\u{0669}' => char::from_digit(c as u32 - 0x660, 10),
        '\u{06F0}'..='\u{06F9}' => char::from_digit(c as u32 - 0x6F0, 10),
        other => Some(other),
    }
}

/// Digits that may be one number: groups with single blanks or dashes between them.
pub(super) struct Run {
    pub(super) range: Range<usize>,
    /// Only the digits.
    pub(super) digits: String,
    /// How many digits each group has.
    pub(super) sizes: Vec<usize>,
    /// Nothing around it says that it is part of something longer.
    pub(super) free: bool,
}

/// What detectors look at.
pub(super) struct Field<'f> {
    /// See [`Plain`].
    pub(super) text: &'f str,
    pub(super) kind: Kind,
    /// What the field's name means.
    pub(super) meaning: Option<Meaning>,
    pub(super) sequence: bool,
    pub(super) version: bool,
    pub(super) machinery: bool,
    pub(super) runs: Vec<Run>,
}

/// What a detector found.
pub(super) struct Hit {
    pub(super) category: Category,
    pub(super) detector: &'static str,
    pub(super) confidence: f32,
    pub(super) ground: Ground,
    pub(super) form: Form,
    /// In [`Field::text`].
    pub(super) range: Range<usize>,
    pub(super) issued_by: Option<&'static str>,
    pub(super) hints_at: Option<&'static str>,
}

impl Hit {
    /// A value that shows by itself what it is.
    pub(super) fn value(category: Category, detector: &'static str, confidence: f32, range: Range<usize>) -> Hit {
        Hit { category, detector, confidence, ground: Ground::Value, form: Form::Clear, range, issued_by: None, hints_at: None }
    }

    /// A value that its name tells.
    pub(super) fn key(meaning: Meaning, confidence: f32, range: Range<usize>) -> Hit {
        Hit { ground: Ground::Key, ..Hit::value(meaning.category, meaning.detector, confidence, range) }
    }

    pub(super) fn issued_by(self, state: &'static str) -> Hit {
        Hit { issued_by: Some(state), ..self }
    }

    pub(super) fn hints_at(self, state: Option<&'static str>) -> Hit {
        Hit { hints_at: state, ..self }
    }
}

/// A state's code as the model has it.
pub(super) fn jurisdiction(code: Option<&'static str>) -> Option<Jurisdiction> {
    code.and_then(|code| code.parse().ok())
}

impl Field<'_> {
    /// Whether the field's name means this category.
    pub(super) fn means(&self, category: Category) -> bool {
        self.meaning.is_some_and(|m| m.category == category)
    }

    /// Whether the field's name means something, and not this category.
    pub(super) fn means_other(&self, category: Category) -> bool {
        self.meaning.is_some_and(|m| m.category != category)
    }
}

/// Every stretch of one to five digit groups that is long enough; linear, since each start sees at most five groups.
pub(super) fn runs(text: &str, kind: Kind) -> Vec<Run> {
    let bytes = text.as_bytes();
    if kind == Kind::Number && !bytes.iter().all(u8::is_ascii_digit) || bytes.iter().filter(|b| b.is_ascii_digit()).count() < DIGITS_MIN {
        return Vec::new();
    }
    let groups = groups(bytes);
    let mut runs = Vec::new();
    for (first, start) in groups.iter().enumerate() {
        let (mut digits, mut sizes, mut end) = (String::new(), Vec::new(), start.start);
        for group in groups.iter().skip(first).take(GROUPS_MAX) {
            let gap = bytes.get(end..group.start).unwrap_or_default();
            if !sizes.is_empty() && !matches!(gap, b" " | b"-") || digits.len() + group.len() > DIGITS_MAX {
                break;
            }
            digits.push_str(text.get(group.clone()).unwrap_or_default());
            sizes.push(group.len());
            end = group.end;
            if digits.len() >= DIGITS_MIN {
                let range = start.start..end;
                runs.push(Run { free: is_free(text, &range), range, digits: digits.clone(), sizes: sizes.clone() });
            }
        }
    }
    runs
}

fn groups(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = None;
    for (at, byte) in bytes.iter().chain(b" ").enumerate() {
        match (byte.is_ascii_digit(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                groups.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    groups
}

/// Words that may touch a number: `tel13800138000`. Any other letter next to it makes it part of a code.
const TOUCHING: &[&str] =
    &["tel", "phone", "mobile", "mob", "cell", "call", "sms", "no", "fax", "t", "m", "p", "card", "id", "imei", "idcard", "ssn", "at", "to", "is", "n"];

/// Whether the number stands alone. Word boundaries are no help: they count Chinese characters as letters.
pub(super) fn is_free(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let before = |n: usize| range.start.checked_sub(n).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let after = |n: usize| bytes.get(range.end + n).copied().unwrap_or(b' ');
    // A dash, point or underscore joins what it touches on both sides; an asterisk stands for digits that are hidden.
    let joined = |mark: u8, beyond: u8| mark == b'*' || matches!(mark, b'-' | b'.' | b'_') && beyond.is_ascii_alphanumeric();
    if joined(before(1), before(2)) || joined(after(0), after(1)) || after(0).is_ascii_alphabetic() || after(0) == b'_' {
        return false;
    }
    if !before(1).is_ascii_alphabetic() {
        return true;
    }
    let word: Vec<u8> =
        bytes.get(..range.start).unwrap_or_default().iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').take(9).copied().collect();
    let word: String = word.iter().rev().map(|b| b.to_ascii_lowercase() as char).collect();
    TOUCHING.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguised_digits_are_read_and_found_back() {
        let original = "号１３8\u{200B}00";
        let plain = Plain::of(original);
        assert_eq!(plain.text, "号13800");
        assert_eq!(&original[plain.original(&(3..8))], "１３8\u{200B}00");
    }

    #[test]
    fn a_number_is_bounded_by_what_is_no_part_of_it() {
        for (text, free) in [
            ("电话13800138000号", true),
            ("tel13800138000", true),
            ("3f13800138000", false),
            ("13800138000c", false),
            ("0.13800138000", false),
            ("AB-13800138000", false),
            ("13800138000.", true),
            ("(13800138000)", true),
            ("138001*", false),
            ("tel:13800138000", true),
            ("/13800138000", true),
            ("/13900139001/13800138000", true),
        ] {
            let start = text.find('1').unwrap();
            let end = start + text[start..].bytes().take_while(u8::is_ascii_digit).count();
            assert_eq!(is_free(text, &(start..end)), free, "{text}");
        }
    }
}

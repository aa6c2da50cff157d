//! Telephone numbers: mainland mobiles by segment, any number with its country code (ITU-T E.164), others by their name or label.

use super::Detector;
use super::field::{self, Field, Hit, Run};
use super::labels::{self, Label};
use crate::model::Category::PhoneNumber;
use crate::payload::Kind;

/// Telephone numbers.
pub(super) struct Phone;

/// Country code, state, least and most digits of the national number (ITU-T national numbering plans).
#[rustfmt::skip]
const CODES: &[(&str, Option<&str>, usize, usize)] = &[
    ("852", Some("HK"), 8, 8), ("853", Some("MO"), 8, 8), ("886", Some("TW"), 8, 9), ("351", Some("PT"), 9, 9), ("352", Some("LU"), 6, 11), ("353", Some("IE"), 7, 9), ("354", Some("IS"), 7, 9), ("356", Some("MT"), 8, 8), ("357", Some("CY"), 8, 8),
    ("358", Some("FI"), 6, 11), ("359", Some("BG"), 8, 9), ("370", Some("LT"), 8, 8), ("371", Some("LV"), 8, 8), ("372", Some("EE"), 7, 8), ("380", Some("UA"), 9, 9), ("385", Some("HR"), 8, 9), ("386", Some("SI"), 8, 8), ("420", Some("CZ"), 9, 9), ("421", Some("SK"), 9, 9),
    ("423", Some("LI"), 7, 9), ("855", Some("KH"), 8, 9), ("856", Some("LA"), 8, 10), ("880", Some("BD"), 8, 10), ("960", Some("MV"), 7, 7), ("965", Some("KW"), 8, 8), ("966", Some("SA"), 8, 9), ("971", Some("AE"), 8, 9), ("972", Some("IL"), 8, 9), ("974", Some("QA"), 8, 8), ("977", Some("NP"), 8, 10),
    ("234", Some("NG"), 8, 10), ("254", Some("KE"), 9, 9), ("212", Some("MA"), 9, 9),
    ("20", Some("EG"), 8, 10), ("27", Some("ZA"), 9, 9), ("30", Some("GR"), 10, 10), ("31", Some("NL"), 9, 9), ("32", Some("BE"), 8, 9), ("33", Some("FR"), 9, 9), ("34", Some("ES"), 9, 9), ("36", Some("HU"), 8, 9), ("39", Some("IT"), 8, 11), ("40", Some("RO"), 9, 9), ("41", Some("CH"), 9, 9),
    ("43", Some("AT"), 7, 13), ("44", Some("GB"), 9, 10), ("45", Some("DK"), 8, 8), ("46", Some("SE"), 7, 9), ("47", Some("NO"), 8, 8), ("48", Some("PL"), 9, 9), ("49", Some("DE"), 7, 11), ("51", Some("PE"), 8, 9), ("52", Some("MX"), 10, 11), ("54", Some("AR"), 10, 11), ("55", Some("BR"), 10, 11),
    ("56", Some("CL"), 9, 9), ("57", Some("CO"), 8, 10), ("58", Some("VE"), 10, 10), ("60", Some("MY"), 8, 10), ("61", Some("AU"), 9, 9), ("62", Some("ID"), 8, 12), ("63", Some("PH"), 8, 10), ("64", Some("NZ"), 8, 10), ("65", Some("SG"), 8, 8), ("66", Some("TH"), 8, 9), ("81", Some("JP"), 9, 10),
    ("82", Some("KR"), 8, 10), ("84", Some("VN"), 9, 10), ("86", Some("CN"), 9, 11), ("90", Some("TR"), 10, 10), ("91", Some("IN"), 10, 10), ("92", Some("PK"), 9, 10), ("93", Some("AF"), 9, 9), ("94", Some("LK"), 9, 9), ("95", Some("MM"), 7, 10), ("98", Some("IR"), 10, 10), ("7", Some("RU"), 10, 10),
    // The North American code belongs to two dozen states.
    ("1", None, 10, 10),
];

impl Detector for Phone {
    fn id(&self) -> &'static str {
        "phone"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        international(field, hits);
        if !field.sequence {
            for run in field.runs.iter().filter(|r| r.free) {
                mainland(field, run, hits);
            }
            national(field, hits);
        }
    }
}

/// Whether eleven digits are a mainland mobile: segments in use by 2026 (MIIT numbering plan, fourth level).
pub(super) fn is_mobile(digits: &str) -> bool {
    let segment = |d: &[u8]| match d {
        [b'1', b'3' | b'8', _, ..] => true,
        [b'1', b'4', third, ..] => !matches!(third, b'2' | b'3'),
        [b'1', b'5', third, ..] => *third != b'4',
        [b'1', b'6', third, ..] => matches!(third, b'2' | b'5' | b'6' | b'7'),
        [b'1', b'7', third, ..] => *third != b'9',
        [b'1', b'9', third, ..] => *third != b'4',
        _ => false,
    };
    digits.len() == 11 && segment(digits.as_bytes())
}

fn mainland(field: &Field<'_>, run: &Run, hits: &mut Vec<Hit>) {
    let coded = run.digits.strip_prefix("0086").or_else(|| run.digits.strip_prefix("86"));
    let (number, sizes): (&str, &[usize]) = match coded {
        Some(rest) if rest.len() == 11 => (rest, run.sizes.get(1..).filter(|_| run.sizes.first().is_some_and(|s| *s <= 4)).unwrap_or(&[])),
        _ => (&run.digits, &run.sizes),
    };
    let grouped = matches!(sizes, [] | [11] | [3, 4, 4] | [4, 3, 4] | [3, 8] | [7, 4] | [4, 4, 3]) || sizes.len() == 1;
    let named = field.means(PhoneNumber);
    if !grouped || !is_mobile(number) || is_flat(number) {
        return;
    }
    let counted = field.text.get(run.range.end..).is_some_and(|rest| UNITS.iter().any(|unit| rest.trim_start().starts_with(unit)));
    if counted && !named {
        return;
    }
    let label = labels::before(field.text, run.range.start);
    // Part of `+86 138…` is found whole.
    let plus = field
        .text
        .get(..run.range.start)
        .is_some_and(|t| t.ends_with('+') || t.ends_with("+86 ") || t.ends_with("+86-") || t.ends_with("86 ") && number == run.digits);
    if !named && (plus || label.is_some_and(|l| l != Label::Data(PhoneNumber))) {
        return;
    }
    let confidence = if named || label.is_some() { 0.99 } else { 0.9 };
    hits.push(Hit::value(PhoneNumber, "cn_mobile", confidence, run.range.clone()).hints_at(Some("CN")));
}

/// What is counted is not dialled.
const UNITS: &[&str] = &[
    "条", "个", "次", "元", "件", "人", "位数", "秒", "毫秒", "字节", "行", "笔", "bytes", "rows", "records", "items", "times", "ms", "seconds", "CNY", "RMB",
    "USD", "%",
];

/// The same digit eight times over is a placeholder.
fn is_flat(digits: &str) -> bool {
    let tail = digits.as_bytes().get(3..).unwrap_or_default();
    tail.first().is_some_and(|first| tail.iter().all(|b| b == first) && *first == b'0')
}

/// `+` and a country code with as many digits as its numbers have.
fn international(field: &Field<'_>, hits: &mut Vec<Hit>) {
    for (at, _) in field.text.match_indices('+') {
        if field.text.get(..at).is_some_and(|t| t.ends_with(|c: char| c.is_ascii_alphanumeric())) {
            continue;
        }
        let Some((end, digits)) = written(field.text, at + 1) else { continue };
        let Some((code, state, least, most)) = CODES.iter().find(|(code, ..)| digits.starts_with(code)) else { continue };
        let national = digits.get(code.len()..).unwrap_or_default();
        // `+44 (0)20 …`: the zero is not dialled.
        let national = national.strip_prefix('0').filter(|_| field.text.get(at..end).is_some_and(|t| t.contains("(0)"))).unwrap_or(national);
        if !(*least..=*most).contains(&national.len()) || national.bytes().all(|b| b == b'0') {
            continue;
        }
        let detector = if *code == "86" && is_mobile(national) { "cn_mobile" } else { "e164" };
        hits.push(Hit::value(PhoneNumber, detector, 0.99, at..end).hints_at(*state));
    }
}

/// The digits that are written from `from` on, with the separators people use, and where they end.
fn written(text: &str, from: usize) -> Option<(usize, String)> {
    /// Fifteen digits at most (E.164), a `(0)`, and one more to see that it goes on.
    const DIGITS: usize = 17;
    let bytes = text.as_bytes();
    let (mut digits, mut end, mut gap) = (String::new(), from, 0);
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'0'..=b'9' if digits.len() < DIGITS => {
                digits.push(*byte as char);
                end = at + 1;
                gap = 0;
            }
            b' ' | b'-' | b'.' | b'(' | b')' if gap < 2 => gap += 1,
            _ => break,
        }
    }
    let code = bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'*' || *b == b'_');
    (!code && digits.len() >= 7).then_some((end, digits))
}

/// Numbers without a country code: landlines of the mainland by their area code, others by name or label.
fn national(field: &Field<'_>, hits: &mut Vec<Hit>) {
    if field.kind != Kind::Text || field.means_other(PhoneNumber) {
        return;
    }
    for (run_start, start) in starts(field.text) {
        let Some((end, digits)) = written(field.text, run_start) else { continue };
        let text = field.text.get(start..end).unwrap_or_default();
        let (landline, nanp) = (landline(text), nanp(text, &digits));
        if !(landline || nanp) || !field::is_free(field.text, &(start..end)) {
            continue;
        }
        let label = labels::before(field.text, start);
        if landline && label != Some(Label::Other) {
            hits.push(Hit::value(PhoneNumber, "cn_landline", 0.9, start..end).hints_at(Some("CN")));
        } else if nanp && (field.means(PhoneNumber) || label == Some(Label::Data(PhoneNumber))) {
            hits.push(Hit::value(PhoneNumber, "nanp", 0.9, start..end));
        }
    }
}

/// Where numbers may start: a digit or bracket that follows no digit. Twice, without and with its bracket.
fn starts(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter_map(move |(at, byte)| {
        let before = at.checked_sub(1).and_then(|i| bytes.get(i)).copied().unwrap_or(b' ');
        let opens = byte.is_ascii_digit() && !before.is_ascii_digit() && !matches!(before, b'+' | b'-' | b'.') && before != b'(';
        match byte {
            b'(' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => Some((at + 1, at)),
            _ if opens => Some((at, at)),
            _ => None,
        }
    })
}

/// `010-12345678`, `0755-1234567`, `(021) 12345678`.
fn landline(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', ' ', '(', ')']).filter(|p| !p.is_empty()).collect();
    matches!(parts.as_slice(), [area, rest] if area.starts_with('0') && !area.starts_with("00") && (3..=4).contains(&area.len()) && (7..=8).contains(&rest.len()) && !rest.starts_with(['0', '1']))
}

/// `(415) 555-2671`, `415-555-2671`: area code and exchange start with 2 to 9.
fn nanp(text: &str, digits: &str) -> bool {
    let sizes: Vec<usize> = text.split(['-', ' ', '(', ')', '.']).filter(|p| !p.is_empty()).map(str::len).collect();
    let high = |at: usize| digits.as_bytes().get(at).is_some_and(|b| (b'2'..=b'9').contains(b));
    matches!(sizes.as_slice(), [3, 3, 4] | [10]) && high(0) && high(3)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, found_in_text};

    #[test]
    fn mobiles_are_found_however_they_are_written() {
        for text in [
            "电话13800138000",
            "我的手机：138-0013-8000",
            "138 0013 8000",
            "+86 138 0013 8000",
            "8613800138000",
            "１３８００１３８０００",
            "tel:13800138000,",
            "(13800138000)",
            "13800138000/13900139001",
        ] {
            assert!(found_in_text(text).contains(&"phone_number"), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_dialled_are_left_alone() {
        for text in ["订单号13800138000", "3f13800138000c", "v13800138000", "12345678901", "1380013800", "138001380001", "order no. 13800138000", "13800000000"]
        {
            assert!(!found_in_text(text).contains(&"phone_number"), "{text}");
        }
        assert!(found(r#"{"orderNo":"13800138000","timestamp":13800138000,"seq":13912345678}"#).is_empty());
    }

    #[test]
    fn country_codes_know_how_long_their_numbers_are() {
        for text in ["+49 30 12345678", "+44 (0)20 7946 0958", "+1 415-555-2671", "+852 9123 4567", "+5511987654321"] {
            assert!(found_in_text(text).contains(&"phone_number"), "{text}");
        }
        for text in ["1+2345678", "+65 123", "+8529123456789", "a+4930123456"] {
            assert!(!found_in_text(text).contains(&"phone_number"), "{text}");
        }
    }
}

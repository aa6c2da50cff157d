//! Whether a value can be what the name of its field says.

use super::lexicon::Shape;
use super::names;
use crate::payload::Kind;

/// Longest identifier or code that is one, in bytes.
const ID_BYTES_MAX: usize = 256;

/// Whether `text` fits. Yes, no and nothing never do, nor do placeholders.
pub(super) fn fits(shape: Shape, text: &str, kind: Kind) -> bool {
    let text = text.trim();
    if !matches!(kind, Kind::Text | Kind::Number) || is_placeholder(text) {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let word = |least: usize| (least..=ID_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_whitespace);
    let of = |more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    match shape {
        Shape::Name => kind == Kind::Text && names::plausible(text),
        Shape::Role | Shape::Shown => kind == Kind::Text && names::sure(text),
        Shape::Address => kind == Kind::Text && address(text),
        Shape::Phone => phone(text, digits),
        Shape::Date => date(text, digits),
        Shape::Age => text.parse::<u32>().is_ok_and(|age| (1..=120).contains(&age)),
        Shape::Id | Shape::Login => word(1) && text != "0" && !text.starts_with('-') && !is_timestamp(text) && !is_decimal(text) && !text.contains("://"),
        Shape::Serial => word(5) && digits > 0 || kind == Kind::Text && is_plate(text),
        Shape::Official => (6..=32).contains(&text.chars().count()) && digits >= 5 && of("-/. ()") && !is_timestamp(text),
        Shape::Card => (12..=19).contains(&digits) && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-')),
        Shape::Account => (6..=34).contains(&digits) && of(" -") && text.len() <= 42,
        Shape::Digits15 => (14..=17).contains(&digits) && of(" -/") && text.len() <= 20,
        Shape::Mac => {
            text.bytes().filter(u8::is_ascii_hexdigit).count() == 12
                && text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.'))
                && text.bytes().any(|b| !matches!(b, b'0' | b':' | b'-' | b'f' | b'F'))
        }
        Shape::Secret => kind == Kind::Text && text.len() >= 3,
        Shape::Code => (3..=12).contains(&text.len()) && of("-") && (digits > 0 || kind == Kind::Text),
        Shape::Any => !text.is_empty(),
        Shape::Biometric => text.len() >= 3 && (kind == Kind::Text || text.contains('.') || digits > 5),
        Shape::Hint => false,
    }
}

/// What stands where a value should be: nothing, `N/A`, masks, sample words, unfilled templates.
pub(super) fn is_placeholder(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "",
        "n/a",
        "na",
        "null",
        "nil",
        "none",
        "undefined",
        "unknown",
        "-",
        "--",
        "---",
        ".",
        "...",
        "…",
        "tbd",
        "todo",
        "string",
        "test",
        "redacted",
        "[redacted]",
        "hidden",
        "masked",
        "removed",
        "true",
        "false",
        "yes",
        "no",
        "required",
        "optional",
        "anonymous",
        "default",
        "example",
        "empty",
        "无",
        "暂无",
        "未知",
        "未填写",
        "不详",
        "空",
        "保密",
        "匿名",
        "已脱敏",
        "已隐藏",
        "是",
        "否",
        "待填写",
        "未提供",
        "未设置",
        "隐藏",
    ];
    let text = text.trim();
    if text.len() <= 16 && WORDS.contains(&text.to_lowercase().as_str()) {
        return true;
    }
    let wrapped = [("{{", "}}"), ("${", "}"), ("<", ">"), ("[", "]"), ("%", "%")]
        .iter()
        .any(|(open, close)| text.starts_with(open) && text.ends_with(close) && text.len() > 2);
    let masked = text.matches(['*', '\u{2022}', '\u{25CF}', '＊']).count() >= 2
        || text.len() >= 3 && text.chars().all(|c| matches!(c, 'x' | 'X' | '*' | '-' | '#' | '0' | ' ' | '_'));
    wrapped || masked
}

fn phone(text: &str, digits: usize) -> bool {
    // ITU-T E.164: at most 15 digits; with an extension some more. Five is the shortest subscriber number still in use.
    (5..=20).contains(&digits) && !is_decimal(text) && text.chars().all(|c| c.is_ascii_digit() || " +-()./ext#,;转*分机".contains(c)) && !is_timestamp(text)
}

fn address(text: &str) -> bool {
    let count = text.chars().count();
    if !(4..=400).contains(&count) || text.contains("://") || text.contains('@') {
        return false;
    }
    let han = text.chars().filter(|c| names::is_han(*c)).count();
    if han >= 2 {
        return han >= 4 || text.chars().any(|c| "省市区县镇乡村路街号弄栋楼室巷道苑园".contains(c) || c.is_ascii_digit());
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 3 && text.trim().contains([' ', ',']) && !text.starts_with("0x") && text.split_whitespace().count() <= 40
}

/// Days, timestamps and years that can be a birth: 1890 to 2099, in the usual orders.
fn date(text: &str, digits: usize) -> bool {
    let year = |text: &str| text.parse::<u32>().is_ok_and(|y| (1890..=2099).contains(&y));
    let body = text.trim_start_matches('-');
    if body.bytes().all(|b| b.is_ascii_digit()) {
        return match body.len() {
            4 => year(body),
            6 => year(body.get(..4).unwrap_or_default()) || body.len() == text.len() && digits == 6,
            8 => year(body.get(..4).unwrap_or_default()) || year(body.get(4..).unwrap_or_default()),
            7..=13 => true,
            _ => false,
        };
    }
    (3..=17).contains(&digits) && text.len() <= 40 && text.chars().all(|c| c.is_alphanumeric() || " -/.:,年月日+时分秒".contains(c))
}

/// Seconds or milliseconds of this century's first half in plain digits, or an ISO date with a time.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if text.len() == 13 && bytes.iter().all(u8::is_ascii_digit) {
        return (1_000_000_000_000..2_500_000_000_000).contains(&text.parse::<u64>().unwrap_or_default());
    }
    let dated = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    dated(4, b'-') && dated(7, b'-') && bytes.iter().take(4).all(u8::is_ascii_digit) && text.len() >= 10
}

fn is_decimal(text: &str) -> bool {
    text.split_once('.').is_some_and(|(a, b)| !b.is_empty() && a.trim_start_matches('-').bytes().chain(b.bytes()).all(|c| c.is_ascii_digit()))
}

/// Mainland plates: a province's character, a letter, five or six more (GA 36-2018).
fn is_plate(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领".contains(c))
        && chars.next().is_some_and(|c| c.is_ascii_uppercase())
        && (5..=7).contains(&chars.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_fit_nothing() {
        for text in ["N/A", "***", "", "null", "138****8000", "{{phone}}", "<phone>", "xxx", "0000-0000", "暂无", "张**"] {
            for shape in [Shape::Name, Shape::Phone, Shape::Secret, Shape::Id, Shape::Any] {
                assert!(!fits(shape, text, Kind::Text), "{text} as {shape:?}");
            }
        }
        assert!(!fits(Shape::Any, "true", Kind::Bool));
    }

    #[test]
    fn values_fit_what_they_can_be() {
        for (shape, text) in [
            (Shape::Phone, "010-12345678"),
            (Shape::Phone, "(415) 555-2671 ext 12"),
            (Shape::Address, "上海市浦东新区世纪大道100号"),
            (Shape::Address, "12 Baker Street, London"),
            (Shape::Date, "1990-01-31"),
            (Shape::Date, "19900131"),
            (Shape::Date, "1990年1月31日"),
            (Shape::Date, "31/01/1990"),
            (Shape::Date, "Jan 31, 1990"),
            (Shape::Date, "633830400000"),
            (Shape::Id, "u_8812"),
            (Shape::Official, "110105 19491231 002X"),
            (Shape::Serial, "沪A12345"),
            (Shape::Code, "482913"),
            (Shape::Mac, "aabbccddee01"),
        ] {
            assert!(fits(shape, text, Kind::Text), "{text} as {shape:?}");
        }
    }

    #[test]
    fn values_that_say_something_else_do_not_fit() {
        for (shape, text) in [
            (Shape::Phone, "iPhone 15"),
            (Shape::Phone, "1"),
            (Shape::Address, "home"),
            (Shape::Address, "192.168.1.1"),
            (Shape::Address, "https://a.example/b c"),
            (Shape::Address, "0x52908400098527886E0F7030069857D2E4169EE7"),
            (Shape::Id, "2026-11-23T09:00:00Z"),
            (Shape::Id, "12.50"),
            (Shape::Date, "soon"),
            (Shape::Card, "visa"),
            (Shape::Mac, "00:00:00:00:00:00"),
        ] {
            assert!(!fits(shape, text, Kind::Text), "{text} as {shape:?}");
        }
    }
}

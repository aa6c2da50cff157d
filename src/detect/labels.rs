//! Words in running text that say what follows: `电话`, `order no.`, `姓名：`.

use super::Detector;
use super::field::{Field, Hit};
use super::keys::{Key, Meaning};
use super::lexicon::Shape;
use super::{names, shape};
use crate::model::Category;
use crate::payload::Kind;
use std::sync::LazyLock;

/// How far before a value a label counts, in bytes: eight Chinese characters and a colon, or four English words.
const REACH: usize = 28;

/// What the label nearest before a place says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Data(Category),
    /// What is counted, ordered or versioned.
    Other,
}

#[rustfmt::skip]
const LABELS: &[(&str, Label)] = &[
    ("手机", Label::Data(Category::PhoneNumber)), ("电话", Label::Data(Category::PhoneNumber)), ("联系", Label::Data(Category::PhoneNumber)), ("致电", Label::Data(Category::PhoneNumber)), ("拨打", Label::Data(Category::PhoneNumber)), ("短信", Label::Data(Category::PhoneNumber)),
    ("号码", Label::Data(Category::PhoneNumber)), ("座机", Label::Data(Category::PhoneNumber)), ("传真", Label::Data(Category::PhoneNumber)), ("phone", Label::Data(Category::PhoneNumber)), ("mobile", Label::Data(Category::PhoneNumber)), ("tel", Label::Data(Category::PhoneNumber)), ("call", Label::Data(Category::PhoneNumber)),
    ("cell", Label::Data(Category::PhoneNumber)), ("whatsapp", Label::Data(Category::PhoneNumber)), ("fax", Label::Data(Category::PhoneNumber)), ("text me", Label::Data(Category::PhoneNumber)), ("reach me", Label::Data(Category::PhoneNumber)), ("sms", Label::Data(Category::PhoneNumber)),
    ("身份证", Label::Data(Category::NationalIdNumber)), ("证件", Label::Data(Category::NationalIdNumber)), ("id card", Label::Data(Category::NationalIdNumber)), ("ssn", Label::Data(Category::NationalIdNumber)), ("social security", Label::Data(Category::NationalIdNumber)), ("cpf", Label::Data(Category::NationalIdNumber)),
    ("护照", Label::Data(Category::PassportPermitNumber)), ("通行证", Label::Data(Category::PassportPermitNumber)), ("台胞证", Label::Data(Category::PassportPermitNumber)), ("回乡证", Label::Data(Category::PassportPermitNumber)), ("passport", Label::Data(Category::PassportPermitNumber)),
    ("银行卡", Label::Data(Category::PaymentCard)), ("信用卡", Label::Data(Category::PaymentCard)), ("卡号", Label::Data(Category::PaymentCard)), ("储蓄卡", Label::Data(Category::PaymentCard)), ("尾号", Label::Other), ("card", Label::Data(Category::PaymentCard)), ("visa", Label::Data(Category::PaymentCard)),
    ("imei", Label::Data(Category::HardwareId)), ("串号", Label::Data(Category::HardwareId)), ("ip", Label::Data(Category::IpAddress)), ("mac", Label::Data(Category::MacAddress)),
    ("订单", Label::Other), ("单号", Label::Other), ("运单", Label::Other), ("快递", Label::Other), ("流水", Label::Other), ("编号", Label::Other), ("序列", Label::Other), ("序号", Label::Other), ("版本", Label::Other), ("编码", Label::Other), ("条码", Label::Other), ("发票", Label::Other), ("批次", Label::Other), ("工单", Label::Other),
    ("合同", Label::Other), ("型号", Label::Other), ("货号", Label::Other), ("时间戳", Label::Other), ("金额", Label::Other), ("固件", Label::Other), ("order", Label::Other), ("invoice", Label::Other), ("serial", Label::Other), ("tracking", Label::Other), ("ref", Label::Other), ("version", Label::Other), ("ver.", Label::Other), ("build", Label::Other),
    ("sku", Label::Other), ("seq", Label::Other), ("ticket", Label::Other), ("transaction", Label::Other), ("timestamp", Label::Other), ("release", Label::Other), ("firmware", Label::Other), ("batch", Label::Other), ("contract", Label::Other), ("upgrade", Label::Other), ("isbn", Label::Other), ("section", Label::Other), ("case", Label::Other),
    ("gift card", Label::Other), ("parcel", Label::Other), ("uptime", Label::Other), ("row", Label::Other), ("id", Label::Other),
];

/// The label that ends last within reach before byte `at`, on the same line and in the same clause.
pub(super) fn before(text: &str, at: usize) -> Option<Label> {
    let mut from = at.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let window = text.get(from..at)?;
    let window = window.rsplit(['\n', '。', ';', '；', '，']).next().unwrap_or(window).to_lowercase();
    let standing = |start: usize, word: &str| {
        let rest = window.get(start..).filter(|rest| rest.starts_with(word))?;
        // `ip` is a label and `zip` is not; Chinese has no such edges.
        let inside = word.is_ascii()
            && (window.get(..start).is_some_and(|w| w.ends_with(|c: char| c.is_ascii_alphabetic()))
                || rest.get(word.len()..).is_some_and(|w| w.starts_with(|c: char| c.is_ascii_lowercase()) && word.len() < 5));
        (!inside).then_some((start + word.len(), word.len()))
    };
    let starts = window.bytes().enumerate().filter_map(|(start, first)| Some((start, BY_FIRST_BYTE.get(usize::from(first))?)));
    let found = starts.flat_map(|(start, labels)| labels.iter().filter_map(move |(word, label)| Some((standing(start, word)?, *label))));
    found.max_by_key(|(place, _)| *place).map(|(_, label)| label)
}

/// [`LABELS`] by the first byte of the word: most bytes of a text begin none, and this is asked for every number.
static BY_FIRST_BYTE: LazyLock<[Vec<(&str, Label)>; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| LABELS.iter().copied().filter(|(word, _)| word.bytes().next().is_some_and(|b| usize::from(b) == byte)).collect())
});

/// `label: value` in texts, and names after a label without a colon.
pub(super) struct Labelled;

impl Detector for Labelled {
    fn id(&self) -> &'static str {
        "labelled"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        if field.kind != Kind::Text || field.meaning.is_some() {
            return;
        }
        let mut line_start = 0;
        for line in field.text.split_inclusive(['\n', ';', '。']) {
            pairs(line, line_start, hits);
            line_start += line.len();
        }
        people(field.text, hits);
    }
}

/// Every `label: value` of a line. A value ends at a comma or blank only where another label follows, so that addresses stay whole.
fn pairs(line: &str, start: usize, hits: &mut Vec<Hit>) {
    // `12:30` and `http://` have no label before their colon.
    let colons: Vec<usize> = line.match_indices([':', '=']).map(|(at, _)| at).collect();
    for (index, colon) in colons.iter().enumerate() {
        let from = index.checked_sub(1).and_then(|i| colons.get(i)).map_or(0, |at| at + 1);
        let label_start = label_start(line, from, *colon);
        let key = line.get(label_start..*colon).map(|label| Key::read(label.trim())).unwrap_or_default();
        // A line that says just `name` must be sure to name a person.
        let Some(meaning) = key.meaning.or(key.bare_name.then_some(Meaning { shape: Shape::Role, ..NAME })) else { continue };
        let end = colons.get(index + 1).map_or(line.len(), |next| label_start_after(line, colon + 1, *next));
        push_value(line, start, colon + 1..end, meaning, hits);
    }
}

/// Where the label that ends at `colon` starts: after the last comma, blank or bracket, though English labels may have two words.
fn label_start(line: &str, from: usize, colon: usize) -> usize {
    let text = line.get(from..colon).unwrap_or_default();
    let cut = text
        .trim_end()
        .rfind([',', '，', '、', '|', '(', '[', '{', '"', '\t', '.', '!', '?'])
        .and_then(|at| text.get(at..)?.chars().next().map(|c| at + c.len_utf8()))
        .unwrap_or(0);
    let label = text.get(cut..).unwrap_or_default();
    // Chinese labels follow a blank directly; English ones keep their last two words.
    let blanks: Vec<usize> = label.trim_end().match_indices(' ').map(|(at, _)| at + 1).collect();
    let keep = if label.is_ascii() { blanks.len().checked_sub(2) } else { blanks.len().checked_sub(1) };
    from + cut + keep.and_then(|i| blanks.get(i)).copied().unwrap_or(0)
}

/// Where a value ends that is followed by another `label:`.
fn label_start_after(line: &str, from: usize, next: usize) -> usize {
    let text = line.get(from..next).unwrap_or_default();
    from + text.rfind([',', '，', '、', '|', ' ', '\t']).unwrap_or(text.len())
}

fn push_value(line: &str, start: usize, range: std::ops::Range<usize>, meaning: Meaning, hits: &mut Vec<Hit>) {
    let ends: &[char] = if meaning.shape == Shape::Address { &['|', '"'] } else { &[',', '，', '、', '|', '"', '(', '！', '!', '\t'] };
    let text = line.get(range.clone()).unwrap_or_default();
    let skipped = text.len() - text.trim_start_matches([' ', '"', '\'', '\t']).len();
    let value = text.get(skipped..).unwrap_or_default();
    let value = value.split(ends).next().unwrap_or_default();
    let value = value.trim_end_matches(['\n', '\r', ';', '。', ' ', ',', '，', '.', '\'']);
    // A secret or an identifier is one word.
    let value =
        if matches!(meaning.shape, Shape::Secret | Shape::Code | Shape::Id | Shape::Login) { value.split(' ').next().unwrap_or_default() } else { value };
    let at = start + range.start + skipped;
    if !value.is_empty() && shape::fits(meaning.shape, value, Kind::Text) {
        hits.push(Hit::key(meaning, 0.85, at..at + value.len()));
    }
}

/// Labels that a Chinese name follows directly or after `是`, `为`, a blank.
const PEOPLE: &[&str] = &["姓名", "收货人", "收件人", "寄件人", "联系人", "户名", "持卡人", "申请人", "监护人", "我叫", "名叫"];

const NAME: Meaning = Meaning { category: Category::PersonName, detector: "name_label", shape: Shape::Name };

fn people(text: &str, hits: &mut Vec<Hit>) {
    if text.is_ascii() {
        return;
    }
    for label in PEOPLE {
        for (at, _) in text.match_indices(label) {
            let rest = text.get(at + label.len()..).unwrap_or_default();
            let name = rest.trim_start_matches([':', '：', ' ', '为', '是']);
            // A blank line is no link between a label and a name.
            if let Some(len) = names::leading(name).filter(|_| rest.len() - name.len() <= 6) {
                let start = text.len() - name.len();
                let start = at + label.len() + (rest.len() - name.len()).min(start);
                hits.push(Hit::key(NAME, 0.85, start..start + len));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_label_counts() {
        let says = |text: &str| before(text, text.len());
        assert_eq!(says("订单号"), Some(Label::Other));
        assert_eq!(says("订单已发货，电话"), Some(Label::Data(Category::PhoneNumber)));
        assert_eq!(says("Order no. "), Some(Label::Other));
        assert_eq!(says("my zip "), None);
        assert_eq!(says("手机\n"), None);
    }
}

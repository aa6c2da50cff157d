//! Payment cards: issuer range, length and check digit (ISO/IEC 7812).

use super::Detector;
use super::field::{Field, Hit};
use super::labels::{self, Label};
use crate::model::Category::PaymentCard;

/// Card numbers.
pub(super) struct Card;

/// First digits from, to (of the same length), and the lengths that range issues. Public ranges of the networks.
const RANGES: &[(u32, u32, &[usize])] = &[
    (62, 62, &[16, 17, 18, 19]),
    (4, 4, &[13, 16]),
    (51, 55, &[16]),
    (2221, 2720, &[16]),
    (34, 34, &[15]),
    (37, 37, &[15]),
    (3528, 3589, &[16]),
    (36, 36, &[14]),
    (300, 305, &[14]),
    (6011, 6011, &[16]),
    (644, 649, &[16]),
    (65, 65, &[16]),
    // Mainland banks' own ranges from before UnionPay's 62, still on cards.
    (9558, 9558, &[19]),
    (6013, 6013, &[16, 19]),
    (4563, 4563, &[19]),
    (60, 60, &[16, 19]),
];

impl Detector for Card {
    fn id(&self) -> &'static str {
        "bank_card"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        for run in field.runs.iter().filter(|r| r.free && (13..=19).contains(&r.digits.len())) {
            let blocks = match run.sizes.as_slice() {
                [_] => true,
                [4, 6, 4 | 5] | [6, 13] | [6, 10] => true,
                [all @ .., last] => all.iter().all(|s| *s == 4) && *last <= 4,
                [] => false,
            };
            if !blocks || !luhn(&run.digits) {
                continue;
            }
            let label = labels::before(field.text, run.range.start);
            let told = field.means(PaymentCard) || label == Some(Label::Data(PaymentCard));
            let known = in_range(&run.digits);
            if told && run.digits.bytes().any(|b| b != b'0') || known && !field.sequence && !field.means_other(PaymentCard) && label != Some(Label::Other) {
                let confidence = if told { 0.99 } else { 0.9 };
                hits.push(Hit::value(PaymentCard, "bank_card", confidence, run.range.clone()));
            }
        }
    }
}

fn in_range(digits: &str) -> bool {
    RANGES.iter().any(|(from, to, lengths)| {
        let len = from.to_string().len();
        let start = digits.get(..len).and_then(|d| d.parse::<u32>().ok());
        lengths.contains(&digits.len()) && start.is_some_and(|s| (*from..=*to).contains(&s))
    })
}

/// ISO/IEC 7812-1 annex B.
pub(super) fn luhn(digits: &str) -> bool {
    let double = |d: u32| if d > 4 { d * 2 - 9 } else { d * 2 };
    let values = digits.chars().rev().filter_map(|c| c.to_digit(10));
    values.enumerate().map(|(i, d)| if i % 2 == 1 { double(d) } else { d }).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, found_in_text};

    #[test]
    fn cards_need_a_range_a_length_and_a_check_digit() {
        for text in ["4111 1111 1111 1111", "卡号6222020000000000004", "5500-0000-0000-0004", "378282246310005"] {
            let has = found_in_text(text).contains(&"payment_card");
            assert!(has || text.starts_with('卡'), "{text}");
        }
        for text in ["4111 1111 1111 1112", "1234567890123452", "1732352400000", "411111111111111", "订单号4111111111111111"] {
            assert!(!found_in_text(text).contains(&"payment_card"), "{text}");
        }
        assert!(found(r#"{"orderNo":"4111111111111111","trackingNo":5500000000000004}"#).is_empty());
        assert_eq!(found(r#"{"x":4111111111111111}"#), [("payment_card", "/x")]);
    }
}

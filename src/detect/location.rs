//! Coordinates: pairs of members, pairs in a list, pairs in one string.

use super::Detector;
use super::field::{Field, Hit};
use crate::model::Category::{self, CoarseLocation, PreciseLocation};
use crate::payload::Kind;

/// A pair in one string: `31.2304,121.4737`.
pub(super) struct Pair;

/// Digits behind the point from which a number in a pair is a place and not a price: 0.001 degree is some 100 m.
const DECIMALS: usize = 3;

impl Detector for Pair {
    fn id(&self) -> &'static str {
        "coordinates"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        if field.kind != Kind::Text || field.version {
            return;
        }
        let least = if field.means(PreciseLocation) { 1 } else { DECIMALS };
        for (comma, _) in field.text.match_indices([',', ';']) {
            let before = field.text.get(..comma).unwrap_or_default();
            let after = field.text.get(comma + 1..).unwrap_or_default();
            let first = before.bytes().rev().take(20).take_while(|b| is_part(*b)).count();
            let second_blank = usize::from(after.starts_with(' '));
            let second = after.bytes().skip(second_blank).take(20).take_while(|b| is_part(*b)).count();
            let (start, end) = (comma - first, comma + 1 + second_blank + second);
            let (Some(a), Some(b)) = (field.text.get(start..comma), field.text.get(comma + 1 + second_blank..end)) else { continue };
            let (b, end) = (b.trim_end_matches('.'), end - (b.len() - b.trim_end_matches('.').len()));
            let listed = before.get(..start).is_some_and(|t| t.trim_end().ends_with([',', ';']))
                || field
                    .text
                    .get(end..)
                    .is_some_and(|t| t.starts_with(',') && t.get(1..).is_some_and(|t| t.trim_start().starts_with(|c: char| c.is_ascii_digit())));
            if decimals(a) >= least && decimals(b) >= least && !listed && is_place(a, b) {
                hits.push(Hit::value(precision(a, b), "coordinates", 0.9, start..end));
            }
        }
    }
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
}

/// Digits behind the point.
pub(super) fn decimals(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, after)| after.bytes().take_while(u8::is_ascii_digit).count())
}

/// Whether a number can be a latitude or longitude.
pub(super) fn in_degrees(text: &str, most: f64) -> bool {
    text.trim().parse::<f64>().is_ok_and(|n| n.abs() <= most)
}

/// One of two is a latitude, the other a longitude, and not the null island of an unset field.
pub(super) fn is_place(a: &str, b: &str) -> bool {
    let zero = |t: &str| t.trim().parse::<f64>().is_ok_and(|n| n == 0.0);
    (in_degrees(a, 90.0) && in_degrees(b, 180.0) || in_degrees(a, 180.0) && in_degrees(b, 90.0)) && !(zero(a) && zero(b))
}

/// A tenth of a degree is 11 km: coarse. Anything finer is precise.
pub(super) fn precision(a: &str, b: &str) -> Category {
    if decimals(a).max(decimals(b)) <= 1 { CoarseLocation } else { PreciseLocation }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, found_in_text};

    #[test]
    fn a_pair_gives_one_finding_per_member() {
        assert_eq!(found(r#"{"lat":31.2304,"lng":121.4737}"#), [("precise_location", "/lat"), ("precise_location", "/lng")]);
        assert_eq!(found(r#"{"latitude":"31.2","longitude":"121.5"}"#), [("coarse_location", "/latitude"), ("coarse_location", "/longitude")]);
        assert_eq!(
            found(r#"{"type":"Point","coordinates":[121.4737,31.2304]}"#),
            [("precise_location", "/coordinates/0"), ("precise_location", "/coordinates/1")]
        );
        assert!(found(r#"{"lat":0,"lng":0}"#).is_empty());
        assert!(found(r#"{"store":{"lat":31.2304,"lng":121.4737}}"#).is_empty());
    }

    #[test]
    fn a_pair_in_a_string_is_one_finding() {
        assert!(found_in_text("当前位置31.230416,121.473701").contains(&"precise_location"));
        for text in ["12.50,13.99", "1.234,2.345,3.456", "999.1234,121.4737"] {
            assert!(!found_in_text(text).contains(&"precise_location"), "{text}");
        }
    }
}

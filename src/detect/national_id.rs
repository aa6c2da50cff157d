//! Numbers that states give to persons: mainland resident IDs (GB 11643), US social security numbers, Brazilian CPFs.

use super::Detector;
use super::field::{self, Field, Hit};
use super::labels::{self, Label};
use crate::model::Category::{NationalIdNumber, PassportPermitNumber};

/// Resident IDs, SSNs, CPFs.
pub(super) struct NationalId;

impl Detector for NationalId {
    fn id(&self) -> &'static str {
        "national_id"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        for run in &field.runs {
            let x = field.text.as_bytes().get(run.range.end).is_some_and(|b| matches!(b, b'X' | b'x'));
            let range = run.range.start..run.range.end + usize::from(x);
            let grouped = matches!(run.sizes.as_slice(), [_] | [6, 8, 4] | [6, 8, 3] | [6, 4, 4, 4] | [6, 4, 4, 3] | [3, 3, 4, 4, 4] | [6, 11] | [6, 12]);
            let told = || field.means(NationalIdNumber) || labels::before(field.text, run.range.start) == Some(Label::Data(NationalIdNumber));
            if grouped && field::is_free(field.text, &range) && is_resident_id(&run.digits, x) {
                hits.push(Hit::value(NationalIdNumber, "cn_resident_id", 0.99, range).issued_by("CN"));
            } else if !x && run.free && run.sizes.len() == 1 && is_legacy(&run.digits) && told() {
                hits.push(Hit::value(NationalIdNumber, "cn_resident_id", 0.9, range).issued_by("CN"));
            } else if run.free && (run.sizes == [3, 2, 4] || run.sizes == [9] && told()) && is_ssn(&run.digits) && !field.sequence {
                hits.push(Hit::value(NationalIdNumber, "us_ssn", 0.9, range).issued_by("US"));
            } else if run.free && run.sizes == [11] && is_cpf(&run.digits) && told() {
                hits.push(Hit::value(NationalIdNumber, "br_cpf", 0.95, range).issued_by("BR"));
            }
        }
        formatted_cpf(field, hits);
    }
}

/// GB/T 2260: the codes of provinces, and 81 to 83 for residents from Hong Kong, Macau and Taiwan.
const PROVINCES: &[u8] =
    &[11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91];

fn number(digits: &str, from: usize, len: usize) -> Option<u32> {
    digits.get(from..from + len)?.parse().ok()
}

fn province(digits: &str) -> bool {
    number(digits, 0, 2).is_some_and(|code| PROVINCES.contains(&(code as u8)))
}

/// A day that the calendar has.
pub(super) fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// Eighteen characters: place, birth, sequence and an ISO 7064 MOD 11-2 check character.
pub(super) fn is_resident_id(digits: &str, x: bool) -> bool {
    let check = if x { Some('X') } else { digits.chars().nth(17) };
    if digits.len() != 18 - usize::from(x) || !province(digits) {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (number(digits, 6, 4), number(digits, 10, 2), number(digits, 12, 2)) else { return false };
    if !(1870..=2100).contains(&year) || !is_day(year, month, day) {
        return false;
    }
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.chars().zip(WEIGHTS).filter_map(|(c, w)| Some(c.to_digit(10)? * w)).sum();
    check == "10X98765432".chars().nth((sum % 11) as usize)
}

/// Fifteen digits, given until 1999: no century, no check character.
fn is_legacy(digits: &str) -> bool {
    let day = || Some(is_day(1900 + number(digits, 6, 2)?, number(digits, 8, 2)?, number(digits, 10, 2)?));
    digits.len() == 15 && province(digits) && day().unwrap_or_default()
}

/// Areas 000, 666 and 900 up, group 00 and serial 0000 were never given (SSA).
fn is_ssn(digits: &str) -> bool {
    let (Some(area), Some(group), Some(serial)) = (number(digits, 0, 3), number(digits, 3, 2), number(digits, 5, 4)) else { return false };
    digits.len() == 9 && !matches!(area, 0 | 666 | 900..) && group > 0 && serial > 0
}

/// Two check digits, weights from 10 and 11 down; repeated digits pass the sums and are never given.
fn is_cpf(digits: &str) -> bool {
    let values: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(10)).collect();
    let check = |count: usize| {
        let sum: u32 = values.iter().take(count).enumerate().map(|(i, v)| v * (count + 1 - i) as u32).sum();
        (sum * 10 % 11 % 10) == values.get(count).copied().unwrap_or(99)
    };
    values.len() == 11 && check(9) && check(10) && values.iter().any(|v| Some(v) != values.first())
}

/// `123.456.789-09`.
fn formatted_cpf(field: &Field<'_>, hits: &mut Vec<Hit>) {
    const LEN: usize = 14;
    for (dash, _) in field.text.match_indices('-') {
        let Some(range) = dash.checked_sub(LEN - 3).map(|start| start..dash + 3) else { continue };
        let Some(text) = field.text.get(range.clone()) else { continue };
        let marks = text.bytes().enumerate().all(|(i, b)| match i {
            3 | 7 => b == b'.',
            11 => b == b'-',
            _ => b.is_ascii_digit(),
        });
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if marks && field::is_free(field.text, &range) && is_cpf(&digits) {
            hits.push(Hit::value(NationalIdNumber, "br_cpf", 0.98, range).issued_by("BR"));
        }
    }
}

/// Passports and travel permits, by name or label.
pub(super) struct Passport;

impl Detector for Passport {
    fn id(&self) -> &'static str {
        "passport"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        let mut start = 0;
        // Up to two letters and six digits or more; words end where neither goes on.
        for piece in field.text.split(|c: char| !c.is_ascii_alphanumeric()) {
            let range = start..start + piece.len();
            start = range.end + field.text.get(range.end..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
            let letters = piece.bytes().take_while(u8::is_ascii_uppercase).count();
            let numbered = piece.len() - letters >= 6 && piece.bytes().skip(letters).all(|b| b.is_ascii_digit());
            if piece.len() > 11 || letters > 2 || !numbered {
                continue;
            }
            let label = labels::before(field.text, range.start);
            let told = field.means(PassportPermitNumber) || label == Some(Label::Data(PassportPermitNumber));
            if !told {
                continue;
            }
            let hit = match piece.as_bytes() {
                [b'E' | b'G' | b'D' | b'S' | b'P', second, ..] if piece.len() == 9 && (second.is_ascii_digit() || piece.starts_with('E')) => {
                    Hit::value(PassportPermitNumber, "cn_passport", 0.95, range).issued_by("CN")
                }
                [b'H' | b'M', ..] if (9..=11).contains(&piece.len()) && letters == 1 => Hit::value(PassportPermitNumber, "hk_mo_permit", 0.95, range),
                _ if letters == 0 && piece.len() == 8 && field.text.contains("台") => Hit::value(PassportPermitNumber, "tw_permit", 0.95, range),
                _ => Hit::value(PassportPermitNumber, "passport", 0.9, range),
            };
            hits.push(hit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, found_in_text};
    use super::*;

    #[test]
    fn a_resident_id_has_a_place_a_birth_and_a_check_character() {
        assert!(is_resident_id("11010519491231002", true));
        assert!(!is_resident_id("110105194912310021", false));
        for text in ["身份证11010519491231002X", "身份证号码：110105 19491231 002X", "id 11010519491231002x."] {
            assert!(found_in_text(text).contains(&"national_id_number"), "{text}");
        }
        for text in ["110105194912310021", "99010519491231002X", "11010519491331002X", "订单202411231234567890"] {
            assert!(!found_in_text(text).contains(&"national_id_number"), "{text}");
        }
    }

    #[test]
    fn other_states_numbers_have_their_own_rules() {
        assert!(found_in_text("SSN 536-90-4399").contains(&"national_id_number"));
        assert!(!found_in_text("000-12-3456 666-12-3456 900-12-3456").contains(&"national_id_number"));
        assert!(found_in_text("CPF 529.982.247-25").contains(&"national_id_number"));
        assert!(!found_in_text("529.982.247-26").contains(&"national_id_number"));
    }

    #[test]
    fn a_passport_needs_a_name_or_label() {
        assert_eq!(found(r#"{"passportNo":"E12345678","sku":"E12345679"}"#), [("passport_permit_number", "/passportNo")]);
        assert!(found_in_text("护照号E12345678").contains(&"passport_permit_number"));
    }
}

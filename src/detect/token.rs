//! Our own tokens: `dmc1.<category>.<payload>`, personal data that has been replaced already.

use super::field::{Field, Hit};
use super::{Detector, TOKEN_DETECTOR};
use crate::model::{Category, Form};

/// What every token of ours starts with.
pub const PREFIX: &str = "dmc1.";

/// Shortest payload, in characters of base64url: a synthetic IV alone has 22 (RFC 5297).
const PAYLOAD_MIN: usize = 8;

/// Tokens of ours.
pub(super) struct Token;

impl Detector for Token {
    fn id(&self) -> &'static str {
        TOKEN_DETECTOR
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        for (at, _) in field.text.match_indices(PREFIX) {
            let rest = field.text.get(at + PREFIX.len()..).unwrap_or_default();
            let Some((category, rest)) = rest.split_once('.').filter(|(c, _)| c.len() <= 64) else { continue };
            let payload = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
            let Ok(found) = category.parse::<Category>() else { continue };
            if payload >= PAYLOAD_MIN {
                let end = at + PREFIX.len() + category.len() + 1 + payload;
                hits.push(Hit { form: Form::Pseudonymised, ..Hit::value(found, TOKEN_DETECTOR, 1.0, at..end) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::scanned;
    use crate::model::Form;

    #[test]
    fn a_token_of_ours_is_pseudonymised_data_and_nothing_else() {
        let findings = scanned(r#"{"phone":"dmc1.phone_number.AbCdEf1234567890","password":"dmc1.person_name.AbCdEf1234567890"}"#);
        let seen: Vec<_> = findings.iter().map(|f| (f.category.id(), f.form, f.detector, f.at.as_str())).collect();
        assert_eq!(
            seen,
            [("phone_number", Form::Pseudonymised, "domicile_token", "/phone"), ("person_name", Form::Pseudonymised, "domicile_token", "/password")]
        );
    }
}

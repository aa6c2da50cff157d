//! Numbers burnt into devices: IMEI (3GPP TS 23.003 section 6.2).

use super::Detector;
use super::card::luhn;
use super::field::{Field, Hit};
use super::labels::{self, Label};
use crate::model::Category::{AdvertisingId, HardwareId, SoftwareDeviceId};

/// IMEIs.
pub(super) struct Imei;

/// First two digits: the reporting bodies that give type allocation codes today.
const BODIES: &[&str] = &["01", "35", "86", "99"];

impl Detector for Imei {
    fn id(&self) -> &'static str {
        "imei"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        for run in field.runs.iter().filter(|r| r.free && r.digits.len() == 15 && matches!(r.sizes.as_slice(), [15] | [2, 6, 6, 1] | [6, 2, 6, 1] | [8, 6, 1]))
        {
            if !luhn(&run.digits) {
                continue;
            }
            let label = labels::before(field.text, run.range.start);
            let told = field.means(HardwareId) || label == Some(Label::Data(HardwareId));
            let other =
                field.sequence || label == Some(Label::Other) || field.means_other(HardwareId) && !field.means(SoftwareDeviceId) && !field.means(AdvertisingId);
            let plausible = BODIES.iter().any(|body| run.digits.starts_with(body));
            if told || plausible && !other {
                hits.push(Hit::value(HardwareId, "imei", if told { 0.99 } else { 0.85 }, run.range.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, found_in_text};

    #[test]
    fn an_imei_has_a_check_digit_and_a_plausible_start_or_a_name() {
        assert!(found_in_text("IMEI:490154203237518").contains(&"hardware_id"));
        assert!(found_in_text("356938035643809").contains(&"hardware_id"));
        assert!(!found_in_text("356938035643808").contains(&"hardware_id"));
        assert!(!found_in_text("490154203237518").contains(&"hardware_id"));
        assert_eq!(found(r#"{"deviceId":"356938035643809","orderId":"356938035643809"}"#), [("hardware_id", "/deviceId")]);
    }
}

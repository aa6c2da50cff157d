//! Keyed pseudonyms: equal values stay equal, so that joins work, and without the key nobody can try values until one fits.

use super::keys::Key;
use super::{CannotEdit, Context, New, Transform};
use crate::model::{Category, Form, Technique};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How every pseudonym begins: version 1 of the notation.
const PREFIX: &str = "dmp1.";
/// Bytes of the authentication code that stay: 160 bits, at which no two of a million million values meet by chance.
const CODE_BYTES: usize = 20;
/// RFC 4648 §6 in lower case. Without 0, 1, 8 and 9 it is never taken for a number.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// `dmp1.<category>.<base32 of HMAC-SHA256>`, different for every tenant, API and category.
pub(super) struct Pseudonym;

impl Transform for Pseudonym {
    fn technique(&self) -> Technique {
        Technique::Pseudonym
    }

    fn form(&self) -> Form {
        Form::Pseudonymised
    }

    fn edit(&self, category: Category, text: &str, context: &Context<'_>) -> Result<New, CannotEdit> {
        let code = code(context.keys.current().ok_or(CannotEdit::NoKey)?, category, text, context)?;
        Ok(New::Text(format!("{PREFIX}{category}.{}", base32(code.get(..CODE_BYTES).unwrap_or(&code)))))
    }

    fn declares(&self, _: Category, _: Category) -> bool {
        false
    }
}

fn code(key: &Key, category: Category, text: &str, context: &Context<'_>) -> Result<[u8; 32], CannotEdit> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.pseudonym.as_slice()).map_err(|_| CannotEdit::Cipher)?;
    for part in [context.tenant, context.api.as_str(), category.id(), text] {
        // Each part with its length, or `ab` + `c` would be `a` + `bc`.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    Ok(mac.finalize().into_bytes().into())
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let group = chunk.iter().chain(&[0; 5]).take(5).fold(0u64, |group, byte| group << 8 | u64::from(*byte));
        let letters = (0..(chunk.len() * 8).div_ceil(5)).map(|i| BASE32.get((group >> (35 - 5 * i)) as usize & 31).copied().unwrap_or_default());
        text.extend(letters.map(char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deidentify::Keys;

    fn pseudonym(tenant: &str, api: &str, category: Category, text: &str, secret: u8) -> String {
        let keys = Keys::default().with("k", "CN".parse().unwrap(), &[secret; 32]).unwrap();
        let api = api.parse().unwrap();
        match Pseudonym.edit(category, text, &Context { tenant, api: &api, subject: None, keys: &keys }) {
            Ok(New::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_values_stay_equal_and_nothing_else_is_equal() {
        let one = pseudonym("shop", "orders", Category::AccountId, "u-1", 1);
        assert_eq!(one, pseudonym("shop", "orders", Category::AccountId, "u-1", 1));
        assert!(one.starts_with("dmp1.account_id.") && one.len() == "dmp1.account_id.".len() + 32, "{one}");
        for other in [
            pseudonym("shop2", "orders", Category::AccountId, "u-1", 1),
            pseudonym("shop", "orders2", Category::AccountId, "u-1", 1),
            pseudonym("shop", "orders", Category::HardwareId, "u-1", 1),
            pseudonym("shop", "orders", Category::AccountId, "u-2", 1),
            pseudonym("shop", "orders", Category::AccountId, "u-1", 2),
            pseudonym("shopo", "rders", Category::AccountId, "u-1", 1),
        ] {
            assert_ne!(one.rsplit('.').next(), other.rsplit('.').next());
        }
    }

    #[test]
    fn without_a_key_there_is_no_pseudonym() {
        let (api, keys) = ("a".parse().unwrap(), Keys::default());
        let context = Context { tenant: "t", api: &api, subject: None, keys: &keys };
        assert_eq!(Pseudonym.edit(Category::AccountId, "u-1", &context), Err(CannotEdit::NoKey));
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("fooba", "mzxw6ytb"), ("foobar", "mzxw6ytboi")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}

//! Masks: enough of a value for a person to recognise their own, never enough to find them.

use super::{CannotEdit, Context, New, Transform};
use crate::model::{Category, Form, Technique};

/// Stands for whatever is hidden. Always as long: the length of a value tells too.
const HIDDEN: &str = "***";

/// Keeps what is customary to show (the `138***8000` of Chinese bills, the last four of a card), and of everything else nothing.
pub(super) struct Mask;

impl Transform for Mask {
    fn technique(&self) -> Technique {
        Technique::Mask
    }

    fn form(&self) -> Form {
        Form::Deidentified
    }

    fn edit(&self, category: Category, text: &str, _: &Context<'_>) -> Result<New, CannotEdit> {
        let masked = match category {
            Category::PhoneNumber => digits(text, 11, 3, 4),
            Category::PaymentCard | Category::BankAccountNumber => digits(text, 12, 0, 4),
            Category::NationalIdNumber => digits(text, 9, 0, 2),
            Category::EmailAddress => email(text),
            Category::PersonName => name(text),
            _ => None,
        };
        Ok(New::Text(masked.unwrap_or_else(|| HIDDEN.to_owned())))
    }

    /// `j***@example.com` is an address by the letter of RFC 5322 §3.2.3.
    fn declares(&self, category: Category, found: Category) -> bool {
        category == Category::EmailAddress && found == category
    }
}

/// The first and last digits of a number that has at least `least`; none of a shorter one, of which they would be too much.
fn digits(text: &str, least: usize, first: usize, last: usize) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < least {
        return None;
    }
    let (front, rest) = digits.split_at_checked(first)?;
    Some(format!("{front}{HIDDEN}{}", rest.get(rest.len().checked_sub(last)?..)?))
}

/// The first character of a longer local part, and the domain.
fn email(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@').filter(|(_, domain)| !domain.is_empty())?;
    let first: String = local.chars().take(usize::from(local.chars().nth(2).is_some())).collect();
    Some(format!("{first}{HIDDEN}@{domain}"))
}

/// The first character: of a Chinese name the family name, of most others an initial.
fn name(text: &str) -> Option<String> {
    let mut characters = text.trim().chars();
    let first = characters.next()?;
    characters.next().map(|_| format!("{first}{HIDDEN}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deidentify::Keys;
    use proptest::prelude::*;

    fn mask(category: Category, text: &str) -> String {
        let (api, keys) = ("a".parse().unwrap(), Keys::default());
        match Mask.edit(category, text, &Context { tenant: "t", api: &api, subject: None, keys: &keys }) {
            Ok(New::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn masks_keep_what_is_customary() {
        assert_eq!(mask(Category::PhoneNumber, "13800138000"), "138***8000");
        assert_eq!(mask(Category::PhoneNumber, "+86 138-0013-8000"), "861***8000");
        assert_eq!(mask(Category::EmailAddress, "jane.roe@mail.example"), "j***@mail.example");
        assert_eq!(mask(Category::PersonName, "张伟"), "张***");
        assert_eq!(mask(Category::PersonName, "Jane Roe"), "J***");
        assert_eq!(mask(Category::PaymentCard, "4111 1111 1111 1111"), "***1111");
        assert_eq!(mask(Category::NationalIdNumber, "11010519491231002X"), "***02");
        assert_eq!(mask(Category::PostalAddress, "1 Example Street"), "***");
    }

    #[test]
    fn of_short_values_nothing_is_kept() {
        assert_eq!(mask(Category::PhoneNumber, "5551234"), "***");
        assert_eq!(mask(Category::PaymentCard, "1111"), "***");
        assert_eq!(mask(Category::PersonName, "伟"), "***");
        assert_eq!(mask(Category::EmailAddress, "jo@mail.example"), "***@mail.example");
        assert_eq!(mask(Category::EmailAddress, "not an address"), "***");
        assert_eq!(mask(Category::PhoneNumber, ""), "***");
    }

    /// Most characters of the original that a mask of this value may show.
    fn kept_at_most(category: Category, text: &str) -> usize {
        match category {
            Category::PhoneNumber => 7,
            Category::PaymentCard | Category::BankAccountNumber => 4,
            Category::NationalIdNumber => 2,
            Category::PersonName => 1,
            Category::EmailAddress => text.trim().rsplit_once('@').map_or(0, |(_, domain)| 2 + domain.chars().count()),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn a_mask_never_shows_more_than_it_says(text in "[0-9 +-]{0,24}|\\PC{0,30}|[a-z.]{1,12}@[a-z]{1,8}\\.example", category in prop::sample::select(Category::ALL)) {
            let masked = mask(category, &text);
            prop_assert!(masked.chars().count() <= kept_at_most(category, &text) + HIDDEN.len());
            prop_assert!(masked.contains(HIDDEN));
        }

        #[test]
        fn a_phone_number_keeps_at_least_four_digits_hidden(text in "[0-9]{11,15}") {
            let shown = mask(Category::PhoneNumber, &text).chars().filter(char::is_ascii_digit).count();
            prop_assert!(shown + 4 <= text.len());
        }
    }
}

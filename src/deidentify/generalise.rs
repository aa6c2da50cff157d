//! Coarser values: the year of a birth date, a square kilometre of a place, the network of an address. Coarse values stay as they are.

use super::{CannotEdit, Context, New, Transform};
use crate::model::{Category, Form, Technique};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Decimals of a coordinate that stay: two are 1.1 km of latitude (`law.md` §14).
const DECIMALS: usize = 2;
/// Years in which somebody alive can have been born.
const YEARS: std::ops::RangeInclusive<u16> = 1900..=2100;
/// No coordinate is larger, in degrees.
const DEGREES_MAX: u16 = 180;

/// Keeps the order of magnitude.
pub(super) struct Generalise;

impl Transform for Generalise {
    fn technique(&self) -> Technique {
        Technique::Generalise
    }

    fn form(&self) -> Form {
        Form::Deidentified
    }

    fn edit(&self, category: Category, text: &str, _: &Context<'_>) -> Result<New, CannotEdit> {
        match category {
            Category::BirthDateAge => birth(text).map(New::Number),
            Category::PreciseLocation | Category::CoarseLocation | Category::LocationTrajectory => coordinates(text),
            Category::IpAddress => network(text).map(New::Text),
            _ => return Err(CannotEdit::Category),
        }
        .ok_or(CannotEdit::Notation)
    }

    /// A network is written as an address, and coarse coordinates are coordinates.
    fn declares(&self, category: Category, found: Category) -> bool {
        match category {
            Category::PreciseLocation | Category::LocationTrajectory => matches!(found, Category::PreciseLocation | Category::CoarseLocation),
            Category::BirthDateAge | Category::CoarseLocation | Category::IpAddress => found == category,
            _ => false,
        }
    }
}

/// The year of a date, or the decade of an age.
fn birth(text: &str) -> Option<String> {
    let text = text.trim();
    let year = |digits: &str| digits.parse().ok().filter(|year| YEARS.contains(year)).map(|year: u16| year.to_string());
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        let mut groups = text.split(|c: char| !c.is_ascii_digit()).filter(|group| group.len() == 4);
        return groups.find_map(year);
    }
    match text.len() {
        1..=3 => text.parse::<u16>().ok().map(|age| (age / 10 * 10).to_string()),
        4 => year(text),
        8 => year(text.get(..4)?),
        _ => None,
    }
}

/// One coordinate, or several with separators between.
fn coordinates(text: &str) -> Option<New> {
    let separator = |c: char| matches!(c, ',' | ';' | ' ');
    let coarse: Vec<String> =
        text.split(separator).map(|number| if number.is_empty() { Some(String::new()) } else { coordinate(number) }).collect::<Option<_>>()?;
    let mut separators = text.chars().filter(|c| separator(*c));
    let mut new = String::new();
    for number in &coarse {
        new.push_str(number);
        new.extend(separators.next());
    }
    let numbers = coarse.iter().filter(|number| !number.is_empty()).count();
    match (numbers, coarse.len()) {
        (0, _) => None,
        (1, 1) => Some(New::Number(new)),
        _ => Some(New::Text(new)),
    }
}

/// Cut, not rounded: so that a coarse coordinate is already coarse.
fn coordinate(text: &str) -> Option<String> {
    let (sign, magnitude) = text.split_at_checked(usize::from(text.starts_with(['-', '+'])))?;
    let (whole, fraction) = magnitude.split_once('.').map_or((magnitude, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) || whole.parse::<u16>().ok()? > DEGREES_MAX {
        return None;
    }
    let kept = fraction.map(|f| format!(".{}", f.get(..DECIMALS).unwrap_or(f))).unwrap_or_default();
    Some(format!("{sign}{whole}{kept}"))
}

/// `/24` of IPv4, `/48` of IPv6: what a provider gives to one site at least.
fn network(text: &str) -> Option<String> {
    let coarse = match text.trim().parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    };
    Some(coarse.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deidentify::Keys;
    use proptest::prelude::*;

    fn generalise(category: Category, text: &str) -> Result<New, CannotEdit> {
        let (api, keys) = ("a".parse().unwrap(), Keys::default());
        Generalise.edit(category, text, &Context { tenant: "t", api: &api, subject: None, keys: &keys })
    }

    fn text(category: Category, text: &str) -> String {
        match generalise(category, text).unwrap() {
            New::Text(new) | New::Number(new) => new,
            New::Removed => panic!("removed"),
        }
    }

    #[test]
    fn of_a_birth_date_the_year_stays_and_of_an_age_the_decade() {
        for date in ["1990-05-12", "1990/5/12", "19900512", "12.05.1990", "1990年5月12日", "1990-05-12T00:00:00Z", "1990"] {
            assert_eq!(text(Category::BirthDateAge, date), "1990", "{date}");
        }
        assert_eq!(text(Category::BirthDateAge, "34"), "30");
        assert_eq!(text(Category::BirthDateAge, "7"), "0");
        for other in ["", "642470400", "642470400000", "yesterday", "12/05/90", "00000000"] {
            assert_eq!(generalise(Category::BirthDateAge, other), Err(CannotEdit::Notation), "{other}");
        }
    }

    #[test]
    fn of_coordinates_two_decimals_stay() {
        assert_eq!(generalise(Category::PreciseLocation, "31.230416"), Ok(New::Number("31.23".into())));
        assert_eq!(generalise(Category::PreciseLocation, "-0.001"), Ok(New::Number("-0.00".into())));
        assert_eq!(generalise(Category::PreciseLocation, "31.230416, 121.473701"), Ok(New::Text("31.23, 121.47".into())));
        for other in ["", "3.1230416e1", "31230416", "181.5", "31°13'49\"N", "31.", ".5", "near the river", "３１.２３０４"] {
            assert_eq!(generalise(Category::PreciseLocation, other), Err(CannotEdit::Notation), "{other}");
        }
    }

    #[test]
    fn of_an_address_the_network_stays() {
        assert_eq!(text(Category::IpAddress, "203.0.113.77"), "203.0.113.0");
        assert_eq!(text(Category::IpAddress, "::ffff:203.0.113.77"), "203.0.113.0");
        assert_eq!(text(Category::IpAddress, "2001:db8:1:2:3:4:5:6"), "2001:db8:1::");
        assert_eq!(generalise(Category::IpAddress, "203.0.113.77:80"), Err(CannotEdit::Notation));
    }

    #[test]
    fn what_has_no_coarser_notation_is_not_generalised() {
        assert_eq!(generalise(Category::PhoneNumber, "13800138000"), Err(CannotEdit::Category));
    }

    proptest! {
        #[test]
        fn generalising_twice_is_generalising_once(
            value in "[0-9]{1,9}|[12][0-9]{3}-[0-9]{2}-[0-9]{2}|-?[0-9]{1,3}\\.[0-9]{1,9}([,; ] ?-?[0-9]{1,3}\\.[0-9]{1,9})?|[0-9a-f:]{2,20}|[0-9]{1,3}(\\.[0-9]{1,3}){3}",
            category in prop::sample::select(vec![Category::BirthDateAge, Category::PreciseLocation, Category::IpAddress]),
        ) {
            if let Ok(New::Text(once) | New::Number(once)) = generalise(category, &value) {
                prop_assert_eq!(text(category, &once), once);
            }
        }
    }
}

//! Names of fields: split into words, looked up in the lexicon, judged once per document.

use super::lexicon::{self, Shape};
use crate::model::Category;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// Longest name that is looked at, in bytes: beyond it nothing is a name that people write.
const NAME_BYTES_MAX: usize = 96;

/// What a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meaning {
    pub(super) category: Category,
    pub(super) detector: &'static str,
    pub(super) shape: Shape,
}

/// Whom the things under a name belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Owner {
    #[default]
    Unknown,
    Person,
    Thing,
    /// Only wraps; what is above counts.
    Wrapper,
}

/// All that one name tells.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Key {
    pub(super) meaning: Option<Meaning>,
    /// Who owns what lies below the name.
    pub(super) owner: Owner,
    /// Just `name`: means a person's only in the right place.
    pub(super) bare_name: bool,
    /// Just `id`.
    pub(super) bare_id: bool,
    /// Just `number`, `value` …: means what the name above means.
    pub(super) generic: bool,
    pub(super) sequence: bool,
    pub(super) version: bool,
    pub(super) machinery: bool,
    pub(super) latitude: bool,
    pub(super) longitude: bool,
    /// A sibling `name` is a thing's.
    pub(super) thing_trait: bool,
    /// Names a line of a postal address, or a place in one.
    pub(super) address_part: bool,
}

impl Key {
    /// A sibling `name` is a person's.
    pub(super) fn person_trait(&self) -> bool {
        use Category::*;
        self.meaning.is_some_and(|m| {
            matches!(
                m.category,
                EmailAddress
                    | PhoneNumber
                    | NationalIdNumber
                    | PassportPermitNumber
                    | Gender
                    | BirthDateAge
                    | PostalAddress
                    | PaymentCard
                    | PersonName
                    | BankAccountNumber
                    | AccountId
                    | SocialAccount
            )
        })
    }

    /// Reads one name.
    pub(super) fn read(name: &str) -> Key {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Key::default();
        }
        let mut words = words(name);
        while words.len() > 1 && words.last().is_some_and(|w| w.chars().all(|c| c.is_ascii_digit())) && !TABLES.known(&words.concat()) {
            words.pop();
        }
        if let Some(last) = words.last_mut() {
            singular(last);
        }
        let joined = words.concat();
        let (end, two) = ends(&words);
        let any_end = |set: &HashSet<&str>| set.contains(end.as_str()) || set.contains(two.as_str()) || set.contains(joined.as_str());
        let (meaning, bare_name) = TABLES.meaning(&words);
        Key {
            meaning,
            owner: owner(&words),
            bare_name,
            bare_id: joined == "id",
            generic: TABLES.generic.contains(joined.as_str()),
            sequence: meaning.is_none()
                && (any_end(&TABLES.sequence) || matches!(words.as_slice(), [before @ .., last] if last == "id" && owner(before) == Owner::Thing)),
            version: any_end(&TABLES.version),
            machinery: any_end(&TABLES.machinery)
                || words.first().is_some_and(|w| matches!(w.as_str(), "server" | "upstream" | "backend" | "dns" | "pod" | "cluster" | "gateway")),
            latitude: matches!(end.as_str(), "lat" | "latitude" | "weidu" | "纬度"),
            longitude: matches!(end.as_str(), "lng" | "lon" | "long" | "longitude" | "jingdu" | "经度"),
            thing_trait: TABLES.thing_traits.contains(joined.as_str()),
            address_part: any_end(&ADDRESS_PARTS),
        }
    }
}

/// Last word, and the last two joined.
fn ends(words: &[String]) -> (String, String) {
    let end = words.last().cloned().unwrap_or_default();
    let two = words.get(words.len().saturating_sub(2)..).unwrap_or_default().concat();
    (end, two)
}

/// Who owns what lies below: the last word that says so, past words that only wrap.
fn owner(words: &[String]) -> Owner {
    let mut wrapped = false;
    for word in words.iter().rev() {
        let person = TABLES.person.contains(word.as_str());
        if person || TABLES.thing.contains(word.as_str()) {
            return if person { Owner::Person } else { Owner::Thing };
        }
        if !TABLES.wrapper.contains(word.as_str())
            && !matches!(word.as_str(), "my" | "the" | "new" | "old" | "all" | "list" | "current" | "default" | "primary")
        {
            return Owner::Unknown;
        }
        wrapped = true;
    }
    if wrapped { Owner::Wrapper } else { Owner::Unknown }
}

/// `phones` and `addresses` are told by what they hold.
fn singular(word: &mut String) {
    if word.len() > 3 && word.is_ascii() && !TABLES.known(word) && word.ends_with('s') && !word.ends_with("ss") {
        let stem = if word.ends_with("sses") || word.ends_with("xes") { 2 } else { 1 };
        word.truncate(word.len() - stem);
    } else if word.ends_with("sses") {
        word.truncate(word.len() - 2);
    }
}

/// The words of a name in lower case: split at separators, humps, and between letters, digits and other scripts.
pub(super) fn words(name: &str) -> Vec<String> {
    let folded: String = name.nfkc().collect();
    let mut words: Vec<String> = Vec::new();
    let mut last = Class::Separator;
    let mut chars = folded.chars().peekable();
    while let Some(c) = chars.next() {
        let class = Class::of(c);
        let hump = class == Class::Upper && (last == Class::Lower || last == Class::Upper && chars.peek().is_some_and(|n| n.is_ascii_lowercase()));
        let change = class != last && !(last == Class::Upper && class == Class::Lower);
        if class != Class::Separator {
            match words.last_mut() {
                Some(word) if !hump && !change => word.extend(c.to_lowercase()),
                _ => words.push(c.to_lowercase().collect()),
            }
        }
        last = class;
    }
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
    Separator,
}

impl Class {
    fn of(c: char) -> Class {
        match c {
            'a'..='z' => Class::Lower,
            'A'..='Z' => Class::Upper,
            '0'..='9' => Class::Digit,
            c if c.is_alphanumeric() => Class::Other,
            _ => Class::Separator,
        }
    }
}

/// Names of the parts of an address: an object under `address` without any of them is something else.
static ADDRESS_PARTS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    set("street road line line1 address addressline address1 addressline1 city town province state country county district zip zipcode postcode postalcode postal house housenumber building detail region area
        省 市 区 县 街道 省份 城市 区县 详细地址 地址 邮编 详细")
});

/// The lexicon, indexed.
struct Tables {
    meanings: HashMap<&'static str, Meaning>,
    nothing: HashSet<&'static str>,
    person: HashSet<&'static str>,
    thing: HashSet<&'static str>,
    wrapper: HashSet<&'static str>,
    thing_traits: HashSet<&'static str>,
    sequence: HashSet<&'static str>,
    version: HashSet<&'static str>,
    machinery: HashSet<&'static str>,
    generic: HashSet<&'static str>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    meanings: lexicon::ROWS
        .iter()
        .flat_map(|(category, detector, shape, names)| names.split_whitespace().map(|name| (name, Meaning { category: *category, detector, shape: *shape })))
        .collect(),
    nothing: set(lexicon::NOTHING),
    person: set(lexicon::PERSON),
    thing: set(lexicon::THING),
    wrapper: set(lexicon::WRAPPER),
    thing_traits: set(lexicon::THING_TRAITS),
    sequence: set(lexicon::SEQUENCE),
    version: set(lexicon::VERSION),
    machinery: set(lexicon::MACHINERY),
    generic: set(lexicon::GENERIC),
});

fn set(names: &'static str) -> HashSet<&'static str> {
    names.split_whitespace().collect()
}

/// A bare `name` after a word for a person.
const NAME_OF_A_PERSON: Meaning = Meaning { category: Category::PersonName, detector: "name_key", shape: Shape::Name };

impl Tables {
    fn known(&self, name: &str) -> bool {
        self.meanings.contains_key(name) || self.nothing.contains(name) || self.sequence.contains(name)
    }

    /// What the words mean by their longest known ending, and whether they are just `name`.
    fn meaning(&self, words: &[String]) -> (Option<Meaning>, bool) {
        let count = words.len();
        let last = words.last().map(String::as_str).unwrap_or_default();
        if last == "name" || last == "名称" && count > 1 {
            return match words.get(..count - 1).unwrap_or_default() {
                [] => (None, true),
                before => match self.ending(words) {
                    Some(known) => (known, false),
                    None if last == "name" && owner(before) == Owner::Person => (Some(NAME_OF_A_PERSON), false),
                    None => (None, false),
                },
            };
        }
        if last == "id"
            && count > 1
            && owner(words.get(..count - 1).unwrap_or_default()) == Owner::Thing
            && self.ending(words.get(count.saturating_sub(2)..).unwrap_or_default()).is_none()
        {
            return (None, false);
        }
        (self.ending(words).flatten(), false)
    }

    /// `Some(None)` is a known look-alike.
    #[allow(clippy::option_option)]
    fn ending(&self, words: &[String]) -> Option<Option<Meaning>> {
        let find = |name: &str| if self.nothing.contains(name) { Some(None) } else { self.meanings.get(name).map(|m| Some(*m)) };
        for start in 0..words.len() {
            if let Some(found) = find(&words.get(start..).unwrap_or_default().concat()) {
                return Some(found);
            }
        }
        let last = words.last()?;
        if last.is_ascii() {
            // Three letters of a person and three of what is theirs.
            const SHORTEST: usize = 6;
            if last.len() < SHORTEST {
                return None;
            }
            // `userphone`: a person's word, then a known name.
            return self
                .person
                .iter()
                .filter_map(|p| last.strip_prefix(p))
                .filter(|rest| rest.len() > 2)
                .find_map(|rest| if rest == "name" { Some(Some(NAME_OF_A_PERSON)) } else { find(rest) });
        }
        // Chinese runs on without separators: the longest known ending of the last word.
        last.char_indices().skip(1).find_map(|(at, _)| last.get(at..).filter(|rest| rest.chars().count() > 1).and_then(find))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(name: &str) -> Option<Category> {
        Key::read(name).meaning.map(|m| m.category)
    }

    #[test]
    fn a_name_is_read_in_every_style() {
        use Category::*;
        for (name, expected) in [
            ("phone", PhoneNumber),
            ("phoneNo", PhoneNumber),
            ("user_phone_number", PhoneNumber),
            ("Mobile-Phone", PhoneNumber),
            ("receiverMobile", PhoneNumber),
            ("phones", PhoneNumber),
            ("phone2", PhoneNumber),
            ("userphone", PhoneNumber),
            ("user[phone]", PhoneNumber),
            ("sjh", PhoneNumber),
            ("手机号", PhoneNumber),
            ("收货人手机号", PhoneNumber),
            ("联系电话1", PhoneNumber),
            ("real_name", PersonName),
            ("firstName", PersonName),
            ("customerName", PersonName),
            ("customer_full_name", PersonName),
            ("姓名", PersonName),
            ("学生姓名", PersonName),
            ("recipientName", PersonName),
            ("IDCard", NationalIdNumber),
            ("idCardNo", NationalIdNumber),
            ("sfzh", NationalIdNumber),
            ("身份证号", NationalIdNumber),
            ("addr", PostalAddress),
            ("shippingAddress", PostalAddress),
            ("addresses", PostalAddress),
            ("收货地址", PostalAddress),
            ("dob", BirthDateAge),
            ("date_of_birth", BirthDateAge),
            ("出生日期", BirthDateAge),
            ("faceFeature", FaceBiometric),
            ("face_id", FaceBiometric),
            ("userId", AccountId),
            ("uid", AccountId),
            ("user_name", AccountId),
            ("openid", SocialAccount),
            ("unionId", SocialAccount),
            ("accessToken", CredentialSecret),
            ("password", CredentialSecret),
            ("androidId", SoftwareDeviceId),
            ("DeviceID", SoftwareDeviceId),
            ("IMEI1", HardwareId),
            ("oaid", AdvertisingId),
            ("macAddress", MacAddress),
            ("IP地址", IpAddress),
            ("bank_card_no", PaymentCard),
        ] {
            assert_eq!(category(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_look_alike_means_nothing() {
        for name in [
            "phoneModel",
            "healthCheck",
            "cardType",
            "emailVerified",
            "addressType",
            "productName",
            "fileName",
            "company_name",
            "productId",
            "orderId",
            "nextPageToken",
            "maxTokens",
            "passwordStrength",
            "tokenType",
            "maxAge",
            "walletAddress",
            "手机型号",
            "身份证类型",
            "商品名称",
            "公司名称",
            "下载地址",
            "钱包地址",
            "interface",
            "surface",
            "className",
            "hostname",
            "cityName",
            "typeface",
            "sslFingerprint",
            "lastLogin",
            "pageSize",
            "userCount",
            "userAgent",
            "phoneCount",
            "mobileVersion",
            "nameSpace",
            "idx",
            "clientId",
            "appId",
            "emailCount",
            "isPhoneVerified",
            "addressBook",
            "birthdayReminder",
            "faceCount",
            "simCard",
            "giftCard",
        ] {
            assert_eq!(category(name), None, "{name}");
        }
    }

    #[test]
    fn a_bare_name_belongs_to_whoever_is_above() {
        assert!(Key::read("name").bare_name);
        assert_eq!(Key::read("userInfo").owner, Owner::Person);
        assert_eq!(Key::read("customers").owner, Owner::Person);
        assert_eq!(Key::read("productDetail").owner, Owner::Thing);
        assert_eq!(Key::read("data").owner, Owner::Wrapper);
        assert_eq!(Key::read("xyz").owner, Owner::Unknown);
    }
}

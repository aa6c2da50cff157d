//! Made-up people, new ones in every run. Their numbers have valid check digits, so that detectors take them for real; nobody bears them.

use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

const SURNAMES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "赵", "周"];
const GIVEN: [&str; 12] = ["晓澜", "嘉骁", "雨珺", "子翊", "思霖", "梓玥", "文昶", "静琬", "一沅", "书璟", "若笙", "明岚"];
const FORENAMES: [&str; 8] = ["Annika", "Jonas", "Lena", "Felix", "Miriam", "Tobias", "Greta", "Moritz"];
const FAMILIES: [&str; 8] = ["Hollerbach", "Steinfeld", "Wiesental", "Brunnhuber", "Ackerfeld", "Lindenhof", "Rosenkamp", "Tannhauer"];
/// Codes of GB/T 2260 with the place they stand for.
const PLACES: [(&str, &str); 3] = [("330106", "浙江省杭州市西湖区"), ("440304", "广东省深圳市福田区"), ("510107", "四川省成都市武侯区")];

/// One person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Whose law.
    pub(super) jurisdiction: &'static str,
    pub(super) account: String,
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) email: String,
    pub(super) address: String,
    pub(super) resident_id: String,
    pub(super) card: String,
    pub(super) bank_account: String,
    pub(super) imei: String,
    pub(super) ip: String,
    pub(super) latitude: String,
    pub(super) longitude: String,
}

impl Person {
    /// A person in mainland China.
    pub(super) fn mainland() -> Person {
        let (turn, (code, place)) = (next(), pick(&PLACES));
        let born = format!("{}{:02}{:02}", rand::random_range(1965..2000), rand::random_range(1..=12), rand::random_range(1..=28));
        let address = format!("{place}文三路{}号{}室", rand::random_range(100..999), rand::random_range(1001..2999));
        Person {
            name: format!("{}{}", in_turn(&SURNAMES, turn), in_turn(&GIVEN, turn / SURNAMES.len())),
            phone: format!("1{}{}", pick(&["38", "58", "77", "86"]), digits(8)),
            resident_id: resident_id(&format!("{code}{born}{}", digits(3))),
            latitude: format!("30.{}", digits(5)),
            longitude: format!("120.{}", digits(5)),
            ..Person::anybody("CN", "example.cn", address)
        }
    }

    /// A person in Germany.
    pub(super) fn german() -> Person {
        let turn = next();
        let address = format!("Lindenstraße {}, {} Frankfurt am Main", rand::random_range(10..199), rand::random_range(60300..60600));
        Person {
            name: format!("{} {}", in_turn(&FORENAMES, turn), in_turn(&FAMILIES, turn / FORENAMES.len())),
            phone: format!("+4915{}{}", pick(&["11", "22", "77"]), digits(7)),
            latitude: format!("50.{}", digits(5)),
            longitude: format!("8.{}", digits(5)),
            ..Person::anybody("DE", "example.de", address)
        }
    }

    fn anybody(jurisdiction: &'static str, domain: &str, address: String) -> Person {
        Person {
            jurisdiction,
            account: format!("u-{}", digits(10)),
            name: String::new(),
            phone: String::new(),
            email: format!("{}@mail.{domain}", letters(10)),
            address,
            resident_id: String::new(),
            card: luhn(&format!("62{}", digits(16))),
            bank_account: format!("1102{}", digits(15)),
            imei: luhn(&format!("35{}", digits(12))),
            ip: format!("203.0.113.{}", rand::random_range(10..250)),
            latitude: String::new(),
            longitude: String::new(),
        }
    }

    /// What may give this person away, with a word for each.
    pub(super) fn values(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("account", &self.account),
            ("name", &self.name),
            ("phone", &self.phone),
            ("email", &self.email),
            ("address", &self.address),
            ("resident id", &self.resident_id),
            ("card", &self.card),
            ("bank account", &self.bank_account),
            ("imei", &self.imei),
            ("ip", &self.ip),
            ("latitude", &self.latitude),
            ("longitude", &self.longitude),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).map(|(word, value)| (word, value.as_str())).collect()
    }

    /// A registration as a Chinese or an English form would send it.
    pub(super) fn registration(&self) -> Value {
        if self.jurisdiction == "CN" {
            json!({"用户名": self.account, "姓名": self.name, "手机号": self.phone, "邮箱": self.email})
        } else {
            json!({"user_id": self.account, "full_name": self.name, "phone": self.phone, "email": self.email})
        }
    }
}

/// One more person: names come in turn, so that no two people of a run share one.
fn next() -> usize {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    MADE.fetch_add(1, Ordering::Relaxed)
}

fn in_turn(all: &[&'static str], turn: usize) -> &'static str {
    all.get(turn % all.len()).copied().unwrap_or_default()
}

fn pick<T: Copy>(all: &[T]) -> T {
    all[rand::random_range(0..all.len())]
}

fn digits(count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + rand::random_range(0..10u8))).collect()
}

fn letters(count: usize) -> String {
    (0..count).map(|_| char::from(b'a' + rand::random_range(0..26u8))).collect()
}

/// The number with its check digit (ISO/IEC 7812-1 annex B): from the right, every second digit counts double.
fn luhn(number: &str) -> String {
    let sum: u32 = number.bytes().rev().enumerate().map(|(i, b)| u32::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 }).map(|d| d / 10 + d % 10).sum();
    format!("{number}{}", (10 - sum % 10) % 10)
}

/// Seventeen digits with the check character of GB 11643 (ISO 7064 MOD 11-2).
fn resident_id(body: &str) -> String {
    let remainder = body.bytes().fold(0, |rest, b| (rest + u32::from(b - b'0')) * 2 % 11);
    let check = (12 - remainder) % 11;
    format!("{body}{}", if check == 10 { "X".to_owned() } else { check.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_standards() {
        assert_eq!(luhn("7992739871"), "79927398713"); // ISO/IEC 7812-1
        assert_eq!(resident_id("11010519491231002"), "11010519491231002X"); // the example of GB 11643
    }

    #[test]
    fn nobody_is_made_twice() {
        let (one, other) = (Person::mainland(), Person::mainland());
        let told_apart = |p: Person| [p.account, p.name, p.phone, p.imei];
        assert!(told_apart(one).iter().zip(&told_apart(other)).all(|(one, other)| one != other));
    }
}

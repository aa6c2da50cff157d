//! Made-up persons, random per run, whose every value would stand out wherever it turned up. Check digits are valid, so that detectors see them.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// One made-up person.
#[derive(Debug, Clone)]
pub struct Canary {
    pub jurisdiction: &'static str,
    pub name: String,
    pub phone: String,
    pub email: String,
    pub card: String,
    pub address: String,
    pub date_of_birth: String,
    /// The number of the resident identity card; mainland China only.
    pub resident_id: Option<String>,
}

/// Characters of given names and roads; any of them may follow any other.
const GIVEN: [char; 24] =
    ['澜', '骁', '珺', '翊', '霖', '玥', '昶', '琬', '沅', '璟', '笙', '岚', '祺', '煦', '芮', '弈', '槿', '昕', '钰', '晗', '歆', '桐', '棠', '珩'];
const SURNAMES: [char; 8] = ['欧', '柯', '裴', '祁', '简', '蓝', '温', '褚'];
/// Division codes (GB/T 2260) of which a resident ID begins: Xihu in Hangzhou, Futian in Shenzhen, Wuhou in Chengdu.
const DIVISIONS: [(&str, &str); 3] = [("330106", "浙江省杭州市西湖区"), ("440304", "广东省深圳市福田区"), ("510107", "四川省成都市武侯区")];

impl Canary {
    /// A resident of mainland China.
    pub fn cn(seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (division, place) = DIVISIONS[rng.random_range(0..DIVISIONS.len())];
        let (year, month, day) = (rng.random_range(1960..2000), rng.random_range(1..=12), rng.random_range(1..=28));
        let body = format!("{division}{year}{month:02}{day:02}{:03}", rng.random_range(0..1000));
        Canary {
            jurisdiction: "CN",
            name: format!("{}{}{}", pick(rng, &SURNAMES), pick(rng, &GIVEN), pick(rng, &GIVEN)),
            phone: format!("1{}{}", pick(rng, &["35", "38", "58", "77", "86", "99"]), digits(rng, 8)),
            email: format!("{}@{}.cn", letters(rng, 12), letters(rng, 9)),
            card: luhn(format!("62{}", digits(rng, 16))),
            address: format!("{place}{}{}路{}号", pick(rng, &GIVEN), pick(rng, &GIVEN), rng.random_range(100..1000)),
            date_of_birth: format!("{year}-{month:02}-{day:02}"),
            resident_id: Some(format!("{body}{}", check_digit(&body))),
        }
    }

    /// A resident of Germany.
    pub fn de(seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed ^ 0xde);
        Canary {
            jurisdiction: "DE",
            name: format!("{} {}", capitalised(&letters(rng, 7)), capitalised(&letters(rng, 9))),
            phone: format!("+4915{}{}", pick(rng, &["11", "21", "77"]), digits(rng, 7)),
            email: format!("{}@{}.de", letters(rng, 12), letters(rng, 9)),
            card: luhn(format!("4{}", digits(rng, 14))),
            address: format!("{}straße {}, {} Frankfurt am Main", capitalised(&letters(rng, 8)), rng.random_range(100..1000), rng.random_range(60300..60600)),
            date_of_birth: format!("{}-{:02}-{:02}", rng.random_range(1960..2000), rng.random_range(1..=12), rng.random_range(1..=28)),
            resident_id: None,
        }
    }

    /// Every value that must not turn up, with its field. The date of birth is too common a text to be told apart.
    pub fn values(&self) -> Vec<(&'static str, &str)> {
        let mut values = vec![("name", &*self.name), ("phone", &*self.phone), ("email", &*self.email), ("card", &*self.card), ("address", &*self.address)];
        values.extend(self.resident_id.as_deref().map(|id| ("resident_id", id)));
        values
    }

    /// The person as a JSON object.
    pub fn json(&self) -> Value {
        let mut person = json!({"name": self.name, "phone": self.phone, "email": self.email, "bank_card": self.card, "address": self.address, "date_of_birth": self.date_of_birth});
        if let (Some(id), Some(members)) = (&self.resident_id, person.as_object_mut()) {
            members.insert("id_card".into(), json!(id));
        }
        person
    }
}

fn pick<T: Copy>(rng: &mut StdRng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

fn digits(rng: &mut StdRng, count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + rng.random_range(0..10))).collect()
}

fn letters(rng: &mut StdRng, count: usize) -> String {
    (0..count).map(|_| char::from(b'a' + rng.random_range(0..26))).collect()
}

fn capitalised(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

/// The check digit of ISO/IEC 7812-1, appended.
fn luhn(body: String) -> String {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| (u32::from(b - b'0'), i % 2 == 0))
        .map(|(d, doubled)| if doubled { d * 2 / 10 + d * 2 % 10 } else { d })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// The check character of GB 11643 (ISO 7064 MOD 11-2).
fn check_digit(body: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(b, w)| u32::from(b - b'0') * w).sum();
    char::from(b"10X98765432"[(sum % 11) as usize])
}

mod tests {
    use super::*;

    #[test]
    fn a_canary_is_the_same_for_the_same_seed_and_another_for_another() {
        assert_eq!(Canary::cn(7).values(), Canary::cn(7).values());
        let (one, other) = (Canary::cn(7), Canary::cn(8));
        assert!(one.values().iter().zip(other.values()).all(|(a, b)| a.1 != b.1));
    }

    #[test]
    fn check_digits_are_those_of_the_standards() {
        assert_eq!(check_digit("11010519491231002"), 'X'); // the example of GB 11643
        assert_eq!(luhn("7992739871".into()), "79927398713"); // the usual example of Luhn
        let card = Canary::cn(1).card;
        assert_eq!(luhn(card[..card.len() - 1].to_owned()), card);
    }
}

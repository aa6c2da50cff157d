//! Ordinary API traffic of an exact size. All of it is synthetic: names are put together from lists, numbers are drawn, so that no value is somebody's.

/// A small generator (SplitMix64): the same seed gives the same bodies on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
}

const SURNAMES: &[&str] = &["王", "李", "张", "刘", "陈", "杨", "赵", "黄"];
const GIVEN: &[&str] = &["小明", "晓雨", "子涵", "建国", "丽", "伟", "思远", "雨桐"];
const WARES: &[&str] = &["陶瓷杯 350ml", "USB-C cable 2 m", "棉质毛巾", "LED desk lamp", "登山背包 40L", "notebook A5"];
/// One line in four is Chinese.
const PROSE: &[&str] = &[
    "Please leave the parcel at the door if nobody answers, the bell is broken. ",
    "The last delivery took nine days and the box had been opened once. ",
    "包装要结实一些，上次收到的时候边角已经压坏了。",
    "Order again in spring when the blue one is back on the shelf, size M. ",
];

/// An order as a shop's app sends it, exactly `bytes` long (at least 700): eight personal values, then goods, then prose.
pub fn ordinary(bytes: usize, seed: u64) -> String {
    let mut r = Random(seed);
    let mut body = format!(
        "{{\"requestId\":\"{:016x}\",\"createdAt\":\"2026-11-{:02}T09:{:02}:00Z\",\"channel\":\"app\",\"appVersion\":\"4.{}.0\",\"customer\":{{\"userId\":\"u{:08}\",\"realName\":\"{}{}\",\
         \"mobile\":\"13{:09}\",\"email\":\"{}{}@example.com\",\"idCard\":\"{}\",\"deviceId\":\"{:016x}\",\"ip\":\"203.0.113.{}\"}},\"shipTo\":{{\"address\":\"上海市浦东新区世纪大道{}号\",\
         \"postcode\":\"2001{:02}\"}},\"total\":{}.{:02},\"currency\":\"CNY\",\"items\":[",
        r.next(),
        r.below(28) + 1,
        r.below(60),
        r.below(40),
        r.below(100_000_000),
        r.pick(SURNAMES),
        r.pick(GIVEN),
        r.below(1_000_000_000),
        r.pick(&["lin", "wang", "chen", "mia"]),
        r.below(10_000),
        resident_id(&mut r),
        r.next(),
        r.below(250) + 1,
        r.below(900) + 1,
        r.below(100),
        r.below(9_000),
        r.below(100),
    );
    let goods = body.len() + bytes.saturating_sub(body.len()) / 3;
    loop {
        let (name, sku, count, price) = (r.pick(WARES), r.below(1_000_000), r.below(5) + 1, r.below(900) + 1);
        body.push_str(&format!("{{\"sku\":\"A-{sku:06}\",\"title\":\"{name}\",\"quantity\":{count},\"price\":{price}.00,\"gift\":false}},"));
        if body.len() >= goods {
            break;
        }
    }
    body.pop();
    body.push_str("],\"notes\":[\"");
    let closing = "\"]}";
    let room = bytes.saturating_sub(body.len() + closing.len());
    body.push_str(&prose(room, &mut r));
    body + closing
}

/// Lines of prose as strings of a list that is already open, exactly `bytes` long.
fn prose(bytes: usize, r: &mut Random) -> String {
    const BETWEEN: &str = "\",\"";
    let mut text = String::with_capacity(bytes);
    loop {
        let line = r.pick(PROSE);
        if text.len() + line.len() + BETWEEN.len() > bytes {
            break;
        }
        text.push_str(line);
        text.push_str(BETWEEN);
    }
    text.extend(std::iter::repeat_n('.', bytes - text.len()));
    text
}

/// A resident ID of the mainland with a right check digit (GB 11643-1999).
fn resident_id(r: &mut Random) -> String {
    const WEIGHTS: [u64; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = format!("310115{:04}{:02}{:02}{:03}", 1960 + r.below(40), r.below(12) + 1, r.below(28) + 1, r.below(1_000));
    let sum: u64 = digits.bytes().zip(WEIGHTS).map(|(digit, weight)| u64::from(digit - b'0') * weight).sum();
    digits + r.pick(&["10X98765432".get(sum as usize % 11..sum as usize % 11 + 1).unwrap_or_default()])
}

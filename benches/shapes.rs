//! Shapes of bodies that somebody would send to keep a core busy.

use super::bodies::ordinary;

/// A shape of which a body of any size can be made.
pub struct Shape {
    pub name: &'static str,
    pub content_type: &'static str,
    /// The records of the body, as an API's configuration would name them.
    pub records: Option<&'static str>,
    opening: &'static str,
    /// The first half is the name of one list, of which the units are the elements.
    long_name: bool,
    /// Fills the body; gets a running number.
    unit: fn(usize) -> String,
    closing: &'static str,
}

impl Shape {
    /// A body of at most `bytes`, as full as whole units make it.
    pub fn body(&self, bytes: usize) -> String {
        let mut body = String::with_capacity(bytes);
        body.push_str(self.opening);
        if self.long_name {
            body.push_str(&format!("{{\"{}\":[", "k".repeat(bytes / 2)));
        }
        for number in 0.. {
            let unit = (self.unit)(number);
            if body.len() + unit.len() + self.closing.len() > bytes {
                break;
            }
            body.push_str(&unit);
        }
        // Lists and objects are built with a comma after each unit.
        if self.closing.starts_with(['}', ']']) && body.ends_with(',') {
            body.pop();
        }
        body + self.closing
    }
}

const fn json(name: &'static str, opening: &'static str, unit: fn(usize) -> String, closing: &'static str) -> Shape {
    Shape { name, content_type: "application/json", records: None, opening, long_name: false, unit, closing }
}

/// One long string under a name that says nothing.
const fn string(name: &'static str, unit: fn(usize) -> String) -> Shape {
    json(name, "{\"v\":\"", unit, "\"}")
}

/// What a body can be made of to hurt a reader, a detector or an editor.
pub const HOSTILE: &[Shape] = &[
    json("[ without end", "", |_| "[".into(), ""),
    json("lists as deep as allowed", "[", |_| format!("{}\"{}\"{},", "[".repeat(120), "x".repeat(1_200), "]".repeat(120)), "]"),
    json("keys, as many as fit", "{", |n| format!("\"{}\":1,", word(n)), "}"),
    json("telling keys, one value each", "{", |n| format!("\"{}_phone\":\"x\",", word(n)), "}"),
    json("one long key", "{\"", |_| "aBc_".into(), "\":1}"),
    json("one phone a list element", "[", |n| format!("{{\"phone\":\"138{:08}\"}},", n % 100_000_000), "]"),
    Shape { long_name: true, ..json("phones under one long name", "", |n| format!("\"138{:08}\",", n % 100_000_000), "]}") },
    Shape { records: Some("/*"), ..json("records, as many as fit", "[", |n| format!("{},", ordinary(1_100, n as u64)), "]") },
    json("one long number", "{\"v\":", |_| "1".into(), "}"),
    string("digits", |_| "1".into()),
    string("digits with dashes", |_| "1-".into()),
    string("phone after phone", |n| format!("138{:08} ", n % 100_000_000)),
    json("phones in one telling field", "{\"phone\":\"", |n| format!("138{:08} ", n % 100_000_000), "\"}"),
    string("escaped digits", |_| "\\u0031".into()),
    string("escaped quotes", |_| "\\\"".into()),
    string("surnames", |_| "王李张".into()),
    string("label words", |_| "电话：姓名：".into()),
    string("address parts", |_| "上海市世纪大道1号".into()),
    string("capitalised words", |_| "Mr Jo Do ".into()),
    string("@", |_| "a@".into()),
    string("address after address", |_| "a.b@c.cn,".into()),
    string("dots", |_| "1.1.".into()),
    string("colons", |_| "1:".into()),
    string("plus", |_| "+86".into()),
    string("own tokens begun", |_| "dmc1.".into()),
    string("coordinates", |_| "31.2304,121.4737;".into()),
    string("blanks", |_| "  ".into()),
    Shape { content_type: "text/plain", ..json("text of surnames", "", |_| "王李张。".into(), "") },
    Shape { content_type: "application/x-www-form-urlencoded", ..json("form, as many pairs as fit", "a=1", |n| format!("&{}=1", word(n)), "") },
    Shape { content_type: "application/x-www-form-urlencoded", ..json("form of escapes", "a=", |_| "%31".into(), "") },
];

/// A name of nine letters for a number: one with digits could be data itself, and would be looked at as such.
fn word(number: usize) -> String {
    let letters = (0..9).scan(number, |rest, _| {
        let letter = b'a' + (*rest % 26) as u8;
        *rest /= 26;
        Some(char::from(letter))
    });
    letters.collect()
}

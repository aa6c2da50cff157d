//! One row of the table: a request, what must come of it, and whether it did. Judged by what the backends received and what the caller could read.

use super::backend::head_length;
use super::client::Request;
use super::people::Person;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What is sent, by whom, and what is expected.
pub(super) struct Row {
    /// The app whose promises are tried.
    pub(super) app: &'static str,
    /// The request in words.
    pub(super) title: &'static str,
    /// The node it reaches.
    pub(super) node: &'static str,
    pub(super) request: Request,
    /// The client's address, told by a PROXY protocol line.
    pub(super) from_address: Option<&'static str>,
    /// Everybody the exchange speaks of.
    pub(super) people: Vec<Person>,
    /// What the backend answers, if it matters.
    pub(super) answer: Option<(u16, String)>,
    /// Where data comes from and where it is asked to go.
    pub(super) way: (String, &'static str),
    pub(super) expect: Expect,
}

/// What must come of it.
#[derive(Debug, Clone)]
pub(super) struct Expect {
    pub(super) status: RangeInclusive<u16>,
    /// The region whose backend receives; no other backend receives a byte.
    pub(super) receiver: Option<&'static str>,
    /// What the receiver must have got.
    pub(super) received: Vec<String>,
    /// What it must not have got.
    pub(super) withheld: Vec<String>,
    /// What the caller must read, and must not.
    pub(super) told: Vec<String>,
    pub(super) untold: Vec<String>,
    /// A rule or reason that must stand behind it.
    pub(super) rule: &'static str,
    /// The answer is what is decided on, not the request.
    pub(super) about_answer: bool,
}

impl Expect {
    /// This status, and nothing reaches any backend.
    pub(super) fn nobody(status: u16, rule: &'static str) -> Expect {
        Expect {
            status: status..=status,
            receiver: None,
            received: Vec::new(),
            withheld: Vec::new(),
            told: Vec::new(),
            untold: Vec::new(),
            rule,
            about_answer: false,
        }
    }

    /// This status, and the request reaches this region's backend and no other.
    pub(super) fn only(receiver: &'static str, status: u16, rule: &'static str) -> Expect {
        Expect { receiver: Some(receiver), ..Expect::nobody(status, rule) }
    }

    pub(super) fn with<T: ToString>(mut self, texts: impl IntoIterator<Item = T>) -> Expect {
        self.received.extend(texts.into_iter().map(|t| t.to_string()));
        self
    }

    pub(super) fn without<T: ToString>(mut self, texts: impl IntoIterator<Item = T>) -> Expect {
        self.withheld.extend(texts.into_iter().map(|t| t.to_string()));
        self
    }

    pub(super) fn telling<T: ToString>(mut self, texts: impl IntoIterator<Item = T>) -> Expect {
        self.told.extend(texts.into_iter().map(|t| t.to_string()));
        self
    }

    pub(super) fn not_telling<T: ToString>(mut self, texts: impl IntoIterator<Item = T>) -> Expect {
        self.untold.extend(texts.into_iter().map(|t| t.to_string()));
        self
    }

    /// The decision that counts is the one on the answer.
    pub(super) fn about_the_answer(self) -> Expect {
        Expect { about_answer: true, ..self }
    }
}

/// What came of it.
pub(super) struct Seen {
    pub(super) status: u16,
    /// Per region, every byte its backend received.
    pub(super) backends: BTreeMap<&'static str, Vec<u8>>,
    /// Head and body of the answer.
    pub(super) answer: String,
    pub(super) rules: Vec<String>,
}

impl Seen {
    /// Where `expect` and what happened differ, in words; empty: it held.
    pub(super) fn judge(&self, expect: &Expect) -> Vec<String> {
        let mut wrong = Vec::new();
        if !expect.status.contains(&self.status) {
            wrong.push(format!("expected status {:?}, seen {}", expect.status, self.status));
        }
        for (region, bytes) in &self.backends {
            match (expect.receiver == Some(*region), bytes.is_empty()) {
                (true, true) => wrong.push(format!("expected {region} to receive it, seen nothing there")),
                (false, false) => wrong.push(format!("expected nothing at {region}, seen {} bytes", bytes.len())),
                _ => {}
            }
        }
        let receiver = expect.receiver.and_then(|region| self.backends.get(region)).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        let mut compare = |place: &str, text: &str, wanted: &[String], unwanted: &[String]| {
            wrong.extend(wanted.iter().filter(|w| !text.contains(w.as_str())).map(|w| format!("expected `{w}` {place}, not seen")));
            wrong.extend(unwanted.iter().filter(|w| text.contains(w.as_str())).map(|w| format!("expected no `{w}` {place}, seen")));
        };
        compare("at the backend", &receiver, &expect.received, &expect.withheld);
        compare("in the answer", &self.answer, &expect.told, &expect.untold);
        if !self.rules.iter().any(|rule| rule == expect.rule) {
            wrong.push(format!("expected rule {}, seen {}", expect.rule, self.rules.join(" ")));
        }
        wrong
    }
}

/// A row as it is printed and kept in `report.json`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) app: &'static str,
    pub(super) request: &'static str,
    /// What the caller sends: method and path.
    pub(super) sent: String,
    /// The node it reached.
    pub(super) node: &'static str,
    /// What was found in the message that was decided on.
    pub(super) categories: Vec<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) verdict: String,
    pub(super) action: String,
    pub(super) rules: Vec<String>,
    pub(super) status: u16,
    /// Per region, the request its backend received, with the person's values replaced by words in ‹›.
    pub(super) received: BTreeMap<&'static str, String>,
    /// Of a row about an answer, what the caller could read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) read: Option<String>,
    pub(super) decision_id: String,
    pub(super) held: bool,
    /// Expected against seen, where it did not hold.
    pub(super) failures: Vec<String>,
}

/// What a backend received, for people to read: the body, or the first line where there is none.
pub(super) fn received(request: &[u8], people: &[Person]) -> String {
    let (head, body) = request.split_at(head_length(request).unwrap_or(request.len()));
    let line = String::from_utf8_lossy(head);
    let line = line.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1");
    if body.is_empty() { redacted(line.as_bytes(), people) } else { redacted(body, people) }
}

/// A text with every value of these people replaced by its word and tokens cut short.
pub(super) fn redacted(bytes: &[u8], people: &[Person]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return format!("{} bytes of no text", bytes.len()) };
    let mut shown = text.to_owned();
    for person in people {
        for (word, value) in person.values() {
            shown = shown.replace(value, &format!("‹{word}›"));
        }
    }
    shorten(&shown)
}

/// How much of a token is shown: its notation and category are what matters.
const TOKEN_SHOWN_CHARS: usize = 4;

/// `dmc1.account_id.BWNu…` instead of the whole token or pseudonym.
fn shorten(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = ["dmc1.", "dmp1."].iter().filter_map(|prefix| rest.find(prefix)).min() {
        let (before, token) = rest.split_at(at);
        let end = token.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))).unwrap_or(token.len());
        let (token, after) = token.split_at(end);
        let secret = token.rfind('.').map_or(0, |dot| dot + 1);
        out.push_str(before);
        out.extend(token.chars().take(secret + TOKEN_SHOWN_CHARS));
        out.push('…');
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: &[u8]) -> Seen {
        Seen {
            status: 200,
            backends: BTreeMap::from([("cn-north", bytes.to_vec()), ("sg-1", Vec::new())]),
            answer: "HTTP/1.1 200".into(),
            rules: vec!["stays".into()],
        }
    }

    #[test]
    fn a_row_holds_only_if_the_right_backend_got_the_right_bytes() {
        let expect = Expect::only("cn-north", 200, "stays").with(["138"]).without(["dmc1."]);
        assert_eq!(seen(b"POST\r\n\r\n138").judge(&expect), [""; 0]);
        assert_eq!(seen(b"").judge(&expect).len(), 2, "nothing arrived");
        assert_eq!(seen(b"138 dmc1.x").judge(&expect).len(), 1, "more than it should");
        assert_eq!(seen(b"138").judge(&Expect::nobody(451, "stays")).len(), 2, "status, and a byte where none belongs");
        assert_eq!(seen(b"138").judge(&Expect::only("sg-1", 200, "stays")).len(), 2, "the wrong region");
        assert_eq!(seen(b"138").judge(&Expect::only("cn-north", 200, "home")).len(), 1, "for another reason");
        assert_eq!(seen(b"138").judge(&Expect::only("cn-north", 200, "stays").telling(["x"]).not_telling(["200"])).len(), 2);
    }

    #[test]
    fn what_is_shown_names_nobody() {
        let person = Person::mainland();
        let bytes = format!("POST /a HTTP/1.1\r\nhost: x\r\n\r\n{{\"n\":\"{}\",\"id\":\"dmc1.account_id.ABCDEFGH\"}}", person.name);
        assert_eq!(received(bytes.as_bytes(), &[person]), r#"{"n":"‹name›","id":"dmc1.account_id.ABCD…"}"#);
        assert_eq!(received(b"POST / HTTP/1.1\r\n\r\n\xff\xfe", &[]), "2 bytes of no text");
        assert_eq!(received(b"GET /me HTTP/1.1\r\nhost: x\r\n\r\n", &[]), "GET /me");
    }
}

//! One line of the journal: its fields, its canonical form, its place in the chain.
//!
//! A line is one JSON object with sorted member names and no spaces. `hash` is the SHA-256 of the line without its `hash` member, byte
//! for byte, and `prev` is the `hash` of the line before, so nobody has to agree on how numbers are printed to check a line.

use crate::model::evidence::Head;
use crate::model::{ApiId, Decision, Direction, EntryId, Facts, NodeId, Region, RuleId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// `prev` of the first entry of a journal.
pub const GENESIS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// What a detector found, without the value or its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detected {
    pub category: crate::model::Category,
    pub detector: String,
    /// 0 to 1, in thousandths.
    confidence: f64,
}

impl Detected {
    pub fn new(category: crate::model::Category, detector: &str, confidence: f32) -> Self {
        Detected { category, detector: detector.to_owned(), confidence: (f64::from(confidence.clamp(0.0, 1.0)) * 1000.0).round() / 1000.0 }
    }
}

/// What happened. There is no field a payload value could stand in.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A message was decided on; when it crosses, this is durable before it does.
    Decision {
        api: ApiId,
        direction: Direction,
        facts: Box<Facts>,
        decision: Box<Decision>,
        detectors: Vec<Detected>,
        /// Length of the body as inspected.
        bytes: u64,
    },
    /// How a sealed message fared. A decision without an outcome counts as transferred.
    Outcome {
        api: ApiId,
        direction: Direction,
        /// Closed vocabulary of the gateway: `delivered`, `failed`, `client_gone` …
        result: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Bytes of the body that were sent.
        bytes: u64,
    },
    /// Something changed in the registry: what its history says.
    Registry { change: Value },
    /// Refusals above the set rate, counted instead of written one by one.
    Refusals { api: ApiId, rule: RuleId, minute: Timestamp, count: u64 },
    /// A node started: its version, what it enforces, what recovery found.
    Start { version: String, policies: Vec<String>, torn_bytes: u64 },
    /// A node stopped after everything in flight had ended.
    Stop,
}

/// One entry, before it has a place in the chain.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    pub time: Timestamp,
    pub id: EntryId,
    pub node: NodeId,
    pub region: Region,
    #[serde(flatten)]
    pub event: Event,
}

/// An entry in canonical members, ready to be given its place.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: EntryId,
    members: Vec<(String, String)>,
}

impl Prepared {
    pub(super) fn new(entry: &Entry) -> Result<Self, serde_json::Error> {
        let members = match serde_json::to_value(entry)? {
            Value::Object(members) => members,
            _ => serde_json::Map::new(),
        };
        let mut members: Vec<(String, String)> = members.into_iter().map(|(name, value)| (name, canonical(&value))).collect();
        members.sort();
        Ok(Prepared { id: entry.id.clone(), members })
    }

    /// About how long its line is.
    pub(super) fn bytes(&self) -> usize {
        const PLACE_BYTES: usize = 200;
        self.members.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>().saturating_add(PLACE_BYTES)
    }

    /// The line after `head`, with its newline, and the head it makes.
    pub(super) fn line(&self, head: &Head) -> (String, Head) {
        let seq = head.seq.saturating_add(1);
        let bare = self.object([("prev", quoted(&head.hash)), ("seq", seq.to_string())].into());
        let hash = digest(bare.as_bytes());
        let mut line = self.object([("hash", quoted(&hash)), ("prev", quoted(&head.hash)), ("seq", seq.to_string())].into());
        line.push('\n');
        (line, Head { seq, hash })
    }

    fn object(&self, placed: Vec<(&str, String)>) -> String {
        let mut all: Vec<(&str, &str)> = placed.iter().map(|(n, v)| (*n, v.as_str())).collect();
        all.extend(self.members.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        all.sort_by_key(|(name, _)| *name);
        let members: Vec<String> = all.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// Where the chain stands before its first entry.
pub fn genesis() -> Head {
    Head { seq: 0, hash: GENESIS.to_owned() }
}

/// `sha256:<hex>` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// JSON with member names sorted by their bytes and no spaces: the same value has one text.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{}", quoted(name), canonical(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Checks that `line` (without its newline) follows `head`, and gives the head it makes. The error says what is wrong with it.
pub fn follow(line: &[u8], head: &Head) -> Result<Head, String> {
    let found = own_head(line)?;
    let value: Value = serde_json::from_slice(line).map_err(|_| "is no JSON".to_owned())?;
    let prev = value.get("prev").and_then(Value::as_str).unwrap_or_default();
    if prev != head.hash {
        return Err(format!("does not follow the entry before it: an entry was removed, inserted or replaced (`prev` is `{prev}`, expected `{}`)", head.hash));
    }
    if found.seq != head.seq.saturating_add(1) {
        return Err(format!("has number {} where {} was expected", found.seq, head.seq.saturating_add(1)));
    }
    Ok(found)
}

/// Number and hash of a line that is whole in itself, wherever it stands in the chain.
pub(super) fn own_head(line: &[u8]) -> Result<Head, String> {
    let text = std::str::from_utf8(line).map_err(|_| "is not UTF-8".to_owned())?;
    let value: Value = serde_json::from_str(text).map_err(|_| "is no JSON".to_owned())?;
    let (Some(seq), Some(hash)) = (value.get("seq").and_then(Value::as_u64), value.get("hash").and_then(Value::as_str)) else {
        return Err("has no number or no hash".to_owned());
    };
    // `hash` sorts before `id`, so a comma always follows; it stands once, since nothing can contain its own hash.
    let member = format!("\"hash\":{},", quoted(hash));
    let (before, after) = text.split_once(&member).ok_or("is not in canonical form")?;
    let actual = digest(format!("{before}{after}").as_bytes());
    if actual != hash {
        return Err(format!("was changed: its content has the hash `{actual}`, not `{hash}`"));
    }
    Ok(Head { seq, hash: hash.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::allowed;

    #[test]
    fn a_line_is_canonical_json_with_its_place_in_the_chain() {
        let (line, head) = Prepared::new(&allowed("x/request")).unwrap().line(&genesis());
        let line = line.strip_suffix('\n').unwrap();
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(canonical(&value), line);
        assert_eq!((value["seq"].as_u64(), value["prev"].as_str(), value["hash"].as_str()), (Some(1), Some(GENESIS), Some(head.hash.as_str())));
        assert_eq!(value["kind"], "decision");
        assert_eq!(value["detectors"][0]["confidence"], 0.99);
        assert_eq!(value["facts"]["records"][0]["subject"], "sub_1");
        assert_eq!(follow(line.as_bytes(), &genesis()), Ok(head));
    }

    #[test]
    fn a_line_follows_only_the_one_before_it() {
        let prepared = Prepared::new(&allowed("x/request")).unwrap();
        let (first, head) = prepared.line(&genesis());
        let (second, after) = prepared.line(&head);
        assert_eq!(follow(second.trim_end().as_bytes(), &head), Ok(after.clone()));
        assert!(follow(second.trim_end().as_bytes(), &genesis()).unwrap_err().contains("removed"));
        assert!(follow(first.trim_end().as_bytes(), &after).is_err());
        let renumbered = Head { seq: 7, ..head };
        assert!(follow(second.trim_end().as_bytes(), &renumbered).unwrap_err().contains("number 2 where 8"));
    }

    #[test]
    fn canonical_json_sorts_names_at_every_depth() {
        let value: Value = serde_json::from_str(r#"{"b":[{"z":1,"a":"\u00e9\n"}],"a":null}"#).unwrap();
        assert_eq!(canonical(&value), r#"{"a":null,"b":[{"a":"é\n","z":1}]}"#);
    }
}

//! Selectors: which parts of a document are records, and where in a record its subject stands.

use super::{Document, Node, Step};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A JSON Pointer (RFC 6901) in which `*` stands for every element or member: `/items/*`. Empty selects the whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Selector {
    text: String,
    steps: Vec<Pick>,
}

#[derive(Clone, PartialEq, Eq)]
enum Pick {
    Any,
    /// A member name, or the number of an element.
    One(String),
}

impl Pick {
    fn takes(&self, step: &Step<'_>) -> bool {
        match (self, step) {
            (_, Step::Root) => false,
            (Pick::Any, _) => true,
            (Pick::One(name), Step::Name(there)) => name == there,
            (Pick::One(name), Step::Index(there)) => name.parse() == Ok(*there) && (name == "0" || !name.starts_with(['0', '+'])),
        }
    }
}

impl Selector {
    /// The selected node that `node` is or lies in: the record it belongs to, as an index into [`Document::nodes`].
    pub fn matches(&self, document: &Document<'_>, node: usize) -> Option<usize> {
        let path = path(document, node)?;
        let head = path.get(..=self.steps.len())?;
        let taken = self.steps.iter().zip(head.iter().skip(1)).all(|(pick, at)| document.nodes.get(*at).is_some_and(|n| pick.takes(&n.step)));
        if taken { head.last().copied() } else { None }
    }

    /// Every selected node, in document order.
    pub fn all(&self, document: &Document<'_>) -> Vec<usize> {
        (0..document.nodes.len()).filter(|node| self.matches(document, *node) == Some(*node)).collect()
    }

    /// The first node selected relative to `record`; of `/user_id` in a record, the subject's identifier.
    pub fn read<'d, 'a>(&self, document: &'d Document<'a>, record: usize) -> Option<&'d Node<'a>> {
        let mut at = record;
        for pick in &self.steps {
            let end = document.nodes.get(at)?.span.end;
            // What lies in a node follows it directly, so a record is searched without looking at the others.
            let inside = document.nodes.iter().enumerate().skip(at + 1).take_while(|(_, n)| n.span.start < end);
            at = inside.into_iter().find(|(_, n)| n.parent == at && n.kind != super::Kind::Name && pick.takes(&n.step)).map(|(i, _)| i)?;
        }
        document.nodes.get(at)
    }

    /// Whether a `*` is in it.
    pub fn is_plural(&self) -> bool {
        self.steps.contains(&Pick::Any)
    }
}

/// The nodes from the root to `node`, both included.
fn path(document: &Document<'_>, node: usize) -> Option<Vec<usize>> {
    let mut path = vec![node];
    let mut at = node;
    loop {
        let parent = document.nodes.get(at)?.parent;
        if parent == at {
            break;
        }
        path.push(parent);
        at = parent;
    }
    path.reverse();
    Some(path)
}

impl FromStr for Selector {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(format!("`{text}` is no selector: it must be empty or start with `/`, as `/items/*`"));
        }
        let step = |part: &str| match part {
            "*" => Ok(Pick::Any),
            _ if part.replace("~0", "").replace("~1", "").contains('~') => Err(format!("`{text}` is no selector: write `~` as `~0` and `/` as `~1`")),
            _ => Ok(Pick::One(part.replace("~1", "/").replace("~0", "~"))),
        };
        let steps = text.split('/').skip(1).map(step).collect::<Result<_, _>>()?;
        Ok(Selector { text: text.to_string(), steps })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use super::*;

    const BODY: &[u8] = br#"{"items":[{"user_id":"a","p":{"q":1}},{"user_id":"b"}],"total":2,"a/b":{"~":3}}"#;

    fn document() -> Document<'static> {
        read(Some("application/json"), BODY, &Limits::default()).unwrap().1
    }

    fn selector(text: &str) -> Selector {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_takes_every_element_and_what_lies_in_it() {
        let document = document();
        let items = selector("/items/*");
        let records = items.all(&document);
        assert_eq!(records.len(), 2);
        let deep = document.nodes.iter().position(|n| n.text == "1").unwrap();
        assert_eq!(items.matches(&document, deep), Some(records[0]));
        let total = document.nodes.iter().position(|n| n.text == "2").unwrap();
        assert_eq!(items.matches(&document, total), None);
        assert_eq!(selector("").matches(&document, deep), Some(0));
    }

    #[test]
    fn the_subject_is_read_inside_its_own_record() {
        let document = document();
        let records = selector("/items/*").all(&document);
        let ids: Vec<_> = records.iter().map(|r| selector("/user_id").read(&document, *r).unwrap().text.to_string()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert!(selector("/p/q").read(&document, records[1]).is_none());
        assert_eq!(selector("/items/1/user_id").read(&document, 0).unwrap().text, "b");
        assert_eq!(selector("/a~1b/~0").read(&document, 0).unwrap().text, "3");
    }

    #[test]
    fn a_selector_is_a_pointer() {
        for bad in ["items", "/a~2", "*"] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }
}

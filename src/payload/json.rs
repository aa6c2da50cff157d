//! JSON (RFC 8259): a strict tokenizer of our own, in one pass, with the byte span of every value.

use super::splice::{self, Change};
use super::{BOM, Document, Edit, Escape, Format, Kind, Limits, Node, Span, Step, escape};
use crate::model::OpaqueReason;
use std::borrow::Cow;
use std::collections::HashSet;

/// `application/json` and everything that ends in `+json`.
///
/// Taking out: a member goes with its name, an object or array in a list goes as one element, a scalar in a list becomes `null`
/// because the places of its neighbours may mean something, and the root becomes `null`.
pub struct Json;

impl Format for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/json", "text/json", "+json"]
    }

    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason> {
        let start = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        if bytes.len() == start {
            return Ok(Document { nodes: Vec::new(), source: bytes, escape: Escape::Json });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| OpaqueReason::Utf8)?;
        let mut reader = Reader { text, bytes, at: start, limits: *limits, nodes: Vec::new(), open: Vec::new() };
        reader.document()?;
        Ok(Document { nodes: reader.nodes, source: bytes, escape: Escape::Json })
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, kind: Kind) -> Cow<'a, str> {
        let source = bytes.get(span.clone()).unwrap_or_default();
        let escape = if matches!(kind, Kind::Text | Kind::Name) { Escape::Json } else { Escape::None };
        escape.decode(source).unwrap_or_default()
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        splice::make(bytes, edits.iter().map(|edit| change(bytes, edit)).collect(), b',')
    }
}

/// Whether the first thing in `bytes` opens an object or an array.
pub(super) fn opens_container(bytes: &[u8]) -> bool {
    let body = bytes.strip_prefix(BOM).unwrap_or(bytes);
    body.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'{' | b'['))
}

fn change(bytes: &[u8], edit: &Edit) -> Change {
    let scalar = !matches!(edit.kind, Kind::Object | Kind::Array);
    let quoted = matches!(edit.kind, Kind::Text | Kind::Name);
    match &edit.new {
        Some(new) => {
            let mut text = String::with_capacity(new.len() + 2);
            let bare = quoted || (edit.kind == Kind::Number && is_number(new));
            text.push_str(if bare { "" } else { "\"" });
            Escape::Json.encode(new, &mut text);
            text.push_str(if bare { "" } else { "\"" });
            Change::Put(edit.span.clone(), text)
        }
        // Part of a string: its slot lies inside the quotes.
        None if quoted && edit.slot == edit.span => Change::Put(edit.span.clone(), String::new()),
        None => {
            let before = bytes.get(..edit.slot.start).unwrap_or_default().iter().rev().find(|b| !b.is_ascii_whitespace());
            let member = edit.slot.start + usize::from(quoted) < edit.span.start || edit.kind == Kind::Name;
            match before {
                Some(b'{' | b',') if member => Change::Take(edit.slot.clone()),
                Some(b'[' | b',') if !scalar => Change::Take(edit.slot.clone()),
                _ => Change::Put(edit.slot.clone(), "null".to_string()),
            }
        }
    }
}

/// Whether the text is one JSON number, so that a generalised coordinate stays a number.
fn is_number(text: &str) -> bool {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, limits: Limits::default(), nodes: Vec::new(), open: Vec::new() };
    reader.number().is_ok() && reader.at == text.len()
}

/// A container whose end has not been seen.
struct Open<'a> {
    node: usize,
    object: bool,
    /// Members or elements so far.
    count: usize,
    names: Names<'a>,
}

/// The member names of one object. A list while it is short, since most objects are.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

/// Up to here a list of names is searched faster than a set.
const FEW_NAMES: usize = 8;

impl<'a> Names<'a> {
    /// Whether the name is new.
    fn add(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW_NAMES {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: Limits,
    nodes: Vec<Node<'a>>,
    open: Vec<Open<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads one value and what is in it. A loop over the open containers instead of recursion: depth costs no stack.
    fn document(&mut self) -> Result<(), OpaqueReason> {
        self.blank();
        self.value(0, Step::Root, self.at)?;
        while let Some(top) = self.open.last() {
            let (node, object, count) = (top.node, top.object, top.count);
            self.blank();
            if self.peek() == Some(if object { b'}' } else { b']' }) {
                self.at += 1;
                self.close();
                continue;
            }
            if count > 0 {
                self.expect(b',')?;
                self.blank();
            }
            if let Some(top) = self.open.last_mut() {
                top.count += 1;
            }
            if object { self.member(node)? } else { self.value(node, Step::Index(count), self.at)? }
        }
        self.blank();
        if self.at == self.bytes.len() { Ok(()) } else { Err(OpaqueReason::Syntax) }
    }

    fn close(&mut self) {
        let end = self.at;
        let Some(node) = self.open.pop().map(|open| open.node) else { return };
        if let Some(container) = self.nodes.get_mut(node) {
            container.span.end = end;
            container.slot.end = end;
        }
        // A member name that is a node of its own has the slot of its member.
        if let Some(name) = self.nodes.get_mut(node.wrapping_sub(1)).filter(|n| n.kind == Kind::Name) {
            name.slot.end = end;
        }
    }

    fn member(&mut self, parent: usize) -> Result<(), OpaqueReason> {
        let start = self.at;
        let (span, name) = self.string()?;
        self.blank();
        self.expect(b':')?;
        self.blank();
        if !self.open.last_mut().is_some_and(|object| object.names.add(name.clone())) {
            return Err(OpaqueReason::DuplicateName);
        }
        if !may_be_data(&name) {
            return self.value(parent, Step::Name(name), start);
        }
        let at = self.nodes.len();
        self.push(Node { parent, step: Step::Name(name.clone()), kind: Kind::Name, span, slot: start..self.at, text: name.clone() })?;
        let value = self.nodes.len();
        self.value(parent, Step::Name(name), start)?;
        // `close` sets the slot's end again if the value is a container.
        let end = self.nodes.get(value).map_or(self.at, |n| n.slot.end);
        if let Some(name) = self.nodes.get_mut(at) {
            name.slot.end = end;
        }
        Ok(())
    }

    fn value(&mut self, parent: usize, step: Step<'a>, slot: usize) -> Result<(), OpaqueReason> {
        let start = self.at;
        let (kind, span, text) = match self.peek().ok_or(OpaqueReason::Syntax)? {
            b'{' => return self.container(parent, step, slot, true),
            b'[' => return self.container(parent, step, slot, false),
            b'"' => {
                let (span, text) = self.string()?;
                (Kind::Text, span, text)
            }
            b't' => (Kind::Bool, self.literal("true")?, Cow::Borrowed("true")),
            b'f' => (Kind::Bool, self.literal("false")?, Cow::Borrowed("false")),
            b'n' => (Kind::Null, self.literal("null")?, Cow::Borrowed("null")),
            _ => {
                self.number()?;
                (Kind::Number, start..self.at, Cow::Borrowed(self.text.get(start..self.at).unwrap_or_default()))
            }
        };
        self.push(Node { parent, step, kind, span, slot: slot..self.at, text })
    }

    fn container(&mut self, parent: usize, step: Step<'a>, slot: usize, object: bool) -> Result<(), OpaqueReason> {
        if self.open.len() >= self.limits.depth {
            return Err(OpaqueReason::Depth);
        }
        let node = self.nodes.len();
        let kind = if object { Kind::Object } else { Kind::Array };
        self.push(Node { parent, step, kind, span: self.at..self.at, slot: slot..self.at, text: Cow::Borrowed("") })?;
        self.open.push(Open { node, object, count: 0, names: Names::default() });
        self.at += 1;
        Ok(())
    }

    fn push(&mut self, node: Node<'a>) -> Result<(), OpaqueReason> {
        if self.nodes.len() >= self.limits.members {
            return Err(OpaqueReason::Members);
        }
        self.nodes.push(node);
        Ok(())
    }

    /// The span between the quotes, and the text it stands for.
    fn string(&mut self) -> Result<(Span, Cow<'a, str>), OpaqueReason> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.peek().ok_or(OpaqueReason::Syntax)? {
                b'"' => break,
                b'\\' => self.at += self.escape_sequence()?,
                0..=0x1F => return Err(OpaqueReason::Syntax),
                _ => self.at += 1,
            }
        }
        let span = start..self.at;
        self.at += 1;
        Ok((span.clone(), Escape::Json.decode(self.bytes.get(span).unwrap_or_default())?))
    }

    /// How long the escape sequence at hand is. RFC 8259 lets a surrogate stand alone; what that means differs between readers, so it is `utf8`.
    fn escape_sequence(&self) -> Result<usize, OpaqueReason> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') if rest.get(2..6).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) => {
                escape::json_code_point(rest).map(|(_, taken)| taken).ok_or(OpaqueReason::Utf8)
            }
            _ => Err(OpaqueReason::Syntax),
        }
    }

    fn number(&mut self) -> Result<(), OpaqueReason> {
        self.skip_if(b"-");
        if !self.skip_if(b"0") {
            self.digits()?;
        }
        if self.skip_if(b".") {
            self.digits()?;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), OpaqueReason> {
        let count = self.bytes.get(self.at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        if count > 0 { Ok(()) } else { Err(OpaqueReason::Syntax) }
    }

    fn literal(&mut self, word: &str) -> Result<Span, OpaqueReason> {
        let span = self.at..self.at + word.len();
        if self.bytes.get(span.clone()) != Some(word.as_bytes()) {
            return Err(OpaqueReason::Syntax);
        }
        self.at = span.end;
        Ok(span)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_if(&mut self, any: &[u8]) -> bool {
        let there = self.peek().is_some_and(|b| any.contains(&b));
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), OpaqueReason> {
        if self.skip_if(&[byte]) { Ok(()) } else { Err(OpaqueReason::Syntax) }
    }
}

/// Whether a member name could be a value itself: a number, an address, a token. Looked at only then.
pub(super) fn may_be_data(name: &str) -> bool {
    const SHORTEST: usize = 6;
    const DIGITS: usize = 4;
    name.len() >= SHORTEST && (name.contains(['@', '\u{FF20}', ':']) || name.starts_with("dmc1.") || name.chars().filter(|c| c.is_numeric()).count() >= DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::read;
    use proptest::prelude::*;
    use serde_json::Value;

    fn parse(text: &[u8]) -> Result<Document<'_>, OpaqueReason> {
        Json.parse(text, &Limits::default())
    }

    fn edit(document: &Document<'_>, text: &str, new: Option<&str>) -> Edit {
        let node = document.nodes.iter().find(|n| n.text == text && n.kind != Kind::Name).unwrap();
        Edit { span: node.span.clone(), slot: node.slot.clone(), kind: node.kind, new: new.map(str::to_string) }
    }

    fn without(body: &str, texts: &[&str]) -> String {
        let document = parse(body.as_bytes()).unwrap();
        let edits: Vec<_> = texts.iter().map(|t| edit(&document, t, None)).collect();
        String::from_utf8(Json.splice(body.as_bytes(), &edits)).unwrap()
    }

    #[test]
    fn the_grammar_is_that_of_the_rfc() {
        let good = [
            "0",
            "-0",
            "1e5",
            "1E-5",
            "-1.5e+3",
            "\"\"",
            "[]",
            "{}",
            " [ 1 , 2 ] ",
            "{\"a\":{\"b\":[null,true,false]}}",
            "\"\\u00e9\\ud83d\\ude00\"",
            "\"\u{7f}\"",
            "\t1\r\n",
            "[[]]",
            "\u{FEFF}{}",
        ];
        for text in good {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
        let bad = [
            " ",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "NaN",
            "Infinity",
            "tru",
            "nulll",
            "'a'",
            "\"a",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:2}",
            "[",
            "]",
            "{",
            "{]",
            "[}",
            "1 2",
            "{} {}",
            "// c\n1",
            "[1] x",
            "\u{a0}1",
            "{\"a\":1 \"b\":2}",
            "\u{FEFF}\u{FEFF}1",
        ];
        for text in bad {
            assert_eq!(parse(text.as_bytes()).map(|_| ()), Err(OpaqueReason::Syntax), "{text}");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_opaque() {
        for text in ["{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"b\":{\"x\":1,\"y\":2,\"x\":3}}"] {
            assert_eq!(parse(text.as_bytes()).map(|_| ()), Err(OpaqueReason::DuplicateName), "{text}");
        }
        for text in ["\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "{\"\\ud800\":1}"] {
            assert_eq!(parse(text.as_bytes()).map(|_| ()), Err(OpaqueReason::Utf8), "{text}");
        }
        for bytes in [&b"\"\xff\""[..], b"\"\xc0\xaf\"", b"\"\xed\xa0\x80\""] {
            assert_eq!(parse(bytes).map(|_| ()), Err(OpaqueReason::Utf8));
        }
        let many: String = (0..40).map(|i| format!("\"k{i}\":1,")).collect();
        assert_eq!(parse(format!("{{{many}\"k39\":2}}").as_bytes()).map(|_| ()), Err(OpaqueReason::DuplicateName));
    }

    #[test]
    fn depth_and_members_are_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(deep(128).as_bytes()).is_ok());
        assert_eq!(parse(deep(129).as_bytes()).map(|_| ()), Err(OpaqueReason::Depth));
        assert_eq!(parse("[".repeat(1_000_000).as_bytes()).map(|_| ()), Err(OpaqueReason::Depth));
        let small = Limits { members: 3, ..Limits::default() };
        assert!(Json.parse(b"[1,2]", &small).is_ok());
        assert_eq!(Json.parse(b"[1,2,3]", &small).map(|_| ()), Err(OpaqueReason::Members));
    }

    #[test]
    fn spans_are_values_without_quotes_and_slots_are_members() {
        let body = "\u{FEFF}{\"u\" : {\"p\": \"1\\u0033\"}, \"n\":[12]}";
        let document = parse(body.as_bytes()).unwrap();
        let seen: Vec<(&str, &str, &str)> = document.nodes.iter().map(|n| (&body[n.span.clone()], &body[n.slot.clone()], n.text.as_ref())).collect();
        let whole = &body[3..];
        assert_eq!(
            seen,
            [
                (whole, whole, ""),
                ("{\"p\": \"1\\u0033\"}", "\"u\" : {\"p\": \"1\\u0033\"}", ""),
                ("1\\u0033", "\"p\": \"1\\u0033\"", "13"),
                ("[12]", "\"n\":[12]", ""),
                ("12", "12", "12"),
            ]
        );
    }

    #[test]
    fn a_name_that_may_be_data_is_a_node_with_the_slot_of_its_member() {
        let body = r#"{"13800138000":{"a":1},"b":2}"#;
        let document = parse(body.as_bytes()).unwrap();
        let name = document.nodes.iter().find(|n| n.kind == Kind::Name).unwrap();
        assert_eq!((&body[name.span.clone()], &body[name.slot.clone()]), ("13800138000", r#""13800138000":{"a":1}"#));
        let gone = Json.splice(body.as_bytes(), &[Edit { span: name.span.clone(), slot: name.slot.clone(), kind: Kind::Name, new: None }]);
        assert_eq!(gone, br#"{"b":2}"#);
    }

    #[test]
    fn taking_out_keeps_the_rest_valid_and_in_place() {
        let body = r#"{"a":"x", "b":["y",{"c":"z"},1], "d":2}"#;
        assert_eq!(without(body, &["x"]), r#"{"b":["y",{"c":"z"},1], "d":2}"#);
        assert_eq!(without(body, &["2"]), r#"{"a":"x", "b":["y",{"c":"z"},1]}"#);
        assert_eq!(without(body, &["y", "1"]), r#"{"a":"x", "b":[null,{"c":"z"},null], "d":2}"#);
        assert_eq!(without(body, &["z"]), r#"{"a":"x", "b":["y",{},1], "d":2}"#);
        assert_eq!(without("\"x\"", &["x"]), "null");
        assert_eq!(without(r#"{"a":"x","b":"y"}"#, &["x", "y"]), "{}");
    }

    #[test]
    fn new_text_is_escaped_for_its_place() {
        let body = r#"{"a":"x","n":31.2304,"m":138}"#;
        let document = parse(body.as_bytes()).unwrap();
        let edits = [edit(&document, "x", Some("a\"\\\n")), edit(&document, "31.2304", Some("31.2")), edit(&document, "138", Some("dmc1.x"))];
        assert_eq!(String::from_utf8(Json.splice(body.as_bytes(), &edits)).unwrap(), r#"{"a":"a\"\\\u000a","n":31.2,"m":"dmc1.x"}"#);
    }

    #[test]
    fn json_in_a_body_without_a_telling_type_is_json() {
        let limits = Limits::default();
        let id = |content_type, body: &'static [u8]| read(content_type, body, &limits).map(|(format, _)| format.id());
        assert_eq!(id(Some("text/plain"), b"{\"a\":1}"), Ok("json"));
        assert_eq!(id(None, b" [1]"), Ok("json"));
        assert_eq!(id(Some("application/octet-stream"), b"{}"), Ok("json"));
        assert_eq!(id(Some("text/plain"), b"{\"a\":1"), Ok("text"));
        assert_eq!(id(Some("text/plain"), b"13800138000"), Ok("text"));
        assert_eq!(id(None, b"13800138000"), Err(OpaqueReason::Type));
        assert_eq!(id(Some("text/plain"), b"{\"a\":1,\"a\":2}"), Err(OpaqueReason::DuplicateName));
        assert_eq!(id(Some("application/vnd.api+json; charset=UTF-8"), b"{}"), Ok("json"));
        assert_eq!(id(Some("application/json; charset=gbk"), b"{}"), Err(OpaqueReason::Charset));
        assert_eq!(id(Some("application/json"), b"\xff\xfe{\0}\0"), Err(OpaqueReason::Charset));
        assert_eq!(id(Some("text/html"), b"<p>"), Err(OpaqueReason::Type));
        assert_eq!(id(Some("image/png"), b""), Ok("text"));
        assert_eq!(read(Some("text/plain"), b"12345", &Limits { bytes: 4, ..limits }).map(|(format, _)| format.id()), Err(OpaqueReason::Size));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1000..1000i32).prop_map(|n| Value::from(f64::from(n) / 8.0)),
            "[ -~\u{4e00}-\u{4e20}\"\\\\\n]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z0-9\"\\\\]{0,8}", inner, 0..6).prop_map(|m| m.into_iter().collect::<Value>())
            ]
        })
    }

    proptest! {
        #[test]
        fn it_accepts_what_serde_json_accepts(text in r#"[\[\]{},:"\\ueE0-9a.+\- tfn]{0,14}"#) {
            let serde = serde_json::from_str::<Value>(&text).is_ok();
            match parse(text.as_bytes()) {
                Ok(document) => prop_assert!(serde || text.is_empty() && document.nodes.is_empty()),
                Err(OpaqueReason::DuplicateName | OpaqueReason::Utf8) => {}
                // A number too large for serde's `f64` is still JSON.
                Err(reason) => prop_assert!(!serde, "{text}: {reason}"),
            }
        }

        #[test]
        fn nothing_edited_is_nothing_changed(value in value(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            prop_assert!(parse(text.as_bytes()).is_ok());
            prop_assert_eq!(Json.splice(text.as_bytes(), &[]), text.into_bytes());
        }

        #[test]
        fn removal_leaves_valid_json_without_the_values_and_with_all_others(value in value(), pretty: bool, choice in prop::collection::vec(any::<bool>(), 60)) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let document = parse(text.as_bytes()).unwrap();
            let chosen = |i: usize| i > 0 && choice.get(i).copied().unwrap_or(false);
            let edits: Vec<Edit> = (0..document.nodes.len()).filter(|i| chosen(*i)).map(|i| &document.nodes[i])
                .map(|n| Edit { span: n.span.clone(), slot: n.slot.clone(), kind: n.kind, new: None }).collect();
            let spliced = Json.splice(text.as_bytes(), &edits);
            let left: Value = serde_json::from_slice(&spliced).unwrap();
            // A name that is a node of its own takes its member along, as the member itself does.
            let gone = |i: usize| edits.iter().any(|e| e.slot.start <= document.nodes[i].slot.start && document.nodes[i].slot.end <= e.slot.end);
            let leaves = |value: &Value| { let mut all = Vec::new(); collect(value, &mut all); all.sort(); all };
            let kept: Vec<String> = { let mut all: Vec<String> = (0..document.nodes.len()).filter(|i| !gone(*i)).map(|i| &document.nodes[i])
                .filter(|n| matches!(n.kind, Kind::Text | Kind::Number | Kind::Bool)).map(|n| n.text.to_string()).collect(); all.sort(); all };
            prop_assert_eq!(leaves(&left), kept);
        }

        #[test]
        fn replaced_text_is_found_back(value in value(), new: String) {
            let text = serde_json::to_string(&value).unwrap();
            let document = parse(text.as_bytes()).unwrap();
            let edits: Vec<Edit> = document.nodes.iter().filter(|n| n.kind == Kind::Text)
                .map(|n| Edit { span: n.span.clone(), slot: n.slot.clone(), kind: n.kind, new: Some(new.clone()) }).collect();
            let spliced = Json.splice(text.as_bytes(), &edits);
            let again = parse(&spliced).unwrap();
            prop_assert_eq!(again.nodes.len(), document.nodes.len());
            for node in again.nodes.iter().filter(|n| n.kind == Kind::Text) {
                prop_assert_eq!(Json.text(&spliced, &node.span, node.kind), new.as_str());
            }
        }
    }

    fn collect(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.values().for_each(|v| collect(v, all)),
            Value::Array(elements) => elements.iter().for_each(|v| collect(v, all)),
            Value::Null => {}
            Value::String(text) => all.push(text.clone()),
            other => all.push(other.to_string()),
        }
    }
}

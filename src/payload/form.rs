//! `application/x-www-form-urlencoded` (WHATWG URL), in bodies and in the query of the target.

use super::pairs::{self, Pairs};
use super::{Document, Edit, Escape, Format, Kind, Limits, Span};
use crate::model::OpaqueReason;
use std::borrow::Cow;

/// Forms. A field that is taken out goes with its name.
pub struct Form;

impl Format for Form {
    fn id(&self) -> &'static str {
        "form"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/x-www-form-urlencoded"]
    }

    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason> {
        if bytes.is_empty() {
            return Ok(Document::default());
        }
        let mut document = pairs::rooted(bytes, Kind::Object, Escape::Form);
        Pairs::new(&mut document, limits).split(0..bytes.len(), b'&')?;
        Ok(document)
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, _: Kind) -> Cow<'a, str> {
        Escape::Form.decode(bytes.get(span.clone()).unwrap_or_default()).unwrap_or_default()
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        pairs::splice(bytes, edits, b'&', Escape::Form, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(body: &[u8]) -> Vec<(String, String)> {
        let document = Form.parse(body, &Limits::default()).unwrap();
        let text = |span: &Span| String::from_utf8_lossy(&body[span.clone()]).into_owned();
        document.nodes.iter().skip(1).filter(|n| n.kind != Kind::Array).map(|n| (text(&n.span), n.text.to_string())).collect()
    }

    #[test]
    fn fields_are_decoded_and_their_spans_are_not() {
        assert_eq!(seen(b"a=%E5%BC%A0+b&&c=1"), [("%E5%BC%A0+b".into(), "\u{5F20} b".into()), ("1".into(), "1".into())]);
        assert_eq!(seen(b"a=1&a=2").len(), 2);
        assert_eq!(seen(b"13800138000")[0], ("13800138000".into(), "13800138000".into()));
        assert_eq!(Form.parse(b"a=%ff", &Limits::default()).map(|_| ()), Err(OpaqueReason::Utf8));
        let small = Limits { members: 2, ..Limits::default() };
        assert_eq!(Form.parse(b"a=1&b=2", &small).map(|_| ()), Err(OpaqueReason::Members));
    }

    #[test]
    fn a_field_goes_with_its_name_and_one_ampersand() {
        let body = b"a=1&b=2&c=3";
        let document = Form.parse(body, &Limits::default()).unwrap();
        let edit = |i: usize, new: Option<&str>| {
            let node = &document.nodes[i];
            Edit { span: node.span.clone(), slot: node.slot.clone(), kind: node.kind, new: new.map(str::to_string) }
        };
        assert_eq!(Form.splice(body, &[edit(1, None)]), b"b=2&c=3");
        assert_eq!(Form.splice(body, &[edit(2, None), edit(3, None)]), b"a=1");
        assert_eq!(Form.splice(body, &[edit(1, Some("x y&\u{5F20}"))]), b"a=x%20y%26%E5%BC%A0&b=2&c=3");
        assert_eq!(Form.splice(body, &[]), body);
    }
}

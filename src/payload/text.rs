//! Plain text in UTF-8: one node over all of it.

use super::splice::{self, Change};
use super::{BOM, Document, Edit, Escape, Format, Kind, Limits, Node, Span, Step};
use crate::model::OpaqueReason;
use std::borrow::Cow;

/// `text/plain`, and a header's value taken as a whole.
pub struct Text;

impl Format for Text {
    fn id(&self) -> &'static str {
        "text"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/plain"]
    }

    fn parse<'a>(&self, bytes: &'a [u8], _: &Limits) -> Result<Document<'a>, OpaqueReason> {
        let start = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        let text = std::str::from_utf8(bytes.get(start..).unwrap_or_default()).map_err(|_| OpaqueReason::Utf8)?;
        let span = start..bytes.len();
        let root = Node { parent: 0, step: Step::Root, kind: Kind::Text, span: span.clone(), slot: span, text: Cow::Borrowed(text) };
        let nodes = if text.is_empty() { Vec::new() } else { vec![root] };
        Ok(Document { nodes, source: bytes, escape: Escape::None })
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, _: Kind) -> Cow<'a, str> {
        String::from_utf8_lossy(bytes.get(span.clone()).unwrap_or_default())
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        let change = |edit: &Edit| match &edit.new {
            Some(new) => Change::Put(edit.span.clone(), new.clone()),
            None => Change::Put(edit.slot.clone(), String::new()),
        };
        // No byte is a separator here: only replacements are made.
        splice::make(bytes, edits.iter().map(change).collect(), b'\n')
    }
}

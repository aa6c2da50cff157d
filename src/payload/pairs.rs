//! `name=value` pairs with a separator between them: what forms, queries and cookies share.

use super::splice::{self, Change};
use super::{Document, Edit, Escape, Kind, Limits, Node, Span, Step, json};
use crate::model::OpaqueReason;
use std::borrow::Cow;
use std::collections::HashMap;

/// Adds pairs to a document that has its root already.
pub(super) struct Pairs<'a, 'd> {
    document: &'d mut Document<'a>,
    limits: Limits,
    seen: HashMap<Cow<'a, str>, usize>,
}

impl<'a, 'd> Pairs<'a, 'd> {
    pub(super) fn new(document: &'d mut Document<'a>, limits: &Limits) -> Self {
        Pairs { document, limits: *limits, seen: HashMap::new() }
    }

    /// Adds every pair of `range`. Blanks around a name or value belong to neither, nor do quotes around a value.
    pub(super) fn split(&mut self, range: Span, separator: u8) -> Result<(), OpaqueReason> {
        let source = self.document.source;
        let mut start = range.start;
        for piece in source.get(range).unwrap_or_default().split(|b| *b == separator) {
            let slot = trimmed(source, start..start + piece.len(), b" \t");
            start += piece.len() + 1;
            if !slot.is_empty() {
                self.pair(slot)?;
            }
        }
        Ok(())
    }

    /// Adds one pair; without `=` it is a name with an empty value. A repeated name hangs under a list: `/name`, `/name/1`, `/name/2`.
    pub(super) fn pair(&mut self, slot: Span) -> Result<(), OpaqueReason> {
        let source = self.document.source;
        let equals = source.get(slot.clone()).unwrap_or_default().iter().position(|b| *b == b'=').map_or(slot.end, |i| slot.start + i);
        let name_span = trimmed(source, slot.start..equals, b" \t");
        let value_span = trimmed(source, (equals + 1).min(slot.end)..slot.end, b" \t\"");
        self.add(name_span, value_span, slot)
    }

    /// Adds a pair whose parts are known.
    pub(super) fn add(&mut self, name_span: Span, value_span: Span, slot: Span) -> Result<(), OpaqueReason> {
        let (source, escape) = (self.document.source, self.document.escape);
        let name = escape.decode(source.get(name_span.clone()).unwrap_or_default())?;
        let text = escape.decode(source.get(value_span.clone()).unwrap_or_default())?;
        if json::may_be_data(&name) || text.is_empty() {
            self.push(Node { parent: 0, step: Step::Name(name.clone()), kind: Kind::Name, span: name_span, slot: slot.clone(), text: name.clone() })?;
        }
        let repeat = self.seen.entry(name.clone()).or_default();
        let (count, list) = (*repeat, self.document.nodes.len());
        *repeat += 1;
        if count == 0 {
            return self.push(Node { parent: 0, step: Step::Name(name), kind: Kind::Text, span: value_span, slot, text });
        }
        self.push(Node { parent: 0, step: Step::Name(name), kind: Kind::Array, span: value_span.clone(), slot: slot.clone(), text: Cow::Borrowed("") })?;
        self.push(Node { parent: list, step: Step::Index(count), kind: Kind::Text, span: value_span, slot, text })
    }

    /// Adds any node, within the limit.
    pub(super) fn push(&mut self, node: Node<'a>) -> Result<(), OpaqueReason> {
        if self.document.nodes.len() >= self.limits.members {
            return Err(OpaqueReason::Members);
        }
        self.document.nodes.push(node);
        Ok(())
    }
}

/// A document with nothing but a root of this kind over all of `source`.
pub(super) fn rooted(source: &[u8], kind: Kind, escape: Escape) -> Document<'_> {
    let all = 0..source.len();
    let root = Node { parent: 0, step: Step::Root, kind, span: all.clone(), slot: all, text: Cow::Borrowed("") };
    Document { nodes: vec![root], source, escape }
}

/// `span` without any of `ends` on either side.
pub(super) fn trimmed(source: &[u8], span: Span, ends: &[u8]) -> Span {
    let bytes = source.get(span.clone()).unwrap_or_default();
    let front = bytes.iter().take_while(|b| ends.contains(b)).count();
    let back = bytes.iter().skip(front).rev().take_while(|b| ends.contains(b)).count();
    span.start + front..span.end - back
}

/// Edits on pairs: a pair that is taken out takes a separator with it; what is less than a pair leaves `gone`.
pub(super) fn splice(bytes: &[u8], edits: &[Edit], separator: u8, escape: Escape, gone: &str) -> Vec<u8> {
    let change = |edit: &Edit| match &edit.new {
        Some(new) => {
            let mut text = String::with_capacity(new.len());
            escape.encode(new, &mut text);
            Change::Put(edit.span.clone(), text)
        }
        None if edit.slot == edit.span => Change::Put(edit.span.clone(), gone.to_string()),
        None => Change::Take(edit.slot.clone()),
    };
    splice::make(bytes, edits.iter().map(change).collect(), separator)
}

//! Bytes to fields and back: formats give [`Document`]s, edits are spliced into the original bytes.

pub mod coding;
mod escape;
pub mod form;
pub mod head;
pub mod json;
mod pairs;
pub mod select;
mod splice;
pub mod text;

pub use escape::Escape;
pub use select::Selector;

use crate::model::OpaqueReason;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Every format a body can have. The query of the target is a form as well.
pub const ALL: &[&dyn Format] = &[&json::Json, &form::Form, &text::Text];

/// Byte range in the source of a [`Part`], half open.
pub type Span = Range<usize>;

/// Which bytes of a message a span counts in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The body after content decoding.
    Body,
    /// The query of the target, without `?`.
    Query,
    /// The path of the target.
    Path,
    /// The value of the header of this lower-case name; the number counts equal names from 0.
    Header(String, usize),
    /// The joined `Cookie` header.
    Cookie,
}

/// What a node of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    /// A string; its span is without quotes, before unescaping.
    Text,
    Number,
    Bool,
    Null,
    /// A member name that is itself looked at as a value (a phone number as a key).
    Name,
}

/// How a node hangs on its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    Root,
    /// Unescaped member name.
    Name(Cow<'a, str>),
    Index(usize),
}

/// One container or scalar.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Index of the parent in [`Document::nodes`]; the root is its own parent.
    pub parent: usize,
    pub step: Step<'a>,
    pub kind: Kind,
    /// The value: strings without their quotes, numbers whole, containers with their brackets.
    pub span: Span,
    /// What goes when the value is taken out: for a member, name, colon and value.
    pub slot: Span,
    /// The decoded text of a scalar; empty for containers.
    pub text: Cow<'a, str>,
}

/// Everything one reading of some bytes yields, in document order (a parent before its children).
#[derive(Debug, Clone, Default)]
pub struct Document<'a> {
    pub nodes: Vec<Node<'a>>,
    /// The bytes that spans count in.
    pub source: &'a [u8],
    /// How scalars are written in those bytes.
    pub escape: Escape,
}

impl Document<'_> {
    /// Where ranges of the decoded text of a node lie in the source, escape sequences included; one walk for all of them.
    pub fn locate(&self, node: &Node<'_>, ranges: &[Range<usize>]) -> Vec<Span> {
        if matches!(node.text, Cow::Borrowed(_)) {
            return ranges.iter().map(|r| node.span.start + r.start..node.span.start + r.end).collect();
        }
        let escape = if matches!(node.kind, Kind::Text | Kind::Name) { self.escape } else { Escape::None };
        escape.locate(self.source.get(node.span.clone()).unwrap_or_default(), node.span.start, ranges)
    }
}

/// One change to the source bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub slot: Span,
    pub kind: Kind,
    /// The new text before escaping; none takes the slot out.
    pub new: Option<String>,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edit({:?} {})", self.span, if self.new.is_some() { "replaced" } else { "removed" })
    }
}

/// Bounds of one reading. Beyond any of them the bytes are opaque, with the reason named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest body that is inspected, in bytes after decoding.
    pub bytes: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most nodes of one document.
    pub members: usize,
    /// Largest decoded size per encoded byte.
    pub ratio: usize,
    /// Most records of one message: more could not be kept as facts.
    pub records: usize,
}

impl Default for Limits {
    /// 1 MiB covers ordinary API bodies; 128 levels as most JSON parsers; 100,000 nodes bound memory at some 10 MiB;
    /// deflate cannot exceed 1,032:1, real JSON stays under 100:1; 1,000 records by design.
    fn default() -> Self {
        Limits { bytes: 1 << 20, depth: 128, members: 100_000, ratio: 100, records: 1_000 }
    }
}

/// A reader and writer of one payload format. Adding one is a new file and a line in [`ALL`].
pub trait Format: Sync {
    /// Name in metrics and documents.
    fn id(&self) -> &'static str;
    /// Media types it reads, lower case, without parameters; `+json` reads a structured-syntax suffix.
    fn media_types(&self) -> &'static [&'static str];
    /// Reads all of `bytes`, or says why they are opaque.
    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason>;
    /// The decoded text of a scalar at `span`, as [`Node::text`] had it.
    fn text<'a>(&self, bytes: &'a [u8], span: &Span, kind: Kind) -> Cow<'a, str>;
    /// The bytes with `edits` made: untouched bytes stay as they came, new text is escaped for its place.
    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8>;
}

/// Marks the start of UTF-8; skipped, though spans count it.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Picks the format by media type and reads the body with it, or says why the body is opaque.
///
/// A body without a type, as `application/octet-stream` or as `text/plain` that reads as a JSON object or array is JSON:
/// some origin will read it so, and that reading shows more. An empty body is a document without nodes.
pub fn read<'a>(content_type: Option<&str>, body: &'a [u8], limits: &Limits) -> Result<(&'static dyn Format, Document<'a>), OpaqueReason> {
    if body.len() > limits.bytes {
        return Err(OpaqueReason::Size);
    }
    let media = Media::parse(content_type.unwrap_or_default());
    if body.is_empty() {
        return Ok((media.format().unwrap_or(&text::Text), Document::default()));
    }
    if !media.utf8 || body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
        return Err(OpaqueReason::Charset);
    }
    if matches!(media.essence.as_str(), "" | "application/octet-stream" | "text/plain") {
        match json::Json.parse(body, limits) {
            Ok(document) if document.nodes.first().is_some_and(|root| matches!(root.kind, Kind::Object | Kind::Array)) => return Ok((&json::Json, document)),
            Err(reason) if json::opens_container(body) && !matches!(reason, OpaqueReason::Syntax | OpaqueReason::Utf8) => return Err(reason),
            _ => {}
        }
    }
    let format = media.format().ok_or(OpaqueReason::Type)?;
    Ok((format, format.parse(body, limits)?))
}

/// A media type as far as reading needs it (RFC 9110 section 8.3).
struct Media {
    /// Type and subtype, lower case.
    essence: String,
    /// No charset is named, or one that UTF-8 includes.
    utf8: bool,
}

impl Media {
    fn parse(value: &str) -> Media {
        let mut parts = value.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charsets = parts.filter_map(|p| p.split_once('=')).filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let mut values = charsets.map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_ascii_lowercase());
        Media { essence, utf8: values.all(|v| matches!(v.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii")) }
    }

    fn format(&self) -> Option<&'static dyn Format> {
        let reads = |format: &&&'static dyn Format| {
            format.media_types().iter().any(|m| *m == self.essence || (m.starts_with('+') && self.essence.ends_with(m) && self.essence.contains('/')))
        };
        ALL.iter().find(reads).copied()
    }
}

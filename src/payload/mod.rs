//! Bytes to fields and back: formats give [`Document`]s, edits are spliced into the original bytes.

use crate::model::OpaqueReason;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

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

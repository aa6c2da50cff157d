//! Fields to findings: what personal data is where, and how we know. Never the value.

use crate::model::{Category, Form, Jurisdiction};
use crate::payload::{Document, Kind, Part, Span};

/// What a finding rests on. In the second inspection, inside an edit, key evidence is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// Only the name of the field.
    Key,
    /// The value itself, by shape and validator, with or without a telling name.
    Value,
}

/// Personal data at a place. Sorted by part, span, category; one per (category, span).
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub category: Category,
    /// Detector id, `snake_case`, telling the kind inside a broad category (`cn_resident_id`).
    pub detector: &'static str,
    /// 0 to 1.
    pub confidence: f32,
    pub ground: Ground,
    /// `clear`, or `pseudonymised` for a token of ours.
    pub form: Form,
    pub part: Part,
    /// Where, for a person: JSON Pointer, form name, header or cookie; see the manual of `classify`.
    pub at: String,
    pub span: Span,
    /// What goes when the finding is dropped.
    pub slot: Span,
    pub kind: Kind,
    /// The node of the document, for grouping into records.
    pub node: usize,
    /// The state that issues this identifier (a resident ID, an SSN, a CPF): adds its jurisdiction.
    pub issued_by: Option<Jurisdiction>,
    /// Weak evidence of a jurisdiction (a phone's country code).
    pub hints_at: Option<Jurisdiction>,
}

/// Everything personal in a document, sorted by span, then category.
pub fn scan(_document: &Document<'_>, _part: &Part) -> Vec<Finding> {
    Vec::new()
}

/// Id of the detector of our own tokens.
pub const TOKEN_DETECTOR: &str = "domicile_token";

//! Values that the name of their field tells, if they can be what it says.

use super::Detector;
use super::field::{Field, Hit};
use super::keys::Meaning;
use super::lexicon::Shape;
use super::{names, shape};
use crate::model::Category::PersonName;
use crate::payload::Kind;

/// Values under telling names.
pub(super) struct Keyed;

impl Detector for Keyed {
    fn id(&self) -> &'static str {
        "keyed"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        let Some(meaning) = field.meaning else { return };
        let all = 0..field.text.len();
        // People put their real names where a login or a shown name is asked for.
        if matches!(meaning.shape, Shape::Login | Shape::Shown) && field.kind == Kind::Text && names::sure(field.text) {
            hits.push(Hit::key(Meaning { category: PersonName, detector: "name_key", shape: Shape::Name }, 0.8, all));
        } else if shape::fits(meaning.shape, field.text, field.kind) || meaning.shape == Shape::Shown && shape::fits(Shape::Any, field.text, field.kind) {
            hits.push(Hit::key(meaning, 0.9, all));
        }
    }
}

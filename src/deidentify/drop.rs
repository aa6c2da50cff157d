//! Taking a value out altogether, with its name.

use super::{CannotEdit, Context, New, Transform};
use crate::model::{Category, Form, Technique};

/// The default for what can only do harm abroad: credentials, biometrics.
pub(super) struct Drop;

impl Transform for Drop {
    fn technique(&self) -> Technique {
        Technique::Drop
    }

    fn form(&self) -> Form {
        Form::Deidentified
    }

    fn edit(&self, _: Category, _: &str, _: &Context<'_>) -> Result<New, CannotEdit> {
        Ok(New::Removed)
    }

    fn declares(&self, _: Category, _: Category) -> bool {
        false
    }
}

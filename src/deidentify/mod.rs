//! Findings to edits: what a value becomes when it may not leave as it is, and how it comes back at home.

mod drop;
mod generalise;
mod keys;
mod mask;
mod pseudonym;
mod token;

pub use keys::{InvalidKey, Keys};
pub use token::{CannotRestore, Reader, TOKEN_PREFIX, Token, parse_token, restore};

use crate::model::{ApiId, Category, Form, SubjectRef, Technique};
use std::fmt;

/// Every transform. Adding one is a new file and a line here.
pub static ALL: &[&dyn Transform] = &[&drop::Drop, &mask::Mask, &generalise::Generalise, &pseudonym::Pseudonym, &token::Tokenise];

/// One way to make a value say less about its person. The same input always gives the same output.
pub trait Transform: Sync {
    /// Its name in policies.
    fn technique(&self) -> Technique;
    /// What is left of the person in its output.
    fn form(&self) -> Form;
    /// The new value.
    fn edit(&self, category: Category, text: &str, context: &Context<'_>) -> Result<New, CannotEdit>;
    /// Whether a second inspection may find `found` in the output for a value of `category`, without that being a leak.
    fn declares(&self, category: Category, found: Category) -> bool;
}

/// For whom an edit is made. Everything here binds tokens and pseudonyms: elsewhere they mean nothing.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Whose data it is: the policy's exporter.
    pub tenant: &'a str,
    pub api: &'a ApiId,
    /// The subject of the record; none if unresolved.
    pub subject: Option<&'a SubjectRef>,
    pub keys: &'a Keys,
}

/// What stands in the place of a value.
#[derive(Clone, PartialEq, Eq)]
pub enum New {
    /// A text; a number that becomes one is quoted.
    Text(String),
    /// A decimal number: stays one where one stood, and is a text where a text stood.
    Number(String),
    /// Nothing: the member goes.
    Removed,
}

impl fmt::Debug for New {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            New::Text(_) => "Text",
            New::Number(_) => "Number",
            New::Removed => "Removed",
        })
    }
}

/// Why a value cannot be de-identified this way. It must be dropped or stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannotEdit {
    /// This node has no key.
    NoKey,
    /// There is no such technique for this category.
    Category,
    /// The value is not in a notation that can be made coarser.
    Notation,
    /// The cipher refused: the value is longer than any body.
    Cipher,
    /// Restoring is [`restore`], not an edit of this kind.
    Restore,
}

impl fmt::Display for CannotEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CannotEdit::NoKey => "this node has no de-identification key: name one in `keys`",
            CannotEdit::Category => "there is no such technique for this category",
            CannotEdit::Notation => "the value is not in a notation that can be made coarser",
            CannotEdit::Cipher => "the value is too long to be encrypted",
            CannotEdit::Restore => "restoring is no de-identification",
        })
    }
}

impl std::error::Error for CannotEdit {}

/// What `text` becomes. A token for an unresolved subject becomes a pseudonym: nobody could ever prove that the token is theirs.
pub fn edit(technique: Technique, category: Category, text: &str, context: &Context<'_>) -> Result<New, CannotEdit> {
    find(technique).ok_or(CannotEdit::Restore)?.edit(category, text, context)
}

/// What is left of the person after `technique`.
pub fn form(technique: Technique) -> Form {
    find(technique).map_or(Form::Clear, |transform| transform.form())
}

/// Whether `found` may be found inside an edit of a value of `category`. A restored value may hold whatever its original held; it is decided on again.
pub fn declares(technique: Technique, category: Category, found: Category) -> bool {
    find(technique).is_none_or(|transform| transform.declares(category, found))
}

fn find(technique: Technique) -> Option<&'static dyn Transform> {
    ALL.iter().find(|transform| transform.technique() == technique).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_technique_but_restore_is_one_transform() {
        for technique in Technique::ALL {
            assert_eq!(ALL.iter().filter(|t| t.technique() == *technique).count(), usize::from(*technique != Technique::Restore), "{technique}");
        }
    }

    #[test]
    fn only_keyed_techniques_pseudonymise_and_none_anonymises() {
        assert_eq!(form(Technique::Mask), Form::Deidentified);
        assert_eq!(form(Technique::Generalise), Form::Deidentified);
        assert_eq!(form(Technique::Pseudonym), Form::Pseudonymised);
        assert_eq!(form(Technique::Token), Form::Pseudonymised);
        assert_eq!(form(Technique::Restore), Form::Clear);
    }

    #[test]
    fn a_dropped_value_is_gone_and_declares_nothing() {
        let (api, keys) = ("a".parse().unwrap(), Keys::default());
        let context = Context { tenant: "t", api: &api, subject: None, keys: &keys };
        assert_eq!(edit(Technique::Drop, Category::FaceBiometric, "x", &context), Ok(New::Removed));
        assert!(Category::ALL.iter().all(|found| !declares(Technique::Drop, Category::FaceBiometric, *found)));
        assert_eq!(edit(Technique::Restore, Category::FaceBiometric, "x", &context), Err(CannotEdit::Restore));
    }

    proptest! {
        #[test]
        fn the_same_value_always_becomes_the_same(text in ".*", category in prop::sample::select(Category::ALL), technique in prop::sample::select(Technique::ALL)) {
            let (api, subject) = ("a".parse().unwrap(), "s".parse().unwrap());
            let keys = Keys::default().with("k", "CN".parse().unwrap(), &[7; 32]).unwrap();
            let context = Context { tenant: "t", api: &api, subject: Some(&subject), keys: &keys };
            prop_assert_eq!(edit(technique, category, &text, &context), edit(technique, category, &text, &context));
        }
    }
}

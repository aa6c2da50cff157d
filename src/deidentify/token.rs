//! Reversible tokens: AES-SIV (RFC 5297), bound to tenant, API, category, subject and key version. They come back at home, and nowhere else.

use super::keys::Key;
use super::pseudonym::Pseudonym;
use super::{CannotEdit, Context, New, Transform};
use crate::model::{Category, Form, Jurisdiction, SubjectRef, Technique};
use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// How every token begins: version 1 of the notation.
pub const TOKEN_PREFIX: &str = "dmc1.";
/// Bytes that authenticate a token, before its text.
const TAG_BYTES: usize = 16;

/// `dmc1.<category>.<base64url of: length of key id, key id, ciphertext>`.
pub(super) struct Tokenise;

impl Transform for Tokenise {
    fn technique(&self) -> Technique {
        Technique::Token
    }

    fn form(&self) -> Form {
        Form::Pseudonymised
    }

    fn edit(&self, category: Category, text: &str, context: &Context<'_>) -> Result<New, CannotEdit> {
        let Some(subject) = context.subject else { return Pseudonym.edit(category, text, context) };
        let key = context.keys.current().ok_or(CannotEdit::NoKey)?;
        let sealed = cipher(key).encrypt(bound_to(key, category, subject, context), text.as_bytes()).map_err(|_| CannotEdit::Cipher)?;
        let length = u8::try_from(key.id.len()).map_err(|_| CannotEdit::Cipher)?;
        let bytes = [&[length], key.id.as_bytes(), &sealed].concat();
        Ok(New::Text(format!("{TOKEN_PREFIX}{category}.{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// A token says what it stands for.
    fn declares(&self, category: Category, found: Category) -> bool {
        found == category
    }
}

/// What a token says to everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What its value is.
    pub category: Category,
    /// The key it was made with.
    pub key_id: String,
}

/// Who wants to read a token's value.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The verified subject who reads.
    pub subject: Option<&'a SubjectRef>,
    /// Where they stand.
    pub jurisdiction: Option<Jurisdiction>,
    /// Whether the API names their role among those that may read other people's values.
    pub by_role: bool,
}

/// Why a token keeps its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannotRestore {
    /// It is no token of this notation.
    NoToken,
    /// This node does not hold its key.
    NoKey,
    /// The reader does not stand where the key belongs.
    NotAtHome,
    /// The reader is neither the subject nor in a role that the API names.
    NotTheirs,
    /// It was made for another tenant, API, category or subject, or tampered with.
    NotIssuedHere,
}

impl fmt::Display for CannotRestore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CannotRestore::NoToken => "this is no token",
            CannotRestore::NoKey => "this node does not hold the key of the token",
            CannotRestore::NotAtHome => "the reader does not stand where the key belongs",
            CannotRestore::NotTheirs => "the reader is neither the subject nor in a role that the API names",
            CannotRestore::NotIssuedHere => "the token was not issued for this",
        })
    }
}

impl std::error::Error for CannotRestore {}

/// What a token says, if it is one; whether it is genuine, only its key can tell.
pub fn parse_token(text: &str) -> Option<Token> {
    open(text).map(|(category, key_id, _)| Token { category, key_id })
}

/// The value of a token: for its subject (`context.subject`, whose record it stands in) or a named role, where its key belongs.
pub fn restore(text: &str, context: &Context<'_>, reader: &Reader<'_>) -> Result<String, CannotRestore> {
    let (category, key_id, sealed) = open(text).ok_or(CannotRestore::NoToken)?;
    let key = context.keys.find(&key_id).ok_or(CannotRestore::NoKey)?;
    if reader.jurisdiction != Some(key.jurisdiction) {
        return Err(CannotRestore::NotAtHome);
    }
    let subject = context.subject.filter(|subject| reader.by_role || reader.subject == Some(*subject)).ok_or(CannotRestore::NotTheirs)?;
    let bytes = cipher(key).decrypt(bound_to(key, category, subject, context), &sealed).map_err(|_| CannotRestore::NotIssuedHere)?;
    String::from_utf8(bytes).map_err(|_| CannotRestore::NotIssuedHere)
}

fn open(text: &str) -> Option<(Category, String, Vec<u8>)> {
    let (category, payload) = text.strip_prefix(TOKEN_PREFIX)?.split_once('.')?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let (length, rest) = bytes.split_first()?;
    let (id, sealed) = rest.split_at_checked(usize::from(*length))?;
    let id = std::str::from_utf8(id).ok().filter(|id| !id.is_empty())?;
    let whole = sealed.len() >= TAG_BYTES;
    whole.then(|| Some((category.parse().ok()?, id.to_owned(), sealed.to_vec())))?
}

fn cipher(key: &Key) -> Aes256Siv {
    Aes256Siv::new((&*key.token).into())
}

/// Everything a token is worth nothing without. SIV takes the parts as a vector: they cannot run into each other (RFC 5297 §2.4).
fn bound_to<'a>(key: &'a Key, category: Category, subject: &'a SubjectRef, context: &Context<'a>) -> [&'a [u8]; 6] {
    [TOKEN_PREFIX, context.tenant, context.api.as_str(), category.id(), subject.as_str(), &key.id].map(str::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deidentify::{Keys, edit};
    use crate::model::ApiId;
    use proptest::prelude::*;

    fn cn() -> Jurisdiction {
        "CN".parse().unwrap()
    }

    fn keys() -> Keys {
        Keys::default().with("cn-1", cn(), &[1; 32]).unwrap()
    }

    /// Where a token is made or read.
    #[derive(Clone)]
    struct Desk {
        tenant: &'static str,
        api: ApiId,
        subject: SubjectRef,
        keys: Keys,
    }

    impl Desk {
        fn new() -> Desk {
            Desk { tenant: "shop", api: "accounts".parse().unwrap(), subject: "a".parse().unwrap(), keys: keys() }
        }

        fn context(&self) -> Context<'_> {
            Context { tenant: self.tenant, api: &self.api, subject: Some(&self.subject), keys: &self.keys }
        }

        fn token(&self, text: &str) -> String {
            match edit(Technique::Token, Category::PhoneNumber, text, &self.context()) {
                Ok(New::Text(token)) => token,
                other => panic!("{other:?}"),
            }
        }

        /// As the subject of this desk, in China.
        fn restore(&self, token: &str) -> Result<String, CannotRestore> {
            restore(token, &self.context(), &Reader { subject: Some(&self.subject), jurisdiction: Some(cn()), by_role: false })
        }
    }

    #[test]
    fn a_subject_gets_their_own_value_back_at_home() {
        let desk = Desk::new();
        let token = desk.token("13800138000");
        assert!(token.starts_with("dmc1.phone_number.") && !token.contains("138001"), "{token}");
        assert_eq!(desk.restore(&token).unwrap(), "13800138000");
        assert_eq!(parse_token(&token), Some(Token { category: Category::PhoneNumber, key_id: "cn-1".into() }));
    }

    #[test]
    fn b_cannot_restore_a_token_of_a() {
        let desk = Desk::new();
        let token = desk.token("13800138000");
        let b: SubjectRef = "b".parse().unwrap();
        assert_eq!(Desk { subject: b.clone(), ..desk.clone() }.restore(&token), Err(CannotRestore::NotIssuedHere), "in a record of b's own");
        let reader = Reader { subject: Some(&b), jurisdiction: Some(cn()), by_role: false };
        assert_eq!(restore(&token, &desk.context(), &reader), Err(CannotRestore::NotTheirs), "in a record of a");
        assert_eq!(restore(&token, &desk.context(), &Reader { subject: None, ..reader }), Err(CannotRestore::NotTheirs));
    }

    #[test]
    fn a_named_role_reads_the_tokens_of_others() {
        let desk = Desk::new();
        let reader = Reader { subject: None, jurisdiction: Some(cn()), by_role: true };
        assert_eq!(restore(&desk.token("x"), &desk.context(), &reader).unwrap(), "x");
    }

    #[test]
    fn away_from_home_a_token_stays_a_token() {
        let desk = Desk::new();
        let token = desk.token("x");
        for jurisdiction in ["DE".parse().ok(), None] {
            let reader = Reader { subject: Some(&desk.subject), jurisdiction, by_role: true };
            assert_eq!(restore(&token, &desk.context(), &reader), Err(CannotRestore::NotAtHome));
        }
    }

    #[test]
    fn another_tenant_api_category_or_key_version_cannot_restore() {
        let desk = Desk::new();
        let token = desk.token("13800138000");
        assert_eq!(Desk { tenant: "other", ..desk.clone() }.restore(&token), Err(CannotRestore::NotIssuedHere));
        assert_eq!(Desk { api: "orders".parse().unwrap(), ..desk.clone() }.restore(&token), Err(CannotRestore::NotIssuedHere));
        assert_eq!(desk.restore(&token.replace("phone_number", "email_address")), Err(CannotRestore::NotIssuedHere));
        let same_secret = Keys::default().with("cn-1", cn(), &[1; 32]).unwrap().with("cn-2", cn(), &[1; 32]).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap();
        let relabelled = [b"\x04cn-2", &payload[5..]].concat();
        let relabelled = format!("dmc1.phone_number.{}", URL_SAFE_NO_PAD.encode(relabelled));
        assert_eq!(Desk { keys: same_secret, ..desk.clone() }.restore(&relabelled), Err(CannotRestore::NotIssuedHere));
        let new_secret = Keys::default().with("cn-1", cn(), &[2; 32]).unwrap();
        assert_eq!(Desk { keys: new_secret, ..desk }.restore(&token), Err(CannotRestore::NotIssuedHere));
    }

    #[test]
    fn a_node_without_the_key_neither_makes_nor_restores() {
        let desk = Desk::new();
        let token = desk.token("x");
        let bare = Desk { keys: Keys::default(), ..desk };
        assert_eq!(bare.restore(&token), Err(CannotRestore::NoKey));
        assert_eq!(edit(Technique::Token, Category::PhoneNumber, "x", &bare.context()), Err(CannotEdit::NoKey));
    }

    #[test]
    fn an_older_key_still_restores_and_the_first_makes_new_tokens() {
        let desk = Desk::new();
        let old = desk.token("x");
        let rotated = Desk { keys: Keys::default().with("cn-2", cn(), &[2; 32]).unwrap().with("cn-1", cn(), &[1; 32]).unwrap(), ..desk };
        assert_eq!(rotated.restore(&old).unwrap(), "x");
        assert_eq!(parse_token(&rotated.token("x")).unwrap().key_id, "cn-2");
    }

    #[test]
    fn an_unresolved_subject_gets_a_pseudonym_and_no_token() {
        let desk = Desk::new();
        let context = Context { subject: None, ..desk.context() };
        let Ok(New::Text(new)) = edit(Technique::Token, Category::PhoneNumber, "13800138000", &context) else { panic!("no text") };
        assert!(new.starts_with("dmp1.phone_number.") && parse_token(&new).is_none());
    }

    #[test]
    fn only_tokens_parse_as_tokens() {
        for text in [
            "",
            "dmc1.",
            "dmc1.phone_number.",
            "dmc1.phone_number.AAAA",
            "dmc1.nonsense.BGNuLTEAAAAAAAAAAAAAAAAAAAAA",
            "dmc2.phone_number.x",
            "dmp1.phone_number.x",
        ] {
            assert_eq!(parse_token(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_tokenised_comes_back(text in ".*") {
            let desk = Desk::new();
            prop_assert_eq!(desk.restore(&desk.token(&text)).unwrap(), text);
        }

        #[test]
        fn a_token_with_one_bit_changed_is_refused(text in ".{0,20}", at in 5usize..40, bit in 0u8..8) {
            let desk = Desk::new();
            let token = desk.token(&text);
            let mut payload = URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap();
            let at = 5 + at % (payload.len() - 5);
            payload[at] ^= 1 << bit;
            let changed = format!("dmc1.phone_number.{}", URL_SAFE_NO_PAD.encode(payload));
            prop_assert_eq!(desk.restore(&changed), Err(CannotRestore::NotIssuedHere));
        }
    }
}

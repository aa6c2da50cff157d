//! Email addresses (RFC 5321 as far as people use it).

use super::Detector;
use super::field::{Field, Hit};
use crate::model::Category::EmailAddress;

/// Email addresses.
pub(super) struct Email;

/// RFC 5321 section 4.5.3.1: longest local part and longest domain.
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

impl Detector for Email {
    fn id(&self) -> &'static str {
        "email"
    }

    fn look(&self, field: &Field<'_>, hits: &mut Vec<Hit>) {
        for (at, _) in field.text.match_indices('@') {
            let before = field.text.get(..at).unwrap_or_default();
            let after = field.text.get(at + 1..).unwrap_or_default();
            let local = before.bytes().rev().take(LOCAL_MAX).take_while(|b| b.is_ascii_alphanumeric() || b"._%+-'".contains(b)).count();
            let local = before.get(before.len() - local..).unwrap_or_default().trim_start_matches(['.', '\'', '-']);
            let domain = after.bytes().take(DOMAIN_MAX).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')).count();
            let domain = after.get(..domain).unwrap_or_default().trim_end_matches(['.', '-']);
            let start = at - local.len();
            if !local.is_empty() && local != "git" && !local.ends_with('.') && is_domain(domain) && !is_userinfo(before, start) {
                hits.push(Hit::value(EmailAddress, "email", 0.98, start..at + 1 + domain.len()));
            }
        }
    }
}

/// At least two labels; the last is letters and no file ending (`icon@2x.png`).
fn is_domain(domain: &str) -> bool {
    const FILES: &[&str] = &["png", "jpg", "jpeg", "gif", "webp", "svg", "css", "js", "ts", "json", "ico", "pdf"];
    let top = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-'))
        && ((2..=24).contains(&top.len()) && top.bytes().all(|b| b.is_ascii_alphabetic()) || top.starts_with("xn--"))
        && !FILES.contains(&top.to_ascii_lowercase().as_str())
}

/// `https://user:pass@host` names an account on a host, not a mailbox.
fn is_userinfo(before: &str, start: usize) -> bool {
    let lead = before.get(..start).unwrap_or_default().as_bytes();
    let word: Vec<u8> = lead.iter().rev().take(LOCAL_MAX).take_while(|b| !b.is_ascii_whitespace() && b.is_ascii()).copied().collect();
    word.windows(3).any(|w| w == b"//:") && !word.iter().take_while(|b| **b != b':').any(|b| matches!(b, b'/' | b'?' | b'=') && word.first() != Some(b))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found_in_text;

    #[test]
    fn addresses_are_found_next_to_chinese_and_punctuation() {
        for text in ["邮箱zhang.san@qq.com。", "a.b+c@mail.example.co.uk", "<x@y.org>", "ｚｈａｎｇ＠ｑｑ．ｃｏｍ", "mailto:a@b.cn"] {
            assert!(found_in_text(text).contains(&"email_address"), "{text}");
        }
        for text in ["icon@2x.png", "git@github.com:a/b", "pkg@1.2.3", "@alice", "a@b", "https://u:p@h.example/", "a@@b.com"] {
            assert!(!found_in_text(text).contains(&"email_address"), "{text}");
        }
    }
}

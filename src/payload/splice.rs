//! Putting changes into bytes, so that what nobody changed leaves as it came and lists keep their separators right.

use super::Span;

/// What happens to a stretch of the source.
#[derive(Debug)]
pub(super) enum Change {
    /// These bytes become that.
    Put(Span, String),
    /// This item of a list goes, and one separator with it.
    Take(Span),
}

impl Change {
    fn span(&self) -> &Span {
        match self {
            Change::Put(span, _) | Change::Take(span) => span,
        }
    }
}

/// The bytes with `changes` made. A change inside another is swallowed by it. Items of lists are divided by `separator` and white space.
pub(super) fn make(bytes: &[u8], mut changes: Vec<Change>, separator: u8) -> Vec<u8> {
    changes.retain(|c| c.span().start <= c.span().end && c.span().end <= bytes.len());
    changes.sort_by_key(|c| (c.span().start, usize::MAX - c.span().end));
    let mut last = 0;
    changes.retain(|c| {
        let fresh = c.span().start >= last;
        last = if fresh { c.span().end } else { last };
        fresh
    });
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    let copy = |out: &mut Vec<u8>, from: usize, to: usize| out.extend_from_slice(bytes.get(from..to).unwrap_or_default());
    let mut rest = changes.iter().peekable();
    while let Some(change) = rest.next() {
        let span = change.span();
        if let Change::Put(_, text) = change {
            copy(&mut out, done, span.start);
            out.extend_from_slice(text.as_bytes());
            done = span.end;
            continue;
        }
        let mut end = span.end;
        while let Some(next) = rest.next_if(|next| matches!(next, Change::Take(_)) && only_separator(bytes, end, next.span().start, separator)) {
            end = next.span().end;
        }
        let gone = with_separator(bytes, span.start..end, done, separator);
        copy(&mut out, done, gone.start);
        done = gone.end;
    }
    copy(&mut out, done, bytes.len());
    out
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether nothing but one separator stands between two items.
fn only_separator(bytes: &[u8], from: usize, to: usize, separator: u8) -> bool {
    let gap = bytes.get(from..to).unwrap_or_default();
    gap.iter().filter(|b| **b == separator).count() == 1 && gap.iter().all(|b| *b == separator || blank(*b))
}

/// A run of items and the separator that must go with it: the one behind, else the one before, if that has not gone yet.
fn with_separator(bytes: &[u8], run: Span, done: usize, separator: u8) -> Span {
    let after = bytes.get(run.end..).unwrap_or_default();
    let blanks = after.iter().take_while(|b| blank(**b)).count();
    if after.get(blanks) == Some(&separator) {
        let more = after.iter().skip(blanks + 1).take_while(|b| blank(**b)).count();
        return run.start..run.end + blanks + 1 + more;
    }
    let before = bytes.get(done..run.start).unwrap_or_default();
    let blanks = before.iter().rev().take_while(|b| blank(**b)).count();
    if before.iter().rev().nth(blanks) == Some(&separator) { run.start - blanks - 1..run.end } else { run }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(text: &str, items: &[&str]) -> String {
        let changes = items.iter().map(|i| text.find(i).map(|at| Change::Take(at..at + i.len())).unwrap()).collect();
        String::from_utf8(make(text.as_bytes(), changes, b',')).unwrap()
    }

    #[test]
    fn a_taken_item_takes_one_separator_along() {
        assert_eq!(take("[a, b, c]", &["a"]), "[b, c]");
        assert_eq!(take("[a, b, c]", &["b"]), "[a, c]");
        assert_eq!(take("[a, b, c]", &["c"]), "[a, b]");
        assert_eq!(take("[a, b, c]", &["b", "c"]), "[a]");
        assert_eq!(take("[a, b, c]", &["a", "c"]), "[b]");
        assert_eq!(take("[ a, b, c ]", &["a", "b", "c"]), "[  ]");
    }

    #[test]
    fn a_change_inside_another_is_swallowed() {
        let changes = vec![Change::Put(2..3, "x".into()), Change::Put(1..5, "y".into()), Change::Put(5..5, "z".into())];
        assert_eq!(make(b"abcdefg", changes, b','), b"ayzfg");
    }
}

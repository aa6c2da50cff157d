//! What is wrong in a file, where, and how to mend it, with the line itself.

use super::Source;
use super::shape::Place;
use crate::model::data::closed;
use serde::Serialize;
use std::fmt;

closed! {
    /// Whether a policy can be used in spite of it.
    Severity, "severity" {
        Error = "error",
        Warning = "warning",
        Note = "note",
    }
}

/// One finding about one place of one file. Line and column count from 1; 0 is the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The line it speaks of, as it stands in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(severity: Severity, source: Source<'_>, place: Place, message: impl Into<String>) -> Self {
        let excerpt = place.line.checked_sub(1).and_then(|n| source.text.lines().nth(n)).map(str::to_owned);
        Diagnostic { severity, file: source.name.to_owned(), line: place.line, column: place.column, message: message.into(), help: None, excerpt }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What the YAML reader found wrong, in our words where it knows a word we might have meant.
    pub(crate) fn of_yaml(source: Source<'_>, error: &serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let place = error.location().map_or_else(Place::default, Place::from);
        match error {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                let found = Diagnostic::new(Severity::Error, source, place, format!("unknown key `{field}`"));
                found.help(suggest(field, expected.iter().copied()).unwrap_or_else(|| format!("known keys: {}", expected.join(", "))))
            }
            serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
                let found = Diagnostic::new(Severity::Error, source, place, format!("unknown value `{variant}`"));
                found.help(suggest(variant, expected.iter().copied()).unwrap_or_else(|| format!("known values: {}", expected.join(", "))))
            }
            other => {
                let text = other.to_string();
                // The place is printed by us, once.
                let message = text.split(" at line ").next().unwrap_or(&text).trim();
                // The reader's advice is to its callers, not to the author of the file.
                let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(message);
                Diagnostic::new(Severity::Error, source, place, message)
            }
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  --> {}", self.severity, self.message, self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if let Some(excerpt) = &self.excerpt {
            let gutter = self.line.to_string();
            let pad = " ".repeat(gutter.len());
            let caret = " ".repeat(self.column.saturating_sub(1));
            write!(f, "\n {pad} |\n {gutter} | {excerpt}\n {pad} | {caret}^")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

/// `did you mean ...`, if one of the words is close.
pub(crate) fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // A third of the word may be wrong: `recipent` finds `recipient`, `colour` does not find `cite`.
    let limit = (word.chars().count() / 3).max(1);
    known.map(|candidate| (distance(word, candidate), candidate)).filter(|(d, _)| *d <= limit).min().map(|(_, c)| format!("did you mean `{c}`?"))
}

/// Levenshtein distance, by characters.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i + 1;
        let mut next = vec![before];
        for ((y, above_left), above) in b.chars().zip(&row).zip(row.iter().skip(1)) {
            before = if x == y { *above_left } else { 1 + *above_left.min(above).min(&before) };
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggest("recipent", ["residency", "recipient"].into_iter()).as_deref(), Some("did you mean `recipient`?"));
        assert_eq!(suggest("colour", ["cite", "when"].into_iter()), None);
    }

    #[test]
    fn a_diagnostic_shows_the_line_and_points_at_the_column() {
        let source = Source { name: "p.yaml", text: "policy: x\nrulez: []\n" };
        let shown = Diagnostic::new(Severity::Error, source, Place { line: 2, column: 1 }, "unknown key `rulez`").help("did you mean `rules`?").to_string();
        assert_eq!(shown, "error: unknown key `rulez`\n  --> p.yaml:2:1\n   |\n 2 | rulez: []\n   | ^\n  = help: did you mean `rules`?");
    }
}

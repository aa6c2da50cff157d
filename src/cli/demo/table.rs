//! The table on a terminal: two lines a row, 160 columns at most, Chinese and Latin text aligned.

use super::row::Line;
use std::io::{IsTerminal, Write};

/// Columns of a row's first line, in terminal cells, with two between them.
const WIDTHS: [usize; 6] = [2, 62, 24, 22, 14, 26];
/// The second line: what was found, and what the backend received.
const FOUND: usize = 62;
const RECEIVED: usize = 92;
const GAP: &str = "  ";

/// Prints rows as they come.
pub(super) struct Table {
    colour: bool,
}

impl Table {
    pub(super) fn new() -> Table {
        Table { colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    /// The heads of the columns.
    pub(super) fn head(&self) {
        say(&cells(&["#", "request", "from -> to", "verdict", "action", "rule"]));
        say(&second("personal data in it", "what the backend really received"));
        say(&"─".repeat(WIDTHS.iter().sum::<usize>() + GAP.len() * (WIDTHS.len() - 1)));
    }

    /// The name of an app, above its rows.
    pub(super) fn app(&self, name: &str) {
        say(&format!("── {name} "));
    }

    /// One row; where it did not hold, what was expected against what was seen.
    pub(super) fn line(&self, line: &Line) {
        let mark = if line.held { "✓" } else { "✗" };
        let request = format!("{mark} {}", line.request);
        let way = format!("{} -> {}", line.from, line.to);
        let first = cells(&[&line.number.to_string(), &request, &way, &line.verdict, &line.action, &line.rules.join(" ")]);
        say(&self.painted(&first, line.held));
        let received: Vec<String> = line.received.iter().map(|(region, text)| format!("{region} {text}")).collect();
        let received = if received.is_empty() { "nothing".to_owned() } else { received.join("; ") };
        let received = line.read.as_ref().map_or(received.clone(), |read| format!("{received}; the caller reads {read}"));
        let found = if line.categories.is_empty() { "nothing personal".to_owned() } else { line.categories.join(" ") };
        say(&second(&found, &received));
        line.failures.iter().for_each(|failure| say(&self.painted(&format!("     {failure}"), false)));
    }

    fn painted(&self, text: &str, good: bool) -> String {
        match (self.colour, good) {
            (true, true) => text.replacen('✓', "\u{1b}[32m✓\u{1b}[0m", 1),
            (true, false) => format!("\u{1b}[31m{text}\u{1b}[0m"),
            (false, _) => text.to_owned(),
        }
    }
}

/// A line on standard output. Nobody may be reading any more; the demo ends all the same.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

fn cells(texts: &[&str; 6]) -> String {
    texts.iter().zip(WIDTHS).map(|(text, width)| fitted(text, width)).collect::<Vec<_>>().join(GAP)
}

fn second(found: &str, received: &str) -> String {
    [&fitted("", WIDTHS[0]), &fitted(&format!("  {found}"), FOUND), &fitted(received, RECEIVED)].map(String::as_str).join(GAP)
}

/// The text in exactly this many cells: cut with an ellipsis, or filled with blanks.
fn fitted(text: &str, width: usize) -> String {
    let whole: usize = text.chars().map(cells_of).sum();
    let limit = if whole > width { width.saturating_sub(1) } else { width };
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if used + cells_of(c) > limit {
            break;
        }
        used += cells_of(c);
        out.push(c);
    }
    if whole > width {
        out.push('…');
        used += 1;
    }
    out + &" ".repeat(width.saturating_sub(used))
}

/// How many cells a terminal gives a character: two for East Asian wide and full-width ones (Unicode UAX #11).
fn cells_of(c: char) -> usize {
    let wide = matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{33ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}');
    if wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(text: &str) -> usize {
        text.chars().map(cells_of).sum()
    }

    #[test]
    fn texts_of_any_script_fill_their_cells_exactly() {
        for text in ["", "register", "实名认证", "实名认证 real name", "a\nb"] {
            for cells in [4, 5, 9, 40] {
                assert_eq!(width(&fitted(text, cells)), cells, "{text} in {cells}");
            }
        }
        assert_eq!(fitted("实名认证", 5), "实名…");
    }

    #[test]
    fn a_row_fits_a_wide_terminal() {
        const TERMINAL: usize = 160;
        assert!(width(&cells(&["1", "2", "3", "4", "5", "6"])) <= TERMINAL);
        assert!(width(&second("found", "received")) <= TERMINAL);
    }
}

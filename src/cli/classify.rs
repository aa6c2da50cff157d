//! `domicile classify`: what personal data a body holds, and where. Prints no value.

use super::{Exit, read_input};
use crate::detect::{self, Finding};
use crate::payload::{self, Limits, Part};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};

/// Say what personal data a body holds
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Media type of the body, as in its `Content-Type`; without one it is recognised if it is JSON.
    #[arg(long, conflicts_with = "batch")]
    content_type: Option<String>,
    /// Read JSON lines `{"id", "content_type", "body" or "body_base64"}` and print one line for each.
    #[arg(long)]
    batch: bool,
    /// The body, or `-` for standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
}

/// Runs the command. The result is JSON in both formats: it is made to be read by programs.
pub(super) fn run(arguments: &Arguments) -> Exit {
    if arguments.batch {
        return batch(&arguments.file);
    }
    match read_input(&arguments.file) {
        Ok(body) => {
            let printed = writeln!(std::io::stdout(), "{}", classify(arguments.content_type.as_deref(), &body));
            if printed.is_ok() { Exit::Good } else { Exit::Usage }
        }
        Err(error) => {
            eprintln!("{error}");
            Exit::Usage
        }
    }
}

/// Line by line, so that a file larger than memory goes through.
fn batch(path: &str) -> Exit {
    let source: Box<dyn BufRead> = if path == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        match std::fs::File::open(path) {
            Ok(file) => Box::new(BufReader::new(file)),
            Err(error) => {
                eprintln!("cannot read `{path}`: {error}");
                return Exit::Usage;
            }
        }
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut exit = Exit::Good;
    for line in source.split(b'\n') {
        let line = match line {
            Ok(line) if line.trim_ascii().is_empty() => continue,
            Ok(line) => line,
            Err(error) => {
                eprintln!("cannot read `{path}`: {error}");
                return Exit::Usage;
            }
        };
        let answer = one(&line);
        if answer.get("error").is_some() {
            exit = Exit::Bad;
        }
        if writeln!(out, "{answer}").is_err() {
            return Exit::Usage;
        }
    }
    if out.flush().is_ok() { exit } else { Exit::Usage }
}

/// The answer to one line.
fn one(line: &[u8]) -> Value {
    let Ok(Value::Object(entry)) = serde_json::from_slice::<Value>(line) else {
        return json!({"id": null, "error": "the line is no JSON object"});
    };
    let id = entry.get("id").cloned().unwrap_or(Value::Null);
    let text = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{name}` is no text")),
    };
    let body = || match (text("body")?, text("body_base64")?) {
        (Some(body), None) => Ok(body.as_bytes().to_vec()),
        (None, Some(coded)) => STANDARD.decode(coded).map_err(|_| "`body_base64` is no base64".to_string()),
        _ => Err("give either `body` or `body_base64`".to_string()),
    };
    match text("content_type").and_then(|content_type| Ok((content_type, body()?))) {
        Err(error) => json!({"id": id, "error": error}),
        Ok((content_type, body)) => {
            let mut answer = classify(content_type, &body);
            if let Value::Object(members) = &mut answer {
                members.insert("id".to_string(), id);
            }
            answer
        }
    }
}

/// `{"findings":[…]}`, or `{"opaque":reason}`.
fn classify(content_type: Option<&str>, body: &[u8]) -> Value {
    match payload::read(content_type, body, &Limits::default()) {
        Ok((_, document)) => json!({"findings": detect::scan(&document, &Part::Body).iter().map(shown).collect::<Vec<_>>()}),
        Err(reason) => json!({"opaque": reason}),
    }
}

fn shown(finding: &Finding) -> Value {
    // Two decimals: an `f32` printed whole would show digits that mean nothing.
    let confidence = (f64::from(finding.confidence) * 100.0).round() / 100.0;
    json!({"category": finding.category, "detector": finding.detector, "confidence": confidence, "at": finding.at, "span": [finding.span.start, finding.span.end]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_answered_with_its_id() {
        let answer = one(br#"{"id":"7","content_type":"application/json","body":"{\"user\":{\"phone\":\"13800138000\"}}"}"#);
        assert_eq!(
            answer,
            json!({"id":"7","findings":[{"category":"phone_number","detector":"cn_mobile","confidence":0.99,"at":"/user/phone","span":[18,29]}]})
        );
        assert_eq!(one(br#"{"id":"8","content_type":"application/json","body":"{\"a\":1,\"a\":2}"}"#), json!({"id":"8","opaque":"duplicate_name"}));
        assert_eq!(one(br#"{"id":9,"content_type":"text/plain","body_base64":"/w=="}"#), json!({"id":9,"opaque":"utf8"}));
    }

    #[test]
    fn an_unusable_line_says_why() {
        for line in [
            &b"x"[..],
            b"[]",
            b"{\"id\":\"1\"}",
            b"{\"id\":\"1\",\"body\":1}",
            b"{\"id\":\"1\",\"body_base64\":\"*\"}",
            b"{\"id\":\"1\",\"body\":\"\",\"body_base64\":\"\"}",
            b"\xff",
        ] {
            assert!(one(line).get("error").is_some());
        }
    }
}

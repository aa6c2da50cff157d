//! `domicile explain`: what a policy decides about a situation, and why; no network, no stores.

use super::validate::{compile, read};
use super::{Exit, Format, read_input};
use crate::model::{PolicyId, RecordFacts};
use crate::policy::explain::{Language, tree};
use crate::policy::scenarios::Request;
use crate::policy::{Library, Policy, Severity};
use jiff::Timestamp;
use std::path::PathBuf;

/// Explains what a policy decides.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A policy file, or a folder with one policy.
    #[arg(long)]
    policy: PathBuf,
    /// The situation as JSON; `-` is standard input.
    #[arg(long)]
    request: String,
    /// The language of titles.
    #[arg(long, default_value = "en", value_parser = ["en", "zh-CN"])]
    lang: String,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    match explain(arguments, format) {
        Ok(text) => {
            println!("{text}");
            Exit::Good
        }
        Err(message) => {
            eprintln!("{message}");
            Exit::Usage
        }
    }
}

fn explain(arguments: &Arguments, format: Format) -> Result<String, String> {
    let files = read(std::slice::from_ref(&arguments.policy))?;
    let errors = |found: Vec<crate::policy::Diagnostic>| {
        let errors = found.iter().filter(|d| d.severity == Severity::Error).map(ToString::to_string);
        errors.collect::<Vec<_>>().join("\n\n")
    };
    let (library, _) = compile(&files).map_err(errors)?;
    let bytes = read_input(&arguments.request)?;
    let mut request: Request = serde_json::from_slice(&bytes).map_err(|e| format!("cannot read the request in `{}`: {e}", arguments.request))?;
    request.records.extend(records_of_body(&request)?);
    let now = request.now.unwrap_or_else(Timestamp::now);
    let policy = governing(&library, now)?;
    let situation = request.situation(policy, library.places(), now)?;
    let decision = situation.decide(policy, library.places());
    let language = if arguments.lang == "zh-CN" { Language::Chinese } else { Language::English };
    match format {
        Format::Json => serde_json::to_string_pretty(&decision).map_err(|e| e.to_string()),
        Format::Text => Ok(tree(&situation.facts, &decision, policy, language)),
    }
}

/// The version in force, or the first to come if none is yet: a draft can be asked too.
fn governing(library: &Library, now: Timestamp) -> Result<&Policy, String> {
    let ids: Vec<&PolicyId> = library.ids().collect();
    let [id] = ids.as_slice() else {
        return Err(format!("`--policy` needs exactly one policy, and here are {}", ids.len()));
    };
    library.policy(id, now).or_else(|| library.versions(id).first()).ok_or_else(|| format!("policy `{id}` has no version"))
}

/// What inspection finds in the request's body; nothing if it has none.
fn records_of_body(request: &Request) -> Result<Vec<RecordFacts>, String> {
    match &request.body {
        Some(_) if request.records.is_empty() => Err("`body` is not read here: give `records` with the categories it holds".to_owned()),
        _ => Ok(Vec::new()),
    }
}

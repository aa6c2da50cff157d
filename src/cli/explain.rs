//! `domicile explain`: what a policy decides about a situation, and why; no network, no stores.

use super::validate::{compile, read};
use super::{Exit, Format, read_input};
use crate::model::facts::{KnownBy, Site};
use crate::model::{Bases, Direction, Places, PolicyId};
use crate::origin::{Caller, Claims};
use crate::policy::explain::{Language, tree};
use crate::policy::scenarios::Request;
use crate::policy::{Library, Policy, Severity};
use crate::screen::{self, Line, Message, OnRecord, Reading};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Explain what a policy decides about a message, and why
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
    let now = request.now.unwrap_or_else(Timestamp::now);
    let policy = governing(&library, now)?;
    inspected(&mut request, policy, library.places())?;
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

/// What inspection finds in the message, as the gateway would: its records and what of it is opaque. `records` that are given stand as they are.
fn inspected(request: &mut Request, policy: &Policy, places: &Places) -> Result<(), String> {
    let Some(body) = &request.body else { return Ok(()) };
    if !request.records.is_empty() {
        return Ok(());
    }
    let inspected = screen::inspect(&message(request, body)?, &Reading::default());
    let situation = request.situation(policy, places, Timestamp::UNIX_EPOCH)?;
    let facts = &request.caller;
    let verified = matches!(facts.known_by, KnownBy::Claim | KnownBy::TrustedHop | KnownBy::Certificate);
    let claims = Claims { jurisdiction: facts.jurisdiction.filter(|_| verified), home: facts.home.clone(), role: facts.role.clone(), ..Claims::default() };
    let caller = Caller { claims, located: facts.jurisdiction.filter(|_| !verified), known_by: facts.known_by, ..Caller::nobody() };
    let nowhere = Site { region: "unknown".parse().map_err(|e| format!("{e}"))?, jurisdiction: None };
    let api = "explain".parse().map_err(|e| format!("{e}"))?;
    let around = screen::Situation {
        direction: request.direction,
        node: situation.facts.node.as_ref().unwrap_or(&nowhere),
        api: request.api.as_ref().unwrap_or(&api),
        purpose: &request.purpose,
        recipient: request.recipient.as_ref(),
        caller: &caller,
        speaks_of_caller: verified,
        trusted_subject: false,
        people_of: &situation.terms.people_of,
        addressed: None,
        backend: situation.facts.backend.clone(),
    };
    let nobody: Vec<_> = Vec::new();
    let on_record = OnRecord { rows: Some(&nobody), bases: Bases::default(), unavailable: BTreeSet::new() };
    let people = screen::people(&inspected, &around);
    let found = screen::facts(&inspected, &people, on_record, &around, Timestamp::UNIX_EPOCH);
    request.records = found.records;
    request.opaque.extend(found.opaque);
    Ok(())
}

/// The message the request describes.
fn message(request: &Request, body: &str) -> Result<Message, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().map_err(|_| format!("`{name}` is no header name"))?;
        headers.append(&name, HeaderValue::from_str(value).map_err(|_| format!("the value of `{name}` is no header value"))?);
    }
    let line = match request.direction {
        Direction::Response => Line::Response { status: StatusCode::OK },
        Direction::Request => {
            let method = request.method.as_deref().unwrap_or("POST").parse().map_err(|_| "`method` is no HTTP method".to_owned())?;
            let target = request.path.as_deref().unwrap_or("/");
            let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
            Line::Request { method, path: path.to_owned(), query }
        }
    };
    Ok(Message { line, headers, body: body.as_bytes().to_vec().into(), streams: false })
}

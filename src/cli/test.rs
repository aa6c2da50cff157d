//! `domicile test`: runs the scenarios that stand in policies and lists the rules none of them reaches.

use super::validate::{compile, read};
use super::{Exit, Format};
use crate::policy::scenarios::{Outcome, run_all, uncovered};
use crate::policy::{Policy, Severity};
use std::path::PathBuf;

/// Run the scenarios that stand in policies
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Policy files, or folders of them.
    #[arg(default_value = "policies")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    let files = match read(&arguments.paths) {
        Ok(files) => files,
        Err(message) => {
            eprintln!("{message}");
            return Exit::Usage;
        }
    };
    let library = match compile(&files) {
        Ok((library, _)) => library,
        Err(found) => {
            found.iter().filter(|d| d.severity == Severity::Error).for_each(|d| eprintln!("{d}\n"));
            return Exit::Bad;
        }
    };
    let outcomes = run_all(&library);
    match format {
        Format::Json => println!("{}", json(&outcomes)),
        Format::Text => print(&outcomes),
    }
    if outcomes.iter().flat_map(|(_, outcomes)| outcomes).all(Outcome::passed) { Exit::Good } else { Exit::Bad }
}

fn json(outcomes: &[(&Policy, Vec<Outcome>)]) -> serde_json::Value {
    let policy = |(policy, outcomes): &(&Policy, Vec<Outcome>)| serde_json::json!({"policy": policy.stamp(), "scenarios": outcomes, "uncovered": uncovered(policy, outcomes)});
    outcomes.iter().map(policy).collect()
}

fn print(outcomes: &[(&Policy, Vec<Outcome>)]) {
    let (mut passed, mut failed) = (0_usize, Vec::new());
    for (policy, outcomes) in outcomes {
        println!("running {} scenarios of {} {}", outcomes.len(), policy.stamp().id, policy.stamp().version);
        for outcome in outcomes {
            println!("test {} ... {}", outcome.name, if outcome.passed() { "ok" } else { "FAILED" });
            if outcome.passed() { passed += 1 } else { failed.push(outcome) }
        }
        let unreached = uncovered(policy, outcomes);
        let own = policy.rules().count();
        println!("rules covered: {} of {own}", own - unreached.len());
        unreached.iter().for_each(|id| println!("  no scenario names {id}"));
        println!();
    }
    for outcome in &failed {
        println!("---- {} ----", outcome.name);
        outcome.differences.iter().for_each(|difference| println!("{difference}"));
        println!();
    }
    println!("test result: {}. {passed} passed; {} failed", if failed.is_empty() { "ok" } else { "FAILED" }, failed.len());
}

//! `domicile ledger`: checks a journal, and prints what it has on a decision.

use super::place::{Failure, ended, pretty, print};
use super::{Exit, Format};
use crate::ledger::Directory;
use crate::ledger::verify::{Report, Shortening, entries_of, verify};
use crate::model::DecisionId;
use crate::registry::head_in;
use std::io;
use std::path::{Path, PathBuf};

/// Check the ledger, or show what it holds.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Read every line, check the chain, and compare its end with the head the registry keeps
    Verify {
        /// Folder of the journal.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The registry's file [default: registry.db beside the folder].
        #[arg(long, value_name = "FILE")]
        registry: Option<PathBuf>,
    },
    /// Print the entries of one decision
    Show {
        /// Folder of the journal.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Id of the decision, or of one entry of it.
        #[arg(value_name = "ID")]
        id: DecisionId,
    },
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    ended(match &arguments.action {
        Action::Verify { folder, registry } => check(folder, registry.as_deref(), format),
        Action::Show { folder, id } => show(folder, id, format),
    })
}

fn check(folder: &Path, registry: Option<&Path>, format: Format) -> Result<Exit, Failure> {
    let beside = folder.join("..").join("registry.db");
    let registry = registry.or_else(|| beside.exists().then_some(&beside));
    // The head first: the journal only grows, so it cannot be behind a head that was read before it.
    let remembered = registry.map(head_in).transpose().map_err(|e| Failure(Exit::Usage, e.to_string()))?.flatten();
    let directory = Directory::read_only(folder);
    let report = verify(&directory, remembered.as_ref(), directory.is_being_written()).map_err(|e| unreadable(folder, &e))?;
    print(format, &report, || told(&report));
    Ok(if report.is_sound() { Exit::Good } else { Exit::Bad })
}

fn told(report: &Report) -> String {
    let shortening = match &report.shortening {
        Shortening::NotChecked => "shortening: not checked".to_owned(),
        Shortening::None => "shortening: none".to_owned(),
        Shortening::Shortened { remembered, found } => format!("shortening: the registry remembers entry {remembered}, the journal ends at entry {found}"),
        Shortening::Replaced { remembered } => format!("shortening: entry {remembered} is not the one the registry remembers"),
    };
    match &report.bad {
        Some(bad) => format!("{}:{}: this line {}\n{} entries before it are good\n{shortening}", bad.file, bad.line, bad.why, report.entries),
        None => format!("{} entries in {} segments, unbroken up to {}\n{shortening}", report.entries, report.segments, report.head.hash),
    }
}

fn show(folder: &Path, id: &DecisionId, format: Format) -> Result<Exit, Failure> {
    let entries = entries_of(&Directory::read_only(folder), id.as_str()).map_err(|e| unreadable(folder, &e))?;
    if entries.is_empty() {
        return Err(Failure(Exit::Bad, format!("the ledger has no entry of `{id}`")));
    }
    for entry in &entries {
        print(format, entry, || pretty(entry));
    }
    Ok(Exit::Good)
}

fn unreadable(folder: &Path, error: &io::Error) -> Failure {
    Failure(Exit::Usage, format!("cannot read the ledger `{}`: {error}", folder.display()))
}

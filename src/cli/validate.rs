//! `domicile validate`: reads the configuration and policies and says everything that is wrong with them.

use super::{Exit, Format, read_input};
use crate::config::Config;
use crate::policy::{Diagnostic, Library, Severity, Source};
use crate::snapshot::Snapshot;
use std::path::{Path, PathBuf};

/// Where policies are looked for when neither paths nor a configuration are given.
const POLICIES: &str = "policies";

/// Check the configuration, policies, regimes, jurisdictions and taxonomy
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Policy files, or folders of them; without any, the `policies` of the configuration.
    paths: Vec<PathBuf>,
    /// The gateway's configuration.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Treat warnings as errors.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    let config = match arguments.config.as_deref().map(Config::read).transpose() {
        Ok(config) => config,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("error: {problem}"));
            return if problems.iter().all(|p| p.at.is_none()) { Exit::Usage } else { Exit::Bad };
        }
    };
    let files = match read(&paths(arguments, config.as_ref())) {
        Ok(files) => files,
        Err(message) => {
            eprintln!("{message}");
            return Exit::Usage;
        }
    };
    let (library, found) = match compile(&files) {
        Ok((library, found)) => (Some(library), found),
        Err(found) => (None, found),
    };
    if let (Some(_), Some(config)) = (&library, config) {
        match fit(config) {
            Ok(advice) => advice.iter().for_each(|advice| eprintln!("note: {advice}\n")),
            Err(misfit) => {
                eprintln!("error: {}", misfit.trim_end());
                return Exit::Bad;
            }
        }
    }
    let warned = found.iter().any(|d| d.severity == Severity::Warning);
    let good = library.is_some() && !(arguments.strict && warned);
    match format {
        Format::Json => println!("{}", serde_json::json!({"valid": good, "diagnostics": found})),
        Format::Text => {
            found.iter().for_each(|diagnostic| println!("{diagnostic}\n"));
            match &library {
                Some(library) => println!("{} policies, {} files: {}", library.ids().count(), files.len(), if good { "valid" } else { "warnings" }),
                None => println!("{} files: not valid", files.len()),
            }
        }
    }
    if good { Exit::Good } else { Exit::Bad }
}

fn paths(arguments: &Arguments, config: Option<&Config>) -> Vec<PathBuf> {
    match config {
        Some(config) => arguments.paths.iter().cloned().chain([config.policies.clone()]).collect(),
        None if arguments.paths.is_empty() => vec![PathBuf::from(POLICIES)],
        None => arguments.paths.clone(),
    }
}

/// What is wrong between the configuration and its policies, or what is worth a look.
fn fit(config: Config) -> Result<Vec<String>, String> {
    let fixed = super::run::fixed(config)?;
    let files = crate::gateway::read_policies(&fixed.config.policies)?;
    let (snapshot, _) = Snapshot::compile(&fixed, &files).map_err(|e| e.to_string())?;
    Ok(snapshot.advice())
}

/// The files under `paths` with their text, folders in full depth, in the order of their names.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
            let mut inner: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).filter(|p| p.is_dir() || is_yaml(p)).collect();
            inner.sort();
            files.extend(read(&inner)?);
        } else {
            files.push((path.display().to_string(), text(path)?));
        }
    }
    Ok(files)
}

/// Compiles files that were read.
pub(super) fn compile(files: &[(String, String)]) -> Result<(Library, Vec<Diagnostic>), Vec<Diagnostic>> {
    let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
    Library::compile(&sources)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn text(path: &Path) -> Result<String, String> {
    let name = path.display().to_string();
    String::from_utf8(read_input(&name)?).map_err(|_| format!("`{name}` is not UTF-8"))
}

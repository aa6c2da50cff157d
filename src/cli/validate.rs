//! `domicile validate`: reads policies and says everything that is wrong with them.

use super::{Exit, Format, read_input};
use crate::policy::{Diagnostic, Library, Severity, Source};
use std::path::{Path, PathBuf};

/// Where policies are looked for when neither paths nor a configuration are given.
const POLICIES: &str = "policies";

/// Check policies, regimes, jurisdictions and taxonomy
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
    let files = paths(arguments).and_then(|paths| read(&paths));
    let files = match files {
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

/// The part of the configuration that says where policies are.
#[derive(serde::Deserialize)]
struct Configured {
    policies: PathBuf,
}

fn paths(arguments: &Arguments) -> Result<Vec<PathBuf>, String> {
    let Some(config) = &arguments.config else {
        return Ok(if arguments.paths.is_empty() { vec![PathBuf::from(POLICIES)] } else { arguments.paths.clone() });
    };
    let text = text(config)?;
    let configured: Configured = serde_saphyr::from_str(&text).map_err(|e| format!("cannot read `{}`: {e}", config.display()))?;
    let beside = config.parent().unwrap_or(Path::new("")).join(configured.policies);
    Ok(arguments.paths.iter().cloned().chain([beside]).collect())
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

//! What the commands on the registry share: where it is, orders on standard input, how answers are printed.

use super::{Exit, Format, read_input};
use crate::config::{Config, DEFAULT_PATH};
use crate::registry::{InvalidOrder, LEASE, Order, RecordKind, RegistryKey, Store, WriteError, Written, id_of};
use jiff::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Which registry. Everything about people and records comes as JSON on standard input, never as an argument.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The node's configuration [default: domicile.yaml, if there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the node's stores, instead of a configuration [default: ./data].
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The registry's file [default: as configured, or registry.db in the data folder].
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// The registry's key file, made if it does not exist [default: beside the registry, ending in .key].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Why a command ended early, and how.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Exit, pub(super) String);

impl From<InvalidOrder> for Failure {
    fn from(error: InvalidOrder) -> Self {
        Failure(Exit::Usage, error.to_string())
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure(Exit::Bad, error.to_string())
    }
}

impl From<crate::registry::Unavailable> for Failure {
    fn from(error: crate::registry::Unavailable) -> Self {
        Failure(Exit::Bad, error.to_string())
    }
}

/// Prints why a command ended early, and ends it.
pub(super) fn ended(result: Result<Exit, Failure>) -> Exit {
    result.unwrap_or_else(|Failure(exit, why)| {
        eprintln!("domicile: {why}");
        exit
    })
}

/// All of standard input.
pub(super) fn input() -> Result<Vec<u8>, Failure> {
    read_input("-").map_err(|why| Failure(Exit::Usage, why))
}

impl Place {
    /// Opens the registry, making folder, key and file if they do not exist.
    pub(super) fn open(&self) -> Result<Store, Failure> {
        let usage = |why: String| Failure(Exit::Usage, why);
        let registry = self.registry_file()?;
        let key = self.key.clone().unwrap_or_else(|| registry.with_extension("key"));
        for folder in [&registry, &key].into_iter().filter_map(|file| file.parent()) {
            std::fs::create_dir_all(folder).map_err(|e| usage(format!("cannot make the folder `{}`: {e}", folder.display())))?;
        }
        let key = RegistryKey::load_or_create(&key).map_err(|e| usage(e.to_string()))?;
        Store::open(&registry, &key).map_err(|e| usage(e.to_string()))
    }

    /// What the arguments say, else the configuration, else `./data/registry.db`.
    fn registry_file(&self) -> Result<PathBuf, Failure> {
        if let Some(registry) = &self.registry {
            return Ok(registry.clone());
        }
        let default = Path::new(DEFAULT_PATH);
        match (&self.data, self.config.as_deref().or_else(|| default.exists().then_some(default))) {
            (None, Some(config)) => Config::read(config).map(|config| config.registry).map_err(|problems| {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Failure(Exit::Usage, problems.join("\n"))
            }),
            (data, _) => Ok(data.clone().unwrap_or_else(|| "./data".into()).join("registry.db")),
        }
    }

    /// Carries out the order on standard input and prints what it did.
    pub(super) fn write(&self, format: Format, parse: impl FnOnce(&[u8]) -> Result<Order, InvalidOrder>) -> Result<Exit, Failure> {
        let order = parse(&input()?)?;
        let written = self.open()?.write(&order, Timestamp::now())?;
        if written.may_close() {
            // A node on the same file may still be deciding on what it looked up before: see `registry`.
            std::thread::sleep(LEASE);
        }
        print(format, &written, || line(&written));
        Ok(Exit::Good)
    }

    /// Prints the record whose `{"id":…}` is on standard input, with its history.
    pub(super) fn show(&self, format: Format, kind: RecordKind) -> Result<Exit, Failure> {
        let id = id_of(&input()?)?;
        match self.open()?.show(kind, &id)? {
            Some(shown) => {
                print(format, &shown, || pretty(&shown));
                Ok(Exit::Good)
            }
            None => Err(Failure(Exit::Bad, format!("there is no {kind} `{id}`"))),
        }
    }
}

/// One line of JSON, or the text.
pub(super) fn print<T: Serialize>(format: Format, value: &T, text: impl FnOnce() -> String) {
    match (format, serde_json::to_string(value)) {
        (Format::Json, Ok(json)) => println!("{json}"),
        _ => println!("{}", text()),
    }
}

/// JSON for people.
pub(super) fn pretty<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn line(written: &Written) -> String {
    let what = written.change.id().replace('_', " ");
    let about = written.id.as_ref().map(ToString::to_string).or_else(|| written.subject.as_ref().map(ToString::to_string)).unwrap_or_default();
    let mut line = format!("{what}: {about}");
    if let Some(status) = &written.status {
        line.push_str(&format!(", {status}"));
    }
    if !written.missing.is_empty() {
        let missing: Vec<&str> = written.missing.iter().map(|e| e.id()).collect();
        line.push_str(&format!(", lacks {}", missing.join(", ")));
    }
    match (&written.old_home, &written.home) {
        (Some(old), Some(new)) if old != new => line.push_str(&format!(", from {old} to {new}")),
        (_, Some(home)) => line.push_str(&format!(", {home}")),
        _ => {}
    }
    line + if written.repeated { " (unchanged)" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_where_the_nearest_argument_says() {
        let folder = tempfile::tempdir().unwrap();
        let place =
            |data: Option<&str>, registry: Option<&str>| Place { config: None, data: data.map(Into::into), registry: registry.map(Into::into), key: None };
        let found = |place: Place| place.registry_file().unwrap();
        assert_eq!(found(place(None, None)), Path::new("./data/registry.db"));
        assert_eq!(found(place(Some("stores"), None)), Path::new("stores/registry.db"));
        assert_eq!(found(place(Some("stores"), Some("people.db"))), Path::new("people.db"));
        let missing = Place { config: Some(folder.path().join("none.yaml")), ..place(None, None) };
        assert_eq!(missing.registry_file().unwrap_err().0, Exit::Usage);
    }

    #[test]
    fn an_answer_is_one_line_that_says_what_is_missing() {
        let json = r#"{"event":1,"time":"2026-11-23T09:00:00Z","change":"consent_added","id":"c1","status":"insufficient","missing":["risks"]}"#;
        assert_eq!(line(&serde_json::from_str(json).unwrap()), "consent added: c1, insufficient, lacks risks");
        let json = r#"{"event":2,"time":"2026-11-23T09:00:00Z","change":"home_change","subject":"sub_1","home":"cn-north","old_home":"eu-1","repeated":true}"#;
        assert_eq!(line(&serde_json::from_str(json).unwrap()), "home change: sub_1, from eu-1 to cn-north (unchanged)");
    }
}

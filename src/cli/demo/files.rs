//! The folder of a demo: policies, key set, and per node its configuration and secrets.

use super::backend::Backend;
use super::issuer::{AUDIENCE, ISSUER};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Secrets are for their owner only.
const PRIVATE: u32 = 0o600;
pub(super) const PUBLIC: u32 = 0o644;
const PRIVATE_FOLDER: u32 = 0o700;

/// The policies the demo runs under, by file name. The first two are those that ship; the others are cut to what the demo sends.
const POLICIES: [(&str, &str); 5] = [
    ("shopping-app.yaml", include_str!("../../../policies/shopping-app.yaml")),
    ("wearable-tracker.yaml", include_str!("../../../policies/wearable-tracker.yaml")),
    ("cloud-software.yaml", include_str!("policies/cloud-software.yaml")),
    ("white-label-cloud.yaml", include_str!("policies/white-label-cloud.yaml")),
    ("smart-camera.yaml", include_str!("policies/smart-camera.yaml")),
];

/// `domicile.yaml` of a node; words that begin with `@` are filled in.
const CONFIGURATION: &str = include_str!("node.yaml");

/// The folder everything lies in.
pub(super) enum Folder {
    /// The user's, which stays.
    Kept(PathBuf),
    /// One of ours, which goes when this is dropped.
    Passing(PathBuf),
}

impl Folder {
    /// `chosen`, which must hold nothing yet, or a new one among the system's temporary files.
    pub(super) fn new(chosen: Option<&Path>) -> Result<Folder, String> {
        let path = chosen.map_or_else(|| std::env::temp_dir().join(format!("domicile-demo-{:016x}", rand::random::<u64>())), Path::to_path_buf);
        let cannot = |e: std::io::Error| format!("cannot use the folder `{}`: {e}", path.display());
        std::fs::DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(&path).map_err(cannot)?;
        if std::fs::read_dir(&path).map_err(cannot)?.next().is_some() {
            return Err(format!("the folder `{}` is not empty: name another, so that nothing of yours is lost", path.display()));
        }
        let path = path.canonicalize().map_err(cannot)?;
        Ok(if chosen.is_some() { Folder::Kept(path) } else { Folder::Passing(path) })
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Folder::Kept(path) | Folder::Passing(path) => path,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Folder::Passing(path) = self {
            let _ = std::fs::remove_dir_all(path); // it lies where the system clears up
        }
    }
}

/// What is the same for all nodes: policies and the key set that tokens are verified with.
pub(super) fn write_shared(dir: &Path, jwks: &str) -> Result<(), String> {
    let policies = dir.join("policies");
    std::fs::create_dir(&policies).map_err(|e| format!("cannot create `{}`: {e}", policies.display()))?;
    POLICIES.iter().try_for_each(|(name, text)| write(&policies.join(name), text, PUBLIC))?;
    write(&dir.join("jwks.json"), jwks, PUBLIC)
}

/// The folder of one node. Its admin token comes back.
pub(super) fn write_node(folder: &Path, id: &str, region: &str, backends: &[Backend]) -> Result<String, String> {
    std::fs::create_dir(folder).map_err(|e| format!("cannot create `{}`: {e}", folder.display()))?;
    let key = format!("{id}-2026");
    let mut words =
        vec![("@ID", id.to_owned()), ("@REGION", region.to_owned()), ("@KEY", key), ("@ISSUER", ISSUER.to_owned()), ("@AUDIENCE", AUDIENCE.to_owned())];
    for backend in backends {
        let word = match backend.region {
            super::CN => "@CN",
            super::DE => "@DE",
            _ => "@SG",
        };
        words.push((word, backend.url()));
    }
    let text = words.iter().fold(CONFIGURATION.to_owned(), |text, (word, value)| text.replace(word, value));
    let token = hex::encode(rand::random::<[u8; 16]>());
    write(&folder.join("domicile.yaml"), &text, PUBLIC)?;
    write(&folder.join("admin.token"), &token, PRIVATE)?;
    write(&folder.join("tokens.key"), &hex::encode(rand::random::<[u8; 32]>()), PRIVATE)?;
    Ok(token)
}

/// A new file.
pub(super) fn create(path: &Path, mode: u32) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    create(path, mode).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| format!("cannot write `{}`: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::policy::{Library, Source};

    #[test]
    fn the_policies_compile_and_are_in_force() {
        let sources: Vec<_> = POLICIES.iter().map(|(name, text)| Source { name, text }).collect();
        let (library, _) = Library::compile(&sources).unwrap();
        for (name, _) in POLICIES {
            let id = name.trim_end_matches(".yaml").parse().unwrap();
            assert!(library.policy(&id, jiff::Timestamp::now()).is_some(), "{name}");
        }
    }

    #[test]
    fn every_word_of_the_configuration_is_filled_in() {
        let dir = tempfile::tempdir().unwrap();
        let backends = [super::super::CN, super::super::DE, super::super::SG].map(|region| Backend::start(region).unwrap());
        write_node(&dir.path().join("cn-1"), "cn-1", "cn-north", &backends).unwrap();
        let path = dir.path().join("cn-1/domicile.yaml");
        assert!(!std::fs::read_to_string(&path).unwrap().contains('@'));
        assert!(Config::read(&path).unwrap().apis.len() > 20);
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone_and_a_passing_one_goes() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mine"), "1").unwrap();
        assert!(Folder::new(Some(dir.path())).is_err());
        let passing = Folder::new(None).unwrap();
        let path = passing.path().to_path_buf();
        assert!(path.is_dir());
        drop(passing);
        assert!(!path.exists());
    }
}

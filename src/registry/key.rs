//! The registry key, and the digests it makes: by them a person is found, and without it nobody is.
//!
//! A digest is HMAC-SHA256(registry key, namespace ‖ 0 ‖ canonical id), so a copy of the store names no one, and trying all phone
//! numbers on it is of no use. A plain hash could be guessed that way.

use super::Unavailable;
use super::subject::SubjectKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The keyed digest under which an identifier is looked up.
pub(super) type LookUp = [u8; 32];

/// As long as the digest it makes (RFC 2104 §3).
const KEY_BYTES: usize = 32;

/// HMAC-SHA256 takes a key of one block; a shorter one is filled up with zeros (RFC 2104 §2).
const HMAC_BLOCK_BYTES: usize = 64;

/// The secret behind look-up digests: 32 random bytes that never leave the person's jurisdiction.
#[derive(Clone)]
pub struct RegistryKey(Zeroizing<[u8; HMAC_BLOCK_BYTES]>);

impl RegistryKey {
    /// Takes the bytes as they are.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let mut block = Zeroizing::new([0; HMAC_BLOCK_BYTES]);
        block.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        RegistryKey(block)
    }

    /// The key in a file of 32 bytes. A file that does not exist is made, with new random bytes, readable by its owner alone.
    pub fn load_or_create(path: &Path) -> Result<Self, Unavailable> {
        let named = |error: io::Error| Unavailable(format!("the key file `{}`: {error}", path.display()));
        if !path.try_exists().map_err(named)? {
            create(path).map_err(named)?;
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(named)?);
        let bytes =
            <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| Unavailable(format!("the key file `{}` has not {KEY_BYTES} bytes", path.display())))?;
        Ok(RegistryKey::new(bytes))
    }

    /// Number of the key in the store; room for a second one while keys are rotated.
    pub(super) const ID: i64 = 1;

    pub(super) fn look_up(&self, key: &SubjectKey) -> LookUp {
        self.mac(&[key.namespace().as_str().as_bytes(), b"\0", key.id().as_bytes()])
    }

    /// A value by which a store recognises its own key. No identifier has an empty namespace, so it equals no look-up.
    pub(super) fn check(&self) -> LookUp {
        self.mac(&[b"\0registry key"])
    }

    fn mac(&self, parts: &[&[u8]]) -> LookUp {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&(*self.0).into());
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for RegistryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistryKey(***)")
    }
}

/// Makes a key file. It appears whole or not at all; one that appeared meanwhile stays.
fn create(path: &Path) -> io::Result<()> {
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(Zeroizing::new(rand::random::<[u8; KEY_BYTES]>()).as_slice())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_key_namespace_and_id() {
        let (one, other) = (RegistryKey::new([1; 32]), RegistryKey::new([2; 32]));
        let key = |namespace: &str, id| SubjectKey::new(namespace.parse().unwrap(), id).unwrap();
        let subject = key("account", "u1");
        assert_eq!(one.look_up(&subject), one.look_up(&subject.clone()));
        assert_ne!(one.look_up(&subject), other.look_up(&subject));
        assert_ne!(one.look_up(&subject), one.look_up(&key("device", "u1")));
        assert_ne!(one.look_up(&subject), one.look_up(&key("account", "u2")));
        assert_ne!(one.look_up(&subject), one.check());
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.key");
        let key = RegistryKey::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(RegistryKey::load_or_create(&path).unwrap().check(), key.check());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&path, b"short").unwrap();
        assert!(RegistryKey::load_or_create(&path).is_err());
        assert_eq!(format!("{key:?}"), "RegistryKey(***)");
    }
}

//! The small values of the file: durations, sizes, references to secrets, hosts.

use serde_saphyr::Spanned;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Largest secret that is read, in bytes: a key set of a hundred RSA keys.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Where a secret is. Never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// The file's content, without white space at its end.
    File(PathBuf),
    /// The environment variable's value.
    Env(String),
}

impl Secret {
    /// `file:PATH` or `env:NAME`; a relative path starts at `dir`.
    pub(super) fn parse(text: &str, dir: &Path) -> Result<Secret, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Secret::File(dir.join(path))),
            Some(("env", name)) if !name.is_empty() => Ok(Secret::Env(name.to_owned())),
            // The text may be the secret itself: it is not repeated.
            _ => Err("a secret never stands in this file: write `file:PATH` or `env:NAME`".to_owned()),
        }
    }

    /// Fetches it. `Err` says why it cannot be, without a byte of it.
    pub fn read(&self) -> Result<Zeroizing<String>, String> {
        let text = match self {
            Secret::File(path) => read_bounded(path)?,
            Secret::Env(name) => Zeroizing::new(std::env::var(name).map_err(|_| format!("the environment variable `{name}` is not set to text"))?),
        };
        let trimmed = Zeroizing::new(text.trim_end().to_owned());
        if trimmed.is_empty() { Err(format!("{self} is empty")) } else { Ok(trimmed) }
    }
}

fn read_bounded(path: &Path) -> Result<Zeroizing<String>, String> {
    use std::io::Read;
    let mut text = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
    Ok(text)
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::File(path) => write!(f, "`file:{}`", path.display()),
            Secret::Env(name) => write!(f, "`env:{name}`"),
        }
    }
}

/// `250ms`, `30s`, `5m`, `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is no duration: write a whole number above 0 with `ms`, `s`, `m` or `h`, such as `30s`");
    let (count, unit) = count_and_unit(text).ok_or_else(bad)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(bad()),
    };
    let total = count.checked_mul(millis).filter(|total| *total > 0).ok_or_else(bad)?;
    Ok(Duration::from_millis(total))
}

/// `512B`, `64KiB`, `1MiB`, `2GiB`, in bytes.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let bad = || format!("`{text}` is no size: write a whole number above 0 with `B`, `KiB`, `MiB` or `GiB`, such as `1MiB`");
    let (count, unit) = count_and_unit(text).ok_or_else(bad)?;
    let bytes: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(bad()),
    };
    count.checked_mul(bytes).filter(|total| *total > 0).and_then(|total| usize::try_from(total).ok()).ok_or_else(bad)
}

fn count_and_unit(text: &str) -> Option<(u64, &str)> {
    let (digits, unit) = text.split_at_checked(text.bytes().take_while(u8::is_ascii_digit).count())?;
    Some((digits.parse().ok()?, unit))
}

/// Line and column of a value, if the reader knew them.
pub(super) fn place<T>(value: &Spanned<T>) -> Option<(u64, u64)> {
    let at = value.referenced;
    (at.line() > 0).then(|| (at.line(), at.column()))
}

/// The host of `scheme://host[:port]`, without brackets.
pub(super) fn host_of(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = super::without_port(authority);
    Some(host.trim_start_matches('[').trim_end_matches(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_have_units() {
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(duration("2h").unwrap(), Duration::from_secs(7200));
        assert_eq!(size("1MiB").unwrap(), 1 << 20);
        for bad in ["", "30", "s", "-1s", "1.5s", "0s", "1 s", "99999999999999999999s", "18446744073709551615h", "1min"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["", "1", "1M", "1kb", "0KiB", "1e3B", "18446744073709551615GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_read_without_its_line_end_and_never_empty() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "s3cret\n").unwrap();
        std::fs::write(dir.path().join("empty"), "\n").unwrap();
        assert_eq!(Secret::parse("file:token", dir.path()).unwrap().read().unwrap().as_str(), "s3cret");
        assert!(Secret::parse("file:empty", dir.path()).unwrap().read().unwrap_err().ends_with("is empty"));
        assert!(Secret::parse("file:nowhere", dir.path()).unwrap().read().is_err());
        assert!(Secret::parse("env:DOMICILE_TEST_NOT_SET", dir.path()).unwrap().read().is_err());
    }
}

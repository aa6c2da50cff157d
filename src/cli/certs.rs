//! `domicile certs dev`: certificates for development and tests.

use super::{Exit, Format};
use clap::{Args, Subcommand};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Days that they last: browsers refuse server certificates that last longer.
const DAYS: i32 = 397;
/// Names that every server certificate has.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Keys are for their owner only.
const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Make certificates for development
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes an authority whose key is thrown away, a server and a client certificate.
    Dev(Dev),
}

#[derive(Debug, Args)]
struct Dev {
    /// Where to write ca.pem, server.pem, server.key, client.pem and client.key.
    #[arg(long, default_value = "certs/dev")]
    dir: PathBuf,
    /// A further name or address of the server; may be given several times.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Overwrites what is there.
    #[arg(long)]
    force: bool,
}

/// A development authority's certificates, all PEM.
pub struct DevelopmentCertificates {
    /// The authority. Its key is gone.
    pub authority: String,
    /// Certificate and key for `localhost`, `127.0.0.1`, `::1` and the names asked for.
    pub server: (String, String),
    /// Certificate and key of a client.
    pub client: (String, String),
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    let Command::Dev(dev) = &arguments.command;
    match write_all(dev) {
        Ok(files) => {
            let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
            match format {
                Format::Text => files.iter().for_each(|file| println!("wrote {file}")),
                Format::Json => println!("{}", json!({ "wrote": files })),
            }
            Exit::Good
        }
        Err((exit, what)) => {
            eprintln!("{what}");
            exit
        }
    }
}

fn write_all(dev: &Dev) -> Result<Vec<PathBuf>, (Exit, String)> {
    let made = DevelopmentCertificates::make(&dev.names).map_err(|what| (Exit::Usage, what))?;
    let files = [
        ("ca.pem", made.authority, PUBLIC),
        ("server.pem", made.server.0, PUBLIC),
        ("server.key", made.server.1, PRIVATE),
        ("client.pem", made.client.0, PUBLIC),
        ("client.key", made.client.1, PRIVATE),
    ]
    .map(|(name, text, mode)| (dev.dir.join(name), text, mode));
    if let Some((file, ..)) = files.iter().find(|(file, ..)| !dev.force && file.exists()) {
        return Err((Exit::Usage, format!("`{}` is there already: name another `--dir`, or overwrite it with `--force`", file.display())));
    }
    let failed = |path: &Path, e: std::io::Error| (Exit::Bad, format!("cannot write `{}`: {e}", path.display()));
    std::fs::create_dir_all(&dev.dir).map_err(|e| failed(&dev.dir, e))?;
    for (file, text, mode) in &files {
        write(file, text, *mode).map_err(|e| failed(file, e))?;
    }
    Ok(files.into_iter().map(|(file, ..)| file).collect())
}

/// Writes a new file beside the old one and then takes its place, so that a key is never readable by others, not even one that was.
fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let _ = std::fs::remove_file(&new);
    OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?.write_all(text.as_bytes())?;
    std::fs::rename(&new, path)
}

impl DevelopmentCertificates {
    /// A fresh set. `Err` names a `names` entry that is neither a name nor an address.
    pub fn make(names: &[String]) -> Result<DevelopmentCertificates, String> {
        let failed = |e: rcgen::Error| format!("cannot make certificates: {e}");
        let mut authority = params("Domicile development authority", Vec::new()).map_err(failed)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = authority.self_signed(&key).map_err(failed)?.pem();
        let issuer = Issuer::new(authority, key);

        let all: Vec<String> = LOCAL.iter().map(|name| (*name).to_owned()).chain(names.iter().cloned()).collect();
        if let Some(bad) = names.iter().find(|name| !is_host(name)) {
            return Err(format!("`{bad}` is neither a host name nor an address"));
        }
        Ok(DevelopmentCertificates {
            authority: certificate,
            server: leaf("Domicile development server", all, ExtendedKeyUsagePurpose::ServerAuth, &issuer).map_err(failed)?,
            client: leaf("Domicile development client", Vec::new(), ExtendedKeyUsagePurpose::ClientAuth, &issuer).map_err(failed)?,
        })
    }
}

fn is_host(name: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.len() <= 63 && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    name.parse::<std::net::IpAddr>().is_ok() || (name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(label))
}

/// Certificate and key.
fn leaf(name: &str, hosts: Vec<String>, usage: ExtendedKeyUsagePurpose, issuer: &Issuer<'_, KeyPair>) -> Result<(String, String), rcgen::Error> {
    let mut params = params(name, hosts)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}

/// From yesterday, for clocks that are slow.
fn params(name: &str, hosts: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let begin = today.saturating_sub(1.day());
    let at = |date: Date| date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
    params.not_before = at(begin);
    params.not_after = at(begin.saturating_add(DAYS.days()));
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    fn identity(pair: &(String, String)) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (vec![CertificateDer::from_pem_slice(pair.0.as_bytes()).unwrap()], PrivateKeyDer::from_pem_slice(pair.1.as_bytes()).unwrap())
    }

    /// A handshake in which both sides show their certificates.
    fn handshake(made: &DevelopmentCertificates, name: &str) -> Result<(), rustls::Error> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(made.authority.as_bytes()).unwrap()).unwrap();
        let roots = Arc::new(roots);
        let clients = rustls::server::WebPkiClientVerifier::builder(roots.clone()).build().unwrap();
        let (chain, key) = identity(&made.server);
        let server = ServerConfig::builder().with_client_cert_verifier(clients).with_single_cert(chain, key).unwrap();
        let (chain, key) = identity(&made.client);
        let client = ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
        let mut wire = Vec::new();
        while client.is_handshaking() || server.is_handshaking() {
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            wire.clear();
            server.process_new_packets()?;
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            wire.clear();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn server_and_client_believe_each_other_under_every_name() {
        let made = DevelopmentCertificates::make(&["cn.shop.example".into()]).unwrap();
        for name in ["localhost", "127.0.0.1", "::1", "cn.shop.example"] {
            handshake(&made, name).unwrap();
        }
        assert!(handshake(&made, "eu.shop.example").is_err());
        let strangers = DevelopmentCertificates::make(&[]).unwrap();
        assert!(handshake(&DevelopmentCertificates { client: strangers.client, ..made }, "localhost").is_err());
    }

    #[test]
    fn keys_are_for_their_owner_and_nothing_is_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let mut dev = Dev { dir: folder.path().join("new"), names: Vec::new(), force: false };
        assert_eq!(write_all(&dev).unwrap().len(), 5);
        let key = dev.dir.join("server.key");
        let first = std::fs::read(&key).unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, PRIVATE);
        assert!(write_all(&dev).unwrap_err().1.contains("--force"));
        assert_eq!(std::fs::read(&key).unwrap(), first);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        dev.force = true;
        write_all(&dev).unwrap();
        assert_ne!(std::fs::read(&key).unwrap(), first);
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, PRIVATE);
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for bad in ["", "a b", "a..b", "http://a"] {
            assert!(DevelopmentCertificates::make(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}

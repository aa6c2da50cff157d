//! From what is written to what is meant: all problems at once, each with its place.

use super::raw::{self, Text};
use super::value::{self, Secret, place};
use super::{Admin, Bounds, Config, GeoSource, Jwt, KeyRef, Limits, Listener, Node, Problem, Tls};
use crate::model::{Jurisdiction, Namespace, Region, Regions};
use crate::origin::{ClaimNames, Hops};
use http::{HeaderName, Uri};
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

const POLICIES: &str = "policies";
const DATA: &str = "data";
const REGISTRY: &str = "registry.db";
/// RFC 7519 §4.1.2.
const SUBJECT_CLAIM: &str = "sub";
const NAMESPACE: &str = "account";
/// Longest key id: it is repeated in every token.
const KEY_ID_BYTES_MAX: usize = 32;

/// The checks of one file. Every method notes its problems and goes on, so that one run finds them all.
pub(super) struct Check<'a> {
    file: &'a Path,
    pub(super) dir: PathBuf,
    /// Names under `regions`, sound or not: a region whose jurisdiction is wrong is one problem, not one per mention.
    declared: BTreeSet<String>,
    problems: Vec<Problem>,
}

pub(super) fn config(text: &str, path: &Path) -> Result<Config, Vec<Problem>> {
    let raw: raw::File = serde_saphyr::from_str(text).map_err(|e| vec![unreadable(path, &e)])?;
    let mut check = Check {
        file: path,
        dir: path.parent().unwrap_or(Path::new("")).to_path_buf(),
        declared: raw.regions.0.iter().map(|(name, _)| name.value.clone()).collect(),
        problems: Vec::new(),
    };
    match check.file(raw) {
        Some(config) if check.problems.is_empty() => Ok(config),
        _ => {
            check.problems.sort_by_key(|problem| problem.at);
            Err(check.problems)
        }
    }
}

fn unreadable(path: &Path, error: &serde_saphyr::Error) -> Problem {
    let at = error.location().map(|at| (at.line(), at.column()));
    let text = error.without_snippet().to_string();
    let place = at.map(|(line, column)| format!(" at line {line}, column {column}")).unwrap_or_default();
    // Some of its messages end with the place, which stands at the front of ours.
    Problem { file: path.into(), at, what: text.strip_suffix(&place).unwrap_or(&text).to_owned() }
}

impl Check<'_> {
    pub(super) fn problem<T>(&mut self, at: &Spanned<T>, what: impl Display) {
        self.problems.push(Problem { file: self.file.into(), at: place(at), what: what.to_string() });
    }

    pub(super) fn parse<T: FromStr<Err: Display>>(&mut self, text: &Text) -> Option<T> {
        self.take(text, |t| t.parse())
    }

    /// The value, or a note of what is wrong with it.
    pub(super) fn take<T, E: Display>(&mut self, text: &Text, read: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        read(&text.value).map_err(|e| self.problem(text, e)).ok()
    }

    /// As [`Check::parse`], for a key that may be absent.
    pub(super) fn maybe<T: FromStr<Err: Display>>(&mut self, text: Option<&Text>) -> Option<T> {
        text.and_then(|t| self.parse(t))
    }

    fn path(&self, text: Option<&Text>, default: impl AsRef<Path>) -> PathBuf {
        self.dir.join(text.map_or(default.as_ref(), |t| Path::new(&t.value)))
    }

    fn secret(&mut self, text: &Text) -> Option<Secret> {
        let dir = self.dir.clone();
        self.take(text, |t| Secret::parse(t, &dir))
    }

    pub(super) fn one_of<T>(&mut self, text: &Text, choices: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let found = choices.iter().find(|(name, _)| *name == text.value).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            self.problem(text, format!("`{}` is none of {}", text.value, names.join(", ")));
        }
        found
    }

    fn file(&mut self, raw: raw::File) -> Option<Config> {
        let (regions, region_urls) = self.regions(&raw.regions);
        let node = self.node(&raw.node, &regions);
        let hops = self.hops(raw.trusted_hops.as_ref());
        let listen = self.listeners(&raw.listen, &hops);
        let admin = raw.admin.as_ref().map(|admin| self.admin(admin));
        let jwt = raw.identity.jwt.as_ref().map(|jwt| self.jwt(jwt));
        let keys = self.keys(&raw.keys);
        let (defaults, bounds) = (self.limits(&raw.limits, Limits::default()), self.bounds(&raw.limits));
        let apis = self.apis(&raw.apis, &regions, defaults);
        let operator_url = raw.operator_url.as_ref().and_then(|url| self.take(url, web_address));
        let data = self.path(raw.data.as_ref(), DATA);
        Some(Config {
            path: self.file.into(),
            node: node?,
            listen,
            admin: admin.flatten(),
            operator_url,
            policies: self.path(raw.policies.as_ref(), POLICIES),
            registry: raw.registry.as_ref().map_or_else(|| data.join(REGISTRY), |file| self.path(Some(file), REGISTRY)),
            data,
            regions,
            region_urls,
            apis,
            jwt: jwt.flatten(),
            hops,
            geo: raw.geo.as_ref().filter(|geo| geo.value != "builtin").map_or(GeoSource::Builtin, |file| GeoSource::File(self.path(Some(file), ""))),
            keys,
            bounds,
        })
    }

    fn regions(&mut self, raw: &raw::Ordered<raw::Region>) -> (Regions, BTreeMap<Region, String>) {
        let (mut regions, mut urls) = (Regions::new(), BTreeMap::new());
        for (name, entry) in &raw.0 {
            let (region, jurisdiction) = (self.parse::<Region>(name), self.parse::<Jurisdiction>(&entry.jurisdiction));
            let url = entry.url.as_ref().and_then(|url| self.take(url, web_address));
            if let (Some(region), Some(jurisdiction)) = (region, jurisdiction) {
                urls.extend(url.map(|url| (region.clone(), url.trim_end_matches('/').to_owned())));
                regions.insert(region, jurisdiction);
            }
        }
        (regions, urls)
    }

    /// A region of the file.
    pub(super) fn region(&mut self, text: &Text, regions: &Regions) -> Option<(Region, Jurisdiction)> {
        let region: Region = self.parse(text)?;
        let jurisdiction = regions.get(&region).copied();
        if !self.declared.contains(&text.value) {
            self.problem(text, format!("`{region}` is no region of `regions`"));
        }
        Some((region, jurisdiction?))
    }

    fn node(&mut self, raw: &raw::Node, regions: &Regions) -> Option<Node> {
        let id = self.parse(&raw.id);
        let place = self.region(&raw.region, regions);
        let loopback = raw.loopback_as.as_ref().and_then(|text| self.one_of(text, &[("node", true)]));
        let (region, jurisdiction) = place?;
        Some(Node { id: id?, region, jurisdiction, loopback_as_node: loopback.unwrap_or(false) })
    }

    fn listeners(&mut self, raw: &[raw::Listener], hops: &Hops) -> Vec<Listener> {
        if raw.is_empty() {
            self.problems.push(Problem { file: self.file.into(), at: None, what: "there is no listener: name one in `listen`".into() });
        }
        raw.iter().filter_map(|listener| self.listener(listener, hops)).collect()
    }

    fn listener(&mut self, raw: &raw::Listener, hops: &Hops) -> Option<Listener> {
        let text = match (&raw.http, &raw.https) {
            (Some(text), None) | (None, Some(text)) => text,
            (Some(text), Some(_)) => {
                self.problem(text, "a listener is either `http` or `https`: write two");
                return None;
            }
            (None, None) => {
                self.problems.push(Problem { file: self.file.into(), at: None, what: "a listener needs `http` or `https` with an address".into() });
                return None;
            }
        };
        let address = self.address(text);
        match &raw.tls {
            Some(tls) if raw.http.is_some() => self.problem(tls, "`tls` belongs to an `https` listener"),
            None if raw.https.is_some() => self.problem(text, "an `https` listener needs `tls: {cert, key}`"),
            _ => {}
        }
        if let Some(proxy) = raw.proxy_protocol.as_ref().filter(|p| p.value && hops.from.is_empty()) {
            self.problem(proxy, "`proxy_protocol` needs `trusted_hops.from`: nobody else's word is believed");
        }
        let tls = raw.tls.as_ref().and_then(|tls| self.tls(&tls.value));
        Some(Listener { address: address?, tls, proxy_protocol: raw.proxy_protocol.as_ref().is_some_and(|p| p.value) })
    }

    fn address(&mut self, text: &Text) -> Option<std::net::SocketAddr> {
        self.take(text, |t| t.parse().map_err(|_| format!("`{t}` is no address: write IP and port, such as `127.0.0.1:8080` or `[::1]:8080`")))
    }

    fn tls(&mut self, raw: &raw::Tls) -> Option<Tls> {
        let cert = self.pem_path(&raw.cert);
        let key = self.pem_path(&raw.key);
        let client_ca = raw.client_ca.as_ref().map(|ca| self.pem_path(ca));
        Some(Tls { cert: cert?, key: key?, client_ca: client_ca.flatten() })
    }

    fn pem_path(&mut self, text: &Text) -> Option<PathBuf> {
        if text.value.contains("-----BEGIN") {
            self.problem(text, "a certificate or key never stands in this file: write the path of its PEM file");
            return None;
        }
        Some(self.path(Some(text), ""))
    }

    fn admin(&mut self, raw: &raw::Admin) -> Option<Admin> {
        let (address, token) = (self.address(&raw.listen), self.secret(&raw.token));
        Some(Admin { address: address?, token: token? })
    }

    fn jwt(&mut self, raw: &raw::Jwt) -> Option<Jwt> {
        let jwks = self.secret(&raw.jwks);
        let namespace = self.namespace(raw.namespace.as_ref());
        let claim = |text: &Option<Text>| text.as_ref().map(|t| t.value.clone());
        let claims = ClaimNames {
            issuer: raw.issuer.value.clone(),
            audience: raw.audience.value.clone(),
            subject: claim(&raw.subject).unwrap_or_else(|| SUBJECT_CLAIM.to_owned()),
            namespace: namespace?,
            jurisdiction: claim(&raw.jurisdiction),
            home: claim(&raw.home),
            age_band: claim(&raw.age_band),
            role: claim(&raw.role),
        };
        Some(Jwt { jwks: jwks?, claims })
    }

    fn namespace(&mut self, text: Option<&Text>) -> Option<Namespace> {
        text.map_or_else(|| NAMESPACE.parse().ok(), |t| self.parse(t))
    }

    fn hops(&mut self, raw: Option<&raw::TrustedHops>) -> Hops {
        let Some(raw) = raw else { return Hops::default() };
        let headers = &raw.headers;
        Hops {
            from: raw.from.iter().filter_map(|text| self.parse(text)).collect(),
            subject: self.header(headers.subject.as_ref()),
            namespace: headers.subject.as_ref().and_then(|_| self.namespace(headers.namespace.as_ref())),
            jurisdiction: self.header(headers.jurisdiction.as_ref()),
            home: self.header(headers.home.as_ref()),
            age_band: self.header(headers.age_band.as_ref()),
            role: self.header(headers.role.as_ref()),
            address: self.header(headers.address.as_ref()),
        }
    }

    fn header(&mut self, text: Option<&Text>) -> Option<HeaderName> {
        text.and_then(|text| self.take(text, |t| t.parse().map_err(|_| format!("`{t}` is no name of a header"))))
    }

    pub(super) fn headers(&mut self, texts: &[Text]) -> Vec<HeaderName> {
        texts.iter().filter_map(|text| self.header(Some(text))).collect()
    }

    fn keys(&mut self, raw: &[raw::Key]) -> Vec<KeyRef> {
        let mut keys: Vec<KeyRef> = Vec::new();
        for key in raw {
            let id = &key.id.value;
            let sound = (1..=KEY_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            if !sound {
                self.problem(&key.id, format!("`{id}` is no id of a key: use 1 to {KEY_ID_BYTES_MAX} letters, digits, `-` or `_`"));
            }
            if keys.iter().any(|other| other.id == *id) {
                self.problem(&key.id, format!("the key `{id}` stands here twice"));
            }
            keys.extend(self.secret(&key.from).map(|from| KeyRef { id: id.clone(), from }));
        }
        keys
    }

    pub(super) fn limits(&mut self, raw: &raw::Limits, mut limits: Limits) -> Limits {
        self.size(raw.body.as_ref(), &mut limits.payload.bytes);
        self.counts([(&raw.depth, &mut limits.payload.depth), (&raw.members, &mut limits.payload.members)]);
        self.counts([(&raw.ratio, &mut limits.payload.ratio), (&raw.records, &mut limits.payload.records)]);
        self.duration(raw.body_deadline.as_ref(), &mut limits.body_deadline);
        self.duration(raw.answer_deadline.as_ref(), &mut limits.answer_deadline);
        self.duration(raw.connect_deadline.as_ref(), &mut limits.connect_deadline);
        limits
    }

    fn bounds(&mut self, raw: &raw::Limits) -> Bounds {
        let mut bounds = Bounds::default();
        self.size(raw.head.as_ref(), &mut bounds.head_bytes);
        self.size(raw.buffers.as_ref(), &mut bounds.buffers);
        self.counts([(&raw.connections, &mut bounds.connections), (&raw.streams, &mut bounds.streams)]);
        self.duration(raw.head_deadline.as_ref(), &mut bounds.head_deadline);
        self.duration(raw.store_deadline.as_ref(), &mut bounds.store_deadline);
        self.duration(raw.drain_deadline.as_ref(), &mut bounds.drain_deadline);
        bounds
    }

    fn size(&mut self, text: Option<&Text>, into: &mut usize) {
        *into = text.and_then(|t| self.take(t, value::size)).unwrap_or(*into);
    }

    fn duration(&mut self, text: Option<&Text>, into: &mut Duration) {
        *into = text.and_then(|t| self.take(t, value::duration)).unwrap_or(*into);
    }

    fn counts(&mut self, counts: [(&Option<Spanned<usize>>, &mut usize); 2]) {
        for (count, into) in counts {
            match count {
                Some(count) if count.value == 0 => self.problem(count, "a limit is at least 1"),
                Some(count) => *into = count.value,
                None => {}
            }
        }
    }
}

/// Scheme, host and nothing that could carry a secret.
fn web_address(text: &str) -> Result<String, String> {
    let bad = || format!("`{text}` is no address of the web: write `https://host/path`");
    let uri: Uri = text.parse().map_err(|_| bad())?;
    let sound = matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some_and(|a| !a.as_str().contains('@'));
    if sound { Ok(text.to_owned()) } else { Err(bad()) }
}

//! `domicile.yaml`, checked before any port is bound: what is in [`Config`] is consistent, every path resolved, every default filled in.

mod apis;
mod bounds;
mod check;
mod load;
mod raw;
mod value;

pub use bounds::{Bounds, Limits};
pub use value::Secret;

use crate::model::facts::{Arrival, Otherwise, Terms, UnlawfulField, UnlawfulRecord};
use crate::model::{ApiId, Jurisdiction, Namespace, NodeId, Places, PolicyId, Purpose, RecipientId, Region, Regions};
use crate::origin::{ClaimNames, Hops};
use crate::payload::Selector;
use http::HeaderName;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the configuration is looked for when no `--config` is given.
pub const DEFAULT_PATH: &str = "domicile.yaml";

/// The whole configuration of a node.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// This node and where it stands.
    pub node: Node,
    /// Where clients connect; at least one.
    pub listen: Vec<Listener>,
    /// The second listener, if there is one.
    pub admin: Option<Admin>,
    /// Target of the `Link: rel="blocked-by"` of every 451.
    pub operator_url: Option<String>,
    /// Folder of policies.
    pub policies: PathBuf,
    /// Folder of everything the node writes.
    pub data: PathBuf,
    /// The registry's file.
    pub registry: PathBuf,
    /// Every region with its jurisdiction.
    pub regions: Regions,
    /// Where clients reach a region, as `scheme://host[:port]`, for the regions that say so.
    pub region_urls: BTreeMap<Region, String>,
    /// What is proxied, in the order of the file; [`Config::route`] finds the one for a request.
    pub apis: Vec<Arc<Api>>,
    /// How bearer tokens are verified, if they are.
    pub jwt: Option<Jwt>,
    /// Whose headers and PROXY lines are believed.
    pub hops: Hops,
    /// The country database.
    pub geo: GeoSource,
    /// De-identification keys; the first makes new tokens. All are of the node's jurisdiction.
    pub keys: Vec<KeyRef>,
    /// Bounds of the whole node.
    pub bounds: Bounds,
}

/// This node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, in ledger entries and logs.
    pub id: NodeId,
    /// The region it stands in.
    pub region: Region,
    /// That region's jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// Whether callers from a loopback address stand where the node stands (`loopback_as: node`). Development only; warn.
    pub loopback_as_node: bool,
}

/// One place where clients connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where it binds.
    pub address: SocketAddr,
    /// Certificates; none for plain HTTP.
    pub tls: Option<Tls>,
    /// Whether connections open with a PROXY protocol header; it is believed only from [`Config::hops`].
    pub proxy_protocol: bool,
}

/// PEM files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and its intermediates.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Authorities whose client certificates are demanded.
    pub client_ca: Option<PathBuf>,
}

/// The admin listener.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Where it binds.
    pub address: SocketAddr,
    /// The bearer token that writes need.
    pub token: Secret,
}

/// One proxied API.
#[derive(Debug, Clone)]
pub struct Api {
    /// Name in decisions, metrics and tokens.
    pub id: ApiId,
    /// Lower-case host without port; none matches every host.
    pub host: Option<String>,
    /// Path prefix; begins with `/`.
    pub path: String,
    /// The policy that governs it.
    pub policy: PolicyId,
    /// Why its data is processed.
    pub purpose: Purpose,
    /// Registered party it hands data to; none: the exporter itself.
    pub recipient: Option<RecipientId>,
    /// Where its requests go.
    pub region: RegionPin,
    /// Backends per region, in the order of the file; no region without one.
    pub backends: Vec<(Region, Vec<Backend>)>,
    /// Whose data its bodies may hold, by names of [`Places`]; none: every jurisdiction that has a region.
    people_of: Option<Vec<Spanned<String>>>,
    /// Whether its messages speak of the caller and nobody else.
    pub speaks_of_caller: bool,
    /// Whether a subject named in a body is believed.
    pub trusted_subject: bool,
    /// Records and subjects of requests.
    pub request: Selectors,
    /// Records and subjects of responses.
    pub response: Selectors,
    /// Bodies that are not inspected, and why.
    pub content: Option<Content>,
    /// What happens when a transfer is not allowed.
    pub otherwise: Otherwise,
    /// What happens to one unlawful field.
    pub unlawful_field: UnlawfulField,
    /// What happens to one unlawful record of several.
    pub unlawful_record: UnlawfulRecord,
    /// What happens to a message outside the person's area.
    pub arrival: Arrival,
    /// Whether a client address may place a caller in the node's area.
    pub caller_by_geo: bool,
    /// Credential headers that cross a border with the message.
    pub pass_credentials: Vec<HeaderName>,
    /// Device-profile headers that cross a border with the message.
    pub pass_headers: Vec<HeaderName>,
    /// Party the data was obtained from, if not from the person.
    pub obtained_from: Option<RecipientId>,
    /// Whether a message over plain HTTP is refused.
    pub require_tls: bool,
    /// Roles that may read restored tokens besides the subject.
    pub restore_for: BTreeSet<String>,
    /// Bounds of one exchange, the node's defaults filled in.
    pub limits: Limits,
}

/// Where the requests of an API go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegionPin {
    /// To the home of their records.
    Home,
    /// To this region.
    Region(Region),
    /// To the region whose `url` has the request's host; see [`Config::region_of_host`].
    FromHost,
}

/// Why bodies of an API are not inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A customer's own data, by a customer instruction on record.
    Business,
    /// Assets: the same for everybody, asked for without credentials.
    Public,
}

/// Where the records of a message are, and where they name their subjects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    /// Places of records; none: a body is one record.
    pub records: Option<Selector>,
    /// The subject's identifier in a record.
    pub subject: Option<SubjectSelector>,
}

/// Where a record names its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectSelector {
    /// What kind of identifier it is.
    pub namespace: Namespace,
    /// Where it is, relative to the record.
    pub at: Selector,
}

/// One backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Host name or address literal, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS identity; none for plain HTTP.
    pub tls: Option<BackendTls>,
}

/// How a backend's certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendTls {
    /// Name that its certificate must show.
    pub sni: String,
    /// PEM file of authorities; none: those of the system.
    pub ca: Option<PathBuf>,
}

/// How bearer tokens are verified.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// The JSON Web Key Set.
    pub jwks: Secret,
    /// Issuer, audience and the names of claims.
    pub claims: ClaimNames,
}

/// Where the country database comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeoSource {
    /// The one in the binary.
    Builtin,
    /// A file in MaxMind's format.
    File(PathBuf),
}

/// A de-identification key by reference.
#[derive(Debug, Clone)]
pub struct KeyRef {
    /// Its name, which stands in every token made with it.
    pub id: String,
    /// Where it is.
    pub from: Secret,
}

/// Something wrong with the file, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line and column, counted from 1; none where no place in the file is to blame.
    pub at: Option<(u64, u64)>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for Problem {}

impl Config {
    /// Reads and checks a file. `Err` lists every problem.
    pub fn read(path: &Path) -> Result<Config, Vec<Problem>> {
        let text = std::fs::read_to_string(path).map_err(|e| vec![Problem { file: path.into(), at: None, what: format!("cannot be read: {e}") }])?;
        Config::parse(&text, path)
    }

    /// Checks the text of a file; its relative paths start at the folder of `path`. No IO.
    pub fn parse(text: &str, path: &Path) -> Result<Config, Vec<Problem>> {
        check::config(text, path)
    }

    /// The API of a request: of those for its host, else of those for every host, the one with the longest prefix. `path` is normalised.
    pub fn route(&self, host: &str, path: &str) -> Option<&Arc<Api>> {
        let host = without_port(host);
        let rank = |api: &Api| (api.host.is_some(), api.path.len());
        self.apis.iter().filter(|api| api.matches(host, path)).max_by_key(|api| rank(api))
    }

    /// The region whose `url` has this host; a port in `host` is ignored.
    pub fn region_of_host(&self, host: &str) -> Option<&Region> {
        let host = without_port(host);
        self.region_urls.iter().find(|(_, url)| value::host_of(url).is_some_and(|h| h.eq_ignore_ascii_case(host))).map(|(region, _)| region)
    }

    /// What the API says to the decision. `Err` names an entry of `people_of` that is no place.
    pub fn terms(&self, api: &Api, places: &Places) -> Result<Terms, Problem> {
        Ok(Terms {
            backends: api.backends.iter().map(|(region, _)| region.clone()).collect(),
            pinned: match &api.region {
                RegionPin::Region(region) => Some(region.clone()),
                RegionPin::Home | RegionPin::FromHost => None,
            },
            people_of: self.people_of(api, places)?,
            otherwise: api.otherwise,
            unlawful_field: api.unlawful_field,
            unlawful_record: api.unlawful_record,
            arrival: api.arrival,
            caller_by_geo: api.caller_by_geo,
        })
    }

    fn people_of(&self, api: &Api, places: &Places) -> Result<BTreeSet<Jurisdiction>, Problem> {
        let Some(names) = &api.people_of else { return Ok(self.regions.values().copied().collect()) };
        let mut people = BTreeSet::new();
        for name in names {
            people.extend(places.members(&name.value).ok_or_else(|| Problem {
                file: self.path.clone(),
                at: value::place(name),
                what: format!("`{}` in `people_of` of `{}` is no jurisdiction, area or group", name.value, api.id),
            })?);
        }
        Ok(people)
    }
}

impl Api {
    /// Whether `people_of` stands in the file, or the default holds.
    pub fn names_people(&self) -> bool {
        self.people_of.is_some()
    }

    fn matches(&self, host: &str, path: &str) -> bool {
        let on_host = self.host.as_deref().is_none_or(|h| h.eq_ignore_ascii_case(host));
        let rest = path.strip_prefix(self.path.as_str());
        on_host && rest.is_some_and(|rest| self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SHORT: &str = r#"node: {id: eu-1, region: eu-frankfurt}
listen: [{http: "127.0.0.1:8080"}]
admin: {listen: "127.0.0.1:9080", token: "file:admin.token"}
operator_url: https://shop.example/data-transfers
policies: ./policies
regions: {cn-north: {jurisdiction: CN, url: "https://cn.shop.example"}, eu-frankfurt: {jurisdiction: DE}}
apis:
  - {id: accounts, match: {path: /v1/}, policy: shopping-app, purpose: account_registration, speaks_of: caller,
     backends: {eu-frankfurt: ["http://127.0.0.1:9002"], cn-north: ["http://127.0.0.1:9001"]}}
"#;

    fn parse(text: &str) -> Result<Config, Vec<Problem>> {
        Config::parse(text, Path::new("/etc/domicile/domicile.yaml"))
    }

    /// The short file with one more text at its end, or one text exchanged.
    fn problems(from: &str, to: &str) -> Vec<String> {
        let text = if from.is_empty() { format!("{SHORT}{to}\n") } else { SHORT.replace(from, to) };
        assert_ne!(text, SHORT, "{from} is not in the file");
        parse(&text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    fn only_problem(from: &str, to: &str) -> String {
        let all = problems(from, to);
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }

    #[test]
    fn a_short_file_is_a_whole_file() {
        let config = parse(SHORT).unwrap();
        assert_eq!((config.node.id.as_str(), config.node.jurisdiction.as_str()), ("eu-1", "DE"));
        assert_eq!(config.policies, Path::new("/etc/domicile/./policies"));
        assert_eq!(config.registry, Path::new("/etc/domicile/data/registry.db"));
        assert_eq!(config.admin.unwrap().token, Secret::File("/etc/domicile/admin.token".into()));
        let api = &config.apis[0];
        assert_eq!(api.backends.iter().map(|(region, _)| region.as_str()).collect::<Vec<_>>(), ["eu-frankfurt", "cn-north"], "the order of the file");
        assert_eq!(api.backends[1].1, [Backend { host: "127.0.0.1".into(), port: 9001, tls: None }]);
        assert_eq!(api.limits, Limits::default());
        assert_eq!((api.region.clone(), api.speaks_of_caller, api.caller_by_geo, api.names_people()), (RegionPin::Home, true, true, false));
    }

    #[test]
    fn every_key_is_understood() {
        let text = r#"
node: {id: cn-1, region: cn-north, loopback_as: node}
listen:
  - {http: "127.0.0.1:0", proxy_protocol: true}
  - {https: "[::1]:8443", tls: {cert: certs/server.pem, key: certs/server.key, client_ca: certs/ca.pem}}
data: /var/lib/domicile
registry: /var/lib/domicile/people.db
regions: {cn-north: {jurisdiction: CN, url: "https://cn.shop.example:8443/"}, oslo: {jurisdiction: NO}}
identity: {jwt: {jwks: "file:jwks.json", issuer: "https://id.shop.example", audience: shop, jurisdiction: country, home: region, age_band: age, role: role}}
trusted_hops: {from: ["10.0.0.0/8", "::1"], headers: {subject: X-User, jurisdiction: x-country, address: x-forwarded-for}}
geo: ./country.mmdb
keys: [{id: cn-2, from: "env:DOMICILE_KEY"}, {id: cn-1, from: "file:cn-1.key"}]
limits: {body: 2MiB, head: 32KiB, depth: 64, ratio: 50, answer_deadline: 5s, buffers: 1GiB, connections: 100}
apis:
  - id: stats
    match: {host: Stats.Example, path: /}
    policy: shopping-app
    purpose: statistics
    recipient: statistics-sg
    region: oslo
    backends: {oslo: [{url: "https://stats.example", sni: stats.internal, ca: certs/stats.pem}]}
    people_of: [CN, EEA]
    subject: {namespace: account, at: /user_id}
    trusted_subject: true
    records: /items/*
    response: {records: /rows/*, subject: {namespace: phone, at: /contact/phone}}
    content: business
    otherwise: refuse
    unlawful_field: drop
    unlawful_record: split
    arrival: redirect
    caller_by_geo: false
    pass_credentials: [Authorization]
    pass_headers: [user-agent]
    obtained_from: data-broker
    require_tls: true
    restore_for: [support]
    limits: {body: 64KiB, answer_deadline: 250ms}
"#;
        let config = parse(text).unwrap();
        assert!(config.node.loopback_as_node && config.listen[0].proxy_protocol);
        assert_eq!(config.listen[1].tls.as_ref().unwrap().client_ca, Some("/etc/domicile/certs/ca.pem".into()));
        assert_eq!(config.regions["oslo"].as_str(), "NO", "Norway is no boolean");
        assert_eq!(config.geo, GeoSource::File("/etc/domicile/./country.mmdb".into()));
        assert_eq!(config.jwt.unwrap().claims.subject, "sub");
        assert_eq!(config.hops.namespace.unwrap().as_str(), "account");
        assert_eq!(config.keys[0].from, Secret::Env("DOMICILE_KEY".into()));
        assert_eq!((config.bounds.head_bytes, config.bounds.buffers, config.bounds.streams), (32 << 10, 1 << 30, 100));
        let api = &config.apis[0];
        assert_eq!(api.backends[0].1[0].tls, Some(BackendTls { sni: "stats.internal".into(), ca: Some("/etc/domicile/certs/stats.pem".into()) }));
        assert_eq!((api.limits.payload.bytes, api.limits.payload.ratio, api.limits.payload.members), (64 << 10, 50, 100_000), "own, node's, default");
        assert_eq!((api.limits.answer_deadline, api.limits.connect_deadline), (Duration::from_millis(250), Duration::from_secs(3)));
        assert_eq!((api.arrival, api.unlawful_record, api.content), (Arrival::Redirect, UnlawfulRecord::Split, Some(Content::Business)));
        assert_eq!(api.response.subject.as_ref().unwrap().at.to_string(), "/contact/phone");
    }

    #[test]
    fn all_problems_are_listed_with_their_places() {
        let text = SHORT
            .replace("jurisdiction: DE", "jurisdiction: Germany")
            .replace("127.0.0.1:8080", "everywhere")
            .replace("speaks_of: caller", "speaks_of: callers");
        let all: Vec<_> = parse(&text).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), 3, "{all:#?}");
        assert!(all.iter().any(|p| p.starts_with("/etc/domicile/domicile.yaml:2:17: `everywhere` is no address")), "{all:#?}");
        assert!(all.iter().any(|p| p.contains(":6:") && p.contains("`Germany` is no jurisdiction")), "{all:#?}");
        assert!(all.iter().any(|p| p.contains(":8:") && p.contains("`callers` is none of `caller`")), "{all:#?}");
    }

    #[test]
    fn an_unknown_or_repeated_key_is_an_error_with_its_place() {
        assert!(only_problem("operator_url", "operator_uri").contains(":4:"));
        assert!(only_problem("", "data: a\ndata: b").contains(":11:"));
        assert!(only_problem("purpose: account_registration", "porpoise: account_registration").contains("porpoise"));
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        let problem = only_problem("file:admin.token", "hunter2hunter2");
        assert!(problem.contains("file:PATH") && !problem.contains("hunter2"), "{problem}");
        assert!(only_problem("", "keys: [{id: a, from: 0123abcd}]").contains("file:PATH"));
        let pem = "listen: [{https: \"127.0.0.1:1\", tls: {cert: c.pem, key: \"-----BEGIN PRIVATE KEY-----\"}}]";
        assert!(only_problem("listen: [{http: \"127.0.0.1:8080\"}]", pem).contains("PEM file"));
    }

    #[test]
    fn every_contradiction_is_found() {
        let listen = "listen: [{http: \"127.0.0.1:8080\"}]";
        let backends = "backends: {eu-frankfurt: [\"http://127.0.0.1:9002\"], cn-north: [\"http://127.0.0.1:9001\"]}";
        let cases = [
            ("region: eu-frankfurt}", "region: eu-berlin}", "no region of `regions`"),
            ("id: eu-1", "id: eu 1", "no identifier"),
            (listen, "listen: [{http: \"127.0.0.1:1\", https: \"127.0.0.1:2\"}]", "either `http` or `https`"),
            (listen, "listen: [{}]", "needs `http` or `https`"),
            (listen, "listen: []", "no listener"),
            (listen, "listen: [{https: \"127.0.0.1:1\"}]", "needs `tls"),
            (listen, "listen: [{http: \"127.0.0.1:1\", tls: {cert: a, key: b}}]", "belongs to an `https`"),
            (listen, "listen: [{http: \"127.0.0.1:1\", proxy_protocol: true}]", "needs `trusted_hops.from`"),
            ("https://shop.example/data-transfers", "shop", "no address of the web"),
            ("path: /v1/", "path: v1/", "begin it with `/`"),
            ("speaks_of: caller", "region: sg-1", "no region of `regions`"),
            ("speaks_of: caller", "recipient: partner", "needs a `region`"),
            ("speaks_of: caller", "otherwise: maybe", "`maybe` is no fallback"),
            ("speaks_of: caller", "content: secret", "none of `business`, `public`"),
            ("speaks_of: caller", "records: items", "no selector"),
            ("speaks_of: caller", "subject: {namespace: account, at: /~2}", "no selector"),
            ("speaks_of: caller", "pass_headers: [\"user agent\"]", "no name of a header"),
            ("speaks_of: caller", "limits: {head: 1KiB}", "limit of the whole node"),
            ("speaks_of: caller", "limits: {streams: 3}", "limit of the whole node"),
            (backends, "backends: {}", "has no backend"),
            (backends, "backends: {cn-north: []}", "has no backend"),
            (backends, "region: eu-frankfurt, backends: {cn-north: [\"http://127.0.0.1:9001\"]}", "no backend in `eu-frankfurt`"),
            (backends, "backends: {sg-1: [\"http://127.0.0.1:1\"]}", "no region of `regions`"),
            (backends, "backends: {cn-north: [\"ftp://127.0.0.1:1\"]}", "is no backend"),
            (backends, "backends: {cn-north: [\"http://127.0.0.1:1/path\"]}", "is no backend"),
            (backends, "backends: {cn-north: [{url: \"http://127.0.0.1:1\", sni: a}]}", "belong to an `https` backend"),
            (backends, "backends: {cn-north: [7]}", "a backend is a URL"),
            ("", "limits: {body: 1MB}", "is no size"),
            ("", "limits: {body: 0B}", "is no size"),
            ("", "limits: {body_deadline: 30}", "is no duration"),
            ("", "limits: {depth: 0}", "at least 1"),
            ("", "trusted_hops: {from: [10.1.2.3/8]}", "is no network"),
            ("", "keys: [{id: \"a.b\", from: \"env:K\"}]", "no id of a key"),
            ("", "keys: [{id: a, from: \"env:K\"}, {id: a, from: \"env:L\"}]", "stands here twice"),
            ("", "  - {id: accounts, match: {path: /v2/}, policy: p, purpose: q, backends: {cn-north: [\"http://h:1\"]}}", "stands here twice"),
            ("", "  - {id: other, match: {path: /v1/}, policy: p, purpose: q, backends: {cn-north: [\"http://h:1\"]}}", "same host and path"),
        ];
        for (from, to, expected) in cases {
            let problem = only_problem(from, to);
            assert!(problem.contains(expected), "{to}: {problem}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_one_problem() {
        let problems = Config::read(Path::new("/nowhere/domicile.yaml")).unwrap_err();
        assert!(problems[0].to_string().starts_with("/nowhere/domicile.yaml: cannot be read"));
    }

    #[test]
    fn the_longest_prefix_on_the_closest_host_gets_the_request() {
        let api = |id: &str, matches: &str| format!("  - {{id: {id}, match: {matches}, policy: p, purpose: q, backends: {{cn-north: [\"http://h:1\"]}}}}\n");
        let text = format!(
            "{SHORT}{}{}{}",
            api("orders", "{path: /v1/orders}"),
            api("shop", "{host: Shop.Example, path: /}"),
            api("six", "{host: \"[::1]\", path: /six}")
        );
        let config = parse(&text).unwrap();
        let routed = |host: &str, path: &str| config.route(host, path).map(|api| api.id.to_string());
        assert_eq!(routed("a", "/v1/x").as_deref(), Some("accounts"));
        assert_eq!(routed("a", "/v1/orders").as_deref(), Some("orders"));
        assert_eq!(routed("a", "/v1/orders/7").as_deref(), Some("orders"));
        assert_eq!(routed("a", "/v1/orders7").as_deref(), Some("accounts"), "a prefix ends at a segment");
        assert_eq!(routed("shop.example:8443", "/v1/orders").as_deref(), Some("shop"), "the host weighs more than the path");
        assert_eq!(routed("[::1]:80", "/six").as_deref(), Some("six"));
        assert_eq!(routed("a", "/v2"), None);
        assert_eq!(config.region_of_host("CN.shop.example:443").map(Region::as_str), Some("cn-north"));
        assert_eq!(config.region_of_host("shop.example"), None);
    }

    #[test]
    fn people_of_defaults_to_every_jurisdiction_that_has_a_region_and_knows_groups() {
        let group = BTreeMap::from([("EEA".to_owned(), BTreeSet::from(["DE".parse().unwrap(), "NO".parse().unwrap()]))]);
        let places = Places::new(group, BTreeMap::new()).unwrap();
        let people = |to: &str| {
            let config = parse(&SHORT.replace("speaks_of: caller", to)).unwrap();
            config.terms(&config.apis[0], &places).map(|terms| terms.people_of.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(people("speaks_of: caller").unwrap(), "CN DE");
        assert_eq!(people("people_of: [EEA, SG]").unwrap(), "DE NO SG");
        let problem = people("people_of: [\n  Europe]").unwrap_err();
        assert_eq!((problem.at.unwrap().0, problem.what.contains("`Europe`")), (9, true));
    }
}

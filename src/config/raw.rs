//! `domicile.yaml` as it is written: every key, none of them checked yet. The manual of the file is made from these comments.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;
use std::marker::PhantomData;

/// A text with its place in the file, so that a later check can point at it.
pub(super) type Text = Spanned<String>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// This node: its name and the region it stands in.
    pub(super) node: Node,
    /// Where clients connect.
    pub(super) listen: Vec<Listener>,
    /// The second listener: API, probes, metrics. Without it there is none.
    pub(super) admin: Option<Admin>,
    /// Page that tells people why a transfer was refused; stands in the `Link` of every 451.
    pub(super) operator_url: Option<Text>,
    /// Folder of policies.
    pub(super) policies: Option<Text>,
    /// Folder of the registry and the ledger.
    pub(super) data: Option<Text>,
    /// Registry file; default `registry.db` in the data folder.
    pub(super) registry: Option<Text>,
    /// Every region this node knows.
    pub(super) regions: Ordered<Region>,
    /// What is proxied.
    pub(super) apis: Vec<Api>,
    /// How callers prove who they are.
    #[serde(default)]
    pub(super) identity: Identity,
    /// Whose headers and PROXY lines are believed.
    pub(super) trusted_hops: Option<TrustedHops>,
    /// `builtin`, or the path of a MaxMind-format country database.
    pub(super) geo: Option<Text>,
    /// De-identification keys of this node's jurisdiction; the first makes new tokens, the others only restore.
    #[serde(default)]
    pub(super) keys: Vec<Key>,
    /// Bounds of the whole node, and defaults of every API.
    #[serde(default)]
    pub(super) limits: Limits,
}

/// `node`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    /// Name of this node, in ledger entries and logs.
    pub(super) id: Text,
    /// One of `regions`.
    pub(super) region: Text,
    /// `node` lets callers from a loopback address stand where the node stands. Development only.
    pub(super) loopback_as: Option<Text>,
}

/// One of `listen`: either `http` or `https` with `tls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listener {
    /// Address and port for plain HTTP.
    pub(super) http: Option<Text>,
    /// Address and port for HTTP over TLS.
    pub(super) https: Option<Text>,
    /// Certificates of an `https` listener.
    pub(super) tls: Option<Spanned<Tls>>,
    /// Whether trusted hops open every connection with a PROXY protocol header.
    #[serde(default)]
    pub(super) proxy_protocol: Option<Spanned<bool>>,
}

/// `listen[].tls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// PEM file: the certificate and its intermediates.
    pub(super) cert: Text,
    /// PEM file: the private key.
    pub(super) key: Text,
    /// PEM file: authorities whose client certificates are demanded.
    pub(super) client_ca: Option<Text>,
}

/// `admin`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Admin {
    /// Address and port.
    pub(super) listen: Text,
    /// Bearer token that writes need: `file:PATH` or `env:NAME`.
    pub(super) token: Text,
}

/// One of `regions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Region {
    /// ISO 3166-1 alpha-2; exactly one.
    pub(super) jurisdiction: Text,
    /// Where clients reach this region: the target of redirects and the host of `region: from_host`.
    pub(super) url: Option<Text>,
}

/// One of `apis`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Api {
    /// Name in decisions, metrics and tokens.
    pub(super) id: Text,
    /// Which requests belong to it; the longest match wins.
    #[serde(rename = "match")]
    pub(super) matches: Match,
    /// The policy that governs it.
    pub(super) policy: Text,
    /// Why its data is processed; consents and instruments are matched on it.
    pub(super) purpose: Text,
    /// Registered party it hands data to; without one the exporter itself.
    pub(super) recipient: Option<Text>,
    /// A region all its requests go to, or `from_host`. Without it a request goes home.
    pub(super) region: Option<Text>,
    /// Backends per region: URLs, or `{url, sni, ca}`. The first region is the default for what is not personal.
    pub(super) backends: Ordered<Vec<Spanned<Backend>>>,
    /// Whose data its bodies may hold: jurisdictions, areas or groups. Default: every jurisdiction that has a region.
    pub(super) people_of: Option<Vec<Text>>,
    /// `caller`: its messages speak of the caller and nobody else.
    pub(super) speaks_of: Option<Text>,
    /// Where a record names its subject.
    pub(super) subject: Option<Subject>,
    /// Whether a subject named in a body is believed: the caller is a service that answers for it.
    #[serde(default)]
    pub(super) trusted_subject: bool,
    /// JSON Pointer with `*` to the records of a request.
    pub(super) records: Option<Text>,
    /// Records and subject of a response.
    #[serde(default)]
    pub(super) response: Response,
    /// `business` (with a customer's instruction on record) or `public`: bodies are not inspected.
    pub(super) content: Option<Text>,
    /// What happens when a transfer is not allowed: `home` (default), `refuse`, `deidentify`.
    pub(super) otherwise: Option<Text>,
    /// One unlawful field: `whole` (default), `drop`, `tokenise`.
    pub(super) unlawful_field: Option<Text>,
    /// One unlawful record of several: `whole` (default), `drop`, `tokenise`, `split`.
    pub(super) unlawful_record: Option<Text>,
    /// A message that arrives outside the person's area: `home` (default), `refuse`, `redirect`.
    pub(super) arrival: Option<Text>,
    /// Whether a client address may place a caller in the node's area. Default true.
    pub(super) caller_by_geo: Option<bool>,
    /// Credential headers that cross a border with the message.
    #[serde(default)]
    pub(super) pass_credentials: Vec<Text>,
    /// Device-profile headers that cross a border with the message.
    #[serde(default)]
    pub(super) pass_headers: Vec<Text>,
    /// Party the data was obtained from, if not from the person.
    pub(super) obtained_from: Option<Text>,
    /// Whether a message over plain HTTP is refused.
    #[serde(default)]
    pub(super) require_tls: bool,
    /// Roles that may read restored tokens besides the subject.
    #[serde(default)]
    pub(super) restore_for: Vec<Text>,
    /// Bounds that differ from the node's; those of the whole node cannot.
    #[serde(default)]
    pub(super) limits: Limits,
}

/// `apis[].match`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    /// Host without port; without it every host.
    pub(super) host: Option<Text>,
    /// Path prefix. `/v1/` takes what begins with it, `/v1` also `/v1` itself, and neither takes `/v10`.
    pub(super) path: Text,
}

/// One backend, shortly or in full.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a backend is a URL or {url, sni, ca}")]
pub(super) enum Backend {
    Url(String),
    Full(FullBackend),
}

/// A backend with its TLS identity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullBackend {
    /// `http://host:port` or `https://host:port`.
    pub(super) url: String,
    /// Name that its certificate must show; default: the host.
    pub(super) sni: Option<String>,
    /// PEM file: authorities that may have signed its certificate; default: those of the system.
    pub(super) ca: Option<String>,
}

/// `apis[].subject`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    /// What kind of identifier it is: `account`, `phone`, `email`, `cn_resident_id`, `device`.
    pub(super) namespace: Text,
    /// JSON Pointer, relative to the record.
    pub(super) at: Text,
}

/// `apis[].response`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Response {
    /// JSON Pointer with `*` to the records of a response.
    pub(super) records: Option<Text>,
    /// Where a record of a response names its subject.
    pub(super) subject: Option<Subject>,
}

/// `identity`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// Bearer tokens that are verified.
    pub(super) jwt: Option<Jwt>,
}

/// `identity.jwt`. All keys after `audience` name claims.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    /// `file:PATH` or `env:NAME` of a JSON Web Key Set.
    pub(super) jwks: Text,
    /// The one issuer that is believed.
    pub(super) issuer: Text,
    /// The audience a token must name.
    pub(super) audience: Text,
    /// Claim with the subject's id; default `sub`.
    pub(super) subject: Option<Text>,
    /// What kind of identifier it is; default `account`.
    pub(super) namespace: Option<Text>,
    /// Claim with the person's jurisdiction.
    pub(super) jurisdiction: Option<Text>,
    /// Claim with the person's home region.
    pub(super) home: Option<Text>,
    /// Claim with the age band.
    pub(super) age_band: Option<Text>,
    /// Claim with the role.
    pub(super) role: Option<Text>,
}

/// `trusted_hops`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustedHops {
    /// Networks, such as `10.0.0.0/8`.
    pub(super) from: Vec<Text>,
    /// Which of their headers are believed. From everybody else they are removed.
    #[serde(default)]
    pub(super) headers: HopHeaders,
}

/// `trusted_hops.headers`: names of headers, and what they say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HopHeaders {
    /// The subject's id.
    pub(super) subject: Option<Text>,
    /// What kind of identifier it is (a namespace, no header); default `account`.
    pub(super) namespace: Option<Text>,
    /// The person's jurisdiction.
    pub(super) jurisdiction: Option<Text>,
    /// The person's home region.
    pub(super) home: Option<Text>,
    /// The age band.
    pub(super) age_band: Option<Text>,
    /// The role.
    pub(super) role: Option<Text>,
    /// The client's address, in the manner of `X-Forwarded-For`: the last address that is no trusted hop counts.
    pub(super) address: Option<Text>,
}

/// One of `keys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    /// Name, at most 32 bytes; it stands in every token, so it says nothing but the version.
    pub(super) id: Text,
    /// `file:PATH` or `env:NAME` of 64 hexadecimal digits.
    pub(super) from: Text,
}

/// `limits`, of the node and of one API.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// Longest body that is inspected.
    pub(super) body: Option<Text>,
    /// Deepest nesting of a body.
    pub(super) depth: Option<Spanned<usize>>,
    /// Most members of a body.
    pub(super) members: Option<Spanned<usize>>,
    /// Largest decoded size per encoded byte.
    pub(super) ratio: Option<Spanned<usize>>,
    /// Most records of a message.
    pub(super) records: Option<Spanned<usize>>,
    /// Time for a request body to arrive.
    pub(super) body_deadline: Option<Text>,
    /// Time for a backend to answer in full.
    pub(super) answer_deadline: Option<Text>,
    /// Time to connect to a backend, TLS included.
    pub(super) connect_deadline: Option<Text>,
    /// Node only. Longest head of a message.
    pub(super) head: Option<Text>,
    /// Node only. Time for a head to arrive; also how long a connection may idle.
    pub(super) head_deadline: Option<Text>,
    /// Node only. Time for the registry to answer a miss of the index.
    pub(super) store_deadline: Option<Text>,
    /// Node only. Time for exchanges in flight to end when the node stops.
    pub(super) drain_deadline: Option<Text>,
    /// Node only. All buffers of all exchanges together.
    pub(super) buffers: Option<Text>,
    /// Node only. Most connections of clients at one time.
    pub(super) connections: Option<Spanned<usize>>,
    /// Node only. Most HTTP/2 streams of one connection at one time.
    pub(super) streams: Option<Spanned<usize>>,
}

/// A mapping in the order of the file.
#[derive(Debug)]
pub(super) struct Ordered<V>(pub(super) Vec<(Text, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Ordered(pairs))
            }
        }

        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

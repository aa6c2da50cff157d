//! Who calls: verified claims, then a trusted hop's word, then the address. Whatever anyone else says is not heard.

use super::claims::{Identity, InvalidClaim, parsed};
use super::geo::Geo;
use super::network::Hops;
use crate::model::facts::{CallerFacts, KnownBy};
use crate::model::{AgeBand, Jurisdiction, Namespace, Region, SubjectRef};
use http::{HeaderMap, HeaderName, header};
use jiff::Timestamp;
use std::net::IpAddr;

/// Everything that can tell who calls; part of the snapshot.
#[derive(Debug, Clone)]
pub struct Sources {
    /// How bearer tokens are verified, if they are.
    pub identity: Option<Identity>,
    /// Whose headers and PROXY lines are believed.
    pub hops: Hops,
    /// The country database.
    pub geo: Geo,
    /// Where loopback callers count as standing (`node.loopback_as: node`, development only).
    pub loopback_at: Option<Jurisdiction>,
}

/// A request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// Normalised headers.
    pub headers: &'a HeaderMap,
    /// The other end of the TCP connection.
    pub peer: IpAddr,
    /// The source address of the PROXY protocol header, on listeners that expect one.
    pub proxied: Option<IpAddr>,
    /// The instant of the decision.
    pub now: Timestamp,
}

/// What a token or a hop says about the person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Kind and text of the identifier.
    pub subject: Option<(Namespace, String)>,
    pub jurisdiction: Option<Jurisdiction>,
    pub home: Option<Region>,
    pub age_band: Option<AgeBand>,
    pub role: Option<String>,
}

/// How it stands with what the caller claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing is claimed.
    Absent,
    /// All of it is verified, or said by a trusted hop.
    Verified,
    /// Something cannot be believed, and so none of it is; the gateway answers 401.
    Invalid(InvalidClaim),
}

/// Who sent the request and reads the response.
#[derive(Clone)]
pub struct Caller {
    /// What is known about the person; empty unless `claim` is verified.
    pub claims: Claims,
    /// Whether something was claimed, and whether it holds.
    pub claim: Claim,
    /// The strongest evidence of who this is.
    pub known_by: KnownBy,
    /// The client's address as far as it can be known.
    pub address: Option<IpAddr>,
    /// Where that address is registered.
    pub located: Option<Jurisdiction>,
}

impl Sources {
    /// Who calls.
    pub fn caller(&self, arrived: &Arrived<'_>) -> Caller {
        let speaker = self.speaker(arrived.peer, arrived.proxied);
        let address = self.address(arrived.headers, speaker);
        let located = address.and_then(|a| self.locate(a));
        let (claim, claims, by) = match self.claims(arrived, speaker) {
            Ok(Some((claims, by))) => (Claim::Verified, claims, Some(by)),
            Ok(None) => (Claim::Absent, Claims::default(), None),
            Err(invalid) => (Claim::Invalid(invalid), Claims::default(), None),
        };
        let known_by = by.or(located.map(|_| KnownBy::Address)).unwrap_or(KnownBy::Nothing);
        Caller { claims, claim, known_by, address, located }
    }

    /// Who speaks HTTP here. A hop that sends a PROXY header hands over somebody else's bytes: its own trust does not cover them.
    fn speaker(&self, peer: IpAddr, proxied: Option<IpAddr>) -> IpAddr {
        proxied.filter(|_| self.hops.trust(peer)).unwrap_or(peer)
    }

    /// The client's address. Trusted hops append to the list, so the last address that is no hop of ours is the first that can be believed.
    fn address(&self, headers: &HeaderMap, speaker: IpAddr) -> Option<IpAddr> {
        let Some(name) = self.hops.address.as_ref().filter(|name| self.hops.trust(speaker) && headers.contains_key(*name)) else { return Some(speaker) };
        let mut client = speaker;
        for value in headers.get_all(name).iter().rev() {
            for entry in value.to_str().ok()?.rsplit(',') {
                client = entry.trim().parse().ok()?;
                if !self.hops.trust(client) {
                    return Some(client);
                }
            }
        }
        Some(client)
    }

    fn locate(&self, address: IpAddr) -> Option<Jurisdiction> {
        if address.to_canonical().is_loopback() { self.loopback_at } else { self.geo.jurisdiction(address) }
    }

    fn claims(&self, arrived: &Arrived<'_>, speaker: IpAddr) -> Result<Option<(Claims, KnownBy)>, InvalidClaim> {
        let token = self.token(arrived)?;
        let hop = if self.hops.trust(speaker) { hop_claims(&self.hops, arrived.headers)? } else { Claims::default() };
        match token {
            Some(token) => Ok(Some((token.completed_by(hop), KnownBy::Claim))),
            None if hop == Claims::default() => Ok(None),
            None => Ok(Some((hop, KnownBy::TrustedHop))),
        }
    }

    fn token(&self, arrived: &Arrived<'_>) -> Result<Option<Claims>, InvalidClaim> {
        let Some(identity) = &self.identity else { return Ok(None) };
        let Some(credentials) = only(arrived.headers, &header::AUTHORIZATION)? else { return Ok(None) };
        match credentials.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => identity.verify(token.trim(), arrived.now).map(Some),
            _ => Ok(None),
        }
    }
}

impl Claims {
    /// What a hop adds to a token, unless it speaks of somebody else.
    fn completed_by(self, hop: Claims) -> Claims {
        if hop.subject.is_some() && self.subject.is_some() && hop.subject != self.subject {
            return self;
        }
        Claims {
            subject: self.subject.or(hop.subject),
            jurisdiction: self.jurisdiction.or(hop.jurisdiction),
            home: self.home.or(hop.home),
            age_band: self.age_band.or(hop.age_band),
            role: self.role.or(hop.role),
        }
    }
}

impl Caller {
    /// Nobody in particular, from nowhere.
    pub fn nobody() -> Self {
        Caller { claims: Claims::default(), claim: Claim::Absent, known_by: KnownBy::Nothing, address: None, located: None }
    }

    /// The caller as a fact. `known_by` is how the jurisdiction is known: a claim of a subject without one must not lend its weight to an address.
    pub fn facts(&self, subject: Option<SubjectRef>) -> CallerFacts {
        let claimed = self.claims.jurisdiction;
        let known_by = match (claimed, self.located) {
            (None, Some(_)) => KnownBy::Address,
            _ => self.known_by,
        };
        CallerFacts { subject, jurisdiction: claimed.or(self.located), home: self.claims.home.clone(), known_by, role: self.claims.role.clone() }
    }

    /// Whether it is verified which person this is.
    pub fn is_known(&self) -> bool {
        self.claims.subject.is_some()
    }
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claims({}, {:?}, {:?})", if self.subject.is_some() { "a subject" } else { "nobody" }, self.jurisdiction, self.home)
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Caller({:?}, {:?}, {:?}, {:?})", self.claims, self.claim, self.known_by, self.located)
    }
}

/// The subject of a record. What a body names counts on `trusted_subject` APIs; elsewhere it must be the caller's own verified subject, for otherwise
/// anyone could borrow the id of a person who consented. A record that names nobody speaks of the caller only on `speaks_of: caller` APIs.
pub fn named_subject<'a, T: PartialEq>(named: Option<&'a T>, caller: Option<&'a T>, trusted_subject: bool, speaks_of_caller: bool) -> Option<&'a T> {
    match named {
        Some(named) => Some(named).filter(|named| trusted_subject || Some(*named) == caller),
        None => caller.filter(|_| speaks_of_caller),
    }
}

fn hop_claims(hops: &Hops, headers: &HeaderMap) -> Result<Claims, InvalidClaim> {
    let said = |name: &Option<HeaderName>| match name {
        Some(name) => only(headers, name),
        None => Ok(None),
    };
    Ok(Claims {
        subject: hops.namespace.clone().zip(said(&hops.subject)?.map(str::to_owned)),
        jurisdiction: parsed(said(&hops.jurisdiction)?, "jurisdiction")?,
        home: parsed(said(&hops.home)?, "home region")?,
        age_band: parsed(said(&hops.age_band)?, "age band")?,
        role: said(&hops.role)?.map(str::to_owned),
    })
}

/// The one value of a header; two of them leave it open which one counts.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, InvalidClaim> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text.trim()).filter(|t| !t.is_empty())),
            Err(_) => Err(InvalidClaim(format!("the header `{name}` is no text"))),
        },
        (Some(_), Some(_)) => Err(InvalidClaim(format!("the header `{name}` stands there twice"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const CHINA: &str = "166.111.4.100";
    const GERMANY: &str = "141.20.5.188";

    fn sources() -> Sources {
        let header = |name: &str| Some(name.parse::<HeaderName>().unwrap());
        let hops = Hops {
            from: vec!["10.0.0.0/8".parse().unwrap()],
            subject: header("x-user"),
            namespace: "account".parse().ok(),
            jurisdiction: header("x-country"),
            home: header("x-region"),
            age_band: header("x-age"),
            role: header("x-role"),
            address: header("x-forwarded-for"),
        };
        Sources { identity: None, hops, geo: Geo::builtin().unwrap(), loopback_at: None }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn caller(pairs: &[(&'static str, &'static str)], peer: &str, proxied: Option<&str>) -> Caller {
        let headers = headers(pairs);
        let proxied = proxied.map(|a| a.parse().unwrap());
        sources().caller(&Arrived { headers: &headers, peer: peer.parse().unwrap(), proxied, now: Timestamp::UNIX_EPOCH })
    }

    fn place(jurisdiction: Option<Jurisdiction>) -> String {
        jurisdiction.map_or_else(String::new, |j| j.to_string())
    }

    #[test]
    fn a_trusted_hops_word_is_believed() {
        let caller = caller(&[("x-user", "u-1"), ("x-country", "CN"), ("x-region", "cn-north"), ("x-age", "adult"), ("x-role", "user")], "10.0.0.1", None);
        assert_eq!((caller.known_by, &caller.claim), (KnownBy::TrustedHop, &Claim::Verified));
        assert_eq!(caller.claims.subject.as_ref().unwrap().1, "u-1");
        let facts = caller.facts(None);
        assert_eq!((place(facts.jurisdiction), facts.known_by, facts.home.unwrap().as_str()), ("CN".into(), KnownBy::TrustedHop, "cn-north"));
    }

    #[test]
    fn the_last_forwarded_address_that_is_no_hop_of_ours_is_the_clients() {
        let at = |list: &'static str| caller(&[("x-forwarded-for", list)], "10.0.0.1", None);
        assert_eq!(place(at("166.111.4.100, 141.20.5.188, 10.9.9.9").located), "DE");
        assert_eq!(place(at("166.111.4.100").located), "CN");
        assert_eq!(at("166.111.4.100, unknown").address, None, "a list that cannot be read tells nothing");
        let split = caller(&[("x-forwarded-for", GERMANY), ("x-forwarded-for", CHINA)], "10.0.0.1", None);
        assert_eq!(place(split.located), "CN");
    }

    #[test]
    fn what_a_trusted_hop_garbles_is_an_invalid_claim() {
        for pairs in [vec![("x-country", "China")], vec![("x-country", "CN"), ("x-country", "DE")], vec![("x-age", "old")]] {
            let caller = caller(&pairs, "10.0.0.1", None);
            assert!(matches!(caller.claim, Claim::Invalid(_)), "{pairs:?}");
            assert_eq!(caller.claims, Claims::default());
        }
    }

    #[test]
    fn a_hop_that_speaks_of_somebody_else_adds_nothing_to_a_token() {
        let person = |id: &str| Some(("account".parse().unwrap(), id.to_owned()));
        let token = Claims { subject: person("u-1"), ..Claims::default() };
        let hop = |id: &str| Claims { subject: person(id), jurisdiction: "CN".parse().ok(), ..Claims::default() };
        assert_eq!(place(token.clone().completed_by(hop("u-1")).jurisdiction), "CN");
        assert_eq!(token.clone().completed_by(hop("u-2")), token);
    }

    #[test]
    fn an_address_does_not_borrow_the_weight_of_a_claim() {
        let mut known = caller(&[("x-user", "u-1")], "10.0.0.1", None);
        assert_eq!(known.facts(None).known_by, KnownBy::TrustedHop);
        known.located = "DE".parse().ok();
        assert_eq!(known.facts(None).known_by, KnownBy::Address);
        assert!(known.is_known());
    }

    #[test]
    fn loopback_is_nowhere_unless_the_node_says_otherwise() {
        assert_eq!(caller(&[], "127.0.0.1", None).known_by, KnownBy::Nothing);
        let at_home = Sources { loopback_at: "DE".parse().ok(), ..sources() };
        let headers = HeaderMap::new();
        let caller = at_home.caller(&Arrived { headers: &headers, peer: "::ffff:127.0.0.1".parse().unwrap(), proxied: None, now: Timestamp::UNIX_EPOCH });
        assert_eq!((place(caller.located), caller.known_by), ("DE".into(), KnownBy::Address));
    }

    #[test]
    fn without_a_key_set_bearer_tokens_say_nothing_and_with_one_a_bad_token_is_invalid() {
        let headers = headers(&[("authorization", "Bearer a.b.c")]);
        let arrived = Arrived { headers: &headers, peer: GERMANY.parse().unwrap(), proxied: None, now: Timestamp::UNIX_EPOCH };
        assert_eq!(sources().caller(&arrived).claim, Claim::Absent);
        let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let names = crate::origin::ClaimNames {
            issuer: "i".into(),
            audience: "a".into(),
            subject: "sub".into(),
            namespace: "account".parse().unwrap(),
            jurisdiction: None,
            home: None,
            age_band: None,
            role: None,
        };
        let verifying = Sources { identity: Identity::new(set, names).ok(), ..sources() };
        assert!(matches!(verifying.caller(&arrived).claim, Claim::Invalid(_)));
    }

    #[test]
    fn a_body_cannot_borrow_a_subject() {
        let person = |id: &str| ("account".parse::<Namespace>().unwrap(), id.to_owned());
        let (a, b) = (person("a"), person("b"));
        assert_eq!(named_subject(Some(&a), Some(&b), false, true), None);
        assert_eq!(named_subject(Some(&a), Some(&a), false, false), Some(&a));
        assert_eq!(named_subject(Some(&a), Some(&b), true, false), Some(&a));
        assert_eq!(named_subject(None, Some(&b), true, false), None);
        assert_eq!(named_subject(None, Some(&b), false, true), Some(&b));
    }
}

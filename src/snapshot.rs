//! Everything one message reads: one immutable value, swapped whole on reload. Old exchanges finish under the old one.

use crate::config::{Api, Config, Selectors};
use crate::deidentify::Keys;
use crate::model::facts::{Site, Terms};
use crate::model::{ApiId, Region};
use crate::origin::Sources;
use crate::policy::{Diagnostic, Library, Policy, Setting, Source};
use crate::screen::Reading;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What a message is decided with.
pub struct Snapshot {
    pub config: Arc<Config>,
    pub library: Library,
    pub sources: Arc<Sources>,
    pub keys: Arc<Keys>,
    pub node: Site,
    apis: BTreeMap<ApiId, Compiled>,
}

/// An API with its selectors and terms compiled.
struct Compiled {
    terms: Terms,
    request: Reading,
    response: Reading,
}

/// What does not change while the node runs.
#[derive(Clone)]
pub struct Fixed {
    pub config: Arc<Config>,
    pub sources: Arc<Sources>,
    pub keys: Arc<Keys>,
}

/// Why no snapshot could be made of these files.
#[derive(Debug)]
pub enum Invalid {
    /// The folder cannot be read.
    Folder(String),
    /// Policies are wrong.
    Policies(Vec<Diagnostic>),
    /// Policies and configuration do not fit each other.
    Misfit(Vec<String>),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::Folder(what) => f.write_str(what),
            Invalid::Policies(all) => all.iter().try_for_each(|d| writeln!(f, "{d}")),
            Invalid::Misfit(all) => all.iter().try_for_each(|d| writeln!(f, "{d}")),
        }
    }
}

impl Snapshot {
    /// Compiles the policies (file name and text) and checks that every API finds what it names.
    pub fn compile(fixed: &Fixed, files: &[(String, String)]) -> Result<(Snapshot, Vec<Diagnostic>), Invalid> {
        let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
        let (library, warnings) = Library::compile(&sources).map_err(Invalid::Policies)?;
        let config = &fixed.config;
        let mut misfits = Vec::new();
        let mut apis = BTreeMap::new();
        for api in &config.apis {
            let versions = library.versions(&api.policy);
            if versions.is_empty() {
                misfits.push(format!("api `{}` names policy `{}`, which no file in the policies folder defines", api.id, api.policy));
            }
            if let Some(recipient) = &api.recipient
                && !versions.iter().all(|policy| policy.recipients().contains_key(recipient))
            {
                misfits.push(format!("api `{}` hands data to `{recipient}`, which policy `{}` does not register under `recipients`", api.id, api.policy));
            }
            match config.terms(api, library.places()) {
                Ok(terms) => {
                    let compiled = Compiled { terms, request: reading(api, &api.request), response: reading(api, &api.response) };
                    apis.insert(api.id.clone(), compiled);
                }
                Err(problem) => misfits.push(problem.to_string()),
            }
        }
        if !misfits.is_empty() {
            return Err(Invalid::Misfit(misfits));
        }
        let node = Site { region: config.node.region.clone(), jurisdiction: Some(config.node.jurisdiction) };
        let Fixed { config, sources, keys } = fixed.clone();
        Ok((Snapshot { config, library, sources, keys, node, apis }, warnings))
    }

    /// What the platform team should look at, though the node runs without.
    pub fn advice(&self) -> Vec<String> {
        let mut places = self.config.regions.values();
        let first = places.next().copied();
        let spans_areas = first.is_some_and(|first| places.any(|other| !self.library.places().same_area(first, *other)));
        let unnamed = self.config.apis.iter().filter(|api| spans_areas && !api.names_people());
        unnamed.map(|api| format!("api `{}` does not say whose data it carries: without `people_of`, whatever cannot be read may be anybody's and is refused wherever it would cross", api.id)).collect()
    }

    /// The policy in force for this API at `now`.
    pub fn policy(&self, api: &Api, now: Timestamp) -> Option<&Policy> {
        self.library.policy(&api.policy, now)
    }

    /// What the API says to a decision.
    pub fn terms(&self, api: &Api) -> Option<&Terms> {
        self.apis.get(&api.id).map(|c| &c.terms)
    }

    /// How the requests of an API are read.
    pub fn request_reading(&self, api: &Api) -> Option<&Reading> {
        self.apis.get(&api.id).map(|c| &c.request)
    }

    /// How the responses of an API are read.
    pub fn response_reading(&self, api: &Api) -> Option<&Reading> {
        self.apis.get(&api.id).map(|c| &c.response)
    }

    /// What facts of this API are decided against.
    pub fn setting<'a>(&'a self, api: &Api, now: Timestamp) -> Option<Setting<'a>> {
        Some(Setting { policy: self.policy(api, now)?, places: self.library.places(), regions: &self.config.regions, terms: self.terms(api)? })
    }

    /// A region as a place where something stands.
    pub fn site(&self, region: &Region) -> Site {
        Site { region: region.clone(), jurisdiction: self.config.regions.get(region).copied() }
    }
}

fn reading(api: &Api, selectors: &Selectors) -> Reading {
    Reading {
        records: selectors.records.clone(),
        subject: selectors.subject.as_ref().map(|s| (s.namespace.clone(), s.at.clone())),
        limits: api.limits.payload,
        pass_credentials: api.pass_credentials.clone(),
        pass_headers: api.pass_headers.clone(),
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} APIs)", self.apis.len())
    }
}

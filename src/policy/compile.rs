//! Files to a library: parse all, resolve every name, report everything wrong at once.

use super::diagnostic::{Diagnostic, Severity, suggest};
use super::lower::Lowering;
use super::rule::{Exemptions, HomeRule, Regime, Residency, Techniques};
use super::schema::{At, ExemptionEntry, JurisdictionsFile, Place, PolicyFile, Probe, RawResidency, RegimeFile, TaxonomyFile};
use super::validate;
use super::world::World;
use super::{Library, Policy, Source};
use crate::model::decision::PolicyStamp;
use crate::model::{Category, PolicyId, RegimeId, RuleId, Technique};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The files of `policies/` that the binary carries.
const BUILT_IN: &[Source<'static>] = &[
    Source { name: "built-in jurisdictions.yaml", text: include_str!("../../policies/jurisdictions.yaml") },
    Source { name: "built-in taxonomy.yaml", text: include_str!("../../policies/taxonomy.yaml") },
    Source { name: "built-in regimes/cn-pipl.yaml", text: include_str!("../../policies/regimes/cn-pipl.yaml") },
    Source { name: "built-in regimes/eu-gdpr.yaml", text: include_str!("../../policies/regimes/eu-gdpr.yaml") },
];

pub(super) fn compile(sources: &[Source<'_>]) -> Result<(Library, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut shelf = Shelf::default();
    for source in BUILT_IN {
        shelf.read(*source, true);
    }
    for source in sources {
        shelf.read(*source, false);
    }
    let mut found = std::mem::take(&mut shelf.found);
    let library = shelf.library(&mut found);
    found.sort_by(|a, b| (a.severity, &a.file, a.line, a.column, &a.message).cmp(&(b.severity, &b.file, b.line, b.column, &b.message)));
    // A condition that several rules name is read for each of them.
    found.dedup();
    match library {
        Some(library) if found.iter().all(|d| d.severity != Severity::Error) => Ok((library, found)),
        _ => Err(found),
    }
}

/// A file as parsed, with its text for digests and messages.
type File<'a, T> = (Source<'a>, T);

/// Everything parsed; the last file of an id counts.
#[derive(Default)]
struct Shelf<'a> {
    jurisdictions: Option<File<'a, JurisdictionsFile>>,
    taxonomy: Option<File<'a, TaxonomyFile>>,
    regimes: BTreeMap<RegimeId, File<'a, RegimeFile>>,
    policies: Vec<File<'a, PolicyFile>>,
    found: Vec<Diagnostic>,
}

impl<'a> Shelf<'a> {
    fn read(&mut self, source: Source<'a>, built_in: bool) {
        // A folder may hold the very files the binary carries.
        if !built_in && BUILT_IN.iter().any(|carried| carried.text == source.text) {
            return;
        }
        let Some(probe) = self.parse::<Probe>(source) else { return };
        let whole = Place { line: 1, column: 1 };
        match (probe.policy, probe.regime, probe.areas, probe.leaves) {
            (Some(_), None, None, None) => {
                if let Some(file) = self.parse(source) {
                    self.policies.push((source, file));
                }
            }
            (None, Some(_), None, None) => {
                let Some(file) = self.parse::<RegimeFile>(source) else { return };
                let id = file.regime.value.clone();
                if self.regimes.insert(id.clone(), (source, file)).is_some() {
                    self.found.push(Diagnostic::new(Severity::Note, source, whole, format!("replaces the built-in regime `{id}`")));
                }
            }
            (None, None, Some(_), None) => {
                self.jurisdictions = self.parse(source).map(|file| (source, file));
                self.replaced(source, built_in, "jurisdictions");
            }
            (None, None, None, Some(_)) => {
                self.taxonomy = self.parse(source).map(|file| (source, file));
                self.replaced(source, built_in, "taxonomy");
            }
            _ => {
                self.found.push(Diagnostic::new(Severity::Error, source, whole, "cannot tell what kind of file this is").help(
                    "begin a policy with `policy:`, a regime with `regime:`, jurisdictions with `areas:`, a taxonomy with `leaves:`; one of them per file",
                ))
            }
        }
    }

    fn replaced(&mut self, source: Source<'a>, built_in: bool, what: &str) {
        if !built_in {
            self.found.push(Diagnostic::new(Severity::Note, source, Place { line: 1, column: 1 }, format!("replaces the built-in {what}")));
        }
    }

    fn parse<T: DeserializeOwned>(&mut self, source: Source<'_>) -> Option<T> {
        // `no` is Norway's code, never a truth value.
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        match serde_saphyr::from_str_with_options(source.text, options) {
            Ok(file) => Some(file),
            Err(error) => {
                let found = Diagnostic::of_yaml(source, &error);
                // A broken file is met by the probe and by its own reader: said once.
                if !self.found.contains(&found) {
                    self.found.push(found);
                }
                None
            }
        }
    }

    fn library(self, found: &mut Vec<Diagnostic>) -> Option<Library> {
        let ((place_source, jurisdictions), (taxonomy_source, taxonomy)) = (self.jurisdictions?, self.taxonomy?);
        let world = match World::new(jurisdictions, taxonomy) {
            Ok(world) => world,
            Err(message) => {
                found.push(Diagnostic::new(Severity::Error, place_source, Place::default(), message));
                return None;
            }
        };
        let mut policies: BTreeMap<PolicyId, Vec<Policy>> = BTreeMap::new();
        for (source, file) in self.policies {
            let base = [place_source.text, taxonomy_source.text];
            let at = file.effective.at;
            let policy = Binder { world: &world, regimes: &self.regimes, source, found }.policy(file, &base);
            let versions = policies.entry(policy.stamp.id.clone()).or_default();
            if versions.iter().any(|other| other.effective == policy.effective) {
                let message = format!("two versions of `{}` begin on the same date", policy.stamp.id);
                found.push(Diagnostic::new(Severity::Error, source, at, message).help("give each version its own `effective`"));
            }
            versions.push(policy);
        }
        policies.values_mut().for_each(|versions| versions.sort_by_key(|policy| policy.effective));
        Some(Library { places: world.places, policies })
    }
}

/// Binds one policy file to its regimes.
struct Binder<'w, 'a, 'f> {
    world: &'w World,
    regimes: &'w BTreeMap<RegimeId, File<'a, RegimeFile>>,
    source: Source<'a>,
    found: &'f mut Vec<Diagnostic>,
}

impl<'w, 'a> Binder<'w, 'a, '_> {
    fn policy(&mut self, file: PolicyFile, base: &[&str]) -> Policy {
        let regime_files = self.listed(&file);
        let switches = self.switches(&file, &regime_files);
        let lowering = |source, conditions, notices, exemptions| Lowering {
            source,
            world: self.world,
            raised: &file.raise,
            exporter: &file.exporter,
            recipients: &file.recipients,
            audience: file.audience,
            switches: &switches,
            conditions,
            notices,
            exemptions,
            found: Vec::new(),
        };
        let mut own = lowering(self.source, &file.conditions, &file.notices, &file.exemptions);
        let rules = file.rules.iter().map(|raw| own.rule(raw)).collect();
        let residency = file.residency.iter().filter_map(|raw| residency(&mut own, raw, &file)).collect();
        let deidentify = file.deidentify.as_ref().map_or_else(fallback_techniques, |raw| own.techniques(raw));
        self.found.append(&mut own.found);
        let mut regimes = Vec::new();
        for (source, regime) in &regime_files {
            let mut inner = lowering(*source, &regime.conditions, &regime.notices, &regime.exemptions);
            regimes.extend(bind_regime(&mut inner, regime));
            self.found.append(&mut inner.found);
        }
        validate::lint(&file, self.source, self.world, &regimes, self.found);
        let texts = base.iter().copied().chain(regime_files.iter().map(|(source, _)| source.text));
        let digest = digest(std::iter::once(self.source.text).chain(texts));
        Policy {
            stamp: PolicyStamp { id: file.policy.value, version: file.version, digest },
            title: file.source.title,
            effective: file.effective.value,
            exporter: file.exporter,
            self_access: file.self_access,
            caller_by_geo: file.caller_by_geo,
            recipients: file.recipients,
            residency,
            rules,
            regimes,
            purposes: file.purposes.into_iter().map(|(id, entry)| (id, entry.legal_basis)).collect(),
            exemptions: exemptions(&file.exemptions),
            deidentify,
            impersonal: self.world.impersonal(),
            regions: file.regions,
            scenarios: file.scenarios,
        }
    }

    /// The regimes the policy names.
    fn listed(&mut self, file: &PolicyFile) -> Vec<File<'a, &'w RegimeFile>> {
        let mut listed: Vec<File<'a, &'w RegimeFile>> = Vec::new();
        for id in &file.regimes {
            match self.regimes.get(&id.value) {
                Some((source, regime)) => listed.push((*source, regime)),
                None => {
                    let known: Vec<&str> = self.regimes.keys().map(RegimeId::as_str).collect();
                    let help = suggest(id.value.as_str(), known.iter().copied()).unwrap_or_else(|| format!("known regimes: {}", known.join(", ")));
                    self.found.push(Diagnostic::new(Severity::Error, self.source, id.at, format!("no regime `{}`", id.value)).help(help));
                }
            }
        }
        listed
    }

    /// The values in force: the policy's own, else the first a regime names.
    fn switches(&mut self, file: &PolicyFile, regimes: &[File<'a, &'w RegimeFile>]) -> BTreeMap<String, String> {
        let declared: BTreeMap<&String, &Vec<String>> = regimes.iter().flat_map(|(_, regime)| &regime.switches).collect();
        for (name, value) in &file.switches {
            let problem = match declared.get(name) {
                None => Some((format!("no regime of this policy has a switch `{name}`"), suggest(name, declared.keys().map(|n| n.as_str())))),
                Some(values) if !values.contains(&value.value) => {
                    Some((format!("`{}` is no value of the switch `{name}`", value.value), Some(format!("known values: {}", values.join(", ")))))
                }
                Some(_) => None,
            };
            if let Some((message, help)) = problem {
                let found = Diagnostic::new(Severity::Error, self.source, value.at, message);
                self.found.push(match help {
                    Some(help) => found.help(help),
                    None => found,
                });
            }
        }
        let value = |name: &String, values: &Vec<String>| file.switches.get(name).map(|v| v.value.clone()).or_else(|| values.first().cloned());
        declared.into_iter().filter_map(|(name, values)| Some((name.clone(), value(name, values)?))).collect()
    }
}

fn bind_regime(lowering: &mut Lowering<'_>, file: &RegimeFile) -> Option<Regime> {
    let area = &file.area;
    let members = match lowering.world.place(&area.value) {
        Ok(members) => members,
        Err(message) => {
            lowering.report(Severity::Error, area.at, message, None);
            return None;
        }
    };
    if file.default.value != "block" {
        let help = Some("write `default: block` and let rows say what is lawful".to_owned());
        lowering.report(Severity::Error, file.default.at, "a regime that lets pass what no row speaks of is no regime", help);
    }
    let id = file.regime.value.clone();
    let default: RuleId = match format!("{id}/default").parse() {
        Ok(default) => default,
        Err(_) => {
            lowering.report(Severity::Error, file.regime.at, format!("the id `{id}` is too long"), None);
            return None;
        }
    };
    Some(Regime {
        id,
        area: area.value.clone(),
        members,
        rules: file.rules.iter().map(|raw| lowering.rule(raw)).collect(),
        exemptions: exemptions(&file.exemptions),
        default,
    })
}

fn residency(lowering: &mut Lowering<'_>, raw: &RawResidency, file: &PolicyFile) -> Option<Residency> {
    let at = raw.id.at;
    let home = match raw.home.value.as_str() {
        "chosen" => HomeRule::Chosen,
        "none" => HomeRule::Nowhere,
        name => match file.regions.get_key_value(name) {
            Some((region, _)) => HomeRule::Region(region.clone()),
            None => {
                let help = suggest(name, file.regions.keys().map(|r| r.as_str()).chain(["chosen", "none"]));
                lowering.report(Severity::Error, raw.home.at, format!("home `{name}` is no region of `regions:`"), help);
                return None;
            }
        },
    };
    let origin = raw.when.origin.as_ref().map(|word| lowering.places(word, at, false));
    let purpose = raw.when.purpose.as_ref().map(|word| {
        lowering.matching(word, at, &|text: &str| text.parse().map(|p| BTreeSet::from([p])).map_err(|e: crate::model::name::InvalidName| (e.to_string(), None)))
    });
    Some(Residency { id: raw.id.value.clone(), origin, purpose, home })
}

fn exemptions(raw: &BTreeMap<String, At<ExemptionEntry>>) -> Exemptions {
    raw.iter().map(|(kind, entry)| (kind.clone(), entry.value.cross_border)).collect()
}

/// Secrets and bodies' features go; the rest becomes a keyed pseudonym, which stays joinable at home (GB/T 35273 6.2, 6.3).
fn fallback_techniques() -> Techniques {
    let dropped =
        [Category::CredentialSecret, Category::FaceBiometric, Category::VoiceFingerprintOtherBiometric, Category::GeneticOmic, Category::MessageContent];
    Techniques { of: dropped.into_iter().map(|category| (category, Technique::Drop)).collect(), other: Some(Technique::Pseudonym) }
}

/// `sha256:<hex>` over texts, each with its length before it, so that no two lists run into one.
fn digest<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

//! Files to a library: parse all, resolve every name, report everything wrong at once.

use super::diagnostic::{Diagnostic, Severity, suggest};
use super::lower::Lowering;
use super::rule::{Exemptions, HomeRule, Regime, Residency, Techniques};
use super::schema::{ExemptionEntry, JurisdictionsFile, PolicyFile, Probe, RawResidency, RegimeFile, TaxonomyFile};
use super::shape::{At, Place};
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{POLICY, library};
    use super::*;

    fn errors(text: &str) -> Vec<Diagnostic> {
        Library::compile(&[Source { name: "p.yaml", text }]).unwrap_err()
    }

    fn warnings(text: &str) -> Vec<String> {
        let (_, found) = Library::compile(&[Source { name: "p.yaml", text }]).unwrap_or_else(|found| panic!("{}", found[0]));
        found.into_iter().filter(|d| d.severity == Severity::Warning).map(|d| d.message).collect()
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place_and_the_word_that_was_meant() {
        let found = &errors(&POLICY.replace("recipients:", "recipents:"))[0];
        assert_eq!((found.message.as_str(), found.line > 1, found.column), ("unknown key `recipents`", true, 1));
        assert_eq!(found.help.as_deref(), Some("did you mean `recipients`?"));
        assert_eq!(found.excerpt.as_deref(), Some("recipents:"));
    }

    #[test]
    fn a_key_written_twice_is_an_error() {
        let found = &errors(&format!("{POLICY}\nrules: []"))[0];
        assert!(found.message.starts_with("duplicate mapping key: rules") && !found.message.contains("Policy"), "{found}");
    }

    #[test]
    fn every_name_is_resolved_and_every_wrong_one_is_reported_at_once() {
        let rule = "rules:\n  - {id: a, when: {data: [emial_address], to: XXX, recipient: helpr}, require: {consent: {class: separate, notice: none}, exemption: vital}}\n  - {id: b, when: {is: nothing}, outcome: block}";
        let found = errors(&POLICY.replace("rules: []", rule));
        let wrong = ["`emial_address`", "`XXX`", "`helpr`", "no notice `none`", "unknown exemption `vital`", "no condition `nothing`"];
        for name in wrong {
            assert!(found.iter().any(|d| d.severity == Severity::Error && d.message.contains(name) && d.line > 1), "{name} in {found:?}");
        }
        assert!(found.iter().any(|d| d.help.as_deref() == Some("did you mean `email_address`?")));
    }

    #[test]
    fn homes_and_regimes_must_exist() {
        assert!(errors(&POLICY.replace("home: eu}", "home: eu-north}"))[0].message.contains("`eu-north` is no region"));
        assert!(errors(&POLICY.replace("[cn-pipl, eu-gdpr]", "[cn-pip]"))[0].help.as_deref().unwrap().contains("cn-pipl"));
        assert!(errors(&POLICY.replace("rules: []", "rules: []\nswitches: {cn.art39_consent: sometimes}"))[0].message.contains("no value of the switch"));
    }

    #[test]
    fn a_rule_id_is_taken_once() {
        let twice = "rules: [{id: a, when: {}, outcome: allow}, {id: a, when: {}, outcome: allow}, {id: CN-12, when: {}, outcome: allow}, {id: stays, when: {}, outcome: allow}]";
        assert_eq!(errors(&POLICY.replace("rules: []", twice)).iter().filter(|d| d.message.contains("is taken")).count(), 3);
    }

    #[test]
    fn a_condition_that_names_itself_is_reported() {
        let circle = "conditions: {round: {is: round}}\nrules: [{id: a, when: {is: round}, outcome: block}]";
        assert!(errors(&POLICY.replace("rules: []", circle)).iter().any(|d| d.message.contains("circle")));
    }

    #[test]
    fn the_latest_version_not_after_now_governs_and_equal_dates_are_an_error() {
        let later = POLICY.replace("2026-01-01", "2026-06-01").replace("version: \"1\"", "version: \"2\"");
        let library = library(&[POLICY, &later]);
        let id = "shop".parse().unwrap();
        let version = |now: &str| library.policy(&id, now.parse().unwrap()).map(|p| p.stamp().version.clone());
        assert_eq!(version("2025-12-31T23:59:59Z"), None);
        assert_eq!(version("2026-01-01T00:00:00Z").as_deref(), Some("1"));
        assert_eq!(version("2026-05-31T23:59:59Z").as_deref(), Some("1"));
        assert_eq!(version("2026-06-01T00:00:00Z").as_deref(), Some("2"));
        let same = Library::compile(&[Source { name: "a", text: POLICY }, Source { name: "b", text: POLICY }]).unwrap_err();
        assert!(same[0].message.contains("same date"));
    }

    #[test]
    fn a_file_of_the_same_id_replaces_a_built_in_regime_and_that_is_said() {
        let regime = "regime: cn-pipl\ntitle: {en: t}\narea: CN\nas_of: x\ndefault: block\nrules: [{id: own, when: {}, outcome: allow}]";
        let (library, found) = Library::compile(&[Source { name: "p.yaml", text: POLICY }, Source { name: "r.yaml", text: regime }]).unwrap();
        assert!(found.iter().any(|d| d.file == "r.yaml" && d.message.contains("replaces the built-in regime")));
        let policy = &library.versions(&"shop".parse().unwrap())[0];
        assert!(policy.all_rules().any(|rule| rule.id.as_str() == "own") && !policy.all_rules().any(|rule| rule.id.as_str() == "CN-12"));
        let lax = regime.replace("default: block", "default: allow");
        assert!(Library::compile(&[Source { name: "p.yaml", text: POLICY }, Source { name: "r.yaml", text: &lax }]).is_err());
    }

    #[test]
    fn the_digest_changes_with_the_policy_and_with_its_regimes() {
        let stamp = |texts: &[&str]| library(texts).versions(&"shop".parse().unwrap())[0].stamp().digest.clone();
        let regime = "regime: cn-pipl\ntitle: {en: t}\narea: CN\nas_of: x\ndefault: block\nrules: [{id: own, when: {}, outcome: allow}]";
        assert_eq!(stamp(&[POLICY]), stamp(&[POLICY]));
        assert_ne!(stamp(&[POLICY]), stamp(&[&POLICY.replace("Helper", "Helfer")]));
        assert_ne!(stamp(&[POLICY]), stamp(&[POLICY, regime]));
    }

    #[test]
    fn raising_a_category_makes_it_sensitive_for_the_law_and_nothing_lowers_one() {
        use super::super::fixtures::under;
        let ask = |policy: &str| {
            let small = "node: cn-north\nrecipient: helper\naddressed: sg\notherwise: refuse\nvolume: {cn.pi: 10, cn.spi: 0}\nrecords: [{subject: A, jurisdictions: [CN], age_band: adult, categories: {phone_number: clear}}]";
            under(&[policy], small).missing.iter().any(|m| m.what == "instrument")
        };
        assert!(!ask(POLICY));
        assert!(ask(&POLICY.replace("regimes:", "raise: [phone_number]\nregimes:")));
    }

    #[test]
    fn what_is_probably_not_meant_is_warned_of() {
        let rule = |text: &str| warnings(&POLICY.replace("rules: []", text));
        assert!(rule("rules: [{id: a, when: {to: SG}, outcome: block, otherwise: deidentify}]")[0].contains("does not help"));
        let instead = "rules: [{id: a, when: {to: SG}, unless: {form: pseudonymised}, require: {consent: {class: separate}}}]";
        assert!(rule(instead)[0].contains("instead of consent"));
        assert!(rule(&instead.replace("require:", "acknowledged: true, require:")).is_empty());
        assert!(rule("exemptions: {vital: {cross_border: true}}\nrules: []")[0].contains("opens a border"));
        assert!(rule("rules: [{id: a, when: {data: email_address}, unless: {data: email_address}, outcome: block}]")[0].contains("never match"));
        assert!(warnings(&POLICY.replace("when: {origin: CN}, ", ""))[0].contains("can never match"));
    }

    #[test]
    fn a_shadow_rule_is_watched_and_not_enforced() {
        use super::super::fixtures::with_rules;
        let ask = |mode: &str| {
            with_rules(
                &format!("  - {{id: a, when: {{data: email_address}}, outcome: block, mode: {mode}}}"),
                "node: cn-north\nrecords: [{jurisdictions: [CN], categories: {email_address: clear}}]",
            )
        };
        assert!(ask("shadow").outcome.allows() && ask("off").outcome.allows() && !ask("enforce").outcome.allows());
        assert_eq!(ask("shadow").shadow.iter().map(|rule| rule.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(ask("off").shadow.is_empty());
    }
}

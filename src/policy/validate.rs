//! What is allowed but probably not meant: warnings beside the errors of compilation.

use super::Source;
use super::diagnostic::{Diagnostic, Severity};
use super::rule::Regime;
use super::schema::{PolicyFile, RawCondition, RawRule};
use super::shape::{Place, Raw, RawMatch};
use super::world::World;
use crate::model::RuleId;
use crate::model::facts::Otherwise;
use std::collections::BTreeSet;

/// Warnings, and the errors that need the whole file.
pub(super) fn lint(file: &PolicyFile, source: Source<'_>, world: &World, regimes: &[Regime], found: &mut Vec<Diagnostic>) {
    let mut lint = Lint { file, source, found };
    lint.ids(regimes);
    lint.residency();
    lint.exemptions();
    lint.areas(world, regimes);
    for rule in &file.rules {
        lint.deidentify(rule);
        lint.never(rule);
    }
}

struct Lint<'a> {
    file: &'a PolicyFile,
    source: Source<'a>,
    found: &'a mut Vec<Diagnostic>,
}

impl Lint<'_> {
    fn say(&mut self, severity: Severity, at: Place, message: String, help: &str) {
        self.found.push(Diagnostic::new(severity, self.source, at, message).help(help));
    }

    /// A decision names rules by id alone, so ids are unique over the policy and its regimes.
    fn ids(&mut self, regimes: &[Regime]) {
        let mut seen: BTreeSet<&RuleId> = regimes.iter().flat_map(|regime| &regime.rules).map(|rule| &rule.id).collect();
        let own = self.file.residency.iter().map(|rule| &rule.id).chain(self.file.rules.iter().map(|rule| &rule.id));
        let taken = |id: &RuleId| id.as_str().parse::<super::Builtin>().is_ok();
        let twice: Vec<_> = own.filter(|id| taken(&id.value) || !seen.insert(&id.value)).collect();
        for id in twice {
            self.say(
                Severity::Error,
                id.at,
                format!("the rule id `{}` is taken", id.value),
                "rule ids are unique over a policy, its regimes and the built-in rules",
            );
        }
    }

    fn residency(&mut self) {
        let open = self.file.residency.iter().position(|rule| rule.when.origin.is_none() && rule.when.purpose.is_none());
        if let Some(shadowed) = open.and_then(|position| self.file.residency.get(position + 1)) {
            self.say(
                Severity::Warning,
                shadowed.id.at,
                format!("residency rule `{}` can never match", shadowed.id.value),
                "a rule without `when:` before it matches every record",
            );
        }
        if self.file.residency.is_empty() {
            self.say(
                Severity::Warning,
                self.file.policy.at,
                "no residency rule: every request with personal data is refused".into(),
                "say under `residency:` where data lives",
            );
        }
    }

    /// None of the documents' exemptions speaks of leaving the country.
    fn exemptions(&mut self) {
        for (kind, entry) in self.file.exemptions.iter().filter(|(_, entry)| entry.value.cross_border) {
            let message = format!("exemption `{kind}` opens a border in this policy");
            self.say(Severity::Warning, entry.at, message, "the law's own rows still apply; leave `cross_border` out unless the document says so");
        }
    }

    fn areas(&mut self, world: &World, regimes: &[Regime]) {
        for (region, jurisdiction) in &self.file.regions {
            if !regimes.iter().any(|regime| regime.members.contains(jurisdiction)) && world.place(jurisdiction.as_str()).is_ok() {
                let message = format!(
                    "no regime of this policy governs `{jurisdiction}` (region `{region}`): its people's data may stay and go home, and crosses nowhere else"
                );
                self.say(Severity::Note, self.file.policy.at, message, "list a regime of that area under `regimes:`");
            }
        }
    }

    fn deidentify(&mut self, rule: &RawRule) {
        let forms = |c: &RawCondition| c.form.is_some();
        let by_form = rule.unless.0.iter().any(forms);
        if rule.otherwise == Some(Otherwise::Deidentify) && !by_form {
            let message = format!("`otherwise: deidentify` does not help rule `{}`", rule.id.value);
            self.say(Severity::Warning, rule.id.at, message, "only a rule with `unless: {form: ...}` is satisfied by de-identified data");
        }
        if by_form && rule.require.value.consent.is_some() && !rule.acknowledged {
            let message = format!("rule `{}` takes de-identified data instead of consent", rule.id.value);
            let help = "de-identified data stays personal data (PIPL 73, GDPR 4(5)): the law's own rows still run; write `acknowledged: true` if that is meant";
            self.say(Severity::Warning, rule.id.at, message, help);
        }
    }

    /// An exception that asks for nothing but what the rule itself asks for.
    fn never(&mut self, rule: &RawRule) {
        let asked = &rule.when.value.data;
        let lifted = rule.unless.0.iter().any(|unless| {
            word(&unless.data).is_some() && word(&unless.data) == word(asked) && RawCondition { data: None, ..unless.clone() } == RawCondition::default()
        });
        if lifted {
            let message = format!("rule `{}` can never match: its `unless:` excludes what its `when:` asks for", rule.id.value);
            self.say(Severity::Warning, rule.id.at, message, "narrow the exception");
        }
    }
}

/// The word of a predicate that is one word.
fn word(raw: &Option<Raw>) -> Option<&str> {
    match raw.as_ref().map(|raw| &raw.value) {
        Some(RawMatch::Word(word)) => Some(word),
        _ => None,
    }
}

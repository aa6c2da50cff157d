//! Why a decision is what it is, as a tree for people, in English or Chinese.

use super::{Builtin, Policy, Rule, Titles};
use crate::model::decision::{CategoryVerdict, Decision, Missing, RecordPlan};
use crate::model::{Facts, RuleId};
use std::fmt::{self, Display, Write};

/// The language of titles and headings; ids are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    fn of(self, titles: &Titles) -> &str {
        match self {
            Language::Chinese => titles.zh.as_deref().unwrap_or(&titles.en),
            Language::English => &titles.en,
        }
    }

    fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }
}

/// The tree of facts, rules and missing items behind `decision`.
pub fn tree(facts: &Facts, decision: &Decision, policy: &Policy, language: Language) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = Tree { facts, decision, policy, language }.write(&mut text);
    text
}

struct Tree<'a> {
    facts: &'a Facts,
    decision: &'a Decision,
    policy: &'a Policy,
    language: Language,
}

impl Tree<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let (decision, say) = (self.decision, |en, zh| self.language.pick(en, zh));
        let destination = decision.destination.as_ref().map(|region| format!(" -> {region}")).unwrap_or_default();
        writeln!(out, "{}: {}{destination}", decision.outcome, decision.action)?;
        self.message(out)?;
        for (index, record) in decision.records.iter().enumerate() {
            let subject = record.subject.as_ref().map_or_else(|| say("unresolved person", "未识别的个人").to_owned(), ToString::to_string);
            writeln!(out, "├─ {} {index}: {subject}, {}", say("record", "记录"), record.outcome)?;
            if let Some(fact) = self.facts.records.get(index) {
                let home = record.home.as_ref().map_or_else(|| say("none", "无").to_owned(), ToString::to_string);
                writeln!(
                    out,
                    "│  ├─ {}: {}; {}: {home}; {}: {}",
                    say("law of", "适用法域"),
                    list(&fact.jurisdictions),
                    say("home", "归属地"),
                    say("age", "年龄"),
                    fact.age_band
                )?;
            }
            for (category, verdict) in &record.categories {
                self.category(out, category, verdict)?;
            }
            if let Some(plan) = decision.plan.get(&index) {
                writeln!(out, "│  └─ {}: {}", say("edit", "改写"), edit(plan))?;
            }
        }
        self.findings(out)?;
        writeln!(out, "└─ {} {} {} ({})", say("policy", "政策"), decision.policy.id, decision.policy.version, decision.policy.digest)
    }

    fn message(&self, out: &mut String) -> fmt::Result {
        let (facts, say) = (self.facts, |en, zh| self.language.pick(en, zh));
        let unknown = || say("unknown", "未知").to_owned();
        let node = facts.node.as_ref().map_or_else(unknown, |site| format!("{} ({})", site.region, site.jurisdiction.map_or_else(unknown, |j| j.to_string())));
        let recipient = facts.recipient.as_ref().map_or_else(|| say("none registered", "无登记接收方").to_owned(), ToString::to_string);
        writeln!(out, "├─ {} {}; {}: {node}; {}: {recipient}", facts.direction, facts.purpose, say("node", "节点"), say("recipient", "接收方"))?;
        for rule in &self.decision.rules {
            writeln!(out, "│  ├─ {}", self.rule(rule))?;
        }
        Ok(())
    }

    fn category(&self, out: &mut String, category: impl Display, verdict: &CategoryVerdict) -> fmt::Result {
        writeln!(out, "│  ├─ {category}: {}", verdict.outcome)?;
        for rule in &verdict.rules {
            writeln!(out, "│  │  ├─ {}", self.rule(rule))?;
        }
        Ok(())
    }

    fn findings(&self, out: &mut String) -> fmt::Result {
        let (decision, say) = (self.decision, |en, zh| self.language.pick(en, zh));
        for (one, other) in &decision.conflicts {
            writeln!(out, "├─ {}: {} / {}", say("conflict", "冲突"), self.rule(one), self.rule(other))?;
        }
        for missing in &decision.missing {
            writeln!(out, "├─ {}: {}", say("missing", "缺少"), lacking(missing))?;
        }
        if !decision.bases.is_empty() {
            writeln!(out, "├─ {}: {}", say("leans on", "依据"), list(&decision.bases))?;
        }
        if !decision.obligations.is_empty() {
            writeln!(out, "├─ {}: {}", say("obligations", "义务"), list(&decision.obligations))?;
        }
        Ok(())
    }

    /// Id, title and citation of a rule.
    fn rule(&self, id: &RuleId) -> String {
        let Some(rule) = self.policy.all_rules().find(|rule| rule.id == *id) else {
            let built_in = id.as_str().parse::<Builtin>().map(|rule| self.built_in(rule));
            return built_in.map_or_else(|_| id.to_string(), |title| format!("{id}: {title}"));
        };
        let title = self.language.of(&rule.title);
        let titled = if title.is_empty() { id.to_string() } else { format!("{id}: {title}") };
        let cited = citation(rule);
        if cited.is_empty() { titled } else { format!("{titled} [{cited}]") }
    }

    fn built_in(&self, rule: Builtin) -> &'static str {
        let (english, chinese) = match rule {
            Builtin::Home => ("the record is carried to its home", "数据送回归属地"),
            Builtin::Returns => ("the record comes back to a caller of its own area", "数据返回本法域的调用方"),
            Builtin::Stays => ("nothing crosses a border or reaches another party", "数据未出境且未提供给他人"),
            Builtin::NothingPersonal => ("nothing personal was found", "未发现个人信息"),
            Builtin::NoRegime => ("no listed regime governs this person's data", "没有适用的法规包"),
            Builtin::NoHome => ("no residency rule gives this record a home", "没有规则确定归属地"),
            Builtin::Conflict => ("no home is lawful", "没有合法的归属地"),
            Builtin::MixedHomes => ("records of different homes in one message", "同一消息含不同归属地的记录"),
            Builtin::NoBackend => ("the API has no backend where the message must go", "目的区域没有后端"),
            Builtin::SelfAccess => ("a person reads their own data", "本人访问自己的信息"),
            Builtin::Opaque => ("part of the message could not be read", "消息中有无法读取的部分"),
            Builtin::Unavailable => ("the registry or the ledger is down", "登记库或账本不可用"),
            Builtin::UnknownRecipient => ("the recipient is not registered", "接收方未登记"),
            Builtin::UnknownAccess => ("nobody said from where the recipient reads", "接收方的访问地未知"),
            Builtin::Arrival => ("the request arrived outside the person's area", "请求到达本人法域之外的节点"),
        };
        self.language.pick(english, chinese)
    }
}

fn citation(rule: &Rule) -> String {
    rule.cite.clause.iter().chain(&rule.cite.law).cloned().collect::<Vec<_>>().join("; ")
}

fn lacking(missing: &Missing) -> String {
    let mut parts = vec![missing.what.clone()];
    parts.extend(missing.class.map(|class| format!("class {class}")));
    let mut lists = |name: &str, values: String| parts.extend((!values.is_empty()).then(|| format!("{name} {values}")));
    lists("one of", missing.kinds.join(", "));
    lists("for", list(&missing.categories));
    lists("to", missing.recipient.iter().map(ToString::to_string).collect());
    lists("purpose", missing.purpose.iter().map(ToString::to_string).collect());
    lists("lacking", list(&missing.elements));
    lists("differs in", list(&missing.scope));
    parts.join("; ")
}

fn edit(plan: &RecordPlan) -> String {
    match plan {
        RecordPlan::Remove => "remove".to_owned(),
        RecordPlan::Fields { techniques } => techniques.iter().map(|(category, technique)| format!("{category} {technique}")).collect::<Vec<_>>().join(", "),
    }
}

fn list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{POLICY, library, request};
    use super::*;

    fn shown(language: Language) -> String {
        let library = library(&[POLICY]);
        let policy = &library.versions(&"shop".parse().unwrap())[0];
        let asked = request(
            "node: cn-north\nrecipient: helper\naddressed: sg\nrecords: [{subject: A, jurisdictions: [CN], age_band: adult, categories: {email_address: clear}}]",
        );
        let situation = asked.situation(policy, library.places(), "2026-11-23T09:00:00Z".parse().unwrap()).unwrap();
        let decision = situation.decide(policy, library.places());
        tree(&situation.facts, &decision, policy, language)
    }

    #[test]
    fn the_tree_names_outcome_rules_with_their_articles_and_everything_missing() {
        let text = shown(Language::English);
        for part in [
            "hold: forward_home -> cn-north",
            "CN-14: An impact assessment must stand before the export [PIPL 55, 56]",
            "record 0: A",
            "home: cn-north",
            "missing: instrument",
            "lacking recipient_name",
            "policy shop 1 (sha256:",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn the_same_tree_speaks_chinese() {
        let text = shown(Language::Chinese);
        assert!(text.contains("CN-14: 出境前应进行个人信息保护影响评估") && text.contains("缺少: instrument"), "{text}");
    }

    #[test]
    fn every_row_of_the_built_in_regimes_has_a_title_in_both_languages_and_a_citation() {
        let library = library(&[POLICY]);
        for rule in library.versions(&"shop".parse().unwrap())[0].all_rules() {
            assert!(!rule.title.en.is_empty() && rule.title.zh.is_some() && rule.cite.law.is_some(), "{}", rule.id);
        }
    }
}

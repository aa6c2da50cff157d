//! Precision and recall of detection on the labelled bodies of `set.jsonl`, per category, with a gate.
//!
//! `generate.py` writes the set from a fixed seed and knows nothing of the detectors. `make accuracy` prints the table.

use domicile::detect;
use domicile::model::Category::{self, *};
use domicile::payload::{self, Limits, Part};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Values that a validator judges; every other category is told by its name.
const BY_VALUE: &[Category] =
    &[NationalIdNumber, PassportPermitNumber, PhoneNumber, EmailAddress, PaymentCard, HardwareId, MacAddress, IpAddress, PreciseLocation, CoarseLocation];
/// Least precision and recall where a validator judges, and where a name does.
const GATE_BY_VALUE: f64 = 0.98;
const GATE_BY_KEY: f64 = 0.95;
/// Most bodies without personal data in which something may be found, as a share.
const GATE_NEGATIVES: f64 = 0.01;

#[derive(Deserialize)]
struct Entry {
    id: String,
    lang: String,
    content_type: String,
    body: String,
    expect: Vec<Label>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    category: Category,
    at: String,
}

/// Labels found, labels missed, findings without a label.
#[derive(Clone, Copy, Default)]
pub struct Count {
    hit: usize,
    missed: usize,
    wrong: usize,
}

impl Count {
    fn share(part: usize, all: usize) -> f64 {
        if all == 0 { 1.0 } else { part as f64 / all as f64 }
    }

    fn precision(&self) -> f64 {
        Count::share(self.hit, self.hit + self.wrong)
    }

    fn recall(&self) -> f64 {
        Count::share(self.hit, self.hit + self.missed)
    }
}

/// The counts of every category and language, and each mistake for a person to look at.
#[derive(Default)]
pub struct Report {
    counts: BTreeMap<Category, BTreeMap<String, Count>>,
    bodies: usize,
    negatives: usize,
    flagged: usize,
    mistakes: Vec<String>,
}

impl Report {
    fn total(&self, category: Category) -> Count {
        let all = self.counts.get(&category).into_iter().flat_map(BTreeMap::values);
        all.fold(Count::default(), |a, b| Count { hit: a.hit + b.hit, missed: a.missed + b.missed, wrong: a.wrong + b.wrong })
    }

    /// What is under the gate.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for category in self.counts.keys() {
            let (count, gate) = (self.total(*category), if BY_VALUE.contains(category) { GATE_BY_VALUE } else { GATE_BY_KEY });
            if count.precision() < gate || count.recall() < gate {
                failures.push(format!("{category}: precision {:.3}, recall {:.3}, both must reach {gate}", count.precision(), count.recall()));
            }
        }
        if Count::share(self.flagged, self.negatives) > GATE_NEGATIVES {
            failures.push(format!("{} of {} bodies without personal data were flagged", self.flagged, self.negatives));
        }
        failures
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<36} {:>6} {:>9} {:>7} {:>8} {:>8}", "category", "labels", "precision", "recall", "F1 zh", "F1 en")?;
        for (category, languages) in &self.counts {
            let all = self.total(*category);
            let f1 = |lang: &str| languages.get(lang).map_or("-".to_string(), |c| format!("{:.3}", Count::share(2 * c.hit, 2 * c.hit + c.missed + c.wrong)));
            writeln!(f, "{category:<36} {:>6} {:>9.3} {:>7.3} {:>8} {:>8}", all.hit + all.missed, all.precision(), all.recall(), f1("zh"), f1("en"))?;
        }
        writeln!(f, "{} bodies; {} of {} without personal data flagged", self.bodies, self.flagged, self.negatives)?;
        self.mistakes.iter().try_for_each(|m| writeln!(f, "{m}"))
    }
}

/// Scans every body of the set.
pub fn report() -> Report {
    let mut report = Report::default();
    for line in include_str!("set.jsonl").lines() {
        let entry: Entry = serde_json::from_str(line).expect("the set is JSON lines");
        let (_, document) = payload::read(Some(&entry.content_type), entry.body.as_bytes(), &Limits::default()).expect("every body of the set can be read");
        let found: BTreeSet<Label> = detect::scan(&document, &Part::Body).into_iter().map(|f| Label { category: f.category, at: f.at }).collect();
        let expected: BTreeSet<Label> = entry.expect.into_iter().collect();
        report.bodies += 1;
        report.negatives += usize::from(expected.is_empty());
        report.flagged += usize::from(expected.is_empty() && !found.is_empty());
        let mut add = |label: &Label, what: fn(&mut Count)| what(report.counts.entry(label.category).or_default().entry(entry.lang.clone()).or_default());
        expected.intersection(&found).for_each(|l| add(l, |c| c.hit += 1));
        expected.difference(&found).for_each(|l| add(l, |c| c.missed += 1));
        found.difference(&expected).for_each(|l| add(l, |c| c.wrong += 1));
        report.mistakes.extend(expected.difference(&found).map(|l| format!("{} missed {} at `{}`", entry.id, l.category, l.at)));
        report.mistakes.extend(found.difference(&expected).map(|l| format!("{} wrong {} at `{}`", entry.id, l.category, l.at)));
    }
    report
}

#[test]
fn accuracy() {
    let report = report();
    println!("{report}");
    assert!(report.bodies >= 300 && report.negatives * 5 >= report.bodies, "the set has shrunk");
    assert!(report.failures().is_empty(), "under the gate: {:#?}", report.failures());
}

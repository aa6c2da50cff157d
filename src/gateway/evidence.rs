//! Step 10: what must be durable before a byte crosses, and what is written without waiting.

use super::exchange::{Exchange, Way, unconfigured};
use super::reply::Refusal;
use crate::ledger::{Detected, Entry, Event};
use crate::model::{Decision, Direction, EntryId, Facts};
use crate::screen::{Cleared, Inspected, Sealed};
use std::time::Instant;

impl Exchange {
    /// Step 10: durable in the ledger, or staying at home.
    pub(super) async fn seal(&self, cleared: Cleared, event: Option<Event>, direction: Direction) -> Result<Sealed, Refusal> {
        if cleared.needs_no_receipt() {
            return cleared.at_home().ok_or(unconfigured());
        }
        let entry = event.and_then(|event| self.entry(direction, event)).ok_or(unconfigured())?;
        let began = Instant::now();
        let receipt = self.gateway.ledger.append(entry).await.map_err(|_| {
            self.gateway.metrics.blocked.with_label_values(&["ledger_unavailable"]).inc();
            Refusal::StoreDown("ledger_unavailable")
        })?;
        self.gateway.metrics.ledger_append.observe(began.elapsed().as_secs_f64());
        self.count_transfer(&cleared);
        cleared.seal(&receipt, &self.entry_id(direction).ok_or(unconfigured())?).ok_or(unconfigured())
    }

    fn entry_id(&self, direction: Direction) -> Option<EntryId> {
        format!("{}/{direction}", self.id).parse().ok()
    }

    fn entry(&self, direction: Direction, event: Event) -> Option<Entry> {
        let node = &self.snapshot.config.node;
        Some(Entry { time: self.gateway.now(), id: self.entry_id(direction)?, node: node.id.clone(), region: node.region.clone(), event })
    }

    /// Written without waiting.
    pub(super) fn note(&self, direction: Direction, event: &Event) {
        if let Some(entry) = self.entry(direction, event.clone()) {
            self.gateway.ledger.append_later(entry);
        }
    }

    fn count_transfer(&self, cleared: &Cleared) {
        let decision = cleared.decision();
        let to = decision.destination.as_ref().map_or("caller", |r| r.as_str());
        let basis = if decision.bases.is_empty() { "none" } else { "on_record" };
        for record in &decision.records {
            for (category, verdict) in &record.categories {
                self.gateway
                    .metrics
                    .transfers
                    .with_label_values(&[self.snapshot.config.node.region.as_str(), to, category.id(), basis, verdict.outcome.id()])
                    .inc();
            }
        }
        for (category, method) in cleared.edited_fields() {
            self.gateway.metrics.deidentified_fields.with_label_values(&[category.id(), method.id()]).inc();
        }
    }
}

/// The ledger's event of a decision: facts, never values.
pub(super) fn decided(way: Way<'_>, facts: &Facts, decision: &Decision, inspected: &Inspected, bytes: usize) -> Event {
    Event::Decision {
        api: way.api.id.clone(),
        direction: way.direction,
        facts: Box::new(facts.clone()),
        decision: Box::new(decision.clone()),
        detectors: inspected.findings.iter().map(|f| Detected::new(f.category, f.detector, f.confidence)).collect(),
        bytes: bytes as u64,
    }
}

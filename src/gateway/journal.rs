//! Carries what changed in the registry, by whichever process, into the ledger.

use super::Gateway;
use super::run::Beside;
use crate::ledger::{Entry, Event};
use crate::snapshot::Fixed;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// How often the registry is asked; its changes are durable there already, so this only delays their copy.
const PERIOD: Duration = Duration::from_millis(500);
/// Changes carried at once.
const BATCH: usize = 256;

/// The task.
pub struct Journalling;

#[async_trait]
impl Beside for Journalling {
    async fn run(&self, gateway: Arc<Gateway>, fixed: Fixed) {
        let node = &fixed.config.node;
        loop {
            gateway.metrics.ledger_healthy.set(i64::from(gateway.ledger.healthy()));
            gateway.metrics.registry_healthy.set(i64::from(gateway.registry.healthy()));
            for change in gateway.registry.unjournalled(BATCH).await.unwrap_or_default() {
                let (Ok(id), Ok(value)) = (format!("registry/{}", change.event).parse(), serde_json::to_value(&change)) else { continue };
                let entry = Entry { time: change.time, id, node: node.id.clone(), region: node.region.clone(), event: Event::Registry { change: value } };
                if gateway.ledger.append(entry).await.is_err() || gateway.registry.mark_journalled(change.event).await.is_err() {
                    break; // at least once, in order: the next round begins with this one
                }
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

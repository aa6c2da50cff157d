//! What ties the ledger to the registry: how far the journal reached when it was last looked at.

use serde::{Deserialize, Serialize};

/// The last entry of a journal that is known to be durable. Kept in the registry too, so that a shortened journal is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Number of the entry, from 1.
    pub seq: u64,
    /// `sha256:<hex>` of the entry.
    pub hash: String,
}

/// A place outside the journal that remembers its head. Calls block, and may fail with a text for the operator.
pub trait Anchor: Send + Sync {
    /// Remembers `head`, which is durable in the journal, instead of the one before.
    fn keep(&self, head: &Head) -> Result<(), String>;
    /// The head that was last remembered.
    fn last(&self) -> Result<Option<Head>, String>;
}

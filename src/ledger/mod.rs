//! Proof of every decision: an append-only, hash-chained journal, synced before a byte crosses.

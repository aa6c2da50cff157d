//! All integration tests, in one binary.

#[path = "../accuracy/mod.rs"]
mod accuracy;

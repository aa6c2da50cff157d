//! Domicile keeps personal data at home.

pub mod admin;
pub mod cli;
pub mod config;
pub mod deidentify;
pub mod detect;
pub mod gateway;
pub mod ledger;
pub mod metrics;
pub mod model;
pub mod origin;
pub mod payload;
pub mod policy;
pub mod registry;
pub mod screen;
pub mod snapshot;

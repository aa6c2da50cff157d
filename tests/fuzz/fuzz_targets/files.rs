//! Any text as a policy, a configuration, or a line of the ledger: an answer, never a panic.
#![no_main]

use domicile::config::Config;
use domicile::ledger::entry;
use domicile::policy::{Library, Source};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let _ = Library::compile(&[Source { name: "fuzz.yaml", text }]);
    let _ = Config::parse(text, Path::new("domicile.yaml"));
    let _ = entry::follow(text.as_bytes(), &entry::genesis());
});

//! Any bytes under any type: reading, scanning and splicing never panic, and nothing edited is nothing changed.
#![no_main]

use domicile::detect;
use domicile::payload::{self, Limits, Part};
use libfuzzer_sys::fuzz_target;

const TYPES: [Option<&str>; 5] = [Some("application/json"), Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("application/octet-stream"), None];

fuzz_target!(|input: (u8, &[u8])| {
    let (pick, body) = input;
    let content_type = TYPES[usize::from(pick) % TYPES.len()];
    let Ok((format, document)) = payload::read(content_type, body, &Limits::default()) else { return };
    for finding in detect::scan(&document, &Part::Body) {
        assert!(finding.span.start <= finding.span.end && finding.span.end <= body.len());
        assert!((0.0..=1.0).contains(&finding.confidence));
    }
    assert_eq!(format.splice(body, &[]), body);
});

//! Any text in any part of a head: reading and scanning never panic, spans stay inside, and nothing edited is nothing changed.
#![no_main]

use domicile::detect;
use domicile::payload::{Limits, Part, head};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (pick, text) = input;
    let parts = [
        Part::Query,
        Part::Path,
        Part::Cookie,
        Part::Header("set-cookie".into(), 0),
        Part::Header("location".into(), 0),
        Part::Header("content-disposition".into(), 0),
        Part::Header("x-anything".into(), 0),
    ];
    let part = &parts[usize::from(pick) % parts.len()];
    let Some(format) = head::format(part) else { return };
    let Ok(document) = format.parse(text, &Limits::default()) else { return };
    for finding in detect::scan(&document, part) {
        assert!(finding.span.start <= finding.span.end && finding.span.end <= text.len());
    }
    assert_eq!(format.splice(text, &[]), text);
});

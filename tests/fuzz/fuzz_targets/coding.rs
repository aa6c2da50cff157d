//! Any bytes under any content coding: decoding never panics and never grows beyond its limits.
#![no_main]

use domicile::payload::{Limits, coding};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (pick, bytes) = input;
    let codings = [None, Some("gzip"), Some("deflate"), Some("identity"), Some("br"), Some("gzip, gzip")];
    let limits = Limits { bytes: 1 << 16, ..Limits::default() };
    if let Ok(decoded) = coding::decode(codings[usize::from(pick) % codings.len()], bytes, &limits) {
        assert!(decoded.len() <= limits.bytes.max(bytes.len()));
    }
});

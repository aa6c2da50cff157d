//! The shape of the source: short files and functions, a core without IO, dependencies that point one way.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file before its tests, and longest function, in lines: what one can keep in mind, and on a screen.
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// Modules that do no IO, read no clock, log nothing, and know neither runtime nor randomness.
const PURE: &[&str] = &["model", "origin", "payload", "detect", "deidentify", "policy", "screen"];

/// What a pure module may not name outside its tests.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net::Tcp",
    "std::thread",
    "std::time::Instant",
    "SystemTime",
    "Timestamp::now",
    "rand::",
    "tracing",
    "println!",
    "std::env",
    "hyper",
    "pingora",
    "rusqlite",
];

/// Which modules a module may name (`crate::x`); those not listed may name all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &["model"]),
    ("payload", &["model", "payload"]),
    ("detect", &["model", "payload", "detect", "deidentify"]),
    ("deidentify", &["model", "deidentify"]),
    ("origin", &["model", "origin"]),
    ("policy", &["model", "policy"]),
    ("registry", &["model", "registry"]),
    ("ledger", &["model", "ledger"]),
    ("screen", &["model", "origin", "payload", "detect", "deidentify", "policy", "screen", "registry", "ledger"]),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50, "the sources were found");
    found
}

/// The code of a file before its tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]")).map(|(i, line)| (i + 1, line))
}

/// The first folder or file under `src`.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_file_and_no_function_is_longer_than_one_can_keep_in_mind() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let lines = code(&text).count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{}: {lines} lines", path.display()));
        }
        let mut open: Option<(usize, usize)> = None;
        for (number, line) in code(&text) {
            let indent = line.len() - line.trim_start().len();
            let begins = line.trim_start().split(' ').any(|word| word == "fn") && !line.trim_start().starts_with("//") && line.contains('(');
            if begins && !line.ends_with(';') && !line.ends_with('}') {
                open = Some((number, indent));
            } else if let Some((start, depth)) = open.filter(|(_, depth)| indent == *depth && line.trim_start().starts_with('}')) {
                let _ = depth;
                if number - start > FUNCTION_LINES_MAX {
                    faults.push(format!("{}:{start}: a function of {} lines", path.display(), number - start + 1));
                }
                open = None;
            }
        }
    }
    report(faults);
}

#[test]
fn the_pure_core_names_no_io_no_clock_no_log_and_no_chance() {
    let mut faults = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| PURE.contains(&module(path).as_str())) {
        for (number, line) in code(&text).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            faults.extend(IMPURE.iter().filter(|name| line.contains(*name)).map(|name| format!("{}:{number}: names `{name}`", path.display())));
        }
    }
    report(faults);
}

#[test]
fn dependencies_point_one_way() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let module = module(&path);
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else { continue };
        for (number, line) in code(&text).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if !name.is_empty() && !name.contains("model") && !allowed.contains(&name.as_str()) {
                    faults.push(format!("{}:{number}: `{module}` names `{name}`", path.display()));
                }
            }
        }
    }
    report(faults);
}

#[test]
fn only_the_gateway_names_pingora_and_hyper() {
    let foreign = |line: &str| ["pingora_core::", "pingora_load_balancing::", "hyper::", "hyper_util::"].iter().any(|name| line.contains(name));
    let faults = sources()
        .into_iter()
        .filter(|(path, _)| module(path) != "gateway")
        .flat_map(|(path, text)| code(&text).filter(|(_, line)| foreign(line)).map(|(number, _)| format!("{}:{number}", path.display())).collect::<Vec<_>>())
        .collect();
    report(faults);
}

#[test]
fn every_file_says_what_it_is_for_in_its_first_line() {
    report(sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path.display().to_string()).collect());
}

//! The demo as a newcomer runs it, and what it leaves behind.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Fewest rows: every app, every kind of outcome, both directions.
const ROWS_MIN: usize = 24;

fn domicile(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_domicile")).args(arguments).output().unwrap()
}

/// The program under way; it ends with this.
struct Running(Child);

impl Running {
    /// With its temporary files in `temporary`.
    fn start(arguments: &[&str], temporary: &Path) -> Running {
        Running(
            Command::new(env!("CARGO_BIN_EXE_domicile")).args(arguments).env("TMPDIR", temporary).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap(),
        )
    }

    /// What it prints up to a line with `word`; none if it ends before.
    fn lines_until(&mut self, word: &str) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        for line in BufReader::new(self.0.stdout.as_mut()?).lines().map_while(Result::ok) {
            let found = line.contains(word);
            lines.push(line);
            if found {
                return Some(lines);
            }
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_row_holds_and_what_is_left_can_be_checked_and_run() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let output = domicile(&["demo", "--exit", "--format", "json", "--dir", text(&demo)]);
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let failed: Vec<&Value> = rows.iter().filter(|row| row["held"] != true).collect();
    assert!(failed.is_empty() && rows.len() >= ROWS_MIN, "{} rows, failed: {failed:#?}", rows.len());
    assert!(output.status.success());

    let report: Vec<Value> = serde_json::from_slice(&std::fs::read(demo.join("report.json")).unwrap()).unwrap();
    assert_eq!(report, rows);
    for node in ["cn-1", "eu-1"] {
        let verified = domicile(&["ledger", "verify", text(&demo.join(node).join("data/ledger"))]);
        assert!(verified.status.success(), "{node}: {}", String::from_utf8_lossy(&verified.stdout));
        let mut again = Running::start(&["run", "--config", text(&demo.join(node).join("domicile.yaml"))], dir.path());
        assert!(again.lines_until("\"ready\"").is_some(), "{node} starts on what is left");
    }
    // Whatever crossed or was refused by policy is in its node's ledger; what stayed is not.
    let ledgers = ["cn-1", "eu-1"].map(|node| (node, journal(&demo.join(node).join("data/ledger"))));
    for row in &rows {
        let (_, ledger) = ledgers.iter().find(|(node, _)| row["node"] == *node).unwrap();
        let stays = row["rules"].as_array().unwrap().contains(&"stays".into());
        let undecided = row["verdict"] == "refused";
        assert_eq!(!ledger.contains(row["decision_id"].as_str().unwrap()), stays || undecided, "{row:#}");
    }
}

fn journal(folder: &Path) -> String {
    let mut lines = String::new();
    for segment in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "jsonl")) {
        lines += &std::fs::read_to_string(segment).unwrap();
    }
    lines
}

#[test]
fn a_demo_that_is_told_to_stop_takes_its_nodes_and_its_folder_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let left = || std::fs::read_dir(dir.path()).unwrap().count();
    let mut demo = Running::start(&["demo"], dir.path());
    let printed = demo.lines_until("Ctrl-C").expect("it stays up");
    let asks: Vec<&String> = printed.iter().filter(|line| line.contains("curl")).collect();
    let (_, address) = asks.last().unwrap().split_once("http://").unwrap();
    let (address, _) = address.split_once('/').unwrap();
    assert!(std::net::TcpStream::connect(address).is_ok(), "the admin listener is up");
    assert_eq!(left(), 1);
    let told = Command::new("sh").args(["-c", "kill -TERM $0", &demo.0.id().to_string()]).status().unwrap();
    assert!(told.success());
    let until = Instant::now() + Duration::from_secs(20);
    while demo.0.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(std::net::TcpStream::connect(address).is_err(), "its node is gone");
    assert_eq!(left(), 0, "and so is its folder");
}

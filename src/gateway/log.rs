//! Logs: one JSON object a line, no payload value, no query, no address of a person. Written by a thread of its own.

use serde_json::{Value, json};
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait: some tens of megabytes; beyond it lines are dropped and counted rather than slowing an exchange.
const LINES_WAITING_MAX: usize = 64 << 10;

/// How long lines gather before they are written: a writer that slept until each line came would be woken, at the cost of a tenth of an
/// exchange, by each.
const GATHERING: Duration = Duration::from_millis(5);

/// What exchanges are called in the log.
pub const EXCHANGE: &str = "exchange";

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    lines: SyncSender<String>,
    /// Nothing about single exchanges is written.
    quiet: bool,
}

impl Log {
    /// Writes to standard output.
    pub fn start(quiet: bool) -> Self {
        let (lines, receiver) = sync_channel(LINES_WAITING_MAX);
        std::thread::spawn(move || write_lines(&receiver));
        Log { lines, quiet }
    }

    /// One line. `fields` must hold ids, counts and closed words only; asked for only if somebody reads them.
    pub fn line(&self, event: &str, fields: impl FnOnce() -> Value) {
        if self.quiet && event == EXCHANGE {
            return;
        }
        let mut fields = fields();
        if let Value::Object(members) = &mut fields {
            members.insert("time".into(), json!(jiff::Timestamp::now().to_string()));
            members.insert("event".into(), json!(event));
        }
        let _ = self.lines.try_send(fields.to_string()); // a full queue drops the line: a log never stops an exchange
    }
}

fn write_lines(receiver: &Receiver<String>) {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    while let Ok(line) = receiver.recv() {
        let mut batch = writeln!(out, "{line}").and_then(|()| out.flush());
        std::thread::sleep(GATHERING);
        for line in receiver.try_iter().take(1024) {
            batch = batch.and_then(|()| writeln!(out, "{line}"));
        }
        if batch.and_then(|()| out.flush()).is_err() {
            return; // nobody reads: the pipe is closed
        }
    }
}

/// Makes a panic print where it happened and nothing else: its message may quote the input.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
        eprintln!("{}", json!({"event": "panic", "at": place}));
    }));
}

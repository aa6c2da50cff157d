//! `domicile consent`: what people agreed to, and took back.

use super::place::{Failure, Place, ended, input, print};
use super::{Exit, Format};
use crate::registry::{Ending, Order, PAGE_RECORDS_MAX, Page, Record, RecordKind, Store};
use jiff::Timestamp;
use serde::Serialize;

/// Record, withdraw and show consents.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Keep a consent record; `subject` may be {"namespace":…,"id":…}. One that lacks what its class needs is kept and opens nothing
    Add(Place),
    /// Withdraw a consent: {"id":"…"}. Answers when no node can act on it any more
    Withdraw(Place),
    /// Show a consent and its history: {"id":"…"}
    Show(Place),
    /// Keep many consents, one JSON record a line
    Import(Place),
    /// Print every consent, one JSON record a line
    Export(Place),
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    ended(match &arguments.action {
        Action::Add(place) => place.write(format, Order::consent),
        Action::Withdraw(place) => place.write(format, |json| Order::end(Ending::Consent, json)),
        Action::Show(place) => place.show(format, RecordKind::Consent),
        Action::Import(place) => import(place, format),
        Action::Export(place) => place.open().and_then(|store| export(&store)),
    })
}

/// Records of one transaction: large enough to share its sync, short enough for a node to write in between.
const BATCH: usize = 500;

#[derive(Debug, Default, Serialize)]
struct Imported {
    added: usize,
    /// Lines that were already on record.
    repeated: usize,
    /// Records among them that open nothing.
    insufficient: usize,
    rejected: Vec<Rejected>,
}

#[derive(Debug, Serialize)]
struct Rejected {
    /// From 1.
    line: usize,
    error: String,
}

fn import(place: &Place, format: Format) -> Result<Exit, Failure> {
    let bytes = input()?;
    let mut store = place.open()?;
    let mut report = Imported::default();
    let lines: Vec<(usize, &[u8])> = bytes.split(|b| *b == b'\n').enumerate().map(|(i, l)| (i + 1, l.trim_ascii())).filter(|(_, l)| !l.is_empty()).collect();
    for batch in lines.chunks(BATCH) {
        let (mut numbers, mut orders) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        for (line, json) in batch {
            match Order::consent(json) {
                Ok(order) => {
                    numbers.push(*line);
                    orders.push(order);
                }
                Err(error) => report.rejected.push(Rejected { line: *line, error: error.to_string() }),
            }
        }
        for (line, result) in numbers.into_iter().zip(store.write_all(&orders, Timestamp::now())?) {
            match result {
                Ok(written) => {
                    report.insufficient += usize::from(written.status.as_deref() == Some("insufficient"));
                    *(if written.repeated { &mut report.repeated } else { &mut report.added }) += 1;
                }
                Err(error) => report.rejected.push(Rejected { line, error: error.to_string() }),
            }
        }
    }
    report.rejected.sort_by_key(|r| r.line);
    print(format, &report, || {
        let rejected: String = report.rejected.iter().map(|r| format!("\nline {}: {}", r.line, r.error)).collect();
        format!("{} added, {} unchanged, {} insufficient, {} rejected{rejected}", report.added, report.repeated, report.insufficient, report.rejected.len())
    });
    Ok(if report.rejected.is_empty() { Exit::Good } else { Exit::Bad })
}

fn export(store: &Store) -> Result<Exit, Failure> {
    let mut page = Page { limit: PAGE_RECORDS_MAX, ..Page::default() };
    loop {
        let records = store.list(RecordKind::Consent, &page)?;
        for record in &records {
            print(Format::Json, record, String::new);
        }
        page.after = match records.last() {
            Some(Record::Consent(consent)) => Some(consent.id.clone()),
            _ => return Ok(Exit::Good),
        };
    }
}

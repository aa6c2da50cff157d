//! `domicile instrument`: contracts, approvals and filings between an exporter and a recipient.

use super::place::{Place, ended};
use super::{Exit, Format};
use crate::registry::{Ending, Order, RecordKind};

/// Record, end and show instruments.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Keep an instrument
    Add(Place),
    /// End an instrument: {"id":"…"}. Answers when no node can act on it any more
    End(Place),
    /// Show an instrument and its history: {"id":"…"}
    Show(Place),
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    ended(match &arguments.action {
        Action::Add(place) => place.write(format, Order::instrument),
        Action::End(place) => place.write(format, |json| Order::end(Ending::Instrument, json)),
        Action::Show(place) => place.show(format, RecordKind::Instrument),
    })
}

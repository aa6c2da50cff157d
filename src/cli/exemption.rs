//! `domicile exemption`: the register of necessity.

use super::place::{Place, ended};
use super::{Exit, Format};
use crate::registry::{Ending, Order, RecordKind};

/// Record, end and show exemptions.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Keep an exemption
    Add(Place),
    /// End an exemption: {"id":"…"}. Answers when no node can act on it any more
    End(Place),
    /// Show an exemption and its history: {"id":"…"}
    Show(Place),
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    ended(match &arguments.action {
        Action::Add(place) => place.write(format, Order::exemption),
        Action::End(place) => place.write(format, |json| Order::end(Ending::Exemption, json)),
        Action::Show(place) => place.show(format, RecordKind::Exemption),
    })
}

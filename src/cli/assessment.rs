//! `domicile assessment`: what was assessed before data may go, and with what result.

use super::place::{Place, ended};
use super::{Exit, Format};
use crate::registry::{Order, RecordKind};

/// Record and show assessments.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Keep an assessment
    Add(Place),
    /// Show an assessment and its history: {"id":"…"}
    Show(Place),
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    ended(match &arguments.action {
        Action::Add(place) => place.write(format, Order::assessment),
        Action::Show(place) => place.show(format, RecordKind::Assessment),
    })
}

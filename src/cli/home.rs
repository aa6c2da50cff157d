//! `domicile home`: the region in which a person chose to have their data live.

use super::place::{Failure, Place, ended, input, pretty, print};
use super::{Exit, Format};
use crate::registry::{Order, subject_of};
use serde_json::json;

/// Record or show the region chosen for a person.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Set a home: {"namespace":"account","id":"…","home":"eu-frankfurt","jurisdictions":["DE"],"age_band":"adult","aliases":[…]}
    Set(Place),
    /// Show a home and its history: {"namespace":"account","id":"…"}
    Show(Place),
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    ended(match &arguments.action {
        Action::Set(place) => place.write(format, Order::home),
        Action::Show(place) => show(place, format),
    })
}

fn show(place: &Place, format: Format) -> Result<Exit, Failure> {
    let key = subject_of(&input()?)?;
    let Some((row, history)) = place.open()?.show_subject(&key)? else {
        return Err(Failure(Exit::Bad, "this person is not on record".to_owned()));
    };
    let shown = json!({"subject": row.subject, "home": row.home, "jurisdictions": row.jurisdictions, "age_band": row.age_band, "history": history});
    print(format, &shown, || pretty(&shown));
    Ok(Exit::Good)
}

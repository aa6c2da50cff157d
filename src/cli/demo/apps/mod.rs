//! The rows, app by app. An app is a story: what it sends, what its policy promises, what is on record.

mod camera;
mod cloud;
mod reseller;
mod shop;
mod shop_statistics;
mod watch;

use super::stage::{Broken, Stage};

/// Plays every row. `Err` says that a row could not even be sent.
pub(super) fn play(stage: &mut Stage) -> Result<(), Broken> {
    cloud::play(stage)?;
    reseller::play(stage)?;
    watch::play(stage)?;
    camera::play(stage)?;
    shop::play(stage)?;
    shop_statistics::play(stage)
}

//! Keeps a flood of refusals from filling the disk: some a minute are written one by one, the rest are counted. Pure: time is an argument.

use super::entry::{Entry, Event};
use crate::model::{Action, ApiId, EntryId, NodeId, Region, RuleId};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Refusals of one (API, rule) in one minute.
#[derive(Debug)]
struct Tally {
    node: NodeId,
    region: Region,
    seen: u64,
}

/// Counts refusals per API, rule and minute.
#[derive(Debug)]
pub(super) struct Flood {
    whole_per_minute: u64,
    tallies: BTreeMap<(Timestamp, ApiId, RuleId), Tally>,
}

impl Flood {
    /// At most `whole_per_minute` refusals of one API and rule are written whole in one minute.
    pub(super) fn new(whole_per_minute: u64) -> Self {
        Flood { whole_per_minute, tallies: BTreeMap::new() }
    }

    /// Whether this entry is to be written whole. If not, it has been counted.
    pub(super) fn admits(&mut self, entry: &Entry) -> bool {
        let Some(tally) = self.tally(entry) else { return true };
        tally.seen = tally.seen.saturating_add(1);
        tally.seen <= self.whole_per_minute
    }

    /// Counts a refusal that was admitted but could not be written.
    pub(super) fn was_lost(&mut self, entry: &Entry) {
        let floor = self.whole_per_minute;
        if let Some(tally) = self.tally(entry) {
            // From here on this minute counts only: one figure cannot hold both kinds.
            tally.seen = tally.seen.max(floor).saturating_add(1);
        }
    }

    /// Entries for the minutes that ended before `now`, or for all of them; none for those that stayed under the rate.
    pub(super) fn ended(&mut self, now: Option<Timestamp>) -> Vec<Entry> {
        let current = now.map(minute_of);
        let mut entries = Vec::new();
        while let Some(first) = self.tallies.first_entry() {
            if current.is_some_and(|current| first.key().0 >= current) {
                break;
            }
            let ((minute, api, rule), tally) = first.remove_entry();
            let count = tally.seen.saturating_sub(self.whole_per_minute);
            let Ok(id) = format!("refusals/{}/{}", minute.as_second(), entries.len()).parse::<EntryId>() else { continue };
            if count > 0 {
                entries.push(Entry { time: minute, id, node: tally.node, region: tally.region, event: Event::Refusals { api, rule, minute, count } });
            }
        }
        entries
    }

    fn tally(&mut self, entry: &Entry) -> Option<&mut Tally> {
        let Event::Decision { api, decision, .. } = &entry.event else { return None };
        let rule = decision.rules.first().filter(|_| decision.action == Action::Refuse)?;
        let key = (minute_of(entry.time), api.clone(), rule.clone());
        Some(self.tallies.entry(key).or_insert_with(|| Tally { node: entry.node.clone(), region: entry.region.clone(), seen: 0 }))
    }
}

fn minute_of(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(time)
}

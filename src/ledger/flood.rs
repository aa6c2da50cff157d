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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::{allowed, entry};

    #[test]
    fn refusals_above_the_rate_are_counted_per_rule_and_minute() {
        let mut flood = Flood::new(3);
        let refusal = |rule, time| entry("x/request", time, "refuse", rule);
        let whole = (0..10).filter(|_| flood.admits(&refusal("a", "2026-11-23T09:00:10Z"))).count();
        assert_eq!(whole, 3);
        assert!(flood.admits(&refusal("b", "2026-11-23T09:00:10Z")), "another rule has its own count");
        assert!(flood.admits(&refusal("a", "2026-11-23T09:01:00Z")), "another minute has its own count");
        assert!(flood.ended(Some("2026-11-23T09:00:59Z".parse().unwrap())).is_empty(), "the minute has not ended");
        let ended = flood.ended(Some("2026-11-23T09:01:00Z".parse().unwrap()));
        assert_eq!(ended.len(), 1);
        let Event::Refusals { count, rule, minute, .. } = &ended[0].event else { panic!("{ended:?}") };
        assert_eq!((*count, rule.as_str(), minute.to_string().as_str()), (7, "a", "2026-11-23T09:00:00Z"));
        assert!(flood.ended(None).is_empty(), "what stayed under the rate needs no count");
    }

    #[test]
    fn a_transfer_is_never_only_counted() {
        let mut flood = Flood::new(0);
        assert!((0..5).all(|_| flood.admits(&allowed("x/request"))));
        assert!(flood.ended(None).is_empty());
    }
}

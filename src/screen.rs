//! The three pure steps of every message, either way: inspect, decide, apply.

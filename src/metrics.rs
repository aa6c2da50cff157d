//! Metrics: closed label sets, base units, one struct of handles passed in.

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

/// Bounds of request durations in seconds, as the OpenTelemetry HTTP convention has them.
const REQUEST_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Bounds of inspections in seconds: a body of 1 KiB takes microseconds, one of 1 MiB milliseconds.
const INSPECTION_SECONDS: &[f64] = &[1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5];
/// Bounds of ledger appends in seconds: one sync of a disk.
const APPEND_SECONDS: &[f64] = &[1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.5, 1.0];

/// Every metric of a node.
pub struct Metrics {
    registry: Registry,
    /// Requests by API, where the caller stands, where it went, the action and the class of the status.
    pub requests: IntCounterVec,
    /// Personal data that crossed, by category and basis.
    pub transfers: IntCounterVec,
    /// Refusals by reason.
    pub blocked: IntCounterVec,
    /// Messages that could not be read, by reason.
    pub opaque: IntCounterVec,
    /// Fields edited, by category and method.
    pub deidentified_fields: IntCounterVec,
    /// Rules in shadow mode that would have changed the outcome.
    pub shadow: IntCounterVec,
    pub inspection: HistogramVec,
    pub request: HistogramVec,
    pub upstream: HistogramVec,
    pub upstream_healthy: IntGaugeVec,
    pub lookup: HistogramVec,
    pub withdrawal_acknowledged: Histogram,
    pub ledger_append: Histogram,
    pub ledger_healthy: IntGauge,
    pub registry_healthy: IntGauge,
    pub reload_successful: IntGauge,
    pub reload_success_timestamp: Gauge,
    pub policy_info: GaugeVec,
    pub unreadable_heads: IntCounterVec,
    pub panics: IntCounterVec,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A fresh set, registered under the prefix `domicile_`.
    pub fn new() -> Self {
        let registry = Registry::new_custom(Some("domicile".into()), None).unwrap_or_default();
        let r = &registry;
        Metrics {
            requests: counter(
                r,
                "requests_total",
                "requests by what was decided on them",
                &["api", "source_region", "dest_region", "decision", "status_class"],
            ),
            transfers: counter(
                r,
                "transfers_total",
                "personal data that crossed a border or was to",
                &["source_region", "dest_region", "category", "basis", "outcome"],
            ),
            blocked: counter(r, "blocked_total", "refusals by reason", &["reason"]),
            opaque: counter(r, "opaque_total", "messages that could not be read", &["reason"]),
            deidentified_fields: counter(r, "deidentified_fields_total", "fields edited before they left", &["category", "method"]),
            shadow: counter(r, "shadow_decisions_total", "rules in shadow mode that matched", &["rule", "would_be"]),
            inspection: histogram(r, "inspection_duration_seconds", "time to read one message", INSPECTION_SECONDS, &["direction"]),
            request: histogram(r, "request_duration_seconds", "time of a whole exchange", REQUEST_SECONDS, &["api", "status_class"]),
            upstream: histogram(r, "upstream_duration_seconds", "time until the backend's answer was read", REQUEST_SECONDS, &["region"]),
            upstream_healthy: add(r, IntGaugeVec::new(Opts::new("upstream_healthy", "1 while the backend passes its probe"), &["region", "backend"])),
            lookup: histogram(r, "consent_lookup_duration_seconds", "time of a look-up in the registry", INSPECTION_SECONDS, &["region"]),
            withdrawal_acknowledged: add(
                r,
                Histogram::with_opts(
                    HistogramOpts::new("withdrawal_acknowledge_seconds", "time from a withdrawal to its acknowledgement").buckets(REQUEST_SECONDS.to_vec()),
                ),
            ),
            ledger_append: add(
                r,
                Histogram::with_opts(HistogramOpts::new("ledger_append_duration_seconds", "time until an entry was durable").buckets(APPEND_SECONDS.to_vec())),
            ),
            ledger_healthy: add(r, IntGauge::new("ledger_healthy", "1 while the ledger takes entries")),
            registry_healthy: add(r, IntGauge::new("registry_healthy", "1 while the registry answers")),
            reload_successful: add(r, IntGauge::new("config_last_reload_successful", "1 if the last reload was taken, 0 if it was refused")),
            reload_success_timestamp: add(r, Gauge::new("config_last_reload_success_timestamp_seconds", "when a reload was last taken")),
            policy_info: add(r, GaugeVec::new(Opts::new("policy_info", "the policy versions in force"), &["policy", "version", "hash"])),
            unreadable_heads: counter(r, "connection_errors_total", "connections that ended in an error before or between exchanges", &["protocol"]),
            panics: counter(r, "panics_total", "exchanges that panicked and were answered with 500", &["where"]),
            registry,
        }
    }

    /// The text exposition format.
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out); // writing to memory does not fail
        out
    }
}

/// The class of a status, as a label.
pub fn status_class(status: http::StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// Registers a metric. Names are literals of this file, so neither making nor registering one can fail; its test makes them all.
#[allow(clippy::expect_used, reason = "literal names, made once at start-up")]
fn add<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let metric = made.expect("the metric's name and labels are valid");
    registry.register(Box::new(metric.clone())).expect("the metric's name is its own");
    metric
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    add(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

fn histogram(registry: &Registry, name: &str, help: &str, buckets: &[f64], labels: &[&str]) -> HistogramVec {
    add(registry, HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_metrics_register_and_render() {
        let metrics = Metrics::new();
        metrics.blocked.with_label_values(&["block"]).inc();
        let text = String::from_utf8(metrics.render()).unwrap();
        assert!(text.contains("domicile_blocked_total{reason=\"block\"} 1"), "{text}");
        assert!(text.contains("domicile_ledger_append_duration_seconds_count 0"));
    }
}

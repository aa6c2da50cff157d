//! The second listener: registry API, probes, metrics.

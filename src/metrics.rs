//! Metrics: closed label sets, base units, one struct of handles passed in.

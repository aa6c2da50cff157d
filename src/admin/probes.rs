//! `/livez`, `/readyz`, `/startupz` and `/metrics`.

use super::State;
use axum::Json;
use axum::Router;
use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};

pub(super) fn router() -> Router<State> {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/startupz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// 200 while the node can serve what stays; what else does not work is listed as degraded, since it stops transfers only.
async fn ready(extract::State(state): extract::State<State>) -> impl IntoResponse {
    let gateway = &state.gateway;
    let own = &state.fixed.config.node.region;
    let checks: Vec<(String, bool)> = gateway
        .upstreams
        .regions()
        .into_iter()
        .map(|region| (format!("backends of {region}"), gateway.upstreams.healthy(region)))
        .chain([("registry".to_owned(), gateway.registry.healthy()), ("ledger".to_owned(), gateway.ledger.healthy())])
        .collect();
    let has_own = gateway.upstreams.regions().contains(own);
    let ready = !has_own || gateway.upstreams.healthy(own);
    let degraded: Vec<&str> = checks.iter().filter(|(_, good)| !good).map(|(name, _)| name.as_str()).collect();
    let body: Value = json!({"ready": ready, "node": state.fixed.config.node.id, "region": own, "degraded": degraded});
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}

async fn metrics(extract::State(state): extract::State<State>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.gateway.metrics.render())
}

//! `/v1`: consents, instruments, assessments, exemptions, homes, decisions, reload.

use super::State;
use super::problem::Problem;
use crate::model::BasisId;
use crate::registry::{Change, Ending, Order, PAGE_RECORDS_MAX, Page, RecordKind, Written};
use axum::body::Bytes;
use axum::extract::{self, Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;

type Answer = Result<Response, Problem>;

pub(super) fn router() -> Router<State> {
    Router::new()
        .route("/v1/consents", get(list_consents).post(add_consent))
        .route("/v1/consents/{id}", get(show_consent).post(withdraw_consent))
        .route("/v1/instruments", get(list_instruments).post(add_instrument))
        .route("/v1/instruments/{id}", get(show_instrument).post(end_instrument))
        .route("/v1/assessments", get(list_assessments).post(add_assessment))
        .route("/v1/assessments/{id}", get(show_assessment))
        .route("/v1/exemptions", get(list_exemptions).post(add_exemption))
        .route("/v1/exemptions/{id}", get(show_exemption).post(end_exemption))
        .route("/v1/subjects/home", put(set_home))
        .route("/v1/decisions/{id}", get(decision))
        .route("/v1/config:reload", post(reload))
}

/// The token must be the whole of it; compared in constant time over its length.
fn authorised(state: &State, headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    let right =
        given.is_some_and(|given| given.len() == state.token.len() && given.bytes().zip(state.token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0);
    if right { Ok(()) } else { Err(Problem::new(StatusCode::UNAUTHORIZED, "writes need the bearer token of this node's admin listener")) }
}

async fn write(state: &State, headers: &HeaderMap, order: Result<Order, impl std::fmt::Display>) -> Answer {
    authorised(state, headers)?;
    let order = order.map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
    let began = Instant::now();
    let written = state.gateway.registry.write(order, Timestamp::now()).await?;
    if written.change == Change::ConsentWithdrawn {
        state.gateway.metrics.withdrawal_acknowledged.observe(began.elapsed().as_secs_f64());
    }
    let status = if written.repeated { StatusCode::OK } else { created(&written) };
    Ok((status, Json(written)).into_response())
}

fn created(written: &Written) -> StatusCode {
    match written.change {
        Change::ConsentAdded | Change::InstrumentAdded | Change::AssessmentAdded | Change::ExemptionAdded => StatusCode::CREATED,
        _ => StatusCode::OK,
    }
}

async fn set_home(extract::State(state): extract::State<State>, headers: HeaderMap, body: Bytes) -> Answer {
    write(&state, &headers, Order::home(&body)).await
}

async fn add_consent(extract::State(state): extract::State<State>, headers: HeaderMap, body: Bytes) -> Answer {
    write(&state, &headers, Order::consent(&body)).await
}

async fn add_instrument(extract::State(state): extract::State<State>, headers: HeaderMap, body: Bytes) -> Answer {
    write(&state, &headers, Order::instrument(&body)).await
}

async fn add_assessment(extract::State(state): extract::State<State>, headers: HeaderMap, body: Bytes) -> Answer {
    write(&state, &headers, Order::assessment(&body)).await
}

async fn add_exemption(extract::State(state): extract::State<State>, headers: HeaderMap, body: Bytes) -> Answer {
    write(&state, &headers, Order::exemption(&body)).await
}

/// `POST /v1/consents/{id}:withdraw` and its kin: the verb is the end of the last segment.
async fn end(state: &State, headers: &HeaderMap, id: &str, verb: &str, what: Ending) -> Answer {
    let id =
        id.strip_suffix(verb).ok_or_else(|| Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("POST to `…{verb}` ends it; nothing else is posted here")))?;
    write(state, headers, Order::end(what, json!({ "id": id }).to_string().as_bytes())).await
}

async fn withdraw_consent(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    end(&state, &headers, &id, ":withdraw", Ending::Consent).await
}

async fn end_instrument(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    end(&state, &headers, &id, ":end", Ending::Instrument).await
}

async fn end_exemption(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    end(&state, &headers, &id, ":end", Ending::Exemption).await
}

/// Cursor paging: `?limit=100&after=<id of the last>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    after: Option<BasisId>,
    limit: Option<usize>,
}

/// Records of a page unless the caller asks for fewer.
const PAGE: usize = 100;

async fn list(state: &State, headers: &HeaderMap, kind: RecordKind, cursor: Cursor) -> Answer {
    authorised(state, headers)?;
    let limit = cursor.limit.unwrap_or(PAGE).clamp(1, PAGE_RECORDS_MAX);
    let records = state.gateway.registry.list(kind, &Page { after: cursor.after, limit, subject: None, recipient: None }).await?;
    let values: Vec<Value> = records.iter().filter_map(|r| serde_json::to_value(r).ok()).collect();
    let next = if values.len() == limit { values.last().and_then(|v| v.get("id")).cloned() } else { None };
    Ok(Json(json!({"items": values, "next": next})).into_response())
}

async fn list_consents(extract::State(state): extract::State<State>, headers: HeaderMap, Query(cursor): Query<Cursor>) -> Answer {
    list(&state, &headers, RecordKind::Consent, cursor).await
}

async fn list_instruments(extract::State(state): extract::State<State>, headers: HeaderMap, Query(cursor): Query<Cursor>) -> Answer {
    list(&state, &headers, RecordKind::Instrument, cursor).await
}

async fn list_assessments(extract::State(state): extract::State<State>, headers: HeaderMap, Query(cursor): Query<Cursor>) -> Answer {
    list(&state, &headers, RecordKind::Assessment, cursor).await
}

async fn list_exemptions(extract::State(state): extract::State<State>, headers: HeaderMap, Query(cursor): Query<Cursor>) -> Answer {
    list(&state, &headers, RecordKind::Exemption, cursor).await
}

async fn show(state: &State, headers: &HeaderMap, kind: RecordKind, id: &str) -> Answer {
    authorised(state, headers)?;
    let id: BasisId = id.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, format!("{e}")))?;
    let shown = state.gateway.registry.show(kind, &id).await?;
    shown.map(|shown| Json(shown).into_response()).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("no {kind} has the id `{id}`")))
}

async fn show_consent(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    show(&state, &headers, RecordKind::Consent, &id).await
}

async fn show_instrument(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    show(&state, &headers, RecordKind::Instrument, &id).await
}

async fn show_assessment(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    show(&state, &headers, RecordKind::Assessment, &id).await
}

async fn show_exemption(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    show(&state, &headers, RecordKind::Exemption, &id).await
}

/// The ledger's entries of one exchange.
async fn decision(extract::State(state): extract::State<State>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    authorised(&state, &headers)?;
    let folder = state.fixed.config.data.join("ledger");
    let found = tokio::task::spawn_blocking(move || crate::ledger::verify::entries_of(&crate::ledger::Directory::read_only(&folder), &id)).await;
    let entries = found.ok().and_then(Result::ok).ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the ledger cannot be read"))?;
    if entries.is_empty() {
        Err(Problem::new(StatusCode::NOT_FOUND, "no entry of the ledger has this decision id"))
    } else {
        Ok(Json(json!({ "entries": entries })).into_response())
    }
}

async fn reload(extract::State(state): extract::State<State>, headers: HeaderMap) -> Answer {
    authorised(&state, &headers)?;
    let State { gateway, fixed, .. } = state;
    let done = tokio::task::spawn_blocking(move || gateway.reload(&fixed)).await;
    match done {
        Ok(Ok(())) => Ok(Json(json!({"taken": true})).into_response()),
        Ok(Err(why)) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why)),
        Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the reload failed")),
    }
}

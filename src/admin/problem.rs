//! Errors of the admin API as problem details (RFC 9457).

use crate::registry::{Unavailable, WriteError};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal of the admin API.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem { status, detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("error");
        let body = json!({"type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail});
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Invalid(why) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why),
            WriteError::Conflict(why) => Problem::new(StatusCode::CONFLICT, why),
            WriteError::NotFound(why) => Problem::new(StatusCode::NOT_FOUND, why),
            WriteError::Unavailable(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the registry is unavailable"),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the registry is unavailable")
    }
}

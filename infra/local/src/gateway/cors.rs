//! Cross-origin requests: answers the preflight, and marks an answer with the origin that may read it.
//!
//! Pages on this machine may call the API here; in the cloud, only the origins that the deployment names. Other origins
//! get no CORS headers, and no origin gets any under `/_local/`.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use classpay_operator::machine::is_loopback;

use crate::template::Cors;

/// The origin of the calling page, if it is allowed.
pub(super) fn allowed_origin<'a>(cors: Option<&Cors>, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
    cors?;
    headers.get(header::ORIGIN).filter(|origin| origin.to_str().is_ok_and(is_loopback))
}

/// Whether this is a preflight.
pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(header::ORIGIN)
        && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight.
pub(super) fn preflight(cors: &Cors, origin: Option<&HeaderValue>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if origin.is_some() {
        let headers = response.headers_mut();
        set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
        set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
        set(headers, header::ACCESS_CONTROL_MAX_AGE, &cors.max_age_s.to_string());
    }
    response
}

/// Marks an answer as readable by the page.
pub(super) fn mark(headers: &mut HeaderMap, cors: &Cors, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.exposed);
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

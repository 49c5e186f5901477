//! `/docs`: the API as a page for people, with calls to try.
//!
//! Invariant: all of it is in the binary, and only this machine's own pages are given it: it has tokens in it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::local::is_this_machine;
use super::{Gateway, Holder, mint_token};

const OPENAPI: &str = include_str!("../../../openapi.yaml");

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file by its name and media type.
const FILES: [(&str, &str, &str); 5] = [
    ("index.html", HTML, include_str!("../../docs/index.html")),
    ("start.js", SCRIPT, include_str!("../../docs/start.js")),
    ("swagger-ui-bundle.js", SCRIPT, include_str!("../../docs/swagger-ui-bundle.js")),
    ("swagger-ui.css", "text/css; charset=utf-8", include_str!("../../docs/swagger-ui.css")),
    ("openapi.yaml", "application/yaml", OPENAPI),
];

/// Whom the page can call as.
#[derive(Debug, Clone)]
pub struct Callers {
    /// The business.
    pub company_id: String,
    /// Its families, by their ids.
    pub families: Vec<String>,
}

/// `GET /docs`.
pub(super) async fn index(headers: HeaderMap) -> Response {
    answer("index.html", &headers)
}

/// `GET /docs/{file}`.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&name, &headers)
}

fn answer(name: &str, headers: &HeaderMap) -> Response {
    if !is_this_machine(headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /docs/callers.json`: a token for each family, and one for the staff.
pub(super) async fn callers(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    if !is_this_machine(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Callers { company_id, families } = &gateway.callers;
    let families = families.iter().map(|family| (format!("family {family}"), Holder::Family(family.clone())));
    let all = families.chain([("staff".to_owned(), Holder::Staff)]);
    let list: Value =
        all.map(|(name, holder)| json!({"name": name, "token": mint_token(company_id, &holder)})).collect();
    ([(header::CONTENT_TYPE, "application/json")], list.to_string()).into_response()
}

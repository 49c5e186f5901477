//! `/docs`: the API's documentation as a page, with calls to try.
//!
//! All of it is in the binary. It contains tokens, so only pages on this machine get it. The request examples use the
//! loaded studio and could be bought when the stack started.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use classpay_operator::token::{Holder, mint_token};
use serde_json::{Value, json};

use super::Gateway;
use super::local::is_this_machine;
use crate::studio::Loaded;

const OPENAPI: &str = include_str!("../../../openapi.yaml");

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file by its name, with its media type.
const FILES: [(&str, &str, &str); 4] = [
    ("index.html", HTML, include_str!("../../docs/index.html")),
    ("start.js", SCRIPT, include_str!("../../docs/start.js")),
    ("swagger-ui-bundle.js", SCRIPT, include_str!("../../docs/swagger-ui-bundle.js")),
    ("swagger-ui.css", "text/css; charset=utf-8", include_str!("../../docs/swagger-ui.css")),
];

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

/// `GET /docs/callers.json`: a token for each family, and one for staff.
pub(super) async fn callers(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    if !is_this_machine(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Loaded { company_id, families, example, .. } = &gateway.studio;
    let is_another =
        |family: &&String| example.as_ref().is_some_and(|example| example.family.as_str() != family.as_str());
    let mut families: Vec<&String> = families.iter().collect();
    // The page signs in as the first caller, to whom the examples belong.
    families.sort_by_key(is_another);
    let families = families.into_iter().map(|family| (format!("family {family}"), Holder::Family(family.clone())));
    let all = families.chain([("staff".to_owned(), Holder::Staff)]);
    let list: Value =
        all.map(|(name, holder)| json!({"name": name, "token": mint_token(company_id, &holder)})).collect();
    ([(header::CONTENT_TYPE, "application/json")], list.to_string()).into_response()
}

/// `GET /docs/openapi.json`: the API's description, with this studio's examples.
pub(super) async fn description(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    if !is_this_machine(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut document: Value = serde_yaml_ng::from_str(OPENAPI).expect("the build has it, and tests read it");
    for operation in operations(&mut document) {
        name_what_is_there(operation, &gateway.studio);
    }
    ([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    paths.filter_map(Value::as_object_mut).flat_map(|operations| operations.values_mut())
}

fn name_what_is_there(operation: &mut Value, studio: &Loaded) {
    let link = studio.payment_links.first();
    let basket =
        studio.example.as_ref().map(|example| (example.family.as_str(), example.enrolments(), example.trials()));
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let example = match (parameter["name"].as_str(), &basket) {
            (Some("paymentLinkId"), _) => link.map(|link| json!(link)),
            (Some("familyId"), Some((family, ..))) => Some(json!(family)),
            // A list in a query is a text that is JSON.
            (Some("enrolments"), Some((_, enrolments, _))) => Some(json!(enrolments.to_string())),
            (Some("trials"), Some((.., trials))) => Some(json!(trials.to_string())),
            _ => None,
        };
        if let Some(example) = example {
            parameter["example"] = example;
        }
    }
    let items = operation.pointer_mut("/requestBody/content/application~1json/example/items");
    if let (Some(items), Some((_, enrolments, trials))) = (items, basket) {
        *items = json!({"enrolments": enrolments, "trials": trials});
    }
}

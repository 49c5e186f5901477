//! The whole document.
//!
//! Invariant: an operation is included because the template has its route; a route that no operation describes fails.

use std::path::PathBuf;

use classpay_local::binaries::workspace_root;
use classpay_local::template::{Authorizer, Route, Template};
use classpay_tests::OKAFOR;
use serde_json::{Value, json};

use super::answers::{answers, refusals};
use super::codes::about_refusals;
use super::operations::{Operation, id, operations};
use super::schemas::schemas;

const ABOUT: &str = "Quotes a basket of classes and trial lessons, opens its payment and checks it out; makes payment links \
and takes their payments. It is the public API of Class Manager for these operations; what is ours is marked \
`x-addition`.\n\nAmounts are integers in the currency's minor unit: 1000 is 10.00. Dates are the company's, `2023-12-05`; \
date-times are UTC, `2023-12-05 14:30:41`. Ids are a prefix, `_` and 26 characters of Crockford's base32. Answers may get \
more fields; unknown fields of requests are refused.";
const TOKEN: &str = "A JWT with the claims `company_id`, `role` (`family` or `staff`) and, for a family, `family_id`. A \
family reaches its own `familyId` only, staff every family of their company.";

pub fn document(template: &Template) -> Value {
    let mut paths = json!({});
    let operations = operations();
    let mut schemas = schemas();
    let refusal = schemas.remove("Refusal").expect("it is answered");
    schemas.extend(operations.iter().map(|operation| refusals(operation, &refusal)));
    for route in &template.routes {
        let function = &template.functions[&route.function].package;
        let operation = operations.iter().find(|operation| operation.endpoint.function() == function);
        let operation = operation.unwrap_or_else(|| panic!("{} is not described", route.key()));
        paths[&route.path][route.method.to_lowercase()] = described(operation, route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "classpay", "version": "1.0.0", "summary": "The payments of a class business",
            "description": format!("{ABOUT}\n\n{}", about_refusals()), "license": {"name": "MIT or Apache 2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [
            {"url": "http://127.0.0.1:9000", "description": "A running `cargo dev`"},
            {
                "url": "https://{host}", "description": "A deployment: the stack's output says its host",
                "variables": {"host": {"default": "api.example.com"}},
            },
        ],
        "tags": [
            {"name": "Basket", "description": "What a basket of classes and trials costs, and buying it."},
            {"name": "Stripe", "description": "Opening a card payment, and Stripe's events."},
            {"name": "Payment links", "description": "Links with which a payer pays a debit without signing in."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": {
                "RetryAfter": {
                    "description": "After how many seconds to call again.", "x-addition": true,
                    "schema": {"type": "integer", "minimum": 1},
                },
                "IdempotentReplayed": {
                    "description": "There when an earlier call with the same `Idempotency-Key` got this answer.",
                    "x-addition": true, "schema": {"const": "true"},
                },
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": TOKEN},
            },
        },
    })
}

fn described(operation: &Operation, route: &Route) -> Value {
    let mut described = json!({
        "operationId": operation.id, "tags": [operation.tag], "summary": operation.summary,
        "description": operation.description, "responses": answers(operation, route),
        "security": if route.authorizer == Authorizer::Jwt { json!([{"bearer": []}]) } else { json!([]) },
    });
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| match name {
        // The demo studio's ids, so that the calls on the local stack's page find existing records.
        "familyId" => json!({"name": name, "in": "path", "required": true, "schema": id(), "example": OKAFOR}),
        _ => json!({"name": name, "in": "path", "required": true, "schema": id()}),
    });
    let parameters: Vec<_> = in_path.chain(operation.parameters.iter().cloned()).map(with_example(operation)).collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(request) = &operation.request {
        let mut media = json!({"schema": request});
        if let Some(example) = example(operation.id) {
            media["example"] = example;
        }
        described["requestBody"] = json!({"required": true, "content": {"application/json": media}});
    }
    if operation.is_addition {
        described["x-addition"] = true.into();
    }
    described
}

/// A JSON parameter has an example, too.
fn with_example(operation: &Operation) -> impl Fn(Value) -> Value {
    let example = example(operation.id);
    move |mut parameter| {
        if let (Some(example), Some(_)) = (&example, parameter.pointer("/schema/contentSchema")) {
            parameter["example"] = example[parameter["name"].as_str().expect("a name")].to_string().into();
        }
        parameter
    }
}

/// The examples: requests to a stack and its answers, by an operation's id, and by its id and a status.
pub fn example_file(name: &str) -> PathBuf {
    workspace_root().join(format!("tests/contract/examples/{name}.json"))
}

pub fn example(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(example_file(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|_| panic!("the example {name} is no JSON")))
}

/// The JSON parameters of an operation: the name, the schema, and the parameter itself.
pub fn json_parameters(operation: &Value) -> impl Iterator<Item = (&str, &Value, &Value)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.filter_map(|parameter| {
        Some((parameter["name"].as_str()?, parameter.pointer("/schema/contentSchema")?, parameter))
    })
}

/// Every example of an operation: its place, its schema, and the example.
pub fn examples(operation: &Value) -> Vec<(String, &Value, Value)> {
    let parameters = json_parameters(operation).filter_map(|(name, schema, parameter)| {
        let example = serde_json::from_str(parameter["example"].as_str()?).expect("the example is JSON");
        Some((format!("parameter {name}"), schema, example))
    });
    let request = operation.get("requestBody").map(|body| ("request".to_owned(), body));
    let answers = operation["responses"].as_object().into_iter().flatten();
    let bodies = request.into_iter().chain(answers.map(|(status, answer)| (status.clone(), answer)));
    let bodies = bodies.filter_map(|(place, body)| {
        let media = body.pointer("/content/application~1json")?;
        Some((place, &media["schema"], media.get("example")?.clone()))
    });
    parameters.chain(bodies).collect()
}

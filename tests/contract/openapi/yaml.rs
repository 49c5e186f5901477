//! The document as text.
//!
//! Equal documents give equal texts, and the keys that a reader looks for first come first.

use serde_json::{Map, Value};
use serde_yaml_ng as yaml;

/// The first keys, in this order; the rest follow by name.
const FIRST: &str = "openapi info servers tags paths get post delete components x-addition operationId name in title \
    version url summary description security required parameters requestBody headers responses $ref type format pattern \
    enum const content schema properties items default example";

pub fn text(document: &Value) -> String {
    let about = "# Written by `UPDATE_OPENAPI=1 cargo test -p classpay-tests --test contract openapi`; the test holds it to the code.\n";
    format!("{about}{}", yaml::to_string(&ordered(document, Order::ByRank)).expect("JSON can be written as YAML"))
}

/// How an object's fields are sorted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order<'a> {
    /// The document's own keywords.
    ByRank,
    /// Names without meaning in the document, in their given order.
    ByName,
    /// The properties of a schema: the required ones in the order of declaration, then the others.
    As(&'a [Value]),
}

fn ordered(value: &Value, order: Order<'_>) -> yaml::Value {
    match value {
        Value::Object(fields) => yaml::Value::Mapping(mapping(fields, order)),
        Value::Array(elements) => elements.iter().map(|element| ordered(element, Order::ByRank)).collect(),
        scalar => yaml::to_value(scalar).expect("a scalar"),
    }
}

fn mapping(fields: &Map<String, Value>, order: Order<'_>) -> yaml::Mapping {
    let rank = |name: &str| match order {
        Order::ByRank => FIRST.split(' ').position(|first| first == name).unwrap_or(usize::MAX),
        Order::ByName => 0,
        Order::As(required) => required.iter().position(|first| first == name).unwrap_or(required.len()),
    };
    let mut names: Vec<_> = fields.keys().collect();
    names.sort_by_key(|name| (rank(name), name.to_owned()));
    let required = fields.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let below = |name: &str| match name {
        _ if order != Order::ByRank => Order::ByRank,
        "properties" => Order::As(required),
        "schemas" | "paths" | "responses" => Order::ByName,
        _ => Order::ByRank,
    };
    names.into_iter().map(|name| (name.as_str().into(), ordered(&fields[name], below(name)))).collect()
}

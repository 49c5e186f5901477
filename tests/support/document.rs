//! The API's OpenAPI document, and whether a request or an answer fits it.
//!
//! It is stricter than the published document: a field of an answer that the document doesn't name is an error here,
//! although a client must ignore it.

use classpay_local::binaries::workspace_root;
use jsonschema::Validator;
use serde_json::{Value, json};

/// `infra/openapi.yaml`.
#[derive(Debug)]
pub struct Document {
    whole: Value,
    /// Its schemas, each without additional fields.
    closed: Value,
}

impl Document {
    /// Reads it.
    ///
    /// # Panics
    /// If it can't be read or isn't YAML.
    #[must_use]
    pub fn published() -> Self {
        let text = std::fs::read_to_string(workspace_root().join("infra/openapi.yaml")).expect("there is a document");
        let whole: Value = serde_yaml_ng::from_str(&text).expect("the document is YAML");
        let mut closed = whole["components"].clone();
        close(&mut closed["schemas"]);
        Self { whole, closed }
    }

    /// Its operations: method (in lower case), path, and description.
    ///
    /// # Panics
    /// If it has no operations.
    pub fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.whole["paths"].as_object().expect("the document has paths").iter();
        paths.flat_map(|(path, operations)| {
            let operations = operations.as_object().expect("a path has operations").iter();
            operations.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
        })
    }

    /// The description of a path's operation.
    ///
    /// # Panics
    /// If it has no such operation.
    #[must_use]
    pub fn operation(&self, id: &str) -> &Value {
        let found = self.operations().find(|(_, _, operation)| operation["operationId"] == id);
        found.unwrap_or_else(|| panic!("no operation {id}")).2
    }

    /// How a value violates one of its schemas.
    ///
    /// # Panics
    /// If the schema is invalid.
    #[must_use]
    pub fn misfits(&self, schema: &Value, value: &Value) -> Vec<String> {
        let fits = self.validator(schema);
        fits.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    fn validator(&self, schema: &Value) -> Validator {
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema], "components": self.closed,
        });
        jsonschema::validator_for(&root).expect("the document's schemas are sound")
    }
}

/// Forbids additional fields.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("type").is_some_and(|kind| kind == "object") && fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

//! Parameters with brackets in their names, all of them text, as the JSON that the description speaks of.
//!
//! Invariant: nothing is refused here and nothing is lost. What doesn't fit its schema stays text, so that the
//! validator sees it.

use serde_json::{Map, Value};

/// What came under one name.
#[derive(Debug)]
enum Given {
    Text(String),
    /// By what was in the brackets, in the order of arrival. `a[]` has a name of its own each time.
    Group(Vec<(String, Given)>),
}

/// A whole form, or a query.
pub(super) fn parameters(pairs: &[(String, String)], schema: &Value) -> Value {
    let mut root = Vec::new();
    for (name, value) in pairs {
        let names: Vec<&str> = name.split('[').map(|part| part.strip_suffix(']').unwrap_or(part)).collect();
        put(&mut root, &names, value);
    }
    typed(&Given::Group(root), schema)
}

fn put(group: &mut Vec<(String, Given)>, names: &[&str], value: &str) {
    let [name, inner @ ..] = names else { return };
    let name = if name.is_empty() { group.len().to_string() } else { (*name).to_owned() };
    let known = group.iter().position(|(known, _)| *known == name);
    let at = known.unwrap_or_else(|| {
        let empty = if inner.is_empty() { Given::Text(String::new()) } else { Given::Group(Vec::new()) };
        group.push((name, empty));
        group.len() - 1
    });
    match (&mut group[at].1, inner) {
        (Given::Text(text), []) => value.clone_into(text),
        (Given::Group(inside), [_, ..]) => put(inside, inner, value),
        // `a=1&a[b]=2`: the later of the two, whichever it is.
        (other, []) => *other = Given::Text(value.to_owned()),
        (other, [_, ..]) => {
            let mut inside = Vec::new();
            put(&mut inside, inner, value);
            *other = Given::Group(inside);
        }
    }
}

fn typed(given: &Given, schema: &Value) -> Value {
    if let Some(choices) = schema["anyOf"].as_array() {
        return typed(given, choice(given, choices));
    }
    match (given, schema["type"].as_str()) {
        (Given::Text(text), kind) => scalar(text, kind),
        (Given::Group(group), Some("array")) if is_array(group) => {
            group.iter().map(|(_, item)| typed(item, &schema["items"])).collect()
        }
        (Given::Group(group), _) => {
            let of = |name: &str| schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
            let fields = group.iter().map(|(name, given)| (name.clone(), typed(given, of(name))));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn is_array(group: &[(String, Given)]) -> bool {
    group.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn scalar(text: &str, kind: Option<&str>) -> Value {
    let number = |whole: bool| text.parse::<serde_json::Number>().ok().filter(|it| !whole || it.is_i64());
    let read = match kind {
        Some("integer") => number(true).map(Value::Number),
        Some("number") => number(false).map(Value::Number),
        Some("boolean") => text.parse().ok().map(Value::Bool),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

/// What is most likely meant; the validator says whether it is right.
fn choice<'a>(given: &Given, choices: &'a [Value]) -> &'a Value {
    let kind = |schema: &'a Value| schema["type"].as_str().unwrap_or_default();
    let fits = |schema: &&'a Value| match given {
        Given::Text(text) => match schema["enum"].as_array() {
            Some(words) => words.iter().any(|word| word == text),
            None if text.is_empty() => false,
            None => {
                !matches!(kind(schema), "integer" | "number" | "boolean")
                    || !scalar(text, Some(kind(schema))).is_string()
            }
        },
        Given::Group(group) => match kind(schema) {
            "array" => is_array(group),
            "object" => group.iter().all(|(name, _)| schema["properties"].get(name).is_some()),
            _ => false,
        },
    };
    let is_group = |schema: &&'a Value| matches!(kind(schema), "object" | "array");
    let sort = |schema: &&'a Value| is_group(schema) == matches!(given, Given::Group(_));
    let candidates = || choices.iter().filter(sort);
    candidates().find(fits).or_else(|| candidates().next()).unwrap_or(&choices[0])
}

//! `expand[]`: replaces ids in an answer by their objects.
//!
//! Invariant: a path that Stripe couldn't expand is refused even if the field is null, so that a mistake shows on the
//! first call and not on the first charge.

use classpay_stripe_model::{ApiError, Call, Charge, Object, refunds};
use serde_json::Value;

use crate::description;

/// Stripe's limit on the depth of a path.
const DEPTH: usize = 4;

/// Applies every path of a call, which has this name in Stripe's description, to its answer.
pub(crate) fn apply(call: &Call, name: &str, paths: &[String], answer: &mut Value) -> Result<(), ApiError> {
    for path in paths {
        let fields: Vec<&str> = path.split('.').collect();
        if fields.len() > DEPTH {
            let message = format!("You cannot expand more than {DEPTH} levels of a property: {path}");
            return Err(ApiError::invalid(message).param("expand"));
        }
        match fields.as_slice() {
            ["data", fields @ ..] if answer["object"] == "list" => {
                check(description::listed(name), fields, path)?;
                for item in answer["data"].as_array_mut().into_iter().flatten() {
                    follow(call, item, fields);
                }
            }
            fields => {
                check(answer["object"].as_str().unwrap_or_default(), fields, path)?;
                follow(call, answer, fields);
            }
        }
    }
    Ok(())
}

fn check(kind: &str, fields: &[&str], path: &str) -> Result<(), ApiError> {
    let mut kind = kind;
    for field in fields {
        kind = match (kind, *field) {
            // A list, which the description doesn't mark; nothing in it is expanded further.
            (Charge::KIND, "refunds") => "refunds",
            _ => description::expanded(kind, field).ok_or_else(|| {
                ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand")
            })?,
        };
    }
    Ok(())
}

fn follow(call: &Call, object: &mut Value, fields: &[&str]) {
    let [field, rest @ ..] = fields else { return };
    if *field == "refunds" && object["object"] == Charge::KIND {
        object["refunds"] = refunds::of_charge(call.all(), object["id"].as_str().unwrap_or_default()).json();
    }
    let Some(inner) = object.get_mut(*field) else { return };
    if let Some(found) = inner.as_str().and_then(|id| call.json(id)) {
        *inner = found;
    }
    follow(call, inner, rest);
}

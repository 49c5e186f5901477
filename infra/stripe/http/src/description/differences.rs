//! Where the Stripe that we speak to differs from the description.
//!
//! Invariant: each difference is here, with its reason, and nothing else is let through.
//!
//! What our version took away is refused with a code of its own, so it is a handler's: `payment_method_types`, by
//! the model's `params`.

use serde_json::{Value, json};

pub(super) struct Difference {
    /// An object of the description: names from the root on.
    pub at: &'static [&'static str],
    /// A field or a parameter that it has too.
    pub also: &'static str,
    what: fn() -> Value,
    /// Why it is right.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers, and a test that there is one"))]
    pub because: &'static str,
}

pub(super) const DIFFERENCES: &[Difference] = &[Difference {
    at: &["schemas", "ephemeral_key"],
    also: "associated_objects",
    what: || {
        let of = json!({ "id": { "type": "string" }, "type": { "type": "string" } });
        json!({ "type": "array", "items": {
            "type": "object", "properties": of, "required": ["id", "type"], "additionalProperties": false,
        } })
    },
    because: "Stripe's mobile SDKs read there whose key it is; the description leaves it out.",
}];

/// The description with what it lacks.
pub(super) fn apply(mut description: Value) -> Value {
    for difference in DIFFERENCES {
        let object = difference.at.iter().fold(&mut description, |inner, name| &mut inner[name]);
        object["properties"][difference.also] = (difference.what)();
    }
    description
}

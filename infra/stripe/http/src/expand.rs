//! `expand[]`: replaces ids in an answer by their objects.
//!
//! Invariant: a path that Stripe couldn't expand is refused even if the field is null, so that a mistake shows on the
//! first call and not on the first charge.

use classpay_stripe_model::{
    ApiError, Call, Charge, Customer, Dispute, Object, PaymentIntent, PaymentMethod, Refund, refunds,
};
use serde_json::Value;

/// Stripe's limit on the depth of a path.
const DEPTH: usize = 4;

/// An expandable field of which the stand-in stores nothing: it is always null.
const NOTHING: &str = "";

/// The kind of object behind an expandable field.
fn target(object: &str, field: &str) -> Option<&'static str> {
    Some(match (object, field) {
        ("payment_intent" | "charge" | "payment_method" | "customer_session" | "refund", "customer") => Customer::KIND,
        ("payment_intent", "latest_charge") => Charge::KIND,
        ("payment_intent" | "refund", "payment_method") => PaymentMethod::KIND,
        ("charge" | "refund" | "dispute", "payment_intent") => PaymentIntent::KIND,
        ("refund" | "dispute", "charge") => Charge::KIND,
        ("charge", "refunds") => "refunds",
        ("payment_intent", "application" | "on_behalf_of" | "review")
        | ("charge", "application" | "application_fee" | "balance_transaction" | "on_behalf_of")
        | ("charge", "failure_balance_transaction" | "review" | "source_transfer" | "transfer")
        | ("refund", "balance_transaction" | "failure_balance_transaction")
        | ("refund", "source_transfer_reversal" | "transfer_reversal")
        | ("customer", "default_source" | "sources" | "subscriptions" | "tax" | "tax_ids")
        | ("customer", "cash_balance" | "test_clock") => NOTHING,
        _ => return None,
    })
}

/// Applies every path of the call to its answer.
pub(crate) fn apply(call: &Call, paths: &[String], answer: &mut Value) -> Result<(), ApiError> {
    for path in paths {
        let fields: Vec<&str> = path.split('.').collect();
        if fields.len() > DEPTH {
            let message = format!("You cannot expand more than {DEPTH} levels of a property: {path}");
            return Err(ApiError::invalid(message).param("expand"));
        }
        let object = answer["object"].as_str().unwrap_or_default().to_owned();
        match (object.as_str(), fields.as_slice()) {
            ("list", ["data", fields @ ..]) => {
                let kind = list_of(&answer["url"]);
                for item in answer["data"].as_array_mut().into_iter().flatten() {
                    follow(call, item, fields);
                }
                check(kind, fields, path)?;
            }
            (kind, fields) => {
                check(kind, fields, path)?;
                follow(call, answer, fields);
            }
        }
    }
    Ok(())
}

fn list_of(url: &Value) -> &'static str {
    match url.as_str().unwrap_or_default().rsplit('/').next() {
        Some("payment_intents") => PaymentIntent::KIND,
        Some("charges") => Charge::KIND,
        Some("customers") => Customer::KIND,
        Some("payment_methods") => PaymentMethod::KIND,
        Some("refunds") => Refund::KIND,
        Some("disputes") => Dispute::KIND,
        _ => NOTHING,
    }
}

fn check(kind: &str, fields: &[&str], path: &str) -> Result<(), ApiError> {
    let mut kind = kind;
    for field in fields {
        kind = target(kind, field)
            .ok_or_else(|| ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand"))?;
    }
    Ok(())
}

fn follow(call: &Call, object: &mut Value, fields: &[&str]) {
    let [field, rest @ ..] = fields else { return };
    let kind = object["object"].as_str().unwrap_or_default().to_owned();
    let Some(target) = target(&kind, field) else { return };
    if target == "refunds" {
        object["refunds"] = refunds::of_charge(call.all(), object["id"].as_str().unwrap_or_default()).json();
        return;
    }
    if let Some(id) = object[*field].as_str()
        && let Some(found) = find(call, target, id)
    {
        object[*field] = found;
    }
    follow(call, &mut object[*field], rest);
}

fn find(call: &Call, kind: &str, id: &str) -> Option<Value> {
    fn json<T: Object>(call: &Call, id: &str) -> Option<Value> {
        call.load::<T>(id).map(|object| object.json())
    }
    match kind {
        Charge::KIND => json::<Charge>(call, id),
        Customer::KIND => json::<Customer>(call, id),
        PaymentIntent::KIND => json::<PaymentIntent>(call, id),
        PaymentMethod::KIND => json::<PaymentMethod>(call, id),
        Refund::KIND => json::<Refund>(call, id),
        Dispute::KIND => json::<Dispute>(call, id),
        _ => None,
    }
}

//! What an event says.
//!
//! Invariant: read leniently, for Stripe adds fields as it likes; and only as a hint of what to ask Stripe about.

use classpay_domain::id::{AccountId, EventId, IntentId};
use serde::Deserialize;
use serde_json::Value;

use crate::http::{ApiError, ErrorCode};
use crate::store::{EventObject, EventRecord};

/// Stands for the account in an event of the platform's own: it is about no payment of ours.
const PLATFORM: &str = "platform";

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A payment, on its way or at its end.
    Payment,
    /// Money given back.
    Refund,
    /// Money that the payer's bank takes back, or returns.
    Dispute,
    /// Nothing that we follow.
    Other,
}

impl Topic {
    /// What an event of this type is about.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        match kind {
            "payment_intent.amount_capturable_updated"
            | "payment_intent.succeeded"
            | "payment_intent.canceled"
            | "payment_intent.processing"
            | "payment_intent.payment_failed"
            | "payment_intent.requires_action" => Self::Payment,
            "charge.refunded" | "charge.refund.updated" | "refund.created" | "refund.updated" | "refund.failed" => {
                Self::Refund
            }
            "charge.dispute.created"
            | "charge.dispute.funds_withdrawn"
            | "charge.dispute.funds_reinstated"
            | "charge.dispute.closed" => Self::Dispute,
            _ => Self::Other,
        }
    }
}

#[derive(Deserialize)]
struct Payload {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    account: Option<String>,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

/// Reads an event that Stripe has signed.
///
/// # Errors
/// `malformed_json`, and `wrong_type` for an event that isn't one.
pub fn parse(body: &[u8], received_s: i64) -> Result<EventRecord, ApiError> {
    let payload: Payload = serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() { ErrorCode::WrongType } else { ErrorCode::MalformedJson };
        ApiError::from(code).because("an event can't be read")
    })?;
    let wrong = |_| ApiError::from(ErrorCode::WrongType).because("an event has an id that is none");
    let object = &payload.data.object;
    let topic = Topic::of(&payload.kind);
    let intent = match topic {
        _ if payload.account.is_none() => None,
        Topic::Other => None,
        Topic::Payment => text(object, "id"),
        // Where it is expanded, its id is within.
        Topic::Refund | Topic::Dispute => text(object, "payment_intent")
            .or_else(|| object.get("payment_intent").and_then(|intent| text(intent, "id"))),
    };
    Ok(EventRecord {
        account: AccountId::parse(payload.account.unwrap_or_else(|| PLATFORM.to_owned())).map_err(wrong)?,
        id: EventId::parse(payload.id).map_err(wrong)?,
        kind: payload.kind,
        created_s: payload.created,
        received_s,
        intent: intent.map(IntentId::parse).transpose().map_err(wrong)?,
        is_marked: object.pointer("/metadata/classpay").is_some_and(|marker| marker == "1"),
        object: object_of(object),
    })
}

fn object_of(object: &Value) -> EventObject {
    let number = |name: &str| object.get(name).and_then(Value::as_i64).unwrap_or_default();
    let owned = |name| text(object, name).unwrap_or_default().to_owned();
    EventObject {
        id: owned("id"),
        amount: number("amount"),
        status: owned("status"),
        charge: owned("charge"),
        created_s: number("created"),
    }
}

fn text<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, object: Value) -> Result<EventRecord, ApiError> {
        let body = json!({"id": "evt_1", "object": "event", "type": kind, "created": 5, "account": "acct_1",
            "livemode": false, "data": {"object": object}});
        parse(body.to_string().as_bytes(), 7)
    }

    #[test]
    fn the_intent_is_the_object_or_is_named_by_it() {
        let payment = event("payment_intent.succeeded", json!({"id": "pi_1", "metadata": {"classpay": "1"}})).unwrap();
        assert_eq!((payment.intent.as_ref().map(IntentId::as_str), payment.is_marked), (Some("pi_1"), true));
        for named in [json!("pi_1"), json!({"id": "pi_1"})] {
            let refund = event("refund.created", json!({"id": "re_1", "payment_intent": named})).unwrap();
            assert_eq!(refund.intent.as_ref().map(IntentId::as_str), Some("pi_1"));
            assert!(!refund.is_marked);
        }
        let without = event("refund.created", json!({"id": "re_1", "payment_intent": null})).unwrap();
        assert_eq!(without.intent, None);
    }

    #[test]
    fn what_we_do_not_follow_is_read_without_looking_at_it() {
        let other = event("customer.created", json!({"id": "cus_1", "payment_intent": "no id!"})).unwrap();
        assert_eq!((other.intent, Topic::of(&other.kind)), (None, Topic::Other));
    }

    #[test]
    fn an_event_of_the_platform_s_own_account_is_about_no_payment() {
        let body = r#"{"id":"evt_1","type":"payment_intent.succeeded","created":5,"data":{"object":{"id":"pi_1"}}}"#;
        let read = parse(body.as_bytes(), 7).unwrap();
        assert_eq!((read.account.as_str(), read.intent), (PLATFORM, None));
    }

    #[test]
    fn a_dispute_brings_what_is_needed_to_post_it() {
        let dispute = json!({"id": "du_1", "amount": 1029, "status": "lost", "charge": "ch_1", "created": 3,
            "payment_intent": "pi_1", "evidence": {"customer_name": "Jo"}});
        let read = event("charge.dispute.closed", dispute).unwrap();
        let expected =
            EventObject { id: "du_1".into(), amount: 1029, status: "lost".into(), charge: "ch_1".into(), created_s: 3 };
        assert_eq!((read.object, read.received_s, read.created_s), (expected, 7, 5));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let code = |body: &str| parse(body.as_bytes(), 0).unwrap_err().code;
        assert_eq!(code("{"), ErrorCode::MalformedJson);
        assert_eq!(code("{}"), ErrorCode::WrongType);
        let bad = event("payment_intent.succeeded", json!({"id": "pi#1"}));
        assert_eq!(bad.unwrap_err().code, ErrorCode::WrongType);
    }
}

//! What an event says.
//!
//! Events are read leniently, because Stripe may add fields at any time, and serve only as a hint of what to ask Stripe
//! about.

use classpay_domain::id::{AccountId, EventId, IntentId};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorCode};
use crate::store::{EventObject, EventRecord, Reported};
use crate::stripe::MARKER;

/// The account of an event that belongs to the platform itself: it concerns no payment of ours.
const PLATFORM: &str = "platform";

/// A card is held.
const AUTHORISED: &str = "payment_intent.amount_capturable_updated";
/// An intent is paid.
const PAID: &str = "payment_intent.succeeded";
/// An intent is cancelled.
pub(super) const CANCELLED: &str = "payment_intent.canceled";

/// The event types that we follow, with their topics.
const FOLLOWED: [(&str, Topic); 15] = [
    (AUTHORISED, Topic::Payment),
    (PAID, Topic::Payment),
    (CANCELLED, Topic::Payment),
    ("payment_intent.processing", Topic::Payment),
    ("payment_intent.payment_failed", Topic::Payment),
    ("payment_intent.requires_action", Topic::Payment),
    ("charge.refunded", Topic::Refund),
    ("charge.refund.updated", Topic::Refund),
    ("refund.created", Topic::Refund),
    ("refund.updated", Topic::Refund),
    ("refund.failed", Topic::Refund),
    ("charge.dispute.created", Topic::Dispute),
    ("charge.dispute.funds_withdrawn", Topic::Dispute),
    ("charge.dispute.funds_reinstated", Topic::Dispute),
    ("charge.dispute.closed", Topic::Dispute),
];
/// The same types alone, for the query that lists events.
pub const FOLLOWED_KINDS: [&str; FOLLOWED.len()] = {
    let mut kinds = [""; FOLLOWED.len()];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = FOLLOWED[at].0;
        at += 1;
    }
    kinds
};

/// What an event of that type reports about the money; `None`: nothing that Stripe isn't asked for anyway.
pub(super) fn reported(kind: &str) -> Option<Reported> {
    match kind {
        AUTHORISED => Some(Reported::Held),
        PAID => Some(Reported::Received),
        _ => None,
    }
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A payment, under way or finished.
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
        FOLLOWED.iter().find(|(followed, _)| *followed == kind).map_or(Self::Other, |(_, topic)| *topic)
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
pub fn parse(body: &[u8], received_s: i64) -> Result<EventRecord, Error> {
    read(body, None, received_s)
}

/// Reads an event from an account's own list. It belongs to that account even if it doesn't name it.
///
/// # Errors
/// As [`parse`], and `wrong_type` for an event that names another account.
pub fn parse_listed(text: &str, account: &AccountId, received_s: i64) -> Result<EventRecord, Error> {
    read(text.as_bytes(), Some(account), received_s)
}

fn read(body: &[u8], listed_on: Option<&AccountId>, received_s: i64) -> Result<EventRecord, Error> {
    let payload: Payload = serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() { ErrorCode::WrongType } else { ErrorCode::MalformedJson };
        Error::from(code).because("an event can't be read")
    })?;
    let wrong = |_| Error::from(ErrorCode::WrongType).because("an event has an id that is none");
    let account = payload.account.map(AccountId::parse).transpose().map_err(wrong)?;
    if let (Some(account), Some(listed_on)) = (&account, listed_on)
        && account != listed_on
    {
        return Err(Error::from(ErrorCode::WrongType).because("an event is listed on another account than its own"));
    }
    let account = account.or_else(|| listed_on.cloned());
    let object = &payload.data.object;
    let topic = Topic::of(&payload.kind);
    let intent = match topic {
        _ if account.is_none() => None,
        Topic::Other => None,
        Topic::Payment => text(object, "id"),
        // An expanded intent carries its id inside.
        Topic::Refund | Topic::Dispute => text(object, "payment_intent")
            .or_else(|| object.get("payment_intent").and_then(|intent| text(intent, "id"))),
    };
    Ok(EventRecord {
        account: account.map_or_else(|| AccountId::parse(PLATFORM), Ok).map_err(wrong)?,
        id: EventId::parse(payload.id).map_err(wrong)?,
        kind: payload.kind,
        created_s: payload.created,
        received_s,
        intent: intent.map(IntentId::parse).transpose().map_err(wrong)?,
        marker: object.get("metadata").and_then(|metadata| text(metadata, MARKER)).map(str::to_owned),
        object: object_of(object),
    })
}

fn object_of(object: &Value) -> EventObject {
    let number = |name: &str| object.get(name).and_then(Value::as_i64).unwrap_or_default();
    let owned = |name| text(object, name).unwrap_or_default().to_owned();
    EventObject {
        id: owned("id"),
        amount: number("amount"),
        currency: owned("currency"),
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

    fn event(kind: &str, object: Value) -> Result<EventRecord, Error> {
        let body = json!({"id": "evt_1", "object": "event", "type": kind, "created": 5, "account": "acct_1",
            "livemode": false, "data": {"object": object}});
        parse(body.to_string().as_bytes(), 7)
    }

    #[test]
    fn the_intent_is_the_object_or_is_named_by_it() {
        let payment =
            event("payment_intent.succeeded", json!({"id": "pi_1", "metadata": {"classpay": "ours"}})).unwrap();
        assert_eq!(
            (payment.intent.as_ref().map(IntentId::as_str), payment.marker.as_deref()),
            (Some("pi_1"), Some("ours"))
        );
        for named in [json!("pi_1"), json!({"id": "pi_1"})] {
            let refund = event("refund.created", json!({"id": "re_1", "payment_intent": named})).unwrap();
            assert_eq!(refund.intent.as_ref().map(IntentId::as_str), Some("pi_1"));
            assert_eq!(refund.marker, None);
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
    fn what_is_listed_is_the_account_s_whether_it_says_so_or_not() {
        let account = AccountId::parse("acct_1").unwrap();
        let text = |says: &str| {
            format!(
                r#"{{"id":"evt_1","type":"payment_intent.succeeded","created":5,{says}"data":{{"object":{{"id":"pi_1"}}}}}}"#
            )
        };
        for says in ["", r#""account":"acct_1","#] {
            let read = parse_listed(&text(says), &account, 7).unwrap();
            assert_eq!((read.account.as_str(), read.intent.as_ref().map(IntentId::as_str)), ("acct_1", Some("pi_1")));
        }
        let foreign = parse_listed(&text(r#""account":"acct_2","#), &account, 7);
        assert_eq!(foreign.unwrap_err().code, ErrorCode::WrongType);
    }

    #[test]
    fn a_list_can_be_asked_for_all_that_we_follow() {
        assert!(FOLLOWED_KINDS.iter().all(|kind| Topic::of(kind) != Topic::Other));
        assert!(FOLLOWED_KINDS.len() <= 20, "Stripe takes no more in one call");
    }

    #[test]
    fn a_dispute_brings_what_is_needed_to_post_it() {
        let dispute = json!({"id": "du_1", "amount": 1029, "currency": "gbp", "status": "lost", "charge": "ch_1", "created": 3,
            "payment_intent": "pi_1", "evidence": {"customer_name": "Jo"}});
        let read = event("charge.dispute.closed", dispute).unwrap();
        let expected = EventObject {
            id: "du_1".into(),
            amount: 1029,
            currency: "gbp".into(),
            status: "lost".into(),
            charge: "ch_1".into(),
            created_s: 3,
        };
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

//! Events: changes in the form in which Stripe reports them, and the calls that read them.
//!
//! An event is made with the change that it reports and keeps the object as of that change; its JSON is made when it is
//! read. Only its number of pending deliveries changes later.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::page::{self, List, Listing};
use crate::state::Object;
use crate::{Charge, Customer, Dispute, PaymentIntent, PaymentMethod, Refund, STRIPE_VERSION};

/// Stripe's limit on `types` in one call.
const MOST_TYPES: usize = 20;

/// An object that has events.
pub trait Reported: Object {
    /// The object as it is now.
    fn snapshot(&self) -> Snapshot;
}

macro_rules! reported {
    ($($kind:ident),* $(,)?) => {
        /// An object as it was at an event.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub enum Snapshot {
            $($kind(Box<$kind>),)*
        }

        impl Snapshot {
            pub fn json(&self) -> Value {
                match self {
                    $(Self::$kind(object) => object.json(),)*
                }
            }
        }

        $(impl Reported for $kind {
            fn snapshot(&self) -> Snapshot {
                Snapshot::$kind(Box::new(self.clone()))
            }
        })*
    };
}

reported! { PaymentIntent, Charge, Refund, Dispute, Customer, PaymentMethod }

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    /// The connected account; `None` for the platform's own events.
    pub account: Option<String>,
    pub created: i64,
    pub object: Snapshot,
    /// The object before the change, for an event that says what has changed.
    pub before: Option<Snapshot>,
    /// The number of bytes by which it is larger, as ordered for its account.
    pub padding: usize,
    pub pending_webhooks: i64,
    /// The request that caused it.
    pub request: Option<String>,
    pub idempotency_key: Option<String>,
    pub kind: Cow<'static, str>,
}

impl Object for Event {
    const KIND: &'static str = "event";

    fn json(&self) -> Value {
        let object = self.object.json();
        let mut event = json!({
            "id": self.id, "object": Self::KIND, "livemode": false, "api_version": STRIPE_VERSION, "type": self.kind,
            "created": self.created, "pending_webhooks": self.pending_webhooks,
            "request": { "id": self.request, "idempotency_key": self.idempotency_key },
        });
        if let Some(account) = &self.account {
            event["account"] = account.as_str().into();
        }
        if let Some(before) = self.before.as_ref().map(Snapshot::json) {
            let changed =
                object.as_object().into_iter().flatten().filter(|(field, now)| before[field.as_str()] != **now);
            let previous = changed.map(|(field, _)| (field.clone(), before[field.as_str()].clone()));
            event["data"]["previous_attributes"] = previous.collect::<Map<_, _>>().into();
        }
        event["data"]["object"] = object;
        if self.padding > 0 {
            // The only part of an event in which Stripe's description allows any field.
            event["data"]["previous_attributes"]["padding"] = ".".repeat(self.padding).into();
        }
        event
    }
}

impl Event {
    /// The intent that it is about, if it is about one.
    pub fn intent(&self) -> Option<&str> {
        match &self.object {
            Snapshot::PaymentIntent(intent) => Some(&intent.id),
            Snapshot::Charge(charge) => Some(&charge.payment_intent),
            Snapshot::Refund(refund) => Some(&refund.payment_intent),
            Snapshot::Dispute(dispute) => Some(&dispute.payment_intent),
            Snapshot::Customer(_) | Snapshot::PaymentMethod(_) => None,
        }
    }
}

pub fn list(call: &Call, listing: Listing) -> Result<List<Event>, ApiError> {
    if listing.kind.is_some() && listing.types.is_some() {
        return Err(ApiError::invalid("You may only specify one of these parameters: type, types."));
    }
    if listing.types.as_ref().is_some_and(|types| types.len() > MOST_TYPES) {
        let message = format!("Array must have at most {MOST_TYPES} elements");
        return Err(ApiError::invalid(message).param("types"));
    }
    page::list(call, "/v1/events", listing, |listing, event: &Event| {
        let mut kinds = listing.kind.iter().chain(listing.types.iter().flatten()).peekable();
        let is_any = kinds.peek().is_none() || kinds.any(|pattern| fits(pattern, &event.kind));
        is_any && listing.delivery_success.is_none_or(|done| done == (event.pending_webhooks == 0))
    })
}

/// Whether a type fits a pattern, in which `*` is any text.
pub fn fits(pattern: &str, kind: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == kind,
        Some((start, rest)) => kind.strip_prefix(start).is_some_and(|kind| {
            kind.char_indices().map(|(at, _)| at).chain([kind.len()]).any(|at| fits(rest, &kind[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_is_any_text() {
        for pattern in ["*", "charge.*", "*.updated", "c*e.r*d", "charge.refund.updated"] {
            assert!(fits(pattern, "charge.refund.updated"), "{pattern}");
        }
        for pattern in ["charge", "charge.*.created", "refund.*", "*.d", ""] {
            assert!(!fits(pattern, "charge.refund.updated"), "{pattern}");
        }
    }
}

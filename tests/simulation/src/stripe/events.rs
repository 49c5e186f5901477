//! Events as Stripe sends them: the bytes and their signature.
//!
//! An event shows its object as of the change, and is never modified. The world decides when, how often and in which
//! order events arrive; this module only makes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use classpay_domain::id::{AccountId, CustomerId, EventId, IntentId};
use classpay_service::settlement::event::topic::Topic;
use classpay_service::stripe::{EventPage, EventQuery};
use serde::Serialize;

use super::state::{Payment, Standing, State};
use crate::signature;

/// The API version that the service uses.
const API_VERSION: &str = "2026-09-30.endive";

/// Fewer than Stripe's page size, so that a world reaches a second page.
const EVENTS_PER_PAGE: usize = 8;

/// An event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Stripe's type: `payment_intent.succeeded`.
    pub kind: &'static str,
    /// Its account.
    pub account: AccountId,
    /// Its intent, if it is about one.
    pub intent: Option<IntentId>,
    /// When it happened, in seconds since 1970.
    pub created_s: i64,
    /// The payload. A clone is cheap.
    pub body: Arc<str>,
}

impl Event {
    fn of(
        id: String,
        (account, intent): (&AccountId, Option<&IntentId>),
        kind: &'static str,
        created_s: i64,
        object: impl Serialize,
    ) -> Self {
        let envelope = Envelope {
            id: &id,
            object: "event",
            account: account.as_str(),
            api_version: API_VERSION,
            created: created_s,
            data: Data { object },
            livemode: false,
            kind,
        };
        let body = serde_json::to_string(&envelope).expect("texts and numbers").into();
        Self { id, kind, account: account.clone(), intent: intent.cloned(), created_s, body }
    }

    /// The header `Stripe-Signature` of a delivery at that time, in seconds since 1970. Each delivery is signed anew. A
    /// secret that isn't the endpoint's makes a forged signature.
    #[must_use]
    pub fn signature(&self, secret: &str, now_s: i64) -> String {
        signature(secret, &self.body, now_s)
    }
}

/// The part of a payment that an event shows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown {
    Intent,
    Charge,
    /// The refund at this index.
    Refund(usize),
    /// The dispute at this index.
    Dispute(usize),
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    id: &'a str,
    object: &'static str,
    account: &'a str,
    api_version: &'static str,
    created: i64,
    data: Data<T>,
    livemode: bool,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Data<T> {
    object: T,
}

#[derive(Serialize)]
struct IntentShown<'a> {
    id: &'a str,
    object: &'static str,
    amount: i64,
    amount_capturable: i64,
    amount_received: i64,
    created: i64,
    currency: &'a str,
    customer: &'a str,
    latest_charge: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    status: &'static str,
}

#[derive(Serialize)]
struct ChargeShown<'a> {
    id: &'a str,
    object: &'static str,
    amount: i64,
    amount_captured: i64,
    amount_refunded: i64,
    captured: bool,
    created: i64,
    currency: &'a str,
    disputed: bool,
    metadata: &'a BTreeMap<String, String>,
    payment_intent: &'a str,
    refunded: bool,
    status: &'static str,
}

/// A refund or a dispute.
#[derive(Serialize)]
struct ReturnShown<'a> {
    id: &'a str,
    object: &'static str,
    amount: i64,
    charge: &'a str,
    created: i64,
    currency: &'a str,
    metadata: BTreeMap<String, String>,
    payment_intent: &'a str,
    status: &'a str,
}

#[derive(Serialize)]
struct CustomerShown<'a> {
    id: &'a str,
    object: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Object<'a> {
    Intent(IntentShown<'a>),
    Charge(ChargeShown<'a>),
    Return(ReturnShown<'a>),
}

impl State {
    /// Records an event about a payment.
    pub fn tell(&mut self, at: usize, kind: &'static str, shown: Shown, created_s: i64) {
        if !self.is_told(kind) {
            return;
        }
        let id = self.new_id("evt");
        let payment = &self.payments[at];
        let about = (&self.accounts[payment.account].id, Some(&payment.intent.id));
        let event = Event::of(id, about, kind, created_s, object(payment, shown));
        self.note_event(event);
    }

    fn note_event(&mut self, event: Event) {
        self.told.push(event.clone());
        self.events.push(event);
    }

    /// Records that a customer was created or deleted.
    pub fn tell_of_customer(&mut self, account: usize, customer: &CustomerId, kind: &'static str) {
        if !self.is_told(kind) {
            return;
        }
        let (id, now_s) = (self.new_id("evt"), self.now_s());
        let shown = CustomerShown { id: customer.as_str(), object: "customer" };
        let event = Event::of(id, (&self.accounts[account].id, None), kind, now_s, shown);
        self.note_event(event);
    }

    /// A page of an account's events, newest first. The next page begins after the event that the caller names.
    pub fn list_events(&self, account: usize, query: EventQuery<'_>) -> EventPage {
        let account = &self.accounts[account].id;
        let place = |id: &EventId| self.told.iter().position(|event| event.id == id.as_str());
        let older = &self.told[..query.after.map_or(self.told.len(), |id| place(id).unwrap_or_default())];
        let is_wanted = |event: &&Event| {
            event.account == *account
                && (query.from_s..=query.until_s).contains(&event.created_s)
                && query.kinds.contains(&event.kind)
        };
        let mut wanted = older.iter().rev().filter(is_wanted);
        let page: Vec<_> = wanted.by_ref().take(EVENTS_PER_PAGE).collect();
        let next = page.last().filter(|_| wanted.next().is_some());
        EventPage {
            events: page.iter().map(|event| event.body.to_string()).collect(),
            next: next.map(|event| EventId::parse(event.id.as_str()).expect("a prefix and a number")),
        }
    }

    fn is_told(&self, kind: &str) -> bool {
        self.tells_everything || Topic::of(kind) != Topic::Other
    }
}

fn object(payment: &Payment, shown: Shown) -> Object<'_> {
    let intent = &payment.intent;
    let charge = intent.charge.as_ref();
    let charge_id = charge.map_or("", |charge| charge.id.as_str());
    let back = |(id, object), amount, created, status| {
        Object::Return(ReturnShown {
            id,
            object,
            amount,
            charge: charge_id,
            created,
            currency: &intent.currency,
            metadata: BTreeMap::new(),
            payment_intent: intent.id.as_str(),
            status,
        })
    };
    match shown {
        Shown::Charge => Object::Charge(ChargeShown {
            id: charge_id,
            object: "charge",
            amount: charge.map_or(0, |charge| charge.amount.units()),
            amount_captured: charge.map_or(0, |charge| charge.amount_captured.units()),
            amount_refunded: charge.map_or(0, |charge| charge.amount_refunded.units()),
            captured: matches!(payment.standing, Standing::Pending | Standing::Taken),
            created: charge.map_or(0, |charge| charge.created_s),
            currency: &intent.currency,
            disputed: charge.is_some_and(|charge| charge.disputed),
            metadata: &payment.charge_metadata,
            payment_intent: intent.id.as_str(),
            refunded: charge.is_some_and(|charge| charge.refunded),
            status: match payment.standing {
                Standing::Held | Standing::Taken => "succeeded",
                Standing::Pending => "pending",
                Standing::Failed => "failed",
            },
        }),
        Shown::Refund(at) => {
            let refund = &payment.refunds[at];
            back((&refund.id, "refund"), refund.amount.units(), refund.created_s, &refund.status)
        }
        Shown::Dispute(at) => {
            let dispute = &payment.disputes[at];
            back((&dispute.id, "dispute"), dispute.amount, dispute.created_s, dispute.status.as_str())
        }
        Shown::Intent => Object::Intent(IntentShown {
            id: intent.id.as_str(),
            object: "payment_intent",
            amount: intent.amount.units(),
            amount_capturable: payment.capturable,
            amount_received: intent.amount_received.units(),
            created: payment.created_s,
            currency: &intent.currency,
            customer: payment.customer.as_str(),
            latest_charge: charge.map(|charge| charge.id.as_str()),
            metadata: &payment.metadata,
            status: intent.status.as_str(),
        }),
    }
}

//! Events as Stripe sends them: the bytes and their signature.
//!
//! The world decides when, how often and in which order events arrive.

use std::sync::{Arc, OnceLock};

use classpay_domain::id::{AccountId, EventId, IntentId};
use classpay_service::settlement::event::topic::Topic;
use classpay_service::stripe::{EventPage, EventQuery, StripeError};
use classpay_stripe_model::page::{Between, Created, Listing};
use classpay_stripe_model::{Event as Recorded, Object as _, events};

use super::convert;
use super::state::State;

/// Fewer than Stripe's page size, so that a world reaches a second page.
const EVENTS_PER_PAGE: i64 = 8;

/// An event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Stripe's type: `payment_intent.succeeded`.
    pub kind: String,
    /// Its intent, if it is about one.
    pub intent: Option<IntentId>,
    recorded: Arc<Recorded>,
    /// Made when it is first read. The job reads an account's past again and again.
    body: Arc<OnceLock<String>>,
}

impl Event {
    pub(super) fn of(recorded: Arc<Recorded>) -> Self {
        let intent = recorded.intent().map(|id| IntentId::parse(id).expect("the model's ids are ids"));
        Self { kind: recorded.kind.clone().into_owned(), intent, recorded, body: Arc::default() }
    }

    /// The payload.
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.get_or_init(|| self.recorded.json().to_string())
    }
}

/// Whether our webhook subscribes to events of this type.
pub(super) fn is_followed(event: &Recorded) -> bool {
    Topic::of(&event.kind) != Topic::Other
}

impl State {
    /// A page of an account's events, newest first.
    pub fn list_events(&mut self, account: &AccountId, query: EventQuery<'_>) -> Result<EventPage, StripeError> {
        let (gte, lte) = (Some(query.from_s), Some(query.until_s));
        let listing = Listing {
            created: Some(Created::Between(Between { gte, lte, ..Between::default() })),
            limit: Some(EVENTS_PER_PAGE),
            starting_after: query.after.map(|event| event.as_str().to_owned()),
            types: Some(query.kinds.iter().map(|kind| (*kind).to_owned()).collect()),
            ..Listing::default()
        };
        let list = self.call(account.as_str(), |call| events::list(call, listing));
        let list = list.map_err(convert::error)?;
        let last = list.data.last().filter(|_| list.has_more);
        Ok(EventPage {
            events: list.data.iter().map(|event| self.followed[&event.id].body().to_owned()).collect(),
            next: last.map(|event| EventId::parse(event.id.as_str()).expect("the model's ids are ids")),
        })
    }
}

//! Stripe's events: kept until they are acted on.
//!
//! Invariant: an event is put once, before it is answered with 200. An unfinished event is in the index, and only
//! finishing removes it. Of the body we keep only what is needed, because it names people.

use classpay_domain::id::{AccountId, CompanyId, EventId, IntentId};
use classpay_domain::order::IntentStatus;
use serde::{Deserialize, Serialize};

use super::item::{Attributes, Item, Read as _, document};
use super::key;
use super::lane::Lane;
use super::payments::Session;
use super::table::Commit;
use super::write::{Guard, Write};
use super::{Store, StoreError};
use crate::catalogue::documents::CompanyDoc;
use crate::stripe::Intent;

/// How long after its arrival an unfinished event is visited.
const EVENT_DUE_AFTER_S: i64 = 2 * 60;
/// How long a finished event is kept: Stripe repeats events for three days.
const EVENT_LIFE_S: i64 = 30 * 24 * 60 * 60;

/// The parts of an event that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// The connected account that it concerns.
    pub account: AccountId,
    /// Stripe's id.
    pub id: EventId,
    /// Stripe's event type.
    pub kind: String,
    /// When it happened, in seconds since 1970.
    pub created_s: i64,
    /// When it first arrived, in seconds since 1970.
    pub received_s: i64,
    /// The intent that it concerns.
    pub intent: Option<IntentId>,
    /// The deployment that the payload names. It proves nothing.
    pub marker: Option<String>,
    /// The object that it concerns, as it was at the time.
    pub object: EventObject,
}

/// The refund or dispute in an event. Of other objects only the id is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventObject {
    /// Stripe's id.
    pub id: String,
    /// Minor units.
    pub amount: i64,
    /// The amount's currency, as Stripe writes it; empty: an earlier version stored the event.
    #[serde(default)]
    pub currency: String,
    /// Stripe's word.
    pub status: String,
    /// The charge that it concerns.
    pub charge: String,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
}

/// What an event reports about an intent that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// A card is held.
    Held,
    /// It is paid.
    Received,
}

/// The result of storing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It must be acted on: it is new, or is not finished since an earlier arrival.
    Unfinished,
    /// It arrived before, and is finished.
    Finished,
}

impl Store {
    /// Stores an event unless it is stored already, and puts it into the index if there is something to do about it.
    ///
    /// # Errors
    /// [`StoreError`] if the event may not be stored.
    pub async fn put_event(&self, event: &EventRecord, to_do: bool) -> Result<Put, StoreError> {
        let item = event_item(event);
        let (item, put) = if to_do {
            let due_s = event.received_s.saturating_add(EVENT_DUE_AFTER_S);
            (item.text("event_state", "kept").due_at(Lane::Wait, due_s), Put::Unfinished)
        } else {
            (item.text("event_state", "finished").number("ttl", forgotten_s(event)), Put::Finished)
        };
        match self.transact(Write::create(item)).await? {
            Commit::Done => Ok(put),
            Commit::ConditionFailed | Commit::Contended | Commit::Unknown => {
                let found = self.get(&key::event(&event.account, &event.id)).await?;
                let found = found.ok_or(StoreError::Unavailable)?;
                Ok(if found.contains_key("gsi1pk") { Put::Unfinished } else { Put::Finished })
            }
        }
    }

    /// Takes an event out of the index: it is fully acted on.
    pub async fn finish_event(&self, event: &EventRecord) -> Result<Commit, StoreError> {
        let finished = Write::edit(key::event(&event.account, &event.id))
            .set("event_state", "finished")
            .set("ttl", forgotten_s(event))
            .leave_index()
            .when(Guard::Present("gsi1pk"));
        self.transact(finished).await
    }

    /// Records on a session what Stripe says about its intent, and since when money is known to be received for it.
    /// [`Commit::ConditionFailed`]: the session is finished.
    pub async fn note_intent(&self, session: &Session, intent: &Intent, now_s: i64) -> Result<Commit, StoreError> {
        // What is held or processing is visited, and measured, before what nobody has authorised.
        let lane = match intent.status {
            IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded => Lane::Pay,
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::Canceled => Lane::Wait,
        };
        let noted = note_status(session, intent.status, lane);
        let noted = match &intent.charge {
            Some(charge) if intent.status == IntentStatus::RequiresCapture => noted
                .set("authorised_s", charge.created_s)
                .set("held_amount", intent.amount.units())
                .set("held_currency", intent.currency.as_str()),
            Some(_) | None if intent.status == IntentStatus::Succeeded => noted.set_if_missing("received_s", now_s),
            Some(_) | None => noted,
        };
        self.transact(noted).await
    }

    /// Records on a session what an event has reported while Stripe refuses to show the intent: that a card is held for
    /// it, or that it is paid, since then, in seconds since 1970. [`Commit::ConditionFailed`]: the session is finished,
    /// or more is known.
    pub async fn note_reported(
        &self,
        session: &Session,
        reported: Reported,
        since_s: i64,
    ) -> Result<Commit, StoreError> {
        let noted = match reported {
            Reported::Held => note_status(session, IntentStatus::RequiresCapture, Lane::Pay)
                .set("authorised_s", since_s)
                .when(Guard::Missing("authorised_s")),
            Reported::Received => note_status(session, IntentStatus::Succeeded, Lane::Pay).set("received_s", since_s),
        };
        let cancelled = IntentStatus::Canceled.as_str();
        let is_unknown = Guard::Missing("received_s")
            .and(Guard::Missing("intent_status").or(Guard::is_not("intent_status", cancelled)));
        self.transact(noted.when(is_unknown)).await
    }

    /// The time zone of a company.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached or lacks the company.
    pub async fn load_timezone(&self, company: &CompanyId) -> Result<String, StoreError> {
        let item = self.get(&key::company(company)).await?.ok_or(StoreError::Corrupt("company"))?;
        Ok(item.document::<CompanyDoc>("doc")?.settings.general.timezone)
    }
}

/// Records on an open session its intent's status, and the lane that follows from it.
fn note_status(session: &Session, status: IntentStatus, lane: Lane) -> Write {
    let key = key::session(&session.account, &session.intent);
    let lane = lane.shard_of(&key);
    Write::edit(key).set("intent_status", status.as_str()).set("gsi1pk", lane).when(Guard::is("session_state", "open"))
}

fn event_item(event: &EventRecord) -> Item {
    Item::at(&key::event(&event.account, &event.id))
        .text("account", event.account.as_str())
        .text("event_id", event.id.as_str())
        .text("event_type", &event.kind)
        .text_if("intent", event.intent.as_ref().map(IntentId::as_str))
        .number("created_s", event.created_s)
        .number("received_s", event.received_s)
        .text_if("marker", event.marker.as_deref())
        .text("doc", document(&event.object))
}

fn forgotten_s(event: &EventRecord) -> i64 {
    event.received_s.saturating_add(EVENT_LIFE_S)
}

pub(super) fn event_of(item: &Attributes) -> Result<EventRecord, StoreError> {
    Ok(EventRecord {
        account: item.parsed("account")?,
        id: item.parsed("event_id")?,
        kind: item.text("event_type")?.to_owned(),
        created_s: item.number("created_s")?,
        received_s: item.number("received_s")?,
        intent: item.text_if("intent").map(str::parse).transpose().map_err(|_| StoreError::Corrupt("intent"))?,
        marker: item.text_if("marker").map(str::to_owned),
        object: item.document("doc")?,
    })
}

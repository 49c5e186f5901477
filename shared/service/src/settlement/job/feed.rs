//! Reads an account's events from Stripe since the last read, and handles those that no webhook has delivered.
//!
//! Invariant: a time span is passed only when each of its events is stored, by the webhook or by this module, and each
//! is handled as the webhook would. A disconnected account is asked again each hour, because it may come back, and its
//! feed never ends.

use classpay_domain::id::AccountId;

use super::plan::LATER_S;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::settlement::event::take_in;
use crate::settlement::event::topic::{FOLLOWED_KINDS, parse_listed};
use crate::store::{Commit, EventRecord, Feed, key, lane};
use crate::stripe::EventQuery;

/// How much of the last span is read again: an event may be listed later than its own timestamp.
const OVERLAP_S: i64 = 60 * 60;
/// The length of one span. One run might not get through more than a day of a studio's events.
const SPAN_S: i64 = 24 * 60 * 60;
/// How far back Stripe lists events.
const REACH_S: i64 = 30 * 24 * 60 * 60;

/// Reads an account's events up to now, span by span, while there is time.
pub(super) async fn read(ctx: &Context, feed: Feed, deadline: Deadline) {
    let account = feed.account.clone();
    let Err(error) = catch_up(ctx, feed, deadline).await else { return };
    let cause = error.cause.as_deref();
    tracing::warn!(account = account.as_str(), %error, cause, "events of an account not read");
}

async fn catch_up(ctx: &Context, mut feed: Feed, deadline: Deadline) -> Result<(), Error> {
    loop {
        let now_s = ctx.clock.now_s();
        let since_s = feed.read_s.max(now_s.saturating_sub(REACH_S));
        let until_s = now_s.min(since_s.saturating_add(SPAN_S));
        let span = (since_s.saturating_sub(OVERLAP_S), until_s);
        let missed = match missed(ctx, &feed.account, span, deadline).await {
            Err(error) if error.code == ErrorCode::StripeMisconfigured => {
                ctx.store.reschedule(&key::feed(&feed.account), &feed.due, now_s.saturating_add(LATER_S)).await?;
                return Err(error);
            }
            missed => missed?,
        };
        let count = missed.len();
        for event in missed {
            if deadline.is_near() {
                return Err(out_of_time());
            }
            take_in(ctx, &event, deadline).await?;
        }
        if count > 0 {
            tracing::info!(account = feed.account.as_str(), count, "received events that no webhook delivered");
        }
        let is_up_to_date = until_s >= now_s;
        let next_s = if is_up_to_date { now_s.saturating_add(LATER_S) } else { now_s };
        let written = ctx.store.note_read(&feed, until_s, next_s).await?;
        if is_up_to_date || written != Commit::Done {
            return Ok(());
        }
        feed = Feed { read_s: until_s, due: lane::job_due(next_s), ..feed };
    }
}

/// The events of the span that Stripe lists and that are not stored, oldest first.
async fn missed(
    ctx: &Context,
    account: &AccountId,
    (from_s, until_s): (i64, i64),
    deadline: Deadline,
) -> Result<Vec<EventRecord>, Error> {
    let mut missed = Vec::new();
    let mut next = None;
    loop {
        if deadline.is_near() {
            return Err(out_of_time());
        }
        let stripe = ctx.stripe()?.within(deadline.for_stripe());
        let query = EventQuery { from_s, until_s, kinds: &FOLLOWED_KINDS, after: next.as_ref() };
        let page = stripe.list_events(account, query).await?;
        let listed = page.events.iter().filter_map(|text| listed(text, account, ctx.clock.now_s())).collect();
        missed.extend(ctx.store.never_put(listed).await?);
        next = page.next;
        if next.is_none() {
            missed.reverse();
            return Ok(missed);
        }
    }
}

/// An unreadable event must not block those after it.
fn listed(text: &str, account: &AccountId, now_s: i64) -> Option<EventRecord> {
    let read = parse_listed(text, account, now_s);
    read.inspect_err(|error| tracing::error!(account = account.as_str(), %error, "listed event not readable")).ok()
}

fn out_of_time() -> Error {
    Error::from(ErrorCode::Unavailable).because("no time was left to read all events")
}

//! The road of a basket: claim and reserve (P1), capture, post (P2); or reject with the claim first.
//!
//! Invariant: nothing is captured before P1 is written, and nothing is refused with "released" before Stripe says
//! `canceled`. A refusal is given only after the claim was read again: a rival may have bought this very basket.

mod order;
mod paid;
mod unpaid;

use classpay_domain::basket::Basket;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{IntentId, OrderId};
use classpay_domain::pricing::Buyer;
use jiff::civil::DateTime;

use crate::basket::is_too_large;
use crate::clock::local_time;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::scope::{FamilyScope, Role};
use crate::settle::Outcome;
use crate::store::key::{self, Key};
use crate::store::{IdempotencyRecord, LoadedStudio};
use crate::telemetry;

pub use order::price;

/// How often a call begins anew because somebody was faster. Each time somebody else has got on.
const MAX_ROUNDS: usize = 8;
/// The route that idempotency keys of a checkout belong to.
const ROUTE: &str = "basket-checkout";

/// A checkout that was asked for.
#[derive(Debug, Clone)]
pub struct CheckoutRequest {
    /// Whose basket.
    pub scope: FamilyScope,
    /// What is in it.
    pub basket: Basket,
    /// What pays it; `None`: nothing is to be collected now.
    pub intent: Option<IntentId>,
    /// The hash of the quote that the payer saw, if the caller says it.
    pub quote_hash: Option<String>,
    /// The caller's idempotency key and the SHA-256 of the body, in hex.
    pub idempotency: Option<(String, String)>,
}

/// An answer, and whether it is that of an earlier call with the same idempotency key.
#[derive(Debug)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it had ended before this call.
    pub replayed: bool,
}

/// What a round comes to.
enum Round {
    /// It is over.
    Over(Answer),
    /// Somebody was faster: look again.
    Again,
    /// Something was sent for this order and its reply was lost: look again, and from now on refuse nothing for lack of an
    /// answer.
    Unknown(OrderId),
}

/// Takes a basket down the road, as far as it gets.
///
/// # Errors
/// The refusal, before anything was changed or after what was authorised has been released; or `unavailable`
/// if nothing was sent that changes something.
pub async fn checkout(ctx: &Context, request: &CheckoutRequest, deadline: Deadline) -> Result<Answer, Error> {
    if let Some(intent) = &request.intent {
        telemetry::about_intent(intent);
    }
    // The order for which something was sent that changes something: then a failure of ours is no longer a refusal.
    let mut sent = None;
    for _ in 0..MAX_ROUNDS {
        if deadline.is_near() {
            break;
        }
        let round = match &request.intent {
            Some(intent) => paid::round(ctx, request, intent, sent.is_some(), deadline).await,
            None if is_too_large(&request.basket) => return Err(ErrorCode::BasketTooLarge.into()),
            None => unpaid::round(ctx, request).await,
        };
        match round {
            Ok(Round::Over(answer)) => return Ok(answer),
            Ok(Round::Again) => {}
            Ok(Round::Unknown(order)) => sent = Some(order),
            Err(error) if error.is_refusal() || sent.is_none() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "nothing can be read, and something was sent");
                break;
            }
        }
    }
    match sent {
        None => Err(Error::from(ErrorCode::Unavailable).because("rivals were faster every time")),
        Some(order) => Ok(Answer { outcome: Outcome::Pending(order), replayed: false }),
    }
}

impl CheckoutRequest {
    fn buyer(&self) -> Buyer {
        buyer(&self.scope)
    }

    fn idempotency_key(&self) -> Option<(Key, &str)> {
        let (header, fingerprint) = self.idempotency.as_ref()?;
        let key = key::idempotency(&self.scope.company, &self.scope.family, ROUTE, header);
        Some((key, fingerprint))
    }

    /// Looks at what the idempotency key was used for: the order that it led to, if it counts.
    fn earlier_call(&self, record: Option<&IdempotencyRecord>, now_s: i64) -> Result<Option<OrderId>, Error> {
        let (Some(record), Some((_, fingerprint))) = (record, &self.idempotency) else { return Ok(None) };
        if record.expires_s < now_s {
            return Ok(None);
        }
        if record.fingerprint != *fingerprint {
            return Err(ErrorCode::IdempotencyKeyReused.into());
        }
        record.order.clone().map(Some).ok_or(ErrorCode::IdempotencyInProgress.into())
    }
}

/// The SHA-256 of a body, in hex, by which the same key with another body is recognised.
#[must_use]
pub fn body_fingerprint(body: &str) -> String {
    let mut digest = Fingerprint::new("body");
    digest.text(body);
    digest.finish_hex()
}

/// Who buys, by the caller's role.
#[must_use]
pub fn buyer(scope: &FamilyScope) -> Buyer {
    match scope.role {
        Role::Family => Buyer::Family,
        Role::Staff => Buyer::Staff,
    }
}

/// The company's local date and time.
///
/// # Errors
/// `internal` if the company's time zone isn't one; the import refuses that.
pub fn local_now(ctx: &Context, loaded: &LoadedStudio) -> Result<DateTime, Error> {
    local_at(ctx.clock.now_s(), loaded)
}

/// The company's local time at an instant, in seconds since 1970.
fn local_at(instant_s: i64, loaded: &LoadedStudio) -> Result<DateTime, Error> {
    Ok(local_time(instant_s, &loaded.studio.company.timezone)?)
}

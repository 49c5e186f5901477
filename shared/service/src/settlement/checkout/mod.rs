//! From a basket to P1: price it, then claim its intent and reserve its places in one write. A basket that can't be
//! bought is rejected, with the claim first.
//!
//! Invariant: nothing is captured before P1 is written. A refusal is given only after the claim is read again, because
//! another call may have bought this very basket.

mod paid;
mod zero_due;

use classpay_domain::basket::Basket;
use classpay_domain::id::{IntentId, OrderId};

use crate::basket::is_too_large;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::scope::FamilyScope;
use crate::settlement::Outcome;
use crate::settlement::rounds::Rounds;
use crate::store::IdempotencyRecord;
use crate::store::key::{self, Key};
use crate::telemetry;

/// The route that idempotency keys of a checkout belong to.
const ROUTE: &str = "basket-checkout";

/// A checkout request.
#[derive(Debug, Clone)]
pub struct CheckoutRequest {
    /// The family whose basket it is.
    pub scope: FamilyScope,
    /// What is in it.
    pub basket: Basket,
    /// The intent that pays for it; `None`: nothing is due now.
    pub intent: Option<IntentId>,
    /// The hash of the quote that the payer saw, if the caller sent it.
    pub quote_hash: Option<String>,
    /// The caller's idempotency key and the SHA-256 of the body, in hex.
    pub idempotency: Option<(String, String)>,
}

/// An answer, and whether it repeats that of an earlier call with the same idempotency key.
#[derive(Debug)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it had ended before this call.
    pub replayed: bool,
}

impl Answer {
    /// The outcome of this call.
    fn new(outcome: Outcome) -> Self {
        Self { outcome, replayed: false }
    }
}

/// Checks out a basket, as far as possible before the deadline.
///
/// # Errors
/// The refusal, given before anything changed or after the authorised amount was released; `unavailable` if no change
/// was sent.
pub async fn checkout(ctx: &Context, request: &CheckoutRequest, deadline: Deadline) -> Result<Answer, Error> {
    if let Some(intent) = &request.intent {
        telemetry::about_intent(intent);
    }
    let mut rounds = Rounds::until(deadline);
    while rounds.another() {
        let round = match &request.intent {
            Some(intent) => paid::round(ctx, request, intent, rounds.was_sent(), deadline).await,
            None if is_too_large(&request.basket) => return Err(ErrorCode::BasketTooLarge.into()),
            None => zero_due::round(ctx, request).await,
        };
        if let Some(answer) = rounds.judge(round) {
            return answer;
        }
    }
    rounds.give_up().map(|order| Answer::new(Outcome::Pending(order)))
}

impl CheckoutRequest {
    fn idempotency_key(&self) -> Option<(Key, &str)> {
        let (header, fingerprint) = self.idempotency.as_ref()?;
        let key = key::idempotency(&self.scope.company, &self.scope.family, ROUTE, header);
        Some((key, fingerprint))
    }

    /// The order that an earlier call with the idempotency key led to, if the record still counts.
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

//! A payment captured outside this service, after its intent was rejected or before anything was booked for it: the
//! family has paid, so it gets a credit, and a person is notified.
//!
//! Invariant: a credit is posted only for an intent that Stripe reports as `succeeded` and that no order has claimed,
//! and once per intent: the credit's id is derived from the intent's, and the claim ends in the same transaction. A
//! payment that can't be credited is put up for review, and stays unfinished until it is credited or given back.

use classpay_domain::basket::Basket;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{OrderId, TransactionId};
use classpay_domain::ledger::payment_credit;
use classpay_domain::money::Money;
use classpay_domain::order::order_of_intent;

use crate::aggregate::{AggregateTransaction, Ledger};
use crate::context::Context;
use crate::error::{Error, ErrorCode};
use crate::quoting::local_now;
use crate::store::{Commit, ReviewReason, Session, StoreError, UnallocatedCredit};
use crate::stripe::{Charge, Intent};
use crate::telemetry::{self, Count};

/// Credits what Stripe has received for an intent that no order takes. Money in another currency can't be the family's
/// credit, and some payments can never be credited: a person gives them back at Stripe, and that ends them. Any other
/// failure is left to the settlement job.
pub async fn credit(ctx: &Context, session: &Session, intent: &Intent) {
    let order = &order_of_intent(&session.account, &session.intent);
    if intent.currency != session.currency.code() {
        let reason = ReviewReason::CurrencyDiffers(order, intent.amount_received, &intent.currency);
        return put_before_a_person(ctx, session, intent, &reason).await;
    }
    let Err(error) = credit_received(ctx, session, order, intent.amount_received).await else { return };
    let cause = error.cause.as_deref();
    tracing::error!(order = order.as_str(), %error, cause, "payment without an order not credited");
    if !error.retryable() {
        note_unpostable(ctx, session, intent).await;
    }
}

/// Puts up for review a received payment that can't be posted for a lasting reason, unless all of it was given back.
pub(crate) async fn note_unpostable(ctx: &Context, session: &Session, intent: &Intent) {
    let order = order_of_intent(&session.account, &session.intent);
    put_before_a_person(ctx, session, intent, &ReviewReason::CreditUnpostable(&order, &session.intent)).await;
}

/// Puts an uncredited payment up for review. It is over once all of it was given back.
async fn put_before_a_person(ctx: &Context, session: &Session, intent: &Intent, reason: &ReviewReason<'_>) {
    let given_back = intent.charge.as_ref().map_or(Money::ZERO, Charge::given_back);
    let may_fail = intent.charge.as_ref().is_some_and(Charge::is_refund_pending);
    let ended = if given_back == intent.amount_received && !may_fail {
        end_without_credit(ctx, session).await
    } else {
        ctx.store.note_for_review(&session.company, reason, ctx.clock.now_s()).await
    };
    let (order, currency) = (reason.record(), intent.currency.as_str());
    match ended {
        Ok(()) => tracing::error!(order, reason = reason.name(), currency, "received payment not credited"),
        Err(error) => tracing::error!(order, %error, "received payment not put up for review"),
    }
}

/// Ends a payment that adds nothing to the ledger: it is rejected, and the rejection is finished.
pub(crate) async fn end_without_credit(ctx: &Context, session: &Session) -> Result<(), StoreError> {
    let nothing = Basket::new(Vec::new(), Vec::new()).hash(&session.company, &session.family);
    let refusal = ErrorCode::PaymentAlreadyCaptured.into();
    ctx.store.reject(session, nothing.as_str(), &refusal, ctx.clock.now_s()).await?;
    ctx.store.note_given_back(&session.account, &session.intent).await.map(|_| ())
}

/// Credits an amount in the session's currency.
async fn credit_received(ctx: &Context, session: &Session, order: &OrderId, received: Money) -> Result<(), Error> {
    match try_credit(ctx, session, order, received).await? {
        Commit::Done => {
            telemetry::count(Count::PaymentsUnallocated);
            tracing::error!(order = order.as_str(), "payment without an order credited; needs manual review");
        }
        Commit::ConditionFailed | Commit::Contended | Commit::Unknown => {
            tracing::warn!(order = order.as_str(), "payment without an order not credited by this call");
        }
    }
    Ok(())
}

async fn try_credit(ctx: &Context, session: &Session, order: &OrderId, received: Money) -> Result<Commit, Error> {
    let nothing = Basket::new(Vec::new(), Vec::new());
    let loaded = ctx.store.load_current_studio(&session.scope(), &nothing).await?.ok_or_else(Error::not_found)?;
    let on = local_now(ctx, &loaded)?.date();
    let entry = payment_credit(on, received, Money::ZERO).map_err(|_| Error::internal("the sums overflow"))?;
    let (company, family) = (&session.company, &session.family);
    let ledger = Ledger { company, family, family_name: &loaded.studio.family.name, order: None };
    let credit: AggregateTransaction =
        ledger.derived(&entry, &credit_id(session), None).map_err(|_| Error::internal("the sums overflow"))?;
    let found = UnallocatedCredit {
        session,
        order,
        credit: &credit,
        // No checkout has an empty basket, so none mistakes this claim for its own.
        basket: &nothing.hash(company, family),
        refusal: &ErrorCode::PaymentAlreadyCaptured.into(),
        now_s: ctx.clock.now_s(),
    };
    Ok(ctx.store.credit_unallocated(&found).await?)
}

/// The id of a session's credit: every call that credits the intent, or looks for the credit, derives the same id. Its
/// timestamp is the session's, so that the ledger stays in order.
#[must_use]
pub fn credit_id(session: &Session) -> TransactionId {
    let mut digest = Fingerprint::new("unallocated");
    digest.text(order_of_intent(&session.account, &session.intent).as_str());
    TransactionId::with_positions(digest.finish_ulid(session.created_s.saturating_mul(1000)))
}

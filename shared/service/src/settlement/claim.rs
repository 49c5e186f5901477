//! Follows the claim of an intent, the record that decides what its payment is for or that it is for nothing; and
//! continues after the write that made it. Baskets and links work the same way.

use classpay_domain::order::order_of_intent;

use super::drive::{release_rejected, settle};
use super::outcome::{IntentView, Outcome, Settled};
use super::rounds::Round;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::store::{Commit, Decision, OrderRecord, Session, StoreError};
use crate::stripe::Intent;

/// Continues with an earlier decision. Stripe is asked again only if the intent was not `just_read`.
///
/// # Errors
/// [`Error`] if the order can't be read.
pub async fn follow(
    ctx: &Context,
    session: &Session,
    decision: &Decision,
    just_read: Option<Intent>,
    deadline: Deadline,
) -> Result<Settled, Error> {
    Ok(match decision {
        Decision::Order(id) => {
            let order = ctx.store.load_named_order(id).await?;
            settle(ctx, order, just_read.map(IntentView::from), deadline).await
        }
        Decision::Rejected { refusal, state } => match state.refusal(refusal) {
            Some(refusal) => Outcome::Refused(refusal).into(),
            None => release_rejected(ctx, session, refusal.clone(), deadline).await.into(),
        },
    })
}

/// Continues after the write that claims an intent for an order. An order that the table permanently refuses should not
/// have been priced: it is rejected with `unwritable`, and put up for review.
pub(super) async fn after_placing(
    ctx: &Context,
    written: Result<Commit, StoreError>,
    order: OrderRecord,
    session: &Session,
    view: IntentView,
    unwritable: ErrorCode,
    deadline: Deadline,
) -> Result<Round<Settled>, Error> {
    match written {
        Err(StoreError::Unwritable) => {
            let (claimed_for, refusal) = (&order.snapshot.basket, Error::from(unwritable));
            let written = ctx.store.reject_unwritable(session, claimed_for, &refusal, ctx.clock.now_s()).await?;
            after_rejecting(ctx, written, session, refusal, deadline).await
        }
        Err(error) => Err(error.into()),
        Ok(Commit::ConditionFailed | Commit::Contended) => Ok(Round::Again),
        Ok(Commit::Unknown) => Ok(Round::Sent(order.id)),
        Ok(Commit::Done) => Ok(Round::Over(settle(ctx, order, Some(view), deadline).await)),
    }
}

/// Continues after the write that claims an intent as rejected: cancels it, and only then gives the refusal.
pub(super) async fn after_rejecting(
    ctx: &Context,
    written: Commit,
    session: &Session,
    refusal: Error,
    deadline: Deadline,
) -> Result<Round<Settled>, Error> {
    Ok(match written {
        Commit::ConditionFailed | Commit::Contended => Round::Again,
        Commit::Unknown => Round::Sent(order_of_intent(&session.account, &session.intent)),
        Commit::Done => Round::Over(release_rejected(ctx, session, refusal, deadline).await.into()),
    })
}

//! Orders on an account that is out of our reach.
//!
//! Invariant: nothing is concluded about the money: whether it was taken is to be seen in that account only.

use crate::context::{Context, Deadline};
use crate::machine::Machine;
use crate::snapshot::OrderPayment;
use crate::store::OrderRecord;
use crate::stripe::{Payments as _, StripeError};

/// Puts an order before a person whose account the company has left and that refuses us for good: nobody can say here
/// whether it was paid.
pub(super) async fn report<M: Machine>(ctx: &Context<M>, order: &OrderRecord, deadline: Deadline) {
    let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else { return };
    let OrderPayment { account, intent, .. } = payment;
    let error = match stripe.within(deadline.for_stripe()).load_intent(account, intent).await {
        Ok(Some(_)) => return,
        Ok(None) => StripeError::missing(),
        Err(error) => error,
    };
    let named = ctx.store.load_account(&order.snapshot.company).await;
    if !error.is_of_a_lost_account() || named.is_err() || named.is_ok_and(|named| named.as_ref() == Some(account)) {
        return;
    }
    tracing::error!(order = order.id.as_str(), %error, "an order's account is lost");
    let why = format!("order {} is pending on {account}, which the studio has left and which refuses us", order.id);
    if let Err(error) = ctx.store.mark_for_review(order, &why, ctx.clock.now_s()).await {
        tracing::error!(order = order.id.as_str(), %error, "the review record was not written");
    }
}

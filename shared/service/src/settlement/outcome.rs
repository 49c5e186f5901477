//! How far an order or an intent has got, and what is known about it.
//!
//! An unknown outcome is [`Outcome::Pending`], never a refusal.

use classpay_domain::id::OrderId;
use classpay_domain::money::Money;
use classpay_domain::order::{IntentFacts, IntentStatus};

use crate::aggregate::AggregateTransaction;
use crate::context::Context;
use crate::error::{Error, ErrorCode};
use crate::store::{Authorisation, OrderRecord, StoreError};
use crate::stripe::Intent;

/// How an order or an intent ended, if it has.
#[derive(Debug)]
pub enum Outcome {
    /// Posted: the debits, then the credit.
    Completed(Vec<AggregateTransaction>),
    /// Void and released.
    Refused(Error),
    /// Not yet known.
    Pending(OrderId),
}

impl Outcome {
    /// The answer of a cancelled order. It says "released" only if Stripe reported `canceled`, not if a person ended
    /// the order.
    #[must_use]
    pub fn of_cancelled(order: &OrderRecord) -> Self {
        Self::Refused(match (&order.credit, order.resolved) {
            (Some(_), _) => ErrorCode::PaymentAlreadyCaptured.into(),
            (None, Some(_)) => ErrorCode::PaymentCancelled.into(),
            (None, None) => Error::from(ErrorCode::PaymentCancelled).released(),
        })
    }
}

/// What is known about an order's intent, so that Stripe isn't asked again.
#[derive(Debug, Clone)]
pub enum IntentView {
    /// Just read from Stripe.
    Live(Box<Intent>),
    /// Reported by an event. It can only have been captured or cancelled since: then the capture is refused, and Stripe
    /// is asked.
    FromEvent(Authorisation),
}

impl IntentView {
    pub(crate) fn facts(&self) -> IntentFacts {
        match self {
            Self::Live(intent) => intent.facts(),
            Self::FromEvent(held) => {
                IntentFacts { status: IntentStatus::RequiresCapture, amount: held.amount, received: Money::ZERO }
            }
        }
    }

    /// In lower case: `gbp`.
    pub(crate) fn currency(&self) -> &str {
        match self {
            Self::Live(intent) => &intent.currency,
            Self::FromEvent(held) => &held.currency,
        }
    }

    /// When the payer authorised it, in seconds since 1970, if Stripe reported it.
    pub(super) fn charged_s(&self) -> Option<i64> {
        match self {
            Self::Live(intent) => intent.charge.as_ref().map(|charge| charge.created_s),
            Self::FromEvent(_) => None,
        }
    }
}

impl From<Intent> for IntentView {
    fn from(intent: Intent) -> Self {
        Self::Live(Box::new(intent))
    }
}

/// An order as far as it was settled.
#[derive(Debug)]
pub struct Settled {
    /// How it ended, if it has.
    pub outcome: Outcome,
    /// The intent as Stripe last reported it to this call, if it did.
    pub intent: Option<Box<Intent>>,
}

/// An outcome that was reached without Stripe.
impl From<Outcome> for Settled {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, intent: None }
    }
}

/// What a completed order has posted: its own transactions or, if a person resolved it, the credit of what was
/// received.
pub async fn posted(ctx: &Context, order: &OrderRecord) -> Result<Vec<AggregateTransaction>, StoreError> {
    let planned = order.snapshot.transactions();
    if order.resolved.is_none() {
        return Ok(planned);
    }
    let credit = ctx.store.load_resolved_credit(order).await?;
    Ok(planned.into_iter().filter(AggregateTransaction::is_debit).chain(credit).collect())
}

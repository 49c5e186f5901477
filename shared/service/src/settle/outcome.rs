//! How far an order or an intent has got, and what is known of it.
//!
//! Invariant: what isn't known is [`Outcome::Pending`], never a refusal.

use classpay_domain::id::OrderId;
use classpay_domain::money::Money;
use classpay_domain::order::{IntentFacts, IntentStatus};

use crate::aggregate::AggregateTransaction;
use crate::error::{Error, ErrorCode};
use crate::store::{Held, OrderRecord};
use crate::stripe::Intent;

/// How an order or an intent ended, as far as it has.
#[derive(Debug)]
pub enum Outcome {
    /// Posted: the debits, then the credit.
    Completed(Vec<AggregateTransaction>),
    /// Void, and given back.
    Refused(Error),
    /// Not yet known.
    Pending(OrderId),
}

impl Outcome {
    /// The answer of a cancelled order. It says "released" only where Stripe has said `canceled`, not where a person has ended
    /// the order.
    pub(crate) fn of_cancelled(order: &OrderRecord) -> Self {
        Self::Refused(match (&order.credit, order.resolved) {
            (Some(_), _) => ErrorCode::PaymentAlreadyCaptured.into(),
            (None, Some(_)) => ErrorCode::PaymentCancelled.into(),
            (None, None) => Error::from(ErrorCode::PaymentCancelled).released(),
        })
    }
}

/// What is known of an order's intent, so that Stripe isn't asked again.
#[derive(Debug, Clone)]
pub enum Known {
    /// Stripe has just said it.
    Read(Box<Intent>),
    /// An event has brought it. It may have been captured or cancelled since, and nothing else: then the capture is
    /// refused, and Stripe is asked.
    Held(Held),
}

impl Known {
    pub(crate) fn facts(&self) -> IntentFacts {
        match self {
            Self::Read(intent) => intent.facts(),
            Self::Held(held) => {
                IntentFacts { status: IntentStatus::RequiresCapture, amount: held.amount, received: Money::ZERO }
            }
        }
    }

    /// In lower case: `gbp`.
    pub(crate) fn currency(&self) -> &str {
        match self {
            Self::Read(intent) => &intent.currency,
            Self::Held(held) => &held.currency,
        }
    }

    /// When the payer authorised it, if Stripe has said so.
    pub(super) fn charged_s(&self) -> Option<i64> {
        match self {
            Self::Read(intent) => intent.charge.as_ref().map(|charge| charge.created_s),
            Self::Held(_) => None,
        }
    }
}

impl From<Intent> for Known {
    fn from(intent: Intent) -> Self {
        Self::Read(Box::new(intent))
    }
}

/// An order as far as it was settled.
#[derive(Debug)]
pub struct Settled {
    /// How it ended, if it has.
    pub outcome: Outcome,
    /// The intent as Stripe has said it last, if this call was told.
    pub intent: Option<Box<Intent>>,
}

/// What ended without Stripe.
impl From<Outcome> for Settled {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, intent: None }
    }
}

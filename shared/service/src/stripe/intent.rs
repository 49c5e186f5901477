//! A payment at Stripe, in our own types.
//!
//! Invariant: an [`Intent`] is made from a complete answer or not at all. With an unknown status or an invalid id, the
//! outcome is unknown.

use classpay_domain::id::IntentId;
use classpay_domain::money::Money;
use classpay_domain::order::{IntentFacts, IntentStatus};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::StripeError;
use super::secret::Secret;

/// A PaymentIntent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id.
    pub id: IntentId,
    /// The secret that the payer's device needs to confirm it.
    pub client_secret: Secret,
    /// The amount that it charges.
    pub amount: Money,
    /// The captured amount.
    pub amount_received: Money,
    /// In lower case: `gbp`.
    pub currency: String,
    /// Its status.
    pub status: IntentStatus,
    /// How it is paid, if the payer has chosen a kind that we offer.
    pub payment_method: Option<PaymentMethod>,
    /// Its last charge.
    pub charge: Option<Charge>,
}

/// How a payment is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentMethod {
    /// Stripe's id.
    pub id: String,
    /// What it is.
    pub data: PaymentMethodData,
}

/// The two kinds of payment methods that we offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentMethodData {
    /// A card.
    Card(Card),
    /// A British bank account.
    BacsDebit(BacsDebit),
}

/// The parts of a card that Stripe shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Stripe's name for it: `visa`.
    pub brand: String,
    /// Two letters.
    pub country: Option<String>,
    /// 1 to 12.
    pub expiry_month: i64,
    /// Four digits.
    pub expiry_year: i64,
    /// The last four digits of its number.
    pub last4: String,
}

/// The parts of a British bank account that Stripe shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacsDebit {
    /// `108800`.
    pub sort_code: Option<String>,
    /// The last digits of its number.
    pub last4: Option<String>,
}

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Stripe's id.
    pub id: String,
    /// The authorised amount.
    pub amount: Money,
    /// The captured amount.
    pub amount_captured: Money,
    /// The refunded amount.
    pub amount_refunded: Money,
    /// In lower case.
    pub currency: String,
    /// Whether all of it was given back.
    pub refunded: bool,
    /// Whether the payer has ever disputed it.
    pub disputed: bool,
    /// When it was authorised, in seconds since 1970.
    pub created_s: i64,
    /// The ten newest refunds, newest first, as Stripe lists them.
    pub refunds: Vec<Refund>,
}

/// Money given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Stripe's id.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// In lower case.
    pub currency: String,
    /// Stripe's status: `pending`, `requires_action`, `canceled`, `succeeded`, `failed`.
    pub status: String,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
    /// The day (UTC) on which it was made.
    pub created_on: Date,
}

impl Intent {
    /// The facts from which the domain decides the next step.
    #[must_use]
    pub fn facts(&self) -> IntentFacts {
        IntentFacts { status: self.status, amount: self.amount, received: self.amount_received }
    }
}

impl Charge {
    /// Whether a refund is under way and may still fail.
    #[must_use]
    pub fn is_refund_pending(&self) -> bool {
        self.refunds.iter().any(|refund| matches!(refund.status.as_str(), "pending" | "requires_action"))
    }

    /// The amount that went back to the payer. Stripe may also count the part that was held but not captured as
    /// refunded.
    #[must_use]
    pub fn given_back(&self) -> Money {
        let (captured, refunded) = (self.amount_captured.units(), self.amount_refunded.units());
        let released = self.amount.units().saturating_sub(captured);
        match captured {
            0 => Money::ZERO,
            _ if refunded >= released => Money::minor(refunded.saturating_sub(released)),
            _ => self.amount_refunded,
        }
    }
}

impl TryFrom<stripe_shared::PaymentIntent> for Intent {
    type Error = StripeError;

    fn try_from(intent: stripe_shared::PaymentIntent) -> Result<Self, StripeError> {
        let unreadable = |what: &'static str| {
            tracing::error!(what, "an intent of stripe's can't be read");
            StripeError::OutcomeUnknown
        };
        let charge = intent.latest_charge.and_then(stripe_types::Expandable::into_object);
        let payment_method = intent.payment_method.and_then(stripe_types::Expandable::into_object);
        Ok(Self {
            id: IntentId::parse(intent.id.as_str()).map_err(|_| unreadable("id"))?,
            client_secret: Secret::new(intent.client_secret.unwrap_or_default()),
            amount: Money::minor(intent.amount),
            amount_received: Money::minor(intent.amount_received),
            currency: intent.currency.to_string(),
            status: IntentStatus::parse(intent.status.as_str()).ok_or_else(|| unreadable("status"))?,
            payment_method: payment_method.and_then(payment_method_of),
            charge: charge.map(charge_of).transpose().map_err(|_| unreadable("refund"))?,
        })
    }
}

/// `None` for kinds that we don't offer: the contract has no type for them.
fn payment_method_of(method: stripe_shared::PaymentMethod) -> Option<PaymentMethod> {
    let data = match (method.card, method.bacs_debit) {
        (Some(card), _) => PaymentMethodData::Card(Card {
            brand: card.brand,
            country: card.country,
            expiry_month: card.exp_month,
            expiry_year: card.exp_year,
            last4: card.last4,
        }),
        (None, Some(bacs)) => PaymentMethodData::BacsDebit(BacsDebit { sort_code: bacs.sort_code, last4: bacs.last4 }),
        (None, None) => return None,
    };
    Some(PaymentMethod { id: method.id.to_string(), data })
}

fn charge_of(charge: stripe_shared::Charge) -> Result<Charge, jiff::Error> {
    let refunds = charge.refunds.map(|list| list.data).unwrap_or_default();
    Ok(Charge {
        id: charge.id.to_string(),
        amount: Money::minor(charge.amount),
        amount_captured: Money::minor(charge.amount_captured),
        amount_refunded: Money::minor(charge.amount_refunded),
        currency: charge.currency.to_string(),
        refunded: charge.refunded,
        disputed: charge.disputed,
        created_s: charge.created,
        refunds: refunds.into_iter().map(refund_of).collect::<Result<_, _>>()?,
    })
}

fn refund_of(refund: stripe_shared::Refund) -> Result<Refund, jiff::Error> {
    Ok(Refund {
        id: refund.id.to_string(),
        amount: Money::minor(refund.amount),
        currency: refund.currency.to_string(),
        // Stripe documents that the status may be null, for refunds that settle at once.
        status: refund.status.unwrap_or_else(|| "succeeded".to_owned()),
        created_s: refund.created,
        created_on: jiff::Timestamp::from_second(refund.created)?.to_zoned(TimeZone::UTC).date(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_and_not_captured_did_not_go_back_to_anybody() {
        let given_back = |amount, captured, refunded| {
            let charge = Charge {
                id: "ch_1".to_owned(),
                amount: Money::minor(amount),
                amount_captured: Money::minor(captured),
                amount_refunded: Money::minor(refunded),
                currency: "gbp".to_owned(),
                refunded: refunded == amount,
                disputed: false,
                created_s: 1,
                refunds: Vec::new(),
            };
            charge.given_back().units()
        };
        assert_eq!(
            (given_back(1029, 1029, 0), given_back(1029, 1029, 500), given_back(1029, 1029, 1029)),
            (0, 500, 1029)
        );
        // A hold that was cancelled or expired.
        assert_eq!((given_back(1029, 0, 1029), given_back(1029, 0, 0)), (0, 0));
        // A part was captured, and some of that was refunded.
        assert_eq!(
            (given_back(5000, 1029, 3971), given_back(5000, 1029, 4000), given_back(5000, 1029, 5000)),
            (0, 29, 1029)
        );
        assert_eq!(given_back(5000, 1029, 29), 29, "where the rest is not shown as refunded");
    }
}

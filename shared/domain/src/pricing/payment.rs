//! What a checkout charges now (rules 30, 31 and 35).
//!
//! Invariant: the payment intent must be for exactly [`Payment::total`], or nothing is captured.

use crate::catalogue::{Company, Currency};
use crate::money::{Money, Overflow, Percent, round_div};
use crate::pricing::{BrokenRule, Line, Quote, Refusal};

/// The most that Stripe charges in one payment, in minor units.
pub const LARGEST_CHARGE: Money = Money::minor(99_999_999);

/// A payment that is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// The amount due, before the processing fee.
    pub subtotal: Money,
    /// The processing fee that the payer pays on top.
    pub processing_fee: Money,
    /// The processing fee as a percentage; zero if there is none.
    pub processing_fee_percent: Percent,
    /// The amount of the intent: subtotal and processing fee.
    pub total: Money,
}

/// How to collect the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Nothing is due.
    Nothing,
    /// Less than Stripe's minimum: the amount stays on the family's balance.
    Uncollectable(Payment),
    /// Create an intent for exactly this amount.
    Collect(Payment),
}

impl Payment {
    pub(super) fn of(company: &Company, quote: &Quote) -> Result<Self, Overflow> {
        let due_now = |line: &'_ Line| line.instalments.iter().find(|i| i.on == quote.today).map(|i| i.amount);
        let tuition = quote.lines.iter().filter_map(due_now);
        let trials = quote.trials.iter().map(|trial| trial.totals.total);
        let subtotal = Money::sum(tuition.chain(trials).chain(quote.fees().map(|fee| fee.totals.total)))?;
        let processing_fee_percent = company.processing_fee_on(quote.today);
        let processing_fee = processing_fee_percent.of(subtotal)?;
        Ok(Self { subtotal, processing_fee, processing_fee_percent, total: subtotal.plus(processing_fee)? })
    }

    /// The share of this payment that the given amount pays, with the processing fee in proportion.
    pub fn part(self, received: Money) -> Result<Self, Overflow> {
        if received == self.total || self.total.is_zero() {
            return Ok(self);
        }
        let product = i128::from(self.processing_fee.units()).checked_mul(i128::from(received.units()));
        let processing_fee = round_div(product.ok_or(Overflow)?, i128::from(self.total.units()))?;
        Ok(Self { subtotal: received.minus(processing_fee)?, processing_fee, total: received, ..self })
    }

    /// Decides whether and what to collect.
    ///
    /// # Errors
    /// [`BrokenRule::AmountTooLarge`] above [`LARGEST_CHARGE`].
    pub fn charge(self, currency: Currency) -> Result<Charge, Refusal> {
        if self.total > LARGEST_CHARGE {
            return Err(Refusal::of_basket(BrokenRule::AmountTooLarge));
        }
        Ok(if self.total <= Money::ZERO {
            Charge::Nothing
        } else if self.total < currency.smallest_charge() {
            Charge::Uncollectable(self)
        } else {
            Charge::Collect(self)
        })
    }
}

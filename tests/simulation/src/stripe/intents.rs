//! Changes to an intent, from any side: creation, authorisation, capture, cancellation, and expiring holds.
//!
//! A change that the intent's status doesn't allow has no effect and fails with `payment_intent_unexpected_state`. The
//! whole of an intent is captured, or a part and the rest is released; never twice.

use std::collections::BTreeMap;

use classpay_domain::id::{CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::stripe::{
    BacsDebit, Card, Charge, Intent, Methods, PaymentMethod, PaymentMethodData, Refund, Secret,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::calls::at_least_one;
use super::events::Shown;
use super::lasting::Capability;
use super::state::{Payment, Refusal, Standing, State};

/// How long a card's bank holds an amount.
pub(super) const HOLD_S: i64 = 7 * 24 * 60 * 60;
/// Stripe's maximum amount.
const LARGEST: i64 = 99_999_999;
/// Stripe's minimum charge in pounds, in pence.
const SMALLEST_GBP: i64 = 30;
/// Stripe's minimum charge in dollars, euros and most other currencies, in the smallest unit.
const SMALLEST: i64 = 50;
/// About a year. A card must only be valid for some of them.
const YEAR_S: i64 = 365 * 24 * 60 * 60;

/// The payer's payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaysWith {
    /// A card whose bank approves.
    Card,
    /// A card whose bank declines.
    DecliningCard,
    /// A card whose bank asks the payer first (3-D Secure).
    AskingCard,
    /// A British bank account, whose bank answers days later.
    BankDebit,
}

/// The payer's answer to 3-D Secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// The payer authenticates.
    Passes,
    /// The payer doesn't know the code, or it is somebody else.
    Fails,
}

/// Why a hold is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Cancelled,
    RunOut,
}

impl State {
    /// Creates an intent and returns its index.
    pub fn create(
        &mut self,
        account: usize,
        (amount, currency): (i64, &str),
        customer: &CustomerId,
        methods: Methods,
        metadata: &BTreeMap<String, String>,
    ) -> Result<usize, Refusal> {
        chargeable(amount, currency)?;
        self.living(account, customer)?;
        let named = "allowed_payment_method_types";
        self.activated(account, Capability::Cards, named)?;
        if methods == Methods::CardOrBankDebit {
            self.activated(account, Capability::BankDebits, named)?;
        }
        let (id, now_ms, now_s) = (self.next_intent(), self.now_ms(), self.now_s());
        let intent = Intent {
            client_secret: Secret::new(format!("{id}_secret_simulated")),
            id: IntentId::parse(id).expect("a prefix and a number"),
            amount: Money::minor(amount),
            amount_received: Money::ZERO,
            currency: currency.to_owned(),
            status: IntentStatus::RequiresPaymentMethod,
            payment_method: None,
            charge: None,
        };
        let mut payment = Payment::new(account, intent, customer.clone(), now_s);
        payment.takes_debits = methods == Methods::CardOrBankDebit && currency == "gbp";
        payment.metadata.clone_from(metadata);
        payment.metadata.retain(|_, value| !value.is_empty());
        let at = self.payments.len();
        self.payments.push(payment);
        self.tell(at, "payment_intent.created", Shown::Intent, now_s);
        self.has_changed(at, now_ms);
        Ok(at)
    }

    /// Captures this much of a hold, or all of it, and releases the rest.
    pub fn capture(&mut self, at: usize, amount: Option<i64>) -> Result<(), Refusal> {
        let (now_ms, now_s) = (self.now_ms(), self.now_s());
        let payment = &mut self.payments[at];
        if payment.intent.status != IntentStatus::RequiresCapture {
            return Err(Refusal::unexpected(payment.intent.status));
        }
        let amount = amount.unwrap_or(payment.capturable);
        if amount > payment.capturable {
            return Err(Refusal::coded("amount_too_large", "more than is held"));
        }
        let rest = payment.capturable - amount;
        payment.charge()?.amount_captured = Money::minor(amount);
        payment.standing = Standing::Taken;
        if rest > 0 {
            self.release(at, rest, now_s)?;
        }
        let payment = &mut self.payments[at];
        payment.intent.status = IntentStatus::Succeeded;
        payment.intent.amount_received = Money::minor(amount);
        payment.capturable = 0;
        payment.held_until_s = None;
        self.tell(at, "charge.captured", Shown::Charge, now_s);
        self.tell(at, "payment_intent.succeeded", Shown::Intent, now_s);
        self.has_changed(at, now_ms);
        Ok(())
    }

    /// Cancels an intent, which releases its hold.
    pub fn cancel(&mut self, at: usize) -> Result<(), Refusal> {
        match self.payments[at].intent.status {
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::RequiresCapture => self.end(at, Ending::Cancelled, self.now_ms()),
            status @ (IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled) => {
                Err(Refusal::unexpected(status))
            }
        }
    }

    /// Expires a hold now, whatever its time.
    pub fn run_out(&mut self, at: usize, now_ms: i64) -> Result<(), Refusal> {
        match self.payments[at].intent.status {
            IntentStatus::RequiresCapture => self.end(at, Ending::RunOut, now_ms),
            status => Err(Refusal::unexpected(status)),
        }
    }

    /// Ends every hold that has expired by now, as of the moment of its expiry.
    pub fn end_holds(&mut self) {
        let now_s = self.now_s();
        while self.soonest_end_s <= now_s {
            let ends = self.payments.iter().enumerate().filter_map(|(at, payment)| Some((payment.held_until_s?, at)));
            let soonest = ends.min();
            if let Some((end_s, at)) = soonest.filter(|(end_s, _)| *end_s <= now_s) {
                self.run_out(at, end_s.saturating_mul(1000)).expect("what has an end is held");
            } else {
                self.soonest_end_s = soonest.map_or(i64::MAX, |(end_s, _)| end_s);
            }
        }
    }

    fn end(&mut self, at: usize, ending: Ending, now_ms: i64) -> Result<(), Refusal> {
        let now_s = now_ms.div_euclid(1000);
        if self.payments[at].intent.status == IntentStatus::RequiresCapture {
            self.release(at, self.payments[at].capturable, now_s)?;
            let kind = if ending == Ending::RunOut { "charge.expired" } else { "charge.refunded" };
            self.tell(at, kind, Shown::Charge, now_s);
        }
        let payment = &mut self.payments[at];
        payment.intent.status = IntentStatus::Canceled;
        payment.capturable = 0;
        payment.held_until_s = None;
        self.tell(at, "payment_intent.canceled", Shown::Intent, now_s);
        self.has_changed(at, now_ms);
        Ok(())
    }

    /// Releases what was held and not captured: no money moves, but Stripe shows a refund.
    fn release(&mut self, at: usize, amount: i64, now_s: i64) -> Result<(), Refusal> {
        let refund = self.refund_of(at, amount, "succeeded", now_s);
        self.payments[at].give_back(refund)
    }

    pub fn refund_of(&mut self, at: usize, amount: i64, status: &str, now_s: i64) -> Refund {
        Refund {
            id: self.new_id("re"),
            amount: Money::minor(amount),
            currency: self.payments[at].intent.currency.clone(),
            status: status.to_owned(),
            created_s: now_s,
            created_on: Timestamp::from_second(now_s).expect("a time").to_zoned(TimeZone::UTC).date(),
        }
    }

    /// The payer confirms.
    pub fn confirm(&mut self, at: usize, with: PaysWith) -> Result<(), Refusal> {
        let payment = &self.payments[at];
        if !is_open(payment.intent.status) {
            return Err(Refusal::unexpected(payment.intent.status));
        }
        if with == PaysWith::BankDebit && !payment.takes_debits {
            return Err(Refusal::unread("payment_intent_incompatible_payment_method", "no bank debits"));
        }
        self.activated(payment.account, Capability::of(with), "payment_method")?;
        let (id, now_s) = (self.new_id("pm"), self.now_s());
        self.payments[at].intent.payment_method = Some(method(id, with, now_s));
        match with {
            PaysWith::Card => self.approve(at),
            PaysWith::DecliningCard => {
                self.charge_with("ch", at, Standing::Failed);
                self.back_to_start(at);
            }
            PaysWith::AskingCard => {
                self.payments[at].intent.status = IntentStatus::RequiresAction;
                self.tell(at, "payment_intent.requires_action", Shown::Intent, now_s);
                self.has_changed(at, self.now_ms());
            }
            PaysWith::BankDebit => {
                self.charge_with("py", at, Standing::Pending);
                let payment = &mut self.payments[at];
                payment.intent.status = IntentStatus::Processing;
                let amount = payment.intent.amount;
                payment.charge()?.amount_captured = amount;
                self.tell(at, "charge.pending", Shown::Charge, now_s);
                self.tell(at, "payment_intent.processing", Shown::Intent, now_s);
                self.has_changed(at, self.now_ms());
            }
        }
        Ok(())
    }

    /// The payer answers to 3-D Secure.
    pub fn authenticate(&mut self, at: usize, answer: Authentication) -> Result<(), Refusal> {
        let status = self.payments[at].intent.status;
        match (status, answer) {
            (IntentStatus::RequiresAction, Authentication::Passes) => self.approve(at),
            (IntentStatus::RequiresAction, Authentication::Fails) => self.say_no(at),
            _ => return Err(Refusal::unexpected(status)),
        }
        Ok(())
    }

    /// The bank pays a debit.
    pub fn settle_debit(&mut self, at: usize) -> Result<(), Refusal> {
        let now_s = self.now_s();
        let payment = &mut self.payments[at];
        if payment.intent.status != IntentStatus::Processing {
            return Err(Refusal::unexpected(payment.intent.status));
        }
        payment.standing = Standing::Taken;
        payment.intent.status = IntentStatus::Succeeded;
        payment.intent.amount_received = payment.intent.amount;
        self.tell(at, "charge.succeeded", Shown::Charge, now_s);
        self.tell(at, "payment_intent.succeeded", Shown::Intent, now_s);
        self.has_changed(at, self.now_ms());
        Ok(())
    }

    /// The bank refuses a debit.
    pub fn fail_debit(&mut self, at: usize) -> Result<(), Refusal> {
        let payment = &mut self.payments[at];
        if payment.intent.status != IntentStatus::Processing {
            return Err(Refusal::unexpected(payment.intent.status));
        }
        payment.standing = Standing::Failed;
        payment.charge()?.amount_captured = Money::ZERO;
        self.back_to_start(at);
        Ok(())
    }

    /// Changes the amount, which is possible until the payer has confirmed.
    pub fn edit_amount(&mut self, at: usize, amount: i64) -> Result<(), Refusal> {
        let now_ms = self.now_ms();
        let intent = &mut self.payments[at].intent;
        if !is_open(intent.status) {
            return Err(Refusal::unexpected(intent.status));
        }
        chargeable(amount, &intent.currency)?;
        intent.amount = Money::minor(amount);
        if intent.status == IntentStatus::RequiresAction {
            intent.status = IntentStatus::RequiresConfirmation;
        }
        self.has_changed(at, now_ms);
        Ok(())
    }

    fn approve(&mut self, at: usize) {
        let now_s = self.now_s();
        self.charge_with("ch", at, Standing::Held);
        let payment = &mut self.payments[at];
        payment.intent.status = IntentStatus::RequiresCapture;
        payment.capturable = payment.intent.amount.units();
        let end_s = now_s.saturating_add(HOLD_S);
        payment.held_until_s = Some(end_s);
        self.soonest_end_s = self.soonest_end_s.min(end_s);
        self.tell(at, "charge.succeeded", Shown::Charge, now_s);
        self.tell(at, "payment_intent.amount_capturable_updated", Shown::Intent, now_s);
        self.has_changed(at, self.now_ms());
    }

    fn charge_with(&mut self, prefix: &str, at: usize, standing: Standing) {
        let (id, now_s) = (self.new_id(prefix), self.now_s());
        let payment = &mut self.payments[at];
        payment.standing = standing;
        payment.charge_metadata.clone_from(&payment.metadata);
        // An earlier charge failed, so nothing of it was refunded.
        payment.refunds.clear();
        payment.disputes.clear();
        payment.intent.charge = Some(Charge {
            id,
            amount: payment.intent.amount,
            amount_captured: Money::ZERO,
            amount_refunded: Money::ZERO,
            currency: payment.intent.currency.clone(),
            refunded: false,
            disputed: false,
            created_s: now_s,
            refunds: Vec::new(),
        });
    }

    /// The last charge has failed.
    fn back_to_start(&mut self, at: usize) {
        self.tell(at, "charge.failed", Shown::Charge, self.now_s());
        self.say_no(at);
    }

    fn say_no(&mut self, at: usize) {
        let now_s = self.now_s();
        let intent = &mut self.payments[at].intent;
        intent.status = IntentStatus::RequiresPaymentMethod;
        intent.payment_method = None;
        self.tell(at, "payment_intent.payment_failed", Shown::Intent, now_s);
        self.has_changed(at, self.now_ms());
    }
}

/// Whether the payer hasn't authorised anything yet.
fn is_open(status: IntentStatus) -> bool {
    match status {
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => true,
        IntentStatus::Processing | IntentStatus::RequiresCapture | IntentStatus::Succeeded | IntentStatus::Canceled => {
            false
        }
    }
}

fn chargeable(amount: i64, currency: &str) -> Result<(), Refusal> {
    at_least_one(amount)?;
    if amount < if currency == "gbp" { SMALLEST_GBP } else { SMALLEST } {
        return Err(Refusal::unread("amount_too_small", "less than Stripe charges"));
    }
    if amount > LARGEST {
        return Err(Refusal::unread("amount_too_large", "more than Stripe charges"));
    }
    Ok(())
}

fn method(id: String, with: PaysWith, now_s: i64) -> PaymentMethod {
    let data = match with {
        PaysWith::BankDebit => PaymentMethodData::BacsDebit(BacsDebit {
            sort_code: Some("108800".to_owned()),
            last4: Some("2345".to_owned()),
        }),
        PaysWith::Card | PaysWith::DecliningCard | PaysWith::AskingCard => PaymentMethodData::Card(Card {
            brand: "visa".to_owned(),
            country: Some("US".to_owned()),
            expiry_month: 12,
            expiry_year: 1970 + now_s / YEAR_S + 4,
            last4: if with == PaysWith::AskingCard { "3184" } else { "4242" }.to_owned(),
        }),
    };
    PaymentMethod { id, data }
}

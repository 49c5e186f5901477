//! The simulation's Stripe behaves like the stand-in over HTTP, seen through the real adapter.
//!
//! The same code sends both the same requests in the same order. Only ids differ, and each is mapped to the other.

mod around;
mod http;
mod stripes;

use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::stripe::{Methods, SavedCards};
use classpay_simulation::faults::{CallKind, Fault};
use classpay_simulation::rng::Rng;
use classpay_simulation::stripe::{Arrival, Authentication, Capability, Complaint, PaysWith, Verdict};
use stripes::Stripes;

/// The number of sequences in one run.
const SEQUENCES: u64 = 120;
const STEPS: usize = 20;
/// Keys that are used repeatedly.
const KEYS: usize = 4;

/// Amounts below Stripe's minimum, valid ones, and one above the authorised amount.
const AMOUNTS: [i64; 5] = [0, 20, 500, 2000, 100_000_000];
/// The amount of most intents.
const TOTAL: i64 = 1029;
const PAYS_WITH: [PaysWith; 6] = [
    PaysWith::Card,
    PaysWith::Card,
    PaysWith::Card,
    PaysWith::BankDebit,
    PaysWith::AskingCard,
    PaysWith::DecliningCard,
];
/// Calls that Stripe refuses lastingly, with the error.
const REFUSED: [CallKind; 6] = [
    CallKind::CreateIntent,
    CallKind::Capture,
    CallKind::Cancel,
    CallKind::CreateCustomer,
    CallKind::CustomerSession,
    CallKind::EphemeralKey,
];
const REFUSALS: [(u16, &str); 4] =
    [(400, "amount_too_small"), (402, "card_declined"), (403, "account_restricted"), (404, "resource_missing")];
const FAULTS: [Fault; 5] =
    [Fault::Refused, Fault::RequestLost, Fault::ReplyLost, Fault::Stored500, Fault::Stored500Done];
/// A second; just less than a key's life; a day; a hold's life.
const PAUSES_S: [i64; 5] = [1, 60, 86_399, 86_400, 7 * 86_400];

/// The parameters drawn for a step.
struct Draw<'c> {
    rng: &'c Rng,
    key: String,
    amount: Money,
    some_amount: Option<Money>,
}

impl<'c> Draw<'c> {
    fn of(rng: &'c Rng) -> Self {
        // A key that was used before, perhaps for something else, or a new one.
        let key = if rng.one_in(3) { rng.below(KEYS).to_string() } else { rng.next().to_string() };
        let amount = if rng.one_in(4) { *rng.pick(&AMOUNTS) } else { TOTAL };
        let some_amount = [None, Some(100), Some(500), Some(amount)];
        let some_amount = rng.pick(&some_amount).map(Money::minor);
        Self { rng, key, amount: Money::minor(amount), some_amount }
    }

    fn pick<A: Copy>(&self, among: &[A]) -> A {
        *self.rng.pick(among)
    }

    async fn create(&self, stripes: &mut Stripes) {
        let methods = self.pick(&[Methods::Card, Methods::CardOrBankDebit, Methods::CardOrBankDebit]);
        let currency = self.pick(&["gbp", "gbp", "gbp", "eur"]);
        // Occasionally a customer that doesn't exist.
        let customer = self.rng.below(stripes.customers() * 5 + 1) / 5;
        stripes.create_intent((self.amount, currency), customer, methods, &self.key).await;
    }

    /// A step that is likely to be possible.
    async fn likely(&self, stripes: &mut Stripes, which: usize, status: IntentStatus) {
        let rng = self.rng;
        match status {
            IntentStatus::RequiresAction if rng.one_in(2) => {
                let answer = self.pick(&[Authentication::Passes, Authentication::Fails]);
                stripes.authenticate(which, answer).await;
            }
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {
                stripes.confirm(which, self.pick(&PAYS_WITH)).await
            }
            IntentStatus::Processing if rng.one_in(3) => stripes.fail_debit(which).await,
            IntentStatus::Processing => stripes.settle_debit(which).await,
            IntentStatus::RequiresCapture => match rng.below(8) {
                0 => stripes.cancel(which, &self.key).await,
                1 => stripes.expire(which).await,
                2 => stripes.capture_in_dashboard(which, self.some_amount).await,
                3 => stripes.cancel_in_dashboard(which).await,
                _ => stripes.capture(which, self.amount, &self.key).await,
            },
            IntentStatus::Succeeded => self.back(stripes, which).await,
            IntentStatus::Canceled => self.create(stripes).await,
        }
    }

    /// A reversal.
    async fn back(&self, stripes: &mut Stripes, which: usize) {
        let (refund, dispute) = (stripes.refunds().checked_sub(1), stripes.disputes().checked_sub(1));
        match (self.rng.below(10), refund, dispute) {
            (0, Some(last), _) => stripes.settle_refund(self.rng.below(last + 1)).await,
            (1, Some(last), _) => stripes.fail_refund(self.rng.below(last + 1)).await,
            (2, _, _) => stripes.dispute(which, self.some_amount, Complaint::Dispute).await,
            (3, _, _) => stripes.dispute(which, self.some_amount, Complaint::Inquiry).await,
            (4, _, Some(last)) => {
                let verdicts = [Verdict::Won, Verdict::Lost, Verdict::Lost, Verdict::WarningClosed];
                stripes.close_dispute(self.rng.below(last + 1), self.pick(&verdicts)).await;
            }
            (5, _, Some(last)) => stripes.escalate(self.rng.below(last + 1)).await,
            _ => stripes.refund(which, self.some_amount, self.pick(&[Arrival::AtOnce, Arrival::Later])).await,
        }
    }

    /// A lasting change: a customer is deleted, a capability lost, an intent copied, a call refused. The dashboard's
    /// own calls aren't refused, so refusals are withdrawn before they are made.
    async fn outside(&self, stripes: &mut Stripes, which: usize) {
        let rng = self.rng;
        match rng.below(5) {
            0 => stripes.delete_customer(rng.below(stripes.customers() + 1)).await,
            1 | 2 => {
                let capability = self.pick(&[Capability::Cards, Capability::BankDebits, Capability::BankDebits]);
                stripes.set_capability(capability, rng.one_in(2)).await;
            }
            3 => stripes.copy_intent(which, (self.amount, self.pick(&["gbp", "eur", "usd"]))).await,
            _ => {
                let kind = self.pick(&REFUSED);
                let (status, code) = self.pick(&REFUSALS);
                // One refusal at a time, because withdrawing withdraws all of them.
                stripes.suffer(Fault::None);
                stripes.refuse(kind, status, code).await;
                for key in [&self.key, "again", "again"] {
                    self.refused(stripes, which, (kind, key)).await;
                }
                stripes.withdraw_refusals().await;
                self.refused(stripes, which, (kind, &self.key)).await;
            }
        }
    }

    /// A call that is refused now, or was before.
    async fn refused(&self, stripes: &mut Stripes, which: usize, (kind, key): (CallKind, &str)) {
        match kind {
            CallKind::Capture => stripes.capture(which, self.amount, key).await,
            CallKind::Cancel => stripes.cancel(which, key).await,
            CallKind::CreateCustomer => stripes.create_customer("Jo", key).await,
            CallKind::EphemeralKey => stripes.create_ephemeral_key(0, key).await,
            CallKind::CustomerSession => stripes.create_customer_session(0, SavedCards::Off, key).await,
            _ => stripes.create_intent((self.amount, "gbp"), 0, Methods::CardOrBankDebit, key).await,
        }
    }

    /// Any step, possible or not.
    async fn any(&self, stripes: &mut Stripes, which: usize) {
        let (rng, key) = (self.rng, self.key.as_str());
        let customer = rng.below(stripes.customers() + 1);
        // Occasionally one that doesn't exist.
        let asked = if rng.one_in(10) { usize::MAX } else { which };
        match rng.below(17) {
            0..=1 => self.create(stripes).await,
            2 => stripes.capture(asked, self.amount, key).await,
            3 => stripes.cancel(asked, key).await,
            4 => stripes.load(asked).await,
            5 => stripes.confirm(which, self.pick(&PAYS_WITH)).await,
            6 => stripes.authenticate(which, Authentication::Passes).await,
            7 => match rng.below(3) {
                0 => stripes.settle_debit(which).await,
                1 => stripes.fail_debit(which).await,
                _ => stripes.expire(which).await,
            },
            8 => self.back(stripes, which).await,
            9 => stripes.edit_amount(which, self.amount).await,
            10 => stripes.edit_metadata(which, "classpay", self.pick(&["", "1", "2"])).await,
            11 => {
                // Stripe refuses a name of more than 256 characters.
                let long = "Jo ".repeat(100);
                stripes.create_customer(self.pick(&["Jo", "Sam", &long]), key).await;
            }
            12 => {
                let cards = self.pick(&[SavedCards::Offered, SavedCards::Off]);
                stripes.create_customer_session(customer, cards, key).await;
            }
            13 => stripes.create_ephemeral_key(customer, key).await,
            14 => self.outside(stripes, which).await,
            _ => stripes.pass_s(self.pick(&PAUSES_S)),
        }
    }
}

async fn step(stripes: &mut Stripes, rng: &Rng) {
    let draw = Draw::of(rng);
    if rng.one_in(5) {
        stripes.suffer(draw.pick(&FAULTS));
    }
    match stripes.intents().checked_sub(1) {
        None => draw.create(stripes).await,
        Some(last) => {
            // Usually the newest.
            let which = if rng.one_in(4) { rng.below(last + 1) } else { last };
            let status = stripes.status(which);
            if rng.one_in(2) { draw.any(stripes, which).await } else { draw.likely(stripes, which, status).await }
        }
    }
    stripes.suffer(Fault::None);
}

#[tokio::test]
async fn both_stripes_do_the_same() {
    let mut stripes = Stripes::start().await;
    for seed in 0..SEQUENCES {
        let rng = Rng::of(seed);
        stripes.begin(seed).await;
        for number in 0..STEPS {
            stripes.note(format!("seed {seed}, step {number}"));
            step(&mut stripes, &rng).await;
        }
        stripes.note(format!("seed {seed}, at the end"));
        stripes.compare_everything().await;
    }
    stripes.compare_money().await;
    println!("{SEQUENCES} sequences of {STEPS} steps, seeds from 0: {:#?}", stripes.seen());
}

//! The scenarios of a payment, one function at a time: the state before it runs, its run, and how everything must end.
//!
//! Only the scenario's faults can disturb it, so its end is known: a client that can be served is served, whatever was
//! lost; a client that can't is refused and keeps the money.

use classpay_domain::id::IntentId;
use classpay_domain::order::IntentStatus;
use classpay_service::error::ErrorCode;

use super::calls;
use super::invariants;
use super::purchases::{Purchase, Wanted};
use super::recover::{self, Recovery};
use super::run::deliver;
use super::stripe::{Event, PaysWith};
use super::world::{Doing, Violation, World};

/// A bank's answer to a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bank {
    /// It pays.
    Pays,
    /// It doesn't.
    Refuses,
}

/// When the bank answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Before any recovery.
    AtOnce,
    /// Two days later.
    Later,
}

/// Which function runs, and with what state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A payment session is opened for a basket.
    OpenBasket,
    /// A link is opened.
    OpenLink,
    /// A basket is checked out: a monthly plan, a plan, a trial, fees, an idempotency key.
    Checkout,
    /// The same, after Stripe has reported that the card is authorised.
    CheckoutReported,
    /// A basket with nothing to pay, with an idempotency key.
    ZeroDue,
    /// A basket whose last place another family has taken since it was paid.
    Rejected,
    /// A link that was paid by card.
    Link,
    /// A link whose debit was meanwhile paid by another link.
    LinkRejected,
    /// A link that is paid by bank debit.
    Debit(Bank, Answers),
    /// Nobody calls, but Stripe reports that a link's card is authorised.
    LinkEvent,
    /// Stripe reports the bank's answer.
    DebitEvent(Bank),
    /// Nobody calls for a paid basket, and the settlement job runs.
    Schedule,
}

/// How a scenario ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Paid and posted.
    Paid,
    /// Booked without a payment, if the client has retried.
    Booked,
    /// Refused for this reason, and the payment released.
    Released(ErrorCode),
    /// The bank has refused: nothing is posted.
    Unpaid,
}

/// Two places, one of them paid in monthly instalments, and a trial of a sibling, all with the season's fees.
const BASKET: &str = r#"{"enrolments":[
{"classId":"cls_1","studentId":"stu_1","pricingPlanId":"pp_u"},
{"classId":"cls_2","studentId":"stu_1","pricingPlanId":"pp_m"}],
"trials":[{"classId":"cls_2","studentId":"stu_2","trialAt":"2026-09-14","time":"16:30"}]}"#;
const ONE_PLACE: &str =
    r#"{"enrolments":[{"classId":"cls_1","studentId":"stu_1","pricingPlanId":"pp_u"}],"trials":[]}"#;
const SAME_PLACE: &str =
    r#"{"enrolments":[{"classId":"cls_1","studentId":"stu_3","pricingPlanId":"pp_u"}],"trials":[]}"#;
const FREE_PLACE: &str =
    r#"{"enrolments":[{"classId":"cls_free","studentId":"stu_1","pricingPlanId":"pp_free"}],"trials":[]}"#;
/// After this, the settlement job books a basket whose payer hasn't called.
const NOBODY_CALLS_S: i64 = 6 * 60;
/// How long a client waits before it calls again, and Stripe before it redelivers.
const PATIENCE_S: i64 = 3;
const DAY_S: i64 = 24 * 60 * 60;
/// Stripe's status of an authorised card.
const AUTHORISED: &str = "payment_intent.amount_capturable_updated";

impl Flow {
    /// Every scenario by name, with an upper bound on its calls.
    pub const ALL: [(&str, Self, usize); 16] = [
        ("open-basket", Self::OpenBasket, 7),
        ("open-link", Self::OpenLink, 5),
        ("checkout", Self::Checkout, 9),
        ("checkout-reported", Self::CheckoutReported, 8),
        ("zero-due", Self::ZeroDue, 4),
        ("rejected", Self::Rejected, 8),
        ("link", Self::Link, 6),
        ("link-rejected", Self::LinkRejected, 5),
        ("debit-pays", Self::Debit(Bank::Pays, Answers::Later), 5),
        ("debit-pays-at-once", Self::Debit(Bank::Pays, Answers::AtOnce), 5),
        ("debit-fails", Self::Debit(Bank::Refuses, Answers::Later), 5),
        ("debit-fails-at-once", Self::Debit(Bank::Refuses, Answers::AtOnce), 5),
        ("link-event", Self::LinkEvent, 5),
        ("debit-paid-event", Self::DebitEvent(Bank::Pays), 5),
        ("debit-failed-event", Self::DebitEvent(Bank::Refuses), 5),
        ("schedule", Self::Schedule, 9),
    ];

    /// Its name.
    ///
    /// # Panics
    /// If it isn't in the list.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, flow, _)| *flow == self).map(|(name, ..)| *name).expect("it is one of all")
    }

    fn end(self, recovery: Recovery) -> End {
        match self {
            Self::OpenBasket | Self::OpenLink if recovery == Recovery::Schedule => End::Unpaid,
            Self::ZeroDue => End::Booked,
            Self::Rejected => End::Released(ErrorCode::ClassFull),
            Self::LinkRejected => End::Released(ErrorCode::LinkPaidByOther),
            Self::Debit(Bank::Refuses, _) | Self::DebitEvent(Bank::Refuses) => End::Unpaid,
            Self::OpenBasket
            | Self::OpenLink
            | Self::Checkout
            | Self::CheckoutReported
            | Self::Link
            | Self::Debit(Bank::Pays, _)
            | Self::LinkEvent
            | Self::DebitEvent(Bank::Pays)
            | Self::Schedule => End::Paid,
        }
    }

    /// The bank's answer that is still to come when the function has run.
    #[must_use]
    pub fn bank(self) -> Option<(Bank, Answers)> {
        if let Self::Debit(bank, answers) = self { Some((bank, answers)) } else { None }
    }

    /// The preparation, without faults.
    pub fn prepare(self, world: &mut World) -> Result<(), Violation> {
        let basket = |items: &str| Wanted::Basket(items.into());
        let link = |world: &World, which: usize| Wanted::Link(world.links[which].clone());
        let (wanted, with) = match self {
            Self::OpenBasket => (basket(BASKET), None),
            Self::OpenLink => (link(world, 0), None),
            Self::Checkout | Self::CheckoutReported | Self::Schedule => (basket(BASKET), Some(PaysWith::Card)),
            Self::ZeroDue => (basket(FREE_PLACE), None),
            Self::Rejected => (basket(ONE_PLACE), Some(PaysWith::Card)),
            Self::Link | Self::LinkRejected | Self::LinkEvent => (link(world, 0), Some(PaysWith::Card)),
            Self::Debit(..) | Self::DebitEvent(_) => (link(world, 0), Some(PaysWith::BankDebit)),
        };
        wants(world, "fml_1", wanted);
        if !self.opens() {
            world.open(0);
            recover::run_all(world)?;
            with.map_or(Ok(()), |with| pay(world, 0, with))?;
        }
        let rival = match self {
            Self::Rejected => Some(("fml_2", basket(SAME_PLACE))),
            Self::LinkRejected => Some(("fml_1", link(world, 1))),
            _ => None,
        };
        if let Some((family, wanted)) = rival {
            wants(world, family, wanted);
            world.open(1);
            recover::run_all(world)?;
            pay(world, 1, PaysWith::Card)?;
            world.call(1);
            recover::run_all(world)?;
        }
        // Here the client has called, or is about to: if clients recover the scenario, this client is one of them.
        world.purchases[0].called.0 = 1;
        match self {
            Self::Schedule => world.pass_s(NOBODY_CALLS_S),
            Self::CheckoutReported => {
                deliver_event(world, AUTHORISED)?;
                recover::run_all(world)?;
            }
            Self::DebitEvent(bank) => {
                world.call(0);
                recover::run_all(world)?;
                world.outbox.clear();
                self.bank_answers(world, bank, Answers::Later)?;
            }
            _ => {}
        }
        // The function starts in a new process, which makes every possible call.
        world.restart();
        world.check()
    }

    fn opens(self) -> bool {
        matches!(self, Self::OpenBasket | Self::OpenLink)
    }

    /// What follows the function: a payer who has only opened pays now. If nobody is to come back, the payer has left.
    pub fn goes_on(self, world: &mut World, recovery: Recovery) -> Result<(), Violation> {
        if !self.opens() || recovery == Recovery::Schedule {
            return Ok(());
        }
        if world.purchases[0].intent.is_none() {
            world.open(0);
            recover::run_all(world)?;
        }
        pay(world, 0, PaysWith::Card)
    }

    /// How long until the function runs again.
    #[must_use]
    pub fn pause_s(self) -> i64 {
        if self == Self::Schedule { NOBODY_CALLS_S } else { PATIENCE_S }
    }

    /// The bank answers, perhaps days later.
    pub fn bank_answers(self, world: &mut World, bank: Bank, answers: Answers) -> Result<(), Violation> {
        if answers == Answers::Later {
            recover::by_schedule(world, DAY_S)?;
            recover::by_schedule(world, DAY_S)?;
        }
        let intent = intent_of(world)?;
        let answered = match bank {
            Bank::Pays => world.stripe.settle_debit(&intent),
            Bank::Refuses => world.stripe.fail_debit(&intent),
        };
        answered.map_err(|error| format!("the bank can't answer: {error}"))?;
        world.note(|| format!("the bank answers: {bank:?}"));
        world.check()
    }

    /// Starts the function, if there is anything for it to do.
    pub fn begin_run(self, world: &mut World) -> Result<(), Violation> {
        match self {
            Self::OpenBasket | Self::OpenLink => world.open(0),
            Self::Checkout
            | Self::CheckoutReported
            | Self::ZeroDue
            | Self::Rejected
            | Self::Link
            | Self::LinkRejected
            | Self::Debit(..) => world.call(0),
            Self::LinkEvent => deliver_event(world, AUTHORISED)?,
            Self::DebitEvent(Bank::Pays) => deliver_event(world, "payment_intent.succeeded")?,
            Self::DebitEvent(Bank::Refuses) => deliver_event(world, "payment_intent.payment_failed")?,
            Self::Schedule => {
                let ctx = world.ctx.clone();
                world.spawn(Doing::Scheduled, async move {
                    calls::run_schedule(ctx).await;
                    None
                });
            }
        }
        Ok(())
    }

    /// Checks how it has ended.
    pub fn ended(self, world: &World, recovery: Recovery) -> Result<(), Violation> {
        let end = self.end(recovery);
        told_well(end, world, recovery)?;
        let intent = world.purchases[0].intent.as_ref();
        let order =
            world.model().orders.values().find(|order| order.intent.is_some() && order.intent.as_ref() == intent);
        let state = order.map(|order| order.state.as_str());
        let taken = intent.and_then(|intent| invariants::taken(&world.stripe, intent));
        let has_place = world.model().enrolments.values().any(|place| place.state == "ACTIVE");
        let was_told = world.calls.iter().any(|call| call.answer.as_ref().is_some_and(|answer| answer.status == 204));
        let is_right = match end {
            End::Paid => state == Some("COMPLETED"),
            End::Booked => has_place || !(was_told || recovery == Recovery::Clients),
            End::Released(_) => state.is_none() && taken.is_some_and(|taken| taken.status == IntentStatus::Canceled),
            End::Unpaid => state != Some("COMPLETED") && world.model().due["trn_1"].due == 10_000,
        };
        if is_right {
            Ok(())
        } else {
            Err(format!("it must end as {end:?}: there is {order:?}, Stripe says {taken:?}"))
        }
    }
}

fn wants(world: &mut World, family: &'static str, wanted: Wanted) {
    let which = world.purchases.len();
    let mut purchase = Purchase::of(family, wanted, &world.rng, which);
    purchase.key = matches!(purchase.wanted, Wanted::Basket(_)).then(|| format!("key-{which}"));
    world.purchases.push(purchase);
}

/// The payer confirms the intent that was shown.
fn pay(world: &mut World, which: usize, with: PaysWith) -> Result<(), Violation> {
    let intent = world.purchases[which].intent.as_ref().ok_or("it can't be opened")?;
    let intent = IntentId::parse(intent.as_str()).map_err(|error| format!("{error:?}"))?;
    world.stripe.confirm(&intent, with).map_err(|error| format!("it can't be paid: {error}"))?;
    world.purchases[which].paid = Some(with);
    world.check()
}

fn intent_of(world: &World) -> Result<IntentId, Violation> {
    let intent = world.purchases[0].intent.as_deref().ok_or("nothing was opened")?;
    IntentId::parse(intent).map_err(|error| format!("{error:?}"))
}

/// Stripe delivers an event about the payer's intent, unless an earlier delivery was acknowledged.
fn deliver_event(world: &mut World, kind: &str) -> Result<(), Violation> {
    let intent = intent_of(world)?;
    let is_it = |(event, _): &&mut (Event, u32)| event.kind == kind && event.intent.as_ref() == Some(&intent);
    if let Some((event, count)) = world.outbox.iter_mut().find(is_it) {
        *count += 1;
        let event = event.clone();
        deliver(world, event, true);
    }
    Ok(())
}

/// The client's answers, in order.
fn told_well(end: End, world: &World, recovery: Recovery) -> Result<(), Violation> {
    let own: Vec<_> = world.calls.iter().filter(|call| call.purchase == 0).collect();
    let answers: Vec<_> = own.iter().filter_map(|call| call.answer.as_ref()).collect();
    let is_final = |answer: &calls::Answer| match end {
        End::Paid => answer.status == 200,
        End::Booked => answer.status == 204,
        End::Released(code) => answer.released && answer.code == Some(code),
        End::Unpaid => answer.status < 500,
    };
    if let Some(wrong) = answers.iter().find(|answer| !answer.is_open() && !is_final(answer)) {
        return Err(format!("it must end as {end:?}, and its client was told {wrong:?}"));
    }
    match answers.last() {
        Some(last) if recovery == Recovery::Clients && !is_final(last) => {
            Err(format!("its client was told no end: {last:?}"))
        }
        None if recovery == Recovery::Clients => Err("its client has not called".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_road_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Flow::ALL.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), Flow::ALL.len());
        assert!(Flow::ALL.iter().all(|(name, flow, _)| flow.name() == *name));
    }
}

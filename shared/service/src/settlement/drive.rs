//! Takes an order to its end, and a rejected intent to its release. No other file calls Stripe's capture or cancel.
//!
//! Invariant: nothing is concluded from a lost reply. After an unclear answer we ask Stripe for the intent's state. An
//! outcome that can't be known in time is [`Outcome::Pending`], never a refusal, and a refusal says "released" only
//! once Stripe has reported `canceled`.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::money::Money;
use classpay_domain::order::{IntentStatus, OrderState, PaidBy, Step, next_step, order_of_intent};

use super::outcome::{IntentView, Outcome, Settled, posted};
use super::unallocated;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::snapshot::{OrderPayment, Snapshot};
use crate::store::{Commit, OrderRecord, ReviewReason, Session, StoreError};
use crate::stripe::{Intent, Payments, StripeError};
use crate::telemetry::{self, Count};

/// The most steps that one call takes: capture, read, capture again, read, post, with room for a concurrent call.
const MAX_STEPS: usize = 10;
/// The most captures that one call attempts. After that the settlement job continues.
const MAX_CAPTURES: usize = 3;
/// The most cancels that one call attempts, each under its own key, because a key replays even a stored 500.
const MAX_CANCELS: usize = 3;

/// Settles an order as far as possible before the deadline; `view` is what is known about its intent.
pub async fn settle(ctx: &Context, order: OrderRecord, view: Option<IntentView>, deadline: Deadline) -> Settled {
    telemetry::about_order(&order.id);
    let mut drive = Drive { ctx, deadline, order, view, captures: 0, voids: 0 };
    for _ in 0..MAX_STEPS {
        if let Break(outcome) = drive.step().await {
            return drive.ended(outcome);
        }
    }
    let outcome = drive.pending();
    drive.ended(outcome)
}

/// An order being settled.
struct Drive<'a> {
    ctx: &'a Context,
    deadline: Deadline,
    order: OrderRecord,
    /// The state that decides the next step; `None`: ask Stripe.
    view: Option<IntentView>,
    captures: usize,
    voids: usize,
}

impl Drive<'_> {
    fn pending(&self) -> Outcome {
        Outcome::Pending(self.order.id.clone())
    }

    fn ended(self, outcome: Outcome) -> Settled {
        let intent = match self.view {
            Some(IntentView::Live(intent)) => Some(intent),
            Some(IntentView::FromEvent(_)) | None => None,
        };
        Settled { outcome, intent }
    }

    /// Takes one step, or answers how far the order has got if this call can take no more.
    async fn step(&mut self) -> ControlFlow<Outcome> {
        match self.order.state {
            OrderState::Completed => return Break(self.completed().await),
            OrderState::Cancelled => return Break(Outcome::of_cancelled(&self.order)),
            OrderState::Pending => {}
        }
        let Some(payment) = self.order.snapshot.payment.clone() else { return Break(self.pending()) };
        telemetry::about_intent(&payment.intent);
        let Some(stripe) = self.stripe() else { return Break(self.pending()) };
        let view = match self.view.take() {
            Some(view) => view,
            None => match self.read(&*stripe, &payment).await {
                Some(intent) => IntentView::from(intent),
                None => return Break(self.pending()),
            },
        };
        match step(&self.order.snapshot, &payment, &view) {
            Step::Capture => self.capture(&*stripe, &payment).await,
            Step::Void if self.voids == MAX_CANCELS => Break(self.pending()),
            Step::Void => {
                self.voids += 1;
                self.view = void(self.ctx, &*stripe, &self.order, &payment, self.voids).await.map(IntentView::from);
                Continue(())
            }
            Step::Complete => {
                let written = self.ctx.store.post(&self.order).await;
                self.after_writing(written, OrderState::Completed, view).await
            }
            Step::Release => {
                let written = self.ctx.store.release(&self.order).await;
                self.after_writing(written, OrderState::Cancelled, view).await
            }
            Step::Wait => {
                self.view = Some(view);
                Break(self.pending())
            }
            Step::Review => {
                report(self.ctx, &self.order, &review_reason(&self.order.id, view.facts().status)).await;
                Break(self.pending())
            }
        }
    }

    /// The outcome of a completed order.
    async fn completed(&self) -> Outcome {
        match posted(self.ctx, &self.order).await {
            Ok(posted) => Outcome::Completed(posted),
            Err(error) => {
                tracing::warn!(order = self.order.id.as_str(), %error, "what an order has posted can't be read");
                self.pending()
            }
        }
    }

    /// Stripe, limited to the remaining time; `None`: no time is left.
    fn stripe(&self) -> Option<Arc<dyn Payments>> {
        let stripe = self.ctx.stripe().ok()?;
        (!self.deadline.is_near()).then(|| stripe.within(self.deadline.for_stripe()))
    }

    /// The intent's current state at Stripe; `None`: Stripe doesn't say.
    async fn read(&self, stripe: &dyn Payments, payment: &OrderPayment) -> Option<Intent> {
        let read = stripe.load_intent(&payment.account, &payment.intent).await;
        let noted = read.inspect_err(|error| {
            error.note_if_refused();
            tracing::warn!(order = self.order.id.as_str(), %error, "stripe can't be asked about an order");
        });
        noted.ok().flatten()
    }

    /// Captures, under the next attempt's key if an earlier attempt got no clear answer.
    async fn capture(&mut self, stripe: &dyn Payments, payment: &OrderPayment) -> ControlFlow<Outcome> {
        let may_capture = match self.captures {
            0 => true,
            MAX_CAPTURES => false,
            _ => take_next_attempt(self.ctx, &mut self.order).await,
        };
        if !may_capture {
            return Break(self.pending());
        }
        self.captures += 1;
        self.view = capture(stripe, &self.order, payment).await.map(IntentView::from);
        Continue(())
    }

    /// Continues after the write that ends the order in this state.
    async fn after_writing(
        &mut self,
        written: Result<Commit, StoreError>,
        state: OrderState,
        view: IntentView,
    ) -> ControlFlow<Outcome> {
        let status = view.facts().status.as_str();
        tracing::info!(order = self.order.id.as_str(), ?written, intent = status, "order advanced");
        match written {
            Ok(Commit::Done) => {
                let is_paid = state == OrderState::Completed;
                telemetry::count(if is_paid { Count::PaymentsCompleted } else { Count::PaymentsReleased });
                self.order.state = state;
                self.view = Some(view);
                return Continue(());
            }
            Err(StoreError::Unwritable) => {
                let reason = match state {
                    OrderState::Completed => ReviewReason::OrderUnpostable(&self.order.id),
                    OrderState::Cancelled | OrderState::Pending => ReviewReason::OrderUnreleasable(&self.order.id),
                };
                report(self.ctx, &self.order, &reason).await;
                return Break(self.pending());
            }
            // Another call was faster, or the outcome is unknown: the record tells.
            Ok(Commit::ConditionFailed | Commit::Contended | Commit::Unknown)
            | Err(StoreError::Unavailable | StoreError::Refused | StoreError::Corrupt(_)) => {}
        }
        match self.ctx.store.load_order(&self.order.id).await {
            Ok(Some(read)) => {
                self.order = read;
                Continue(())
            }
            Ok(None) | Err(_) => Break(self.pending()),
        }
    }
}

/// Why an order needs review whose intent is neither under way nor as the order expects.
fn review_reason(order: &OrderId, status: IntentStatus) -> ReviewReason<'_> {
    match status {
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {
            ReviewReason::AuthorisationGone(order, status)
        }
        IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled => {
            ReviewReason::PaymentDiffers(order, status)
        }
    }
}

/// The next step of a PENDING order, given its intent.
fn step(snapshot: &Snapshot, payment: &OrderPayment, view: &IntentView) -> Step {
    let facts = view.facts();
    // Amounts in different currencies are never combined: nothing is captured or posted, and a person decides.
    if view.currency() != snapshot.currency.code() {
        return if facts.status == IntentStatus::Canceled { Step::Release } else { Step::Review };
    }
    match next_step(payment.paid_by, Money::minor(payment.total), facts) {
        Step::Capture if is_too_late(snapshot, view) => Step::Void,
        step => step,
    }
}

/// Whether a payer whose bank debit failed has confirmed again after the link expired. That is a new authorisation, and
/// it is judged as one.
fn is_too_late(snapshot: &Snapshot, view: &IntentView) -> bool {
    let again = snapshot.payment.as_ref().is_some_and(|payment| payment.paid_by == PaidBy::BankDebit);
    let expires_s = snapshot.link.as_ref().and_then(|link| link.expires_s);
    again && expires_s.zip(view.charged_s()).is_some_and(|(expires_s, authorised_s)| authorised_s > expires_s)
}

/// Voids an order that has stayed uncaptured for too long, and settles it by the state of its intent afterwards.
pub async fn void_and_settle(ctx: &Context, order: OrderRecord, deadline: Deadline) -> Outcome {
    let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else {
        return Outcome::Pending(order.id);
    };
    let OrderPayment { account, intent, .. } = payment;
    let read = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    // An intent that Stripe permanently refuses to show may still be held, and can be cancelled.
    let mut may_be_held = match &read {
        Ok(Some(intent)) => can_be_cancelled(intent.status),
        Ok(None) => false,
        Err(error) => error.refusal().is_some(),
    };
    let mut known = read.ok().flatten();
    for attempt in 1..=MAX_CANCELS {
        if !may_be_held || deadline.is_near() {
            break;
        }
        tracing::warn!(order = order.id.as_str(), attempt, "voiding an order");
        known = void(ctx, &*stripe.within(deadline.for_stripe()), &order, payment, attempt).await;
        may_be_held = known.as_ref().is_some_and(|intent| can_be_cancelled(intent.status));
    }
    match known {
        Some(known) if !can_be_cancelled(known.status) => {
            settle(ctx, order, Some(known.into()), deadline).await.outcome
        }
        // A capture now would race with a cancel that may still land.
        Some(_) | None => Outcome::Pending(order.id),
    }
}

/// Captures exactly the order's total. `None`: the answer proves nothing, so Stripe must be asked for the intent. Even
/// if Stripe reports that it captured nothing, another call or an earlier attempt may have.
async fn capture(stripe: &dyn Payments, order: &OrderRecord, payment: &OrderPayment) -> Option<Intent> {
    let OrderPayment { account, intent, total, .. } = payment;
    let key = format!("cap:{}:{}", order.id, order.attempt);
    match stripe.capture_intent(account, intent, Money::minor(*total), &key).await {
        Ok(intent) if intent.status == IntentStatus::Succeeded => Some(intent),
        Ok(_) => None,
        Err(error) => {
            error.note_if_refused();
            error.note_if_forbidden();
            tracing::warn!(order = order.id.as_str(), %error, "capture failed or unconfirmed");
            None
        }
    }
}

/// Stores the number of the next attempt before it is used. False: another call is capturing, or the number can't be
/// stored.
async fn take_next_attempt(ctx: &Context, order: &mut OrderRecord) -> bool {
    let stored = matches!(ctx.store.next_attempt(order).await, Ok(Commit::Done));
    if stored {
        order.attempt += 1;
    }
    stored
}

/// Puts an order up for review.
pub(super) async fn report(ctx: &Context, order: &OrderRecord, reason: &ReviewReason<'_>) {
    tracing::error!(order = order.id.as_str(), reason = reason.name(), "order needs manual review");
    if let Err(error) = ctx.store.mark_for_review(order, reason, ctx.clock.now_s()).await {
        tracing::error!(order = order.id.as_str(), %error, "review record not written");
    }
}

/// Releases the authorisation of an intent claimed as rejected, and only then gives the refusal.
pub async fn release_rejected(ctx: &Context, session: &Session, refusal: Error, deadline: Deadline) -> Outcome {
    let order = order_of_intent(&session.account, &session.intent);
    telemetry::about_order(&order);
    telemetry::about_intent(&session.intent);
    let Ok(stripe) = ctx.stripe() else { return Outcome::Pending(order) };
    for attempt in 1..=MAX_CANCELS {
        if deadline.is_near() {
            break;
        }
        let stripe = stripe.within(deadline.for_stripe());
        let key = cancel_key("rej", &order, attempt, ctx.clock.now_s());
        let Ok(Some(intent)) = cancel(&*stripe, &session.account, &session.intent, &key).await else { break };
        match intent.status {
            IntentStatus::Canceled => {
                match ctx.store.finish_rejection(&session.account, &session.intent).await {
                    Ok(Commit::Done) => telemetry::count(Count::PaymentsRejected),
                    Ok(Commit::ConditionFailed | Commit::Contended | Commit::Unknown) => {}
                    // The money is released: the next visit finds the intent cancelled and records it.
                    Err(error) => {
                        tracing::warn!(order = order.as_str(), %error, "released payment not marked as finished");
                    }
                }
                return Outcome::Refused(refusal.released());
            }
            IntentStatus::Succeeded => {
                unallocated::credit(ctx, session, &intent).await;
                break;
            }
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::Processing
            | IntentStatus::RequiresCapture => {}
        }
    }
    Outcome::Pending(order)
}

/// Whether Stripe cancels an intent in this status.
pub(super) fn can_be_cancelled(status: IntentStatus) -> bool {
    match status {
        IntentStatus::RequiresCapture
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction => true,
        IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled => false,
    }
}

/// The key of a cancel. Only the first attempt's key is the same for every call: a key replays a stored 500 for a day,
/// so later attempts use their own. Cancelling twice is harmless under any key.
fn cancel_key(why: &str, order: &OrderId, attempt: usize, now_s: i64) -> String {
    if attempt == 1 { format!("{why}:{order}") } else { format!("{why}:{order}:{attempt}:{now_s}") }
}

/// Cancels an intent, and reads it if the answer is unclear. `None`: the account has no such intent.
///
/// # Errors
/// [`StripeError`] if the state stays unknown, or if Stripe permanently refuses to cancel an intent that is still
/// cancellable.
pub async fn cancel(
    stripe: &dyn Payments,
    account: &AccountId,
    intent: &IntentId,
    key: &str,
) -> Result<Option<Intent>, StripeError> {
    match stripe.cancel_intent(account, intent, key).await {
        Ok(intent) => Ok(Some(intent)),
        Err(StripeError::Unavailable) => Err(StripeError::Unavailable),
        Err(error) => {
            tracing::warn!(key, %error, "cancel failed or unconfirmed");
            if !error.is_missing() {
                error.note_if_refused();
            }
            let known = stripe.load_intent(account, intent).await?;
            let is_refused = error.tells_nothing() && !error.is_missing();
            match known {
                Some(known) if is_refused && can_be_cancelled(known.status) => {
                    error.note_if_forbidden();
                    Err(error)
                }
                known => Ok(known),
            }
        }
    }
}

/// Cancels an order's intent; the state afterwards, if Stripe reports it.
async fn void(
    ctx: &Context,
    stripe: &dyn Payments,
    order: &OrderRecord,
    payment: &OrderPayment,
    attempt: usize,
) -> Option<Intent> {
    let key = cancel_key("void", &order.id, attempt, ctx.clock.now_s());
    cancel(stripe, &payment.account, &payment.intent, &key).await.ok().flatten()
}

//! Settles an order, gives it up, or resolves it as the operator decides.
//!
//! This module only chooses what the service is asked to do. Nothing is posted before Stripe says `succeeded`, and
//! nothing is released before it says `canceled`, whatever the operator wants.

use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::money::Money;
use classpay_domain::order::{IntentStatus, OrderState};
use classpay_service::context::Context;
use classpay_service::deadline::Deadline;
use classpay_service::settlement::{self, Outcome, job};
use classpay_service::store::{Claim, Decision, OrderRecord, Rejection, Resolution, Session};
use classpay_service::stripe::{Intent, StripeError};

use super::books::{rejected, state};
use super::list::open_payment;
use super::place::Place;
use super::{of_stripe, of_table};
use crate::Problem;

/// An operator's command has no deadline.
const NO_DEADLINE: Deadline = Deadline::at_ms(u64::MAX);

/// `settle`.
pub(super) async fn settle_now(place: &Place, id: &OrderId) -> Result<(), Problem> {
    let ctx = place.context().await?;
    let order = match find(&ctx, id).await? {
        Found::Order(order) => *order,
        Found::Payment(payment) => return finish(&ctx, id, &payment.0, payment.1).await,
    };
    match order.state {
        OrderState::Completed => println!("{id} was completed before."),
        OrderState::Cancelled => println!("{id} was cancelled before."),
        OrderState::Pending => say(&ctx, id, settlement::settle(&ctx, order, None, NO_DEADLINE).await.outcome).await?,
    }
    Ok(())
}

/// A payment without an order, refused or unclaimed, has the id of the order that it would have paid.
async fn finish(ctx: &Context, id: &OrderId, session: &Session, claim: Option<Claim>) -> Result<(), Problem> {
    match claim {
        Some(Claim { decision: Decision::Rejected { refusal, state: Rejection::Open }, .. }) => {
            settlement::release_rejected(ctx, session, refusal, NO_DEADLINE).await;
        }
        Some(_) => {}
        None => job::finish_session(ctx, session, NO_DEADLINE).await,
    }
    say_ended(ctx, id, session).await
}

/// Prints how a payment without an order ended, according to its claim.
async fn say_ended(ctx: &Context, id: &OrderId, session: &Session) -> Result<(), Problem> {
    let claim = ctx.store.load_claim(&session.account, &session.intent).await.map_err(of_table)?;
    match claim.map(|claim| claim.decision) {
        Some(Decision::Rejected {
            state: state @ (Rejection::Released | Rejection::Captured | Rejection::GivenBack),
            ..
        }) => {
            println!("{id} is {}.", rejected(state));
            Ok(())
        }
        Some(Decision::Rejected { state: state @ Rejection::Open, .. }) => {
            Err(Problem::new(format!("{id} is {}: Stripe has not said `canceled`", rejected(state))))
        }
        Some(Decision::Order(order)) => {
            let order = ctx.store.load_order(&order).await.map_err(of_table)?;
            let order = order.ok_or_else(|| Problem::new(format!("{id} is gone")))?;
            if order.state == OrderState::Pending {
                return say(ctx, id, Outcome::Pending(order.id)).await;
            }
            println!("{id} is {}.", state(order.state));
            Ok(())
        }
        None => {
            let said = said_of(ctx, &session.account, &session.intent).await;
            Err(Problem::new(format!("{id} is claimed by no order: {said}. `orders list` says why it waits")))
        }
    }
}

/// Stripe's view of an intent, as text.
async fn said_of(ctx: &Context, account: &AccountId, intent: &IntentId) -> String {
    let Ok(stripe) = ctx.stripe() else { return "Stripe isn't configured".to_owned() };
    match stripe.load_intent(account, intent).await {
        Ok(Some(known)) => {
            let (status, received, currency) = (known.status.as_str(), known.amount_received, &known.currency);
            format!("its intent is {status}, {received} {currency} received")
        }
        Ok(None) => format!("Stripe doesn't know {intent}"),
        Err(error) => error.to_string(),
    }
}

/// The record with an id: an order, or an unfinished payment without one, with its claim if there is one.
enum Found {
    Order(Box<OrderRecord>),
    Payment(Box<(Session, Option<Claim>)>),
}

/// Looks up an id. The settlement job may place the order, or move its payment to another part of the index, between
/// two reads, so an id that isn't found is looked up a second time.
async fn find(ctx: &Context, id: &OrderId) -> Result<Found, Problem> {
    for _ in 0..2 {
        if let Some(order) = ctx.store.load_order(id).await.map_err(of_table)? {
            return Ok(Found::Order(Box::new(order)));
        }
        let Some((account, intent)) = open_payment(&ctx.store, id).await? else { continue };
        if let (Some(session), claim) = ctx.store.load_payment(&account, &intent).await.map_err(of_table)? {
            return Ok(Found::Payment(Box::new((session, claim))));
        }
    }
    Err(Problem::new(format!("there is no order {id}, and no payment of that id waits for its end")))
}

/// Gives up a payment without an order whose money is only held.
async fn void_unbooked(ctx: &Context, id: &OrderId, session: &Session, claim: Option<Claim>) -> Result<(), Problem> {
    if claim.is_some() {
        return finish(ctx, id, session, claim).await;
    }
    let stripe = ctx.stripe().map_err(|problem| Problem::new(problem.to_string()))?;
    let refuse = |why: &str| Err(Problem::new(format!("{id} is not voided: {why}")));
    match stripe.load_intent(&session.account, &session.intent).await {
        Ok(Some(known)) if known.status == IntentStatus::Succeeded => {
            return refuse("its payment is captured; `settle` credits it, or refund it at Stripe and then `settle` it");
        }
        Ok(Some(known)) if known.status == IntentStatus::Processing => {
            return refuse("its bank debit is on its way, which nobody can stop");
        }
        Ok(None) => return refuse("Stripe doesn't know its intent"),
        Err(error) if error.refusal().is_none() => return Err(of_stripe(error)),
        Ok(Some(_)) | Err(_) => {}
    }
    job::void_session(ctx, session, NO_DEADLINE).await;
    say_ended(ctx, id, session).await
}

/// `void`.
pub(super) async fn void(place: &Place, id: &OrderId) -> Result<(), Problem> {
    let ctx = place.context().await?;
    let order = match find(&ctx, id).await? {
        Found::Order(order) => *order,
        Found::Payment(payment) => return void_unbooked(&ctx, id, &payment.0, payment.1).await,
    };
    let refuse = |why: &str| Err(Problem::new(format!("{id} is not voided: {why}")));
    match order.state {
        OrderState::Completed => {
            return refuse("it is completed and its payment is captured; give it back by a refund");
        }
        OrderState::Cancelled => {
            println!("{id} was cancelled before.");
            return Ok(());
        }
        OrderState::Pending => {}
    }
    let intent = match read_intent(&ctx, &order).await? {
        Ok(intent) => intent,
        // A payment that Stripe won't show may still be held, and it can be released.
        Err(error) if error.refusal().is_some() => {
            let outcome = settlement::void_and_settle(&ctx, order, NO_DEADLINE).await;
            return voided(id, &outcome);
        }
        Err(error) => return Err(of_stripe(error)),
    };
    let outcome = match intent.status {
        IntentStatus::RequiresCapture
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction => settlement::void_and_settle(&ctx, order, NO_DEADLINE).await,
        IntentStatus::Canceled => settlement::settle(&ctx, order, Some(intent.into()), NO_DEADLINE).await.outcome,
        IntentStatus::Succeeded => {
            return refuse("its payment is captured; `settle` posts it, `resolve` ends it by what was received");
        }
        IntentStatus::Processing => return refuse("its bank debit is on its way, which nobody can stop"),
    };
    voided(id, &outcome)
}

/// Whether an order has been given up.
fn voided(id: &OrderId, outcome: &Outcome) -> Result<(), Problem> {
    let refuse = |why: &str| Err(Problem::new(format!("{id} is not voided: {why}")));
    match outcome {
        Outcome::Completed(_) => refuse("it was captured meanwhile, and is completed"),
        Outcome::Refused(_) => {
            println!("{id} is cancelled: Stripe holds nothing any more, and what it had reserved is given back.");
            Ok(())
        }
        Outcome::Pending(_) => refuse(
            "Stripe has not said `canceled`. Until it is voided the schedule still tries: the log says what Stripe answers",
        ),
    }
}

/// `resolve`.
pub(super) async fn resolve(place: &Place, id: &OrderId, how: Resolution, stated: Option<u32>) -> Result<(), Problem> {
    let ctx = place.context().await?;
    let stated = stated.map(|units| Money::minor(units.into()));
    let order = match find(&ctx, id).await? {
        Found::Order(order) => *order,
        Found::Payment(payment) => return resolve_unbooked(&ctx, id, &payment.0, how, stated).await,
    };
    let resolved = settlement::resolve::resolve(&ctx, &order, how, stated, NO_DEADLINE).await;
    let received = resolved.map_err(|why| Problem::new(format!("{id} is not resolved: {why}")))?;
    let currency = order.snapshot.currency.code();
    match how {
        Resolution::Keep => println!("{id} is completed: {received} {currency} is credited, the rest is due."),
        Resolution::Release => println!(
            "{id} is cancelled: what it had reserved is given back, and {received} {currency} is the family's credit."
        ),
    }
    Ok(())
}

/// A payment without an order has the id of the order that it would have paid; there is nothing to keep.
async fn resolve_unbooked(
    ctx: &Context,
    id: &OrderId,
    session: &Session,
    how: Resolution,
    stated: Option<Money>,
) -> Result<(), Problem> {
    if how == Resolution::Keep {
        return Err(Problem::new(format!("{id} is not resolved: no order takes it, so there is nothing to keep")));
    }
    let gone = settlement::resolve::let_payment_go(ctx, session, stated, NO_DEADLINE).await;
    gone.map_err(|why| Problem::new(format!("{id} is not resolved: {why}")))?;
    println!("{id} is nobody's task any more.");
    Ok(())
}

/// The order's intent as Stripe has it now.
async fn intent_of(ctx: &Context, order: &OrderRecord) -> Result<Intent, Problem> {
    read_intent(ctx, order).await?.map_err(of_stripe)
}

/// The same, or Stripe's refusal to show it.
async fn read_intent(ctx: &Context, order: &OrderRecord) -> Result<Result<Intent, StripeError>, Problem> {
    let id = &order.id;
    let payment = order.snapshot.payment.as_ref();
    let payment = payment.ok_or_else(|| Problem::new(format!("{id} collects nothing")))?;
    let stripe = ctx.stripe().map_err(|problem| Problem::new(problem.to_string()))?;
    match stripe.load_intent(&payment.account, &payment.intent).await {
        Ok(Some(intent)) => Ok(Ok(intent)),
        Ok(None) => Err(Problem::new(format!("{id}: Stripe doesn't know {}", payment.intent))),
        Err(error) => Ok(Err(error)),
    }
}

/// Reports how an order ended. An unfinished order is an error, with what Stripe says.
async fn say(ctx: &Context, id: &OrderId, outcome: Outcome) -> Result<(), Problem> {
    match outcome {
        Outcome::Completed(posted) => println!("{id} is completed: {} entries are posted.", posted.len()),
        Outcome::Refused(_) => println!("{id} is cancelled: what it had reserved is given back."),
        Outcome::Pending(_) => {
            let order = ctx.store.load_order(id).await.map_err(of_table)?;
            let order = order.ok_or_else(|| Problem::new(format!("{id} is gone")))?;
            let said = match intent_of(ctx, &order).await {
                Ok(intent) => format!(
                    "its intent is {}, {} received; it is to be {}",
                    intent.status.as_str(),
                    intent.amount_received,
                    order.snapshot.payment.as_ref().map_or(0, |payment| payment.total),
                ),
                Err(problem) => problem.to_string(),
            };
            let review = if order.needs_review { ". A person decides: `resolve`" } else { "" };
            return Err(Problem::new(format!("{id} is still pending: {said}{review}")));
        }
    }
    Ok(())
}

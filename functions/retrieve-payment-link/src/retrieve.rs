//! Opens a link, or finds its one live intent for the amount due now.
//!
//! Invariant: at most one intent of a link is live. The next one is created only after Stripe reported the last as
//! `canceled`. An intent that the payer has paid is settled, never replaced.

use classpay_domain::id::{AccountId, OrderId};
use classpay_domain::link::{Amount, LinkState, Retrieval, retrieval};
use classpay_domain::order::{IntentStatus, order_of_intent};
use classpay_domain::pricing::Payment;
use classpay_service::context::Context;
use classpay_service::deadline::Deadline;
use classpay_service::error::Error;
use classpay_service::settlement::link::live::{self, Live};
use classpay_service::settlement::link::pay::take;
use classpay_service::settlement::link::{
    account, due_payment, id_of, is_used_up, not_found, pays_a_part, recorded_intent, refusal_of, refusal_of_state,
    session_payment, today,
};
use classpay_service::settlement::rounds::{Round, Rounds};
use classpay_service::settlement::{Outcome, Settled, follow};
use classpay_service::store::{Link, LinkTarget, Session};
use classpay_service::stripe::{Intent, Payments, StripeError};
use tokio::join;

use crate::open::{Renewals, known_form, open};
use crate::retrieved::{Retrieved, shown};

/// How a retrieval ended.
#[derive(Debug)]
pub enum Opened {
    /// The link with its intent.
    Shown(Box<Retrieved>),
    /// Money was moved, and the outcome can't be read now: repeat the call to learn it.
    Pending(OrderId),
}

/// Retrieves a link.
///
/// # Errors
/// The refusals of a retrieval.
pub async fn retrieve(ctx: &Context, id: &str, deadline: Deadline) -> Result<Opened, Error> {
    let id = id_of(id)?;
    let mut renewals = Renewals::new();
    let mut rounds = Rounds::until(deadline);
    while rounds.another() {
        let round = match ctx.store.load_link(&id.alias()).await {
            Ok(Some(link)) => round(ctx, link, &mut renewals, deadline).await,
            Ok(None) => Err(not_found(ctx, &id).await),
            Err(error) => Err(error.into()),
        };
        if let Some(retrieved) = rounds.judge(round) {
            return retrieved.map(Opened::Shown);
        }
    }
    rounds.give_up().map(Opened::Pending)
}

async fn round(
    ctx: &Context,
    link: Link,
    renewals: &mut Renewals,
    deadline: Deadline,
) -> Result<Round<Box<Retrieved>>, Error> {
    if let Some(refusal) = refusal_of_state(link.state) {
        return Err(refusal.into());
    }
    let account = account(ctx, &link).await?;
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let (target, intent, form) = join!(
        ctx.store.load_link_target(&link, &account),
        live_intent(&*stripe, &account, &link),
        known_form(ctx, &*stripe, &account, &link),
    );
    let target = target?;
    let Some(intent) = known_intent(ctx, &account, &link, &target, intent).await? else { return Ok(Round::Again) };
    let paid = target.session.as_ref().and_then(session_payment);
    // The status for the next decision: an intent that was claimed and is void counts as cancelled.
    let mut status = intent.as_ref().map(|intent| intent.status);
    match (link.state, &target.claim, &target.session) {
        (LinkState::Open, None, _) => {}
        (LinkState::Open | LinkState::Processing, Some(claim), Some(session)) => {
            let settled = follow(ctx, session, &claim.decision, intent.clone(), deadline).await?;
            match (link.state, settled.outcome) {
                (LinkState::Open, Outcome::Refused(_)) => status = Some(IntentStatus::Canceled),
                (LinkState::Open, Outcome::Completed(posted)) if pays_a_part(&posted, session) => {
                    status = Some(IntentStatus::Canceled);
                }
                (_, outcome) => return Ok(after_settling(outcome, link, target, intent)),
            }
        }
        _ => return Ok(shown(link, target, intent, paid, None)),
    }
    let due = due_payment(&target, today(ctx, &target.company)?);
    let is_right = can_pay(&account, &link, &target, intent.as_ref())
        && paid.is_some_and(|opened| due.is_ok_and(|due| charges_the_same(&due, &opened)));
    let decided = retrieval(status, if is_right { Amount::Right } else { Amount::Wrong });
    if decided != Retrieval::Settle && live::is_over(ctx, &link) {
        live::expire(ctx, &*stripe, &account, &link).await?;
        return Ok(Round::Again);
    }
    match (decided, intent, target.session.clone()) {
        (Retrieval::Show, intent @ Some(_), _) => match form {
            Err(error) if renewals.helps(&error) => renewals.forget_customer(ctx, &link, &link.customer).await,
            form => Ok(shown(link, target, intent, paid, Some(form?))),
        },
        (Retrieval::Settle, Some(intent), Some(session)) => {
            Ok(match take(ctx, &link, &target, &session, intent.clone(), None, deadline).await? {
                Round::Over(Settled { outcome, .. }) => after_settling(outcome, link, target, Some(intent)),
                Round::Again => Round::Again,
                Round::Sent(order) => Round::Sent(order),
            })
        }
        (Retrieval::CancelThenOpen, Some(_), _) => match live::cancel_live(ctx, &*stripe, &account, &link).await? {
            Live::Ended => open(ctx, (&*stripe, &account), link, target, due.map_err(refusal_of)?, renewals).await,
            Live::Underway | Live::Held | Live::LetGo => Ok(Round::Again),
        },
        (Retrieval::Open, _, _) => {
            open(ctx, (&*stripe, &account), link, target, due.map_err(refusal_of)?, renewals).await
        }
        // Only an intent that was read leads to these decisions, and only one with a session is settled.
        (Retrieval::Show | Retrieval::Settle | Retrieval::CancelThenOpen, _, _) => {
            Err(Error::internal("a link's intent has no session"))
        }
    }
}

/// The link's intent; `Some(None)`: it needs none that was read, `None`: the link has let go of it.
async fn known_intent(
    ctx: &Context,
    account: &AccountId,
    link: &Link,
    target: &LinkTarget,
    read: Result<Option<Intent>, StripeError>,
) -> Result<Option<Option<Intent>>, Error> {
    Ok(Some(match read {
        Ok(intent) => intent,
        // The next intent can be opened without reading one that can do no more.
        Err(_) if link.state == LinkState::Open && is_used_up(ctx, target.claim.as_ref()).await? => None,
        Err(error) if live::let_go_if_out_of_reach(ctx, account, link, &error).await? => return Ok(None),
        // A receipt can be shown from our records; the payment method is left out.
        Err(_) if matches!(link.state, LinkState::Paid | LinkState::Refunded) => {
            target.session.as_ref().map(|session| recorded_intent(session, IntentStatus::Succeeded))
        }
        Err(error) => return Err(error.into()),
    }))
}

/// Whether an intent can pay the link. One on an account that the company has left doesn't pay the company, one without
/// its customer has no form, and one that was changed at Stripe can't be booked.
fn can_pay(account: &AccountId, link: &Link, target: &LinkTarget, intent: Option<&Intent>) -> bool {
    target.company.settings.billing.stripe_id.as_ref() == Some(account)
        && intent.is_none_or(|intent| is_as_opened(intent, target.session.as_ref()))
        && link.customer.on(account).is_some()
}

/// Whether two payments and their fees are the same.
fn charges_the_same(one: &Payment, other: &Payment) -> bool {
    (one.subtotal, one.processing_fee) == (other.subtotal, other.processing_fee)
}

/// Whether an intent still charges what we opened it for: the studio can change it at Stripe until it is authorised.
fn is_as_opened(intent: &Intent, opened: Option<&Session>) -> bool {
    opened.is_some_and(|opened| intent.amount == opened.amount && intent.currency == opened.currency.code())
}

/// A settled payment is read again; one that is under way is shown as it is.
fn after_settling(outcome: Outcome, link: Link, target: LinkTarget, intent: Option<Intent>) -> Round<Box<Retrieved>> {
    match (outcome, &target.session) {
        (Outcome::Pending(_), session) => {
            let paid = session.as_ref().and_then(session_payment);
            shown(Link { state: LinkState::Processing, ..link }, target, intent, paid, None)
        }
        (Outcome::Completed(_) | Outcome::Refused(_), Some(session)) => {
            Round::Sent(order_of_intent(&session.account, &session.intent))
        }
        (Outcome::Completed(_) | Outcome::Refused(_), None) => Round::Again,
    }
}

async fn live_intent(stripe: &dyn Payments, account: &AccountId, link: &Link) -> Result<Option<Intent>, StripeError> {
    let Some(id) = &link.intent else { return Ok(None) };
    stripe.load_intent(account, id).await?.map(Some).ok_or_else(StripeError::missing)
}

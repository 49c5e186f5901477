//! The life of a payment link: it opens an intent, it is paid once, it expires or is revoked.
//!
//! Read in this order: [`retrieve`] (the one live intent), [`process`] (claim, capture, record), [`known`] (its answer
//! without Stripe), [`end`] (revoke and expiry), [`due`] (links that the schedule ends), [`body`] (what a link shows).
//!
//! Invariant: whoever holds a link reaches this debit and nothing else of the family: not its cards, not its other
//! transactions, not its contacts. A link's id is in no log line and in nothing that Stripe keeps.

pub mod body;
pub mod due;
pub mod end;
mod known;
pub mod process;
pub mod retrieve;
mod road;

use classpay_domain::id::AccountId;
use classpay_domain::link::{LinkAlias, PaymentLinkId, Unpayable, payment};
use classpay_domain::money::{Money, Percent};
use classpay_domain::order::{IntentStatus, OrderState};
use classpay_domain::pricing::Payment;
use jiff::civil::Date;

use crate::catalogue::documents::CompanyDoc;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::settle::Outcome;
use crate::store::{Claim, Decision, Link, LinkTarget, Rejection, Session, SessionKind};
use crate::stripe::Intent;

/// How often a call begins anew because somebody was faster.
const MAX_ROUNDS: usize = 8;

/// The id that a path names; for what can't be one, an id that nobody has.
fn id_of(path: &str) -> Result<PaymentLinkId, Error> {
    PaymentLinkId::parse(path).or_else(|_| PaymentLinkId::parse("pay_")).map_err(|_| ErrorCode::NotFound.into())
}

/// For an id that nobody has, as much is read as for another, and the same 404 is answered whatever it looks like.
async fn not_found(ctx: &Context, id: &PaymentLinkId) -> Error {
    match ctx.store.load_absent_target(&id.alias()).await {
        Ok(()) => Error::not_found(),
        Err(error) => error.into(),
    }
}

/// Stripe's account that the link's intent is on.
async fn account(ctx: &Context, link: &Link) -> Result<AccountId, Error> {
    if let Some(account) = &link.account {
        return Ok(account.clone());
    }
    ctx.account_of(&link.company).await?.ok_or(ErrorCode::StripeMisconfigured.into())
}

/// The date where the company is.
fn today(ctx: &Context, company: &CompanyDoc) -> Result<Date, Error> {
    Ok(ctx.clock.today(&company.settings.general.timezone)?)
}

/// What the link charges for what is due, on a day.
fn due_payment(target: &LinkTarget, today: Date) -> Result<Payment, Unpayable> {
    payment(target.due.due, target.company.processing_fee_on(today), target.due.currency)
}

/// What an intent was opened for.
fn session_payment(session: &Session) -> Option<Payment> {
    match &session.kind {
        SessionKind::Link { due, fee, fee_thousandths, .. } => Some(Payment {
            subtotal: Money::minor(*due),
            processing_fee: Money::minor(*fee),
            processing_fee_percent: Percent::thousandths(*fee_thousandths),
            total: session.amount,
        }),
        SessionKind::Basket { .. } | SessionKind::Amount => None,
    }
}

/// Whether an intent of a link has done all that it can do, though the link is open: it was rejected, it has paid a part, or
/// a person has ended its order.
async fn is_used_up(ctx: &Context, claim: Option<&Claim>) -> Result<bool, Error> {
    Ok(match claim.map(|claim| &claim.decision) {
        None => false,
        Some(Decision::Rejected { state, .. }) => *state != Rejection::Open,
        Some(Decision::Order(order)) => {
            let state = ctx.store.load_order_state(order).await?;
            state.is_some_and(|state| state != OrderState::Pending)
        }
    })
}

fn refusal_of(why: Unpayable) -> Error {
    match why {
        // The link's own payment would have been found before: somebody else's brought it to nothing.
        Unpayable::NothingDue => ErrorCode::LinkPaidByOther,
        Unpayable::TooSmall => ErrorCode::AmountTooSmall,
        Unpayable::TooLarge => ErrorCode::AmountTooLarge,
    }
    .into()
}

/// What a claim is for when it is a link's: the same link comes to the same words.
fn claimed_for(link: &LinkAlias) -> String {
    format!("link:{link}")
}

/// Takes an authorised intent of a link down the road for a payer who doesn't: the webhook and the schedule call it with
/// the intent as they have just read it. One that nobody has authorised is left alone.
///
/// # Errors
/// [`Error`] if it can't be known now.
pub async fn settle_session(
    ctx: &Context,
    session: &Session,
    just_read: Intent,
    deadline: Deadline,
) -> Result<Option<Outcome>, Error> {
    let SessionKind::Link { link: alias, .. } = &session.kind else { return Ok(None) };
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let mut known = Some(just_read);
    for _ in 0..MAX_ROUNDS {
        if deadline.is_near() {
            break;
        }
        let link = ctx.store.load_link(alias).await?.ok_or_else(|| Error::internal("a session's link is gone"))?;
        // The session may be that of an intent which the link has left behind: its target is read by its own intent.
        let is_live = link.intent.as_ref() == Some(&session.intent);
        let link = Link { intent: Some(session.intent.clone()), ..link };
        let known = known.take();
        let intent = async {
            match known {
                Some(known) => Ok(Some(known)),
                None => stripe.load_intent(&session.account, &session.intent).await,
            }
        };
        let (target, intent) = tokio::join!(ctx.store.load_link_target(&link, &session.account), intent);
        let target = target?;
        let step = match &target.claim {
            Some(claim) => road::follow(ctx, session, &claim.decision, intent?, deadline).await?,
            None => match intent? {
                // Dropped with an account that was out of reach and is back: the link has another intent, or none.
                Some(intent) if is_authorised(&intent) && !is_live => {
                    road::reject(ctx, &link, session, ErrorCode::PaymentCancelled.into(), None, deadline).await?
                }
                Some(intent) if is_authorised(&intent) => {
                    road::take(ctx, &link, &target, session, intent, None, deadline).await?
                }
                _ => return Ok(None),
            },
        };
        if let road::Step::Got(settled) = step {
            return Ok(Some(settled.outcome));
        }
    }
    Err(ErrorCode::Unavailable.into())
}

fn is_authorised(intent: &Intent) -> bool {
    matches!(intent.status, IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded)
}

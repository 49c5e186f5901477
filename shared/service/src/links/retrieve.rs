//! Opens a link, or finds it again: the one live intent for what is due now.
//!
//! Invariant: at most one intent of a link is live. The next one is made only after Stripe has said that the last is
//! canceled; an intent that the payer has paid is settled, never replaced.

use classpay_domain::id::{AccountId, CustomerId, OrderId};
use classpay_domain::link::{Amount, LinkState, Retrieval, retrieval};
use classpay_domain::money::Money;
use classpay_domain::order::{IntentStatus, order_of_intent};
use classpay_domain::pricing::Payment;
use tokio::join;

use super::end::Live;
use super::road::{self, Step};
use super::{
    MAX_ROUNDS, account, due_payment, end, id_of, is_used_up, known, not_found, refusal_of, session_payment, today,
};
use crate::aggregate::AggregateTransaction;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::settle::{Outcome, Settled};
use crate::store::{Commit, Link, LinkTarget, Session, SessionKind};
use crate::stripe::{
    CustomerSession, EphemeralKey, Intent, KnownCustomer, Methods, NewCustomer, NewIntent, Payments, SavedCards,
    StripeError,
};

/// A link with its intent, as a retrieval answers it.
#[derive(Debug)]
pub struct Retrieved {
    /// The link.
    pub link: Link,
    /// What it points at.
    pub target: LinkTarget,
    /// Its intent.
    pub intent: Intent,
    /// What that charges.
    pub payment: Payment,
    /// What a payment form needs; `None` once there is nothing left to pay.
    pub form: Option<(CustomerSession, EphemeralKey)>,
}

/// How many customers that Stripe doesn't know a call forgets.
const MAX_RENEWALS: u32 = 2;

/// How a retrieval ended.
#[derive(Debug)]
pub enum Opened {
    /// The link with its intent.
    Shown(Box<Retrieved>),
    /// Money was moved, and what came of it can't be read now: the same call again tells.
    Pending(OrderId),
}

enum Round {
    Over(Box<Retrieved>),
    Again,
    /// Stripe doesn't know the link's customer, which is forgotten now: look again.
    Forgotten,
    /// Something was sent that moves money: look again, and from now on say nothing of "unavailable".
    Sent(OrderId),
}

/// Retrieves a link.
///
/// # Errors
/// The refusals of a retrieval.
pub async fn retrieve(ctx: &Context, id: &str, deadline: Deadline) -> Result<Opened, Error> {
    let id = id_of(id)?;
    let (mut sent, mut renewals) = (None, MAX_RENEWALS);
    for _ in 0..MAX_ROUNDS {
        let looked = match ctx.store.load_link(&id.alias()).await {
            Ok(Some(link)) => round(ctx, link, renewals, deadline).await,
            Ok(None) => Err(not_found(ctx, &id).await),
            Err(error) => Err(error.into()),
        };
        match (looked, sent.take()) {
            (Ok(Round::Over(retrieved)), _) => return Ok(Opened::Shown(retrieved)),
            (Ok(Round::Again), before) => sent = before,
            (Ok(Round::Forgotten), before) => (sent, renewals) = (before, renewals.saturating_sub(1)),
            (Ok(Round::Sent(order)), _) => sent = Some(order),
            (Err(error), Some(order)) if !error.is_refusal() => return Ok(Opened::Pending(order)),
            (Err(error), _) => return Err(error),
        }
        if deadline.is_near() {
            break;
        }
    }
    match sent {
        Some(order) => Ok(Opened::Pending(order)),
        None => Err(Error::from(ErrorCode::Unavailable).because("rivals were faster every time")),
    }
}

async fn round(ctx: &Context, link: Link, renewals: u32, deadline: Deadline) -> Result<Round, Error> {
    match link.state {
        LinkState::Revoked => return Err(ErrorCode::LinkRevoked.into()),
        LinkState::Expired => return Err(ErrorCode::LinkExpired.into()),
        LinkState::Open | LinkState::Processing | LinkState::Paid | LinkState::Refunded => {}
    }
    let account = account(ctx, &link).await?;
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let (target, intent, form) = join!(
        ctx.store.load_link_target(&link, &account),
        live_intent(&*stripe, &account, &link),
        known_form(ctx, &*stripe, &account, &link),
    );
    let (target, intent) = match (target?, intent) {
        (target, Ok(intent)) => (target, intent),
        // An intent that has done all that it can do needn't be known to open the next.
        (target, Err(_)) if link.state == LinkState::Open && is_used_up(ctx, target.claim.as_ref()).await? => {
            (target, None)
        }
        (_, Err(error)) if end::let_go_if_out_of_reach(ctx, &account, &link, &error).await? => return Ok(Round::Again),
        // A receipt can be shown from our records; who paid with what is left out.
        (target, Err(_)) if matches!(link.state, LinkState::Paid | LinkState::Refunded) => {
            let paid = target.session.as_ref().map(|session| known::intent(session, IntentStatus::Succeeded));
            (target, paid)
        }
        (_, Err(error)) => return Err(error.into()),
    };
    let paid = target.session.as_ref().and_then(session_payment);
    // What the intent is worth to the next decision: one that was decided about and is void is as good as canceled.
    let mut status = intent.as_ref().map(|intent| intent.status);
    match (link.state, &target.claim, &target.session) {
        (LinkState::Open, None, _) => {}
        (LinkState::Open | LinkState::Processing, Some(claim), Some(session)) => {
            let step = road::follow(ctx, session, &claim.decision, intent.clone(), deadline).await?;
            match (link.state, step) {
                (LinkState::Open, Step::Got(Settled { outcome: Outcome::Refused(_), .. })) => {
                    status = Some(IntentStatus::Canceled)
                }
                (LinkState::Open, Step::Got(Settled { outcome: Outcome::Completed(posted), .. }))
                    if pays_a_part(&posted, session) =>
                {
                    status = Some(IntentStatus::Canceled);
                }
                (_, step) => return after_settling(step, link, target, intent),
            }
        }
        _ => return Ok(shown(link, target, intent, paid, None)),
    }
    let due = due_payment(&target, today(ctx, &target.company)?);
    // An intent on an account that the company has left charges nothing that is due to it; one without its customer has no
    // form; and one that was changed at Stripe can't be booked.
    let here = target.company.settings.billing.stripe_id.as_ref() == Some(&account);
    let is_ours = intent.as_ref().is_none_or(|intent| is_as_opened(intent, target.session.as_ref()));
    let right = here
        && is_ours
        && link.customer.on(&account).is_some()
        && paid.is_some_and(|opened| due.is_ok_and(|due| charges_the_same(&due, &opened)));
    let amount = if right { Amount::Right } else { Amount::Wrong };
    let decided = retrieval(status, amount);
    if decided != Retrieval::Settle && end::is_over(ctx, &link) {
        end::expire(ctx, &*stripe, &account, &link).await?;
        return Ok(Round::Again);
    }
    match (decided, intent, target.session.clone()) {
        (Retrieval::Show, intent @ Some(_), _) => match form {
            Err(error) if renewals > 0 && error.lacks_customer() => forget_customer(ctx, &link, &link.customer).await,
            form => Ok(shown(link, target, intent, paid, Some(form?))),
        },
        (Retrieval::Settle, Some(intent), Some(session)) => {
            let step = road::take(ctx, &link, &target, &session, intent.clone(), None, deadline).await?;
            after_settling(step, link, target, Some(intent))
        }
        (Retrieval::CancelThenOpen, Some(_), _) => match end::cancel_live(ctx, &*stripe, &account, &link).await? {
            Live::Ended => open(ctx, (&*stripe, &account), link, target, (due.map_err(refusal_of)?, renewals)).await,
            Live::Underway | Live::Held | Live::LetGo => Ok(Round::Again),
        },
        (Retrieval::Open, _, _) => {
            open(ctx, (&*stripe, &account), link, target, (due.map_err(refusal_of)?, renewals)).await
        }
        // An intent is decided about only if it was read, and settled only by its session.
        (Retrieval::Show | Retrieval::Settle | Retrieval::CancelThenOpen, _, _) => {
            Err(Error::internal("a link's intent has no session"))
        }
    }
}

/// Whether two payments are the same, and the fee in them.
fn charges_the_same(one: &Payment, other: &Payment) -> bool {
    (one.subtotal, one.processing_fee) == (other.subtotal, other.processing_fee)
}

/// Whether an intent still charges what we have opened it for: it can be changed at Stripe until it is authorised.
fn is_as_opened(intent: &Intent, opened: Option<&Session>) -> bool {
    opened.is_some_and(|opened| intent.amount == opened.amount && intent.currency == opened.currency.code())
}

/// Whether what was posted is less than the session was opened for: then the link is open for the rest.
pub(super) fn pays_a_part(posted: &[AggregateTransaction], session: &Session) -> bool {
    let credited = posted.iter().find(|entry| !entry.is_debit()).map_or(0, |credit| credit.stats.total);
    session_payment(session).is_some_and(|opened| credited < opened.subtotal.units())
}

/// What was settled is read again; what is still on its way is shown as it is.
fn after_settling(step: Step, link: Link, target: LinkTarget, intent: Option<Intent>) -> Result<Round, Error> {
    match step {
        Step::Got(Settled { outcome: Outcome::Pending(_), .. }) => {
            let paid = target.session.as_ref().and_then(session_payment);
            Ok(shown(Link { state: LinkState::Processing, ..link }, target, intent, paid, None))
        }
        Step::Again => Ok(Round::Again),
        Step::Got(Settled { outcome: Outcome::Completed(_) | Outcome::Refused(_), .. }) | Step::Unknown => {
            match &target.session {
                Some(session) => Ok(Round::Sent(order_of_intent(&session.account, &session.intent))),
                None => Ok(Round::Again),
            }
        }
    }
}

type Form = (CustomerSession, EphemeralKey);

fn shown(
    link: Link,
    target: LinkTarget,
    intent: Option<Intent>,
    payment: Option<Payment>,
    form: Option<Option<Form>>,
) -> Round {
    match (intent, payment, form) {
        (Some(intent), Some(payment), None) => {
            Round::Over(Box::new(Retrieved { link, target, intent, payment, form: None }))
        }
        (Some(intent), Some(payment), Some(Some(form))) => {
            Round::Over(Box::new(Retrieved { link, target, intent, payment, form: Some(form) }))
        }
        _ => Round::Again,
    }
}

async fn live_intent(stripe: &dyn Payments, account: &AccountId, link: &Link) -> Result<Option<Intent>, StripeError> {
    let Some(id) = &link.intent else { return Ok(None) };
    stripe.load_intent(account, id).await?.map(Some).ok_or_else(StripeError::missing)
}

/// The form of a link that has been opened before: its customer is known, so nothing waits for it.
async fn known_form(
    ctx: &Context,
    stripe: &dyn Payments,
    account: &AccountId,
    link: &Link,
) -> Result<Option<Form>, StripeError> {
    match (link.customer.on(account), link.state) {
        (Some(customer), LinkState::Open) => form(ctx, stripe, account, customer).await.map(Some),
        _ => Ok(None),
    }
}

async fn form(
    ctx: &Context,
    stripe: &dyn Payments,
    account: &AccountId,
    customer: &CustomerId,
) -> Result<Form, StripeError> {
    let (session_key, ephemeral_key) = (format!("cs:{}", ctx.mint.bare()), format!("ek:{}", ctx.mint.bare()));
    let (session, key) = join!(
        stripe.create_customer_session(account, customer, SavedCards::Off, &session_key),
        stripe.create_ephemeral_key(account, customer, &ephemeral_key),
    );
    Ok((session?, key?))
}

/// Forgets the customer that Stripe doesn't know, or only that it was made: the next round makes another.
async fn forget_customer(ctx: &Context, link: &Link, gone: &KnownCustomer) -> Result<Round, Error> {
    let written = ctx.store.forget_link_customer(link, gone).await?;
    tracing::warn!(?written, "a link's customer is gone");
    Ok(Round::Forgotten)
}

/// Makes the link's next intent, and makes it the live one; `read_of` is the account that the target was read beside.
async fn open(
    ctx: &Context,
    (stripe, read_of): (&dyn Payments, &AccountId),
    link: Link,
    target: LinkTarget,
    (payment, renewals): (Payment, u32),
) -> Result<Round, Error> {
    // The company's account as it is now: the last intent may have been on another one.
    let account = target.company.settings.billing.stripe_id.clone().ok_or(ErrorCode::StripeMisconfigured)?;
    let account = &account;
    let (known, customer_id) = customer(ctx, stripe, account, &link, &target).await?;
    let (methods, key) = methods(ctx, account, &link, (&target, read_of), payment.total).await?;
    let currency = target.due.currency.code();
    let customer = customer_id.clone();
    let new = NewIntent {
        amount: payment.total,
        currency,
        customer,
        methods,
        metadata: ctx.metadata(&link.company, &link.family)?,
    };
    let (intent, form) = join!(stripe.create_intent(account, &new, &key), form(ctx, stripe, account, &customer_id));
    let intent = match (intent, &form) {
        (Err(error), _) if renewals > 0 && error.lacks_customer() => {
            return forget_customer(ctx, &link, &known).await;
        }
        (_, Err(error)) if renewals > 0 && error.lacks_customer() => {
            return forget_customer(ctx, &link, &known).await;
        }
        (Ok(intent), _) => intent,
        // The key is spoilt, or was used for another customer. What was made under it, if anything, is nobody's: its
        // secret is given only once it is the live one, and then this attempt is over.
        (Err(error), _) if error.is_used_up() => {
            ctx.store.skip_link_attempt(&link).await?;
            return Ok(Round::Again);
        }
        (Err(error), _) if methods == Methods::CardOrBankDebit && error.refuses_methods() => {
            tracing::warn!(account = account.as_str(), %error, "an account takes cards alone");
            ctx.store.note_cards_only(&link.company, account, ctx.clock.now_s()).await?;
            return Ok(Round::Again);
        }
        (Err(error), _) => return Err(error.into()),
    };
    let session = Session {
        account: account.clone(),
        intent: intent.id.clone(),
        company: link.company.clone(),
        family: link.family.clone(),
        role: crate::scope::Role::Family,
        kind: SessionKind::Link {
            link: link.id.alias(),
            due: payment.subtotal.units(),
            fee: payment.processing_fee.units(),
            fee_thousandths: payment.processing_fee_percent.in_thousandths(),
        },
        amount: payment.total,
        currency: target.due.currency,
        created_s: ctx.clock.now_s(),
        lost_s: None,
    };
    match ctx.store.open_intent(&link, &session, &known).await? {
        Commit::Done => {
            let intent_id = Some(intent.id.clone());
            let link = Link { intent: intent_id, account: Some(account.clone()), customer: known, ..link };
            Ok(shown(link, target, Some(intent), Some(payment), Some(Some(form?))))
        }
        Commit::ConditionFailed => {
            give_up(ctx, stripe, &session).await?;
            Ok(Round::Again)
        }
        Commit::Contended | Commit::Unknown => Ok(Round::Again),
    }
}

/// Another intent is the live one. Ours is cancelled only if nobody remembers it: two tabs share a key, so ours may
/// be the very one that is live.
async fn give_up(ctx: &Context, stripe: &dyn Payments, ours: &Session) -> Result<(), Error> {
    let (session, claim) = ctx.store.load_payment(&ours.account, &ours.intent).await?;
    if session.is_none() && claim.is_none() {
        let key = format!("lost:{}", ours.intent);
        stripe.cancel_intent(&ours.account, &ours.intent, &key).await?;
    }
    Ok(())
}

/// The link's own customer, without an e-mail, so that nothing of the family hangs on it. It is remembered together with
/// the intent.
async fn customer(
    ctx: &Context,
    stripe: &dyn Payments,
    account: &AccountId,
    link: &Link,
    target: &LinkTarget,
) -> Result<(KnownCustomer, CustomerId), Error> {
    if let Some(id) = link.customer.on(account) {
        return Ok((link.customer.clone(), id.clone()));
    }
    let (about, key) = (ctx.metadata(&link.company, &link.family)?, format!("plcus:{}", link.id.alias()));
    let new = NewCustomer { account, name: &target.family.name, about: &about, key: &key };
    let (known, id) = new.make(stripe, &link.customer, &ctx.mint).await?;
    Ok((known, id))
}

/// How the link's next intent may be paid, and the key that it is made under. Bank debits are in pounds; an account that
/// has refused them lately isn't asked again.
async fn methods(
    ctx: &Context,
    account: &AccountId,
    link: &Link,
    (target, read_of): (&LinkTarget, &AccountId),
    total: Money,
) -> Result<(Methods, String), Error> {
    let key = format!("pl:{}:{}:{total}", link.id.alias(), link.attempt);
    if target.due.currency.code() != "gbp" {
        return Ok((Methods::Card, key));
    }
    let now_s = ctx.clock.now_s();
    // What was read beside the target is about the account of the last intent, which the company may have left.
    let cards_only = match read_of == account {
        true => target.cards_only_until_s > now_s,
        false => ctx.store.takes_cards_only(account, now_s).await?,
    };
    Ok(if cards_only { (Methods::Card, format!("{key}:card")) } else { (Methods::CardOrBankDebit, key) })
}

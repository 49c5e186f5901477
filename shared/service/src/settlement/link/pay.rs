//! From a link's authorised intent to P1: claim it and reserve the amount due, or claim it as rejected and cancel it.
//!
//! Invariant: a link's order reserves its part of the debit in the same transaction that claims the intent. A payment
//! of more than is due is rejected, and its payer learns that once Stripe has reported `canceled`.

use std::collections::BTreeMap;

use classpay_domain::ledger::payment_credit;
use classpay_domain::money::Overflow;
use classpay_domain::order::{IntentStatus, PaidBy, order_of_intent};
use classpay_domain::pricing::{Buyer, Payment};
use jiff::civil::Date;

use super::{claimed_for, due_payment, is_authorised, refusal_of, refusal_of_state, session_payment, today};
use crate::aggregate::Ledger;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::refusals::quote_changed;
use crate::settlement::claim::{self, after_placing, after_rejecting};
use crate::settlement::rounds::{Round, Rounds};
use crate::settlement::{Outcome, Settled};
use crate::snapshot::{OrderPayment, PaidLink, Snapshot};
use crate::store::{Link, LinkTarget, OrderRecord, PlaceOrder, Session, SessionKind, Starts};
use crate::stripe::{Intent, PaymentMethodData};

/// Captures and credits an intent that the payer has authorised. A call of `process-payment-link` is `counted`.
pub async fn take(
    ctx: &Context,
    link: &Link,
    target: &LinkTarget,
    session: &Session,
    intent: Intent,
    counted: Option<Starts>,
    deadline: Deadline,
) -> Result<Round<Settled>, Error> {
    let today = today(ctx, &target.company)?;
    if let Some(refusal) = refusal(link, target, session, &intent, today) {
        return reject(ctx, link, session, refusal, counted, deadline).await;
    }
    let order = order_of_intent(&session.account, &session.intent);
    let placed = OrderRecord::placed(order, snapshot(ctx, link, target, session, &intent, today)?);
    let paid = placed.snapshot.link.as_ref().ok_or_else(|| Error::internal("a link's order is of no link"))?;
    let place = PlaceOrder {
        id: &placed.id,
        snapshot: &placed.snapshot,
        // A link's order reads nothing that the family's version guards: the debit's own item guards what it reserves.
        family_version: 0,
        seats: &BTreeMap::new(),
        buyer: Buyer::Family,
        idempotency: None,
        now_s: ctx.clock.now_s(),
    };
    let written = ctx.store.place_link(&place, session, paid, counted).await;
    let unwritable = ErrorCode::PaymentCancelled;
    after_placing(ctx, written, placed, session, intent.into(), unwritable, deadline).await
}

/// Everything that an authorised intent's order posts.
fn snapshot(
    ctx: &Context,
    link: &Link,
    target: &LinkTarget,
    session: &Session,
    intent: &Intent,
    today: Date,
) -> Result<Snapshot, Error> {
    let Some(opened) = session_payment(session) else { return Err(ErrorCode::PaymentIntentMismatch.into()) };
    let too_large = |_| Error::from(ErrorCode::AmountTooLarge);
    let payment = taken(opened, intent).map_err(too_large)?;
    let entry = payment_credit(today, payment.total, payment.processing_fee).map_err(too_large)?;
    let order = order_of_intent(&session.account, &session.intent);
    let name = &target.family.name;
    let ledger = Ledger { company: &link.company, family: &link.family, family_name: name, order: Some(&order) };
    Ok(Snapshot {
        company: link.company.clone(),
        family: link.family.clone(),
        currency: target.due.currency,
        payment: Some(OrderPayment {
            account: session.account.clone(),
            intent: session.intent.clone(),
            total: payment.total.units(),
            paid_by: paid_by(intent),
        }),
        basket: claimed_for(&link.id.alias()),
        enrolments: Vec::new(),
        trials: Vec::new(),
        ended_trials: Vec::new(),
        fees: Vec::new(),
        link: Some(PaidLink {
            link: link.id.alias(),
            debit: link.debit.clone(),
            amount: payment.subtotal.units(),
            is_part: payment.total != opened.total,
            expires_s: link.expires_s,
        }),
        entries: vec![(&ledger.credit(&entry, &link.debit, &ctx.ids).map_err(too_large)?).into()],
    })
}

/// Settles a link's intent without its payer's call: the webhook and the settlement job pass the intent as they have
/// just read it. An unauthorised intent is left alone.
///
/// # Errors
/// [`Error`] if it can't be known now; the caller's next visit continues.
pub async fn settle_session(
    ctx: &Context,
    session: &Session,
    just_read: Intent,
    deadline: Deadline,
) -> Result<Option<Outcome>, Error> {
    let mut just_read = Some(just_read);
    let mut rounds = Rounds::until(deadline);
    while rounds.another() {
        let round = session_round(ctx, session, just_read.take(), deadline).await;
        if let Some(settled) = rounds.judge(round) {
            return settled;
        }
    }
    // A write whose reply was lost may not have landed: perhaps only the session exists to continue from.
    rounds.give_up().and_then(|_| Err(ErrorCode::Unavailable.into()))
}

async fn session_round(
    ctx: &Context,
    session: &Session,
    just_read: Option<Intent>,
    deadline: Deadline,
) -> Result<Round<Option<Outcome>>, Error> {
    let SessionKind::Link { link: alias, .. } = &session.kind else { return Ok(Round::Over(None)) };
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let link = ctx.store.load_link(alias).await?.ok_or_else(|| Error::internal("a session's link is gone"))?;
    // The link may have moved on to another intent, so the target is read by the session's own intent.
    let is_live = link.intent.as_ref() == Some(&session.intent);
    let link = Link { intent: Some(session.intent.clone()), ..link };
    let intent = async {
        match just_read {
            Some(intent) => Ok(Some(intent)),
            None => stripe.load_intent(&session.account, &session.intent).await,
        }
    };
    let (target, intent) = tokio::join!(ctx.store.load_link_target(&link, &session.account), intent);
    let (target, intent) = (target?, intent?);
    let round = match (&target.claim, intent) {
        (Some(claim), intent) => Round::Over(claim::follow(ctx, session, &claim.decision, intent, deadline).await?),
        // Dropped while its account was out of reach, which it no longer is: the link has another intent, or none.
        (None, Some(intent)) if is_authorised(&intent) && !is_live => {
            reject(ctx, &link, session, ErrorCode::PaymentCancelled.into(), None, deadline).await?
        }
        (None, Some(intent)) if is_authorised(&intent) => {
            take(ctx, &link, &target, session, intent, None, deadline).await?
        }
        (None, _) => return Ok(Round::Over(None)),
    };
    Ok(round.map(|settled| Some(settled.outcome)))
}

/// Why an authorised intent can't pay the link now.
fn refusal(link: &Link, target: &LinkTarget, session: &Session, intent: &Intent, today: Date) -> Option<Error> {
    if let Some(refusal) = refusal_of_state(link.state) {
        return Some(refusal.into());
    }
    let authorised_s = intent.charge.as_ref().map(|charge| charge.created_s);
    if let (Some(expires_s), Some(authorised_s)) = (link.expires_s, authorised_s)
        && authorised_s > expires_s
    {
        return Some(ErrorCode::LinkExpired.into());
    }
    // A partial capture in the dashboard pays a part.
    let opened = session_payment(session).and_then(|opened| taken(opened, intent).ok())?;
    if target.due.due < opened.subtotal {
        return Some(match due_payment(target, today) {
            Ok(now) => quote_changed(Some(&now)),
            Err(why) => refusal_of(why),
        });
    }
    let currency = target.due.currency.code();
    if intent.amount != session.amount || intent.currency != currency {
        return Some(quote_changed(due_payment(target, today).ok().as_ref()));
    }
    None
}

/// How much an intent pays of what it was opened for: all of it, unless less was captured.
fn taken(opened: Payment, intent: &Intent) -> Result<Payment, Overflow> {
    let is_part = intent.status == IntentStatus::Succeeded && intent.amount_received < opened.total;
    if is_part { opened.part(intent.amount_received) } else { Ok(opened) }
}

fn paid_by(intent: &Intent) -> PaidBy {
    let bank_debit = intent.payment_method.as_ref().is_some_and(|m| matches!(m.data, PaymentMethodData::BacsDebit(_)));
    if bank_debit || intent.status == IntentStatus::Processing { PaidBy::BankDebit } else { PaidBy::Card }
}

/// Claims the intent as rejected, then cancels it, and only then gives the refusal.
async fn reject(
    ctx: &Context,
    link: &Link,
    session: &Session,
    refusal: Error,
    counted: Option<Starts>,
    deadline: Deadline,
) -> Result<Round<Settled>, Error> {
    let (alias, now_s) = (link.id.alias(), ctx.clock.now_s());
    let counted = counted.map(|starts| (&alias, starts));
    let written = ctx.store.reject_link(session, &claimed_for(&alias), &refusal, now_s, counted).await?;
    after_rejecting(ctx, written, session, refusal, deadline).await
}

//! From an authorised intent of a link to its record: claim and reserve what is due, capture, post.
//!
//! Invariant: a link's order reserves its part of the debit in the same transaction that claims the intent. Who finds
//! less due than he pays is rejected with the claim first, and told so once Stripe says `canceled`.

use classpay_domain::ledger::payment_credit;
use classpay_domain::link::LinkState;
use classpay_domain::money::Overflow;
use classpay_domain::order::{IntentStatus, OrderState, PaidBy, order_of_intent};
use classpay_domain::pricing::{Buyer, Payment};
use jiff::civil::Date;

use super::{claimed_for, due_payment, refusal_of, session_payment, today};
use crate::aggregate::Ledger;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::refusals::quote_changed;
use crate::settle::{Known, Outcome, Settled, release_rejected, settle};
use crate::snapshot::{OrderPayment, PaidLink, Snapshot};
use crate::store::{Commit, Decision, Link, LinkTarget, OrderRecord, PlaceOrder, Session, Starts, StoreError};
use crate::stripe::{Intent, PaymentMethodData};

/// What a step of the road comes to.
pub(super) enum Step {
    /// The order, or the rejection, as far as it got.
    Got(Settled),
    /// Somebody was faster: look again.
    Again,
    /// A reply was lost: look again, and refuse nothing for lack of an answer.
    Unknown,
}

/// Follows a decision that stands. Stripe is asked again only if the intent was not `just_read`.
pub(super) async fn follow(
    ctx: &Context,
    session: &Session,
    decision: &Decision,
    just_read: Option<Intent>,
    deadline: Deadline,
) -> Result<Step, Error> {
    let order = order_of_intent(&session.account, &session.intent);
    Ok(Step::Got(match decision {
        Decision::Order(id) => {
            let order = ctx.store.load_named_order(id).await?;
            settle(ctx, order, just_read.map(Known::from), deadline).await
        }
        Decision::Rejected { refusal, state } => match state.told(refusal) {
            Some(told) => Outcome::Refused(told).into(),
            None => release_rejected(ctx, session, &order, refusal.clone(), deadline).await.into(),
        },
    }))
}

/// Captures and credits an intent that the payer has authorised. A call of `process` is `counted`.
pub(super) async fn take(
    ctx: &Context,
    link: &Link,
    target: &LinkTarget,
    session: &Session,
    intent: Intent,
    counted: Option<Starts>,
    deadline: Deadline,
) -> Result<Step, Error> {
    let today = today(ctx, &target.company)?;
    if let Some(refusal) = refusal(link, target, session, &intent, today) {
        return reject(ctx, link, session, refusal, counted, deadline).await;
    }
    let order = order_of_intent(&session.account, &session.intent);
    let Some(opened) = session_payment(session) else { return Err(ErrorCode::PaymentIntentMismatch.into()) };
    let too_large = |_| Error::from(ErrorCode::AmountTooLarge);
    let payment = taken(opened, &intent).map_err(too_large)?;
    let entry = payment_credit(today, payment.total, payment.processing_fee).map_err(too_large)?;
    let name = &target.family.name;
    let ledger = Ledger { company: &link.company, family: &link.family, family_name: name, order: Some(&order) };
    let paid = PaidLink {
        link: link.id.alias(),
        debit: link.debit.clone(),
        amount: payment.subtotal.units(),
        is_part: payment.total != opened.total,
        expires_s: link.expires_s,
    };
    let snapshot = Snapshot {
        company: link.company.clone(),
        family: link.family.clone(),
        currency: target.due.currency,
        payment: Some(OrderPayment {
            account: session.account.clone(),
            intent: session.intent.clone(),
            total: payment.total.units(),
            paid_by: paid_by(&intent),
        }),
        basket: claimed_for(&link.id.alias()),
        enrolments: Vec::new(),
        trials: Vec::new(),
        ended_trials: Vec::new(),
        fees: Vec::new(),
        link: Some(paid.clone()),
        entries: vec![(&ledger.credit(&entry, &link.debit, &ctx.mint).map_err(too_large)?).into()],
    };
    let place = PlaceOrder {
        id: &order,
        snapshot: &snapshot,
        // A link's order reads nothing that the family's version guards: what it takes is guarded by itself.
        family_version: 0,
        seats: &std::collections::BTreeMap::new(),
        buyer: Buyer::Family,
        idempotency: None,
        now_s: ctx.clock.now_s(),
    };
    match ctx.store.place_link(&place, session, &paid, counted).await {
        // It should not have been opened: a person is told.
        Err(StoreError::Unwritable) => {
            let (claimed_for, refusal) = (claimed_for(&link.id.alias()), ErrorCode::PaymentCancelled.into());
            let written = ctx.store.reject_unwritable(session, &claimed_for, &refusal, ctx.clock.now_s()).await?;
            return release(ctx, written, session, refusal, deadline).await;
        }
        Err(error) => return Err(error.into()),
        Ok(Commit::ConditionFailed | Commit::Contended) => return Ok(Step::Again),
        Ok(Commit::Unknown) => return Ok(Step::Unknown),
        Ok(Commit::Done) => {}
    }
    let placed = OrderRecord {
        id: order,
        state: OrderState::Pending,
        attempt: 1,
        needs_review: false,
        credit: None,
        resolved: None,
        snapshot,
    };
    Ok(Step::Got(settle(ctx, placed, Some(intent.into()), deadline).await))
}

/// Why an authorised intent can't pay the link now.
fn refusal(link: &Link, target: &LinkTarget, session: &Session, intent: &Intent, today: Date) -> Option<Error> {
    match link.state {
        LinkState::Revoked => return Some(ErrorCode::LinkRevoked.into()),
        LinkState::Expired => return Some(ErrorCode::LinkExpired.into()),
        LinkState::Open | LinkState::Processing | LinkState::Paid | LinkState::Refunded => {}
    }
    let authorised_s = intent.charge.as_ref().map(|charge| charge.created_s);
    if let (Some(expires_s), Some(authorised_s)) = (link.expires_s, authorised_s)
        && authorised_s > expires_s
    {
        return Some(ErrorCode::LinkExpired.into());
    }
    // What was captured in part, in the dashboard, pays a part.
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

/// What an intent pays of what it was opened for: all of it, unless less was captured.
fn taken(opened: Payment, intent: &Intent) -> Result<Payment, Overflow> {
    let is_part = intent.status == IntentStatus::Succeeded && intent.amount_received < opened.total;
    if is_part { opened.part(intent.amount_received) } else { Ok(opened) }
}

fn paid_by(intent: &Intent) -> PaidBy {
    let bank_debit = intent.payment_method.as_ref().is_some_and(|m| matches!(m.data, PaymentMethodData::BacsDebit(_)));
    if bank_debit || intent.status == IntentStatus::Processing { PaidBy::BankDebit } else { PaidBy::Card }
}

/// The claim first, then the cancel, and only then the refusal.
pub(super) async fn reject(
    ctx: &Context,
    link: &Link,
    session: &Session,
    refusal: Error,
    counted: Option<Starts>,
    deadline: Deadline,
) -> Result<Step, Error> {
    let (alias, now_s) = (link.id.alias(), ctx.clock.now_s());
    let counted = counted.map(|starts| (&alias, starts));
    let written = ctx.store.reject_link(session, &claimed_for(&alias), &refusal, now_s, counted).await?;
    release(ctx, written, session, refusal, deadline).await
}

/// Releases what was rejected, if it was.
async fn release(
    ctx: &Context,
    rejected: Commit,
    session: &Session,
    refusal: Error,
    deadline: Deadline,
) -> Result<Step, Error> {
    match rejected {
        Commit::ConditionFailed | Commit::Contended => return Ok(Step::Again),
        Commit::Unknown => return Ok(Step::Unknown),
        Commit::Done => {}
    }
    let order = order_of_intent(&session.account, &session.intent);
    Ok(Step::Got(release_rejected(ctx, session, &order, refusal, deadline).await.into()))
}

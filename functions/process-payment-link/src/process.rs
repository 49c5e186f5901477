//! Takes a link's payment: claim, capture, record. Repeated, it answers the same.
//!
//! Invariant: only the link's own intent is touched. A decline leaves the link open, and so does a rejection. A call
//! that only asks for a payment's state is never refused by the rate limit, but may be answered without Stripe.

use std::slice;
use std::sync::Arc;

use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::ledger::DetailKind;
use classpay_domain::link::{LinkState, PaymentLinkId};
use classpay_domain::order::{IntentStatus, OrderState, PaidBy, order_of_intent};
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::context::Context;
use classpay_service::deadline::Deadline;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::settlement::link::pay::take;
use classpay_service::settlement::link::{
    account, id_of, live, not_found, pays_a_part, recorded_intent, refusal_of_state,
};
use classpay_service::settlement::rounds::{Round, Rounds};
use classpay_service::settlement::{Outcome, Settled, follow};
use classpay_service::snapshot::Snapshot;
use classpay_service::store::{Link, LinkTarget, OrderRecord, Session, hour_of};
use classpay_service::stripe::{Intent, Payments, StripeError};
use classpay_service::telemetry;
use tokio::join;

use crate::records;

/// How many payments of a link may be started in an hour: a payer needs one or two.
const STARTS_PER_HOUR: u32 = 10;
/// How often Stripe is asked about a link in an hour, however often a page polls.
const READS_PER_HOUR: u32 = 120;

/// A link that was paid, or is being paid by a bank debit.
#[derive(Debug)]
pub struct Paid {
    /// The link.
    pub link: Link,
    /// What it points at.
    pub target: LinkTarget,
    /// The credit: posted, or pending while a bank debit is processed.
    pub credit: AggregateTransaction,
    /// The intent that paid.
    pub intent: Intent,
}

/// How a call ended.
#[derive(Debug)]
pub enum Processed {
    /// Paid, or being paid by bank debit.
    Paid(Box<Paid>),
    /// Not yet known: repeat the call to learn the outcome.
    Pending(OrderId),
}

/// What a round has read.
struct LinkRead {
    account: AccountId,
    target: LinkTarget,
    /// Stripe's answer about the intent; `None`: it was asked too often in this hour.
    said: Option<Result<Option<Intent>, StripeError>>,
}

/// How far the payment has got.
struct Ended {
    settled: Settled,
    target: LinkTarget,
    /// The intent as it was before.
    intent: Option<Intent>,
    ask: Ask,
}

/// Whether Stripe may be asked for what the answer shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Stripe,
    Nobody,
}

/// Takes the payment of a link; `asked` is the intent that the caller named, `None` the link's own.
///
/// # Errors
/// The refusals of a link's payment.
pub async fn process(
    ctx: &Context,
    id: &str,
    asked: Option<&IntentId>,
    deadline: Deadline,
) -> Result<Processed, Error> {
    let id = id_of(id)?;
    let loaded = ctx.store.load_counted_link(&id.alias(), hour_of(ctx.clock.now_s())).await?;
    let Some((link, mut reads)) = loaded else {
        return Err(not_found(ctx, &id).await);
    };
    if let Some(asked) = asked {
        telemetry::about_intent(asked);
    }
    let mut just_read = Some(link);
    let mut rounds = Rounds::until(deadline);
    while rounds.another() {
        let round = round(ctx, &id, just_read.take(), asked, &mut reads, deadline).await;
        if let Some(processed) = rounds.judge(round) {
            return processed;
        }
    }
    rounds.give_up().map(Processed::Pending)
}

async fn round(
    ctx: &Context,
    id: &PaymentLinkId,
    just_read: Option<Link>,
    asked: Option<&IntentId>,
    reads: &mut u32,
    deadline: Deadline,
) -> Result<Round<Processed>, Error> {
    let link = match just_read {
        Some(link) => link,
        None => ctx.store.load_link(&id.alias()).await?.ok_or_else(Error::not_found)?,
    };
    let link_read = read(ctx, &link, asked, reads, deadline).await?;
    Ok(match settle(ctx, &link, link_read, deadline).await? {
        Round::Over(ended) => {
            let stripe = match ended.ask {
                Ask::Stripe => Some(ctx.stripe()?.within(deadline.for_stripe())),
                Ask::Nobody => None,
            };
            Round::Over(answer(ctx, link, ended, stripe).await?)
        }
        Round::Again => Round::Again,
        Round::Sent(order) => Round::Sent(order),
    })
}

fn too_many(now_s: i64) -> Error {
    let wait_s = u32::try_from(3600 - now_s.rem_euclid(3600)).unwrap_or(3600);
    Error::from(ErrorCode::TooManyAttempts).retry_after(wait_s)
}

/// Reads what the link points at, and its intent beside it unless there have been too many `reads` in this hour.
async fn read(
    ctx: &Context,
    link: &Link,
    asked: Option<&IntentId>,
    reads: &mut u32,
    deadline: Deadline,
) -> Result<LinkRead, Error> {
    if let Some(refusal) = refusal_of_state(link.state) {
        return Err(refusal.into());
    }
    let own = match (&link.intent, asked) {
        (Some(own), Some(asked)) if own != asked => return Err(ErrorCode::PaymentIntentMismatch.into()),
        (None, Some(_)) => return Err(ErrorCode::PaymentIntentMismatch.into()),
        (None, None) => return Err(ErrorCode::PaymentNotAuthorised.into()),
        (Some(own), _) => own,
    };
    let account = account(ctx, link).await?;
    if *reads >= READS_PER_HOUR {
        let target = ctx.store.load_link_target(link, &account).await?;
        return Ok(LinkRead { account, target, said: None });
    }
    let (alias, hour) = (link.id.alias(), hour_of(ctx.clock.now_s()));
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let (counted, target, intent) = join!(
        ctx.store.count_read(&alias, hour),
        ctx.store.load_link_target(link, &account),
        stripe.load_intent(&account, own),
    );
    *reads = counted?;
    Ok(LinkRead { account, target: target?, said: Some(intent) })
}

/// Settles the payment as far as possible now, or answers how far it has got.
async fn settle(
    ctx: &Context,
    link: &Link,
    LinkRead { account, target, said }: LinkRead,
    deadline: Deadline,
) -> Result<Round<Ended>, Error> {
    let Some(session) = target.session.clone() else {
        return Err(Error::internal("a link's intent has no session"));
    };
    let intent = match (said, target.claim.clone()) {
        (Some(intent), Some(claim)) => {
            let intent = intent.ok().flatten();
            let settled = follow(ctx, &session, &claim.decision, intent.clone(), deadline).await?;
            return Ok(Round::Over(Ended { settled, target, intent, ask: Ask::Stripe }));
        }
        (None, Some(claim)) => {
            let (outcome, intent) = records::follow(ctx, &session, &claim.decision).await?;
            return Ok(Round::Over(Ended { settled: outcome.into(), target, intent, ask: Ask::Nobody }));
        }
        (None, None) => match records::undecided(&target, &session) {
            Ok(outcome) => {
                let settled = outcome.into();
                return Ok(Round::Over(Ended { settled, target, intent: None, ask: Ask::Nobody }));
            }
            Err(refusal) => return unless_decided(ctx, &session, refusal.into()).await,
        },
        (Some(Ok(intent)), None) => intent.ok_or(ErrorCode::PaymentIntentMismatch)?,
        // Nobody can pay this intent any more: when the link is opened again, it gets another.
        (Some(Err(error)), None) if live::let_go_if_out_of_reach(ctx, &account, link, &error).await? => {
            return Ok(Round::Again);
        }
        (Some(Err(error)), None) => return Err(error.into()),
    };
    let (now_s, starts) = (ctx.clock.now_s(), link.starts);
    let refusal = match intent.status {
        IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded
            if starts.within(hour_of(now_s)) >= STARTS_PER_HOUR =>
        {
            return unless_decided(ctx, &session, too_many(now_s)).await;
        }
        IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded => {
            let counted = Some(starts.and_one(hour_of(now_s)));
            let round = take(ctx, link, &target, &session, intent, counted, deadline).await?;
            return Ok(round.map(|settled| Ended { settled, target, intent: None, ask: Ask::Stripe }));
        }
        // The settlement job may have just cancelled it, because the link has expired.
        IntentStatus::Canceled
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
            if live::is_over(ctx, link) =>
        {
            let stripe = ctx.stripe()?.within(deadline.for_stripe());
            live::expire(ctx, &*stripe, &account, link).await?;
            return Ok(Round::Again);
        }
        IntentStatus::Canceled => ErrorCode::PaymentCancelled,
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {
            ErrorCode::PaymentNotAuthorised
        }
    };
    unless_decided(ctx, &session, refusal.into()).await
}

/// A refusal, unless another call has claimed the intent since the claim was read.
async fn unless_decided(ctx: &Context, session: &Session, refusal: Error) -> Result<Round<Ended>, Error> {
    match ctx.store.load_claim(&session.account, &session.intent).await? {
        Some(_) => Ok(Round::Again),
        None => Err(refusal),
    }
}

/// The answer, with the intent as Stripe last reported it: after the capture or, for a repeated call, in parallel with
/// the reads. If Stripe was asked too often, with the intent as recorded.
async fn answer(
    ctx: &Context,
    mut link: Link,
    Ended { settled: Settled { outcome, intent }, target, intent: read, .. }: Ended,
    stripe: Option<Arc<dyn Payments>>,
) -> Result<Processed, Error> {
    let account = account(ctx, &link).await?;
    let Some(id) = &link.intent else {
        return Err(Error::internal("a paid link has no intent"));
    };
    let was_read = intent.is_some() || read.is_some();
    // An intent read in another state says nothing about its current one.
    let known = |status| intent.map(|intent| *intent).or(read).filter(|intent| intent.status == status);
    let now = async |known: Option<Intent>| match (known, &stripe) {
        (Some(known), _) => Ok(Some(known)),
        (None, Some(stripe)) => stripe.load_intent(&account, id).await,
        (None, None) => Ok(None),
    };
    match outcome {
        Outcome::Refused(refusal) => Err(refusal),
        Outcome::Completed(transactions) => {
            // A person has stated that nothing was received.
            let Some(credit) = transactions.into_iter().find(|transaction| !transaction.is_debit()) else {
                return Err(ErrorCode::PaymentCancelled.into());
            };
            let intent = match (now(known(IntentStatus::Succeeded)).await, &target.session) {
                (Ok(Some(intent)), _) => intent,
                // Our records say that it has paid; the payment method is left out.
                (_, Some(session)) => recorded_intent(session, IntentStatus::Succeeded),
                (_, None) => return Ok(Processed::Pending(order_of_intent(&account, id))),
            };
            let is_part = target.session.as_ref().is_some_and(|session| pays_a_part(slice::from_ref(&credit), session));
            if link.state != LinkState::Refunded && !is_part {
                link.state = LinkState::Paid;
            }
            Ok(Processed::Paid(Box::new(Paid { link, target, credit, intent })))
        }
        Outcome::Pending(order) => {
            let (record, intent) = join!(ctx.store.load_order(&order), now(known(IntentStatus::Processing)));
            let intent = match (intent, &target.session) {
                (Ok(intent), _) => intent,
                // Stripe has answered in this call, and with another state.
                (Err(_), _) if was_read => None,
                (Err(_), session) => session.as_ref().map(|session| recorded_intent(session, IntentStatus::Processing)),
            };
            match (record, intent) {
                (Ok(Some(record)), Some(intent))
                    if intent.status == IntentStatus::Processing && is_under_way(&record) =>
                {
                    let Snapshot { company, family, .. } = &record.snapshot;
                    let credit = record.snapshot.credit().map(|credit| credit.expand(company, family));
                    let credit = credit.ok_or_else(|| Error::internal("a paid link has no credit"))?;
                    link.state = LinkState::Processing;
                    Ok(Processed::Paid(Box::new(Paid { link, target, credit: pending(credit), intent })))
                }
                _ => Ok(Processed::Pending(order)),
            }
        }
    }
}

fn is_under_way(order: &OrderRecord) -> bool {
    let is_bank_debit = order.snapshot.payment.as_ref().is_some_and(|payment| payment.paid_by == PaidBy::BankDebit);
    is_bank_debit && order.state == OrderState::Pending
}

/// A bank debit takes days and may fail: until then its credit is shown as pending, and nothing is posted.
fn pending(mut credit: AggregateTransaction) -> AggregateTransaction {
    for detail in &mut credit.details {
        if detail.details.kind == DetailKind::PaymentAuto.as_str() {
            detail.details.kind = "payment-pending-card".to_owned();
        }
    }
    credit
}

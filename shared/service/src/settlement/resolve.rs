//! A person's decisions: about an order whose payment is not what the order says (a part was captured elsewhere, the
//! amount differs, or the table refuses what it posts), and about an order, a rejection or a session whose intent is
//! out of our reach.
//!
//! Invariant: only what is unfinished is decided, and once: an order ends in the same transaction that credits what was
//! received and closes the review record. Stripe's answer takes precedence over a person's statement.

use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{CompanyId, OrderId, TransactionId};
use classpay_domain::ledger::payment_credit;
use classpay_domain::money::Money;
use classpay_domain::order::{IntentStatus, OrderState, order_of_intent};
use classpay_domain::pricing::Payment;

use crate::aggregate::Ledger;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::settlement::unallocated;
use crate::snapshot::Snapshot;
use crate::store::{Commit, OrderRecord, Resolution, Resolved, ReviewReason, Session, Witness};
use crate::stored_entry::StoredEntry;
use crate::stripe::{Charge, Intent};

/// Why an order can't be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolvable {
    /// It is finished.
    #[error("the order is {}", match .0 { OrderState::Completed => "completed", OrderState::Cancelled => "cancelled", OrderState::Pending => "pending" })]
    AtItsEnd(OrderState),
    /// It collects nothing.
    #[error("the order collects nothing")]
    WithoutPayment,
    /// The money was not taken.
    #[error("its intent is {0}, not succeeded: nothing was received")]
    NotReceived(&'static str),
    /// What was received is what the order says.
    #[error("exactly its total was received: settle it")]
    ReceivedWhole,
    /// Money in another currency is never booked against this order.
    #[error("{received} {got} was received for an order in {wanted}: give it back at Stripe, then release the order")]
    OtherCurrency {
        /// In minor units.
        received: i64,
        /// In lower case.
        got: String,
        /// In lower case.
        wanted: &'static str,
    },
    /// More than was authorised.
    #[error("no more than {0} can have been received")]
    TooMuch(i64),
    /// The settlement job, which has its own key, hasn't found the account lost.
    #[error("the schedule has not found its account lost; compare the key with the stack's, and wait a day")]
    NotLost,
    /// A payment without an order has no debit that a credit could pay.
    #[error(
        "no order takes it, so nothing of it is credited: enter what was received as a payment in the office's tools, \
         then name 0"
    )]
    NothingToCredit,
    /// Its payment was received and can't be credited here, and nobody has stated that it is dealt with.
    #[error(
        "its payment can't be credited: refund it at Stripe and settle it, or say with --received 0 that it is dealt with elsewhere"
    )]
    Uncredited,
    /// Stripe reports how it ended, so no person has to.
    #[error("Stripe says that its intent is {0}: settle it")]
    Readable(&'static str),
    /// The order has changed, or the table gives no clear answer.
    #[error("the order has changed meanwhile, or the table gave no clear answer: look again")]
    Changed,
    /// Stripe doesn't say what was received, and nobody else has.
    #[error("Stripe doesn't say what was received ({0}); look in the studio's dashboard and name it")]
    Unreadable(String),
    /// It can't be known now.
    #[error("{0}")]
    Unknown(String),
}

impl From<Error> for Unresolvable {
    fn from(error: Error) -> Self {
        let cause = error.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::Unknown(format!("{error}{cause}"))
    }
}

/// Ends a pending order by what Stripe has received for it: either posts it as it is and credits what was received, or
/// gives it back and credits what was received without a debit. `stated` is what the studio's own dashboard says was
/// received: it counts only if Stripe permanently refuses to show it.
///
/// # Errors
/// [`Unresolvable`]; then nothing was changed.
pub async fn resolve(
    ctx: &Context,
    order: &OrderRecord,
    how: Resolution,
    stated: Option<Money>,
    deadline: Deadline,
) -> Result<Money, Unresolvable> {
    if order.state != OrderState::Pending {
        return Err(Unresolvable::AtItsEnd(order.state));
    }
    let snapshot = &order.snapshot;
    let Some(payment) = &snapshot.payment else { return Err(Unresolvable::WithoutPayment) };
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let why = match stripe.load_intent(&payment.account, &payment.intent).await {
        Ok(Some(intent)) => Ok(received(snapshot, &intent, how)?),
        Ok(None) => Err("it has no such intent".to_owned()),
        Err(error) if error.tells_nothing() => Err(error.to_string()),
        Err(error) => return Err(Error::from(error).into()),
    };
    let (received, by) = match why {
        Ok(received) => (received, Witness::Stripe),
        Err(why) => {
            let (about, total) = ((&snapshot.company, &order.id), Money::minor(payment.total));
            (named(ctx, about, stated, total, why).await?, Witness::Person)
        }
    };
    let credit = credit(ctx, order, how, received).await?;
    let resolved = Resolved { order, how, credit: credit.as_ref(), received, by, now_s: ctx.clock.now_s() };
    match ctx.store.resolve(&resolved).await.map_err(Error::from)? {
        Commit::Done => Ok(received),
        Commit::ConditionFailed | Commit::Contended | Commit::Unknown => Err(Unresolvable::Changed),
    }
}

/// Lets go of a rejection or a session whose intent is out of our reach, once a person has checked the studio's own
/// dashboard: nobody needs to act on it any more. If the account comes back, a hold is released and a captured payment
/// becomes the family's credit.
///
/// # Errors
/// [`Unresolvable`]; then nothing was changed.
pub async fn let_payment_go(
    ctx: &Context,
    session: &Session,
    stated: Option<Money>,
    deadline: Deadline,
) -> Result<(), Unresolvable> {
    let Session { account, intent, company, .. } = session;
    let order = order_of_intent(account, intent);
    let why = match ctx.stripe()?.within(deadline.for_stripe()).load_intent(account, intent).await {
        // Received, and perhaps impossible to credit here.
        Ok(Some(known)) if known.status == IntentStatus::Succeeded => {
            let reason = ctx.store.review_reason(company, order.as_str()).await.map_err(Error::from)?;
            if !reason.is_some_and(|reason| ReviewReason::is_uncredited(&reason)) {
                return Err(Unresolvable::Readable(known.status.as_str()));
            }
            if stated != Some(Money::ZERO) {
                return Err(Unresolvable::Uncredited);
            }
            unallocated::end_without_credit(ctx, session).await.map_err(Error::from)?;
            let claim = ctx.store.load_claim(account, intent).await.map_err(Error::from)?;
            if !claim.is_some_and(|claim| claim.is_given_back()) {
                return Err(Unresolvable::Changed);
            }
            ctx.store.note_seen(company, order.as_str(), None, ctx.clock.now_s()).await.map_err(Error::from)?;
            return Ok(());
        }
        Ok(Some(known)) => return Err(Unresolvable::Readable(known.status.as_str())),
        Ok(None) => "it has no such intent".to_owned(),
        Err(error) if error.tells_nothing() => error.to_string(),
        Err(error) => return Err(Error::from(error).into()),
    };
    if !named(ctx, (company, &order), stated, session.amount, why).await?.is_zero() {
        return Err(Unresolvable::NothingToCredit);
    }
    let mut gone = ctx.store.let_rejection_go(account, intent).await.map_err(Error::from)?;
    if gone == Commit::ConditionFailed {
        gone = ctx.store.let_session_go(session).await.map_err(Error::from)?;
    }
    if gone != Commit::Done {
        return Err(Unresolvable::Changed);
    }
    // The person who decided has seen the review record.
    ctx.store.note_seen(company, order.as_str(), None, ctx.clock.now_s()).await.map_err(Error::from)?;
    Ok(())
}

/// What was received, as a person reports it from the studio's dashboard. It counts only if the settlement job, with
/// its own key, has also found the intent out of reach.
async fn named(
    ctx: &Context,
    (company, order): (&CompanyId, &OrderId),
    stated: Option<Money>,
    at_most: Money,
    why: String,
) -> Result<Money, Unresolvable> {
    let stated = stated.ok_or(Unresolvable::Unreadable(why))?;
    if stated > at_most {
        return Err(Unresolvable::TooMuch(at_most.units()));
    }
    let reason = ctx.store.review_reason(company, order.as_str()).await.map_err(Error::from)?;
    if reason.as_deref() == Some(ReviewReason::INTENT_LOST) { Ok(stated) } else { Err(Unresolvable::NotLost) }
}

/// What Stripe has received, if a person may decide about it.
fn received(snapshot: &Snapshot, intent: &Intent, how: Resolution) -> Result<Money, Unresolvable> {
    let total = snapshot.payment.as_ref().map_or(0, |payment| payment.total);
    let received = intent.amount_received;
    match intent.status {
        IntentStatus::Succeeded => {}
        status => return Err(Unresolvable::NotReceived(status.as_str())),
    }
    if intent.currency != snapshot.currency.code() {
        let kept = received.minus(intent.charge.as_ref().map_or(Money::ZERO, |charge| charge.given_back()));
        let may_fail = intent.charge.as_ref().is_some_and(Charge::is_refund_pending);
        // A payment that was fully given back needs no credit.
        if how == Resolution::Release && kept == Ok(Money::ZERO) && !may_fail {
            return Ok(Money::ZERO);
        }
        let (got, wanted) = (intent.currency.clone(), snapshot.currency.code());
        return Err(Unresolvable::OtherCurrency { received: received.units(), got, wanted });
    }
    // A release also ends an order that the table refuses to post.
    if how == Resolution::Keep && received.units() == total {
        return Err(Unresolvable::ReceivedWhole);
    }
    Ok(received)
}

/// The credit of what was received; `None`: nothing was received.
async fn credit(
    ctx: &Context,
    order: &OrderRecord,
    how: Resolution,
    received: Money,
) -> Result<Option<StoredEntry>, Unresolvable> {
    if received.is_zero() {
        return Ok(None);
    }
    let snapshot = &order.snapshot;
    let (company, family) = (&snapshot.company, &snapshot.family);
    let planned = snapshot.credit().ok_or_else(|| Error::internal("an order that is paid has no credit"))?;
    let timezone = ctx.store.load_timezone(company).await.map_err(Error::from)?;
    let today = ctx.clock.today(&timezone).map_err(Error::from)?;
    let overflow = |_| Error::internal("the sums overflow");
    let fee = match how {
        Resolution::Keep => snapshot.paid().part(received).map_err(overflow)?.processing_fee,
        Resolution::Release => Money::ZERO,
    };
    let entry = payment_credit(today, received, fee).map_err(overflow)?;
    let mut digest = Fingerprint::new("resolved");
    digest.text(order.id.as_str());
    let id = TransactionId::with_positions(digest.finish_ulid(ctx.clock.now().as_millisecond()));
    let related = planned.related.as_deref().filter(|_| how == Resolution::Keep);
    let ledger = Ledger { company, family, family_name: &planned.family_name, order: Some(&order.id) };
    Ok(Some((&ledger.derived(&entry, &id, related).map_err(overflow)?).into()))
}

impl Snapshot {
    /// What its payment charges, according to its credit.
    fn paid(&self) -> Payment {
        let lines = self.credit().into_iter().flat_map(|credit| &credit.lines);
        let fee: i64 = lines.filter(|line| line.kind == "fee-company").map(|line| line.amount).sum();
        let total = Money::minor(self.payment.as_ref().map_or(0, |payment| payment.total));
        let fee = Money::minor(fee.saturating_neg());
        Payment {
            subtotal: total.minus(fee).unwrap_or(total),
            processing_fee: fee,
            processing_fee_percent: classpay_domain::money::Percent::ZERO,
            total,
        }
    }
}

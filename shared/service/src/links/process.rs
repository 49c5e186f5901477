//! Takes a link's payment: claim, capture, record. Repeated, it answers the same.
//!
//! Invariant: only the link's own intent is touched. A decline leaves the link open; so does a rejection.

use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::ledger::DetailKind;
use classpay_domain::link::LinkState;
use classpay_domain::order::{IntentStatus, order_of_intent};
use tokio::join;

use super::road::{self, Step};
use super::{MAX_ROUNDS, account, end, id_of, not_found};
use crate::aggregate::AggregateTransaction;
use crate::context::{Context, Deadline};
use crate::http::{ApiError, ErrorCode};
use crate::machine::Machine;
use crate::settle::{Outcome, Settled};
use crate::store::{Link, LinkTarget};
use crate::stripe::{Intent, Payments as _, StripeError};
use crate::telemetry;

/// How many calls of `process` a link may get in an hour: a payer needs one or two, a guesser many.
const TRIES_PER_HOUR: u32 = 10;

/// A link that was paid, or is being paid by a bank debit.
#[derive(Debug)]
pub struct Paid {
    /// The link.
    pub link: Link,
    /// What it points at.
    pub target: LinkTarget,
    /// The credit: posted, or pending for a bank debit on its way.
    pub credit: AggregateTransaction,
    /// The intent that paid.
    pub intent: Intent,
}

/// How a call ended.
#[derive(Debug)]
pub enum Processed {
    /// Paid, or on its way by bank debit.
    Paid(Box<Paid>),
    /// Not yet known: the same call again tells.
    Pending(OrderId),
}

/// What a round is decided by.
struct Looked {
    account: AccountId,
    target: LinkTarget,
    intent: Result<Option<Intent>, StripeError>,
}

/// What a round comes to.
struct Ended {
    step: Step,
    target: LinkTarget,
    /// The intent as it was before.
    intent: Option<Intent>,
}

/// Takes the payment of a link; `asked` is the intent that the caller means, `None` the link's own.
///
/// # Errors
/// The refusals of a link's payment.
pub async fn process<M: Machine>(
    ctx: &Context<M>,
    id: &str,
    asked: Option<&IntentId>,
    deadline: Deadline,
) -> Result<Processed, ApiError> {
    let (id, now_s) = (id_of(id)?, ctx.clock.now_s());
    let Some((mut link, tries)) = ctx.store.load_counted_link(&id, now_s).await? else {
        return Err(not_found(ctx, &id).await);
    };
    if let Some(asked) = asked {
        telemetry::about_intent(asked);
    }
    // Who has been counted out asks nothing of Stripe; who is counted out beside another changes nothing there.
    if tries >= TRIES_PER_HOUR {
        return Err(too_many(now_s));
    }
    let (tries, mut looked) = join!(ctx.store.count_link_try(&id, now_s), look(ctx, &link, asked, deadline));
    if tries? > TRIES_PER_HOUR {
        return Err(too_many(now_s));
    }
    let mut sent = false;
    for _ in 0..MAX_ROUNDS {
        if deadline.is_near() {
            break;
        }
        let ended = match looked {
            Ok(looked) => round(ctx, &link, looked, deadline).await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(Ended { step: Step::Got(settled), target, intent }) => {
                return finished(ctx, link, target, settled, intent, deadline).await;
            }
            Ok(Ended { step: Step::Again, .. }) => {}
            Ok(Ended { step: Step::Unknown, .. }) => sent = true,
            Err(error) if error.status() < 500 || !sent => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "nothing can be read, and something was sent");
                break;
            }
        }
        match ctx.store.load_link(&link.id).await {
            Ok(Some(read)) => link = read,
            Ok(None) => return Err(ApiError::not_found()),
            Err(_) if sent => break,
            Err(error) => return Err(error.into()),
        }
        looked = look(ctx, &link, asked, deadline).await;
    }
    match (sent, &link.intent) {
        (true, Some(intent)) => {
            let account = account(ctx, &link).await?;
            Ok(Processed::Pending(order_of_intent(&account, intent)))
        }
        _ => Err(ApiError::from(ErrorCode::Unavailable).because("rivals were faster every time")),
    }
}

fn too_many(now_s: i64) -> ApiError {
    let wait_s = u32::try_from(3600 - now_s.rem_euclid(3600)).unwrap_or(3600);
    ApiError::from(ErrorCode::TooManyAttempts).retry_after(wait_s)
}

/// Reads what the link points at, and its intent beside it.
async fn look<M: Machine>(
    ctx: &Context<M>,
    link: &Link,
    asked: Option<&IntentId>,
    deadline: Deadline,
) -> Result<Looked, ApiError> {
    match link.state {
        LinkState::Revoked => return Err(ErrorCode::LinkRevoked.into()),
        LinkState::Expired => return Err(ErrorCode::LinkExpired.into()),
        LinkState::Open | LinkState::Processing | LinkState::Paid | LinkState::Refunded => {}
    }
    let own = match (&link.intent, asked) {
        (Some(own), Some(asked)) if own != asked => return Err(ErrorCode::PaymentIntentMismatch.into()),
        (None, Some(_)) => return Err(ErrorCode::PaymentIntentMismatch.into()),
        (None, None) => return Err(ErrorCode::PaymentNotAuthorised.into()),
        (Some(own), _) => own,
    };
    let account = account(ctx, link).await?;
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let (target, intent) = join!(ctx.store.load_link_target(link, &account), stripe.load_intent(&account, own));
    Ok(Looked { account, target: target?, intent })
}

async fn round<M: Machine>(
    ctx: &Context<M>,
    link: &Link,
    Looked { account, target, intent }: Looked,
    deadline: Deadline,
) -> Result<Ended, ApiError> {
    let Some(session) = target.session.clone() else {
        return Err(ApiError::internal("a link's intent has no session"));
    };
    if let Some(claim) = target.claim.clone() {
        let step = road::follow(ctx, &session, &claim.decision, deadline).await?;
        return Ok(Ended { step, target, intent: intent.ok().flatten() });
    }
    let intent = match intent {
        Ok(intent) => intent.ok_or(ErrorCode::PaymentIntentMismatch)?,
        // Nobody can pay it any more: opened again, the link has another.
        Err(error) if end::let_go_if_left(ctx, &account, link, &error).await? => {
            return Ok(Ended { step: Step::Again, target, intent: None });
        }
        Err(error) => return Err(error.into()),
    };
    let refusal = match intent.status {
        IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded => {
            let step = road::take(ctx, link, &target, &session, intent, deadline).await?;
            return Ok(Ended { step, target, intent: None });
        }
        // Whoever has cancelled it, perhaps the schedule a moment ago: the link's time is over.
        IntentStatus::Canceled
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
            if end::is_over(ctx, link) =>
        {
            let stripe = ctx.stripe()?.within(deadline.for_stripe());
            end::expire(ctx, &stripe, &account, link).await?;
            return Ok(Ended { step: Step::Again, target, intent: None });
        }
        IntentStatus::Canceled => ErrorCode::PaymentCancelled,
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {
            ErrorCode::PaymentNotAuthorised
        }
    };
    // A rival may have decided since the claim was read: then this is no refusal.
    match ctx.store.load_claim(&account, &session.intent).await? {
        Some(_) => Ok(Ended { step: Step::Again, target, intent: None }),
        None => Err(refusal.into()),
    }
}

/// The answer, with the intent as Stripe has said it last: after the capture, or, for who comes again, beside the reads.
async fn finished<M: Machine>(
    ctx: &Context<M>,
    mut link: Link,
    target: LinkTarget,
    Settled { outcome, intent }: Settled,
    read: Option<Intent>,
    deadline: Deadline,
) -> Result<Processed, ApiError> {
    let account = account(ctx, &link).await?;
    let (Some(id), stripe) = (&link.intent, ctx.stripe()?.within(deadline.for_stripe())) else {
        return Err(ApiError::internal("a paid link has no intent"));
    };
    // What it was in another state says nothing of what it is now.
    let known = |status| intent.map(|intent| *intent).or(read).filter(|intent| intent.status == status);
    let now = async |known: Option<Intent>| match known {
        Some(known) => Ok(Some(known)),
        None => stripe.load_intent(&account, id).await,
    };
    match outcome {
        Outcome::Refused(refusal) => Err(refusal),
        Outcome::Completed(transactions) => {
            let Some(credit) = transactions.into_iter().find(|transaction| !transaction.is_debit()) else {
                return Err(ApiError::internal("a paid link has no credit"));
            };
            let order = order_of_intent(&account, id);
            let Ok(Some(intent)) = now(known(IntentStatus::Succeeded)).await else {
                return Ok(Processed::Pending(order));
            };
            if link.state != LinkState::Refunded {
                link.state = LinkState::Paid;
            }
            Ok(Processed::Paid(Box::new(Paid { link, target, credit, intent })))
        }
        Outcome::Pending(order) => {
            let (record, intent) = join!(ctx.store.load_order(&order), now(known(IntentStatus::Processing)));
            match (record, intent) {
                (Ok(Some(record)), Ok(Some(intent))) if intent.status == IntentStatus::Processing => {
                    let credit = record.snapshot.transactions.into_iter().find(|transaction| !transaction.is_debit());
                    let credit = credit.ok_or_else(|| ApiError::internal("a paid link has no credit"))?;
                    link.state = LinkState::Processing;
                    Ok(Processed::Paid(Box::new(Paid { link, target, credit: pending(credit), intent })))
                }
                _ => Ok(Processed::Pending(order)),
            }
        }
    }
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

//! One round of a checkout that an intent pays for.
//!
//! Invariant: versions are read before the data that they guard, and P1's conditions name those versions. The claim
//! decides about the intent: a call that loses the claim follows it.

use classpay_domain::basket::{Basket, BasketHash};
use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::order::{IntentStatus, OrderState, order_of_intent};
use classpay_domain::pricing::{Charge, Payment, Quote};
use jiff::civil::DateTime;
use tokio::join;

use super::{Answer, CheckoutRequest};
use crate::basket::is_too_large;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::quoting::{Payer, local_at, price, snapshot};
use crate::refusals::{quote_changed, releases};
use crate::scope::Access;
use crate::settlement::claim::{self, after_placing, after_rejecting};
use crate::settlement::rounds::Round;
use crate::settlement::{IntentView, settle};
use crate::store::{
    Claim, Decision, LoadedStudio, OrderRecord, PlaceOrder, ReviewReason, Session, SessionKind, Versions,
};

/// How long a new session's creation time is used for pricing, so that neither midnight nor the start of a lesson
/// changes a price while the payer pays.
const PRICE_HOLDS_S: i64 = 30 * 60;

/// What a round works on.
struct Paid<'a> {
    ctx: &'a Context,
    request: &'a CheckoutRequest,
    account: AccountId,
    intent: &'a IntentId,
    order: OrderId,
    deadline: Deadline,
}

pub(super) async fn round(
    ctx: &Context,
    request: &CheckoutRequest,
    intent: &IntentId,
    was_sent: bool,
    deadline: Deadline,
) -> Result<Round<Answer>, Error> {
    let company = &request.scope.company;
    let Some(account) = ctx.account_of(company).await? else {
        return on_another_account(ctx, request, intent, None, ErrorCode::StripeMisconfigured.into(), deadline).await;
    };
    let order = order_of_intent(&account, intent);
    let paid = Paid { ctx, request, account, intent, order, deadline };
    let idempotency = request.idempotency_key();
    let key = idempotency.as_ref().map(|(key, _)| key);
    let store = &ctx.store;
    let nothing = Basket::new(Vec::new(), Vec::new());
    // A basket that is refused for its size must not cause reads of its classes.
    let read = if is_too_large(&request.basket) { &nothing } else { &request.basket };
    let versions = store.load_versions(company, &request.scope.family, read, Some((&paid.account, intent)), key);
    let versions = versions.await?;
    // The key belongs to the family in the path: a caller without access to that family must not learn what it was used
    // for.
    paid.reached(&versions)?;
    if let Some(order) = request.earlier_call(versions.idempotency.as_ref(), ctx.clock.now_s())? {
        return paid.replay(&order).await;
    }
    let session = match paid.own_session(versions.session.as_ref()) {
        Ok(session) => session,
        Err(refusal) if versions.session.is_none() => {
            // The account that this process has cached may be outdated, which is no reason to refuse.
            if ctx.store.load_account(company).await?.as_ref() != Some(&paid.account) {
                ctx.forget_account(company);
                return Ok(Round::Again);
            }
            return on_another_account(ctx, request, intent, Some(&paid.account), refusal, deadline).await;
        }
        Err(refusal) => return Err(refusal),
    };
    if let Some(claim) = &versions.claim {
        return paid.follow(claim, session).await;
    }
    let refusal = match paid.decide(&versions, session).await? {
        Decided::Place(priced) => return paid.place(&versions, session, *priced).await,
        Decided::Again => return Ok(Round::Again),
        Decided::Refuse(refusal) => refusal,
    };
    // After a P1 whose reply was lost, only the claim proves that the write can no longer land.
    if releases(refusal.code) || was_sent {
        return paid.reject(session, refusal).await;
    }
    // Another call may have bought this very basket since the claim was read: then there is nothing to refuse.
    match store.load_claim(&paid.account, intent).await? {
        Some(_) => Ok(Round::Again),
        None => Err(refusal),
    }
}

/// Answers a repeated call after the studio has changed its Stripe account or left Stripe: from what was decided on the
/// original account, or with the refusal if nothing was.
async fn on_another_account(
    ctx: &Context,
    request: &CheckoutRequest,
    intent: &IntentId,
    named: Option<&AccountId>,
    refusal: Error,
    deadline: Deadline,
) -> Result<Round<Answer>, Error> {
    if request.scope.access != Access::Granted {
        return Err(Error::not_found());
    }
    let accounts = ctx.store.load_accounts(&request.scope.company).await?;
    for account in accounts.into_iter().filter(|account| Some(account) != named) {
        let (session, claim) = ctx.store.load_payment(&account, intent).await?;
        let paid = Paid { ctx, request, order: order_of_intent(&account, intent), account, intent, deadline };
        if let (Ok(session), Some(claim)) = (paid.own_session(session.as_ref()), claim) {
            return paid.follow(&claim, session).await;
        }
    }
    Err(refusal)
}

/// What a round decides.
enum Decided {
    Place(Box<Priced>),
    Refuse(Error),
    Again,
}

/// What P1 is made from.
struct Priced {
    loaded: LoadedStudio,
    quote: Quote,
    payment: Payment,
    view: IntentView,
}

impl Paid<'_> {
    /// Refuses a family that doesn't exist, or to which the caller has no access.
    fn reached(&self, versions: &Versions) -> Result<(), Error> {
        match (self.request.scope.access, versions.family) {
            (Access::Granted, Some(_)) => Ok(()),
            _ => Err(Error::not_found()),
        }
    }

    /// The session of the intent, if it is this family's. An unknown session, another family's and a link's all get the
    /// same answer.
    fn own_session<'s>(&self, session: Option<&'s Session>) -> Result<&'s Session, Error> {
        let scope = &self.request.scope;
        let own = |session: &&Session| {
            let is_link = matches!(session.kind, SessionKind::Link { .. });
            session.company == scope.company && session.family == scope.family && !is_link
        };
        match session {
            Some(session) if own(&session) => Ok(session),
            Some(_) | None => Err(ErrorCode::PaymentIntentMismatch.into()),
        }
    }

    /// Follows the claim that another call has made.
    async fn follow(&self, claim: &Claim, session: &Session) -> Result<Round<Answer>, Error> {
        let scope = &self.request.scope;
        if claim.company != scope.company || claim.family != scope.family {
            return Err(ErrorCode::PaymentIntentMismatch.into());
        }
        let same_basket = claim.basket == self.basket_hash().as_str();
        let decision = match &claim.decision {
            Decision::Order(_) if !same_basket => return Err(ErrorCode::PaymentAlreadyUsed.into()),
            Decision::Rejected { state, .. } if !same_basket => {
                &Decision::Rejected { refusal: ErrorCode::PaymentCancelled.into(), state: *state }
            }
            decision @ (Decision::Order(_) | Decision::Rejected { .. }) => decision,
        };
        let settled = claim::follow(self.ctx, session, decision, None, self.deadline).await?;
        Ok(Round::Over(Answer::new(settled.outcome)))
    }

    /// Settles the order named by an idempotency record, and answers from it.
    async fn replay(&self, order: &OrderId) -> Result<Round<Answer>, Error> {
        let order = self.ctx.store.load_named_order(order).await?;
        let replayed = order.state != OrderState::Pending;
        let outcome = settle(self.ctx, order, None, self.deadline).await.outcome;
        Ok(Round::Over(Answer { outcome, replayed }))
    }

    /// Reads what the versions guard, and the intent in parallel; then prices and compares. An authorisation reported
    /// by an event is enough to continue, but never enough to refuse.
    async fn decide(&self, versions: &Versions, session: &Session) -> Result<Decided, Error> {
        if is_too_large(&self.request.basket) {
            let status = self.asked().await?.facts().status;
            return Ok(Decided::Refuse(self.unusable(status).await?.unwrap_or(ErrorCode::BasketTooLarge.into())));
        }
        let from_event = versions.held.clone().map(IntentView::FromEvent);
        let view = async {
            match from_event {
                Some(view) => Ok(view),
                None => self.asked().await,
            }
        };
        let (loaded, view) = join!(self.ctx.store.load_current_studio(&self.request.scope, &self.request.basket), view);
        let loaded = loaded?.ok_or_else(Error::not_found)?;
        if loaded.studio.company.stripe_account.as_ref() != Some(&self.account) {
            self.ctx.forget_account(&self.request.scope.company);
            return Ok(Decided::Again);
        }
        let mut view = view?;
        let mut judged = self.judge(&loaded, &view, session).await?;
        if let (Err(_), IntentView::FromEvent(_)) = (&judged, &view) {
            view = self.asked().await?;
            judged = self.judge(&loaded, &view, session).await?;
        }
        Ok(match judged {
            Ok((quote, payment)) => {
                tracing::debug!(family_version = versions.family, "priced");
                Decided::Place(Box::new(Priced { loaded, quote, payment, view }))
            }
            Err(refusal) => Decided::Refuse(refusal),
        })
    }

    /// The intent, read from Stripe.
    async fn asked(&self) -> Result<IntentView, Error> {
        let stripe = self.ctx.stripe()?.within(self.deadline.for_stripe());
        let intent = stripe.load_intent(&self.account, self.intent).await?;
        Ok(intent.ok_or(ErrorCode::PaymentIntentMismatch)?.into())
    }

    /// Prices the basket and compares it with what the intent charges: what is to be captured, or the refusal.
    async fn judge(
        &self,
        loaded: &LoadedStudio,
        view: &IntentView,
        session: &Session,
    ) -> Result<Result<(Quote, Payment), Error>, Error> {
        let now = price_time(self.ctx, loaded, session)?;
        let quote = price(self.ctx, &self.request.scope, loaded, &self.request.basket, now);
        let currency = loaded.studio.company.currency;
        let charge = quote.and_then(|quote| {
            let payment = quote.payment;
            let charge = payment.map_or(Ok(Charge::Nothing), |payment| payment.charge(currency))?;
            Ok((quote, charge))
        });
        if let Err(refusal) = &charge
            && !releases(refusal.code)
        {
            return Ok(Err(refusal.clone()));
        }
        if let Some(refusal) = self.unusable(view.facts().status).await? {
            return Ok(Err(refusal));
        }
        let (quote, payment) = match charge {
            Err(refusal) => return Ok(Err(refusal)),
            Ok((_, Charge::Nothing | Charge::Uncollectable(_))) => {
                return Ok(Err(ErrorCode::PaymentNotNeeded.into()));
            }
            Ok((quote, Charge::Collect(payment))) => (quote, payment),
        };
        let seen = self.request.quote_hash.as_ref().is_none_or(|seen| Some(seen) == quote.hash.as_ref());
        let same_amount = view.facts().amount == payment.total;
        if !seen || !same_amount || view.currency() != currency.code() {
            return Ok(Err(quote_changed(Some(&payment))));
        }
        Ok(Ok((quote, payment)))
    }

    /// Why the intent can't be captured, if it can't.
    async fn unusable(&self, status: IntentStatus) -> Result<Option<Error>, Error> {
        Ok(Some(match status {
            IntentStatus::RequiresCapture => return Ok(None),
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {
                ErrorCode::PaymentNotAuthorised.into()
            }
            IntentStatus::Processing => ErrorCode::PaymentProcessing.into(),
            IntentStatus::Canceled => ErrorCode::PaymentCancelled.into(),
            IntentStatus::Succeeded => {
                // Only we should capture it, and it is captured: unless another call has just done so, it needs review.
                if self.ctx.store.load_claim(&self.account, self.intent).await?.is_none() {
                    let reason = ReviewReason::PaymentUnbooked(&self.order, self.intent);
                    let (company, now_s) = (&self.request.scope.company, self.ctx.clock.now_s());
                    self.ctx.store.note_for_review(company, &reason, now_s).await?;
                }
                ErrorCode::PaymentAlreadyCaptured.into()
            }
        }))
    }

    /// Writes P1, then settles the order to its end.
    async fn place(
        &self,
        versions: &Versions,
        session: &Session,
        Priced { loaded, quote, payment, view }: Priced,
    ) -> Result<Round<Answer>, Error> {
        let payer = Payer { account: &self.account, intent: self.intent, payment };
        let CheckoutRequest { scope, basket, .. } = self.request;
        let snapshot = snapshot(scope, basket, &loaded, &quote, &self.order, Some(payer), &self.ctx.ids)?;
        let idempotency = self.request.idempotency_key();
        let placed = OrderRecord::placed(self.order.clone(), snapshot);
        let place = PlaceOrder {
            id: &placed.id,
            snapshot: &placed.snapshot,
            family_version: versions.family.ok_or_else(Error::not_found)?,
            seats: &versions.seats,
            buyer: scope.buyer(),
            idempotency: idempotency.as_ref().map(|(key, fingerprint)| (key, *fingerprint)),
            now_s: self.ctx.clock.now_s(),
        };
        let written = self.ctx.store.place(&place, session).await;
        let unwritable = ErrorCode::BasketTooLarge;
        let round = after_placing(self.ctx, written, placed, session, view, unwritable, self.deadline).await?;
        Ok(round.map(|settled| Answer::new(settled.outcome)))
    }

    /// Claims the intent as rejected, then cancels it, and only then gives the refusal.
    async fn reject(&self, session: &Session, refusal: Error) -> Result<Round<Answer>, Error> {
        let (basket, now_s) = (self.basket_hash(), self.ctx.clock.now_s());
        let written = self.ctx.store.reject(session, basket.as_str(), &refusal, now_s).await?;
        let round = after_rejecting(self.ctx, written, session, refusal, self.deadline).await?;
        Ok(round.map(|settled| Answer::new(settled.outcome)))
    }

    fn basket_hash(&self) -> BasketHash {
        let scope = &self.request.scope;
        self.request.basket.hash(&scope.company, &scope.family)
    }
}

/// The time by which the basket is priced: now, or when the session was made.
fn price_time(ctx: &Context, loaded: &LoadedStudio, session: &Session) -> Result<DateTime, Error> {
    let now_s = ctx.clock.now_s();
    let is_fresh = now_s.saturating_sub(session.created_s) <= PRICE_HOLDS_S;
    local_at(if is_fresh { session.created_s.min(now_s) } else { now_s }, loaded)
}

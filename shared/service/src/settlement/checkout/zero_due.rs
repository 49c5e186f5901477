//! One round of a checkout with nothing to collect.
//!
//! Invariant: an order is booked at the generation that was read, and refused only after that generation is raised.

use classpay_domain::id::{CompanyId, OrderId};
use classpay_domain::pricing::{Charge, Quote};

use super::{Answer, CheckoutRequest};
use crate::context::Context;
use crate::error::{Error, ErrorCode};
use crate::quoting::{local_now, price, snapshot};
use crate::refusals::quote_changed;
use crate::scope::Access;
use crate::settlement::Outcome;
use crate::settlement::rounds::Round;
use crate::store::{Commit, LoadedStudio, OrderRecord, PlaceOrder, StoreError, ZeroDueOrder};

pub(super) async fn round(ctx: &Context, request: &CheckoutRequest) -> Result<Round<Answer>, Error> {
    let scope = &request.scope;
    let idempotency = request.idempotency_key();
    let key = idempotency.as_ref().map(|(key, _)| key);
    let versions = ctx.store.load_versions(&scope.company, &scope.family, &request.basket, None, key).await?;
    let (Access::Granted, Some(family_version)) = (scope.access, versions.family) else {
        return Err(Error::not_found());
    };
    let earlier = request.earlier_call(versions.idempotency.as_ref(), ctx.clock.now_s())?;
    let own = request.basket.zero_due_order(&scope.company, &scope.family);
    let (order, known) = match &earlier {
        Some(other) if *other != own => (other.clone(), ctx.store.load_zero_due(other).await?),
        Some(_) | None => (own, versions.zero_due),
    };
    if let (Some(_), Some(booked)) = (&earlier, &known.booked) {
        return Ok(over(booked.clone(), true));
    }
    let loaded = ctx.store.load_current_studio(scope, &request.basket).await?.ok_or_else(Error::not_found)?;
    if let Some(booked) = known.booked.as_ref().filter(|booked| is_live(booked, &loaded)) {
        return Ok(over(booked.clone(), false));
    }
    let quote = match decide(ctx, request, &loaded) {
        Ok(quote) => quote,
        Err(refusal) => return refuse(ctx, &scope.company, &order, &known, refusal).await,
    };
    let snapshot = match snapshot(scope, &request.basket, &loaded, &quote, &order, None, &ctx.ids) {
        Ok(snapshot) => snapshot,
        Err(refusal) => return refuse(ctx, &scope.company, &order, &known, refusal).await,
    };
    let place = PlaceOrder {
        id: &order,
        snapshot: &snapshot,
        family_version,
        seats: &versions.seats,
        buyer: request.scope.buyer(),
        idempotency: idempotency.as_ref().map(|(key, fingerprint)| (key, *fingerprint)),
        now_s: ctx.clock.now_s(),
    };
    let booked = match ctx.store.book_zero_due(&place, known.generation).await {
        Err(StoreError::Unwritable) => {
            return refuse(ctx, &scope.company, &order, &known, ErrorCode::BasketTooLarge.into()).await;
        }
        booked => booked?,
    };
    Ok(match booked {
        Commit::Done => Round::Over(Answer::new(Outcome::Completed(snapshot.transactions()))),
        Commit::ConditionFailed | Commit::Contended => Round::Again,
        Commit::Unknown => Round::Sent(order),
    })
}

fn over(booked: OrderRecord, replayed: bool) -> Round<Answer> {
    Round::Over(Answer { outcome: Outcome::Completed(booked.snapshot.transactions()), replayed })
}

/// Whether what the order booked still exists: then this call repeats an earlier one and gets the same answer.
fn is_live(booked: &OrderRecord, loaded: &LoadedStudio) -> bool {
    let family = &loaded.studio.family;
    let snapshot = &booked.snapshot;
    snapshot.enrolments.iter().all(|booked| family.enrolments.iter().any(|live| live.id == booked.id))
        && snapshot.trials.iter().all(|booked| family.trials.iter().any(|live| live.id == booked.id))
}

fn decide(ctx: &Context, request: &CheckoutRequest, loaded: &LoadedStudio) -> Result<Quote, Error> {
    let now = local_now(ctx, loaded)?;
    let quote = price(ctx, &request.scope, loaded, &request.basket, now)?;
    let currency = loaded.studio.company.currency;
    let charge = quote.payment.map_or(Ok(Charge::Nothing), |payment| payment.charge(currency))?;
    if request.quote_hash.as_ref().is_some_and(|seen| Some(seen) != quote.hash.as_ref()) {
        return Err(quote_changed(quote.payment.as_ref()));
    }
    match charge {
        Charge::Nothing | Charge::Uncollectable(_) => Ok(quote),
        Charge::Collect(_) => Err(ErrorCode::PaymentRequired.into()),
    }
}

async fn refuse(
    ctx: &Context,
    company: &CompanyId,
    order: &OrderId,
    known: &ZeroDueOrder,
    refusal: Error,
) -> Result<Round<Answer>, Error> {
    match ctx.store.refuse_zero_due(company, order, known, ctx.clock.now_s()).await? {
        Commit::Done => Err(refusal),
        Commit::ConditionFailed | Commit::Contended => Ok(Round::Again),
        Commit::Unknown => Ok(Round::Sent(order.clone())),
    }
}

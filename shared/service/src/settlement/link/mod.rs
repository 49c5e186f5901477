//! A payment link: it opens an intent, is paid (in part, if it was captured in part), and expires or is revoked.
//!
//! Read in this order: here (what a link charges, and for whom), [`pay`] (an authorised intent to P1), [`live`] (the
//! one live intent and how it ends), [`due`] (expired links, which the settlement job ends). How a link is opened is in
//! the function `retrieve-payment-link`, and the answer to its payer's call is in `process-payment-link`.
//!
//! Invariant: the holder of a link has access to this debit and to nothing else of the family: not its cards, not its
//! other transactions, not its contacts. A link's id appears in no log line and in nothing that Stripe keeps.

pub mod due;
pub mod live;
pub mod pay;

use classpay_domain::id::AccountId;
use classpay_domain::link::{LinkAlias, LinkState, PaymentLinkId, Unpayable, payment};
use classpay_domain::money::{Money, Percent};
use classpay_domain::order::{IntentStatus, OrderState};
use classpay_domain::pricing::Payment;
use jiff::civil::Date;

use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::CompanyDoc;
use crate::context::Context;
use crate::error::{Error, ErrorCode};
use crate::store::{Claim, Decision, Link, LinkTarget, Rejection, Session, SessionKind};
use crate::stripe::{Intent, Secret};

/// The id in a path; for text that can't be an id, an id that doesn't exist.
pub fn id_of(path: &str) -> Result<PaymentLinkId, Error> {
    PaymentLinkId::parse(path).or_else(|_| PaymentLinkId::parse("pay_")).map_err(|_| ErrorCode::NotFound.into())
}

/// Answers the same 404 for every unknown id, after as many reads as for a known one.
pub async fn not_found(ctx: &Context, id: &PaymentLinkId) -> Error {
    match ctx.store.load_absent_target(&id.alias()).await {
        Ok(()) => Error::not_found(),
        Err(error) => error.into(),
    }
}

/// The Stripe account that the link's intent is on.
pub async fn account(ctx: &Context, link: &Link) -> Result<AccountId, Error> {
    if let Some(account) = &link.account {
        return Ok(account.clone());
    }
    ctx.account_of(&link.company).await?.ok_or(ErrorCode::StripeMisconfigured.into())
}

/// Why a link in this state can't be opened or paid; `None`: its state allows it, or tells the outcome.
#[must_use]
pub const fn refusal_of_state(state: LinkState) -> Option<ErrorCode> {
    match state {
        LinkState::Revoked => Some(ErrorCode::LinkRevoked),
        LinkState::Expired => Some(ErrorCode::LinkExpired),
        LinkState::Open | LinkState::Processing | LinkState::Paid | LinkState::Refunded => None,
    }
}

/// Today's date in the company's time zone.
pub fn today(ctx: &Context, company: &CompanyDoc) -> Result<Date, Error> {
    Ok(ctx.clock.today(&company.settings.general.timezone)?)
}

/// What the link charges for the amount due, on a given day.
pub fn due_payment(target: &LinkTarget, today: Date) -> Result<Payment, Unpayable> {
    payment(target.due.due, target.company.processing_fee_on(today), target.due.currency)
}

/// What an intent was opened for.
#[must_use]
pub fn session_payment(session: &Session) -> Option<Payment> {
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

/// Whether an intent of an open link can do no more: it was rejected, it has paid a part, or a person has ended its
/// order.
pub async fn is_used_up(ctx: &Context, claim: Option<&Claim>) -> Result<bool, Error> {
    Ok(match claim.map(|claim| &claim.decision) {
        None => false,
        Some(Decision::Rejected { state, .. }) => *state != Rejection::Open,
        Some(Decision::Order(order)) => {
            let state = ctx.store.load_order_state(order).await?;
            state.is_some_and(|state| state != OrderState::Pending)
        }
    })
}

/// The refusal that a payer gets for a link that can't be paid.
#[must_use]
pub fn refusal_of(why: Unpayable) -> Error {
    match why {
        // The link's own payment would have been found before, so another payment has settled the debit.
        Unpayable::NothingDue => ErrorCode::LinkPaidByOther,
        Unpayable::TooSmall => ErrorCode::AmountTooSmall,
        Unpayable::TooLarge => ErrorCode::AmountTooLarge,
    }
    .into()
}

/// What a link's claim is for: the same link always gives the same text.
fn claimed_for(link: &LinkAlias) -> String {
    format!("link:{link}")
}

/// Whether the payer has done their part: the intent is held, processing or paid.
#[must_use]
pub fn is_authorised(intent: &Intent) -> bool {
    matches!(intent.status, IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded)
}

/// Whether less was posted than the session was opened for: then the link stays open for the rest.
#[must_use]
pub fn pays_a_part(posted: &[AggregateTransaction], session: &Session) -> bool {
    let credited = posted.iter().find(|entry| !entry.is_debit()).map_or(0, |credit| credit.stats.total);
    session_payment(session).is_some_and(|opened| credited < opened.subtotal.units())
}

/// The intent of a session as far as we know it: only Stripe knows its payment method and charge.
#[must_use]
pub fn recorded_intent(session: &Session, status: IntentStatus) -> Intent {
    Intent {
        id: session.intent.clone(),
        client_secret: Secret::new(String::new()),
        amount: session.amount,
        amount_received: session.amount,
        currency: session.currency.code().to_owned(),
        status,
        payment_method: None,
        charge: None,
    }
}

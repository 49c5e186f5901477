//! The life of a payment link: it opens an intent, it is paid once, it expires or is revoked.
//!
//! Read in this order: [`retrieve`] (the one live intent), [`process`] (claim, capture, record), [`end`] (revoke and
//! expiry), [`body`] (what a link shows).
//!
//! Invariant: whoever holds a link reaches this debit and nothing else of the family: not its cards, not its other
//! transactions, not its contacts. A link's id is in no log line and in nothing that Stripe keeps.

pub mod body;
pub mod end;
pub mod process;
pub mod retrieve;
mod road;

use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::AccountId;
use classpay_domain::link::{PaymentLinkId, Unpayable, payment};
use classpay_domain::money::{Money, Percent};
use classpay_domain::pricing::Payment;

use crate::context::Context;
use crate::http::{ApiError, ErrorCode};
use crate::store::{Link, LinkTarget, Session, SessionKind};

/// How often a call begins anew because somebody was faster.
const MAX_ROUNDS: usize = 8;

/// The link of that id. For an id that nobody has, the same is read, and the same 404 is answered.
async fn find(ctx: &Context, id: &str) -> Result<Link, ApiError> {
    let Ok(id) = PaymentLinkId::parse(id) else {
        let nobody = PaymentLinkId::parse("pay_").map_err(|_| ErrorCode::NotFound)?;
        ctx.store.load_link(&nobody).await?;
        ctx.store.load_absent_target(&nobody).await?;
        return Err(ApiError::not_found());
    };
    match ctx.store.load_link(&id).await? {
        Some(link) => Ok(link),
        None => {
            ctx.store.load_absent_target(&id).await?;
            Err(ApiError::not_found())
        }
    }
}

async fn account(ctx: &Context, link: &Link) -> Result<AccountId, ApiError> {
    ctx.account_of(&link.company).await?.ok_or(ErrorCode::StripeMisconfigured.into())
}

/// What the link charges for what is due now.
fn due_payment(target: &LinkTarget) -> Result<Payment, Unpayable> {
    let billing = &target.company.settings.billing;
    let fee = billing.is_processing_fee_enabled.then_some(billing.processing_fee.0);
    payment(target.due, fee, billing.currency)
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

fn refusal_of(why: Unpayable) -> ApiError {
    match why {
        // The link's own payment would have been found before: somebody else's brought it to nothing.
        Unpayable::NothingDue => ErrorCode::LinkPaidByOther,
        Unpayable::TooSmall => ErrorCode::AmountTooSmall,
        Unpayable::TooLarge => ErrorCode::AmountTooLarge,
    }
    .into()
}

/// Stands for a link where its id must not be: in the idempotency keys that Stripe keeps and shows.
fn alias(link: &PaymentLinkId) -> String {
    let mut digest = Fingerprint::new("payment-link");
    digest.text(link.expose());
    digest.finish_hex()
}

/// What a claim is for when it is a link's: the same link comes to the same words.
fn claimed_for(link: &PaymentLinkId) -> String {
    format!("link:{}", alias(link))
}

//! The next intent of a link, and the form that pays it.
//!
//! Invariant: an intent's secret is answered only once the intent is the link's live one.

use classpay_domain::id::{AccountId, CustomerId};
use classpay_domain::link::LinkState;
use classpay_domain::money::Money;
use classpay_domain::pricing::Payment;
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::scope::Role;
use classpay_service::settlement::cancel;
use classpay_service::settlement::rounds::Round;
use classpay_service::store::{Commit, Link, LinkTarget, Session, SessionKind};
use classpay_service::stripe::{KnownCustomer, Methods, NewCustomer, NewIntent, Payments, SavedCards, StripeError};
use tokio::join;

use crate::retrieved::{Form, Retrieved, shown};

/// How many customers unknown to Stripe one call removes.
const MAX_RENEWALS: u32 = 2;

/// How many more customers unknown to Stripe this call may remove.
#[derive(Debug)]
pub(crate) struct Renewals(u32);

impl Renewals {
    pub(crate) const fn new() -> Self {
        Self(MAX_RENEWALS)
    }

    /// Whether a call was refused because Stripe doesn't know the customer, and the link may get another.
    pub(crate) fn helps(&self, error: &StripeError) -> bool {
        self.0 > 0 && error.lacks_customer()
    }

    /// Removes the customer that Stripe doesn't know, or skips its keys if it was never stored: the next round creates
    /// another.
    pub(crate) async fn forget_customer(
        &mut self,
        ctx: &Context,
        link: &Link,
        gone: &KnownCustomer,
    ) -> Result<Round<Box<Retrieved>>, Error> {
        let written = ctx.store.forget_link_customer(link, gone).await?;
        tracing::warn!(?written, "a link's customer is gone");
        self.0 = self.0.saturating_sub(1);
        Ok(Round::Again)
    }
}

/// The form of a link that has been opened before, so its customer is known.
pub(crate) async fn known_form(
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
    let (session_key, ephemeral_key) = (format!("cs:{}", ctx.ids.bare()), format!("ek:{}", ctx.ids.bare()));
    let (session, key) = join!(
        stripe.create_customer_session(account, customer, SavedCards::Off, &session_key),
        stripe.create_ephemeral_key(account, customer, &ephemeral_key),
    );
    Ok((session?, key?))
}

/// Creates the link's next intent, and makes it the live one; `read_of` is the account with which the target was read.
pub(crate) async fn open(
    ctx: &Context,
    (stripe, read_of): (&dyn Payments, &AccountId),
    link: Link,
    target: LinkTarget,
    payment: Payment,
    renewals: &mut Renewals,
) -> Result<Round<Box<Retrieved>>, Error> {
    // The company's current account: the last intent may have been on another one.
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
        (Err(error), _) if renewals.helps(&error) => return renewals.forget_customer(ctx, &link, &known).await,
        (_, Err(error)) if renewals.helps(error) => return renewals.forget_customer(ctx, &link, &known).await,
        (Ok(intent), _) => intent,
        // The key is used up, or was used for another customer. An intent made under it can't be paid: its secret is
        // given out only once it is the live one, and then this attempt is over.
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
        role: Role::Family,
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
            cancel_unclaimed(ctx, stripe, &session).await?;
            Ok(Round::Again)
        }
        Commit::Contended | Commit::Unknown => Ok(Round::Again),
    }
}

/// Another intent is the live one. Ours is cancelled only if it has no session: two tabs share a key, so ours may be
/// the live one.
async fn cancel_unclaimed(ctx: &Context, stripe: &dyn Payments, ours: &Session) -> Result<(), Error> {
    let (session, claim) = ctx.store.load_payment(&ours.account, &ours.intent).await?;
    if session.is_none() && claim.is_none() {
        let key = format!("lost:{}", ours.intent);
        cancel(stripe, &ours.account, &ours.intent, &key).await?;
    }
    Ok(())
}

/// The link's own customer, without an e-mail address, so that it holds no contact of the family. It is stored together
/// with the intent.
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
    let (known, id) = new.make(stripe, &link.customer, &ctx.ids).await?;
    Ok((known, id))
}

/// How the link's next intent may be paid, and its idempotency key. Bank debits are in pounds; an account that has
/// recently refused them isn't asked again.
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
    // What was read with the target concerns the account of the last intent, which the company may have left.
    let cards_only = match read_of == account {
        true => target.cards_only_until_s > now_s,
        false => ctx.store.takes_cards_only(account, now_s).await?,
    };
    Ok(if cards_only { (Methods::Card, format!("{key}:card")) } else { (Methods::CardOrBankDebit, key) })
}

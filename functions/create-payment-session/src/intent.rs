//! Finds the open intent of a basket, or creates the next one.
//!
//! Invariant: the idempotency key of a create contains basket, attempt and amount, so that two tabs, or a repeat after
//! a lost reply, get the same intent. An intent is answered only once its session is stored.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{AccountId, CustomerId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::scope::FamilyScope;
use classpay_service::store::{Commit, Session, SessionKind, StoreError};
use classpay_service::stripe::{Intent, Methods, NewIntent, Payments, StripeError};

/// How many intents of the same basket and amount are tried. If that many were used up within the lifetime of Stripe's
/// keys, the next one is new.
const MAX_ATTEMPTS: u32 = 4;

/// An intent to be opened.
pub struct Open<'a> {
    pub ctx: &'a Context,
    pub scope: &'a FamilyScope,
    pub stripe: &'a dyn Payments,
    pub account: &'a AccountId,
    pub amount: Money,
    pub currency: Currency,
    pub kind: SessionKind,
}

/// Why a session can't be opened.
pub enum Failure {
    /// The customer doesn't exist at Stripe, or no longer does.
    NoCustomer(StripeError),
    /// Any other error.
    Refused(Error),
}

impl From<StripeError> for Failure {
    fn from(error: StripeError) -> Self {
        if error.lacks_customer() { Self::NoCustomer(error) } else { Self::Refused(error.into()) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoCustomer(error) => error.into(),
            Failure::Refused(error) => error,
        }
    }
}

impl Open<'_> {
    /// The open intent of this basket and amount, or a new one, with its session stored.
    pub async fn find_or_create(&self, customer: &CustomerId) -> Result<Intent, Failure> {
        let SessionKind::Basket { hash, .. } = &self.kind else {
            return self
                .create(customer, &format!("am:{}", self.ctx.ids.bare()))
                .await?
                .ok_or(ErrorCode::Unavailable.into());
        };
        for attempt in 1..=MAX_ATTEMPTS {
            if let Some(intent) = self.create(customer, &format!("bk:{hash}:{attempt}:{}", self.amount)).await? {
                return Ok(intent);
            }
        }
        let key = format!("bk:{hash}:{}:{}", self.ctx.ids.bare(), self.amount);
        self.create(customer, &key).await?.ok_or(ErrorCode::Unavailable.into())
    }

    /// Creates the intent of this key and stores its session. `None`: the key's intent is used up.
    async fn create(&self, customer: &CustomerId, key: &str) -> Result<Option<Intent>, Failure> {
        let new = NewIntent {
            amount: self.amount,
            currency: self.currency.code(),
            customer: customer.clone(),
            methods: Methods::Card,
            metadata: self.ctx.metadata(&self.scope.company, &self.scope.family)?,
        };
        let intent = match self.stripe.create_intent(self.account, &new, key).await {
            Ok(intent) => intent,
            // The key was used with other parameters (another customer, another currency), or is used up. An intent may
            // exist, but nobody has its secret, so nobody can pay it.
            Err(error) if error.is_used_up() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let session = Session {
            account: self.account.clone(),
            intent: intent.id.clone(),
            company: self.scope.company.clone(),
            family: self.scope.family.clone(),
            role: self.scope.role,
            kind: self.kind.clone(),
            amount: self.amount,
            currency: self.currency,
            created_s: self.ctx.clock.now_s(),
            lost_s: None,
        };
        match self.ctx.store.create_session(&session).await? {
            Commit::Done => Ok(Some(intent)),
            Commit::Contended => Err(ErrorCode::Unavailable.into()),
            // Stripe replayed its earlier answer: the intent may have progressed since.
            Commit::ConditionFailed | Commit::Unknown => self.reuse(&intent).await,
        }
    }

    /// The intent, read again, if it can still be paid, is unclaimed, and charges what it was made for: the studio can
    /// change it at Stripe until it is authorised.
    async fn reuse(&self, made: &Intent) -> Result<Option<Intent>, Failure> {
        let (session, claim) = self.ctx.store.load_payment(self.account, &made.id).await?;
        if session.is_none() {
            return Err(ErrorCode::Unavailable.into());
        }
        if claim.is_some() {
            return Ok(None);
        }
        let now = self.stripe.load_intent(self.account, &made.id).await?;
        let is_as_made = |intent: &Intent| intent.amount == self.amount && intent.currency == self.currency.code();
        Ok(now.filter(is_as_made).filter(|intent| match intent.status {
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::RequiresCapture => true,
            IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled => false,
        }))
    }
}

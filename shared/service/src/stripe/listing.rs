//! The list of an account's intents: the query, and one page of the answer.
//!
//! The list is for an operator's comparison, never for a decision: it may lag behind, and our own record, never the
//! metadata, says whose an intent is.

use classpay_domain::id::{AccountId, IntentId};
use stripe_client_core::StripeRequest as _;
use stripe_core::payment_intent::ListPaymentIntent;
use stripe_types::{RangeBoundsTs, RangeQueryTs};

use super::adapter::{MARKER, Stripe};
use super::error::StripeError;
use super::intent::Intent;

/// How many intents are requested at once: with their charges they are some 10 KB each.
const PER_PAGE: i64 = 100;

/// Which intents of an account are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntentQuery<'a> {
    /// Those that were made then or later, in seconds since 1970.
    pub from_s: i64,
    /// Those that were made then or before, in seconds since 1970.
    pub until_s: i64,
    /// Those that are older than this one: [`IntentPage::next`].
    pub after: Option<&'a IntentId>,
}

/// An intent that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedIntent {
    /// The intent with its last charge, without its refunds and its payment method.
    pub intent: Intent,
    /// The deployment named in its metadata: the studio may have other intents on its account.
    pub marker: Option<String>,
}

/// Some intents of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IntentPage {
    /// The newest first.
    pub intents: Vec<ListedIntent>,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<IntentId>,
}

impl Stripe {
    /// One page of an account's intents, the newest first.
    ///
    /// # Errors
    /// [`StripeError`]; a read changes nothing.
    pub async fn list_intents(&self, account: &AccountId, query: IntentQuery<'_>) -> Result<IntentPage, StripeError> {
        let between = RangeBoundsTs { gte: Some(query.from_s), lte: Some(query.until_s), ..RangeBoundsTs::default() };
        let list = ListPaymentIntent::new().created(RangeQueryTs::Bounds(between));
        let list = list.expand(vec!["data.latest_charge".to_owned()]);
        let list = match query.after {
            Some(intent) => list.starting_after(intent.as_str()),
            None => list,
        };
        let mut most = PER_PAGE;
        let page = loop {
            let asked = list.clone().limit(most).customize().account_id(account.as_str().into());
            match asked.send(&self.transport).await {
                Err(error) if error.is_too_large() && most > 1 => most /= 2,
                page => break page?,
            }
        };
        let intents = page.data.into_iter().map(ListedIntent::try_from).collect::<Result<Vec<_>, _>>()?;
        let next = intents.last().filter(|_| page.has_more).map(|last| last.intent.id.clone());
        Ok(IntentPage { intents, next })
    }
}

impl TryFrom<stripe_shared::PaymentIntent> for ListedIntent {
    type Error = StripeError;

    fn try_from(intent: stripe_shared::PaymentIntent) -> Result<Self, StripeError> {
        let marker = intent.metadata.get(MARKER).cloned();
        Ok(Self { intent: intent.try_into()?, marker })
    }
}

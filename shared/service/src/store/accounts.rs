//! What refusals have taught us about Stripe accounts.
//!
//! A record counts for a day at most, compared with the clock when it is read; the item itself may stay longer.

use classpay_domain::id::{AccountId, CompanyId};

use super::item::{Attributes, Read as _};
use super::table::Commit;
use super::write::Write;
use super::{Store, StoreError, key};

/// How long an account that refused a payment method isn't asked for it again.
const BELIEVED_S: i64 = 24 * 60 * 60;

impl Store {
    /// Records that an account takes only cards.
    pub async fn note_cards_only(
        &self,
        company: &CompanyId,
        account: &AccountId,
        now_s: i64,
    ) -> Result<Commit, StoreError> {
        let until_s = now_s.saturating_add(BELIEVED_S);
        let write = Write::edit(key::account_methods(account))
            .set("cid", company.as_str())
            .set("account", account.as_str())
            .set("cards_only_until_s", until_s)
            .set("ttl", until_s);
        self.transact(write).await
    }

    /// Whether an account is known to take only cards.
    pub async fn takes_cards_only(&self, account: &AccountId, now_s: i64) -> Result<bool, StoreError> {
        let methods = self.get(&key::account_methods(account)).await?;
        Ok(cards_only_until_s(methods.as_ref())? > now_s)
    }
}

/// Until when, in seconds since 1970, an account counts as taking only cards; 0: it doesn't.
pub(super) fn cards_only_until_s(methods: Option<&Attributes>) -> Result<i64, StoreError> {
    methods.map_or(Ok(0), |methods| methods.number("cards_only_until_s"))
}

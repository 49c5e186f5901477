//! The versions that guard a checkout. They are read first, consistently.
//!
//! Invariant: a version that is read after its data protects nothing. So the versions are read first, and P1's
//! conditions name these versions and no others.

use std::collections::BTreeMap;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::Seats;
use classpay_domain::id::{AccountId, ClassId, CompanyId, FamilyId, IntentId, OrderId};

use super::item::{Attributes, Read as _};
use super::key::{self, Key};
use super::payments::{Authorisation, Claim, Session, claim_of, held_of, session_of};
use super::table::Consistency;
use super::zero_due::ZeroDueOrder;
use super::{Store, StoreError};

/// What an `Idempotency-Key` was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The SHA-256 of the body, in hex.
    pub fingerprint: String,
    /// The order that it led to; `None` while that is open.
    pub order: Option<OrderId>,
    /// Until when it counts, in seconds since 1970.
    pub expires_s: i64,
}

/// The versions that guard a checkout, and the records that decide about its intent.
#[derive(Debug, Clone)]
pub struct Versions {
    /// The family's version; `None`: there is no such family.
    pub family: Option<u64>,
    /// The seats of those of the basket's classes that exist.
    pub seats: BTreeMap<ClassId, Seats>,
    /// What we made the intent for.
    pub session: Option<Session>,
    /// What is held on the intent's card, if an event reported it.
    pub held: Option<Authorisation>,
    /// The claim of the intent.
    pub claim: Option<Claim>,
    /// What the idempotency key was used for.
    pub idempotency: Option<IdempotencyRecord>,
    /// The basket's order with nothing to collect.
    pub zero_due: ZeroDueOrder,
}

impl Store {
    /// Reads the versions that guard a checkout.
    pub async fn load_versions(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        basket: &Basket,
        intent: Option<(&AccountId, &IntentId)>,
        idempotency: Option<&Key>,
    ) -> Result<Versions, StoreError> {
        let family_key = key::family(company, family);
        let claim_key = intent.map(|(account, intent)| key::claim(account, intent));
        let session_key = intent.map(|(account, intent)| key::session(account, intent));
        let classes: Vec<_> =
            basket.classes().into_iter().map(|class| (class.clone(), key::seats(company, class))).collect();
        let zero_due_key = intent.is_none().then(|| key::order(&basket.zero_due_order(company, family)));
        let of_intent = [claim_key.as_ref(), session_key.as_ref()];
        let singles = [Some(&family_key), zero_due_key.as_ref(), idempotency].into_iter().chain(of_intent);
        let keys = singles.flatten().chain(classes.iter().map(|(_, key)| key)).cloned().collect();
        let items = self.get_all(keys, Consistency::Strong).await?;
        let find = |key: Option<&Key>| key.and_then(|key| items.get(key));
        let mut seats = BTreeMap::new();
        for (class, key) in classes {
            if let Some(item) = items.get(&key) {
                seats.insert(class, seats_of(item)?);
            }
        }
        Ok(Versions {
            family: items.get(&family_key).map(|item| item.number("family_version")).transpose()?,
            seats,
            session: find(session_key.as_ref()).map(session_of).transpose()?,
            held: find(session_key.as_ref()).map(held_of).transpose()?.flatten(),
            claim: find(claim_key.as_ref()).map(claim_of).transpose()?,
            idempotency: find(idempotency).map(idempotency_of).transpose()?,
            zero_due: match find(zero_due_key.as_ref()) {
                Some(head) => self.zero_due_at(head).await?,
                None => ZeroDueOrder::default(),
            },
        })
    }
}

pub(super) fn seats_of(item: &Attributes) -> Result<Seats, StoreError> {
    let left: i64 = item.number("seats_left")?;
    let limited = item.number_if::<u32>("seats_total")?.is_some();
    Ok(Seats {
        // A capacity lowered below what is sold gives a negative number: no seat is left.
        left: limited.then(|| u32::try_from(left.max(0)).unwrap_or(u32::MAX)),
        price_version: item.number("price_version")?,
    })
}

fn idempotency_of(item: &Attributes) -> Result<IdempotencyRecord, StoreError> {
    Ok(IdempotencyRecord {
        fingerprint: item.text("fingerprint")?.to_owned(),
        order: item.text_if("order_id").map(str::parse).transpose().map_err(|_| StoreError::Corrupt("order_id"))?,
        expires_s: item.number("ttl")?,
    })
}

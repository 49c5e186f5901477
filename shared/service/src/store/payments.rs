//! Sessions (intents that we made) and claims (what was decided about an intent).
//!
//! Invariant: a claim is put once and never changed, except for its `done` and, once its payment was credited without
//! an order, the number of reversals. A call that loses the claim reads it to learn the decision.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{AccountId, CompanyId, FamilyId, IntentId, OrderId};
use classpay_domain::link::LinkAlias;
use classpay_domain::money::Money;
use classpay_domain::order::{IntentStatus, order_of_intent};
use serde::{Deserialize, Serialize};

use super::item::{Attributes, Item, Read as _, Value, document};
use super::key;
use super::lane::{self, Lane};
use super::refusal::StoredRefusal;
use super::table::Commit;
use super::write::{Guard, Write, Writes};
use super::{ReviewReason, Store, StoreError};
use crate::catalogue::documents::text;
use crate::error::{Error, ErrorCode};
use crate::scope::{Access, FamilyScope, Role};
use crate::wire::ItemsBody;

/// What an intent was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum SessionKind {
    /// A basket whose items we know, so it can be settled without its payer.
    Basket {
        /// The basket's hash.
        hash: String,
        /// Its items.
        items: ItemsBody,
    },
    /// An amount that the caller sent.
    Amount,
    /// A payment link: what it pays of the debit, and the fee on top.
    Link {
        /// The link.
        #[serde(with = "text")]
        link: LinkAlias,
        /// What it pays of the debit, in minor units.
        due: i64,
        /// The processing fee on top, in minor units.
        fee: i64,
        /// That fee in thousandths of a percent.
        fee_thousandths: i64,
    },
}

/// An intent that we made, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The Stripe account that it is on.
    pub account: AccountId,
    /// Stripe's intent.
    pub intent: IntentId,
    /// The company that is paid.
    pub company: CompanyId,
    /// The family that pays.
    pub family: FamilyId,
    /// The role of the caller who requested it, by whose rules it may be settled.
    pub role: Role,
    /// What it was made for.
    pub kind: SessionKind,
    /// How much, in minor units.
    pub amount: Money,
    /// The amount's currency.
    pub currency: Currency,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
    /// Since when its intent is out of our reach, in seconds since 1970; `None`: as far as we know it isn't.
    pub lost_s: Option<i64>,
}

impl Claim {
    /// Whether what was received is closed as given back or dealt with elsewhere.
    #[must_use]
    pub fn is_given_back(&self) -> bool {
        matches!(self.decision, Decision::Rejected { state: Rejection::GivenBack, .. })
    }
}

impl Session {
    /// The family that pays, with the access that the session's creator had.
    #[must_use]
    pub fn scope(&self) -> FamilyScope {
        let (company, family) = (self.company.clone(), self.family.clone());
        FamilyScope { company, family, role: self.role, access: Access::Granted }
    }
}

/// What is held on an intent's card, as an event reported it. A held card can only be captured or cancelled, so nothing
/// else can have changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// How much.
    pub amount: Money,
    /// In lower case: `gbp`.
    pub currency: String,
}

/// What was decided about an intent.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It pays this order.
    Order(OrderId),
    /// It is void, with the refusal that its caller was given.
    Rejected {
        /// The refusal.
        refusal: Error,
        /// What Stripe has reported since.
        state: Rejection,
    },
}

/// How far an intent's rejection has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The intent is not known to be cancelled.
    Open,
    /// Stripe reported `canceled`.
    Released,
    /// Stripe reported `succeeded`: it was captured outside this service, and the family has a credit that belongs to
    /// no order.
    Captured,
    /// Stripe reported `succeeded`; the payment can't be credited, and is closed as given back or dealt with elsewhere.
    GivenBack,
}

impl Rejection {
    /// The refusal that its payer gets, given the one that it was rejected with; `None`: the rejection is not finished.
    #[must_use]
    pub fn refusal(self, refusal: &Error) -> Option<Error> {
        match self {
            Self::Open => None,
            Self::Released => Some(refusal.clone().released()),
            Self::Captured | Self::GivenBack => Some(ErrorCode::PaymentAlreadyCaptured.into()),
        }
    }
}

/// The claim of an intent: what was decided about it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The company of the caller who claimed it.
    pub company: CompanyId,
    /// The family of the caller who claimed it.
    pub family: FamilyId,
    /// The basket it was claimed for.
    pub basket: String,
    /// What was decided.
    pub decision: Decision,
}

/// How long after it was made an unfinished session is first visited.
const SESSION_DUE_AFTER_S: i64 = 5 * 60;
/// How long after it was put an unfinished rejection is first visited.
const REJECTION_DUE_AFTER_S: i64 = 2 * 60;

impl Store {
    /// Stores a session for an intent that we made. [`Commit::ConditionFailed`]: it is stored already.
    pub async fn create_session(&self, session: &Session) -> Result<Commit, StoreError> {
        self.transact(Write::create(session_item(session))).await
    }

    /// The session of an intent, and its claim.
    pub async fn load_payment(
        &self,
        account: &AccountId,
        intent: &IntentId,
    ) -> Result<(Option<Session>, Option<Claim>), StoreError> {
        let (session_key, claim_key) = (key::session(account, intent), key::claim(account, intent));
        let keys = vec![session_key.clone(), claim_key.clone()];
        let items = self.get_all(keys, super::table::Consistency::Strong).await?;
        let session = items.get(&session_key).map(session_of).transpose()?;
        Ok((session, items.get(&claim_key).map(claim_of).transpose()?))
    }

    /// The claim on an intent.
    pub async fn load_claim(&self, account: &AccountId, intent: &IntentId) -> Result<Option<Claim>, StoreError> {
        self.get(&key::claim(account, intent)).await?.as_ref().map(claim_of).transpose()
    }

    /// Claims an intent as rejected. [`Commit::ConditionFailed`]: another call has claimed it.
    pub async fn reject(
        &self,
        session: &Session,
        claimed_for: &str,
        refusal: &Error,
        now_s: i64,
    ) -> Result<Commit, StoreError> {
        self.transact(rejection(session, claimed_for, refusal, now_s)).await
    }

    /// Claims an intent as rejected because the table permanently refuses its order, and puts it up for review.
    /// [`Commit::ConditionFailed`]: another call has claimed it.
    pub async fn reject_unwritable(
        &self,
        session: &Session,
        claimed_for: &str,
        refusal: &Error,
        now_s: i64,
    ) -> Result<Commit, StoreError> {
        let mut writes = rejection(session, claimed_for, refusal, now_s);
        let order = order_of_intent(&session.account, &session.intent);
        writes.push(review_anew(&session.company, &ReviewReason::OrderUnwritable(&order), now_s));
        self.transact(writes).await
    }

    /// Records that Stripe reported `canceled` for a rejected intent.
    pub async fn finish_rejection(&self, account: &AccountId, intent: &IntentId) -> Result<Commit, StoreError> {
        self.transact(end_rejection(account, intent)).await
    }

    /// Records that Stripe reported `succeeded` for a rejected intent, and that nothing of it is left.
    pub async fn note_given_back(&self, account: &AccountId, intent: &IntentId) -> Result<Commit, StoreError> {
        self.transact(end_rejection(account, intent).set("claim_given_back", true)).await
    }

    /// Puts a review record. The same record twice is one record, seen or not; for another reason it is new.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached, or gives no clear answer: then the record may exist.
    pub async fn note_for_review(
        &self,
        company: &CompanyId,
        reason: &ReviewReason<'_>,
        now_s: i64,
    ) -> Result<(), StoreError> {
        let is_news = match reason {
            // The matter ends when the settlement job credits the payment, even if a person has seen this record
            // before.
            ReviewReason::PaymentUnbooked(..) => Guard::Absent,
            // A person who saw the record before the account was lost, or before the event came, is notified again.
            ReviewReason::AccountLost(_, since_s) | ReviewReason::ReversalUnposted { reported_s: since_s, .. } => {
                Guard::Absent.or(Guard::below("seen_s", *since_s))
            }
            _ => Guard::Absent.or(Guard::is_not("reason", reason.name())),
        };
        match self.transact(review_anew(company, reason, now_s).when(is_news)).await? {
            Commit::Done | Commit::ConditionFailed => Ok(()),
            Commit::Contended | Commit::Unknown => Err(StoreError::Unavailable),
        }
    }
}

/// The claim of an intent as rejected, and the end of its session.
pub(super) fn rejection(session: &Session, claimed_for: &str, refusal: &Error, now_s: i64) -> Writes {
    let (account, intent) = (&session.account, &session.intent);
    let item = Item::at(&key::claim(account, intent))
        .text("cid", session.company.as_str())
        .text("fid", session.family.as_str())
        .text("account", account.as_str())
        .text("intent", intent.as_str())
        .text("claim_decision", "REJECTED")
        .text("basket", claimed_for)
        .text("refusal", document(&StoredRefusal::from(refusal)))
        .number("rejected_s", now_s)
        .flag("claim_done", false)
        .due_at(Lane::Pay, now_s + REJECTION_DUE_AFTER_S);
    [Write::create(item), close_session(session)].into_iter().collect()
}

/// Ends an open rejection. The caller has Stripe's answer that the intent is cancelled or has succeeded.
fn end_rejection(account: &AccountId, intent: &IntentId) -> Write {
    Write::edit(key::claim(account, intent))
        .set("claim_done", true)
        .leave_index()
        .when(Guard::is("claim_decision", "REJECTED"))
        .when(Guard::is("claim_done", false))
}

/// A review record that replaces an earlier one with another reason, even if a person has seen that.
pub(super) fn review_anew(company: &CompanyId, reason: &ReviewReason<'_>, now_s: i64) -> Write {
    let record = key::review(company, &reason.record());
    let lane = Lane::Review.shard_of(&record);
    Write::edit(record)
        .set("cid", company.as_str())
        .set("reason", reason.name())
        .set("what", reason.to_string())
        .set_if_missing("noted_s", now_s)
        .set("gsi1pk", lane)
        .set("gsi1sk", lane::job_due(now_s))
        .clear("seen_s")
}

pub(super) fn session_item(session: &Session) -> Item {
    Item::at(&key::session(&session.account, &session.intent))
        .text("cid", session.company.as_str())
        .text("fid", session.family.as_str())
        .text("account", session.account.as_str())
        .text("intent", session.intent.as_str())
        .text("role", session.role.as_str())
        .text("session_state", "open")
        .text("doc", document(&session.kind))
        .number("amount", session.amount.units())
        .text("currency", session.currency.code())
        .number("created_s", session.created_s)
        .due_at(Lane::Wait, session.created_s + SESSION_DUE_AFTER_S)
}

/// Takes a session out of the index because its intent is claimed.
pub(super) fn close_session(session: &Session) -> Write {
    Write::edit(key::session(&session.account, &session.intent))
        .set("session_state", "claimed")
        .leave_index()
        .when(Guard::is("session_state", "open"))
        .when(Guard::is("amount", session.amount.units()))
}

pub(super) fn session_of(item: &Attributes) -> Result<Session, StoreError> {
    Ok(Session {
        account: item.parsed("account")?,
        intent: item.parsed("intent")?,
        company: item.parsed("cid")?,
        family: item.parsed("fid")?,
        role: item.parsed("role")?,
        kind: item.document("doc")?,
        amount: Money::minor(item.number("amount")?),
        currency: Currency::parse(item.text("currency")?).ok_or(StoreError::Corrupt("currency"))?,
        created_s: item.number("created_s")?,
        lost_s: item.number_if("lost_s")?,
    })
}

/// The authorisation that an event reported for an open session. Once the intent is claimed or known to be cancelled,
/// Stripe must be asked.
pub(super) fn held_of(session: &Attributes) -> Result<Option<Authorisation>, StoreError> {
    let is_open = session.text("session_state")? == "open";
    let is_held = is_open && session.text_if("intent_status") == Some(IntentStatus::RequiresCapture.as_str());
    let (Some(amount), true) = (session.number_if("held_amount")?, is_held) else { return Ok(None) };
    Ok(Some(Authorisation { amount: Money::minor(amount), currency: session.text("held_currency")?.to_owned() }))
}

pub(super) fn claim_of(item: &Attributes) -> Result<Claim, StoreError> {
    let decision = match item.text("claim_decision")? {
        "ORDER" => Decision::Order(item.parsed("order_id")?),
        "REJECTED" => Decision::Rejected {
            refusal: item.document::<StoredRefusal>("refusal")?.into(),
            state: match flag(item, "claim_done") {
                false => Rejection::Open,
                true if flag(item, "claim_captured") => Rejection::Captured,
                true if flag(item, "claim_given_back") => Rejection::GivenBack,
                true => Rejection::Released,
            },
        },
        _ => return Err(StoreError::Corrupt("claim_decision")),
    };
    Ok(Claim {
        company: item.parsed("cid")?,
        family: item.parsed("fid")?,
        basket: item.text("basket")?.to_owned(),
        decision,
    })
}

fn flag(item: &Attributes, name: &str) -> bool {
    item.get(name) == Some(&Value::Flag(true))
}

//! Payment links: a debit that can be seen and paid by anyone who holds the link's secret id.
//!
//! Invariant: a link has at most one live intent, which changes only on the condition that it is the one that was read.
//! The amount due is lowered only on the condition that so much is due. So neither two tabs nor two links collect
//! twice.

use classpay_domain::id::{AccountId, CompanyId, FamilyId, IntentId, TransactionId};
use classpay_domain::link::{LinkAlias, LinkState, PaymentLinkId};
use classpay_domain::order::IntentStatus;

use super::accounts::cards_only_until_s;
use super::customers::{customer_of, with_customer};
use super::due::{self, Due, due_of};
use super::entries::entry_of;
use super::item::{Attributes, Item, Read as _, document};
use super::key;
use super::lane::Lane;
use super::order::{PlaceOrder, begin};
use super::payments::{Claim, Session, claim_of, review_anew, session_item, session_of};
use super::starts::Starts;
use super::table::Commit;
use super::table::Consistency;
use super::write::{Guard, Write, Writes};
use super::{ReviewReason, Store, StoreError};
use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::{CompanyDoc, FamilyDoc};
use crate::snapshot::{PaidLink, Snapshot};
use crate::stored_entry::StoredEntry;
use crate::stripe::KnownCustomer;

/// A payment link.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its id.
    pub id: PaymentLinkId,
    /// The company that is paid.
    pub company: CompanyId,
    /// The family that owes.
    pub family: FamilyId,
    /// What is to be paid.
    pub debit: TransactionId,
    /// Its state.
    pub state: LinkState,
    /// Its live intent, or the one that paid it.
    pub intent: Option<IntentId>,
    /// The Stripe account that this intent is on; the company may have changed accounts since.
    pub account: Option<AccountId>,
    /// How many intents it has had; it numbers the idempotency keys.
    pub attempt: u32,
    /// Its own customer, shared with no other link, because a link's holder can open the customer.
    pub customer: KnownCustomer,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
    /// Until when it can be paid.
    pub expires_s: Option<i64>,
    /// How many payments calls have started recently.
    pub starts: Starts,
    /// The debit as it was posted.
    pub aggregate: AggregateTransaction,
}

impl Link {
    /// A new link for a debit.
    #[must_use]
    pub fn open(
        id: PaymentLinkId,
        company: &CompanyId,
        debit_id: TransactionId,
        debit: Debit,
        created_s: i64,
        expires_s: Option<i64>,
    ) -> Self {
        Self {
            id,
            company: company.clone(),
            family: debit.family,
            debit: debit_id,
            state: LinkState::Open,
            intent: None,
            account: None,
            attempt: 0,
            customer: KnownCustomer::default(),
            created_s,
            expires_s,
            starts: Starts::default(),
            aggregate: debit.aggregate,
        }
    }
}

/// What a link points at.
#[derive(Debug, Clone)]
pub struct LinkTarget {
    /// The business.
    pub company: CompanyDoc,
    /// The family.
    pub family: FamilyDoc,
    /// Until when the account is known to take only cards, in seconds since 1970.
    pub cards_only_until_s: i64,
    /// What is due on the debit.
    pub due: Due,
    /// What the live intent was made for.
    pub session: Option<Session>,
    /// The intent's status in Stripe's last event or a visit of the settlement job.
    pub intent_status: Option<IntentStatus>,
    /// The claim of the live intent.
    pub claim: Option<Claim>,
}

/// A debit and what is due on it.
#[derive(Debug, Clone)]
pub struct Debit {
    /// The family that owes.
    pub family: FamilyId,
    /// What is due.
    pub due: Due,
    /// The debit as it was posted.
    pub aggregate: AggregateTransaction,
}

impl Store {
    /// A debit of the company and what is due on it.
    pub async fn load_debit(&self, company: &CompanyId, id: &TransactionId) -> Result<Option<Debit>, StoreError> {
        let Some(due) = self.get(&key::due(company, id)).await? else { return Ok(None) };
        let family: FamilyId = due.parsed("fid")?;
        let posted = self.get(&key::transaction(company, &family, id.as_str())).await?;
        let aggregate = entry_of(&posted.ok_or(StoreError::Corrupt("amount_due"))?, company, &family)?;
        Ok(Some(Debit { family, due: due_of(&due)?, aggregate }))
    }

    /// Stores a new link.
    pub async fn create_link(&self, link: &Link) -> Result<Commit, StoreError> {
        let mut item = Item::at(&key::link(&link.id.alias()))
            .text("cid", link.company.as_str())
            .text("fid", link.family.as_str())
            .text("link_id", link.id.expose())
            .text("debit", link.debit.as_str())
            .text("link_state", link.state.as_str())
            .number("attempt", link.attempt)
            .number("created_s", link.created_s)
            .text("doc", document(&StoredEntry::from(&link.aggregate)));
        if let Some(expires_s) = link.expires_s {
            item = item.number("expires_s", expires_s).due_at(Lane::Wait, expires_s);
        }
        let mut writes = Writes::new();
        writes.create(item);
        let listed = Item::at(&key::link_of_debit(&link.company, &link.debit, &link.id.alias()));
        writes.create(listed.text("cid", link.company.as_str()).text("link_id", link.id.expose()));
        self.transact(writes).await
    }

    /// A link. For an unknown id, the read is the same.
    pub async fn load_link(&self, link: &LinkAlias) -> Result<Option<Link>, StoreError> {
        self.get(&key::link(link)).await?.as_ref().map(link_of).transpose()
    }

    /// The links of a debit, in no particular order; `None`: the company has no such debit.
    pub async fn load_links_of(
        &self,
        company: &CompanyId,
        debit: &TransactionId,
    ) -> Result<Option<Vec<Link>>, StoreError> {
        let listed = self.query(&key::debit_pk(company, debit), Consistency::Strong).await?;
        let due = key::due(company, debit);
        if !listed.iter().any(|item| item.text_if("sk") == Some(due.sk.as_str())) {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for alias in listed.iter().filter_map(|item| item.text_if("sk")?.strip_prefix(key::LINK)) {
            keys.push(key::link(&alias.parse().map_err(|_| StoreError::Corrupt("sk"))?));
        }
        let found = self.get_all(keys, Consistency::Strong).await?;
        found.values().map(link_of).collect::<Result<_, _>>().map(Some)
    }

    /// What a link points at, read consistently: company, family, amount due, and its intent's session and claim.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached, or lacks what the link points at.
    pub async fn load_link_target(&self, link: &Link, account: &AccountId) -> Result<LinkTarget, StoreError> {
        let company = key::company(&link.company);
        let family = key::family(&link.company, &link.family);
        let due = key::due(&link.company, &link.debit);
        let session = link.intent.as_ref().map(|intent| key::session(account, intent));
        let claim = link.intent.as_ref().map(|intent| key::claim(account, intent));
        let methods = key::account_methods(account);
        let singles = [Some(&company), Some(&family), Some(&due), Some(&methods), session.as_ref(), claim.as_ref()];
        let items = self.get_all(singles.into_iter().flatten().cloned().collect(), Consistency::Strong).await?;
        let item = |key: &key::Key, what| items.get(key).ok_or(StoreError::Corrupt(what));
        Ok(LinkTarget {
            company: item(&company, "link's company")?.document("doc")?,
            family: item(&family, "link's family")?.document("doc")?,
            cards_only_until_s: cards_only_until_s(items.get(&methods))?,
            due: due_of(item(&due, "link's debit")?)?,
            intent_status: session.as_ref().and_then(|key| items.get(key)).and_then(status_of),
            session: session.and_then(|key| items.get(&key)).map(session_of).transpose()?,
            claim: claim.and_then(|key| items.get(&key)).map(claim_of).transpose()?,
        })
    }

    /// Makes an intent the link's live one, and stores its session and customer. [`Commit::ConditionFailed`]: another
    /// is the live one, or the link is not open.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn open_intent(
        &self,
        link: &Link,
        session: &Session,
        customer: &KnownCustomer,
    ) -> Result<Commit, StoreError> {
        let mut writes = Writes::new();
        writes.create(session_item(session));
        let opened = Write::edit(key::link(&link.id.alias()))
            .set("intent", session.intent.as_str())
            .set("account", session.account.as_str())
            .set("attempt", link.attempt + 1)
            .when(is_open_with(link.intent.as_ref()))
            .when(Guard::is("attempt", link.attempt));
        writes.push(with_customer(opened, customer)?);
        self.transact(writes).await
    }

    /// Lets go of a live intent on an account that permanently refuses us, and puts it up for review.
    /// [`Commit::ConditionFailed`]: another is the live one, or the link is not open.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn drop_intent(
        &self,
        link: &Link,
        intent: &IntentId,
        reason: &ReviewReason<'_>,
        now_s: i64,
    ) -> Result<Commit, StoreError> {
        let mut writes = Writes::new();
        let dropped = Write::edit(key::link(&link.id.alias())).clear("intent").clear("account");
        writes.push(dropped.when(is_open_with(Some(intent))));
        writes.push(review_anew(&link.company, reason, now_s));
        self.transact(writes).await
    }

    /// Makes a link's next intent use another key, because this attempt's key is used up. [`Commit::ConditionFailed`]:
    /// another call has got further.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn skip_link_attempt(&self, link: &Link) -> Result<Commit, StoreError> {
        let write = Write::edit(key::link(&link.id.alias()))
            .set("attempt", link.attempt + 1)
            .when(is_in(LinkState::Open))
            .when(Guard::is("attempt", link.attempt));
        self.transact(write).await
    }

    /// P1 of a link: claims the intent, reserves the amount due and marks the link, or does nothing. A call of
    /// `process-payment-link` is `counted`.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn place_link(
        &self,
        order: &PlaceOrder<'_>,
        session: &Session,
        paid: &PaidLink,
        counted: Option<Starts>,
    ) -> Result<Commit, StoreError> {
        let mut writes = Writes::new();
        begin(&mut writes, order, session);
        writes.push(due::reserve(&order.snapshot.company, &paid.debit, paid.amount));
        let link = move_to(LinkState::Processing, &paid.link).when(is_open_with(Some(&session.intent)));
        writes.push(match counted {
            None => link,
            Some(starts) => starts.noted(link),
        });
        self.transact(writes).await
    }

    /// Ends an open link, on the condition that its live intent is the one that was cancelled.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn close_link(&self, link: &Link, end: LinkState) -> Result<Commit, StoreError> {
        let closed = move_to(end, &link.id.alias()).leave_index();
        self.transact(closed.when(is_open_with(link.intent.as_ref()))).await
    }
}

/// The status of a session's intent, as last recorded.
fn status_of(session: &Attributes) -> Option<IntentStatus> {
    session.text_if("intent_status").and_then(IntentStatus::parse)
}

/// The link is in this state.
fn is_in(state: LinkState) -> Guard {
    Guard::is("link_state", state.as_str())
}

/// The link is open, and this is its live intent; `None`: it has none.
fn is_open_with(intent: Option<&IntentId>) -> Guard {
    is_in(LinkState::Open).and(match intent {
        None => Guard::Missing("intent"),
        Some(intent) => Guard::is("intent", intent.as_str()),
    })
}

/// Moves a link to this state. The caller adds the guard.
fn move_to(state: LinkState, link: &LinkAlias) -> Write {
    Write::edit(key::link(link)).set("link_state", state.as_str())
}

/// P2: credits what was reserved, and marks the link as paid.
pub(super) fn paid(snapshot: &Snapshot, paid: &PaidLink) -> [Write; 2] {
    [due::end_reservation(&snapshot.company, &paid.debit, paid.amount, 0), paid_link(paid, paid.is_part)]
}

/// The link is paid, or open for the rest.
pub(super) fn paid_link(paid: &PaidLink, is_part: bool) -> Write {
    let write =
        if is_part { move_to(LinkState::Open, &paid.link) } else { move_to(LinkState::Paid, &paid.link).leave_index() };
    write.when(is_in(LinkState::Processing))
}

/// P2c: makes what was reserved due again, and reopens the link.
pub(super) fn reopened(snapshot: &Snapshot, paid: &PaidLink) -> [Write; 2] {
    let due = due::end_reservation(&snapshot.company, &paid.debit, paid.amount, paid.amount);
    [due, move_to(LinkState::Open, &paid.link).when(is_in(LinkState::Processing))]
}

pub(super) fn link_of(item: &Attributes) -> Result<Link, StoreError> {
    let (company, family) = (item.parsed("cid")?, item.parsed("fid")?);
    Ok(Link {
        aggregate: entry_of(item, &company, &family)?,
        id: PaymentLinkId::parse(item.text("link_id")?).map_err(|_| StoreError::Corrupt("link_id"))?,
        company,
        family,
        debit: item.parsed("debit")?,
        state: LinkState::parse(item.text("link_state")?).ok_or(StoreError::Corrupt("link_state"))?,
        intent: item.text_if("intent").map(str::parse).transpose().map_err(|_| StoreError::Corrupt("intent"))?,
        account: item.text_if("account").map(str::parse).transpose().map_err(|_| StoreError::Corrupt("account"))?,
        attempt: item.number("attempt")?,
        customer: customer_of(item)?,
        created_s: item.number("created_s")?,
        expires_s: item.number_if("expires_s")?,
        starts: Starts::of(item)?,
    })
}

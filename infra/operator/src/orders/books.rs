//! The table's records of a payment: session, claim, order, and the ledger's entries.
//!
//! A payment's entries are searched for in the family's whole ledger, not only by what Stripe reports, so an entry that
//! Stripe doesn't know is found too.

use classpay_domain::id::{AccountId, CompanyId, FamilyId, IntentId, OrderId};
use classpay_domain::ledger::DetailKind;
use classpay_domain::money::{Money, Overflow};
use classpay_domain::order::{OrderState, order_of_intent};
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::settlement::unallocated::credit_id;
use classpay_service::store::{Claim, Decision, OrderRecord, Rejection, Session, Store, StoreError};

/// The table's records of an intent, except for the ledger.
#[derive(Debug)]
pub(super) struct Record {
    /// The order that it pays or would have paid.
    pub id: OrderId,
    /// The session that it was created for.
    pub session: Option<Session>,
    /// The claim that decided about it.
    pub claim: Option<Claim>,
    /// The order, if it was placed.
    pub order: Option<OrderRecord>,
}

impl Record {
    /// Loads the records of this intent.
    pub(super) async fn load(store: &Store, account: &AccountId, intent: &IntentId) -> Result<Self, StoreError> {
        let id = order_of_intent(account, intent);
        let (session, claim) = store.load_payment(account, intent).await?;
        let order = match &claim {
            Some(Claim { decision: Decision::Order(order), .. }) => store.load_order(order).await?,
            Some(Claim { decision: Decision::Rejected { .. }, .. }) | None => None,
        };
        Ok(Self { id, session, claim, order })
    }

    /// The family that pays; `None` if the table has no record of the intent.
    pub(super) fn family(&self) -> Option<(&CompanyId, &FamilyId)> {
        let of_session = self.session.as_ref().map(|session| (&session.company, &session.family));
        of_session.or_else(|| self.claim.as_ref().map(|claim| (&claim.company, &claim.family)))
    }

    /// Its status.
    pub(super) fn state(&self) -> &'static str {
        match (&self.order, &self.claim, &self.session) {
            (Some(order), _, _) => state(order.state),
            (None, Some(Claim { decision: Decision::Order(_), .. }), _) => "claimed, and its order is missing",
            (None, Some(Claim { decision: Decision::Rejected { state, .. }, .. }), _) => rejected(*state),
            (None, None, Some(_)) => "unclaimed",
            (None, None, None) => "no record",
        }
    }

    /// The entries of a ledger that belong to this payment: what its order posted, or its unallocated credit, and its
    /// reversals.
    pub(super) fn entries<'l>(&self, ledger: &'l [AggregateTransaction]) -> Vec<&'l AggregateTransaction> {
        let order = self.order.as_ref().map(|order| order.id.as_str());
        let unallocated = self.session.as_ref().map(credit_id);
        let is_own = |entry: &AggregateTransaction| {
            order.is_some() && entry.transaction.order_id.as_deref() == order
                || unallocated.as_ref().is_some_and(|credit| entry.transaction.id == credit.as_str())
        };
        let is_credit =
            |id: &str| ledger.iter().any(|entry| !entry.is_debit() && entry.transaction.id == id && is_own(entry));
        let goes_back =
            |entry: &AggregateTransaction| entry.transaction.related_transaction_id.as_deref().is_some_and(is_credit);
        // The credit of a failed refund names the refund's debit.
        let is_debit_of_return = |id: &str| ledger.iter().any(|entry| entry.transaction.id == id && goes_back(entry));
        // A credit that paid this debit is a payment of its own.
        let is_undone = |entry: &AggregateTransaction| {
            !entry.is_debit()
                && reverses(entry)
                && entry.transaction.related_transaction_id.as_deref().is_some_and(is_debit_of_return)
        };
        ledger.iter().filter(|entry| is_own(entry) || goes_back(entry) || is_undone(entry)).collect()
    }
}

/// Whether a credit undoes a refund or a dispute.
fn reverses(entry: &AggregateTransaction) -> bool {
    let kinds = [DetailKind::Refund, DetailKind::PaymentAutoFailedReversal];
    entry.details.iter().any(|line| kinds.iter().any(|kind| line.details.kind == kind.as_str()))
}

/// The name of an order's state.
pub(super) fn state(state: OrderState) -> &'static str {
    match state {
        OrderState::Pending => "pending",
        OrderState::Completed => "completed",
        OrderState::Cancelled => "cancelled",
    }
}

/// The name of a rejection's state.
pub(super) fn rejected(state: Rejection) -> &'static str {
    match state {
        Rejection::Open => "rejected, not yet released",
        Rejection::Released => "rejected and released",
        Rejection::Captured => "rejected, and credited without an order",
        Rejection::GivenBack => {
            "rejected; it was captured and can't be credited, and is given back or dealt with elsewhere"
        }
    }
}

/// The amounts captured and refunded according to the entries. Disputes are left out: Stripe counts them separately.
pub(super) fn taken_and_refunded(entries: &[&AggregateTransaction]) -> Result<(Money, Money), Overflow> {
    let sum = |of_debits: bool, kind: DetailKind| {
        let entries = entries.iter().filter(|entry| entry.is_debit() == of_debits);
        let lines = entries.flat_map(|entry| &entry.details).map(|line| &line.details);
        Money::sum(lines.filter(|line| line.kind == kind.as_str()).map(|line| Money::minor(line.amount)))
    };
    let refunded = sum(true, DetailKind::Refund)?.minus(sum(false, DetailKind::Refund)?)?;
    Ok((sum(false, DetailKind::PaymentAuto)?, refunded))
}

//! The ledger: balances, amounts due, and its agreement with Stripe about money and currency.
//!
//! The part of [`super::invariants`] about money that was owed, paid or returned.

use std::collections::BTreeMap;

use super::invariants::{Taken, taken};
use super::model::{Entry, Model};
use super::stripe::MemoryStripe;

/// 1: a family's balance is the sum of its ledger.
pub(super) fn balances(model: &Model) -> Result<(), String> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for entry in model.ledger.values() {
        *sums.entry(&entry.family).or_default() += entry.balance;
    }
    for (family, balance) in &model.balances {
        let sum = sums.get(family.as_str()).copied().unwrap_or_default();
        if sum != *balance {
            return Err(format!("1: {family} has a balance of {balance}, its ledger sums to {sum}"));
        }
    }
    Ok(())
}

/// 1, 5, 8 and 14: the amount due on a debit is its total less what was credited to it or is reserved. It is never
/// negative, and every debit that is owed has one.
pub(super) fn dues(model: &Model) -> Result<(), String> {
    for (id, debit) in model.ledger.iter().filter(|(_, entry)| !entry.is_credit) {
        let total = debit.balance;
        let Some(due) = model.due.get(id) else {
            if total > 0 {
                return Err(format!("14: {id} of {total} can't be collected: nothing says what is due on it"));
            }
            continue;
        };
        let paid_at_once = debit.order.as_ref().is_some_and(|order| {
            model.ledger.values().any(|credit| credit.is_credit && credit.order.as_ref() == Some(order))
        });
        let credited: i64 = if paid_at_once {
            total
        } else {
            let credits = model.ledger.values().filter(|c| c.is_credit && c.related.as_ref() == Some(id));
            credits.map(|credit| -credit.balance).sum()
        };
        let pending = model.orders.values().filter(|order| order.state == "PENDING");
        let reserved: i64 = pending.filter_map(|o| o.link.as_ref()).filter(|(d, _)| d == id).map(|(_, a)| a).sum();
        // An amount credited beyond what is owed, by a refund that fails after its debit was paid, belongs to the
        // family.
        let owed = (total - credited).max(0);
        if due.due < 0 || due.reserved != reserved || due.due + due.reserved != owed {
            return Err(format!("8: {id} of {total}: {due:?}; {credited} credited, {reserved} taken"));
        }
    }
    match model.due.keys().find(|id| model.ledger.get(*id).is_none_or(|entry| entry.is_credit)) {
        Some(id) => Err(format!("1: {id} is due and is no debit")),
        None => Ok(()),
    }
}

/// 14: an amount owed according to a family's balance can be collected.
pub(super) fn collectable(model: &Model) -> Result<(), String> {
    let mut open: BTreeMap<&str, i64> = BTreeMap::new();
    for (id, due) in &model.due {
        let Some(debit) = model.ledger.get(id) else { continue };
        *open.entry(&debit.family).or_default() += due.due + due.reserved;
    }
    for (family, balance) in &model.balances {
        let open = open.get(family.as_str()).copied().unwrap_or_default();
        if open < *balance {
            return Err(format!("14: {family} owes {balance}, and only {open} of it can be collected"));
        }
    }
    Ok(())
}

/// 15: the amount due, its order, the session and Stripe's intent agree about the currency.
pub(super) fn currencies(model: &Model, stripe: &MemoryStripe) -> Result<(), String> {
    for (id, due) in &model.due {
        let order = model.ledger.get(id).and_then(|debit| model.order_of(debit));
        if let Some(order) = order.filter(|order| order.currency != due.currency) {
            return Err(format!("15: {id} is due in {:?}, and is of {order:?}", due.currency));
        }
    }
    for order in model.orders.values() {
        let paid = order.link.as_ref().and_then(|(debit, _)| model.due.get(debit));
        if paid.is_some_and(|due| due.currency != order.currency) {
            return Err(format!("15: {order:?} pays what is due in another currency: {paid:?}"));
        }
        let Some(intent) = &order.intent else { continue };
        if model.sessions.get(intent) != Some(&order.currency) {
            return Err(format!("15: {order:?} is paid by a session of another currency, or of none"));
        }
    }
    for (intent, currency) in &model.sessions {
        if let Some(other) = taken(stripe, intent).filter(|taken| taken.currency != *currency) {
            return Err(format!("15: the session of {intent} is in {currency:?}, and Stripe says {other:?}"));
        }
    }
    Ok(())
}

/// The amounts that the ledger says were paid, refunded and taken back by the bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moved {
    paid: i64,
    refunded: i64,
    disputed: i64,
}

impl Moved {
    fn add(&mut self, other: Self) {
        self.paid += other.paid;
        self.refunded += other.refunded;
        self.disputed += other.disputed;
    }
}

impl From<&Entry> for Moved {
    fn from(entry: &Entry) -> Self {
        Self { paid: entry.paid, refunded: entry.refunded, disputed: entry.disputed }
    }
}

impl From<Taken> for Moved {
    fn from(taken: Taken) -> Self {
        Self { paid: taken.received, refunded: taken.refunded, disputed: taken.disputed }
    }
}

/// 2 and 4: for each intent, the ledger agrees with Stripe about the amounts captured and returned. Amounts credited
/// without an order are compared as one sum. If Stripe refuses our calls, the ledger doesn't know what has happened
/// since.
pub(super) fn paid(model: &Model, stripe: &MemoryStripe) -> Result<(), String> {
    let (mut of_orders, mut unallocated): (BTreeMap<&str, Moved>, Moved) = Default::default();
    for entry in model.ledger.values() {
        match model.order_of(entry).and_then(|order| order.intent.as_deref()) {
            Some(intent) => of_orders.entry(intent).or_default().add(entry.into()),
            None => unallocated.add(entry.into()),
        }
    }
    let (mut expected, mut out_of_reach) = (Moved::default(), false);
    let mut wrong = None;
    stripe.for_each(|view| {
        let (intent, taken) = (view.intent.as_str(), Taken::from(view));
        if taken.is_studios {
            return;
        }
        let says = of_orders.get(intent).copied().unwrap_or_default();
        let order = model.orders.values().find(|order| order.intent.as_deref() == Some(intent));
        let is_credited = model.claims.get(intent).is_some_and(|claim| claim.is_captured);
        match order {
            None if taken.is_connected => expected.add(taken.into()),
            None if is_credited => {
                expected.paid += taken.received;
                out_of_reach = true;
            }
            None => {}
            Some(order) => {
                let waits = order.state == "PENDING" && order.needs_review;
                let is_right = if waits {
                    says == Moved::default()
                } else if taken.is_connected {
                    says == taken.into()
                } else {
                    says.paid == if order.state == "COMPLETED" { taken.received } else { 0 }
                };
                if !is_right {
                    wrong = Some(format!("2: the ledger says {says:?} of {intent}, Stripe {taken:?}: {order:?}"));
                }
            }
        }
    });
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    if unallocated.paid != expected.paid || (unallocated != expected && !out_of_reach) {
        return Err(format!("2: the ledger says {unallocated:?} without an order, Stripe {expected:?}"));
    }
    orders(model)
}

/// 1 and 4: what a completed order has posted is its total, and sums to zero except for what a link has paid.
fn orders(model: &Model) -> Result<(), String> {
    for (id, order) in model.orders.iter().filter(|(_, order)| order.state == "COMPLETED" && order.intent.is_some()) {
        let posted: Vec<_> = model.ledger.values().filter(|entry| entry.order.as_deref() == Some(id)).collect();
        let paid: i64 = posted.iter().map(|entry| entry.paid).sum();
        if paid != order.total {
            return Err(format!("4: {id} of {} credits {paid}", order.total));
        }
        let owed = order.link.as_ref().map_or(0, |(_, amount)| *amount);
        let sum: i64 = posted.iter().map(|entry| entry.balance).sum();
        if sum != -owed {
            return Err(format!("1: the debits and credits of {id} sum to {sum}, not {}", -owed));
        }
    }
    Ok(())
}

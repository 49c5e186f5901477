//! Money that goes back: refunds by the studio, and disputes by the payer's bank.
//!
//! Invariant: of a charge the refunds that haven't failed come to its `amount_refunded`, never above its amount; and it
//! has at most one dispute that isn't won.

use classpay_domain::order::IntentStatus;

use super::calls::at_least_one;
use super::events::Shown;
use super::state::{Dispute, DisputeStatus, Refusal, Standing, State};

/// When a refund is with the payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It looks done at once.
    AtOnce,
    /// The bank takes its time: it is pending.
    Later,
}

impl State {
    /// Gives back so much, or what is left; tells the refund's id.
    pub fn refund(&mut self, at: usize, amount: Option<i64>, arrival: Arrival) -> Result<String, Refusal> {
        if let Some(amount) = amount {
            at_least_one(amount)?;
        }
        let payment = &mut self.payments[at];
        let (standing, is_disputed) = (payment.standing, payment.is_disputed());
        let charge = payment.charge()?;
        let left = charge.amount.units() - charge.amount_refunded.units();
        if charge.refunded {
            return Err(Refusal::coded("charge_already_refunded", "all of it was refunded"));
        }
        if standing != Standing::Taken {
            return Err(Refusal::refused("nothing was taken"));
        }
        if is_disputed {
            return Err(Refusal::coded("charge_disputed", "the payer's bank has it"));
        }
        let amount = amount.unwrap_or(left);
        if amount > left {
            return Err(Refusal::refused("more than is left"));
        }
        let now_s = self.now_s();
        let status = if arrival == Arrival::Later { "pending" } else { "succeeded" };
        let refund = self.refund_of(at, amount, status, now_s);
        let id = refund.id.clone();
        let payment = &mut self.payments[at];
        payment.give_back(refund)?;
        let shown = Shown::Refund(payment.refunds.len() - 1);
        self.tell(at, "refund.created", shown, now_s);
        self.tell(at, "charge.refunded", Shown::Charge, now_s);
        self.has_changed(at, self.now_ms());
        Ok(id)
    }

    /// A pending refund arrives.
    pub fn settle_refund(&mut self, id: &str) -> Result<(), Refusal> {
        let (at, which) = self.find_refund(id)?;
        let payment = &mut self.payments[at];
        let refund = &mut payment.refunds[which];
        if refund.status != "pending" {
            return Err(Refusal::refused("it isn't pending"));
        }
        "succeeded".clone_into(&mut refund.status);
        payment.show_refunds()?;
        self.tell_refund_update(at, which);
        Ok(())
    }

    /// A refund comes back, also one that had looked done.
    pub fn fail_refund(&mut self, id: &str) -> Result<(), Refusal> {
        let (at, which) = self.find_refund(id)?;
        let payment = &mut self.payments[at];
        let refund = &mut payment.refunds[which];
        if refund.status == "failed" {
            return Err(Refusal::refused("it has failed before"));
        }
        "failed".clone_into(&mut refund.status);
        let amount = refund.amount.units();
        payment.count_back(-amount)?;
        payment.show_refunds()?;
        self.tell(at, "refund.failed", Shown::Refund(which), self.now_s());
        self.tell_refund_update(at, which);
        Ok(())
    }

    fn tell_refund_update(&mut self, at: usize, which: usize) {
        let now_s = self.now_s();
        self.tell(at, "refund.updated", Shown::Refund(which), now_s);
        self.tell(at, "charge.refund.updated", Shown::Refund(which), now_s);
        self.has_changed(at, self.now_ms());
    }

    fn find_refund(&self, id: &str) -> Result<(usize, usize), Refusal> {
        let found = self.payments.iter().enumerate().find_map(|(at, payment)| {
            let which = payment.refunds.iter().position(|refund| refund.id == id)?;
            Some((at, which))
        });
        found.ok_or_else(|| Refusal::missing(404))
    }

    /// The payer's bank takes so much back, or all that was taken; tells the dispute's id.
    pub fn dispute(&mut self, at: usize, amount: Option<i64>) -> Result<String, Refusal> {
        let payment = &self.payments[at];
        let (taken, _) = payment.money();
        let amount = amount.unwrap_or(taken);
        if taken == 0 || payment.intent.status != IntentStatus::Succeeded || payment.is_disputed() {
            return Err(Refusal::refused("nothing was taken, or it is disputed already"));
        }
        at_least_one(amount)?;
        if amount > taken {
            return Err(Refusal::refused("more than was taken"));
        }
        let (id, now_s) = (self.mint("du"), self.now_s());
        let payment = &mut self.payments[at];
        payment.charge()?.disputed = true;
        let dispute = Dispute { id: id.clone(), amount, created_s: now_s, status: DisputeStatus::NeedsResponse };
        payment.disputes.push(dispute);
        let shown = Shown::Dispute(payment.disputes.len() - 1);
        self.tell(at, "charge.dispute.created", shown, now_s);
        self.tell(at, "charge.dispute.funds_withdrawn", shown, now_s);
        self.has_changed(at, self.now_ms());
        Ok(id)
    }

    /// The bank decides.
    pub fn close_dispute(&mut self, id: &str, verdict: DisputeStatus) -> Result<(), Refusal> {
        let found = self.payments.iter().enumerate().find_map(|(at, payment)| {
            let which = payment.disputes.iter().position(|dispute| dispute.id == id)?;
            Some((at, which))
        });
        let (at, which) = found.ok_or_else(|| Refusal::missing(404))?;
        let dispute = &mut self.payments[at].disputes[which];
        if dispute.status != DisputeStatus::NeedsResponse {
            return Err(Refusal::refused("it is closed already"));
        }
        dispute.status = verdict;
        let now_s = self.now_s();
        self.tell(at, "charge.dispute.closed", Shown::Dispute(which), now_s);
        if verdict == DisputeStatus::Won {
            self.tell(at, "charge.dispute.funds_reinstated", Shown::Dispute(which), now_s);
        }
        self.has_changed(at, self.now_ms());
        Ok(())
    }
}

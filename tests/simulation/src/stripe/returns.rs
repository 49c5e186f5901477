//! Reversals: refunds by the studio, and disputes by the payer's bank, which may begin as inquiries.
//!
//! A charge's refunds that haven't failed sum to its `amount_refunded`, which never exceeds its amount. A charge has at
//! most one dispute that isn't won or a closed inquiry. A charge's `disputed` says that money was taken back, so an
//! inquiry leaves it unchanged.

use classpay_domain::order::IntentStatus;

use super::calls::at_least_one;
use super::events::Shown;
use super::state::{Refusal, Standing, State};

/// When a refund reaches the payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It looks completed at once.
    AtOnce,
    /// The bank takes its time, so it is pending.
    Later,
}

/// The status of a dispute, or of an inquiry, which may come before a dispute or replace it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStatus {
    /// The bank asks, and has taken nothing.
    WarningNeedsResponse,
    /// The bank has closed its inquiry.
    WarningClosed,
    /// The bank has the money, and the studio may respond.
    NeedsResponse,
    /// The bank has returned the money.
    Won,
    /// The bank keeps it.
    Lost,
}

impl DisputeStatus {
    /// Stripe's name for the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// Whether it is open or was lost. A charge with such a dispute takes no second one.
    pub fn stands(self) -> bool {
        match self {
            Self::WarningNeedsResponse | Self::NeedsResponse | Self::Lost => true,
            Self::WarningClosed | Self::Won => false,
        }
    }

    /// Whether the bank has the money.
    pub fn keeps(self) -> bool {
        match self {
            Self::NeedsResponse | Self::Lost => true,
            Self::WarningNeedsResponse | Self::WarningClosed | Self::Won => false,
        }
    }
}

/// The amount that the payer's bank takes back.
#[derive(Debug, Clone)]
pub(super) struct Dispute {
    pub id: String,
    pub amount: i64,
    pub created_s: i64,
    pub status: DisputeStatus,
}

/// The kind of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// It takes the money back.
    Dispute,
    /// It only asks.
    Inquiry,
}

impl State {
    /// Refunds this amount, or the rest. Returns the refund's id.
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
        if self.payments[at].charge()?.refunded {
            self.answer_inquiries(at);
        }
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

    /// A refund fails, even one that had looked completed.
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

    /// The payer's bank takes back the given amount or all, or opens an inquiry. Returns the dispute's id.
    pub fn dispute(&mut self, at: usize, amount: Option<i64>, complaint: Complaint) -> Result<String, Refusal> {
        let payment = &self.payments[at];
        let (taken, _) = payment.money();
        let amount = amount.unwrap_or(taken);
        if taken == 0 || payment.intent.status != IntentStatus::Succeeded || payment.is_questioned() {
            return Err(Refusal::refused("nothing was taken, or it is disputed already"));
        }
        at_least_one(amount)?;
        if amount > taken {
            return Err(Refusal::refused("more than was taken"));
        }
        let (id, now_s) = (self.new_id("du"), self.now_s());
        let payment = &mut self.payments[at];
        let status = match complaint {
            Complaint::Dispute => DisputeStatus::NeedsResponse,
            Complaint::Inquiry => DisputeStatus::WarningNeedsResponse,
        };
        payment.disputes.push(Dispute { id: id.clone(), amount, created_s: now_s, status });
        let shown = Shown::Dispute(payment.disputes.len() - 1);
        payment.charge()?.disputed |= complaint == Complaint::Dispute;
        self.tell(at, "charge.dispute.created", shown, now_s);
        if complaint == Complaint::Dispute {
            self.tell(at, "charge.dispute.funds_withdrawn", shown, now_s);
        }
        self.has_changed(at, self.now_ms());
        Ok(id)
    }

    /// The bank isn't satisfied with the answer to its inquiry, and takes the money.
    pub fn escalate(&mut self, id: &str) -> Result<(), Refusal> {
        let (at, which) = self.find_dispute(id)?;
        let payment = &mut self.payments[at];
        if payment.disputes[which].status != DisputeStatus::WarningNeedsResponse {
            return Err(Refusal::refused("no inquiry, or it is closed already"));
        }
        payment.disputes[which].status = DisputeStatus::NeedsResponse;
        payment.charge()?.disputed = true;
        let now_s = self.now_s();
        self.tell(at, "charge.dispute.updated", Shown::Dispute(which), now_s);
        self.tell(at, "charge.dispute.funds_withdrawn", Shown::Dispute(which), now_s);
        self.has_changed(at, self.now_ms());
        Ok(())
    }

    /// The whole charge was refunded, which answers the bank's inquiry.
    fn answer_inquiries(&mut self, at: usize) {
        for which in 0..self.payments[at].disputes.len() {
            let status = &mut self.payments[at].disputes[which].status;
            if *status == DisputeStatus::WarningNeedsResponse {
                *status = DisputeStatus::WarningClosed;
                self.tell(at, "charge.dispute.closed", Shown::Dispute(which), self.now_s());
            }
        }
    }

    /// The bank decides.
    pub fn close_dispute(&mut self, id: &str, verdict: DisputeStatus) -> Result<(), Refusal> {
        let (at, which) = self.find_dispute(id)?;
        let dispute = &mut self.payments[at].disputes[which];
        let is_open = match verdict {
            DisputeStatus::WarningClosed => dispute.status == DisputeStatus::WarningNeedsResponse,
            _ => dispute.status == DisputeStatus::NeedsResponse,
        };
        if !is_open {
            return Err(Refusal::refused("it is closed already, or can't be closed like this"));
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
    fn find_dispute(&self, id: &str) -> Result<(usize, usize), Refusal> {
        let found = self.payments.iter().enumerate().find_map(|(at, payment)| {
            let which = payment.disputes.iter().position(|dispute| dispute.id == id)?;
            Some((at, which))
        });
        found.ok_or_else(|| Refusal::missing(404))
    }
}

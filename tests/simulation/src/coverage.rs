//! Counts the cases that worlds come across: a simulation that never reaches a case says nothing about it.
//!
//! A counter is raised by what is seen in the table, at Stripe or in an answer, not by what was intended.

use classpay_service::error::ErrorCode;
use classpay_service::store::key::Key;
use classpay_service::store::{self, Attributes, ReviewReason};

use super::calls::Answer;

macro_rules! counters {
    ($($name:ident = $what:literal;)*) => {
        /// How often each case was seen.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Coverage {
            $(#[doc = $what] pub $name: u64,)*
        }

        impl Coverage {
            /// Adds the counts of another world.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            /// Every counter with its description.
            #[must_use]
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($what, self.$name)),*]
            }
        }
    };
}

counters! {
    kills = "a function killed at an await";
    killed_after_capture = "killed after the capture, before it was posted";
    replies_lost = "a reply lost after its effect";
    landed_late = "a lost call that landed late and took effect";
    lost_claim = "a race for the claim lost";
    lost_seat = "a race for a seat lost";
    lost_due = "a race for a due amount lost";
    lost_family = "a family priced anew, for its version had moved";
    lost_order = "an order that a rival had finished";
    completed = "an order completed";
    cancelled = "an order cancelled";
    rejected = "an intent rejected with a claim";
    claimed_held = "a basket claimed whose authorisation an event had brought";
    booked_zero_due = "a basket booked with nothing to pay";
    refused_zero_due = "a basket without payment refused under a new generation";
    unallocated = "a payment credited without an order";
    reviewed = "a note for a person";
    trial_marked = "a trial marked by an order that enrols its student";
    trial_ended = "a trial ended by such an order";
    trial_kept = "a trial kept, for such an order was given up";
    fee_charged = "a fee charged";
    fee_released = "a fee given back";
    instalment_due = "an instalment to come";
    link_paid = "a link paid";
    link_expired = "a link expired";
    link_revoked = "a link revoked";
    debit_under_way = "a call answered while a bank debit is under way";
    debit_failed = "a bank debit that failed";
    debit_settled = "a bank debit that arrived";
    hold_expired = "a hold that ran out";
    interfered = "a capture in Stripe's dashboard";
    captured_in_part = "an authorisation captured in part in Stripe's dashboard";
    tampered = "an intent's amount changed at Stripe";
    returned = "something posted that went back of a payment";
    refund_arrived = "a pending refund that arrived";
    refund_failed = "a refund that failed, taken back";
    disputed = "a dispute posted";
    dispute_won = "a dispute won, taken back";
    dispute_lost = "a dispute lost";
    inquiry = "an inquiry of the payer's bank, which takes nothing";
    inquiry_closed = "an inquiry that came to nothing";
    inquiry_escalated = "an inquiry that became a dispute";
    repriced = "a price changed under a payer";
    answered_processing = "a call answered with 202";
    answered_released = "a refusal that released the payment";
    answered_quote_changed = "a quote that had changed";
    answered_too_large = "a basket refused that no order can hold";
    released_too_large = "the same, and its payment released";
    answered_used = "an intent that had paid another basket";
    delivered_twice = "an event delivered more than once";
    forged = "an event with a wrong signature";
    recovered_by_schedule = "a world recovered by the schedule alone";
    refund_read = "a refund of which no event arrived, read by the schedule";
    recovered_by_clients = "a purchase recovered by its client alone";
    recovered_by_webhook = "a link's payment recovered by its event alone";
    trespassed = "a call of another studio with an intent that is not its own";
    deleted_customer = "a call refused for a deleted customer";
    deleted_unused = "a customer deleted for whom no intent had been made";
    not_activated = "a payment method refused that the account has lost";
    lastingly_refused = "a call of a kind that Stripe refuses lastingly";
    declined = "the same with a 402, which is of no payer's card";
    account_left = "a payment under way on an account that the studio leaves";
    account_disconnected = "a payment under way on an account that the studio disconnects";
    account_closed = "a payment under way on an account that the studio disconnects and names still";
    let_go = "a link's intent let go, on an account out of reach";
    order_lost = "an order put before a person, on an account out of reach";
    reconnected = "a world recovered after its account was connected again";
    copied = "an intent of the studio's own that looks like one of ours, paid";
    currency_refused = "an import in another currency, refused";
    calm = "a valid call clicked several times without faults or rivals";
}

impl Coverage {
    /// Counts the new state of an item.
    pub fn see(&mut self, key: &Key, item: &Attributes) {
        let is = |name: &str, value: &str| item.get(name).and_then(store::Value::as_text).is_some_and(|v| v == value);
        let has = |name: &str| item.contains_key(name);
        if key.pk.starts_with("ORD#") {
            self.completed += u64::from(is("order_state", "COMPLETED") && !has("order_generation"));
            self.booked_zero_due += u64::from(is("order_state", "COMPLETED") && has("order_generation"));
            self.refused_zero_due += u64::from(is("order_state", "REFUSED"));
            self.cancelled += u64::from(is("order_state", "CANCELLED"));
        }
        self.rejected += u64::from(is("claim_decision", "REJECTED"));
        let is_basket =
            item.get("doc").and_then(store::Value::as_text).is_some_and(|doc| doc.contains(r#""kind":"basket""#));
        let is_held = is("intent_status", "requires_capture") && has("held_amount");
        self.claimed_held += u64::from(is("session_state", "claimed") && is_held && is_basket);
        self.unallocated += u64::from(has("claim_captured"));
        if key.pk.starts_with("REVIEW#") {
            self.reviewed += 1;
            self.let_go += u64::from(key.sk.starts_with("left-"));
            self.order_lost += u64::from(is("reason", ReviewReason::INTENT_LOST));
        }
        self.trial_marked += u64::from(is("place_state", "ACTIVE") && has("ending_order"));
        self.trial_ended += u64::from(is("place_state", "ENDED"));
        self.fee_charged += u64::from(is("fee_state", "CHARGED"));
        self.fee_released += u64::from(is("fee_state", "RELEASED"));
        self.instalment_due += u64::from(has("instalments_written"));
        self.link_paid += u64::from(is("link_state", "paid"));
        self.link_expired += u64::from(is("link_state", "expired"));
        self.link_revoked += u64::from(is("link_state", "revoked"));
        self.returned += u64::from(has("returns_version"));
        if key.sk.starts_with("TRN#") {
            self.see_entry(item);
        }
    }

    /// Counts an entry of the ledger, which is written once.
    fn see_entry(&mut self, item: &Attributes) {
        let Some(doc) = item.get("doc").and_then(store::Value::as_text) else { return };
        let says = |what: &str| u64::from(doc.contains(what));
        self.disputed += says(r#""type":"payment-auto-failed""#);
        self.dispute_won += says(r#""type":"payment-auto-failed-reversal""#);
        self.refund_failed += says(r#""type":"refund""#) * says(r#""type":"credit""#);
    }

    /// Counts what a failed condition was about.
    pub fn see_lost(&mut self, key: &Key) {
        match key.sk.as_str() {
            "CLAIM" => self.lost_claim += 1,
            "SEATS" => self.lost_seat += 1,
            "DUE" => self.lost_due += 1,
            "META" if key.pk.starts_with("ORD#") => self.lost_order += 1,
            "META" if key.pk.contains("#F#") => self.lost_family += 1,
            _ => {}
        }
    }

    /// Counts an answer.
    pub fn see_answer(&mut self, answer: &Answer) {
        self.answered_processing += u64::from(answer.status == 202);
        self.answered_released += u64::from(answer.released);
        self.answered_quote_changed += u64::from(answer.code == Some(ErrorCode::QuoteChanged));
        let is_too_large = answer.code == Some(ErrorCode::BasketTooLarge);
        self.answered_too_large += u64::from(is_too_large);
        self.released_too_large += u64::from(is_too_large && answer.released);
        self.answered_used += u64::from(answer.code == Some(ErrorCode::PaymentAlreadyUsed));
        let under_way = answer.body.as_ref().is_some_and(|body| body.contains("payment-pending-card"));
        self.debit_under_way += u64::from(under_way);
    }
}

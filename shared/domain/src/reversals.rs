//! Reversals: what refunds and disputes add to the ledger after a payment.
//!
//! Invariant: entries are added, never changed. In whatever order and however often Stripe's events arrive, a refund or
//! a dispute is posted once and undone once. The processing fee is returned exactly as long as the whole payment is.
//!
//! Signs: on a debit, `refund` 1029 and `fee-company` −29 say that the family owes 1000 again. A refund that failed is
//! a credit with the same signs: amounts on a credit are what is no longer owed. The amount refunded of an intent is
//! therefore the `refund` of its debits less the `refund` of its credits.

use jiff::civil::Date;

use crate::fingerprint::Fingerprint;
use crate::id::TransactionId;
use crate::ledger::{Detail, DetailKind, Direction, Entry};
use crate::money::{Money, Overflow};

/// The status of a refund or a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReversalStatus {
    /// Not known to have moved money, so nothing is posted.
    Open,
    /// The payer has the money, or it is on its way to them.
    Returned,
    /// The business has the money after all: the refund failed, or the dispute was won.
    Undone,
}

/// The status of a refund, from Stripe's status.
#[must_use]
pub fn refund_status(status: &str) -> ReversalStatus {
    match status {
        "succeeded" | "pending" => ReversalStatus::Returned,
        "failed" | "canceled" => ReversalStatus::Undone,
        // The refund waits for the payer: `requires_action`.
        _ => ReversalStatus::Open,
    }
}

/// The status of a dispute, from the event that reports it and Stripe's status.
#[must_use]
pub fn dispute_status(event: &str, status: &str) -> ReversalStatus {
    match (event, status) {
        (_, "won") | ("charge.dispute.funds_reinstated", _) => ReversalStatus::Undone,
        (_, "lost") | ("charge.dispute.funds_withdrawn", _) => ReversalStatus::Returned,
        // A bank that only inquires takes no money: `warning_needs_response` and the like.
        ("charge.dispute.created", status) if !status.starts_with("warning_") => ReversalStatus::Returned,
        _ => ReversalStatus::Open,
    }
}

/// Whether it is a refund or a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReversalKind {
    /// The business gave the money back.
    Refund,
    /// The payer's bank took the money back.
    Dispute,
}

/// A refund or a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// Which of the two.
    pub kind: ReversalKind,
    /// Stripe's id.
    pub id: String,
    /// Its amount.
    pub amount: Money,
    /// Its status.
    pub status: ReversalStatus,
    /// When it was created, in seconds since 1970.
    pub created_s: i64,
}

impl Reversal {
    /// The ids of the debit that posts it and of the credit that undoes it. They are the same in every process that
    /// derives them.
    #[must_use]
    pub fn transactions(&self) -> [TransactionId; 2] {
        ["returned", "undone"].map(|class| {
            let mut digest = Fingerprint::new("return");
            digest.text(&self.id).text(class);
            // The debit sorts before the credit that undoes it.
            let later_ms = i64::from(class == "undone");
            TransactionId::with_positions(
                digest.finish_ulid(self.created_s.saturating_mul(1000).saturating_add(later_ms)),
            )
        })
    }
}

/// A payment and what is known of its reversals.
#[derive(Debug, Clone)]
pub struct ReversedPayment<'a> {
    /// The company's local date.
    pub on: Date,
    /// The processing fee that the payment contains.
    pub fee: Money,
    /// Whether Stripe says that the whole payment was refunded.
    pub is_full: bool,
    /// Whether the ledger says so, in which case it has returned the fee.
    pub was_full: bool,
    /// The reversals, oldest first.
    pub returns: &'a [Reversal],
    /// The reversals' transactions that are already posted.
    pub posted: &'a [TransactionId],
}

/// An entry to post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Its id.
    pub id: TransactionId,
    /// The entry.
    pub entry: Entry,
    /// For a credit: the debit that it undoes.
    pub reverses: Option<TransactionId>,
}

/// The transactions to post, and whether the ledger then says that the whole payment was refunded.
pub fn postings(payment: &ReversedPayment<'_>) -> Result<(Vec<Posting>, bool), Overflow> {
    let mut postings = Vec::new();
    // The postings that carry the change of the fee: the refund that completes, or the one that fails.
    let (mut completing, mut failing) = (None, None);
    for found in payment.returns {
        let [debit, credit] = found.transactions();
        let (has_debit, has_credit) = (payment.posted.contains(&debit), payment.posted.contains(&credit));
        if found.status == ReversalStatus::Open {
            continue;
        }
        // A reversal that was undone before it was posted is posted and undone.
        if !has_debit {
            if (found.kind, found.status) == (ReversalKind::Refund, ReversalStatus::Returned) {
                completing = Some(postings.len());
            }
            let entry = entry(payment.on, found, Direction::Debit);
            postings.push(Posting { id: debit.clone(), entry, reverses: None });
        }
        if found.status == ReversalStatus::Undone && !has_credit {
            if found.kind == ReversalKind::Refund {
                failing = Some(postings.len());
            }
            let entry = entry(payment.on, found, Direction::Credit);
            postings.push(Posting { id: credit, entry, reverses: Some(debit) });
        }
    }
    let carrier = match (payment.was_full, payment.is_full) {
        (false, true) => completing,
        (true, false) => failing,
        (false, false) | (true, true) => None,
    };
    let Some(posting) = carrier.and_then(|index| postings.get_mut(index)) else {
        return Ok((postings, payment.was_full));
    };
    if !payment.fee.is_zero() {
        let amount = payment.fee.negated()?;
        posting.entry.details.push(line(DetailKind::FeeCompany, amount, "Processing fee"));
    }
    Ok((postings, payment.is_full))
}

fn entry(on: Date, found: &Reversal, direction: Direction) -> Entry {
    let (kind, description) = match (found.kind, direction) {
        (ReversalKind::Refund, Direction::Debit) => (DetailKind::Refund, "Refund"),
        (ReversalKind::Refund, Direction::Credit) => (DetailKind::Refund, "Refund that failed"),
        (ReversalKind::Dispute, Direction::Debit) => (DetailKind::PaymentAutoFailed, "Disputed payment"),
        (ReversalKind::Dispute, Direction::Credit) => (DetailKind::PaymentAutoFailedReversal, "Dispute won"),
    };
    Entry { direction, on, description: description.into(), details: vec![line(kind, found.amount, description)] }
}

fn line(kind: DetailKind, amount: Money, description: &str) -> Detail {
    Detail { kind, amount, description: description.into(), about: vec![] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;
    use jiff::civil::date;

    /// A ledger in which a payment of 1029 with a fee of 29 is refunded.
    #[derive(Default)]
    struct Books {
        posted: Vec<TransactionId>,
        is_full: bool,
        balance: Money,
        lines: Vec<(Direction, DetailKind, i64)>,
    }

    fn refund(id: &str, amount: i64, status: ReversalStatus) -> Reversal {
        Reversal { kind: ReversalKind::Refund, id: id.into(), amount: Money::minor(amount), status, created_s: 1000 }
    }

    fn dispute(status: ReversalStatus) -> Reversal {
        Reversal { kind: ReversalKind::Dispute, id: "du_1".into(), amount: Money::minor(1029), status, created_s: 1000 }
    }

    impl Books {
        /// Applies these refunds or disputes twice.
        fn hear(&mut self, returns: &[Reversal]) {
            for _ in 0..2 {
                let given =
                    returns.iter().filter(|r| (r.kind, r.status) == (ReversalKind::Refund, ReversalStatus::Returned));
                let is_full = given.map(|r| r.amount.units()).sum::<i64>() == 1029;
                let payment = ReversedPayment {
                    on: date(2026, 9, 7),
                    fee: Money::minor(29),
                    is_full,
                    was_full: self.is_full,
                    returns,
                    posted: &self.posted,
                };
                let (postings, is_full) = postings(&payment).unwrap();
                self.is_full = is_full;
                for posting in postings {
                    self.balance = self.balance.plus(posting.entry.balance_change().unwrap()).unwrap();
                    let details = posting.entry.details.iter();
                    self.lines.extend(details.map(|d| (posting.entry.direction, d.kind, d.amount.units())));
                    assert!(!self.posted.contains(&posting.id), "posted twice");
                    self.posted.push(posting.id);
                }
            }
        }
    }

    use Direction::{Credit, Debit};
    use ReversalStatus::{Open, Returned, Undone};

    #[test]
    fn a_full_refund_gives_the_fee_back_too() {
        let mut books = Books::default();
        books.hear(&[refund("re_1", 1029, Returned)]);
        assert_eq!(books.balance, Money::minor(1000));
        assert_eq!(books.lines, [(Debit, DetailKind::Refund, 1029), (Debit, DetailKind::FeeCompany, -29)]);
    }

    #[test]
    fn a_partial_refund_does_not() {
        let mut books = Books::default();
        books.hear(&[refund("re_1", 500, Returned)]);
        assert_eq!((books.balance.units(), &books.lines[..]), (500, &[(Debit, DetailKind::Refund, 500)][..]));
    }

    #[test]
    fn the_second_of_two_partial_refunds_gives_the_fee_back_whether_they_are_heard_of_one_by_one_or_at_once() {
        let [one, two] = [refund("re_1", 500, Returned), refund("re_2", 529, Returned)];
        let mut by_and_by = Books::default();
        by_and_by.hear(std::slice::from_ref(&one));
        by_and_by.hear(&[one.clone(), two.clone()]);
        let mut at_once = Books::default();
        at_once.hear(&[one, two]);
        assert_eq!((by_and_by.balance.units(), at_once.balance.units()), (1000, 1000));
        assert_eq!(by_and_by.lines, at_once.lines);
    }

    #[test]
    fn a_refund_that_fails_later_is_taken_back_with_its_fee() {
        let mut books = Books::default();
        books.hear(&[refund("re_1", 1029, Returned)]);
        books.hear(&[refund("re_1", 1029, Undone)]);
        assert_eq!((books.balance.units(), books.is_full), (0, false));
        assert_eq!(
            books.lines.get(2..).unwrap(),
            [(Credit, DetailKind::Refund, 1029), (Credit, DetailKind::FeeCompany, -29)]
        );
    }

    #[test]
    fn whichever_part_of_a_full_refund_fails_the_fee_is_charged_again_and_a_further_refund_gives_it_back() {
        for failed in ["re_1", "re_2"] {
            let mut books = Books::default();
            let amounts = [("re_1", 500), ("re_2", 529)];
            books.hear(&amounts.map(|(id, amount)| refund(id, amount, Returned)));
            let status = |id| if id == failed { Undone } else { Returned };
            let mut heard = amounts.map(|(id, amount)| refund(id, amount, status(id))).to_vec();
            books.hear(&heard);
            let (_, left) = amounts.into_iter().find(|(id, _)| *id == failed).unwrap();
            assert_eq!(books.balance, Money::minor(1029 - left));
            heard.push(refund("re_3", left, Returned));
            books.hear(&heard);
            assert_eq!(books.balance, Money::minor(1000));
        }
    }

    #[test]
    fn a_refund_that_was_never_posted_and_failed_is_posted_and_reversed() {
        let mut books = Books::default();
        books.hear(&[refund("re_1", 1029, Undone)]);
        assert_eq!(books.balance, Money::minor(0));
        assert_eq!(books.lines, [(Debit, DetailKind::Refund, 1029), (Credit, DetailKind::Refund, 1029)]);
    }

    #[test]
    fn a_refund_that_waits_for_the_payer_is_not_posted() {
        let mut books = Books::default();
        books.hear(&[refund("re_1", 1029, Open)]);
        assert_eq!((books.balance.units(), books.lines.len()), (0, 0));
    }

    #[test]
    fn a_dispute_is_a_debit_until_it_is_won_and_leaves_the_fee_alone() {
        let mut books = Books::default();
        books.hear(&[dispute(Returned)]);
        assert_eq!(
            (books.balance.units(), &books.lines[..]),
            (1029, &[(Debit, DetailKind::PaymentAutoFailed, 1029)][..])
        );
        books.hear(&[dispute(Undone)]);
        books.hear(&[dispute(Returned)]);
        assert_eq!(books.balance, Money::minor(0));
        assert_eq!(books.lines.get(1..).unwrap(), [(Credit, DetailKind::PaymentAutoFailedReversal, 1029)]);
    }

    #[test]
    fn a_dispute_of_which_only_its_winning_is_heard_is_posted_and_reversed() {
        let mut books = Books::default();
        books.hear(&[dispute(Undone)]);
        assert_eq!((books.balance.units(), books.lines.len()), (0, 2));
    }

    #[test]
    fn what_a_dispute_means_depends_on_event_and_status() {
        let of = |event: &str, status| dispute_status(&format!("charge.dispute.{event}"), status);
        assert_eq!(of("created", "needs_response"), Returned);
        assert_eq!(of("created", "warning_needs_response"), Open);
        assert_eq!(of("funds_withdrawn", "needs_response"), Returned);
        assert_eq!(of("closed", "lost"), Returned);
        assert_eq!(of("closed", "won"), Undone);
        assert_eq!(of("closed", "warning_closed"), Open);
        assert_eq!(of("funds_reinstated", "needs_response"), Undone);
        // The event type is `created`, but it arrived late: the dispute's own status counts.
        assert_eq!(of("created", "won"), Undone);
    }

    #[test]
    fn a_debit_comes_before_its_reversal() {
        let [debit, credit] = refund("re_1", 1, Returned).transactions();
        assert!(debit < credit);
    }
}

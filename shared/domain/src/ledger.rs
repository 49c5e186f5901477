//! Debits and credits: what a family owes and what it no longer owes.
//!
//! A transaction is never changed once it is posted, and its total is the sum of its details. Signs: a discount and the
//! tax on it are negative. On a credit, amounts are what is no longer owed.

use jiff::civil::Date;
use ulid::Ulid;

use crate::id::{DetailEntityId, DetailId, TransactionId};
use crate::money::{Money, Overflow};

/// The number of trailing zero bits in our transactions' ids. These bits number the transaction's details (12 bits) and
/// what each detail is about (4 bits), so that neither needs an id of its own in storage.
pub const POSITION_BITS: u32 = 16;
/// How many of these bits number what a detail is about.
const ENTITY_BITS: u32 = 4;

impl TransactionId {
    /// Makes an id from 128 bits, clearing the bits that number its details.
    #[must_use]
    pub fn with_positions(bits: u128) -> Self {
        Self::from_bits(bits.wrapping_shr(POSITION_BITS).wrapping_shl(POSITION_BITS))
    }

    /// The id of the detail at a position, counted from 0. `None` if the transaction's id is not one of ours, or has no
    /// room for so many details.
    #[must_use]
    pub fn detail(&self, position: usize) -> Option<DetailId> {
        self.at(position, 0).map(DetailId::from_bits)
    }

    /// The id of something that the detail at a position is about. `None` as for [`Self::detail`].
    #[must_use]
    pub fn detail_entity(&self, detail: usize, position: usize) -> Option<DetailEntityId> {
        self.at(detail, position.checked_add(1)?).map(DetailEntityId::from_bits)
    }

    fn at(&self, detail: usize, entity: usize) -> Option<u128> {
        let bits: u128 = self.as_str().strip_prefix("trn_")?.parse::<Ulid>().ok()?.into();
        let detail = u128::try_from(detail.checked_add(1)?).ok()?;
        let position = detail.wrapping_shl(ENTITY_BITS) | u128::try_from(entity).ok()?;
        let fits = entity < 1_usize.wrapping_shl(ENTITY_BITS) && position < 1_u128.wrapping_shl(POSITION_BITS);
        let is_ours = bits.trailing_zeros() >= POSITION_BITS;
        (fits && is_ours).then_some(bits | position)
    }
}

/// The kind of a ledger line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DetailKind {
    /// Tuition.
    Tuition,
    /// Tax on the line before it.
    Tax,
    /// A discount on tuition; negative.
    Discount,
    /// The tax on a discount; negative.
    DiscountTax,
    /// A registration fee.
    RegistrationFee,
    /// An additional fee of a season: a costume, a badge.
    AdditionalFee,
    /// A trial lesson.
    Trial,
    /// A payment taken through Stripe.
    PaymentAuto,
    /// The processing fee that the payer paid on top; negative on a credit.
    FeeCompany,
    /// A refund; on a credit, a refund that failed.
    Refund,
    /// Money that the payer's bank took back in a dispute.
    PaymentAutoFailed,
    /// Money that the payer's bank returned after a dispute.
    PaymentAutoFailedReversal,
}

impl DetailKind {
    /// Every kind that we write.
    pub const ALL: [DetailKind; 12] = [
        Self::Tuition,
        Self::Tax,
        Self::Discount,
        Self::DiscountTax,
        Self::RegistrationFee,
        Self::AdditionalFee,
        Self::Trial,
        Self::PaymentAuto,
        Self::FeeCompany,
        Self::Refund,
        Self::PaymentAutoFailed,
        Self::PaymentAutoFailedReversal,
    ];

    /// The kind's name in the published contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tuition => "tuition",
            Self::Tax => "tax",
            Self::Discount => "discount",
            Self::DiscountTax => "discount-tax",
            Self::RegistrationFee => "registration-fee",
            Self::AdditionalFee => "additional-fee",
            Self::Trial => "trial",
            Self::PaymentAuto => "payment-auto",
            Self::FeeCompany => "fee-company",
            Self::Refund => "refund",
            Self::PaymentAutoFailed => "payment-auto-failed",
            Self::PaymentAutoFailedReversal => "payment-auto-failed-reversal",
        }
    }
}

/// A line of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Its kind.
    pub kind: DetailKind,
    /// The amount, signed.
    pub amount: Money,
    /// Text shown to people.
    pub description: String,
    /// The ids of the items it is about.
    pub about: Vec<String>,
}

/// The direction of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The family owes more.
    Debit,
    /// The family owes less.
    Credit,
}

impl Direction {
    /// The direction's name in the published contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }
}

/// A debit or a credit before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Debit or credit.
    pub direction: Direction,
    /// The company's local date.
    pub on: Date,
    /// Text shown to people.
    pub description: String,
    /// Its lines.
    pub details: Vec<Detail>,
}

/// The sums of a transaction. `total = subtotal + discount_total + tax_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// The sum of all lines.
    pub total: Money,
    /// The sum of the lines that are neither discount nor tax.
    pub subtotal: Money,
    /// The sum of the discounts; never positive on a debit.
    pub discount_total: Money,
    /// The sum of tax and discount tax.
    pub tax_total: Money,
}

impl Totals {
    /// Sums the lines of these kinds and amounts.
    pub fn of(lines: impl IntoIterator<Item = (DetailKind, Money)>) -> Result<Self, Overflow> {
        let mut sums = Self::default();
        for (kind, amount) in lines {
            sums.total = sums.total.plus(amount)?;
            let sum = match kind {
                DetailKind::Discount => &mut sums.discount_total,
                DetailKind::Tax | DetailKind::DiscountTax => &mut sums.tax_total,
                DetailKind::Tuition
                | DetailKind::RegistrationFee
                | DetailKind::AdditionalFee
                | DetailKind::Trial
                | DetailKind::PaymentAuto
                | DetailKind::FeeCompany
                | DetailKind::Refund
                | DetailKind::PaymentAutoFailed
                | DetailKind::PaymentAutoFailedReversal => &mut sums.subtotal,
            };
            *sum = sum.plus(amount)?;
        }
        Ok(sums)
    }
}

impl Entry {
    /// The entry's sums.
    pub fn totals(&self) -> Result<Totals, Overflow> {
        Totals::of(self.details.iter().map(|d| (d.kind, d.amount)))
    }

    /// The change to the family's balance: a debit adds its total, a credit subtracts it.
    pub fn balance_change(&self) -> Result<Money, Overflow> {
        let total = self.totals()?.total;
        match self.direction {
            Direction::Debit => Ok(total),
            Direction::Credit => total.negated(),
        }
    }
}

/// The credit for a payment of `total`, which includes the processing fee `fee` that the payer paid on top.
pub fn payment_credit(on: Date, total: Money, fee: Money) -> Result<Entry, Overflow> {
    let line =
        |kind, amount, description: &str| Detail { kind, amount, description: description.into(), about: vec![] };
    let mut details = vec![line(DetailKind::PaymentAuto, total, "Card payment")];
    if !fee.is_zero() {
        details.push(line(DetailKind::FeeCompany, fee.negated()?, "Processing fee"));
    }
    Ok(Entry { direction: Direction::Credit, on, description: "Payment".into(), details })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_payment_of_1029_with_a_fee_of_29_makes_a_credit_of_1000() -> Result<(), Overflow> {
        let credit = payment_credit(date(2026, 9, 7), Money::minor(1029), Money::minor(29))?;
        assert_eq!(credit.totals()?.total, Money::minor(1000));
        assert_eq!(credit.balance_change()?, Money::minor(-1000));
        Ok(())
    }

    #[test]
    fn each_detail_of_a_transaction_has_an_id_of_its_own() {
        let id = TransactionId::with_positions(u128::MAX);
        assert_eq!(id.as_str(), "trn_7ZZZZZZZZZZZZZZZZZZZZZY000");
        let details = [0, 1, 4094].map(|position| id.detail(position).map(|id| id.to_string()));
        let expected =
            ["trnd_7ZZZZZZZZZZZZZZZZZZZZZY00G", "trnd_7ZZZZZZZZZZZZZZZZZZZZZY010", "trnd_7ZZZZZZZZZZZZZZZZZZZZZZZZG"];
        assert_eq!(details, expected.map(|id| Some(id.to_owned())));
        assert_eq!(id.detail_entity(0, 0).map(|id| id.to_string()).as_deref(), Some("trne_7ZZZZZZZZZZZZZZZZZZZZZY00H"));
        assert_eq!((id.detail(4095), id.detail_entity(0, 15)), (None, None));
    }

    #[test]
    fn the_details_of_a_transaction_from_elsewhere_have_ids_from_there() {
        for other in ["trn_1", "trn_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "debit_01"] {
            let id = TransactionId::parse(other).unwrap();
            assert_eq!((id.detail(0), id.detail_entity(0, 0)), (None, None), "{other}");
        }
    }

    #[test]
    fn the_total_is_always_subtotal_and_discount_and_tax() -> Result<(), Overflow> {
        let sums = Totals::of(DetailKind::ALL.into_iter().zip((1..).map(Money::minor)))?;
        let parts = [sums.subtotal, sums.discount_total, sums.tax_total];
        assert_eq!(Money::sum(parts)?, sums.total);
        Ok(())
    }
}

//! Tax, and the details of a price (rules 16 and 17).
//!
//! Invariant: discounts are applied before tax. A line's details sum to base less discounts, plus tax if it is
//! exclusive.

use std::sync::Arc;

use crate::catalogue::{Studio, TaxMode, TaxRate};
use crate::id::{DiscountSchemeId, PlanId, TaxRateId};
use crate::ledger::DetailKind;
use crate::money::{Money, Overflow};

/// How something is taxed.
#[derive(Debug, Clone, Copy)]
pub struct Taxation<'a> {
    mode: TaxMode,
    rate: &'a TaxRate,
}

impl<'a> Taxation<'a> {
    /// The taxation of something at that rate; `None` if it is not taxed.
    #[must_use]
    pub fn at(studio: &'a Studio, rate: Option<&TaxRateId>) -> Option<Self> {
        let mode = studio.company.tax?;
        let rate = studio.tax_rates.get(rate?)?;
        Some(Self { mode, rate })
    }

    /// The tax on an amount: added to it if exclusive, contained in it if inclusive.
    pub fn tax(&self, amount: Money) -> Result<Money, Overflow> {
        match self.mode {
            TaxMode::Exclusive => self.rate.rate.of(amount),
            TaxMode::Inclusive => self.rate.rate.contained_in(amount),
        }
    }

    /// Text shown to people: `VAT 20%`.
    #[must_use]
    pub fn description(&self) -> Arc<str> {
        Arc::clone(&self.rate.description)
    }
}

/// The source of a discount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giver {
    /// A discount scheme.
    Scheme(DiscountSchemeId),
    /// The plan on which the line is paid.
    Plan(PlanId),
}

/// A discount on a line; the discounts of a line are in the order of application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    /// Text shown to people.
    pub description: Arc<str>,
    /// The amount taken off; positive.
    pub amount: Money,
    /// Its source.
    pub giver: Giver,
}

/// A discount as shown on a line. All amounts are negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDiscount {
    /// Text shown to people.
    pub description: Arc<str>,
    /// The amount before tax.
    pub amount: Money,
    /// The tax that is no longer due.
    pub tax_amount: Money,
    /// The sum of both.
    pub total: Money,
}

/// One detail of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineDetail {
    /// Its kind.
    pub kind: DetailKind,
    /// Its amount, signed.
    pub amount: Money,
    /// Text shown to people.
    pub description: Arc<str>,
    /// The source of a discount; `None` for other kinds.
    pub giver: Option<Giver>,
}

/// A price broken down into its details.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Composition {
    /// Its details, without those that are zero.
    pub details: Vec<LineDetail>,
    /// Its discounts, each with its tax.
    pub discounts: Vec<ShownDiscount>,
}

/// Breaks a price down: `base` for `kind`, less the discounts, taxed (the table in rule 17).
pub fn compose(
    kind: DetailKind,
    description: &Arc<str>,
    base: Money,
    discounts: &[Discount],
    taxation: Option<&Taxation<'_>>,
) -> Result<Composition, Overflow> {
    let tax = |amount: Money| taxation.map_or(Ok(Money::ZERO), |t| t.tax(amount));
    let contained = |amount: Money| match taxation.map(|t| t.mode) {
        Some(TaxMode::Inclusive) => tax(amount),
        Some(TaxMode::Exclusive) | None => Ok(Money::ZERO),
    };
    let (mut details, mut shown) = (Vec::new(), Vec::new());
    let mut add = |kind, amount: Money, description: &Arc<str>, giver: Option<&Giver>| {
        if !amount.is_zero() {
            let description = Arc::clone(description);
            details.push(LineDetail { kind, amount, description, giver: giver.cloned() });
        }
    };
    add(kind, base.minus(contained(base)?)?, description, None);
    if let Some(taxation) = taxation {
        add(DetailKind::Tax, tax(base)?, &taxation.rate.description, None);
    }
    let mut left = base;
    for discount in discounts {
        let after = left.minus(discount.amount)?;
        let amount = contained(left)?.minus(contained(after)?)?.minus(discount.amount)?;
        let tax_amount = tax(after)?.minus(tax(left)?)?;
        add(DetailKind::Discount, amount, &discount.description, Some(&discount.giver));
        shown.push(ShownDiscount {
            description: discount.description.clone(),
            amount,
            tax_amount,
            total: amount.plus(tax_amount)?,
        });
        left = after;
    }
    let discount_tax = tax(left)?.minus(tax(base)?)?;
    if let Some(taxation) = taxation {
        add(DetailKind::DiscountTax, discount_tax, &taxation.rate.description_on_discounts, None);
    }
    Ok(Composition { details, discounts: shown })
}

//! Tax, and the details that a price is made of (rules 16 and 17).
//!
//! Invariant: discounts come before tax, and a line's details sum to base less discounts, plus tax if it is exclusive.

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
    /// How something at that rate is taxed; `None`: not at all.
    #[must_use]
    pub fn at(studio: &'a Studio, rate: Option<&TaxRateId>) -> Option<Self> {
        let mode = studio.company.tax?;
        let rate = studio.tax_rates.get(rate?)?;
        Some(Self { mode, rate })
    }

    /// The tax on an amount: added to it, or contained in it.
    ///
    /// # Errors
    /// [`Overflow`] beyond 64 bits.
    pub fn tax(&self, amount: Money) -> Result<Money, Overflow> {
        match self.mode {
            TaxMode::Exclusive => self.rate.rate.of(amount),
            TaxMode::Inclusive => self.rate.rate.contained_in(amount),
        }
    }

    /// For people: `VAT 20%`.
    #[must_use]
    pub fn description(&self) -> Arc<str> {
        Arc::clone(&self.rate.description)
    }
}

/// What a discount is given by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giver {
    /// A discount scheme.
    Scheme(DiscountSchemeId),
    /// The plan that the line is paid on.
    Plan(PlanId),
}

/// A discount on a line, in the order of application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    /// For people.
    pub description: Arc<str>,
    /// How much is taken off; positive.
    pub amount: Money,
    /// What it is given by.
    pub giver: Giver,
}

/// A discount as the line shows it. All amounts are negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDiscount {
    /// For people.
    pub description: Arc<str>,
    /// Before tax.
    pub amount: Money,
    /// The tax that falls away.
    pub tax_amount: Money,
    /// Both.
    pub total: Money,
}

/// One amount of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineDetail {
    /// What it is.
    pub kind: DetailKind,
    /// How much, signed.
    pub amount: Money,
    /// For people.
    pub description: Arc<str>,
    /// For a discount: what gives it.
    pub giver: Option<Giver>,
}

/// A price taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Composition {
    /// What it is made of; zeros are left out.
    pub details: Vec<LineDetail>,
    /// Its discounts with the tax of each.
    pub discounts: Vec<ShownDiscount>,
}

/// Takes a price apart: `base` for `kind`, less the discounts, taxed (the table of rule 17).
///
/// # Errors
/// [`Overflow`] beyond 64 bits.
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

//! The rules that a document keeps by itself, beyond its shape.
//!
//! Invariant: each is written once. The import names what breaks one, and the conversion takes no document that does.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::catalogue::PlanKind;
use classpay_domain::money::{Money, Percent};

use super::{
    AdditionalFeeDoc, DiscountSchemeDoc, DiscountUnit, PricingPlanDoc, PricingScheme, RegistrationFeeDoc, SeasonDoc,
};

/// What is wrong with a day that no month has.
#[must_use]
pub fn outside_month(day: i8) -> String {
    format!("{day} is not a day of a month, 1 to 31")
}

impl DiscountSchemeDoc {
    /// Which fields of which of its tiers break a rule, and what is wrong with them.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(usize, &'static str, String)> {
        let (range, what) = match self.unit {
            DiscountUnit::Percent => (0..=100, "is not 0 to 100 percent"),
            DiscountUnit::Fixed => (0..=i64::MAX, "is negative"),
        };
        let mut quantities = BTreeSet::new();
        let mut found = Vec::new();
        for (index, tier) in self.values.iter().enumerate() {
            if tier.quantity == 0 {
                found.push((index, "quantity", "is not at least 1".to_owned()));
            }
            if !quantities.insert(tier.quantity) {
                found.push((index, "quantity", format!("another tier begins at {} too", tier.quantity)));
            }
            if !range.contains(&tier.amount) {
                found.push((index, "amount", what.to_owned()));
            }
        }
        found
    }
}

fn negative_amounts(amount: Money, most: Option<Money>) -> Vec<(&'static str, String)> {
    let amounts = [("amount", Some(amount)), ("maxAmountPerFamily", most)];
    let named = amounts.into_iter().filter_map(|(field, amount)| Some((field, amount?)));
    let negative = named.filter(|(_, amount)| *amount < Money::ZERO);
    negative.map(|(field, amount)| (field, format!("{amount} is negative"))).collect()
}

impl RegistrationFeeDoc {
    /// Which of its fields break a rule, and what is wrong with them.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        negative_amounts(self.amount, self.max_amount_per_family)
    }
}

impl AdditionalFeeDoc {
    /// Which of its fields break a rule, and what is wrong with them.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        negative_amounts(self.amount, self.max_amount_per_family)
    }
}

impl SeasonDoc {
    /// What 1, 2, 3, … classes cost together (rule 9).
    ///
    /// # Errors
    /// The rule that the quantities break.
    pub fn quantity_prices(&self) -> Result<Vec<Money>, &'static str> {
        let values = &self.pricing_scheme_values;
        if values.is_empty() && self.pricing_scheme == PricingScheme::ClassQuantity {
            return Err("is empty, and class-quantity needs the price of one class");
        }
        let prices: BTreeMap<u32, Money> = values.iter().map(|value| (value.quantity, value.price)).collect();
        if prices.len() != values.len() {
            return Err("has a quantity twice");
        }
        let gapless = (1..).zip(prices.keys()).all(|(expected, quantity)| expected == *quantity);
        if gapless {
            Ok(prices.into_values().collect())
        } else {
            Err("the quantities are not 1, 2, 3, … without a gap")
        }
    }
}

impl PricingPlanDoc {
    /// Which of its fields break a rule, and what is wrong with them.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let count = self.number_of_installments;
        if count == 0 {
            found.push(("numberOfInstallments", "is 0: the plan has no date".to_owned()));
        } else if self.kind == PlanKind::OneOff && count != 1 {
            found.push(("numberOfInstallments", format!("is {count}, but a one-off plan has one")));
        }
        let dates = &self.installment_dates;
        if !dates.is_empty() && dates.len() != usize::from(count) {
            let what = format!("has {} dates, but numberOfInstallments is {count}", dates.len());
            found.push(("installmentDates", what));
        }
        if dates.iter().collect::<BTreeSet<_>>().len() != dates.len() {
            found.push(("installmentDates", "has a date twice".to_owned()));
        }
        if self.kind == PlanKind::OneOff && dates.iter().any(|date| *date != self.first_payment_date) {
            found.push(("installmentDates", "a one-off plan is paid on its firstPaymentDate".to_owned()));
        }
        if let Some(day) = self.payment_day.filter(|day| !(1..=31).contains(day)) {
            found.push(("paymentDay", outside_month(day)));
        }
        if self.discount.0 > Percent::HUNDRED {
            found.push(("discount", format!("{} % is over 100 %", self.discount.0.to_shortest())));
        }
        found
    }
}

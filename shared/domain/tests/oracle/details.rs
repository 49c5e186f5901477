//! Tax, the details of a price, and their division over dates (rules 16, 17 and 21).

use classpay_domain::catalogue::{Studio, TaxMode};
use classpay_domain::id::TaxRateId;
use classpay_domain::ledger::DetailKind;
use jiff::civil::Date;

use super::bill::{Detail, Off, Part};
use super::exact::{Exact, dealt, part, rounded, whole};

/// How something is taxed: a rate, and whether prices contain it.
#[derive(Clone, Copy)]
pub struct Tax {
    rate: Exact,
    contained: bool,
}

impl Tax {
    /// At a rate of the studio (rule 16).
    pub fn at(studio: &Studio, rate: Option<&TaxRateId>) -> Self {
        match (studio.company.tax, rate) {
            (Some(mode), Some(rate)) => {
                Self { rate: part(studio.tax_rates[rate].rate), contained: mode == TaxMode::Inclusive }
            }
            (None, _) | (_, None) => Self { rate: whole(0), contained: false },
        }
    }

    fn on(self, amount: i128) -> i128 {
        let of_net = if self.contained { self.rate / (whole(1) + self.rate) } else { self.rate };
        rounded(whole(amount) * of_net)
    }
}

/// A price in its details, and its discounts as they are shown (the table of rule 17).
pub fn composed(kind: DetailKind, base: i128, discounts: &[(String, i128)], tax: Tax) -> (Vec<Detail>, Vec<Off>) {
    let detail = |kind, amount| Detail { kind, amount, given_by: None };
    let net = if tax.contained { base - tax.on(base) } else { base };
    let mut details = vec![detail(kind, net), detail(DetailKind::Tax, tax.on(base))];
    let mut shown = vec![];
    let price_after = |n: usize| base - discounts.iter().take(n).map(|(_, amount)| amount).sum::<i128>();
    for (index, (giver, amount)) in discounts.iter().enumerate() {
        let falls_away = tax.on(price_after(index)) - tax.on(price_after(index + 1));
        let amount = if tax.contained { falls_away - amount } else { -amount };
        details.push(Detail { kind: DetailKind::Discount, amount, given_by: Some(giver.clone()) });
        shown.push(Off { amount, tax: -falls_away });
    }
    let after = tax.on(price_after(discounts.len()));
    details.push(detail(DetailKind::DiscountTax, after - tax.on(base)));
    details.retain(|detail| detail.amount != 0);
    (details, shown)
}

/// The sum of details.
pub fn sum(details: &[Detail]) -> i128 {
    details.iter().map(|detail| detail.amount).sum()
}

/// A line over its dates (rule 21). A payment of nothing on a later date is left out.
pub fn parts(details: &[Detail], dates: &[Date], today: Date) -> Vec<Part> {
    let mut parts: Vec<_> = dates.iter().map(|on| Part { on: *on, amount: 0, details: vec![] }).collect();
    for (part, amount) in parts.iter_mut().zip(dealt(sum(details), dates.len())) {
        part.amount = amount;
    }
    for detail in details.iter().filter(|detail| detail.kind != DetailKind::Tuition) {
        for (part, amount) in parts.iter_mut().zip(dealt(detail.amount, dates.len())) {
            part.details.push(Detail { amount, ..detail.clone() });
        }
    }
    for part in &mut parts {
        let amount = part.amount - sum(&part.details);
        part.details.insert(0, Detail { kind: DetailKind::Tuition, amount, given_by: None });
        part.details.retain(|detail| detail.amount != 0);
    }
    parts.retain(|part| is_told(part, today));
    parts
}

/// Whether a payment is one at all: what sums to nothing is one today, where it is debited (rule 32), and none later.
pub fn is_told(part: &Part, today: Date) -> bool {
    part.amount != 0 || part.on == today && !part.details.is_empty()
}

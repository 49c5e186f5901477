//! One text that changes whenever a price does.
//!
//! Invariant: it doesn't depend on the plans that the basket names, so a quote without plans and the checkout with
//! them agree; nor on the order of the items.

use crate::catalogue::{Company, TaxMode};
use crate::fingerprint::Fingerprint;
use crate::pricing::{LineDetail, Quote};

pub(super) fn of(company: &Company, quote: &Quote) -> String {
    let mut hash = Fingerprint::new("quote");
    let tax = match company.tax {
        None => "untaxed",
        Some(TaxMode::Exclusive) => "exclusive",
        Some(TaxMode::Inclusive) => "inclusive",
    };
    hash.text(company.id.as_str()).text(company.currency.code()).text(tax).text(&quote.today.to_string());
    hash.number(company.processing_fee.map_or(-1, |fee| fee.in_thousandths()));
    for season in &quote.seasons {
        hash.text("season").text(season.season.as_str());
        for plan in &season.plans {
            hash.text("plan").text(plan.plan.as_str());
            // A line is split over its plan's dates by one rule, so dates and details decide its instalments.
            for on in &plan.dates {
                hash.day(*on);
            }
            for line in &plan.lines {
                hash.text("line").text(line.item.student.as_str()).text(line.item.class.as_str());
                details(&mut hash, &line.details);
            }
        }
    }
    for fee in quote.fees() {
        hash.text("fee").text(fee.fee.as_str()).text(fee.student.as_str()).text(fee.period.as_str());
        details(&mut hash, &fee.details);
    }
    for trial in &quote.trials {
        hash.text("trial").text(trial.item.student.as_str()).text(trial.item.class.as_str());
        hash.text(&trial.item.on.to_string()).text(&trial.item.at.to_string());
        details(&mut hash, &trial.details);
    }
    hash.finish_hex()
}

fn details(hash: &mut Fingerprint, details: &[LineDetail]) {
    for detail in details {
        hash.text(detail.kind.as_str()).number(detail.amount.units());
    }
}

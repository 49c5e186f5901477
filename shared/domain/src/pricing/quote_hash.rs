//! The hash of a quote, which changes whenever the charge changes.
//!
//! Invariant: equal charges have equal hashes. The hash depends neither on the clock, nor on plans that were not
//! chosen, nor on the order of the items. An amount that is due now is hashed without its date.

use jiff::civil::Date;

use crate::catalogue::Company;
use crate::fingerprint::Fingerprint;
use crate::pricing::{LineDetail, Payment, Quote};

pub(super) fn of(company: &Company, quote: &Quote, payment: &Payment) -> String {
    let mut hash = Fingerprint::new("charge");
    hash.text(company.id.as_str()).text(company.currency.code()).number(payment.processing_fee.units());
    for line in &quote.lines {
        hash.text("line").text(line.item.student.as_str()).text(line.item.class.as_str()).text(line.plan.as_str());
        for instalment in &line.instalments {
            when(&mut hash, instalment.on, quote.today);
            details(&mut hash, &instalment.details);
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

fn when(hash: &mut Fingerprint, on: Date, today: Date) {
    if on == today {
        hash.text("now");
    } else {
        hash.text("later").day(on);
    }
}

fn details(hash: &mut Fingerprint, details: &[LineDetail]) {
    for detail in details {
        hash.text(detail.kind.as_str()).number(detail.amount.units());
    }
}

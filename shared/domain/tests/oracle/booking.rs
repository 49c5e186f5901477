//! What is due now, what is collected of it, and which transactions are written (rules 30 to 32, 35).

use std::collections::BTreeMap;

use classpay_domain::catalogue::Studio;
use classpay_domain::ledger::DetailKind;
use jiff::civil::{Date, date};

use super::bill::{Bill, Detail, Payment, Posting};
use super::details::sum;
use super::exact::percent_of;

/// Stripe's smallest charges (rule 31): currencies and minor units.
const SMALLEST: [(&str, i128); 10] = [
    ("usd aud cad chf eur brl inr nzd sgd", 50),
    ("gbp", 30),
    ("aed myr pln ron", 200),
    ("czk", 1500),
    ("dkk", 250),
    ("nok sek", 300),
    ("hkd", 400),
    ("huf", 17500),
    ("jpy", 50),
    ("mxn thb", 1000),
];
/// The largest one.
const LARGEST: i128 = 99_999_999;
/// Where, and from which day on, a payer mustn't be charged for paying by card (rule 35).
const FORBIDDEN: [(&str, Date); 2] = [
    ("GB AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO", date(2018, 1, 13)),
    ("AU", date(2026, 10, 1)),
];

/// Whether a company may take a processing fee on a day: it is known where it is, and no law there forbids it then.
fn may_take_a_fee(studio: &Studio, today: Date) -> bool {
    let Some(country) = studio.company.country else { return false };
    let forbidden = FORBIDDEN.iter().find(|(codes, _)| codes.split(' ').any(|code| code == country.code()));
    forbidden.is_none_or(|(_, since)| today < *since)
}

/// What of a line is due today.
fn due_now<'a>(bill: &'a Bill, class: &str, student: &str, today: Date) -> impl Iterator<Item = &'a Detail> {
    let line = bill.lines.iter().filter(move |line| line.class == class && line.student == student);
    let line: Vec<_> = line.collect();
    line.into_iter().flat_map(|line| &line.parts).filter(move |part| part.on == today).flat_map(|part| &part.details)
}

/// The sum of everything that is due now, with the processing fee (rule 30).
pub fn payment(studio: &Studio, bill: &Bill, today: Date) -> Payment {
    let parts = bill.lines.iter().flat_map(|line| &line.parts).filter(|part| part.on == today);
    let tuition: i128 = parts.map(|part| part.amount).sum();
    let fees = bill.registration_fees.iter().chain(&bill.additional_fees);
    let fees: i128 = fees.map(|fee| sum(&fee.details)).sum();
    let trials: i128 = bill.trials.iter().map(|trial| sum(&trial.details)).sum();
    let subtotal = tuition + fees + trials;
    let wanted = studio.company.processing_fee.filter(|_| may_take_a_fee(studio, today));
    let fee = wanted.map_or(0, |percent| percent_of(percent, subtotal));
    let total = subtotal + fee;
    let code = studio.company.currency.code();
    let smallest = SMALLEST.iter().find(|(codes, _)| codes.split(' ').any(|known| known == code)).unwrap().1;
    let charge = match total {
        0 => "nothing",
        too_much if too_much > LARGEST => "too large",
        too_little if too_little < smallest => "left on the balance",
        _ => "collected",
    };
    Payment { subtotal, fee, total, charge }
}

/// The transactions of a checkout (rule 32); `paid` if the payment is collected.
pub fn postings(
    bill: &Bill,
    seasons: &BTreeMap<String, Vec<(String, String)>>,
    today: Date,
    paid: bool,
) -> Vec<Posting> {
    let mut debits: Vec<Vec<Detail>> = vec![];
    for (season, places) in seasons {
        // A posting says by ids what gives a discount, and these are not compared.
        let mut debit: Vec<Detail> = vec![];
        for (student, class) in places {
            debit
                .extend(due_now(bill, class, student, today).map(|detail| Detail { given_by: None, ..detail.clone() }));
        }
        for fee in bill.additional_fees.iter().filter(|fee| fee.season == *season) {
            debit.extend(fee.details.clone());
        }
        for trial in bill.trials.iter().filter(|trial| trial.season == *season) {
            debit.extend(trial.details.clone());
        }
        debits.push(debit);
    }
    debits.push(bill.registration_fees.iter().flat_map(|fee| fee.details.clone()).collect());
    debits.retain(|debit| !debit.is_empty());
    let mut postings: Vec<_> = debits.into_iter().map(|debit| Posting { direction: "debit", details: debit }).collect();
    if let (true, Some(payment)) = (paid, &bill.payment) {
        let amounts = [(DetailKind::PaymentAuto, payment.total), (DetailKind::FeeCompany, -payment.fee)];
        let amounts = amounts.into_iter().filter(|(_, amount)| *amount != 0);
        let details = amounts.map(|(kind, amount)| Detail { kind, amount, given_by: None }).collect();
        postings.push(Posting { direction: "credit", details });
    }
    postings
}

//! The shipped quote as a bill, so that the two can be compared. Nothing is reckoned here.

use std::collections::BTreeMap;

use classpay_domain::catalogue::Studio;
use classpay_domain::id::{EnrolmentId, SeasonId, TrialId};
use classpay_domain::money::Overflow;
use classpay_domain::pricing::{self, BookedQuote, Charge, FeeLine, Giver, LineDetail, Quote};
use jiff::civil::Date;

use super::bill::{Bill, Detail, Fee, Line, Off, OnPlan, Part, Payment, Posting, Trial};
use super::details::is_told;
use super::exact::units;

fn details(details: &[LineDetail]) -> Vec<Detail> {
    let giver = |giver: &Giver| match giver {
        Giver::Scheme(scheme) => scheme.to_string(),
        Giver::Plan(plan) => plan.to_string(),
    };
    let detail = |detail: &LineDetail| Detail {
        kind: detail.kind,
        amount: units(detail.amount),
        given_by: detail.giver.as_ref().map(giver),
    };
    details.iter().map(detail).collect()
}

fn line(line: &pricing::Line, today: Date) -> Line {
    let part =
        |part: &pricing::Instalment| Part { on: part.on, amount: units(part.amount), details: details(&part.details) };
    Line {
        student: line.item.student.to_string(),
        class: line.item.class.to_string(),
        plan: line.plan.to_string(),
        details: details(&line.details),
        off: line.discounts.iter().map(|off| Off { amount: units(off.amount), tax: units(off.tax_amount) }).collect(),
        total: units(line.totals.total),
        parts: line.instalments.iter().map(part).filter(|part| is_told(part, today)).collect(),
    }
}

fn fees(fees: &[FeeLine]) -> Vec<Fee> {
    let fee = |fee: &FeeLine| Fee {
        fee: fee.fee.to_string(),
        student: fee.student.to_string(),
        season: fee.season.to_string(),
        period: fee.period.to_string(),
        amount: units(fee.amount),
        details: details(&fee.details),
    };
    fees.iter().map(fee).collect()
}

fn payment(studio: &Studio, payment: pricing::Payment) -> Payment {
    let charge = match payment.charge(studio.company.currency) {
        Ok(Charge::Nothing) => "nothing",
        Ok(Charge::Uncollectable(_)) => "left on the balance",
        Ok(Charge::Collect(_)) => "collected",
        Err(_) => "too large",
    };
    let pricing::Payment { subtotal, processing_fee, total, .. } = payment;
    Payment { subtotal: units(subtotal), fee: units(processing_fee), total: units(total), charge }
}

fn postings(studio: &Studio, quote: &Quote, paid: Option<pricing::Payment>) -> Result<Vec<Posting>, Overflow> {
    let (mut enrolments, mut trials) = (0_u32.., 0_u32..);
    let enrolment = || EnrolmentId::parse(format!("enr_{}", enrolments.next().unwrap())).unwrap();
    let trial = || TrialId::parse(format!("trl_{}", trials.next().unwrap())).unwrap();
    let names: BTreeMap<SeasonId, String> = studio.seasons.values().map(|s| (s.id.clone(), s.name.clone())).collect();
    let entries = pricing::postings(&BookedQuote::new(quote, enrolment, trial), &names, paid)?;
    let posting = |entry: classpay_domain::ledger::Entry| Posting {
        direction: entry.direction.as_str(),
        details: entry
            .details
            .iter()
            .map(|d| Detail { kind: d.kind, amount: units(d.amount), given_by: None })
            .collect(),
    };
    Ok(entries.into_iter().map(posting).collect())
}

/// A quote as a bill.
///
/// # Errors
/// [`Overflow`] if its transactions can't be written.
pub fn bill(studio: &Studio, quote: &Quote) -> Result<Bill, Overflow> {
    let today = quote.today;
    let plans =
        quote.seasons.iter().flat_map(|season| season.plans.iter().map(|plan| (season.season.to_string(), plan)));
    let sums = |totals: &classpay_domain::ledger::Totals| {
        [totals.subtotal, totals.discount_total, totals.tax_total, totals.total].map(units)
    };
    let on_plan = |(season, plan): (String, &pricing::PlanQuote)| OnPlan {
        season,
        plan: plan.plan.to_string(),
        lines: plan.lines.iter().map(|it| line(it, today)).collect(),
        totals: sums(&plan.totals),
        due_now: units(plan.due_now),
        parts: plan.instalments.iter().map(|(date, amount)| (*date, units(*amount))).collect(),
    };
    let trials = quote.trials.iter().map(|trial| Trial {
        student: trial.item.student.to_string(),
        class: trial.item.class.to_string(),
        season: trial.season.to_string(),
        details: details(&trial.details),
    });
    let paid = quote.payment.filter(|paid| matches!(payment(studio, *paid).charge, "collected" | "too large"));
    Ok(Bill {
        plans: plans.map(on_plan).collect(),
        lines: quote.lines.iter().map(|it| line(it, today)).collect(),
        registration_fees: fees(&quote.registration_fees),
        additional_fees: fees(&quote.additional_fees),
        trials: trials.collect(),
        ended_trials: quote.ended_trials.iter().map(|trial| trial.id.to_string()).collect(),
        payment: quote.payment.map(|due| payment(studio, due)),
        postings: if quote.payment.is_some() { postings(studio, quote, paid)? } else { vec![] },
    })
}

/// The sum of what was charged before.
pub fn charged_before(studio: &Studio) -> i128 {
    studio.family.charged_fees.iter().map(|fee| units(fee.amount)).sum()
}

//! A priced basket in plain numbers, and as a list of facts: what is not the same fact in two bills is a disagreement.

use std::fmt::Write;

use classpay_domain::ledger::DetailKind;
use jiff::civil::Date;

/// One amount of something, and what gives it if it is a discount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub kind: DetailKind,
    pub amount: i128,
    pub given_by: Option<String>,
}

/// What is paid on one date.
#[derive(Debug, Clone)]
pub struct Part {
    pub on: Date,
    pub amount: i128,
    pub details: Vec<Detail>,
}

/// A discount as the family reads it: before tax, and the tax that falls away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Off {
    pub amount: i128,
    pub tax: i128,
}

/// A place in a class on a plan.
#[derive(Debug, Clone)]
pub struct Line {
    pub student: String,
    pub class: String,
    pub plan: String,
    pub details: Vec<Detail>,
    pub off: Vec<Off>,
    pub total: i128,
    pub parts: Vec<Part>,
}

/// A season's lines on one of its plans.
#[derive(Debug, Clone)]
pub struct OnPlan {
    pub season: String,
    pub plan: String,
    pub lines: Vec<Line>,
    /// Subtotal, discount total, tax total, total.
    pub totals: [i128; 4],
    pub due_now: i128,
    pub parts: Vec<(Date, i128)>,
}

/// A fee of one student.
#[derive(Debug, Clone)]
pub struct Fee {
    pub fee: String,
    pub student: String,
    pub season: String,
    pub period: String,
    pub amount: i128,
    pub details: Vec<Detail>,
}

/// A trial.
#[derive(Debug, Clone)]
pub struct Trial {
    pub student: String,
    pub class: String,
    pub season: String,
    pub details: Vec<Detail>,
}

/// A debit or a credit: which, and its details.
#[derive(Debug, Clone)]
pub struct Posting {
    pub direction: &'static str,
    pub details: Vec<Detail>,
}

/// What is collected.
#[derive(Debug, Clone)]
pub struct Payment {
    pub subtotal: i128,
    pub fee: i128,
    pub total: i128,
    /// What is done about it (rule 31).
    pub charge: &'static str,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Bill {
    pub plans: Vec<OnPlan>,
    /// On the chosen plans; none unless all are known.
    pub lines: Vec<Line>,
    pub registration_fees: Vec<Fee>,
    pub additional_fees: Vec<Fee>,
    pub trials: Vec<Trial>,
    /// Trials that end with the basket's enrolments, by their ids.
    pub ended_trials: Vec<String>,
    pub payment: Option<Payment>,
    pub postings: Vec<Posting>,
}

/// Sums of details as the published totals have them: subtotal, discounts, tax and the sum of the three.
pub fn totals<'a>(details: impl IntoIterator<Item = &'a Detail>) -> [i128; 4] {
    let mut sums = [0; 4];
    for detail in details {
        let sum = match detail.kind.as_str() {
            "discount" => 1,
            "tax" | "discount-tax" => 2,
            _ => 0,
        };
        sums[sum] += detail.amount;
        sums[3] += detail.amount;
    }
    sums
}

fn list(details: &[Detail]) -> String {
    let mut text = String::new();
    for detail in details {
        write!(text, " {} {}", detail.kind.as_str(), detail.amount).unwrap();
        detail.given_by.iter().for_each(|giver| write!(text, " by {giver}").unwrap());
    }
    text
}

impl Line {
    fn facts(&self, what: &str, facts: &mut Vec<String>) {
        let name = format!("{what} {} in {} on {}", self.student, self.class, self.plan);
        facts.push(format!("{name}: {} ={}", self.total, list(&self.details)));
        for off in &self.off {
            facts.push(format!("{name}: off {} and tax {}", off.amount, off.tax));
        }
        for part in &self.parts {
            facts.push(format!("{name}: {} {} ={}", part.on, part.amount, list(&part.details)));
        }
    }
}

impl Fee {
    fn fact(&self, what: &str) -> String {
        let Self { fee, student, season, period, amount, details } = self;
        format!("{what} {fee} of {student} for {period} in {season}: {amount} ={}", list(details))
    }
}

impl Bill {
    /// Everything that it says, one fact a line, in the order of the answer.
    pub fn facts(&self) -> Vec<String> {
        let mut facts = vec![];
        for on in &self.plans {
            let name = format!("{} on {}", on.season, on.plan);
            facts.push(format!("{name}: sums {:?}, due now {}", on.totals, on.due_now));
            on.parts.iter().for_each(|(date, amount)| facts.push(format!("{name}: {date} {amount}")));
            on.lines.iter().for_each(|line| line.facts("as if", &mut facts));
        }
        self.lines.iter().for_each(|line| line.facts("line", &mut facts));
        facts.extend(self.registration_fees.iter().map(|fee| fee.fact("registration")));
        facts.extend(self.additional_fees.iter().map(|fee| fee.fact("additional")));
        for trial in &self.trials {
            facts.push(format!(
                "trial {} in {}, {}:{}",
                trial.student,
                trial.class,
                trial.season,
                list(&trial.details)
            ));
        }
        facts.extend(self.ended_trials.iter().map(|trial| format!("trial {trial} ends")));
        if let Some(Payment { subtotal, fee, total, charge }) = &self.payment {
            facts.push(format!("payment {subtotal} + {fee} = {total}, {charge}"));
        }
        for Posting { direction, details } in &self.postings {
            let total: i128 = details.iter().map(|detail| detail.amount).sum();
            facts.push(format!("{direction} {total} ={}", list(details)));
        }
        facts
    }

    /// A bound on every sum that can be formed from its amounts: they without their signs, together.
    pub fn weight(&self) -> i128 {
        let plans = self.plans.iter().flat_map(|on| &on.lines);
        let lines = plans.chain(&self.lines).flat_map(|line| &line.details);
        let fees = self.registration_fees.iter().chain(&self.additional_fees).flat_map(|fee| &fee.details);
        let trials = self.trials.iter().flat_map(|trial| &trial.details);
        let details: i128 = lines.chain(fees).chain(trials).map(|detail| detail.amount.abs()).sum();
        details + self.payment.as_ref().map_or(0, |payment| payment.total)
    }
}

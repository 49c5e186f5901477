//! The worked example, as far as it needs no discount schemes and no registration or additional fees.
//!
//! Tax 20 % exclusive; fee 2.9 %; today is the season's first day. Class A at 8.50 and class B at 9.25 have 14 lessons
//! each. Plan U is one payment and 5 % off; plan M is four months from 7 September on. A trial is 5.00. Student a
//! takes A and B on U, student b takes A on M and a trial in B.
//!
//! | line | base | off | tuition, tax, discount, discount-tax | total | due now |
//! |---|---|---|---|---|---|
//! | a in A, U | 14 × 850 = 11900 | 5 % = 595 | 11900, 2380, −595, 20 % of 11305 − 2380 = −119 | 13566 | 13566 |
//! | a in B, U | 14 × 925 = 12950 | 647.5 ⇒ 648 | 12950, 2590, −648, 2460.4 ⇒ 2460 − 2590 = −130 | 14762 | 14762 |
//! | b in A, M | 11900 | – | 11900, 2380 | 14280 | 3570 (of 4 × 3570) |
//!
//! Trial 500 + 100. Subtotal 13566 + 14762 + 3570 + 600 = 32498; fee 2.9 % = 942.442 ⇒ 942; total 33440.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{Studio, TaxMode};
use classpay_domain::ledger::Direction;
use classpay_domain::pricing::{Charge, postings};
use jiff::civil::date;
use studio::{booked, due, in_short, money, monthly, names, one_off, percent, place, priced, tax, trial};

fn example() -> (Studio, Basket) {
    let mut studio = studio::studio();
    tax(&mut studio, TaxMode::Exclusive, "20");
    studio.company.processing_fee = Some(percent("2.9"));
    let mut plan_u = one_off("pp_u");
    plan_u.discount = percent("5");
    studio::season(&mut studio).plans = vec![plan_u, monthly("pp_m", 4)];
    let enrolments =
        vec![place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_b", "pp_u"), place("stu_b", "cls_a", "pp_m")];
    (studio, Basket::new(enrolments, vec![trial("stu_b", "cls_b", date(2026, 9, 9))]))
}

#[test]
fn each_line_has_the_details_of_the_table() {
    let (studio, basket) = example();
    let quote = priced(&studio, &basket);
    let lines: Vec<_> = quote.lines.iter().map(|line| in_short(&line.details)).collect();
    assert_eq!(lines[0], [("tuition", 11900), ("tax", 2380), ("discount", -595), ("discount-tax", -119)]);
    assert_eq!(lines[1], [("tuition", 12950), ("tax", 2590), ("discount", -648), ("discount-tax", -130)]);
    assert_eq!(lines[2], [("tuition", 11900), ("tax", 2380)]);
    assert_eq!(quote.lines.iter().map(|line| line.totals.total.units()).collect::<Vec<_>>(), [13566, 14762, 14280]);
    assert_eq!(in_short(&quote.trials[0].details), [("trial", 500), ("tax", 100)]);
}

#[test]
fn plan_m_is_four_equal_payments_and_plan_u_one() {
    let (studio, basket) = example();
    let quote = priced(&studio, &basket);
    let months = [date(2026, 9, 7), date(2026, 10, 7), date(2026, 11, 7), date(2026, 12, 7)];
    assert_eq!(due(&quote.lines[0].instalments), [(months[0], 13566)]);
    assert_eq!(due(&quote.lines[2].instalments), months.map(|month| (month, 3570)));
    for instalment in &quote.lines[2].instalments {
        // 2380 / 4 = 595 of tax, and tuition takes the other 2975.
        assert_eq!(in_short(&instalment.details), [("tuition", 2975), ("tax", 595)]);
    }
}

#[test]
fn the_season_is_quoted_on_either_plan() {
    let (studio, basket) = example();
    let season = &priced(&studio, &basket).seasons[0];
    // On U: 2 × 13566 (either student in A) + 14762. On M nothing is off: 2 × 14280 + 12950 + 2590.
    let totals: Vec<_> = season.plans.iter().map(|plan| (plan.plan.as_str(), plan.totals.total.units())).collect();
    assert_eq!(totals, [("pp_u", 41894), ("pp_m", 44100)]);
    // A quarter of 44100; the trial is not tuition.
    assert_eq!(season.plans.iter().map(|plan| plan.due_now.units()).collect::<Vec<_>>(), [41894, 11025]);
}

#[test]
fn the_payment_is_334_40() {
    let (studio, basket) = example();
    let payment = priced(&studio, &basket).payment.unwrap();
    assert_eq!(payment.subtotal, money(32498));
    assert_eq!(payment.processing_fee, money(942));
    assert_eq!(payment.total, money(33440));
    assert_eq!(payment.charge(studio.company.currency), Ok(Charge::Collect(payment)));
}

#[test]
fn a_checkout_writes_one_debit_of_324_98_and_a_credit_of_the_same() {
    let (studio, basket) = example();
    let quote = priced(&studio, &basket);
    let entries = postings(&booked(&quote), &names(&studio), quote.payment).unwrap();
    let sums: Vec<_> = entries.iter().map(|e| (e.direction, e.totals().unwrap().total.units())).collect();
    assert_eq!(sums, [(Direction::Debit, 32498), (Direction::Credit, 32498)]);
}

//! The worked example of the price list, to the unit.
//!
//! Tax 20 % exclusive; fee 2.9 %; today is the season's first day, Monday 7 September 2026; half-term from 26 to 30
//! October; the season lasts to 18 December. Class A is on Mondays to 14 December at 8.50, class B on Wednesdays from
//! 9 September to 16 December at 9.25: 14 lessons each. The second student is 10 % off (`student_qty_by_family`), and
//! from two classes on a student's are 5.00 off each (`course_qty_by_student`). Registration is 15.00 a year, up to
//! 25.00 a family, taxed; the costume 10.00, untaxed; a trial 5.00. Plan U is one payment and 5 % off; plan M is four
//! months from 7 September on. Student a takes A and B on U, student b takes A on M and a trial in B.
//!
//! | line | base | discounts | tuition, tax, discounts, discount-tax | total | due now |
//! |---|---|---|---|---|---|
//! | a in A, U | 11900 | 500 scheme, 570 plan | 11900, 2380, −500 −570, −214 | 12996 | 12996 |
//! | a in B, U | 12950 | 500, 623 | 12950, 2590, −500 −623, −225 | 14192 | 14192 |
//! | b in A, M | 11900 | 1190 | 11900, 2380, −1190, −238 | 12852 | 3213 (of 4 × 3213) |
//!
//! For 14 × 850 = 11900 and 14 × 925 = 12950; 5 % of 11400 = 570 and of 12450 = 622.5 ⇒ 623; 20 % of 10830 = 2166, of
//! 11827 = 2365.4 ⇒ 2365 and of 10710 = 2142.
//!
//! Costume 2 × 1000; trial 500 + 100; registration 1500 + 1000 (the cap), tax 300 + 200. Subtotal 36001; fee 2.9 % =
//! 1044.03 ⇒ 1044; total 37045.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{Application, DiscountKind, RegistrationFee, Repetition, Studio, TaxMode};
use classpay_domain::ledger::{Direction, Entry};
use classpay_domain::money::Money;
use classpay_domain::pricing::{Charge, Quote, postings};
use jiff::civil::{Date, date};
use studio::{
    additional, booked, class, discount, due, id, in_short, money, monthly, names, one_off, owed, percent, percent_off,
    place, priced, registration, season, tax, trial, units_off,
};

/// When plan M collects.
const MONTHS: [Date; 4] = [date(2026, 9, 7), date(2026, 10, 7), date(2026, 11, 7), date(2026, 12, 7)];

fn example() -> (Studio, Basket) {
    let mut studio = studio::studio();
    tax(&mut studio, TaxMode::Exclusive, "20");
    studio.company.processing_fee = Some(percent("2.9"));
    class(&mut studio, "cls_a").last_lesson_on = date(2026, 12, 14);
    let b = class(&mut studio, "cls_b");
    (b.first_lesson_on, b.last_lesson_on) = (date(2026, 9, 9), date(2026, 12, 16));
    let second_student = [(2, percent_off("10"))];
    discount(&mut studio, DiscountKind::StudentsOfFamily, Application::IndividualItem, second_student);
    discount(&mut studio, DiscountKind::ClassesOfStudent, Application::TotalTuition, [(2, units_off(500))]);
    let mut plan_u = one_off("pp_u");
    plan_u.discount = percent("5");
    let season = season(&mut studio);
    season.plans = vec![plan_u, monthly("pp_m", 4)];
    season.registration_fee = Some(RegistrationFee {
        family_cap: Some(money(2_500)),
        tax_rate: Some(id("tax_1")),
        ..registration("reg_1", 1_500, Repetition::Annual)
    });
    season.additional_fees = vec![additional("mkpl_1", "Costume", 1_000)];
    let enrolments =
        vec![place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_b", "pp_u"), place("stu_b", "cls_a", "pp_m")];
    (studio, Basket::new(enrolments, vec![trial("stu_b", "cls_b", date(2026, 9, 9))]))
}

fn quoted() -> Quote {
    let (studio, basket) = example();
    priced(&studio, &basket)
}

/// What a checkout writes.
fn written() -> Vec<Entry> {
    let (studio, basket) = example();
    let quote = priced(&studio, &basket);
    postings(&booked(&quote), &names(&studio), quote.payment).unwrap()
}

fn lines_of(entry: &Entry) -> Vec<(&str, i64)> {
    entry.details.iter().map(|detail| (detail.kind.as_str(), detail.amount.units())).collect()
}

#[test]
fn each_line_has_the_details_of_the_table() {
    let quote = quoted();
    let table: [(&[_], _); 3] = [
        (
            &[("tuition", 11_900), ("tax", 2_380), ("discount", -500), ("discount", -570), ("discount-tax", -214)],
            12_996,
        ),
        (
            &[("tuition", 12_950), ("tax", 2_590), ("discount", -500), ("discount", -623), ("discount-tax", -225)],
            14_192,
        ),
        (&[("tuition", 11_900), ("tax", 2_380), ("discount", -1_190), ("discount-tax", -238)], 12_852),
    ];
    assert_eq!(quote.lines.len(), table.len());
    for (line, (details, total)) in quote.lines.iter().zip(table) {
        assert_eq!(in_short(&line.details), details, "{}", line.description);
        assert_eq!(line.totals.total, money(total), "{}", line.description);
    }
    let discounts: Vec<Vec<_>> =
        quote.lines.iter().map(|line| line.discounts.iter().map(|d| &*d.description).collect()).collect();
    assert_eq!(discounts, [vec!["Classes", "Plan discount 5%"], vec!["Classes", "Plan discount 5%"], vec!["Siblings"]]);
}

#[test]
fn plan_u_is_due_now_and_plan_m_in_four_equal_payments() {
    let lines = quoted().lines;
    assert_eq!(due(&lines[0].instalments), [(MONTHS[0], 12_996)]);
    assert_eq!(due(&lines[1].instalments), [(MONTHS[0], 14_192)]);
    assert_eq!(due(&lines[2].instalments), MONTHS.map(|month| (month, 3_213)));
}

#[test]
fn each_later_instalment_has_its_part_of_every_detail() {
    let lines = quoted().lines;
    // Tax 4 × 595; the discount −298 twice and −297 twice; its tax −60 twice and −59 twice; tuition takes what makes
    // 3213: 3213 − 595 + 298 + 60 = 2976 twice, 3213 − 595 + 297 + 59 = 2974 twice. That is 11900.
    let early = [("tuition", 2_976), ("tax", 595), ("discount", -298), ("discount-tax", -60)];
    let late = [("tuition", 2_974), ("tax", 595), ("discount", -297), ("discount-tax", -59)];
    let details: Vec<_> = lines[2].instalments.iter().map(|instalment| in_short(&instalment.details)).collect();
    assert_eq!(details, [early, early, late, late]);
}

#[test]
fn the_season_is_quoted_on_either_plan() {
    let quote = quoted();
    let season = &quote.seasons[0];
    // On U, b in A is 11900 less 1190 and 5 % of 10710 = 535.5 ⇒ 536: 10174 and 2035 of tax. 12996 + 14192 + 12209.
    // On M, a in A is 11400 + 2280 and a in B 12450 + 2490. 13680 + 14940 + 12852.
    let totals: Vec<_> = season.plans.iter().map(|plan| (plan.plan.as_str(), plan.totals.total.units())).collect();
    assert_eq!(totals, [("pp_u", 39_397), ("pp_m", 41_472)]);
    // A quarter of M is 3420 + 3735 + 3213; neither fees nor the trial are tuition.
    assert_eq!(season.plans.iter().map(|plan| plan.due_now.units()).collect::<Vec<_>>(), [39_397, 10_368]);
    let dates: Vec<_> = season.plans[1].instalments.iter().map(|(on, amount)| (*on, amount.units())).collect();
    assert_eq!(dates, MONTHS.map(|month| (month, 10_368)));
}

#[test]
fn fees_are_two_costumes_and_registration_up_to_the_cap() {
    let quote = quoted();
    let costume = |student| (student, "sea_1", "sea_1", 1_000);
    assert_eq!(owed(&quote.additional_fees), [costume("stu_a"), costume("stu_b")]);
    let registration = [("stu_a", "sea_1", "2026-01-01", 1_500), ("stu_b", "sea_1", "2026-01-01", 1_000)];
    assert_eq!(owed(&quote.registration_fees), registration);
    let details: Vec<_> = quote.registration_fees.iter().map(|fee| in_short(&fee.details)).collect();
    assert_eq!(details, [[("registration-fee", 1_500), ("tax", 300)], [("registration-fee", 1_000), ("tax", 200)]]);
    let in_sum = quote.registration_fees_in_sum[0].totals;
    assert_eq!((in_sum.subtotal, in_sum.tax_total, in_sum.total), (money(2_500), money(500), money(3_000)));
}

#[test]
fn the_trial_is_500_and_its_tax() {
    assert_eq!(in_short(&quoted().trials[0].details), [("trial", 500), ("tax", 100)]);
}

#[test]
fn the_payment_is_370_45() {
    let (studio, basket) = example();
    let payment = priced(&studio, &basket).payment.unwrap();
    // 12996 + 14192 + 3213, 2000, 600 and 3000.
    assert_eq!(payment.subtotal, money(36_001));
    assert_eq!(payment.processing_fee, money(1_044));
    assert_eq!(payment.total, money(37_045));
    assert_eq!(payment.charge(studio.company.currency), Ok(Charge::Collect(payment)));
}

#[test]
fn a_checkout_debits_the_season_and_registration_and_credits_the_payment() {
    let entries = written();
    let [season, registration, credit] = <&[Entry; 3]>::try_from(&entries[..]).unwrap();
    let of_season = [
        ("tuition", 11_900),
        ("tax", 2_380),
        ("discount", -500),
        ("discount", -570),
        ("discount-tax", -214),
        ("tuition", 12_950),
        ("tax", 2_590),
        ("discount", -500),
        ("discount", -623),
        ("discount-tax", -225),
        ("tuition", 2_976),
        ("tax", 595),
        ("discount", -298),
        ("discount-tax", -60),
        ("additional-fee", 1_000),
        ("additional-fee", 1_000),
        ("trial", 500),
        ("tax", 100),
    ];
    assert_eq!((season.direction, season.description.as_str()), (Direction::Debit, "Autumn"));
    assert_eq!(lines_of(season), of_season);
    assert_eq!((registration.direction, registration.description.as_str()), (Direction::Debit, "Registration"));
    let of_registration = [("registration-fee", 1_500), ("tax", 300), ("registration-fee", 1_000), ("tax", 200)];
    assert_eq!(lines_of(registration), of_registration);
    assert_eq!(credit.direction, Direction::Credit);
    assert_eq!(lines_of(credit), [("payment-auto", 37_045), ("fee-company", -1_044)]);
    let totals: Vec<_> = entries.iter().map(|entry| entry.totals().unwrap().total.units()).collect();
    assert_eq!(totals, [33_001, 3_000, 36_001]);
    let balance = Money::sum(entries.iter().map(|entry| entry.balance_change().unwrap()));
    assert_eq!(balance, Ok(Money::ZERO), "what is due now is paid");
}

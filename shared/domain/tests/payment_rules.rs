//! When a line is paid and what a checkout charges now: plans, instalments, the fee and the limits of a charge.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{
    Application, Currency, DiscountKind, PlanKind, PricingPlan, RegistrationFee, Repetition, Studio, TaxMode,
};
use classpay_domain::money::{Money, Percent};
use classpay_domain::pricing::{BrokenRule, Charge, Payment, Refusal};
use jiff::civil::{Date, Weekday, date};
use studio::{
    TODAY, ada_in_a, add_class, add_season, additional, class, costing, discount, due, id, in_short, money, monthly,
    one_off, percent, place, places, priced, priced_on, registration, season, tax, trial, undecided, units_off,
};

/// A studio whose class A costs so much for the season, on this plan.
fn selling(price: i64, plan: PricingPlan) -> Studio {
    let mut studio = costing(price);
    season(&mut studio).plans = vec![plan];
    studio
}

/// When Ada pays, and how much, if she joins on a day.
fn paid(plan: PricingPlan, price: i64, day: Date) -> Vec<(Date, i64)> {
    let basket = places([place("stu_a", "cls_a", plan.id.as_str())]);
    due(&priced_on(&selling(price, plan), &basket, day).lines[0].instalments)
}

/// What is due now if Ada's place costs so much.
fn payment(price: i64, fee: Option<&str>) -> Payment {
    let mut studio = selling(price, one_off("pp_u"));
    studio.company.processing_fee = fee.map(percent);
    priced(&studio, &ada_in_a()).payment.unwrap()
}

#[test]
fn r18_a_line_is_on_the_plan_that_it_names() {
    let mut studio = selling(1_000, one_off("pp_u"));
    season(&mut studio).plans.push(PricingPlan { discount: percent("10"), ..monthly("pp_m", 2) });
    let basket = places([place("stu_a", "cls_a", "pp_m"), place("stu_b", "cls_a", "pp_u")]);
    let lines = priced(&studio, &basket).lines;
    let on: Vec<_> = lines.iter().map(|line| (line.plan.as_str(), line.totals.total.units())).collect();
    assert_eq!(on, [("pp_m", 900), ("pp_u", 1_000)]);
    // Two seasons may have a plan of the same id; each line is on its own season's.
    let spring = add_season(&mut studio, "sea_2", "Spring");
    spring.plans = vec![PricingPlan { discount: percent("50"), ..one_off("pp_u") }];
    add_class(&mut studio, "cls_c", "Jazz", "sea_2", Weekday::Friday);
    let basket = places([place("stu_a", "cls_c", "pp_u"), place("stu_b", "cls_a", "pp_u")]);
    let totals: Vec<_> = priced(&studio, &basket).lines.iter().map(|line| line.totals.total.units()).collect();
    assert_eq!(totals, [700, 1_000]); // half of 14 × 100
}

#[test]
fn r19_a_one_off_plan_has_one_date_whatever_else_it_says() {
    let dates = vec![date(2026, 10, 1), date(2026, 11, 1)];
    let plan = PricingPlan { instalments: 2, payment_day: Some(1), dates, ..one_off("pp_u") };
    assert_eq!(paid(plan, 100, TODAY), [(TODAY, 100)]);
}

#[test]
fn r19_a_monthly_plan_follows_its_first_payment_or_the_dates_it_gives() {
    let plan = monthly("pp_m", 3);
    let table = [
        ("on the first payment's day", plan.clone(), [date(2026, 9, 7), date(2026, 10, 7), date(2026, 11, 7)]),
        (
            "then on its payment day",
            PricingPlan { payment_day: Some(1), ..plan.clone() },
            [date(2026, 9, 7), date(2026, 10, 1), date(2026, 11, 1)],
        ),
        (
            "at most on the month's last day",
            PricingPlan { first_payment_on: date(2026, 12, 15), payment_day: Some(31), ..plan.clone() },
            [date(2026, 12, 15), date(2027, 1, 31), date(2027, 2, 28)],
        ),
        (
            "on the dates given, sorted",
            PricingPlan { dates: vec![date(2026, 12, 1), date(2026, 9, 30), date(2026, 11, 5)], ..plan },
            [date(2026, 9, 30), date(2026, 11, 5), date(2026, 12, 1)],
        ),
    ];
    for (scenario, plan, dates) in table {
        assert_eq!(paid(plan, 300, TODAY), dates.map(|date| (date, 100)), "{scenario}");
    }
}

#[test]
fn r20_who_joins_late_pays_what_is_past_today_and_the_rest_on_its_day() {
    let (october, november, december) = (date(2026, 10, 7), date(2026, 11, 7), date(2026, 12, 7));
    let table: [(_, _, &[_]); 6] = [
        ("early", date(2026, 8, 1), &[(TODAY, 25), (october, 25), (november, 25), (december, 25)]),
        ("on the first date", TODAY, &[(TODAY, 25), (october, 25), (november, 25), (december, 25)]),
        ("the day after", date(2026, 9, 8), &[(date(2026, 9, 8), 25), (october, 25), (november, 25), (december, 25)]),
        ("on the second date", october, &[(october, 34), (november, 33), (december, 33)]),
        ("after the third", date(2026, 11, 8), &[(date(2026, 11, 8), 50), (december, 50)]),
        ("after all of them", date(2026, 12, 8), &[(date(2026, 12, 8), 100)]),
    ];
    for (scenario, day, instalments) in table {
        assert_eq!(paid(monthly("pp_m", 4), 100, day), instalments, "{scenario}");
    }
    assert_eq!(paid(one_off("pp_u"), 100, date(2026, 11, 8)), [(date(2026, 11, 8), 100)], "a one-off plan, late");
}

#[test]
fn r20_a_plan_that_begins_later_leaves_its_dates_alone() {
    let plan = PricingPlan { first_payment_on: date(2026, 10, 31), kind: PlanKind::Monthly, ..monthly("pp_m", 2) };
    assert_eq!(paid(plan, 100, TODAY), [(date(2026, 10, 31), 50), (date(2026, 11, 30), 50)]);
}

#[test]
fn r21_the_total_is_split_and_tuition_takes_what_makes_each_payment_s_sum() {
    let mut studio = selling(1_001, PricingPlan { discount: percent("10"), ..monthly("pp_m", 3) });
    tax(&mut studio, TaxMode::Exclusive, "20");
    let line = priced(&studio, &places([place("stu_a", "cls_a", "pp_m")])).lines.remove(0);
    // 1001 less 100, tax 200 less 20: 901 + 180 = 1081 = 361 + 360 + 360.
    assert_eq!(line.instalments.iter().map(|i| i.amount.units()).collect::<Vec<_>>(), [361, 360, 360]);
    let details: Vec<_> = line.instalments.iter().map(|i| in_short(&i.details)).collect();
    // Tax 200 = 67 + 67 + 66, discount −34 − 33 − 33, discount-tax −7 − 7 − 6.
    assert_eq!(details[0], [("tuition", 335), ("tax", 67), ("discount", -34), ("discount-tax", -7)]);
    assert_eq!(details[1], [("tuition", 333), ("tax", 67), ("discount", -33), ("discount-tax", -7)]);
    assert_eq!(details[2], [("tuition", 333), ("tax", 66), ("discount", -33), ("discount-tax", -6)]);
}

#[test]
fn r21_each_of_several_discounts_is_split() {
    let mut studio = selling(1_001, PricingPlan { discount: percent("10"), ..monthly("pp_m", 3) });
    let kinds = [DiscountKind::StudentsOfFamily, DiscountKind::ClassesOfFamily];
    for (kind, off) in kinds.into_iter().zip([100, 50]) {
        discount(&mut studio, kind, Application::TotalTuition, [(1, units_off(off))]);
    }
    tax(&mut studio, TaxMode::Exclusive, "20");
    let line = priced(&studio, &places([place("stu_a", "cls_a", "pp_m")])).lines.remove(0);
    // 1001 − 100 − 50 = 851, 10 % of it 85.1 ⇒ 85: 766. Tax 200, of 766 153: 919 = 307 + 306 + 306.
    assert_eq!(line.instalments.iter().map(|i| i.amount.units()).collect::<Vec<_>>(), [307, 306, 306]);
    let details: Vec<_> = line.instalments.iter().map(|i| in_short(&i.details)).collect();
    // Tax 67 + 67 + 66; −34 −33 −33; −17 −17 −16; −29 −28 −28; discount-tax −47 = −16 −16 −15.
    let parts = |tuition, tax, off: [i64; 3], off_tax| {
        let [first, second, third] = off.map(|off| ("discount", off));
        vec![("tuition", tuition), ("tax", tax), first, second, third, ("discount-tax", off_tax)]
    };
    assert_eq!(details[0], parts(336, 67, [-34, -17, -29], -16)); // 307 − 67 + 34 + 17 + 29 + 16
    assert_eq!(details[1], parts(333, 67, [-33, -17, -28], -16)); // 306 − 67 + 33 + 17 + 28 + 16
    assert_eq!(details[2], parts(332, 66, [-33, -16, -28], -15)); // 306 − 66 + 33 + 16 + 28 + 15
}

#[test]
fn r21_a_payment_of_nothing_is_not_stored() {
    assert_eq!(paid(monthly("pp_m", 4), 2, TODAY), [(TODAY, 1), (date(2026, 10, 7), 1)]);
    assert_eq!(paid(monthly("pp_m", 4), 0, TODAY), []);
    let studio = selling(1_000, PricingPlan { discount: percent("100"), ..monthly("pp_m", 4) });
    let quote = priced(&studio, &places([place("stu_a", "cls_a", "pp_m")]));
    assert!(quote.seasons[0].plans[0].instalments.is_empty(), "the whole price is off");
}

#[test]
fn r21_due_now_is_only_what_falls_on_today() {
    let later = PricingPlan { first_payment_on: date(2026, 9, 8), ..one_off("pp_u") };
    let studio = selling(1_000, later);
    let quote = priced(&studio, &ada_in_a());
    assert_eq!(quote.seasons[0].plans[0].due_now, Money::ZERO);
    assert_eq!(quote.payment.unwrap().charge(studio.company.currency), Ok(Charge::Nothing));
    let quote = priced_on(&studio, &ada_in_a(), date(2026, 9, 8));
    assert_eq!(quote.payment.unwrap().subtotal, money(1_000));
}

#[test]
fn r21_a_season_is_quoted_on_each_enabled_plan_with_all_of_its_lines() {
    let mut studio = selling(1_000, PricingPlan { discount: percent("10"), ..one_off("pp_u") });
    class(&mut studio, "cls_b").price = money(501);
    season(&mut studio).plans.extend([monthly("pp_m", 2), PricingPlan { enabled: false, ..monthly("pp_x", 3) }]);
    tax(&mut studio, TaxMode::Exclusive, "20");
    let enrolments = vec![place("stu_a", "cls_a", "pp_u"), undecided("stu_b", "cls_b")];
    let quote = priced(&studio, &Basket::new(enrolments, vec![trial("stu_a", "cls_b", date(2026, 9, 9))]));
    let plans = &quote.seasons[0].plans;
    assert_eq!(plans.iter().map(|plan| plan.plan.as_str()).collect::<Vec<_>>(), ["pp_u", "pp_m"]);
    // U: 1000 + 200 − 100 − 20 = 1080; 501 + 100 − 50 − 10 = 541.
    let totals = plans[0].totals;
    assert_eq!((totals.subtotal, totals.discount_total), (money(1_501), money(-150)));
    assert_eq!((totals.tax_total, totals.total), (money(270), money(1_621)), "discount-tax is a tax");
    assert_eq!(plans[0].taxes.iter().map(|(of, tax)| (&**of, tax.units())).collect::<Vec<_>>(), [("VAT 20%", 270)]);
    assert_eq!(plans[0].due_now, money(1_621), "the trial is not tuition");
    // M: 1200 = 600 + 600 and 601 = 301 + 300.
    let instalments: Vec<_> = plans[1].instalments.iter().map(|(on, amount)| (*on, amount.units())).collect();
    assert_eq!(instalments, [(TODAY, 901), (date(2026, 10, 7), 900)]);
    assert_eq!(plans[1].due_now, money(901));
    assert_eq!((quote.payment, quote.lines.len()), (None, 0), "one plan isn't known");
}

#[test]
fn r30_the_payment_is_known_when_every_plan_is_named_or_the_season_s_only_one() {
    let mut studio = selling(1_000, one_off("pp_u"));
    let undecided = places([undecided("stu_a", "cls_a")]);
    assert_eq!(priced(&studio, &undecided).payment, priced(&studio, &ada_in_a()).payment);
    season(&mut studio).plans.push(PricingPlan { enabled: false, ..one_off("pp_x") });
    assert!(priced(&studio, &undecided).payment.is_some(), "a plan that is off is no choice");
    season(&mut studio).plans.push(monthly("pp_m", 2));
    assert_eq!(priced(&studio, &undecided).payment, None);
    assert!(priced(&studio, &ada_in_a()).payment.is_some());
}

#[test]
fn r30_the_subtotal_is_everything_that_is_due_now() {
    let mut studio = selling(1_000, monthly("pp_m", 4));
    studio.company.processing_fee = Some(percent("2.9"));
    season(&mut studio).additional_fees = vec![additional("mkpl_1", "Costume", 700)];
    let taxed = Some(id("tax_1"));
    let fee = RegistrationFee { tax_rate: taxed, ..registration("reg_1", 1_500, Repetition::Annual) };
    season(&mut studio).registration_fee = Some(fee);
    tax(&mut studio, TaxMode::Exclusive, "20");
    let tries = vec![trial("stu_b", "cls_b", date(2026, 9, 9))];
    let quote = priced(&studio, &Basket::new(vec![place("stu_a", "cls_a", "pp_m")], tries));
    let payment = quote.payment.unwrap();
    // A quarter of 1200; 700 untaxed; 1500 + 300; 500 + 100: 300 + 700 + 1800 + 600.
    assert_eq!(payment.subtotal, money(3_400));
    assert_eq!((payment.processing_fee, payment.total), (money(99), money(3_499))); // 98.6 ⇒ 99
}

#[test]
fn r30_the_processing_fee_is_a_rounded_percentage_of_the_subtotal_on_top() {
    let table = [
        (1_000, "2.9", 29),
        (12_345, "2.9", 358), // 358.005
        (500, "0.1", 1),      // 0.5, away from zero
        (499, "0.1", 0),
        (1_000, "0", 0),
        (0, "2.9", 0),
    ];
    for (subtotal, fee_percent, fee) in table {
        let payment = payment(subtotal, Some(fee_percent));
        assert_eq!(payment.processing_fee, money(fee), "{fee_percent}% of {subtotal}");
        assert_eq!(payment.total, money(subtotal.checked_add(fee).unwrap()), "{fee_percent}% of {subtotal}");
        assert_eq!(payment.processing_fee_percent, percent(fee_percent));
    }
    let payment = payment(1_000, None);
    assert_eq!((payment.processing_fee, payment.processing_fee_percent), (Money::ZERO, Percent::ZERO));
    assert_eq!(payment.total, money(1_000));
}

#[test]
fn r31_a_total_between_nothing_and_the_smallest_charge_is_not_collected() {
    let pounds = Currency::parse("GBP").unwrap();
    let charge = |price, fee| payment(price, fee).charge(pounds);
    assert_eq!(charge(0, None), Ok(Charge::Nothing));
    assert_eq!(charge(1, None), Ok(Charge::Uncollectable(payment(1, None))));
    assert_eq!(charge(29, None), Ok(Charge::Uncollectable(payment(29, None))));
    assert_eq!(charge(30, None), Ok(Charge::Collect(payment(30, None))));
    assert_eq!(charge(29, Some("2.9")), Ok(Charge::Collect(payment(29, Some("2.9")))), "the fee counts: 29 + 1");
}

#[test]
fn r31_a_total_above_999_999_99_is_too_large() {
    let pounds = Currency::parse("gbp").unwrap();
    let too_large = Err(Refusal::of_basket(BrokenRule::AmountTooLarge));
    assert_eq!(payment(99_999_999, None).charge(pounds), Ok(Charge::Collect(payment(99_999_999, None))));
    assert_eq!(payment(100_000_000, None).charge(pounds), too_large);
    assert_eq!(payment(99_999_999, Some("0.001")).charge(pounds), too_large, "the fee counts");
}

#[test]
fn r31_each_currency_has_its_smallest_charge() {
    let table = [
        (50, "USD AUD CAD CHF EUR BRL INR NZD SGD JPY"),
        (30, "GBP"),
        (200, "AED MYR PLN RON"),
        (250, "DKK"),
        (300, "NOK SEK"),
        (400, "HKD"),
        (1_000, "MXN THB"),
        (1_500, "CZK"),
        (17_500, "HUF"),
    ];
    for (minimum, codes) in table {
        for code in codes.split(' ') {
            let smallest = Currency::parse(code).map(Currency::smallest_charge);
            assert_eq!(smallest, Some(money(minimum)), "{code}");
        }
    }
    assert_eq!(Currency::parse("KWD"), None, "not in the table");
}

//! What a line costs: lessons, units, the plan's discount and tax. Each test is named for the rule that it tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story that breaks off has failed")]

mod studio;

use classpay_domain::catalogue::{Holiday, PricingModel, Studio, TaxMode};
use classpay_domain::pricing::{BrokenRule, Buyer, Line, Refusal, quote};
use jiff::civil::{Date, date};
use studio::{TODAY, ada_in_a, asked, class, in_short, money, percent, priced, priced_on, season, tax, trial, trials};

/// A studio whose class A costs so much for the whole season, so that a table can name the base itself.
fn costing(price: i64) -> Studio {
    let mut studio = studio::studio();
    season(&mut studio).pricing_model = PricingModel::PerSeason;
    class(&mut studio, "cls_a").price = money(price);
    studio
}

/// A studio without holidays whose class A costs one unit a lesson, so that a total is a number of lessons.
fn counting() -> Studio {
    let mut studio = studio::studio();
    studio.holidays.clear();
    class(&mut studio, "cls_a").price = money(1);
    studio
}

fn discounted(mut studio: Studio, off: &str) -> Studio {
    season(&mut studio).plans[0].discount = percent(off);
    studio
}

fn taxed(mut studio: Studio, mode: TaxMode, rate: &str) -> Studio {
    tax(&mut studio, mode, rate);
    studio
}

/// Ada's line in class A.
fn line(studio: &Studio) -> Line {
    priced(studio, &ada_in_a()).lines.remove(0)
}

fn total_on(studio: &Studio, day: Date) -> i64 {
    priced_on(studio, &ada_in_a(), day).lines[0].totals.total.units()
}

#[test]
fn r01_a_price_beyond_64_bits_is_amount_too_large() {
    let mut studio = studio::studio();
    class(&mut studio, "cls_a").price = money(i64::MAX);
    let refusal = Refusal::of_basket(BrokenRule::AmountTooLarge);
    assert_eq!(asked(&studio, &ada_in_a(), TODAY), Err(refusal.clone()), "14 lessons of it");
    let studio = taxed(costing(i64::MAX), TaxMode::Exclusive, "0.001");
    assert_eq!(asked(&studio, &ada_in_a(), TODAY), Err(refusal), "a thousandth of a percent on top");
    assert_eq!(line(&costing(i64::MAX)).totals.total, money(i64::MAX), "but the price itself is an amount");
}

#[test]
fn r05_lessons_begin_with_the_later_start_and_end_with_the_earlier_end() {
    let whole = (date(2026, 9, 7), date(2026, 12, 18));
    let table = [
        ("the season's 15 Mondays", date(2026, 9, 7), date(2026, 12, 18), whole, 15),
        ("the class begins before the season", date(2026, 8, 1), date(2026, 12, 18), whole, 15),
        ("it begins on the second Monday", date(2026, 9, 14), date(2026, 12, 18), whole, 14),
        ("it begins on the first Tuesday", date(2026, 9, 8), date(2026, 12, 18), whole, 14),
        ("it ends on a Monday, which counts", date(2026, 9, 7), date(2026, 12, 7), whole, 14),
        ("it ends on the Sunday before", date(2026, 9, 7), date(2026, 12, 6), whole, 13),
        ("it ends after the season", date(2026, 9, 7), date(2027, 3, 1), whole, 15),
        ("the season ends on a Monday", date(2026, 9, 7), date(2027, 3, 1), (whole.0, date(2026, 9, 14)), 2),
        ("one lesson in all", date(2026, 12, 8), date(2026, 12, 14), whole, 1),
    ];
    for (story, first, last, (starts_on, ends_on), lessons) in table {
        let mut studio = counting();
        (class(&mut studio, "cls_a").first_lesson_on, class(&mut studio, "cls_a").last_lesson_on) = (first, last);
        (season(&mut studio).starts_on, season(&mut studio).ends_on) = (starts_on, ends_on);
        assert_eq!(total_on(&studio, date(2026, 8, 1)), lessons, "{story}");
    }
}

#[test]
fn r05_a_holiday_takes_its_lessons_both_ends_included() {
    let (before, monday, after) = (date(2026, 10, 20), date(2026, 10, 26), date(2026, 10, 31));
    let table = [
        ("it is the Monday", vec![(monday, monday)], 14),
        ("it begins on the Monday", vec![(monday, after)], 14),
        ("it ends on the Monday", vec![(before, monday)], 14),
        ("it begins the day after", vec![(date(2026, 10, 27), date(2026, 11, 1))], 15),
        ("it takes two Mondays", vec![(monday, date(2026, 11, 2))], 13),
        ("two holidays share the Monday", vec![(before, monday), (monday, after)], 14),
    ];
    for (story, holidays, lessons) in table {
        let mut studio = counting();
        studio.holidays = holidays.into_iter().map(|(starts_on, ends_on)| Holiday { starts_on, ends_on }).collect();
        assert_eq!(total_on(&studio, TODAY), lessons, "{story}");
    }
}

#[test]
fn r06_only_on_the_day_of_a_lesson_does_the_time_of_day_matter() {
    let table = [
        ("before the season", date(2026, 9, 6).at(23, 59, 59, 0), 15),
        ("a minute before the first lesson", TODAY.at(16, 29, 59, 0), 15),
        ("it has begun", TODAY.at(16, 30, 0, 0), 14),
        ("late on its day", TODAY.at(23, 59, 59, 0), 14),
        ("early on the next", date(2026, 9, 8).at(0, 0, 0, 0), 14),
        ("a minute before the last lesson", date(2026, 12, 14).at(16, 29, 0, 0), 1),
    ];
    for (story, now, lessons) in table {
        let quote = quote(&counting(), &ada_in_a(), now, Buyer::Family).unwrap();
        assert_eq!(quote.lines[0].totals.total, money(lessons), "{story}");
    }
}

#[test]
fn r07_per_lesson_counts_the_lessons_left() {
    let mut studio = studio::studio();
    class(&mut studio, "cls_a").price = money(1);
    let table = [
        (date(2026, 9, 7), 14),
        (date(2026, 9, 8), 13),
        (date(2026, 9, 28), 11),
        (date(2026, 9, 29), 10),
        (date(2026, 10, 26), 7),
        (date(2026, 12, 14), 1),
    ];
    for (day, lessons) in table {
        assert_eq!(total_on(&studio, day), lessons, "joining on {day}");
    }
}

#[test]
fn r07_per_month_counts_the_calendar_months_of_the_lessons_left() {
    let mut studio = studio::studio();
    class(&mut studio, "cls_a").price = money(1);
    season(&mut studio).pricing_model = PricingModel::PerMonth;
    let joining = [
        (date(2026, 9, 7), 4),
        (date(2026, 9, 28), 4),
        (date(2026, 9, 29), 3),
        (date(2026, 10, 20), 2),
        (date(2026, 12, 14), 1),
    ];
    for (day, months) in joining {
        assert_eq!(total_on(&studio, day), months, "joining on {day}");
    }
    studio.holidays = vec![Holiday { starts_on: date(2026, 10, 1), ends_on: date(2026, 10, 31) }];
    assert_eq!(total_on(&studio, TODAY), 3, "a month without a lesson is not counted");
    season(&mut studio).ends_on = date(2027, 9, 30);
    class(&mut studio, "cls_a").last_lesson_on = date(2027, 9, 30);
    assert_eq!(total_on(&studio, TODAY), 12, "September of the next year is another month");
    studio.holidays = vec![Holiday { starts_on: date(2026, 10, 1), ends_on: date(2027, 8, 31) }];
    assert_eq!(total_on(&studio, TODAY), 2, "even when it is the next month with a lesson");
}

#[test]
fn r07_per_season_is_one_unit_however_late() {
    let studio = costing(25_000);
    for day in [date(2026, 9, 7), date(2026, 10, 20), date(2026, 12, 14)] {
        assert_eq!(total_on(&studio, day), 25_000, "joining on {day}");
    }
}

#[test]
fn r08_the_base_is_the_price_times_the_units() {
    for (model, base) in
        [(PricingModel::PerLesson, 11_900), (PricingModel::PerMonth, 3_400), (PricingModel::PerSeason, 850)]
    {
        let mut studio = studio::studio();
        season(&mut studio).pricing_model = model;
        assert_eq!(in_short(&line(&studio).details), [("tuition", base)], "{model:?}");
    }
}

#[test]
fn r15_the_plan_s_discount_is_a_rounded_percentage_of_the_base() {
    let table = [
        (1_000, "5", 50),
        (12_950, "5", 648), // 647.5, away from zero
        (333, "33.333", 111),
        (1_000, "0.05", 1),
        (999, "100", 999),
    ];
    for (price, discount, off) in table {
        let line = line(&discounted(costing(price), discount));
        assert_eq!(in_short(&line.details), [("tuition", price), ("discount", -off)], "{discount}% of {price}");
        assert_eq!(line.discounts.len(), 1);
        assert_eq!(line.discounts[0].description, format!("Plan discount {discount}%"));
    }
}

#[test]
fn r15_a_discount_of_nothing_is_none() {
    for (price, discount) in [(1_000, "0"), (9, "5"), (0, "50")] {
        let line = line(&discounted(costing(price), discount));
        assert!(line.discounts.is_empty(), "{discount}% of {price}");
        assert!(line.details.iter().all(|detail| detail.kind.as_str() == "tuition"));
    }
}

#[test]
fn r16_nothing_is_taxed_without_a_rate_or_with_tax_disabled() {
    let taxed = taxed(costing(1_000), TaxMode::Exclusive, "20");
    assert_eq!(in_short(&line(&taxed).details), [("tuition", 1_000), ("tax", 200)]);
    assert_eq!(line(&taxed).tax_description.as_deref(), Some("VAT 20%"));
    let mut without_rate = taxed.clone();
    class(&mut without_rate, "cls_a").tax_rate = None;
    let mut disabled = taxed;
    disabled.company.tax = None;
    for (story, studio) in [("the class has no rate", without_rate), ("tax is disabled", disabled)] {
        assert_eq!(in_short(&line(&studio).details), [("tuition", 1_000)], "{story}");
        assert_eq!(line(&studio).tax_description, None, "{story}");
        assert!(priced(&studio, &ada_in_a()).seasons[0].plans[0].taxes.is_empty(), "{story}");
    }
}

#[test]
fn r17_exclusive_tax_is_added_after_the_discount() {
    let table: [(_, _, &[_], _); 7] = [
        (1_000, "0", &[("tuition", 1_000), ("tax", 200)], 1_200),
        (1_000, "10", &[("tuition", 1_000), ("tax", 200), ("discount", -100), ("discount-tax", -20)], 1_080),
        // tax(333) = 66.6 ⇒ 67, and tax(300) = 60.
        (333, "10", &[("tuition", 333), ("tax", 67), ("discount", -33), ("discount-tax", -7)], 360),
        // 1.5 ⇒ 2 off; tax(3) = 0.6 ⇒ 1, and tax(1) = 0.2 ⇒ 0.
        (3, "50", &[("tuition", 3), ("tax", 1), ("discount", -2), ("discount-tax", -1)], 1),
        // tax(2) = 0.4 ⇒ 0: details of zero are left out.
        (2, "50", &[("tuition", 2), ("discount", -1)], 1),
        (1_000, "100", &[("tuition", 1_000), ("tax", 200), ("discount", -1_000), ("discount-tax", -200)], 0),
        (0, "10", &[], 0),
    ];
    for (price, discount, details, total) in table {
        let line = line(&taxed(discounted(costing(price), discount), TaxMode::Exclusive, "20"));
        assert_eq!(in_short(&line.details), details, "{discount}% off {price}");
        assert_eq!(line.totals.total, money(total), "{discount}% off {price}");
    }
}

#[test]
fn r17_inclusive_tax_is_contained_in_what_the_discount_leaves() {
    // At 20 % a sixth of the price is tax.
    let table: [(_, _, &[_], _); 6] = [
        (1_200, "0", &[("tuition", 1_000), ("tax", 200)], 1_200),
        // tax(1000) = 166.67 ⇒ 167.
        (1_000, "0", &[("tuition", 833), ("tax", 167)], 1_000),
        // 120 off; tax(1080) = 180; discount −120 + (200 − 180).
        (1_200, "10", &[("tuition", 1_000), ("tax", 200), ("discount", -100), ("discount-tax", -20)], 1_080),
        // 33 off; tax(333) = 55.5 ⇒ 56, and tax(300) = 50; discount −33 + (56 − 50).
        (333, "10", &[("tuition", 277), ("tax", 56), ("discount", -27), ("discount-tax", -6)], 300),
        // 2 off; tax(3) = 0.5 ⇒ 1, and tax(1) = 0.17 ⇒ 0; discount −2 + (1 − 0).
        (3, "50", &[("tuition", 2), ("tax", 1), ("discount", -1), ("discount-tax", -1)], 1),
        (1_000, "100", &[("tuition", 833), ("tax", 167), ("discount", -833), ("discount-tax", -167)], 0),
    ];
    for (price, discount, details, total) in table {
        let line = line(&taxed(discounted(costing(price), discount), TaxMode::Inclusive, "20"));
        assert_eq!(in_short(&line.details), details, "{discount}% off {price}");
        assert_eq!(line.totals.total, money(total), "{discount}% off {price}");
    }
    // tax(1) at 100 % is 0.5 ⇒ 1: nothing of the price is tuition.
    let line = line(&taxed(costing(1), TaxMode::Inclusive, "100"));
    assert_eq!((in_short(&line.details), line.totals.total), (vec![("tax", 1)], money(1)));
}

#[test]
fn r17_a_rate_of_zero_leaves_no_tax_detail_in_either_mode() {
    for mode in [TaxMode::Exclusive, TaxMode::Inclusive] {
        let line = line(&taxed(discounted(costing(1_000), "10"), mode, "0"));
        assert_eq!(in_short(&line.details), [("tuition", 1_000), ("discount", -100)], "{mode:?}");
    }
}

#[test]
fn r17_a_line_s_discount_shows_the_tax_that_falls_away() {
    for (mode, amount, tax, total) in [(TaxMode::Exclusive, -120, -24, -144), (TaxMode::Inclusive, -100, -20, -120)] {
        let line = line(&taxed(discounted(costing(1_200), "10"), mode, "20"));
        let shown = &line.discounts[0];
        assert_eq!(
            (shown.amount, shown.tax_amount, shown.total),
            (money(amount), money(tax), money(total)),
            "{mode:?}"
        );
        assert_eq!(line.totals.discount_total, money(amount), "{mode:?}");
    }
}

#[test]
fn r29_a_trial_has_the_company_s_price_the_class_s_tax_and_no_discount() {
    let wednesday = date(2026, 9, 9);
    let table: [(_, &[_], _); 2] = [
        (TaxMode::Exclusive, &[("trial", 500), ("tax", 100)], 600),
        (TaxMode::Inclusive, &[("trial", 417), ("tax", 83)], 500),
    ];
    for (mode, details, total) in table {
        let studio = taxed(discounted(costing(1_000), "50"), mode, "20");
        let quote = priced(&studio, &trials([trial("stu_a", "cls_b", wednesday)]));
        assert_eq!(in_short(&quote.trials[0].details), details, "{mode:?}");
        assert_eq!(quote.payment.unwrap().subtotal, money(total), "{mode:?}: it is due now, whole");
        assert!(quote.seasons.is_empty(), "{mode:?}: nothing is quoted on plans");
    }
    let mut studio = studio::studio();
    studio.company.trials.price = money(0);
    let quote = priced(&studio, &trials([trial("stu_a", "cls_b", wednesday)]));
    assert!(quote.trials[0].details.is_empty(), "a free trial has no details");
}

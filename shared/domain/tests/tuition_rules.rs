//! What a place costs before discounts and tax: lessons, units, prices. Each test is named for the rule that it tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{Enrolment, Holiday, PricingModel, PricingScheme, QuantityPrices, Studio, TaxMode};
use classpay_domain::pricing::{BrokenRule, Buyer, Line, Refusal, quote};
use jiff::civil::{Date, Weekday, date};
use studio::{
    TODAY, ada_in_a, add_class, add_season, asked, class, costing, id, in_short, money, one_off, place, places, priced,
    priced_on, season, tax, trial,
};

/// A studio without holidays whose class A costs one unit a lesson, so that a total is a number of lessons.
fn counting() -> Studio {
    let mut studio = studio::studio();
    studio.holidays.clear();
    class(&mut studio, "cls_a").price = money(1);
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
    let mut studio = costing(i64::MAX);
    tax(&mut studio, TaxMode::Exclusive, "0.001");
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
    for (scenario, first, last, (starts_on, ends_on), lessons) in table {
        let mut studio = counting();
        (class(&mut studio, "cls_a").first_lesson_on, class(&mut studio, "cls_a").last_lesson_on) = (first, last);
        (season(&mut studio).starts_on, season(&mut studio).ends_on) = (starts_on, ends_on);
        assert_eq!(total_on(&studio, date(2026, 8, 1)), lessons, "{scenario}");
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
    for (scenario, holidays, lessons) in table {
        let mut studio = counting();
        studio.holidays = holidays.into_iter().map(|(starts_on, ends_on)| Holiday { starts_on, ends_on }).collect();
        assert_eq!(total_on(&studio, TODAY), lessons, "{scenario}");
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
    for (scenario, now, lessons) in table {
        let quote = quote(&counting(), &ada_in_a(), now, Buyer::Family).unwrap();
        assert_eq!(quote.lines[0].totals.total, money(lessons), "{scenario}");
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

/// A studio with the classes A, B, C and D, which cost 10.00, 18.00 and 24.00 together if a student takes one, two or
/// three of them.
fn by_quantity(prices: &[i64]) -> Studio {
    let mut studio = costing(7_777);
    add_class(&mut studio, "cls_c", "Jazz", "sea_1", Weekday::Thursday);
    add_class(&mut studio, "cls_d", "Mime", "sea_1", Weekday::Friday);
    season(&mut studio).pricing_scheme = quantity_prices(prices);
    studio
}

fn quantity_prices(prices: &[i64]) -> PricingScheme {
    PricingScheme::ClassQuantity(QuantityPrices::new(prices.iter().copied().map(money).collect()))
}

const CLASSES: [&str; 4] = ["cls_a", "cls_b", "cls_c", "cls_d"];

/// Ada has places in the season already, in classes that the basket isn't about.
fn live(studio: &mut Studio, count: usize, season: &str) {
    let live = |n| Enrolment {
        id: id(&format!("enr_{n}")),
        student: id("stu_a"),
        class: id(&format!("cls_x{n}")),
        season: id(season),
        discountable: true,
    };
    studio.family.enrolments = (0..count).map(live).collect();
}

/// Ada in the first so many classes.
fn ada_in(count: usize) -> Basket {
    Basket::new(CLASSES.iter().take(count).map(|class| place("stu_a", class, "pp_u")).collect(), vec![])
}

/// What the lines cost, in the order of the basket: by student, then class.
fn bases(studio: &Studio, basket: &Basket) -> Vec<i64> {
    priced(studio, basket).lines.iter().map(|line| line.totals.total.units()).collect()
}

#[test]
fn r09_a_student_pays_what_his_classes_cost_more_than_those_he_has() {
    let table: [(_, usize, usize, &[i64]); 11] = [
        ("one", 0, 1, &[1_000]),
        ("two: 1800", 0, 2, &[900, 900]),
        ("three: 2400", 0, 3, &[800, 800, 800]),
        ("four cost what three cost", 0, 4, &[600, 600, 600, 600]),
        ("a second: 1800 − 1000", 1, 1, &[800]),
        ("a second and a third: 2400 − 1000", 1, 2, &[700, 700]),
        ("a third: 2400 − 1800", 2, 1, &[600]),
        ("a third, a fourth and a fifth: 2400 − 1800", 2, 3, &[200, 200, 200]),
        ("a fourth is free", 3, 1, &[0]),
        ("and so are all further ones", 3, 4, &[0, 0, 0, 0]),
        ("a fourth to a tenth", 7, 3, &[0, 0, 0]),
    ];
    for (scenario, has, takes, expected) in table {
        let mut studio = by_quantity(&[1_000, 1_800, 2_400]);
        live(&mut studio, has, "sea_1");
        assert_eq!(bases(&studio, &ada_in(takes)), expected, "{scenario}");
    }
}

#[test]
fn r09_more_classes_that_cost_less_cost_nothing_and_never_less_than_that() {
    let table: [(&[i64], usize, usize, &[i64]); 5] = [
        (&[1_000, 900], 0, 2, &[450, 450]),
        (&[1_000, 900], 1, 1, &[0]),
        (&[1_000, 900, 1_050], 1, 2, &[25, 25]), // 1050 − 1000, whatever the second costs
        (&[1_000, 900, 1_050], 2, 1, &[150]),
        (&[], 0, 2, &[0, 0]),
    ];
    for (prices, has, takes, expected) in table {
        let mut studio = by_quantity(prices);
        live(&mut studio, has, "sea_1");
        assert_eq!(bases(&studio, &ada_in(takes)), expected, "{prices:?}: {takes} more than {has}");
    }
}

#[test]
fn r09_what_is_left_over_goes_to_the_smaller_class_ids() {
    let table: [(i64, &[i64]); 4] =
        [(1_000, &[334, 333, 333]), (1_001, &[334, 334, 333]), (1_002, &[334, 334, 334]), (2, &[1, 1, 0])];
    for (price, expected) in table {
        assert_eq!(bases(&by_quantity(&[0, 0, price]), &ada_in(3)), expected, "{price}");
    }
}

#[test]
fn r09_a_share_is_paid_for_each_unit_of_its_own_class() {
    let table = [
        // 1001 = 501 + 500. Class A has 14 lessons in 4 months, class B two in September.
        (PricingModel::PerLesson, [501 * 14, 500 * 2]),
        (PricingModel::PerMonth, [501 * 4, 500]),
        (PricingModel::PerSeason, [501, 500]),
    ];
    for (model, expected) in table {
        let mut studio = by_quantity(&[9_999, 1_001]);
        season(&mut studio).pricing_model = model;
        class(&mut studio, "cls_b").last_lesson_on = date(2026, 9, 16);
        assert_eq!(bases(&studio, &ada_in(2)), expected, "{model:?}");
    }
}

#[test]
fn r09_quantities_are_those_of_one_student_in_one_season() {
    let mut studio = by_quantity(&[1_000, 1_800, 2_400]);
    let of_both =
        places([place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_b", "pp_u"), place("stu_b", "cls_c", "pp_u")]);
    assert_eq!(bases(&studio, &of_both), [1_000, 900, 900], "Ada takes one, Ben two");
    live(&mut studio, 1, "sea_1");
    assert_eq!(bases(&studio, &of_both), [800, 900, 900], "it is Ada who has one");
    live(&mut studio, 1, "sea_2");
    assert_eq!(bases(&studio, &of_both), [1_000, 900, 900], "but not in this season");

    let mut studio = by_quantity(&[1_000, 1_800, 2_400]);
    let spring = add_season(&mut studio, "sea_2", "Spring");
    (spring.pricing_model, spring.pricing_scheme) = (PricingModel::PerSeason, quantity_prices(&[500, 600]));
    spring.plans = vec![one_off("pp_s")];
    class(&mut studio, "cls_d").season = id("sea_2");
    let basket =
        places([place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_b", "pp_u"), place("stu_a", "cls_d", "pp_s")]);
    assert_eq!(bases(&studio, &basket), [900, 900, 500], "each season by its own prices");
}

#[test]
fn r09_every_live_enrolment_counts_and_no_trial_does() {
    let mut studio = by_quantity(&[1_000, 1_800, 2_400]);
    let basket = Basket::new(ada_in(1).enrolments().to_vec(), vec![trial("stu_a", "cls_b", date(2026, 9, 9))]);
    assert_eq!(bases(&studio, &basket), [1_000], "a trial is no place");
    live(&mut studio, 1, "sea_1");
    studio.family.enrolments[0].discountable = false;
    studio.family.students.get_mut(&id("stu_a")).unwrap().discountable = false;
    class(&mut studio, "cls_a").discountable = false;
    assert_eq!(bases(&studio, &basket), [800], "what is not discountable counts here");
}

#[test]
fn r09_the_class_s_own_price_means_nothing() {
    let mut studio = by_quantity(&[1_000, 1_800]);
    class(&mut studio, "cls_a").price = money(i64::MAX);
    assert_eq!(bases(&studio, &ada_in(2)), [900, 900]);
}

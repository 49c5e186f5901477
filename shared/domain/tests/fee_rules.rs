//! Who owes a registration fee, for which period, and how much of it. Each test is named for the rule that it tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{FeePeriod, RegistrationFee, Repetition, Studio};
use classpay_domain::id::SeasonId;
use classpay_domain::pricing::{FeeLine, FeeSum};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use studio::{
    TODAY, ada_in_a, add_class, add_season, charged, class, costing, id, join, live, money, one_off, owed, place,
    places, priced, priced_on, registration, season, trial, trials, wanting,
};

use Repetition::{Annual, OneOff, PerSeason};

/// Ada, Ben and Cleo; a season with this registration fee.
fn registering(fee: RegistrationFee) -> Studio {
    let mut studio = costing(1_000);
    join(&mut studio, "stu_c", "Cleo");
    season(&mut studio).registration_fee = Some(fee);
    studio
}

/// The same with Autumn's fee for Spring, too, which has class C.
fn two_seasons(fee: RegistrationFee) -> Studio {
    let mut studio = registering(fee.clone());
    let spring = add_season(&mut studio, "sea_2", "Spring");
    (spring.plans, spring.registration_fee) = (vec![one_off("pp_s")], Some(fee));
    add_class(&mut studio, "cls_c", "Jazz", "sea_2", Weekday::Friday);
    studio
}

/// A season whose last day is a lesson of class A, and everything in it on sale.
fn lasting(studio: &mut Studio, starts_on: Date, ends_on: Date) {
    (season(studio).starts_on, season(studio).ends_on) = (starts_on, ends_on);
    let class = class(studio, "cls_a");
    (class.first_lesson_on, class.last_lesson_on, class.weekday) = (starts_on, ends_on, ends_on.weekday());
}

/// The registration fees that joining on the first morning makes due.
fn fees(studio: &Studio, basket: &Basket) -> Vec<FeeLine> {
    priced(studio, basket).registration_fees
}

/// How much of each registration fee is due.
fn amounts(studio: &Studio, basket: &Basket) -> Vec<i64> {
    amounts_on(studio, basket, TODAY)
}

fn amounts_on(studio: &Studio, basket: &Basket, day: Date) -> Vec<i64> {
    priced_on(studio, basket, day).registration_fees.iter().map(|fee| fee.amount.units()).collect()
}

#[test]
fn r22_each_enrolling_student_pays_the_fee_once_a_period() {
    for (repetition, period) in [(OneOff, "once"), (Annual, "2026-01-01"), (PerSeason, "sea_1")] {
        let studio = registering(registration("reg_1", 1_500, repetition));
        let both = [("stu_a", "sea_1", period, 1_500), ("stu_b", "sea_1", period, 1_500)];
        assert_eq!(owed(&fees(&studio, &wanting("aA aB bB"))), both, "{repetition:?}");
        assert_eq!(owed(&fees(&studio, &ada_in_a())), [both[0]], "{repetition:?}");
    }
}

#[test]
fn r22_only_enrolling_costs_a_fee() {
    let mut studio = registering(registration("reg_1", 1_500, OneOff));
    live(&mut studio, "bX");
    let tried = trial("stu_c", "cls_b", date(2026, 9, 9));
    let quote = priced(&studio, &Basket::new(ada_in_a().enrolments().to_vec(), vec![tried.clone()]));
    assert_eq!(owed(&quote.registration_fees), [("stu_a", "sea_1", "once", 1_500)], "not who is enrolled or tries");
    assert_eq!(amounts(&studio, &trials([tried])), []);
    let mut studio = two_seasons(registration("reg_1", 1_500, OneOff));
    season(&mut studio).registration_fee = None;
    assert_eq!(amounts(&studio, &ada_in_a()), [], "nor does another season's");
}

#[test]
fn r22_what_was_charged_before_counts() {
    let table: [(_, _, _, _, &[&str]); 16] = [
        (OneOff, "reg_1", "stu_a", "once", &["stu_b"]),
        (OneOff, "reg_1", "stu_b", "once", &["stu_a"]),
        (OneOff, "reg_1", "stu_c", "once", &["stu_a", "stu_b"]),
        (OneOff, "reg_2", "stu_a", "once", &["stu_a", "stu_b"]),
        (Annual, "reg_1", "stu_a", "2026-01-01", &["stu_b"]),
        (Annual, "reg_1", "stu_a", "2026", &["stu_b"]),
        (Annual, "reg_1", "stu_a", "2025-10-01", &["stu_b"]),
        (Annual, "reg_1", "stu_a", "2025-09-07", &["stu_a", "stu_b"]),
        (Annual, "reg_1", "stu_a", "2026-09-08", &["stu_a", "stu_b"]),
        (Annual, "reg_1", "stu_a", "2025", &["stu_a", "stu_b"]),
        (Annual, "reg_1", "stu_a", "2027", &["stu_a", "stu_b"]),
        (Annual, "reg_2", "stu_a", "2026", &["stu_a", "stu_b"]),
        (PerSeason, "reg_1", "stu_a", "sea_1", &["stu_b"]),
        (PerSeason, "reg_1", "stu_a", "sea_0", &["stu_a", "stu_b"]),
        (PerSeason, "reg_1", "stu_b", "sea_1", &["stu_a"]),
        (PerSeason, "reg_2", "stu_b", "sea_1", &["stu_a", "stu_b"]),
    ];
    for (repetition, fee, student, period, expected) in table {
        let mut studio = registering(registration("reg_1", 1_500, repetition));
        charged(&mut studio, fee, student, period, 1);
        let paying = fees(&studio, &wanting("aA bA"));
        let paying: Vec<_> = paying.iter().map(|fee| fee.student.as_str()).collect();
        assert_eq!(paying, expected, "{repetition:?}: {student} was charged {fee} for {period}");
    }
}

#[test]
fn r22_an_annual_fee_is_for_the_year_in_which_the_student_begins() {
    let (autumn, summer) = (date(2026, 9, 7), date(2027, 7, 16));
    let table = [
        ("bought before the season, in its year", autumn, date(2026, 8, 1), "2026-01-01"),
        ("bought the year before", autumn, date(2025, 12, 31), "2026-01-01"),
        ("bought on New Year's Eve", autumn, date(2026, 12, 31), "2026-01-01"),
        ("bought in the next year of the season", autumn, date(2027, 1, 1), "2027-01-01"),
        ("it begins on New Year's Day", date(2027, 1, 1), date(2026, 12, 31), "2027-01-01"),
    ];
    for (scenario, starts_on, today, period) in table {
        let mut studio = registering(registration("reg_1", 1_500, Annual));
        lasting(&mut studio, starts_on, summer);
        let fees = priced_on(&studio, &ada_in_a(), today).registration_fees;
        assert_eq!(owed(&fees), [("stu_a", "sea_1", period, 1_500)], "{scenario}");
    }
}

#[test]
fn r22_the_years_of_an_annual_fee_begin_on_its_day() {
    let summer = date(2027, 7, 16);
    let table = [
        ("bought before the season, which begins in the next year", (9, 1), date(2026, 8, 1), "2026-09-01"),
        ("bought in January of the season", (9, 1), date(2027, 1, 4), "2026-09-01"),
        ("bought on the last day of the year", (1, 5), date(2027, 1, 4), "2026-01-05"),
        ("bought on the first day of the next", (1, 5), date(2027, 1, 5), "2027-01-05"),
        ("a leap day is the 28th", (2, 29), date(2027, 3, 1), "2027-02-28"),
    ];
    for (scenario, (month, day), today, period) in table {
        let fee =
            RegistrationFee { year_begins: YearDay::new(month, day).unwrap(), ..registration("reg_1", 1_500, Annual) };
        let mut studio = registering(fee);
        lasting(&mut studio, date(2026, 9, 7), summer);
        let fees = priced_on(&studio, &ada_in_a(), today).registration_fees;
        assert_eq!(owed(&fees), [("stu_a", "sea_1", period, 1_500)], "{scenario}");
        // Who has paid for it pays no more in that year, whatever the day is called then.
        charged(&mut studio, "reg_1", "stu_a", period, 1_500);
        assert_eq!(amounts_on(&studio, &ada_in_a(), today), [], "{scenario}");
        season(&mut studio).registration_fee.as_mut().unwrap().year_begins = YearDay::new(12, 24).unwrap();
        assert_eq!(amounts_on(&studio, &ada_in_a(), today), [], "{scenario}, and the day has changed");
    }
}

#[test]
fn r22_seasons_that_share_a_fee_make_it_due_once_a_period() {
    let basket = places([place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_c", "pp_s")]);
    let in_autumn = |period| ("stu_a", "sea_1", period, 1_500);
    let in_spring = |period| ("stu_a", "sea_2", period, 1_500);
    for (repetition, expected) in [
        (OneOff, vec![in_autumn("once")]),
        (Annual, vec![in_autumn("2026-01-01")]),
        (PerSeason, vec![in_autumn("sea_1"), in_spring("sea_2")]),
    ] {
        let studio = two_seasons(registration("reg_1", 1_500, repetition));
        assert_eq!(owed(&fees(&studio, &basket)), expected, "{repetition:?}");
        let mut of_their_own = studio;
        let spring = of_their_own.seasons.get_mut(&id("sea_2")).unwrap();
        spring.registration_fee = Some(registration("reg_2", 700, repetition));
        assert_eq!(amounts(&of_their_own, &basket), [1_500, 700], "{repetition:?}: two fees");
    }
}

#[test]
fn r22_there_is_one_line_for_each_fee_and_period_in_the_answer() {
    let mut studio = two_seasons(registration("reg_1", 1_500, PerSeason));
    let basket =
        places([place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_a", "pp_u"), place("stu_b", "cls_c", "pp_s")]);
    let sums = |studio: &Studio| {
        let sums = priced(studio, &basket).registration_fees_in_sum;
        let sum = |sum: &FeeSum| (sum.fee.to_string(), sum.name.clone(), sum.totals.total.units(), sum.days);
        sums.iter().map(sum).collect::<Vec<_>>()
    };
    let named = |fee: &str, name: &str, total, days| (fee.to_string(), name.to_string(), total, days);
    let of = |season: &str| {
        let season = &studio.seasons[&id::<SeasonId>(season)];
        Some((season.starts_on, season.ends_on))
    };
    let (autumn, spring) = (of("sea_1"), of("sea_2"));
    let of_both = [named("reg_1", "Registration", 3_000, autumn), named("reg_1", "Registration", 1_500, spring)];
    assert_eq!(sums(&studio), of_both);
    let mut club = registration("reg_0", 700, OneOff);
    club.name = "Club".into();
    studio.seasons.get_mut(&id("sea_2")).unwrap().registration_fee = Some(club);
    let club = named("reg_0", "Club", 700, None);
    assert_eq!(sums(&studio), [club.clone(), named("reg_1", "Registration", 3_000, autumn)]);
    season(&mut studio).registration_fee.as_mut().unwrap().family_cap = Some(money(0));
    assert_eq!(sums(&studio), [club], "nothing is charged");
}

#[test]
fn r23_a_per_season_fee_is_prorated_by_days() {
    // From 7 September to 18 December: 24 + 31 + 30 + 18 = 103 days.
    let table: [(_, _, _, &[i64]); 9] = [
        ("before the season", date(2026, 8, 1), 10_300, &[10_300]),
        ("on its first day", date(2026, 9, 7), 10_300, &[10_300]),
        ("on its second", date(2026, 9, 8), 10_300, &[10_200]),
        ("in its middle: 30 + 18 days", date(2026, 11, 1), 10_300, &[4_800]),
        ("on its last but one", date(2026, 12, 17), 10_300, &[200]),
        ("on its last", date(2026, 12, 18), 10_300, &[100]),
        ("50 × 102/103 = 49.5", date(2026, 9, 8), 50, &[50]),
        ("50 × 48/103 = 23.3", date(2026, 11, 1), 50, &[23]),
        ("50 × 1/103 = 0.49: none", date(2026, 12, 18), 50, &[]),
    ];
    for (scenario, today, amount, expected) in table {
        let mut studio = registering(RegistrationFee { pro_rated: true, ..registration("reg_1", amount, PerSeason) });
        lasting(&mut studio, date(2026, 9, 7), date(2026, 12, 18));
        assert_eq!(amounts_on(&studio, &ada_in_a(), today), expected, "{scenario}");
    }
}

#[test]
fn r23_an_annual_fee_is_prorated_by_the_days_to_the_end_of_the_year() {
    let table = [
        // 2026 and 2027 have 365 days, 2028 has 366; the fee is 1.00 a day.
        ("before the season: 24 + 31 + 30 + 31 days", date(2026, 9, 7), date(2026, 8, 1), 36_500, 11_600),
        ("the year before", date(2026, 9, 7), date(2025, 12, 31), 36_500, 11_600),
        ("on its first day", date(2026, 9, 7), date(2026, 9, 7), 36_500, 11_600),
        ("on its second", date(2026, 9, 7), date(2026, 9, 8), 36_500, 11_500),
        ("on New Year's Eve", date(2026, 9, 7), date(2026, 12, 31), 36_500, 100),
        ("on New Year's Day", date(2026, 9, 7), date(2027, 1, 1), 36_500, 36_500),
        ("a leap year", date(2028, 1, 1), date(2028, 1, 1), 36_600, 36_600),
        ("from 29 February of a leap year: 366 − 59 days", date(2028, 1, 1), date(2028, 2, 29), 36_600, 30_700),
        ("from 1 March of a leap year", date(2028, 1, 1), date(2028, 3, 1), 36_600, 30_600),
        ("from 1 March of another: 365 − 59 days", date(2027, 1, 1), date(2027, 3, 1), 36_500, 30_600),
        ("New Year's Eve of a leap year", date(2028, 9, 4), date(2028, 12, 31), 36_600, 100),
        ("rounded: 1000 × 116/365 = 317.8", date(2026, 9, 7), date(2026, 9, 7), 1_000, 318),
    ];
    for (scenario, starts_on, today, amount, expected) in table {
        let mut studio = registering(RegistrationFee { pro_rated: true, ..registration("reg_1", amount, Annual) });
        lasting(&mut studio, starts_on, starts_on.saturating_add(11.months()));
        assert_eq!(amounts_on(&studio, &ada_in_a(), today), [expected], "{scenario}");
    }
}

#[test]
fn r23_an_annual_fee_is_prorated_by_the_days_of_its_own_year() {
    // From 1 September 2026 to 31 August 2027, 365 days; 1.00 a day.
    for (today, expected) in [(date(2026, 9, 7), 35_900), (date(2027, 1, 1), 24_300), (date(2027, 7, 16), 4_700)] {
        let fee = RegistrationFee {
            pro_rated: true,
            year_begins: YearDay::new(9, 1).unwrap(),
            ..registration("reg_1", 36_500, Annual)
        };
        let mut studio = registering(fee);
        lasting(&mut studio, date(2026, 9, 7), date(2027, 7, 16));
        assert_eq!(amounts_on(&studio, &ada_in_a(), today), [expected], "on {today}");
    }
}

#[test]
fn r23_a_one_off_fee_is_never_prorated_nor_is_one_that_does_not_say_so() {
    for (repetition, pro_rated) in [(OneOff, true), (OneOff, false), (Annual, false), (PerSeason, false)] {
        let studio = registering(RegistrationFee { pro_rated, ..registration("reg_1", 1_500, repetition) });
        for today in [date(2026, 8, 1), TODAY, date(2026, 12, 14)] {
            assert_eq!(amounts_on(&studio, &ada_in_a(), today), [1_500], "{repetition:?} on {today}");
        }
    }
}

#[test]
fn r24_a_period_is_written_as_it_is_read() {
    for text in ["once", "2026", "2026-09-01", "sea_1"] {
        let period = FeePeriod::parse(text).unwrap();
        assert_eq!((period.as_str(), period.to_string()), (text, text.to_string()));
    }
    assert_eq!(FeePeriod::parse("once"), Some(FeePeriod::once()));
    assert_eq!(FeePeriod::parse("2026-09-01"), Some(FeePeriod::year(date(2026, 9, 1))));
    assert_eq!(FeePeriod::parse("sea_1"), Some(FeePeriod::season(&id("sea_1"))));
    assert_eq!(FeePeriod::parse("2026/27"), None);
    let first = |text: &str| FeePeriod::parse(text).unwrap().first_of_year();
    assert_eq!((first("2026"), first("2026-09-01")), (Some(date(2026, 1, 1)), Some(date(2026, 9, 1))));
    assert_eq!([first("once"), first("sea_1"), first("sea_123456")], [None; 3]);
}

//! What is charged of the fees: a family's cap, the seasons' additional fees, tax. Each test is named for the rule that
//! it tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{AdditionalFee, RegistrationFee, Repetition, Studio, TaxMode};
use classpay_domain::pricing::FeeLine;
use jiff::civil::{Date, Weekday, date};
use studio::{
    TODAY, ada_in_a, add_class, add_season, additional, charged, class, costing, id, in_short, join, live, money,
    monthly, one_off, owed, place, places, priced, priced_on, registration, season, tax, tax_rate, trial, trials,
    wanting,
};

use Repetition::{Annual, PerSeason};

/// Ada, Ben and Cleo; Autumn (`sea_1`) with the classes A and B, Spring (`sea_2`) with C, both with this fee.
fn registering(fee: RegistrationFee) -> Studio {
    let mut studio = two_seasons();
    for season in studio.seasons.values_mut() {
        season.registration_fee = Some(fee.clone());
    }
    studio
}

fn two_seasons() -> Studio {
    let mut studio = costing(1_000);
    join(&mut studio, "stu_c", "Cleo");
    add_season(&mut studio, "sea_2", "Spring").plans = vec![one_off("pp_s")];
    add_class(&mut studio, "cls_c", "Jazz", "sea_2", Weekday::Friday);
    studio
}

/// 15.00 a year, of which a family pays at most so much.
fn up_to(cap: Option<i64>) -> RegistrationFee {
    RegistrationFee { family_cap: cap.map(money), ..registration("reg_1", 1_500, Annual) }
}

/// When Spring begins and, late, when class C does.
fn spring_begins(studio: &mut Studio, on: Date) {
    let spring = studio.seasons.get_mut(&id("sea_2")).unwrap();
    (spring.starts_on, spring.ends_on) = (on, date(2027, 6, 30));
    class(studio, "cls_c").last_lesson_on = date(2027, 6, 30);
}

/// Who pays how much of a fee.
fn paid(fees: &[FeeLine]) -> Vec<(&str, i64)> {
    fees.iter().map(|fee| (fee.student.as_str(), fee.amount.units())).collect()
}

#[test]
fn r24_a_family_s_cap_is_for_its_students_in_the_order_of_their_ids() {
    let table: [(_, &[_]); 8] = [
        (None, &[("stu_a", 1_500), ("stu_b", 1_500), ("stu_c", 1_500)]),
        (Some(4_500), &[("stu_a", 1_500), ("stu_b", 1_500), ("stu_c", 1_500)]),
        (Some(4_499), &[("stu_a", 1_500), ("stu_b", 1_500), ("stu_c", 1_499)]),
        (Some(3_000), &[("stu_a", 1_500), ("stu_b", 1_500)]),
        (Some(2_500), &[("stu_a", 1_500), ("stu_b", 1_000)]),
        (Some(1_500), &[("stu_a", 1_500)]),
        (Some(1), &[("stu_a", 1)]),
        (Some(0), &[]),
    ];
    for (cap, expected) in table {
        let quote = priced(&registering(up_to(cap)), &wanting("cA aB bA"));
        assert_eq!(paid(&quote.registration_fees), expected, "up to {cap:?}");
    }
}

#[test]
fn r24_what_the_family_was_charged_in_the_period_counts_against_the_cap() {
    let table: [(_, _, _, _, _, &[_]); 9] = [
        (Some(2_500), "reg_1", "stu_c", "2026", 1_500, &[("stu_a", 1_000)]),
        (Some(2_500), "reg_1", "stu_c", "2026", 600, &[("stu_a", 1_500), ("stu_b", 400)]),
        (Some(2_500), "reg_1", "stu_c", "2026", 2_500, &[]),
        (Some(2_500), "reg_1", "stu_c", "2026", 9_000, &[]),
        (Some(2_500), "reg_1", "stu_a", "2026", 1_500, &[("stu_b", 1_000)]),
        (Some(2_500), "reg_1", "stu_c", "2025", 1_500, &[("stu_a", 1_500), ("stu_b", 1_000)]),
        (Some(2_500), "reg_2", "stu_c", "2026", 1_500, &[("stu_a", 1_500), ("stu_b", 1_000)]),
        (Some(0), "reg_1", "stu_c", "2026", 1_500, &[]),
        (None, "reg_1", "stu_c", "2026", 9_000, &[("stu_a", 1_500), ("stu_b", 1_500)]),
    ];
    for (cap, fee, student, period, amount, expected) in table {
        let mut studio = registering(up_to(cap));
        charged(&mut studio, fee, student, period, amount);
        let quote = priced(&studio, &wanting("aA bA"));
        assert_eq!(paid(&quote.registration_fees), expected, "{cap:?}: {student} paid {amount} of {fee}, {period}");
    }
    let mut studio = registering(up_to(Some(2_500)));
    charged(&mut studio, "reg_1", "stu_b", "2026", 700);
    charged(&mut studio, "reg_1", "stu_c", "2026", 800);
    assert_eq!(paid(&priced(&studio, &ada_in_a()).registration_fees), [("stu_a", 1_000)], "700 and 800");
}

#[test]
fn r24_a_fee_that_seasons_share_is_of_the_smallest_season_in_which_the_student_enrols() {
    let studio = registering(up_to(Some(2_500)));
    let basket = places([
        place("stu_a", "cls_c", "pp_s"),
        place("stu_b", "cls_a", "pp_u"),
        place("stu_b", "cls_c", "pp_s"),
        place("stu_c", "cls_a", "pp_u"),
    ]);
    let quote = priced(&studio, &basket);
    let expected = [("stu_a", "sea_2", "2026-01-01", 1_500), ("stu_b", "sea_1", "2026-01-01", 1_000)];
    assert_eq!(owed(&quote.registration_fees), expected, "by student, whatever their seasons");
    let mut studio = registering(RegistrationFee { repetition: PerSeason, ..up_to(Some(2_500)) });
    let each = [
        ("stu_b", "sea_1", "sea_1", 1_500),
        ("stu_c", "sea_1", "sea_1", 1_000),
        ("stu_a", "sea_2", "sea_2", 1_500),
        ("stu_b", "sea_2", "sea_2", 1_000),
    ];
    assert_eq!(owed(&priced(&studio, &basket).registration_fees), each, "but each season has its own cap");

    // The smaller id is Spring's though it begins later: 92 days from 1 October of 365, at 1.00 a day.
    let annual = RegistrationFee { pro_rated: true, ..registration("reg_1", 36_500, Annual) };
    season(&mut studio).registration_fee = Some(annual.clone());
    let spring = add_season(&mut studio, "sea_0", "Spring");
    (spring.plans, spring.registration_fee) = (vec![one_off("pp_s")], Some(annual));
    spring.starts_on = date(2026, 10, 1);
    class(&mut studio, "cls_c").season = id("sea_0");
    let basket =
        places([place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_c", "pp_s"), place("stu_b", "cls_a", "pp_u")]);
    let expected = [("stu_a", "sea_0", "2026-01-01", 9_200), ("stu_b", "sea_1", "2026-01-01", 11_600)];
    assert_eq!(owed(&priced(&studio, &basket).registration_fees), expected);
}

#[test]
fn r24_an_annual_fee_has_a_cap_for_each_year() {
    let mut studio = registering(up_to(Some(2_000)));
    spring_begins(&mut studio, date(2027, 1, 11));
    charged(&mut studio, "reg_1", "stu_c", "2027", 1_200);
    let basket = places([
        place("stu_a", "cls_a", "pp_u"),
        place("stu_a", "cls_c", "pp_s"),
        place("stu_b", "cls_a", "pp_u"),
        place("stu_b", "cls_c", "pp_s"),
    ]);
    let expected = [
        ("stu_a", "sea_1", "2026-01-01", 1_500),
        ("stu_b", "sea_1", "2026-01-01", 500),
        ("stu_a", "sea_2", "2027-01-01", 800), // 2000 − 1200
    ];
    assert_eq!(owed(&priced(&studio, &basket).registration_fees), expected);
}

#[test]
fn r24_the_cap_is_of_what_is_left_of_a_prorated_fee_before_exclusive_tax() {
    let pro_rated = |cap| RegistrationFee { pro_rated: true, amount: money(36_500), ..up_to(Some(cap)) };
    // From 7 September on, 116 days are left of 2026.
    let quote = priced(&registering(pro_rated(20_000)), &wanting("aA bA"));
    assert_eq!(paid(&quote.registration_fees), [("stu_a", 11_600), ("stu_b", 8_400)]);
    for (mode, total) in [(TaxMode::Exclusive, 3_000), (TaxMode::Inclusive, 2_500)] {
        let mut studio = registering(RegistrationFee { tax_rate: Some(id("tax_1")), ..up_to(Some(2_500)) });
        tax(&mut studio, mode, "20");
        let quote = priced(&studio, &wanting("aA bA"));
        assert_eq!(paid(&quote.registration_fees), [("stu_a", 1_500), ("stu_b", 1_000)], "{mode:?}");
        assert_eq!(quote.registration_fees_in_sum[0].totals.total, money(total), "{mode:?}");
    }
}

/// Autumn with these fees, Spring with a badge at 3.00.
fn with_costs<const N: usize>(fees: [AdditionalFee; N]) -> Studio {
    let mut studio = two_seasons();
    season(&mut studio).additional_fees = fees.into();
    studio.seasons.get_mut(&id("sea_2")).unwrap().additional_fees = vec![additional("mkpl_3", "Badge", 300)];
    studio
}

#[test]
fn r25_each_student_pays_a_season_s_fees_once() {
    let mut studio = with_costs([additional("mkpl_2", "Shoes", 2_000), additional("mkpl_1", "Costume", 1_000)]);
    let costume = |student| (student, "sea_1", "sea_1", 1_000);
    let shoes = |student| (student, "sea_1", "sea_1", 2_000);
    let basket = wanting("aA aB bA");
    let both = [costume("stu_a"), costume("stu_b"), shoes("stu_a"), shoes("stu_b")];
    assert_eq!(owed(&priced(&studio, &basket).additional_fees), both);
    assert_eq!(priced(&studio, &basket).registration_fees, [], "they are not registration fees");
    charged(&mut studio, "mkpl_1", "stu_a", "sea_1", 1_000);
    charged(&mut studio, "mkpl_2", "stu_c", "sea_1", 2_000);
    charged(&mut studio, "mkpl_9", "stu_b", "sea_1", 2_000);
    let rest = [costume("stu_b"), shoes("stu_a"), shoes("stu_b")];
    assert_eq!(owed(&priced(&studio, &basket).additional_fees), rest, "Ada has paid for her costume");
}

#[test]
fn r25_the_fees_are_those_of_the_seasons_in_which_he_enrols() {
    let mut studio = with_costs([additional("mkpl_1", "Costume", 1_000)]);
    live(&mut studio, "cX");
    let basket = places([place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_c", "pp_s")]);
    let expected = [("stu_a", "sea_1", "sea_1", 1_000), ("stu_b", "sea_2", "sea_2", 300)];
    assert_eq!(owed(&priced(&studio, &basket).additional_fees), expected, "and not of who is enrolled already");
    let tried = trials([trial("stu_a", "cls_b", date(2026, 9, 9))]);
    assert_eq!(owed(&priced(&studio, &tried).additional_fees), [], "nor of who tries");
}

#[test]
fn r25_an_additional_fee_is_prorated_and_capped_like_one_per_season() {
    // 48 of 103 days are left on 1 November.
    let november = date(2026, 11, 1);
    let table: [(_, _, _, _, &[_]); 8] = [
        (false, None, 0, november, &[("stu_a", 10_300), ("stu_b", 10_300)]),
        (true, None, 0, TODAY, &[("stu_a", 10_300), ("stu_b", 10_300)]),
        (true, None, 0, date(2026, 8, 1), &[("stu_a", 10_300), ("stu_b", 10_300)]),
        (true, None, 0, november, &[("stu_a", 4_800), ("stu_b", 4_800)]),
        (true, Some(7_000), 0, november, &[("stu_a", 4_800), ("stu_b", 2_200)]),
        (true, Some(7_000), 3_000, november, &[("stu_a", 4_000)]),
        (false, Some(10_300), 0, TODAY, &[("stu_a", 10_300)]),
        (false, Some(0), 0, TODAY, &[]),
    ];
    for (pro_rated, cap, before, day, expected) in table {
        let family_cap = cap.map(money);
        let mut studio =
            with_costs([AdditionalFee { pro_rated, family_cap, ..additional("mkpl_1", "Costume", 10_300) }]);
        charged(&mut studio, "mkpl_1", "stu_c", "sea_1", before);
        charged(&mut studio, "mkpl_1", "stu_c", "2026", 99_999);
        let fees = priced_on(&studio, &wanting("aA bA"), day).additional_fees;
        assert_eq!(paid(&fees), expected, "up to {cap:?}, {before} before, on {day}");
    }
}

#[test]
fn r26_fees_are_due_now_and_whole_whatever_the_plan() {
    let mut studio = with_costs([additional("mkpl_1", "Costume", 1_001)]);
    season(&mut studio).registration_fee = Some(registration("reg_1", 1_503, Annual));
    season(&mut studio).plans = vec![monthly("pp_m", 4)];
    let quote = priced(&studio, &places([place("stu_a", "cls_a", "pp_m")]));
    assert_eq!(quote.payment.unwrap().subtotal, money(2_754)); // 1000 / 4 + 1001 + 1503
    assert_eq!(quote.seasons[0].plans[0].due_now, money(250), "a plan is for tuition alone");
    assert_eq!(quote.seasons[0].plans[0].totals.total, money(1_000));
    season(&mut studio).plans[0].first_payment_on = date(2026, 10, 1);
    let quote = priced(&studio, &places([place("stu_a", "cls_a", "pp_m")]));
    assert_eq!(quote.payment.unwrap().subtotal, money(2_504), "though tuition is due later");
}

#[test]
fn r26_tax_is_each_student_s_and_then_summed() {
    // 20 % of 333 is 66.6 ⇒ 67, twice 134; of 666 it would be 133. 333 contains 55.5 ⇒ 56.
    for (mode, of_one, sums) in [
        (TaxMode::Exclusive, [("registration-fee", 333), ("tax", 67)], (666, 134, 800)),
        (TaxMode::Inclusive, [("registration-fee", 277), ("tax", 56)], (554, 112, 666)),
    ] {
        let mut studio =
            registering(RegistrationFee { tax_rate: Some(id("tax_1")), ..registration("reg_1", 333, Annual) });
        tax(&mut studio, mode, "20");
        class(&mut studio, "cls_a").tax_rate = None;
        let quote = priced(&studio, &wanting("aA bA"));
        assert_eq!(quote.registration_fees.len(), 2);
        for fee in &quote.registration_fees {
            assert_eq!(in_short(&fee.details), of_one, "{mode:?}");
        }
        let totals = quote.registration_fees_in_sum[0].totals;
        let in_sum = (totals.subtotal.units(), totals.tax_total.units(), totals.total.units());
        assert_eq!(in_sum, sums, "{mode:?}");
        assert_eq!(quote.payment.unwrap().subtotal, money(2_000).plus(totals.total).unwrap(), "{mode:?}");
    }
}

#[test]
fn r26_a_fee_is_taxed_at_its_own_rate() {
    let mut studio =
        with_costs([AdditionalFee { tax_rate: Some(id("tax_2")), ..additional("mkpl_1", "Costume", 1_000) }]);
    season(&mut studio).registration_fee = Some(registration("reg_1", 1_500, Annual));
    tax(&mut studio, TaxMode::Exclusive, "20");
    tax_rate(&mut studio, "tax_2", "5.5");
    let basket = Basket::new(ada_in_a().enrolments().to_vec(), vec![]);
    let quote = priced(&studio, &basket);
    assert_eq!(in_short(&quote.additional_fees[0].details), [("additional-fee", 1_000), ("tax", 55)]);
    assert_eq!(in_short(&quote.registration_fees[0].details), [("registration-fee", 1_500)], "it has none");
    let words: Vec<_> = quote.fees().flat_map(|fee| &fee.details).map(|d| &*d.description).collect();
    assert_eq!(words, ["Registration, Ada", "Costume, Ada", "VAT 5.5%"]);
    studio.company.tax = None;
    let quote = priced(&studio, &basket);
    assert_eq!(in_short(&quote.additional_fees[0].details), [("additional-fee", 1_000)], "tax is disabled");
}

//! What a checkout writes to the ledger. Each test is named for the rule that it tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{
    AdditionalFee, Application, DiscountKind, RegistrationFee, Repetition, Studio, TaxMode,
};
use classpay_domain::ledger::{Detail, Direction, Entry};
use classpay_domain::money::Money;
use classpay_domain::pricing::{Charge, Quote, postings};
use jiff::civil::{Weekday, date};
use studio::{
    TODAY, ada_in_a, add_class, add_season, additional, booked, class, costing, discount, due, id, money, monthly,
    names, one_off, percent, percent_off, place, places, priced, registration, season, tax, trial, trials, wanting,
};

/// What a checkout of the basket writes: with the credit if there is something to collect.
fn written(studio: &Studio, quote: &Quote) -> Vec<Entry> {
    let paid = match quote.payment.unwrap().charge(studio.company.currency).unwrap() {
        Charge::Collect(payment) => Some(payment),
        Charge::Nothing | Charge::Uncollectable(_) => None,
    };
    postings(&booked(quote), &names(studio), paid).unwrap()
}

fn in_short(entry: &Entry) -> Vec<(&'static str, i64)> {
    entry.details.iter().map(|detail| (detail.kind.as_str(), detail.amount.units())).collect()
}

/// Autumn (`sea_1`) and, later in time but smaller in id, Spring (`sea_0`) with class C.
fn two_seasons() -> Studio {
    let mut studio = costing(1_000);
    add_season(&mut studio, "sea_0", "Spring").plans = vec![one_off("pp_s")];
    add_class(&mut studio, "cls_c", "Jazz", "sea_0", Weekday::Friday).price = money(7);
    studio
}

#[test]
fn r32_there_is_one_debit_for_each_season_in_the_order_of_ids_and_then_the_credit() {
    let mut studio = two_seasons();
    studio.company.processing_fee = Some(percent("2.9"));
    let enrolments =
        vec![place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_a", "pp_u"), place("stu_b", "cls_c", "pp_s")];
    let quote = priced(&studio, &Basket::new(enrolments, vec![trial("stu_a", "cls_c", date(2026, 9, 11))]));
    let entries = written(&studio, &quote);
    // Fridays from 11 September to 18 December without half-term: 14 × 7 = 98. Fee: 2.9 % of 2598 = 75.342.
    let [spring, autumn, credit] = <&[Entry; 3]>::try_from(&entries[..]).unwrap();
    assert_eq!((spring.direction, spring.description.as_str()), (Direction::Debit, "Spring"));
    assert_eq!(in_short(spring), [("tuition", 98), ("trial", 500)], "a trial belongs to its class's season");
    assert_eq!((autumn.direction, autumn.description.as_str()), (Direction::Debit, "Autumn"));
    assert_eq!(in_short(autumn), [("tuition", 1_000), ("tuition", 1_000)]);
    assert_eq!(credit.direction, Direction::Credit);
    assert_eq!(in_short(credit), [("payment-auto", 2_673), ("fee-company", -75)]);
    assert!(entries.iter().all(|entry| entry.on == TODAY));
    let balance = Money::sum(entries.iter().map(|entry| entry.balance_change().unwrap()));
    assert_eq!(balance, Ok(Money::ZERO), "what was debited was paid");
}

#[test]
fn r32_without_a_fee_the_credit_is_the_payment_alone() {
    let studio = costing(1_000);
    let entries = written(&studio, &priced(&studio, &ada_in_a()));
    assert_eq!(in_short(&entries[1]), [("payment-auto", 1_000)]);
}

#[test]
fn r32_only_what_is_due_now_is_debited() {
    let mut studio = costing(1_000);
    season(&mut studio).plans = vec![monthly("pp_m", 4)];
    tax(&mut studio, TaxMode::Exclusive, "20");
    let entries = written(&studio, &priced(&studio, &places([place("stu_a", "cls_a", "pp_m")])));
    assert_eq!(in_short(&entries[0]), [("tuition", 250), ("tax", 50)]);
    assert_eq!(in_short(&entries[1]), [("payment-auto", 300)]);
}

#[test]
fn r31_what_is_too_little_to_collect_is_debited_without_a_credit() {
    let mut studio = costing(1_000);
    class(&mut studio, "cls_a").price = money(29);
    let entries = written(&studio, &priced(&studio, &ada_in_a()));
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].balance_change(), Ok(money(29)), "it stays on the family's balance");
}

#[test]
fn r32_a_debit_whose_details_sum_to_zero_is_written() {
    let mut studio = costing(1_000);
    season(&mut studio).plans[0].discount = percent("100");
    let entries = written(&studio, &priced(&studio, &ada_in_a()));
    assert_eq!(entries.len(), 1, "and no credit: nothing is due");
    assert_eq!(in_short(&entries[0]), [("tuition", 1_000), ("discount", -1_000)]);
    assert_eq!(entries[0].balance_change(), Ok(Money::ZERO));
}

#[test]
fn r32_a_debit_without_details_is_not_written() {
    let mut free = costing(1_000);
    class(&mut free, "cls_a").price = Money::ZERO;
    let mut later = costing(1_000);
    season(&mut later).plans[0].first_payment_on = date(2026, 10, 1);
    for (scenario, studio) in [("the class is free", free), ("all of it is due later", later)] {
        assert_eq!(written(&studio, &priced(&studio, &ada_in_a())), [], "{scenario}");
    }
    let mut studio = two_seasons();
    class(&mut studio, "cls_c").price = Money::ZERO;
    let quote = priced(&studio, &places([place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_c", "pp_s")]));
    let descriptions: Vec<_> = written(&studio, &quote).into_iter().map(|entry| entry.description).collect();
    assert_eq!(descriptions, ["Autumn", "Payment"], "only the season that costs something");
}

/// A costume at 2.00, and registration at 15.00, which is taxed when anything is.
fn with_fees() -> Studio {
    let mut studio = two_seasons();
    season(&mut studio).additional_fees = vec![additional("mkpl_1", "Costume", 200)];
    let taxed = Some(id("tax_1"));
    let registration = RegistrationFee { tax_rate: taxed, ..registration("reg_1", 1_500, Repetition::Annual) };
    season(&mut studio).registration_fee = Some(registration);
    studio
}

#[test]
fn r32_additional_fees_are_in_their_season_s_debit_and_registration_fees_in_one_more() {
    let mut studio = with_fees();
    let costs = AdditionalFee { amount: money(300), ..additional("mkpl_0", "Badge", 0) };
    let fee = registration("reg_0", 700, Repetition::PerSeason);
    let spring = studio.seasons.get_mut(&id("sea_0")).unwrap();
    (spring.additional_fees, spring.registration_fee) = (vec![costs], Some(fee));
    tax(&mut studio, TaxMode::Exclusive, "20");
    let enrolments =
        vec![place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_a", "pp_u"), place("stu_b", "cls_c", "pp_s")];
    let quote = priced(&studio, &Basket::new(enrolments, vec![trial("stu_a", "cls_b", date(2026, 9, 9))]));
    let entries = written(&studio, &quote);
    let descriptions: Vec<_> = entries.iter().map(|entry| entry.description.as_str()).collect();
    assert_eq!(descriptions, ["Spring", "Autumn", "Registration", "Payment"]);
    // 14 Fridays at 7, taxed: 19.6 ⇒ 20.
    assert_eq!(in_short(&entries[0]), [("tuition", 98), ("tax", 20), ("additional-fee", 300)]);
    let autumn = [
        ("tuition", 1_000),
        ("tax", 200),
        ("tuition", 1_000),
        ("tax", 200),
        ("additional-fee", 200),
        ("additional-fee", 200),
        ("trial", 500),
        ("tax", 100),
    ];
    assert_eq!(in_short(&entries[1]), autumn);
    let registration = [
        ("registration-fee", 700),
        ("registration-fee", 1_500),
        ("tax", 300),
        ("registration-fee", 1_500),
        ("tax", 300),
    ];
    assert_eq!(in_short(&entries[2]), registration, "of both seasons");
    // 418 + 3400 + 4300.
    assert_eq!(in_short(&entries[3]), [("payment-auto", 8_118)]);
    assert!(entries.iter().all(|entry| entry.on == TODAY));
}

#[test]
fn r32_a_season_of_which_only_a_trial_or_a_fee_is_due_has_a_debit() {
    let mut studio = with_fees();
    let entries = written(&studio, &priced(&studio, &trials([trial("stu_a", "cls_c", date(2026, 9, 11))])));
    assert_eq!((entries[0].description.as_str(), in_short(&entries[0])), ("Spring", vec![("trial", 500)]));
    assert_eq!(entries.len(), 2, "and the credit: a trial costs no fees");
    season(&mut studio).plans[0].first_payment_on = date(2026, 10, 1);
    let entries = written(&studio, &priced(&studio, &wanting("aA")));
    let debits: Vec<_> = entries.iter().map(|entry| (entry.description.as_str(), in_short(entry))).collect();
    let expected = [
        ("Autumn", vec![("additional-fee", 200)]),
        ("Registration", vec![("registration-fee", 1_500)]),
        ("Payment", vec![("payment-auto", 1_700)]),
    ];
    assert_eq!(debits, expected);
    season(&mut studio).additional_fees.clear();
    let entries = written(&studio, &priced(&studio, &wanting("aA")));
    let descriptions: Vec<_> = entries.iter().map(|entry| entry.description.as_str()).collect();
    assert_eq!(descriptions, ["Registration", "Payment"], "a debit of no details is not written");
}

#[test]
fn r33_a_detail_names_its_class_student_booking_season_and_plan() {
    let mut studio = two_seasons();
    season(&mut studio).plans[0].discount = percent("10");
    tax(&mut studio, TaxMode::Exclusive, "20");
    let enrolments = vec![place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_c", "pp_s")];
    let quote = priced(&studio, &Basket::new(enrolments, vec![trial("stu_b", "cls_a", date(2026, 9, 14))]));
    let entries = written(&studio, &quote);
    let about = |entry: usize, detail: usize| entries[entry].details[detail].about.join(" ");
    assert_eq!(about(0, 0), "cls_c stu_b enr_1 sea_0 pp_s");
    assert_eq!(
        in_short(&entries[1]),
        [("tuition", 1_000), ("tax", 200), ("discount", -100), ("discount-tax", -20), ("trial", 500), ("tax", 100)]
    );
    for detail in 0..4 {
        assert_eq!(about(1, detail), "cls_a stu_a enr_0 sea_1 pp_u");
    }
    for detail in 4..6 {
        assert_eq!(about(1, detail), "cls_a stu_b trl_0 sea_1");
    }
    assert_eq!(about(2, 0), "", "a payment is about nothing in particular");
}

#[test]
fn r33_every_line_and_trial_is_booked_under_an_id_of_its_own() {
    let studio = costing(1_000);
    let tries = vec![trial("stu_b", "cls_b", date(2026, 9, 9)), trial("stu_a", "cls_b", date(2026, 9, 9))];
    let quote = priced(&studio, &Basket::new(wanting("bA aA").enrolments().to_vec(), tries));
    let booked = booked(&quote);
    let lines: Vec<_> = booked.lines().iter().map(|(line, id)| (line.item.student.as_str(), id.as_str())).collect();
    assert_eq!(lines, [("stu_a", "enr_0"), ("stu_b", "enr_1")]);
    let trials: Vec<_> = booked.trials().iter().map(|(trial, id)| (trial.item.student.as_str(), id.as_str())).collect();
    assert_eq!(trials, [("stu_a", "trl_0"), ("stu_b", "trl_1")]);
}

#[test]
fn r33_a_discount_names_what_gives_it_and_a_fee_its_student_and_season() {
    let mut studio = with_fees();
    season(&mut studio).plans[0].discount = percent("10");
    discount(&mut studio, DiscountKind::StudentsOfFamily, Application::TotalTuition, [(1, percent_off("5"))]);
    discount(&mut studio, DiscountKind::ClassesOfFamily, Application::TotalTuition, [(1, percent_off("5"))]);
    tax(&mut studio, TaxMode::Exclusive, "20");
    let entries = written(&studio, &priced(&studio, &ada_in_a()));
    let about = |entry: &Entry| {
        let detail = |detail: &Detail| format!("{}: {}", detail.kind.as_str(), detail.about.join(" "));
        entry.details.iter().map(detail).collect::<Vec<_>>()
    };
    let autumn = [
        "tuition: cls_a stu_a enr_0 sea_1 pp_u",
        "tax: cls_a stu_a enr_0 sea_1 pp_u",
        "discount: cls_a stu_a enr_0 sea_1 dsc_students",
        "discount: cls_a stu_a enr_0 sea_1 dsc_family",
        "discount: cls_a stu_a enr_0 sea_1 pp_u",
        "discount-tax: cls_a stu_a enr_0 sea_1 pp_u",
        "additional-fee: stu_a sea_1 mkpl_1",
    ];
    assert_eq!(about(&entries[0]), autumn);
    assert_eq!(about(&entries[1]), ["registration-fee: stu_a sea_1 reg_1", "tax: stu_a sea_1 reg_1"]);
}

#[test]
fn r34_a_later_instalment_keeps_its_details_and_is_not_debited() {
    let mut studio = costing(1_001);
    season(&mut studio).plans = vec![monthly("pp_m", 3)];
    tax(&mut studio, TaxMode::Exclusive, "20");
    let quote = priced(&studio, &places([place("stu_a", "cls_a", "pp_m")]));
    let instalments = &quote.lines[0].instalments;
    // 1001 + 200 = 1201 = 401 + 400 + 400, of which tax is 67 + 67 + 66.
    assert_eq!(due(instalments), [(TODAY, 401), (date(2026, 10, 7), 400), (date(2026, 11, 7), 400)]);
    let later: Vec<_> = instalments[1..].iter().map(|later| studio::in_short(&later.details)).collect();
    assert_eq!(later, [[("tuition", 333), ("tax", 67)], [("tuition", 334), ("tax", 66)]]);
    let entries = written(&studio, &quote);
    assert_eq!(entries.len(), 2, "a debit and a credit");
    assert!(entries.iter().all(|entry| entry.on == TODAY));
    assert_eq!(in_short(&entries[0]), [("tuition", 334), ("tax", 67)]);
}

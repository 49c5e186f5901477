//! Trials: when there is one, how many, and what it costs. Each test is named for the rule that it tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::{Basket, TrialItem};
use classpay_domain::catalogue::{Application, DiscountKind, PricingModel, TaxMode, TrialState};
use classpay_domain::pricing::{BrokenRule, Buyer, quote};
use jiff::civil::{Date, date, time};
use studio::{
    broken, broken_by, class, costing, discount, enrol, id, in_short, money, monthly, on_sale, percent, percent_off,
    place, places, priced, priced_on, refused, refused_to_staff, season, tax, tax_rate, trial, trials, tried,
    units_off,
};

/// Wednesdays, the days of class B.
const FIRST: Date = date(2026, 9, 9);
const SECOND: Date = date(2026, 9, 16);

#[test]
fn r27_trial_not_available_unless_it_is_a_lesson_left_of_a_class_with_trials() {
    let off = broken(BrokenRule::TrialNotAvailable, ["Ada tries Tap on 2026-09-09", "Ben tries Tap on 2026-09-09"]);
    let basket = trials([trial("stu_a", "cls_b", FIRST), trial("stu_b", "cls_b", FIRST)]);
    let mut studio = studio::studio();
    studio.company.trials.enabled_on_portal = false;
    assert_eq!(refused(&studio, &basket), off, "families may not");
    assert_eq!(refused_to_staff(&studio, &basket), None, "staff may");
    let mut studio = studio::studio();
    class(&mut studio, "cls_b").takes_trials = false;
    assert_eq!(refused(&studio, &basket), off);
    assert_eq!(refused_to_staff(&studio, &basket), off, "no trial is no trial");

    let ben = trial("stu_b", "cls_b", SECOND);
    let at = |item: TrialItem| trials([item, ben.clone()]);
    let too_early = TrialItem { at: time(16, 0, 0, 0), ..trial("stu_a", "cls_b", SECOND) };
    let table = [
        ("a Thursday", at(trial("stu_a", "cls_b", date(2026, 9, 17)))),
        ("half-term", at(trial("stu_a", "cls_b", date(2026, 10, 28)))),
        ("a lesson that is over", at(trial("stu_a", "cls_b", FIRST))),
        ("after the last lesson", at(trial("stu_a", "cls_b", date(2026, 12, 23)))),
        ("another time of day", at(too_early)),
    ];
    for (scenario, basket) in table {
        for buyer in [Buyer::Family, Buyer::Staff] {
            let only_ada = broken_by(buyer, &studio::studio(), &basket, date(2026, 9, 10));
            let on = basket.trials()[0].on;
            assert_eq!(
                only_ada,
                broken(BrokenRule::TrialNotAvailable, [&format!("Ada tries Tap on {on}")]),
                "{scenario}"
            );
        }
    }
}

#[test]
fn r27_trial_already_used_by_an_earlier_trial_or_an_enrolment_in_that_class() {
    let mut studio = studio::studio();
    tried(&mut studio, "stu_a", "cls_b", SECOND, TrialState::Active);
    enrol(&mut studio, "enr_1", "stu_b", "cls_b");
    let basket = trials([trial("stu_a", "cls_b", FIRST), trial("stu_b", "cls_b", FIRST)]);
    let used = broken(BrokenRule::TrialAlreadyUsed, ["Ada tries Tap on 2026-09-09", "Ben tries Tap on 2026-09-09"]);
    assert_eq!(refused(&studio, &basket), used);
    assert_eq!(refused_to_staff(&studio, &basket), used);
    let monday = date(2026, 9, 14);
    let elsewhere = Basket::new(vec![place("stu_a", "cls_b", "pp_u")], vec![trial("stu_b", "cls_a", monday)]);
    assert_eq!(refused(&studio, &elsewhere), None, "another class, or enrolling after a trial");
}

#[test]
fn r28_trial_full_names_all_of_the_basket_s_trials_of_that_lesson() {
    let mut studio = studio::studio();
    studio.company.trials.places_per_lesson = Some(2);
    let basket = trials([trial("stu_a", "cls_b", FIRST), trial("stu_b", "cls_b", FIRST)]);
    assert_eq!(refused(&studio, &basket), None);
    on_sale(&mut studio, "cls_b").trials_booked.insert(FIRST, 1);
    let full = broken(BrokenRule::TrialFull, ["Ada tries Tap on 2026-09-09", "Ben tries Tap on 2026-09-09"]);
    assert_eq!(refused(&studio, &basket), full);
    assert_eq!(refused_to_staff(&studio, &basket), full);
    let apart = trials([trial("stu_a", "cls_b", FIRST), trial("stu_b", "cls_b", SECOND)]);
    assert_eq!(refused(&studio, &apart), None, "one place each");
    studio.company.trials.places_per_lesson = None;
    assert_eq!(refused(&studio, &basket), None, "no limit");
}

#[test]
fn r27_a_lesson_of_today_can_be_tried_until_it_begins() {
    let basket = trials([trial("stu_a", "cls_b", FIRST)]);
    let studio = studio::studio();
    for (scenario, now, is_left) in [
        ("the evening before", date(2026, 9, 8).at(20, 0, 0, 0), true),
        ("a second before", FIRST.at(16, 29, 59, 0), true),
        ("it begins", FIRST.at(16, 30, 0, 0), false),
    ] {
        for buyer in [Buyer::Family, Buyer::Staff] {
            let rule = quote(&studio, &basket, now, buyer).err().map(|refusal| refusal.rule);
            assert_eq!(rule, (!is_left).then_some(BrokenRule::TrialNotAvailable), "{scenario}, {buyer:?}");
        }
    }
}

#[test]
fn r27_one_trial_for_a_student_in_a_class() {
    let mut studio = studio::studio();
    tried(&mut studio, "stu_b", "cls_b", FIRST, TrialState::Active);
    assert_eq!(refused(&studio, &trials([trial("stu_a", "cls_b", FIRST)])), None, "another student's");
    studio.family.trials[0].student = id("stu_a");
    let monday = trial("stu_a", "cls_a", date(2026, 9, 14));
    assert_eq!(refused(&studio, &trials([monday])), None, "another class's");
    let again = trials([trial("stu_a", "cls_b", SECOND)]);
    let used = broken(BrokenRule::TrialAlreadyUsed, ["Ada tries Tap on 2026-09-16"]);
    assert_eq!(refused(&studio, &again), used, "another lesson of the class");
    for state in [TrialState::Reserved, TrialState::Ended] {
        studio.family.trials[0].state = state;
        assert_eq!(refused(&studio, &again), used, "{state:?}");
    }
}

#[test]
fn r6_a_lesson_that_is_paid_as_a_trial_is_not_paid_again() {
    let fifth = date(2026, 10, 7);
    // What Ada's place in Tap costs: 14 lessons at 9.25, 4 months, a season.
    let table = [
        (PricingModel::PerLesson, Some((fifth, TrialState::Active)), 13 * 925),
        (PricingModel::PerLesson, Some((fifth, TrialState::Reserved)), 14 * 925),
        (PricingModel::PerLesson, Some((fifth, TrialState::Ended)), 14 * 925),
        (PricingModel::PerLesson, Some((date(2026, 10, 28), TrialState::Active)), 14 * 925),
        (PricingModel::PerLesson, None, 14 * 925),
        (PricingModel::PerMonth, Some((fifth, TrialState::Active)), 4 * 925),
        (PricingModel::PerSeason, Some((fifth, TrialState::Active)), 925),
    ];
    for (model, trial, base) in table {
        let mut studio = studio::studio();
        season(&mut studio).pricing_model = model;
        if let Some((on, state)) = trial {
            tried(&mut studio, "stu_a", "cls_b", on, state);
        }
        let both = [place("stu_a", "cls_b", "pp_u"), place("stu_b", "cls_b", "pp_u")];
        let quote = priced(&studio, &places(both));
        let of_ben = quote.lines[1].totals.total;
        assert_eq!(quote.lines[0].totals.total, money(base), "{model:?} {trial:?}");
        let others = if model == PricingModel::PerLesson { 14 * 925 } else { base };
        assert_eq!(of_ben, money(others), "{model:?} {trial:?}: another student's trial is not his");
        let in_ballet = priced(&studio, &places([place("stu_a", "cls_a", "pp_u")]));
        assert!(in_ballet.ended_trials.is_empty(), "{model:?} {trial:?}: nor another class's");
    }
}

#[test]
fn r6_a_class_has_ended_for_whose_trial_is_the_only_lesson_left() {
    let last = date(2026, 12, 16);
    let mut studio = studio::studio();
    tried(&mut studio, "stu_a", "cls_b", last, TrialState::Active);
    let both = places([place("stu_a", "cls_b", "pp_u"), place("stu_b", "cls_b", "pp_u")]);
    let ended = broken(BrokenRule::ClassEnded, ["Ada in Tap"]);
    for buyer in [Buyer::Family, Buyer::Staff] {
        assert_eq!(broken_by(buyer, &studio, &both, last), ended, "{buyer:?}");
        assert_eq!(broken_by(buyer, &studio, &both, date(2026, 12, 9)), None, "{buyer:?}: two are left");
    }
    for model in [PricingModel::PerMonth, PricingModel::PerSeason] {
        season(&mut studio).pricing_model = model;
        let quote = priced_on(&studio, &both, last);
        assert_eq!((quote.lines.len(), quote.ended_trials.len()), (2, 1), "{model:?} is not paid by the lesson");
    }
}

#[test]
fn r14_what_a_fixed_discount_shrinks_by_leaves_out_a_lesson_paid_as_a_trial() {
    let mut studio = studio::studio();
    discount(&mut studio, DiscountKind::ClassesOfStudent, Application::TotalTuition, [(1, units_off(1_400))]);
    tried(&mut studio, "stu_a", "cls_b", SECOND, TrialState::Active);
    let quote = priced(&studio, &places([place("stu_a", "cls_b", "pp_u")]));
    // 13 of 14 lessons: 14.00 off a whole class are 13.00.
    assert_eq!(in_short(&quote.lines[0].details), [("tuition", 13 * 925), ("discount", -1_300)]);
}

#[test]
fn r27_a_trial_that_is_still_to_come_ends_when_its_student_enrols() {
    let basket = Basket::new(vec![place("stu_a", "cls_b", "pp_u")], vec![trial("stu_b", "cls_b", SECOND)]);
    for model in [PricingModel::PerLesson, PricingModel::PerMonth, PricingModel::PerSeason] {
        let mut studio = studio::studio();
        season(&mut studio).pricing_model = model;
        tried(&mut studio, "stu_a", "cls_b", FIRST, TrialState::Active);
        tried(&mut studio, "stu_b", "cls_a", date(2026, 9, 14), TrialState::Active);
        let ended = |now| {
            let quote = quote(&studio, &basket, now, Buyer::Family).unwrap();
            quote.ended_trials.iter().map(|trial| trial.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ended(FIRST.at(16, 29, 59, 0)), ["trl_0"], "{model:?}");
        assert!(ended(FIRST.at(16, 30, 0, 0)).is_empty(), "{model:?}: it was had");
        for state in [TrialState::Reserved, TrialState::Ended] {
            studio.family.trials[0].state = state;
            let quote = priced(&studio, &basket);
            assert!(quote.ended_trials.is_empty(), "{model:?} {state:?}");
        }
    }
}

#[test]
fn r28_places_are_those_of_one_lesson_of_one_class() {
    let mut studio = studio::studio();
    studio.company.trials.places_per_lesson = Some(1);
    class(&mut studio, "cls_a").weekday = class(&mut studio, "cls_b").weekday;
    on_sale(&mut studio, "cls_b").trials_booked.insert(SECOND, 1);
    let basket = trials([trial("stu_a", "cls_a", FIRST), trial("stu_b", "cls_b", FIRST)]);
    assert_eq!(refused(&studio, &basket), None, "one place in either class, and the full lesson is another");
    let basket = trials([trial("stu_a", "cls_a", SECOND), trial("stu_b", "cls_b", SECOND)]);
    let full = broken(BrokenRule::TrialFull, ["Ben tries Tap on 2026-09-16"]);
    assert_eq!(refused(&studio, &basket), full);
    let basket = Basket::new(vec![place("stu_a", "cls_b", "pp_u")], vec![trial("stu_b", "cls_b", FIRST)]);
    assert_eq!(refused(&studio, &basket), None, "an enrolment takes no trial's place");
}

#[test]
fn r28_a_class_without_a_seat_left_has_none_for_a_trial() {
    let both = trials([trial("stu_a", "cls_b", FIRST), trial("stu_b", "cls_b", SECOND)]);
    let beside = Basket::new(vec![place("stu_a", "cls_b", "pp_u")], vec![trial("stu_b", "cls_b", FIRST)]);
    let in_another = Basket::new(vec![place("stu_a", "cls_a", "pp_u")], vec![trial("stu_b", "cls_b", FIRST)]);
    let full = |items: [&str; 2]| broken(BrokenRule::TrialFull, items);
    let table = [
        (&both, Some(0), full(["Ada tries Tap on 2026-09-09", "Ben tries Tap on 2026-09-16"])),
        (&both, Some(1), None),
        (&both, None, None),
        (&beside, Some(0), broken(BrokenRule::ClassFull, ["Ada in Tap"])),
        (&beside, Some(1), full(["Ada in Tap", "Ben tries Tap on 2026-09-09"])),
        (&beside, Some(2), None),
        (&beside, None, None),
        (&in_another, Some(0), broken(BrokenRule::TrialFull, ["Ben tries Tap on 2026-09-09"])),
        (&in_another, Some(1), None),
    ];
    for (basket, left, refusal) in table {
        let mut studio = studio::studio();
        studio.company.trials.places_per_lesson = Some(2);
        on_sale(&mut studio, "cls_b").seats.left = left;
        assert_eq!(refused(&studio, basket), refusal, "{left:?} left for {basket:?}");
        assert_eq!(refused_to_staff(&studio, basket), refusal, "{left:?} left for {basket:?}");
        studio.company.trials.places_per_lesson = None;
        assert_eq!(refused(&studio, basket), refusal, "{left:?} left, and any number of trials in a lesson");
    }
}

#[test]
fn r29_a_trial_has_the_company_s_price_the_class_s_tax_and_no_discount() {
    let table: [(_, &[_], _); 2] = [
        (TaxMode::Exclusive, &[("trial", 500), ("tax", 100)], 600),
        (TaxMode::Inclusive, &[("trial", 417), ("tax", 83)], 500),
    ];
    for (mode, details, total) in table {
        let mut studio = costing(1_000);
        season(&mut studio).plans[0].discount = percent("50");
        discount(&mut studio, DiscountKind::StudentsOfFamily, Application::TotalTuition, [(1, percent_off("50"))]);
        tax(&mut studio, mode, "20");
        let quote = priced(&studio, &trials([trial("stu_a", "cls_b", FIRST)]));
        assert_eq!(in_short(&quote.trials[0].details), details, "{mode:?}");
        assert_eq!(quote.payment.unwrap().subtotal, money(total), "{mode:?}: it is due now, whole");
        assert!(quote.seasons.is_empty(), "{mode:?}: nothing is quoted on plans");
    }
    let mut studio = studio::studio();
    studio.company.trials.price = money(0);
    let quote = priced(&studio, &trials([trial("stu_a", "cls_b", FIRST)]));
    assert!(quote.trials[0].details.is_empty(), "a free trial has no details");
}

#[test]
fn r29_each_trial_is_due_now_at_its_class_s_tax() {
    let mut studio = costing(1_000);
    season(&mut studio).plans = vec![monthly("pp_m", 4)];
    tax(&mut studio, TaxMode::Exclusive, "20");
    tax_rate(&mut studio, "tax_2", "5.5");
    class(&mut studio, "cls_a").tax_rate = Some(id("tax_2"));
    class(&mut studio, "cls_b").tax_rate = None;
    let tries = vec![trial("stu_a", "cls_b", FIRST), trial("stu_b", "cls_a", date(2026, 9, 14))];
    let basket = Basket::new(vec![place("stu_a", "cls_a", "pp_m")], tries);
    let quote = priced(&studio, &basket);
    let details: Vec<_> = quote.trials.iter().map(|trial| in_short(&trial.details)).collect();
    // 5.5 % of 500 = 27.5.
    assert_eq!(details, [vec![("trial", 500)], vec![("trial", 500), ("tax", 28)]]);
    // A quarter of 1055 is 264 at first: 264 + 500 + 528.
    assert_eq!(quote.payment.unwrap().subtotal, money(1_292));
    let quote = priced_on(&studio, &trials([trial("stu_a", "cls_b", date(2026, 12, 16))]), date(2026, 12, 16));
    assert_eq!(quote.payment.unwrap().subtotal, money(500), "the last lesson costs what the first does");
}

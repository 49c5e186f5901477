//! What is taken off tuition: by discount schemes and, last, by the plan. Each test is named for the rule that it tells.
//!
//! Many tables read a student's or class's place in its group off the discount: on the [`ladder`], q is worth q units.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{Application, DiscountKind, Off, PricingModel, Studio};
use classpay_domain::pricing::Line;
use jiff::civil::{Date, Weekday, date};
use studio::{
    TODAY, ada_in_a, add_class, add_season, class, costing, discount, id, in_short, join, live, money, one_off,
    percent, percent_off, place, places, priced, priced_on, season, trial, units_off, wanting,
};

use Application::{IndividualItem, TotalTuition};
use DiscountKind::{ClassesOfFamily, ClassesOfStudent, StudentsOfFamily};

const KINDS: [DiscountKind; 3] = [StudentsOfFamily, ClassesOfStudent, ClassesOfFamily];

/// Ada, Ben and Cleo, and four classes at 10.00 (A and D), 20.00 (B) and 30.00 (C) for the season.
fn four_classes() -> Studio {
    let mut studio = costing(1_000);
    join(&mut studio, "stu_c", "Cleo");
    class(&mut studio, "cls_b").price = money(2_000);
    add_class(&mut studio, "cls_c", "Jazz", "sea_1", Weekday::Thursday).price = money(3_000);
    add_class(&mut studio, "cls_d", "Mime", "sea_1", Weekday::Friday).price = money(1_000);
    studio
}

/// A tier for each quantity from 1 to 9, which takes off as many units.
fn ladder(studio: &mut Studio, kind: DiscountKind, application: Application) {
    let tiers = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    discount(studio, kind, application, tiers.map(|q| (q, units_off(q.into()))));
}

/// The four classes under one ladder.
fn ranking(kind: DiscountKind, application: Application) -> Studio {
    let mut studio = four_classes();
    ladder(&mut studio, kind, application);
    studio
}

/// What is taken off each line, in the order of the basket: by student, then class.
fn off(studio: &Studio, basket: &Basket) -> Vec<u64> {
    priced(studio, basket).lines.iter().map(|line| line.totals.discount_total.units().unsigned_abs()).collect()
}

/// Ada's line in class A.
fn line(studio: &Studio) -> Line {
    line_on(studio, TODAY)
}

fn line_on(studio: &Studio, day: Date) -> Line {
    priced_on(studio, &ada_in_a(), day).lines.remove(0)
}

/// What is taken off a line, in the order of application.
fn taken(line: &Line) -> Vec<(&str, i64)> {
    line.discounts.iter().map(|discount| (&*discount.description, discount.amount.units())).collect()
}

fn discounted(mut studio: Studio, off: &str) -> Studio {
    season(&mut studio).plans[0].discount = percent(off);
    studio
}

#[test]
fn r10_only_discountable_classes_of_discountable_students_take_part() {
    // Both students in A at 10.00 and B at 20.00: what is taken off Ada in A, Ada in B, Ben in A, Ben in B.
    let basket = wanting("aA aB bA bB");
    let table = [
        (StudentsOfFamily, TotalTuition, [2, 2, 2, 2], [0, 2, 0, 2], [0, 0, 1, 1]),
        (StudentsOfFamily, IndividualItem, [1, 1, 2, 2], [0, 1, 0, 2], [0, 0, 1, 1]),
        (ClassesOfStudent, TotalTuition, [2, 2, 2, 2], [0, 1, 0, 1], [0, 0, 2, 2]),
        (ClassesOfStudent, IndividualItem, [2, 1, 2, 1], [0, 1, 0, 1], [0, 0, 2, 1]),
        (ClassesOfFamily, TotalTuition, [4, 4, 4, 4], [0, 2, 0, 2], [0, 0, 2, 2]),
        (ClassesOfFamily, IndividualItem, [3, 1, 4, 2], [0, 1, 0, 2], [0, 0, 2, 1]),
    ];
    for (kind, application, all, without_a, without_ada) in table {
        let mut studio = ranking(kind, application);
        assert_eq!(off(&studio, &basket), all, "{kind:?} {application:?}");
        class(&mut studio, "cls_a").discountable = false;
        assert_eq!(off(&studio, &basket), without_a, "{kind:?} {application:?}: class A is not discountable");
        class(&mut studio, "cls_a").discountable = true;
        studio.family.students.get_mut(&id("stu_a")).unwrap().discountable = false;
        assert_eq!(off(&studio, &basket), without_ada, "{kind:?} {application:?}: Ada is not discountable");
    }
}

#[test]
fn r10_live_enrolments_count_if_they_are_discountable_and_of_the_season() {
    // Any student's live enrolment makes two of a kind with Ada in A.
    for (kind, enrolled) in [(StudentsOfFamily, "bX"), (ClassesOfStudent, "aX"), (ClassesOfFamily, "bX")] {
        let mut studio = ranking(kind, TotalTuition);
        assert_eq!(off(&studio, &ada_in_a()), [1], "{kind:?}: alone");
        live(&mut studio, enrolled);
        assert_eq!(off(&studio, &ada_in_a()), [2], "{kind:?}: with {enrolled}");
        let mut other = studio.clone();
        other.family.enrolments[0].discountable = false;
        assert_eq!(off(&other, &ada_in_a()), [1], "{kind:?}: its class is not discountable");
        let mut other = studio.clone();
        other.family.enrolments[0].season = id("sea_2");
        assert_eq!(off(&other, &ada_in_a()), [1], "{kind:?}: it is another season's");
    }
    for kind in [StudentsOfFamily, ClassesOfFamily] {
        let mut studio = ranking(kind, TotalTuition);
        live(&mut studio, "bX");
        studio.family.students.get_mut(&id("stu_b")).unwrap().discountable = false;
        assert_eq!(off(&studio, &ada_in_a()), [1], "{kind:?}: Ben is not discountable");
    }
}

#[test]
fn r10_groups_are_within_one_season() {
    for kind in KINDS {
        for application in [TotalTuition, IndividualItem] {
            let mut studio = ranking(kind, application);
            let spring = add_season(&mut studio, "sea_2", "Spring");
            (spring.pricing_model, spring.plans) = (PricingModel::PerSeason, vec![one_off("pp_s")]);
            class(&mut studio, "cls_c").season = id("sea_2");
            class(&mut studio, "cls_d").season = id("sea_2");
            let basket = places([place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_c", "pp_s")]);
            assert_eq!(off(&studio, &basket), [1, 1], "{kind:?} {application:?}: Ada");
            let basket = places([place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_d", "pp_s")]);
            assert_eq!(off(&studio, &basket), [1, 1], "{kind:?} {application:?}: Ada and Ben");
        }
    }
}

#[test]
fn r10_a_trial_is_no_member_of_a_group() {
    for kind in KINDS {
        let tries = vec![trial("stu_b", "cls_b", date(2026, 9, 9)), trial("stu_a", "cls_b", date(2026, 9, 9))];
        let basket = Basket::new(ada_in_a().enrolments().to_vec(), tries);
        assert_eq!(off(&ranking(kind, TotalTuition), &basket), [1], "{kind:?}");
    }
}

#[test]
fn r10_the_plan_s_discount_is_for_every_line() {
    let mut studio = discounted(costing(1_000), "5");
    discount(&mut studio, ClassesOfFamily, TotalTuition, [(1, percent_off("10"))]);
    class(&mut studio, "cls_a").discountable = false;
    assert_eq!(taken(&line(&studio)), [("Plan discount 5%", -50)]);
}

#[test]
fn r10_a_line_keeps_whether_its_class_is_discountable() {
    // Once it is an enrolment, the class and the student are asked for each by itself.
    let mut studio = costing(1_000);
    studio.family.students.get_mut(&id("stu_a")).unwrap().discountable = false;
    assert!(line(&studio).discountable);
    class(&mut studio, "cls_a").discountable = false;
    assert!(!line(&studio).discountable);
}

#[test]
fn r11_schemes_apply_in_the_order_of_their_kinds_each_on_the_base_up_to_what_is_left() {
    let table: [(_, [Off; 3], &[_]); 7] = [
        (
            "each of 1000",
            [percent_off("10"), percent_off("20"), percent_off("30")],
            &[("Siblings", -100), ("Classes", -200), ("Family", -300)],
        ),
        (
            "400 are left",
            [percent_off("60"), percent_off("60"), percent_off("10")],
            &[("Siblings", -600), ("Classes", -400)],
        ),
        ("nothing is left", [percent_off("100"), percent_off("1"), units_off(1)], &[("Siblings", -1_000)]),
        ("nothing more is left", [units_off(0), units_off(999), units_off(2)], &[("Classes", -999), ("Family", -1)]),
        ("more than the base", [units_off(1_001), units_off(1), units_off(1)], &[("Siblings", -1_000)]),
        (
            "exactly what is left",
            [units_off(1), percent_off("10"), units_off(899)],
            &[("Siblings", -1), ("Classes", -100), ("Family", -899)],
        ),
        ("none", [units_off(0), percent_off("0"), units_off(0)], &[]),
    ];
    for (scenario, offs, expected) in table {
        let mut studio = costing(1_000);
        for (kind, off) in KINDS.into_iter().zip(offs).rev() {
            discount(&mut studio, kind, TotalTuition, [(1, off)]);
        }
        assert_eq!(taken(&line(&studio)), expected, "{scenario}");
    }
}

#[test]
fn r12_live_ones_come_first_then_the_dearer_base_then_student_and_class() {
    // A and D cost 10.00, B 20.00, C 30.00.
    let table: [(_, _, _, &[u64]); 20] = [
        (ClassesOfFamily, "", "aA aB aC", &[3, 2, 1]),
        (ClassesOfFamily, "", "aA bB cC", &[3, 2, 1]),
        (ClassesOfFamily, "", "aA aD bA", &[1, 2, 3]), // equal: by student, then class
        (ClassesOfFamily, "", "aD bA", &[1, 2]),       // equal: Ada before Ben, though D comes after A
        (ClassesOfFamily, "bX", "aC bA", &[2, 3]),
        (ClassesOfFamily, "aX bX bY", "cA", &[4]),
        (ClassesOfStudent, "", "aA aB bA bB", &[2, 1, 2, 1]),
        (ClassesOfStudent, "", "aA aC aD", &[2, 1, 3]), // A and D are equal: by class
        (ClassesOfStudent, "aX", "aB bB", &[2, 1]),
        (ClassesOfStudent, "aX aY", "aA aC bA", &[4, 3, 1]),
        (ClassesOfStudent, "bX cX", "aA", &[1]), // other students' don't count
        (StudentsOfFamily, "", "aA bB", &[2, 1]),
        (StudentsOfFamily, "", "aA aB bB", &[1, 1, 2]), // 3000 is more than 2000
        (StudentsOfFamily, "", "aA aD bC", &[2, 2, 1]), // 2000 is less than 3000
        (StudentsOfFamily, "", "aB aD bC cA", &[1, 1, 2, 3]), // 3000 each: by id
        (StudentsOfFamily, "bX", "aC bA", &[2, 1]),
        (StudentsOfFamily, "cX bX", "aC bA cB", &[3, 1, 2]), // the live ones by student
        (StudentsOfFamily, "cX", "aA bB", &[3, 2]),
        (StudentsOfFamily, "cX cY", "aA", &[2]), // Cleo is one student
        (StudentsOfFamily, "aX", "aA aB", &[1, 1]),
    ];
    for (kind, enrolled, wanted, expected) in table {
        let mut studio = ranking(kind, IndividualItem);
        live(&mut studio, enrolled);
        assert_eq!(off(&studio, &wanting(wanted)), expected, "{kind:?}: {enrolled} live, then {wanted}");
    }
}

#[test]
fn r12_a_student_comes_by_the_sum_of_his_discountable_bases() {
    let mut studio = ranking(StudentsOfFamily, IndividualItem);
    class(&mut studio, "cls_c").price = money(1_500);
    let basket = wanting("aA aB bC");
    assert_eq!(off(&studio, &basket), [1, 1, 2], "3000 is more than 1500");
    class(&mut studio, "cls_b").discountable = false;
    assert_eq!(off(&studio, &basket), [2, 0, 1], "1000 is less than 1500");
}

#[test]
fn r12_the_dearer_one_is_that_of_the_greater_base_not_price() {
    let mut studio = ranking(ClassesOfFamily, IndividualItem);
    season(&mut studio).pricing_model = PricingModel::PerLesson;
    class(&mut studio, "cls_b").last_lesson_on = date(2026, 9, 16);
    // 14 × 1000 in A is more than 2 × 2000 in B.
    assert_eq!(off(&studio, &wanting("aA aB")), [1, 2]);
}

#[test]
fn r13_a_tier_is_that_with_the_greatest_quantity_up_to_the_group_s_or_the_member_s_place() {
    let tiers = [(2, units_off(5)), (4, units_off(9))];
    let mut studio = four_classes();
    discount(&mut studio, ClassesOfFamily, TotalTuition, tiers);
    for (wanted, expected) in [
        ("aA", &[0][..]),
        ("aA aB", &[5, 5]),
        ("aA aB bA", &[5, 5, 5]),
        ("aA aB bA bB", &[9, 9, 9, 9]),
        ("aA aB bA bB cA", &[9, 9, 9, 9, 9]),
    ] {
        assert_eq!(off(&studio, &wanting(wanted)), expected, "the group of {wanted}");
    }
    discount(&mut studio, ClassesOfFamily, IndividualItem, tiers);
    // C is the first, B the second, then A, then D.
    assert_eq!(off(&studio, &wanting("aA aB aC aD")), [5, 5, 0, 9]);
    for (enrolled, expected) in [("", 0), ("bX", 5), ("bX bY", 5), ("bX bY bZ", 9), ("bW bX bY bZ", 9)] {
        studio.family.enrolments.clear();
        live(&mut studio, enrolled);
        assert_eq!(off(&studio, &ada_in_a()), [expected], "Ada in A after {enrolled}");
    }
}

#[test]
fn r13_a_scheme_without_tiers_takes_nothing_off() {
    let mut studio = costing(1_000);
    for application in [TotalTuition, IndividualItem] {
        discount(&mut studio, ClassesOfFamily, application, []);
        assert!(taken(&line(&studio)).is_empty(), "{application:?}");
    }
}

#[test]
fn r14_a_percentage_is_rounded_and_of_the_base() {
    let table = [
        (1_000, "10", 100),
        (334, "10", 33), // 33.4
        (335, "10", 34), // 33.5, away from zero
        (5, "10", 1),    // 0.5
        (4, "10", 0),
        (1_000, "100", 1_000),
        (1_000, "0", 0),
        (0, "50", 0),
    ];
    for (price, tier, expected) in table {
        let mut studio = costing(price);
        discount(&mut studio, StudentsOfFamily, TotalTuition, [(1, percent_off(tier))]);
        assert_eq!(off(&studio, &ada_in_a()), [expected], "{tier}% of {price}");
        assert_eq!(line(&studio).discounts.is_empty(), expected == 0, "a discount of zero is none");
    }
}

#[test]
fn r12_what_a_student_has_who_has_left_counts_no_more() {
    for kind in KINDS {
        let mut studio = ranking(kind, TotalTuition);
        live(&mut studio, "aB bC bD");
        let before = off(&studio, &ada_in_a());
        studio.family.students.get_mut(&id("stu_b")).unwrap().archived = true;
        let without = off(&studio, &ada_in_a());
        let expected = if kind == ClassesOfStudent { before.clone() } else { vec![before[0] - lost(kind)] };
        assert_eq!(without, expected, "{kind:?}");
    }
}

/// How many members of its group a family loses with Ben: himself, or his two classes.
fn lost(kind: DiscountKind) -> u64 {
    if kind == StudentsOfFamily { 1 } else { 2 }
}

#[test]
fn r14_a_fixed_amount_is_for_the_whole_class_and_of_its_lessons_left_a_part() {
    // 14 lessons in all, the last on 14 December.
    let table = [
        (500, date(2026, 8, 1), 500),
        (500, date(2026, 9, 7), 500),
        (500, date(2026, 9, 8), 464),   // × 13/14 = 464.29
        (500, date(2026, 10, 20), 250), // × 7/14
        (501, date(2026, 10, 20), 251), // 250.5, away from zero
        (500, date(2026, 12, 14), 36),  // × 1/14 = 35.71
        (1, date(2026, 10, 20), 1),     // 0.5
        (1, date(2026, 11, 3), 0),      // × 6/14 = 0.43: none
        (0, date(2026, 9, 7), 0),
    ];
    let by_lesson = || {
        let mut studio = costing(1_000);
        season(&mut studio).pricing_model = PricingModel::PerLesson;
        studio
    };
    for (amount, day, expected) in table {
        let mut studio = by_lesson();
        discount(&mut studio, ClassesOfStudent, IndividualItem, [(1, units_off(amount))]);
        let line = line_on(&studio, day);
        assert_eq!(line.totals.discount_total.units().unsigned_abs(), expected, "{amount} from {day} on");
        assert_eq!(line.discounts.is_empty(), expected == 0, "{amount} from {day} on");
    }
    let mut studio = by_lesson();
    discount(&mut studio, ClassesOfStudent, IndividualItem, [(1, percent_off("10"))]);
    assert_eq!(taken(&line_on(&studio, date(2026, 12, 14))), [("Classes", -100)], "a percentage is of the base only");
}

#[test]
fn r14_a_fixed_amount_shrinks_by_the_season_s_own_yardstick() {
    // Lessons in September to December: on 2 December the last two Mondays and one of four months are left.
    let table = [(PricingModel::PerLesson, 71), (PricingModel::PerMonth, 125), (PricingModel::PerSeason, 500)];
    for (model, expected) in table {
        let mut studio = costing(10_000);
        season(&mut studio).pricing_model = model;
        discount(&mut studio, ClassesOfStudent, IndividualItem, [(1, units_off(500))]);
        let line = line_on(&studio, date(2026, 12, 2));
        assert_eq!(taken(&line), [("Classes", -expected)], "{model:?}");
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
        assert_eq!(*line.discounts[0].description, *format!("Plan discount {discount}%"));
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
fn r15_the_plan_s_discount_is_of_what_the_schemes_leave() {
    let table: [(_, _, _, &[_]); 5] = [
        (percent_off("10"), units_off(0), "5", &[("Siblings", -100), ("Plan discount 5%", -45)]),
        (percent_off("10"), units_off(50), "5", &[("Siblings", -100), ("Family", -50), ("Plan discount 5%", -43)]), // 42.5
        (percent_off("10"), units_off(0), "100", &[("Siblings", -100), ("Plan discount 100%", -900)]),
        (units_off(991), units_off(0), "5", &[("Siblings", -991)]), // 0.45 of 9
        (percent_off("100"), units_off(0), "50", &[("Siblings", -1_000)]),
    ];
    for (of_siblings, of_family, of_plan, expected) in table {
        let mut studio = discounted(costing(1_000), of_plan);
        discount(&mut studio, ClassesOfFamily, TotalTuition, [(1, of_family)]);
        discount(&mut studio, StudentsOfFamily, TotalTuition, [(1, of_siblings)]);
        assert_eq!(taken(&line(&studio)), expected, "{of_siblings:?}, {of_family:?}, {of_plan}%");
    }
}

//! The hash by which a checkout knows the quote again: another one for another price, the same one for the same.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story that breaks off has failed")]

mod studio;

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{
    Application, DiscountKind, Off, PricingModel, PricingPlan, PricingScheme, QuantityPrices, RegistrationFee,
    Repetition, Studio, TaxMode,
};
use jiff::civil::{Weekday, date, time};
use studio::{
    TODAY, add_class, add_season, additional, charged, class, costing, discount, id, live, money, monthly, one_off,
    percent, percent_off, place, places, priced, priced_on, registration, season, student, tax, trial, trials,
    undecided, units_off,
};

/// A studio with two plans, and a basket with a place and a trial.
fn hashed() -> (Studio, Basket) {
    let mut studio = costing(1_000);
    season(&mut studio).plans.push(monthly("pp_m", 4));
    studio.company.processing_fee = Some(percent("2.9"));
    let basket = Basket::new(vec![undecided("stu_a", "cls_a")], vec![trial("stu_b", "cls_b", date(2026, 9, 16))]);
    (studio, basket)
}

#[test]
fn the_quote_s_hash_is_the_same_whatever_plan_is_chosen() {
    let (studio, basket) = hashed();
    let hash = priced(&studio, &basket).hash;
    assert_eq!(hash.len(), 64);
    for plan in ["pp_u", "pp_m"] {
        let chosen = Basket::new(vec![place("stu_a", "cls_a", plan)], basket.trials().to_vec());
        assert_eq!(priced(&studio, &chosen).hash, hash, "{plan}");
    }
}

#[test]
fn the_quote_s_hash_does_not_know_the_order_of_the_items() {
    let (studio, _) = hashed();
    let (ada, ben) = (undecided("stu_a", "cls_a"), undecided("stu_b", "cls_a"));
    let wednesday = date(2026, 9, 16);
    let (ada_tries, ben_tries) = (trial("stu_a", "cls_b", wednesday), trial("stu_b", "cls_b", wednesday));
    let one = Basket::new(vec![ada.clone(), ben.clone()], vec![ada_tries.clone(), ben_tries.clone()]);
    let other = Basket::new(vec![ben, ada], vec![ben_tries, ada_tries]);
    assert_eq!(priced(&studio, &one), priced(&studio, &other));
}

/// A scheme with one tier.
fn scheme(studio: &mut Studio, tiers: [(u32, Off); 1]) {
    discount(studio, DiscountKind::ClassesOfFamily, Application::TotalTuition, tiers);
}

#[test]
fn the_quote_s_hash_is_another_when_anything_that_decides_the_price_is() {
    type Change = fn(&mut Studio);
    let table: [(&str, Change); 32] = [
        ("the class's price", |studio| class(studio, "cls_a").price = money(1_001)),
        ("the lessons left", |studio| season(studio).pricing_model = PricingModel::PerLesson),
        ("the trial's price", |studio| studio.company.trials.price = money(501)),
        ("the processing fee", |studio| studio.company.processing_fee = Some(percent("2.901"))),
        ("the smallest processing fee", |studio| studio.company.processing_fee = Some(percent("0.001"))),
        ("no processing fee", |studio| studio.company.processing_fee = None),
        ("the currency", |studio| {
            studio.company.currency = classpay_domain::catalogue::Currency::parse("eur").unwrap();
        }),
        ("another company on the same terms", |studio| studio.company.id = id("co_2")),
        ("tax is enabled, though nothing is taxed", |studio| studio.company.tax = Some(TaxMode::Exclusive)),
        ("and contained in what isn't", |studio| studio.company.tax = Some(TaxMode::Inclusive)),
        ("an exclusive tax", |studio| tax(studio, TaxMode::Exclusive, "20")),
        ("an inclusive tax", |studio| tax(studio, TaxMode::Inclusive, "20")),
        ("a plan's discount", |studio| season(studio).plans[1].discount = percent("5")),
        ("a plan's dates", |studio| season(studio).plans[1].payment_day = Some(8)),
        ("a plan is off", |studio| season(studio).plans[1].enabled = false),
        ("another plan on the same terms", |studio| season(studio).plans[1].id = id("pp_o")),
        ("another season on the same terms", |studio| {
            let plans = season(studio).plans.clone();
            let other = add_season(studio, "sea_2", "Autumn");
            (other.pricing_model, other.plans) = (PricingModel::PerSeason, plans);
            class(studio, "cls_a").season = id("sea_2");
        }),
        ("a plan more", |studio| {
            let plan = PricingPlan { id: id("pp_n"), ..monthly("pp_m", 4) };
            season(studio).plans.push(plan);
        }),
        ("a tier", |studio| scheme(studio, [(1, units_off(5))])),
        ("another tier", |studio| scheme(studio, [(1, units_off(6))])),
        ("a percentage", |studio| scheme(studio, [(1, percent_off("1"))])),
        ("prices by quantity", |studio| {
            let prices = QuantityPrices::new(vec![money(1_002)]);
            season(studio).pricing_scheme = PricingScheme::ClassQuantity(prices);
        }),
        ("other prices by quantity", |studio| {
            let prices = QuantityPrices::new(vec![money(1_003)]);
            season(studio).pricing_scheme = PricingScheme::ClassQuantity(prices);
        }),
        ("a live enrolment that a scheme counts", |studio| {
            scheme(studio, [(2, units_off(7))]);
            live(studio, "bX");
        }),
        ("a registration fee", |studio| {
            season(studio).registration_fee = Some(registration("reg_1", 1_500, Repetition::Annual));
        }),
        ("another of the same amount", |studio| {
            season(studio).registration_fee = Some(registration("reg_2", 1_500, Repetition::Annual));
        }),
        ("another period of it", |studio| {
            season(studio).registration_fee = Some(registration("reg_1", 1_500, Repetition::PerSeason));
        }),
        ("another amount of it", |studio| {
            season(studio).registration_fee = Some(registration("reg_1", 1_501, Repetition::Annual));
        }),
        ("what was charged of it before", |studio| {
            let capped =
                RegistrationFee { family_cap: Some(money(1_500)), ..registration("reg_1", 1_500, Repetition::Annual) };
            season(studio).registration_fee = Some(capped);
            charged(studio, "reg_1", "stu_b", "2026", 600);
        }),
        ("an additional fee", |studio| {
            season(studio).additional_fees = vec![additional("mkpl_1", "Costume", 1_000)];
        }),
        ("a registration fee of the same id, period and amount", |studio| {
            season(studio).registration_fee = Some(registration("mkpl_1", 1_000, Repetition::PerSeason));
        }),
        ("two additional fees", |studio| {
            season(studio).additional_fees =
                vec![additional("mkpl_1", "Costume", 1_000), additional("mkpl_2", "Shoes", 1_000)];
        }),
    ];
    let (studio, basket) = hashed();
    let mut hashes = BTreeSet::from([priced(&studio, &basket).hash]);
    for (story, change) in table {
        let mut changed = studio.clone();
        change(&mut changed);
        assert!(hashes.insert(priced(&changed, &basket).hash), "{story}");
    }
    assert!(hashes.insert(priced_on(&studio, &basket, date(2026, 9, 8)).hash), "tomorrow");
    let mut later = studio;
    season(&mut later).plans = vec![PricingPlan { first_payment_on: date(2026, 12, 1), ..one_off("pp_u") }];
    for day in [TODAY, date(2026, 9, 8)] {
        assert!(hashes.insert(priced_on(&later, &basket, day).hash), "{day}, though all is due in December");
    }
}

#[test]
fn the_quote_s_hash_is_another_for_another_basket() {
    let (mut studio, basket) = hashed();
    // Class C is sold like class A, and class D tried like class B.
    add_class(&mut studio, "cls_c", "Jazz", "sea_1", Weekday::Monday).price = money(1_000);
    add_class(&mut studio, "cls_d", "Mime", "sea_1", Weekday::Wednesday);
    let wednesday = date(2026, 9, 16);
    let mut later = trial("stu_b", "cls_b", date(2026, 9, 23));
    let others = [
        Basket::new(vec![undecided("stu_b", "cls_a")], basket.trials().to_vec()),
        Basket::new(vec![undecided("stu_a", "cls_c")], basket.trials().to_vec()),
        Basket::new(basket.enrolments().to_vec(), vec![trial("stu_a", "cls_b", wednesday)]),
        Basket::new(basket.enrolments().to_vec(), vec![trial("stu_b", "cls_d", wednesday)]),
        Basket::new(vec![undecided("stu_b", "cls_a")], vec![trial("stu_a", "cls_b", wednesday)]),
        Basket::new(basket.enrolments().to_vec(), vec![later.clone()]),
        places([undecided("stu_a", "cls_a")]),
        trials([trial("stu_b", "cls_b", wednesday)]),
    ];
    let mut hashes = BTreeSet::from([priced(&studio, &basket).hash]);
    for other in &others {
        assert!(hashes.insert(priced(&studio, other).hash), "{other:?}");
    }
    let mut earlier_in_the_day = studio;
    class(&mut earlier_in_the_day, "cls_b").starts_at = time(16, 0, 0, 0);
    later.at = time(16, 0, 0, 0);
    let basket = Basket::new(basket.enrolments().to_vec(), vec![later]);
    assert!(hashes.insert(priced(&earlier_in_the_day, &basket).hash), "another time of day");
}

#[test]
fn the_quote_s_hash_knows_which_student_pays_a_fee() {
    let (mut studio, _) = hashed();
    season(&mut studio).registration_fee = Some(registration("reg_1", 1_500, Repetition::Annual));
    let basket = places([undecided("stu_a", "cls_a"), undecided("stu_b", "cls_a")]);
    let paid_for = |who| {
        let mut studio = studio.clone();
        charged(&mut studio, "reg_1", who, "2026", 1_500);
        priced(&studio, &basket).hash
    };
    assert_ne!(paid_for("stu_a"), paid_for("stu_b"));
}

#[test]
fn the_quote_s_hash_does_not_mind_what_decides_no_price() {
    let (studio, basket) = hashed();
    let mut renamed = studio.clone();
    class(&mut renamed, "cls_a").name = "Classical ballet".into();
    renamed.family.students.insert(id("stu_c"), student("stu_c", "Cleo"));
    season(&mut renamed).name = "Winter".into();
    assert_eq!(priced(&renamed, &basket).hash, priced(&studio, &basket).hash);
}

#[test]
fn the_quote_s_hash_is_the_old_one_when_a_fee_has_been_charged_and_none_is_left() {
    let (mut studio, basket) = hashed();
    let without = priced(&studio, &basket).hash;
    season(&mut studio).registration_fee = Some(registration("reg_1", 1_500, Repetition::Annual));
    assert_ne!(priced(&studio, &basket).hash, without);
    charged(&mut studio, "reg_1", "stu_a", "2026", 1_500);
    assert_eq!(priced(&studio, &basket).hash, without, "it is the price that is hashed");
}

#[test]
fn the_quote_s_hash_is_the_same_for_any_plan_and_order_with_schemes_and_fees() {
    let (mut studio, _) = hashed();
    for kind in [DiscountKind::StudentsOfFamily, DiscountKind::ClassesOfStudent, DiscountKind::ClassesOfFamily] {
        let tiers = [(1, percent_off("1")), (2, percent_off("2")), (3, units_off(33))];
        discount(&mut studio, kind, Application::IndividualItem, tiers);
    }
    let capped = |fee| RegistrationFee { family_cap: Some(money(2_500)), ..fee };
    season(&mut studio).registration_fee = Some(capped(registration("reg_1", 1_500, Repetition::Annual)));
    season(&mut studio).additional_fees = vec![additional("mkpl_1", "Costume", 1_000)];
    let items = [("stu_b", "cls_a"), ("stu_a", "cls_b"), ("stu_a", "cls_a")];
    let undecided = places(items.map(|(who, class)| undecided(who, class)));
    let hash = priced(&studio, &undecided).hash;
    for plans in [["pp_u", "pp_u", "pp_m"], ["pp_m", "pp_u", "pp_u"], ["pp_m", "pp_m", "pp_m"]] {
        let mut chosen: Vec<_> =
            items.into_iter().zip(plans).map(|((who, class), plan)| place(who, class, plan)).collect();
        assert_eq!(priced(&studio, &Basket::new(chosen.clone(), vec![])).hash, hash, "{plans:?}");
        chosen.rotate_left(1);
        assert_eq!(priced(&studio, &Basket::new(chosen, vec![])).hash, hash, "{plans:?}");
    }
}

//! The hash by which a checkout knows the quote again: another one for another price, the same one for the same.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{
    Application, DiscountKind, Off, PricingModel, PricingPlan, PricingScheme, QuantityPrices, RegistrationFee,
    Repetition, Studio, TaxMode,
};
use jiff::civil::{Date, Weekday, date, time};
use studio::{
    TODAY, add_class, additional, charged, class, costing, discount, id, live, money, monthly, percent, percent_off,
    place, places, priced, priced_on, registration, season, student, tax, trial, trials, undecided, units_off,
};

/// A studio with two plans, and a basket with a place and a trial.
fn hashed() -> (Studio, Basket) {
    let mut studio = costing(1_000);
    season(&mut studio).plans.push(monthly("pp_m", 4));
    studio.company.processing_fee = Some(percent("2.9"));
    let basket = Basket::new(vec![place("stu_a", "cls_a", "pp_m")], vec![trial("stu_b", "cls_b", date(2026, 9, 16))]);
    (studio, basket)
}

/// The hash of a quote that has a payment.
fn hash(studio: &Studio, basket: &Basket) -> String {
    hash_on(studio, basket, TODAY)
}

fn hash_on(studio: &Studio, basket: &Basket, day: Date) -> String {
    priced_on(studio, basket, day).hash.unwrap()
}

#[test]
fn there_is_a_hash_where_there_is_a_payment() {
    let (studio, basket) = hashed();
    assert_eq!(hash(&studio, &basket).len(), 64);
    let undecided = Basket::new(vec![undecided("stu_a", "cls_a")], basket.trials().to_vec());
    let quote = priced(&studio, &undecided);
    assert_eq!((quote.hash, quote.payment), (None, None), "which of two plans isn't known");
    assert!(hash(&studio, &trials([trial("stu_b", "cls_b", date(2026, 9, 16))])).len() == 64);
}

#[test]
fn the_quote_s_hash_does_not_know_the_order_of_the_items() {
    let (studio, _) = hashed();
    let (ada, ben) = (place("stu_a", "cls_a", "pp_m"), place("stu_b", "cls_a", "pp_u"));
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
fn the_quote_s_hash_is_another_when_something_else_is_charged() {
    type Change = fn(&mut Studio);
    let table: [(&str, Change); 25] = [
        ("the class's price", |studio| class(studio, "cls_a").price = money(1_001)),
        ("the lessons left", |studio| season(studio).pricing_model = PricingModel::PerLesson),
        ("the trial's price", |studio| studio.company.trials.price = money(501)),
        ("the processing fee", |studio| studio.company.processing_fee = Some(percent("5"))),
        ("no processing fee", |studio| studio.company.processing_fee = None),
        ("the currency", |studio| {
            studio.company.currency = classpay_domain::catalogue::Currency::parse("eur").unwrap();
        }),
        ("another company on the same terms", |studio| studio.company.id = id("co_2")),
        ("an exclusive tax", |studio| tax(studio, TaxMode::Exclusive, "20")),
        ("an inclusive tax", |studio| tax(studio, TaxMode::Inclusive, "20")),
        ("the plan's later dates", |studio| season(studio).plans[1].payment_day = Some(8)),
        ("the plan's discount", |studio| season(studio).plans[1].discount = percent("5")),
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
    let mut hashes = BTreeSet::from([hash(&studio, &basket)]);
    for (scenario, change) in table {
        let mut changed = studio.clone();
        change(&mut changed);
        assert!(hashes.insert(hash(&changed, &basket)), "{scenario}");
    }
    for plan in ["pp_u", "pp_n"] {
        let mut changed = studio.clone();
        season(&mut changed).plans.push(PricingPlan { id: id("pp_n"), ..monthly("pp_m", 4) });
        let chosen = Basket::new(vec![place("stu_a", "cls_a", plan)], basket.trials().to_vec());
        assert!(hashes.insert(hash(&changed, &chosen)), "{plan} is chosen");
    }
}

#[test]
fn the_quote_s_hash_is_the_same_while_the_same_is_charged() {
    type Change = fn(&mut Studio);
    let table: [(&str, Change); 7] = [
        ("tax is enabled, though nothing is taxed", |studio| studio.company.tax = Some(TaxMode::Exclusive)),
        ("and contained in what isn't", |studio| studio.company.tax = Some(TaxMode::Inclusive)),
        ("the discount of a plan that is not chosen", |studio| season(studio).plans[0].discount = percent("5")),
        ("its dates", |studio| season(studio).plans[0].first_payment_on = date(2026, 12, 1)),
        ("it is off", |studio| season(studio).plans[0].enabled = false),
        ("a plan more", |studio| {
            season(studio).plans.push(PricingPlan { id: id("pp_n"), ..monthly("pp_m", 4) });
        }),
        ("a percentage that comes to the same fee", |studio| studio.company.processing_fee = Some(percent("2.901"))),
    ];
    let (studio, basket) = hashed();
    let expected = hash(&studio, &basket);
    for (scenario, change) in table {
        let mut changed = studio.clone();
        change(&mut changed);
        assert_eq!(hash(&changed, &basket), expected, "{scenario}");
    }
    // The class costs the season, whenever it is bought; its first part is due today, whichever day that is.
    assert_eq!(hash_on(&studio, &basket, date(2026, 9, 8)), expected, "a minute later it is tomorrow");
    let place = places([place("stu_a", "cls_a", "pp_m")]);
    assert_ne!(hash_on(&studio, &place, date(2026, 10, 7)), hash(&studio, &place), "two parts are due at once");
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
        Basket::new(vec![place("stu_b", "cls_a", "pp_m")], basket.trials().to_vec()),
        Basket::new(vec![place("stu_a", "cls_c", "pp_m")], basket.trials().to_vec()),
        Basket::new(basket.enrolments().to_vec(), vec![trial("stu_a", "cls_b", wednesday)]),
        Basket::new(basket.enrolments().to_vec(), vec![trial("stu_b", "cls_d", wednesday)]),
        Basket::new(vec![place("stu_b", "cls_a", "pp_m")], vec![trial("stu_a", "cls_b", wednesday)]),
        Basket::new(basket.enrolments().to_vec(), vec![later.clone()]),
        places([place("stu_a", "cls_a", "pp_m")]),
        trials([trial("stu_b", "cls_b", wednesday)]),
    ];
    let mut hashes = BTreeSet::from([hash(&studio, &basket)]);
    for other in &others {
        assert!(hashes.insert(hash(&studio, other)), "{other:?}");
    }
    let mut earlier_in_the_day = studio;
    class(&mut earlier_in_the_day, "cls_b").starts_at = time(16, 0, 0, 0);
    later.at = time(16, 0, 0, 0);
    let basket = Basket::new(basket.enrolments().to_vec(), vec![later]);
    assert!(hashes.insert(hash(&earlier_in_the_day, &basket)), "another time of day");
}

#[test]
fn the_quote_s_hash_knows_which_student_pays_a_fee() {
    let (mut studio, _) = hashed();
    season(&mut studio).registration_fee = Some(registration("reg_1", 1_500, Repetition::Annual));
    let basket = places([place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_a", "pp_u")]);
    let paid_for = |who| {
        let mut studio = studio.clone();
        charged(&mut studio, "reg_1", who, "2026", 1_500);
        hash(&studio, &basket)
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
    assert_eq!(hash(&renamed, &basket), hash(&studio, &basket));
}

#[test]
fn the_quote_s_hash_is_the_old_one_when_a_fee_has_been_charged_and_none_is_left() {
    let (mut studio, basket) = hashed();
    let without = hash(&studio, &basket);
    season(&mut studio).registration_fee = Some(registration("reg_1", 1_500, Repetition::Annual));
    assert_ne!(hash(&studio, &basket), without);
    charged(&mut studio, "reg_1", "stu_a", "2026", 1_500);
    assert_eq!(hash(&studio, &basket), without, "it is the price that is hashed");
}

#[test]
fn the_quote_s_hash_is_the_same_for_any_order_with_schemes_and_fees() {
    let (mut studio, _) = hashed();
    for kind in [DiscountKind::StudentsOfFamily, DiscountKind::ClassesOfStudent, DiscountKind::ClassesOfFamily] {
        let tiers = [(1, percent_off("1")), (2, percent_off("2")), (3, units_off(33))];
        discount(&mut studio, kind, Application::IndividualItem, tiers);
    }
    let capped = |fee| RegistrationFee { family_cap: Some(money(2_500)), ..fee };
    season(&mut studio).registration_fee = Some(capped(registration("reg_1", 1_500, Repetition::Annual)));
    season(&mut studio).additional_fees = vec![additional("mkpl_1", "Costume", 1_000)];
    let items = [("stu_b", "cls_a", "pp_u"), ("stu_a", "cls_b", "pp_m"), ("stu_a", "cls_a", "pp_m")];
    let mut chosen = items.map(|(who, class, plan)| place(who, class, plan)).to_vec();
    let expected = hash(&studio, &Basket::new(chosen.clone(), vec![]));
    for _ in 0..2 {
        chosen.rotate_left(1);
        assert_eq!(hash(&studio, &Basket::new(chosen.clone(), vec![])), expected);
    }
}

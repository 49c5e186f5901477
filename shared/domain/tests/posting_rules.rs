//! What a checkout writes to the ledger, and the hash by which it knows the quote again.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story that breaks off has failed")]

mod studio;

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{PricingModel, PricingPlan, Studio, TaxMode};
use classpay_domain::ledger::{Direction, Entry};
use classpay_domain::money::Money;
use classpay_domain::pricing::{Charge, Quote, postings};
use jiff::civil::{Weekday, date, time};
use studio::{
    TODAY, ada_in_a, add_class, add_season, booked, class, id, money, monthly, names, one_off, percent, place, places,
    priced, priced_on, season, student, tax, trial, trials, undecided,
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

/// The small studio with class A at 10.00 for the season.
fn costing_1000() -> Studio {
    let mut studio = studio::studio();
    season(&mut studio).pricing_model = PricingModel::PerSeason;
    class(&mut studio, "cls_a").price = money(1_000);
    studio
}

/// Autumn (`sea_1`) and, later in time but smaller in id, Spring (`sea_0`) with class C.
fn two_seasons() -> Studio {
    let mut studio = costing_1000();
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
    let studio = costing_1000();
    let entries = written(&studio, &priced(&studio, &ada_in_a()));
    assert_eq!(in_short(&entries[1]), [("payment-auto", 1_000)]);
}

#[test]
fn r32_only_what_is_due_now_is_debited() {
    let mut studio = costing_1000();
    season(&mut studio).plans = vec![monthly("pp_m", 4)];
    tax(&mut studio, TaxMode::Exclusive, "20");
    let entries = written(&studio, &priced(&studio, &places([place("stu_a", "cls_a", "pp_m")])));
    assert_eq!(in_short(&entries[0]), [("tuition", 250), ("tax", 50)]);
    assert_eq!(in_short(&entries[1]), [("payment-auto", 300)]);
}

#[test]
fn r31_what_is_too_little_to_collect_is_debited_without_a_credit() {
    let mut studio = costing_1000();
    class(&mut studio, "cls_a").price = money(29);
    let entries = written(&studio, &priced(&studio, &ada_in_a()));
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].balance_change(), Ok(money(29)), "it stays on the family's balance");
}

#[test]
fn r32_a_debit_whose_details_sum_to_zero_is_written() {
    let mut studio = costing_1000();
    season(&mut studio).plans[0].discount = percent("100");
    let entries = written(&studio, &priced(&studio, &ada_in_a()));
    assert_eq!(entries.len(), 1, "and no credit: nothing is due");
    assert_eq!(in_short(&entries[0]), [("tuition", 1_000), ("discount", -1_000)]);
    assert_eq!(entries[0].balance_change(), Ok(Money::ZERO));
}

#[test]
fn r32_a_debit_without_details_is_not_written() {
    let mut free = costing_1000();
    class(&mut free, "cls_a").price = Money::ZERO;
    let mut later = costing_1000();
    season(&mut later).plans[0].first_payment_on = date(2026, 10, 1);
    for (story, studio) in [("the class is free", free), ("all of it is due later", later)] {
        assert_eq!(written(&studio, &priced(&studio, &ada_in_a())), [], "{story}");
    }
    let mut studio = two_seasons();
    class(&mut studio, "cls_c").price = Money::ZERO;
    let quote = priced(&studio, &places([place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_c", "pp_s")]));
    let descriptions: Vec<_> = written(&studio, &quote).into_iter().map(|entry| entry.description).collect();
    assert_eq!(descriptions, ["Autumn", "Payment"], "only the season that costs something");
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

/// A studio with two plans, and a basket with a place and a trial.
fn hashed() -> (Studio, Basket) {
    let mut studio = costing_1000();
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

#[test]
fn the_quote_s_hash_is_another_when_anything_that_decides_the_price_is() {
    type Change = fn(&mut Studio);
    let table: [(&str, Change); 14] = [
        ("the class's price", |studio| class(studio, "cls_a").price = money(1_001)),
        ("the lessons left", |studio| season(studio).pricing_model = PricingModel::PerLesson),
        ("the trial's price", |studio| studio.company.trials.price = money(501)),
        ("the fee", |studio| studio.company.processing_fee = Some(percent("2.901"))),
        ("no fee", |studio| studio.company.processing_fee = None),
        ("the currency", |studio| {
            studio.company.currency = classpay_domain::catalogue::Currency::parse("eur").unwrap();
        }),
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
    let (studio, basket) = hashed();
    let mut later = trial("stu_b", "cls_b", date(2026, 9, 23));
    let others = [
        Basket::new(vec![undecided("stu_b", "cls_a")], vec![trial("stu_a", "cls_b", date(2026, 9, 16))]),
        Basket::new(basket.enrolments().to_vec(), vec![later.clone()]),
        places([undecided("stu_a", "cls_a")]),
        trials([trial("stu_b", "cls_b", date(2026, 9, 16))]),
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
fn the_quote_s_hash_does_not_mind_what_decides_no_price() {
    let (studio, basket) = hashed();
    let mut renamed = studio.clone();
    class(&mut renamed, "cls_a").name = "Classical ballet".into();
    renamed.family.students.insert(id("stu_c"), student("stu_c", "Cleo"));
    season(&mut renamed).name = "Winter".into();
    assert_eq!(priced(&renamed, &basket).hash, priced(&studio, &basket).hash);
}

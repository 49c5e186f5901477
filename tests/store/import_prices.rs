//! Loading a price list: what is read back, and which versions its changes increment.
//!
//! Any change to what a family is quoted increments the version of the class or of the family after it is written, even
//! if an import was interrupted in between.

use std::collections::BTreeMap;

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::catalogue::{DiscountKind, Studio as Loaded};
use classpay_domain::pricing::{self, Buyer};
use classpay_service::scope::{Access, FamilyScope, Role};
use classpay_service::store::key;
use classpay_tests::backend::Backend;
use classpay_tests::on_both;
use classpay_tests::price_list::{
    A, AUTUMN, B, BALLET, C, COMPANY, COSTUME, D, FAMILY_CLASSES, HOPPER, LOVELACE, PLAN_M, PLAN_U, REGISTRATION,
    SIBLINGS, SPRING, TAP, studio,
};
use classpay_tests::store_fixture::{StoreFixture, id};
use classpay_tests::studio::Studio;
use jiff::civil::date;
use serde_json::{Value, json};

const NOTHING: [&str; 0] = [];

async fn shop<M: Backend>() -> StoreFixture<M> {
    let shop = StoreFixture::empty().await;
    shop.import(&studio()).await;
    shop
}

async fn loaded(shop: &StoreFixture<impl Backend>, family: &str, basket: &Basket) -> Loaded {
    let scope = FamilyScope { company: id(COMPANY), family: id(family), role: Role::Family, access: Access::Granted };
    let loaded = shop.store.load_current_studio(&scope, basket).await.expect("the table answers");
    loaded.expect("a family of the studio").studio
}

fn nothing() -> Basket {
    Basket::new(Vec::new(), Vec::new())
}

async fn family_version(shop: &StoreFixture<impl Backend>, family: &str) -> i64 {
    shop.number(&key::family(&id(COMPANY), &id(family)), "family_version").await
}

async fn price_version(shop: &StoreFixture<impl Backend>, class: &str) -> i64 {
    shop.number(&key::seats(&id(COMPANY), &id(class)), "price_version").await
}

/// The studio with one more entry in a list of the second family.
fn with_one_more(list: &str, entry: &Value) -> Studio {
    let mut all: Value = serde_json::from_str(&studio().text()).expect("JSON");
    all["families"][1][list].as_array_mut().expect("a list").push(entry.clone());
    Studio::parse(&all.to_string())
}

fn charged(student: &str, fee: &str, period: &str) -> Value {
    json!({"feeId": fee, "studentId": student, "period": period, "amount": 1000})
}

fn enrolment() -> Value {
    json!({"id": "enr_d_a", "studentId": D, "classId": BALLET, "pricingPlanId": PLAN_U, "startAt": "2026-09-07"})
}

fn trial() -> Value {
    json!({"id": "trl_c_b", "studentId": C, "classId": TAP, "trialAt": "2026-09-23", "time": "16:30"})
}

async fn the_same_price_list_again_changes_nothing<M: Backend>() {
    let shop = shop::<M>().await;
    let before = shop.picture().await;
    assert_eq!(shop.import(&studio()).await, 0);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
}

async fn the_worked_example_is_priced_from_what_was_loaded<M: Backend>() {
    let shop = shop::<M>().await;
    let place = |student: &str, class: &str, plan| EnrolmentItem {
        student: id(student),
        class: id(class),
        plan: Some(id(plan)),
    };
    let trial = TrialItem { student: id(B), class: id(TAP), on: date(2026, 9, 9), at: id("16:30") };
    let basket =
        Basket::new(vec![place(A, BALLET, PLAN_U), place(A, TAP, PLAN_U), place(B, BALLET, PLAN_M)], vec![trial]);
    let studio = loaded(&shop, LOVELACE, &basket).await;
    let quote = pricing::quote(&studio, &basket, date(2026, 9, 7).at(9, 0, 0, 0), Buyer::Family).unwrap();
    assert_eq!(quote.payment.unwrap().total.units(), 37045);
}

async fn what_a_family_has_is_read_with_what_prices_depend_on<M: Backend>() {
    let shop = shop::<M>().await;
    let studio = loaded(&shop, HOPPER, &nothing()).await;
    let kinds: Vec<_> = studio.discount_schemes.keys().copied().collect();
    assert_eq!(kinds, [DiscountKind::StudentsOfFamily, DiscountKind::ClassesOfStudent]);
    let family = studio.family;
    assert_eq!((family.students[&id(C)].discountable, family.students[&id(D)].discountable), (true, false));
    let enrolled: BTreeMap<_, _> = family.enrolments.iter().map(|e| (e.season.as_str(), e.discountable)).collect();
    assert_eq!(enrolled, [(AUTUMN, true), (SPRING, false)].into());
    let mut fees: Vec<_> =
        family.charged_fees.iter().map(|c| (c.fee.as_str(), c.period.as_str(), c.amount.units())).collect();
    fees.sort_unstable();
    assert_eq!(fees, [(COSTUME, AUTUMN, 1000), (REGISTRATION, "2026-01-01", 1500)]);
}

async fn a_fee_that_was_given_back_does_not_count_and_is_not_charged_again_by_the_file<M: Backend>() {
    let shop = shop::<M>().await;
    let key = key::charged_fee(
        &id(COMPANY),
        &id(HOPPER),
        &id(COSTUME),
        &id(C),
        &classpay_domain::catalogue::FeePeriod::season(&id(AUTUMN)),
    );
    shop.set(&key, "fee_state", "RELEASED").await;
    let before = shop.picture().await;
    assert_eq!(shop.import(&studio()).await, 0);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
    let family = loaded(&shop, HOPPER, &nothing()).await.family;
    assert_eq!(family.charged_fees.iter().map(|c| c.fee.as_str()).collect::<Vec<_>>(), [REGISTRATION]);
}

async fn a_family_s_version_is_raised_by_what_changes_its_prices_and_by_nothing_else<M: Backend>() {
    let shop = shop::<M>().await;
    for (what, changed, written, raised) in [
        ("nothing", studio(), 0, 0),
        ("a class", studio().with(BALLET, &json!({"price": 900})), 1, 0),
        ("back again", studio(), 1, 0),
        ("a student who doesn't count", studio().with(C, &json!({"discountable": false})), 1, 1),
        ("a student who left", studio().with(C, &json!({"archivedAt": "2026-09-01 09:00:00"})), 1, 1),
        ("a student's age", studio().with(C, &json!({"dateOfBirth": "2018-01-01"})), 1, 1),
        ("the family", studio().with(HOPPER, &json!({"name": "Hopper-Reed"})), 2, 1),
        ("back again", studio(), 1, 1),
        ("a charged fee", with_one_more("chargedFees", &charged(D, COSTUME, AUTUMN)), 1, 1),
        ("an enrolment", with_one_more("enrolments", &enrolment()), 1, 1),
        ("a trial", with_one_more("trials", &trial()), 1, 1),
        ("what is there is not taken away", studio(), 0, 0),
    ] {
        let (before, other) = (family_version(&shop, HOPPER).await, family_version(&shop, LOVELACE).await);
        assert_eq!(shop.import(&changed).await, written, "{what}");
        assert_eq!(family_version(&shop, HOPPER).await, before + raised, "{what}");
        assert_eq!(family_version(&shop, LOVELACE).await, other, "{what}");
    }
    let family = loaded(&shop, HOPPER, &nothing()).await.family;
    assert_eq!((family.enrolments.len(), family.trials.len(), family.charged_fees.len()), (3, 2, 3));
}

async fn an_import_that_was_interrupted_between_a_student_and_the_family_is_completed_by_the_next<M: Backend>() {
    let (shop, whole) = (shop::<M>().await, shop::<M>().await);
    let changed = studio().with(C, &json!({"archivedAt": "2026-09-01 09:00:00"}));
    whole.import(&changed).await;
    // The student's document is written already, and nothing else.
    let student = key::student(&id(COMPANY), &id(HOPPER), &id(C));
    shop.put(whole.item(&student).await.unwrap()).await;
    let version = family_version(&shop, HOPPER).await;
    assert_eq!(shop.import(&changed).await, 0, "no document is left to write");
    assert_eq!(family_version(&shop, HOPPER).await, version + 1);
}

async fn a_class_s_version_is_raised_by_fees_and_schemes<M: Backend>() {
    let shop = shop::<M>().await;
    let (mut changed, mut ballet, mut modern) = (studio(), 1, 1);
    for (what, id, change, raised) in [
        ("the fee that a season takes", REGISTRATION, json!({"amount": 1600}), [1, 0]),
        ("an additional fee", COSTUME, json!({"amount": 1100}), [1, 0]),
        ("the price of so many classes", "psv_two", json!({"price": 20000}), [0, 1]),
        ("a scheme", SIBLINGS, json!({"enabled": false}), [1, 1]),
        ("a scheme that is given now", FAMILY_CLASSES, json!({"enabled": true}), [1, 1]),
        ("a tier", "dscv_two_classes", json!({"amount": 600}), [1, 1]),
        ("a fee that no season takes", "reg_given_up", json!({"amount": 1}), [0, 0]),
    ] {
        changed = changed.with(id, &change);
        assert_eq!(shop.import(&changed).await, if id == REGISTRATION { 2 } else { 1 }, "{what}");
        (ballet, modern) = (ballet + raised[0], modern + raised[1]);
        let versions = (price_version(&shop, BALLET).await, price_version(&shop, "cls_c").await);
        assert_eq!(versions, (ballet, modern), "{what}");
    }
}

async fn a_scheme_that_the_file_no_longer_has_is_not_given_and_another_takes_its_place<M: Backend>() {
    let shop = shop::<M>().await;
    let mut without: Value = serde_json::from_str(&studio().text()).unwrap();
    let schemes = without["discountSchemes"].as_array_mut().unwrap();
    schemes[0]["id"] = json!("dsc_new");
    schemes[0]["values"][0]["id"] = json!("dscv_new");
    let changed = Studio::parse(&without.to_string());
    assert_eq!(shop.import(&changed).await, 2, "one that is given and one that is not");
    assert_eq!(shop.import(&changed).await, 0);
    let schemes = loaded(&shop, HOPPER, &nothing()).await.discount_schemes;
    assert_eq!(schemes[&DiscountKind::StudentsOfFamily].id.as_str(), "dsc_new");
    assert_eq!(price_version(&shop, BALLET).await, 2);
    // Once it is back in the file it is given again.
    shop.import(&studio()).await;
    let schemes = loaded(&shop, HOPPER, &nothing()).await.discount_schemes;
    assert_eq!(schemes[&DiscountKind::StudentsOfFamily].id.as_str(), SIBLINGS);
}

on_both! {
    the_same_price_list_again_changes_nothing
    the_worked_example_is_priced_from_what_was_loaded
    what_a_family_has_is_read_with_what_prices_depend_on
    a_fee_that_was_given_back_does_not_count_and_is_not_charged_again_by_the_file
    a_family_s_version_is_raised_by_what_changes_its_prices_and_by_nothing_else
    an_import_that_was_interrupted_between_a_student_and_the_family_is_completed_by_the_next
    a_class_s_version_is_raised_by_fees_and_schemes
    a_scheme_that_the_file_no_longer_has_is_not_given_and_another_takes_its_place
}

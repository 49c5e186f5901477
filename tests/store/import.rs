//! Loading a studio again: changes are written, and sales stay.
//!
//! Seats change by the difference of the capacity, and a price's version by one for each change, and only then.

use classpay_import::{Extent, Removals};
use classpay_service::store::{Commit, key};
use classpay_service::stripe::KnownCustomer;
use classpay_tests::backend::{Backend, text};
use classpay_tests::store_fixture::{StoreFixture, id, known_customer};
use classpay_tests::studio::{ADA, BALLET, COMPANY, FULL, OKAFOR, POINTE, SEASON, SHOW, STREET, Studio, TAP, TOBI};
use classpay_tests::{COSTUMES, on_both};
use serde_json::json;

const NOTHING: [&str; 0] = [];

async fn the_same_studio_again_changes_nothing<M: Backend>() {
    let shop = StoreFixture::<M>::empty().await;
    assert!(shop.import(&Studio::demo()).await > 0);
    let before = shop.picture().await;
    assert_eq!(shop.import(&Studio::demo()).await, 0);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
}

async fn seats_move_by_the_difference_of_the_capacity<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let sold = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA), (BALLET, TOBI)], &[]).await;
    assert_eq!(shop.place(&sold).await, Commit::Done);
    assert_eq!(shop.seats_left(BALLET).await, 12);
    // Fewer; fewer than are sold (nobody is removed); unlimited; and finally the demo studio's 14 again.
    for (capacity, left) in
        [(json!(10), 8), (json!(1), -1), (json!(null), -2), (json!(0), -2), (json!(20), 18), (json!(14), 12)]
    {
        shop.import(&Studio::demo().with(BALLET, &json!({"capacity": capacity}))).await;
        assert_eq!(shop.seats_left(BALLET).await, left, "{capacity}");
    }
}

async fn a_class_that_becomes_limited_lets_in_no_more_than_that<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    shop.import(&Studio::demo().with(STREET, &json!({"capacity": null}))).await;
    let sold = shop.purchase("pi_1", OKAFOR, &[(STREET, ADA)], &[]).await;
    assert_eq!(shop.place(&sold).await, Commit::Done);
    // Minh of the studio, and Ada.
    shop.import(&Studio::demo().with(STREET, &json!({"capacity": 2}))).await;
    assert_eq!(shop.seats_left(STREET).await, 0);
}

async fn a_price_s_version_is_raised_by_what_changes_it_and_by_nothing_else<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let versions = async || {
        let mut versions = Vec::new();
        for class in [BALLET, TAP, SHOW] {
            versions.push(shop.price_version(class).await);
        }
        versions
    };
    let mut studio = Studio::demo();
    let mut expected = vec![1, 1, 1];
    let changes = [
        ("a class", BALLET, json!({"price": 900}), [1, 0, 0]),
        ("its season", SEASON, json!({"name": "This year"}), [1, 1, 0]),
        ("a plan of the season", FULL, json!({"discount": 6}), [1, 1, 0]),
        ("the company", COMPANY, json!({"settings": {"billing": {"processingFee": 3}}}), [1, 1, 1]),
        ("a tax rate", "tax_01J9ZDEMW5TVDJ0R00000VAT20", json!({"rate": "19.000"}), [1, 1, 1]),
        ("a holiday", "hol_01J9ZDEMW5TVDJ0R000AVT2026", json!({"endAt": "2026-10-29"}), [1, 1, 1]),
        ("a family", OKAFOR, json!({"name": "Okafor-Smith"}), [0, 0, 0]),
        ("a student", ADA, json!({"firstname": "Adaeze"}), [0, 0, 0]),
    ];
    for (what, id, change, raised) in changes {
        studio = studio.with(id, &change);
        shop.import(&studio).await;
        expected.iter_mut().zip(raised).for_each(|(version, more)| *version += more);
        assert_eq!(versions().await, expected, "{what}");
    }
}

async fn what_was_sold_is_not_reset<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let bought = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[(STREET, ADA, "2026-09-15")]).await;
    assert_eq!(shop.place(&bought).await, Commit::Done);
    assert_eq!(shop.store.post(&bought.record()).await, Ok(Commit::Done));
    let owing = shop.zero_due(OKAFOR, &[(TAP, ADA)], &[]).await;
    assert_eq!(shop.book(&owing, 0).await, Commit::Done);
    let (company, family, customer) = (id(COMPANY), id(OKAFOR), known_customer("cus_1", "acct_1", 1));
    let remembered = shop.store.remember_customer((&company, &family), &customer, &KnownCustomer::default()).await;
    assert_eq!(remembered, Ok(Commit::Done));

    let before = shop.picture().await;
    assert_eq!(shop.import(&Studio::demo()).await, 0);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);

    shop.import(&Studio::demo().with(OKAFOR, &json!({"name": "Okafor-Smith"}))).await;
    let changed = format!("~ C#{COMPANY}#F#{OKAFOR}/META doc family_version imported_from");
    assert_eq!(before.changes(&shop.picture().await), [changed]);
    // A family that is no longer in the file stays as it is.
    let before = shop.picture().await;
    shop.import(&Studio::demo().with(BALLET, &json!({"price": 900}))).await;
    let changes = before.changes(&shop.picture().await);
    assert!(!changes.iter().any(|change| change.contains("/ENR#") || change.contains("/TRIAL#")), "{changes:#?}");
}

async fn an_enrolment_of_the_file_that_was_given_up_is_not_brought_back<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let seats = shop.seats_left(POINTE).await;
    let grace = id("stu_01J9ZDEMW5TVDJ0R00000GRACE");
    let key = key::enrolment(&id(COMPANY), &id("fml_01J9ZDEMW5TVDJ0R000BENNETT"), &grace, &id(POINTE));
    shop.set(&key, "place_state", "CANCELLED").await;
    shop.import(&Studio::demo().with(POINTE, &json!({"name": "Pointe"}))).await;
    assert_eq!(shop.item(&key).await.unwrap()["place_state"], text("CANCELLED"));
    assert_eq!(shop.seats_left(POINTE).await, seats);
}

async fn a_lesson_that_a_file_books_beyond_its_places_is_named_if_it_is_to_come<M: Backend>() {
    let limited = json!({"settings": {"trial": {"limitedCapacity": true, "maxCapacityPerLesson": 1}}});
    let booked = |on: &str| {
        let trial = |id: &str, student: &str| json!({"id": id, "studentId": student, "classId": BALLET, "trialAt": on, "time": "16:30"});
        let trials = json!({"trials": [trial("trl_1", ADA), trial("trl_2", TOBI)]});
        Studio::demo().with(COMPANY, &limited).with(OKAFOR, &trials)
    };
    let shop = StoreFixture::<M>::open().await;
    let (_, named) = shop.load(&booked("2026-08-31"), Extent::Part).await.unwrap();
    assert_eq!(named, []);
    let shop = StoreFixture::<M>::open().await;
    let (_, named) = shop.load(&booked("2026-11-30"), Extent::Part).await.unwrap();
    let [lesson] = &named[..] else { panic!("one lesson: {named:?}") };
    // The demo studio's trial for Priya is the first.
    assert_eq!((lesson.on, lesson.places, lesson.taken), (Some(id("2026-11-30")), 1, 3));
    assert_eq!(lesson.added.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["trl_1", "trl_2"]);
}

async fn a_place_that_an_order_gave_back_is_the_file_s<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let ada = key::enrolment(&id(COMPANY), &id(OKAFOR), &id(ADA), &id(TAP));
    let sold = shop.purchase("pi_1", OKAFOR, &[(TAP, ADA)], &[]).await;
    assert_eq!(shop.place(&sold).await, Commit::Done);
    let own = json!({"enrolments": [{"id": "enr_ada", "studentId": ADA, "classId": TAP, "pricingPlanId": FULL}]});
    let studio = Studio::demo().with(OKAFOR, &own);
    // A payment for it is in progress.
    assert_eq!(shop.import(&studio).await, 0);
    assert_ne!(shop.item(&ada).await.unwrap()["enrolment_id"], text("enr_ada"));
    shop.set(&ada, "place_state", "CANCELLED").await;
    let left = shop.seats_left(TAP).await;
    assert_eq!([shop.import(&studio).await, shop.import(&studio).await], [1, 0]);
    let item = shop.item(&ada).await.unwrap();
    assert_eq!((&item["enrolment_id"], &item["place_state"]), (&text("enr_ada"), &text("ACTIVE")));
    assert_eq!(shop.seats_left(TAP).await, left - 1);
}

async fn an_import_that_was_interrupted_between_documents_and_seats_is_completed_by_the_next<M: Backend>() {
    let (shop, whole) = (StoreFixture::<M>::open().await, StoreFixture::<M>::open().await);
    let changed = Studio::demo().with(BALLET, &json!({"capacity": 20, "price": 900}));
    whole.import(&changed).await;
    let (left, version) = (shop.seats_left(BALLET).await, shop.price_version(BALLET).await);
    // The class's document is written already, and nothing else.
    shop.put(whole.item(&key::class(&id(COMPANY), &id(BALLET))).await.unwrap()).await;
    assert_eq!(shop.seats_left(BALLET).await, left);
    assert_eq!(shop.import(&changed).await, 0, "no document is left to write");
    assert_eq!((shop.seats_left(BALLET).await, shop.price_version(BALLET).await), (left + 6, version + 1));
}

async fn an_account_is_followed_before_anything_is_sold_on_it<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let moved = Studio::demo().with(COMPANY, &json!({"settings": {"billing": {"stripeId": "acct_2Moved"}}}));
    // The import stops after writing the company's document and before the seats.
    shop.set(&key::seats(&id(COMPANY), &id(BALLET)), "price_version", "none").await;
    assert!(shop.load(&moved, Extent::Whole(Removals::Few)).await.is_err());
    let company = shop.item(&key::company(&id(COMPANY))).await.unwrap();
    assert!(company["doc"].as_s().unwrap().contains("acct_2Moved"));
    assert!(company["accounts"].as_s().unwrap().contains("acct_2Moved"));
    assert!(shop.item(&key::feed(&id("acct_2Moved"))).await.is_some());
}

async fn a_credit_of_more_than_is_due_pays_what_is_due<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let (due, balance) = (key::due(&id(COMPANY), &id(COSTUMES)), key::family(&id(COMPANY), &id(OKAFOR)));
    let now = async || (shop.number(&due, "amount_due").await, shop.number(&balance, "family_balance").await);
    let mut studio = Studio::demo();
    // This much is still due when this much cash is recorded.
    for (ending, due_now, cash, left) in [("1", 500, 100, 400), ("2", 50, 80, 0), ("3", 0, 70, 0)] {
        shop.set(&due, "amount_due", due_now).await;
        studio = studio.with_cash(ending, cash);
        let (_, before) = now().await;
        shop.import(&studio).await;
        assert_eq!(now().await, (left, before - cash), "{ending}");
    }
}

async fn what_no_item_can_hold_is_told_before_anything_is_written<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let before = shop.picture().await;
    let studio = Studio::demo().with(TAP, &json!({"price": 1})).with(BALLET, &json!({"name": "x".repeat(400_000)}));
    let refused = shop.load(&studio, Extent::Whole(Removals::Few)).await.unwrap_err().to_string();
    assert!(refused.starts_with(&format!("class {BALLET}: has 4")) && refused.ends_with("can be stored"), "{refused}");
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
}

on_both! {
    what_no_item_can_hold_is_told_before_anything_is_written
    an_account_is_followed_before_anything_is_sold_on_it
    a_credit_of_more_than_is_due_pays_what_is_due
    the_same_studio_again_changes_nothing
    seats_move_by_the_difference_of_the_capacity
    a_class_that_becomes_limited_lets_in_no_more_than_that
    a_price_s_version_is_raised_by_what_changes_it_and_by_nothing_else
    what_was_sold_is_not_reset
    an_enrolment_of_the_file_that_was_given_up_is_not_brought_back
    a_place_that_an_order_gave_back_is_the_file_s
    a_lesson_that_a_file_books_beyond_its_places_is_named_if_it_is_to_come
    an_import_that_was_interrupted_between_documents_and_seats_is_completed_by_the_next
}

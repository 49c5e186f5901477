//! The store's guarantees for trials beside enrolments: a trial ends with the order that enrols its student, and its
//! place is then free; a class without a seat left has none for a trial.
//!
//! Each condition is broken alone, so that no other hides it.

use classpay_domain::money::Money;
use classpay_domain::pricing::Buyer;
use classpay_service::store::{Commit, Resolution, Resolved, Witness, key};
use classpay_tests::backend::Backend;
use classpay_tests::store_fixture::{NOW_S, Purchase, StoreFixture, id};
use classpay_tests::studio::{
    ADA, BALLET, CAMPBELL, COMPANY, FINN, ISLA, OKAFOR, POINTE, PRIYA, ROHAN, SHARMA, STREET, Studio,
};
use classpay_tests::{Item, on_both};
use serde_json::json;

const NOTHING: [&str; 0] = [];
/// The lesson of Ballet for which Priya has a trial.
const LESSON: &str = "2026-11-30";

fn trial_key() -> key::Key {
    key::trial(&id(COMPANY), &id(SHARMA), &id(PRIYA), &id(BALLET))
}

async fn trial(shop: &StoreFixture<impl Backend>) -> Item {
    shop.item(&trial_key()).await.unwrap()
}

async fn booked(shop: &StoreFixture<impl Backend>) -> i64 {
    shop.number(&key::lesson(&id(COMPANY), &id(BALLET), id(LESSON)), "trials_booked").await
}

fn state(trial: &Item) -> (&str, Option<&str>) {
    let order = trial.get("ending_order").map(|order| order.as_s().unwrap().as_str());
    (trial["place_state"].as_s().unwrap(), order)
}

/// The purchase that ends Priya's trial.
async fn ending(shop: &StoreFixture<impl Backend>, purchase: Purchase) -> Purchase {
    let trial = trial(shop).await;
    purchase.ending_trial(trial["trial_id"].as_s().unwrap(), (PRIYA, BALLET, LESSON))
}

/// An enrolment of Priya in Ballet, of which she has a trial.
async fn enrolling(shop: &StoreFixture<impl Backend>) -> Purchase {
    ending(shop, shop.purchase("pi_1", SHARMA, &[(BALLET, PRIYA)], &[]).await).await
}

async fn assert_lost(shop: &StoreFixture<impl Backend>, purchase: &Purchase) {
    let before = shop.picture().await;
    assert_eq!(shop.place(purchase).await, Commit::ConditionFailed);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
}

async fn a_trial_is_marked_by_an_order_and_ends_with_it<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = enrolling(&shop).await;
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    assert_eq!(state(&trial(&shop).await), ("ACTIVE", Some(purchase.order.as_str())));
    assert_eq!(booked(&shop).await, 1, "its place is not free before it is paid for the other");
    assert_eq!(shop.store.post(&purchase.record()).await, Ok(Commit::Done));
    assert_eq!(state(&trial(&shop).await), ("ENDED", Some(purchase.order.as_str())));
    assert_eq!(booked(&shop).await, 0);
    assert_eq!(shop.store.post(&purchase.record()).await, Ok(Commit::ConditionFailed));
    assert_eq!(shop.store.release(&purchase.record()).await, Ok(Commit::ConditionFailed));
    assert_eq!(booked(&shop).await, 0, "its place is given back once");
    // The trial was used, so there is no second one.
    let again = shop.purchase("pi_2", SHARMA, &[], &[(BALLET, PRIYA, "2026-09-14")]).await;
    assert_lost(&shop, &again).await;
}

async fn a_trial_is_as_it_was_when_its_order_is_given_up<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let (purchase, before) = (enrolling(&shop).await, trial(&shop).await);
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    assert_eq!(shop.store.release(&purchase.record()).await, Ok(Commit::Done));
    assert_eq!((trial(&shop).await, booked(&shop).await), (before, 1));
    let again = ending(&shop, shop.purchase("pi_2", SHARMA, &[(BALLET, PRIYA)], &[]).await).await;
    assert_eq!(shop.place(&again).await, Commit::Done);
    // A late release of the first order doesn't remove the second order's mark.
    assert_eq!(shop.store.release(&purchase.record()).await, Ok(Commit::ConditionFailed));
    assert_eq!(state(&trial(&shop).await), ("ACTIVE", Some(again.order.as_str())));
    assert_eq!(shop.store.post(&again.record()).await, Ok(Commit::Done));
    assert_eq!(booked(&shop).await, 0);
}

async fn a_trial_that_is_not_as_it_was_read_is_not_overtaken<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = enrolling(&shop).await;
    let mut another = purchase.clone();
    another.snapshot.ended_trials[0].id = id("trl_another");
    assert_lost(&shop, &another).await;
    for state in ["RESERVED", "CANCELLED", "ENDED"] {
        shop.set(&trial_key(), "place_state", state).await;
        assert_lost(&shop, &purchase).await;
    }
    shop.set(&trial_key(), "place_state", "ACTIVE").await;
    let as_read = trial(&shop).await;
    shop.set(&trial_key(), "ending_order", "ord_another").await;
    assert_lost(&shop, &purchase).await;
    shop.put(as_read).await;
    assert_eq!(shop.place(&purchase).await, Commit::Done);
}

async fn with_nothing_to_pay_a_trial_ends_at_once<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    // Rohan tries the same lesson: one action takes a place and releases one.
    let both = shop.zero_due(SHARMA, &[(BALLET, PRIYA)], &[(BALLET, ROHAN, LESSON)]).await;
    let both = ending(&shop, both).await;
    assert_eq!(shop.book(&both, 0).await, Commit::Done);
    assert_eq!(state(&trial(&shop).await), ("ENDED", Some(both.order.as_str())));
    assert_eq!(booked(&shop).await, 1);
    assert_eq!(shop.book(&both, 0).await, Commit::ConditionFailed);

    let shop = StoreFixture::<M>::open().await;
    let alone = ending(&shop, shop.zero_due(SHARMA, &[(BALLET, PRIYA)], &[]).await).await;
    shop.set(&trial_key(), "place_state", "RESERVED").await;
    let before = shop.picture().await;
    assert_eq!(shop.book(&alone, 0).await, Commit::ConditionFailed);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
    shop.set(&trial_key(), "place_state", "ACTIVE").await;
    assert_eq!(shop.book(&alone, 0).await, Commit::Done);
    assert_eq!(booked(&shop).await, 0);
}

async fn a_paid_order_takes_a_trial_place_at_once_and_gives_one_back_when_it_is_posted<M: Backend>() {
    for is_posted in [true, false] {
        let shop = StoreFixture::<M>::open().await;
        let purchase = shop.purchase("pi_1", SHARMA, &[(BALLET, PRIYA)], &[(BALLET, ROHAN, LESSON)]).await;
        let purchase = ending(&shop, purchase).await;
        assert_eq!((shop.place(&purchase).await, booked(&shop).await), (Commit::Done, 2));
        let order = purchase.record();
        let written = if is_posted { shop.store.post(&order).await } else { shop.store.release(&order).await };
        assert_eq!((written, booked(&shop).await), (Ok(Commit::Done), 1), "posted: {is_posted}");
        let of_rohan = key::trial(&id(COMPANY), &id(SHARMA), &id(ROHAN), &id(BALLET));
        let (priyas, rohans) = (trial(&shop).await, shop.item(&of_rohan).await.unwrap());
        let expected = if is_posted { ("ENDED", "ACTIVE") } else { ("ACTIVE", "CANCELLED") };
        assert_eq!((state(&priyas).0, state(&rohans).0), expected, "posted: {is_posted}");
    }
}

async fn a_person_s_decision_ends_a_trial_or_keeps_it<M: Backend>() {
    for (how, after, places) in [(Resolution::Keep, "ENDED", 0), (Resolution::Release, "ACTIVE", 1)] {
        let shop = StoreFixture::<M>::open().await;
        let (purchase, before) = (enrolling(&shop).await, trial(&shop).await);
        assert_eq!(shop.place(&purchase).await, Commit::Done);
        let order = &purchase.record();
        let nothing = Money::ZERO;
        let resolved = Resolved { order, how, credit: None, received: nothing, by: Witness::Stripe, now_s: NOW_S };
        assert_eq!(shop.store.resolve(&resolved).await, Ok(Commit::Done), "{how:?}");
        let trial = trial(&shop).await;
        assert_eq!((state(&trial).0, booked(&shop).await), (after, places), "{how:?}");
        assert!(how == Resolution::Keep || trial == before, "{how:?}");
    }
}

async fn a_trial_needs_a_seat_that_is_left_and_takes_none<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let trial_of = |student| (POINTE, student, "2026-09-09");
    let full = shop.purchase("pi_1", OKAFOR, &[], &[trial_of(ADA)]).await;
    assert_lost(&shop, &full).await;
    assert_lost(&shop, &Purchase { buyer: Buyer::Staff, ..full }).await;
    shop.import(&Studio::demo().with(POINTE, &json!({"capacity": 3}))).await;
    let beside = shop.purchase("pi_2", CAMPBELL, &[(POINTE, ISLA)], &[trial_of(FINN)]).await;
    assert_lost(&shop, &beside).await;
    let tries = shop.purchase("pi_3", OKAFOR, &[], &[trial_of(ADA)]).await;
    assert_eq!((shop.place(&tries).await, shop.seats_left(POINTE).await), (Commit::Done, 1));
    assert_eq!(shop.store.release(&tries.record()).await, Ok(Commit::Done));
    assert_eq!(shop.seats_left(POINTE).await, 1);
    shop.import(&Studio::demo().with(POINTE, &json!({"capacity": 4}))).await;
    let beside = shop.purchase("pi_4", CAMPBELL, &[(POINTE, ISLA)], &[trial_of(FINN)]).await;
    assert_eq!((shop.place(&beside).await, shop.seats_left(POINTE).await), (Commit::Done, 1));
    // An unlimited class always has a seat.
    shop.import(&Studio::demo().with(STREET, &json!({"capacity": 0}))).await;
    let unlimited = shop.purchase("pi_5", OKAFOR, &[], &[(STREET, ADA, "2026-09-15")]).await;
    assert_eq!(shop.place(&unlimited).await, Commit::Done);
}

on_both! {
    a_trial_is_marked_by_an_order_and_ends_with_it
    a_trial_is_as_it_was_when_its_order_is_given_up
    a_trial_that_is_not_as_it_was_read_is_not_overtaken
    with_nothing_to_pay_a_trial_ends_at_once
    a_paid_order_takes_a_trial_place_at_once_and_gives_one_back_when_it_is_posted
    a_person_s_decision_ends_a_trial_or_keeps_it
    a_trial_needs_a_seat_that_is_left_and_takes_none
}

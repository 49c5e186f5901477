//! Competing calls of the store: many buyers for few seats, a purchase against a refusal, a posting against a release.
//!
//! A call that loses has written nothing, in whatever order they came.

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::store::{Commit, Decision, key};
use classpay_tests::backend::Backend;
use classpay_tests::store_fixture::{NOW_S, Purchase, StoreFixture, id};
use classpay_tests::studio::{ADA, BALLET, COMPANY, OKAFOR, STREET, Studio};
use classpay_tests::{Item, on_both};
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};

const BUYERS: usize = 200;
const SEATS: usize = 20;

/// The demo studio with this many more families of one student each, and this many more classes.
fn crowd(families: usize, classes: u64) -> Studio {
    let family = |n: usize| {
        json!({
            "id": format!("fml_{n}"), "name": format!("Family {n}"), "createdAt": "2026-06-01 09:00:00",
            "students": [{"id": format!("stu_{n}"), "firstname": "Sam", "lastname": n.to_string()}],
        })
    };
    let mut studio: Value = serde_json::from_str(&Studio::demo().text()).expect("JSON");
    let all = studio["classes"].as_array_mut().expect("a list");
    let mut class = all.iter().find(|class| class["id"] == STREET).expect("a class").clone();
    class["capacity"] = json!(SEATS);
    for n in 0..classes {
        class["id"] = json!(format!("cls_{n}"));
        all.push(class.clone());
    }
    let families: Vec<Value> = (0..families).map(family).collect();
    Studio::parse(&studio.to_string()).with_families(&families)
}

/// Retries until the result is neither a conflict nor unknown, as a checkout does.
async fn buy(shop: &StoreFixture<impl Backend>, purchase: &Purchase) -> Commit {
    loop {
        match shop.place(purchase).await {
            Commit::Contended => {}
            written => return written,
        }
    }
}

/// One of many families wants a place.
async fn come(shop: StoreFixture<impl Backend>, n: usize, class: String) -> (Purchase, Commit) {
    let (intent, family, student) = (format!("pi_{class}_{n}"), format!("fml_{n}"), format!("stu_{n}"));
    let purchase = shop.purchase(&intent, &family, &[(&class, &student)], &[]).await;
    let written = buy(&shop, &purchase).await;
    (purchase, written)
}

/// What a purchase creates: a claim, an order, an enrolment.
fn has_taken(Purchase { session, order, snapshot, .. }: &Purchase) -> [key::Key; 3] {
    let booked = &snapshot.enrolments[0];
    let place = key::enrolment(&snapshot.company, &snapshot.family, &booked.student, &booked.class);
    [key::claim(&session.account, &session.intent), key::order(order), place]
}

/// Everything that all purchases have created.
async fn taken(shop: &StoreFixture<impl Backend>) -> BTreeSet<key::Key> {
    let of = |item: Item| {
        let part = |name: &str| item[name].as_s().expect("a key is text").clone();
        key::Key { pk: part("pk"), sk: part("sk") }
    };
    let keys = shop.everything().await.into_iter().map(of);
    keys.filter(|key| key.sk == "CLAIM" || key.pk.starts_with("ORD#") && key.sk == "META" || key.sk.starts_with("ENR#"))
        .collect()
}

async fn two_hundred_buyers_get_twenty_seats<M: Backend>() {
    let shop = StoreFixture::<M>::empty().await;
    shop.import(&crowd(BUYERS, M::ROUNDS)).await;
    let mut expected = taken(&shop).await;
    for round in 0..M::ROUNDS {
        let class = format!("cls_{round}");
        let buyers = (0..BUYERS).map(|n| come(shop.clone(), n, class.clone()).boxed());
        let results = M::race(round, buyers.collect()).await;
        let of = |what| results.iter().filter(move |(_, written)| *written == what);
        assert_eq!(
            (of(Commit::Done).count(), of(Commit::ConditionFailed).count()),
            (SEATS, BUYERS - SEATS),
            "round {round}"
        );
        assert_eq!(shop.seats_left(&class).await, 0, "round {round}");
        expected.extend(of(Commit::Done).flat_map(|(purchase, _)| has_taken(purchase)));
    }
    assert_eq!(taken(&shop).await, expected, "who lost has nothing");
}

async fn of_a_purchase_and_a_refusal_of_one_intent_exactly_one_wins<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let seats = shop.seats_left(BALLET).await;
    let (mut sold, nothing) = (0, Basket::new(Vec::new(), Vec::new()).hash(&id(COMPANY), &id(OKAFOR)));
    for round in 0..M::ROUNDS {
        let purchase = shop.purchase(&format!("pi_{round}"), OKAFOR, &[(BALLET, ADA)], &[]).await;
        let refusal = Error::from(ErrorCode::ClassFull);
        let (placing, rejecting) = ((shop.clone(), purchase.clone()), (shop.clone(), purchase.session.clone()));
        let nothing = nothing.clone();
        let place = async move { Ok(placing.0.place(&placing.1).await) };
        let reject = async move { rejecting.0.store.reject(&rejecting.1, nothing.as_str(), &refusal, NOW_S).await };
        let results = M::race(round, vec![place.boxed(), reject.boxed()]).await;
        let claim = shop.store.load_claim(&purchase.session.account, &purchase.session.intent).await;
        let decision = claim.expect("it can be read").expect("somebody has claimed it").decision;
        match (&results[..], decision) {
            ([Ok(Commit::Done), Ok(Commit::ConditionFailed)], Decision::Order(order)) => {
                assert_eq!(order, purchase.order);
                sold += 1;
                assert_eq!(shop.store.release(&purchase.record()).await, Ok(Commit::Done));
            }
            ([Ok(Commit::ConditionFailed), Ok(Commit::Done)], Decision::Rejected { .. }) => {
                assert_eq!(shop.store.load_order(&purchase.order).await, Ok(None));
            }
            other => panic!("round {round}: {other:?}"),
        }
        assert_eq!(shop.seats_left(BALLET).await, seats, "round {round}");
    }
    println!("the purchase won {sold} of {} rounds", M::ROUNDS);
}

async fn of_a_posting_and_a_release_of_one_order_exactly_one_wins<M: Backend>() {
    let shop = StoreFixture::<M>::empty().await;
    shop.import(&crowd(0, M::ROUNDS)).await;
    let (mut posted, seats) = (0, SEATS as i64);
    for round in 0..M::ROUNDS {
        let class = format!("cls_{round}");
        let purchase = shop.purchase(&format!("pi_{round}"), OKAFOR, &[(&class, ADA)], &[]).await;
        assert_eq!(shop.place(&purchase).await, Commit::Done);
        let (posting, releasing) = ((shop.clone(), purchase.record()), (shop.clone(), purchase.record()));
        let post = async move { posting.0.store.post(&posting.1).await };
        let release = async move { releasing.0.store.release(&releasing.1).await };
        let results = M::race(round, vec![post.boxed(), release.boxed()]).await;
        let left = shop.seats_left(&class).await;
        match &results[..] {
            [Ok(Commit::Done), Ok(Commit::ConditionFailed)] => {
                assert_eq!(left, seats - 1, "round {round}");
                posted += 1;
            }
            [Ok(Commit::ConditionFailed), Ok(Commit::Done)] => assert_eq!(left, seats, "round {round}"),
            other => panic!("round {round}: {other:?}"),
        }
    }
    println!("the posting won {posted} of {} rounds", M::ROUNDS);
}

async fn ten_clicks_on_one_basket_are_one_order<M: Backend>() {
    let shop = StoreFixture::<M>::empty().await;
    shop.import(&crowd(0, M::ROUNDS)).await;
    for round in 0..M::ROUNDS {
        let class = format!("cls_{round}");
        let purchase = shop.purchase(&format!("pi_{round}"), OKAFOR, &[(&class, ADA)], &[]).await;
        let click = |_| -> BoxFuture<'static, Commit> {
            let (shop, purchase) = (shop.clone(), purchase.clone());
            async move { buy(&shop, &purchase).await }.boxed()
        };
        let results = M::race(round, (0..10).map(click).collect()).await;
        let done = results.iter().filter(|written| **written == Commit::Done).count();
        let lost = results.iter().filter(|written| **written == Commit::ConditionFailed).count();
        assert_eq!((done, lost), (1, 9), "round {round}");
        assert_eq!(shop.seats_left(&class).await, SEATS as i64 - 1, "round {round}");
    }
}

on_both! {
    two_hundred_buyers_get_twenty_seats
    of_a_purchase_and_a_refusal_of_one_intent_exactly_one_wins
    of_a_posting_and_a_release_of_one_order_exactly_one_wins
    ten_clicks_on_one_basket_are_one_order
}

/// The races are tight enough to notice each safeguard that is removed.
mod without {
    use classpay_simulation::executor::run;
    use classpay_simulation::forgetful::Forgotten;
    use classpay_tests::backend::Memory;

    #[derive(Debug, Clone, Copy)]
    struct SeatsForgotten;

    impl Memory for SeatsForgotten {
        const FORGOTTEN: Option<Forgotten> = Some(Forgotten::SEATS);
    }

    #[derive(Debug, Clone, Copy)]
    struct FinishForgotten;

    impl Memory for FinishForgotten {
        const FORGOTTEN: Option<Forgotten> = Some(Forgotten::FINISH);
    }

    #[test]
    #[should_panic(expected = "round 0")]
    fn a_condition_on_seats_more_are_sold_than_there_are() {
        run(super::two_hundred_buyers_get_twenty_seats::<SeatsForgotten>());
    }

    #[test]
    #[should_panic(expected = "round")]
    fn a_condition_on_its_state_an_order_is_finished_twice() {
        run(super::of_a_posting_and_a_release_of_one_order_exactly_one_wins::<FinishForgotten>());
    }
}

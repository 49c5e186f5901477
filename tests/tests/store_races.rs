//! Rivals at the store: many buyers for few seats, a purchase against a refusal, a posting against a release.
//!
//! Invariant: who lost has written nothing, whatever the order in which they came.

use classpay_domain::basket::Basket;
use classpay_service::http::{ApiError, ErrorCode};
use classpay_service::store::{Decision, Written};
use classpay_tests::shop::{NOW_S, Purchase, Shop, id};
use classpay_tests::studio::{ADA, BALLET, COMPANY, OKAFOR, STREET, Studio};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Rounds of every race.
const ROUNDS: usize = 20;
/// Rounds of the crowd's: each has a table of its own with 200 families, which takes some seconds.
const CROWDED_ROUNDS: usize = 5;
const BUYERS: usize = 200;
const SEATS: usize = 20;

/// The demo studio with so many more families of one student each. Minh has a place in Street Dance already.
fn crowd(families: usize) -> Studio {
    let family = |n: usize| {
        json!({
            "id": format!("fml_{n}"), "name": format!("Family {n}"), "createdAt": "2026-06-01 09:00:00",
            "students": [{"id": format!("stu_{n}"), "firstName": "Sam", "lastName": n.to_string()}],
        })
    };
    let families: Vec<Value> = (0..families).map(family).collect();
    Studio::demo().with_families(&families).with(STREET, &json!({"capacity": SEATS + 1}))
}

/// Tries until it is neither a conflict nor an unknown outcome: what a checkout does with its rounds.
async fn buy(shop: &Shop, purchase: &Purchase) -> Written {
    loop {
        match shop.place(purchase).await {
            Written::Busy => {}
            written => return written,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_buyers_get_twenty_seats() {
    let studio = crowd(BUYERS);
    for round in 0..CROWDED_ROUNDS {
        let shop = Shop::empty().await;
        shop.import(&studio).await;
        let buyers = (0..BUYERS).map(|n| {
            let shop = shop.clone();
            async move {
                let (intent, family, student) = (format!("pi_{n}"), format!("fml_{n}"), format!("stu_{n}"));
                let purchase = shop.purchase(&intent, &family, &[(STREET, &student)], &[]).await;
                buy(&shop, &purchase).await
            }
        });
        let results = join_all(buyers.map(tokio::spawn)).await;
        let results: Vec<_> = results.into_iter().map(|result| result.expect("a buyer")).collect();
        let sold = results.iter().filter(|written| **written == Written::Done).count();
        let lost = results.iter().filter(|written| **written == Written::Lost).count();
        assert_eq!((sold, lost), (SEATS, BUYERS - SEATS), "round {round}");
        assert_eq!(shop.seats_left(STREET).await, 0, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_purchase_and_a_refusal_of_one_intent_exactly_one_wins() {
    let shop = Shop::open().await;
    let seats = shop.seats_left(BALLET).await;
    let (mut sold, nothing) = (0, Basket::new(Vec::new(), Vec::new()).hash(&id(COMPANY), &id(OKAFOR)));
    for round in 0..ROUNDS {
        let purchase = shop.purchase(&format!("pi_{round}"), OKAFOR, &[(BALLET, ADA)], &[]).await;
        let refusal = ApiError::from(ErrorCode::ClassFull);
        let (placing, rejecting) = ((shop.clone(), purchase.clone()), (shop.clone(), purchase.session.clone()));
        let nothing = nothing.clone();
        let place = async move { placing.0.place(&placing.1).await };
        let reject = async move { rejecting.0.store.reject(&rejecting.1, nothing.as_str(), &refusal, NOW_S).await };
        // Whoever is spawned first has a start: they take turns.
        let (place, reject) = if round % 2 == 0 {
            let place = tokio::spawn(place);
            (place, tokio::spawn(reject))
        } else {
            let reject = tokio::spawn(reject);
            (tokio::spawn(place), reject)
        };
        let (placed, rejected) = (place.await.expect("a buyer"), reject.await.expect("a refusal"));
        let claim = shop.store.load_claim(&purchase.session.account, &purchase.session.intent).await;
        let decision = claim.expect("it can be read").expect("somebody has claimed it").decision;
        match (placed, rejected.expect("it is answered"), decision) {
            (Written::Done, Written::Lost, Decision::Order(order)) => {
                assert_eq!(order, purchase.order);
                sold += 1;
                assert_eq!(shop.store.release(&purchase.record()).await, Ok(Written::Done));
            }
            (Written::Lost, Written::Done, Decision::Rejected { .. }) => {
                assert_eq!(shop.store.load_order(&purchase.order).await, Ok(None));
            }
            other => panic!("round {round}: {other:?}"),
        }
        assert_eq!(shop.seats_left(BALLET).await, seats, "round {round}");
    }
    println!("the purchase won {sold} of {ROUNDS} rounds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_posting_and_a_release_of_one_order_exactly_one_wins() {
    for round in 0..ROUNDS {
        let shop = Shop::open().await;
        let seats = shop.seats_left(BALLET).await;
        let purchase = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[]).await;
        assert_eq!(shop.place(&purchase).await, Written::Done);
        let (one, other) = ((shop.clone(), purchase.record()), (shop.clone(), purchase.record()));
        let post = tokio::spawn(async move { one.0.store.post(&one.1).await.expect("it is answered") });
        let release = tokio::spawn(async move { other.0.store.release(&other.1).await.expect("it is answered") });
        let results = (post.await.expect("a posting"), release.await.expect("a release"));
        let left = shop.seats_left(BALLET).await;
        match results {
            (Written::Done, Written::Lost) => assert_eq!(left, seats - 1, "round {round}"),
            (Written::Lost, Written::Done) => assert_eq!(left, seats, "round {round}"),
            other => panic!("round {round}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_clicks_on_one_basket_are_one_order() {
    for round in 0..ROUNDS {
        let shop = Shop::open().await;
        let purchase = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[(STREET, ADA, "2026-09-15")]).await;
        let clicks = (0..10).map(|_| {
            let (shop, purchase) = (shop.clone(), purchase.clone());
            tokio::spawn(async move { buy(&shop, &purchase).await })
        });
        let results = join_all(clicks).await;
        let done = results.iter().filter(|result| matches!(result, Ok(Written::Done))).count();
        assert_eq!(done, 1, "round {round}");
        assert_eq!(shop.seats_left(BALLET).await, 13, "round {round}");
    }
}

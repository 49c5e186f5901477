//! The store's guarantees for an order: all of it or nothing, once, and released exactly.
//!
//! Each condition of P1 is broken alone, so that no other hides it.

use classpay_domain::money::Money;
use classpay_domain::pricing::Buyer;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::store::{
    Commit, CreditedPayment, Owed, PostReversals, ReversalEntry, Reversed, UnallocatedCredit, ZeroDueOrder, key,
};
use classpay_service::stripe::KnownCustomer;
use classpay_tests::backend::{Backend, text};
use classpay_tests::store_fixture::{NOW_S, Purchase, StoreFixture, id, known_customer};
use classpay_tests::studio::{
    ADA, ADULT, BALLET, CAMPBELL, COMPANY, FINN, MINH, NGUYEN, OKAFOR, POINTE, PRIYA, SHARMA, SHOW, STREET, Studio,
    TOBI,
};
use classpay_tests::{Picture, on_both};
use serde_json::json;

const NOTHING: [&str; 0] = [];
const BALLET_FOR_ADA: &[(&str, &str)] = &[(BALLET, ADA)];
const STREET_TRIAL: (&str, &str, &str) = (STREET, ADA, "2026-09-15");

/// P1 is refused and leaves nothing behind.
async fn assert_lost(shop: &StoreFixture<impl Backend>, purchase: &Purchase) {
    let before = shop.picture().await;
    assert_eq!(shop.place(purchase).await, Commit::ConditionFailed);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
}

fn family_key(family: &str) -> key::Key {
    key::family(&id(COMPANY), &id(family))
}

async fn an_order_is_placed_whole<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[STREET_TRIAL]).await;
    let (seats, version) = (shop.seats_left(BALLET).await, shop.number(&family_key(OKAFOR), "family_version").await);
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    assert_eq!(shop.seats_left(BALLET).await, seats - 1);
    assert_eq!(shop.number(&family_key(OKAFOR), "family_version").await, version + 1);
    assert_eq!(shop.number(&key::lesson(&id(COMPANY), &id(STREET), id("2026-09-15")), "trials_booked").await, 1);
    assert_eq!(shop.store.load_order(&purchase.order).await, Ok(Some(purchase.record())));
    assert_lost(&shop, &purchase).await;
}

async fn an_intent_that_is_claimed_pays_no_second_order<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await;
    let rejected = Error::from(ErrorCode::ClassFull);
    let basket = classpay_domain::basket::Basket::new(Vec::new(), Vec::new()).hash(&id(COMPANY), &id(OKAFOR));
    let written = shop.store.reject(&purchase.session, basket.as_str(), &rejected, NOW_S).await;
    assert_eq!(written, Ok(Commit::Done));
    assert_lost(&shop, &purchase).await;
    let written = shop.store.reject(&purchase.session, basket.as_str(), &rejected, NOW_S).await;
    assert_eq!(written, Ok(Commit::ConditionFailed), "a claim is put once");
}

async fn an_intent_that_we_did_not_make_or_of_another_amount_pays_nothing<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let mut purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await;
    purchase.session.amount = classpay_domain::money::Money::minor(1);
    assert_lost(&shop, &purchase).await;
    purchase.session.intent = id("pi_of_nobody");
    assert_lost(&shop, &purchase).await;
}

async fn a_family_or_a_price_that_has_moved_on_is_priced_anew<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await;
    let moved = Purchase { family_version: purchase.family_version + 1, ..purchase.clone() };
    assert_lost(&shop, &moved).await;
    shop.import(&Studio::demo().with(BALLET, &json!({"price": 900}))).await;
    assert_lost(&shop, &purchase).await;
}

async fn a_trial_is_guarded_by_the_price_of_its_class_too<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, &[], &[STREET_TRIAL]).await;
    shop.import(&Studio::demo().with(STREET, &json!({"price": 900}))).await;
    assert_lost(&shop, &purchase).await;
}

async fn without_enough_places_nobody_gets_one<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let full = shop.purchase("pi_1", NGUYEN, &[(POINTE, MINH)], &[]).await;
    assert_lost(&shop, &full).await;
    assert_lost(&shop, &Purchase { buyer: Buyer::Staff, ..full }).await;
    shop.import(&Studio::demo().with(POINTE, &json!({"capacity": 3}))).await;
    let two = shop.purchase("pi_2", CAMPBELL, &[(POINTE, FINN), (POINTE, "stu_01J9ZDEMW5TVDJ0R0000001S1A")], &[]).await;
    assert_lost(&shop, &two).await;
    let one = shop.purchase("pi_3", CAMPBELL, &[(POINTE, FINN)], &[]).await;
    assert_eq!(shop.place(&one).await, Commit::Done);
    assert_eq!(shop.seats_left(POINTE).await, 0);
}

async fn an_unlimited_class_never_runs_out_but_counts<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let before = shop.seats_left(ADULT).await;
    for (n, student) in [ADA, TOBI].into_iter().enumerate() {
        let purchase = shop.purchase(&format!("pi_{n}"), OKAFOR, &[(ADULT, student)], &[]).await;
        assert_eq!(shop.place(&purchase).await, Commit::Done);
    }
    assert_eq!(shop.seats_left(ADULT).await, before - 2);
}

async fn what_is_not_on_sale_is_for_staff_only<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let family = shop.purchase("pi_1", OKAFOR, &[(SHOW, ADA)], &[]).await;
    assert_lost(&shop, &family).await;
    assert_eq!(shop.place(&Purchase { buyer: Buyer::Staff, ..family }).await, Commit::Done);
}

async fn a_student_is_in_a_class_once<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    assert_eq!(shop.place(&shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await).await, Commit::Done);
    // Reserved, then active: both count.
    let again = shop.purchase("pi_2", OKAFOR, BALLET_FOR_ADA, &[]).await;
    assert_lost(&shop, &again).await;
    let trial_too = shop.purchase("pi_3", OKAFOR, &[], &[(BALLET, ADA, "2026-09-14")]).await;
    assert_lost(&shop, &trial_too).await;
}

async fn a_student_tries_a_class_once_and_a_lesson_takes_so_many<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let priya = shop.purchase("pi_1", SHARMA, &[], &[(BALLET, PRIYA, "2026-09-14")]).await;
    assert_lost(&shop, &priya).await;
    for (n, (family, student)) in [(OKAFOR, ADA), (OKAFOR, TOBI)].into_iter().enumerate() {
        let trial = shop.purchase(&format!("pi_a{n}"), family, &[], &[(STREET, student, "2026-09-15")]).await;
        assert_eq!(shop.place(&trial).await, Commit::Done);
    }
    let third = shop.purchase("pi_2", CAMPBELL, &[], &[(STREET, FINN, "2026-09-15")]).await;
    assert_lost(&shop, &third).await;
    let next_week = shop.purchase("pi_3", CAMPBELL, &[], &[(STREET, FINN, "2026-09-22")]).await;
    assert_eq!(shop.place(&next_week).await, Commit::Done);
}

async fn an_idempotency_key_is_used_once_until_it_expires<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let key = key::idempotency(&id(COMPANY), &id(OKAFOR), "basket-checkout", "a-key");
    let keyed = |purchase: Purchase| Purchase { idempotency: Some((key.clone(), "f".repeat(64))), ..purchase };
    let first = keyed(shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await);
    assert_eq!(shop.place(&first).await, Commit::Done);
    let second = keyed(shop.purchase("pi_2", OKAFOR, &[(STREET, ADA)], &[]).await);
    assert_lost(&shop, &second).await;
    let day = 24 * 60 * 60;
    assert_lost(&shop, &Purchase { now_s: NOW_S + day, ..second.clone() }).await;
    assert_eq!(shop.place(&Purchase { now_s: NOW_S + day + 1, ..second }).await, Commit::Done);
}

async fn an_order_is_posted_once<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[STREET_TRIAL]).await;
    let (order, owed) = (purchase.record(), shop.number(&family_key(OKAFOR), "family_balance").await);
    assert_eq!(shop.store.post(&order).await, Ok(Commit::ConditionFailed), "what is not placed is not posted");
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    assert_eq!(shop.store.post(&order).await, Ok(Commit::Done));
    let after = shop.picture().await;
    assert_eq!(shop.store.post(&order).await, Ok(Commit::ConditionFailed));
    assert_eq!(shop.store.release(&order).await, Ok(Commit::ConditionFailed), "what is posted is not given back");
    assert_eq!(shop.store.next_attempt(&order).await, Ok(Commit::ConditionFailed));
    assert_eq!(after.changes(&shop.picture().await), NOTHING);
    assert_eq!(shop.number(&family_key(OKAFOR), "family_balance").await, owed, "what is paid at once is not owed");
    let debit = id(&order.snapshot.entries[0].id);
    assert_eq!(shop.number(&key::due(&id(COMPANY), &debit), "amount_due").await, 0);
}

async fn an_attempt_is_counted_once<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await;
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    let order = purchase.record();
    assert_eq!(shop.store.next_attempt(&order).await, Ok(Commit::Done));
    assert_eq!(shop.store.next_attempt(&order).await, Ok(Commit::ConditionFailed), "a rival took that number");
    assert_eq!(shop.store.load_order(&order.id).await.unwrap().unwrap().attempt, 2);
}

/// The keys of the items that differ, without the family's version, which always increases.
fn but_for_versions(before: &Picture, after: &Picture) -> Vec<String> {
    before.changes(after).into_iter().filter(|change| !change.ends_with("/META family_version")).collect()
}

async fn what_is_released_is_given_back_exactly_and_can_be_sold_again<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA), (BALLET, TOBI), (ADULT, ADA)], &[STREET_TRIAL]).await;
    let before = shop.picture().await;
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    assert_eq!(shop.store.release(&purchase.record()).await, Ok(Commit::Done));
    let after = shop.picture().await;
    assert_eq!(shop.store.release(&purchase.record()).await, Ok(Commit::ConditionFailed));
    assert_eq!(
        shop.store.post(&purchase.record()).await,
        Ok(Commit::ConditionFailed),
        "what is given back is not posted"
    );
    assert_eq!(after.changes(&shop.picture().await), NOTHING);
    // Nothing that counts has changed; the new items say that it was cancelled.
    let changes = but_for_versions(&before, &after);
    assert!(changes.iter().all(|change| change.starts_with("+ ") || change.contains("/SESSION ")), "{changes:#?}");
    assert!(!changes.iter().any(|change| change.contains("/SEATS")), "{changes:#?}");
    assert_eq!(shop.number(&key::lesson(&id(COMPANY), &id(STREET), id("2026-09-15")), "trials_booked").await, 0);
    let places = shop.partition(&family_key(OKAFOR).pk, "").await;
    let states: Vec<_> = places.iter().filter_map(|item| item.get("place_state")).collect();
    assert_eq!(states, [&text("CANCELLED"); 4]);

    let again = shop.purchase("pi_2", OKAFOR, &[(BALLET, ADA), (BALLET, TOBI), (ADULT, ADA)], &[STREET_TRIAL]).await;
    assert_eq!(shop.place(&again).await, Commit::Done);
    // A late release of the first order releases nothing of the second.
    assert_eq!(shop.store.release(&purchase.record()).await, Ok(Commit::ConditionFailed));
    assert_eq!(shop.store.post(&again.record()).await, Ok(Commit::Done));
}

async fn without_a_payment_a_late_write_after_a_refusal_books_nothing<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let owed = shop.number(&family_key(OKAFOR), "family_balance").await;
    let late = shop.zero_due(OKAFOR, BALLET_FOR_ADA, &[]).await;
    assert_eq!(
        shop.store.refuse_zero_due(&id(COMPANY), &late.order, &ZeroDueOrder::default(), NOW_S).await,
        Ok(Commit::Done)
    );
    let before = shop.picture().await;
    assert_eq!(shop.book(&late, 0).await, Commit::ConditionFailed);
    assert_eq!(
        shop.store.refuse_zero_due(&id(COMPANY), &late.order, &ZeroDueOrder::default(), NOW_S).await,
        Ok(Commit::ConditionFailed)
    );
    assert_eq!(before.changes(&shop.picture().await), NOTHING);

    let known = shop.store.load_zero_due(&late.order).await.unwrap();
    assert_eq!((known.generation, known.booked), (1, None));
    let anew = shop.zero_due(OKAFOR, BALLET_FOR_ADA, &[]).await;
    assert_eq!(shop.book(&anew, 1).await, Commit::Done);
    assert_eq!(shop.book(&anew, 1).await, Commit::ConditionFailed, "booked once");
    let known = shop.store.load_zero_due(&anew.order).await.unwrap();
    assert_eq!((known.generation, known.booked.map(|order| order.snapshot)), (2, Some(anew.snapshot.clone())));
    assert_eq!(shop.number(&family_key(OKAFOR), "family_balance").await, owed + 1000, "what is not collected is owed");
    let debit = id(&anew.snapshot.entries[0].id);
    assert_eq!(shop.number(&key::due(&id(COMPANY), &debit), "amount_due").await, 1000);
}

async fn what_goes_back_of_a_payment_without_an_order_is_counted_on_its_claim<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await;
    let session = &purchase.session;
    let (company, family) = (id(COMPANY), id(OKAFOR));
    let credit = &purchase.snapshot.credit().unwrap().expand(&company, &family);
    let payment = CreditedPayment::Unallocated { session, credit: &id(&credit.transaction.id) };
    assert!(shop.store.load_reversals(payment).await.unwrap().is_none(), "nobody has claimed it");
    let refusal = Error::from(ErrorCode::PaymentAlreadyCaptured);
    let basket = classpay_domain::basket::Basket::new(Vec::new(), Vec::new()).hash(&id(COMPANY), &id(OKAFOR));
    let written = shop.store.reject(session, basket.as_str(), &refusal, NOW_S).await;
    assert_eq!(written, Ok(Commit::Done));
    assert!(shop.store.load_reversals(payment).await.unwrap().is_none(), "it is not credited");
    let found =
        UnallocatedCredit { session, order: &purchase.order, credit, basket: &basket, refusal: &refusal, now_s: NOW_S };
    assert_eq!(shop.store.credit_unallocated(&found).await, Ok(Commit::Done));

    let owed = shop.number(&family_key(OKAFOR), "family_balance").await;
    let debit = |ulid: &str| {
        let mut debit = credit.clone();
        debit.transaction.id = format!("trn_{ulid}");
        debit.transaction.kind = "debit".to_owned();
        ReversalEntry { entry: debit, reverses: None }
    };
    let read = shop.store.load_reversals(payment).await.unwrap().unwrap();
    assert_eq!((&read.credit, read.version, read.is_full), (credit, 0, false));
    let post = async |read: &_, entry| {
        shop.store.post_reversals(&PostReversals { read, entries: &[entry], is_full: true, link: None }).await
    };
    assert_eq!(post(&read, debit("01J9ZDEMW5TVDJ0R0000RETRN1")).await, Ok(Commit::Done));
    let before = shop.picture().await;
    assert_eq!(
        post(&read, debit("01J9ZDEMW5TVDJ0R0000RETRN2")).await,
        Ok(Commit::ConditionFailed),
        "read before the first"
    );
    let read = shop.store.load_reversals(payment).await.unwrap().unwrap();
    assert_eq!((read.version, read.is_full), (1, true));
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
    assert_eq!(shop.number(&family_key(OKAFOR), "family_balance").await, owed + credit.stats.total);

    // The refund fails: its credit pays its debit, as far as that is due, and only if the debit is as it was read.
    let debit_id = id("trn_01J9ZDEMW5TVDJ0R0000RETRN1");
    let due = key::due(&company, &debit_id);
    assert_eq!(shop.number(&due, "amount_due").await, credit.stats.total);
    let undone = |ulid: &str, due| {
        let mut entry = credit.clone();
        entry.transaction.id = format!("trn_{ulid}");
        let owed = Owed { total: Money::minor(credit.stats.total), due };
        ReversalEntry { entry, reverses: Some(Reversed { debit: debit_id.clone(), owed: Some(owed) }) }
    };
    let stale = undone("01J9ZDEMW5TVDJ0R0000RETRN3", Money::minor(1));
    assert_eq!(post(&read, stale).await, Ok(Commit::ConditionFailed));
    let dues = shop.store.load_dues(&company, [debit_id.clone()]).await.unwrap();
    let fresh = undone("01J9ZDEMW5TVDJ0R0000RETRN3", dues[&debit_id]);
    assert_eq!(post(&read, fresh).await, Ok(Commit::Done));
    assert_eq!(shop.number(&due, "amount_due").await, 0);
    assert_eq!(shop.number(&family_key(OKAFOR), "family_balance").await, owed);
    let read = shop.store.load_reversals(payment).await.unwrap().unwrap();

    let claim = key::claim(&session.account, &session.intent);
    shop.set(&claim, "claim_captured", false).await;
    assert_eq!(
        post(&read, debit("01J9ZDEMW5TVDJ0R0000RETRN2")).await,
        Ok(Commit::ConditionFailed),
        "it was not captured"
    );
}

async fn a_customer_is_remembered_once_and_only_of_a_family_that_is_there<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let (company, family) = (id(COMPANY), id(OKAFOR));
    let (nobody, first) = (KnownCustomer::default(), known_customer("cus_1", "acct_1", 1));
    let remember = async |made: &KnownCustomer, read: &KnownCustomer| {
        shop.store.remember_customer((&company, &family), made, read).await.expect("the table answers")
    };
    assert_eq!(remember(&first, &nobody).await, Commit::Done);
    assert_eq!(remember(&known_customer("cus_2", "acct_1", 1), &nobody).await, Commit::ConditionFailed);
    assert_eq!(shop.store.load_customer(&company, &family).await, Ok(first.clone()));
    let unknown = shop.store.remember_customer((&company, &id("fml_x")), &first, &nobody).await;
    assert_eq!(unknown, Ok(Commit::ConditionFailed));

    // Another replaces it only if it is as it was read, including its account.
    let second = known_customer("cus_2", "acct_2", 2);
    assert_eq!(remember(&second, &known_customer("cus_1", "acct_2", 1)).await, Commit::ConditionFailed);
    assert_eq!(remember(&second, &first).await, Commit::Done);
    assert_eq!(remember(&known_customer("cus_3", "acct_1", 2), &first).await, Commit::ConditionFailed);
    assert_eq!(shop.store.load_customer(&company, &family).await, Ok(second));
}

async fn what_an_account_refuses_is_believed_for_a_day<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let account = id("acct_1");
    assert_eq!(shop.store.takes_cards_only(&account, NOW_S).await, Ok(false));
    assert_eq!(shop.store.note_cards_only(&id(COMPANY), &account, NOW_S).await, Ok(Commit::Done));
    for (later_s, believed) in [(0, true), (86_399, true), (86_400, false)] {
        assert_eq!(shop.store.takes_cards_only(&account, NOW_S + later_s).await, Ok(believed), "{later_s}");
    }
    assert_eq!(shop.store.takes_cards_only(&id("acct_2"), NOW_S).await, Ok(false));
}

async fn an_item_that_is_not_what_we_wrote_is_corrupt_and_never_a_default<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, BALLET_FOR_ADA, &[]).await;
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    let key = key::order(&purchase.order);
    shop.set(&key, "order_state", "LOST").await;
    assert!(shop.store.load_order(&purchase.order).await.is_err());
    shop.set(&key, "order_state", "PENDING").await;
    shop.set(&key, "capture_attempt", "many").await;
    assert!(shop.store.load_order(&purchase.order).await.is_err());
}

on_both! {
    an_order_is_placed_whole
    an_intent_that_is_claimed_pays_no_second_order
    an_intent_that_we_did_not_make_or_of_another_amount_pays_nothing
    a_family_or_a_price_that_has_moved_on_is_priced_anew
    a_trial_is_guarded_by_the_price_of_its_class_too
    without_enough_places_nobody_gets_one
    an_unlimited_class_never_runs_out_but_counts
    what_is_not_on_sale_is_for_staff_only
    a_student_is_in_a_class_once
    a_student_tries_a_class_once_and_a_lesson_takes_so_many
    an_idempotency_key_is_used_once_until_it_expires
    an_order_is_posted_once
    an_attempt_is_counted_once
    what_is_released_is_given_back_exactly_and_can_be_sold_again
    without_a_payment_a_late_write_after_a_refusal_books_nothing
    what_goes_back_of_a_payment_without_an_order_is_counted_on_its_claim
    a_customer_is_remembered_once_and_only_of_a_family_that_is_there
    what_an_account_refuses_is_believed_for_a_day
    an_item_that_is_not_what_we_wrote_is_corrupt_and_never_a_default
}

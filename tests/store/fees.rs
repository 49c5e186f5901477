//! Fees and instalments in the table: charged once, released once, debited once.

use classpay_domain::ledger::{Detail, DetailKind, Direction, Entry};
use classpay_domain::money::Money;
use classpay_service::aggregate::{AggregateTransaction, Ledger};
use classpay_service::store::{Commit, Scheduled, Unfinished, key, lane};
use classpay_tests::backend::Backend;
use classpay_tests::on_both;
use classpay_tests::store_fixture::{Purchase, StoreFixture, id};
use classpay_tests::studio::{ADA, BALLET, COMPANY, OKAFOR, STREET, TAP, TOBI};

const NOTHING: [String; 0] = [];
/// When the instalments of the fixture's enrolments fall due: the start of 7 October in London.
const DUE_S: i64 = 1_791_327_600;

fn enrolment_key() -> key::Key {
    key::enrolment(&id(COMPANY), &id(OKAFOR), &id(ADA), &id(BALLET))
}

/// Ada's place in Ballet, bought, with one instalment to come.
async fn bought(shop: &StoreFixture<impl Backend>) -> Purchase {
    let purchase = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[]).await;
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    assert_eq!(shop.store.post(&purchase.record()).await, Ok(Commit::Done));
    purchase
}

/// The index entries that are due until then.
async fn found(shop: &StoreFixture<impl Backend>, now_s: i64) -> Vec<Scheduled> {
    let mut found = Vec::new();
    for shard in lane::job_shards() {
        for due in shop.store.due_keys(&shard, now_s, 100).await.unwrap() {
            if let Some(Unfinished::Instalments(scheduled)) =
                shop.store.load_due(&due.key).await.unwrap().map(|d| d.what)
            {
                found.push(*scheduled);
            }
        }
    }
    found
}

fn debit_of(scheduled: &Scheduled) -> AggregateTransaction {
    let first = &scheduled.left()[0];
    let amount = Money::minor(scheduled.schedule.details(first).map(|(_, amount)| amount).sum());
    let details = vec![Detail { kind: DetailKind::Tuition, amount, description: "Ballet".into(), about: vec![] }];
    let entry = Entry { direction: Direction::Debit, on: first.0, description: "Year".into(), details };
    let Scheduled { company, family, enrolment, .. } = scheduled;
    let ledger = Ledger { company, family, family_name: "Okafor", order: None };
    ledger.derived(&entry, &scheduled.schedule.debit_of(family, enrolment, first), None).unwrap()
}

async fn a_fee_is_charged_once_a_student_and_period<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let first = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[]).await.with_fee_for(ADA);
    assert_eq!(shop.place(&first).await, Commit::Done);
    // A reserved fee counts already: the second basket would charge it again.
    let second = shop.purchase("pi_2", OKAFOR, &[(TAP, ADA)], &[]).await.with_fee_for(ADA);
    let before = shop.picture().await;
    assert_eq!(shop.place(&second).await, Commit::ConditionFailed);
    assert_eq!(before.changes(&shop.picture().await), NOTHING);
    let brother = shop.purchase("pi_3", OKAFOR, &[(TAP, TOBI)], &[]).await.with_fee_for(TOBI);
    assert_eq!(shop.place(&brother).await, Commit::Done);
}

async fn a_fee_that_is_given_back_is_charged_again_and_only_by_its_own_order_given_back<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let first = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[]).await.with_fee_for(ADA);
    assert_eq!(shop.place(&first).await, Commit::Done);
    assert_eq!(shop.store.release(&first.record()).await, Ok(Commit::Done));
    let second = shop.purchase("pi_2", OKAFOR, &[(BALLET, ADA)], &[]).await.with_fee_for(ADA);
    assert_eq!(shop.place(&second).await, Commit::Done);
    assert_eq!(shop.store.release(&first.record()).await, Ok(Commit::ConditionFailed));
    assert_eq!(shop.store.post(&second.record()).await, Ok(Commit::Done));
    let fees = shop.partition(&enrolment_key().pk, key::FEE).await;
    assert_eq!(fees.len(), 1);
    assert_eq!(fees[0]["fee_state"].as_s().unwrap(), "CHARGED");
    assert_eq!(fees[0]["order_id"].as_s().unwrap(), second.order.as_str());
}

async fn an_instalment_is_found_from_its_day_on_and_not_before_its_place_is_active<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let purchase = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[]).await;
    assert_eq!(shop.place(&purchase).await, Commit::Done);
    assert!(found(&shop, DUE_S).await.is_empty(), "reserved only");
    assert_eq!(shop.store.post(&purchase.record()).await, Ok(Commit::Done));
    assert!(found(&shop, DUE_S - 1).await.is_empty(), "a second before its day begins");
    let due = found(&shop, DUE_S).await;
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].written, due[0].left().len()), (0, 1));
    let booked = &purchase.snapshot.enrolments[0];
    assert_eq!((&due[0].enrolment, Some(&due[0].schedule)), (&booked.id, booked.schedule.as_ref()));
    assert!(shop.store.load_debtor(&due[0]).await.unwrap().unwrap().is_enrolled);
}

async fn what_is_booked_without_a_payment_has_its_instalments_to_come_as_well<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    let owing = shop.zero_due(OKAFOR, &[(STREET, ADA)], &[]).await;
    assert_eq!(shop.book(&owing, 0).await, Commit::Done);
    assert_eq!(found(&shop, DUE_S).await.len(), 1);
}

async fn an_instalment_is_debited_once<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    bought(&shop).await;
    let family = key::family(&id(COMPANY), &id(OKAFOR));
    let owed = shop.number(&family, "family_balance").await;
    let due = found(&shop, DUE_S).await.remove(0);
    let debit = debit_of(&due);
    assert_eq!(shop.store.debit_instalment(&due, &debit).await, Ok(Commit::Done));
    assert_eq!(shop.number(&family, "family_balance").await, owed + 500);
    assert_eq!(shop.number(&key::due(&id(COMPANY), &id(&debit.transaction.id)), "amount_due").await, 500);
    assert!(found(&shop, DUE_S + 1_000_000).await.is_empty(), "it was the last");
    let after = shop.picture().await;
    assert_eq!(
        shop.store.debit_instalment(&due, &debit_of(&due)).await,
        Ok(Commit::ConditionFailed),
        "another run, a late write"
    );
    assert_eq!(after.changes(&shop.picture().await), NOTHING);
}

async fn a_cancelled_enrolment_is_debited_no_more_and_leaves_the_index<M: Backend>() {
    let shop = StoreFixture::<M>::open().await;
    bought(&shop).await;
    let before = found(&shop, DUE_S).await.remove(0);
    shop.set(&enrolment_key(), "place_state", "CANCELLED").await;
    assert_eq!(shop.store.debit_instalment(&before, &debit_of(&before)).await, Ok(Commit::ConditionFailed));
    let due = found(&shop, DUE_S).await.remove(0);
    assert!(!shop.store.load_debtor(&due).await.unwrap().unwrap().is_enrolled);
    assert_eq!(shop.store.stop_instalments(&due).await, Ok(Commit::Done));
    assert!(found(&shop, DUE_S).await.is_empty());
}

on_both! {
    a_fee_is_charged_once_a_student_and_period
    a_fee_that_is_given_back_is_charged_again_and_only_by_its_own_order_given_back
    an_instalment_is_found_from_its_day_on_and_not_before_its_place_is_active
    what_is_booked_without_a_payment_has_its_instalments_to_come_as_well
    an_instalment_is_debited_once
    a_cancelled_enrolment_is_debited_no_more_and_leaves_the_index
}

//! Debits and credits of a file, with payments made in the meantime.

use classpay_tests::studio::{BALLET, CAMPBELL, Studio};
use classpay_tests::{COSTUMES, COSTUMES_DUE, OKAFOR, Stack, assert_books_balance};
use serde_json::{Value, json};

use super::whole::load;

/// The id of the credit that [`Studio::with_cash`] makes with this suffix.
const CASH: &str = "trn_01J9ZDEMW5TVDJ0R000000CASH";

#[tokio::test]
async fn cash_for_a_debit_that_a_link_has_paid_meanwhile_is_the_family_s_credit() {
    let stack = Studio::demo().start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    let (before, cash) = (stack.balance(OKAFOR).await, Studio::demo().with_cash("CASH", 1_000));
    let (is_done, said) = load(&stack, &cash, &[]).await;
    assert!(is_done && said.contains("transactions: 1 added"), "{said}");
    assert_eq!((stack.balance(OKAFOR).await, stack.due(COSTUMES).await), (before - 1_000, 0));
    let (is_done, said) = load(&stack, &cash, &[]).await;
    assert!(is_done && said.contains(": 0 documents"), "{said}");
    assert_books_balance(&stack).await;
}

/// A transaction of the demo studio, assigned to this family under this id.
fn moved(id: &str, family: &str) -> Studio {
    let text = Studio::demo().with_cash("CASH", 1_000).text();
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    for transaction in file["transactions"].as_array_mut().expect("a list") {
        if transaction["aggregateId"] == COSTUMES {
            transaction["transaction"]["familyId"] = family.into();
        }
        if transaction["transaction"]["relatedTransactionId"] == COSTUMES {
            transaction["transaction"]["familyId"] = family.into();
        }
    }
    Studio::parse(&file.to_string().replace(COSTUMES, id))
}

/// Loads a file that is refused, twice, and checks that nothing is written. Returns the message.
async fn refused(stack: &Stack, studio: &Studio) -> String {
    let before = stack.table().picture().await;
    let (is_done, said) = load(stack, studio, &[]).await;
    assert!(!is_done, "{said}");
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
    assert_eq!(load(stack, studio, &[]).await, (false, said.clone()));
    said
}

#[tokio::test]
async fn a_debit_or_credit_that_is_another_family_s_now_is_refused_by_name() {
    let stack = Studio::demo().with_cash("CASH", 1_000).start().await;
    // Set so that an earlier rule doesn't refuse the file first.
    let said = refused(&stack, &moved(COSTUMES, CAMPBELL).with(BALLET, &json!({"price": 900}))).await;
    for told in [
        format!("transactions[0].transaction.familyId: {COSTUMES} is stored as one of the family {OKAFOR}"),
        format!("transactions[2].transaction.familyId: {CASH} is stored as one of the family {OKAFOR}"),
    ] {
        assert!(said.contains(&told) && !said.contains("load it again"), "{told:?} is not in {said}");
    }
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_id_that_is_stored_with_another_beginning_is_refused_by_name() {
    let stack = Studio::demo().with_cash("CASH", 1_000).start().await;
    let (_, rest) = COSTUMES.split_once('_').unwrap();
    let said = refused(&stack, &moved(&format!("deb_{rest}"), OKAFOR)).await;
    let told = format!("transactions[0].transaction.id: deb_{rest} differs only before its first `_` from {COSTUMES}");
    assert!(said.contains(&told), "{said}");
}

#[tokio::test]
async fn a_transaction_that_no_item_can_hold_is_told_before_anything_is_written() {
    let stack = Studio::demo().start().await;
    let mut file: Value = serde_json::from_str(&Studio::demo().with(BALLET, &json!({"price": 900})).text()).unwrap();
    let mut large = file["transactions"][0].clone();
    let detail = large["details"][0].clone();
    let line = |index: usize| {
        let mut line = detail.clone();
        line["details"]["id"] = format!("trnd_{index}").into();
        line["details"]["amount"] = 1.into();
        line
    };
    large["details"] = (0..6_000).map(line).collect();
    large["stats"] = json!({"total": 6_000, "subtotal": 6_000, "discountTotal": 0, "taxTotal": 0});
    large["aggregateId"] = "trn_large".into();
    large["transaction"]["id"] = "trn_large".into();
    file["transactions"].as_array_mut().unwrap().push(large);
    let said = refused(&stack, &Studio::parse(&file.to_string())).await;
    assert!(said.contains("transaction trn_large: has ") && said.contains("can be stored"), "{said}");
}

#[tokio::test]
async fn cash_for_a_debit_that_a_bank_debit_is_paying_is_loaded_once_that_has_ended() {
    let stack = Studio::demo().start().await;
    let link = stack.link(None).await;
    let intent = stack.debit_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    let (before, cash) = (stack.balance(OKAFOR).await, Studio::demo().with_cash("CASH", 1_000));
    let (is_done, said) = load(&stack, &cash, &[]).await;
    assert!(!is_done && said.contains(&format!("a payment of {COSTUMES} is under way")), "{said}");
    assert_eq!((stack.balance(OKAFOR).await, stack.due(COSTUMES).await), (before, 0));
    stack.bank_says(&intent, "fail").await;
    assert_eq!(stack.link_status(&link).await, "open");
    let (is_done, said) = load(&stack, &cash, &[]).await;
    assert!(is_done && said.contains("transactions: 1 added"), "{said}");
    assert_eq!((stack.balance(OKAFOR).await, stack.due(COSTUMES).await), (before - 1_000, COSTUMES_DUE - 1_000));
    assert_books_balance(&stack).await;
}

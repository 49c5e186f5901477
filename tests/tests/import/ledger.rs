//! Debits and credits of a file beside what was paid meanwhile.

use classpay_tests::studio::Studio;
use classpay_tests::{COSTUMES, OKAFOR, assert_books_balance};

use super::whole::load;

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

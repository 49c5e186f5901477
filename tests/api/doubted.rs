//! Stored Stripe ids that Stripe no longer knows: customers, accounts, keys, and the capabilities of an account.
//!
//! Nobody is locked out by a stale id, and nothing becomes shared that was not shared before.

use std::collections::BTreeSet;
use std::time::Duration;

use classpay_tests::studio::{ADA, COMPANY, NGUYEN, OKAFOR, TAP, ballet_for_ada, one};
use classpay_tests::{Answer, Api, Call, Callee, Stack, assert_books_balance};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// An account other than the demo studio's.
const ANOTHER: &str = "acct_1another";

/// The customer of a payment form.
fn customer_of(form: &Value) -> String {
    let customer = form["customerSession"]["customerId"].as_str().expect("a customer");
    assert_eq!(form["ephemeralKey"]["associatedObjectId"], customer);
    customer.to_owned()
}

fn shown(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn session(stack: &Stack) -> Value {
    shown(&stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await)
}

async fn link_form(stack: &Stack, link: &str) -> Value {
    shown(&stack.open_link(link).await)["paymentSession"].clone()
}

/// A request to Stripe by the studio, or by a program of its own.
async fn at_stripe(stack: &Stack, method: Method, path: &str, body: &str) -> Value {
    let request = stack.stripe().request(method, path).bearer_auth("sk_test_dashboard");
    let request = request.header("stripe-account", stack.account()).body(body.to_owned());
    shown(&Api::send(request.header("content-type", "application/x-www-form-urlencoded")).await)
}

async fn delete_customer(stack: &Stack, customer: &str) {
    at_stripe(stack, Method::DELETE, &format!("/v1/customers/{customer}"), "").await;
}

/// The studio deletes every customer that we created for it.
async fn delete_all_customers(stack: &Stack) {
    let living = at_stripe(stack, Method::GET, "/v1/customers?limit=100", "").await;
    for customer in living["data"].as_array().unwrap() {
        delete_customer(stack, customer["id"].as_str().unwrap()).await;
    }
}

/// The office renames the family.
async fn rename(stack: &Stack, name: &str, instead_of: &str) {
    let pk = format!("C#{COMPANY}#F#{OKAFOR}");
    let named = |name: &str| format!("\"name\":\"{name}\"");
    stack.table().rewrite((&pk, "META"), &named(instead_of), &named(name)).await;
}

async fn name_of_the_family(stack: &Stack) -> String {
    let item = stack.table().get(&format!("C#{COMPANY}#F#{OKAFOR}"), "META").await.expect("the family");
    let doc: Value = serde_json::from_str(item["doc"].as_s().unwrap()).unwrap();
    doc["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_family_whose_customer_was_deleted_gets_another_and_pays() {
    let stack = Stack::start().await;
    let first = customer_of(&session(&stack).await);
    assert_eq!(customer_of(&session(&stack).await), first);
    delete_customer(&stack, &first).await;
    let tabs = join_all((0..4).map(|_| session(&stack))).await;
    let customers: BTreeSet<String> = tabs.iter().map(customer_of).collect();
    assert_eq!(customers.len(), 1, "they share one: {customers:?}");
    assert!(!customers.contains(&first));
    let again = session(&stack).await;
    assert!(customers.contains(&customer_of(&again)), "it is remembered");
    let intent = again["paymentIntent"]["id"].as_str().unwrap();
    assert_eq!(stack.intent(intent).await["customer"], customer_of(&again));

    // Twice, while the first keys are still stored.
    delete_customer(&stack, &customer_of(&again)).await;
    let last = session(&stack).await;
    assert!(!customers.contains(&customer_of(&last)));
    let intent = last["paymentIntent"]["id"].as_str().unwrap();
    stack.confirm(intent).await;
    assert_eq!(stack.check_out(OKAFOR, intent, &ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_family_has_another_customer_on_another_account() {
    let stack = Stack::start().await;
    let here = customer_of(&session(&stack).await);
    stack.connect(ANOTHER, stack.account()).await;
    let there = customer_of(&session(&stack).await);
    assert_ne!(here, there);
    assert_eq!(customer_of(&session(&stack).await), there, "it is remembered");
    stack.connect(stack.account(), ANOTHER).await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200);
}

#[tokio::test]
async fn a_family_that_was_renamed_between_two_tries_is_not_locked_out() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let mut name = name_of_the_family(&stack).await;
    for renamed in ["Okafor-One", "Okafor-Two", "Okafor-Three", "Okafor-Four"] {
        stack.order_fault(Call::Create, 1000, &json!({"drop": "before"})).await;
        assert_eq!(stack.open_link(&link).await.code(), "unavailable");
        stack.withdraw_faults().await;
        rename(&stack, renamed, &name).await;
        name = renamed.to_owned();
    }
    link_form(&stack, &link).await;
    // The same for the family's own customer, which is not stored if its answer is lost.
    let lost = json!({"match": {"method": "POST", "route": "/v1/customers"}, "count": 1000, "do": {"drop": "after"}});
    for renamed in ["Okafor-Five", "Okafor-Six", "Okafor-Seven", "Okafor-Eight"] {
        assert_eq!(stack.stripe().post("/_control/faults", &lost).await.status, 200);
        assert_eq!(stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await.code(), "unavailable");
        stack.withdraw_faults().await;
        rename(&stack, renamed, &name).await;
        name = renamed.to_owned();
    }
    session(&stack).await;
}

#[tokio::test]
async fn each_link_has_a_customer_of_its_own() {
    let stack = Stack::start().await;
    let (one, other) = (stack.link(None).await, stack.link(None).await);
    let family = customer_of(&session(&stack).await);
    let (first, second) = (link_form(&stack, &one).await, link_form(&stack, &other).await);
    let customers = BTreeSet::from([family, customer_of(&first), customer_of(&second)]);
    assert_eq!(customers.len(), 3, "{customers:?}");
    assert_eq!(customer_of(&link_form(&stack, &one).await), customer_of(&first), "opened again it is the same");

    // A card that is kept through one can't be seen through the other.
    let attach = format!("customer={}", customer_of(&first));
    at_stripe(&stack, Method::POST, "/v1/payment_methods/pm_card_visa/attach", &attach).await;
    let kept = async |form: &Value| {
        let path = format!("/v1/customers/{}/payment_methods", customer_of(form));
        at_stripe(&stack, Method::GET, &path, "").await["data"].as_array().unwrap().len()
    };
    assert_eq!((kept(&first).await, kept(&second).await), (1, 0));
    for form in [&first, &second] {
        let customer = at_stripe(&stack, Method::GET, &format!("/v1/customers/{}", customer_of(form)), "").await;
        assert_eq!(customer["email"], Value::Null);
    }
}

#[tokio::test]
async fn a_link_whose_customer_was_deleted_is_opened_anew_and_paid() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let first = link_form(&stack, &link).await;
    delete_customer(&stack, &customer_of(&first)).await;
    let tabs = join_all((0..4).map(|_| link_form(&stack, &link))).await;
    let customers: BTreeSet<String> = tabs.iter().map(customer_of).collect();
    assert!(customers.len() == 1 && !customers.contains(&customer_of(&first)), "{customers:?}");
    let old = first["paymentIntent"]["id"].as_str().unwrap();
    assert_eq!(stack.intent_status(old).await, "canceled", "nobody can pay it any more");
    let intent = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_link_s_customer_that_was_deleted_before_it_was_remembered_locks_nobody_out() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    // Twice: the next customer is also created for a first intent.
    for _ in 0..2 {
        stack.order_fault(Call::Create, 1000, &json!({"status": 500})).await;
        assert_eq!(stack.open_link(&link).await.code(), "unavailable");
        stack.withdraw_faults().await;
        assert!(!stack.stored_link(&link).await.contains_key("stripe_customer"), "nothing is remembered");
        delete_all_customers(&stack).await;
    }
    let tabs = join_all((0..4).map(|_| link_form(&stack, &link))).await;
    let customers: BTreeSet<String> = tabs.iter().map(customer_of).collect();
    assert_eq!(customers.len(), 1, "they share one: {customers:?}");
    let intent = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_family_s_customers_that_were_deleted_before_they_were_remembered_lock_nobody_out() {
    let stack = Stack::start().await;
    let unwritten = json!({"match": {"operation": "TransactWriteItems", "function": "create-payment-session"},
        "count": 1000, "do": {"drop": "before"}});
    assert_eq!(stack.dynamodb().post("/_control/faults", &unwritten).await.status, 200);
    assert_eq!(stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await.code(), "unavailable");
    delete_all_customers(&stack).await;
    // Now the first can be stored, and its replacement can't.
    stack.withdraw_faults_at(Callee::DynamoDb).await;
    let first_only = json!({"match": {"operation": "TransactWriteItems", "function": "create-payment-session"},
        "after": 1, "count": 1000, "do": {"drop": "before"}});
    assert_eq!(stack.dynamodb().post("/_control/faults", &first_only).await.status, 200);
    assert_eq!(stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await.code(), "unavailable");
    delete_all_customers(&stack).await;
    stack.withdraw_faults_at(Callee::DynamoDb).await;
    let form = session(&stack).await;
    let intent = form["paymentIntent"]["id"].as_str().unwrap();
    assert_eq!(stack.intent(intent).await["customer"], customer_of(&form));
    stack.confirm(intent).await;
    assert_eq!(stack.check_out(OKAFOR, intent, &ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_checkout_repeated_after_the_account_was_changed_is_answered_as_before() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    stack.withdraw_faults().await;
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    stack.move_clock("2026-09-07T08:00:30Z").await;
    let paid = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let again = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(shown(&again), shown(&paid));
    // A payment of another family, or one that no claim decides, is as unknown as before.
    let unclaimed = {
        stack.connect(&here, ANOTHER).await;
        let intent = stack.authorise_amount(OKAFOR, 4_500).await;
        stack.connect(ANOTHER, &here).await;
        intent
    };
    stack.move_clock("2026-09-07T08:01:00Z").await;
    for (family, intent) in [(NGUYEN, &intent), (OKAFOR, &unclaimed)] {
        let answer = stack.check_out(family, intent, &ballet_for_ada()).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "payment_intent_mismatch"), "{}", answer.text);
    }
    assert_eq!(stack.captured().await.len(), 1);
}

#[tokio::test]
async fn a_process_that_remembers_the_old_account_sells_on_the_new_one() {
    let stack = Stack::start().await;
    // Its process has answered for the old account, and is used again.
    let before = stack.authorise(OKAFOR, &one(TAP, ADA)).await;
    assert_eq!(stack.check_out(OKAFOR, &before, &one(TAP, ADA)).await.status, 200);
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let paid = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    // A studio that has left Stripe altogether still answers for what it has sold.
    let company = format!("C#{}", stack.company());
    let (named, none) = (format!("\"stripeId\":\"{ANOTHER}\""), "\"stripeId\":null");
    stack.table().rewrite((&company, "META"), &named, none).await;
    assert!(stack.kill_function("basket-checkout") > 0);
    let again = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(again.status, 200, "{}", again.text);
    let stranger = stack.family(NGUYEN).checkout(OKAFOR, Some(&intent), &ballet_for_ada()).await;
    assert_eq!((stranger.status, stranger.code().as_str()), (404, "not_found"), "{}", stranger.text);
}

/// The number of refusals that are counted and logged. Both are written alongside the answer, so they may appear a
/// moment later.
async fn told_of_refusals(stack: &Stack) -> (i64, usize) {
    let told = || (stack.counted("StripeRefused"), stack.logged().matches("stripe refused a call for good").count());
    for _ in 0..50 {
        if told().0 >= 2 && told().1 >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    told()
}

#[tokio::test]
async fn what_stripe_refuses_is_counted_and_refused_no_longer_than_its_cause_lasts() {
    for (status, code) in [(400, "amount_too_small"), (402, "card_declined"), (404, "resource_missing")] {
        for route in ["/v1/customers", "/v1/payment_intents"] {
            let stack = Stack::start().await;
            let link = stack.link(None).await;
            stack.refuse_at_stripe(("POST", route), &json!({"status": status, "code": code})).await;
            let refused = [stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await, stack.open_link(&link).await];
            for refused in &refused {
                assert_eq!(refused.code(), "stripe_refused", "{route} {status}: {}", refused.text);
            }
            assert_eq!(told_of_refusals(&stack).await, (2, 2), "{route} {status}: a person is told of each");
            // Stripe has kept its answers under their keys for a day.
            stack.withdraw_faults().await;
            session(&stack).await;
            link_form(&stack, &link).await;
        }
    }
}

/// The payment methods that a link's intent allows.
async fn methods_of(stack: &Stack, form: &Value) -> Vec<String> {
    let intent = stack.intent(form["paymentIntent"]["id"].as_str().unwrap()).await;
    let types = intent["allowed_payment_method_types"].as_array().unwrap();
    types.iter().map(|kind| kind.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_account_without_bank_debits_takes_cards_for_a_day() {
    let stack = Stack::start().await;
    let why = json!({"refuse": {"status": 400, "param": "allowed_payment_method_types",
        "message": "The payment method type \"bacs_debit\" is invalid."}});
    stack.order_fault(Call::Create, 1, &why).await;
    let (one, other) = (stack.link(None).await, stack.link(None).await);
    let form = link_form(&stack, &one).await;
    assert_eq!(methods_of(&stack, &form).await, ["card"]);
    assert!(!stack.has_faults_waiting().await);
    assert_eq!(link_form(&stack, &one).await["paymentIntent"]["id"], form["paymentIntent"]["id"], "opened again");
    let form = link_form(&stack, &other).await;
    assert_eq!(methods_of(&stack, &form).await, ["card"], "it is remembered");

    stack.move_clock("2026-09-08T09:00:00Z").await;
    let later = stack.link(None).await;
    let form = link_form(&stack, &later).await;
    assert_eq!(methods_of(&stack, &form).await, ["card", "bacs_debit"]);
    let intent = stack.authorise_link(&one).await;
    assert_eq!(stack.process_link(&one, Some(&intent)).await.status, 200);
}

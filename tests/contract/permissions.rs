//! Least privilege: the template allows each function exactly what it uses.
//!
//! The steps here make every function use all of its permissions, in common cases and in rare ones. The local DynamoDB
//! refuses a call without permission as AWS does, and the stack's log reports it.
//!
//! There is one comparison over all steps together. A permission that they don't use must be removed from the template,
//! or the case that needs it added here.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_local::template::{Permission, TEMPLATE, Template};
use classpay_tests::price_list::{self, LOVELACE, PLAN_U};
use classpay_tests::studio::{
    self, ACRO, ADA, BALLET, CAMPBELL, FULL, ISLA, MINH, MONTHLY, NGUYEN, OKAFOR, POINTE, STREET, ballet_for_ada,
};
use classpay_tests::{Answer, COSTUMES, Call, CallKind, Callee, DEPLOYMENT, Point, Stack};
use serde_json::{Value, json};

/// Function, action, resource.
type Use = [String; 3];

/// What no function may do: records about money stay, and every read names a key.
const NEVER: [&str; 4] = ["dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLDelete"];

#[tokio::test]
async fn what_is_allowed_is_what_is_used() {
    let used: [BTreeSet<Use>; 6] = tokio::join!(
        families_buy(),
        payments_are_refused_or_given_up(),
        payers_use_links(),
        the_studio_captures_what_was_rejected(),
        stripe_tells(),
        the_schedule_works(),
    )
    .into();
    let used: BTreeSet<Use> = used.into_iter().flatten().collect();
    let allowed = allowed();
    let told = |uses: Vec<&Use>, what: &str| -> Vec<String> {
        uses.iter().map(|[function, action, resource]| format!("{function}: {action} on {resource} {what}")).collect()
    };
    let mut wrong = told(used.difference(&allowed).collect(), "is used and not allowed");
    wrong.extend(told(allowed.difference(&used).collect(), "is allowed and never used"));
    wrong.extend(told(
        allowed.iter().filter(|[_, action, _]| NEVER.contains(&action.as_str())).collect(),
        "is never right",
    ));
    assert!(wrong.is_empty(), "infra/template.yaml:\n{}", wrong.join("\n"));
}

/// The functions' DynamoDB permissions in the template.
fn allowed() -> BTreeSet<Use> {
    let template = Template::parse(TEMPLATE).unwrap();
    let of = |function: &classpay_local::template::Function| {
        let name = function.package.clone();
        let at_dynamodb = |permission: &&Permission| permission.action.starts_with("dynamodb:");
        let permissions = function.permissions.clone();
        let of_permission =
            move |Permission { action, resource }: &Permission| [name.clone(), action.clone(), resource.to_string()];
        permissions.iter().filter(at_dynamodb).map(of_permission).collect::<Vec<_>>()
    };
    template.functions.values().flat_map(of).collect()
}

async fn used(stack: &Stack) -> BTreeSet<Use> {
    stack.permissions_used().await.into_keys().collect()
}

#[track_caller]
fn assert_is(answer: &Answer, status: u16, code: &str) {
    let told = if answer.status < 300 { String::new() } else { answer.code() };
    assert_eq!((answer.status, told.as_str()), (status, code), "{}", answer.text);
}

/// A function's next transaction is written, and its answer is lost.
async fn lose_answer(stack: &Stack, function: &str) {
    let kind = CallKind { callee: Callee::DynamoDb, name: "TransactWriteItems".into() };
    stack.order_fault_at((function, None), &Point { kind, number: 0 }, (1, &json!({"drop": "after"}))).await;
}

async fn run_at(stack: &Stack, now: &str) {
    stack.move_clock(now).await;
    stack.run_schedule().await;
}

/// An enrolment and a trial, which requires that its student is not enrolled in its class.
fn place_and_trial() -> Value {
    studio::basket(&[studio::place(BALLET, ADA, FULL)], &[studio::trial(STREET, ADA, "2026-09-15", "17:15")])
}

/// Quote, session and checkout: paid, free, repeated, in competition, and with lost answers of the table.
async fn families_buy() -> BTreeSet<Use> {
    let stack = Stack::start().await;
    let basket = place_and_trial();
    stack.quoted_payment(OKAFOR, &basket).await;
    // The family's customer is stored but the answer is lost, so that it is read again.
    lose_answer(&stack, "create-payment-session").await;
    let intent = stack.authorise(OKAFOR, &basket).await;
    assert_eq!(stack.withdraw_faults_at(Callee::DynamoDb).await, 0, "the answer was lost");
    assert_eq!(stack.open_session(OKAFOR, &basket).await, intent);
    lose_answer(&stack, "basket-checkout").await;
    for _ in 0..2 {
        assert_is(&stack.check_out(OKAFOR, &intent, &basket).await, 200, "");
        assert_is(&stack.family(OKAFOR).checkout(OKAFOR, None, &studio::open_studio_for_ada()).await, 204, "");
    }
    // Two families want the last place.
    let (adas, islas) = (studio::one(ACRO, ADA), studio::one(ACRO, ISLA));
    let (adas_intent, islas_intent) = (stack.authorise(OKAFOR, &adas).await, stack.authorise(CAMPBELL, &islas).await);
    let raced =
        tokio::join!(stack.check_out(OKAFOR, &adas_intent, &adas), stack.check_out(CAMPBELL, &islas_intent, &islas));
    let mut statuses = [raced.0.status, raced.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    used(&stack).await
}

/// Refusals with and without a release, one that can't be released at once, and an order with fees that is cancelled.
async fn payments_are_refused_or_given_up() -> BTreeSet<Use> {
    let stack = Stack::start().await;
    let full = studio::one(POINTE, MINH);
    let intent = stack.authorise_amount(NGUYEN, 50_000).await;
    assert_is(&stack.check_out(NGUYEN, &intent, &full).await, 409, "class_full");
    assert_is(&stack.family(OKAFOR).checkout(OKAFOR, None, &ballet_for_ada()).await, 422, "payment_required");
    let held = stack.authorise_amount(NGUYEN, 50_000).await;
    stack.order_fault(Call::Cancel, 100_000, &json!({"status": 500})).await;
    assert_is(&stack.check_out(NGUYEN, &held, &full).await, 202, "");
    stack.withdraw_faults().await;
    let captured = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.capture_by_hand(&captured).await;
    assert_is(&stack.check_out(OKAFOR, &captured, &ballet_for_ada()).await, 409, "payment_already_captured");
    let demo = used(&stack).await;

    let stack = price_list::studio().start().await;
    let basket = studio::basket(
        &[studio::place(price_list::BALLET, price_list::A, PLAN_U)],
        &[studio::trial(price_list::TAP, price_list::B, "2026-09-16", "16:30")],
    );
    let intent = stack.authorise(LOVELACE, &basket).await;
    stack.order_fault(Call::Capture, 100_000, &json!({"status": 500})).await;
    assert_is(&stack.check_out(LOVELACE, &intent, &basket).await, 202, "");
    run_at(&stack, "2026-09-08T08:01:30Z").await;
    assert_eq!(stack.intent_status(&intent).await, "canceled", "it was given up");
    &demo | &used(&stack).await
}

/// Changes the amount due on the costumes, as if the office had recorded a credit.
async fn make_due(stack: &Stack, amount: i64) {
    let table = stack.table();
    let key = |text: String| AttributeValue::S(text);
    let update = table.client.update_item().table_name(&table.name);
    let update = update.key("pk", key(format!("C#{}#TRN#{COSTUMES}", stack.company()))).key("sk", key("DUE".into()));
    let update = update.expression_attribute_values(":due", AttributeValue::N(amount.to_string()));
    update.update_expression("SET amount_due = :due").send().await.unwrap();
}

/// The studio has connected another account for a while, and its old one refuses us; a link of the old account is
/// revoked.
async fn revoke_on_a_left_account(stack: &Stack) {
    let (link, company) = (stack.link(None).await, format!("C#{}", stack.company()));
    let intent = stack.intent_of_link(&link).await;
    let mut item = stack.table().get(&company, "META").await.unwrap();
    let (here, table) = (item.clone(), stack.table());
    let doc = item["doc"].as_s().unwrap().replace(stack.account(), "acct_1another");
    item.insert("doc".into(), AttributeValue::S(doc));
    let put = async |item| table.client.put_item().table_name(&table.name).set_item(Some(item)).send().await.unwrap();
    put(item).await;
    let refused = json!({"refuse": {"status": 403, "code": "account_invalid"}});
    let fault = json!({"match": {"path": intent}, "count": 1000, "do": refused});
    assert_is(&stack.stripe().post("/_control/faults", &fault).await, 200, "");
    assert_is(&stack.revoke_link(&link).await, 204, "");
    stack.withdraw_faults().await;
    put(here).await;
}

/// Links created, listed, revoked, opened, opened again at another price, paid by card and by bank debit, and wrong
/// links.
async fn payers_use_links() -> BTreeSet<Use> {
    let stack = Stack::start().await;
    let revoked = stack.link(None).await;
    stack.authorise_link(&revoked).await;
    let listed = stack.staff().get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await;
    assert_is(&listed, 200, "");
    assert_is(&stack.revoke_link(&revoked).await, 204, "");
    assert_is(&stack.process_link("pay_0", None).await, 404, "not_found");
    assert_is(&stack.open_link("pay_0").await, 404, "not_found");
    revoke_on_a_left_account(&stack).await;

    let link = stack.link(None).await;
    let debit = stack.intent_of_link(&link).await;
    assert_eq!(stack.stripe().pay(&debit, "pm_bacsDebit_success").await.status, 200);
    assert_is(&stack.process_link(&link, Some(&debit)).await, 200, "");
    assert_is(&stack.open_link(&link).await, 200, "");
    let failed = stack.stripe().post(&format!("/_control/payment_intents/{debit}/fail"), &json!({})).await;
    assert_eq!(failed.status, 200, "{}", failed.text);
    assert_is(&stack.process_link(&link, Some(&debit)).await, 422, "payment_cancelled");
    let dear = stack.intent_of_link(&link).await;
    make_due(&stack, 4000).await;
    let intent = stack.authorise_link(&link).await;
    assert_ne!(intent, dear, "at another price");
    make_due(&stack, 3000).await;
    assert_is(&stack.process_link(&link, Some(&intent)).await, 422, "quote_changed");
    stack.authorise_link(&link).await;
    lose_answer(&stack, "process-payment-link").await;
    assert_is(&stack.process_link(&link, None).await, 200, "");
    // Another payer closed the tab before that, and opens the link again.
    make_due(&stack, 4000).await;
    let closed = stack.link(None).await;
    stack.authorise_link(&closed).await;
    assert_is(&stack.open_link(&closed).await, 200, "");
    used(&stack).await
}

/// A link whose payment was rejected and could not be released before the studio captured it by hand.
async fn rejected_and_captured(stack: &Stack) -> (String, String) {
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    make_due(stack, 1000).await;
    stack.order_fault(Call::Cancel, 100_000, &json!({"status": 500})).await;
    assert_is(&stack.process_link(&link, Some(&intent)).await, 202, "");
    stack.withdraw_faults().await;
    stack.capture_by_hand(&intent).await;
    make_due(stack, 5280).await;
    (link, intent)
}

/// The first of these credits the family: the payer's page, the payer who opens the link again, or Stripe's event.
async fn the_studio_captures_what_was_rejected() -> BTreeSet<Use> {
    let stack = Stack::start().await;
    let (link, intent) = rejected_and_captured(&stack).await;
    assert_is(&stack.process_link(&link, Some(&intent)).await, 202, "");
    let (link, _) = rejected_and_captured(&stack).await;
    assert_is(&stack.open_link(&link).await, 200, "");
    rejected_and_captured(&stack).await;
    stack.deliver(&stack.event("payment_intent.succeeded").await).await;
    let credits = stack.ledger(OKAFOR).await;
    let unallocated = credits.iter().filter(|entry| entry["transaction"]["type"] == "credit").count();
    assert_eq!(unallocated, 3, "{credits:#?}");
    used(&stack).await
}

/// Events of each kind, of ours and of others.
async fn stripe_tells() -> BTreeSet<Use> {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    for _ in 0..2 {
        stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    }
    stack.refund(&intent, Some(1000)).await;
    stack.refund(&intent, None).await;
    for kind in ["payment_intent.succeeded", "refund.created", "charge.refunded"] {
        stack.deliver(&stack.event(kind).await).await;
    }
    assert_eq!(stack.link_status(&link).await, "refunded");
    for (id, kind, marker) in [
        ("evt_other", "customer.created", "0"),
        ("evt_foreign", "payment_intent.succeeded", "0"),
        ("evt_marked", "payment_intent.succeeded", DEPLOYMENT),
    ] {
        let object = json!({"id": "pi_unknown", "metadata": {"classpay": marker}});
        let created = stack.event("charge.refunded").await["created"].clone();
        let account = stack.account();
        let event = json!({"id": id, "type": kind, "created": created, "account": account, "data": {"object": object}});
        stack.deliver(&event).await;
    }

    // A basket that waits for its payer is captured by hand, credited, and disputed.
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    stack.capture_by_hand(&intent).await;
    run_at(&stack, "2026-09-07T08:06:30Z").await;
    let charges = stack.stripe().charges().await;
    let charge = charges.iter().find(|charge| charge["paymentIntent"] == *intent).unwrap();
    let path = format!("/_control/charges/{}/dispute", charge["charge"].as_str().unwrap());
    assert_eq!(stack.stripe().post(&path, &json!({})).await.status, 200);
    stack.deliver(&stack.event("charge.dispute.funds_withdrawn").await).await;
    assert_eq!(stack.went_back(OKAFOR).await.iter().filter(|(_, kind, _)| kind == "payment-auto-failed").count(), 1);
    used(&stack).await
}

/// What was abandoned: a basket, a rejection, an order, links, instalments, events that never arrived.
async fn the_schedule_works() -> BTreeSet<Use> {
    let stack = Stack::start().await;
    let left = stack.authorise(OKAFOR, &place_and_trial()).await;
    let void = stack.authorise_amount(OKAFOR, 12_345).await;
    let monthly = studio::basket(&[studio::place(BALLET, ISLA, MONTHLY)], &[]);
    let monthly = monthly.to_string().replace(BALLET, STREET).parse::<Value>().unwrap();
    let instalments = stack.authorise(CAMPBELL, &monthly).await;
    assert_is(&stack.check_out(CAMPBELL, &instalments, &monthly).await, 200, "");
    let over = stack.link(Some("2026-09-07 12:00:00")).await;
    stack.intent_of_link(&over).await;
    let held = stack.authorise_amount(NGUYEN, 50_000).await;
    stack.order_fault(Call::Cancel, 100_000, &json!({"status": 500})).await;
    assert_is(&stack.check_out(NGUYEN, &held, &studio::one(POINTE, MINH)).await, 202, "");
    stack.withdraw_faults().await;
    stack.refund(&instalments, Some(100)).await;
    run_at(&stack, "2026-09-07T08:06:30Z").await;
    assert_eq!(stack.intent_status(&left).await, "succeeded", "it was booked");
    assert_eq!(stack.intent_status(&held).await, "canceled", "it was released");
    for now in ["2026-09-07T09:20:30Z", "2026-09-07T12:01:00Z", "2026-10-08T08:00:00Z"] {
        run_at(&stack, now).await;
    }
    assert_eq!(stack.intent_status(&void).await, "canceled");
    assert_eq!(stack.link_status(&over).await, "link_expired");
    assert_eq!(stack.went_back(CAMPBELL).await.len(), 1, "an event that never came");
    let debits = stack.ledger(CAMPBELL).await;
    assert!(debits.iter().any(|debit| debit["transaction"]["date"] == "2026-10-07"), "{debits:#?}");
    used(&stack).await
}

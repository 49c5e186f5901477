//! Nobody is asked to try again where that can't help.
//!
//! Invariant: every 5xx in the table of refusals is caused here by each kind of reason that it has, in every operation
//! that moves money or books, and only a passing failure says after how many seconds to try again.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_service::api::Endpoint;
use classpay_service::error::ErrorCode;
use classpay_tests::studio::{ADA, COMPANY, OKAFOR, TAP, ballet_for_ada, one};
use classpay_tests::{Answer, Callee, Item, Stack};
use serde_json::{Value, json};
use tokio::join;

/// Whether a failure passes without help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Lasts,
    Passes,
}

/// How it is caused.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// Our key is refused.
    Key,
    /// Stripe answers every call like this.
    Stripe(&'static str),
    /// The table answers every call like this.
    Table(&'static str),
    /// A stored document can't be read.
    Record,
    /// The table is missing.
    NoTable,
}

/// Every reason of a code. A code of 5xx without one fails.
fn reasons(code: ErrorCode) -> Vec<(Failure, &'static str, Cause)> {
    use Cause::{Key, NoTable, Record, Stripe, Table};
    use Failure::{Lasts, Passes};
    match code {
        ErrorCode::StripeMisconfigured => vec![
            (Lasts, "the studio has disconnected", Stripe(r#"{"refuse": {"status": 403, "code": "account_invalid"}}"#)),
            (
                Lasts,
                "a key that may not",
                Stripe(r#"{"refuse": {"status": 403, "code": "more_permissions_required"}}"#),
            ),
            (Lasts, "our key was revoked", Key),
        ],
        ErrorCode::StripeRefused => vec![
            (Lasts, "a parameter", Stripe(r#"{"refuse": {"status": 400, "code": "parameter_unknown", "param": "x"}}"#)),
            (
                Lasts,
                "an amount",
                Stripe(r#"{"refuse": {"status": 400, "code": "amount_too_small", "param": "amount"}}"#),
            ),
            (Lasts, "what the account may not", Stripe(r#"{"refuse": {"status": 400, "param": "capabilities"}}"#)),
            (Lasts, "a no without a payer's card", Stripe(r#"{"refuse": {"status": 402, "code": "card_declined"}}"#)),
            (Lasts, "an account that is closed", Stripe(r#"{"refuse": {"status": 400, "code": "account_closed"}}"#)),
            (Lasts, "something that Stripe hasn't", Stripe(r#"{"refuse": {"status": 404}}"#)),
        ],
        ErrorCode::Unavailable => vec![
            (Passes, "too many calls of Stripe", Stripe(r#"{"status": 429}"#)),
            (Passes, "a fault of Stripe's", Stripe(r#"{"status": 500}"#)),
            (Passes, "a key in use", Stripe(r#"{"status": 409}"#)),
            (Passes, "Stripe can't be reached", Stripe(r#"{"drop": "before"}"#)),
            (Passes, "Stripe's answers are lost", Stripe(r#"{"drop": "after"}"#)),
            (Passes, "the table can't be reached", Table(r#"{"drop": "before"}"#)),
            (Passes, "the table is throttled", Table(r#"{"throttle": "table"}"#)),
            (Passes, "rivals were faster", Table(r#"{"cancel": [{"at": 0, "code": "TransactionConflict"}]}"#)),
        ],
        ErrorCode::Internal => {
            vec![(Lasts, "a record that can't be read", Record), (Lasts, "the table is gone", NoTable)]
        }
        other => panic!("{other} is a 5xx: what are its reasons?"),
    }
}

/// The inputs of the operations.
struct Standing {
    /// A link that a payer opens.
    opened: String,
    /// A link, and the intent that its payer has authorised.
    paid: (String, String),
    /// Stripe's event about that.
    event: Value,
    /// A link that staff revoke.
    revoked: String,
    /// An authorised intent of a basket.
    of_basket: String,
    /// The stored text that can become unreadable.
    records: Vec<Item>,
}

impl Standing {
    async fn of(stack: &Stack) -> Self {
        let (opened, paid, revoked) = (stack.link(None).await, stack.link(None).await, stack.link(None).await);
        stack.intent_of_link(&revoked).await;
        let of_basket = stack.authorise(OKAFOR, &ballet_for_ada()).await;
        let intent = stack.authorise_link(&paid).await;
        let event = stack.event("payment_intent.amount_capturable_updated").await;
        assert_eq!(event["data"]["object"]["id"], intent);
        let company = stack.table().get(&format!("C#{COMPANY}"), "META").await.unwrap();
        let link = stack.stored_link(&revoked).await;
        Self { opened, paid: (paid, intent), event, revoked, of_basket, records: vec![company, link] }
    }

    /// The answer of each operation. Another number gives a new event.
    async fn call(&self, stack: &Stack, number: usize) -> [(&'static str, Answer); 6] {
        let (family, tap, ballet) = (stack.family(OKAFOR), one(TAP, ADA), ballet_for_ada());
        let (paid, intent) = &self.paid;
        let mut event = self.event.clone();
        event["id"] = json!(format!("evt_{number}"));
        let (session, opened, checkout, processed, revoked, told) = join!(
            family.session(OKAFOR, &tap),
            stack.open_link(&self.opened),
            stack.check_out(OKAFOR, &self.of_basket, &ballet),
            stack.process_link(paid, Some(intent)),
            stack.revoke_link(&self.revoked),
            stack.send_event(&event),
        );
        [
            ("a session", session),
            ("a link's opening", opened),
            ("a checkout", checkout),
            ("a link's payment", processed),
            ("a link's revocation", revoked),
            (WEBHOOK, told),
        ]
    }
}

/// The operation that only stores its input; what it can't do at once is left to the settlement job.
const WEBHOOK: &str = "an event";

impl Cause {
    fn strikes(self, operation: &str) -> bool {
        operation != WEBHOOK || matches!(self, Self::Table(_) | Self::NoTable)
    }
}

async fn order(stack: &Stack, standing: &Standing, cause: Cause) {
    let parsed = |what: &str| -> Value { serde_json::from_str(what).unwrap() };
    let ordered = match cause {
        Cause::Key => stack.stripe().post("/_control/keys/revoke", &json!({"key": "sk_test_local"})).await,
        Cause::Stripe(what) => {
            let fault = json!({"match": {}, "count": 100_000, "do": parsed(what)});
            stack.stripe().post("/_control/faults", &fault).await
        }
        Cause::Table(what) => {
            let fault = json!({"match": {}, "count": 100_000, "do": parsed(what)});
            stack.dynamodb().post("/_control/faults", &fault).await
        }
        Cause::Record => {
            for record in &standing.records {
                let mut unreadable = record.clone();
                unreadable.insert("doc".into(), AttributeValue::S("{}".into()));
                stack.table().put(unreadable).await;
            }
            return;
        }
        Cause::NoTable => {
            let table = stack.table();
            table.client.delete_table().table_name(&table.name).send().await.unwrap();
            return;
        }
    };
    assert_eq!(ordered.status, 200, "{}", ordered.text);
}

async fn withdraw(stack: &Stack, standing: &Standing, cause: Cause) {
    stack.withdraw_faults().await;
    stack.withdraw_faults_at(Callee::DynamoDb).await;
    if matches!(cause, Cause::Record) {
        for record in &standing.records {
            stack.table().put(record.clone()).await;
        }
    }
}

fn assert_honest(answer: &Answer, code: ErrorCode, failure: Failure, why: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (Endpoint::Checkout.status_of(code), code.as_str()),
        "{why}: {}",
        answer.text
    );
    let seconds = answer.headers.get("retry-after").map(|seconds| seconds.parse::<u32>().unwrap());
    let says_when = seconds.is_some_and(|seconds| seconds > 0);
    let asks_to = answer.text.to_lowercase().contains("try again");
    let passes = failure == Failure::Passes;
    assert_eq!((says_when, asks_to), (passes, passes), "{why}: {}", answer.text);
}

#[tokio::test]
async fn only_what_passes_says_when_to_come_back() {
    let stack = Stack::start().await;
    let standing = Standing::of(&stack).await;
    let codes = || ErrorCode::ALL.iter().copied().filter(|code| Endpoint::Checkout.status_of(*code) >= 500);
    let reasons = codes().flat_map(|code| reasons(code).into_iter().map(move |reason| (code, reason)));
    // What can't be undone comes last.
    let (last, first): (Vec<_>, Vec<_>) =
        reasons.partition(|(_, (.., cause))| matches!(cause, Cause::Key | Cause::NoTable));
    for (number, (code, (failure, why, cause))) in first.into_iter().chain(last).enumerate() {
        order(&stack, &standing, cause).await;
        for (operation, answer) in standing.call(&stack, number).await {
            let why = format!("{operation}, {why}");
            if cause.strikes(operation) {
                assert_honest(&answer, code, failure, &why);
            } else {
                assert_eq!(answer.status, 200, "{why}: {}", answer.text);
            }
        }
        withdraw(&stack, &standing, cause).await;
    }
}

//! `cargo dev orders`, run as an operator runs it, against a running stack.

mod finish;
mod lost_accounts;
mod reasons;
mod reconcile;
mod resolve;
mod unbooked;

use classpay_tests::studio::{self, OKAFOR};
use classpay_tests::{Api, Call, Stack, binaries, log};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

/// An account other than the demo studio's.
pub const ANOTHER: &str = "acct_1another";
pub const A_DAY_LATER: &str = "2026-09-08T09:30:00Z";
pub const A_DAY_AFTER_THAT: &str = "2026-09-09T10:30:00Z";

/// The output of a command.
pub struct CommandOutput {
    pub is_ok: bool,
    pub out: String,
    pub err: String,
}

impl CommandOutput {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {}{}", self.out, self.err))
    }

    pub fn ok(self) -> Self {
        assert!(self.is_ok, "{}{}", self.out, self.err);
        self
    }

    /// A failed command and its reason.
    pub fn refused(self, why: &str) {
        assert!(!self.is_ok && self.err.contains(why), "{}{}", self.out, self.err);
    }
}

/// Runs an operator's command. Its output must name no person and contain no secret.
pub async fn orders(stack: &Stack, words: &[&str]) -> CommandOutput {
    let mut command = Command::new(binaries().join("classpay-local"));
    command.arg("orders").args(words).args(["--table", &stack.table().name, "--dynamodb-url", stack.dynamodb_url()]);
    let output = command.args(["--stripe-url", stack.stripe_url()]).output().await.expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let output = CommandOutput { is_ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) };
    let all = format!("{}{}", output.out, output.err);
    assert_eq!(log::leaks(&all), Vec::<&str>::new());
    for name in ["Okafor", "Nguyen", "Ada ", "Minh ", "@"] {
        assert!(!all.contains(name), "{name}: {all}");
    }
    output
}

pub async fn listed(stack: &Stack) -> Value {
    orders(stack, &["list", "--json"]).await.ok().json()
}

pub async fn assert_nothing_is_listed(stack: &Stack) {
    assert_eq!(listed(stack).await, json!({"unfinished": [], "reviews": [], "unreadable": []}));
}

pub async fn shown(stack: &Stack, what: &str) -> Value {
    orders(stack, &["show", what, "--json"]).await.ok().json()
}

/// A checkout during which Stripe stops answering after the first call. Returns the order and its intent.
pub async fn stuck(stack: &Stack, capture: &Value) -> (String, String) {
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    stack.order_fault(Call::Retrieve, 1, &json!({"delayMs": 0})).await;
    stack.order_fault(Call::Retrieve, 1000, &json!({"drop": "before"})).await;
    stack.order_fault(Call::Capture, 1000, capture).await;
    let answer = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    stack.withdraw_faults().await;
    (answer.json()["orderId"].as_str().unwrap().to_owned(), intent)
}

/// A paid link whose order is pending, because its capture gets no answer. Returns the link, its intent and the order.
pub async fn pending_link(stack: &Stack) -> (String, String, String) {
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    let answer = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    stack.withdraw_faults().await;
    (link, intent, answer.json()["orderId"].as_str().unwrap().to_owned())
}

/// Buys a place in a class; returns its intent.
pub async fn bought(stack: &Stack) -> String {
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    intent
}

/// A call to Stripe by the studio itself.
pub async fn dashboard(stack: &Stack, path: &str, form: &str) -> Value {
    let request = stack.stripe().request(Method::POST, path).bearer_auth("sk_test_dashboard");
    let request = request.header("stripe-account", stack.account());
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    let answer = Api::send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The name of the only listed record, which has this reason.
pub async fn record(stack: &Stack, reason: &str) -> String {
    let list = listed(stack).await;
    let [review] = &list["reviews"].as_array().unwrap()[..] else { panic!("one record: {list}") };
    assert_eq!(review["reason"], reason, "{list}");
    assert!(orders(stack, &["list"]).await.ok().out.contains(reason));
    review["record"].as_str().unwrap().to_owned()
}

/// Marks the record as reviewed, after which nothing is left to do.
pub async fn reviewed(stack: &Stack, record: &str) {
    orders(stack, &["reviewed", stack.company(), record]).await.ok();
    assert_nothing_is_listed(stack).await;
}

/// A paid basket whose order is pending, because its capture gets no answer. Returns the order and the intent.
pub async fn pending(stack: &Stack) -> (String, String) {
    stuck(stack, &json!({"drop": "before"})).await
}

pub async fn run_at(stack: &Stack, now: &str) {
    stack.move_clock(now).await;
    stack.run_schedule().await;
}

/// Runs the settlement job until an unreachable payment has been unreachable for a day.
pub async fn lost_for_a_day(stack: &Stack) {
    run_at(stack, "2026-09-07T09:10:00Z").await;
    run_at(stack, A_DAY_LATER).await;
}

//! The number of sequential round trips that each endpoint needs: to the table, and to Stripe.
//!
//! The table and Stripe answer each call late, so that calls sent together are open together. The number of sequential
//! round trips is read from the times at which calls arrived and were answered: the most calls of which each begins
//! after the one before has ended. A busy machine only lengthens the pauses between them.
//!
//! Invariant: the table below states the present numbers. An endpoint that needs more round trips fails, and one that
//! needs fewer fails as well, until its row is corrected.

use classpay_tests::studio::{OPEN_STUDIO, one};
use classpay_tests::{Api, CallTime, Callee, Crowd, Member, Stack, Webhooks};
use reqwest::Method;
use serde_json::{Value, json};

/// The delay of the table's answers: longer than the time between two calls that are sent together.
const TABLE_LATE_MS: u64 = 200;
/// The delay of Stripe's answers: anything written concurrently is written before it ends.
const STRIPE_LATE_MS: u64 = 400;
/// The number of calls for each row: one to warm up, and one that is measured.
const CALLS_A_ROW: usize = 2;

/// Sequential round trips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waits {
    /// To the table, whatever Stripe does.
    dynamodb: u32,
    /// To Stripe, whatever the table does.
    stripe: u32,
    /// Of those to the table, the ones that pass during a round trip to Stripe.
    beside: u32,
}

const fn waits(dynamodb: u32, stripe: u32, beside: u32) -> Waits {
    Waits { dynamodb, stripe, beside }
}

/// A call, and the state in which it is made.
#[derive(Debug, Clone, Copy)]
enum Case {
    Quote,
    Checkout(Authorisation),
    CheckoutAgain,
    CheckoutOfNothing,
    Session(Customer),
    MakeLink,
    ListLinks,
    Revoke(Opened),
    Retrieve(Opened),
    Process(Authorisation),
    ProcessDebit,
    BasketEvent,
    LinkEvent,
}

/// Whether Stripe's event has reported the authorisation before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authorisation {
    Told,
    Untold,
}

/// Whether the family has a customer at Stripe.
#[derive(Debug, Clone, Copy)]
enum Customer {
    Known,
    New,
}

/// Whether this link, or another one of the family's, was opened before.
#[derive(Debug, Clone, Copy)]
enum Opened {
    Never,
    Another,
    Before,
}

/// The round trips of each endpoint, with their calls.
const TABLE: [(Case, Waits); 19] = [
    // Price list, family and classes.
    (Case::Quote, waits(1, 0, 0)),
    // Versions, claim, session and key; the records they guard, with the intent in parallel; P1; capture; P2.
    (Case::Checkout(Authorisation::Untold), waits(4, 2, 1)),
    // The same without the intent.
    (Case::Checkout(Authorisation::Told), waits(4, 1, 0)),
    // Versions and claim; the order.
    (Case::CheckoutAgain, waits(2, 0, 0)),
    // Versions and the order's key; the records they guard; the booking.
    (Case::CheckoutOfNothing, waits(3, 0, 0)),
    // The studio; the intent in parallel with customer session and ephemeral key; the session.
    (Case::Session(Customer::Known), waits(2, 1, 0)),
    // The same, with the customer before the intent; the customer is stored in parallel with the intent.
    (Case::Session(Customer::New), waits(3, 2, 1)),
    // The amount due, which names the family; the debit; the link.
    (Case::MakeLink, waits(3, 0, 0)),
    // The debit's list; the links.
    (Case::ListLinks, waits(2, 0, 0)),
    // The link; its end.
    (Case::Revoke(Opened::Never), waits(2, 0, 0)),
    // The link; the claim; the cancel, which must come before the end; the end.
    (Case::Revoke(Opened::Before), waits(3, 1, 0)),
    // The link; its debit and studio; the customer; the intent in parallel with its form; intent, session and customer
    // are stored.
    (Case::Retrieve(Opened::Never), waits(3, 2, 0)),
    // The same: each link has a customer of its own.
    (Case::Retrieve(Opened::Another), waits(3, 2, 0)),
    // The link; its debit and studio, in parallel with intent and form.
    (Case::Retrieve(Opened::Before), waits(2, 1, 1)),
    // The link and its count; its debit and studio, the intent and the new count; P1; capture; P2.
    (Case::Process(Authorisation::Untold), waits(4, 2, 1)),
    // The webhook itself has settled the payment. The same reads; the order. The intent is only shown.
    (Case::Process(Authorisation::Told), waits(3, 1, 1)),
    // The same reads; P1; the order. Nothing is captured.
    (Case::ProcessDebit, waits(4, 1, 1)),
    // The event; session and claim; the intent; its status on the session; the event's end.
    (Case::BasketEvent, waits(4, 1, 0)),
    // A link's event settles the payment before the end: the link; its debit and studio; P1; capture; P2.
    (Case::LinkEvent, waits(8, 2, 0)),
];

/// A prepared call.
struct Ready {
    function: &'static str,
    request: reqwest::RequestBuilder,
    status: u16,
}

impl Ready {
    async fn call(self) {
        let answer = Api::send(self.request).await;
        assert_eq!(answer.status, self.status, "{}: {}", self.function, answer.text);
    }
}

#[tokio::test]
async fn no_endpoint_makes_its_caller_wait_more_often_in_a_row_than_its_row_says() {
    let mut crowd = Crowd::start(TABLE.len() * CALLS_A_ROW, Webhooks::Held).await;
    let mut wrong = Vec::new();
    for (case, said) in TABLE {
        let (measured, calls) = measure(&mut crowd, case).await;
        println!("{case:?}: {measured:?}");
        if measured != said {
            wrong.push(format!("{case:?}: said {said:?}, measured {measured:?}:\n{calls}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Makes one call with late answers, and reads its round trips from the log.
async fn measure(crowd: &mut Crowd, case: Case) -> (Waits, String) {
    // The first call of a process opens its connections and fills its caches.
    ready(crowd, case).await.call().await;
    let ready = ready(crowd, case).await;
    let (stack, function) = (&crowd.stack, ready.function);
    stack.forget_calls().await;
    let both =
        [(Callee::DynamoDb, json!({"function": function}), TABLE_LATE_MS), (Callee::Stripe, json!({}), STRIPE_LATE_MS)];
    for (callee, matched, late_ms) in &both {
        let fault = json!({"match": matched, "count": u32::MAX, "do": {"delayMs": late_ms}});
        let control = if *callee == Callee::Stripe { stack.stripe() } else { stack.dynamodb() };
        assert_eq!(control.post("/_control/faults", &fault).await.status, 200);
    }
    ready.call().await;
    for (callee, ..) in &both {
        stack.withdraw_faults_at(*callee).await;
    }
    let times = stack.call_times(function).await;
    let of = |callee| in_a_row(times.iter().filter(|call| call.callee == callee));
    let (dynamodb, stripe) = (of(Callee::DynamoDb), of(Callee::Stripe));
    let beside = (dynamodb + stripe).saturating_sub(in_a_row(times.iter()));
    (Waits { dynamodb, stripe, beside }, stack.call_order().await)
}

/// The most of these calls of which each begins after the one before has ended.
fn in_a_row<'a>(calls: impl Iterator<Item = &'a CallTime>) -> u32 {
    let mut calls: Vec<_> = calls.collect();
    calls.sort_by_key(|call| call.ended);
    let mut last_ended = None;
    let mut row = 0;
    for call in calls {
        if last_ended.is_none_or(|last_ended| call.began >= last_ended) {
            (last_ended, row) = (Some(call.ended), row + 1);
        }
    }
    row
}

/// Prepares the case for a family that has done nothing yet.
async fn ready(crowd: &mut Crowd, case: Case) -> Ready {
    let member = crowd.newcomer();
    let (stack, Member { family, link, debit, .. }) = (&crowd.stack, &member);
    match case {
        Case::Quote => quote(stack, &member),
        Case::Checkout(told) => {
            let intent = stack.authorise(family, &member.basket()).await;
            if told == Authorisation::Told {
                let event = authorised(stack, &intent).await;
                stack.deliver(&event).await;
            }
            checkout(stack, family, Some(&intent), &member.basket(), 200)
        }
        Case::CheckoutAgain => {
            let intent = stack.authorise(family, &member.basket()).await;
            checkout(stack, family, Some(&intent), &member.basket(), 200).call().await;
            checkout(stack, family, Some(&intent), &member.basket(), 200)
        }
        Case::CheckoutOfNothing => checkout(stack, family, None, &one(OPEN_STUDIO, &member.student), 204),
        Case::Session(Customer::New) => session(stack, family, &json!({"items": member.basket()})),
        Case::Session(Customer::Known) => {
            stack.open_session_of(family, 1000).await;
            session(stack, family, &json!({"items": member.basket()}))
        }
        Case::MakeLink => {
            let request = stack.staff().request(Method::POST, "/v1/payment-links");
            let request = request.json(&json!({"transactionId": debit}));
            Ready { function: "create-payment-link", request, status: 201 }
        }
        Case::ListLinks => {
            let path = format!("/v1/payment-links?transactionId={debit}");
            Ready { function: "list-payment-links", request: stack.staff().request(Method::GET, &path), status: 200 }
        }
        Case::Revoke(opened) => {
            let link = link_that_was(opened, stack, &member).await;
            let request = stack.staff().request(Method::DELETE, &format!("/v1/payment-links/{link}"));
            Ready { function: "revoke-payment-link", request, status: 204 }
        }
        Case::Retrieve(opened) => {
            let link = link_that_was(opened, stack, &member).await;
            let request = stack.caller(None).request(Method::POST, &format!("/v1/payment-links/{link}"));
            Ready { function: "retrieve-payment-link", request, status: 200 }
        }
        Case::Process(told) => {
            let intent = stack.authorise_link(link).await;
            if told == Authorisation::Told {
                let event = authorised(stack, &intent).await;
                stack.deliver(&event).await;
            }
            process(stack, link, &intent)
        }
        Case::ProcessDebit => {
            let intent = stack.intent_of_link(link).await;
            assert_eq!(stack.stripe().pay(&intent, "pm_bacsDebit_success").await.status, 200);
            process(stack, link, &intent)
        }
        Case::BasketEvent => {
            let intent = stack.authorise(family, &member.basket()).await;
            event(stack, &authorised(stack, &intent).await)
        }
        Case::LinkEvent => {
            let intent = stack.authorise_link(link).await;
            event(stack, &authorised(stack, &intent).await)
        }
    }
}

async fn link_that_was(opened: Opened, stack: &Stack, member: &Member) -> String {
    match opened {
        Opened::Never => member.link.clone(),
        Opened::Before => {
            stack.intent_of_link(&member.link).await;
            member.link.clone()
        }
        Opened::Another => {
            stack.intent_of_link(&member.link).await;
            let made = stack.make_link(&member.debit, None).await;
            made.json()["paymentLink"]["id"].as_str().unwrap().to_owned()
        }
    }
}

fn quote(stack: &Stack, member: &Member) -> Ready {
    let items = member.basket();
    let encoded = |list: &str| items[list].to_string().bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let query = format!("enrolments={}&trials={}", encoded("enrolments"), encoded("trials"));
    let path = format!("/v1/basket/{}/quote?{query}", member.family);
    Ready { function: "get-quote", request: stack.family(&member.family).request(Method::GET, &path), status: 200 }
}

/// With an idempotency key, which is read in parallel with the versions.
fn checkout(stack: &Stack, family: &str, intent: Option<&str>, items: &Value, status: u16) -> Ready {
    let request = stack.family(family).request(Method::POST, &format!("/v1/basket/{family}/checkout"));
    let request = request.header("idempotency-key", family).json(&json!({"paymentIntentId": intent, "items": items}));
    Ready { function: "basket-checkout", request, status }
}

fn session(stack: &Stack, family: &str, body: &Value) -> Ready {
    let path = format!("/v1/integrations/stripe/{family}/payment-sessions");
    let request = stack.family(family).request(Method::POST, &path).json(body);
    Ready { function: "create-payment-session", request, status: 200 }
}

fn process(stack: &Stack, link: &str, intent: &str) -> Ready {
    let request = stack.caller(None).request(Method::POST, &format!("/v1/payment-links/{link}/process"));
    let request = request.json(&json!({"paymentIntentId": intent}));
    Ready { function: "process-payment-link", request, status: 200 }
}

fn event(stack: &Stack, event: &Value) -> Ready {
    Ready { function: "stripe-webhook", request: stack.signed_event(event), status: 200 }
}

/// The event that reports an intent's authorisation.
async fn authorised(stack: &Stack, intent: &str) -> Value {
    let events = stack.latest_events("payment_intent.amount_capturable_updated").await;
    events.into_iter().find(|event| event["data"]["object"]["id"] == intent).unwrap()
}

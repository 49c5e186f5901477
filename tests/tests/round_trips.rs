//! How many waits in a row each endpoint makes its caller wait for: of the table, and of Stripe.
//!
//! The table answers each call of a function only after D, Stripe after S, and both are long against all else that a
//! call takes, as it was measured just before: so a wall says how many waits it is made of. Calls that are out at the
//! same time are waited for once; a transaction is one wait.
//!
//! Invariant: the table below is what is, not what is hoped for. An endpoint that waits more often fails, and one that
//! waits less often than it says fails as well: then its row is to be corrected.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

use std::time::{Duration, Instant};

use classpay_tests::studio::{OPEN_STUDIO, one};
use classpay_tests::{Api, Callee, Crowd, Member, Stack, Webhooks};
use reqwest::Method;
use serde_json::{Value, json};

/// A delay is so many times what an undelayed call takes, so that all else together is less than one wait.
const TIMES_UNDELAYED: u32 = 5;
/// The shortest and the longest delay of the table; the SDK gives a call up after two seconds.
const DELAYS_MS: [u64; 2] = [100, 1200];
/// How often each row is called: to warm up, undelayed, and with each pair of delays.
const CALLS_A_ROW: usize = 5;

/// Waits in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waits {
    /// Of the table, if Stripe answered at once.
    dynamodb: u32,
    /// Of Stripe, if the table answered at once.
    stripe: u32,
    /// Of those of the table: so many pass beside a wait for Stripe.
    beside: u32,
}

const fn waits(dynamodb: u32, stripe: u32, beside: u32) -> Waits {
    Waits { dynamodb, stripe, beside }
}

/// What is called, and how things stand when it is.
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

/// Whether Stripe's event has told of the authorisation before.
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

/// Whether the link was opened before, or another one of the family's.
#[derive(Debug, Clone, Copy)]
enum Opened {
    Never,
    Another,
    Before,
}

/// The waits of each endpoint, with the calls that they are.
const TABLE: [(Case, Waits); 19] = [
    // Price list, family and classes.
    (Case::Quote, waits(1, 0, 0)),
    // Versions, claim, session and key; what they guard, and the intent beside it; P1; capture; P2.
    (Case::Checkout(Authorisation::Untold), waits(4, 2, 1)),
    // The same without the intent.
    (Case::Checkout(Authorisation::Told), waits(4, 1, 0)),
    // Versions and claim; the order.
    (Case::CheckoutAgain, waits(2, 0, 0)),
    // Versions and the order's key; what they guard; the booking.
    (Case::CheckoutOfNothing, waits(3, 0, 0)),
    // The studio; the intent beside customer session and ephemeral key; the session.
    (Case::Session(Customer::Known), waits(2, 1, 0)),
    // The same, and the customer before the intent; it is remembered beside the session.
    (Case::Session(Customer::New), waits(2, 2, 0)),
    // What is due, which says whose it is; the debit; the link.
    (Case::MakeLink, waits(3, 0, 0)),
    // The debit's list; the links.
    (Case::ListLinks, waits(2, 0, 0)),
    // The link; its end.
    (Case::Revoke(Opened::Never), waits(2, 0, 0)),
    // The link; the claim; the cancel, which must come before the end; the end.
    (Case::Revoke(Opened::Before), waits(3, 1, 0)),
    // The link; what it points at; the customer; the intent beside its form; intent, session and customer are kept.
    (Case::Retrieve(Opened::Never), waits(3, 2, 0)),
    // The same: each link has a customer of its own.
    (Case::Retrieve(Opened::Another), waits(3, 2, 0)),
    // The link; what it points at, and intent and form beside it.
    (Case::Retrieve(Opened::Before), waits(2, 1, 1)),
    // The link and its count; what it points at, the intent and the new count; P1; capture; P2.
    (Case::Process(Authorisation::Untold), waits(4, 2, 1)),
    // The webhook itself has taken the payment. The same reads; the order. The intent is only shown.
    (Case::Process(Authorisation::Told), waits(3, 1, 1)),
    // The same reads; P1; the order. Nothing is captured.
    (Case::ProcessDebit, waits(4, 1, 1)),
    // The event; session and claim; the intent; its status on the session; the event's end.
    (Case::BasketEvent, waits(4, 1, 0)),
    // That of a link takes its road before the end: the link; what it points at; P1; capture; P2.
    (Case::LinkEvent, waits(8, 2, 0)),
];

/// A call that is ready to be made.
struct Ready {
    function: &'static str,
    request: reqwest::RequestBuilder,
    status: u16,
}

impl Ready {
    async fn call(self) -> Duration {
        let began = Instant::now();
        let answer = Api::send(self.request).await;
        let took = began.elapsed();
        assert_eq!(answer.status, self.status, "{}: {}", self.function, answer.text);
        took
    }
}

#[tokio::test]
async fn no_endpoint_makes_its_caller_wait_more_often_in_a_row_than_its_row_says() {
    let mut crowd = Crowd::start(TABLE.len() * CALLS_A_ROW, Webhooks::Held).await;
    let mut wrong = Vec::new();
    for (case, said) in TABLE {
        let (measured, walls) = measure(&mut crowd, case).await;
        println!("{case:?}: {measured:?}, {walls}");
        if measured != said {
            wrong.push(format!("{case:?}: said {said:?}, measured {measured:?}, {walls}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Calls with three pairs of delays, and solves the waits from the walls.
async fn measure(crowd: &mut Crowd, case: Case) -> (Waits, String) {
    // The first call of a process opens its connections.
    ready(crowd, case).await.call().await;
    let undelayed = ready(crowd, case).await.call().await;
    let [least, most] = DELAYS_MS.map(Duration::from_millis);
    let d = (undelayed * TIMES_UNDELAYED).clamp(least, most);
    let s = d * 3 / 2;
    let table_is_slow = delayed(crowd, case, d, Duration::ZERO).await;
    let stripe_is_slow = delayed(crowd, case, Duration::ZERO, s).await;
    let both_are = delayed(crowd, case, d, s).await;
    let (dynamodb, stripe) = (times(table_is_slow, d), times(stripe_is_slow, s));
    // A wait of the table beside one of Stripe is over before that.
    let in_a_row = times(both_are.saturating_sub(s * stripe), d);
    let walls =
        format!("undelayed {undelayed:?}; D {d:?}: {table_is_slow:?}; S {s:?}: {stripe_is_slow:?}; both: {both_are:?}");
    (Waits { dynamodb, stripe, beside: dynamodb.saturating_sub(in_a_row) }, walls)
}

/// How many delays fit into a wall: a delay is never shorter than it is ordered, and all else is less than one.
fn times(wall: Duration, delay: Duration) -> u32 {
    u32::try_from(wall.as_micros() / delay.as_micros()).unwrap()
}

/// A call whose function waits so long for each answer of the table, and of Stripe.
async fn delayed(crowd: &mut Crowd, case: Case, d: Duration, s: Duration) -> Duration {
    let ready = ready(crowd, case).await;
    let stack = &crowd.stack;
    let calls = [(Callee::DynamoDb, d, json!({"function": ready.function})), (Callee::Stripe, s, json!({}))];
    for (callee, delay, matched) in &calls {
        if !delay.is_zero() {
            let delay = u64::try_from(delay.as_millis()).unwrap() + 1;
            let fault = json!({"match": matched, "count": u32::MAX, "do": {"delayMs": delay}});
            let control = if *callee == Callee::Stripe { stack.stripe() } else { stack.dynamodb() };
            assert_eq!(control.post("/_control/faults", &fault).await.status, 200);
        }
    }
    let wall = ready.call().await;
    for (callee, ..) in &calls {
        stack.withdraw_faults_at(*callee).await;
    }
    wall
}

/// Brings things to where the case begins, for a family that has done nothing yet.
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

/// With an idempotency key: it is read beside the versions.
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

/// The event that tells of an intent's authorisation.
async fn authorised(stack: &Stack, intent: &str) -> Value {
    let events = stack.latest_events("payment_intent.amount_capturable_updated").await;
    events.into_iter().find(|event| event["data"]["object"]["id"] == intent).unwrap()
}

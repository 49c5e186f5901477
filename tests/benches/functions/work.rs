//! The rows of the table: which function does what in each, and how that is prepared.
//!
//! Invariant: each request does the whole of its work: none is a replay, a refusal, or finds it done already.

use bytes::Bytes;
use classpay_local::binaries::workspace_root;
use classpay_local::secrets::LOCAL_WEBHOOK_SECRET;
use classpay_tests::crowd::{self, debit, family, student};
use classpay_tests::studio::{self, BALLET, FULL, OKAFOR, STREET};
use classpay_tests::{COSTUMES, signature};
use serde_json::{Value, json};

use crate::world::{World, body};

/// Stands in the sample events for a link.
const LINK: &str = "pay_00000000000000000000000001";
/// A payer who authorised a basket and left is waited for for five minutes.
const LEFT_MS: i64 = 10 * 60 * 1000;
/// A family with as many students as a basket has lines at most.
const MANY: &str = "fml_many";
const MOST_LINES: usize = 25;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// What the others are divided by.
    HelloWorld,
    /// The demo studio's basket.
    Quote,
    CreateSession,
    /// Stripe tells that a session is authorised.
    Webhook,
    /// Of a session of which Stripe has told that it is authorised.
    Checkout,
    /// Of one of which Stripe hasn't told yet.
    CheckoutUntold,
    CreateLink,
    ListLinks,
    RetrieveLink,
    /// Of a link that was retrieved before.
    RetrieveLinkAgain,
    ProcessLink,
    RevokeLink,
    /// A run that finds one payer who authorised his basket and left.
    Settle,
    /// A basket of so many places, each of another student.
    QuoteOfLines(usize),
    /// For a family with so many transactions.
    QuoteAfter(usize),
    /// At a studio with so many classes.
    QuoteAmong(usize),
    /// The calls of one of the others, made by Node of this version.
    InNode(&'static Self, u16),
}

impl Work {
    /// Each function doing its work.
    pub const ALL: [Self; 13] = [
        Self::HelloWorld,
        Self::Quote,
        Self::CreateSession,
        Self::Webhook,
        Self::Checkout,
        Self::CheckoutUntold,
        Self::CreateLink,
        Self::ListLinks,
        Self::RetrieveLink,
        Self::RetrieveLinkAgain,
        Self::ProcessLink,
        Self::RevokeLink,
        Self::Settle,
    ];

    /// What the quote costs as a basket grows, as a family's history does, and as a studio does.
    pub const GROWTH: [Self; 9] = [
        Self::QuoteOfLines(1),
        Self::QuoteOfLines(5),
        Self::QuoteOfLines(MOST_LINES),
        Self::QuoteAfter(10),
        Self::QuoteAfter(1000),
        Self::QuoteAfter(10_000),
        Self::QuoteAmong(10),
        Self::QuoteAmong(100),
        Self::QuoteAmong(1000),
    ];

    /// Those whose calls tests/node makes as well.
    const ALSO_IN_NODE: [&'static Self; 6] = [
        &Self::Quote,
        &Self::Checkout,
        &Self::CheckoutUntold,
        &Self::QuoteOfLines(1),
        &Self::QuoteOfLines(5),
        &Self::QuoteOfLines(MOST_LINES),
    ];

    /// The rows in Node for these works.
    pub fn in_node(works: &[Self], major: u16) -> Vec<Self> {
        let also = Self::ALSO_IN_NODE.into_iter().filter(|work| works.contains(work));
        also.map(|work| Self::InNode(work, major)).collect()
    }

    /// What a row in Node is compared with.
    pub fn counterpart(self) -> Option<Self> {
        if let Self::InNode(work, _) = self { Some(*work) } else { None }
    }

    /// The function that is measured.
    pub fn function(self) -> &'static str {
        match self {
            Self::HelloWorld => "hello-world",
            Self::Quote | Self::QuoteOfLines(_) | Self::QuoteAfter(_) | Self::QuoteAmong(_) => "get-quote",
            Self::CreateSession => "create-payment-session",
            Self::Webhook => "stripe-webhook",
            Self::Checkout | Self::CheckoutUntold => "basket-checkout",
            Self::CreateLink => "create-payment-link",
            Self::ListLinks => "list-payment-links",
            Self::RetrieveLink | Self::RetrieveLinkAgain => "retrieve-payment-link",
            Self::ProcessLink => "process-payment-link",
            Self::RevokeLink => "revoke-payment-link",
            Self::Settle => "settle-payments",
            Self::InNode(work, _) => work.function(),
        }
    }

    /// The row's name.
    pub fn name(self) -> String {
        match self {
            Self::CheckoutUntold => format!("{}, no event yet", self.function()),
            Self::RetrieveLinkAgain => format!("{}, again", self.function()),
            Self::QuoteOfLines(lines) => format!("{}, lines: {lines}", self.function()),
            Self::QuoteAfter(transactions) => format!("{}, past transactions: {transactions}", self.function()),
            Self::QuoteAmong(classes) => format!("{}, classes: {classes}", self.function()),
            Self::InNode(work, major) => format!("{}, Node {major}", work.name()),
            _ => self.function().to_owned(),
        }
    }

    /// Whether a request leaves something behind, so that each needs something of its own.
    pub fn changes(self) -> bool {
        !matches!(self, Self::HelloWorld | Self::ListLinks) && self.function() != "get-quote"
    }

    /// The demo studio with so many families that have done nothing yet.
    pub fn studio(self, families: usize) -> String {
        match self {
            Self::QuoteOfLines(_) => {
                let one = |n| json!({"id": sibling(n), "firstname": "Sam", "lastname": n.to_string()});
                let students: Vec<Value> = (0..MOST_LINES).map(one).collect();
                let created_at = "2026-06-01 09:00:00";
                let family = json!({"id": MANY, "name": "Many", "createdAt": created_at, "students": students});
                crowd::studio(0).with_families(&[family]).text()
            }
            Self::QuoteAfter(transactions) => {
                let mut studio: Value = serde_json::from_str(&crowd::studio(transactions).text()).expect("JSON");
                for owed in studio["transactions"].as_array_mut().expect("a list") {
                    owed["transaction"]["familyId"] = json!(family(0));
                }
                studio.to_string()
            }
            Self::QuoteAmong(classes) => {
                let mut studio: Value = serde_json::from_str(&crowd::studio(1).text()).expect("JSON");
                let list = studio["classes"].as_array_mut().expect("a list");
                let like = list.iter().find(|class| class["id"] == STREET).expect("the demo studio has it").clone();
                for n in list.len()..classes {
                    let mut class = like.clone();
                    class["id"] = json!(format!("cls_more{n}"));
                    list.push(class);
                }
                studio.to_string()
            }
            Self::InNode(work, _) => work.studio(families),
            _ => crowd::studio(families).text(),
        }
    }

    /// Whether the next request can only be prepared when the last is over: a run of the schedule takes all there is,
    /// and a signature is believed for a few minutes.
    pub fn one_by_one(self) -> bool {
        matches!(self, Self::Settle | Self::Webhook)
    }

    /// So many events, each with its own work to do.
    pub async fn prepare(self, world: &mut World, events: usize) -> Vec<Bytes> {
        let mut prepared = Vec::with_capacity(events);
        for _ in 0..events {
            prepared.push(match self.repeated(&prepared) {
                Some(event) => event,
                None => self.event(world).await,
            });
        }
        prepared
    }

    /// What changes nothing can be asked again.
    fn repeated(self, prepared: &[Bytes]) -> Option<Bytes> {
        prepared.first().filter(|_| !self.changes()).cloned()
    }

    async fn event(self, world: &mut World) -> Bytes {
        match self {
            Self::HelloWorld | Self::Quote => Bytes::from(sample("get-quote")),
            Self::QuoteOfLines(lines) => {
                let places: Vec<Value> = (0..lines).map(|n| studio::place(STREET, &sibling(n), FULL)).collect();
                quote_event(MANY, &studio::basket(&places, &[]))
            }
            Self::QuoteAfter(_) | Self::QuoteAmong(_) => quote_event(&family(0), &basket(0)),
            Self::CreateSession => session_event(world.newcomer()),
            Self::Webhook => {
                authorise(world, 0).await;
                told(world).await
            }
            Self::Checkout => {
                let (newcomer, intent) = authorise(world, 0).await;
                let event = told(world).await;
                world.have_done("stripe-webhook", 0, event).await;
                checkout_event(newcomer, &intent)
            }
            Self::CheckoutUntold => {
                let (newcomer, intent) = authorise(world, 0).await;
                checkout_event(newcomer, &intent)
            }
            Self::CreateLink => create_link_event(world.newcomer()),
            Self::ListLinks => {
                let newcomer = world.newcomer();
                world.have_done("create-payment-link", 0, create_link_event(newcomer)).await;
                Bytes::from(sample("list-payment-links").replace(COSTUMES, &debit(newcomer)))
            }
            Self::RetrieveLink => {
                let link = create_link(world).await;
                link_event("retrieve-payment-link", &link)
            }
            Self::RetrieveLinkAgain => {
                let (link, _) = retrieve_link(world).await;
                link_event("retrieve-payment-link", &link)
            }
            Self::ProcessLink => {
                let (link, intent) = retrieve_link(world).await;
                world.confirm(&intent).await;
                link_event("process-payment-link", &link)
            }
            Self::RevokeLink => {
                let (link, _) = retrieve_link(world).await;
                link_event("revoke-payment-link", &link)
            }
            Self::Settle => {
                authorise(world, LEFT_MS).await;
                Bytes::from(sample("settle-payments"))
            }
            Self::InNode(work, _) => Box::pin(work.event(world)).await,
        }
    }

    /// Fails if an answer says that the work was not done. A row in Node needs only to answer with a success.
    pub fn check(self, answer: &[u8]) {
        let body = body(self.function(), answer);
        if self == Self::Settle {
            // Now and then the account's events are due as well.
            assert!(body["finished"].as_u64() >= Some(1) && body["left"] == 0, "a run finishes what it finds: {body}");
        }
    }
}

/// One of the events of infra/events.
fn sample(function: &str) -> String {
    let file = workspace_root().join(format!("infra/events/{function}.json"));
    std::fs::read_to_string(&file).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()))
}

/// The same with another body, of another family.
fn with_body(function: &str, of: &str, body: &str) -> Bytes {
    let mut event: Value = serde_json::from_str(&sample(function).replace(OKAFOR, of)).expect("JSON");
    event["body"] = json!(body);
    Bytes::from(event.to_string())
}

fn quote_event(of: &str, items: &Value) -> Bytes {
    let mut event: Value = serde_json::from_str(&sample("get-quote").replace(OKAFOR, of)).expect("JSON");
    let encoded = |list: &str| items[list].to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    event["rawQueryString"] = json!(format!("enrolments={}&trials={}", encoded("enrolments"), encoded("trials")));
    event["queryStringParameters"] =
        json!({"enrolments": items["enrolments"].to_string(), "trials": items["trials"].to_string()});
    Bytes::from(event.to_string())
}

fn link_event(function: &str, link: &str) -> Bytes {
    Bytes::from(sample(function).replace(LINK, link))
}

/// A student of the family of many.
fn sibling(n: usize) -> String {
    format!("stu_many{n}")
}

fn basket(newcomer: usize) -> Value {
    let student = student(newcomer);
    let trial = studio::trial(BALLET, &student, "2026-09-14", "16:30");
    studio::basket(&[studio::place(STREET, &student, FULL)], &[trial])
}

fn session_event(newcomer: usize) -> Bytes {
    let body = json!({"items": basket(newcomer), "transactionId": null});
    with_body("create-payment-session", &family(newcomer), &body.to_string())
}

fn checkout_event(newcomer: usize, intent: &str) -> Bytes {
    let body = json!({"items": basket(newcomer), "paymentIntentId": intent});
    with_body("basket-checkout", &family(newcomer), &body.to_string())
}

fn create_link_event(newcomer: usize) -> Bytes {
    Bytes::from(sample("create-payment-link").replace(COSTUMES, &debit(newcomer)))
}

/// A newcomer opens a session so long ago and authorises it now.
async fn authorise(world: &mut World, ago_ms: i64) -> (usize, String) {
    let newcomer = world.newcomer();
    let session = world.have_done("create-payment-session", ago_ms, session_event(newcomer)).await;
    let intent = text(&session["paymentIntent"]["id"]);
    world.confirm(&intent).await;
    (newcomer, intent)
}

/// What Stripe says of the session that was authorised last.
async fn told(world: &World) -> Bytes {
    let event = world.latest_event("acct_1DemoDanceSchool", "payment_intent.amount_capturable_updated").await;
    let body = event.to_string();
    let signature = signature(LOCAL_WEBHOOK_SECRET, &body, event["created"].as_i64().expect("a time"));
    let mut event: Value = serde_json::from_str(&sample("stripe-webhook")).expect("JSON");
    event["headers"]["stripe-signature"] = json!(signature);
    event["body"] = json!(body);
    Bytes::from(event.to_string())
}

async fn create_link(world: &mut World) -> String {
    let event = create_link_event(world.newcomer());
    text(&world.have_done("create-payment-link", 0, event).await["paymentLink"]["id"])
}

/// A link, and the intent that its retrieval has made.
async fn retrieve_link(world: &mut World) -> (String, String) {
    let link = create_link(world).await;
    let opened = world.have_done("retrieve-payment-link", 0, link_event("retrieve-payment-link", &link)).await;
    (link, text(&opened["paymentSession"]["paymentIntent"]["id"]))
}

fn text(value: &Value) -> String {
    value.as_str().expect("an id").to_owned()
}

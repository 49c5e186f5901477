//! Each operation: its description, its input, and its successful answers.
//!
//! Paths and callers come from the template and refusals from [`Endpoint`]; neither is repeated here.

use classpay_domain::basket::BASKET_MAX_ITEMS;
use classpay_service::api::Endpoint;
use classpay_service::catalogue::documents::DocumentId;
use classpay_service::catalogue::documents::text::Textual as _;
use serde_json::{Value, json};

use super::schemas::PLACE;

/// An operation, without its refusals.
pub struct Operation {
    pub endpoint: Endpoint,
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    /// Whether the published API lacks it.
    pub is_addition: bool,
    pub parameters: Vec<Value>,
    /// The type of its body.
    pub request: Option<Value>,
    pub successes: Vec<Success>,
}

/// Its successful answers.
pub struct Success {
    pub status: u16,
    pub what: &'static str,
    pub body: Option<Value>,
    /// A repeated call with the same key gets this answer, too.
    pub can_be_replayed: bool,
}

pub fn schema(name: &str) -> Value {
    json!({"$ref": format!("{PLACE}{name}")})
}

fn list_of(name: &str) -> Value {
    json!({"type": "array", "items": schema(name)})
}

const fn success(status: u16, what: &'static str, body: Option<Value>) -> Success {
    Success { status, what, body, can_be_replayed: false }
}

fn processing() -> Success {
    let what = "Money was moved, and what came of it isn't known yet. The same call repeated gives the final answer.";
    success(202, what, Some(schema("Processing")))
}

/// Starts an operation without a body and with only the refusals that all operations share.
fn operation(
    endpoint: Endpoint,
    [id, tag, summary, description]: [&'static str; 4],
    successes: Vec<Success>,
) -> Operation {
    Operation {
        endpoint,
        id,
        tag,
        summary,
        description,
        is_addition: false,
        parameters: Vec::new(),
        request: None,
        successes,
    }
}

pub fn operations() -> Vec<Operation> {
    vec![
        quote(),
        checkout(),
        payment_session(),
        create_link(),
        list_links(),
        retrieve_link(),
        revoke_link(),
        process_link(),
        webhook(),
    ]
}

fn quote() -> Operation {
    let words = [
        "getQuote",
        "Basket",
        "Get a quote",
        "What a basket costs on each plan, and what a checkout would charge now. It writes nothing.\n\nEach list is JSON in \
         one URL-encoded value; `enrolments[0][classId]=…` is read as well. Both are required; one may be empty, and the limit is for both together.",
    ];
    let list = |name: &str, of: &str, what: &str| {
        // Generators leave out a parameter that has a `content`, and take one that is a text.
        let text = json!({
            "type": "string", "contentMediaType": "application/json",
            "contentSchema": {"type": "array", "items": schema(of), "maxItems": BASKET_MAX_ITEMS},
        });
        json!({"name": name, "in": "query", "required": true, "description": what, "schema": text})
    };
    let successes = vec![success(200, "What it costs.", Some(schema("Quote")))];
    Operation {
        parameters: vec![
            list("enrolments", "QuoteEnrolment", "The places in classes."),
            list("trials", "BasketTrial", "The trial lessons."),
        ],
        ..operation(Endpoint::Quote, words, successes)
    }
}

fn checkout() -> Operation {
    let words = [
        "checkout",
        "Basket",
        "Finalise checkout process by creating transactions and capturing payment",
        "Books the basket and captures what is due now, together or not at all.\n\nThe same call twice \
         is one purchase. A refusal that gives the payer's money back says `paymentReleased`.",
    ];
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "x-addition": true,
        "description": "The same key with the same body is answered as before.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    });
    let booked = "Booked: the debits, then the credit of what was captured.";
    let nothing = "Booked, and nothing is due now.";
    let mut successes = vec![success(200, booked, Some(list_of("AggregateTransaction"))), success(204, nothing, None)];
    successes.iter_mut().for_each(|success| success.can_be_replayed = true);
    successes.insert(1, processing());
    Operation {
        parameters: vec![key],
        request: Some(schema("CheckoutRequest")),
        ..operation(Endpoint::Checkout, words, successes)
    }
}

fn payment_session() -> Operation {
    let words = [
        "createPaymentSession",
        "Stripe",
        "Create a payment session",
        "Opens the card payment that a checkout captures: the intent, and what the payment form needs. The same basket at \
         the same price is the same intent.",
    ];
    let successes = vec![success(200, "What the payment form needs.", Some(schema("PaymentSession")))];
    Operation {
        request: Some(schema("PaymentSessionRequest")),
        ..operation(Endpoint::PaymentSession, words, successes)
    }
}

fn create_link() -> Operation {
    let words =
        ["createPaymentLink", "Payment links", "Create a payment link", "For a debit with something due. Staff only."];
    let successes = vec![success(201, "The link, and where the payer opens it.", Some(schema("PaymentLinkWithUrl")))];
    Operation {
        is_addition: true,
        request: Some(schema("CreatePaymentLinkRequest")),
        ..operation(Endpoint::CreateLink, words, successes)
    }
}

fn list_links() -> Operation {
    let words = ["listPaymentLinks", "Payment links", "List the payment links of a debit", "Staff only."];
    let debit = json!({
        "name": "transactionId", "in": "query", "required": true, "description": "The debit.", "schema": id(),
    });
    let successes = vec![success(200, "Its links, the oldest first.", Some(list_of("PaymentLinkWithUrl")))];
    Operation { is_addition: true, parameters: vec![debit], ..operation(Endpoint::ListLinks, words, successes) }
}

fn retrieve_link() -> Operation {
    let words = [
        "retrievePaymentLink",
        "Payment links",
        "Retrieve a payment link",
        "Shows the debit and opens, or finds again, the payment of what is due on it; that is why it is a POST. Once it is \
         paid it is the receipt: the same shape, with an empty text for every secret. Public: the id is the key.",
    ];
    let successes =
        vec![success(200, "The debit and its payment.", Some(schema("RetrievedPaymentLink"))), processing()];
    operation(Endpoint::RetrieveLink, words, successes)
}

fn revoke_link() -> Operation {
    let words = [
        "revokePaymentLink",
        "Payment links",
        "Revoke a payment link",
        "Cancels its open payment first; one that is on its way is not taken back. Staff only.",
    ];
    let successes = vec![success(204, "It can't be paid any more.", None)];
    Operation { is_addition: true, ..operation(Endpoint::RevokeLink, words, successes) }
}

fn process_link() -> Operation {
    let words = [
        "processPaymentLink",
        "Payment links",
        "Process a payment link",
        "Takes the payment that the payer has authorised. Repeated, it answers the same. A bank debit is answered while it \
         is on its way, with the link `processing`. Public: the id is the key.",
    ];
    let paid = "Paid, or on its way by bank debit.";
    let successes = vec![success(200, paid, Some(schema("ProcessedPaymentLink"))), processing()];
    Operation {
        request: Some(schema("ProcessPaymentLinkRequest")),
        ..operation(Endpoint::ProcessLink, words, successes)
    }
}

fn webhook() -> Operation {
    let words = [
        "receiveStripeEvent",
        "Stripe",
        "Receive an event of Stripe's",
        "For Stripe alone: the signature, on the body as it came, is the key.",
    ];
    let signature = json!({
        "name": "Stripe-Signature", "in": "header", "required": true, "description": "As Stripe signs its events.",
        "schema": {"type": "string"},
    });
    let successes = vec![success(200, "It is kept.", Some(schema("EventReceived")))];
    Operation {
        is_addition: true,
        parameters: vec![signature],
        request: Some(json!({"type": "object", "description": "An Event object of Stripe's."})),
        ..operation(Endpoint::StripeWebhook, words, successes)
    }
}

/// An id in a path or a query. Our ids are a prefix and 26 characters; any other id finds nothing.
pub fn id() -> Value {
    DocumentId::schema().to_value()
}

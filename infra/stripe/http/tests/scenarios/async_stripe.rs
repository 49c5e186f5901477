//! async-stripe parses the stand-in's answers in every state, and the stand-in accepts async-stripe's requests.

use futures_util::TryStreamExt as _;
use reqwest::Method;
use stripe_client_core::{StripeMethod, StripeRequest};
use stripe_core::customer::{CreateCustomer, DeleteCustomer, ListCustomer, RetrieveCustomer};
use stripe_core::customer_session::{
    CreateCustomerSession, CreateCustomerSessionComponents, CreateCustomerSessionComponentsPaymentElement,
};
use stripe_core::event::ListEvent;
use stripe_core::payment_intent::{
    CancelPaymentIntent, CapturePaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent,
    CreatePaymentIntentPaymentMethodOptions, CreatePaymentIntentPaymentMethodOptionsCard,
    CreatePaymentIntentPaymentMethodOptionsCardCaptureMethod as CardCapture, ListPaymentIntent, RetrievePaymentIntent,
    UpdatePaymentIntent,
};
use stripe_misc::ephemeral_key::CreateEphemeralKey;
use stripe_shared::PaymentIntentAllowedPaymentMethodTypes as Allowed;
use stripe_shared::{Customer, PaymentIntent, PaymentIntentStatus};

use crate::harness::{START, STUDIO, TestStripe};

const INTENTS: &str = "/v1/payment_intents";

fn parse<T: miniserde::Deserialize>(text: &str) -> T {
    miniserde::json::from_str(text).unwrap_or_else(|_| panic!("async-stripe can't parse {text}"))
}

#[tokio::test]
async fn intents_parse_in_every_state() {
    let stripe = TestStripe::start().await;
    let expand = "expand[]=latest_charge.refunds&expand[]=payment_method&expand[]=customer";
    let customer = stripe.post("/v1/customers", "email=ada@example.com").await.ok();
    let customer = customer["id"].as_str().unwrap();
    let form = format!(
        "amount=100&currency=gbp&customer={customer}&capture_method=manual&shipping[name]=Ada\
         &shipping[address][city]=London&transfer_data[destination]=acct_1&application_fee_amount=5\
         &allowed_payment_method_types[]=card&allowed_payment_method_types[]=bacs_debit\
         &setup_future_usage=off_session&metadata[a]=1&{expand}"
    );
    let text = stripe.post(INTENTS, &form).await.text;
    let intent: PaymentIntent = parse(&text);
    assert_eq!(intent.status, PaymentIntentStatus::RequiresPaymentMethod);
    let path = format!("{INTENTS}/{}", intent.id);
    let confirm = format!("{path}/confirm");

    let form = format!("payment_method=pm_card_chargeDeclined&{expand}");
    assert_eq!(stripe.post(&confirm, &form).await.status, 402);
    let declined: PaymentIntent = parse(&stripe.get(&format!("{path}?{expand}")).await.text);
    assert!(declined.last_payment_error.unwrap().decline_code.is_some());

    let form = format!("payment_method=pm_card_authenticationRequired&{expand}");
    let waiting: PaymentIntent = parse(&stripe.post(&confirm, &form).await.text);
    assert_eq!(waiting.status, PaymentIntentStatus::RequiresAction);
    assert!(waiting.next_action.unwrap().use_stripe_sdk.is_some());

    let form = format!("payment_method=pm_card_visa&{expand}");
    let held: PaymentIntent = parse(&stripe.post(&confirm, &form).await.text);
    assert_eq!(held.status, PaymentIntentStatus::RequiresCapture);
    let charge = held.latest_charge.unwrap().into_object().unwrap();
    let card = charge.payment_method_details.unwrap().card.unwrap();
    assert_eq!(card.capture_before, Some(START + 7 * 24 * 60 * 60));
    assert!(charge.refunds.unwrap().data.is_empty());

    let taken: PaymentIntent = parse(&stripe.post(&format!("{path}/capture"), expand).await.text);
    assert_eq!((taken.status, taken.amount_received), (PaymentIntentStatus::Succeeded, 100));
    let text = stripe.post(INTENTS, "amount=100&currency=usd").await.text;
    let dynamic: PaymentIntent = parse(&text);
    let cancel = format!("{INTENTS}/{}/cancel", dynamic.id);
    let cancelled: PaymentIntent = parse(&stripe.post(&cancel, "cancellation_reason=duplicate").await.text);
    assert_eq!(cancelled.status, PaymentIntentStatus::Canceled);
}

async fn send<R>(stripe: &TestStripe, request: &R) -> R::Output
where
    R: StripeRequest<Output: miniserde::Deserialize>,
{
    let built = request.build();
    let method = match built.method {
        StripeMethod::Get => Method::GET,
        StripeMethod::Post => Method::POST,
        StripeMethod::Delete => Method::DELETE,
    };
    let path = format!("/v1{}?{}", built.path, built.query.unwrap_or_default());
    let request = stripe
        .call(method, &path)
        .header("stripe-account", STUDIO)
        .header("stripe-version", stripe_shared::version::VERSION.as_str())
        .body(built.body.unwrap_or_default());
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {text}");
    parse(&text)
}

#[tokio::test]
async fn what_async_stripe_sends_is_taken() {
    let stripe = TestStripe::start().await;
    let customer = CreateCustomer::new().name("Ada").metadata([("a b".into(), "&=é".into())]);
    let customer: Customer = send(&stripe, &customer).await;
    assert_eq!(customer.metadata.unwrap()["a b"], "&=é");
    send(&stripe, &RetrieveCustomer::new(&customer.id)).await;
    assert_eq!(send(&stripe, &ListCustomer::new().limit(3)).await.data.len(), 1);
    send(&stripe, &CreateEphemeralKey::new().customer(customer.id.as_str())).await;
    let mut components = CreateCustomerSessionComponents::new();
    components.payment_element = Some(CreateCustomerSessionComponentsPaymentElement::new(true));
    let session = CreateCustomerSession::new(components).customer(customer.id.as_str());
    send(&stripe, &session).await;

    // The currency type comes from a crate that isn't otherwise needed.
    let sample = stripe.post(INTENTS, "amount=100&currency=gbp").await.text;
    let pounds = parse::<PaymentIntent>(&sample).currency;
    let mut card = CreatePaymentIntentPaymentMethodOptionsCard::new();
    card.capture_method = Some(CardCapture::Manual);
    let mut options = CreatePaymentIntentPaymentMethodOptions::new();
    options.card = Some(card);
    let create = CreatePaymentIntent::new(4200, pounds)
        .allowed_payment_method_types(vec![Allowed::Card, Allowed::BacsDebit])
        .customer(customer.id.as_str())
        .payment_method_options(options)
        .metadata([("order".into(), "ord_1".into())])
        .expand(vec!["latest_charge.refunds".into(), "payment_method".into()]);
    let intent = send(&stripe, &create).await;
    send(&stripe, &UpdatePaymentIntent::new(&intent.id).description("Ballet")).await;
    let confirm = ConfirmPaymentIntent::new(&intent.id).payment_method("pm_card_visa");
    let held = send(&stripe, &confirm).await;
    assert_eq!((held.status, held.amount_capturable), (PaymentIntentStatus::RequiresCapture, 4200));
    let expand = vec!["latest_charge.refunds".to_owned(), "payment_method".to_owned()];
    send(&stripe, &RetrievePaymentIntent::new(&intent.id).expand(expand)).await;
    let capture = CapturePaymentIntent::new(&intent.id).amount_to_capture(4200);
    assert_eq!(send(&stripe, &capture).await.amount_received, 4200);
    let other = send(&stripe, &create).await;
    send(&stripe, &CancelPaymentIntent::new(&other.id)).await;
    let list = ListPaymentIntent::new().expand(vec!["data.latest_charge".into()]);
    assert_eq!(send(&stripe, &list).await.data.len(), 3);
    send(&stripe, &DeleteCustomer::new(&customer.id)).await;
    let kinds = ["payment_intent.succeeded", "payment_intent.canceled"].map(str::to_owned);
    let told = send(&stripe, &ListEvent::new().types(kinds).limit(1)).await;
    assert_eq!((told.data.len(), told.has_more), (1, true));
    let rest = ListEvent::new().types(["payment_intent.succeeded".to_owned()]).starting_after(told.data[0].id.as_str());
    assert_eq!(send(&stripe, &rest).await.data.len(), 1);
}

/// The library's own client, as an operator's commands use it.
#[tokio::test]
async fn its_own_client_captures_and_lists_every_page() {
    let stripe = TestStripe::start().await;
    let client = ::stripe::ClientBuilder::new("sk_test_123").url(&stripe.url).account_id(STUDIO.into());
    let client = client.build().unwrap();
    for _ in 0..3 {
        let id = stripe.hold().await;
        let taken = CapturePaymentIntent::new(id.as_str()).send(&client).await.unwrap();
        assert_eq!(taken.status, PaymentIntentStatus::Succeeded);
    }
    let all = ListPaymentIntent::new().limit(2).paginate().stream(&client);
    assert_eq!(all.try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let refused = CapturePaymentIntent::new("pi_none").send(&client).await;
    assert!(matches!(refused, Err(::stripe::StripeError::Stripe(_, 404))), "{refused:?}");
}

//! Planted mistakes, and that the description and the stand-in speak of the same calls.

use std::collections::BTreeSet;

use classpay_stripe_model::ids::Ids;
use classpay_stripe_model::{ApiError, Origin, State};
use http::Method;
use serde_json::{Value, json};

use super::{DESCRIPTION, Parameters, check_answer, check_error, check_event, check_request};
use crate::form::Form;
use crate::routes;

const CREATE: &str = "POST /v1/payment_intents";
const PAID: &str = "amount=4200&currency=gbp";

#[test]
fn what_is_served_is_described_and_what_is_described_is_served() {
    assert_eq!(DESCRIPTION.whole["version"], "2026-08-26.dahlia");
    let described = DESCRIPTION.whole["calls"].as_object().unwrap().keys().cloned();
    assert_eq!(described.collect::<BTreeSet<_>>(), routes::names().into_iter().collect());
}

/// Status, code, parameter and words of the refusal.
fn refusal(call: &str, form: &str) -> Option<(Option<String>, String, String)> {
    let names = call.split('/').filter_map(|name| name.strip_prefix('{')?.strip_suffix('}'));
    let path: Vec<(&str, &str)> = names.map(|name| (name, "id_1")).collect();
    let form = Form::parse("", form).unwrap();
    let error = check_request(call, &Parameters { path: &path, form: &form.pairs }).err()?.0;
    assert_eq!((error.status, &*error.detail.kind), (400, "invalid_request_error"));
    Some((error.detail.code.map(Into::into), error.detail.param.unwrap_or_default(), error.detail.message))
}

#[test]
fn every_call_refuses_a_parameter_that_it_does_not_know() {
    for call in routes::names() {
        let (code, param, message) = refusal(&call, "colour=red").unwrap();
        assert_eq!((code.as_deref(), param.as_str()), (Some("parameter_unknown"), "colour"), "{call}: {message}");
    }
}

/// A call, its form, and the code, the parameter and the words (how they begin) that it is refused with.
type Wrong = (&'static str, &'static str, Option<&'static str>, &'static str, &'static str);

/// Every kind of mistake, in forms that are right but for it. `CREATE` has `PAID` too.
const WRONG: &[Wrong] = &[
    (CREATE, "amont=1", Some("parameter_unknown"), "amont", "Received unknown parameter: amont"),
    (
        CREATE,
        "payment_method_options[card][colour]=red",
        Some("parameter_unknown"),
        "payment_method_options[card][colour]",
        "Received unknown parameter: payment_method_options[card][colour]",
    ),
    (CREATE, "intent=pi_1", Some("parameter_unknown"), "intent", "Received unknown parameter: intent"),
    (
        CREATE,
        "automatic_payment_methods[allow_redirects]=never",
        Some("parameter_missing"),
        "automatic_payment_methods[enabled]",
        "Missing required param: automatic_payment_methods[enabled].",
    ),
    (CREATE, "amount=1.5", Some("parameter_invalid_integer"), "amount", "Invalid integer: 1.5"),
    (CREATE, "amount=", Some("parameter_invalid_empty"), "amount", "You passed an empty string for 'amount'."),
    (CREATE, "confirm=maybe", None, "confirm", "Invalid boolean: maybe"),
    (CREATE, "shipping=here", None, "shipping", "Invalid object"),
    (CREATE, "currency[]=gbp", None, "currency", "Invalid string"),
    (CREATE, "metadata[a][b]=1", None, "metadata[a]", "Invalid string"),
    (CREATE, "allowed_payment_method_types=card", None, "allowed_payment_method_types", "Invalid array"),
    (
        CREATE,
        "allowed_payment_method_types[]=card&allowed_payment_method_types[]=cash",
        None,
        "allowed_payment_method_types[1]",
        "Invalid allowed_payment_method_types[1]: must be one of acss_debit, ",
    ),
    (
        CREATE,
        "capture_method=later",
        None,
        "capture_method",
        "Invalid capture_method: must be one of automatic, automatic_async, manual",
    ),
    (
        CREATE,
        "payment_method_options[card][capture_method]=later",
        None,
        "payment_method_options[card][capture_method]",
        "Invalid payment_method_options[card][capture_method]: must be one of manual",
    ),
    (CREATE, "off_session=perhaps", None, "off_session", "Invalid off_session: must be one of one_off, recurring"),
    (
        CREATE,
        "statement_descriptor_suffix=twenty-three characters",
        None,
        "statement_descriptor_suffix",
        "Invalid string: twenty-three characters; must be at most 22 characters",
    ),
    ("POST /v1/ephemeral_keys", "customer[]=cus_1", None, "customer", "Invalid string"),
    (
        "POST /v1/customer_sessions",
        "customer=cus_1",
        Some("parameter_missing"),
        "components",
        "Missing required param: components.",
    ),
    (
        "POST /v1/refunds",
        "charge=ch_1&reason=expired_uncaptured_charge",
        None,
        "reason",
        "Invalid reason: must be one of duplicate, fraudulent, requested_by_customer",
    ),
    ("GET /v1/events", "created[after]=1", Some("parameter_unknown"), "created[after]", "Received unknown"),
    ("GET /v1/events", "created[gte]=now", Some("parameter_invalid_integer"), "created[gte]", "Invalid integer: now"),
    ("GET /v1/charges/{charge}", "expand=refunds", None, "expand", "Invalid array"),
];

#[test]
fn a_wrong_request_is_refused_in_stripes_words() {
    for (call, form, code, param, words) in WRONG {
        let form = if *call == CREATE { format!("{PAID}&{form}") } else { (*form).to_owned() };
        let (told, of, message) = refusal(call, &form).unwrap_or_else(|| panic!("{form} was taken"));
        assert_eq!((told.as_deref(), of.as_str()), (*code, *param), "{form}: {message}");
        assert!(message.starts_with(words), "{form}: {message}");
    }
    let (code, param, _) = refusal(CREATE, "amount=1").unwrap();
    assert_eq!((code.as_deref(), param.as_str()), (Some("parameter_missing"), "currency"));
}

#[test]
fn what_stripe_takes_is_let_through() {
    for (call, form) in [
        (CREATE, format!("{PAID}&metadata[a]=&off_session=true&shipping[name]=Jo&shipping[address][city]=Leeds")),
        (CREATE, format!("{PAID}&off_session=one_off&expand[]=latest_charge.refunds&expand[1]=customer")),
        (CREATE, format!("{PAID}&payment_method_options[card][capture_method]=&payment_method_options[link]=")),
        ("POST /v1/payment_intents/{intent}", "metadata=&shipping=&application_fee_amount=".to_owned()),
        ("GET /v1/events", "created[gte]=1&created[lte]=2&types[]=a&types[]=b&limit=100".to_owned()),
        ("GET /v1/charges", "created=1788253200".to_owned()),
        ("POST /v1/refunds", "payment_intent=pi_1&metadata=".to_owned()),
    ] {
        assert_eq!(refusal(call, &form), None, "{call}: {form}");
    }
}

#[test]
fn an_id_in_the_address_is_a_parameter_too() {
    let id = "x".repeat(5001);
    let given = Parameters { path: &[("charge", &id)], form: &[] };
    let error = check_request("GET /v1/charges/{charge}", &given).unwrap_err().0;
    assert_eq!(error.detail.param.as_deref(), Some("charge"));
}

/// What stands in the state, as a call of this studio's answers it; and what is done with it first.
fn answer(of: &str, spoil: impl Fn(&mut Value)) -> Result<Value, String> {
    let dispatch = |state: &mut State, form: &Form, method, path: &str| {
        let origin = Origin::default();
        state.call("acct_1", 1_788_253_200, origin, |call| routes::dispatch(call, form, None, &method, path)).0
    };
    let mut state = State::new(Ids::seeded(1));
    let form = Form::parse("", &format!("{PAID}&allowed_payment_method_types[]=card")).unwrap();
    let made = dispatch(&mut state, &form, Method::POST, "/v1/payment_intents").unwrap();
    let mut snapshot = serde_json::to_value(&state).unwrap();
    spoil(&mut snapshot["objects"]["acct_1"]["payment_intents"][0]);
    let mut state = serde_json::from_value(snapshot).unwrap();
    let path = of.replace("{id}", made["id"].as_str().unwrap());
    dispatch(&mut state, &Form::default(), Method::GET, &path).map_err(|error| {
        assert_eq!(error.0.status, 500);
        error.0.detail.message
    })
}

#[test]
fn an_answer_that_stripe_would_not_give_is_a_500_that_says_where() {
    answer("/v1/payment_intents/{id}", |_| ()).unwrap();
    for (of, place, field, value) in [
        ("/v1/payment_intents/{id}", "/last_payment_error/type", "last_payment_error", json!({ "type": 7 })),
        ("/v1/payment_intents/{id}", "/next_action/type", "next_action", json!({})),
        ("/v1/payment_intents/{id}", "/payment_method_types/0", "payment_method_types", json!(["x".repeat(5001)])),
        (
            "/v1/payment_intents",
            "/data/0/automatic_payment_methods/colour",
            "automatic_payment_methods",
            json!({ "enabled": true, "colour": "red" }),
        ),
    ] {
        let error = answer(of, |intent| intent[field] = value.clone()).unwrap_err();
        assert!(error.contains(&format!("{place}: ")), "{error}");
    }
}

#[test]
fn a_wrong_answer_error_or_event_is_told_with_the_place_in_it() {
    let told = |result: Result<(), ApiError>| result.unwrap_err().0.detail.message;
    let list = json!({ "object": "list", "url": "/v1/charges", "has_more": "no", "data": [] });
    let error = told(check_answer("GET /v1/charges", &list));
    assert!(error.contains("GET /v1/charges: /has_more: \"no\" is not of type \"boolean\""), "{error}");

    let body = json!({ "error": { "type": "odd_error", "message": "No." } });
    let error = told(check_error(&body));
    assert!(error.contains("error: /error/type: \"odd_error\" is not one of "), "{error}");

    let key = json!({ "id": "evt_1", "object": "event", "livemode": false, "created": 1, "type": "customer.created",
        "pending_webhooks": 0, "request": null, "api_version": null,
        "data": { "object": { "id": "cus_1", "object": "customer", "created": "now", "livemode": false } } });
    let error = told(check_event(&key));
    assert!(error.contains("event \"customer.created\": /created: \"now\" is not of type \"integer\""), "{error}");
    let mut odd = key.clone();
    odd["data"]["object"]["object"] = "cutlery".into();
    assert!(told(check_event(&odd)).contains("/data/object: nothing is a \"cutlery\""));
}

#[test]
fn each_difference_is_one_still() {
    let described: Value = serde_json::from_str(include_str!("../../description/stripe.json")).unwrap();
    for difference in super::differences::DIFFERENCES {
        let object = difference.at.iter().fold(&described, |inner, name| &inner[name]);
        assert!(object["properties"].is_object(), "{:?} is gone", difference.at);
        assert_eq!(object["properties"].get(difference.also), None, "the description has it now: {}", difference.also);
        assert!(!difference.because.is_empty());
    }
}

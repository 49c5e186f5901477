//! The schemas of requests as parsed and of answers as written.
//!
//! Invariant: a request is closed where unknown fields are refused. An answer is open, because it may get more fields.

use basket_checkout::CheckoutBody;
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::api::LinkWithUrl;
use classpay_service::api::respond::{ProcessingBody, RefusalBody};
use classpay_service::stripe::PaymentSessionBody;
use create_payment_link::CreateBody;
use create_payment_session::SessionBody;
use get_quote::QuoteBody;
use process_payment_link::{ProcessBody, ProcessRequest};
use retrieve_payment_link::RetrieveBody;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use stripe_webhook::Received;

/// Where the document stores them.
pub const PLACE: &str = "#/components/schemas/";
/// The text after this is about a catalogue's file and not about an answer.
const ABOUT_FILES: [&str; 2] = [" The file may leave it out", "Only output"];

/// The format of a count.
const SMALL: [&str; 4] = ["int8", "uint8", "uint16", "uint32"];

fn generator(settings: SchemaSettings) -> SchemaGenerator {
    let place = PLACE.trim_start_matches('#').into();
    settings.with(|settings| (settings.definitions_path, settings.meta_schema) = (place, None)).into_generator()
}

/// Every named schema, by name.
pub fn schemas() -> Map<String, Value> {
    let mut asked = generator(SchemaSettings::draft2020_12().for_deserialize());
    asked.subschema_for::<CheckoutBody>();
    asked.subschema_for::<CreateBody>();
    asked.subschema_for::<ProcessRequest>();
    asked.subschema_for::<SessionBody>();
    let mut answered = generator(SchemaSettings::draft2020_12().for_serialize());
    answered.subschema_for::<AggregateTransaction>();
    answered.subschema_for::<LinkWithUrl<'_>>();
    answered.subschema_for::<PaymentSessionBody>();
    answered.subschema_for::<ProcessBody<'_>>();
    answered.subschema_for::<ProcessingBody<'_>>();
    answered.subschema_for::<QuoteBody<'_>>();
    answered.subschema_for::<Received>();
    answered.subschema_for::<RefusalBody<'_>>();
    answered.subschema_for::<RetrieveBody<'_>>();
    let mut all = asked.take_definitions(true);
    let quoted = as_quoted(&all["BasketEnrolment"]);
    all.insert("QuoteEnrolment".to_owned(), quoted);
    for (name, mut schema) in answered.take_definitions(true) {
        each_object(&mut schema, open);
        assert!(all.insert(name.clone(), schema).is_none(), "two shapes are called {name}");
    }
    all.insert("GatewayRefusal".to_owned(), gateway_refusal());
    all.values_mut().for_each(|schema| each_object(schema, tidy));
    all
}

/// An enrolment in a quote's request, in which the plan is optional.
fn as_quoted(enrolment: &Value) -> Value {
    let mut enrolment = enrolment.clone();
    enrolment["required"].as_array_mut().expect("a list").retain(|field| field != "pricingPlanId");
    let plan = &mut enrolment["properties"]["pricingPlanId"];
    plan["type"] = json!(["string", "null"]);
    plan["x-addition"] = json!(true);
    enrolment
}

/// API Gateway's own answer, before or in place of a function's.
fn gateway_refusal() -> Value {
    json!({
        "description": "The gateway's own answer: no function was asked, or none answered.",
        "type": "object",
        "properties": {"message": {"type": "string"}},
        "required": ["message"],
    })
}

/// Changes every nested object.
fn each_object(value: &mut Value, change: fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| each_object(value, change));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|value| each_object(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Removes what only concerns a catalogue's file, or nobody.
fn tidy(fields: &mut Map<String, Value>) {
    // A default of serde's. A property with this name has a type.
    fields.retain(|name, value| name != "default" || value.get("type").is_some());
    // An amount has 64 bits. The bounds of a count are an implementation detail.
    if fields.get("format").and_then(Value::as_str).is_some_and(|format| SMALL.contains(&format)) {
        fields.retain(|name, value| !["format", "maximum"].contains(&name.as_str()) && *value != i8::MIN);
    }
    if let Some(Value::String(text)) = fields.get_mut("description") {
        for about_files in ABOUT_FILES {
            text.truncate(text.find(about_files).unwrap_or(text.len()));
        }
    }
    fields.retain(|name, value| name != "description" || *value != "");
}

/// An answer's schema may also be that of a catalogue's file, which is closed.
fn open(fields: &mut Map<String, Value>) {
    fields.retain(|name, value| name != "additionalProperties" || *value != false);
}

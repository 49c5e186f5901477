//! Requests that can't be parsed.
//!
//! For any input, the answer is a 4xx refusal, and nothing is written.

use classpay_service::error::ErrorCode;
use classpay_tests::studio::{ADA, BALLET, FULL, OKAFOR, ballet_for_ada};
use classpay_tests::{Answer, Api, Stack, without_request_id};
use reqwest::Method;
use serde_json::{Value, json};

use super::refused::NOTHING;

scenarios! {
    MalformedJson: what_is_no_json;
    UnknownField: a_field_that_nobody_knows_at_any_level;
    WrongType: values_that_do_not_fit;
}

/// The two endpoints that read a body, with the JSON around the items.
fn endpoints(items: &str) -> [(String, String); 2] {
    [
        (format!("/v1/basket/{OKAFOR}/checkout"), format!(r#"{{"paymentIntentId":null,"items":{items}}}"#)),
        (format!("/v1/integrations/stripe/{OKAFOR}/payment-sessions"), format!(r#"{{"items":{items}}}"#)),
    ]
}

async fn post(stack: &Stack, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = stack.family(OKAFOR).request(Method::POST, path).header("content-type", "application/json");
    Api::send(request.body(body)).await
}

/// Checks that both endpoints refuse these items; returns the messages of the first.
async fn items_are_refused(stack: &Stack, items: &str, code: ErrorCode) -> String {
    let mut messages = Vec::new();
    for (path, body) in endpoints(items) {
        messages = post(stack, &path, body).await.refusal(code);
    }
    messages.concat()
}

fn with_enrolment(field: &str, value: &Value) -> String {
    let mut enrolment = json!({"classId": BALLET, "studentId": ADA, "pricingPlanId": FULL});
    enrolment[field] = value.clone();
    json!({"enrolments": [enrolment], "trials": []}).to_string()
}

fn with_trial(field: &str, value: &Value) -> String {
    let mut trial = json!({"classId": BALLET, "studentId": ADA, "trialAt": "2026-09-14", "time": "16:30"});
    trial[field] = value.clone();
    json!({"enrolments": [], "trials": [trial]}).to_string()
}

async fn what_is_no_json(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let good = ballet_for_ada().to_string();
    for (path, body) in endpoints(&good) {
        for bad in ["", " ", "{", "{}}", "nonsense", "{'items':1}", "{\"items\":}", "\u{feff}{}", "{\"items\":NaN}"] {
            post(&stack, &path, bad).await.refusal(code);
        }
        post(&stack, &path, body[..body.len() - 1].to_owned()).await.refusal(code);
        post(&stack, &path, format!("{body}{body}")).await.refusal(code);
        let latin = [body.as_bytes(), b"\xfc"].concat();
        post(&stack, &path, latin).await.refusal(code);
        let inside = body.replace(BALLET, "cls_\u{fc}").into_bytes();
        let inside: Vec<u8> = inside.into_iter().filter(|byte| *byte != 0xbc).collect();
        post(&stack, &path, inside).await.refusal(code);
    }
    for query in ["enrolments={&trials=[]", "enrolments=[]&trials=%ff", "enrolments=[1,&trials=[]"] {
        stack.family(OKAFOR).get(&format!("/v1/basket/{OKAFOR}/quote?{query}")).await.refusal(code);
    }
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

async fn a_field_that_nobody_knows_at_any_level(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let items = ballet_for_ada().to_string();
    for (path, body) in endpoints(&items) {
        for (known, place) in
            [("\"items\":", ""), ("\"enrolments\":", "items."), ("\"classId\":", "items.enrolments[0].")]
        {
            let more = body.replacen(known, &format!("\"price\":1,{known}"), 1);
            let messages = post(&stack, &path, more).await.refusal(code).concat();
            assert!(messages.contains(&format!("{place}price")), "{messages}");
        }
        let other_case = body.replacen("\"items\"", "\"Items\"", 1);
        post(&stack, &path, other_case).await.refusal(code);
    }
    items_are_refused(&stack, &with_trial("price", &json!(0)), code).await;
    let enrolments = r#"[{"classId":"c","studentId":"s","familyId":"f"}]"#;
    let query = format!("/v1/basket/{OKAFOR}/quote?enrolments={enrolments}&trials=[]");
    stack.family(OKAFOR).get(&query).await.refusal(code);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

async fn values_that_do_not_fit(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let odd = [json!(1), json!(1.5), json!(true), json!([]), json!({}), json!(null)];
    let no_id =
        ["", "cls#1", "cls/1", "cls 1", "clé", "x' OR '1'='1", "1; DROP TABLE classes --", "C#co_1#CLS", "\u{0}"];
    let no_id = no_id.map(str::to_owned).into_iter().chain(["x".repeat(65)]).map(Value::from);
    for value in odd.iter().cloned().chain(no_id) {
        for field in ["classId", "studentId", "pricingPlanId"] {
            let message = items_are_refused(&stack, &with_enrolment(field, &value), code).await;
            assert!(message.starts_with(&format!("items.enrolments[0].{field}")), "{message}");
        }
    }
    let no_day = ["2026-02-30", "2026-13-01", "14/09/2026", "2026-09-14T16:30:00Z", "2026-9-14", "today", ""];
    let no_time = ["25:00", "16:60", "4.30pm", "16h30", "", "noon"];
    let cases = no_day.map(|day| ("trialAt", json!(day))).into_iter().chain(no_time.map(|time| ("time", json!(time))));
    for (field, value) in cases.chain(odd.iter().map(|value| ("time", value.clone()))) {
        let message = items_are_refused(&stack, &with_trial(field, &value), code).await;
        assert!(message.starts_with(&format!("items.trials[0].{field}")), "{value}: {message}");
    }
    for items in ["null", "[]", "{}", "1", "\"items\"", r#"{"enrolments":[]}"#, r#"{"enrolments":{},"trials":[]}"#] {
        if items != "null" {
            items_are_refused(&stack, items, code).await;
        }
    }
    items_are_refused(&stack, &"[".repeat(5000), ErrorCode::MalformedJson).await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    items_are_refused(&stack, &deep, code).await;
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

#[tokio::test]
async fn an_object_is_not_a_list_of_its_values() {
    let stack = Stack::start().await;
    let positional = format!(r#"{{"enrolments":[["{BALLET}","{ADA}","{FULL}"]],"trials":[]}}"#);
    items_are_refused(&stack, &positional, ErrorCode::WrongType).await;
    let items = ballet_for_ada();
    items_are_refused(&stack, &json!([items["enrolments"], []]).to_string(), ErrorCode::WrongType).await;
    let (path, _) = &endpoints("")[0];
    let whole = json!([null, null, items]).to_string();
    post(&stack, path, whole).await.refusal(ErrorCode::WrongType);
}

#[tokio::test]
async fn the_intent_of_a_checkout_may_be_null_but_not_left_out() {
    let stack = Stack::start().await;
    let (path, body) = &endpoints(&ballet_for_ada().to_string())[0];
    let missing = post(&stack, path, body.replacen(r#""paymentIntentId":null,"#, "", 1)).await;
    assert!(missing.refusal(ErrorCode::WrongType).concat().contains("paymentIntentId"), "{}", missing.text);
    for odd in ["1", "false", "[]", "{}"] {
        let body = body.replacen("null", odd, 1);
        assert!(post(&stack, path, body).await.refusal(ErrorCode::WrongType).concat().contains("paymentIntentId"));
    }
    post(&stack, path, body.clone()).await.refusal(ErrorCode::PaymentRequired);
}

#[tokio::test]
async fn a_key_that_is_given_twice_is_refused() {
    let stack = Stack::start().await;
    let items = ballet_for_ada().to_string();
    for (path, body) in endpoints(&items) {
        for (once, twice) in [
            (format!("\"items\":{items}"), format!("\"items\":{items},\"items\":{items}")),
            ("\"trials\":[]".into(), "\"trials\":[],\"trials\":[]".into()),
            (format!("\"classId\":\"{BALLET}\""), format!("\"classId\":\"{BALLET}\",\"classId\":\"cls_2\"")),
        ] {
            let body = body.replacen(&once, &twice, 1);
            let message = post(&stack, &path, body).await.refusal(ErrorCode::WrongType).concat();
            assert!(message.contains("duplicate field"), "{message}");
        }
    }
}

#[tokio::test]
async fn an_amount_is_an_integer_and_nothing_else() {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let path = &endpoints("")[1].0;
    let huge = "9".repeat(40);
    for amount in ["1000.0", "1e3", "\"1000\"", "true", "[1000]", huge.as_str(), "-1e400", "9223372036854775808"] {
        let body = format!(r#"{{"amount":{amount},"transactionId":null}}"#);
        post(&stack, path, body).await.refusal(ErrorCode::WrongType);
    }
    for neither in [json!({}), json!({"amount": null}), json!({"amount": 1000, "items": ballet_for_ada()})] {
        post(&stack, path, neither.to_string()).await.refusal(ErrorCode::WrongType);
    }
    let hash = json!({"amount": 1000, "quoteHash": "0".repeat(64)});
    post(&stack, path, hash.to_string()).await.refusal(ErrorCode::WrongType);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

#[tokio::test]
async fn an_idempotency_key_is_short_and_visible() {
    let stack = Stack::start().await;
    let (path, body) = &endpoints(&ballet_for_ada().to_string())[0];
    for bad in [String::new(), "a b".into(), "k".repeat(256), "ü".into()] {
        let request = stack.family(OKAFOR).request(Method::POST, path).header("content-type", "application/json");
        let request = request.header("idempotency-key", bad.as_bytes()).body(body.clone());
        Api::send(request).await.refusal(ErrorCode::WrongType);
    }
}

#[tokio::test]
async fn a_quote_reads_brackets_as_it_reads_json() {
    let stack = Stack::start().await;
    let items = json!({
        "enrolments": [{"classId": BALLET, "studentId": ADA, "pricingPlanId": FULL}],
        "trials": [{"classId": BALLET, "studentId": "stu_01J9ZDEMW5TVDJ0R000000T0B1", "trialAt": "2026-09-14", "time": "16:30"}],
    });
    let staff = stack.staff();
    let json_style = staff.quote(OKAFOR, &items).await;
    assert_eq!(json_style.status, 200, "{}", json_style.text);
    let mut pairs = Vec::new();
    for (list, entries) in items.as_object().unwrap() {
        for (index, entry) in entries.as_array().unwrap().iter().enumerate() {
            for (field, value) in entry.as_object().unwrap() {
                pairs.push(format!("{list}[{index}][{field}]={}", value.as_str().unwrap()));
            }
        }
    }
    let plain = pairs.join("&");
    for query in [plain.clone(), plain.replace('[', "%5B").replace(']', "%5D").replace(':', "%3A")] {
        let answer = staff.get(&format!("/v1/basket/{OKAFOR}/quote?{query}")).await;
        assert_eq!(without_request_id(&answer), json_style.json());
    }
    for twice in [format!("{plain}&{plain}"), format!("{plain}&trials=[]"), "enrolments=[]".into(), String::new()] {
        let answer = staff.get(&format!("/v1/basket/{OKAFOR}/quote?{twice}")).await;
        answer.refusal(ErrorCode::WrongType);
    }
}

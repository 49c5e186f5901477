//! What a function receives, and how its answer reaches the caller.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::echo::{self, COMPANY, FAMILY};

#[tokio::test]
async fn a_request_reaches_the_function_as_api_gateway_presents_it() {
    let api = echo::echo().await;
    let response = api
        .get(&format!("/v1/families/{FAMILY}%20x?a=1&b=2&a=%33+4&empty="))
        .header("X-Twice", "one")
        .header("X-Twice", "two")
        .header("Cookie", "a=b; c=d")
        .header("User-Agent", "a-test")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let request_id = response.headers()["apigw-requestid"].to_str().unwrap().to_owned();
    let event: Value = response.json().await.unwrap();

    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "GET /v1/families/{familyId}");
    assert_eq!(event["rawPath"], format!("/v1/families/{FAMILY}%20x"));
    assert_eq!(event["rawQueryString"], "a=1&b=2&a=%33+4&empty=");
    assert_eq!(event["queryStringParameters"], json!({"a": "1,3 4", "b": "2", "empty": ""}));
    assert_eq!(event["pathParameters"], json!({"familyId": format!("{FAMILY} x")}));
    assert_eq!(event["cookies"], json!(["a=b", "c=d"]));
    assert_eq!(event["headers"]["x-twice"], "one,two");
    assert_eq!(event["headers"]["cookie"], Value::Null);
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event.get("body"), None);

    let context = &event["requestContext"];
    assert_eq!(context["routeKey"], "GET /v1/families/{familyId}");
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["requestId"], request_id);
    assert_eq!(context["domainName"], "127.0.0.1");
    assert_eq!(context["domainPrefix"], "127");
    assert_eq!(
        context["http"],
        json!({
            "method": "GET",
            "path": format!("/v1/families/{FAMILY}%20x"),
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "a-test",
        })
    );
    let claims = &context["authorizer"]["jwt"]["claims"];
    assert_eq!(claims["company_id"], COMPANY);
    assert_eq!(claims["role"], "family");
    assert_eq!(claims["family_id"], FAMILY);
    assert!(claims["exp"].as_str().unwrap().parse::<u64>().is_ok(), "every claim is text: {claims}");
    assert_eq!(context["authorizer"]["jwt"]["scopes"], Value::Null);
    assert!(context["timeEpoch"].as_i64().unwrap() > 1_700_000_000_000);
    let time = context["time"].as_str().unwrap();
    assert!(time.ends_with(" +0000") && time.len() == "12/Mar/2020:19:03:58 +0000".len(), "{time}");
}

#[tokio::test]
async fn a_route_without_an_authorizer_has_no_claims() {
    let api = echo::echo().await;
    let event: Value = api.request(reqwest::Method::PUT, "/open").send().await.unwrap().json().await.unwrap();
    assert_eq!(event["routeKey"], "ANY /open");
    assert_eq!(event["requestContext"].get("authorizer"), None);
    assert_eq!(event.get("pathParameters"), None);
    assert_eq!(event.get("queryStringParameters"), None);
    assert_eq!(event.get("cookies"), None);
}

#[tokio::test]
async fn a_body_arrives_as_text_where_it_is_text_and_in_base64_elsewhere() {
    let api = echo::echo().await;
    for (kind, body, text) in [
        ("application/json", &b"{\"a\": 1}"[..], true),
        ("application/problem+json; charset=utf-8", b"{}", true),
        ("text/plain", "grüße".as_bytes(), true),
        ("text/plain", b"\xff\xfe", false),
        ("application/x-www-form-urlencoded", b"a=b", false),
        ("application/octet-stream", b"abc", false),
    ] {
        let post = api.post("/v1/families/f").header("content-type", kind).body(body);
        let event: Value = post.send().await.unwrap().json().await.unwrap();
        assert_eq!(event["isBase64Encoded"], !text, "{kind}");
        let given = event["body"].as_str().unwrap();
        let bytes = if text { given.as_bytes().to_vec() } else { BASE64_STANDARD.decode(given).unwrap() };
        assert_eq!(bytes, body, "{kind}");
    }
}

#[tokio::test]
async fn an_answer_is_turned_back_into_http() {
    let api = echo::echo().await;
    let answer = json!({
        "statusCode": 418,
        "headers": {"X-One": "1", "content-type": "image/png"},
        "multiValueHeaders": {"X-Many": ["a", "b"]},
        "cookies": ["a=b; Secure", "c=d"],
        "body": BASE64_STANDARD.encode(b"\x89PNG\xff"),
        "isBase64Encoded": true,
    });
    let response = api.post("/open?mode=answer").json(&answer).send().await.unwrap();
    assert_eq!(response.status(), 418);
    let all = |name: &str| -> Vec<_> {
        response.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(all("x-one"), ["1"]);
    assert_eq!(all("x-many"), ["a", "b"]);
    assert_eq!(all("set-cookie"), ["a=b; Secure", "c=d"]);
    assert_eq!(all("content-type"), ["image/png"]);
    assert_eq!(&response.bytes().await.unwrap()[..], b"\x89PNG\xff");
}

#[tokio::test]
async fn an_answer_without_a_status_is_the_body_of_a_200() {
    let api = echo::echo().await;
    let response = api.post("/open?mode=answer").json(&json!({"a": [1]})).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.json::<Value>().await.unwrap(), json!({"a": [1]}));
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_500() {
    let api = echo::echo().await;
    for nonsense in [
        json!({"statusCode": "soon"}),
        json!({"statusCode": 700}),
        json!({"statusCode": 200, "body": {"not": "text"}}),
        json!({"statusCode": 200, "headers": {"a b": "no name"}}),
        json!({"statusCode": 200, "body": "%%%", "isBase64Encoded": true}),
    ] {
        let response = api.post("/open?mode=answer").json(&nonsense).send().await.unwrap();
        assert_eq!(response.status(), 500, "{nonsense}");
        assert_eq!(response.text().await.unwrap(), r#"{"message":"Internal Server Error"}"#);
    }
}

#[tokio::test]
async fn an_answer_without_a_body_has_no_content_type() {
    let api = echo::echo().await;
    let response = api.post("/open?mode=answer").json(&json!({"statusCode": 204})).send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers().get("content-type"), None);
    assert!(response.headers().contains_key("apigw-requestid"));
}

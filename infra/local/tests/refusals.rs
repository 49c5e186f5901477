//! The gateway's own refusals.

use classpay_local::clock::machine_time;
use classpay_operator::token::{AUDIENCE, DEVELOPMENT_KEY, ISSUER};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::echo::{self, Api};

async fn call_with(api: &Api, token: &str) -> Response {
    api.request(Method::GET, "/v1/families/f").header("authorization", token).send().await.unwrap()
}

async fn refused(response: Response, status: u16, message: &str) {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers().contains_key("apigw-requestid"));
    assert_eq!(response.text().await.unwrap(), format!(r#"{{"message":"{message}"}}"#));
}

fn claims() -> Value {
    let now = machine_time().as_second();
    json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now + 60, "iat": now, "role": "staff", "company_id": "co_1"})
}

fn signed(claims: &Value, algorithm: Algorithm, key: &[u8]) -> String {
    format!("Bearer {}", encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).unwrap())
}

fn with(change: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[tokio::test]
async fn a_good_token_is_let_in_with_and_without_the_word_bearer() {
    let api = echo::echo().await;
    let token = signed(&claims(), Algorithm::HS256, DEVELOPMENT_KEY);
    assert_eq!(call_with(&api, &token).await.status(), 200);
    assert_eq!(call_with(&api, token.trim_start_matches("Bearer ")).await.status(), 200);
    let one_of_two = with(&json!({"aud": ["other", AUDIENCE]}));
    assert_eq!(call_with(&api, &signed(&one_of_two, Algorithm::HS256, DEVELOPMENT_KEY)).await.status(), 200);
}

#[tokio::test]
async fn a_caller_without_a_token_is_refused() {
    let api = echo::echo().await;
    let response = api.request(Method::GET, "/v1/families/f").send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    refused(response, 401, "Unauthorized").await;
}

#[tokio::test]
async fn a_token_that_is_not_ours_or_not_valid_now_is_refused() {
    let api = echo::echo().await;
    let now = machine_time().as_second();
    let good = signed(&claims(), Algorithm::HS256, DEVELOPMENT_KEY);
    let unsigned = format!("Bearer eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    for (why, token) in [
        ("another key", signed(&claims(), Algorithm::HS256, b"another key")),
        ("another algorithm", signed(&claims(), Algorithm::HS384, DEVELOPMENT_KEY)),
        ("no signature", unsigned),
        ("expired", signed(&with(&json!({"exp": now - 1})), Algorithm::HS256, DEVELOPMENT_KEY)),
        ("not yet valid", signed(&with(&json!({"nbf": now + 60})), Algorithm::HS256, DEVELOPMENT_KEY)),
        ("no expiry", signed(&without("exp"), Algorithm::HS256, DEVELOPMENT_KEY)),
        ("other issuer", signed(&with(&json!({"iss": "https://elsewhere/"})), Algorithm::HS256, DEVELOPMENT_KEY)),
        ("no issuer", signed(&without("iss"), Algorithm::HS256, DEVELOPMENT_KEY)),
        ("other audience", signed(&with(&json!({"aud": "others"})), Algorithm::HS256, DEVELOPMENT_KEY)),
        ("no audience", signed(&without("aud"), Algorithm::HS256, DEVELOPMENT_KEY)),
        ("no token at all", "Bearer nonsense".to_owned()),
        ("another scheme", "Basic YTpi".to_owned()),
        ("nothing after the scheme", "Bearer ".to_owned()),
    ] {
        let response = call_with(&api, &token).await;
        let challenge = response.headers().get("www-authenticate").unwrap_or_else(|| panic!("{why}: no challenge"));
        assert!(challenge.to_str().unwrap().starts_with("Bearer"), "{why}");
        assert_eq!(response.status(), 401, "{why}");
        refused(response, 401, "Unauthorized").await;
    }
}

#[tokio::test]
async fn what_is_no_route_is_not_found_with_and_without_a_token() {
    let api = echo::echo().await;
    for path in ["/", "/v1/families", "/v1/families/", "/v1/families/f/", "/v1/families/f/g", "/v2/families/f"] {
        refused(api.get(path).send().await.unwrap(), 404, "Not Found").await;
        refused(api.request(Method::GET, path).send().await.unwrap(), 404, "Not Found").await;
    }
    let wrong_method = api.request(Method::DELETE, "/v1/families/f").bearer_auth(echo::token());
    refused(wrong_method.send().await.unwrap(), 404, "Not Found").await;
}

#[tokio::test]
async fn a_body_above_ten_megabytes_is_too_large() {
    let api = echo::echo().await;
    let response = api.post("/v1/families/f").body(vec![b'x'; 10 * 1024 * 1024 + 1]).send().await.unwrap();
    refused(response, 413, "Request Entity Too Large").await;
}

#[tokio::test]
async fn a_page_in_a_browser_learns_no_environment_and_no_event_and_moves_no_clock() {
    let api = echo::echo().await;
    let page = |request: reqwest::RequestBuilder| request.header("origin", "https://elsewhere.example");
    let rebound = |request: reqwest::RequestBuilder| request.header("host", "elsewhere.example:9000");
    let environment = || api.request(Method::GET, "/_local/env/echo");
    let clock = || api.request(Method::POST, "/_local/clock").body(r#"{"now": "2030-01-01T00:00:00Z"}"#);
    let event = || api.request(Method::GET, "/_local/event/echo");
    let invoke = || api.request(Method::POST, "/_local/invoke/echo").body("{}");
    let guarded: [&dyn Fn() -> reqwest::RequestBuilder; 4] = [&environment, &clock, &event, &invoke];
    for request in guarded.into_iter().flat_map(|request| [page(request()), rebound(request())]) {
        assert_eq!(request.send().await.unwrap().status(), 403);
    }
    assert_eq!(environment().send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_page_of_the_api_and_its_tokens_are_for_this_machine_alone() {
    let api = echo::echo().await;
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/openapi.json", "application/json"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/callers.json", "application/json"),
    ] {
        let own = api.request(Method::GET, path).send().await.unwrap();
        assert_eq!((own.status().as_u16(), &own.headers()["content-type"]), (200, &kind.parse().unwrap()), "{path}");
        let rebound = api.request(Method::GET, path).header("host", "elsewhere.example:9000");
        assert_eq!(rebound.send().await.unwrap().status(), 403, "{path}");
    }
    assert_eq!(api.request(Method::GET, "/docs/nonsense").send().await.unwrap().status(), 404);
    let callers: Vec<serde_json::Value> =
        api.request(Method::GET, "/docs/callers.json").send().await.unwrap().json().await.unwrap();
    let staff = callers.iter().find(|caller| caller["name"] == "staff").unwrap();
    let call = api.request(Method::GET, "/v1/families/f").bearer_auth(staff["token"].as_str().unwrap());
    assert_eq!(call.send().await.unwrap().status(), 200, "a token of the page is believed");
}

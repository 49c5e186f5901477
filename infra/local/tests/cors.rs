//! What the gateway tells browsers about cross-origin requests.

use reqwest::Method;

use crate::echo;

#[tokio::test]
async fn a_page_of_this_machine_may_ask_what_it_may_send_without_a_token() {
    let api = echo::echo().await;
    let asked = api.request(Method::OPTIONS, "/v1/families/f").header("origin", "http://localhost:3000");
    let answer = asked.header("access-control-request-method", "POST").send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], "http://localhost:3000");
    assert_eq!(headers["access-control-allow-methods"], "GET,POST");
    assert_eq!(headers["access-control-allow-headers"], "authorization,content-type");
    assert_eq!(headers["access-control-max-age"], "600");
}

#[tokio::test]
async fn it_may_read_answers_and_refusals_with_the_headers_that_it_needs() {
    let api = echo::echo().await;
    for (path, status) in [("/open", 200), ("/v1/families/f", 401)] {
        let asked = api.request(Method::GET, path).header("origin", "http://127.0.0.1:5173");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["access-control-allow-origin"], "http://127.0.0.1:5173");
        assert_eq!(answer.headers()["access-control-expose-headers"], "apigw-requestid,retry-after");
    }
}

#[tokio::test]
async fn a_page_of_elsewhere_is_told_nothing() {
    let api = echo::echo().await;
    let origin = "https://127.0.0.1.example.com";
    let preflight = api.request(Method::OPTIONS, "/open").header("origin", origin);
    let preflight = preflight.header("access-control-request-method", "GET").send().await.unwrap();
    let read = api.request(Method::GET, "/open").header("origin", origin).send().await.unwrap();
    for answer in [preflight, read] {
        let told: Vec<_> = answer.headers().keys().filter(|name| name.as_str().starts_with("access-control")).collect();
        assert!(told.is_empty(), "{told:?}");
    }
}

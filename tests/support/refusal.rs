//! A refusal in the contract's shape.
//!
//! Reading a refusal's code through this module checks its whole shape.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use classpay_local::template::{Route, TEMPLATE, Template};
use classpay_service::api::Endpoint;
use classpay_service::error::ErrorCode;
use serde_json::Value;

use crate::Answer;

impl Answer {
    /// Checks that this answer is this refusal, and returns its sentences.
    ///
    /// # Panics
    /// If it is another answer, or doesn't have the contract's shape.
    #[track_caller]
    pub fn refusal(&self, code: ErrorCode) -> Vec<String> {
        assert_eq!(
            (self.status, self.code().as_str()),
            (Endpoint::Checkout.status_of(code), code.as_str()),
            "{}",
            self.text
        );
        let body = self.json();
        let keys: BTreeSet<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
        let required = BTreeSet::from(["code", "messages", "requestId", "statusCode"]);
        let allowed: BTreeSet<_> = required.iter().copied().chain(["payment", "paymentReleased"]).collect();
        assert!(keys.is_superset(&required) && keys.is_subset(&allowed), "{}", self.text);
        assert_eq!(body["statusCode"], self.status);
        assert!(body["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{}", self.text);
        assert!(matches!(body.get("paymentReleased"), None | Some(Value::Bool(true))), "{}", self.text);
        assert_eq!(self.headers.get("cache-control").map(String::as_str), Some("no-store"));
        assert_eq!(self.headers.get("content-type").map(String::as_str), Some("application/json"));
        let messages = body["messages"].as_array().expect("a list of sentences");
        let messages: Vec<_> = messages.iter().map(|text| text.as_str().expect("a sentence").to_owned()).collect();
        assert!(!messages.is_empty() && messages.iter().all(|text| !text.is_empty()), "{}", self.text);
        messages
    }

    /// In every test, an operation's refusals must be in its row of the table.
    #[track_caller]
    pub(crate) fn assert_listed(&self, method: &str, path: &str) {
        static ROUTES: LazyLock<Template> = LazyLock::new(|| Template::parse(TEMPLATE).expect("it is sound"));
        let Ok(Value::Object(body)) = serde_json::from_str(&self.text) else { return };
        let code = body.get("code").and_then(Value::as_str).and_then(ErrorCode::parse);
        let is_of = |route: &&Route| route.method == method && is_at(path, &route.path);
        let (Some(code), Some(route)) = (code, ROUTES.routes.iter().find(is_of)) else { return };
        let function = &ROUTES.functions[&route.function].package;
        let endpoint = Endpoint::ALL.into_iter().find(|endpoint| endpoint.function() == function);
        let endpoint = endpoint.expect("every route is an operation");
        assert!(endpoint.refusals().contains(&code), "{} may not answer {code}", route.key());
        assert_eq!(self.status, endpoint.status_of(code), "{}: {}", route.key(), self.text);
    }

    /// Whether it says that the authorisation was released.
    #[must_use]
    pub fn says_released(&self) -> bool {
        self.json()["paymentReleased"] == true
    }
}

/// Whether a path matches a route, in which a part in braces matches any one part.
fn is_at(path: &str, route: &str) -> bool {
    let (mut path, mut route) = (path.split('/'), route.split('/'));
    loop {
        match (path.next(), route.next()) {
            (None, None) => return true,
            (Some(part), Some(of_route)) if part == of_route || of_route.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTE: &str = "/v1/basket/fml_1/quote";

    fn refused(status: u16, code: &str) -> Answer {
        Answer { status, headers: [].into(), text: format!(r#"{{"statusCode":{status},"code":"{code}"}}"#) }
    }

    #[test]
    fn what_an_operation_answers_and_what_is_no_operation_s_passes() {
        refused(409, "class_full").assert_listed("GET", QUOTE);
        refused(422, "payment_cancelled").assert_listed("POST", "/v1/payment-links/pay_1/process");
        refused(409, "link_expired").assert_listed("POST", QUOTE);
    }

    #[test]
    #[should_panic(expected = "GET /v1/basket/{familyId}/quote may not answer link_expired")]
    fn a_code_that_is_not_the_operation_s_fails() {
        refused(410, "link_expired").assert_listed("GET", QUOTE);
    }

    #[test]
    #[should_panic(expected = "POST /v1/payment-links/{paymentLinkId}/process")]
    fn a_status_that_is_not_the_operation_s_fails() {
        refused(409, "payment_cancelled").assert_listed("POST", "/v1/payment-links/pay_1/process");
    }
}

//! A refusal, as the contract shapes it.
//!
//! Invariant: whoever reads a refusal's code through here has checked its whole shape.

use std::collections::BTreeSet;

use classpay_service::http::ErrorCode;
use serde_json::Value;

use crate::Answer;

impl Answer {
    /// The sentences of the refusal that this answer must be.
    ///
    /// # Panics
    /// If it is another answer, or has another shape than the contract's.
    #[track_caller]
    pub fn refusal(&self, code: ErrorCode) -> Vec<String> {
        assert_eq!((self.status, self.code().as_str()), (code.status(), code.as_str()), "{}", self.text);
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

    /// Whether it says that the authorisation was released.
    #[must_use]
    pub fn says_released(&self) -> bool {
        self.json()["paymentReleased"] == true
    }
}

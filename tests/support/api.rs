//! An HTTP client for the API.
//!
//! No retries and no redirects: a test sees exactly what was answered.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// A caller of one of the stack's servers.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    token: Option<String>,
    client: Client,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: std::collections::BTreeMap<String, String>,
    /// The body as received.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it isn't JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    /// The `code` of a refusal.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Api {
    pub(crate) fn new(client: &Client, base: &str, token: Option<&str>) -> Self {
        Self { base: base.to_owned(), token: token.map(str::to_owned), client: client.clone() }
    }

    /// The connection pool that all callers share.
    pub(crate) fn client() -> Client {
        Client::builder().no_proxy().build().expect("a client without TLS can be built")
    }

    /// A request that a test can adjust before sending it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    ///
    /// # Panics
    /// If no answer comes, or if a refusal is not in the operation's row of the table of refusals.
    pub async fn send(request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let answer = client.execute(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = answer.headers().iter().map(header).collect();
        let answer = Answer { status, headers, text: answer.text().await.expect("a whole body") };
        answer.assert_listed(method.as_str(), &path);
        answer
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        Self::send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    /// Requests a quote of these items.
    pub async fn quote(&self, family: &str, items: &Value) -> Answer {
        let [enrolments, trials] = ["enrolments", "trials"].map(|list| items[list].to_string());
        let query = [("enrolments", enrolments), ("trials", trials)];
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        self.get(&format!("/v1/basket/{family}/quote?{}", query.join("&"))).await
    }

    /// Requests a payment session for these items.
    pub async fn session(&self, family: &str, items: &Value) -> Answer {
        let body = json!({"items": items, "transactionId": null});
        self.post(&format!("/v1/integrations/stripe/{family}/payment-sessions"), &body).await
    }

    /// Checks these items out.
    pub async fn checkout(&self, family: &str, intent: Option<&str>, items: &Value) -> Answer {
        let body = json!({"paymentIntentId": intent, "items": items});
        self.post(&format!("/v1/basket/{family}/checkout"), &body).await
    }

    /// The payer confirms an intent with a card, at the Stripe stand-in.
    pub async fn pay(&self, intent: &str, card: &str) -> Answer {
        let path = format!("/_control/payment_intents/{intent}/confirm");
        self.post(&path, &json!({"payment_method": card})).await
    }

    /// The charges, from the Stripe stand-in.
    pub async fn charges(&self) -> Vec<Value> {
        let Value::Array(charges) = self.get("/_control/charges").await.json() else { panic!("a list of charges") };
        charges
    }
}

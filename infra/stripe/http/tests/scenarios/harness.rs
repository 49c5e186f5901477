//! A stand-in on a free port of the loopback address, its clock, and a client.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use classpay_stripe_standin::{Clock, StandIn, serve};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const STUDIO: &str = "acct_studio";

/// 2026-09-01T09:00:00Z.
pub const START: i64 = 1_788_253_200;

pub struct TestStripe {
    pub url: String,
    pub standin: Arc<StandIn>,
    client: Client,
    clock: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

pub struct Answered {
    pub status: u16,
    pub body: Value,
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

impl Answered {
    pub async fn from(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap();
        Self { status, body, text, headers }
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["error"]["code"], code, "{}", self.text);
        self.body["error"].clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

fn clock() -> (Arc<AtomicI64>, Clock) {
    let time = Arc::new(AtomicI64::new(START));
    let read = Arc::clone(&time);
    (time, Arc::new(move || read.load(Ordering::SeqCst)))
}

impl TestStripe {
    pub async fn start() -> Self {
        let (time, clock) = clock();
        Self::serve(StandIn::memory(clock).unwrap(), time).await
    }

    pub async fn open(path: &Path) -> Self {
        let (time, clock) = clock();
        Self::serve(StandIn::open(path, clock).unwrap(), time).await
    }

    async fn serve(standin: StandIn, clock: Arc<AtomicI64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let standin = Arc::new(standin);
        let server = tokio::spawn(serve(listener, Arc::clone(&standin), async move {
            stopped.await.ok();
        }));
        Self { url, standin, client: Client::new(), clock, stop: Some(stop), server }
    }

    /// Stops it as kill -9 would, without a shutdown.
    pub async fn kill(self) {
        self.server.abort();
        self.server.await.ok();
    }

    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.server.await.unwrap();
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn call(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.url);
        self.client.request(method, url).header("authorization", "Bearer sk_test_123")
    }

    fn form(&self, path: &str, form: &str) -> reqwest::RequestBuilder {
        self.call(Method::POST, path)
            .header("stripe-account", STUDIO)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
    }

    pub async fn post(&self, path: &str, form: &str) -> Answered {
        Answered::from(self.form(path, form).send().await.unwrap()).await
    }

    pub async fn post_with_key(&self, path: &str, form: &str, key: &str) -> Answered {
        self.try_post_with_key(path, form, key).await.unwrap()
    }

    /// An error is a broken connection.
    pub async fn try_post_with_key(&self, path: &str, form: &str, key: &str) -> reqwest::Result<Answered> {
        let request = self.form(path, form).header("idempotency-key", key);
        Ok(Answered::from(request.send().await?).await)
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.get_as(STUDIO, path).await
    }

    pub async fn get_as(&self, account: &str, path: &str) -> Answered {
        let request = self.call(Method::GET, path).header("stripe-account", account);
        Answered::from(request.send().await.unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answered {
        let request = self.call(Method::DELETE, path).header("stripe-account", STUDIO);
        Answered::from(request.send().await.unwrap()).await
    }

    pub async fn control(&self, path: &str, body: Value) -> Answered {
        let url = format!("{}/_control/{path}", self.url);
        let request = self.client.post(url).body(body.to_string());
        Answered::from(request.send().await.unwrap()).await
    }

    pub async fn get_control(&self, path: &str) -> Value {
        let url = format!("{}/_control/{path}", self.url);
        Answered::from(self.client.get(url).send().await.unwrap()).await.ok()
    }

    /// An intent of 42.00 that the payer has confirmed with this test card or account.
    pub async fn paid_by(&self, method: &str, terms: &str) -> Value {
        let form = format!("amount=4200&{terms}");
        let intent = self.post("/v1/payment_intents", &form).await.ok();
        let path = format!("payment_intents/{}/confirm", intent["id"].as_str().unwrap());
        self.control(&path, serde_json::json!({ "paymentMethod": method })).await.ok()
    }

    /// The types of all events of the studio, oldest first.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.get("/v1/events?limit=100").await.ok();
        let types = events["data"].as_array().unwrap().iter().rev();
        types.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// A card payment of 42.00 that is authorised by the payer and captured by us.
    pub async fn hold(&self) -> String {
        let form = "amount=4200&currency=usd&capture_method=manual\
                    &allowed_payment_method_types[]=card";
        let intent = self.post("/v1/payment_intents", form).await.ok();
        let id = intent["id"].as_str().unwrap().to_owned();
        self.control(&format!("payment_intents/{id}/confirm"), serde_json::json!({})).await.ok();
        id
    }
}

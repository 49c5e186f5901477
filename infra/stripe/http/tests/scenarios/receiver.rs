//! The receiver of a webhook. It records what arrives, checks its signature as async-stripe-webhook does, and answers
//! as instructed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::harness::{START, TestStripe};

pub const SECRET: &str = "whsec_of_the_scenarios";

#[derive(Clone)]
pub struct Came {
    pub event: Value,
    pub body: String,
    pub signature: String,
}

impl Came {
    pub fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }

    /// Whether any `v1` of the header was made with this secret, over the time and the raw body.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let parts = || self.signature.split(',').map(|part| part.split_once('=').unwrap());
        let (_, time) = parts().find(|(name, _)| *name == "t").unwrap();
        assert!(time.parse::<i64>().unwrap() >= START);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.{}", self.body).as_bytes());
        let digest = mac.finalize().into_bytes();
        let expected: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        parts().any(|(name, value)| name == "v1" && value == expected)
    }
}

#[derive(Default)]
struct Book {
    came: Mutex<Vec<Came>>,
    answers: Mutex<VecDeque<u16>>,
    news: Notify,
}

pub struct Receiver {
    pub url: String,
    book: Arc<Book>,
}

async fn receive(State(book): State<Arc<Book>>, request: Request) -> StatusCode {
    let signature = request.headers()["stripe-signature"].to_str().unwrap().to_owned();
    let bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8(bytes.to_vec()).unwrap();
    let event = serde_json::from_str(&body).unwrap();
    book.came.lock().unwrap().push(Came { event, body, signature });
    book.news.notify_one();
    let answer = book.answers.lock().unwrap().pop_front();
    StatusCode::from_u16(answer.unwrap_or(200)).unwrap()
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
        let book = Arc::<Book>::default();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&book));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, book }
    }

    /// A stand-in that delivers to this receiver.
    pub async fn with_stripe() -> (TestStripe, Self) {
        let (stripe, receiver) = (TestStripe::start().await, Self::start().await);
        stripe.standin.deliver_to(&receiver.url, &[SECRET]).unwrap();
        (stripe, receiver)
    }

    /// The answers to the next deliveries; 200 after them.
    pub fn will_answer(&self, statuses: &[u16]) {
        self.book.answers.lock().unwrap().extend(statuses);
    }

    /// The deliveries since the last call.
    pub fn take(&self) -> Vec<Came> {
        std::mem::take(&mut *self.book.came.lock().unwrap())
    }

    /// Delivers what is due, and returns what arrived.
    pub async fn flushed(&self, stripe: &TestStripe) -> Vec<String> {
        stripe.control("webhooks/flush", json!({})).await.ok();
        self.take().iter().map(|came| came.kind().to_owned()).collect()
    }

    /// Waits until this many have arrived, without moving the clock.
    pub async fn came(&self, count: usize) -> Vec<Came> {
        let mut all = Vec::new();
        loop {
            all.extend(self.take());
            if all.len() >= count {
                return all;
            }
            self.book.news.notified().await;
        }
    }
}

//! Payment links, as staff and payers use them.
//!
//! A payer has nothing but the link's id.

use classpay_domain::link::PaymentLinkId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Api, Item, Stack};

/// A debit of the demo studio: 52.80 for costumes, owed by the Okafor family.
pub const COSTUMES: &str = "trn_01J9ZDEMW5TVDJ0R0000C0STM0";
/// The amount due on it, in pence.
pub const COSTUMES_DUE: i64 = 5280;
/// What a link for it charges: the amount due and 2.9 %.
pub const COSTUMES_TOTAL: i64 = 5433;
/// The family that owes it.
pub const OKAFOR: &str = "fml_01J9ZDEMW5TVDJ0R0000FAM1Y1";

impl Stack {
    /// Staff create a link for the costumes.
    ///
    /// # Panics
    /// If the link is refused.
    pub async fn link(&self, expires_at: Option<&str>) -> String {
        let made = self.make_link(COSTUMES, expires_at).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["paymentLink"]["id"].as_str().expect("an id").to_owned()
    }

    /// Staff create a link.
    pub async fn make_link(&self, debit: &str, expires_at: Option<&str>) -> Answer {
        self.staff().post("/v1/payment-links", &json!({"transactionId": debit, "expiresAt": expires_at})).await
    }

    /// Staff revoke a link.
    pub async fn revoke_link(&self, link: &str) -> Answer {
        Api::send(self.staff().request(Method::DELETE, &format!("/v1/payment-links/{link}"))).await
    }

    /// A payer opens a link.
    pub async fn open_link(&self, link: &str) -> Answer {
        let payer = self.caller(None);
        Api::send(payer.request(Method::POST, &format!("/v1/payment-links/{link}"))).await
    }

    /// A payer opens a link; returns its intent.
    ///
    /// # Panics
    /// If the link can't be opened.
    pub async fn intent_of_link(&self, link: &str) -> String {
        let opened = self.open_link(link).await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        opened.json()["paymentSession"]["paymentIntent"]["id"].as_str().expect("an id").to_owned()
    }

    /// A payer opens a link and confirms with a card; returns the intent.
    ///
    /// # Panics
    /// If the payment is refused.
    pub async fn authorise_link(&self, link: &str) -> String {
        let intent = self.intent_of_link(link).await;
        self.confirm(&intent).await;
        intent
    }

    /// A payer opens a link and confirms with a bank debit; returns the intent.
    ///
    /// # Panics
    /// If the payment is refused.
    pub async fn debit_link(&self, link: &str) -> String {
        let intent = self.intent_of_link(link).await;
        assert_eq!(self.stripe().pay(&intent, "pm_bacsDebit_success").await.status, 200);
        intent
    }

    /// The payer's bank decides a pending debit: `settle` or `fail`.
    ///
    /// # Panics
    /// If no debit is pending.
    pub async fn bank_says(&self, intent: &str, what: &str) {
        let said = self.stripe().post(&format!("/_control/payment_intents/{intent}/{what}"), &json!({})).await;
        assert_eq!(said.status, 200, "{}", said.text);
    }

    /// Starts as many failing payments of a link as are allowed in an hour.
    ///
    /// # Panics
    /// If a payment isn't started.
    pub async fn use_up_starts(&self, link: &str) {
        for start in 0..10 {
            let intent = self.debit_link(link).await;
            let started = self.process_link(link, Some(&intent)).await;
            assert_eq!(started.status, 200, "start {start}: {}", started.text);
            self.bank_says(&intent, "fail").await;
            assert_eq!(self.process_link(link, Some(&intent)).await.code(), "payment_cancelled", "start {start}");
        }
    }

    /// A payer's page reports that the payer has confirmed.
    pub async fn process_link(&self, link: &str, intent: Option<&str>) -> Answer {
        let path = format!("/v1/payment-links/{link}/process");
        self.caller(None).post(&path, &json!({"paymentIntentId": intent})).await
    }

    /// A link's own item.
    ///
    /// # Panics
    /// If there is no such link.
    pub async fn stored_link(&self, link: &str) -> Item {
        let alias = PaymentLinkId::parse(link).expect("a link's id").alias();
        self.table().get(&format!("PL#{alias}"), "META").await.expect("a link")
    }

    /// The amount still due on a debit.
    ///
    /// # Panics
    /// If there is no such debit.
    pub async fn due(&self, debit: &str) -> i64 {
        let item = self.table().get(&format!("C#{}#TRN#{debit}", self.company()), "DUE").await.expect("a debit");
        item["amount_due"].as_n().expect("a number").parse().expect("an integer")
    }

    /// A link, as it is shown to its payer.
    ///
    /// # Panics
    /// If it can't be opened.
    pub async fn link_status(&self, link: &str) -> String {
        let opened = self.open_link(link).await;
        opened.json()["paymentLink"]["status"].as_str().map_or_else(|| opened.code(), str::to_owned)
    }

    /// The `paymentIntent` in an answer.
    #[must_use]
    pub fn shown_intent(answer: &Answer) -> Value {
        answer.json()["paymentSession"]["paymentIntent"].clone()
    }
}

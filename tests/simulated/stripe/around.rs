//! Refunds, disputes and dashboard actions at both Stripes, and the final comparison.

use classpay_domain::id::AccountId;
use classpay_domain::money::Money;
use classpay_service::settlement::event::topic::{FOLLOWED_KINDS, parse_listed};
use classpay_service::stripe::{EventQuery, Payments, StripeError};
use classpay_simulation::stripe::{Arrival, Capability, Complaint, IntentView, Verdict};
use serde_json::{Value, json};

use super::stripes::{Pair, Stripes};

/// Fields of an event's object that hold ids, except the intent's.
const IDS: [&str; 4] = ["id", "charge", "customer", "latest_charge"];

impl Stripes {
    pub async fn refund(&mut self, which: usize, amount: Option<Money>, arrival: Arrival) {
        let [real, memory] = self.intent(which);
        let mut body = json!({"pending": arrival == Arrival::Later});
        if let Some(amount) = amount {
            body["amount"] = amount.units().into();
        }
        let real = self.http.happens(&format!("payment_intents/{}/refund", real.as_str()), &body).await.map(id_of);
        let memory = self.memory.refund(&memory, amount, arrival);
        if let [Ok(real), Ok(memory)] = [&real, &memory] {
            self.refunds.push([real.clone(), memory.clone()]);
        }
        self.same("refund", [real, memory].map(|answer| answer.map(|_| ())));
        self.load(which).await;
    }

    pub async fn settle_refund(&mut self, which: usize) {
        let Some([real, memory]) = self.refunds.get(which).cloned() else { return };
        let memory = self.memory.settle_refund(&memory);
        self.returned(&format!("refunds/{real}/succeed"), "refund arrives", json!({}), memory).await;
    }

    pub async fn fail_refund(&mut self, which: usize) {
        let Some([real, memory]) = self.refunds.get(which).cloned() else { return };
        let memory = self.memory.fail_refund(&memory);
        self.returned(&format!("refunds/{real}/fail"), "refund fails", json!({}), memory).await;
    }

    pub async fn dispute(&mut self, which: usize, amount: Option<Money>, complaint: Complaint) {
        let [real, memory] = self.intent(which);
        let memory = self.memory.dispute(&memory, amount, complaint);
        let Some(charge) = self.charge(&real).await else {
            assert!(memory.is_err(), "there is nothing to dispute");
            return;
        };
        let mut body = json!({"inquiry": complaint == Complaint::Inquiry});
        if let Some(amount) = amount {
            body["amount"] = amount.units().into();
        }
        let real = self.http.happens(&format!("charges/{charge}/dispute"), &body).await.map(id_of);
        if let [Ok(real), Ok(memory)] = [&real, &memory] {
            self.disputes.push([real.clone(), memory.clone()]);
        }
        self.same(&format!("{complaint:?}"), [real, memory].map(|answer| answer.map(|_| ())));
        self.load(which).await;
    }

    pub async fn close_dispute(&mut self, which: usize, verdict: Verdict) {
        let Some([real, memory]) = self.disputes.get(which).cloned() else { return };
        let outcome = match verdict {
            Verdict::Won => "won",
            Verdict::Lost => "lost",
            Verdict::WarningClosed => "warning_closed",
        };
        let memory = self.memory.close_dispute(&memory, verdict);
        let what = format!("dispute ends {outcome}");
        self.returned(&format!("disputes/{real}/close"), &what, json!({"outcome": outcome}), memory).await;
    }

    pub async fn escalate(&mut self, which: usize) {
        let Some([real, memory]) = self.disputes.get(which).cloned() else { return };
        let memory = self.memory.escalate(&memory);
        self.returned(&format!("disputes/{real}/escalate"), "inquiry becomes a dispute", json!({}), memory).await;
    }

    async fn returned(&mut self, path: &str, what: &str, body: Value, memory: Result<(), StripeError>) {
        let real = self.http.happens(path, &body).await.map(|_| ());
        self.same(what, [real, memory]);
    }

    pub async fn edit_amount(&mut self, which: usize, amount: Money) {
        let memory = self.memory.edit_amount(&self.intent(which)[1], amount);
        self.in_dashboard(which, "", &format!("amount={}", amount.units()), memory).await;
    }

    pub async fn edit_metadata(&mut self, which: usize, name: &str, value: &str) {
        let given = (!value.is_empty()).then_some(value);
        let memory = self.memory.edit_metadata(&self.intent(which)[1], name, given);
        self.in_dashboard(which, "", &format!("metadata[{name}]={value}"), memory).await;
    }

    pub async fn capture_in_dashboard(&mut self, which: usize, amount: Option<Money>) {
        let form = amount.map_or_else(String::new, |amount| format!("amount_to_capture={}", amount.units()));
        let memory = self.memory.capture_in_dashboard(&self.intent(which)[1], amount);
        self.in_dashboard(which, "/capture", &form, memory).await;
    }

    /// The studio deletes a customer.
    pub async fn delete_customer(&mut self, which: usize) {
        let [real, memory] = self.customer(which);
        let memory = self.memory.delete_customer(&memory);
        self.returned(&format!("customers/{}/delete", real.as_str()), "customer deleted", json!({}), memory).await;
    }

    /// The account loses or regains a capability.
    pub async fn set_capability(&mut self, capability: Capability, is_active: bool) {
        let name = match capability {
            Capability::Cards => "cardPayments",
            Capability::BankDebits => "bacsDebitPayments",
        };
        self.memory.set_capability(&self.account, capability, is_active);
        let path = format!("accounts/{}/capabilities", self.account.as_str());
        let body = json!({name: if is_active { "active" } else { "inactive" }});
        self.returned(&path, "capability", body, Ok(())).await;
    }

    /// The studio creates an intent that looks like one of ours.
    pub async fn copy_intent(&mut self, which: usize, (amount, currency): (Money, &str)) {
        let [_, memory] = self.intent(which);
        let see = |view: &IntentView<'_>| (view.customer.clone(), view.metadata.clone());
        let Some((customer, metadata)) = self.memory.inspect(&memory, see) else { return };
        let copied = self.memory.copy_intent(&memory, (amount, currency));
        let customer = self.customer_of_both(&customer);
        let mut form = format!(
            "amount={}&currency={currency}&customer={}&capture_method=manual&allowed_payment_method_types[]=card",
            amount.units(),
            customer.as_str()
        );
        for (name, value) in metadata {
            form += &format!("&metadata[{name}]={value}");
        }
        let real = self.http.dashboard(self.account.as_str(), "payment_intents", &form).await.map(id_of);
        if let (Ok(real), Ok(memory)) = (&real, &copied) {
            self.learn([real.parse().expect("an id"), memory.clone()]);
        }
        self.same("copy", [real.map(|_| ()), copied.map(|_| ())]);
    }

    pub async fn cancel_in_dashboard(&mut self, which: usize) {
        let memory = self.memory.cancel_in_dashboard(&self.intent(which)[1]);
        self.in_dashboard(which, "/cancel", "", memory).await;
    }

    async fn in_dashboard(&mut self, which: usize, action: &str, form: &str, memory: Result<(), StripeError>) {
        let [real, _] = self.intent(which);
        let path = format!("payment_intents/{}{action}", real.as_str());
        let real = self.http.dashboard(self.account.as_str(), &path, form).await.map(|_| ());
        self.same(&format!("dashboard{action}"), [real, memory]);
        self.load(which).await;
    }

    /// Every intent and every event of this account.
    pub async fn compare_everything(&mut self) {
        let real = self.http.events(self.account.as_str()).await;
        let memory = self.memory.take_events();
        let memory: Vec<_> = memory.into_iter().filter(|event| event.account == self.account).collect();
        let events: Vec<_> = memory.iter().map(|event| (event.kind, Some(event.created_s))).collect();
        let expected: Vec<_> = real.iter().map(|event| (text(event, "type"), event["created"].as_i64())).collect();
        assert_eq!(events, expected, "{}: the events of the simulation, and the stand-in's", self.note);
        for (memory, real) in memory.iter().zip(&real) {
            let body: Value = serde_json::from_str(&memory.body).expect("JSON");
            assert_eq!(body["account"], real["account"]);
            let (shown, expected) = (&body["data"]["object"], &real["data"]["object"]);
            if memory.kind == "payment_intent.created" {
                // Where the reply was lost, the caller doesn't know the object.
                self.learn([text(expected, "id"), text(shown, "id")].map(|id| id.parse().expect("an id")));
            }
            self.same_object(memory.kind, shown, expected);
            self.count(format!("event {}", memory.kind));
        }
        let [real, memory] = self.listed().await;
        assert_eq!(memory, real, "{}: what the simulation lists, and the stand-in", self.note);
        for which in 0..self.intents() {
            self.load(which).await;
        }
    }

    /// Every event of the types that our webhook follows, as both list it: its type and time, newest first.
    async fn listed(&self) -> Pair<Vec<(String, i64)>> {
        [all_listed(&self.real, &self.account).await, all_listed(&self.memory, &self.account).await]
    }

    /// What the simulation shows of an object, the stand-in shows too.
    fn same_object(&self, kind: &str, memory: &Value, real: &Value) {
        for (field, value) in memory.as_object().expect("an object") {
            let expected = &real[field];
            let says = format!("{}, {kind}, {field}: the simulation, and the stand-in", self.note);
            if field == "payment_intent" || (field == "id" && memory["object"] == "payment_intent") {
                let place = |side: usize, id: &Value| {
                    self.intents.iter().position(|pair| Some(pair[side].as_str()) == id.as_str())
                };
                assert_eq!(place(1, value), place(0, expected), "{says}");
                assert!(place(1, value).is_some(), "{says}");
            } else if IDS.contains(&field.as_str()) {
                assert_eq!(kind_of_id(value), kind_of_id(expected), "{says}");
            } else {
                assert_eq!(value, expected, "{says}");
            }
        }
    }

    /// The amounts captured and refunded of every intent.
    pub async fn compare_money(&mut self) {
        let list = self.http.get_control("charges").await;
        let charges = list.as_array().expect("a list");
        let mut pairs = std::mem::take(&mut self.all_intents);
        pairs.append(&mut self.intents);
        for [real, memory] in pairs {
            let theirs = charges.iter().filter(|charge| charge["paymentIntent"] == real.as_str());
            let sum = |field: &str| theirs.clone().filter_map(|charge| charge[field].as_i64()).sum::<i64>();
            let expected = (sum("amountCaptured"), sum("amountRefunded"));
            let money = self.memory.inspect(&memory, |view| (view.received.units(), view.refunded.units()));
            assert_eq!(money, Some(expected), "{}: the simulation, and the stand-in", memory.as_str());
        }
    }
}

async fn all_listed(stripe: &impl Payments, account: &AccountId) -> Vec<(String, i64)> {
    let (mut listed, mut next) = (Vec::new(), None);
    loop {
        let query = EventQuery { from_s: 0, until_s: i64::MAX, kinds: &FOLLOWED_KINDS, after: next.as_ref() };
        let page = stripe.list_events(account, query).await.expect("nothing goes wrong");
        listed.extend(page.events.iter().map(|text| {
            let event = parse_listed(text, account, 0).expect("an event");
            (event.kind, event.created_s)
        }));
        next = page.next;
        if next.is_none() {
            return listed;
        }
    }
}

fn id_of(object: Value) -> String {
    text(&object, "id").to_owned()
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().expect("a text")
}

/// `ch` of `ch_1`; nothing if there is nothing.
fn kind_of_id(id: &Value) -> Option<&str> {
    id.as_str().and_then(|id| id.split('_').next())
}

//! The contents of the table, in the terms of the invariants.
//!
//! The model is read from the items themselves and uses no code of the service. Immutable items are read once, and a
//! change to one is a violation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use classpay_service::store::key::Key;
use classpay_service::store::{self, Attributes};
use serde_json::Value;

/// A currency by its code in lower case; spaces if there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; 3]);

impl Code {
    /// Parses a code; a text that isn't one gives no currency.
    #[must_use]
    pub fn of(text: &str) -> Self {
        text.as_bytes().try_into().map_or_else(|_| Self::default(), Self)
    }
}

impl Default for Code {
    fn default() -> Self {
        Self(*b"   ")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// An order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// `PENDING`, `COMPLETED`, `CANCELLED` or `REFUSED`.
    pub state: String,
    /// The intent that pays it.
    pub intent: Option<String>,
    /// The amount captured.
    pub total: i64,
    /// The currency of its amounts.
    pub currency: Code,
    /// The debit that a link's order pays, and the amount.
    pub link: Option<(String, i64)>,
    /// The hash of its basket.
    pub basket: String,
    /// Whether it is up for review.
    pub needs_review: bool,
}

/// A posted debit or credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its family.
    pub family: String,
    /// Its total, which a debit adds to the balance and a credit subtracts.
    pub balance: i64,
    /// The amount paid.
    pub paid: i64,
    /// The amount refunded: positive on a debit, subtracted on a credit.
    pub refunded: i64,
    /// The amount that the payer's bank took back: positive on a debit, subtracted on a credit.
    pub disputed: i64,
    /// Whether it is a credit.
    pub is_credit: bool,
    /// The order that wrote it.
    pub order: Option<String>,
    /// The transaction to which it refers.
    pub related: Option<String>,
    doc: Arc<str>,
}

/// The amount that a debit still owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The amount that can be paid now.
    pub due: i64,
    /// The amount reserved by a payment under way.
    pub reserved: i64,
    /// The currency of both.
    pub currency: Code,
}

/// An enrolment or a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The class.
    pub class: String,
    /// The date of a trial's lesson.
    pub on: Option<String>,
    /// `RESERVED`, `ACTIVE`, `CANCELLED` or, for a trial, `ENDED`.
    pub state: String,
    /// The order that ends a trial.
    pub ending: Option<String>,
}

impl Place {
    /// Whether it takes a place.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.state.as_str(), "CANCELLED" | "ENDED")
    }

    /// Whether an unfinished order is going to end it.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.state == "ACTIVE" && self.ending.is_some()
    }
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whether it rejects the intent.
    pub is_rejected: bool,
    /// Whether the rejection is complete.
    pub is_done: bool,
    /// Whether its payment was captured, and credited without an order.
    pub is_captured: bool,
}

/// The state that the invariants check.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The places left and the capacity, by class.
    pub seats: BTreeMap<String, (i64, i64)>,
    /// The number of trials booked, by class and day.
    pub lessons: BTreeMap<(String, String), i64>,
    /// By key.
    pub enrolments: BTreeMap<Key, Place>,
    /// By key.
    pub trials: BTreeMap<Key, Place>,
    /// Trials of students who enrolled while the trial was booked.
    pub overtaken: BTreeSet<Key>,
    /// The family, the fee and the charge, by key; no charge if it was released.
    pub fees: BTreeMap<Key, (String, String, i64)>,
    /// By family.
    pub balances: BTreeMap<String, i64>,
    /// By transaction.
    pub ledger: BTreeMap<String, Entry>,
    /// By debit.
    pub due: BTreeMap<String, Due>,
    /// By order.
    pub orders: BTreeMap<String, Order>,
    /// What orders post, by key.
    documents: BTreeMap<Key, Arc<str>>,
    /// By intent.
    pub claims: BTreeMap<String, Claim>,
    /// The alias of an intent's payment link, by intent.
    pub link_sessions: BTreeMap<String, String>,
    /// The currencies of the intents that we created and remember.
    pub sessions: BTreeMap<String, Code>,
    /// The intent of an event, by the event's key.
    pub events: BTreeMap<Key, String>,
    /// The contents of the index.
    pub indexed: BTreeSet<Key>,
    /// Review records, by what they are about.
    pub reviews: BTreeSet<String>,
}

fn text<'a>(item: &'a Attributes, name: &str) -> &'a str {
    item.get(name).and_then(store::Value::as_text).unwrap_or_default()
}

fn number(item: &Attributes, name: &str) -> i64 {
    item.get(name).and_then(store::Value::as_number).unwrap_or_default()
}

fn document(item: &Attributes) -> Value {
    serde_json::from_str(text(item, "doc")).expect("a stored document is JSON")
}

fn family_of(pk: &str) -> &str {
    pk.split('#').nth(3).unwrap_or_default()
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

impl Model {
    /// Applies the present state of an item. Returns the violation that the change itself is, if it is one.
    pub fn take_in(&mut self, key: &Key, item: &Attributes) -> Result<(), String> {
        if item.contains_key("gsi1pk") {
            self.indexed.insert(key.clone());
        } else {
            self.indexed.remove(key);
        }
        let last = key.pk.rsplit('#').next().unwrap_or_default().to_owned();
        match key.sk.as_str() {
            "SEATS" if item.contains_key("seats_total") => {
                self.seats.insert(last, (number(item, "seats_left"), number(item, "seats_total")));
            }
            "DUE" => drop(self.due.insert(last, due(item))),
            "CLAIM" => {
                let is_rejected = text(item, "claim_decision") == "REJECTED";
                let is_set = |name: &str| item.get(name) == Some(&store::Value::Flag(true));
                let (is_done, is_captured) = (is_set("claim_done"), is_set("claim_captured"));
                self.claims.insert(last, Claim { is_rejected, is_done, is_captured });
            }
            "SESSION" => {
                self.sessions.insert(last.clone(), Code::of(text(item, "currency")));
                if let Some(link) = owned(&document(item)["link"]) {
                    self.link_sessions.insert(last, link);
                }
            }
            "META" if key.pk.starts_with("EVT#") => {
                self.events.insert(key.clone(), text(item, "intent").to_owned());
            }
            "META" if key.pk.starts_with("ORD#") => self.take_in_order_head(last, item)?,
            sk if key.pk.starts_with("ORD#") && sk.starts_with("DOC#") => return self.take_in_order_doc(key, item),
            "META" if item.contains_key("family_balance") => {
                self.balances.insert(family_of(&key.pk).to_owned(), number(item, "family_balance"));
            }
            sk if sk.starts_with("TRN#") => return self.take_in_entry(family_of(&key.pk), item),
            sk if sk.starts_with("ENR#") => self.take_in_enrolment(key, place(item, None)),
            sk if sk.starts_with("TRIAL#") => {
                let on = owned(&document(item)["on"]);
                self.trials.insert(key.clone(), place(item, on));
            }
            sk if sk.starts_with("FEE#") => {
                let charged = if text(item, "fee_state") == "CHARGED" { number(item, "amount") } else { 0 };
                let fee = (family_of(&key.pk).to_owned(), text(item, "fee").to_owned(), charged);
                self.fees.insert(key.clone(), fee);
            }
            sk if sk.starts_with("LESSON#") => {
                let on = sk.trim_start_matches("LESSON#").to_owned();
                self.lessons.insert((last, on), number(item, "trials_booked"));
            }
            sk if key.pk.starts_with("REVIEW#") => drop(self.reviews.insert(sk.to_owned())),
            _ => {}
        }
        Ok(())
    }

    /// An enrolment, and whether its student had a trial booked. Items are applied in the order of their keys, so a
    /// later change to the trial is applied later.
    fn take_in_enrolment(&mut self, key: &Key, place: Place) {
        let trial = Key { pk: key.pk.clone(), sk: key.sk.replacen("ENR#", "TRIAL#", 1) };
        let was_live = self.enrolments.get(key).is_some_and(Place::is_live);
        if !place.is_live() {
            self.overtaken.remove(&trial);
        } else if !was_live && self.trials.get(&trial).is_some_and(|trial| trial.state == "ACTIVE") {
            self.overtaken.insert(trial);
        }
        self.enrolments.insert(key.clone(), place);
    }

    /// The order to which an entry belongs: the one that wrote it, or whose payment it returns.
    #[must_use]
    pub fn order_of(&self, entry: &Entry) -> Option<&Order> {
        match (&entry.order, &entry.related) {
            (Some(order), _) => self.orders.get(order),
            (None, Some(related)) => self.ledger.get(related).and_then(|related| self.order_of(related)),
            (None, None) => None,
        }
    }

    fn take_in_order_head(&mut self, id: String, item: &Attributes) -> Result<(), String> {
        let state = text(item, "order_state");
        let known = self.orders.entry(id.clone()).or_default();
        let may_change = known.intent.is_none() || known.state == "PENDING" || known.state == state;
        if !known.state.is_empty() && !may_change {
            return Err(format!("{id} was {} and is {state}", known.state));
        }
        state.clone_into(&mut known.state);
        known.needs_review = item.contains_key("needs_review");
        Ok(())
    }

    /// What an order posts is put once. An order with nothing to pay is booked anew, as another document, after it was
    /// released or refused.
    fn take_in_order_doc(&mut self, key: &Key, item: &Attributes) -> Result<(), String> {
        let doc = text(item, "doc");
        if let Some(known) = self.documents.insert(key.clone(), doc.into())
            && *known != *doc
        {
            return Err(format!("what {} will post has changed", key.pk));
        }
        let snapshot = document(item);
        let payment = &snapshot["payment"];
        let amount = |value: &Value| value.as_i64().unwrap_or_default();
        let order = self.orders.entry(key.pk.trim_start_matches("ORD#").to_owned()).or_default();
        order.link = owned(&snapshot["link"]["debit"]).map(|debit| (debit, amount(&snapshot["link"]["amount"])));
        order.intent = owned(&payment["intent"]);
        order.total = amount(&payment["total"]);
        order.currency = Code::of(snapshot["currency"].as_str().unwrap_or_default());
        order.basket = owned(&snapshot["basket"]).unwrap_or_default();
        Ok(())
    }

    fn take_in_entry(&mut self, family: &str, item: &Attributes) -> Result<(), String> {
        let (id, doc) = (text(item, "transaction_id"), text(item, "doc"));
        if let Some(known) = self.ledger.get(id) {
            let same = *known.doc == *doc;
            return if same { Ok(()) } else { Err(format!("12: the ledger's {id} has changed: {} {doc}", known.doc)) };
        }
        let entry = document(item);
        let is_credit = entry["type"] == "credit";
        let sum = |kind: &str| -> i64 {
            let lines = entry["lines"].as_array().into_iter().flatten();
            lines.filter(|line| line["type"] == kind).filter_map(|line| line["amount"].as_i64()).sum()
        };
        let total = entry["stats"]["total"].as_i64().unwrap_or_default();
        let refund = sum("refund");
        let disputed = sum("payment-auto-failed") - sum("payment-auto-failed-reversal");
        let read = Entry {
            family: family.to_owned(),
            balance: if is_credit { -total } else { total },
            paid: sum("payment-auto"),
            refunded: if is_credit { -refund } else { refund },
            disputed,
            is_credit,
            order: owned(&entry["order"]),
            related: owned(&entry["related"]),
            doc: doc.into(),
        };
        self.ledger.insert(id.to_owned(), read);
        Ok(())
    }
}

fn due(item: &Attributes) -> Due {
    let (due, reserved) = (number(item, "amount_due"), number(item, "amount_reserved"));
    Due { due, reserved, currency: Code::of(text(item, "currency")) }
}

fn place(item: &Attributes, on: Option<String>) -> Place {
    let ending = item.contains_key("ending_order").then(|| text(item, "ending_order").to_owned());
    Place { class: text(item, "class").to_owned(), on, state: text(item, "place_state").to_owned(), ending }
}

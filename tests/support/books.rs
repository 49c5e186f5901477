//! Checks that money and places agree, in the whole table and at Stripe, once everything is settled.
//!
//! It computes everything anew from what was posted, and uses no code of the service.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::{Item, Stack};

/// Asserts that nothing is unfinished, that every order was paid exactly and every payment belongs to an order, and
/// that balances, amounts due, seats and trial places are the sums of what was posted.
///
/// # Panics
/// Lists everything that disagrees.
pub async fn assert_books_balance(stack: &Stack) {
    // Moving the clock has started a run of the settlement job, which may still be handling an event; this run comes
    // after it.
    stack.run_schedule().await;
    let items = stack.table().everything().await;
    let mut captured: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (intent, amount) in stack.captured().await {
        captured.entry(intent).or_default().push(amount);
    }
    let posted = with_sort_key(&items, "TRN#").filter(|item| text(item, "pk").ends_with("#LEDGER"));
    let ledger: Vec<_> = posted.map(crate::entry).collect();
    let mut refunded: BTreeMap<String, i64> = BTreeMap::new();
    for charge in stack.stripe().charges().await {
        let intent = charge["paymentIntent"].as_str().expect("a charge has an intent").to_owned();
        *refunded.entry(intent).or_default() +=
            charge["amountRefunded"].as_i64().expect("a charge says what went back");
    }
    let books = Books { items: &items, captured, refunded, ledger };
    let mut wrong = books.unfinished();
    wrong.extend(books.orders());
    wrong.extend(books.families());
    wrong.extend(books.dues());
    wrong.extend(books.places());
    wrong.extend(books.fees());
    for claim in with_sort_key(&items, "CLAIM").filter(|claim| text(claim, "claim_decision") == "REJECTED") {
        let intent = text(claim, "intent");
        let status = stack.intent_status(intent).await;
        if status != "canceled" || claim.get("claim_done") != Some(&AttributeValue::Bool(true)) {
            wrong.push(format!("{intent} was rejected and is {status}: {claim:?}"));
        }
    }
    assert!(wrong.is_empty(), "the books do not balance:\n{}", wrong.join("\n"));
}

struct Books<'t> {
    items: &'t [Item],
    /// The amount captured by each charge, by intent.
    captured: BTreeMap<String, Vec<i64>>,
    /// The amount refunded, by intent.
    refunded: BTreeMap<String, i64>,
    ledger: Vec<Value>,
}

impl Books<'_> {
    /// Checks that no order is pending, no place is reserved, no claim is open, no review record is left, and the index
    /// is empty.
    fn unfinished(&self) -> Vec<String> {
        let of = |item: &&Item| {
            let is = |name, value: &str| item.get(name).and_then(|value| value.as_s().ok()).is_some_and(|v| v == value);
            let open_session = is("sk", "SESSION") && is("session_state", "open");
            is("order_state", "PENDING")
                || is("place_state", "RESERVED")
                || is("place_state", "ACTIVE") && item.contains_key("ending_order")
                || item.contains_key("needs_review")
                || text(item, "pk").starts_with("REVIEW#")
                || item.contains_key("gsi1pk") && !open_session && !is_to_come(item) && !is("sk", "FEED")
        };
        self.items.iter().filter(of).map(|item| format!("unfinished: {item:?}")).collect()
    }

    /// What an order was going to post.
    fn document_of(&self, order: &Item) -> Value {
        let sk = format!("DOC#{}", number(order, "doc_generation"));
        let is_it = |item: &&Item| text(item, "pk") == text(order, "pk") && text(item, "sk") == sk;
        doc(self.items.iter().find(is_it).expect("an order has a document"), "doc")
    }

    fn posted_by(&self, order: &str) -> Vec<&Value> {
        self.ledger.iter().filter(|entry| entry["transaction"]["orderId"] == order).collect()
    }

    fn orders(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut paid = BTreeMap::new();
        let orders =
            self.items.iter().filter(|item| text(item, "pk").starts_with("ORD#") && text(item, "sk") == "META");
        for order in orders {
            let id = text(order, "order_id");
            let posted = self.posted_by(id);
            if text(order, "order_state") != "COMPLETED" {
                if !posted.is_empty() {
                    wrong.push(format!("{id} is not completed and has posted {posted:?}"));
                }
                continue;
            }
            let snapshot = self.document_of(order);
            let frozen: Vec<_> =
                snapshot["entries"].as_array().into_iter().flatten().map(|entry| entry["id"].clone()).collect();
            if frozen.len() != posted.len() || !posted.iter().all(|entry| frozen.contains(&entry["aggregateId"])) {
                wrong.push(format!("{id} has posted {posted:?}, but was to post {frozen:?}"));
            }
            let Some(intent) = snapshot["payment"]["intent"].as_str() else { continue };
            paid.insert(intent.to_owned(), id);
            let total = snapshot["payment"]["total"].as_i64().unwrap_or_default();
            if self.captured.get(intent) != Some(&vec![total]) {
                wrong.push(format!("{id} costs {total}, captured was {:?}", self.captured.get(intent)));
            }
            // The order of a payment link pays a debit that was posted earlier.
            let owed_before = snapshot["link"]["amount"].as_i64().unwrap_or_default();
            if posted.iter().map(|entry| balance(entry)).sum::<i64>() != -owed_before {
                wrong.push(format!("{id} was paid, and its debits are not its credits: {posted:?}"));
            }
            if sum_of_details(&posted, "payment-auto") != total {
                wrong.push(format!("{id} costs {total} and credits another payment: {posted:?}"));
            }
            let credit = posted.iter().find(|entry| is_credit(entry)).and_then(|entry| entry["aggregateId"].as_str());
            let (given, said) = (self.refunds_of(credit.unwrap_or_default()), self.refunded.get(intent));
            if said != Some(&given) {
                wrong.push(format!("{id} says that {given} went back, Stripe says {said:?}"));
            }
        }
        let unknown = self.captured.keys().filter(|intent| !paid.contains_key(*intent));
        wrong.extend(unknown.map(|intent| format!("{intent} was captured without an order")));
        wrong
    }

    /// The amount that the ledger says was refunded of the payment for which this credit is.
    fn refunds_of(&self, credit: &str) -> i64 {
        let debits: Vec<_> = self.ledger.iter().filter(|entry| !is_credit(entry) && names(entry, credit)).collect();
        // A failed refund is a credit that names the refund's debit.
        let is_undone = |entry: &&Value| {
            let mut ids = debits.iter().filter_map(|debit| debit["aggregateId"].as_str());
            is_credit(entry) && ids.any(|id| names(entry, id))
        };
        let undone: Vec<_> = self.ledger.iter().filter(is_undone).collect();
        sum_of_details(&debits, "refund") - sum_of_details(&undone, "refund")
    }

    fn families(&self) -> Vec<String> {
        let families = self.items.iter().filter(|item| item.contains_key("family_balance"));
        let of = |family: &Item| {
            let id = text(family, "pk").rsplit('#').next().unwrap_or_default();
            let own = self.ledger.iter().filter(|entry| entry["transaction"]["familyId"] == id);
            let (sum, said) = (own.map(balance).sum::<i64>(), number(family, "family_balance"));
            (sum != said).then(|| format!("{id} has a balance of {said}, its ledger sums to {sum}"))
        };
        families.filter_map(of).collect()
    }

    fn dues(&self) -> Vec<String> {
        let mut dues: BTreeMap<_, _> = with_sort_key(self.items, "DUE")
            .map(|item| {
                let debit = text(item, "pk").rsplit('#').next().unwrap_or_default();
                (debit, (number(item, "amount_due"), number(item, "amount_reserved")))
            })
            .collect();
        let mut wrong = Vec::new();
        for debit in self.ledger.iter().filter(|entry| !is_credit(entry)) {
            let (id, total) = (debit["aggregateId"].as_str().unwrap_or_default(), balance(debit));
            let order = debit["transaction"]["orderId"].as_str();
            // An order's credit pays all of its debits; any other credit pays the one that it names.
            let credited = match order {
                Some(order) if self.posted_by(order).iter().any(|entry| is_credit(entry)) => total,
                Some(_) => 0,
                None => self.ledger.iter().filter(|e| is_credit(e) && names(e, id)).map(|e| -balance(e)).sum(),
            };
            // A refund that fails after its debit was paid leaves more credited than is owed.
            let owed = (total - credited).max(0);
            let said = dues.remove(id);
            if said != Some((owed, 0)) {
                wrong.push(format!("{id} is a debit of {total}; {owed} is owed, and due is {said:?}"));
            }
        }
        wrong.extend(dues.keys().map(|id| format!("{id} is due and is no debit")));
        wrong
    }

    /// A fee is recorded exactly if it was posted: for one student, with the sum of its order's fee details.
    fn fees(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut remembered: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for fee in with_sort_key(self.items, "FEE#").filter(|fee| text(fee, "fee_state") == "CHARGED") {
            // Fees charged before the studio was loaded have no order.
            let Some(Ok(order)) = fee.get("order_id").map(AttributeValue::as_s) else { continue };
            *remembered.entry((order, text(fee, "fee"))).or_default() += number(fee, "amount");
        }
        let mut posted: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for entry in &self.ledger {
            let Some(order) = entry["transaction"]["orderId"].as_str() else { continue };
            for line in entry["details"].as_array().into_iter().flatten() {
                let kind = line["details"]["type"].as_str().unwrap_or_default();
                if kind == "registration-fee" || kind == "additional-fee" {
                    let fee = line["relatedEntities"].as_array().and_then(|about| about.last());
                    let fee = fee.and_then(|about| about["entityId"].as_str()).unwrap_or_default();
                    *posted.entry((order, fee)).or_default() += line["details"]["amount"].as_i64().unwrap_or_default();
                }
            }
        }
        // Inclusive prices contain a tax that is posted separately; no studio here has them.
        for key in remembered.keys().chain(posted.keys()) {
            let (said, is) = (remembered.get(key), posted.get(key));
            if said != is {
                wrong.push(format!("{key:?}: remembered as charged is {said:?}, posted {is:?}"));
            }
        }
        wrong
    }

    fn places(&self) -> Vec<String> {
        let is_live = |item: &&Item| !matches!(text(item, "place_state"), "CANCELLED" | "ENDED");
        let live = |prefix, class: &str| {
            let of_class = with_sort_key(self.items, prefix).filter(is_live);
            of_class.filter(|place| text(place, "class") == class).collect::<Vec<_>>()
        };
        let mut wrong = Vec::new();
        for seats in with_sort_key(self.items, "SEATS") {
            let class = class_of(seats);
            let left = number(seats, "seats_left");
            let total = seats.get("seats_total").map_or(0, |_| number(seats, "seats_total"));
            let taken = live("ENR#", class).len();
            if left + count(taken) != total {
                wrong.push(format!("{class} has {total} places, {left} are left, {taken} are enrolled"));
            }
        }
        for lesson in with_sort_key(self.items, "LESSON#") {
            let (class, on) = (class_of(lesson), text(lesson, "sk").trim_start_matches("LESSON#"));
            let trials = live("TRIAL#", class).into_iter().filter(|trial| doc(trial, "doc")["on"] == on).count();
            let booked = number(lesson, "trials_booked");
            if booked != count(trials) {
                wrong.push(format!("{class} says {booked} trials on {on}, there are {trials}"));
            }
        }
        for place in with_sort_key(self.items, "ENR#").chain(with_sort_key(self.items, "TRIAL#")).filter(is_live) {
            let Some(Ok(order)) = place.get("order_id").map(AttributeValue::as_s) else { continue };
            let completed = self
                .items
                .iter()
                .any(|item| text(item, "pk") == format!("ORD#{order}") && text(item, "order_state") == "COMPLETED");
            if !completed {
                wrong.push(format!("a place without a completed order: {place:?}"));
            }
        }
        wrong.extend(self.ended_trials());
        wrong
    }

    /// The trials that have ended are exactly those that a completed order says have ended.
    fn ended_trials(&self) -> Vec<String> {
        let orders = self.items.iter().filter(|item| text(item, "order_state") == "COMPLETED");
        let said = orders.flat_map(|order| {
            let trials = self.document_of(order)["endedTrials"].as_array().cloned().unwrap_or_default();
            let id = |trial: &Value| trial["id"].as_str().expect("a trial has an id").to_owned();
            trials.iter().map(|trial| (id(trial), text(order, "order_id").to_owned())).collect::<Vec<_>>()
        });
        let ended = with_sort_key(self.items, "TRIAL#").filter(|trial| text(trial, "place_state") == "ENDED");
        let ended = ended.map(|trial| (text(trial, "trial_id").to_owned(), text(trial, "ending_order").to_owned()));
        let (said, ended): (BTreeSet<_>, BTreeSet<_>) = (said.collect(), ended.collect());
        let wrong = said.symmetric_difference(&ended);
        wrong.map(|(trial, order)| format!("{trial} has ended, or {order} says so, and not both")).collect()
    }
}

/// Future instalments.
fn is_to_come(item: &Item) -> bool {
    text(item, "pk").ends_with("#PLANS")
}

fn with_sort_key<'t>(items: &'t [Item], prefix: &'static str) -> impl Iterator<Item = &'t Item> {
    items.iter().filter(move |item| text(item, "sk").starts_with(prefix))
}

fn class_of(item: &Item) -> &str {
    text(item, "pk").rsplit('#').next().unwrap_or_default()
}

fn is_credit(entry: &Value) -> bool {
    entry["transaction"]["type"] == "credit"
}

fn names(entry: &Value, debit: &str) -> bool {
    entry["transaction"]["relatedTransactionId"] == debit
}

/// The change that an entry makes to its family's balance.
fn balance(entry: &Value) -> i64 {
    let total = entry["stats"]["total"].as_i64().expect("an entry has a total");
    if is_credit(entry) { -total } else { total }
}

fn sum_of_details(entries: &[&Value], kind: &str) -> i64 {
    let details = entries.iter().flat_map(|entry| entry["details"].as_array().into_iter().flatten());
    let of_kind = details.map(|detail| &detail["details"]).filter(|detail| detail["type"] == kind);
    of_kind.filter_map(|detail| detail["amount"].as_i64()).sum()
}

fn count(length: usize) -> i64 {
    i64::try_from(length).expect("a count")
}

fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn number(item: &Item, name: &str) -> i64 {
    let value = item.get(name).and_then(|value| value.as_n().ok());
    value.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{name} is a number: {item:?}"))
}

fn doc(item: &Item, name: &str) -> Value {
    serde_json::from_str(text(item, name)).unwrap_or_else(|_| panic!("{name} is JSON: {item:?}"))
}

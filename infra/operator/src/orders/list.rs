//! Lists unfinished orders and payments, and those that need review.
//!
//! A record that can't be read is listed too, by its key. Stripe is not asked, so the list works when Stripe is
//! unavailable.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::id::{AccountId, CompanyId, FamilyId, IntentId, OrderId};
use classpay_domain::order::{PaidBy, order_of_intent};
use classpay_service::settlement::job::backlog::{Unbooked, unbooked};
use classpay_service::store::key;
use classpay_service::store::lane::Lane;
use classpay_service::store::{DueItem, DueKey, OrderRecord, ReviewRecord, Session, Store, StoreError, Unfinished};
use serde::Serialize;

use super::books::state;
use super::place::Place;
use super::{of_table, print_json, written};
use crate::Problem;

/// Everything that is listed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    unfinished: Vec<Unended>,
    reviews: Vec<Review>,
    /// Keys of unfinished records that can't be read.
    unreadable: Vec<String>,
}

/// An unfinished order or rejection, or a payment without either. Amounts in minor units.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unended {
    order: String,
    state: &'static str,
    needs_review: bool,
    age_s: i64,
    began_s: i64,
    amount: Option<i64>,
    currency: Option<&'static str>,
    paid_by: Option<&'static str>,
    company: String,
    family: String,
    account: Option<String>,
    intent: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    company: String,
    record: String,
    reason: String,
    what: String,
    age_s: i64,
    noted_s: i64,
}

/// An order, a rejection or a payment without either, found in the index.
enum Found {
    Order(i64, Box<OrderRecord>),
    Rejection(i64, AccountId, IntentId),
    Unbooked(i64, Unbooked, Box<Session>),
}

impl Found {
    /// The id of the order, or of the one that it would have been.
    fn order(&self) -> OrderId {
        match self {
            Self::Order(_, order) => order.id.clone(),
            Self::Rejection(_, account, intent) => order_of_intent(account, intent),
            Self::Unbooked(_, _, session) => order_of_intent(&session.account, &session.intent),
        }
    }
}

pub(super) async fn run(place: &Place, company: Option<CompanyId>, json: bool) -> Result<(), Problem> {
    let (store, now_s) = (place.store(), place.clock().await.now_s());
    let keys = store.lane_keys(Lane::Pay).await.map_err(of_table)?;
    let companies: BTreeSet<_> = match &company {
        Some(company) => [company.clone()].into(),
        None => store.companies_in_review().await.map_err(of_table)?,
    };
    let (found, unreadable) = unended(&store, &keys, now_s).await?;
    let mut listing = Listing { unfinished: Vec::new(), reviews: Vec::new(), unreadable };
    let mut currencies = Currencies { store: &store, known: BTreeMap::new() };
    for found in found {
        let order = found.order();
        match listed(&mut currencies, found, now_s).await {
            Ok(listed) => listing.unfinished.extend(
                listed.filter(|listed| company.as_ref().is_none_or(|company| company.as_str() == listed.company)),
            ),
            Err(StoreError::Corrupt(why)) => listing.unreadable.push(format!("{order}: {why}")),
            Err(error @ (StoreError::Unavailable | StoreError::Refused | StoreError::Unwritable)) => {
                return Err(of_table(error));
            }
        }
    }
    for company in &companies {
        let reviews = store.unseen_reviews(company).await.map_err(of_table)?;
        listing.reviews.extend(reviews.into_iter().map(|review| Review::of(review, now_s)));
    }
    listing.unfinished.sort_by_key(|listed| listed.began_s);
    listing.reviews.sort_by_key(|review| review.noted_s);
    if json {
        return print_json(&listing);
    }
    print(&listing);
    Ok(())
}

/// The records among these that are unfinished, and the keys of those that can't be read.
async fn unended(store: &Store, keys: &[DueKey], now_s: i64) -> Result<(Vec<Found>, Vec<String>), Problem> {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for DueKey { key, .. } in keys {
        match store.load_due(key).await {
            Ok(Some(item)) => found.extend(found_in(item, now_s)),
            // It was finished after the index was read.
            Ok(None) => {}
            Err(StoreError::Corrupt(why)) => unreadable.push(format!("{} {}: {why}", key.pk, key.sk)),
            Err(error @ (StoreError::Unavailable | StoreError::Refused | StoreError::Unwritable)) => {
                return Err(of_table(error));
            }
        }
    }
    Ok((found, unreadable))
}

/// `None` if it is not to be listed, because its payer's call is still expected.
fn found_in(item: DueItem, now_s: i64) -> Option<Found> {
    let money = unbooked(&item, now_s);
    match item.what {
        Unfinished::Order(order) => Some(Found::Order(item.began_s, order)),
        Unfinished::Rejection(account, intent) => Some(Found::Rejection(item.began_s, account, intent)),
        Unfinished::Session(session) => {
            let since_s = item.received_s.or(item.held_s).unwrap_or(item.began_s);
            money.map(|money| Found::Unbooked(since_s, money, Box::new(session)))
        }
        Unfinished::Link(_) | Unfinished::Instalments(_) | Unfinished::Event(_) | Unfinished::Feed(_) => None,
    }
}

/// The currencies of companies, each read once.
struct Currencies<'a> {
    store: &'a Store,
    known: BTreeMap<CompanyId, Option<&'static str>>,
}

impl Currencies<'_> {
    async fn of(&mut self, company: &CompanyId) -> Result<Option<&'static str>, StoreError> {
        if let Some(known) = self.known.get(company) {
            return Ok(*known);
        }
        let billing = self.store.load_billing(company).await?;
        let currency = billing.map(|(currency, _)| currency);
        self.known.insert(company.clone(), currency);
        Ok(currency)
    }
}

/// `None` if it has been finished meanwhile.
async fn listed(currencies: &mut Currencies<'_>, found: Found, now_s: i64) -> Result<Option<Unended>, StoreError> {
    match found {
        Found::Order(began_s, order) => {
            let payment = order.snapshot.payment.as_ref();
            let listed = Unended {
                order: order.id.to_string(),
                state: state(order.state),
                needs_review: order.needs_review,
                age_s: now_s.saturating_sub(began_s),
                began_s,
                amount: payment.map(|payment| payment.total),
                currency: currencies.of(&order.snapshot.company).await?,
                paid_by: payment.map(|payment| paid_by(payment.paid_by)),
                company: order.snapshot.company.to_string(),
                family: order.snapshot.family.to_string(),
                account: payment.map(|payment| payment.account.to_string()),
                intent: payment.map(|payment| payment.intent.to_string()),
            };
            Ok(Some(listed))
        }
        Found::Rejection(began_s, account, intent) => {
            let (session, claim) = currencies.store.load_payment(&account, &intent).await?;
            let Some(claim) = claim else { return Ok(None) };
            Ok(Some(Unended {
                order: order_of_intent(&account, &intent).to_string(),
                state: "rejected",
                needs_review: false,
                age_s: now_s.saturating_sub(began_s),
                began_s,
                amount: session.map(|session| session.amount.units()),
                currency: currencies.of(&claim.company).await?,
                paid_by: None,
                company: claim.company.to_string(),
                family: FamilyId::to_string(&claim.family),
                account: Some(account.to_string()),
                intent: Some(intent.to_string()),
            }))
        }
        Found::Unbooked(began_s, money, session) => Ok(Some(Unended {
            order: order_of_intent(&session.account, &session.intent).to_string(),
            state: match money {
                Unbooked::Held => "held without an order",
                Unbooked::Received => "received without an order",
            },
            needs_review: money == Unbooked::Received,
            age_s: now_s.saturating_sub(began_s),
            began_s,
            amount: Some(session.amount.units()),
            currency: Some(session.currency.code()),
            paid_by: None,
            company: session.company.to_string(),
            family: session.family.to_string(),
            account: Some(session.account.to_string()),
            intent: Some(session.intent.to_string()),
        })),
    }
}

/// The unfinished rejection or session whose order has, or would have, this id.
pub(super) async fn open_payment(store: &Store, id: &OrderId) -> Result<Option<(AccountId, IntentId)>, Problem> {
    for lane in [Lane::Pay, Lane::Wait] {
        let keys = store.lane_keys(lane).await.map_err(of_table)?;
        let mut intents = keys.iter().filter_map(|found| key::intent_of(&found.key));
        if let Some(found) = intents.find(|(account, intent)| order_of_intent(account, intent) == *id) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// How an order is paid.
pub(super) fn paid_by(paid_by: PaidBy) -> &'static str {
    match paid_by {
        PaidBy::Card => "card",
        PaidBy::BankDebit => "bank-debit",
    }
}

impl Review {
    fn of(review: ReviewRecord, now_s: i64) -> Self {
        let ReviewRecord { company, record, reason, what, noted_s } = review;
        Self { company: company.to_string(), record, reason, what, age_s: now_s.saturating_sub(noted_s), noted_s }
    }
}

pub(super) async fn reviewed(
    place: &Place,
    company: &CompanyId,
    record: &str,
    note: Option<&str>,
) -> Result<(), Problem> {
    let noted = place.store().note_seen(company, record, note, place.clock().await.now_s()).await.map_err(of_table)?;
    written(noted, || Problem::new(format!("{company} has no review record {record}")))?;
    println!("{record} is listed no more as a record. What it is about is listed until it is at its end.");
    Ok(())
}

fn print(listing: &Listing) {
    let Listing { unfinished, reviews, unreadable } = listing;
    println!("{} unfinished, {} to be looked at. Amounts are in minor units.", unfinished.len(), reviews.len());
    for listed in unfinished {
        let amount = listed.amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
        let review = if listed.needs_review { ", a person must look" } else { "" };
        println!(
            "{:>8}  {}  {}{review}  {amount} {}  {}  {}  {}",
            age(listed.age_s),
            listed.order,
            listed.state,
            listed.currency.unwrap_or("-"),
            listed.company,
            listed.family,
            listed.intent.as_deref().unwrap_or("-"),
        );
    }
    for review in reviews {
        let Review { company, record, reason, what, .. } = review;
        println!("{:>8}  {company} {record}  {reason}: {what}", age(review.age_s));
    }
    for key in unreadable {
        println!("can't be read: {key}");
    }
}

fn age(age_s: i64) -> String {
    match age_s {
        ..120 => format!("{age_s} s"),
        120..7_200 => format!("{} min", age_s / 60),
        7_200..172_800 => format!("{} h", age_s / 3600),
        172_800.. => format!("{} d", age_s / 86_400),
    }
}

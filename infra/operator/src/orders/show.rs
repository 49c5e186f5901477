//! Shows one order: its status, its items, its payment at Stripe, and its entries in the ledger.
//!
//! Ids, statuses and amounts only. Descriptions name people, and a link's id is a secret, so neither is shown.

use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::money::Money;
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::snapshot::Snapshot;
use classpay_service::store::{OrderRecord, Store};
use classpay_service::stripe::Intent;
use serde::Serialize;

use super::books::{Record, state};
use super::list::{open_payment, paid_by};
use super::place::{Place, accounts};
use super::stripe::StripeReader;
use super::{of_table, print_json};
use crate::Problem;

/// The output. Amounts in minor units.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    order: String,
    state: &'static str,
    needs_review: bool,
    company: Option<String>,
    family: Option<String>,
    account: Option<String>,
    intent: Option<String>,
    bought: Option<Bought>,
    /// The intent as Stripe has it now.
    stripe: Option<AtStripe>,
    /// Why Stripe doesn't show it.
    trouble: Option<String>,
    entries: Vec<EntryShown>,
}

/// What an order buys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bought {
    total: Option<i64>,
    paid_by: Option<&'static str>,
    capture_attempt: u32,
    /// Class and student of each enrolment.
    enrolments: Vec<[String; 2]>,
    /// Class, student and date of each trial.
    trials: Vec<[String; 3]>,
    /// Class, student and date of each trial that ends because its student enrols.
    ended_trials: Vec<[String; 3]>,
    /// Fee and student of each fee.
    fees: Vec<[String; 2]>,
    /// The debit that a payment link's order pays.
    pays_debit: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AtStripe {
    status: &'static str,
    currency: String,
    amount: i64,
    received: i64,
    refunded: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryShown {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    date: String,
    total: i64,
    posted: bool,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    amount: i64,
}

pub(super) async fn run(place: &Place, what: &str, account: Option<AccountId>, json: bool) -> Result<(), Problem> {
    let (store, stripe) = (place.store(), place.stripe_reader()?);
    let shown = if what.starts_with("pi_") {
        let intent = what.parse().map_err(|problem| Problem::new(format!("{what}: {problem}")))?;
        let account = match account {
            Some(account) => account,
            None => account_of(&store, &intent).await?,
        };
        payment(&store, &stripe, &account, &intent).await?
    } else {
        let id: OrderId = what.parse().map_err(|problem| Problem::new(format!("{what}: {problem}")))?;
        order(&store, &stripe, &id).await?
    };
    if json {
        return print_json(&shown);
    }
    print(&shown);
    Ok(())
}

/// The account under which an intent is recorded.
async fn account_of(store: &Store, intent: &IntentId) -> Result<AccountId, Problem> {
    for account in accounts(store, None).await? {
        let (session, claim) = store.load_payment(&account, intent).await.map_err(of_table)?;
        if session.is_some() || claim.is_some() {
            return Ok(account);
        }
    }
    Err(Problem::new(format!("no account has a record of {intent}; name one with --account to see what Stripe has")))
}

async fn order(store: &Store, stripe: &StripeReader, id: &OrderId) -> Result<Shown, Problem> {
    match store.load_order(id).await.map_err(of_table)? {
        Some(OrderRecord { snapshot: Snapshot { payment: Some(paid), .. }, .. }) => {
            payment(store, stripe, &paid.account, &paid.intent).await
        }
        Some(order) => {
            let Snapshot { company, family, .. } = &order.snapshot;
            let ledger = store.load_ledger(company, family).await.map_err(of_table)?;
            let posted = ledger.iter().filter(|entry| entry.transaction.order_id.as_deref() == Some(id.as_str()));
            Ok(Shown {
                order: id.to_string(),
                state: state(order.state),
                needs_review: order.needs_review,
                company: Some(company.to_string()),
                family: Some(family.to_string()),
                account: None,
                intent: None,
                stripe: None,
                trouble: None,
                entries: entries(&posted.collect::<Vec<_>>(), &order.snapshot),
                bought: Some(bought(&order)),
            })
        }
        None => {
            let found = open_payment(store, id).await?;
            let unknown = || Problem::new(format!("there is no order {id}, and no open payment of that id"));
            let (account, intent) = found.ok_or_else(unknown)?;
            payment(store, stripe, &account, &intent).await
        }
    }
}

async fn payment(
    store: &Store,
    stripe: &StripeReader,
    account: &AccountId,
    intent: &IntentId,
) -> Result<Shown, Problem> {
    let record = Record::load(store, account, intent).await.map_err(of_table)?;
    let (at_stripe, trouble) = match stripe.load_intent(account, intent).await {
        Ok(Some(found)) => (Some(AtStripe::of(&found)), None),
        Ok(None) => (None, Some("the account has no such intent".to_owned())),
        Err(error) => (None, Some(error.to_string())),
    };
    let entries = match (record.family(), &record.order) {
        (None, _) => Vec::new(),
        (Some((company, family)), order) => {
            let ledger = store.load_ledger(company, family).await.map_err(of_table)?;
            let posted = record.entries(&ledger);
            match order {
                Some(order) => entries(&posted, &order.snapshot),
                None => posted.into_iter().map(|entry| EntryShown::of(entry, true)).collect(),
            }
        }
    };
    let (company, family) = record.family().map(|(company, family)| (company.to_string(), family.to_string())).unzip();
    Ok(Shown {
        order: record.id.to_string(),
        state: record.state(),
        needs_review: record.order.as_ref().is_some_and(|order| order.needs_review),
        company,
        family,
        account: Some(account.to_string()),
        intent: Some(intent.to_string()),
        bought: record.order.as_ref().map(bought),
        stripe: at_stripe,
        trouble,
        entries,
    })
}

/// The entries posted, and those that the order will still post.
fn entries(posted: &[&AggregateTransaction], snapshot: &Snapshot) -> Vec<EntryShown> {
    let is_posted =
        |entry: &AggregateTransaction| posted.iter().any(|posted| posted.transaction.id == entry.transaction.id);
    let to_come = snapshot.transactions().into_iter().filter(|entry| !is_posted(entry));
    let posted = posted.iter().map(|entry| EntryShown::of(entry, true));
    posted.chain(to_come.map(|entry| EntryShown::of(&entry, false))).collect()
}

impl EntryShown {
    fn of(entry: &AggregateTransaction, posted: bool) -> Self {
        let head = &entry.transaction;
        let line = |line: &classpay_service::aggregate::DetailWithEntities| Line {
            kind: line.details.kind.clone(),
            amount: line.details.amount,
        };
        Self {
            id: head.id.clone(),
            kind: head.kind.clone(),
            date: head.date.clone(),
            total: entry.stats.total,
            posted,
            lines: entry.details.iter().map(line).collect(),
        }
    }
}

impl AtStripe {
    fn of(intent: &Intent) -> Self {
        Self {
            status: intent.status.as_str(),
            currency: intent.currency.clone(),
            amount: intent.amount.units(),
            received: intent.amount_received.units(),
            refunded: intent.charge.as_ref().map_or(Money::ZERO, |charge| charge.given_back()).units(),
        }
    }
}

fn bought(order: &OrderRecord) -> Bought {
    let Snapshot { payment, enrolments, trials, ended_trials, fees, link, .. } = &order.snapshot;
    Bought {
        total: payment.as_ref().map(|payment| payment.total),
        paid_by: payment.as_ref().map(|payment| paid_by(payment.paid_by)),
        capture_attempt: order.attempt,
        enrolments: enrolments.iter().map(|place| [place.class.to_string(), place.student.to_string()]).collect(),
        trials: trials
            .iter()
            .map(|trial| [trial.class.to_string(), trial.student.to_string(), trial.on.to_string()])
            .collect(),
        ended_trials: ended_trials
            .iter()
            .map(|trial| [trial.class.to_string(), trial.student.to_string(), trial.on.to_string()])
            .collect(),
        fees: fees.iter().map(|fee| [fee.fee.to_string(), fee.student.to_string()]).collect(),
        pays_debit: link.as_ref().map(|link| link.debit.to_string()),
    }
}

fn print(shown: &Shown) {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let review = if shown.needs_review { ", a person must look" } else { "" };
    println!("{}  {}{review}", shown.order, shown.state);
    println!("  of {} {}. Amounts are in minor units.", or_none(&shown.company), or_none(&shown.family));
    if let Some(bought) = &shown.bought {
        let total = bought.total.map_or_else(|| "nothing".to_owned(), |total| total.to_string());
        println!("  {total} by {}, capture attempt {}", bought.paid_by.unwrap_or("-"), bought.capture_attempt);
        for [class, student] in &bought.enrolments {
            println!("  place   {class} {student}");
        }
        for [class, student, on] in &bought.trials {
            println!("  trial   {class} {student} {on}");
        }
        for [class, student, on] in &bought.ended_trials {
            println!("  ends the trial {class} {student} {on}");
        }
        for [fee, student] in &bought.fees {
            println!("  fee     {fee} {student}");
        }
        if let Some(debit) = &bought.pays_debit {
            println!("  pays    {debit}");
        }
    }
    println!("  at Stripe: {} on {}", or_none(&shown.intent), or_none(&shown.account));
    match (&shown.stripe, &shown.trouble) {
        (Some(intent), _) => println!(
            "    {}: {} {}, received {}, refunded {}",
            intent.status, intent.amount, intent.currency, intent.received, intent.refunded
        ),
        (None, Some(trouble)) => println!("    {trouble}"),
        (None, None) => println!("    nothing was collected"),
    }
    for entry in &shown.entries {
        let posted = if entry.posted { "posted" } else { "not posted" };
        println!("  {}  {} {} of {}, {posted}", entry.id, entry.kind, entry.total, entry.date);
        for line in &entry.lines {
            println!("    {} {}", line.kind, line.amount);
        }
    }
}

//! Compares Stripe with the ledger: every intent created on a day, on every account.
//!
//! Amounts agree to the unit, or the difference is reported. A difference is read a second time first, because a
//! payment may have been under way. An account that can't be read counts as a difference.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::id::{AccountId, CompanyId, FamilyId};
use classpay_domain::money::{Money, Overflow};
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::clock::start_of_day_s;
use classpay_service::store::{Claim, Store, StoreError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::Date;
use serde::Serialize;

use super::books::{Record, taken_and_refunded};
use super::place::{Place, accounts};
use super::stripe::{ListedIntent, StripeReader};
use super::{of_table, print_json};
use crate::Problem;

/// How many records are read at a time.
const AT_ONCE: usize = 8;

/// The result of a comparison. Amounts in minor units.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Comparison {
    date: String,
    agrees: bool,
    findings: Vec<Finding>,
    /// Accounts that can't be compared, with the reason.
    unreadable: Vec<[String; 2]>,
    totals: Vec<Totals>,
}

/// An intent of ours that differs or has no record.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    account: String,
    intent: String,
    status: &'static str,
    order: String,
    state: &'static str,
    currency: String,
    received: i64,
    refunded: i64,
    in_ledger: i64,
    difference: i64,
    /// It was refunded, or resolved by an operator: there is a difference, but nothing to do.
    is_ended: bool,
}

/// Our intents on an account, in one currency.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    account: String,
    /// `None` if there are no intents.
    currency: Option<String>,
    intents: usize,
    received: i64,
    refunded: i64,
    in_ledger: i64,
    difference: i64,
    /// The number of intents that aren't ours.
    not_ours: usize,
}

/// An intent and what the ledger says about it.
struct Compared {
    listed: ListedIntent,
    record: Record,
    /// The studio may take payments of its own on its account.
    is_ours: bool,
    received: Money,
    refunded: Money,
    in_ledger: Money,
    difference: Money,
}

/// An account on that day.
struct Desk<'a> {
    place: &'a Place,
    store: &'a Store,
    stripe: &'a StripeReader,
    account: &'a AccountId,
}

/// The entries of a family.
type Ledgers = BTreeMap<(CompanyId, FamilyId), Vec<AggregateTransaction>>;

pub(super) async fn run(place: &Place, date: Date, company: Option<CompanyId>, json: bool) -> Result<(), Problem> {
    let day = |date| start_of_day_s(date, "UTC").ok();
    let next = date.tomorrow().ok().and_then(day);
    let (from_s, next_s) = day(date).zip(next).ok_or_else(|| Problem::new(format!("{date} is out of range")))?;
    let (store, stripe) = (place.store(), place.stripe_reader()?);
    let accounts = accounts(&store, company.as_ref()).await?;
    if accounts.is_empty() {
        return Err(Problem::new("the table follows no Stripe account: there is nothing to compare"));
    }
    let mut all = Comparison {
        date: date.to_string(),
        agrees: true,
        findings: Vec::new(),
        unreadable: Vec::new(),
        totals: Vec::new(),
    };
    for account in &accounts {
        let desk = Desk { place, store: &store, stripe: &stripe, account };
        match desk.compare_day((from_s, next_s.saturating_sub(1))).await {
            Ok(compared) => all.add(account, &compared).map_err(overflow)?,
            Err(problem) => all.unreadable.push([account.to_string(), problem.to_string()]),
        }
    }
    let differ = all.findings.iter().filter(|finding| finding.difference != 0 && !finding.is_ended).count();
    all.agrees = differ == 0 && all.unreadable.is_empty();
    if json {
        print_json(&all)?;
    } else {
        print(&all);
    }
    if all.agrees {
        return Ok(());
    }
    Err(Problem::new(format!("{differ} payments differ, {} accounts can't be read", all.unreadable.len())))
}

impl Desk<'_> {
    /// Every intent created on that day.
    async fn compare_day(&self, day_s: (i64, i64)) -> Result<Vec<Compared>, Problem> {
        let mut compared = self.compare(self.stripe.list_intents(self.account, day_s).await?).await?;
        for found in compared.iter_mut().filter(|found| !found.difference.is_zero()) {
            let marker = found.listed.marker.clone();
            let now = self.stripe.load_intent(self.account, &found.listed.intent.id).await?;
            if let Some(intent) = now
                && let Some(again) = self.compare(vec![ListedIntent { intent, marker }]).await?.pop()
            {
                *found = again;
            }
        }
        Ok(compared)
    }

    async fn compare(&self, intents: Vec<ListedIntent>) -> Result<Vec<Compared>, Problem> {
        let records = stream::iter(intents).map(|listed| async move {
            let record = Record::load(self.store, self.account, &listed.intent.id).await?;
            Ok::<_, StoreError>((listed, record))
        });
        let found: Vec<_> = records.buffered(AT_ONCE).try_collect().await.map_err(of_table)?;
        let owned = |(company, family): (&CompanyId, &FamilyId)| (company.clone(), family.clone());
        let families: BTreeSet<_> = found.iter().filter_map(|(_, record)| record.family().map(owned)).collect();
        let ledgers = stream::iter(families).map(|family| async move {
            let ledger = self.store.load_ledger(&family.0, &family.1).await?;
            Ok::<_, StoreError>((family, ledger))
        });
        let ledgers: Ledgers = ledgers.buffered(AT_ONCE).try_collect().await.map_err(of_table)?;
        let ledger_of = |record: &Record| {
            record.family().and_then(|family| ledgers.get(&owned(family))).map(Vec::as_slice).unwrap_or_default()
        };
        let compared = found.into_iter().map(|(listed, record)| {
            let ledger = ledger_of(&record);
            Compared::of(self.place, listed, record, ledger)
        });
        compared.collect::<Result<_, _>>().map_err(overflow)
    }
}

impl Compared {
    fn of(
        place: &Place,
        listed: ListedIntent,
        record: Record,
        ledger: &[AggregateTransaction],
    ) -> Result<Self, Overflow> {
        let charge = listed.intent.charge.as_ref();
        let (received, refunded) =
            (listed.intent.amount_received, charge.map_or(Money::ZERO, |charge| charge.given_back()));
        let (taken, went_back) = taken_and_refunded(&record.entries(ledger))?;
        let in_ledger = taken.minus(went_back)?;
        let is_marked = listed.marker.as_deref().is_some_and(|marker| place.is_ours(marker));
        let is_ours = is_marked || record.family().is_some();
        let difference = if is_ours { received.minus(refunded)?.minus(in_ledger)? } else { Money::ZERO };
        Ok(Self { listed, record, is_ours, received, refunded, in_ledger, difference })
    }

    fn finding(&self, account: &AccountId) -> Option<Finding> {
        let agrees = self.difference.is_zero() && self.record.family().is_some();
        if agrees || !self.is_ours {
            return None;
        }
        let intent = &self.listed.intent;
        Some(Finding {
            account: account.to_string(),
            intent: intent.id.to_string(),
            status: intent.status.as_str(),
            order: self.record.id.to_string(),
            state: self.record.state(),
            currency: intent.currency.clone(),
            received: self.received.units(),
            refunded: self.refunded.units(),
            in_ledger: self.in_ledger.units(),
            difference: self.difference.units(),
            is_ended: self.record.claim.as_ref().is_some_and(Claim::is_given_back),
        })
    }
}

impl Comparison {
    fn add(&mut self, account: &AccountId, compared: &[Compared]) -> Result<(), Overflow> {
        self.findings.extend(compared.iter().filter_map(|compared| compared.finding(account)));
        let not_ours = compared.iter().filter(|compared| !compared.is_ours).count();
        let mut by_currency: BTreeMap<Option<&str>, Vec<&Compared>> = BTreeMap::new();
        for compared in compared.iter().filter(|compared| compared.is_ours) {
            by_currency.entry(Some(&compared.listed.intent.currency)).or_default().push(compared);
        }
        if by_currency.is_empty() {
            by_currency.insert(None, Vec::new());
        }
        for (currency, compared) in by_currency {
            let sum = |of: fn(&Compared) -> Money| Money::sum(compared.iter().map(|compared| of(compared)));
            self.totals.push(Totals {
                account: account.to_string(),
                currency: currency.map(str::to_owned),
                intents: compared.len(),
                received: sum(|compared| compared.received)?.units(),
                refunded: sum(|compared| compared.refunded)?.units(),
                in_ledger: sum(|compared| compared.in_ledger)?.units(),
                difference: sum(|compared| compared.difference)?.units(),
                not_ours,
            });
        }
        Ok(())
    }
}

fn overflow(_: Overflow) -> Problem {
    Problem::new("the sums overflow")
}

fn print(all: &Comparison) {
    println!("Payments begun on {} (UTC). Amounts are in minor units.", all.date);
    for found in &all.findings {
        println!(
            "{} {} {}: received {}, refunded {}, in the ledger {}, difference {} {}; {} {}",
            found.account,
            found.intent,
            found.status,
            found.received,
            found.refunded,
            found.in_ledger,
            found.difference,
            found.currency,
            found.order,
            found.state,
        );
    }
    for [account, why] in &all.unreadable {
        println!("{account} can't be read: {why}");
    }
    for totals in &all.totals {
        println!(
            "{}: {} intents, received {}, refunded {}, in the ledger {}, difference {} {} (and {} that aren't ours)",
            totals.account,
            totals.intents,
            totals.received,
            totals.refunded,
            totals.in_ledger,
            totals.difference,
            totals.currency.as_deref().unwrap_or("-"),
            totals.not_ours,
        );
    }
}

//! `cargo dev orders`: an operator's commands for orders, in any table: the running stack's, or one in AWS.
//!
//! Read in this order: this module (the command line), [`place`] (which table, which Stripe), [`list`], [`show`],
//! [`finish`] (settle, void and resolve), [`reconcile`], [`stripe`] (what those that only read ask of Stripe), and
//! [`books`] (a payment in the ledger).
//!
//! Only the service's own `settlement` moves money and places. Everything else here only reads, except for the note
//! that a record was reviewed. Names of people, e-mails and links are not printed.

mod books;
mod finish;
mod list;
mod place;
mod reconcile;
mod show;
mod stripe;

use clap::{Args, Subcommand};
use classpay_domain::id::{AccountId, CompanyId, OrderId};
use classpay_service::store::{Commit, Resolution, StoreError};
use classpay_service::stripe::StripeError;
use jiff::civil::Date;
use serde::Serialize;

use crate::Problem;
use place::Place;

/// `cargo dev orders`.
#[derive(Debug, Args)]
pub struct Orders {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What is unfinished, and what a person must look at, oldest first.
    List {
        /// Of this company alone [default: every company whose Stripe account is followed].
        #[arg(long, value_name = "CO_ID")]
        company: Option<CompanyId>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// One order, its payment at Stripe, and what it has posted or will post.
    Show {
        /// The order, or the intent that pays it.
        #[arg(value_name = "ORDER_ID|INTENT")]
        what: String,
        /// The Stripe account of the intent [default: whichever has a record of it].
        #[arg(long, value_name = "ACCT_ID")]
        account: Option<AccountId>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Drives an order to its end now, like the settlement job: captures and posts, or gives back what Stripe has cancelled. A
    /// payment that no order takes is released, credited, or over once it was refunded.
    Settle {
        /// The order, or the one that the payment would have paid.
        order: OrderId,
    },
    /// Gives an order, or a payment without one, up whose money is still only held: cancels at Stripe, then gives back what it
    /// reserved.
    Void {
        /// The order, or the one that the payment would have paid.
        order: OrderId,
    },
    /// Ends an order of which another amount was received than it says, or an order or a payment without one whose intent is out
    /// of our reach, or a payment that can't be credited and is dealt with elsewhere, as a person decides.
    #[command(group = clap::ArgGroup::new("decision").required(true))]
    Resolve {
        /// The order, or the one that the payment would have paid.
        order: OrderId,
        /// It is booked as it is: what was received is credited, the rest stays due.
        #[arg(long, group = "decision")]
        keep: bool,
        /// Its places are given back: what was received is the family's credit, to be refunded at Stripe or used.
        #[arg(long, group = "decision")]
        release: bool,
        /// What was received, in minor units, where Stripe refuses us: as the studio's own dashboard says it. 0 for a payment
        /// that can't be credited and is dealt with elsewhere.
        #[arg(long, value_name = "AMOUNT")]
        received: Option<u32>,
    },
    /// Notes that a person has looked at a review record: it is listed no more. What it is about is, until it is at its end.
    Reviewed {
        /// The company.
        company: CompanyId,
        /// The record, as `list` names it.
        record: String,
        /// What there is to say about it.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Compares every payment that was begun on a day (UTC) with the ledger, to the unit.
    Reconcile {
        /// The day, such as 2026-11-20.
        #[arg(long)]
        date: Date,
        /// The accounts of this company alone [default: every account that is followed].
        #[arg(long, value_name = "CO_ID")]
        company: Option<CompanyId>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Executes the command line.
pub async fn run(orders: Orders) -> Result<(), Problem> {
    let place = &orders.place;
    match orders.command {
        Command::List { company, json } => list::run(place, company, json).await,
        Command::Show { what, account, json } => show::run(place, &what, account, json).await,
        Command::Settle { order } => finish::settle_now(place, &order).await,
        Command::Void { order } => finish::void(place, &order).await,
        Command::Resolve { order, keep, received, .. } => {
            let how = if keep { Resolution::Keep } else { Resolution::Release };
            finish::resolve(place, &order, how, received).await
        }
        Command::Reviewed { company, record, note } => list::reviewed(place, &company, &record, note.as_deref()).await,
        Command::Reconcile { date, company, json } => reconcile::run(place, date, company, json).await,
    }
}

fn of_table(error: StoreError) -> Problem {
    Problem::new(error.to_string())
}

fn of_stripe(error: StripeError) -> Problem {
    Problem::new(error.to_string())
}

/// The record that was written, if any.
fn written(written: Commit, lost: impl FnOnce() -> Problem) -> Result<(), Problem> {
    match written {
        Commit::Done => Ok(()),
        Commit::ConditionFailed => Err(lost()),
        Commit::Contended | Commit::Unknown => {
            Err(Problem::new("the table gave no clear answer; the command may be given again"))
        }
    }
}

/// Prints one object.
fn print_json(value: &impl Serialize) -> Result<(), Problem> {
    let text = serde_json::to_string(value).map_err(|problem| Problem::new(problem.to_string()))?;
    println!("{text}");
    Ok(())
}

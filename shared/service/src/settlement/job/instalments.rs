//! Debits instalments that fall due after the checkout (rule 34).
//!
//! Invariant: nothing is debited before its date in the company's time zone, and nothing twice: the debit's id is
//! derived from the family, the enrolment and the date, and `Store::debit_instalment` writes it on the condition that
//! no other run has.

use classpay_domain::ledger::{Detail, DetailKind, Direction, Entry};
use classpay_domain::money::Money;

use crate::aggregate::{AggregateTransaction, Ledger};
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::schedule::ScheduledInstalment;
use crate::store::{Commit, Debtor, Scheduled};

/// Debits every instalment whose date has come, oldest first, while there is time.
pub(super) async fn debit_due(ctx: &Context, mut scheduled: Scheduled, deadline: Deadline) -> Result<(), Error> {
    let debtor = ctx.store.load_debtor(&scheduled).await?;
    let debtor = debtor.ok_or_else(|| Error::internal("a document of an instalment is missing"))?;
    if !debtor.is_enrolled {
        let stopped = ctx.store.stop_instalments(&scheduled).await?;
        tracing::info!(?stopped, "a cancelled enrolment has no more instalments");
        return Ok(());
    }
    let today = ctx.clock.today(&debtor.timezone)?;
    while let Some(instalment) = scheduled.left().first().filter(|instalment| instalment.0 <= today) {
        if deadline.is_near() {
            break;
        }
        let debit = debit(&scheduled, instalment, &debtor)?;
        match ctx.store.debit_instalment(&scheduled, &debit).await? {
            Commit::Done => scheduled.written += 1,
            // Written by another run, cancelled, or unknown: the next visit reads the current state.
            Commit::ConditionFailed | Commit::Contended | Commit::Unknown => break,
        }
    }
    Ok(())
}

fn debit(
    scheduled: &Scheduled,
    instalment: &ScheduledInstalment,
    debtor: &Debtor,
) -> Result<AggregateTransaction, Error> {
    let Scheduled { company, family, enrolment, student, class, season, schedule, .. } = scheduled;
    let place = [class.as_str(), student.as_str(), enrolment.as_str(), season.as_str()];
    let details = schedule.details(instalment).map(|(line, amount)| {
        let kind = DetailKind::ALL.into_iter().find(|kind| kind.as_str() == line.kind)?;
        let about = place.into_iter().chain([line.given_by.as_str()]).map(str::to_owned).collect();
        Some(Detail { kind, amount: Money::minor(amount), description: line.description.clone(), about })
    });
    let entry = Entry {
        direction: Direction::Debit,
        on: instalment.0,
        description: debtor.season_name.clone(),
        details: details.collect::<Option<_>>().ok_or_else(|| Error::internal("an unknown kind of detail"))?,
    };
    let ledger = Ledger { company, family, family_name: &debtor.family_name, order: None };
    let debit = ledger.derived(&entry, &schedule.debit_of(family, enrolment, instalment), None);
    debit.map_err(|_| Error::internal("the sums of an instalment overflow"))
}

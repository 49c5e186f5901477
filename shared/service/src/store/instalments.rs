//! Instalments that fall due after the checkout: each is debited on its date.
//!
//! Invariant: an instalment is written once, in the order of the schedule, and only while its enrolment is active. How
//! many are written stands on the enrolment and moves in the very transaction that writes one.

use classpay_domain::id::{CompanyId, FamilyId, SeasonId};

use super::item::{Attributes, Item, Read as _, document, number, text};
use super::key::{self, Key, sweep_due, sweep_shard};
use super::places::{ACTIVE, CANCELLED, MOVE};
use super::table::Consistency;
use super::table::Written;
use super::transact::{Change, Transaction};
use super::{Store, StoreError};
use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::{CompanyDoc, FamilyDoc, SeasonDoc};
use crate::machine::Machine;
use crate::snapshot::{BookedEnrolment, ScheduledInstalment};

/// An enrolment with instalments that are not written yet.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// Whose.
    pub company: CompanyId,
    /// Who owes.
    pub family: FamilyId,
    /// The enrolment.
    pub enrolment: BookedEnrolment,
    /// How many of its later instalments are written.
    pub written: usize,
    /// Whether it was cancelled: then no more are.
    pub is_cancelled: bool,
}

/// What an instalment's debit says besides its amounts.
#[derive(Debug, Clone)]
pub struct Debtor {
    /// The family's name.
    pub family_name: String,
    /// The season's name.
    pub season_name: String,
    /// The company's time zone.
    pub timezone: String,
}

impl Scheduled {
    /// The instalments that are not written yet.
    #[must_use]
    pub fn left(&self) -> &[ScheduledInstalment] {
        self.enrolment.schedule.get(self.written..).unwrap_or_default()
    }

    fn key(&self) -> Key {
        key::enrolment(&self.company, &self.family, &self.enrolment.student, &self.enrolment.class)
    }
}

impl<M: Machine> Store<M> {
    /// What the debits of a family's instalments say; `None`: a document is not there.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn load_debtor(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        season: &SeasonId,
    ) -> Result<Option<Debtor>, StoreError> {
        let keys = [
            key::company(company),
            key::family(company, family),
            key::price_list(company, key::SEASON, season.as_str()),
        ];
        let items = self.get_all(keys.to_vec(), Consistency::Strong).await?;
        let [Some(company), Some(family), Some(season)] = keys.map(|key| items.get(&key)) else { return Ok(None) };
        Ok(Some(Debtor {
            family_name: family.document::<FamilyDoc>("doc")?.name,
            season_name: season.document::<SeasonDoc>("doc")?.name,
            timezone: company.document::<CompanyDoc>("doc")?.settings.general.timezone,
        }))
    }

    /// Writes the debit of the first instalment that is left. [`Written::Lost`]: it is written already, or the enrolment
    /// was cancelled.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn debit_instalment(
        &self,
        scheduled: &Scheduled,
        debit: &AggregateTransaction,
    ) -> Result<Written, StoreError> {
        let Scheduled { company, family, enrolment, written, .. } = scheduled;
        let id = debit.transaction.id.parse().map_err(|_| StoreError::Corrupt("transaction_id"))?;
        let mut transaction = Transaction::new();
        let item = Item::at(&key::transaction(company, family, &debit.transaction.id)).text("cid", company.as_str());
        transaction.create(item.text("transaction_id", &debit.transaction.id).text("doc", document(debit)));
        let due = Item::at(&key::due(company, &id)).text("cid", company.as_str()).text("fid", family.as_str());
        transaction.create(due.number("amount_due", debit.stats.total));
        let balance = Change::of(key::family(company, family))
            .update("ADD family_balance :change")
            .only_if("attribute_exists(pk)")
            .value(":change", number(debit.stats.total));
        transaction.change(balance);
        let next = Change::of(scheduled.key())
            .only_if("enrolment_id = :enrolment AND place_state = :active AND instalments_written = :written")
            .value(":enrolment", text(enrolment.id.as_str()))
            .value(":active", text(ACTIVE))
            .value(":written", number(written))
            .value(":next", number(written + 1));
        transaction.change(match enrolment.schedule.get(written + 1) {
            None => next.update("SET instalments_written = :next REMOVE gsi1pk, gsi1sk"),
            Some(later) => next
                .update("SET instalments_written = :next, gsi1sk = :due")
                .value(":due", text(sweep_due(later.due_s))),
        });
        self.transact(transaction).await
    }

    /// Takes a cancelled enrolment out of the schedule.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn stop_instalments(&self, scheduled: &Scheduled) -> Result<Written, StoreError> {
        let change = Change::of(scheduled.key())
            .update("REMOVE gsi1pk, gsi1sk")
            .only_if("place_state = :cancelled")
            .value(":cancelled", text(CANCELLED));
        let mut transaction = Transaction::new();
        transaction.change(change);
        self.transact(transaction).await
    }
}

/// An active enrolment's item, where the schedule finds its first instalment.
pub(super) fn indexed(item: Item, enrolment: &BookedEnrolment) -> Item {
    match enrolment.schedule.first() {
        None => item,
        Some(first) => item.number("instalments_written", 0).swept_at(first.due_s),
    }
}

/// The same for an enrolment that a change makes active.
pub(super) fn index(change: Change, key: &Key, enrolment: &BookedEnrolment) -> Change {
    match enrolment.schedule.first() {
        None => change.update(MOVE),
        Some(first) => change
            .update(format!("{MOVE}, instalments_written = :none, gsi1pk = :shard, gsi1sk = :due"))
            .value(":none", number(0))
            .value(":shard", text(sweep_shard(key)))
            .value(":due", text(sweep_due(first.due_s))),
    }
}

pub(super) fn scheduled_of(item: &Attributes) -> Result<Scheduled, StoreError> {
    Ok(Scheduled {
        company: item.parsed("cid")?,
        family: item.parsed("fid")?,
        enrolment: item.document("doc")?,
        written: item.number("instalments_written")?,
        is_cancelled: item.text("place_state")? == CANCELLED,
    })
}

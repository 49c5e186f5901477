//! Instalments that fall due after the checkout: each is debited on its date.
//!
//! Invariant: an instalment is written once, in the order of the schedule, and only while its enrolment is active. The
//! count of written instalments is stored beside the schedule and changes in the same transaction that writes one.

use classpay_domain::id::{ClassId, CompanyId, EnrolmentId, FamilyId, SeasonId, StudentId};

use super::due::due_item;
use super::entries::entry_item;
use super::item::{Attributes, Item, Read as _, document};
use super::key::{self, Key};
use super::lane::{Lane, job_due};
use super::place_state::{ACTIVE, CANCELLED};
use super::table::Commit;
use super::table::Consistency;
use super::write::{Guard, Write, Writes};
use super::{Store, StoreError};
use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::{CompanyDoc, FamilyDoc, SeasonDoc};
use crate::schedule::{Schedule, ScheduledInstalment};
use crate::snapshot::BookedEnrolment;

/// The later instalments of an enrolment, some of them not written yet.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// The company.
    pub company: CompanyId,
    /// The family that owes.
    pub family: FamilyId,
    /// The enrolment.
    pub enrolment: EnrolmentId,
    /// The enrolled student.
    pub student: StudentId,
    /// The class.
    pub class: ClassId,
    /// The class's season.
    pub season: SeasonId,
    /// The amounts and their dates.
    pub schedule: Schedule,
    /// How many of the instalments are written.
    pub written: usize,
}

/// What an instalment's debit contains besides its amounts.
#[derive(Debug, Clone)]
pub struct Debtor {
    /// The family's name.
    pub family_name: String,
    /// The season's name.
    pub season_name: String,
    /// The company's time zone.
    pub timezone: String,
    /// Whether the enrolment still exists: only then its instalments are owed.
    pub is_enrolled: bool,
}

impl Scheduled {
    /// The instalments that are not written yet.
    #[must_use]
    pub fn left(&self) -> &[ScheduledInstalment] {
        self.schedule.instalments.get(self.written..).unwrap_or_default()
    }

    fn key(&self) -> Key {
        key::plans(&self.company, &self.family, &self.enrolment)
    }

    fn place(&self) -> Key {
        key::enrolment(&self.company, &self.family, &self.student, &self.class)
    }
}

impl Store {
    /// What the debits of an enrolment's instalments contain besides amounts; `None`: a document is missing.
    pub async fn load_debtor(&self, scheduled: &Scheduled) -> Result<Option<Debtor>, StoreError> {
        let Scheduled { company, family, .. } = scheduled;
        let keys = [
            key::company(company),
            key::family(company, family),
            key::price_list(company, key::SEASON, scheduled.season.as_str()),
            scheduled.place(),
        ];
        let items = self.get_all(keys.to_vec(), Consistency::Strong).await?;
        let [Some(company), Some(family), Some(season), Some(place)] = keys.map(|key| items.get(&key)) else {
            return Ok(None);
        };
        let is_own = place.text("enrolment_id")? == scheduled.enrolment.as_str();
        Ok(Some(Debtor {
            family_name: family.document::<FamilyDoc>("doc")?.name,
            season_name: season.document::<SeasonDoc>("doc")?.name,
            timezone: company.document::<CompanyDoc>("doc")?.settings.general.timezone,
            is_enrolled: is_own && place.text("place_state")? != CANCELLED,
        }))
    }

    /// Writes the debit of the first unwritten instalment. [`Commit::ConditionFailed`]: it is written already, or the
    /// enrolment was cancelled.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn debit_instalment(
        &self,
        scheduled: &Scheduled,
        debit: &AggregateTransaction,
    ) -> Result<Commit, StoreError> {
        let Scheduled { company, family, enrolment, schedule, written, .. } = scheduled;
        let id = debit.transaction.id.parse().map_err(|_| StoreError::Corrupt("transaction_id"))?;
        let mut writes = Writes::new();
        writes.create(entry_item(company, family, &debit.into()));
        writes.create(due_item(company, family, &id, debit.stats.total, schedule.currency));
        let family = Write::edit(key::family(company, family));
        writes.push(family.add("family_balance", debit.stats.total).when(Guard::Exists));
        let enrolled = Write::edit(scheduled.place())
            .when(Guard::is("enrolment_id", enrolment.as_str()))
            .when(Guard::is("place_state", ACTIVE));
        writes.push(enrolled);
        let next = Write::edit(scheduled.key())
            .set("instalments_written", written + 1)
            .when(Guard::is("instalments_written", *written));
        writes.push(match schedule.instalments.get(written + 1) {
            None => next.leave_index(),
            Some(later) => next.set("gsi1sk", job_due(schedule.due_s(later))),
        });
        self.transact(writes).await
    }

    /// Takes the instalments of an enrolment that no longer exists out of the index.
    pub async fn stop_instalments(&self, scheduled: &Scheduled) -> Result<Commit, StoreError> {
        let is_gone =
            Guard::is_not("enrolment_id", scheduled.enrolment.as_str()).or(Guard::is("place_state", CANCELLED));
        let mut writes = Writes::new();
        writes.push(Write::edit(scheduled.key()).leave_index().when(Guard::Exists));
        writes.push(Write::edit(scheduled.place()).when(is_gone));
        self.transact(writes).await
    }
}

/// Puts the later instalments of an active enrolment where the settlement job finds them.
pub(super) fn schedule(writes: &mut Writes, (company, family): (&CompanyId, &FamilyId), enrolment: &BookedEnrolment) {
    item(company, family, enrolment).into_iter().for_each(|item| writes.create(item));
}

/// The later instalments of a new enrolment, if it has any.
#[must_use]
pub fn item(company: &CompanyId, family: &FamilyId, enrolment: &BookedEnrolment) -> Option<Item> {
    let schedule = enrolment.schedule.as_ref()?;
    let first = schedule.instalments.first()?;
    let item = Item::at(&key::plans(company, family, &enrolment.id))
        .text("cid", company.as_str())
        .text("fid", family.as_str())
        .text("enrolment_id", enrolment.id.as_str())
        .text("student", enrolment.student.as_str())
        .text("class", enrolment.class.as_str())
        .text("season", enrolment.season.as_str())
        .text("doc", document(schedule))
        .number("instalments_written", 0)
        .due_at(Lane::Debit, schedule.due_s(first));
    Some(item)
}

/// The later instalments of an enrolment, read from their item.
///
/// # Errors
/// [`StoreError::Corrupt`] if an attribute is missing or of another type.
pub fn scheduled_of(item: &Attributes) -> Result<Scheduled, StoreError> {
    Ok(Scheduled {
        company: item.parsed("cid")?,
        family: item.parsed("fid")?,
        enrolment: item.parsed("enrolment_id")?,
        student: item.parsed("student")?,
        class: item.parsed("class")?,
        season: item.parsed("season")?,
        schedule: item.document("doc")?,
        written: item.number("instalments_written")?,
    })
}

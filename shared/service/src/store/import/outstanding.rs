//! What goes on without the things that a file takes away: enrolments, instalments, debts.
//!
//! Invariant: it is only told. Who still takes part, what falls due on its date and what is owed stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::id::{CompanyId, FamilyId};
use futures_util::future::try_join_all;

use super::super::due::due_of;
use super::super::entries::entry_of;
use super::super::instalments::scheduled_of;
use super::super::item::Read as _;
use super::super::key::{self, Key};
use super::super::table::Consistency;
use super::super::{Store, StoreError};
use super::changes::{Kind, Outstanding};
use super::plan::Plan;
use crate::machine::Machine;

/// So many families are read at a time.
const AT_A_TIME: usize = 16;

/// By the id of what is taken away.
type ById = BTreeMap<String, Outstanding>;

impl<M: Machine> Store<M> {
    /// Adds to what is taken away what goes on without it.
    pub(super) async fn find_outstanding(&self, plan: &mut Plan<'_>) -> Result<(), StoreError> {
        let company = &plan.catalogue.company.id;
        let asked = [Kind::Season, Kind::Class, Kind::Family, Kind::Student];
        let going = || plan.entries.iter().filter(|entry| entry.goes && asked.contains(&entry.kind));
        let mut found: ById = going().map(|entry| (entry.id.clone(), Outstanding::default())).collect();
        self.enrolments_of_classes(plan, &mut found).await?;
        // Somebody is in a class that goes, but not who: that is in the families' own partitions.
        let is_sold = found.values().any(|outstanding| outstanding.enrolments > 0);
        let own: BTreeSet<_> =
            going().filter(|e| matches!(e.kind, Kind::Family | Kind::Student)).map(|e| &e.key.pk).collect();
        let families = plan.entries.iter().filter(|entry| entry.kind == Kind::Family);
        let families: Vec<FamilyId> = families
            .filter(|entry| is_sold || own.contains(&entry.key.pk))
            .map(|entry| entry.id.parse().map_err(|_| StoreError::Corrupt("sk")))
            .collect::<Result<_, _>>()?;
        for families in families.chunks(AT_A_TIME) {
            let all = families.iter().map(|family| self.outstanding_of(company, family, &found));
            for (id, more) in try_join_all(all).await?.into_iter().flatten() {
                let known = found.entry(id).or_default();
                known.enrolments += more.enrolments;
                known.instalments += more.instalments;
                known.instalments_amount += more.instalments_amount;
                known.due += more.due;
            }
        }
        for taken in plan.changes.kinds.values_mut().flat_map(|kind| &mut kind.taken_away) {
            taken.outstanding = found.remove(&taken.id).unwrap_or_default();
        }
        Ok(())
    }

    /// Who is in a class, is what it is short of its capacity by.
    async fn enrolments_of_classes(&self, plan: &Plan<'_>, found: &mut ById) -> Result<(), StoreError> {
        let company = &plan.catalogue.company.id;
        let is_asked = |id: &str, season: &str| found.contains_key(id) || found.contains_key(season);
        let classes: Vec<_> = plan
            .classes
            .iter()
            .map(|class| (&class.doc.id, &class.doc.season_id))
            .filter(|(id, season)| is_asked(id.as_str(), season.as_str()))
            .collect();
        let keys = classes.iter().map(|(id, _)| key::seats(company, id)).collect();
        let seats = self.get_all(keys, Consistency::Strong).await?;
        for (id, season) in classes {
            let Some(item) = seats.get(&key::seats(company, id)) else { continue };
            let taken = item.number_if::<i64>("seats_total")?.unwrap_or(0) - item.number::<i64>("seats_left")?;
            for of in [id.as_str(), season.as_str()] {
                if let Some(outstanding) = found.get_mut(of) {
                    outstanding.enrolments += taken;
                }
            }
        }
        Ok(())
    }

    /// What a family has of the things that go.
    async fn outstanding_of(&self, company: &CompanyId, family: &FamilyId, going: &ById) -> Result<ById, StoreError> {
        let mut found = ById::new();
        self.places_of(company, family, going, &mut found).await?;
        for item in self.query(&key::plans_pk(company, family), Consistency::Strong).await? {
            if !item.contains_key("gsi1pk") {
                continue;
            }
            let scheduled = scheduled_of(&item)?;
            let left = scheduled.left();
            let amount: i64 = left.iter().flat_map(|instalment| &instalment.1).sum();
            let about =
                [scheduled.class.as_str(), scheduled.season.as_str(), scheduled.student.as_str(), family.as_str()];
            for id in about.into_iter().filter(|id| going.contains_key(*id)) {
                let of = found.entry(id.to_owned()).or_default();
                of.instalments += left.len();
                of.instalments_amount += amount;
            }
        }
        self.debts_of(company, family, going, &mut found).await?;
        Ok(found)
    }

    /// The live enrolments of a family or a student that goes; a class's are known from its seats.
    async fn places_of(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        going: &ById,
        found: &mut ById,
    ) -> Result<(), StoreError> {
        for item in self.query(&key::family_pk(company, family), Consistency::Strong).await? {
            let is_live = item.text_if("place_state").is_some_and(|state| state != "CANCELLED");
            if !is_live || !item.text("sk")?.starts_with(key::ENROLMENT) {
                continue;
            }
            for id in [item.text("student")?, family.as_str()].into_iter().filter(|id| going.contains_key(*id)) {
                found.entry(id.to_owned()).or_default().enrolments += 1;
            }
        }
        Ok(())
    }

    /// What is due of a family's debits that are about the things that go.
    async fn debts_of(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        going: &ById,
        found: &mut ById,
    ) -> Result<(), StoreError> {
        let mut about: Vec<(Key, BTreeSet<String>)> = Vec::new();
        for item in self.query(&key::ledger_pk(company, family), Consistency::Strong).await? {
            if !item.text("sk")?.starts_with(key::LEDGER_ENTRY) {
                continue;
            }
            let entry = entry_of(&item, company, family)?;
            let entities = entry.details.iter().flat_map(|detail| &detail.related_entities);
            let ids = entities.map(|entity| entity.entity_id.clone()).chain([family.to_string()]);
            let ids: BTreeSet<_> = ids.filter(|id| going.contains_key(id)).collect();
            if entry.is_debit() && !ids.is_empty() {
                let debit = entry.transaction.id.parse().map_err(|_| StoreError::Corrupt("transaction_id"))?;
                about.push((key::due(company, &debit), ids));
            }
        }
        let due = self.get_all(about.iter().map(|(key, _)| key.clone()).collect(), Consistency::Strong).await?;
        for (key, ids) in about {
            let Some(item) = due.get(&key) else { continue };
            let owed = due_of(item)?;
            for id in ids {
                found.entry(id).or_default().due += owed.due.units() + owed.reserved.units();
            }
        }
        Ok(())
    }
}

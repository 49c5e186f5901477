//! What goes on without the things that a file takes away: enrolments, instalments, debts.
//!
//! Invariant: it is only reported. Who still takes part, what falls due on its date and what is owed stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::id::{ClassId, CompanyId, FamilyId, StudentId};
use classpay_service::snapshot::BookedTrial;
use classpay_service::store::key::{self, Key};
use classpay_service::store::layout::{ACTIVE, RESERVED, due_of, entry_of, scheduled_of};
use classpay_service::store::{Attributes, Consistency, Read as _, StoreError};
use futures_util::future::try_join_all;
use jiff::civil::Date;

use crate::Import;
use crate::changes::{Kind, Outstanding};
use crate::plan::Plan;
use crate::planned::Entry;

/// So many partitions are read at a time.
const AT_A_TIME: usize = 16;

/// What is taken away or archived: by its kind, for an id may be used by several.
type Found = BTreeMap<(Kind, String), Outstanding>;

/// What money can be owed for, and by whom. A fee of a season stands in the season's document.
const ASKED: [Kind; 5] = [Kind::RegistrationFee, Kind::Season, Kind::Class, Kind::Family, Kind::Student];

/// The families that are read, and what of them.
struct Families {
    /// Those that go, or of which a student goes.
    own: BTreeSet<FamilyId>,
    /// Those that are in a class that goes, too.
    enrolled: BTreeSet<FamilyId>,
    /// Those that may owe money for something that goes.
    owing: BTreeSet<FamilyId>,
}

impl Import<'_> {
    /// Adds to what is taken away, and to what the file archives, what goes on without it.
    pub(super) async fn find_outstanding(&self, plan: &mut Plan<'_>) -> Result<(), StoreError> {
        let going = plan.entries.iter().filter(|entry| (entry.goes || entry.ends) && ASKED.contains(&entry.kind));
        let mut found: Found = going.map(|entry| ((entry.kind, entry.id.clone()), Outstanding::default())).collect();
        if found.is_empty() {
            return Ok(());
        }
        let (company, today) = (&plan.catalogue.company, plan.today);
        let sold = self.sold_of_classes(plan, today, &mut found).await?;
        let families = self.families_to_read(plan, &found, &sold).await?;
        self.read_families(&company.id, families, today, &mut found).await?;
        for (kind, changes) in &mut plan.changes.kinds {
            for given_up in changes.taken_away.iter_mut().chain(&mut changes.archived) {
                given_up.outstanding = found.remove(&(*kind, given_up.id.clone())).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// Who is in a class, is what it is short of its capacity by; who tries it, is counted by lesson. The classes that
    /// somebody is in.
    async fn sold_of_classes(
        &self,
        plan: &Plan<'_>,
        today: Date,
        found: &mut Found,
    ) -> Result<Vec<ClassId>, StoreError> {
        let company = &plan.catalogue.company.id;
        let mut classes = Vec::new();
        for class in &plan.classes {
            let of = [(Kind::Class, class.doc.id.to_string()), (Kind::Season, class.doc.season_id.to_string())];
            let of: Vec<_> = of.into_iter().filter(|of| found.contains_key(of)).collect();
            if !of.is_empty() {
                classes.push((&class.doc.id, of));
            }
        }
        let mut sold = Vec::new();
        for classes in classes.chunks(AT_A_TIME) {
            let items = classes.iter().map(|(class, _)| self.class_items(company, class));
            for ((class, of), items) in classes.iter().zip(try_join_all(items).await?) {
                let counts = (enrolled(&items)?, tried(&items, today)?);
                if counts.0 != 0 {
                    sold.push((*class).clone());
                }
                for of in of {
                    let outstanding = found.entry(of.clone()).or_default();
                    outstanding.enrolments += counts.0;
                    outstanding.trials += counts.1;
                }
            }
        }
        Ok(sold)
    }

    async fn class_items(&self, company: &CompanyId, class: &ClassId) -> Result<Vec<Attributes>, StoreError> {
        self.store.query(&key::class(company, class).pk, Consistency::Strong).await
    }

    async fn families_to_read(&self, plan: &Plan<'_>, found: &Found, sold: &[ClassId]) -> Result<Families, StoreError> {
        let mut families: BTreeMap<&str, FamilyId> = BTreeMap::new();
        for entry in plan.entries.iter().filter(|entry| entry.kind == Kind::Family) {
            families.insert(&entry.key.pk, entry.id.parse().map_err(|_| StoreError::Corrupt("sk"))?);
        }
        let goes = |entry: &&Entry| entry.goes || entry.ends;
        let people = plan.entries.iter().filter(|entry| matches!(entry.kind, Kind::Family | Kind::Student));
        let own: BTreeSet<_> =
            people.filter(goes).filter_map(|entry| families.get(entry.key.pk.as_str()).cloned()).collect();
        let mut enrolled = self.enrolled_in(plan, &families, sold).await?;
        enrolled.extend(own.iter().cloned());
        let is_owed_by_all = found.keys().any(|(kind, _)| !matches!(kind, Kind::Family | Kind::Student));
        let mut owing = own.clone();
        if is_owed_by_all {
            owing.extend(self.unsettled(&plan.catalogue.company.id, families.values()).await?);
        }
        Ok(Families { own, enrolled, owing })
    }

    /// The families that are in one of these classes. Their places are read where they would be, or all families if that is
    /// less.
    async fn enrolled_in(
        &self,
        plan: &Plan<'_>,
        families: &BTreeMap<&str, FamilyId>,
        sold: &[ClassId],
    ) -> Result<BTreeSet<FamilyId>, StoreError> {
        let company = &plan.catalogue.company.id;
        if sold.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut students = Vec::new();
        for entry in plan.entries.iter().filter(|entry| entry.kind == Kind::Student) {
            let Some(family) = families.get(entry.key.pk.as_str()) else { continue };
            let student: StudentId = entry.id.parse().map_err(|_| StoreError::Corrupt("sk"))?;
            students.push((family, student));
        }
        // A read takes a hundred places, and a family's partition is a read.
        if students.len().saturating_mul(sold.len()) > families.len().saturating_mul(100) {
            return Ok(families.values().cloned().collect());
        }
        let mut places: BTreeMap<Key, &FamilyId> = BTreeMap::new();
        for (family, student) in &students {
            let of_student = sold.iter().map(|class| key::enrolment(company, family, student, class));
            places.extend(of_student.map(|place| (place, *family)));
        }
        let stored = self.store.get_all(places.keys().cloned().collect(), Consistency::Strong).await?;
        let live = places.iter().filter(|(key, _)| stored.get(key).is_some_and(is_live));
        Ok(live.map(|(_, family)| (*family).clone()).collect())
    }

    /// The families whose balance is not zero. One whose is owes nothing, all in all.
    async fn unsettled(
        &self,
        company: &CompanyId,
        families: impl Iterator<Item = &FamilyId>,
    ) -> Result<Vec<FamilyId>, StoreError> {
        let families: Vec<_> = families.map(|family| (key::family(company, family), family)).collect();
        let stored =
            self.store.get_all(families.iter().map(|(key, _)| key.clone()).collect(), Consistency::Strong).await?;
        let mut unsettled = Vec::new();
        for (key, family) in families {
            let Some(item) = stored.get(&key) else { continue };
            if item.number_if::<i64>("family_balance")?.unwrap_or(0) != 0 {
                unsettled.push(family.clone());
            }
        }
        Ok(unsettled)
    }

    async fn read_families(
        &self,
        company: &CompanyId,
        families: Families,
        today: Date,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let Families { own, enrolled, owing } = families;
        let all: Vec<_> = enrolled.union(&owing).collect();
        for some in all.chunks(AT_A_TIME) {
            let read = some.iter().map(|family| async {
                let mut of_family = Found::new();
                if own.contains(*family) {
                    self.places_of(company, family, today, found, &mut of_family).await?;
                }
                if enrolled.contains(*family) {
                    self.instalments_of(company, family, found, &mut of_family).await?;
                }
                if owing.contains(*family) {
                    self.debts_of(company, family, found, &mut of_family).await?;
                }
                Ok::<_, StoreError>(of_family)
            });
            for (of, more) in try_join_all(read).await?.into_iter().flatten() {
                let known = found.entry(of).or_default();
                known.enrolments += more.enrolments;
                known.trials += more.trials;
                known.instalments += more.instalments;
                known.instalments_amount += more.instalments_amount;
                known.due += more.due;
            }
        }
        Ok(())
    }

    /// The live enrolments and trials of a family or a student that goes; a class's are known from the class.
    async fn places_of(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        today: Date,
        going: &Found,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        for item in self.store.query(&key::family_pk(company, family), Consistency::Strong).await? {
            if !is_live(&item) {
                continue;
            }
            let (enrolments, trials) = match item.text("sk")? {
                sk if sk.starts_with(key::ENROLMENT) => (1, 0),
                sk if sk.starts_with(key::TRIAL) && item.document::<BookedTrial>("doc")?.on >= today => (0, 1),
                _ => continue,
            };
            let of = [(Kind::Student, item.text("student")?.to_owned()), (Kind::Family, family.to_string())];
            for of in of.into_iter().filter(|of| going.contains_key(of)) {
                let outstanding = found.entry(of).or_default();
                outstanding.enrolments += enrolments;
                outstanding.trials += trials;
            }
        }
        Ok(())
    }

    /// What a family will be debited later for the things that go.
    async fn instalments_of(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        going: &Found,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        for item in self.store.query(&key::plans_pk(company, family), Consistency::Strong).await? {
            if !item.contains_key("gsi1pk") {
                continue;
            }
            let scheduled = scheduled_of(&item)?;
            let left = scheduled.left();
            let amount: i64 = left.iter().flat_map(|instalment| &instalment.1).sum();
            let about = [
                (Kind::Class, scheduled.class.to_string()),
                (Kind::Season, scheduled.season.to_string()),
                (Kind::Student, scheduled.student.to_string()),
                (Kind::Family, family.to_string()),
            ];
            for of in about.into_iter().filter(|of| going.contains_key(of)) {
                let of = found.entry(of).or_default();
                of.instalments += left.len();
                of.instalments_amount += amount;
            }
        }
        Ok(())
    }

    /// What is due of a family's debits that are about the things that go. A debit names them by their ids alone.
    async fn debts_of(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        going: &Found,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let mut about: Vec<(Key, BTreeSet<(Kind, String)>)> = Vec::new();
        for item in self.store.query(&key::ledger_pk(company, family), Consistency::Strong).await? {
            if !item.text("sk")?.starts_with(key::LEDGER_ENTRY) {
                continue;
            }
            let entry = entry_of(&item, company, family)?;
            let entities = entry.details.iter().flat_map(|detail| &detail.related_entities);
            let things = ASKED.into_iter().filter(|kind| *kind != Kind::Family);
            let named = entities.flat_map(|entity| things.clone().map(|kind| (kind, entity.entity_id.clone())));
            let named = named.chain([(Kind::Family, family.to_string())]);
            let named: BTreeSet<_> = named.filter(|of| going.contains_key(of)).collect();
            if entry.is_debit() && !named.is_empty() {
                let debit = entry.transaction.id.parse().map_err(|_| StoreError::Corrupt("transaction_id"))?;
                about.push((key::due(company, &debit), named));
            }
        }
        let due = self.store.get_all(about.iter().map(|(key, _)| key.clone()).collect(), Consistency::Strong).await?;
        for (key, named) in about {
            let Some(item) = due.get(&key) else { continue };
            let owed = due_of(item)?;
            for of in named {
                found.entry(of).or_default().due += owed.due.units() + owed.reserved.units();
            }
        }
        Ok(())
    }
}

/// Whether somebody has this place, or has it reserved.
fn is_live(place: &Attributes) -> bool {
    place.text_if("place_state").is_some_and(|state| [ACTIVE, RESERVED].contains(&state))
}

fn enrolled(class: &[Attributes]) -> Result<i64, StoreError> {
    let Some(seats) = class.iter().find(|item| item.contains_key("seats_left")) else { return Ok(0) };
    Ok(seats.number_if::<i64>("seats_total")?.unwrap_or(0) - seats.number::<i64>("seats_left")?)
}

/// The trials in a class's lessons that are still to come.
fn tried(class: &[Attributes], today: Date) -> Result<i64, StoreError> {
    let mut trials = 0;
    for item in class {
        let on = item.text("sk")?.strip_prefix(key::LESSON).and_then(|day| day.parse::<Date>().ok());
        if on.is_some_and(|on| on >= today) {
            trials += item.number_if::<i64>("trials_booked")?.unwrap_or(0);
        }
    }
    Ok(trials)
}

//! Families, their students, and what they have already.
//!
//! Invariant: a family refers to its own students only.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::money::Money;
use classpay_domain::pricing::LARGEST_CHARGE;

use super::super::mistake::Mistake;
use super::super::parts::{EnrolmentEntry, FamilyFileDoc};
use super::Check;
use super::seasons::MOST_INSTALMENTS;

impl<'a> Check<'a> {
    pub(super) fn families(&mut self) {
        let families = &self.file.families;
        self.once(families.iter().enumerate().map(|(i, family)| (format!("families[{i}]"), family.id.as_str())));
        self.once_in_families("students", |family| family.students.iter().map(|s| s.id.as_str()).collect());
        self.once_in_families("enrolments", |family| family.enrolments.iter().map(|e| e.id.as_str()).collect());
        self.once_in_families("trials", |family| family.trials.iter().map(|t| t.id.as_str()).collect());
        for (i, family) in families.iter().enumerate() {
            let place = format!("families[{i}]");
            self.same_company(&family.company_id, format!("{place}.companyId"));
            self.enrolments(family, &place);
            self.trials(family, &place);
            self.charged_fees(family, &place);
        }
    }

    /// Names what has the id of another, in whichever family, by both places.
    fn once_in_families(&mut self, list: &str, ids: impl Fn(&'a FamilyFileDoc) -> Vec<&'a str>) {
        let families = self.file.families.iter().enumerate();
        let all = families.flat_map(|(i, family)| {
            let ids = ids(family).into_iter().enumerate();
            ids.map(|(j, id)| (format!("families[{i}].{list}[{j}]"), id)).collect::<Vec<_>>()
        });
        let mut first = BTreeMap::new();
        for (place, id) in all {
            let place = format!("{place}.id");
            match first.entry(id) {
                Entry::Vacant(entry) => {
                    entry.insert(place);
                }
                Entry::Occupied(entry) => {
                    let mistake = Mistake::new(place, format!("{id} is used twice"));
                    self.mistakes.push(mistake.first_at(entry.get().clone()));
                }
            }
        }
    }

    fn enrolments(&mut self, family: &FamilyFileDoc, place: &str) {
        let mut taken = BTreeSet::new();
        for (j, enrolment) in family.enrolments.iter().enumerate() {
            let place = format!("{place}.enrolments[{j}]");
            self.student_and_class(family, &place, (enrolment.student_id.as_str(), &enrolment.class_id));
            let first = taken.insert((&enrolment.student_id, &enrolment.class_id));
            self.holds(first, format!("{place}.classId"), "the student is enrolled in this class already");
            if let Some(plan) = &enrolment.pricing_plan_id {
                let known = self.known.plans.contains(plan);
                self.refers(known, plan.as_str(), format!("{place}.pricingPlanId"), "pricing plan");
            }
            self.instalments(enrolment, &place);
        }
    }

    /// What an enrolment owes later has a date once, in order, and an amount.
    fn instalments(&mut self, enrolment: &EnrolmentEntry, place: &str) {
        let instalments = &enrolment.instalments;
        let has_plan = instalments.is_empty() || enrolment.pricing_plan_id.is_some();
        self.holds(has_plan, format!("{place}.pricingPlanId"), "is missing, and its instalments are of a plan");
        let count = instalments.len();
        let what = format!("are {count}, and a plan has at most {MOST_INSTALMENTS}");
        self.holds(count <= usize::from(MOST_INSTALMENTS), format!("{place}.instalments"), what);
        for (k, instalment) in instalments.iter().enumerate() {
            let place = format!("{place}.instalments[{k}]");
            let before = k.checked_sub(1).and_then(|before| instalments.get(before));
            let follows = before.is_none_or(|before| before.date < instalment.date);
            self.holds(follows, format!("{place}.date"), "is not after the one before");
            let amount = instalment.amount;
            let is_amount = amount > Money::ZERO && amount <= LARGEST_CHARGE;
            self.holds(is_amount, format!("{place}.amount"), format!("{amount} is not 1 to {LARGEST_CHARGE}"));
        }
    }

    fn trials(&mut self, family: &FamilyFileDoc, place: &str) {
        let mut tried = BTreeSet::new();
        for (j, trial) in family.trials.iter().enumerate() {
            let place = format!("{place}.trials[{j}]");
            self.student_and_class(family, &place, (trial.student_id.as_str(), &trial.class_id));
            let who = (&trial.student_id, &trial.class_id);
            self.holds(tried.insert(who), format!("{place}.classId"), "the student has a trial in this class already");
        }
    }

    fn student_and_class(
        &mut self,
        family: &FamilyFileDoc,
        place: &str,
        (student, class): (&str, &classpay_domain::id::ClassId),
    ) {
        self.own_student(family, student, place);
        let known = self.known.classes.contains_key(class);
        self.refers(known, class.as_str(), format!("{place}.classId"), "class");
    }

    /// Names a student of another family, or of none.
    pub(super) fn own_student(&mut self, family: &FamilyFileDoc, student: &str, place: &str) {
        let own = family.students.iter().any(|own| own.id.as_str() == student);
        self.refers(own, student, format!("{place}.studentId"), "student of this family");
    }
}

//! What a family wants to buy: places in classes and trial lessons.
//!
//! Invariant: two baskets with the same items are equal, whatever order the items were written in.

use jiff::civil::{Date, Time};

use crate::fingerprint::Fingerprint;
use crate::id::{ClassId, CompanyId, FamilyId, OrderId, PlanId, StudentId};

/// The most items that one basket may hold.
pub const BASKET_MAX_ITEMS: usize = 25;

/// A student's place in a class.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrolmentItem {
    /// The student.
    pub student: StudentId,
    /// The class.
    pub class: ClassId,
    /// The plan it is paid on; `None` if none is chosen yet.
    pub plan: Option<PlanId>,
}

/// A student's trial lesson.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialItem {
    /// The student.
    pub student: StudentId,
    /// The class.
    pub class: ClassId,
    /// The date of the lesson.
    pub on: Date,
    /// The time at which the lesson begins.
    pub at: Time,
}

/// A family's basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// Enrolments, sorted.
    enrolments: Vec<EnrolmentItem>,
    /// Trials, sorted.
    trials: Vec<TrialItem>,
}

/// The SHA-256 of a family and its basket: which family claims to pay for which items.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasketHash(String);

impl BasketHash {
    /// The digest in hex.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Basket {
    /// Makes a basket. The items are sorted, so that their order carries no meaning.
    #[must_use]
    pub fn new(mut enrolments: Vec<EnrolmentItem>, mut trials: Vec<TrialItem>) -> Self {
        enrolments.sort();
        trials.sort();
        Self { enrolments, trials }
    }

    /// The enrolments, sorted by student and class.
    #[must_use]
    pub fn enrolments(&self) -> &[EnrolmentItem] {
        &self.enrolments
    }

    /// The trials, sorted by student and class.
    #[must_use]
    pub fn trials(&self) -> &[TrialItem] {
        &self.trials
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.enrolments.len().saturating_add(self.trials.len())
    }

    /// Whether the basket has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.enrolments.is_empty() && self.trials.is_empty()
    }

    /// The classes of the items, each once, sorted.
    #[must_use]
    pub fn classes(&self) -> Vec<&ClassId> {
        let mut classes: Vec<_> =
            self.enrolments.iter().map(|i| &i.class).chain(self.trials.iter().map(|i| &i.class)).collect();
        classes.sort();
        classes.dedup();
        classes
    }

    /// The student and class of every item.
    pub fn places(&self) -> impl Iterator<Item = (&StudentId, &ClassId)> {
        let enrolments = self.enrolments.iter().map(|i| (&i.student, &i.class));
        enrolments.chain(self.trials.iter().map(|i| (&i.student, &i.class)))
    }

    /// The hash that distinguishes this family's basket from every other.
    #[must_use]
    pub fn hash(&self, company: &CompanyId, family: &FamilyId) -> BasketHash {
        BasketHash(self.fingerprint(company, family).finish_hex())
    }

    /// The id of the order that books this basket when there is nothing to pay.
    #[must_use]
    pub fn zero_due_order(&self, company: &CompanyId, family: &FamilyId) -> OrderId {
        OrderId::from_bits(self.fingerprint(company, family).finish_bits())
    }

    fn fingerprint(&self, company: &CompanyId, family: &FamilyId) -> Fingerprint {
        let mut fingerprint = Fingerprint::new("basket");
        fingerprint.text(company.as_str()).text(family.as_str());
        for item in &self.enrolments {
            let plan = item.plan.as_ref().map_or("", PlanId::as_str);
            fingerprint.text("enrolment").text(item.student.as_str()).text(item.class.as_str()).text(plan);
        }
        for item in &self.trials {
            fingerprint.text("trial").text(item.student.as_str()).text(item.class.as_str());
            fingerprint.text(&item.on.to_string()).text(&item.at.to_string());
        }
        fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IdError;

    fn item(student: &str, class: &str) -> Result<EnrolmentItem, IdError> {
        Ok(EnrolmentItem { student: StudentId::parse(student)?, class: ClassId::parse(class)?, plan: None })
    }

    #[test]
    fn the_order_of_the_items_means_nothing() -> Result<(), IdError> {
        let (company, family) = (CompanyId::parse("co_1")?, FamilyId::parse("fml_1")?);
        let one = Basket::new(vec![item("a", "x")?, item("b", "y")?], vec![]);
        let other = Basket::new(vec![item("b", "y")?, item("a", "x")?], vec![]);
        assert_eq!(one.hash(&company, &family), other.hash(&company, &family));
        assert_eq!(one.zero_due_order(&company, &family), other.zero_due_order(&company, &family));
        let crossed = Basket::new(vec![item("a", "y")?, item("b", "x")?], vec![]);
        assert_ne!(one.hash(&company, &family), crossed.hash(&company, &family));
        assert_ne!(one.hash(&company, &family), one.hash(&company, &FamilyId::parse("fml_2")?));
        Ok(())
    }
}

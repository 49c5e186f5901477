//! Why a basket can't be sold.
//!
//! Invariant: [`BrokenRule`] is in reporting order: the first broken rule is reported, with every item that breaks it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::basket::TrialItem;
use crate::calendar;
use crate::catalogue::{RegistrationStatus, Studio};
use crate::id::{ClassId, StudentId};
use crate::pricing::resolved_item::ResolvedItem;

/// The buyer. Enrolment windows and ages bind families; staff may override them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyer {
    /// A family buying for itself.
    Family,
    /// Staff buying for a family.
    Staff,
}

/// The rules that a basket can break, in the order in which they are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BrokenRule {
    /// The basket is empty.
    BasketEmpty,
    /// The basket has more items than it may.
    BasketTooLarge,
    /// A student who is archived or not in the family, or a class that the company doesn't have.
    NotFound,
    /// The same student and class twice.
    DuplicateItem,
    /// The student has a live enrolment in the class.
    AlreadyEnrolled,
    /// The class is not on sale to families.
    EnrolmentClosed,
    /// The class has no lesson left, or none to pay for.
    ClassEnded,
    /// The student is too young or too old at the cut-off date.
    AgeOutOfRange,
    /// Too few seats for all of the basket's items of that class.
    ClassFull,
    /// The season has no plan to pay on.
    NoEnabledPlan,
    /// The plan is not an enabled plan of the class's season.
    PlanNotInSeason,
    /// There is no such trial lesson.
    TrialNotAvailable,
    /// The student has had a trial of the class before, or is enrolled in it.
    TrialAlreadyUsed,
    /// Too few trial places for all of the basket's items of that lesson, or no seat left in the class after its
    /// enrolments.
    TrialFull,
    /// An amount is too large to charge.
    AmountTooLarge,
}

/// An item, described for the family that must act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedItem {
    /// The student.
    pub student: StudentId,
    /// The class.
    pub class: ClassId,
    /// The student's name.
    pub student_name: String,
    /// The class's name.
    pub class_name: String,
    /// The date of the lesson, for a trial.
    pub trial_on: Option<Date>,
    /// Why the trial isn't available, for [`BrokenRule::TrialNotAvailable`].
    pub no_trial: Option<NoTrial>,
}

/// Why a trial isn't available (rule 27).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTrial {
    /// The company takes no trials from families; staff may book one.
    ByStaffOnly,
    /// The class takes no trials.
    OfThisClass,
    /// The class has no lesson on that day, or the lesson has begun.
    OnThisDay,
    /// The lesson begins at another time.
    AtThisTime,
}

/// The broken rule and the items that break it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the basket breaks the rule {rule:?}")]
pub struct Refusal {
    /// The broken rule.
    pub rule: BrokenRule,
    /// Every item that breaks it. Empty for rules about the basket as a whole and for [`BrokenRule::NotFound`].
    pub items: Vec<NamedItem>,
}

impl Refusal {
    /// A refusal of the basket as a whole.
    #[must_use]
    pub const fn of_basket(rule: BrokenRule) -> Self {
        Self { rule, items: Vec::new() }
    }
}

/// Checks the items against every rule except those about the basket as a whole.
pub(super) fn check(studio: &Studio, items: &[ResolvedItem<'_>], buyer: Buyer) -> Result<(), Refusal> {
    let view = View::of(studio, items, buyer);
    for (rule, breaks) in RULES {
        let broken = items.iter().filter(|resolved| breaks(&view, resolved));
        let mut named: Vec<_> = broken.map(|resolved| named_item(&view, resolved, *rule)).collect();
        if *rule == BrokenRule::DuplicateItem {
            let mut seen = BTreeSet::new();
            named.retain(|item| seen.insert((item.student.clone(), item.class.clone())));
        }
        if !named.is_empty() {
            return Err(Refusal { rule: *rule, items: named });
        }
    }
    Ok(())
}

fn named_item(view: &View<'_>, resolved: &ResolvedItem<'_>, rule: BrokenRule) -> NamedItem {
    let trial = resolved.trial().filter(|_| rule == BrokenRule::TrialNotAvailable);
    NamedItem {
        student: resolved.student.id.clone(),
        class: resolved.class().id.clone(),
        student_name: resolved.student.name.clone(),
        class_name: resolved.class().name.clone(),
        trial_on: resolved.trial().map(|item| item.on),
        no_trial: trial.and_then(|item| view.no_trial(resolved, item)),
    }
}

struct View<'a> {
    studio: &'a Studio,
    buyer: Buyer,
    /// How often each student and class occurs in the basket.
    times: BTreeMap<(&'a StudentId, &'a ClassId), usize>,
    /// The number of seats that the basket needs, by class.
    seats: BTreeMap<&'a ClassId, usize>,
    /// The number of trial places that the basket needs, by lesson.
    lessons: BTreeMap<(&'a ClassId, Date), usize>,
}

impl<'a> View<'a> {
    fn of(studio: &'a Studio, items: &'a [ResolvedItem<'_>], buyer: Buyer) -> Self {
        let mut view = Self { studio, buyer, times: BTreeMap::new(), seats: BTreeMap::new(), lessons: BTreeMap::new() };
        for resolved in items {
            let class = &resolved.class().id;
            count(view.times.entry((&resolved.student.id, class)));
            match resolved.trial() {
                Some(trial) => count(view.lessons.entry((class, trial.on))),
                None => count(view.seats.entry(class)),
            }
        }
        view
    }
}

fn count<K: Ord>(entry: Entry<'_, K, usize>) {
    let count = entry.or_default();
    *count = count.saturating_add(1);
}

type Rule = fn(&View<'_>, &ResolvedItem<'_>) -> bool;

const RULES: &[(BrokenRule, Rule)] = &[
    (BrokenRule::DuplicateItem, |view, resolved| {
        view.times.get(&(&resolved.student.id, &resolved.class().id)).is_some_and(|times| *times > 1)
    }),
    (BrokenRule::AlreadyEnrolled, |view, resolved| resolved.enrolment().is_some() && view.is_enrolled(resolved)),
    (BrokenRule::EnrolmentClosed, |view, resolved| {
        let on_sale = resolved.season.registration == RegistrationStatus::Open && resolved.class().portal_enrolment;
        view.buyer == Buyer::Family && !on_sale
    }),
    (BrokenRule::ClassEnded, |_, resolved| resolved.lessons_to_pay().is_empty()),
    (BrokenRule::AgeOutOfRange, |view, resolved| view.buyer == Buyer::Family && !view.is_of_age(resolved)),
    (BrokenRule::ClassFull, |view, resolved| resolved.enrolment().is_some() && !view.has_seats(resolved, 0)),
    (BrokenRule::NoEnabledPlan, |_, resolved| {
        resolved.enrolment().is_some() && resolved.season.enabled_plans().next().is_none()
    }),
    (BrokenRule::PlanNotInSeason, |_, resolved| {
        let named = resolved.enrolment().and_then(|item| item.plan.as_ref());
        named.is_some_and(|plan| resolved.season.enabled_plan(plan).is_none())
    }),
    (BrokenRule::TrialNotAvailable, |view, resolved| {
        resolved.trial().is_some_and(|item| view.no_trial(resolved, item).is_some())
    }),
    (BrokenRule::TrialAlreadyUsed, |view, resolved| {
        let same =
            |student: &StudentId, class: &ClassId| *student == resolved.student.id && *class == resolved.class().id;
        let booked = view.studio.family.trials.iter().any(|trial| same(&trial.student, &trial.class));
        resolved.trial().is_some() && (booked || view.is_enrolled(resolved))
    }),
    (BrokenRule::TrialFull, |view, resolved| {
        let is_full = view.is_tried(resolved) && !view.has_seats(resolved, 1);
        is_full || resolved.trial().is_some_and(|item| !view.has_trial_place(resolved, item))
    }),
];

impl View<'_> {
    fn is_enrolled(&self, resolved: &ResolvedItem<'_>) -> bool {
        let enrolments = &self.studio.family.enrolments;
        enrolments.iter().any(|e| e.student == resolved.student.id && e.class == resolved.class().id)
    }

    /// Whether the class has seats for the basket's enrolments and for `more`. An unlimited class always has.
    fn has_seats(&self, resolved: &ResolvedItem<'_>, more: usize) -> bool {
        let wanted = self.seats.get(&resolved.class().id).copied().unwrap_or_default().saturating_add(more);
        resolved.on_sale.seats.left.is_none_or(|left| usize::try_from(left).is_ok_and(|left| left >= wanted))
    }

    /// Whether the basket has a trial in the class.
    fn is_tried(&self, resolved: &ResolvedItem<'_>) -> bool {
        self.lessons.keys().any(|(class, _)| **class == resolved.class().id)
    }

    fn is_of_age(&self, resolved: &ResolvedItem<'_>) -> bool {
        let cut_off = calendar::age_cut_off(self.studio.company.age_cut_off, resolved.season);
        let (Some(born_on), Some(cut_off)) = (resolved.student.born_on, cut_off) else { return true };
        let age = calendar::age_in_months(born_on, cut_off);
        let class = resolved.class();
        class.min_age_months.is_none_or(|least| age >= i32::from(least))
            && class.max_age_months.is_none_or(|most| age <= i32::from(most))
    }

    fn no_trial(&self, resolved: &ResolvedItem<'_>, item: &TrialItem) -> Option<NoTrial> {
        let is_on_portal = self.buyer == Buyer::Staff || self.studio.company.trials.enabled_on_portal;
        if !resolved.class().takes_trials {
            Some(NoTrial::OfThisClass)
        } else if !is_on_portal {
            Some(NoTrial::ByStaffOnly)
        } else if !resolved.lessons.left.contains(&item.on) {
            Some(NoTrial::OnThisDay)
        } else {
            (item.at != resolved.class().starts_at).then_some(NoTrial::AtThisTime)
        }
    }

    fn has_trial_place(&self, resolved: &ResolvedItem<'_>, item: &TrialItem) -> bool {
        let Some(places) = self.studio.company.trials.places_per_lesson else { return true };
        let wanted = self.lessons.get(&(&resolved.class().id, item.on)).copied().unwrap_or_default();
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let booked = resolved.on_sale.trials_booked.get(&item.on).copied().unwrap_or(0);
        booked.saturating_add(wanted) <= places
    }
}

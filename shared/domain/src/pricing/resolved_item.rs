//! The basket's items, resolved to the student, class and season that they name.
//!
//! A resolved item belongs to the studio's family, classes and seasons. Whether it can be sold is decided in
//! [`super::refusal`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::civil::{Date, DateTime};

use crate::basket::{Basket, EnrolmentItem, TrialItem};
use crate::calendar;
use crate::catalogue::{
    Class, ClassOnSale, PricingModel, PricingPlan, Season, Student, Studio, TrialBooking, TrialState,
};
use crate::id::ClassId;

/// A basket item with the records it names.
#[derive(Debug, Clone)]
pub struct ResolvedItem<'a> {
    pub(super) student: &'a Student,
    pub(super) on_sale: &'a ClassOnSale,
    pub(super) season: &'a Season,
    pub(super) lessons: Rc<Lessons>,
    /// The trial that ends because its student enrols before the trial lesson (rule 27).
    pub(super) ended_trial: Option<&'a TrialBooking>,
    wanted: Wanted<'a>,
}

/// The lessons of a class.
#[derive(Debug)]
pub(super) struct Lessons {
    /// All lessons of the class.
    pub all: Vec<Date>,
    /// The lessons that have not begun.
    pub left: Vec<Date>,
}

#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    Enrolment(&'a EnrolmentItem),
    Trial(&'a TrialItem),
}

/// Resolves the items: enrolments, then trials, in the order of the basket. `None` if an item names a student who isn't
/// in the family or is archived, or a class that the company doesn't have, or if the class, its season or the family is
/// archived.
#[must_use]
pub fn resolve<'a>(studio: &'a Studio, basket: &'a Basket, now: DateTime) -> Option<Vec<ResolvedItem<'a>>> {
    if studio.family.archived {
        return None;
    }
    let wanted = basket.enrolments().iter().map(Wanted::Enrolment).chain(basket.trials().iter().map(Wanted::Trial));
    let mut lessons = BTreeMap::new();
    wanted.map(|wanted| resolve_item(studio, wanted, now, &mut lessons)).collect()
}

fn resolve_item<'a>(
    studio: &'a Studio,
    wanted: Wanted<'a>,
    now: DateTime,
    known: &mut BTreeMap<&'a ClassId, Rc<Lessons>>,
) -> Option<ResolvedItem<'a>> {
    let (student, class) = match wanted {
        Wanted::Enrolment(item) => (&item.student, &item.class),
        Wanted::Trial(item) => (&item.student, &item.class),
    };
    let student = studio.family.students.get(student).filter(|student| !student.archived)?;
    let on_sale = studio.classes.get(class).filter(|on_sale| !on_sale.class.archived)?;
    let season = studio.seasons.get(&on_sale.class.season).filter(|season| !season.archived)?;
    let lessons = known.entry(class).or_insert_with(|| {
        let all = calendar::lessons(&on_sale.class, season, &studio.holidays);
        Rc::new(Lessons { left: calendar::lessons_left(&all, &on_sale.class, now), all })
    });
    let lessons = Rc::clone(lessons);
    let ended_trial = match wanted {
        Wanted::Enrolment(item) => trial_to_come(studio, item, &lessons),
        Wanted::Trial(_) => None,
    };
    Some(ResolvedItem { student, on_sale, season, lessons, ended_trial, wanted })
}

/// The trial that the student has booked in this class, if its lesson has not begun.
fn trial_to_come<'a>(studio: &'a Studio, item: &EnrolmentItem, lessons: &Lessons) -> Option<&'a TrialBooking> {
    let own = |trial: &&TrialBooking| trial.student == item.student && trial.class == item.class;
    let trial = studio.family.trials.iter().find(own)?;
    (trial.state == TrialState::Active && lessons.left.contains(&trial.on)).then_some(trial)
}

impl<'a> ResolvedItem<'a> {
    pub(super) fn class(&self) -> &'a Class {
        &self.on_sale.class
    }

    /// The lessons that tuition covers: the remaining ones, except a lesson already paid for as a trial (rule 6).
    pub(super) fn lessons_to_pay(&self) -> Cow<'_, [Date]> {
        match self.ended_trial.filter(|_| self.season.pricing_model == PricingModel::PerLesson) {
            Some(trial) => self.lessons.left.iter().copied().filter(|day| *day != trial.on).collect(),
            None => Cow::Borrowed(&self.lessons.left),
        }
    }

    pub(super) fn enrolment(&self) -> Option<&'a EnrolmentItem> {
        match self.wanted {
            Wanted::Enrolment(item) => Some(item),
            Wanted::Trial(_) => None,
        }
    }

    pub(super) fn trial(&self) -> Option<&'a TrialItem> {
        match self.wanted {
            Wanted::Trial(item) => Some(item),
            Wanted::Enrolment(_) => None,
        }
    }

    /// The plan that the item names, or the season's only plan.
    pub(super) fn plan(&self) -> Option<&'a PricingPlan> {
        let mut enabled = self.season.enabled_plans();
        match &self.enrolment()?.plan {
            Some(id) => self.season.enabled_plan(id),
            None => enabled.next().filter(|_| enabled.next().is_none()),
        }
    }
}

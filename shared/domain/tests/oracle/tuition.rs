//! Bases and discounts of tuition (rules 7 to 15). Where somebody stands is found by counting who comes before him.

use std::collections::BTreeSet;

use classpay_domain::basket::{Basket, EnrolmentItem};
use classpay_domain::catalogue::{
    Application, Class, DiscountKind, DiscountScheme, Off, PricingModel, PricingPlan, PricingScheme, Season, Studio,
    TrialState,
};
use classpay_domain::id::{SeasonId, StudentId};
use jiff::civil::{Date, DateTime};

use super::days;
use super::exact::{Exact, count, dealt, percent_of, rounded, units, whole};

/// A basket's place in a class, before it is on a plan.
pub struct Place<'a> {
    pub item: &'a EnrolmentItem,
    pub class: &'a Class,
    pub season: &'a Season,
    pub base: i128,
    takes_part: bool,
    units_left: usize,
    units: usize,
    /// The trial that ends with it (rule 27).
    pub ended_trial: Option<String>,
}

/// The basket's places; `None` if a class has no lesson left to pay for.
pub fn places<'a>(studio: &'a Studio, basket: &'a Basket, now: DateTime) -> Option<Vec<Place<'a>>> {
    basket.enrolments().iter().map(|item| place(studio, basket, item, now)).collect()
}

fn place<'a>(studio: &'a Studio, basket: &'a Basket, item: &'a EnrolmentItem, now: DateTime) -> Option<Place<'a>> {
    let class = &studio.classes[&item.class].class;
    let season = &studio.seasons[&class.season];
    let mut left = days::lessons_left(studio, class, now);
    let trial = studio.family.trials.iter().find(|trial| {
        let own = trial.student == item.student && trial.class == item.class;
        own && trial.state == TrialState::Active && left.contains(&trial.on)
    });
    if let (Some(trial), PricingModel::PerLesson) = (trial, season.pricing_model) {
        left.retain(|day| *day != trial.on);
    }
    let counted = |lessons: &[Date]| match season.pricing_model {
        PricingModel::PerLesson => lessons.len(),
        PricingModel::PerMonth => days::months_with(lessons, season),
        PricingModel::PerSeason => 1,
    };
    let (units_left, all) = (counted(&left), counted(&days::lessons(studio, class)));
    let per_unit = match &season.pricing_scheme {
        PricingScheme::ClassPrice => units(class.price),
        PricingScheme::ClassQuantity(prices) => {
            let price = |classes| if classes == 0 { 0 } else { units(prices.of(classes)) };
            let live = studio.family.enrolments.iter();
            let live = live.filter(|live| live.student == item.student && live.season == season.id).count();
            let his = basket.enrolments().iter().filter(|other| other.student == item.student);
            let his: Vec<_> = his.filter(|other| studio.classes[&other.class].class.season == season.id).collect();
            let more = (price(live + his.len()) - price(live)).max(0);
            dealt(more, his.len())[his.iter().filter(|other| other.class < item.class).count()]
        }
    };
    let takes_part = class.discountable && studio.family.students[&item.student].discountable;
    let base = per_unit * count(units_left);
    let ended_trial = trial.map(|trial| trial.id.to_string());
    let place = Place { item, class, season, base, takes_part, units_left, units: all, ended_trial };
    (!left.is_empty()).then_some(place)
}

/// A season of a family, as discount schemes see it.
struct Crowd<'a> {
    /// The students of the live enrolments that count, one for each enrolment.
    live: Vec<&'a StudentId>,
    /// The basket's places that count.
    places: Vec<&'a Place<'a>>,
}

impl<'a> Crowd<'a> {
    fn of(studio: &'a Studio, places: &'a [Place<'a>], season: &SeasonId) -> Self {
        let live = studio.family.enrolments.iter().filter(|live| live.season == *season && live.discountable);
        let is_counted = |who: &&StudentId| {
            let student = &studio.family.students[*who];
            student.discountable && !student.archived
        };
        let live = live.map(|live| &live.student).filter(is_counted);
        let places = places.iter().filter(|place| place.season.id == *season && place.takes_part);
        Self { live: live.collect(), places: places.collect() }
    }

    fn is_live(&self, who: &StudentId) -> bool {
        self.live.contains(&who)
    }

    /// What a student's places cost together.
    fn sum(&self, who: &StudentId) -> i128 {
        self.places.iter().filter(|place| place.item.student == *who).map(|place| place.base).sum()
    }

    /// How many members the group has in which a place is.
    fn members(&self, kind: DiscountKind, of: &Place<'_>) -> usize {
        let his = |who: &StudentId| kind == DiscountKind::ClassesOfFamily || *who == of.item.student;
        let live = self.live.iter().copied();
        let wanted = self.places.iter().map(|place| &place.item.student);
        match kind {
            DiscountKind::StudentsOfFamily => live.chain(wanted).collect::<BTreeSet<_>>().len(),
            DiscountKind::ClassesOfStudent | DiscountKind::ClassesOfFamily => {
                live.chain(wanted).filter(|who| his(who)).count()
            }
        }
    }

    /// How many members of the group come before a place, or before its student (rule 12).
    fn before(&self, kind: DiscountKind, me: &Place<'_>) -> usize {
        let comes_before = |other: &Place<'_>| {
            other.base > me.base
                || other.base == me.base
                    && (other.item.student.as_str(), other.item.class.as_str())
                        < (me.item.student.as_str(), me.item.class.as_str())
        };
        match kind {
            DiscountKind::StudentsOfFamily => self.students_before(&me.item.student),
            DiscountKind::ClassesOfStudent => {
                let live = self.live.iter().filter(|who| ***who == me.item.student).count();
                let mine = self.places.iter().filter(|place| place.item.student == me.item.student);
                live + mine.filter(|place| comes_before(place)).count()
            }
            DiscountKind::ClassesOfFamily => {
                self.live.len() + self.places.iter().filter(|place| comes_before(place)).count()
            }
        }
    }

    fn students_before(&self, me: &StudentId) -> usize {
        let live: BTreeSet<_> = self.live.iter().copied().collect();
        if self.is_live(me) {
            return live.iter().filter(|other| **other < me).count();
        }
        let new: BTreeSet<_> = self.places.iter().map(|place| &place.item.student).collect();
        let new = new.into_iter().filter(|other| !self.is_live(other));
        let (mine, dearer) = (self.sum(me), |other: &StudentId| self.sum(other) > self.sum(me));
        live.len() + new.filter(|other| dearer(other) || self.sum(other) == mine && *other < me).count()
    }
}

/// The tier of a quantity (rule 13).
fn tier(scheme: &DiscountScheme, quantity: usize) -> Option<Off> {
    let reached = scheme.tiers.iter().filter(|(from, _)| count(quantity) >= i128::from(**from));
    reached.max_by_key(|(from, _)| **from).map(|(_, off)| *off)
}

/// What the schemes take off a place: the scheme and the amount, in the order of application.
pub fn scheme_discounts(studio: &Studio, places: &[Place<'_>], me: &Place<'_>) -> Vec<(String, i128)> {
    let crowd = Crowd::of(studio, places, &me.season.id);
    let mut off: Vec<(String, i128)> = vec![];
    if !me.takes_part {
        return off;
    }
    for kind in [DiscountKind::StudentsOfFamily, DiscountKind::ClassesOfStudent, DiscountKind::ClassesOfFamily] {
        let Some(scheme) = studio.discount_schemes.get(&kind) else { continue };
        let quantity = match scheme.application {
            Application::TotalTuition => crowd.members(kind, me),
            Application::IndividualItem => crowd.before(kind, me) + 1,
        };
        let amount = match tier(scheme, quantity) {
            None => 0,
            Some(Off::Percent(percent)) => percent_of(percent, me.base),
            Some(Off::Fixed(fixed)) => rounded(whole(units(fixed)) * Exact::new(count(me.units_left), count(me.units))),
        };
        let left = me.base - off.iter().map(|(_, amount)| amount).sum::<i128>();
        off.push((scheme.id.to_string(), amount.min(left)));
    }
    off.retain(|(_, amount)| *amount != 0);
    off
}

/// The same and the plan's, which comes last (rule 15).
pub fn discounts(studio: &Studio, places: &[Place<'_>], me: &Place<'_>, plan: &PricingPlan) -> Vec<(String, i128)> {
    let mut off = scheme_discounts(studio, places, me);
    let left = me.base - off.iter().map(|(_, amount)| amount).sum::<i128>();
    off.push((plan.id.to_string(), percent_of(plan.discount, left)));
    off.retain(|(_, amount)| *amount != 0);
    off
}

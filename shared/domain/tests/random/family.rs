//! Random families: their students, what they have and were charged already, and what they want.

use std::collections::BTreeMap;

use classpay_domain::basket::{EnrolmentItem, TrialItem};
use classpay_domain::catalogue::{
    ChargedFee, Class, Enrolment, Family, FeePeriod, Student, Studio, TrialBooking, TrialState,
};
use classpay_domain::id::{FeeId, SeasonId, StudentId};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use proptest::prelude::*;

use super::super::studio::{id, money};
use super::{Prices, Scenario, lessons_left};

const STUDENTS: [&str; 4] = ["stu_a", "stu_b", "stu_c", "stu_d"];
/// Every student may want something of every class.
const PAIRS: usize = 20;

/// A family of no students.
pub fn nobody() -> Family {
    let (id, name) = (id("fml_1"), "Lovelace".into());
    Family {
        id,
        name,
        archived: false,
        students: BTreeMap::new(),
        enrolments: vec![],
        trials: vec![],
        charged_fees: vec![],
    }
}

/// A family that has enrolments in classes that the basket is not about, and was charged fees.
pub fn family(studio: &Studio, around: Date, prices: &Prices) -> impl Strategy<Value = Family> + use<> {
    let students = prop::collection::vec(prop::bool::weighted(0.85), 1..5).prop_map(|discountable| {
        let students = STUDENTS.into_iter().zip(discountable);
        let student = |(name, discountable)| Student {
            id: id(name),
            name: name.into(),
            discountable,
            born_on: None,
            archived: false,
        };
        students.map(student).map(|student| (student.id.clone(), student)).collect::<BTreeMap<_, _>>()
    });
    let seasons: Vec<_> = studio.seasons.keys().cloned().collect();
    let enrolment = (0..4_usize, prop::sample::select(seasons), prop::bool::weighted(0.8));
    let enrolments = prop::collection::vec(enrolment, 0..4);
    let charged = prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize, prices.clone()), 0..6);
    let chargeable = chargeable(studio, around);
    (students, enrolments, charged).prop_map(move |(students, enrolments, charged)| {
        let who = |index: usize| students.keys().nth(index % students.len()).unwrap().clone();
        let enrolment = |(index, (student, season, discountable))| Enrolment {
            // Neither in the order of the classes nor of the students.
            id: id(&format!("enr_{}", 9 - index)),
            student: who(student),
            class: id(&format!("cls_old_{index}")),
            season,
            discountable,
        };
        let charged = charged.into_iter().filter(|_| !chargeable.is_empty()).map(|(which, student, amount)| {
            let (fee, period) = which.get(&chargeable).clone();
            ChargedFee { fee, student: who(student), period, amount: money(amount) }
        });
        Family {
            enrolments: enrolments.into_iter().enumerate().map(enrolment).collect(),
            charged_fees: charged.collect(),
            students: students.clone(),
            ..nobody()
        }
    })
}

/// The fees with all periods for which they may have been charged.
fn chargeable(studio: &Studio, around: Date) -> Vec<(FeeId, FeePeriod)> {
    let mut chargeable = vec![];
    for season in studio.seasons.values() {
        if let Some(fee) = &season.registration_fee {
            // Years of its own, of another day, and those that only their number names.
            let days = [around, around + 1.year()];
            let own = days.map(|day| FeePeriod::year(fee.year_begins.year_of(day).0));
            let others = [around - 7.months(), around + 3.days()].map(FeePeriod::year);
            let named = days.map(|day| FeePeriod::parse(&day.year().to_string()).unwrap());
            let years = [own, others, named].concat();
            let seasons = studio.seasons.keys().map(|season: &SeasonId| FeePeriod::season(season));
            let periods = years.into_iter().chain(seasons).chain([FeePeriod::once()]);
            chargeable.extend(periods.map(|period| (fee.id.clone(), period)));
        }
        for fee in &season.additional_fees {
            chargeable.push((fee.id.clone(), FeePeriod::season(&season.id)));
        }
    }
    chargeable
}

/// What one student wants of one class, or has.
#[derive(Debug, Clone, Copy)]
pub enum Wish {
    Nothing,
    /// One of the season's plans.
    Place(usize),
    /// The same, after a trial that is booked: how far it has got, and which of the class's lessons it is of.
    PlaceAfter(usize, TrialState, usize),
    /// One of the lessons that are left.
    Trial(usize),
    /// He has a place already, in a class that schemes count or not.
    Has(bool),
}

/// The wishes, and which of the places is on no plan yet.
type Wishes = (Vec<Wish>, Option<usize>);

fn trial_state() -> impl Strategy<Value = TrialState> {
    prop_oneof![4 => Just(TrialState::Active), 1 => Just(TrialState::Reserved), 1 => Just(TrialState::Ended)]
}

pub fn wishes() -> impl Strategy<Value = Wishes> {
    let wish = prop_oneof![
        8 => Just(Wish::Nothing),
        6 => (0..3_usize).prop_map(Wish::Place),
        3 => (0..3_usize, trial_state(), 0..20_usize).prop_map(|(plan, state, nth)| Wish::PlaceAfter(plan, state, nth)),
        1 => (0..20_usize).prop_map(Wish::Trial),
        2 => prop::bool::weighted(0.8).prop_map(Wish::Has),
    ];
    (prop::collection::vec(wish, PAIRS), prop::option::weighted(0.15, 0..3_usize))
}

/// A trial of one of the lessons that are left, often the next; of a day without a lesson, if none is left.
fn booked(
    studio: &Studio,
    student: &StudentId,
    class: &Class,
    state: TrialState,
    nth: usize,
    now: DateTime,
) -> TrialBooking {
    let left = lessons_left(studio, class, now);
    let on = left.get(nth / 2).copied().unwrap_or(now.date() - 1.day());
    let id = id(&format!("trl_{}_{}", student.as_str(), class.id.as_str()));
    TrialBooking { id, student: student.clone(), class: class.id.clone(), on, state }
}

/// The scenario of a family that gets its wishes. One that wants nothing gets a place in the first class.
pub fn wanted(mut studio: Studio, now: DateTime, (wishes, undecided): &Wishes) -> Scenario {
    let (mut enrolments, mut trials) = (vec![], vec![]);
    let classes: Vec<_> = studio.classes.values().map(|on_sale| on_sale.class.clone()).collect();
    let students: Vec<_> = studio.family.students.keys().cloned().collect();
    let pairs = students.iter().flat_map(|student| classes.iter().map(move |class| (student, class)));
    let place = |student: &_, class: &Class, plan: usize| {
        let plans: Vec<_> = studio.seasons[&class.season].enabled_plans().map(|plan| plan.id.clone()).collect();
        let plan = Some(plans[plan % plans.len()].clone());
        EnrolmentItem { student: Clone::clone(student), class: class.id.clone(), plan }
    };
    let (mut live, mut tried) = (vec![], vec![]);
    for (index, ((student, class), wish)) in pairs.zip(wishes).enumerate() {
        match *wish {
            Wish::Nothing => {}
            Wish::Place(plan) => enrolments.push(place(student, class, plan)),
            Wish::PlaceAfter(plan, state, nth) => {
                enrolments.push(place(student, class, plan));
                tried.push(booked(&studio, student, class, state, nth, now));
            }
            Wish::Trial(nth) => {
                let left = lessons_left(&studio, class, now);
                let on = left.get(nth % left.len().max(1)).copied();
                let item =
                    |on| TrialItem { student: student.clone(), class: class.id.clone(), on, at: class.starts_at };
                trials.extend(on.map(item));
            }
            Wish::Has(discountable) => {
                let (class, season) = (class.id.clone(), class.season.clone());
                live.push(Enrolment {
                    id: id(&format!("enr_x{index}")),
                    student: student.clone(),
                    class,
                    season,
                    discountable,
                });
            }
        }
    }
    if enrolments.is_empty() && trials.is_empty() {
        live.retain(|live| (&live.student, &live.class) != (&students[0], &classes[0].id));
        enrolments.push(place(&students[0], &classes[0], 0));
    }
    if let Some(item) = undecided.and_then(|index| enrolments.get_mut(index)) {
        item.plan = None;
    }
    studio.family.enrolments.extend(live);
    studio.family.trials = tried;
    // Archive every other student who wants nothing: schemes don't count their enrolments.
    let wants = |student: &StudentId| {
        enrolments.iter().any(|item| item.student == *student) || trials.iter().any(|item| item.student == *student)
    };
    for (_, student) in studio.family.students.iter_mut().enumerate().filter(|(index, _)| index % 2 == 1) {
        student.1.archived = !wants(student.0);
    }
    Scenario { studio, enrolments, trials, now }
}

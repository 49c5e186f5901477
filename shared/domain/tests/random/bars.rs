//! What may keep a basket from being sold whatever it costs: archived things, seasons and classes that are closed to
//! families, children who are too young or too old.

use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{AgeCutOff, RegistrationStatus, Studio};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::Scenario;

/// What may keep a season's classes from being sold.
#[derive(Debug, Clone)]
struct SeasonBars {
    archived: bool,
    open: bool,
}

/// What may keep a class from being sold, beside its season's.
#[derive(Debug, Clone)]
struct ClassBars {
    archived: bool,
    on_portal: bool,
    min_age_months: Option<u16>,
    max_age_months: Option<u16>,
}

/// All of it.
#[derive(Debug, Clone)]
struct Bars {
    cut_off: AgeCutOff,
    family_archived: bool,
    seasons: [SeasonBars; 2],
    classes: [ClassBars; 5],
    born: [Option<Date>; 4],
}

impl Bars {
    fn put_up(&self, studio: &mut Studio) {
        studio.company.age_cut_off = self.cut_off;
        studio.family.archived = self.family_archived;
        for (season, bars) in studio.seasons.values_mut().zip(&self.seasons) {
            season.archived = bars.archived;
            season.registration = if bars.open { RegistrationStatus::Open } else { RegistrationStatus::Closed };
        }
        for (on_sale, bars) in studio.classes.values_mut().zip(&self.classes) {
            let class = &mut on_sale.class;
            (class.archived, class.portal_enrolment) = (bars.archived, bars.on_portal);
            (class.min_age_months, class.max_age_months) = (bars.min_age_months, bars.max_age_months);
        }
        for (student, born) in studio.family.students.values_mut().zip(self.born) {
            student.born_on = born;
        }
    }
}

fn cut_off() -> impl Strategy<Value = AgeCutOff> {
    let day = prop_oneof![1 => Just((2, 29)), 1 => Just((2, 28)), 1 => Just((9, 1)), 4 => (1..=12_i8, 1..=28_i8)];
    prop_oneof![
        Just(AgeCutOff::FirstDayOfSeason),
        day.prop_map(|(month, day)| AgeCutOff::SpecificDate(YearDay::new(month, day).unwrap())),
        (0..400_u16).prop_map(AgeCutOff::DaysAfterSeasonStart),
    ]
}

fn season() -> impl Strategy<Value = SeasonBars> {
    (prop::bool::weighted(0.03), prop::bool::weighted(0.9)).prop_map(|(archived, open)| SeasonBars { archived, open })
}

fn class() -> impl Strategy<Value = ClassBars> {
    let ages = (prop::option::weighted(0.3, 48..110_u16), prop::option::weighted(0.3, 70..150_u16));
    (prop::bool::weighted(0.03), prop::bool::weighted(0.96), ages).prop_map(
        |(archived, on_portal, (min_age_months, max_age_months))| ClassBars {
            archived,
            on_portal,
            min_age_months,
            max_age_months,
        },
    )
}

/// Nobody knows, the last days of long and of short months, any day of eight years.
fn born() -> impl Strategy<Value = Option<Date>> {
    let last_days = vec![date(2020, 2, 29), date(2016, 2, 29), date(2019, 2, 28), date(2018, 8, 31), date(2020, 4, 30)];
    let any = (0..3_000_i64).prop_map(|days| date(2014, 1, 1) + days.days());
    prop::option::weighted(0.9, prop_oneof![1 => prop::sample::select(last_days), 2 => any])
}

fn bars() -> impl Strategy<Value = Bars> {
    let things = (prop::array::uniform2(season()), prop::array::uniform5(class()), prop::array::uniform4(born()));
    (cut_off(), prop::bool::weighted(0.02), things).prop_map(|(cut_off, family_archived, (seasons, classes, born))| {
        Bars { cut_off, family_archived, seasons, classes, born }
    })
}

/// The same scenarios, of which some can't be sold.
pub fn barred(scenarios: impl Strategy<Value = Scenario>) -> impl Strategy<Value = Scenario> {
    (scenarios, bars()).prop_map(|(mut scenario, bars)| {
        bars.put_up(&mut scenario.studio);
        scenario
    })
}

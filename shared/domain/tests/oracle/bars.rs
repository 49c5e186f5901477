//! Who may buy what: what is archived, when families may enrol, and at which age, found by walking the calendar.

use classpay_domain::basket::Basket;
use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{AgeCutOff, Class, RegistrationStatus, Season, Studio};
use classpay_domain::id::StudentId;
use jiff::ToSpan;
use jiff::civil::Date;

fn any_place(studio: &Studio, basket: &Basket, is: impl Fn(&StudentId, &Class, &Season) -> bool) -> bool {
    basket.places().any(|(student, class)| {
        let class = &studio.classes[class].class;
        is(student, class, &studio.seasons[&class.season])
    })
}

/// Whether something of it is archived: nobody finds it.
pub fn is_archived(studio: &Studio, basket: &Basket) -> bool {
    studio.family.archived || any_place(studio, basket, |_, class, season| class.archived || season.archived)
}

/// Whether something of it is closed to families.
pub fn is_closed(studio: &Studio, basket: &Basket) -> bool {
    any_place(studio, basket, |_, class, season| {
        season.registration != RegistrationStatus::Open || !class.portal_enrolment
    })
}

/// Whether a child of it is too young or too old.
pub fn is_of_another_age(studio: &Studio, basket: &Basket) -> bool {
    any_place(studio, basket, |student, class, season| {
        let Some(born) = studio.family.students[student].born_on else { return false };
        let age = months_lived(born, cut_off(studio.company.age_cut_off, season));
        let too_young = class.min_age_months.is_some_and(|least| age < i64::from(least));
        too_young || class.max_age_months.is_some_and(|most| age > i64::from(most))
    })
}

/// The day on which a child's age counts.
fn cut_off(rule: AgeCutOff, season: &Season) -> Date {
    match rule {
        AgeCutOff::FirstDayOfSeason => season.starts_on,
        AgeCutOff::DaysAfterSeasonStart(days) => season.starts_on + i64::from(days).days(),
        AgeCutOff::SpecificDate(wanted) => {
            let mut day = season.starts_on;
            while !is_day(wanted, day) {
                day = day.yesterday().unwrap();
            }
            day
        }
    }
}

/// Whether a date is that day of its year: 29 February is the 28th where there is none.
fn is_day(wanted: YearDay, day: Date) -> bool {
    let exact = (wanted.month(), wanted.day());
    let wanted = if exact == (2, 29) && !day.in_leap_year() { (2, 28) } else { exact };
    (day.month(), day.day()) == wanted
}

/// How many months somebody has lived on a day: how often the day of birth has come again, on the last of a month that
/// doesn't have it.
fn months_lived(born: Date, on: Date) -> i64 {
    let mut months = 0;
    while born + (months + 1).months() <= on {
        months += 1;
    }
    months
}

//! Lessons, months and payment dates, found by walking the calendar day by day (rules 5, 6, 7, 19, 20 and 23).

use classpay_domain::catalogue::{Class, PlanKind, PricingPlan, Season, Studio};
use jiff::civil::{Date, DateTime};

/// Every day from one to another, both included.
pub fn days(from: Date, to: Date) -> Vec<Date> {
    let (mut days, mut day) = (vec![], from);
    while day <= to {
        days.push(day);
        day = day.tomorrow().unwrap();
    }
    days
}

/// The lessons of a class (rule 5).
pub fn lessons(studio: &Studio, class: &Class) -> Vec<Date> {
    let season = &studio.seasons[&class.season];
    let mut lessons = days(season.starts_on, season.ends_on);
    lessons.retain(|day| day.weekday() == class.weekday);
    lessons.retain(|day| *day >= class.first_lesson_on && *day <= class.last_lesson_on);
    for holiday in &studio.holidays {
        lessons.retain(|day| *day < holiday.starts_on || *day > holiday.ends_on);
    }
    lessons
}

/// Those that have not begun (rule 6).
pub fn lessons_left(studio: &Studio, class: &Class, now: DateTime) -> Vec<Date> {
    lessons(studio, class).into_iter().filter(|day| now < day.to_datetime(class.starts_at)).collect()
}

/// In how many months of the season there is one of these days (rule 7).
pub fn months_with(lessons: &[Date], season: &Season) -> usize {
    let mut month = season.starts_on.first_of_month();
    let mut found = 0;
    while month <= season.ends_on {
        let last = month.last_of_month();
        if lessons.iter().any(|lesson| month <= *lesson && *lesson <= last) {
            found += 1;
        }
        month = last.tomorrow().unwrap();
    }
    found
}

/// The dates of a plan (rule 19).
fn planned(plan: &PricingPlan) -> Vec<Date> {
    let mut dates = vec![plan.first_payment_on];
    if plan.kind == PlanKind::OneOff {
        return dates;
    }
    if !plan.dates.is_empty() {
        dates.clone_from(&plan.dates);
        dates.sort();
        return dates;
    }
    let wanted = plan.payment_day.unwrap_or(plan.first_payment_on.day());
    let mut day = plan.first_payment_on.last_of_month();
    while dates.len() < usize::from(plan.instalments) {
        day = day.tomorrow().unwrap();
        let too_short = day == day.last_of_month() && day.day() < wanted;
        if day.day() == wanted || too_short {
            dates.push(day);
        }
    }
    dates
}

/// When a family that joins today pays (rule 20).
pub fn payments(plan: &PricingPlan, today: Date) -> Vec<Date> {
    let (by_now, mut later): (Vec<_>, Vec<_>) = planned(plan).into_iter().partition(|date| *date <= today);
    if !by_now.is_empty() {
        later.insert(0, today);
    }
    later
}

//! Calendar rules: lessons, remaining lessons, a plan's payment dates, a student's age (rules 5, 6, 19, 20).
//!
//! "Now" is always an argument, in the company's local time.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use crate::catalogue::{AgeCutOff, Class, Holiday, PlanKind, PricingPlan, Season};

/// The dates of a class's lessons: its weekday within class and season, except on holidays (rule 5).
#[must_use]
pub fn lessons(class: &Class, season: &Season, holidays: &[Holiday]) -> Vec<Date> {
    let from = class.first_lesson_on.max(season.starts_on);
    let to = class.last_lesson_on.min(season.ends_on);
    let is_holiday = |day: Date| holidays.iter().any(|h| (h.starts_on..=h.ends_on).contains(&day));
    let first = if from.weekday() == class.weekday { Ok(from) } else { from.nth_weekday(1, class.weekday) };
    let Ok(first) = first else { return Vec::new() };
    first.series(7.days()).take_while(|day| *day <= to).filter(|day| !is_holiday(*day)).collect()
}

/// The lessons that have not begun (rule 6).
#[must_use]
pub fn lessons_left(lessons: &[Date], class: &Class, now: DateTime) -> Vec<Date> {
    let not_begun = |day: Date| day > now.date() || (day == now.date() && now.time() < class.starts_at);
    lessons.iter().copied().filter(|day| not_begun(*day)).collect()
}

/// The number of distinct calendar months among the days, which must be in order (rule 7).
#[must_use]
pub fn calendar_months(days: &[Date]) -> usize {
    let mut months: Vec<_> = days.iter().map(|day| (day.year(), day.month())).collect();
    months.dedup();
    months.len()
}

/// A plan's payment dates, in order (rule 19).
#[must_use]
pub fn plan_dates(plan: &PricingPlan) -> Vec<Date> {
    let count = match plan.kind {
        PlanKind::OneOff => 1,
        PlanKind::Monthly if plan.dates.is_empty() => plan.instalments,
        PlanKind::Monthly => {
            let mut dates = plan.dates.clone();
            dates.sort();
            return dates;
        }
    };
    let payment_day = plan.payment_day.unwrap_or_else(|| plan.first_payment_on.day());
    let later = (1..count).filter_map(|month| {
        let first_of_month = plan.first_payment_on.first_of_month().checked_add(i32::from(month).months()).ok()?;
        on_day_of_month(first_of_month, payment_day)
    });
    std::iter::once(plan.first_payment_on).chain(later).collect()
}

/// That day of the date's month, or the month's last day if the month is shorter.
fn on_day_of_month(date: Date, day: i8) -> Option<Date> {
    date.with().day(day.min(date.days_in_month())).build().ok()
}

/// When a family that joins today pays. Past dates fall due today as one; later dates stay (rule 20).
#[must_use]
pub fn payment_dates(plan: &PricingPlan, today: Date) -> Vec<Date> {
    let mut dates: Vec<_> = plan_dates(plan).into_iter().map(|date| date.max(today)).collect();
    dates.dedup();
    dates
}

/// The date at which a student's age counts for a season.
#[must_use]
pub fn age_cut_off(cut_off: AgeCutOff, season: &Season) -> Option<Date> {
    match cut_off {
        AgeCutOff::FirstDayOfSeason => Some(season.starts_on),
        AgeCutOff::SpecificDate(day) => day.last_until(season.starts_on),
        AgeCutOff::DaysAfterSeasonStart(days) => season.starts_on.checked_add(i32::from(days).days()).ok(),
    }
}

/// A person's age in whole months; negative before birth. If a month lacks the day of birth, the month counts on its
/// last day: a person born on 29 February is a year older on 28 February in common years.
#[must_use]
pub fn age_in_months(born_on: Date, on: Date) -> i32 {
    let months = |date: Date| i32::from(date.year()).saturating_mul(12).saturating_add(i32::from(date.month()));
    let difference = months(on).saturating_sub(months(born_on));
    if on.day() < born_on.day().min(on.days_in_month()) { difference.saturating_sub(1) } else { difference }
}

/// A day of the year, without a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearDay {
    month: i8,
    day: i8,
}

impl YearDay {
    /// The day of a month (1 to 12). `None` if no year has such a day.
    #[must_use]
    pub fn new(month: i8, day: i8) -> Option<Self> {
        // 2024 is a leap year, so it has every day that any year has.
        Date::new(2024, month, day).ok().map(|_| Self { month, day })
    }

    /// The day of a date.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self { month: date.month(), day: date.day() }
    }

    /// The first of January.
    pub const NEW_YEAR: Self = Self { month: 1, day: 1 };

    /// The month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> i8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> i8 {
        self.day
    }

    /// The day in a given year; 29 February becomes the 28th in common years.
    fn in_year(self, year: i16) -> Option<Date> {
        on_day_of_month(Date::new(year, self.month, 1).ok()?, self.day)
    }

    /// The last such day on or before a date.
    #[must_use]
    pub fn last_until(self, date: Date) -> Option<Date> {
        let this_year = self.in_year(date.year())?;
        if this_year <= date { Some(this_year) } else { self.in_year(date.year().checked_sub(1)?) }
    }

    /// The first and the last day of the year that begins on this day and contains the date. The range is cut off where
    /// the calendar ends.
    #[must_use]
    pub fn year_of(self, date: Date) -> (Date, Date) {
        let first = self.last_until(date).unwrap_or(Date::MIN);
        let next = first.year().checked_add(1).and_then(|year| self.in_year(year));
        (first, next.and_then(|next| next.yesterday().ok()).unwrap_or(Date::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{PricingModel, PricingScheme, RegistrationStatus};
    use crate::id::{ClassId, IdError, PlanId, SeasonId};
    use crate::money::{Money, Percent};
    use jiff::civil::{Weekday, date, time};

    fn season() -> Result<Season, IdError> {
        Ok(Season {
            id: SeasonId::parse("sea_1")?,
            name: "Autumn".into(),
            starts_on: date(2026, 9, 7),
            ends_on: date(2026, 12, 18),
            archived: false,
            registration: RegistrationStatus::Open,
            pricing_model: PricingModel::PerLesson,
            pricing_scheme: PricingScheme::ClassPrice,
            plans: vec![],
            registration_fee: None,
            additional_fees: vec![],
        })
    }

    fn monday_class() -> Result<Class, IdError> {
        Ok(Class {
            id: ClassId::parse("cls_1")?,
            season: SeasonId::parse("sea_1")?,
            name: "Ballet".into(),
            price: Money::minor(850),
            weekday: Weekday::Monday,
            starts_at: time(16, 30, 0, 0),
            first_lesson_on: date(2026, 9, 1),
            last_lesson_on: date(2026, 12, 14),
            tax_rate: None,
            discountable: true,
            portal_enrolment: true,
            takes_trials: true,
            min_age_months: None,
            max_age_months: None,
            archived: false,
        })
    }

    fn plan(kind: PlanKind, first: Date, instalments: u16, day: Option<i8>) -> Result<PricingPlan, IdError> {
        Ok(PricingPlan {
            id: PlanId::parse("pp_1")?,
            kind,
            first_payment_on: first,
            instalments,
            payment_day: day,
            dates: vec![],
            discount: Percent::ZERO,
            enabled: true,
        })
    }

    #[test]
    fn r5_lessons_are_the_weekdays_of_class_and_season_without_holidays() -> Result<(), IdError> {
        let half_term = Holiday { starts_on: date(2026, 10, 26), ends_on: date(2026, 10, 30) };
        let days = lessons(&monday_class()?, &season()?, std::slice::from_ref(&half_term));
        assert_eq!(days.len(), 14);
        assert_eq!((days.first(), days.last()), (Some(&date(2026, 9, 7)), Some(&date(2026, 12, 14))));
        assert!(!days.contains(&date(2026, 10, 26)));
        Ok(())
    }

    #[test]
    fn r6_a_lesson_of_today_is_left_until_it_begins() -> Result<(), IdError> {
        let class = monday_class()?;
        let days = lessons(&class, &season()?, &[]);
        let left = |now: DateTime| lessons_left(&days, &class, now).len();
        assert_eq!(left(date(2026, 9, 7).at(16, 29, 59, 0)), 15);
        assert_eq!(left(date(2026, 9, 7).at(16, 30, 0, 0)), 14);
        assert_eq!(left(date(2026, 12, 14).at(16, 30, 0, 0)), 0);
        Ok(())
    }

    #[test]
    fn r7_months_are_counted_once_each() {
        let days = [date(2026, 9, 7), date(2026, 9, 14), date(2026, 11, 2), date(2027, 9, 6)];
        assert_eq!(calendar_months(&days), 3);
    }

    #[test]
    fn r19_a_monthly_plan_falls_on_its_day_or_the_month_s_last() -> Result<(), IdError> {
        let dates = plan_dates(&plan(PlanKind::Monthly, date(2026, 12, 31), 4, None)?);
        assert_eq!(dates, [date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]);
        let dates = plan_dates(&plan(PlanKind::Monthly, date(2026, 9, 7), 3, Some(1))?);
        assert_eq!(dates, [date(2026, 9, 7), date(2026, 10, 1), date(2026, 11, 1)]);
        Ok(())
    }

    #[test]
    fn r20_what_is_past_is_due_today_once_and_what_is_later_stays() -> Result<(), IdError> {
        let plan = plan(PlanKind::Monthly, date(2026, 9, 7), 4, None)?;
        let joined = |today| payment_dates(&plan, today);
        assert_eq!(joined(date(2026, 10, 8)), [date(2026, 10, 8), date(2026, 11, 7), date(2026, 12, 7)]);
        assert_eq!(joined(date(2026, 10, 7)), [date(2026, 10, 7), date(2026, 11, 7), date(2026, 12, 7)]);
        assert_eq!(joined(date(2027, 3, 1)), [date(2027, 3, 1)]);
        assert_eq!(joined(date(2026, 8, 1)).len(), 4);
        Ok(())
    }

    #[test]
    fn ages_are_whole_months_at_the_cut_off() -> Result<(), IdError> {
        assert_eq!(age_in_months(date(2020, 9, 7), date(2026, 9, 7)), 72);
        assert_eq!(age_in_months(date(2020, 9, 8), date(2026, 9, 7)), 71);
        let season = season()?;
        let cut_off = |rule| age_cut_off(rule, &season);
        let specific = |month, day| YearDay::new(month, day).and_then(|day| cut_off(AgeCutOff::SpecificDate(day)));
        assert_eq!(specific(2, 29), Some(date(2026, 2, 28)));
        assert_eq!((specific(9, 7), specific(9, 8)), (Some(date(2026, 9, 7)), Some(date(2025, 9, 8))));
        assert_eq!(cut_off(AgeCutOff::DaysAfterSeasonStart(7)), Some(date(2026, 9, 14)));
        Ok(())
    }

    #[test]
    fn who_is_born_on_a_leap_day_is_a_year_older_on_the_28th() {
        assert_eq!(age_in_months(date(2020, 2, 29), date(2026, 2, 28)), 72);
        assert_eq!(age_in_months(date(2020, 2, 29), date(2026, 2, 27)), 71);
        assert_eq!(age_in_months(date(2020, 2, 29), date(2024, 2, 28)), 47, "the year has the day");
        assert_eq!(age_in_months(date(2020, 1, 31), date(2026, 4, 30)), 75);
    }

    #[test]
    fn a_day_of_any_year_is_found_before_a_date_and_begins_a_year() {
        let day = |month, day| YearDay::new(month, day).expect("a day");
        assert_eq!(day(9, 1).last_until(date(2026, 9, 1)), Some(date(2026, 9, 1)));
        assert_eq!(day(9, 1).last_until(date(2026, 8, 31)), Some(date(2025, 9, 1)));
        assert_eq!(day(2, 29).last_until(date(2027, 2, 28)), Some(date(2027, 2, 28)));
        assert_eq!(YearDay::NEW_YEAR.year_of(date(2026, 12, 31)), (date(2026, 1, 1), date(2026, 12, 31)));
        assert_eq!(day(9, 1).year_of(date(2026, 9, 1)), (date(2026, 9, 1), date(2027, 8, 31)));
        assert_eq!(day(9, 1).year_of(date(2026, 8, 31)), (date(2025, 9, 1), date(2026, 8, 31)));
        assert_eq!(day(2, 29).year_of(date(2028, 2, 28)), (date(2027, 2, 28), date(2028, 2, 28)));
        assert_eq!(day(2, 29).year_of(date(2028, 2, 29)), (date(2028, 2, 29), date(2029, 2, 27)));
        assert_eq!(YearDay::NEW_YEAR.year_of(Date::MAX).1, Date::MAX);
        assert_eq!((YearDay::new(2, 30), YearDay::new(13, 1)), (None, None));
    }
}

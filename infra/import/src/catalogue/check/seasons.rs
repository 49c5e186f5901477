//! Seasons, their plans, and classes.
//!
//! Invariant: a plan's rules are written once, in [`PricingPlanDoc::mistakes`]; the conversion asks the same.

use classpay_domain::calendar;
use classpay_domain::catalogue::{PricingPlan, RegistrationStatus};
use classpay_service::catalogue::documents::{ClassDoc, PricingPlanDoc, SeasonDoc};

use super::Check;

/// The days from a plan's first payment to its second at least, where its dates are worked out: nobody means to be debited on
/// two days in a row.
const FEWEST_DAYS: i32 = 7;
/// A plan's instalments at most: what each of them posts is stored when a place is bought.
pub(super) const MOST_INSTALMENTS: u16 = 60;

impl Check<'_> {
    pub(super) fn seasons(&mut self) {
        let seasons = &self.file.seasons;
        self.once(seasons.iter().enumerate().map(|(i, season)| (format!("seasons[{i}]"), season.id.as_str())));
        let plans = seasons.iter().enumerate().flat_map(|(i, season)| {
            let plans = season.pricing_plans.iter().enumerate();
            plans.map(move |(j, plan)| (format!("seasons[{i}].pricingPlans[{j}]"), plan.id.as_str()))
        });
        self.once(plans);
        let prices = seasons.iter().enumerate().flat_map(|(i, season)| {
            let prices = season.pricing_scheme_values.iter().enumerate();
            prices.map(move |(j, value)| (format!("seasons[{i}].pricingSchemeValues[{j}]"), value.id.as_str()))
        });
        self.once(prices);
        for (i, season) in seasons.iter().enumerate() {
            self.season(season, &format!("seasons[{i}]"));
        }
    }

    fn season(&mut self, season: &SeasonDoc, place: &str) {
        self.same_company(&season.company_id, format!("{place}.companyId"));
        self.holds(season.start_at <= season.end_at, format!("{place}.endAt"), "is before startAt");
        let open = season.registration_status == RegistrationStatus::Open;
        // Nobody pays for what is archived.
        let payable = season.archived_at.is_some() || season.pricing_plans.iter().any(|plan| plan.enabled);
        self.holds(payable || !open, format!("{place}.pricingPlans"), "an open season needs a plan that is enabled");
        self.prices_by_quantity(season, place);
        for (j, plan) in season.pricing_plans.iter().enumerate() {
            let place = format!("{place}.pricingPlans[{j}]");
            self.holds(plan.season_id == season.id, format!("{place}.seasonId"), "is not the season it stands in");
            let same = plan.pricing_model == season.pricing_model;
            self.holds(same, format!("{place}.pricingModel"), "is not the season's");
            for (field, what) in plan.mistakes() {
                self.mistake(format!("{place}.{field}"), what);
            }
            let count = plan.number_of_installments;
            let what = format!("is {count}, and a plan has at most {MOST_INSTALMENTS}");
            self.holds(count <= MOST_INSTALMENTS, format!("{place}.numberOfInstallments"), what);
            if let Some(what) = too_soon(plan).filter(|_| season.archived_at.is_none()) {
                self.mistake(format!("{place}.firstPaymentDate"), what);
            }
        }
    }

    fn prices_by_quantity(&mut self, season: &SeasonDoc, place: &str) {
        if let Err(what) = season.quantity_prices() {
            self.mistake(format!("{place}.pricingSchemeValues"), what);
        }
        for (j, value) in season.pricing_scheme_values.iter().enumerate() {
            self.not_negative(value.price, format!("{place}.pricingSchemeValues[{j}].price"));
        }
    }

    pub(super) fn classes(&mut self) {
        let classes = &self.file.classes;
        self.once(classes.iter().enumerate().map(|(i, class)| (format!("classes[{i}]"), class.id.as_str())));
        for (i, class) in classes.iter().enumerate() {
            self.class(class, &format!("classes[{i}]"));
        }
    }

    fn class(&mut self, class: &ClassDoc, place: &str) {
        let season_known = self.known.seasons.contains_key(&class.season_id);
        self.refers(season_known, class.season_id.as_str(), format!("{place}.seasonId"), "season");
        self.not_negative(class.price, format!("{place}.price"));
        let ordered = class.first_lesson_start_date <= class.last_lesson_end_date;
        self.holds(ordered, format!("{place}.lastLessonEndDate"), "is before firstLessonStartDate");
        self.refers_to_tax_rate(class.settings.tax_rate_id.as_ref(), format!("{place}.settings.taxRateId"));
        if let (Some(min), Some(max)) = (class.min_age_months, class.max_age_months) {
            self.holds(min <= max, format!("{place}.maxAgeMonths"), "is below minAgeMonths");
        }
    }
}

/// What is wrong with a first payment that is followed by the second within days.
fn too_soon(plan: &PricingPlanDoc) -> Option<String> {
    if !plan.installment_dates.is_empty() {
        return None;
    }
    let dates = calendar::plan_dates(&PricingPlan::try_from(plan).ok()?);
    let [first, next, ..] = dates[..] else { return None };
    let days = first.until(next).ok()?.get_days();
    let days_before = if days == 1 { "a day".to_owned() } else { format!("{days} days") };
    (days < FEWEST_DAYS).then(|| format!("{first} is {days_before} before the second payment, on {next}"))
}

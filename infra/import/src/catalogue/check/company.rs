//! The company and what it has beside its seasons.
//!
//! Invariant: a discount scheme that is not given is checked like one that is.

use std::collections::BTreeSet;

use classpay_service::catalogue::convert::{age_cut_off, is_time_zone};
use classpay_service::catalogue::documents::outside_month;

use super::Check;

impl Check<'_> {
    pub(super) fn company(&mut self) {
        let Some(company) = &self.file.company else {
            return self.mistake("company", "is missing");
        };
        let settings = &company.settings;
        let zone = &settings.general.timezone;
        let place = "company.settings.general.timezone";
        self.holds(is_time_zone(zone), place, format!("`{zone}` is not a time zone like Europe/London"));
        self.not_negative(settings.trial.price, "company.settings.trial.price");
        self.at_most_hundred(settings.billing.processing_fee.0, "company.settings.billing.processingFee");
        let day = settings.billing.billing_day_of_month;
        self.holds((1..=31).contains(&day), "company.settings.billing.billingDayOfMonth", outside_month(day));
        if let Err(field) = age_cut_off(&settings.enrolment) {
            self.mistake(format!("company.{field}"), "is missing, and the ageCutOffType needs it");
        }
        self.same_company(&company.address.company_id, "company.address.companyId");
    }

    /// Names a document of another company.
    pub(super) fn same_company(&mut self, id: &classpay_domain::id::CompanyId, place: impl std::fmt::Display) {
        let same = self.file.company.as_ref().is_none_or(|company| company.id == *id);
        self.holds(same, place, format!("{id} is another company"));
    }

    pub(super) fn tax_rates(&mut self) {
        let rates = &self.file.tax_rates;
        self.once(rates.iter().enumerate().map(|(i, rate)| (format!("taxRates[{i}]"), rate.id.as_str())));
        for (i, rate) in rates.iter().enumerate() {
            self.at_most_hundred(rate.rate.0, format!("taxRates[{i}].rate"));
        }
    }

    pub(super) fn holidays(&mut self) {
        let holidays = &self.file.holidays;
        self.once(holidays.iter().enumerate().map(|(i, day)| (format!("holidays[{i}]"), day.id.as_str())));
        for (i, holiday) in holidays.iter().enumerate() {
            let place = format!("holidays[{i}].endAt");
            self.holds(holiday.start_at <= holiday.end_at, place, "is before startAt");
        }
    }

    pub(super) fn discount_schemes(&mut self) {
        let schemes = &self.file.discount_schemes;
        self.once(schemes.iter().enumerate().map(|(i, s)| (format!("discountSchemes[{i}]"), s.id.as_str())));
        let values = schemes.iter().enumerate().flat_map(|(i, scheme)| {
            let places = scheme.values.iter().enumerate();
            places.map(move |(j, value)| (format!("discountSchemes[{i}].values[{j}]"), value.id.as_str()))
        });
        self.once(values);
        let mut kinds = BTreeSet::new();
        for (i, scheme) in schemes.iter().enumerate() {
            for (j, field, what) in scheme.mistakes() {
                self.mistake(format!("discountSchemes[{i}].values[{j}].{field}"), what);
            }
            let first = !scheme.enabled || kinds.insert(scheme.kind);
            self.holds(first, format!("discountSchemes[{i}].scheme"), "another enabled scheme is of this kind");
        }
    }
}

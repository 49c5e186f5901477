//! Registration fees, wherever they are spelled out, and the additional fees of seasons.
//!
//! Invariant: an id is one fee. A copy of a fee or of a tax rate says what the company's own says.

use std::collections::BTreeMap;

use classpay_domain::id::FeeId;
use classpay_service::catalogue::documents::{AdditionalFeeDoc, RegistrationFeeDoc, SeasonDoc, TaxRateDoc};

use super::Check;

impl<'a> Check<'a> {
    pub(super) fn fees(&mut self) {
        let mut known: BTreeMap<&'a FeeId, (String, &'a RegistrationFeeDoc)> = BTreeMap::new();
        let mut ids = Vec::new();
        for (i, fee) in self.file.registration_fees.iter().enumerate() {
            let place = format!("registrationFees[{i}]");
            self.registration_fee(fee, &place);
            ids.push((place.clone(), fee.id.as_str()));
            known.entry(&fee.id).or_insert((place, fee));
        }
        for (i, season) in self.file.seasons.iter().enumerate() {
            if let Some(fee) = &season.registration_fee_dto {
                let place = format!("seasons[{i}].registrationFeeDto");
                if let Some((original, of_company)) = known.get(&fee.id) {
                    self.copy_of_fee(fee, &place, of_company, original);
                } else {
                    self.registration_fee(fee, &place);
                    ids.push((place.clone(), fee.id.as_str()));
                    known.insert(&fee.id, (place, fee));
                }
            }
            for (j, fee) in season.additional_fees.iter().enumerate() {
                let place = format!("seasons[{i}].additionalFees[{j}]");
                self.additional_fee(fee, season, &place);
                ids.push((place, fee.id.as_str()));
            }
            self.fee_of_season(season, &format!("seasons[{i}]"));
        }
        self.once(ids);
    }

    fn registration_fee(&mut self, fee: &RegistrationFeeDoc, place: &str) {
        for (field, what) in fee.mistakes() {
            self.mistake(format!("{place}.{field}"), what);
        }
        self.tax_of_fee(fee, place);
    }

    /// The tax rate that it names or spells out, or both.
    fn tax_of_fee(&mut self, fee: &RegistrationFeeDoc, place: &str) {
        self.copy_of_tax_rate(fee.tax_rate.as_ref(), &format!("{place}.taxRate"));
        if let Some(id) = &fee.tax_rate_id {
            let named = format!("{place}.taxRateId");
            self.refers_to_tax_rate(Some(id), &named);
            let same = fee.tax_rate.as_ref().is_none_or(|rate| rate.id == *id);
            self.holds(same, named, "is not the taxRate's");
        }
    }

    /// A fee that is spelled out once more says the same. Its tax rate is compared with the company's, by the id.
    fn copy_of_fee(&mut self, fee: &RegistrationFeeDoc, place: &str, same: &RegistrationFeeDoc, original: &str) {
        for field in differing_fields(fee, same) {
            self.mistake(format!("{place}.{field}"), format!("is not what {original} says of {}", fee.id));
        }
        self.tax_of_fee(fee, place);
    }

    fn copy_of_tax_rate(&mut self, copy: Option<&TaxRateDoc>, place: &str) {
        let Some(copy) = copy else { return };
        self.refers_to_tax_rate(Some(&copy.id), format!("{place}.id"));
        if let Some(rate) = self.known.tax_rates.get(&copy.id).copied() {
            let percent = format!("is {}, but the rate of {} is {}", copy.rate.0, rate.id, rate.rate.0);
            self.holds(copy.rate == rate.rate, format!("{place}.rate"), percent);
            let label = format!("is `{}`, but {} is called `{}`", copy.label, rate.id, rate.label);
            self.holds(copy.label == rate.label, format!("{place}.label"), label);
        }
    }

    fn additional_fee(&mut self, fee: &AdditionalFeeDoc, season: &SeasonDoc, place: &str) {
        self.same_company(&fee.company_id, format!("{place}.companyId"));
        let own = fee.entity_id.as_str() == season.id.as_str();
        self.holds(own, format!("{place}.entityId"), "is not the season it stands in");
        for (field, what) in fee.mistakes() {
            self.mistake(format!("{place}.{field}"), what);
        }
        self.refers_to_tax_rate(fee.tax_rate_id.as_ref(), format!("{place}.taxRateId"));
    }

    /// Which registration fee a season takes, and the copies of it that are only output.
    fn fee_of_season(&mut self, season: &SeasonDoc, place: &str) {
        let spelled_out = season.registration_fee_dto.as_ref().map(|fee| &fee.id);
        if let Some(id) = &season.registration_fee_id {
            let known = spelled_out.is_some() || self.file.registration_fees.iter().any(|fee| fee.id == *id);
            let place = format!("{place}.registrationFeeId");
            self.refers(known, id.as_str(), &place, "registration fee");
            self.holds(
                spelled_out.is_none_or(|spelled_out| spelled_out == id),
                place,
                "is not the registrationFeeDto's",
            );
        }
        let copy = season.registration_fee_tax_rate_id.as_ref();
        self.refers_to_tax_rate(copy, format!("{place}.registrationFeeTaxRateId"));
        self.not_negative(season.registration_fee, format!("{place}.registrationFee"));
        if let Some(most) = season.max_registration_fee {
            self.not_negative(most, format!("{place}.maxRegistrationFee"));
        }
    }
}

/// Which fields of a fee say otherwise than another copy of it. Of a tax rate the id counts.
pub(crate) fn differing_fields(copy: &RegistrationFeeDoc, same: &RegistrationFeeDoc) -> Vec<&'static str> {
    let rate = |fee: &RegistrationFeeDoc| {
        fee.tax_rate.as_ref().map(|rate| rate.id.clone()).or_else(|| fee.tax_rate_id.clone())
    };
    let fields = [
        ("name", copy.name == same.name),
        ("amount", copy.amount == same.amount),
        ("maxAmountPerFamily", copy.max_amount_per_family == same.max_amount_per_family),
        ("repetitionInterval", copy.repetition_interval == same.repetition_interval),
        ("dueDate", copy.due_date == same.due_date),
        ("proRated", copy.pro_rated == same.pro_rated),
        ("taxRate", rate(copy) == rate(same)),
        ("archivedAt", copy.archived_at == same.archived_at),
    ];
    fields.into_iter().filter(|(_, agrees)| !agrees).map(|(field, _)| field).collect()
}

//! A season, its plans and its classes.
//!
//! Invariant: a fee that is switched off or archived is no fee of the season, but it is checked all the same.

use classpay_domain::catalogue::{
    AdditionalFee, Class, PricingPlan, PricingScheme, QuantityPrices, RegistrationFee, RegistrationStatus, Season,
};

use super::super::documents::{self, ClassDoc, PricingPlanDoc, SeasonDoc};
use super::{CorruptDocument, corrupt, faultless, price, sound};

impl TryFrom<&SeasonDoc> for Season {
    type Error = CorruptDocument;

    fn try_from(doc: &SeasonDoc) -> Result<Self, CorruptDocument> {
        let mut plans = Vec::with_capacity(doc.pricing_plans.len());
        for plan in &doc.pricing_plans {
            sound((), plan.season_id == doc.id, &plan.id, "seasonId")?;
            plans.push(PricingPlan::try_from(plan)?);
        }
        let mut additional_fees = Vec::with_capacity(doc.additional_fees.len());
        for fee in &doc.additional_fees {
            sound((), fee.entity_id.as_str() == doc.id.as_str(), &fee.id, "entityId")?;
            additional_fees.push(AdditionalFee::try_from(fee)?);
        }
        Ok(Self {
            id: doc.id.clone(),
            name: doc.name.clone(),
            starts_on: doc.start_at,
            ends_on: sound(doc.end_at, doc.start_at <= doc.end_at, &doc.id, "endAt")?,
            archived: doc.archived_at.is_some(),
            registration: registration(doc),
            pricing_model: doc.pricing_model,
            pricing_scheme: pricing_scheme(doc)?,
            plans,
            registration_fee: registration_fee(doc)?,
            additional_fees,
        })
    }
}

/// A season whose registration is not open is not on sale, whatever its status says.
fn registration(doc: &SeasonDoc) -> RegistrationStatus {
    match doc.registration_status {
        RegistrationStatus::Open if !doc.registration_open => RegistrationStatus::Closed,
        status => status,
    }
}

fn pricing_scheme(doc: &SeasonDoc) -> Result<PricingScheme, CorruptDocument> {
    let prices = doc.quantity_prices().map_err(|_| corrupt(&doc.id, "pricingSchemeValues"))?;
    for of_so_many in &prices {
        price(*of_so_many, &doc.id, "pricingSchemeValues")?;
    }
    Ok(match doc.pricing_scheme {
        documents::PricingScheme::None => PricingScheme::ClassPrice,
        documents::PricingScheme::ClassQuantity => PricingScheme::ClassQuantity(QuantityPrices::new(prices)),
    })
}

fn registration_fee(doc: &SeasonDoc) -> Result<Option<RegistrationFee>, CorruptDocument> {
    let Some(spelled_out) = &doc.registration_fee_dto else {
        return sound(None, !doc.enable_registration_fees, &doc.id, "registrationFeeDto");
    };
    let fee = RegistrationFee::try_from(spelled_out)?;
    let is_taken = doc.enable_registration_fees && spelled_out.archived_at.is_none();
    Ok(is_taken.then_some(fee))
}

impl TryFrom<&PricingPlanDoc> for PricingPlan {
    type Error = CorruptDocument;

    fn try_from(doc: &PricingPlanDoc) -> Result<Self, CorruptDocument> {
        faultless(doc.mistakes(), &doc.id)?;
        Ok(Self {
            id: doc.id.clone(),
            kind: doc.kind,
            first_payment_on: doc.first_payment_date,
            instalments: doc.number_of_installments,
            payment_day: doc.payment_day,
            dates: doc.installment_dates.clone(),
            discount: doc.discount.0,
            enabled: doc.enabled,
        })
    }
}

impl TryFrom<&ClassDoc> for Class {
    type Error = CorruptDocument;

    fn try_from(doc: &ClassDoc) -> Result<Self, CorruptDocument> {
        Ok(Self {
            id: doc.id.clone(),
            season: doc.season_id.clone(),
            name: doc.name.clone(),
            price: price(doc.price, &doc.id, "price")?,
            weekday: doc.day_of_week,
            starts_at: doc.start_time,
            first_lesson_on: doc.first_lesson_start_date,
            last_lesson_on: doc.last_lesson_end_date,
            tax_rate: doc.settings.tax_rate_id.clone(),
            discountable: doc.settings.discountable,
            portal_enrolment: doc.settings.portal_enrolment_enabled,
            takes_trials: doc.settings.trials_enabled,
            min_age_months: doc.settings.min_age_months,
            max_age_months: doc.settings.max_age_months,
            archived: doc.archived_at.is_some(),
        })
    }
}

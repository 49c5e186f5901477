//! Registration fees and additional fees.
//!
//! Invariant: a fee keeps the id of its tax rate and no copy of the rate, so that there is one rate per id.

use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{AdditionalFee, RegistrationFee};

use super::super::documents::{AdditionalFeeDoc, RegistrationFeeDoc};
use super::{CorruptDocument, faultless};

impl TryFrom<&RegistrationFeeDoc> for RegistrationFee {
    type Error = CorruptDocument;

    fn try_from(doc: &RegistrationFeeDoc) -> Result<Self, CorruptDocument> {
        faultless(doc.mistakes(), &doc.id)?;
        Ok(Self {
            id: doc.id.clone(),
            name: doc.name.clone(),
            amount: doc.amount,
            family_cap: doc.max_amount_per_family,
            repetition: doc.repetition_interval,
            year_begins: doc.due_date.map_or(YearDay::NEW_YEAR, YearDay::of),
            pro_rated: doc.pro_rated,
            tax_rate: doc.tax_rate.as_ref().map(|rate| rate.id.clone()),
        })
    }
}

impl TryFrom<&AdditionalFeeDoc> for AdditionalFee {
    type Error = CorruptDocument;

    fn try_from(doc: &AdditionalFeeDoc) -> Result<Self, CorruptDocument> {
        faultless(doc.mistakes(), &doc.id)?;
        Ok(Self {
            id: doc.id.clone(),
            description: doc.description.clone(),
            amount: doc.amount,
            family_cap: doc.max_amount_per_family,
            tax_rate: doc.tax_rate_id.clone(),
            pro_rated: doc.pro_rated,
        })
    }
}

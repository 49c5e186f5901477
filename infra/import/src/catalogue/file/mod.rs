//! A whole studio in one file: read, filled in and checked.
//!
//! Invariant: a [`Catalogue`] holds no mistake that [`Catalogue::parse`] knows of, and no rule that pricing would ignore.

use classpay_domain::catalogue::FeePeriod;
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::catalogue::documents::{
    ClassDoc, CompanyDoc, DiscountSchemeDoc, FamilyDoc, HolidayDoc, RegistrationFeeDoc, SeasonDoc, StudentDoc,
    TaxRateDoc,
};
use jiff::Timestamp;

use super::encoding::text_of;
use super::mistake::Mistake;
use super::parts::{ChargedFeeEntry, EnrolmentEntry, FamilyFileDoc, TrialEntry};
use super::places::Places;
use super::published::Deleted;
use super::{check, reader};

/// A studio that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// The company.
    pub company: CompanyDoc,
    /// Its tax rates.
    pub tax_rates: Vec<TaxRateDoc>,
    /// Its registration fees.
    pub registration_fees: Vec<RegistrationFeeDoc>,
    /// Its discount schemes.
    pub discount_schemes: Vec<DiscountSchemeDoc>,
    /// Its holidays.
    pub holidays: Vec<HolidayDoc>,
    /// Its seasons.
    pub seasons: Vec<SeasonDoc>,
    /// Its classes.
    pub classes: Vec<ClassDoc>,
    /// Its families.
    pub families: Vec<FamilyEntry>,
    /// Debits and credits from before.
    pub transactions: Vec<AggregateTransaction>,
    /// What the file has and isn't sold here, with its place: see [`super::notes()`].
    pub left_out: Vec<Mistake>,
    /// Where the rest stands in the file.
    places: Places,
    /// What it has deleted of what was sold: it is left out, and a table may have it.
    pub deleted: Vec<Deleted>,
}

/// A family with all that is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyEntry {
    /// The family.
    pub family: FamilyDoc,
    /// Its students.
    pub students: Vec<StudentDoc>,
    /// Its live enrolments.
    pub enrolments: Vec<EnrolmentEntry>,
    /// Its live trial bookings.
    pub trials: Vec<TrialEntry>,
    /// The fees that it was charged.
    pub charged_fees: Vec<ChargedFeeEntry>,
}

impl Catalogue {
    /// Reads a studio's file as it is at a time: an enrolment that has ended by then is left out.
    ///
    /// # Errors
    /// Every mistake in it; or that it isn't UTF-8.
    pub fn read(bytes: &[u8], now: Timestamp) -> Result<Self, Vec<Mistake>> {
        Self::parse_at(text_of(bytes).map_err(|mistake| vec![mistake])?, Some(now))
    }

    /// Reads a studio of which nothing has ended, fills in what may be left out and checks it as a whole.
    ///
    /// # Errors
    /// Every mistake in it, in the order in which they were found: first what has the wrong shape.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        Self::parse_at(text, None)
    }

    /// Where something stands in the file, by its place in this: what was left out before it counts there.
    #[must_use]
    pub fn as_written(&self, place: &str) -> String {
        self.places.as_written(place)
    }

    fn parse_at(text: &str, now: Option<Timestamp>) -> Result<Self, Vec<Mistake>> {
        let readable = reader::read(text, now).map_err(|mistake| vec![mistake])?;
        let found = check::mistakes_of(&readable.file, &readable.gone);
        if !readable.mistakes.is_empty() || !found.is_empty() {
            return Err(readable.with(found));
        }
        let places = readable.places();
        let file = readable.file;
        let missing = || vec![Mistake::new("company", "is missing")];
        let mut catalogue = Self {
            company: file.company.ok_or_else(missing)?,
            tax_rates: file.tax_rates,
            registration_fees: file.registration_fees,
            discount_schemes: file.discount_schemes,
            holidays: file.holidays,
            seasons: file.seasons,
            classes: file.classes,
            families: file.families.into_iter().map(FamilyEntry::from).collect(),
            transactions: file.transactions,
            left_out: readable.left_out,
            places,
            deleted: readable.deleted,
        };
        catalogue.spell_out_tax_rates();
        catalogue.spell_out_registration_fees();
        catalogue.spell_out_fee_years();
        Ok(catalogue)
    }

    /// A fee year that only its number names begins on 1 January: written so, it is what a checkout charges.
    fn spell_out_fee_years(&mut self) {
        let is_season = |period: &str| self.seasons.iter().any(|season| season.id.as_str() == period);
        for charged in self.families.iter_mut().flat_map(|family| &mut family.charged_fees) {
            if !is_season(&charged.period)
                && let Some(first) = FeePeriod::parse(&charged.period).and_then(|period| period.first_of_year())
            {
                charged.period = FeePeriod::year(first).to_string();
            }
        }
    }

    /// Puts the tax rate that a fee names into the fee, where it is published.
    fn spell_out_tax_rates(&mut self) {
        let of_seasons = self.seasons.iter_mut().filter_map(|season| season.registration_fee_dto.as_mut());
        for fee in of_seasons.chain(&mut self.registration_fees) {
            let Some(id) = fee.tax_rate_id.take() else { continue };
            if fee.tax_rate.is_none() {
                fee.tax_rate = self.tax_rates.iter().find(|rate| rate.id == id).cloned();
            }
        }
    }

    /// Puts the fee that a season names into the season, where it is published.
    fn spell_out_registration_fees(&mut self) {
        for season in &mut self.seasons {
            let named = self.registration_fees.iter().find(|fee| season.registration_fee_id.as_ref() == Some(&fee.id));
            if let Some(fee) = season.registration_fee_dto.take().or_else(|| named.cloned()) {
                season.spell_out(fee);
            }
        }
    }
}

impl From<FamilyFileDoc> for FamilyEntry {
    fn from(doc: FamilyFileDoc) -> Self {
        Self {
            family: FamilyDoc {
                id: doc.id,
                company_id: doc.company_id,
                name: doc.name,
                joined_at: doc.joined_at,
                invitation_status: doc.invitation_status,
                autopay_enabled: doc.autopay_enabled,
                profile_picture: doc.profile_picture,
                deleted_at: doc.deleted_at,
                archived_at: doc.archived_at,
                created_at: doc.created_at,
            },
            students: doc.students,
            enrolments: doc.enrolments,
            trials: doc.trials,
            charged_fees: doc.charged_fees,
        }
    }
}

#[cfg(test)]
mod tests;

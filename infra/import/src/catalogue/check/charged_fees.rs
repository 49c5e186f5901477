//! Fees that families were charged before.
//!
//! Invariant: a period is one that the fee can have, or what was charged would not be found again. That a family was
//! charged more than its cap is no mistake: a cap may have been lowered.

use std::collections::BTreeSet;

use classpay_domain::catalogue::{FeePeriod, Repetition};
use classpay_service::catalogue::documents::RegistrationFeeDoc;

use super::super::parts::{ChargedFeeEntry, FamilyFileDoc};
use super::{Check, KnownFee};

impl Check<'_> {
    pub(super) fn charged_fees(&mut self, family: &FamilyFileDoc, place: &str) {
        let mut charged = BTreeSet::new();
        for (j, entry) in family.charged_fees.iter().enumerate() {
            let place = format!("{place}.chargedFees[{j}]");
            self.own_student(family, entry.student_id.as_str(), &place);
            let fee = self.known.fees.get(&entry.fee_id).copied();
            self.refers(fee.is_some(), entry.fee_id.as_str(), format!("{place}.feeId"), "fee");
            // A fee of an unreadable season may be one of which more is known than could be read.
            if let Some(fee) = fee.filter(|_| !self.gone.contains(entry.fee_id.as_str())) {
                self.period(fee, entry, &place);
            }
            self.not_negative(entry.amount, format!("{place}.amount"));
            let year = FeePeriod::parse(&entry.period).and_then(|period| period.first_of_year());
            let period = year.map_or_else(|| entry.period.clone(), |first| first.to_string());
            let first = charged.insert((&entry.fee_id, &entry.student_id, period));
            self.holds(first, format!("{place}.period"), "the student was charged this fee for this period already");
        }
    }

    fn period(&mut self, fee: KnownFee<'_>, entry: &ChargedFeeEntry, place: &str) {
        let period = entry.period.as_str();
        let (fits, expected) = match fee {
            KnownFee::Registration(fee) => match fee.repetition_interval {
                Repetition::OneOff => (period == FeePeriod::once().as_str(), "`once`".to_owned()),
                Repetition::Annual => {
                    let first = FeePeriod::parse(period).and_then(|period| period.first_of_year());
                    (first.is_some(), "the first day of a fee year like 2026-09-01".to_owned())
                }
                Repetition::PerSeason => {
                    (self.is_season_with(fee, period), format!("the id of a season with {}", fee.id))
                }
            },
            KnownFee::Additional(season) => (period == season.as_str(), format!("{season}, the fee's season")),
        };
        self.holds(fits, format!("{place}.period"), format!("`{period}` is not {expected}"));
    }

    fn is_season_with(&self, fee: &RegistrationFeeDoc, period: &str) -> bool {
        let season = self.file.seasons.iter().find(|season| season.id.as_str() == period);
        season.map_or(self.gone.contains(period), |season| {
            let spelled_out = season.registration_fee_dto.as_ref().map(|fee| &fee.id);
            [spelled_out, season.registration_fee_id.as_ref()].contains(&Some(&fee.id))
        })
    }
}

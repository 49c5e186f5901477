//! The current state of classes that were sold, as it is stored with the seasons.
//!
//! A price depends on the current catalogue and on what is sold. What an enrolment has stored about its class decides
//! only if nothing newer is stored, as is the case for data of an earlier version.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::catalogue::{ChargedFee, Enrolment, FeePeriod};
use classpay_domain::id::{ClassId, FeeId, SeasonId, StudentId};

use super::StoreError;
use super::item::{Attributes, Read as _};

/// The attribute of a season that lists its archived classes.
pub const GIVEN_UP: &str = "given_up_classes";
/// The attribute of a season that lists its classes that discount schemes ignore.
pub const UNDISCOUNTED: &str = "undiscounted_classes";
/// The attribute of a season that lists its classes that were moved from another season.
pub const MOVED: &str = "moved_classes";

/// The exceptional classes of all seasons.
#[derive(Debug, Default)]
pub(super) struct SoldClasses {
    given_up: BTreeSet<ClassId>,
    /// By season; a season stored by an earlier version has no list.
    undiscounted: BTreeMap<SeasonId, BTreeSet<ClassId>>,
    moved: BTreeMap<ClassId, SeasonId>,
}

impl SoldClasses {
    /// Adds what is stored with a season.
    pub(super) fn read(&mut self, season: &SeasonId, item: &Attributes) -> Result<(), StoreError> {
        self.given_up.extend(list(item, GIVEN_UP)?.unwrap_or_default());
        self.moved.extend(list(item, MOVED)?.unwrap_or_default().into_iter().map(|class| (class, season.clone())));
        if let Some(classes) = list(item, UNDISCOUNTED)? {
            self.undiscounted.insert(season.clone(), classes);
        }
        Ok(())
    }

    /// The enrolments as they count for prices: in their class's current season, and discounted as the class is now. An
    /// enrolment in an archived class counts for no price, as if the class had never existed.
    pub(super) fn settle(&self, enrolments: &mut Vec<Enrolment>) {
        enrolments.retain(|enrolment| !self.given_up.contains(&enrolment.class));
        for enrolment in enrolments {
            if let Some(season) = self.moved.get(&enrolment.class) {
                enrolment.season = season.clone();
            }
            if let Some(classes) = self.undiscounted.get(&enrolment.season) {
                enrolment.discountable = !classes.contains(&enrolment.class);
            }
        }
    }
}

fn list(season: &Attributes, name: &'static str) -> Result<Option<BTreeSet<ClassId>>, StoreError> {
    if !season.contains_key(name) {
        return Ok(None);
    }
    let ids: Vec<String> = season.document(name)?;
    ids.iter().map(|id| id.parse().map_err(|_| StoreError::Corrupt(name))).collect::<Result<_, _>>().map(Some)
}

/// Removes fees that were charged once and are stored twice: for a year, and under the bare number that an earlier
/// version wrote for the same year.
pub(super) fn settle_fees(charged: &mut Vec<ChargedFee>) {
    let spelled_out: BTreeSet<_> = charged.iter().map(key_of).collect();
    charged.retain(|fee| {
        let bare = fee.period.first_of_year().map(FeePeriod::year).filter(|year| *year != fee.period);
        bare.is_none_or(|year| !spelled_out.contains(&(fee.fee.clone(), fee.student.clone(), year)))
    });
}

fn key_of(fee: &ChargedFee) -> (FeeId, StudentId, FeePeriod) {
    (fee.fee.clone(), fee.student.clone(), fee.period.clone())
}

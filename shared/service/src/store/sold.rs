//! What the classes that were sold are now, as it stands beside the seasons.
//!
//! Invariant: a price depends on the catalogue as it is and on what is sold: what an enrolment has kept of its class
//! decides only where nothing newer is stored, as an earlier version leaves it.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::catalogue::{ChargedFee, Enrolment, FeePeriod};
use classpay_domain::id::{ClassId, FeeId, SeasonId, StudentId};

use super::StoreError;
use super::item::{Attributes, Read as _};

/// The attribute of a season that lists its classes that are archived.
pub const GIVEN_UP: &str = "given_up_classes";
/// The attribute of a season that lists its classes that no discount scheme counts.
pub const UNDISCOUNTED: &str = "undiscounted_classes";
/// The attribute of a season that lists its classes that have been in another.
pub const MOVED: &str = "moved_classes";

/// What the classes of all seasons are, where that isn't what most are.
#[derive(Debug, Default)]
pub(super) struct SoldClasses {
    given_up: BTreeSet<ClassId>,
    /// By season; one that an earlier version has stored has no list.
    undiscounted: BTreeMap<SeasonId, BTreeSet<ClassId>>,
    moved: BTreeMap<ClassId, SeasonId>,
}

impl SoldClasses {
    /// Adds what stands beside a season.
    pub(super) fn read(&mut self, season: &SeasonId, item: &Attributes) -> Result<(), StoreError> {
        self.given_up.extend(list(item, GIVEN_UP)?.unwrap_or_default());
        self.moved.extend(list(item, MOVED)?.unwrap_or_default().into_iter().map(|class| (class, season.clone())));
        if let Some(classes) = list(item, UNDISCOUNTED)? {
            self.undiscounted.insert(season.clone(), classes);
        }
        Ok(())
    }

    /// The enrolments as they count: in the season in which their class is now, and as that is discounted now. One of a
    /// class that is archived counts for no price: it is as if the class had never been.
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

/// Leaves out what was charged once and is stored twice: for a year, and under the bare number that an earlier version
/// has written for the same year.
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

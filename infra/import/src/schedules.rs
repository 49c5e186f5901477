//! Instalments that a file brings for enrolments that are there already.
//!
//! Invariant: an enrolment gets them once, and only while it is live.

use classpay_domain::id::{EnrolmentId, PlanId};
use classpay_service::store::key::Key;
use classpay_service::store::layout::ACTIVE;
use classpay_service::store::{Guard, Item, MAX_ACTIONS, Write, Writes};

use crate::{Import, ImportError, done};

/// What an enrolment lacks.
#[derive(Debug)]
pub(super) struct LateSchedule {
    pub(super) place: Key,
    pub(super) enrolment: EnrolmentId,
    /// The plan that it is on, if it doesn't say.
    pub(super) plan: Option<PlanId>,
    pub(super) instalments: Option<Item>,
}

impl Import<'_> {
    /// Adds what enrolments lack.
    pub(super) async fn write_schedules(&self, late: &[LateSchedule]) -> Result<(), ImportError> {
        // Two actions each.
        for late in late.chunks(MAX_ACTIONS / 2) {
            let mut writes = Writes::new();
            for LateSchedule { place, enrolment, plan, instalments } in late {
                instalments.iter().for_each(|item| writes.create(item.clone()));
                let live = Write::edit(place.clone())
                    .when(Guard::is("enrolment_id", enrolment.as_str()))
                    .when(Guard::is("place_state", ACTIVE));
                writes.push(match plan {
                    None => live,
                    Some(plan) => live.set("plan", plan.as_str()),
                });
            }
            done(self.store.transact(writes).await?)?;
        }
        Ok(())
    }
}

//! Lessons for which a file has brought more trials than they take.
//!
//! Invariant: nobody is sent away; a lesson that has too many sells no more.

use std::collections::BTreeMap;

use classpay_domain::id::{ClassId, TrialId};
use classpay_service::store::{Consistency, Read as _, StoreError, key};
use jiff::civil::Date;

use crate::Import;
use crate::catalogue::Catalogue;
use crate::changes::Overfull;

impl Import<'_> {
    /// Which of the lessons that trials were added to, and that are still to come, have more than they take.
    pub(super) async fn overfull_lessons(
        &self,
        catalogue: &Catalogue,
        added: BTreeMap<(ClassId, Date), Vec<TrialId>>,
        today: Date,
    ) -> Result<Vec<Overfull>, StoreError> {
        let (company, trial) = (&catalogue.company.id, &catalogue.company.settings.trial);
        if !trial.limited_capacity {
            return Ok(Vec::new());
        }
        let to_come: Vec<_> = added.into_iter().filter(|((_, on), _)| *on >= today).collect();
        let keys = to_come.iter().map(|((class, on), _)| key::lesson(company, class, *on)).collect();
        let stored = self.store.get_all(keys, Consistency::Strong).await?;
        let mut overfull = Vec::new();
        for ((class, on), trials) in to_come {
            let Some(item) = stored.get(&key::lesson(company, &class, on)) else { continue };
            let (taken, places) = (item.number::<i64>("trials_booked")?, i64::from(trial.max_capacity_per_lesson));
            if taken <= places {
                continue;
            }
            let name = catalogue.classes.iter().find(|known| known.id == class).map(|known| known.name.clone());
            overfull.push(Overfull {
                class: class.to_string(),
                name: name.unwrap_or_default(),
                on: Some(on),
                places,
                taken,
                added: trials.iter().map(|trial| (String::new(), trial.to_string())).collect(),
            });
        }
        Ok(overfull)
    }
}

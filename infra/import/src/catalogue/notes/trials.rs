//! Trials of a file at times without a lesson: their class may have been moved since.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::calendar;
use classpay_domain::catalogue::{Class, Holiday, Season};
use classpay_service::catalogue::documents::ClassDoc;
use jiff::civil::Date;

use super::Found;
use crate::catalogue::file::Catalogue;

/// Trials that are not of a lesson of their class (rule 27). They are loaded as they are.
pub(super) fn without_lesson(catalogue: &Catalogue) -> Vec<Found> {
    let seasons: BTreeMap<_, _> =
        catalogue.seasons.iter().filter_map(|doc| Some((&doc.id, Season::try_from(doc).ok()?))).collect();
    let holidays: Vec<_> = catalogue.holidays.iter().filter_map(|doc| Holiday::try_from(doc).ok()).collect();
    let classes: BTreeMap<_, _> = catalogue.classes.iter().map(|class| (&class.id, class)).collect();
    let lessons = |class: &ClassDoc, holidays: &[Holiday]| -> Option<BTreeSet<Date>> {
        let season = seasons.get(&class.season_id)?;
        Some(calendar::lessons(&Class::try_from(class).ok()?, season, holidays).into_iter().collect())
    };
    let mut known = BTreeMap::new();
    let mut found = Vec::new();
    for (i, family) in catalogue.families.iter().enumerate() {
        for (j, trial) in family.trials.iter().enumerate() {
            let Some(class) = classes.get(&trial.class_id) else { continue };
            if trial.time != class.start_time {
                let (time, starts) = (trial.time.strftime("%H:%M"), class.start_time.strftime("%H:%M"));
                let what = format!("{time} is not {starts}, when {} ({}) begins: it is kept", class.name, class.id);
                found.push((format!("families[{i}].trials[{j}].time"), what));
            }
            let held = known.entry(&class.id).or_insert_with(|| lessons(class, &holidays));
            let Some(held) = held.as_ref().filter(|held| !held.contains(&trial.trial_at)) else { continue };
            // A class that has none at all is named itself.
            let (Some(first), Some(last)) = (held.first(), held.last()) else { continue };
            let is_holiday = lessons(class, &[]).is_some_and(|all| all.contains(&trial.trial_at));
            let why = match trial.trial_at.weekday() == class.day_of_week {
                false => format!("they are on {:?}s", class.day_of_week),
                true if is_holiday => "it is in a holiday".to_owned(),
                true => format!("they are from {first} to {last}"),
            };
            let what = format!("{} has no lesson of {} ({}): {why}", trial.trial_at, class.name, class.id);
            found.push((format!("families[{i}].trials[{j}].trialAt"), what));
        }
    }
    found
}

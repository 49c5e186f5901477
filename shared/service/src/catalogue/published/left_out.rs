//! What a file has and isn't sold here: drop-in classes with what is in them, and enrolments that have ended.
//!
//! Invariant: whatever refers to something that is left out is left out with it, and told of once; a tax rate goes only
//! when nothing is taxed at it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::mistake::Mistake;
use super::super::tree::Node;
use super::date_of;
use crate::clock::local_date;

/// A class that is left out.
#[derive(Debug)]
pub(super) struct LeftOut {
    /// Where it stands.
    pub place: String,
    /// Its id, if it has one.
    pub id: Option<String>,
}

/// Leaves out what is in classes that are left out, and what has ended.
pub(super) fn settle(root: &mut Node, classes: Vec<LeftOut>, now: Option<Timestamp>) -> Vec<Mistake> {
    let today = now.map(|now| today(root, now));
    let lasting = last_lessons(root);
    let mut within: BTreeMap<String, Within> =
        classes.iter().filter_map(|class| Some((class.id.clone()?, Within { enrolments: 0, trials: 0 }))).collect();
    let (mut ended, mut ending) = (Many::default(), Many::default());
    for (index, family) in root.elements_mut("families").iter_mut().enumerate() {
        for (list, gone_with) in [("enrolments", &["deletedAt"][..]), ("trials", &["deletedAt", "archivedAt"])] {
            for (number, element) in family.elements_mut(list).iter_mut().enumerate() {
                let is_gone = gone_with.iter().any(|name| element.field(name).is_some_and(|at| !at.is_null()));
                if is_gone {
                    continue;
                }
                let class = element.field("classId").and_then(Node::string);
                if let Some(within) = class.as_ref().and_then(|class| within.get_mut(class)) {
                    if list == "trials" {
                        within.trials += 1
                    } else {
                        within.enrolments += 1
                    }
                    *element = Node::Gone;
                    continue;
                }
                let ends = element.field("endAt").and_then(Node::string).and_then(|at| date_of(&at));
                let (Some(ends), Some(today), "enrolments") = (ends, today, list) else { continue };
                let place = || format!("families[{index}].enrolments[{number}].endAt");
                if ends < today {
                    ended.add(place, ends);
                    *element = Node::Gone;
                } else if class.is_some_and(|class| lasting.get(&class).is_none_or(|last| ends < *last)) {
                    ending.add(place, ends);
                }
            }
        }
    }
    let classes = classes.into_iter().map(|LeftOut { place, id }| {
        let within = id.and_then(|id| within.remove(&id)).map_or(String::new(), |within| within.to_string());
        Mistake::new(place, format!("a drop-in class is not sold here: it is left out{within}"))
    });
    let ended = ended.note(|day, more| {
        format!("{day} is past: the enrolment{more} left out; one that was loaded or sold before stays as it is")
    });
    let ending = ending.note(|day, more| {
        format!("{day} is not used: the enrolment{more} taken as lasting to the class's last lesson")
    });
    let mut notes: Vec<_> = classes.collect();
    notes.extend(ended);
    notes.extend(ending);
    notes
}

/// The company's local date; where its timezone is wrong, which is named there, that of UTC.
fn today(root: &Node, now: Timestamp) -> Date {
    let settings = root.field("company").and_then(|company| company.field("settings"));
    let zone = settings.and_then(|settings| settings.field("general")).and_then(|general| general.field("timezone"));
    let local = zone.and_then(Node::string).and_then(|zone| local_date(now, &zone));
    local.unwrap_or_else(|| now.to_zoned(TimeZone::UTC).date())
}

fn last_lessons(root: &mut Node) -> BTreeMap<String, Date> {
    let classes = root.elements_mut("classes").iter();
    let last = |class: &Node| {
        let last = class.field("lastLessonEndDate")?.string()?;
        Some((class.field("id")?.string()?, date_of(&last)?))
    };
    classes.filter_map(last).collect()
}

/// What is in a class that is left out.
#[derive(Debug)]
struct Within {
    enrolments: usize,
    trials: usize,
}

impl std::fmt::Display for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counted = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            more => Some(format!("{more} {what}s")),
        };
        let all = [counted(self.enrolments, "enrolment"), counted(self.trials, "trial")];
        let all: Vec<_> = all.into_iter().flatten().collect();
        if all.is_empty() { Ok(()) } else { write!(f, ", with {} in it", all.join(" and ")) }
    }
}

/// Things of which the same is said: the first is named, and the others are counted.
#[derive(Debug, Default)]
struct Many {
    first: Option<(String, Date)>,
    more: usize,
}

impl Many {
    fn add(&mut self, place: impl FnOnce() -> String, day: Date) {
        match self.first {
            None => self.first = Some((place(), day)),
            Some(_) => self.more += 1,
        }
    }

    fn note(self, what: impl FnOnce(Date, &str) -> String) -> Option<Mistake> {
        let (place, day) = self.first?;
        let more = match self.more {
            0 => " is".to_owned(),
            more => format!(" and {more} more like it are"),
        };
        Some(Mistake::new(place, what(day, &more)))
    }
}

/// Keeps a deleted tax rate that something is taxed at. To be untaxed because nobody had looked is worse than to be taxed
/// as before, so it is, and that is told.
pub(super) fn keep_tax_rates(root: &mut Node) -> Vec<Mistake> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut uses = |rate: Option<String>| {
        if let Some(rate) = rate {
            *used.entry(rate).or_default() += 1;
        }
    };
    for class in root.elements_mut("classes") {
        uses(class.field("settings").and_then(|settings| settings.field("taxRateId")).and_then(Node::string));
    }
    for fee in root.elements_mut("registrationFees") {
        uses(rate_of_fee(fee));
    }
    for season in root.elements_mut("seasons") {
        season.elements_mut("additionalFees").iter_mut().for_each(|fee| uses(rate_of_fee(fee)));
        season.field_mut("registrationFeeDto").into_iter().for_each(|fee| uses(rate_of_fee(fee)));
    }
    let mut notes = Vec::new();
    for (index, rate) in root.elements_mut("taxRates").iter_mut().enumerate() {
        let id = rate.field("id").and_then(Node::string);
        let Some(count) = id.and_then(|id| used.get(&id)) else { continue };
        if undelete(rate) {
            let things = if *count == 1 { "1 class or fee is" } else { &format!("{count} classes and fees are") };
            notes.push(Mistake::new(
                format!("taxRates[{index}].deletedAt"),
                format!("is not used: {things} taxed at this rate, and so it stays until none is"),
            ));
        }
    }
    notes
}

/// The rate that a fee names, or spells out; a copy that it spells out is as little deleted as the rate is.
fn rate_of_fee(fee: &mut Node) -> Option<String> {
    if let Some(rate) = fee.field_mut("taxRate") {
        undelete(rate);
        return rate.field("id").and_then(Node::string);
    }
    fee.field("taxRateId").and_then(Node::string)
}

/// Takes the mark of something deleted away; whether it had one.
fn undelete(node: &mut Node) -> bool {
    let Some(fields) = node.fields_mut() else { return false };
    let before = fields.len();
    fields.retain(|(name, value)| name != "deletedAt" || value.is_null());
    fields.len() < before
}

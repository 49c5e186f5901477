//! What a file has and isn't sold here: drop-in classes with what is in them, enrolments that have ended, and trials of who has
//! enrolled since.
//!
//! Invariant: what refers to a class that is left out is left out with it, and one note names both. A deleted tax rate is
//! kept while a class or a fee uses it.

use std::collections::{BTreeMap, BTreeSet};

use classpay_service::clock::local_date;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::mistake::Mistake;
use super::super::tree::Node;
use super::date_of;

/// A class that is left out.
#[derive(Debug)]
pub(super) struct LeftOut {
    /// Where it stands.
    pub place: String,
    /// Its id, if it has one.
    pub id: Option<String>,
}

/// What becomes of an enrolment or a trial.
enum Fate {
    Stays,
    /// It is in this class, which is left out.
    GoesWith(String),
    HasEnded(Date),
    /// It was on this day, and its student is enrolled in its class.
    IsEnrolled(Date),
    /// It will end before its class does.
    WillEnd(Date),
}

/// What decides it.
struct Judge {
    today: Option<Date>,
    /// Of each class that stays: its last lesson at the latest.
    last_lessons: BTreeMap<String, Date>,
    within: BTreeMap<String, Within>,
}

impl Judge {
    fn enrolment(&self, enrolment: &Node) -> Fate {
        let Some(class) = self.class_of(enrolment, &["deletedAt"]) else { return Fate::Stays };
        if self.within.contains_key(&class) {
            return Fate::GoesWith(class);
        }
        let ends = enrolment.field("endAt").and_then(Node::string).and_then(|at| date_of(&at));
        let (Some(ends), Some(today)) = (ends, self.today) else { return Fate::Stays };
        match self.last_lessons.get(&class) {
            _ if ends < today => Fate::HasEnded(ends),
            Some(last) if ends < *last => Fate::WillEnd(ends),
            Some(_) | None => Fate::Stays,
        }
    }

    /// `enrolled`: the students of the family, each with a class that they are enrolled in.
    fn trial(&self, trial: &Node, enrolled: &BTreeSet<(String, String)>) -> Fate {
        let Some(class) = self.class_of(trial, &["deletedAt", "archivedAt"]) else { return Fate::Stays };
        if self.within.contains_key(&class) {
            return Fate::GoesWith(class);
        }
        let on = trial.field("trialAt").and_then(Node::string).and_then(|at| date_of(&at));
        let who = trial.field("studentId").and_then(Node::string).map(|student| (student, class));
        match (on, who) {
            (Some(on), Some(who)) if enrolled.contains(&who) => Fate::IsEnrolled(on),
            _ => Fate::Stays,
        }
    }

    /// Who is enrolled, and in what, of those that stay.
    fn enrolled(&self, enrolments: &[Node]) -> BTreeSet<(String, String)> {
        let stay = enrolments.iter().filter_map(|enrolment| {
            let class = self.class_of(enrolment, &["deletedAt"])?;
            Some((enrolment.field("studentId")?.string()?, class))
        });
        stay.collect()
    }

    /// Its class; of what is gone by itself, none.
    fn class_of(&self, place: &Node, gone_with: &[&str]) -> Option<String> {
        let is_gone = gone_with.iter().any(|name| place.field(name).is_some_and(|at| !at.is_null()));
        if is_gone { None } else { place.field("classId")?.string() }
    }
}

/// Leaves out what is in classes that are left out, and what has ended.
pub(super) fn settle(root: &mut Node, classes: Vec<LeftOut>, now: Option<Timestamp>) -> Vec<Mistake> {
    let within = classes.iter().filter_map(|class| Some((class.id.clone()?, Within::default()))).collect();
    let mut judge = Judge { today: now.map(|now| today(root, now)), last_lessons: last_lessons(root), within };
    let (mut ended, mut ending, mut tried) = (Many::default(), Many::default(), Many::default());
    for (index, family) in root.elements_mut("families").iter_mut().enumerate() {
        for (number, enrolment) in family.elements_mut("enrolments").iter_mut().enumerate() {
            let place = || format!("families[{index}].enrolments[{number}].endAt");
            match judge.enrolment(enrolment) {
                Fate::Stays | Fate::IsEnrolled(_) => continue,
                Fate::WillEnd(day) => {
                    ending.add(place, day);
                    continue;
                }
                Fate::HasEnded(day) => ended.add(place, day),
                Fate::GoesWith(class) => judge.within.entry(class).or_default().enrolments += 1,
            }
            *enrolment = Node::Gone;
        }
        let enrolled = judge.enrolled(family.elements_mut("enrolments"));
        for (number, trial) in family.elements_mut("trials").iter_mut().enumerate() {
            match judge.trial(trial, &enrolled) {
                Fate::Stays | Fate::HasEnded(_) | Fate::WillEnd(_) => continue,
                Fate::GoesWith(class) => judge.within.entry(class).or_default().trials += 1,
                Fate::IsEnrolled(day) => tried.add(|| format!("families[{index}].trials[{number}]"), day),
            }
            *trial = Node::Gone;
        }
    }
    let classes = classes.into_iter().map(|LeftOut { place, id }| {
        let within = id.and_then(|id| judge.within.remove(&id)).unwrap_or_default();
        Mistake::new(place, format!("a drop-in class is not sold here: it is left out{within}"))
    });
    let ended = ended.note(|day, more| {
        format!("{day} is past: the enrolment{more} left out; one that was loaded or sold before stays as it is")
    });
    let ending = ending.note(|day, more| {
        format!("{day} is not used: the enrolment{more} taken as lasting to the class's last lesson")
    });
    let tried = tried.note(|day, more| {
        format!("its student is enrolled in its class: the trial on {day}{more} left out; one that was loaded or booked before stays")
    });
    classes.collect::<Vec<_>>().into_iter().chain(ended).chain(ending).chain(tried).collect()
}

/// The company's local date; where its timezone is wrong, which is named there, that of UTC.
fn today(root: &Node, now: Timestamp) -> Date {
    let settings = root.field("company").and_then(|company| company.field("settings"));
    let zone = settings.and_then(|settings| settings.field("general")).and_then(|general| general.field("timezone"));
    let local = zone.and_then(Node::string).and_then(|zone| local_date(now, &zone).ok());
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
#[derive(Debug, Default)]
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
/// as before, so it is, and that is reported.
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
    if let Some(rate) = fee.field_mut("taxRate").filter(|rate| !rate.is_null()) {
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

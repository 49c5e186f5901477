//! What an import changes, before it does: what an office is shown, and asked about.
//!
//! Invariant: nothing is decided here but whether so much may be taken away without being asked for.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::catalogue::Currency;
use classpay_domain::id::EnrolmentId;
use jiff::civil::Date;

use crate::catalogue::Note;

/// So many of a hundred of a kind can go unasked: a file that was cut off, or exported with a filter on, loses more.
const UNASKED_PERCENT: usize = 5;

/// How much of the catalogue the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: what it lacks is taken away.
    Whole(Removals),
    /// A part: it only adds and changes.
    Part,
}

/// How much may be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removals {
    /// A few of each kind.
    Few,
    /// At most this number in all. Fewer are left to take away when an import is repeated or goes on after an interruption.
    AtMost(usize),
    /// Any number: for tables whose studio belongs to nobody.
    Any,
}

/// A kind of thing that a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The company itself.
    Company,
    /// Its tax rates.
    TaxRate,
    /// Its registration fees.
    RegistrationFee,
    /// Its discount schemes.
    DiscountScheme,
    /// Its holidays.
    Holiday,
    /// Its seasons, with their plans and fees.
    Season,
    /// Its classes.
    Class,
    /// Its families.
    Family,
    /// Their students.
    Student,
    /// Their enrolments: only added, and given instalments that they lack.
    Enrolment,
    /// Their trials: only added.
    Trial,
    /// What they were charged: only added.
    ChargedFee,
    /// Their debits and credits: only added.
    Transaction,
}

impl Kind {
    /// One of them, and more of them, for people.
    #[must_use]
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Company => ("company", "companies"),
            Self::TaxRate => ("tax rate", "tax rates"),
            Self::RegistrationFee => ("registration fee", "registration fees"),
            Self::DiscountScheme => ("discount scheme", "discount schemes"),
            Self::Holiday => ("holiday", "holidays"),
            Self::Season => ("season", "seasons"),
            Self::Class => ("class", "classes"),
            Self::Family => ("family", "families"),
            Self::Student => ("student", "students"),
            Self::Enrolment => ("enrolment", "enrolments"),
            Self::Trial => ("trial", "trials"),
            Self::ChargedFee => ("charged fee", "charged fees"),
            Self::Transaction => ("transaction", "transactions"),
        }
    }
}

/// All that an import changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// By kind; a kind of which nothing is stored or in the file may be missing.
    pub kinds: BTreeMap<Kind, KindChanges>,
    /// What amounts are in.
    pub currency: Currency,
    /// An earlier version has loaded this company, and perhaps not listed all that it has: classes, families and students
    /// that are stored, neither listed nor in the file, are not known, and stay.
    pub is_unlisted: bool,
    /// What the file says otherwise than the table of what was sold, which stays; and what is done at once.
    pub notes: Vec<Note>,
    /// The file's enrolments whose instalments are stored already.
    pub scheduled: BTreeSet<EnrolmentId>,
}

/// What an import changes of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindChanges {
    /// How many there are in the table, without those that were archived before.
    pub before: usize,
    /// How many are new.
    pub added: usize,
    /// How many are stored otherwise, or come back.
    pub changed: usize,
    /// What the file doesn't have any more: removed (a holiday) or archived (all else).
    pub taken_away: Vec<TakenAway>,
    /// Those of the changed ones that the file itself archives. It says so, and isn't asked.
    pub archived: Vec<TakenAway>,
}

/// Something that the file doesn't have any more, or archives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenAway {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What goes on without it.
    pub outstanding: Outstanding,
}

/// What was sold of something and isn't over. It stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Live enrolments.
    pub enrolments: i64,
    /// Trials that are booked and still to come.
    pub trials: i64,
    /// Instalments that will be debited on their dates.
    pub instalments: usize,
    /// Their sum, in minor units.
    pub instalments_amount: i64,
    /// What its debits still owe, in minor units.
    pub due: i64,
}

impl Outstanding {
    /// Whether there is any.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A class, or a lesson of it, that has more students than places. It stays full until so many and one more have left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overfull {
    /// The class.
    pub class: String,
    /// What it is called.
    pub name: String,
    /// The lesson, if it is about its trials.
    pub on: Option<Date>,
    /// How many it takes.
    pub places: i64,
    /// How many have a place, or have one reserved.
    pub taken: i64,
    /// Those of them whom this import has added: their names, and their enrolments' ids.
    pub added: Vec<(String, String)>,
}

impl Changes {
    /// How many things are new, changed or taken away.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kinds.values().map(|kind| kind.added + kind.changed + kind.taken_away.len()).sum()
    }

    /// How many are taken away.
    #[must_use]
    pub fn taken_away(&self) -> usize {
        self.kinds.values().map(|kind| kind.taken_away.len()).sum()
    }

    /// The kinds that lose more than can go unasked. There is no smallest kind: one holiday of ten is asked about.
    pub fn much(&self) -> impl Iterator<Item = (Kind, &KindChanges)> {
        let is_much = |kind: &KindChanges| kind.taken_away.len() * 100 > kind.before * UNASKED_PERCENT;
        self.kinds.iter().map(|(kind, changes)| (*kind, changes)).filter(move |(_, changes)| is_much(changes))
    }

    /// Whether so much may be taken away.
    pub(super) fn is_allowed(&self, extent: Extent) -> bool {
        match extent {
            Extent::Part | Extent::Whole(Removals::Any) => true,
            Extent::Whole(Removals::Few) => self.much().next().is_none(),
            Extent::Whole(Removals::AtMost(most)) => self.taken_away() <= most,
        }
    }
}

//! A family: its students, and what it has already.
//!
//! Invariant: what is reserved counts like what is booked, so that two baskets at once can't both be the first.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::ChargedFee;
use crate::id::{ClassId, EnrolmentId, FamilyId, SeasonId, StudentId, TrialId};

/// A student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Student {
    /// Its id.
    pub id: StudentId,
    /// Its name.
    pub name: String,
    /// Whether discount schemes count it.
    pub discountable: bool,
    /// `None`: the age is not checked.
    pub born_on: Option<Date>,
    /// An archived student can't be enrolled.
    pub archived: bool,
}

/// A live enrolment: reserved or active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Who.
    pub student: StudentId,
    /// Where.
    pub class: ClassId,
    /// The class's season.
    pub season: SeasonId,
    /// Whether discount schemes count the class.
    pub discountable: bool,
}

/// How far a trial booking has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialState {
    /// The order that books it is not finished.
    Reserved,
    /// Booked.
    Active,
    /// The student has enrolled before its lesson, or is about to. It was had all the same.
    Ended,
}

/// A trial booking that was not cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBooking {
    /// Its id.
    pub id: TrialId,
    /// Who.
    pub student: StudentId,
    /// Where.
    pub class: ClassId,
    /// The lesson.
    pub on: Date,
    /// How far it has got.
    pub state: TrialState,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// Its name.
    pub name: String,
    /// Archived or deleted: nothing is sold to it.
    pub archived: bool,
    /// Its students.
    pub students: BTreeMap<StudentId, Student>,
    /// Live enrolments of its students.
    pub enrolments: Vec<Enrolment>,
    /// Trial bookings of its students, but for cancelled ones.
    pub trials: Vec<TrialBooking>,
    /// Fees that its students were charged.
    pub charged_fees: Vec<ChargedFee>,
}

//! A family, its students, and what it has already bought.
//!
//! Reserved items count like booked ones, so that two concurrent baskets can't both be the first.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::ChargedFee;
use crate::id::{ClassId, EnrolmentId, FamilyId, SeasonId, StudentId, TrialId};

/// A student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Student {
    /// The student's id.
    pub id: StudentId,
    /// The student's name.
    pub name: String,
    /// Whether discount schemes count the student.
    pub discountable: bool,
    /// Date of birth; `None` if the age is not checked.
    pub born_on: Option<Date>,
    /// An archived student can't be enrolled.
    pub archived: bool,
}

/// A live enrolment: reserved or active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// The student.
    pub student: StudentId,
    /// The class.
    pub class: ClassId,
    /// The class's season.
    pub season: SeasonId,
    /// Whether discount schemes count the class.
    pub discountable: bool,
}

/// The state of a trial booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialState {
    /// The order that books it is not finished.
    Reserved,
    /// Booked.
    Active,
    /// The student enrolled before the lesson, or is about to. The trial still counts as used.
    Ended,
}

/// A trial booking that was not cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBooking {
    /// Its id.
    pub id: TrialId,
    /// The student.
    pub student: StudentId,
    /// The class.
    pub class: ClassId,
    /// The date of the lesson.
    pub on: Date,
    /// Its state.
    pub state: TrialState,
}

/// The family that buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// Its name.
    pub name: String,
    /// Archived or deleted: nothing is sold to the family.
    pub archived: bool,
    /// Its students.
    pub students: BTreeMap<StudentId, Student>,
    /// Live enrolments of its students.
    pub enrolments: Vec<Enrolment>,
    /// Trial bookings of its students, except cancelled ones.
    pub trials: Vec<TrialBooking>,
    /// Fees that its students have been charged.
    pub charged_fees: Vec<ChargedFee>,
}

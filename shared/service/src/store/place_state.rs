//! The states of a place: an enrolment's in its class, or a trial's in its lesson.

/// An order that isn't completed holds it.
pub const RESERVED: &str = "RESERVED";
/// It is taken.
pub const ACTIVE: &str = "ACTIVE";
/// It is free again.
pub const CANCELLED: &str = "CANCELLED";
/// A trial's, whose student has enrolled before its lesson.
pub(super) const ENDED: &str = "ENDED";

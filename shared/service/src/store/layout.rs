//! The items that an import writes and reads as a checkout does, and the states that they are in.
//!
//! Invariant: each is made in one place and read in one, whoever writes it.

pub use super::bookings::{ACTIVE, CANCELLED, RESERVED, enrolment_item, place_item, trial_item};
pub use super::due::{due_item, due_of};
pub use super::entries::{entry_item, entry_of};
pub use super::fees::{RELEASED, charged_fee_item};
pub use super::instalments::{item as instalments_item, scheduled_of};
pub use super::orders::PENDING;
pub use super::sold::{GIVEN_UP, MOVED, UNDISCOUNTED};

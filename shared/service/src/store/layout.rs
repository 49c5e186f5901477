//! The items that an import writes and reads as a checkout does, and their states.
//!
//! Each item is built in one place and read in one, for the import and the checkout alike.

pub use super::bookings::{enrolment_item, place_item, trial_item};
pub use super::due::{due_item, due_of};
pub use super::entries::{entry_item, entry_of};
pub use super::fees::{RELEASED, charged_fee_item};
pub use super::instalments::{item as instalments_item, scheduled_of};
pub use super::order::PENDING;
pub use super::place_state::{ACTIVE, CANCELLED, RESERVED};
pub use super::sold::{GIVEN_UP, MOVED, UNDISCOUNTED};

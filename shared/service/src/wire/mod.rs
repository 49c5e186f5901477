//! What is both sent and stored: the same words at the edge and in the table.

pub mod items;
pub mod object;

pub use items::{EnrolmentBody, ItemsBody, TrialBody};

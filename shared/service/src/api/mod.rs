//! The HTTP edge: what is not trusted comes in here, and answers go out.
//!
//! Read in this order: [`error`] (the one table of codes), [`endpoint`] (which operation answers which), [`caller`] (who
//! asks), [`extract`], [`object`], [`query`] and [`items`] (what they ask for), [`respond`] (the answer).
//!
//! Invariant: nothing below this module knows a status code, and nothing here decides about money or places.

pub mod caller;
pub mod endpoint;
pub mod error;
pub mod extract;
pub mod items;
pub mod object;
pub mod query;
pub mod respond;

pub use caller::{Caller, FamilyScope, Reach, Role};
pub use endpoint::Endpoint;
pub use error::{ApiError, ErrorCode};
pub use items::{EnrolmentBody, ItemsBody, TrialBody};
pub use respond::{Response, answer};

//! The HTTP edge: what is not trusted comes in here, and answers go out.
//!
//! Read in this order: [`error`] (the status of each code), [`endpoint`] (which operation answers which), [`caller`] (who
//! asks), [`extract`] and [`query`] (what they ask for), [`respond`] (the answer). Bodies that one operation alone answers
//! are in its function.
//!
//! Invariant: nothing below this module knows a status code, and nothing here decides about money or places.

pub mod caller;
pub mod endpoint;
pub mod error;
pub mod extract;
mod payment_link;
pub mod query;
pub mod respond;

pub use caller::Caller;
pub use endpoint::Endpoint;
pub use payment_link::{LinkWithUrl, PaymentLinkBody};
pub use respond::{Response, answer};

//! The HTTP edge: reads untrusted requests and writes answers.
//!
//! Read in this order: [`error`] (the status of each code), [`endpoint`] (which operation answers which), [`caller`]
//! (the authenticated caller), [`extract`] and [`query`] (the request), [`respond`] (the answer). A body that only one
//! operation answers is in that operation's function.
//!
//! Nothing below this module knows a status code, and nothing here decides about money or places.

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

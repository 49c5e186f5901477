//! Stripe: an adapter in the domain's terms, over one transport.
//!
//! Read in this order: [`error`] (what a failed call proves), [`retry`] (what may be sent again), [`transport`] (how it
//! is sent), [`intent`] (what we know about a payment), [`requests`] (what is sent), [`adapter`] (the calls),
//! [`customers`] (the payers), [`events`] (the list of events), [`signature`] and [`signing`] (whether Stripe sent an
//! event) and [`wire`] (how a payment looks to callers).
//!
//! No type of the SDK leaves this module. Nothing here decides about an order: a lost reply is
//! [`StripeError::OutcomeUnknown`], and nothing is concluded from it.

pub mod adapter;
mod config;
pub mod customers;
pub mod error;
pub mod events;
pub mod intent;
pub mod payments;
pub mod requests;
mod retry;
mod secret;
pub mod signature;
pub mod signing;
mod timing;
pub mod transport;
pub mod wire;

pub use adapter::{MARKER, Stripe};
pub use config::{DEFAULT_API_BASE, StripeConfig, StripeConfigError, is_stripe_or_this_machine};
pub use customers::{Customer, KnownCustomer, NewCustomer};
pub use error::{Rejection, StripeError};
pub use events::{EventPage, EventQuery};
pub use intent::{BacsDebit, Card, Charge, Intent, PaymentMethod, PaymentMethodData, Refund};
pub use payments::{CustomerSession, EphemeralKey, Methods, NewIntent, Payments, SavedCards};
pub use secret::Secret;
pub use timing::Timing;
pub use transport::Transport;
pub use wire::{PaymentIntentBody, PaymentSessionBody};

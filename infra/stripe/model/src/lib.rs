//! What Stripe does with payments: its objects, the rules by which calls and the outside world change them, and the
//! events that report the changes. Pure: no I/O, no clock, and no randomness but the state's own generator.
//!
//! The stand-in over HTTP serves this model, and the simulation implements the service's port on it.
//!
//! Read in this order: [`state`] (what is stored), [`call`] (a change in progress), [`intents`] with [`params`],
//! [`methods`], [`confirm`], [`debits`] and [`holds`] (a payment), [`charges`], [`refunds`] and [`disputes`],
//! [`customers`] and what belongs to them, [`happenings`] (what no call does), [`events`], and [`keys`] (idempotency).
//!
//! A call takes typed parameters and answers a typed object, whose JSON is as Stripe writes it. What Stripe's own
//! description says of parameters is checked by the HTTP part, before a call; the rules that it can't express are here.

pub mod accounts;
pub mod call;
pub mod charges;
pub mod confirm;
pub mod customer_sessions;
pub mod customers;
pub mod debits;
pub mod disputes;
pub mod ephemeral_keys;
pub mod error;
pub mod events;
pub mod fields;
pub mod happenings;
pub mod holds;
pub mod ids;
pub mod intents;
pub mod keys;
pub mod means;
pub mod methods;
pub mod money;
pub mod page;
pub mod params;
pub mod payment_methods;
pub mod refunds;
pub mod state;

pub use accounts::Account;
pub use call::{Call, Origin, Touched};
pub use charges::Charge;
pub use customer_sessions::CustomerSession;
pub use customers::Customer;
pub use disputes::Dispute;
pub use ephemeral_keys::EphemeralKey;
pub use error::{ApiError, Effect};
pub use events::Event;
pub use intents::PaymentIntent;
pub use payment_methods::PaymentMethod;
pub use refunds::Refund;
pub use state::{Object, State};

/// The version of a call that names none; async-stripe is pinned to it.
pub const STRIPE_VERSION: &str = "2026-09-30.endive";

/// The account of the platform's own objects: a call without `Stripe-Account`.
pub const PLATFORM: &str = "acct_platform";

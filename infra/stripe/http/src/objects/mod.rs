//! The kinds of objects besides payment intents, one module each, with their calls.

pub(crate) mod accounts;
pub(crate) mod banks;
pub(crate) mod cards;
mod charges;
pub(crate) mod customer_sessions;
pub(crate) mod customers;
pub(crate) mod disputes;
pub(crate) mod ephemeral_keys;
pub(crate) mod payment_methods;
mod postal;
pub(crate) mod refunds;

pub(crate) use accounts::Account;
pub(crate) use charges::{Charge, HOLD_SECONDS, list as list_charges, retrieve as retrieve_charge};
pub(crate) use customers::Customer;
pub(crate) use disputes::Dispute;
pub(crate) use payment_methods::PaymentMethod;
pub(crate) use postal::Shipping;
pub(crate) use refunds::Refund;

//! Drives the shipped binaries from outside: starts the local stack as a process and calls it over HTTP.
//!
//! A test knows only addresses and tokens. What it asserts is visible to a client, or to an operator in the table and
//! at Stripe.

mod api;
pub mod backend;
mod books;
pub mod crowd;
mod dashboard;
mod document;
mod faults;
mod links;
pub mod log;
mod picture;
pub mod price_list;
mod processes;
mod refusal;
mod sale;
mod stack;
mod steps;
pub mod store_fixture;
pub mod studio;
mod table;
mod webhooks;

pub use api::{Answer, Api};
pub use books::assert_books_balance;
pub use classpay_simulation::executor::run as run_in_memory;
pub use classpay_simulation::signature;
pub use crowd::{Crowd, Member};
pub use document::Document;
pub use faults::{CallKind, CallTime, Callee, Point};
pub use links::{COSTUMES, COSTUMES_DUE, COSTUMES_TOTAL, OKAFOR};
pub use picture::Picture;
pub use processes::kill;
pub use stack::{DEPLOYMENT, Stack, StackOptions, Webhooks, binaries};
pub use steps::{Call, intent_id, without_request_id};
pub use table::{Item, Table, entry};

//! classpay on a laptop: the API, DynamoDB and Stripe on 127.0.0.1, with the functions' own binaries
//! behind them. `cargo dev` starts it.
//!
//! Routes, functions and the table are read from `infra/template.yaml`. Nothing here repeats them, so what runs here is
//! what is deployed.

pub mod binaries;
pub mod cli;
pub mod clock;
pub mod data_dir;
mod developer;
pub mod dynamodb;
pub mod gateway;
pub mod loopback;
mod random;
pub mod runtime;
pub mod schedule;
pub mod secrets;
pub mod stack;
pub mod stripe;
pub mod studio;
pub mod template;
pub mod welcome;

pub use classpay_operator::Problem;

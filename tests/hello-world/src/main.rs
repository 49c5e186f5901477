//! A function that does nothing: what a function costs before it does anything.
//!
//! Invariant: the runtime and the profile are those of the shipped functions, and there is nothing else in it.

use std::convert::Infallible;

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: Request| async { Ok::<_, Infallible>("Hello, world") })).await
}

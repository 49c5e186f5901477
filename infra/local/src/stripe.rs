//! Stripe: the stand-in of this repository, or the one the developer names.
//!
//! Invariant: a live key never gets to a function that was started here.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use classpay_stripe_standin::{StandIn, serve};
use tokio::net::TcpListener;

use crate::Problem;
use crate::clock::Clock;
use crate::developer::variable;
use crate::runtime::{LOCAL_STRIPE_KEY, PlatformKey};

/// Serves the stand-in until the future is ready: its state in this file, or in memory.
///
/// # Errors
/// The file is not its state, or cannot be opened.
pub fn standin<S: Future<Output = ()> + Send + 'static>(
    file: Option<&Path>,
    clock: Arc<Clock>,
    listener: TcpListener,
    shutdown: S,
) -> Result<impl Future<Output = Result<(), String>> + Send + use<S>, Problem> {
    let now = Arc::new(move || clock.now().as_second());
    let standin = match file {
        None => StandIn::memory(now),
        Some(file) => StandIn::open(file, now),
    };
    let standin = Arc::new(standin.map_err(|problem| Problem::new(problem.to_string()))?);
    Ok(async move {
        serve(listener, standin, shutdown).await;
        Ok(())
    })
}

/// The key the functions use: the stand-in takes any, so it gets one that is nobody's.
///
/// # Errors
/// There is none for a Stripe that checks it, or it is a live one.
pub fn platform_key(is_local: bool) -> Result<PlatformKey, Problem> {
    match variable("STRIPE_SECRET_KEY") {
        _ if is_local => Ok(PlatformKey(LOCAL_STRIPE_KEY.to_owned())),
        Some(key) if key.starts_with("sk_test_") || key.starts_with("rk_test_") => Ok(PlatformKey(key)),
        Some(_) => {
            Err(Problem::new("STRIPE_SECRET_KEY is no test key (sk_test_… or rk_test_…): nothing is started with it"))
        }
        None => Err(Problem::new("--stripe-url needs the key of that Stripe in STRIPE_SECRET_KEY")),
    }
}

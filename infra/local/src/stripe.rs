//! Stripe: the stand-in of this repository, or an external one that the developer names.
//!
//! A live key never reaches a function that is started here.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use classpay_operator::machine::variable;
use classpay_operator::stack::LOCAL_STRIPE_KEY;
use classpay_stripe_standin::{StandIn, serve};
use tokio::net::TcpListener;

use crate::Problem;
use crate::clock::Clock;
use crate::secrets::{LOCAL_WEBHOOK_SECRET, PlatformKey};

/// The webhook's path in the template.
const WEBHOOK_PATH: &str = "/v1/stripe/webhook";

/// The stand-in, with its state in this file or in memory. It delivers its events to the API at `api_url`.
///
/// # Errors
/// The file is not the stand-in's state or can't be opened.
pub fn standin(file: Option<&Path>, clock: Arc<Clock>, api_url: &str) -> Result<Arc<StandIn>, Problem> {
    let now = Arc::new(move || clock.now().as_second());
    let standin = match file {
        None => StandIn::memory(now),
        Some(file) => StandIn::open(file, now),
    };
    let standin = standin.map_err(|problem| Problem::new(problem.to_string()))?;
    standin.clock_is_moved_at(format!("{api_url}/_local/clock"));
    standin
        .deliver_to(&format!("{api_url}{WEBHOOK_PATH}"), &[LOCAL_WEBHOOK_SECRET])
        .map_err(|problem| Problem::new(problem.to_string()))?;
    Ok(Arc::new(standin))
}

/// Serves the stand-in and delivers its events until the futures are ready.
pub async fn run<S>(standin: Arc<StandIn>, listener: TcpListener, shutdown: S, no_more_events: S) -> Result<(), String>
where
    S: Future<Output = ()> + Send + 'static,
{
    let deliveries = tokio::spawn(Arc::clone(&standin).deliver(no_more_events));
    serve(listener, standin, shutdown).await;
    deliveries.await.map_err(|problem| problem.to_string())
}

/// The key that functions use. The stand-in accepts any key, so it gets a dummy.
///
/// # Errors
/// An external Stripe needs a key and there is none, or the key is a live one.
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

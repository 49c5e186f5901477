//! How a function begins: its log, its connections.
//!
//! Invariant: what can fail for want of configuration fails here, before the first request.

use tracing_subscriber::EnvFilter;

use crate::config::ConfigError;
use crate::context::Context;

/// Sets up the log and connects. The context lives as long as the process.
///
/// # Errors
/// [`ConfigError`] names the variable that is missing or malformed.
pub async fn start() -> Result<&'static Context, ConfigError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Lambda keeps what is written to standard output, a line an entry, and stamps it itself.
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(false);
    log.without_time().init();
    Ok(Box::leak(Box::new(Context::connect().await?)))
}

//! The one place that reads the environment.
//!
//! Invariant: the clock can be shifted, and another authority be trusted, only where DynamoDB is on this machine;
//! production has neither variable. And Stripe is at Stripe or on this machine: our key goes nowhere else.

use crate::clock::Clock;
use crate::stripe::is_stripe_or_this_machine;

/// What a function is told by its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The deployment, as its metrics name it.
    pub service: String,
    /// The function's own name.
    pub function: String,
    /// The table.
    pub table: String,
    /// Where Stripe's secret key is kept; functions that don't speak to Stripe have none.
    pub stripe_key_secret: Option<String>,
    /// Where Stripe is; `None`: at Stripe.
    pub stripe_api_base: Option<String>,
    /// Where DynamoDB is.
    pub dynamodb: String,
    /// The one authority that vouches for stand-ins on this machine, as a PEM file.
    pub stand_ins_vouched_for_by: Option<String>,
    /// Where it is kept what Stripe signs its events with; only the webhook has it.
    pub webhook_signing_secret: Option<String>,
    /// Where payment links are opened: their id is added to it. Functions that show none have none.
    pub payment_link_url: Option<String>,
    /// The time.
    pub clock: Clock,
}

/// A variable that is missing or can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is missing or malformed")]
pub struct ConfigError(pub &'static str);

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let dynamodb = variable("AWS_ENDPOINT_URL_DYNAMODB").unwrap_or_else(|| {
            format!("https://dynamodb.{}.amazonaws.com", variable("AWS_REGION").unwrap_or_default())
        });
        let local = is_loopback(&dynamodb);
        let offset_ms = match variable("CLOCK_OFFSET_MS") {
            Some(offset) if local => offset.parse().map_err(|_| ConfigError("CLOCK_OFFSET_MS"))?,
            _ => 0,
        };
        let stripe_api_base = variable("STRIPE_API_BASE");
        if !stripe_api_base.as_deref().is_none_or(is_stripe_or_this_machine) {
            return Err(ConfigError("STRIPE_API_BASE"));
        }
        Ok(Self {
            service: variable("SERVICE_NAME").ok_or(ConfigError("SERVICE_NAME"))?,
            function: variable("AWS_LAMBDA_FUNCTION_NAME").ok_or(ConfigError("AWS_LAMBDA_FUNCTION_NAME"))?,
            table: variable("TABLE_NAME").ok_or(ConfigError("TABLE_NAME"))?,
            stripe_key_secret: variable("STRIPE_SECRET_ARN"),
            stripe_api_base,
            dynamodb,
            stand_ins_vouched_for_by: variable("LOOPBACK_CA_FILE").filter(|_| local),
            webhook_signing_secret: variable("WEBHOOK_SECRET_ARN"),
            payment_link_url: variable("PAYMENT_LINK_URL"),
            clock: Clock::ahead_by_ms(offset_ms),
        })
    }
}

/// Whether a URL's host is this machine.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_loopback() {
        for here in ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["https://dynamodb.eu-west-1.amazonaws.com", "http://127.0.0.1.example.com", "", "x"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}

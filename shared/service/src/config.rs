//! The one place that reads the environment.
//!
//! Invariant: the clock can be shifted, and another authority trusted, only if DynamoDB is on this machine; production
//! has neither variable. The Stripe address is Stripe's own or on this machine, so that our key goes nowhere else.

use crate::clock::Clock;
use crate::stripe::is_stripe_or_this_machine;

/// A function's configuration, from its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The deployment's name in its metrics.
    pub service: String,
    /// The function's own name.
    pub function: String,
    /// The table's name.
    pub table: String,
    /// Where Stripe's secret key is kept; `None` in functions that don't call Stripe.
    pub stripe_key_secret: Option<String>,
    /// The address of a substitute for Stripe; `None`: Stripe itself.
    pub stripe_api_base: Option<String>,
    /// The address of DynamoDB.
    pub dynamodb: String,
    /// The one authority that vouches for substitutes on this machine, as a PEM file.
    pub stand_ins_vouched_for_by: Option<String>,
    /// Where the signing secrets of Stripe's events are kept; only the webhook has it.
    pub webhook_signing_secret: Option<String>,
    /// The URL that opens payment links, to which a link's id is appended; `None` in functions that show no links.
    pub payment_link_url: Option<String>,
    /// The clock.
    pub clock: Clock,
}

/// A missing or unreadable variable.
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

//! Decodes Stripe's form encoding, and reads parameters as a call takes them.
//!
//! Invariant: a parameter that a call doesn't know is refused, never ignored, even if the real Stripe knows it. A
//! mistake in an ignored parameter would show only at the real Stripe.

use classpay_stripe_model::ApiError;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The parameters of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    /// Decoded, in the order received.
    pub pairs: Vec<(String, String)>,
}

impl Form {
    pub fn parse(query: &str, body: &str) -> Result<Self, ApiError> {
        let pairs = query.split('&').chain(body.split('&')).filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Self { pairs: pairs.collect::<Result<_, _>>()? })
    }

    /// Sorted by name: the form in which an idempotency key compares parameters.
    pub fn canonical(&self) -> String {
        let mut sorted: Vec<_> = self.pairs.iter().collect();
        // A stable sort keeps the order of the elements in `a[]=1&a[]=2`, which is significant.
        sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
        sorted.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    decoded.map(Into::into).map_err(|_| ApiError::invalid("Invalid UTF-8 in a parameter."))
}

/// Reads what a call or an order takes. Mistakes that Stripe itself would report come from its description earlier: this
/// is a parameter that Stripe accepts and the stand-in doesn't, or a mistake in what is ordered of `/_control/`.
pub(crate) fn read<T: DeserializeOwned>(given: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(given).map_err(|error| ApiError::invalid(error.to_string()))
}

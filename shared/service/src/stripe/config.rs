//! Where Stripe is reached, and under which key.

use http::Uri;

use super::secret::Secret;
use super::timing::Timing;
use crate::net::{NoTls, Pool};
use crate::secrets::KeptSecret;

/// Stripe itself.
pub const DEFAULT_API_BASE: &str = "https://api.stripe.com";
/// The names of this machine.
pub(super) const THIS_MACHINE: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Stripe's address, our key, and the limits.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// The platform's secret key.
    pub secret_key: Secret,
    /// Where the key is kept, to be read again when Stripe no longer accepts it.
    pub kept_key: Option<KeptSecret>,
    /// `https://…`; plain `http://` only to this very machine.
    pub api_base: String,
    /// An existing connection pool. Its owner decides whether plain text is allowed.
    pub pool: Option<Pool>,
    /// Time limits and pauses.
    pub timing: Timing,
}

impl StripeConfig {
    /// Stripe itself, with the default timing.
    #[must_use]
    pub fn new(secret_key: Secret) -> Self {
        Self {
            secret_key,
            kept_key: None,
            api_base: DEFAULT_API_BASE.to_owned(),
            pool: None,
            timing: Timing::default(),
        }
    }
}

/// Why Stripe can't be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StripeConfigError {
    /// Not `scheme://host[:port]`.
    #[error("stripe's address is not scheme://host[:port]")]
    Base,
    /// A secret key over plain HTTP to another machine.
    #[error("stripe is reached over https, or over http on this machine only")]
    NotEncrypted,
    /// A host other than Stripe's own or this machine: it would receive our key.
    #[error("stripe is at its own address or on this machine, and nowhere else")]
    Elsewhere,
    /// A key that can't be a header.
    #[error("stripe's secret key has characters that no key has")]
    Key,
    /// See [`NoTls`].
    #[error(transparent)]
    Tls(#[from] NoTls),
}

/// Whether an address is exactly Stripe's own, or on this machine.
#[must_use]
pub fn is_stripe_or_this_machine(base: &str) -> bool {
    let is_here = |uri: Uri| uri.host().is_some_and(|host| THIS_MACHINE.contains(&host));
    base == DEFAULT_API_BASE || base.parse().is_ok_and(is_here)
}

//! Ids and secrets in Stripe's shapes. The only module of this crate that uses randomness.
//!
//! None of these secrets protects real money.

fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

/// An id such as `pi_3…` or `cus_…`: the prefix and 24 letters and digits.
pub(crate) fn object(prefix: &str) -> String {
    format!("{prefix}_{}", random(24))
}

/// A client secret, `pi_…_secret_…`, which the browser receives.
pub(crate) fn client_secret(id: &str) -> String {
    format!("{id}_secret_{}", random(25))
}

/// A long-lived secret of the mobile and web elements: `ek_test_…`, `cuss_secret_…`.
pub(crate) fn secret(prefix: &str) -> String {
    format!("{prefix}_{}", random(48))
}

pub(crate) fn request() -> String {
    format!("req_{}", random(14))
}

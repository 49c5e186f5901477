//! Ids and secrets, in Stripe's shapes. The only place of this crate with randomness.
//!
//! Invariant: nothing here is a secret worth keeping; these guard play money.

fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

/// `pi_3…`, `cus_…`: the prefix and 24 letters and digits.
pub(crate) fn object(prefix: &str) -> String {
    format!("{prefix}_{}", random(24))
}

/// `pi_…_secret_…`, what the browser gets.
pub(crate) fn client_secret(id: &str) -> String {
    format!("{id}_secret_{}", random(25))
}

/// `ek_test_…`, `cuss_secret_…`: long-lived secrets of the mobile and web elements.
pub(crate) fn secret(prefix: &str) -> String {
    format!("{prefix}_{}", random(48))
}

pub(crate) fn request() -> String {
    format!("req_{}", random(14))
}

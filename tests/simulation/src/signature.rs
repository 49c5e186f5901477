//! Stripe's signature of an event, made without our own code.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header `Stripe-Signature` for this body at that time (seconds since 1970).
///
/// # Panics
/// Never: any text is a key.
#[must_use]
pub fn signature(secret: &str, body: &str, time_s: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{time_s}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().fold(format!("t={time_s},v1="), |mut header, byte| {
        write!(header, "{byte:02x}").expect("a string takes any text");
        header
    })
}

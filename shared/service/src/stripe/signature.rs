//! Whether an event was sent by Stripe.
//!
//! Invariant: the signature is checked on the received bytes before they are parsed, and compared in constant time.
//! Without a secret every event is refused.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::secret::Secret;

/// How far the signature's time may be from ours.
const TOLERANCE_S: u64 = 300;
/// The length of a SHA-256.
const DIGEST_LEN: usize = 32;

/// Why an event is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// There is none.
    #[error("there is no signature")]
    Missing,
    /// It has no timestamp, or no signature of version 1.
    #[error("the signature can't be read")]
    Malformed,
    /// It was made too long ago, or in the future.
    #[error("the signature is not of these five minutes")]
    Old,
    /// It was made with another secret, or for another body.
    #[error("the signature is wrong")]
    Wrong,
}

/// Checks the header `Stripe-Signature`: `t=…,v1=…`, where `v1` may come more than once.
///
/// # Errors
/// [`BadSignature`] says why the event is refused.
pub fn verify(header: Option<&str>, body: &[u8], secrets: &[Secret], now_s: i64) -> Result<(), BadSignature> {
    let header = header.ok_or(BadSignature::Missing)?;
    let (time, signatures) = read(header).ok_or(BadSignature::Malformed)?;
    let time_s: i64 = time.parse().map_err(|_| BadSignature::Malformed)?;
    if now_s.abs_diff(time_s) > TOLERANCE_S {
        return Err(BadSignature::Old);
    }
    let is_right = |secret: &Secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    };
    if secrets.iter().any(is_right) { Ok(()) } else { Err(BadSignature::Wrong) }
}

/// The timestamp as text, and the signatures of version 1. Other versions are ignored.
fn read(header: &str) -> Option<(&str, Vec<[u8; DIGEST_LEN]>)> {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", written) if time.is_none() && written.bytes().all(|byte| byte.is_ascii_digit()) => {
                time = Some(written);
            }
            ("t", _) => return None,
            ("v1", hex) => signatures.extend(digest(hex)),
            _ => {}
        }
    }
    time.filter(|_| !signatures.is_empty()).map(|time| (time, signatures))
}

fn digest(hex: &str) -> Option<[u8; DIGEST_LEN]> {
    if hex.len() != 2 * DIGEST_LEN || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; DIGEST_LEN];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '12345.{}' | openssl dgst -sha256 -hmac whsec_1`.
    const SIGNATURE: &str = "3f6fae03e27a3bed99f6bf5fe1606b3a22df46d8ff6f4f91fe97ab191dbd4e27";
    const OTHERS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn check(header: &str, body: &str, secrets: &[&str], now_s: i64) -> Result<(), BadSignature> {
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        verify(Some(header), body.as_bytes(), &secrets, now_s)
    }

    fn signed() -> String {
        format!("t=12345,v1={SIGNATURE}")
    }

    #[test]
    fn what_stripe_has_signed_is_believed() {
        assert_eq!(check(&signed(), "{}", &["whsec_1"], 12345), Ok(()));
        assert_eq!(check(&format!("t=12345, v0=x, v1={SIGNATURE}"), "{}", &["whsec_1"], 12345), Ok(()));
    }

    #[test]
    fn another_body_secret_or_time_is_wrong() {
        assert_eq!(check(&signed(), "{ }", &["whsec_1"], 12345), Err(BadSignature::Wrong));
        assert_eq!(check(&signed(), "{}", &["whsec_2"], 12345), Err(BadSignature::Wrong));
        assert_eq!(check(&format!("t=12346,v1={SIGNATURE}"), "{}", &["whsec_1"], 12345), Err(BadSignature::Wrong));
        assert_eq!(check(&signed(), "{}", &[], 12345), Err(BadSignature::Wrong));
    }

    #[test]
    fn the_time_is_right_to_five_minutes() {
        for now_s in [12345 - 300, 12345 + 300] {
            assert_eq!(check(&signed(), "{}", &["whsec_1"], now_s), Ok(()));
        }
        for now_s in [12345 - 301, 12345 + 301] {
            assert_eq!(check(&signed(), "{}", &["whsec_1"], now_s), Err(BadSignature::Old));
        }
    }

    #[test]
    fn while_a_secret_is_replaced_either_is_right_on_either_side() {
        assert_eq!(check(&signed(), "{}", &["whsec_new", "whsec_1"], 12345), Ok(()));
        let both = format!("t=12345,v1={OTHERS},v1={SIGNATURE}");
        assert_eq!(check(&both, "{}", &["whsec_1"], 12345), Ok(()));
        assert_eq!(check(&both, "{}", &["whsec_2", "whsec_3"], 12345), Err(BadSignature::Wrong));
    }

    #[test]
    fn garbage_is_no_signature() {
        assert_eq!(verify(None, b"{}", &[Secret::new("whsec_1")], 12345), Err(BadSignature::Missing));
        let short = &SIGNATURE[2..];
        for garbage in [
            "",
            "x",
            "t=12345",
            &format!("v1={SIGNATURE}"),
            "t=12345,v1=",
            &format!("t=12345,v1={short}"),
            &format!("t=12345,v1={short}xy"),
            &format!("t=12345,v1={short}é"),
            &format!("t=-1,v1={SIGNATURE}"),
            &format!("t=,v1={SIGNATURE}"),
            &format!("t=12345,t=12345,v1={SIGNATURE}"),
            &format!("t=99999999999999999999,v1={SIGNATURE}"),
            &format!("t=12345,v0={SIGNATURE}"),
        ] {
            assert_eq!(check(garbage, "{}", &["whsec_1"], 12345), Err(BadSignature::Malformed), "{garbage}");
        }
    }
}

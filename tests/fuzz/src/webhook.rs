//! What anybody may send to the webhook: a `Stripe-Signature` header, and after a line's end the body. `SIGNED` in the
//! header becomes what Stripe would have signed at the header's time, for no fuzzer finds that by itself.
//!
//! Invariant: only what the secret has signed is believed, and a signed body is read or refused, never choked on.

use classpay_service::settlement::event::topic;
use classpay_service::stripe::Secret;
use classpay_service::stripe::signature::verify;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const SECRET: &str = "whsec_fuzz";
const NOW_S: i64 = 1_790_000_000;

/// Panics if the input breaks the invariant.
pub fn check(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, rest) = data.split_at(end);
    let body = rest.get(1..).unwrap_or_default();
    if let Ok(header) = std::str::from_utf8(header) {
        check_signature(header, body);
    }
    if let Ok(record) = topic::parse(body, NOW_S) {
        assert_eq!(record.received_s, NOW_S);
        // It is about a payment only if it names its account. Bytes that nobody reads may be no text.
        if record.intent.is_some()
            && let Ok(text) = std::str::from_utf8(body)
        {
            let listed = topic::parse_listed(text, &record.account, NOW_S);
            assert_eq!(listed, Ok(record), "the same event, listed on its own account");
        }
    }
}

fn check_signature(header: &str, body: &[u8]) {
    let secrets = [Secret::new(SECRET)];
    let now = NOW_S.to_string();
    assert_eq!(verify(Some(&format!("t={now},v1={}", signed(&now, body))), body, &secrets, NOW_S), Ok(()));
    let said = header.split_once("t=").map_or("", |(_, rest)| rest.split(not_a_digit).next().unwrap_or_default());
    let header = header.replace("SIGNED", &signed(said, body));
    if verify(Some(&header), body, &secrets, NOW_S).is_ok() {
        let lower = header.to_ascii_lowercase();
        let is_of_these_minutes = |time: &str| time.parse().is_ok_and(|time: i64| NOW_S.abs_diff(time) <= 300);
        let is_signed = |time: &str| is_of_these_minutes(time) && lower.contains(&signed(time, body));
        assert!(header.split(not_a_digit).any(is_signed), "believed unsigned: {header}");
    }
}

fn not_a_digit(char: char) -> bool {
    !char.is_ascii_digit()
}

/// As Stripe signs.
fn signed(time: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

//! What anybody may send to the webhook: a `Stripe-Signature` header, and after a line's end the body. `SIGNED` in the
//! header becomes what Stripe would sign at [`NOW_S`], for no fuzzer finds that by itself.
//!
//! Invariant: only what the secret has signed is believed, and a signed body is read or refused, never choked on.
#![no_main]

use classpay_service::stripe::Secret;
use classpay_service::webhook::event;
use classpay_service::webhook::signature::verify;
use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const SECRET: &str = "whsec_fuzz";
const NOW_S: i64 = 1_790_000_000;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, rest) = data.split_at(end);
    let body = rest.get(1..).unwrap_or_default();
    if let Ok(header) = std::str::from_utf8(header) {
        check_signature(header, body);
    }
    if let Ok(record) = event::parse(body, NOW_S) {
        assert_eq!(record.received_s, NOW_S);
        // It is about a payment only if it names its account. Bytes that nobody reads may be no text.
        if record.intent.is_some()
            && let Ok(text) = std::str::from_utf8(body)
        {
            let listed = event::parse_listed(text, &record.account, NOW_S);
            assert_eq!(listed, Ok(record), "the same event, listed on its own account");
        }
    }
});

fn check_signature(header: &str, body: &[u8]) {
    let secrets = [Secret::new(SECRET)];
    let ours = signed(NOW_S, body);
    assert_eq!(verify(Some(&format!("t={NOW_S},v1={ours}")), body, &secrets, NOW_S), Ok(()));
    let header = header.replace("SIGNED", &ours);
    if verify(Some(&header), body, &secrets, NOW_S).is_ok() {
        let lower = header.to_ascii_lowercase();
        let mut times = header.split(|char: char| !char.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
        let is_signed = |time| NOW_S.abs_diff(time) <= 300 && lower.contains(&signed(time, body));
        assert!(times.any(is_signed), "believed unsigned: {header}");
    }
}

/// As Stripe signs.
fn signed(time: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

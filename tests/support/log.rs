//! The logs of a stack and its functions, and the secrets that must not be in them.
//!
//! Every stack that a test starts is searched when it ends, so the whole suite takes part in the search.

use std::path::Path;

/// Markers of every secret of a local stack: Stripe's secrets, keys and signatures, and bearer tokens (`alg` and `typ`
/// in base64; a shorter marker could occur in a random id).
const MARKS: [&str; 8] = ["_secret_", "ek_test_", "sk_test_", "whsec_", "eyJhbGci", "eyJ0eXAi", "Bearer ", ".example"];

/// The lines that contain a secret: one of the markers, or a payment link's id.
#[must_use]
pub fn leaks(log: &str) -> Vec<&str> {
    let marked = |line: &str| MARKS.iter().any(|mark| line.contains(mark)) || has_link(line);
    log.lines().filter(|line| marked(line)).collect()
}

/// The lines in which the stand-in reports that it gave an answer, or sent an event, that Stripe never would.
#[must_use]
pub fn wrong_answers(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains(classpay_stripe_standin::WRONG_ANSWER)).collect()
}

/// Whether the text contains a payment link's id: `pay_` and 26 characters.
fn has_link(line: &str) -> bool {
    line.match_indices("pay_").any(|(at, _)| {
        let id = line[at + "pay_".len()..].bytes().take_while(u8::is_ascii_alphanumeric);
        id.count() >= 26
    })
}

/// A log as text; empty if it was never written.
#[must_use]
pub fn read(file: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{leaks, wrong_answers};

    #[test]
    fn an_answer_that_is_not_stripes_is_found() {
        let told = format!("fine\n{}GET /v1/charges: /data: null\nfine", classpay_stripe_standin::WRONG_ANSWER);
        assert_eq!(wrong_answers(&told).len(), 1);
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands_in_a_line() {
        let secrets = [
            "pi_1_secret_x",
            "ek_test_1",
            "cuss_secret_1",
            "sk_test_local",
            "whsec_local",
            "T=eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
            "a@b.example",
            "PL#pay_ZZZZZZZZZZZZZZZZZZZZZZZZZZ/META",
        ];
        for secret in secrets {
            assert_eq!(leaks(&format!("fine\nx {secret} y\nfine")).len(), 1, "{secret}");
        }
        assert!(leaks("pay_[secret] process-payment-link pi_1 ord_1 payment_cancelled").is_empty());
    }
}

//! What a stack and its functions have logged, and what must not be in it.
//!
//! Invariant: every stack that a test starts is searched when it ends, so that the whole suite is the search.

use std::path::Path;

/// How everything secret of a local stack begins or is marked: Stripe's secrets, keys and signatures, bearer tokens
/// (`alg` and `typ`, as base64 has them: less would be found in a random id one day).
const MARKS: [&str; 8] = ["_secret_", "ek_test_", "sk_test_", "whsec_", "eyJhbGci", "eyJ0eXAi", "Bearer ", ".example"];

/// The lines that hold a secret: a mark of one, or a payment link's id.
#[must_use]
pub fn leaks(log: &str) -> Vec<&str> {
    let marked = |line: &str| MARKS.iter().any(|mark| line.contains(mark)) || has_link(line);
    log.lines().filter(|line| marked(line)).collect()
}

/// The lines in which the stand-in says that it has answered, or told, what Stripe never would.
#[must_use]
pub fn wrong_answers(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains(classpay_stripe_standin::WRONG_ANSWER)).collect()
}

/// Whether a payment link's id stands in it: `pay_` and 26 characters.
fn has_link(line: &str) -> bool {
    line.match_indices("pay_").any(|(at, _)| {
        let id = line[at + "pay_".len()..].bytes().take_while(u8::is_ascii_alphanumeric);
        id.count() >= 26
    })
}

/// A log as text; nothing if it was never written.
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

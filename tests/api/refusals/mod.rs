//! Every refusal of the shipped binaries: one test for each code of the contract.
//!
//! Invariant: a test can't check another code than the one it is listed under, and a code without a test fails
//! [`every_code_has_its_scenario`].

/// Lists tests under their codes: defines a test for each, and the codes for the final check.
macro_rules! scenarios {
    ($($code:ident: $scenario:ident;)*) => {
        pub const CODES: &[classpay_service::error::ErrorCode] = &[$(classpay_service::error::ErrorCode::$code,)*];

        mod scenarios {
            $(
                #[tokio::test]
                async fn $scenario() {
                    super::$scenario(classpay_service::error::ErrorCode::$code).await;
                }
            )*
        }
    };
}

mod gateway;
mod input;
mod payment;
mod refused;
mod rules;
mod whose;

use classpay_service::error::ErrorCode;

/// Baskets never get it; the tests of payment links (`links`, `link_ends`) do.
const OF_LINKS: &str = "only a payment link is refused so";

/// Codes that no call about a basket can cause, each with the reason.
const WITHOUT_SCENARIO: &[(ErrorCode, &str)] = &[
    (ErrorCode::Unauthenticated, "API Gateway's authorizer answers before a function runs: see `sign_in`"),
    (ErrorCode::PaymentProcessing, "an intent of a basket takes cards only, and a card is never `processing`"),
    (ErrorCode::NothingToPay, OF_LINKS),
    (ErrorCode::LinkPaidByOther, OF_LINKS),
    (ErrorCode::LinkExpired, OF_LINKS),
    (ErrorCode::LinkRevoked, OF_LINKS),
    (ErrorCode::PaymentInProgress, OF_LINKS),
    (ErrorCode::TooManyAttempts, OF_LINKS),
    (ErrorCode::Internal, "a fault of ours: one that can be caused is corrected"),
];

#[test]
fn every_code_has_its_scenario() {
    let tested = [gateway::CODES, input::CODES, payment::CODES, rules::CODES, whose::CODES].concat();
    for code in ErrorCode::ALL {
        let reason = WITHOUT_SCENARIO.iter().find(|(without, _)| without == code);
        assert_ne!(tested.contains(code), reason.is_some(), "{code} needs a scenario, or a reason why it has none");
    }
}

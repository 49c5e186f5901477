//! The refusals as the document's description tells them: their body, and every code with its status.

use std::fmt::Write as _;

use classpay_service::api::Endpoint;
use classpay_service::error::ErrorCode;

const ABOUT: &str = "## Refusals\n\n\
A refusal's body is `{\"statusCode\": 409, \"messages\": [\"…\"], \"code\": \"class_full\", \"requestId\": \"…\"}`: `messages` \
are for people, `code` is for programs. When a refusal also released a payment that was authorised for the call, the body \
says `\"paymentReleased\": true`. What API Gateway itself refuses (no valid token, no such route) has its own body, \
`{\"message\": \"…\"}`.\n\n\
What Stripe refuses for good is a 502, never a 503: trying again does not help. `Retry-After` comes with 503, 429 and the \
202 of a payment that is still in progress, and with nothing else. The two public operations of a payment link answer some \
codes with another status than the operations that take a token (\"link\" in the table).\n\n\
| code | status | |\n|---|---|---|\n";

/// In Markdown.
pub fn about_refusals() -> String {
    let mut text = ABOUT.to_owned();
    for code in ErrorCode::ALL {
        let (status, by_link) = (Endpoint::Checkout.status_of(*code), Endpoint::ProcessLink.status_of(*code));
        let by_link = if by_link == status { String::new() } else { format!(", link {by_link}") };
        writeln!(text, "| `{code}` | {status}{by_link} | {} |", code.sentence()).expect("a string");
    }
    text.truncate(text.trim_end().len());
    text
}

//! A link with its intent, as a retrieval answers it.

use classpay_domain::pricing::Payment;
use classpay_service::settlement::rounds::Round;
use classpay_service::store::{Link, LinkTarget};
use classpay_service::stripe::{CustomerSession, EphemeralKey, Intent};

/// What a payment form needs.
pub(crate) type Form = (CustomerSession, EphemeralKey);

/// A link with its intent, as a retrieval answers it.
#[derive(Debug)]
pub struct Retrieved {
    /// The link.
    pub link: Link,
    /// What it points at.
    pub target: LinkTarget,
    /// Its intent.
    pub intent: Intent,
    /// What that charges.
    pub payment: Payment,
    /// What a payment form needs; `None` once there is nothing left to pay.
    pub form: Option<Form>,
}

/// The link with its intent; what is missing is read again.
pub(crate) fn shown(
    link: Link,
    target: LinkTarget,
    intent: Option<Intent>,
    payment: Option<Payment>,
    form: Option<Option<Form>>,
) -> Round<Box<Retrieved>> {
    match (intent, payment, form) {
        (Some(intent), Some(payment), None) => {
            Round::Over(Box::new(Retrieved { link, target, intent, payment, form: None }))
        }
        (Some(intent), Some(payment), Some(Some(form))) => {
            Round::Over(Box::new(Retrieved { link, target, intent, payment, form: Some(form) }))
        }
        _ => Round::Again,
    }
}

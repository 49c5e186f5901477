//! What a retrieval answers, in the contract's shape. Amounts in minor units.
//!
//! Invariant: a link discloses the business, the lines, the totals, the status and the family's name and what the
//! published `family` demands; no e-mail, phone or address of the family, no other transaction, no saved card.

use classpay_service::aggregate::AggregateTransaction;
use classpay_service::api::PaymentLinkBody;
use classpay_service::catalogue::documents::PercentNumber;
use classpay_service::refusals::PaymentBody;
use classpay_service::stripe::PaymentSessionBody;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::retrieved::Retrieved;

/// The answer of a retrieval.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RetrievedPaymentLink")]
pub struct RetrieveBody<'a> {
    payment_link: PaymentLinkBody<'a>,
    aggregate_transaction: &'a AggregateTransaction,
    payment_session: PaymentSessionBody,
    subtotal: i64,
    processing_fee: i64,
    #[schemars(with = "PercentNumber")]
    processing_fee_percent: Box<RawValue>,
    total: i64,
}

impl<'a> From<&'a Retrieved> for RetrieveBody<'a> {
    fn from(retrieved: &'a Retrieved) -> Self {
        let Retrieved { link, intent, payment, form, .. } = retrieved;
        let payment = PaymentBody::from(payment);
        Self {
            payment_link: link.into(),
            aggregate_transaction: &link.aggregate,
            payment_session: match form {
                Some((session, key)) => PaymentSessionBody::new(intent, session, key),
                None => {
                    let customer = link.customer.customer.as_ref().map(|customer| &customer.id);
                    PaymentSessionBody::without_secrets(intent, customer)
                }
            },
            subtotal: payment.subtotal,
            processing_fee: payment.processing_fee,
            processing_fee_percent: payment.processing_fee_percent,
            total: payment.total,
        }
    }
}

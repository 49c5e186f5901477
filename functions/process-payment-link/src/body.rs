//! What a link's payment answers, in the contract's shape. Amounts in minor units.
//!
//! Invariant: a link discloses the business, the lines, the totals, the status and the family's name and what the
//! published `family` demands; no e-mail, phone or address of the family, no other transaction, no saved card.

use classpay_service::aggregate::AggregateTransaction;
use classpay_service::api::PaymentLinkBody;
use classpay_service::catalogue::documents::{CompanyDoc, FamilyDoc};
use classpay_service::stripe::PaymentIntentBody;
use schemars::JsonSchema;
use serde::Serialize;

use crate::process::Paid;

/// The answer of a payment.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProcessedPaymentLink")]
pub struct ProcessBody<'a> {
    payment_link: PaymentLinkBody<'a>,
    company: &'a CompanyDoc,
    family: &'a FamilyDoc,
    debit_aggregate_transaction: &'a AggregateTransaction,
    credit_aggregate_transaction: &'a AggregateTransaction,
    payment_intent: PaymentIntentBody,
}

impl<'a> From<&'a Paid> for ProcessBody<'a> {
    fn from(paid: &'a Paid) -> Self {
        let Paid { link, target, credit, intent } = paid;
        Self {
            payment_link: link.into(),
            company: &target.company,
            family: &target.family,
            debit_aggregate_transaction: &link.aggregate,
            credit_aggregate_transaction: credit,
            payment_intent: PaymentIntentBody::from(intent).without_secret(),
        }
    }
}

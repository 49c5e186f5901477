//! What a link's operations answer, in the contract's shapes. Amounts in minor units.
//!
//! Invariant: a link discloses the business, the lines, the totals, the status and the family's name and what the
//! published `family` demands; no e-mail, phone or address of the family, no other transaction, no saved card.

use classpay_domain::id::{CompanyId, TransactionId};
use classpay_domain::link::{LinkState, PaymentLinkId};
use jiff::Timestamp;
use jiff::civil::DateTime;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::value::RawValue;

use super::process::Paid;
use super::retrieve::Retrieved;
use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::text::{AsText, one_of};
use crate::catalogue::documents::{CompanyDoc, FamilyDoc, PercentNumber};
use crate::clock::wire_instant;
use crate::refusals::PaymentBody;
use crate::store::Link;
use crate::stripe::{PaymentIntentBody, PaymentSessionBody};

/// A payment link.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PaymentLink")]
pub struct PaymentLinkBody<'a> {
    /// The key to the link: whoever has it can see and pay the debit.
    #[schemars(with = "AsText<PaymentLinkId>")]
    id: &'a str,
    #[schemars(with = "AsText<CompanyId>")]
    company_id: &'a str,
    /// The debit to pay.
    #[schemars(with = "AsText<TransactionId>")]
    transaction_id: &'a str,
    /// When it was made (UTC).
    #[schemars(with = "AsText<DateTime>")]
    created_at: String,
    /// Where it stands.
    #[schemars(schema_with = "states", extend("x-addition" = true))]
    status: &'static str,
    /// Until when it can be paid (UTC).
    #[schemars(with = "Option<AsText<DateTime>>", extend("x-addition" = true))]
    expires_at: Option<String>,
}

impl<'a> From<&'a Link> for PaymentLinkBody<'a> {
    fn from(link: &'a Link) -> Self {
        let instant = |seconds| Timestamp::from_second(seconds).map(wire_instant).unwrap_or_default();
        Self {
            id: link.id.expose(),
            company_id: link.company.as_str(),
            transaction_id: link.debit.as_str(),
            created_at: instant(link.created_s),
            status: link.state.as_str(),
            expires_at: link.expires_s.map(instant),
        }
    }
}

fn states(_: &mut SchemaGenerator) -> Schema {
    one_of(LinkState::ALL.map(LinkState::as_str))
}

/// A link and where it is opened: for staff.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PaymentLinkWithUrl")]
pub struct LinkWithUrl<'a> {
    payment_link: PaymentLinkBody<'a>,
    /// Where the payer opens it.
    url: String,
}

impl<'a> LinkWithUrl<'a> {
    /// The link at this address, to which its id is added.
    #[must_use]
    pub fn new(link: &'a Link, base: &str) -> Self {
        Self { payment_link: link.into(), url: format!("{base}{}", link.id.expose()) }
    }
}

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

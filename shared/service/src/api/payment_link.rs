//! A payment link in the contract's shape.

use classpay_domain::id::{CompanyId, TransactionId};
use classpay_domain::link::{LinkState, PaymentLinkId};
use jiff::Timestamp;
use jiff::civil::DateTime;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::catalogue::documents::text::{AsText, one_of};
use crate::clock::wire_instant;
use crate::store::Link;

/// A payment link.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PaymentLink")]
pub struct PaymentLinkBody<'a> {
    /// The key to the link: anyone who has it can see and pay the debit.
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

//! How a payment looks to callers: the contract's `paymentIntent`, `customerSession` and `ephemeralKey`.
//!
//! Invariant: the names, the nesting and the types are the published contract's. The client secrets leave the
//! service here and nowhere else.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::CustomerId;
use classpay_domain::order::IntentStatus;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::intent::{BacsDebit, Card, Charge, Intent, PaymentMethod, PaymentMethodData, Refund};
use super::payments::{CustomerSession, EphemeralKey};
use crate::catalogue::documents::text::{AsText, one_of};

/// The published brands of cards, and the word for any other.
const BRANDS: [&str; 8] = ["amex", "diners", "discover", "eftpos_au", "jcb", "mastercard", "unionpay", "visa"];
const UNKNOWN_BRAND: &str = "unknown";
/// Of the published kinds of payment methods those that are taken.
const CARD: &str = "card";
const BACS_DEBIT: &str = "bacs_debit";

/// Everything a payment form needs.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PaymentSession")]
pub struct PaymentSessionBody {
    payment_intent: PaymentIntentBody,
    customer_session: CustomerSessionBody,
    ephemeral_key: EphemeralKeyBody,
}

/// Stripe's PaymentIntent.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PaymentIntent")]
pub struct PaymentIntentBody {
    id: String,
    /// For the payment form; empty where nothing is to be paid any more.
    client_secret: String,
    /// What it charges, in minor units.
    amount: i64,
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// What pays it, once the payer has chosen.
    payment_method: Option<PaymentMethodBody>,
    /// What was charged, once it was.
    charge: Option<ChargeBody>,
}

/// What pays.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PaymentMethod")]
struct PaymentMethodBody {
    id: String,
    #[serde(rename = "type")]
    #[schemars(schema_with = "method_kinds")]
    kind: &'static str,
    /// Always false: the customer's default isn't read.
    is_default: bool,
    data: PaymentMethodDataBody,
}

/// A card, or a bank account of which the last digits are shown.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[schemars(rename = "PaymentMethodData")]
enum PaymentMethodDataBody {
    Card {
        #[schemars(schema_with = "brands")]
        brand: &'static str,
        country: String,
        expiry_month: i64,
        expiry_year: i64,
        card_number: String,
        last4: String,
    },
    BacsDebit {
        sort_code: String,
        account_number: String,
        last4: String,
    },
}

/// A charge. Amounts in minor units.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Charge")]
struct ChargeBody {
    id: String,
    /// What was authorised.
    amount: i64,
    amount_captured: i64,
    amount_refunded: i64,
    #[schemars(with = "AsText<Currency>")]
    currency: String,
    /// Whether all of it was given back.
    refunded: bool,
    refunds: Vec<RefundBody>,
}

/// What was given back.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Refund")]
struct RefundBody {
    id: String,
    amount: i64,
    #[schemars(with = "AsText<Currency>")]
    currency: String,
    #[schemars(schema_with = "refund_statuses")]
    status: String,
    #[schemars(with = "AsText<Date>")]
    created_at: String,
}

/// Stripe's CustomerSession.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CustomerSession")]
struct CustomerSessionBody {
    customer_id: String,
    /// For the payment form; empty where nothing is to be paid any more.
    client_secret: String,
}

/// Stripe's EphemeralKey.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EphemeralKey")]
struct EphemeralKeyBody {
    id: String,
    /// For the payment form; empty where nothing is to be paid any more.
    secret: String,
    associated_object_id: String,
    associated_object_type: &'static str,
}

fn statuses(_: &mut SchemaGenerator) -> Schema {
    one_of(IntentStatus::ALL.map(IntentStatus::as_str))
}

fn method_kinds(_: &mut SchemaGenerator) -> Schema {
    one_of([CARD, BACS_DEBIT])
}

fn brands(_: &mut SchemaGenerator) -> Schema {
    one_of(BRANDS.into_iter().chain([UNKNOWN_BRAND]))
}

fn refund_statuses(_: &mut SchemaGenerator) -> Schema {
    one_of(["pending", "requires_action", "canceled", "succeeded", "failed"])
}

impl PaymentSessionBody {
    /// Puts the three together.
    #[must_use]
    pub fn new(intent: &Intent, session: &CustomerSession, key: &EphemeralKey) -> Self {
        Self {
            payment_intent: intent.into(),
            customer_session: CustomerSessionBody {
                customer_id: session.customer_id.to_string(),
                client_secret: session.client_secret.expose().to_owned(),
            },
            ephemeral_key: EphemeralKeyBody {
                id: key.id.clone(),
                secret: key.secret.expose().to_owned(),
                associated_object_id: key.associated_object_id.clone(),
                associated_object_type: key.associated_object_type,
            },
        }
    }
}

impl PaymentSessionBody {
    /// For a payment that nobody makes any more: the same shape, with an empty text for every secret.
    #[must_use]
    pub fn without_secrets(intent: &Intent, customer: Option<&CustomerId>) -> Self {
        let customer = customer.map(ToString::to_string).unwrap_or_default();
        Self {
            payment_intent: PaymentIntentBody::from(intent).without_secret(),
            customer_session: CustomerSessionBody { customer_id: customer.clone(), client_secret: String::new() },
            ephemeral_key: EphemeralKeyBody {
                id: String::new(),
                secret: String::new(),
                associated_object_id: customer,
                associated_object_type: "customer",
            },
        }
    }
}

impl PaymentIntentBody {
    /// The same, with an empty text for its secret.
    #[must_use]
    pub fn without_secret(mut self) -> Self {
        self.client_secret.clear();
        self
    }
}

impl From<&Intent> for PaymentIntentBody {
    fn from(intent: &Intent) -> Self {
        Self {
            id: intent.id.to_string(),
            client_secret: intent.client_secret.expose().to_owned(),
            amount: intent.amount.units(),
            status: intent.status.as_str(),
            payment_method: intent.payment_method.as_ref().map(PaymentMethodBody::from),
            charge: intent.charge.as_ref().map(ChargeBody::from),
        }
    }
}

impl From<&PaymentMethod> for PaymentMethodBody {
    fn from(method: &PaymentMethod) -> Self {
        let (kind, data) = match &method.data {
            PaymentMethodData::Card(card) => (CARD, card.into()),
            PaymentMethodData::BacsDebit(bacs) => (BACS_DEBIT, bacs.into()),
        };
        // The customer's default isn't read: a session is opened without that call.
        Self { id: method.id.clone(), kind, is_default: false, data }
    }
}

impl From<&Card> for PaymentMethodDataBody {
    fn from(card: &Card) -> Self {
        Self::Card {
            brand: published_brand(&card.brand),
            country: card.country.clone().unwrap_or_default(),
            expiry_month: card.expiry_month,
            expiry_year: card.expiry_year,
            card_number: format!("************{}", card.last4),
            last4: card.last4.clone(),
        }
    }
}

impl From<&BacsDebit> for PaymentMethodDataBody {
    fn from(bacs: &BacsDebit) -> Self {
        let last4 = bacs.last4.clone().unwrap_or_default();
        Self::BacsDebit {
            sort_code: bacs.sort_code.clone().unwrap_or_default(),
            account_number: format!("****{last4}"),
            last4,
        }
    }
}

impl From<&Charge> for ChargeBody {
    fn from(charge: &Charge) -> Self {
        Self {
            id: charge.id.clone(),
            amount: charge.amount.units(),
            amount_captured: charge.amount_captured.units(),
            amount_refunded: charge.amount_refunded.units(),
            currency: charge.currency.clone(),
            refunded: charge.refunded,
            refunds: charge.refunds.iter().map(RefundBody::from).collect(),
        }
    }
}

impl From<&Refund> for RefundBody {
    fn from(refund: &Refund) -> Self {
        Self {
            id: refund.id.clone(),
            amount: refund.amount.units(),
            currency: refund.currency.clone(),
            status: refund.status.clone(),
            created_at: refund.created_on.to_string(),
        }
    }
}

/// Stripe knows brands that the published contract doesn't: `cartes_bancaires`, `link`.
fn published_brand(brand: &str) -> &'static str {
    BRANDS.into_iter().find(|published| *published == brand).unwrap_or(UNKNOWN_BRAND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::secret::Secret;
    use classpay_domain::id::{CustomerId, IntentId};
    use classpay_domain::money::Money;
    use serde_json::{Value, json};

    fn refunded_intent() -> Intent {
        let refund = Refund {
            id: "re_1".to_owned(),
            amount: Money::minor(1999),
            currency: "usd".to_owned(),
            status: "pending".to_owned(),
            created_s: 1_701_734_400,
            created_on: jiff::civil::date(2023, 12, 5),
        };
        let card = Card {
            brand: "amex".to_owned(),
            country: Some("US".to_owned()),
            expiry_month: 12,
            expiry_year: 2023,
            last4: "4242".to_owned(),
        };
        Intent {
            id: IntentId::parse("pi_1").unwrap(),
            client_secret: Secret::new("pi_1_secret_x"),
            amount: Money::minor(1999),
            amount_received: Money::minor(1999),
            currency: "usd".to_owned(),
            status: IntentStatus::Succeeded,
            payment_method: Some(PaymentMethod { id: "pm_1".to_owned(), data: PaymentMethodData::Card(card) }),
            charge: Some(Charge {
                id: "ch_1".to_owned(),
                amount: Money::minor(1999),
                amount_captured: Money::minor(1999),
                amount_refunded: Money::minor(1999),
                currency: "usd".to_owned(),
                refunded: true,
                disputed: false,
                created_s: 0,
                refunds: vec![refund],
            }),
        }
    }

    #[test]
    fn a_payment_session_is_the_published_sample() {
        let session = CustomerSession {
            customer_id: CustomerId::parse("cus_1").unwrap(),
            client_secret: Secret::new("cuss_secret_1"),
        };
        let key = EphemeralKey {
            id: "ephkey_1".to_owned(),
            secret: Secret::new("ek_1"),
            associated_object_id: "cus_1".to_owned(),
            associated_object_type: "customer",
        };
        let body = serde_json::to_value(PaymentSessionBody::new(&refunded_intent(), &session, &key)).unwrap();
        let published = json!({
            "paymentIntent": {
                "id": "pi_1", "clientSecret": "pi_1_secret_x", "amount": 1999, "status": "succeeded",
                "paymentMethod": {
                    "id": "pm_1", "type": "card", "isDefault": false,
                    "data": {
                        "brand": "amex", "country": "US", "expiryMonth": 12, "expiryYear": 2023,
                        "cardNumber": "************4242", "last4": "4242",
                    },
                },
                "charge": {
                    "id": "ch_1", "amount": 1999, "amountCaptured": 1999, "amountRefunded": 1999,
                    "currency": "usd", "refunded": true,
                    "refunds": [{
                        "id": "re_1", "amount": 1999, "currency": "usd", "status": "pending",
                        "createdAt": "2023-12-05",
                    }],
                },
            },
            "customerSession": { "customerId": "cus_1", "clientSecret": "cuss_secret_1" },
            "ephemeralKey": {
                "id": "ephkey_1", "secret": "ek_1",
                "associatedObjectId": "cus_1", "associatedObjectType": "customer",
            },
        });
        assert_eq!(body, published);
    }

    #[test]
    fn an_intent_without_card_or_charge_says_null() {
        let fresh = Intent { payment_method: None, charge: None, ..refunded_intent() };
        let body = serde_json::to_value(PaymentIntentBody::from(&fresh)).unwrap();
        assert_eq!((&body["paymentMethod"], &body["charge"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn a_bank_account_shows_its_last_digits_only() {
        let bacs = BacsDebit { sort_code: Some("108800".to_owned()), last4: Some("2345".to_owned()) };
        let data = PaymentMethodData::BacsDebit(bacs);
        let intent =
            Intent { payment_method: Some(PaymentMethod { id: "pm_1".to_owned(), data }), ..refunded_intent() };
        let body = serde_json::to_value(PaymentIntentBody::from(&intent)).unwrap();
        let data = json!({"sortCode": "108800", "accountNumber": "****2345", "last4": "2345"});
        assert_eq!((&body["paymentMethod"]["type"], &body["paymentMethod"]["data"]), (&json!("bacs_debit"), &data));
    }

    #[test]
    fn a_brand_that_is_not_published_is_unknown() {
        assert_eq!((published_brand("visa"), published_brand("cartes_bancaires")), ("visa", "unknown"));
    }

    #[test]
    fn a_debug_print_shows_no_client_secret() {
        assert!(!format!("{:?}", refunded_intent()).contains("secret_x"));
    }
}

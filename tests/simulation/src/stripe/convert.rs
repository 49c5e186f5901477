//! The model's objects in the service's types, as its adapter makes them of Stripe's answers.

use std::borrow::Cow;
use std::sync::Arc;

use classpay_domain::id::IntentId;
use classpay_domain::money::Money;
use classpay_service::stripe::{
    BacsDebit, Card, Charge, EphemeralKey, Intent, PaymentMethod, PaymentMethodData, Refund, Rejection, Secret,
    StripeError,
};
use classpay_stripe_model::means::{Means, SORT_CODE};
use classpay_stripe_model::payment_methods::{EXPIRY_MONTH, expiry_year};
use classpay_stripe_model::{self as model, ApiError, State, refunds};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// An intent with its last charge, its refunds and its payment method.
pub(super) fn intent(stripe: &State, account: &str, intent: &model::PaymentIntent) -> Intent {
    let method = intent.payment_method.as_deref().and_then(|id| stripe.get::<model::PaymentMethod>(account, id));
    let charge = intent.latest_charge.as_deref().and_then(|id| stripe.get::<model::Charge>(account, id));
    Intent {
        id: IntentId::parse(intent.id.as_str()).expect("the model's ids are ids"),
        client_secret: Secret::new(intent.client_secret.as_str()),
        amount: Money::minor(intent.amount),
        amount_received: Money::minor(intent.amount_received),
        currency: intent.currency.clone(),
        status: intent.status,
        payment_method: method.map(|method| payment_method(method)),
        charge: charge.map(|charge| charge_of(charge, stripe.all(account))),
    }
}

fn payment_method(method: &model::PaymentMethod) -> PaymentMethod {
    let data = match method.means {
        Means::Card(card) => PaymentMethodData::Card(Card {
            brand: card.brand.to_owned(),
            country: Some(card.country.to_owned()),
            expiry_month: EXPIRY_MONTH,
            expiry_year: expiry_year(method.created),
            last4: card.last4.to_owned(),
        }),
        Means::BankAccount(account) => PaymentMethodData::BacsDebit(BacsDebit {
            sort_code: Some(SORT_CODE.to_owned()),
            last4: Some(account.last4.to_owned()),
        }),
    };
    PaymentMethod { id: method.id.clone(), data }
}

fn charge_of(charge: &model::Charge, refunds: &[Arc<model::Refund>]) -> Charge {
    let refunds = refunds::of_charge(refunds, &charge.id).data;
    Charge {
        id: charge.id.clone(),
        amount: Money::minor(charge.amount),
        amount_captured: Money::minor(charge.amount_captured),
        amount_refunded: Money::minor(charge.amount_refunded),
        currency: charge.currency.clone(),
        refunded: charge.refunded,
        disputed: charge.disputed,
        created_s: charge.created,
        refunds: refunds.iter().map(|refund| refund_of(refund)).collect(),
    }
}

fn refund_of(refund: &model::Refund) -> Refund {
    Refund {
        id: refund.id.clone(),
        amount: Money::minor(refund.amount),
        currency: refund.currency.clone(),
        status: refund.status.as_str().to_owned(),
        created_s: refund.created,
        created_on: Timestamp::from_second(refund.created).expect("a time").to_zoned(TimeZone::UTC).date(),
    }
}

pub(super) fn ephemeral_key(key: model::EphemeralKey) -> EphemeralKey {
    EphemeralKey {
        id: key.id,
        secret: Secret::new(key.secret),
        associated_object_id: key.customer,
        associated_object_type: "customer",
    }
}

/// An error as the adapter reads it from the answer's body.
pub(super) fn error(error: ApiError) -> StripeError {
    let (status, detail) = (error.0.status, error.0.detail);
    StripeError::of(Rejection {
        status,
        code: Some(detail.code.unwrap_or(detail.kind).into_owned()),
        param: detail.param,
        decline_code: detail.decline_code.map(Cow::into_owned),
        message: detail.message,
    })
}

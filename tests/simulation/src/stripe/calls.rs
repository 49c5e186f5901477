//! Calls that change something: how they are lost, their idempotency keys, and lasting refusals.

use std::collections::BTreeMap;

use classpay_domain::id::{AccountId, CustomerId};
use classpay_service::stripe::{
    CustomerSession, EphemeralKey, Intent, Methods, NewIntent, Rejection, SavedCards, Secret, StripeError,
};
use classpay_stripe_model::customer_sessions;
use classpay_stripe_model::intents::{self, Cancel, Capture, CaptureMethod};
use classpay_stripe_model::methods::held_card;
use classpay_stripe_model::params::Terms;
use classpay_stripe_model::{ApiError, Call, Customer, Effect, customers, ephemeral_keys};

use serde_json::json;

use super::convert;
use super::state::State;
use crate::faults::{CallKind, Fault};

/// A request. Equal requests have equal parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Create { amount: i64, currency: String, customer: CustomerId, methods: Methods, metadata: BTreeMap<String, String> },
    Capture { intent: String, amount: i64 },
    Cancel { intent: String },
    Customer { name: String, metadata: BTreeMap<String, String> },
    CustomerSession { customer: CustomerId, cards: SavedCards },
    EphemeralKey { customer: CustomerId },
}

impl Request {
    /// The call.
    pub fn kind(&self) -> CallKind {
        match self {
            Self::Create { .. } => CallKind::CreateIntent,
            Self::Capture { .. } => CallKind::Capture,
            Self::Cancel { .. } => CallKind::Cancel,
            Self::Customer { .. } => CallKind::CreateCustomer,
            Self::CustomerSession { .. } => CallKind::CustomerSession,
            Self::EphemeralKey { .. } => CallKind::EphemeralKey,
        }
    }

    pub fn create(new: &NewIntent<'_>) -> Self {
        Self::Create {
            amount: new.amount.units(),
            currency: new.currency.to_owned(),
            customer: new.customer.clone(),
            methods: new.methods,
            metadata: new.metadata.clone(),
        }
    }

    /// The customer that it names.
    fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Create { customer, .. }
            | Self::CustomerSession { customer, .. }
            | Self::EphemeralKey { customer } => Some(customer),
            Self::Capture { .. } | Self::Cancel { .. } | Self::Customer { .. } => None,
        }
    }

    fn run(&self, call: &mut Call) -> Result<Answer, ApiError> {
        let intent = match self {
            Self::Create { amount, currency, customer, methods, metadata } => {
                intents::create(call, terms((*amount, currency), customer.as_str(), *methods, metadata))?
            }
            Self::Capture { intent, amount } => {
                intents::capture(call, intent, Capture { amount_to_capture: Some(*amount), ..Capture::default() })?
            }
            Self::Cancel { intent } => intents::cancel(call, intent, Cancel::default())?,
            Self::Customer { name, metadata } => {
                let (name, metadata) = (Some(name.clone()), Some(metadata.clone()));
                let made = customers::create(call, customers::Given { name, metadata, ..Default::default() })?;
                return Ok(Answer::Customer(CustomerId::parse(made.id).expect("the model's ids are ids")));
            }
            Self::CustomerSession { customer, .. } => {
                // Which features it has doesn't matter to a world.
                let components = json!({ "payment_element": { "enabled": true } });
                let given = customer_sessions::Create { customer: customer.as_str().to_owned(), components };
                let client_secret = Secret::new(customer_sessions::create(call, given)?.id);
                return Ok(Answer::CustomerSession(CustomerSession { customer_id: customer.clone(), client_secret }));
            }
            Self::EphemeralKey { customer } => {
                let given = ephemeral_keys::Create { customer: customer.as_str().to_owned() };
                return Ok(Answer::EphemeralKey(convert::ephemeral_key(ephemeral_keys::create(call, &given)?)));
            }
        };
        Ok(Answer::Intent(Box::new(convert::intent(call.state(), call.account, &intent))))
    }
}

/// The terms of an intent, as the service asks for it.
pub(super) fn terms(
    (amount, currency): (i64, &str),
    customer: &str,
    methods: Methods,
    metadata: &BTreeMap<String, String>,
) -> Terms {
    let common = Terms {
        amount: Some(amount),
        currency: Some(currency.to_owned()),
        customer: Some(customer.to_owned()),
        metadata: Some(metadata.clone()),
        ..Terms::default()
    };
    let allowed = |kinds: &[&str]| Some(kinds.iter().map(|kind| (*kind).to_owned()).collect());
    match methods {
        Methods::Card => Terms {
            allowed_payment_method_types: allowed(&["card"]),
            capture_method: Some(CaptureMethod::Manual),
            ..common
        },
        Methods::CardOrBankDebit => Terms {
            allowed_payment_method_types: allowed(&["card", "bacs_debit"]),
            payment_method_options: Some(held_card()),
            ..common
        },
    }
}

/// The answer.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Intent(Box<Intent>),
    Customer(CustomerId),
    CustomerSession(CustomerSession),
    EphemeralKey(EphemeralKey),
}

/// A request that is still on its way.
#[derive(Debug)]
pub(super) struct Late {
    account: AccountId,
    key: String,
    request: Request,
}

/// Stripe fails: it answers 500, whatever it has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    BeforeTheEffect,
    AfterTheEffect,
}

/// The number of calls and payers that were refused lastingly, by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastingRefusals {
    /// The customer was deleted.
    pub deleted_customer: u64,
    /// The account doesn't have the capability.
    pub not_activated: u64,
    /// Stripe refuses calls of this kind.
    pub by_kind: u64,
    /// The same, with a 402.
    pub declined: u64,
}

impl LastingRefusals {
    /// Counts an error if it says that the account doesn't have the capability.
    pub(super) fn note(&mut self, error: &ApiError) {
        let code = error.0.detail.code.as_deref();
        self.not_activated += u64::from(code == Some("payment_intent_invalid_parameter"));
    }
}

impl State {
    /// A request arrives, or doesn't. The answer is what our transport makes of it. The transport has already retried
    /// with the same key, so a lost reply was lost every time. A request is executed at one instant: a key that is in
    /// use (409) looks to a caller like a lost request.
    pub fn receive(
        &mut self,
        fault: Fault,
        account: &AccountId,
        key: &str,
        request: Request,
    ) -> Result<Answer, StripeError> {
        match fault {
            Fault::None => self.execute(account, key, request, None),
            Fault::NotSent | Fault::Refused => Err(StripeError::Unavailable),
            Fault::RequestLost => Err(StripeError::OutcomeUnknown),
            Fault::ReplyLost => {
                self.execute(account, key, request, None).ok();
                Err(StripeError::OutcomeUnknown)
            }
            Fault::Late => {
                self.late.push(Late { account: account.clone(), key: key.to_owned(), request });
                Err(StripeError::OutcomeUnknown)
            }
            Fault::Stored500 => self.execute(account, key, request, Some(Broken::BeforeTheEffect)),
            Fault::Stored500Done => self.execute(account, key, request, Some(Broken::AfterTheEffect)),
        }
    }

    /// A late request arrives. Nobody waits for its answer; returns whether it succeeded.
    pub fn land(&mut self, late: Late) -> bool {
        self.execute(&late.account, &late.key, late.request, None).is_ok()
    }

    /// Executes one request as Stripe does, and stores its answer under its key.
    fn execute(
        &mut self,
        account: &AccountId,
        key: &str,
        request: Request,
        broken: Option<Broken>,
    ) -> Result<Answer, StripeError> {
        self.connected(account)?;
        let now_s = self.now_s();
        if let Some(known) = self.keys.recall(account.as_str(), key, &request, now_s).map_err(convert::error)? {
            return known.map_err(StripeError::replayed);
        }
        let refusal = match broken {
            Some(Broken::BeforeTheEffect) => Some(ApiError::broken()),
            Some(Broken::AfterTheEffect) | None => self.refusal(request.kind()),
        };
        let result = self.call(account.as_str(), |call| match refusal {
            Some(error) => Err(error),
            None => request.run(call),
        });
        if let Err(error) = &result {
            self.note(account, &request, error);
            if error.0.effect == Effect::NotExecuted {
                return Err(convert::error(error.clone()));
            }
        }
        let answer = match result {
            _ if broken.is_some() => Err(StripeError::KeyExhausted),
            result => result.map_err(convert::error),
        };
        self.keys.remember(account.as_str(), key, request, answer.clone(), now_s);
        answer
    }

    /// How a call of this kind is refused lastingly.
    fn refusal(&mut self, kind: CallKind) -> Option<ApiError> {
        let (_, error) = self.refused.iter().find(|(refused, _)| *refused == kind)?;
        self.lasting_refusals.by_kind += 1;
        self.lasting_refusals.declined += u64::from(error.0.status == 402);
        Some(error.clone())
    }

    fn note(&mut self, account: &AccountId, request: &Request, error: &ApiError) {
        self.lasting_refusals.note(error);
        let customer = request.customer().and_then(|id| self.stripe.get::<Customer>(account.as_str(), id.as_str()));
        let is_deleted = customer.is_some_and(|customer| customer.deleted_at.is_some());
        let is_missing = error.0.detail.param.as_deref() == Some("customer");
        self.lasting_refusals.deleted_customer += u64::from(is_deleted && is_missing);
    }
}

/// A call that our own adapter refuses to send.
pub(super) fn refused_unsent(why: &str) -> StripeError {
    let (code, message) = (Some("refused_unsent".to_owned()), why.to_owned());
    StripeError::Refused(Rejection { code, message, ..Rejection::default() })
}

//! Calls that change something, and their idempotency keys.
//!
//! The first answer under a key is the only one for 24 hours, even if it is an error or a 500, and other parameters
//! under the same key do nothing. A refusal before execution leaves the key free.

use std::collections::BTreeMap;

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_service::stripe::{
    CustomerSession, EphemeralKey, Intent, Methods, NewIntent, Rejection, SavedCards, Secret, StripeError,
};

use super::state::{Refusal, State};
use crate::faults::{CallKind, Fault};

/// Stripe keeps answers for at least 24 hours. Here it is exactly that, so that a world can reach the end.
const REMEMBERED_S: i64 = 24 * 60 * 60;

/// A request. Equal requests have equal parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Create { amount: i64, currency: String, customer: CustomerId, methods: Methods, metadata: BTreeMap<String, String> },
    Capture { intent: IntentId, amount: i64 },
    Cancel { intent: IntentId },
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
}

/// The answer.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Intent(Box<Intent>),
    Customer(CustomerId),
    CustomerSession(CustomerSession),
    EphemeralKey(EphemeralKey),
}

/// A stored answer.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    request: Request,
    answer: Result<Answer, StripeError>,
    at_s: i64,
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
pub(super) enum Broken {
    BeforeTheEffect,
    AfterTheEffect,
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

    /// Executes one request as Stripe does.
    pub fn execute(
        &mut self,
        account: &AccountId,
        key: &str,
        request: Request,
        broken: Option<Broken>,
    ) -> Result<Answer, StripeError> {
        let at = self.connected(account)?;
        let now_s = self.now_s();
        let keys = &self.accounts[at].keys;
        if let Some(known) = keys.get(key).filter(|known| now_s.saturating_sub(known.at_s) < REMEMBERED_S) {
            let replayed = || known.answer.clone().map_err(StripeError::replayed);
            return if known.request == request { replayed() } else { Err(other_parameters()) };
        }
        self.end_holds();
        let result = match broken {
            Some(Broken::BeforeTheEffect) => Err(broken_down()),
            Some(Broken::AfterTheEffect) | None => self.answers(&request).and_then(|()| self.perform(at, &request)),
        };
        let answer = match result {
            Err(Refusal { error, is_kept: false }) => return Err(error),
            _ if broken.is_some() => Err(StripeError::KeyExhausted),
            result => result.map_err(|refusal| refusal.error),
        };
        let remembered = Remembered { request, answer: answer.clone(), at_s: now_s };
        self.accounts[at].keys.insert(key.to_owned(), remembered);
        answer
    }

    fn perform(&mut self, account: usize, request: &Request) -> Result<Answer, Refusal> {
        let place = match request {
            Request::Create { amount, currency, customer, methods, metadata } => {
                self.create(account, (*amount, currency), customer, *methods, metadata)?
            }
            Request::Capture { intent, amount } => {
                at_least_one(*amount)?;
                let place = self.place_on(account, intent)?;
                self.capture(place, Some(*amount))?;
                place
            }
            Request::Cancel { intent } => {
                let place = self.place_on(account, intent)?;
                self.cancel(place)?;
                place
            }
            Request::Customer { .. } => return Ok(Answer::Customer(self.create_customer(account))),
            Request::CustomerSession { customer, .. } => {
                self.living(account, customer)?;
                let client_secret = Secret::new(self.new_id("cuss_secret"));
                let customer_id = customer.clone();
                return Ok(Answer::CustomerSession(CustomerSession { customer_id, client_secret }));
            }
            Request::EphemeralKey { customer } => {
                self.living(account, customer)?;
                return Ok(Answer::EphemeralKey(EphemeralKey {
                    id: self.new_id("ephkey"),
                    secret: Secret::new(self.new_id("ek_test")),
                    associated_object_id: customer.as_str().to_owned(),
                    associated_object_type: "customer",
                }));
            }
        };
        Ok(Answer::Intent(Box::new(self.payments[place].intent.clone())))
    }

    fn create_customer(&mut self, account: usize) -> CustomerId {
        let customer = CustomerId::parse(self.new_id("cus")).expect("a prefix and a number");
        self.accounts[account].customers.push(customer.clone());
        self.tell_of_customer(account, &customer, "customer.created");
        customer
    }
}

pub(super) fn at_least_one(amount: i64) -> Result<(), Refusal> {
    if amount >= 1 { Ok(()) } else { Err(Refusal::unread("parameter_invalid_integer", "less than 1")) }
}

fn other_parameters() -> StripeError {
    Refusal::unread("idempotency_error", "the key came with other parameters").error
}

fn broken_down() -> Refusal {
    Refusal { error: StripeError::KeyExhausted, is_kept: true }
}

/// A call that our own adapter refuses to send.
pub(super) fn refused_unsent(why: &str) -> StripeError {
    let (code, message) = (Some("refused_unsent".to_owned()), why.to_owned());
    StripeError::Refused(Rejection { code, message, ..Rejection::default() })
}

//! The calls of the API that get faults, with what comes before and after each.
//!
//! What comes before and after has no faults.

use classpay_tests::{Answer, Member, Stack};
use serde_json::Value;

/// How often a client calls again.
const ASKED: usize = 6;
/// Stripe's event when a payer has confirmed.
const AUTHORISED: &str = "payment_intent.amount_capturable_updated";

/// The call that gets a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A family opens a payment session.
    Session,
    /// A family checks out what it has authorised.
    Checkout,
    /// A payer opens a link.
    Open,
    /// A payer's page reports that the payer has confirmed.
    Pay,
    /// A payer who has confirmed and closed the tab opens the link again.
    Reopen,
    /// Stripe reports that a payer, who has closed the tab, has confirmed.
    Event,
}

/// The state before the call.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The authorised intent.
    pub intent: Option<String>,
    event: Option<Value>,
}

impl Flow {
    /// The function that serves it.
    pub fn function(self) -> &'static str {
        match self {
            Self::Session => "create-payment-session",
            Self::Checkout => "basket-checkout",
            Self::Open | Self::Reopen => "retrieve-payment-link",
            Self::Pay => "process-payment-link",
            Self::Event => "stripe-webhook",
        }
    }

    pub async fn prepare(self, stack: &Stack, member: &Member) -> Start {
        let intent = match self {
            Self::Session | Self::Open => None,
            Self::Checkout => Some(stack.authorise(&member.family, &member.basket()).await),
            Self::Pay | Self::Reopen | Self::Event => Some(stack.authorise_link(&member.link).await),
        };
        let is_ours = |event: &Value| event["data"]["object"]["id"].as_str() == intent.as_deref();
        let event = match self {
            Self::Event => stack.latest_events(AUTHORISED).await.into_iter().find(is_ours),
            Self::Session | Self::Checkout | Self::Open | Self::Pay | Self::Reopen => None,
        };
        Start { intent, event }
    }

    /// The call.
    pub async fn act(self, stack: &Stack, member: &Member, start: &Start) -> Answer {
        match self {
            Self::Session => stack.family(&member.family).session(&member.family, &member.basket()).await,
            Self::Checkout => stack.check_out(&member.family, start.intent.as_deref().unwrap(), &member.basket()).await,
            Self::Open | Self::Reopen => stack.open_link(&member.link).await,
            Self::Pay => stack.process_link(&member.link, start.intent.as_deref()).await,
            Self::Event => stack.send_event(start.event.as_ref().unwrap()).await,
        }
    }

    /// What the client does after its answer, until it has paid. Returns its intent.
    ///
    /// # Errors
    /// The last answer to a call wasn't 200.
    pub async fn go_on(self, stack: &Stack, member: &Member, start: &Start, got: &Answer) -> Result<String, String> {
        let intent = match (self, &start.intent) {
            (_, Some(intent)) => intent.clone(),
            (Self::Session, None) => got.json()["paymentIntent"]["id"].as_str().unwrap().to_owned(),
            (_, None) => Stack::shown_intent(got)["id"].as_str().unwrap().to_owned(),
        };
        if start.intent.is_none() {
            stack.confirm(&intent).await;
        }
        let known = Start { intent: Some(intent.clone()), event: None };
        let last = if matches!(self, Self::Session | Self::Checkout) { Self::Checkout } else { Self::Pay };
        last.insist(stack, member, &known).await?;
        Ok(intent)
    }

    /// The call, repeated for as long as the answer is that the result isn't known yet.
    ///
    /// # Errors
    /// Every answer, if the last isn't 200.
    pub async fn insist(self, stack: &Stack, member: &Member, start: &Start) -> Result<Answer, String> {
        let mut answers: Vec<String> = Vec::new();
        for _ in 0..ASKED {
            let answer = self.act(stack, member, start).await;
            let is_underway = answer.status == 200
                && self != Self::Session
                && self != Self::Open
                && answer.text.contains(r#""status":"processing""#);
            if answer.status == 200 && !is_underway {
                return Ok(answer);
            }
            answers.push(format!("{} {}", answer.status, answer.text));
            if !matches!(answer.status, 200 | 202 | 503) {
                break;
            }
        }
        Err(format!("{self:?} was answered {answers:#?}"))
    }
}

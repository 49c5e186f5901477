//! Injected faults for deliveries: what can happen to an event between Stripe and us.
//!
//! - duplicate: sent twice, one right after the other.
//! - holdBack: kept until it is released.
//! - reorder: delivered after the delivery that comes next.
//! - misSign: signed with a secret that isn't ours. Its retry has the right signature.
//! - lose: never delivered, although `/v1/events` lists it.
//! - delayMs: sent that much later; the deliveries behind it wait.
//!
//! Attempts are counted in their order, including retries.

use classpay_stripe_model::events::fits;
use serde::{Deserialize, Serialize};

use crate::fault_queue::FaultQueue;

/// Which deliveries match; every given field must match.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deliveries {
    /// `payment_intent.succeeded`, or all of a kind: `charge.*`.
    #[serde(rename = "type")]
    kind: Option<String>,
    account: Option<String>,
}

impl Deliveries {
    pub fn fit(&self, kind: &str, account: &str) -> bool {
        self.kind.as_ref().is_none_or(|given| fits(given, kind))
            && self.account.as_ref().is_none_or(|given| given == account)
    }
}

/// What a fault does to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    Duplicate,
    HoldBack,
    Reorder,
    MisSign,
    Lose,
    #[serde(rename = "delayMs")]
    Delay(u64),
}

/// The faults of deliveries.
pub(crate) type Faults = FaultQueue<Deliveries, Action>;

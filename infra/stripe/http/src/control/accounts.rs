//! Changes to an account: Stripe grants or removes a capability, the studio disconnects it, or its events get larger.
//!
//! The settings are stored with the state and change no existing object.

use classpay_stripe_model::accounts::{Account, Capability, Named};
use classpay_stripe_model::{ApiError, PLATFORM};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Nothing, parse};
use crate::StandIn;

/// An omitted field stays as it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Capabilities {
    #[serde(alias = "card_payments")]
    card_payments: Option<Capability>,
    #[serde(alias = "bacs_debit_payments")]
    bacs_debit_payments: Option<Capability>,
    named: Option<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pad {
    bytes: usize,
}

/// A page has a hundred events.
const MOST_PADDING: usize = 1024 * 1024;

/// `None` if there is no such action.
pub(super) fn handle(standin: &StandIn, id: &str, what: &str, body: &str) -> Result<Option<Value>, ApiError> {
    if !id.starts_with("acct_") || id == PLATFORM {
        return Err(ApiError::no_such("account", id, "id"));
    }
    let changed = match what {
        "capabilities" => {
            let given: Capabilities = parse(body)?;
            change(standin, id, |account| {
                account.card_payments = given.card_payments.unwrap_or(account.card_payments);
                account.bacs_debit_payments = given.bacs_debit_payments.unwrap_or(account.bacs_debit_payments);
                account.named = given.named.unwrap_or(account.named);
            })?
        }
        "connect" | "disconnect" => {
            let Nothing {} = parse(body)?;
            change(standin, id, |account| account.disconnected = what == "disconnect")?
        }
        "pad" => {
            let Pad { bytes } = parse(body)?;
            if bytes > MOST_PADDING {
                let message = format!("An event can be padded with {MOST_PADDING} bytes at most.");
                return Err(ApiError::invalid(message).param("bytes"));
            }
            change(standin, id, |account| account.event_padding = bytes)?
        }
        _ => return Ok(None),
    };
    Ok(Some(changed))
}

fn change(standin: &StandIn, id: &str, change: impl FnOnce(&mut Account)) -> Result<Value, ApiError> {
    let mut stored = standin.store.lock();
    let account = stored.stripe.account_mut(id);
    change(account);
    let shown = shown(id, account);
    standin.store.keep(&stored)?;
    Ok(shown)
}

/// The accounts that have settings.
pub(super) fn list(standin: &StandIn) -> Value {
    standin.store.lock().stripe.accounts().iter().map(|(id, account)| shown(id, account)).collect()
}

fn shown(id: &str, account: &Account) -> Value {
    json!({
        "id": id,
        "cardPayments": account.card_payments,
        "bacsDebitPayments": account.bacs_debit_payments,
        "named": account.named,
        "disconnected": account.disconnected,
        "eventPadding": account.event_padding,
    })
}

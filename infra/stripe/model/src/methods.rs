//! Which payment methods an intent accepts, and their options.
//!
//! An intent's `payment_method_types` are those that its currency, its capture method and its account allow. A type
//! that can't be used is filtered out of a list of allowed types, and refused in a list of required ones. A type that
//! the account hasn't activated is refused in both lists, unless the account is set to leave it out.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::{Account, Named, not_activated, nothing_activated};
use crate::error::ApiError;
use crate::fields::overlay;
use crate::params::Terms;

/// The result of dynamic payment methods here: the studio has activated no others.
const DYNAMIC: &[&str] = &["card", "link"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomaticMethods {
    pub enabled: bool,
    pub allow_redirects: Option<String>,
}

/// The types of an intent, with its `automatic_payment_methods`.
pub struct Chosen {
    pub types: Vec<String>,
    pub automatic: Option<Value>,
}

/// The types that these terms allow.
pub(crate) fn choose(terms: &Terms, account: Account, currency: &str, by_hand: bool) -> Result<Chosen, ApiError> {
    one_at_most(terms)?;
    activated(terms, account)?;
    if let Some(demanded) = &terms.payment_method_types {
        for kind in demanded {
            usable(kind, currency, by_hand).map_err(|error| error.param("payment_method_types"))?;
        }
        return Ok(Chosen { types: demanded.clone(), automatic: None });
    }
    if let Some(allowed) = &terms.allowed_payment_method_types {
        let usable = |kind: &&String| account.takes(kind) && usable(kind, currency, by_hand).is_ok();
        let types: Vec<String> = allowed.iter().filter(usable).cloned().collect();
        if types.is_empty() {
            let message = "None of the allowed payment method types can be used with this \
                           PaymentIntent's parameters.";
            return Err(ApiError::invalid(message).param("allowed_payment_method_types"));
        }
        return Ok(Chosen { types, automatic: None });
    }
    let automatic = terms.automatic_payment_methods.as_ref();
    let is_automatic = automatic.is_none_or(|automatic| automatic.enabled);
    let excluded = terms.excluded_payment_method_types.as_deref().unwrap_or_default();
    let offered = |kind: &&&str| account.takes(kind) && !excluded.iter().any(|excluded| excluded == *kind);
    let candidates = if is_automatic { DYNAMIC } else { &["card"] };
    let types: Vec<String> = candidates.iter().filter(offered).map(|kind| (*kind).to_owned()).collect();
    if types.is_empty() {
        return Err(nothing_activated());
    }
    let redirects = automatic.and_then(|automatic| automatic.allow_redirects.as_deref()).unwrap_or("always");
    let automatic = is_automatic.then(|| json!({ "enabled": true, "allow_redirects": redirects }));
    Ok(Chosen { types, automatic })
}

/// Checks that every named type is activated; the first that isn't is refused.
fn activated(terms: &Terms, account: Account) -> Result<(), ApiError> {
    let allowed = terms.allowed_payment_method_types.as_ref().filter(|_| account.named == Named::Refused);
    let lists =
        [("payment_method_types", terms.payment_method_types.as_ref()), ("allowed_payment_method_types", allowed)];
    for (param, named) in lists {
        if let Some(kind) = named.into_iter().flatten().find(|kind| !account.takes(kind)) {
            return Err(not_activated(kind, param));
        }
    }
    Ok(())
}

fn one_at_most(terms: &Terms) -> Result<(), ApiError> {
    let automatic = terms.automatic_payment_methods.as_ref().is_some_and(|automatic| automatic.enabled);
    let exclusive = [
        ("allowed_payment_method_types", terms.allowed_payment_method_types.is_some()),
        ("payment_method_types", terms.payment_method_types.is_some()),
        ("automatic_payment_methods", automatic),
    ];
    let mut given: Vec<&str> = exclusive.into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
    if terms.excluded_payment_method_types.is_some() && given.iter().any(|name| name.ends_with("types")) {
        given.push("excluded_payment_method_types");
    }
    if given.len() > 1 {
        let message = format!("You may only specify one of these parameters: {}.", given.join(", "));
        return Err(ApiError::invalid(message));
    }
    Ok(())
}

/// Whether a payment in this currency and with this capture method can use the type. Types that the stand-in doesn't
/// model are accepted.
fn usable(kind: &str, currency: &str, by_hand: bool) -> Result<(), ApiError> {
    let only = match kind {
        "bacs_debit" | "pay_by_bank" => "gbp",
        "sepa_debit" | "ideal" | "bancontact" => "eur",
        "us_bank_account" | "cashapp" => "usd",
        _ => currency,
    };
    let code = "payment_intent_invalid_parameter";
    if only != currency {
        let message = format!(
            "The currency provided ({currency}) is invalid for the payment method type `{kind}`. \
             This payment method supports the following currencies: {only}."
        );
        return Err(ApiError::invalid(message).code(code));
    }
    if by_hand && matches!(kind, "bacs_debit" | "sepa_debit" | "us_bank_account" | "pay_by_bank") {
        let message = format!("The payment method type `{kind}` doesn't support manual capture.");
        return Err(ApiError::invalid(message).code(code));
    }
    Ok(())
}

/// The options that the stand-in knows, by type of payment method. What they may be is said by Stripe's description.
const OPTIONS: &[(&str, &[&str])] = &[
    (
        "card",
        &[
            "capture_method",
            "network",
            "request_extended_authorization",
            "request_incremental_authorization",
            "request_multicapture",
            "request_overcapture",
            "request_three_d_secure",
            "setup_future_usage",
        ],
    ),
    ("bacs_debit", &["mandate_options", "setup_future_usage", "target_date"]),
    ("link", &["capture_method", "setup_future_usage"]),
];

/// Merges the given `payment_method_options` over the present ones, after Stripe's defaults for the intent's types.
pub(crate) fn merge_options(present: &mut Value, given: Value, types: &[String]) -> Result<(), ApiError> {
    for (kind, options) in given.as_object().into_iter().flatten() {
        let known = OPTIONS.iter().find(|(known, _)| known == kind).map_or(&[][..], |(_, known)| known);
        let unknown = options.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
        if let Some((name, _)) = unknown {
            return Err(ApiError::unknown_parameter(&format!("payment_method_options[{kind}][{name}]")));
        }
    }
    for (kind, _) in OPTIONS {
        let is_new = present[kind].is_null();
        if is_new && (given.get(kind).is_some() || types.iter().any(|known| known == kind)) {
            present[kind] = match *kind {
                "card" => json!({
                    "installments": null, "mandate_options": null, "network": null,
                    "request_three_d_secure": "automatic",
                }),
                _ => json!({}),
            };
        }
    }
    overlay(present, given);
    Ok(())
}

/// A card that is held first and captured later, whatever the intent's other methods do.
pub fn held_card() -> Value {
    json!({ "card": { "capture_method": "manual" } })
}

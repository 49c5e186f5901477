//! Which payment methods an intent accepts, and their options.
//!
//! An intent's `payment_method_types` are those that its currency, its capture method and its account allow. A type
//! that can't be used is filtered out of a list of allowed types, and refused in a list of required ones. A type that
//! the account hasn't activated is refused in both lists, unless the account is set to leave it out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::{Account, Named, not_activated, nothing_activated};
use crate::error::ApiError;

/// The result of dynamic payment methods here: the studio has activated no others.
const DYNAMIC: &[&str] = &["card", "link"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redirects {
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomaticMethods {
    pub enabled: bool,
    pub allow_redirects: Option<Redirects>,
}

/// How a call names the types that it accepts.
pub struct Choice {
    pub allowed: Option<Vec<String>>,
    pub automatic: Option<AutomaticMethods>,
    pub excluded: Option<Vec<String>>,
    /// `payment_method_types`, which versions from 2026-09-30 onwards refuse.
    pub demanded: Option<Vec<String>>,
}

/// The types of an intent, with its `automatic_payment_methods`.
pub struct Chosen {
    pub types: Vec<String>,
    pub automatic: Option<Value>,
}

impl Choice {
    pub fn given(&self) -> bool {
        self.allowed.is_some() || self.automatic.is_some() || self.excluded.is_some() || self.demanded.is_some()
    }

    pub fn decide(&self, account: Account, currency: &str, by_hand: bool) -> Result<Chosen, ApiError> {
        self.one_at_most()?;
        self.activated(account)?;
        if let Some(demanded) = &self.demanded {
            for kind in demanded {
                usable(kind, currency, by_hand).map_err(|error| error.param("payment_method_types"))?;
            }
            return Ok(Chosen { types: demanded.clone(), automatic: None });
        }
        if let Some(allowed) = &self.allowed {
            let usable = |kind: &&String| account.takes(kind) && usable(kind, currency, by_hand).is_ok();
            let types: Vec<String> = allowed.iter().filter(usable).cloned().collect();
            if types.is_empty() {
                let message = "None of the allowed payment method types can be used with this \
                               PaymentIntent's parameters.";
                return Err(ApiError::invalid(message).param("allowed_payment_method_types"));
            }
            return Ok(Chosen { types, automatic: None });
        }
        if self.automatic.is_some_and(|automatic| !automatic.enabled) {
            if !account.takes("card") {
                return Err(nothing_activated());
            }
            return Ok(Chosen { types: vec!["card".into()], automatic: None });
        }
        let excluded = self.excluded.as_deref().unwrap_or_default();
        let offered = |kind: &&&str| account.takes(kind) && !excluded.iter().any(|excluded| excluded == *kind);
        let types: Vec<String> = DYNAMIC.iter().filter(offered).map(|kind| (*kind).to_owned()).collect();
        if types.is_empty() {
            return Err(nothing_activated());
        }
        let redirects = self.automatic.and_then(|automatic| automatic.allow_redirects);
        Ok(Chosen {
            types,
            automatic: Some(json!({
                "enabled": true, "allow_redirects": redirects.unwrap_or(Redirects::Always),
            })),
        })
    }

    /// Checks that every named type is activated; the first that isn't is refused.
    fn activated(&self, account: Account) -> Result<(), ApiError> {
        let lists = [
            ("payment_method_types", &self.demanded, true),
            ("allowed_payment_method_types", &self.allowed, account.named == Named::Refused),
        ];
        for (param, named, _) in lists.into_iter().filter(|(.., refused)| *refused) {
            if let Some(kind) = named.iter().flatten().find(|kind| !account.takes(kind)) {
                return Err(not_activated(kind, param));
            }
        }
        Ok(())
    }

    fn one_at_most(&self) -> Result<(), ApiError> {
        let automatic = self.automatic.is_some_and(|automatic| automatic.enabled);
        let exclusive = [
            ("allowed_payment_method_types", self.allowed.is_some()),
            ("payment_method_types", self.demanded.is_some()),
            ("automatic_payment_methods", automatic),
        ];
        let given: Vec<&str> = exclusive.into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
        let with_excluded = self.excluded.is_some() && given.iter().any(|name| name.ends_with("types"));
        if given.len() > 1 || with_excluded {
            let mut names = given.join(", ");
            if with_excluded {
                names += ", excluded_payment_method_types";
            }
            let message = format!("You may only specify one of these parameters: {names}.");
            return Err(ApiError::invalid(message));
        }
        Ok(())
    }
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

/// `payment_method_options`, in the form that is both given and stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bacs_debit: Option<BacsOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<LinkOptions>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_method: Option<CardCapture>,
    network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_extended_authorization: Option<IfAvailable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_incremental_authorization: Option<IfAvailable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_multicapture: Option<IfAvailable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_overcapture: Option<IfAvailable>,
    request_three_d_secure: Option<ThreeDSecure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_future_usage: Option<String>,
}

/// An empty text unsets it, as everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CardCapture {
    Manual,
    #[serde(rename = "")]
    Unset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IfAvailable {
    IfAvailable,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ThreeDSecure {
    Any,
    Automatic,
    Challenge,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BacsOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    mandate_options: Option<BacsMandate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_future_usage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_date: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BacsMandate {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_prefix: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_method: Option<CardCapture>,
    /// Accepted and not reported.
    #[serde(skip_serializing)]
    persistent_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_future_usage: Option<String>,
}

impl MethodOptions {
    /// A card that is held first and captured later, whatever the intent's other methods do.
    pub fn held_card() -> Self {
        let card = CardOptions { capture_method: Some(CardCapture::Manual), ..CardOptions::default() };
        Self { card: Some(card), ..Self::default() }
    }

    pub fn card_captured_by_hand(&self) -> bool {
        self.card.as_ref().is_some_and(|card| card.capture_method == Some(CardCapture::Manual))
    }

    pub fn card_authenticates(&self) -> bool {
        let asked = self.card.as_ref().and_then(|card| card.request_three_d_secure);
        matches!(asked, Some(ThreeDSecure::Any | ThreeDSecure::Challenge))
    }

    pub fn card_saved_for(&self) -> Option<&str> {
        self.card.as_ref()?.setup_future_usage.as_deref().filter(|usage| *usage != "none")
    }

    /// Merges the given options over the present ones, with Stripe's defaults for the intent's types.
    pub fn merge(&mut self, given: Option<Self>, types: &[String]) {
        let given = given.unwrap_or_default();
        if let Some(given) = given.card {
            let card = self.card.get_or_insert_default();
            if let Some(capture) = given.capture_method {
                card.capture_method = Some(capture).filter(|it| *it != CardCapture::Unset);
            }
            card.network = given.network.or(card.network.take());
            card.request_three_d_secure = given.request_three_d_secure.or(card.request_three_d_secure);
            card.request_extended_authorization =
                given.request_extended_authorization.or(card.request_extended_authorization);
            card.request_incremental_authorization =
                given.request_incremental_authorization.or(card.request_incremental_authorization);
            card.request_multicapture = given.request_multicapture.or(card.request_multicapture);
            card.request_overcapture = given.request_overcapture.or(card.request_overcapture);
            crate::fields::set(&mut card.setup_future_usage, given.setup_future_usage);
        }
        self.bacs_debit = given.bacs_debit.or(self.bacs_debit.take());
        self.link = given.link.or(self.link.take());
        let has = |kind: &str| types.iter().any(|known| known == kind);
        if has("card") {
            let card = self.card.get_or_insert_default();
            card.request_three_d_secure.get_or_insert(ThreeDSecure::Automatic);
        }
        if has("bacs_debit") {
            self.bacs_debit.get_or_insert_default();
        }
        if has("link") {
            self.link.get_or_insert_default();
        }
    }
}

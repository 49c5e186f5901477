//! Checks the service's requests, as its adapter writes them, against Stripe's description of its API.
//!
//! A request that Stripe would refuse for its form ends the world. Each shape of a request is checked once per process:
//! the description limits only the type and length of a value, and twenty thousand worlds make the same few requests.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::{LazyLock, Mutex, PoisonError};

use classpay_service::stripe::requests::Asked;
use classpay_stripe_standin::mistake;

/// The shapes that were checked and are valid.
static SEEN: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);

/// Checks a request.
///
/// # Panics
/// If Stripe would refuse it.
pub(super) fn hold(asked: Asked<'_>) {
    let shape = shape(asked);
    if SEEN.lock().unwrap_or_else(PoisonError::into_inner).contains(&shape) {
        return;
    }
    // Refusals before sending are tested by the callers, not here.
    let Ok(form) = asked.form() else { return };
    if let Some(mistake) = mistake(form.method, &form.path, &form.query, &form.body) {
        panic!("Stripe would refuse what we ask: {mistake}");
    }
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(shape);
}

fn shape(asked: Asked<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let lengths = |metadata: &BTreeMap<String, String>, hasher: &mut DefaultHasher| {
        metadata.iter().for_each(|(name, value)| (name, value.len()).hash(hasher));
    };
    discriminant(&asked).hash(&mut hasher);
    match asked {
        Asked::LoadIntent(intent) | Asked::CancelIntent(intent) | Asked::CaptureIntent(intent, _) => {
            intent.as_str().len().hash(&mut hasher);
        }
        Asked::CreateIntent(new) => {
            (new.currency, discriminant(&new.methods), new.customer.as_str().len()).hash(&mut hasher);
            lengths(&new.metadata, &mut hasher);
        }
        Asked::CreateCustomer(name, about) => {
            name.len().hash(&mut hasher);
            lengths(about, &mut hasher);
        }
        Asked::CreateCustomerSession(customer, cards) => {
            (customer.as_str().len(), discriminant(&cards)).hash(&mut hasher);
        }
        Asked::CreateEphemeralKey(customer) => customer.as_str().len().hash(&mut hasher),
        Asked::ListEvents(query) => {
            (query.kinds, query.after.map(|event| event.as_str().len())).hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use classpay_domain::money::Money;
    use classpay_service::stripe::{Methods, NewIntent};

    use super::{Asked, hold};

    fn new(metadata: BTreeMap<String, String>) -> NewIntent<'static> {
        let customer = "cus_1".parse().unwrap();
        NewIntent { amount: Money::minor(100), currency: "gbp", customer, methods: Methods::Card, metadata }
    }

    #[test]
    fn what_the_service_asks_is_as_described() {
        hold(Asked::CreateIntent(&new(BTreeMap::from([("classpay".to_owned(), "1".to_owned())]))));
    }

    /// The SDK doesn't write metadata as an empty text, which unsets; and at creation there is nothing to unset.
    #[test]
    #[should_panic(expected = "Stripe would refuse what we ask: POST /v1/payment_intents: You passed an empty string")]
    fn a_call_that_stripe_would_refuse_ends_the_world() {
        hold(Asked::CreateIntent(&new(BTreeMap::new())));
    }
}

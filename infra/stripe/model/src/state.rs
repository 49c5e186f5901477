//! The state: the objects of each account, in the order in which they were made, and the accounts' settings.
//!
//! A lookup always names the account, so no object can be reached through another account.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use classpay_domain::order::IntentStatus;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::accounts::Account;
use crate::ids::Ids;
use crate::{
    Charge, Customer, CustomerSession, Dispute, EphemeralKey, Event, PLATFORM, PaymentIntent, PaymentMethod, Refund,
};

/// A kind of Stripe object. What is stored is the part that varies; `constants` are the fields that are always the same
/// here. Together they are the object as Stripe returns it.
pub trait Object: Stored {
    /// Stripe's `object`.
    const KIND: &'static str;
    /// Fields of ours that Stripe's object doesn't have.
    const OURS: &'static [&'static str] = &[];

    fn constants() -> Value {
        json!({})
    }

    /// The object as Stripe returns it.
    fn json(&self) -> Value {
        self.whole()
    }

    fn whole(&self) -> Value {
        let mut whole = Self::constants();
        if let (Some(whole), Ok(Value::Object(own))) = (whole.as_object_mut(), serde_json::to_value(self)) {
            whole.extend(own);
            whole.retain(|field, _| !Self::OURS.contains(&field.as_str()));
            whole.insert("object".into(), Self::KIND.into());
            whole.insert("livemode".into(), false.into());
        }
        whole
    }

    /// The intent whose status or money a change to this object may change.
    fn payment(&self) -> Option<&str> {
        None
    }
}

/// Where the objects of a kind are.
pub trait Stored: Clone + Serialize + DeserializeOwned + 'static {
    fn id(&self) -> &str;
    fn created(&self) -> i64;
    fn table(objects: &Objects) -> &Table<Self>;
    fn table_mut(objects: &mut Objects) -> &mut Table<Self>;
}

macro_rules! stored {
    ($($table:ident: $kind:ident),* $(,)?) => {
        /// The objects of an account.
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Objects {
            $($table: Table<$kind>,)*
        }

        impl Objects {
            fn has(&self, id: &str) -> bool {
                $(self.$table.get(id).is_some())||*
            }

            fn json(&self, id: &str) -> Option<Value> {
                None$(.or_else(|| Some(self.$table.get(id)?.json())))*
            }
        }

        $(impl Stored for $kind {
            fn id(&self) -> &str {
                &self.id
            }

            fn created(&self) -> i64 {
                self.created
            }

            fn table(objects: &Objects) -> &Table<Self> {
                &objects.$table
            }

            fn table_mut(objects: &mut Objects) -> &mut Table<Self> {
                &mut objects.$table
            }
        })*
    };
}

stored! {
    payment_intents: PaymentIntent,
    charges: Charge,
    refunds: Refund,
    disputes: Dispute,
    customers: Customer,
    payment_methods: PaymentMethod,
    customer_sessions: CustomerSession,
    ephemeral_keys: EphemeralKey,
    events: Event,
}

/// The objects of one kind, in the order in which they were made. A clone shares them.
#[derive(Debug, Clone)]
pub struct Table<T> {
    objects: Vec<Arc<T>>,
    index: HashMap<Arc<str>, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { objects: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Stored> Table<T> {
    pub fn get(&self, id: &str) -> Option<&Arc<T>> {
        self.index.get(id).map(|&at| &self.objects[at])
    }

    pub fn position(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Oldest first.
    pub fn all(&self) -> &[Arc<T>] {
        &self.objects
    }

    /// Adds or replaces an object, and returns what [`Table::put_back`] needs to undo it.
    pub(crate) fn put(&mut self, object: T) -> (usize, Option<Arc<T>>) {
        if let Some(&at) = self.index.get(object.id()) {
            return (at, Some(std::mem::replace(&mut self.objects[at], Arc::new(object))));
        }
        self.index.insert(object.id().into(), self.objects.len());
        self.objects.push(Arc::new(object));
        (self.objects.len() - 1, None)
    }

    /// Changes are undone in reverse order, so that an object that was added is the last one.
    pub(crate) fn put_back(&mut self, (at, before): (usize, Option<Arc<T>>)) {
        match before {
            Some(before) => self.objects[at] = before,
            None => {
                if let Some(added) = self.objects.pop() {
                    self.index.remove(added.id());
                }
            }
        }
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.objects.iter().map(|object| &**object))
    }
}

impl<'de, T: Stored> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        for object in Vec::<T>::deserialize(deserializer)? {
            table.put(object);
        }
        Ok(table)
    }
}

/// Everything that Stripe knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The settings that were changed.
    accounts: BTreeMap<String, Account>,
    objects: BTreeMap<String, Objects>,
    /// No hold ends before this time, so that looking for one costs nothing until then.
    next_end: i64,
    #[serde(skip, default = "Ids::random")]
    pub(crate) ids: Ids,
}

impl State {
    /// A Stripe without objects.
    pub fn new(ids: Ids) -> Self {
        Self { accounts: BTreeMap::new(), objects: BTreeMap::new(), next_end: i64::MAX, ids }
    }

    pub fn get<T: Object>(&self, account: &str, id: &str) -> Option<&Arc<T>> {
        T::table(self.objects.get(account)?).get(id)
    }

    pub(crate) fn json(&self, account: &str, id: &str) -> Option<Value> {
        self.objects.get(account)?.json(id)
    }

    pub(crate) fn position<T: Object>(&self, account: &str, id: &str) -> Option<usize> {
        T::table(self.objects.get(account)?).position(id)
    }

    /// The objects of an account, oldest first.
    pub fn all<T: Object>(&self, account: &str) -> &[Arc<T>] {
        self.objects.get(account).map_or(&[], |objects| T::table(objects).all())
    }

    /// The objects of all accounts with their account, oldest first.
    pub fn everywhere<T: Object>(&self) -> Vec<(&str, &T)> {
        let of = |(account, objects)| T::table(objects).all().iter().map(move |object| (account, &**object));
        let named = self.objects.iter().map(|(account, objects)| (account.as_str(), objects));
        let mut found: Vec<(&str, &T)> = named.flat_map(of).collect();
        found.sort_by_key(|(_, object)| object.created());
        found
    }

    /// The account of an object. No call of the API may look for it: a call is bound to its account.
    pub fn account_of(&self, id: &str) -> Option<&str> {
        self.objects.iter().find(|(_, objects)| objects.has(id)).map(|(account, _)| account.as_str())
    }

    /// An account's settings. An account without any is connected and has every capability.
    pub fn account(&self, id: &str) -> Account {
        self.accounts.get(id).copied().unwrap_or_default()
    }

    /// The settings of an account, to be changed.
    pub fn account_mut(&mut self, id: &str) -> &mut Account {
        self.accounts.entry(id.to_owned()).or_default()
    }

    /// The accounts that have settings.
    pub fn accounts(&self) -> &BTreeMap<String, Account> {
        &self.accounts
    }

    /// An id for a request.
    pub fn request_id(&mut self) -> String {
        self.ids.request()
    }

    /// All deliveries of this event are done.
    pub fn event_delivered(&mut self, account: &str, id: &str) {
        if let Some(event) = self.get::<Event>(account, id) {
            let event = Event { pending_webhooks: 0, ..Event::clone(event) };
            self.objects_mut(account, |objects| Event::table_mut(objects).put(event));
        }
    }

    pub(crate) fn objects_mut<A>(&mut self, account: &str, change: impl FnOnce(&mut Objects) -> A) -> A {
        match self.objects.get_mut(account) {
            Some(objects) => change(objects),
            None => change(self.objects.entry(account.to_owned()).or_default()),
        }
    }

    /// A card's bank holds an amount until then.
    pub(crate) fn holds_until(&mut self, end: i64) {
        self.next_end = self.next_end.min(end);
    }

    /// The first hold of all accounts that has ended by now, with its account and its end.
    pub(crate) fn ended_hold(&mut self, now: i64) -> Option<(String, PaymentIntent, i64)> {
        if self.next_end > now {
            return None;
        }
        let held = self.objects.iter().flat_map(|(account, objects)| {
            let held = objects.payment_intents.all().iter();
            held.filter(|intent| intent.status == IntentStatus::RequiresCapture)
                .filter_map(move |intent| Some((intent.held_until?, account, intent)))
        });
        let first = held.min_by_key(|(end, ..)| *end);
        self.next_end = first.map_or(i64::MAX, |(end, ..)| end);
        let (end, account, intent) = first.filter(|(end, ..)| *end <= now)?;
        Some((account.clone(), PaymentIntent::clone(intent), end))
    }
}

/// Whether an account belongs to a studio, and so has events that are delivered.
pub(crate) fn is_connected_account(account: &str) -> bool {
    account != PLATFORM
}

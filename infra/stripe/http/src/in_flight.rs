//! The idempotency keys of calls in progress. In memory, because a killed process has none.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::locked;

#[derive(Default)]
pub(crate) struct InFlight(Mutex<HashSet<(String, String)>>);

impl InFlight {
    /// `None` while another call with the key is in progress. Dropping the claim frees the key.
    pub fn claim(&self, account: &str, key: &str) -> Option<Claim<'_>> {
        let name = (account.to_owned(), key.to_owned());
        let mut keys = locked(&self.0);
        // Created lazily: dropping an unused claim would free the key of the call in progress.
        keys.insert(name.clone()).then(|| Claim { in_flight: self, name })
    }
}

pub(crate) struct Claim<'a> {
    in_flight: &'a InFlight,
    name: (String, String),
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        locked(&self.in_flight.0).remove(&self.name);
    }
}

//! Injected faults that wait for what they apply to.
//!
//! DynamoDB's calls, Stripe's calls and Stripe's deliveries have such a queue each. They differ in what a fault matches
//! and in what it does.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A fault that applies to exactly `count` of what it matches, or with `lasting` to all until it is withdrawn, after
/// letting `after` of them pass.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault<M, A> {
    #[serde(rename = "match", default)]
    matches: M,
    #[serde(default = "once")]
    count: u32,
    #[serde(default)]
    lasting: bool,
    #[serde(default)]
    after: u32,
    #[serde(rename = "do")]
    action: A,
}

fn once() -> u32 {
    1
}

/// The faults that still apply to something, in the order in which they were injected.
#[derive(Debug)]
pub struct FaultQueue<M, A>(Vec<Fault<M, A>>);

impl<M, A> Default for FaultQueue<M, A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M: DeserializeOwned + Default, A: DeserializeOwned + Clone> FaultQueue<M, A> {
    /// Adds a fault that is described in JSON; `mistake` says why such a fault can't be injected, if it can't.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn order(&mut self, text: &str, mistake: impl Fn(&M, &A) -> Option<&'static str>) -> Result<(), String> {
        let fault: Fault<M, A> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let is_none = (fault.count == 0).then_some("count must be at least 1");
        if let Some(mistake) = is_none.or_else(|| mistake(&fault.matches, &fault.action)) {
            return Err(mistake.to_owned());
        }
        self.0.push(fault);
        Ok(())
    }

    /// Withdraws all faults.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The faults that still apply.
    #[must_use]
    pub fn waiting(&self) -> &[Fault<M, A>] {
        &self.0
    }

    /// What is done to a call or a delivery that `fits`: by the first fault that matches and has let enough pass. Its
    /// count goes down by one.
    pub fn strike(&mut self, fits: impl Fn(&M, &A) -> bool) -> Option<A> {
        let mut struck = None;
        let matching = self.0.iter_mut().enumerate().filter(|(_, fault)| fits(&fault.matches, &fault.action));
        for (index, fault) in matching {
            if fault.after == 0 {
                struck = Some(index);
                break;
            }
            fault.after -= 1;
        }
        let index = struck?;
        let fault = &mut self.0[index];
        let action = fault.action.clone();
        if !fault.lasting {
            fault.count -= 1;
        }
        if fault.count == 0 {
            self.0.remove(index);
        }
        Some(action)
    }
}

//! Whose what is: studios and families that know nothing of each other.
//!
//! Invariant: what a call names is judged by the caller's own studio and family, not by what it was answered.

use classpay_service::store::key::Key;

use super::executor::TaskId;
use super::purchases::Wanted;
use super::studio;
use super::world::{Doing, Violation, World};

impl World {
    /// 13: what a task has just read or written is of its own studio, and its own family.
    pub(super) fn stays_at_home(&self, task: TaskId) -> Result<(), Violation> {
        let named = self.table.named();
        let Some((_, doing)) = self.running.iter().find(|(running, _)| *running == task) else { return Ok(()) };
        let (company, family) = match *doing {
            Doing::Opening(which) => (studio::COMPANY, Some(self.family_of(which))),
            Doing::Paying(call) => (studio::COMPANY, Some(self.family_of(self.calls[call].purchase))),
            Doing::Misusing(_) | Doing::Revoking | Doing::Repricing | Doing::Rebilling => (studio::COMPANY, None),
            Doing::Trespassing => (studio::OTHER_COMPANY, None),
            Doing::Delivering | Doing::Scheduled => return Ok(()),
        };
        for pk in named.iter().filter(|pk| pk.starts_with("C#")) {
            let parts: Vec<_> = pk.split('#').collect();
            let is_own =
                parts[1] == company && (parts.get(2) != Some(&"F") || family.is_none_or(|own| parts[3] == own));
            if !is_own {
                return Err(format!("13: {doing:?} of {company} and {family:?} touched {pk}"));
            }
        }
        Ok(())
    }

    /// Whose purchase it is: a link is its debit's family's, whoever pays it.
    fn family_of(&self, which: usize) -> &'static str {
        match &self.purchases[which].wanted {
            Wanted::Link(link) => {
                if *link == self.links[2] {
                    "fml_2"
                } else {
                    "fml_1"
                }
            }
            Wanted::Basket(_) => self.purchases[which].family,
        }
    }
}

/// Nobody buys there.
pub(super) fn is_of_other_studio(key: &Key) -> bool {
    key.pk.split('#').nth(1) == Some(studio::OTHER_COMPANY)
}

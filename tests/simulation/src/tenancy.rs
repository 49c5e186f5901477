//! Tenancy: studios and families are isolated from each other.
//!
//! A call is checked by the caller's own studio and family, not by its answer.

use classpay_service::store::key::Key;

use super::executor::TaskId;
use super::purchases::Wanted;
use super::studio;
use super::world::{Doing, Violation, World};

impl World {
    /// 13: everything that a task has just read or written belongs to its own studio and family.
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

    /// The family of a purchase: a link belongs to the family of its debit, no matter who pays it.
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

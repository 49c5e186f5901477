//! Registration fees that stored seasons spell out.
//!
//! Invariant: a season that a part of a catalogue doesn't name takes the fee that the part has changed.

use std::collections::BTreeMap;

use super::super::StoreError;
use super::super::item::document;
use super::changes::Kind;
use super::plan::Entry;
use crate::catalogue::documents::{RegistrationFeeDoc, SeasonDoc};

/// Puts each fee that is new or has changed into the seasons that name it, as they will be. A file agrees with itself, so its own
/// seasons have it already.
pub(super) fn renew(entries: &mut [Entry]) -> Result<(), StoreError> {
    let changed = entries.iter().filter(|entry| entry.kind == Kind::RegistrationFee && entry.is_new() && !entry.goes);
    let mut fees = BTreeMap::new();
    for text in changed.filter_map(|entry| entry.target.as_ref()) {
        let fee: RegistrationFeeDoc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        fees.insert(fee.id.clone(), fee);
    }
    if fees.is_empty() {
        return Ok(());
    }
    for entry in entries.iter_mut().filter(|entry| entry.kind == Kind::Season && !entry.goes) {
        let Some(text) = &entry.target else { continue };
        let mut season: SeasonDoc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        let Some(fee) = season.registration_fee_id.as_ref().and_then(|id| fees.get(id)) else { continue };
        if season.archived_at.is_none() && season.registration_fee_dto.as_ref() != Some(fee) {
            season.spell_out(fee.clone());
            entry.target = Some(document(&season));
        }
    }
    Ok(())
}

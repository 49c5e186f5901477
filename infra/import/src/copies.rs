//! Registration fees that seasons spell out.
//!
//! Invariant: a fee is the same wherever it stands. A season that a part of a catalogue doesn't name takes the fee that the part
//! has changed, and a season of the part says of a fee what the table says.

use std::collections::BTreeMap;

use classpay_service::catalogue::documents::{RegistrationFeeDoc, SeasonDoc};
use classpay_service::store::{StoreError, document};

use crate::catalogue::{Catalogue, Note, differing_fields};
use crate::changes::Kind;
use crate::planned::Entry;

/// Names the seasons whose copy of a fee differs from the table's. A file's own fees agree with its seasons.
pub(super) fn differing(catalogue: &Catalogue, entries: &[Entry]) -> Result<Vec<Note>, StoreError> {
    let mut fees = BTreeMap::new();
    let stored = entries.iter().filter(|entry| entry.kind == Kind::RegistrationFee && !entry.goes);
    for text in stored.filter_map(|entry| entry.target.as_ref()) {
        let fee: RegistrationFeeDoc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        fees.insert(fee.id.clone(), fee);
    }
    // What no list has, another season may spell out.
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Season && !entry.goes && !entry.is_new()) {
        let Some(text) = &entry.target else { continue };
        let season: SeasonDoc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        if let Some(fee) = season.registration_fee_dto.filter(|_| season.archived_at.is_none()) {
            fees.entry(fee.id.clone()).or_insert(fee);
        }
    }
    let spelled_out = catalogue.seasons.iter().enumerate().filter_map(|(index, season)| {
        let fee = season.registration_fee_dto.as_ref()?;
        let is_other = fees.get(&fee.id).is_some_and(|known| !differing_fields(fee, known).is_empty());
        is_other.then(|| Note {
            place: format!("seasons[{index}].registrationFeeDto"),
            what: format!("is not what the table says of {}: give the fee in registrationFees", fee.id),
        })
    });
    Ok(spelled_out.collect())
}

/// Puts each fee, as it will be, into the seasons that name it or spell it out. A file agrees with itself, so its own seasons have
/// it already.
pub(super) fn renew(entries: &mut [Entry]) -> Result<(), StoreError> {
    let listed = entries.iter().filter(|entry| entry.kind == Kind::RegistrationFee && !entry.goes);
    let mut fees = BTreeMap::new();
    for text in listed.filter_map(|entry| entry.target.as_ref()) {
        let fee: RegistrationFeeDoc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        fees.insert(fee.id.clone(), fee);
    }
    if fees.is_empty() {
        return Ok(());
    }
    for entry in entries.iter_mut().filter(|entry| entry.kind == Kind::Season && !entry.goes) {
        let Some(text) = &entry.target else { continue };
        let mut season: SeasonDoc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        let spelled_out = season.registration_fee_dto.as_ref();
        let named = season.registration_fee_id.as_ref().or(spelled_out.map(|fee| &fee.id));
        let Some(fee) = named.and_then(|id| fees.get(id)) else { continue };
        if season.archived_at.is_none() && spelled_out.is_none_or(|copy| !differing_fields(copy, fee).is_empty()) {
            season.spell_out(fee.clone());
            entry.target = Some(document(&season));
        }
    }
    Ok(())
}

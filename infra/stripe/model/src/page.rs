//! Lists: newest first, one page at a time, with Stripe's cursors.
//!
//! Invariant: pages neither skip nor repeat an object; the order of making breaks the tie of equal `created`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::state::Object;

const DEFAULT_LIMIT: i64 = 10;
const LARGEST_LIMIT: i64 = 100;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Created {
    Exactly(i64),
    Between(Between),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between {
    pub gt: Option<i64>,
    pub gte: Option<i64>,
    pub lt: Option<i64>,
    pub lte: Option<i64>,
}

impl Created {
    /// The first and the last second.
    fn bounds(&self) -> (i64, i64) {
        match *self {
            Self::Exactly(at) => (at, at),
            Self::Between(Between { gt, gte, lt, lte }) => (
                gt.map_or(i64::MIN, |at| at.saturating_add(1)).max(gte.unwrap_or(i64::MIN)),
                lt.map_or(i64::MAX, |at| at.saturating_sub(1)).min(lte.unwrap_or(i64::MAX)),
            ),
        }
    }
}

/// The parameters of all lists. Which of them a call has is said by Stripe's description, against which a request is
/// checked before.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    pub allow_redisplay: Option<String>,
    pub charge: Option<String>,
    pub created: Option<Created>,
    pub customer: Option<String>,
    pub delivery_success: Option<bool>,
    pub email: Option<String>,
    pub ending_before: Option<String>,
    pub limit: Option<i64>,
    pub payment_intent: Option<String>,
    pub starting_after: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub types: Option<Vec<String>>,
}

/// Whether a condition isn't given, or is this.
pub(crate) fn is_given(condition: &Option<String>, value: &str) -> bool {
    condition.as_ref().is_none_or(|given| given == value)
}

/// One page.
#[derive(Debug)]
pub struct List<T> {
    pub url: String,
    pub has_more: bool,
    pub data: Vec<Arc<T>>,
}

impl<T: Object> List<T> {
    pub fn json(&self) -> Value {
        let data: Vec<Value> = self.data.iter().map(|object| object.json()).collect();
        json!({ "object": "list", "url": self.url, "has_more": self.has_more, "data": data })
    }
}

/// One page of the objects that are `wanted`.
pub(crate) fn list<T: Object>(
    call: &Call,
    url: &str,
    listing: Listing,
    wanted: impl Fn(&Listing, &T) -> bool,
) -> Result<List<T>, ApiError> {
    let limit = listing.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        let message = format!("This value must be between 1 and {LARGEST_LIMIT}.");
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("limit"));
    }
    let limit = usize::try_from(limit).expect("1 to 100");
    let (first, last) = listing.created.as_ref().map_or((i64::MIN, i64::MAX), Created::bounds);
    let place = |id: &Option<String>, param, none| match id {
        None => Ok(none),
        Some(id) => call.position::<T>(id).ok_or_else(|| ApiError::no_such_reference(T::KIND, id, param)),
    };
    let all = call.all::<T>();
    let end = place(&listing.starting_after, "starting_after", all.len())?;
    let begin = match &listing.ending_before {
        None => 0,
        Some(_) => place(&listing.ending_before, "ending_before", 0)? + 1,
    };
    let found = all.get(begin..end).unwrap_or_default().iter();
    let found = found.filter(|object| (first..=last).contains(&object.created()) && wanted(&listing, object)).cloned();
    // One more than requested shows whether there are further objects.
    let mut data: Vec<Arc<T>> = match listing.ending_before {
        None => found.rev().take(limit + 1).collect(),
        Some(_) => found.take(limit + 1).collect(),
    };
    let has_more = data.len() > limit;
    data.truncate(limit);
    if listing.ending_before.is_some() {
        data.reverse();
    }
    Ok(List { url: url.to_owned(), has_more, data })
}

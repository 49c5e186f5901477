//! Lists: newest first, one page at a time, with Stripe's cursors.
//!
//! Invariant: pages neither skip nor repeat an object; `seq` breaks the tie of equal `created`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::store::{self, Object, Where};

const DEFAULT_LIMIT: i64 = 10;
const LARGEST_LIMIT: i64 = 100;

/// Text, because serde can't parse numbers inside an untagged enum.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Created {
    Exactly(String),
    Between(Between),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Between {
    gt: Option<String>,
    gte: Option<String>,
    lt: Option<String>,
    lte: Option<String>,
}

impl Created {
    fn conditions(self) -> Result<Vec<Where>, ApiError> {
        let bounds = match self {
            Self::Exactly(at) => vec![("=", Some(at))],
            Self::Between(bounds) => vec![(">", bounds.gt), (">=", bounds.gte), ("<", bounds.lt), ("<=", bounds.lte)],
        };
        let given = bounds.into_iter().filter_map(|(comparison, at)| Some((comparison, at?)));
        given
            .map(|(comparison, at)| {
                let wrong = |_| ApiError::invalid(format!("Invalid integer: {at}")).param("created");
                at.parse().map(|at| Where::Created(comparison, at)).map_err(wrong)
            })
            .collect()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub limit: Option<i64>,
    pub starting_after: Option<String>,
    pub ending_before: Option<String>,
    pub created: Option<Created>,
}

/// Answers with one page of a kind.
pub(crate) fn list<T: Object>(call: &Call, url: &str, page: Page, mut conditions: Vec<Where>) -> Answer {
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        let message = format!("This value must be between 1 and {LARGEST_LIMIT}.");
        let code = "parameter_invalid_integer";
        return Err(ApiError::invalid(message).code(code).param("limit"));
    }
    if let Some(created) = page.created {
        conditions.extend(created.conditions()?);
    }
    let backwards = page.ending_before.is_some();
    let cursors = [("starting_after", page.starting_after, true), ("ending_before", page.ending_before, false)];
    for (param, id, older) in cursors {
        let Some(id) = id else { continue };
        if call.load::<T>(&id)?.is_none() {
            return Err(ApiError::no_such_reference(T::KIND, &id, param));
        }
        conditions.push(Where::Beside { id, older });
    }
    // One more than requested shows whether there are further objects.
    let mut found: Vec<T> = store::select(call.db, call.account, &conditions, limit + 1, backwards)?;
    let has_more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if has_more {
        found.pop();
    }
    if backwards {
        found.reverse();
    }
    let data: Vec<Value> = found.iter().map(Object::json).collect();
    Ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": data }))
}

//! The list of Stripe's events: the query, and one page of the answer.
//!
//! Each event is Stripe's unchanged text, the same as in a webhook.

use classpay_domain::id::EventId;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::StripeError;

/// Which events of an account are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventQuery<'a> {
    /// Those that happened then or later, in seconds since 1970.
    pub from_s: i64,
    /// Those that happened then or before, in seconds since 1970.
    pub until_s: i64,
    /// Their types; at most 20.
    pub kinds: &'a [&'a str],
    /// Those that are older than this one: [`EventPage::next`].
    pub after: Option<&'a EventId>,
}

/// Some events of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventPage {
    /// Each as JSON, the newest first.
    pub events: Vec<String>,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<EventId>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    has_more: bool,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl EventPage {
    /// Reads Stripe's answer.
    ///
    /// # Errors
    /// [`StripeError::Unavailable`] for one that can't be read: nothing was learnt, and nothing was changed by asking.
    pub(super) fn read(body: &[u8]) -> Result<Self, StripeError> {
        let unreadable = |_| StripeError::Unavailable;
        let Listed { data, has_more } = serde_json::from_slice(body).map_err(unreadable)?;
        let next = match data.last().filter(|_| has_more) {
            None => None,
            Some(last) => {
                let Named { id } = serde_json::from_str(last.get()).map_err(unreadable)?;
                Some(EventId::parse(id).map_err(|_| StripeError::Unavailable)?)
            }
        };
        Ok(Self { events: data.into_iter().map(|event| event.get().to_owned()).collect(), next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_each_event_s_own_text_and_says_where_the_next_begins() {
        let body = br#"{"object": "list", "url": "/v1/events", "has_more": true,
            "data": [{"id": "evt_2", "x":  1.50}, {"id":"evt_1"}]}"#;
        let page = EventPage::read(body).unwrap();
        assert_eq!(page.events, [r#"{"id": "evt_2", "x":  1.50}"#, r#"{"id":"evt_1"}"#]);
        assert_eq!(page.next.as_ref().map(EventId::as_str), Some("evt_1"));
    }

    #[test]
    fn the_last_page_has_no_next_and_what_is_no_page_is_no_answer() {
        let last = EventPage::read(br#"{"data": [{"id": "evt_1"}], "has_more": false}"#).unwrap();
        assert_eq!((last.events.len(), last.next), (1, None));
        assert_eq!(EventPage::read(br#"{"data": [], "has_more": true}"#), Ok(EventPage::default()));
        for body in ["", "[]", r#"{"data": []}"#, r#"{"data": [{}], "has_more": true}"#] {
            assert_eq!(EventPage::read(body.as_bytes()), Err(StripeError::Unavailable), "{body}");
        }
    }
}

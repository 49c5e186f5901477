//! What an operator sees of a request: one log line, which also carries its metrics.
//!
//! Read in this order: here (what is recorded while a request is served), [`metric`] (what is measured), [`mod@line`]
//! (how it is written).
//!
//! Nothing that is recorded is a secret, a link or personal data: only ids of orders and intents, counts and times.
//! Recording never fails and never waits, and outside a request it does nothing.

pub mod line;
pub mod metric;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use classpay_domain::id::{IntentId, OrderId};

pub use metric::{Count, Gauge};

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The table.
    DynamoDb,
    /// Stripe.
    Stripe,
}

/// The measurements of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMetrics {
    dynamodb: Waits,
    stripe: Waits,
    order: Subject<OrderId>,
    intent: Subject<IntentId>,
    counts: Vec<(Count, u32)>,
    gauges: Vec<(Gauge, i64)>,
}

/// What a request is about. A scheduled run is about many things, each with its own log lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Subject<T> {
    #[default]
    Nothing,
    One(T),
    Several,
}

impl<T: Clone + PartialEq> Subject<T> {
    fn note(&mut self, what: &T) {
        match self {
            Self::Nothing => *self = Self::One(what.clone()),
            Self::One(noted) if noted != what => *self = Self::Several,
            Self::One(_) | Self::Several => {}
        }
    }

    fn one(&self) -> Option<&T> {
        match self {
            Self::One(noted) => Some(noted),
            Self::Nothing | Self::Several => None,
        }
    }
}

/// The calls of one peer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Waits {
    calls: u32,
    /// How many calls are in progress. Concurrent calls count as one wait.
    out: u32,
    since: Option<Instant>,
    waited: Duration,
}

impl Waits {
    fn begin(&mut self) {
        self.calls = self.calls.saturating_add(1);
        if self.out == 0 {
            self.since = Some(Instant::now());
        }
        self.out = self.out.saturating_add(1);
    }

    fn end(&mut self) {
        self.out = self.out.saturating_sub(1);
        if self.out == 0
            && let Some(since) = self.since.take()
        {
            self.waited = self.waited.saturating_add(since.elapsed());
        }
    }
}

impl RequestMetrics {
    fn waits(&mut self, peer: Peer) -> &mut Waits {
        match peer {
            Peer::DynamoDb => &mut self.dynamodb,
            Peer::Stripe => &mut self.stripe,
        }
    }
}

tokio::task_local! {
    /// The measurements of the request that this task serves.
    static SEEN: RefCell<RequestMetrics>;
}

/// Serves a request, and returns its measurements.
pub async fn observe<F: Future>(serve: F) -> (F::Output, RequestMetrics) {
    let noted = async {
        let output = serve.await;
        (output, SEEN.with(RefCell::take))
    };
    SEEN.scope(RefCell::default(), noted).await
}

fn note(what: impl FnOnce(&mut RequestMetrics)) {
    // A program that is no function records nothing.
    SEEN.try_with(|metrics| what(&mut metrics.borrow_mut())).unwrap_or_default();
}

/// A call in progress until this is dropped.
struct Out(Peer);

impl Drop for Out {
    fn drop(&mut self) {
        note(|metrics| metrics.waits(self.0).end());
    }
}

/// Waits for a call, and records how long.
pub async fn timed<F: Future>(peer: Peer, call: F) -> F::Output {
    note(|metrics| metrics.waits(peer).begin());
    let _out = Out(peer);
    call.await
}

/// The request is about this order.
pub fn about_order(order: &OrderId) {
    note(|metrics| metrics.order.note(order));
}

/// The request is about this intent.
pub fn about_intent(intent: &IntentId) {
    note(|metrics| metrics.intent.note(intent));
}

/// Counts an event.
pub fn count(what: Count) {
    note(|metrics| match metrics.counts.iter_mut().find(|(counted, _)| *counted == what) {
        Some((_, times)) => *times = times.saturating_add(1),
        None => metrics.counts.push((what, 1)),
    });
}

/// Records the current value of a gauge.
pub fn gauge(what: Gauge, value: i64) {
    note(|metrics| metrics.gauges.push((what, value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_at_once_are_waited_for_once() {
        let mut waits = Waits::default();
        waits.begin();
        waits.begin();
        waits.end();
        assert_eq!((waits.calls, waits.waited), (2, Duration::ZERO), "one is still out");
        waits.end();
        assert!(waits.since.is_none() && waits.out == 0);
    }

    #[tokio::test]
    async fn what_happens_within_a_request_is_seen_and_what_happens_elsewhere_is_not() {
        count(Count::PaymentsCompleted);
        let ((), metrics) = observe(async {
            timed(Peer::Stripe, async {}).await;
            count(Count::PaymentsCompleted);
            count(Count::PaymentsCompleted);
            gauge(Gauge::OrdersPending, 3);
            about_intent(&IntentId::parse("pi_1").unwrap());
            about_intent(&IntentId::parse("pi_1").unwrap());
        })
        .await;
        assert_eq!(metrics.counts, [(Count::PaymentsCompleted, 2)]);
        assert_eq!(metrics.gauges, [(Gauge::OrdersPending, 3)]);
        assert_eq!(metrics.intent.one().map(IntentId::as_str), Some("pi_1"));
        assert_eq!((metrics.stripe.calls, metrics.dynamodb.calls), (1, 0));
    }
}

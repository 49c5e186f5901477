//! Runs the functions that the template has run on a schedule, by the stack's clock.
//!
//! Invariant: a run that is still going on is not joined by a second one. When the clock jumps over
//! several times at once, they are made up for by one run.

use std::sync::Arc;

use classpay_operator::stack::LOCAL_REGION;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::clock::Clock;
use crate::random;
use crate::runtime::{InvokeError, LOCAL_ACCOUNT, Pool};
use crate::template::Schedule;

/// The event of a run.
#[must_use]
pub fn event(at: Timestamp) -> bytes::Bytes {
    let time = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let event = json!({
        "version": "0",
        "id": random::uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": LOCAL_ACCOUNT,
        "region": LOCAL_REGION,
        "time": time,
        "resources": [],
        "detail": "{}",
    });
    event.to_string().into()
}

/// Keeps a schedule for as long as it is polled. What goes wrong in a run is said by the function's
/// pool, and the next run comes all the same.
pub async fn keep(schedule: Schedule, pool: Arc<Pool>, clock: Arc<Clock>) {
    let every = SignedDuration::try_from(schedule.every).unwrap_or(SignedDuration::MAX);
    loop {
        let Ok(next) = clock.now().checked_add(every) else { return };
        clock.reach(next).await;
        let run: Result<_, InvokeError> = pool.run_scheduled(event(clock.now())).await;
        drop(run);
    }
}

//! Runs the functions that the template schedules, by the stack's clock.
//!
//! A run never overlaps the previous one. If the clock jumps over several scheduled times, one run makes up for all of
//! them.

use std::sync::Arc;

use classpay_operator::stack::LOCAL_REGION;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::clock::Clock;
use crate::random;
use crate::runtime::{InvokeError, LOCAL_ACCOUNT, Pool};
use crate::template::Schedule;

/// The event of a scheduled run.
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

/// Runs a schedule for as long as it is polled. The function's pool reports a failed run, and the next run takes place
/// regardless.
pub async fn keep(schedule: Schedule, pool: Arc<Pool>, clock: Arc<Clock>) {
    let every = SignedDuration::try_from(schedule.every).unwrap_or(SignedDuration::MAX);
    loop {
        let Ok(next) = clock.now().checked_add(every) else { return };
        clock.reach(next).await;
        let run: Result<_, InvokeError> = pool.run_scheduled(event(clock.now())).await;
        drop(run);
    }
}

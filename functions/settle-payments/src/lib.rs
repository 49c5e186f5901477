//! Each minute: finishes or releases what requests left.
//!
//! Invariant: the event says nothing but that it is time; what is due is in the table, and what to do about it is in
//! `classpay_service::sweep`.

use classpay_service::context::{Context, Deadline};
use classpay_service::machine::Machine;
use classpay_service::sweep::{Report, backlog, sweep};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;

/// Makes one run.
///
/// # Errors
/// If the table can't be reached; the next run comes in a minute.
pub async fn handle<M: Machine>(ctx: &Context<M>, event: LambdaEvent<Value>) -> Result<Report, Error> {
    let deadline = Deadline::at_ms(event.context.deadline);
    let report = sweep(ctx, deadline).await;
    match &report {
        Ok(Report { looked, finished, left }) => tracing::info!(looked, finished, left, "swept"),
        Err(error) => tracing::error!(%error, "nothing could be swept"),
    }
    backlog::measure(ctx, deadline).await;
    Ok(report?)
}

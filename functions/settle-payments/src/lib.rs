//! Runs each minute: finishes or releases what requests left behind.
//!
//! The event only triggers a run. The table says what is due, and `classpay_service::settlement::job` what to do about
//! it.

use classpay_service::context::Context;
use classpay_service::deadline::Deadline;
use classpay_service::settlement::job::{self, Report, backlog};
use classpay_service::store::StoreError;
use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;

/// Makes one run.
///
/// # Errors
/// If the table can't be reached, or permanently refuses a write of the settlement job; the next run comes in a minute.
pub async fn handle(ctx: &Context, event: LambdaEvent<Value>) -> Result<Report, Error> {
    let deadline = Deadline::at_ms(event.context.deadline);
    let report = job::run(ctx, deadline).await;
    match &report {
        Ok(Report { visited, finished, left, refused }) => {
            tracing::info!(visited, finished, left, refused, "settlement job ran")
        }
        Err(error) => tracing::error!(%error, "settlement job can't read what is due"),
    }
    backlog::measure(ctx, deadline).await;
    let report = report?;
    // A run can't record such a refusal anywhere, so it fails to make it visible.
    if report.refused > 0 { Err(StoreError::Unwritable.into()) } else { Ok(report) }
}

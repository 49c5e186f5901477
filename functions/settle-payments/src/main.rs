use classpay_service::runtime;
use lambda_runtime::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let ctx = runtime::start().await?;
    run(service_fn(|event| settle_payments::handle(ctx, event))).await
}

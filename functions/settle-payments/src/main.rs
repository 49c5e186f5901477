use classpay_service::runtime;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = runtime::start().await?;
    let make = |event: LambdaEvent<Value>| async move {
        let request_id = event.context.request_id.clone();
        function.run(&request_id, settle_payments::handle(&function.ctx, event)).await
    };
    run(service_fn(make)).await
}

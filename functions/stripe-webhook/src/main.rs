use std::convert::Infallible;

use classpay_service::http::{answer, respond};
use classpay_service::runtime;
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let ctx = runtime::start().await?;
    let serve = |request: Request| async move {
        let result = stripe_webhook::handle(ctx, &request).await;
        Ok::<_, Infallible>(answer(result, respond::request_id(&request)))
    };
    run(service_fn(serve)).await
}

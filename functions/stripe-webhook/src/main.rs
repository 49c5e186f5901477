use classpay_service::api::Endpoint;
use classpay_service::runtime;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(Endpoint::StripeWebhook, |ctx, request| Box::pin(stripe_webhook::handle(ctx, request))).await
}

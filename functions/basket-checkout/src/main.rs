use classpay_service::api::Endpoint;
use classpay_service::runtime;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(Endpoint::Checkout, |ctx, request| Box::pin(basket_checkout::handle(ctx, request))).await
}

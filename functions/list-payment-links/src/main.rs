use classpay_service::api::Endpoint;
use classpay_service::runtime;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(Endpoint::ListLinks, |ctx, request| Box::pin(list_payment_links::handle(ctx, request))).await
}

use classpay_service::api::Endpoint;
use classpay_service::runtime;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(Endpoint::RetrieveLink, |ctx, request| Box::pin(retrieve_payment_link::handle(ctx, request))).await
}

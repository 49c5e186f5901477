use classpay_service::api::Endpoint;
use classpay_service::runtime;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(Endpoint::ProcessLink, |ctx, request| Box::pin(process_payment_link::handle(ctx, request))).await
}

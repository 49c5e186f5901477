use classpay_service::api::Endpoint;
use classpay_service::runtime;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(Endpoint::PaymentSession, |ctx, request| Box::pin(create_payment_session::handle(ctx, request)))
        .await
}

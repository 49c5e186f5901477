use classpay_service::api::Endpoint;
use classpay_service::runtime;
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = runtime::start().await?;
    let serve = |request: Request| async move {
        function.serve(Endpoint::ListLinks, &request, list_payment_links::handle(&function.ctx, &request)).await
    };
    run(service_fn(serve)).await
}

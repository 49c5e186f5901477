//! The pool as the AWS SDK's HTTP client.
//!
//! An error must say what it proves, because the SDK retries whatever the connector classifies as an I/O error.

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};

use super::Pool;

/// DynamoDB answers with at most 16 MB.
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Time limits are the SDK's own: it ends an attempt by dropping it.
impl HttpClient for Pool {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

impl HttpConnector for Pool {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let pool = self.clone();
        HttpConnectorFuture::new(async move { pool.call_aws(request).await })
    }
}

impl Pool {
    async fn call_aws(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (head, body) = request.into_parts();
        let body = body.bytes().ok_or_else(|| ConnectorError::user("a body that isn't in memory".into()))?;
        let request = http::Request::from_parts(head, Full::new(Bytes::copy_from_slice(body)));
        let (head, body) = self.send(request).await.map_err(|error| ConnectorError::io(error.into()))?.into_parts();
        let body = Limited::new(body, ANSWER_MAX_BYTES).collect().await.map_err(ConnectorError::io)?;
        let response = http::Response::from_parts(head, SdkBody::from(body.to_bytes()));
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

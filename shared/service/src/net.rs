//! Connections to the outside: one kind of pool for Stripe and for AWS, one small set of roots, one TLS library.
//!
//! Invariant: what leaves this machine is encrypted, and the other end is who a public authority says it is. A request
//! that may have left is never sent again here.

mod smithy;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Below the minute after which idle connections are usually cut on the way.
const IDLE_MAX: Duration = Duration::from_secs(55);
/// How long a connection may take that is opened before it is needed. What isn't there by then is opened when it is.
const OPEN_LIMIT: Duration = Duration::from_secs(2);

/// Whom the other end may be vouched for by.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

/// TLS can't be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tls can't be set up")]
pub struct NoTls;

impl Trust {
    /// The public authorities that Mozilla lists. They are compiled in: a Lambda's file of them takes longer to read
    /// than a handshake.
    ///
    /// # Errors
    /// [`NoTls`] if the library has no protocol version in common with us.
    pub fn public() -> Result<Self, NoTls> {
        Self::of(RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()))
    }

    /// Only the authority of this PEM text: for stand-ins on this machine.
    ///
    /// # Errors
    /// [`NoTls`] if there is none in it.
    pub fn only(pem: &[u8]) -> Result<Self, NoTls> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem).map_err(|_| NoTls)?).map_err(|_| NoTls)?;
        Self::of(roots)
    }

    fn of(roots: RootCertStore) -> Result<Self, NoTls> {
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|_| NoTls)?;
        Ok(Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// A pool of connections. A clone shares it.
///
/// HTTP/1.1 only: one call at a time needs no more, and what a broken connection means is plain.
#[derive(Debug, Clone)]
pub struct Pool {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Whether a server may be spoken to in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleartext {
    /// Only a server on this machine: whoever makes the pool has looked.
    Allowed,
    /// None.
    Refused,
}

impl Pool {
    /// Sets a pool up; opens no connection yet. `connect` is how long one may take until it stands, without TLS.
    #[must_use]
    pub fn new(trust: &Trust, cleartext: Cleartext, connect: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect));
        let tls = HttpsConnectorBuilder::new().with_tls_config(ClientConfig::clone(&trust.0));
        let tls = match cleartext {
            Cleartext::Allowed => tls.https_or_http(),
            Cleartext::Refused => tls.https_only(),
        };
        // A request that never began because its pooled connection had been closed is sent on another one by the
        // client itself: that is no retry, nothing of it had left.
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_timer(TokioTimer::new())
            .build(tls.enable_http1().wrap_connector(tcp));
        Self { client }
    }

    /// Sends a request, once.
    ///
    /// # Errors
    /// Whatever broke; [`Error::is_connect`] proves that nothing was sent.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        self.client.request(request).await
    }

    /// Opens a connection to a server before it is needed, by asking for something harmless. Whether that works is
    /// seen when it is needed.
    pub async fn open(&self, harmless: Uri) {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = harmless;
        let answer = async {
            let body = self.send(request).await.ok()?.into_body();
            // Only a connection whose answer was read is used again.
            http_body_util::BodyExt::collect(body).await.ok()
        };
        if !matches!(tokio::time::timeout(OPEN_LIMIT, answer).await, Ok(Some(_))) {
            tracing::info!("a connection was not opened in advance");
        }
    }
}

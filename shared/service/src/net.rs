//! Outgoing connections: one kind of pool for Stripe and AWS, one small set of root certificates, one TLS library.
//!
//! Invariant: what leaves this machine is encrypted, and a public authority vouches for the other end. A request that
//! may have left is never sent again here.

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

/// Below the minute after which idle connections are usually cut by the network.
const IDLE_MAX: Duration = Duration::from_secs(55);
/// The time limit for opening a connection in advance. One that isn't open by then is opened when it is needed.
const OPEN_LIMIT: Duration = Duration::from_secs(2);

/// The authorities that may vouch for the other end.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

/// TLS can't be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tls can't be set up")]
pub struct NoTls;

impl Trust {
    /// The public authorities that Mozilla lists. They are compiled in, because reading a Lambda's certificate file
    /// takes longer than a handshake.
    ///
    /// # Errors
    /// [`NoTls`] if the library has no protocol version in common with us.
    pub fn public() -> Result<Self, NoTls> {
        Self::of(RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()))
    }

    /// Only the authority of this PEM text: for substitutes of Stripe and AWS on this machine.
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
/// HTTP/1.1 only: one call at a time needs no more, and it is clear what a broken connection means.
#[derive(Debug, Clone)]
pub struct Pool {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Whether plain-text connections are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleartext {
    /// Only to a server on this machine; the pool's creator checks that.
    Allowed,
    /// Never.
    Refused,
}

impl Pool {
    /// Creates a pool without opening a connection. `connect` limits the time to connect, without TLS.
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
        // If a pooled connection turns out to be closed, the client itself uses another one. That is no retry, because
        // nothing of the request had left.
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_timer(TokioTimer::new())
            .build(tls.enable_http1().wrap_connector(tcp));
        Self { client }
    }

    /// Sends a request, once.
    ///
    /// # Errors
    /// [`Error::is_connect`] proves that nothing was sent.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        self.client.request(request).await
    }

    /// Opens a connection to a server in advance, with a harmless request. A failure shows when the connection is
    /// needed.
    pub async fn open(&self, harmless: Uri) {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = harmless;
        let answer = async {
            let body = self.send(request).await.ok()?.into_body();
            // Only a connection whose answer was fully read is reused.
            http_body_util::BodyExt::collect(body).await.ok()
        };
        if !matches!(tokio::time::timeout(OPEN_LIMIT, answer).await, Ok(Some(_))) {
            tracing::info!("a connection was not opened in advance");
        }
    }
}

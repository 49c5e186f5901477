//! What a function's calls meet: a TLS terminator that counts connections, calls and capacity units and lets every call
//! wait, and behind it a stand-in.
//!
//! Invariant: a call waits as long as it is told to, wherever it goes; what the stand-in itself takes comes on top. And
//! capacity is asked for only while it is metered: a longer answer would cost the function that is timed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use classpay_local::secrets::Secrets;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::http;

/// Vouches for this machine's stand-ins, for as long as the benchmark runs.
pub struct Authority {
    /// What the functions are to trust, as PEM.
    pub certificate: tempfile::NamedTempFile,
    acceptor: TlsAcceptor,
}

impl Authority {
    pub fn new() -> Self {
        let key = || KeyPair::generate().expect("ring makes keys");
        let mut own = CertificateParams::default();
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // Its own name: OpenSSL takes a certificate whose issuer is called like itself for self-signed.
        own.distinguished_name.push(DnType::CommonName, "the benchmark's authority");
        let (own_key, key) = (key(), key());
        let own_certificate = own.self_signed(&own_key).expect("its parameters are sound");
        let here = CertificateParams::new(["127.0.0.1".to_owned()]).expect("an address");
        let here = here.signed_by(&key, &Issuer::new(own, own_key)).expect("its parameters are sound");
        let certificate = tempfile::NamedTempFile::new().expect("a file can be made");
        std::fs::write(certificate.path(), own_certificate.pem()).expect("it can be written");
        let chain: Vec<CertificateDer> = vec![here.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the key is the certificate's");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { certificate, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

/// What answers behind the terminator.
pub enum Behind {
    /// A server at this address.
    Server(SocketAddr),
    Secrets(Secrets),
}

/// The terminator before one stand-in.
pub struct StandIn {
    pub url: String,
    counted: Arc<Counted>,
}

#[derive(Default)]
struct Counted {
    connections: AtomicU64,
    calls: AtomicU64,
    latency_us: AtomicU64,
    is_metered: AtomicBool,
    read_tenths: AtomicU64,
    written_tenths: AtomicU64,
}

/// DynamoDB's capacity units, in tenths: the least that a read takes is half a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Units {
    pub read: u64,
    pub written: u64,
}

impl StandIn {
    pub async fn start(authority: &Authority, behind: Behind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("https://{}", listener.local_addr().expect("it is bound"));
        let counted = Arc::<Counted>::default();
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let shared = Arc::new(Shared { behind, client, counted: Arc::clone(&counted) });
        tokio::spawn(accept(listener, authority.acceptor.clone(), shared));
        Self { url, counted }
    }

    /// How long each call waits from now on.
    pub fn wait_for(&self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.counted.latency_us.store(us, Ordering::SeqCst);
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> u64 {
        self.counted.connections.load(Ordering::SeqCst)
    }

    /// From now on, or no more, every answer of DynamoDB says what it took.
    pub fn meter(&self, is_metered: bool) {
        self.counted.is_metered.store(is_metered, Ordering::SeqCst);
    }

    /// What was taken so far while it was metered.
    pub fn units(&self) -> Units {
        Units {
            read: self.counted.read_tenths.load(Ordering::SeqCst),
            written: self.counted.written_tenths.load(Ordering::SeqCst),
        }
    }

    /// How many calls came so far.
    pub fn calls(&self) -> u64 {
        self.counted.calls.load(Ordering::SeqCst)
    }
}

struct Shared {
    behind: Behind,
    client: Client<HttpConnector, Full<Bytes>>,
    counted: Arc<Counted>,
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.counted.connections.fetch_add(1, Ordering::SeqCst);
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            stream.set_nodelay(true).expect("a connection that has just been made");
            // Who breaks off was killed, or doesn't trust us and says so himself.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            http::serve(stream, |request| answer(request, Arc::clone(&shared))).await;
        });
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Option<Response<Full<Bytes>>> {
    shared.counted.calls.fetch_add(1, Ordering::SeqCst);
    let latency = Duration::from_micros(shared.counted.latency_us.load(Ordering::SeqCst));
    if !latency.is_zero() {
        sleep(latency).await;
    }
    match &shared.behind {
        Behind::Server(address) => {
            let (mut head, body) = request.into_parts();
            let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
            head.uri = format!("http://{address}{path}").parse::<Uri>().expect("an address and a path");
            let mut body = body.collect().await.ok()?.to_bytes();
            let operation = operation(&head.headers).filter(|_| shared.counted.is_metered.load(Ordering::SeqCst));
            if operation.is_some() {
                body = asking_for_units(&body);
                head.headers.insert(CONTENT_LENGTH, body.len().into());
            }
            let request = Request::from_parts(head, Full::new(body));
            let response = shared.client.request(request).await.expect("the stand-in answers");
            let (head, body) = response.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            if let Some(operation) = operation {
                shared.counted.add(&operation, &body);
            }
            Some(Response::from_parts(head, Full::new(body)))
        }
        Behind::Secrets(secrets) => {
            let (head, body) = request.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            let response = secrets.answer(&head.headers, &String::from_utf8_lossy(&body));
            let (head, body) = response.into_parts();
            Some(Response::from_parts(head, Full::new(body.collect().await.ok()?.to_bytes())))
        }
    }
}

/// What is asked of DynamoDB; nothing of the kind is asked of Stripe.
fn operation(headers: &HeaderMap) -> Option<String> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    Some(target.rsplit_once('.')?.1.to_owned())
}

/// The same call, that also asks what it takes.
fn asking_for_units(body: &[u8]) -> Bytes {
    let mut call: Value = serde_json::from_slice(body).expect("the SDK sends JSON");
    call["ReturnConsumedCapacity"] = json!("TOTAL");
    Bytes::from(call.to_string())
}

impl Counted {
    /// What an answer says that its call took: of one table, or of a list of tables.
    fn add(&self, operation: &str, body: &[u8]) {
        let answer: Value = serde_json::from_slice(body).expect("DynamoDB answers JSON");
        let taken = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().map(tenths).sum(),
            Value::Null => return, // A refusal.
            table => tenths(table),
        };
        let is_read = matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "TransactGetItems");
        let sum = if is_read { &self.read_tenths } else { &self.written_tenths };
        sum.fetch_add(taken, Ordering::SeqCst);
    }
}

/// Of one table, read as text: units come by halves.
fn tenths(table: &Value) -> u64 {
    let text = table["CapacityUnits"].to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let number = |digits: &str| digits.parse::<u64>().unwrap_or_else(|_| panic!("not units: {table}"));
    number(whole) * 10 + number(&part[..1])
}

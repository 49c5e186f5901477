//! HTTP/1.1 as the benchmark's own servers speak it.
//!
//! Invariant: as little as possible between a socket and an answer: what is spent here is in every wall time.

use std::io;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// Answers every request of a connection until its other end closes it. A request without an answer closes it, too.
pub async fn serve<S, F>(stream: S, answer: impl Fn(Request<Incoming>) -> F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Option<Response<Full<Bytes>>>>,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async { answer.await.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe)) }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error is a process that was killed.
    served.await.unwrap_or_default();
}

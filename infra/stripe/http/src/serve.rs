//! Two ways to serve: as an axum router, and on hyper's own connections.
//!
//! Invariant: a fault that breaks the connection is seen as a broken connection: no status, no partial answer.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response};
use hyper::body::Frame;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::StandIn;
use crate::answer::Dropped;

/// How long calls in progress may take to end after `shutdown`.
const FAREWELL: Duration = Duration::from_secs(2);

impl StandIn {
    /// The whole stand-in as a router. The caller binds it to the loopback address.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(move |request: Request<Body>| {
            let standin = Arc::clone(&self);
            async move {
                let answer = standin.answer(request).await;
                answer.unwrap_or_else(|Dropped| Response::new(Body::new(Broken)))
            }
        })
    }
}

/// A body that fails before its first byte, so that hyper closes the connection without having sent anything.
struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        Poll::Ready(Some(Err(Dropped)))
    }
}

/// Serves until `shutdown`, then lets the calls in progress end. Killing it loses nothing.
pub async fn serve(listener: TcpListener, standin: Arc<StandIn>, shutdown: impl Future<Output = ()> + Send) {
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&standin), stopped.clone()));
                }
                // Out of file handles, or a caller that hung up at once: try again in a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(stop);
    let farewell = async { while connections.join_next().await.is_some() {} };
    // Calls that aren't done by then are aborted with their set.
    tokio::time::timeout(FAREWELL, farewell).await.unwrap_or_default();
}

async fn connection(stream: TcpStream, standin: Arc<StandIn>, mut stopped: watch::Receiver<()>) {
    // An answer is one small write; waiting to fill a packet would add 40 ms to it.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service =
        service_fn(move |request: Request<hyper::body::Incoming>| Arc::clone(&standin).answer(request.map(Body::new)));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // An error is a caller that disconnected or an injected fault; neither needs a report.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    connection.await.unwrap_or_default();
}

//! The two ways to listen: as an axum router, and on hyper's own connections.
//!
//! Invariant: an ordered break of the connection is seen as one: no status, no half answer.

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

/// How long calls under way may take to end after `shutdown`.
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

/// A body that fails before its first byte: hyper closes the connection and has sent nothing yet.
struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        Poll::Ready(Some(Err(Dropped)))
    }
}

/// Serves until `shutdown`, then lets the calls under way end. Nothing is lost if it is killed.
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
    // What isn't done by then is aborted with its set.
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
    // An error is a caller that broke off, or an ordered break: both are nobody's news.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    connection.await.unwrap_or_default();
}

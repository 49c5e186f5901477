//! Listeners on the loopback address.
//!
//! This is the only place that opens a port, and it opens it on 127.0.0.1.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

use crate::Problem;

/// A listener and its URL. Port 0 means any free port.
///
/// # Errors
/// The port is not available; the error names the option that chooses it.
pub async fn listen(port: u16, option: &str) -> Result<(TcpListener, String), Problem> {
    let trouble = |problem: std::io::Error| {
        Problem::new(format!("{option} {port}: {problem}. Choose another with {option} (0: any that is free)"))
    };
    let listener = anywhere(port).await.map_err(trouble)?;
    let address = listener.local_addr().map_err(trouble)?;
    Ok((listener, format!("http://{address}")))
}

/// A listener for a server whose port has no option.
pub(crate) async fn anywhere(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

/// Sets TCP_NODELAY on a server's connection: waiting to fill a packet can add 40 ms to an answer.
pub(crate) fn send_at_once(stream: &mut TcpStream) {
    // A connection that is already closed doesn't need it.
    drop(stream.set_nodelay(true));
}

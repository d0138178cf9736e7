//! Listening sockets.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use actix_web::rt::net::TcpSocket;

/// Maximum number of connections waiting to be accepted; the operating system may allow fewer.
const BACKLOG: u32 = 2048;

/// Binds all addresses of a host name. At least one must succeed.
///
/// # Errors
/// Returns the last bind error if no address could be bound.
pub(crate) fn bind_all(name: &str) -> io::Result<Vec<TcpListener>> {
    let (mut listeners, mut last_error) = (Vec::new(), None);
    for address in name.to_socket_addrs()? {
        match bind(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => last_error = Some(error),
        }
    }
    match last_error {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
